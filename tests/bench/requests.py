"""The program and a bare Flask page, called as a server calls them; what is asked of the program."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4
from wsgiref.types import WSGIApplication

from flask import Flask, render_template
from jinja2 import DictLoader
from sqlalchemy import event, text
from werkzeug.test import EnvironBuilder

from fieldapp.app import create_app
from tests.bench.databases import NOW, PASSWORD
from tests.keys import KEYRING

READING = ("today", "household", "matrix", "coverage", "sheet", "duplicates")
SAVING = "save"
PAGES = (*READING, SAVING)

_ONE = {"today": "/today", "coverage": "/coverage", "sheet": "/sheets/structure", "duplicates": "/duplicates"}
"""Pages there is one of."""

BARE_TEMPLATE = """<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1><ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul></body></html>"""


def bare_page() -> Flask:
    """One route, one small Jinja template, nothing else: what Flask itself costs on this machine."""
    app = Flask("bare")
    app.jinja_loader = DictLoader({"page.html": BARE_TEMPLATE})

    @app.get("/")
    def page() -> str:
        return render_template("page.html", title="Bare", lines=("one", "two", "three"))

    return app


class BareInsert:
    """One row into a SQLite file of its own, in a transaction of its own, as safe on the disk as the program's."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute("CREATE TABLE visit (id TEXT PRIMARY KEY, household_id TEXT, sentence TEXT)")

    def __call__(self) -> None:
        """Begin, insert, commit."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO visit VALUES (?, ?, ?)", (str(uuid4()), str(uuid4()), "一句话" * 10))
        self.connection.execute("COMMIT")


def call(app: WSGIApplication, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """One request through WSGI, no client and no socket between: status, headers, body."""
    answered: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> Any:
        answered.extend((int(status[:3]), dict(headers)))

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return answered[0], answered[1], body


def request_of(path: str, cookie: str = "", form: dict[str, Any] | None = None) -> dict[str, Any]:
    """A browser's request as a server hands it on: from a page of the site's own, ready for compressed answers."""
    headers = {"Accept-Encoding": "gzip, deflate, br, zstd", "Sec-Fetch-Site": "same-origin", "Cookie": cookie}.items()
    if form is None:
        return EnvironBuilder(path=path, headers=headers).get_environ()
    body = urlencode(form, doseq=True)
    kind = "application/x-www-form-urlencoded"
    return EnvironBuilder(path=path, method="POST", headers=headers, data=body, content_type=kind).get_environ()


@dataclass
class Program:
    """The program on one database, with a worker and a director of community c1 signed in."""

    communities: int
    app: Flask
    worker: str = ""
    director: str = ""
    households: list[str] = field(default_factory=list)
    buildings: list[str] = field(default_factory=list)
    queries: int = 0
    """Statements run so far, BEGIN and COMMIT left out."""

    def close(self) -> None:
        """Give the database's connections back."""
        self.app.extensions["fieldapp-engine"].dispose()

    def requests(self, page: str) -> Iterator[dict[str, Any]]:
        """Requests of a page without end: each household and building of the worker's district in turn."""
        if page in _ONE:
            cookie = self.worker if page == "today" else self.director
            while True:
                yield request_of(_ONE[page], cookie)
        if page == "matrix":
            for key in cycle(self.buildings):
                yield request_of(f"/buildings/{key}", self.worker)
        for key in cycle(self.households):
            if page == "household":
                yield request_of(f"/households/{key}", self.worker)
            else:
                form = {"visit_id": uuid4(), "outcome": "met", "topics": ["养老"], "sentence": "身体好，药够用。"}
                yield request_of(f"/households/{key}/visits", self.worker, form)


def open_program(communities: int, url: str, folder: Path) -> Program:
    """The program on a database that `grow` made."""
    app = create_app(
        {
            "KEYRING": KEYRING,
            "DATABASE_URL": url,
            "INSTANCE_PATH": str(folder / f"instance-{communities}"),
            "NOW": NOW,
            "SECRET_KEY": "bench",
        }
    )
    program = Program(communities, app)
    engine = app.extensions["fieldapp-engine"]
    with engine.connect() as connection:
        worker = {"username": "c1-worker1"}
        program.households = [str(UUID(str(key))) for key in connection.scalars(_HOUSEHOLDS, worker)]
        program.buildings = [str(UUID(str(key))) for key in connection.scalars(_BUILDINGS, worker)]
    program.worker, program.director = sign_in(app, "c1-worker1"), sign_in(app, "c1-director")
    event.listen(engine, "before_cursor_execute", lambda *_: _count(program, _[2]))
    return program


def _count(program: Program, statement: str) -> None:
    program.queries += statement not in ("BEGIN", "BEGIN IMMEDIATE", "COMMIT")


def sign_in(app: WSGIApplication, username: str) -> str:
    """The session cookie of somebody who signs in by the page."""
    status, headers, _ = call(app, request_of("/sign-in", form={"username": username, "password": PASSWORD}))
    if status != 303:
        raise RuntimeError(f"{username} could not sign in: {status}")
    return headers["Set-Cookie"].partition(";")[0]


_OF_WORKER = """
    JOIN assignment ON assignment.district_id = dwelling.district_id
    JOIN user_account ON user_account.id = assignment.user_id
    WHERE user_account.username = :username"""
_HOUSEHOLDS = text(
    f"""SELECT household.id FROM household JOIN dwelling ON dwelling.id = household.dwelling_id {_OF_WORKER}
    AND household.occupancy NOT IN ('vacant', 'gone') ORDER BY household.id"""
)
_BUILDINGS = text(f"SELECT DISTINCT building_id AS id FROM dwelling {_OF_WORKER} ORDER BY building_id")
