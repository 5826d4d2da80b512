"""Databases with 1, 10, 100 … communities of 1,000 households and a year of visits, each grown from the one before."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.clock import local_day
from fieldapp.db import make_engine
from fieldapp.demo.operations import populate
from fieldapp.demo.town import ORIGIN
from tests import keys  # noqa: F401 - what is grown here is sealed with them

NOW = datetime(2026, 11, 18, 1, 41, tzinfo=UTC)
"""The moment at which every run stands still: 9:41 in Shanghai on a working day."""

MONTHS = 12
PASSWORD = "bench-password"
APART = 0.05
"""Degrees between the middles of two communities: about 5 km."""

Say = Callable[[str], None]


def grow(url: str, first: int, last: int, say: Say) -> None:
    """Add the communities c`first` … c`last` to a database; community c1 is the same in each."""
    engine = make_engine(url)
    schema.upgrade(engine)
    hashed = PasswordHasher().hash(PASSWORD)
    with Session(engine) as session:
        for number in range(first, last + 1):
            add_community(session, number, hashed)
            session.commit()
            if number % 10 == 0:
                say(f"{number} communities")
    settle(engine)
    engine.dispose()


def add_community(session: Session, number: int, hashed: str) -> None:
    """One community on a square grid, ten to a row."""
    row, column = divmod(number - 1, 10)
    populate(
        session,
        code=f"c{number}",
        name=f"{number}",
        seed=number,
        today=local_day(NOW),
        now=NOW,
        password_hash=hashed,
        months=MONTHS,
        street_code=f"s{row}",
        origin=(ORIGIN[0] + APART * column, ORIGIN[1] + APART * row),
    )


def settle(engine: Engine) -> None:
    """Bring the log of what was just written into the file, and PostgreSQL's statistics up to date."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        else:
            connection.execute(text("VACUUM ANALYZE"))


@contextmanager
def sqlite_databases(folder: Path, sizes: list[int], say: Say) -> Iterator[dict[int, str]]:
    """A file a size in `folder`, from the smallest up; each is a copy of the one before, grown."""
    made: dict[int, str] = {}
    before, have = None, 0
    for size in sizes:
        path = folder / f"communities-{size}.db"
        if before:
            shutil.copy(before, path)
        made[size] = f"sqlite:///{path}"
        grow(made[size], have + 1, size, say)
        before, have = path, size
    yield made


@contextmanager
def postgresql_databases(server: str, sizes: list[int], say: Say) -> Iterator[dict[int, str]]:
    """A database a size on the server that `server` names, dropped in the end. The account must be allowed to."""
    address = make_url(server)
    psycopg = address.set(drivername="postgresql+psycopg")
    admin = create_engine(psycopg, isolation_level="AUTOCOMMIT")
    made: dict[int, str] = {}
    before, have = "template0", 0
    try:
        for size in sizes:
            name = f"fieldapp_bench_{size}"
            with admin.connect() as connection:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
                connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{before}" ENCODING \'UTF8\''))
            made[size] = address.set(database=name).render_as_string(hide_password=False)
            grow(made[size], have + 1, size, say)
            before, have = name, size
        yield made
    finally:
        for size in reversed(made):
            with admin.connect() as connection:
                connection.execute(text(f'DROP DATABASE "fieldapp_bench_{size}" WITH (FORCE)'))
        admin.dispose()
