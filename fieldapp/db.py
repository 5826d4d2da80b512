"""Engine, session and the base of every mapped class. SQLite where nothing else is said, PostgreSQL by DATABASE_URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import uuid_utils.compat
from flask import Flask, current_app, g, has_request_context, request
from sqlalchemy import JSON, DateTime, Engine, MetaData, Uuid, create_engine, event, make_url, text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

uuid7 = uuid_utils.compat.uuid7
"""A new time-ordered key (RFC 9562); a phone makes its own of the same form."""

_writing: ContextVar[bool] = ContextVar("writing", default=False)


class Instant(TypeDecorator[datetime]):
    """An aware moment, kept in UTC on both databases: SQLite has no time zones of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment (ValueError), give UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment back, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_key = lru_cache(50_000)(UUID)


class Key(Uuid[UUID]):
    """A UUID. SQLite keeps it as text, and a page reads hundreds: making each anew took a fifth of Today's time."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """Read a key, the same object for the same text."""
        if dialect.supports_native_uuid:
            return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return lambda text: None if text is None else _key(text)


class Base(DeclarativeBase):
    """Constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        UUID: Key,
        datetime: Instant,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[Any]: JSON,
    }


class Keyed:
    """A row with a UUIDv7 of its own, made by the phone or by the server."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class KeyedFirst(Keyed):
    """A row that has its key from the moment it is made, for what is sealed to it."""

    def __init__(self, **values: Any) -> None:
        self.id = values.pop("id", None) or uuid7()
        super().__init__(**values)


def make_engine(url: str) -> Engine:
    """An engine on `url`, with SQLite set up to lose nothing and to wait for its turn."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    # Parameters are names and sentences: an error's text, and with it the log, must not hold them.
    engine = create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-32768")
        connection.execute("PRAGMA secure_delete=ON")  # what is erased is gone from the file, too

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A reader that turns writer half-way is refused at once when somebody else wrote meanwhile;
        # one that says so at the start waits for its turn.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")

    return engine


def init_app(app: Flask) -> None:
    """Bind the program to `app.config["DATABASE_URL"]`: a session a request, closed when the answer is sent."""
    bound = make_engine(app.config["DATABASE_URL"])
    app.extensions["fieldapp-engine"] = bound
    app.extensions["fieldapp-sessions"] = sessionmaker(bound, expire_on_commit=False)
    app.before_request(_say_whether_writing)
    app.teardown_appcontext(_close)


def _say_whether_writing() -> None:
    _writing.set(request.method not in ("GET", "HEAD", "OPTIONS"))


def _close(_error: BaseException | None) -> None:
    opened = g.pop("session", None)
    if opened is not None:
        opened.close()


def session() -> Session:
    """The session of this request or command; the caller commits."""
    if "session" not in g:
        _writing.set(_writing.get() if has_request_context() else True)
        g.session = current_app.extensions["fieldapp-sessions"]()
    return g.session


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that writes, in a request that otherwise reads: what it has read so far is let go, and on SQLite
    it waits for its turn before it reads again. Committed at the end, undone when something goes wrong.
    """
    opened = session()
    opened.commit()
    before = _writing.set(True)
    try:
        yield opened
        opened.commit()
    except BaseException:
        opened.rollback()
        raise
    finally:
        _writing.reset(before)


def only_read() -> None:
    """From here on this request only reads: on SQLite its next transaction keeps nobody waiting."""
    _writing.set(False)


def give_up() -> None:
    """Undo what this request has not committed, so that its error page can be read from the database."""
    if "session" in g:
        g.session.rollback()


def settle() -> None:
    """Bring SQLite's log into its file and empty it, so that what was erased stands in neither; nothing elsewhere."""
    if engine().dialect.name != "sqlite":
        return
    connection = engine().raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(
            "PRAGMA busy_timeout=1000"
        )  # readers are not waited for: the log is emptied after the next write
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute("PRAGMA busy_timeout=30000")
    finally:
        connection.close()


def engine() -> Engine:
    """The engine of the running program."""
    return current_app.extensions["fieldapp-engine"]


def answers() -> bool:
    """Whether the database answers a question."""
    try:
        session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        session().rollback()
        return False
    return True
