"""Who was erased, remembered beside the database: a backup that comes back does not know it. Keys only, no names."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from flask import current_app


def _file() -> Path:
    return Path(current_app.instance_path) / "erased"


def remember(keys: Iterable[UUID]) -> None:
    """Add keys to the list, surely: after this returns they are on the disk."""
    with os.fdopen(os.open(_file(), os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as opened:
        opened.writelines(f"{key}\n" for key in keys)
        opened.flush()
        os.fsync(opened.fileno())


def all_keys() -> list[UUID]:
    """Everybody who was ever erased here."""
    return [UUID(line) for line in _file().read_text().split()] if _file().exists() else []
