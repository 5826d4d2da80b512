"""Phones for the tests of this folder, and a program whose requests really share a database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.app import create_app
from tests.conftest import NOW, Person
from tests.factories import PASSWORD, Cast, make_cast
from tests.routes import fresh_postgres
from tests.sync.phone import Phone


@pytest.fixture
def phone_of(sign_in: Callable[[str | None], Any], cast: Cast) -> Callable[[str], Phone]:
    """The phone of somebody of the cast, signed in."""
    return lambda username: Phone(sign_in(username), cast.users[username].id)


@pytest.fixture
def phone(phone_of: Callable[[str], Phone]) -> Phone:
    """The worker's phone."""
    return phone_of("worker")


@dataclass
class Served:
    """The program on a database of its own, and the cast in it."""

    url: str
    instance: Path
    app: Flask
    cast: Cast
    session: Session

    def again(self) -> Flask:
        """Another process of the same program."""
        made = create_app(
            {"INSTANCE_PATH": str(self.instance), "DATABASE_URL": self.url, "SECRET_KEY": "x", "NOW": NOW}
        )
        made.config["PROPAGATE_EXCEPTIONS"] = False
        return made

    def phone_of(self, username: str, app: Flask | None = None) -> Phone:
        """The phone of somebody of the cast, signed in."""
        person = Person((app or self.app).test_client())
        assert person.post("/sign-in", {"username": username, "password": PASSWORD}).status_code == 303
        return Phone(person, self.cast.users[username].id)


@pytest.fixture
def served(engine: Engine, postgres_url: str, tmp_path: Path) -> Iterator[Served]:
    """The program on a real database that requests share."""
    is_sqlite = engine.dialect.name == "sqlite"
    url = f"sqlite:///{tmp_path / 'shared.db'}" if is_sqlite else fresh_postgres(postgres_url)
    made = Served(url, tmp_path / "shared", None, None, None)  # type: ignore[arg-type]
    made.app = made.again()
    schema.upgrade(made.app.extensions["fieldapp-engine"])
    with made.app.extensions["fieldapp-sessions"]() as session:
        made.cast, made.session = make_cast(session, NOW), session
        session.commit()
        yield made
    made.app.extensions["fieldapp-engine"].dispose()
