"""Marked names and numbers are searched for in the database's file, its log, and what the program logs: 0 hits."""

import base64
import logging
from pathlib import Path

import pytest

from fieldapp import db, schema
from fieldapp.app import create_app
from fieldapp.households.models import Resident
from fieldapp.privacy.rules import ERASED_NAME
from tests.conftest import NOW, SAME_SITE
from tests.factories import PASSWORD, make_cast, make_resident, make_visit

NUMBER = "320211195703023518"
PHONE = "15498765432"
NAME = "欧阳记号"


def hits(instance: Path, *marks: str) -> list[tuple[str, str]]:
    """Which mark stands in which file under a folder, as UTF-8, UTF-16 or base64."""
    found = []
    for file in instance.rglob("*"):
        held = file.read_bytes() if file.is_file() else b""
        for mark in marks:
            forms = [mark.encode(), mark.encode("utf-16-le"), base64.b64encode(mark.encode()).rstrip(b"=")[:-1]]
            found += [(file.name, mark) for form in forms if form in held]
    return found


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A program on a real SQLite file, with somebody marked behind a worker's door."""
    app = create_app({"INSTANCE_PATH": str(tmp_path / "instance"), "SECRET_KEY": "of the test", "NOW": NOW})
    with app.app_context():
        schema.upgrade(db.engine())
        session = db.session()
        cast = make_cast(session, NOW)
        person = make_resident(session, cast.households[0], NAME, id_number=NUMBER, phone=PHONE)
        make_visit(session, cast.households[0], cast.users["worker"], NOW, sentence=f"{NAME}腿脚还行")
        session.commit()
        key, home = person.id, cast.households[0].id
    return app, key, home


def enter(app, username):
    client = app.test_client()
    client.post("/sign-in", data={"username": username, "password": PASSWORD}, headers=SAME_SITE)
    return client


def test_the_searcher_finds_what_is_there(tmp_path):
    for encoding in ("utf-8", "utf-16-le"):
        (tmp_path / encoding).write_bytes(b"x" + NAME.encode(encoding) + b"y")
    (tmp_path / "base64").write_bytes(base64.b64encode(NAME.encode()))
    assert {file for file, _ in hits(tmp_path, NAME)} == {"utf-8", "utf-16-le", "base64"}


def test_numbers_lie_sealed_and_nothing_is_logged(office, tmp_path, caplog):
    app, key, home = office
    worker, director = enter(app, "worker"), enter(app, "director")
    with caplog.at_level(logging.DEBUG):
        assert PHONE in worker.get(f"/households/{home}").text  # to call by
        worker.post(
            f"/residents/{key}/facts",
            data={"field": "phone", "value": "15411112222", "saw-phone": PHONE},
            headers=SAME_SITE,
        )
        assert NUMBER in worker.post(f"/residents/{key}/unmasking", data={"why": "errand"}, headers=SAME_SITE).text
        assert NUMBER in director.post(f"/residents/{key}/copy", data={"why": "asked"}, headers=SAME_SITE).text
        worker.post("/households/search", data={"q": PHONE}, headers=SAME_SITE)
        worker.get(f"/households/{home}/history")
    assert hits(tmp_path / "instance", NUMBER, PHONE, "15411112222") == []
    assert [mark for mark in (NUMBER, PHONE, NAME) if mark in caplog.text] == []
    assert hits(tmp_path / "instance", NAME)  # a name is searched for by its letters and lies readable


def test_nothing_of_an_erased_person_is_in_the_file(office, tmp_path):
    app, key, _home = office
    with app.app_context():
        db.session().get_one(Resident, key).left_on = NOW.date().replace(year=2025)
        db.session().commit()
    director = enter(app, "director")
    assert director.post("/erasures", data={"sure": "1"}, headers=SAME_SITE).status_code == 303
    with app.app_context():
        assert db.session().get_one(Resident, key).name == ERASED_NAME
    assert hits(tmp_path / "instance", NAME, NUMBER, PHONE) == []
