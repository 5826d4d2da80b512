"""A file in the instance folder that remembers how far the database had come, so that a restored backup is noticed.

It is written now and then after an item came in, and compared once a process, before its first item. It may lag behind
the database by a few seconds, never run ahead of it.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from uuid import UUID

from flask import Flask, current_app, request

from fieldapp import clock, db
from fieldapp.guard import is_item
from fieldapp.sync import operations, queries, rules
from fieldapp.sync.models import Epoch
from fieldapp.sync.rules import Life

NAME = "epoch.json"
EVERY = 10.0
"""How many seconds pass before the file is written again: each time costs the disk a flush."""


def init_app(app: Flask) -> None:
    """Look before the first item of a process; ahead of the guard, which begins to read the database."""
    app.before_request(_look_once)


def _look_once() -> None:
    if (is_item() or request.path.startswith("/sync/")) and "fieldapp-looked" not in current_app.extensions:
        look()
        current_app.extensions["fieldapp-looked"] = True


def look() -> bool:
    """Begin a new epoch if the database is older than the file remembers; say whether it was. Commits."""
    with _alone(), db.writing() as opened:
        epoch = operations.ensure_epoch(opened, clock.now())
        kept, found = _read(), Life(epoch.epoch, epoch.since, queries.newest_receipt_at(opened))
        if is_older := rules.went_back(kept, found):
            current_app.logger.warning("the database came back from a backup: a new epoch begins")
            _begin()
        elif found != kept:
            opened.commit()
            _write(found)
    return is_older


def begin() -> None:
    """Begin a new epoch because somebody says that the database came back. Commits."""
    with _alone(), db.writing():
        _begin()


def _begin() -> None:
    opened = db.session()
    epoch = operations.begin_epoch(opened, clock.now())
    newest = queries.newest_receipt_at(opened)
    opened.commit()  # first the database: a file that knows more than it would begin another epoch at every start
    _write(Life(epoch.epoch, epoch.since, newest))


def note(received_at: datetime, epoch: Epoch) -> None:
    """Remember that an item came in, at most once in a while."""
    last, now = current_app.extensions.get("fieldapp-noted", -EVERY), time.monotonic()
    if now - last >= EVERY:
        current_app.extensions["fieldapp-noted"] = now
        _write(Life(epoch.epoch, epoch.since, received_at))


def _path() -> Path:
    return Path(current_app.instance_path) / NAME


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: two that start together must not begin two epochs."""
    try:
        lock = os.open(_path().with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:  # a folder that nobody may write to: there is no file to compare with either
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read() -> Life | None:
    try:
        said = json.loads(_path().read_text())
        newest = said["newest"]
        return Life(
            UUID(said["epoch"]),
            datetime.fromisoformat(said["since"]),
            datetime.fromisoformat(newest) if newest else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(life: Life) -> None:
    """Write aside and rename. A folder that cannot be written to must not stop anything: then nothing is noticed."""
    said = {
        "epoch": str(life.epoch),
        "since": life.since.isoformat(),
        "newest": life.newest.isoformat() if life.newest else None,
    }
    try:
        descriptor, aside = mkstemp(dir=_path().parent, prefix=".epoch-")
    except OSError as error:
        current_app.logger.warning("a restored backup will not be noticed by itself: %s", error)
        return
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, _path())
    except OSError as error:
        current_app.logger.warning("a restored backup will not be noticed by itself: %s", error)
        with suppress(OSError):
            os.unlink(aside)
