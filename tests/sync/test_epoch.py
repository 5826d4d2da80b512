"""The database came back from a backup: phones are told, once, and send again what it lacks."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from fieldapp.db import uuid7
from fieldapp.sync import notice
from fieldapp.sync.models import Epoch, Receipt
from fieldapp.visits.models import FollowUp, Visit
from tests.conftest import NOW
from tests.routes import ON_ONE, jpeg

MINUTE = timedelta(minutes=1)


@pytest.fixture
def command(served):
    """Run a command as another process of the program would, at a moment; what it said."""

    def run(*words, at=NOW):
        app = served.again()
        app.config["NOW"] = at
        with app.app_context():  # which `flask --app wsgi` opens
            result = app.test_cli_runner().invoke(args=words)
        app.extensions["fieldapp-engine"].dispose()
        return result

    return run


ON_POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


def epoch_seen(phone):
    return phone.person.get("/sync/key").get_json()["epoch"]


def file_of(served):
    return served.instance / notice.NAME


def lose(served, *items):
    """The database is as it was before these visits came."""
    with served.app.extensions["fieldapp-sessions"]() as session:
        session.execute(delete(FollowUp).where(FollowUp.visit_id.in_(items)))
        session.execute(delete(Visit).where(Visit.id.in_(items)))
        session.execute(delete(Receipt).where(Receipt.id.in_(items)))
        session.commit()


def test_every_answer_says_the_one_epoch(served):
    phone = served.phone_of("worker")
    epoch = epoch_seen(phone)
    assert phone.visit(served.cast.households[1]).get_json()["epoch"] == epoch
    assert phone.person.post("/sync/known").get_json()["epoch"] == epoch
    assert epoch_seen(served.phone_of("partner", served.again())) == epoch


def test_a_restart_begins_no_epoch(served):
    phone = served.phone_of("worker")
    epoch = phone.visit(served.cast.households[1]).get_json()["epoch"]
    for _ in range(2):
        phone = served.phone_of("worker", served.again())
        assert phone.visit(served.cast.households[2]).get_json()["epoch"] == epoch


def test_a_database_that_lacks_what_was_there_begins_an_epoch_by_itself(served):
    phone, first, second = served.phone_of("worker"), uuid7(), uuid7()
    epoch = phone.visit(served.cast.households[1], first).get_json()["epoch"]
    lose(served, first)
    later = served.phone_of("worker", served.again())
    said = later.visit(served.cast.households[2], second).get_json()
    assert said["epoch"] != epoch
    lacking = later.person.post("/sync/known", {"ids": [str(first), str(second)]}).get_json()["lacking"]
    assert lacking == [str(first)]
    assert later.visit(served.cast.households[1], first).status_code == 201
    assert epoch_seen(served.phone_of("worker", served.again())) == said["epoch"]


def test_the_epoch_of_an_older_backup_is_not_taken_for_the_same(served):
    """It came back twice; phones that slept through the time between must be told as well."""
    old = epoch_seen(served.phone_of("worker"))
    with served.app.extensions["fieldapp-sessions"]() as session:
        since = session.scalar(select(Epoch.since))
    app = served.again()
    with app.app_context():
        app.config["NOW"] = NOW + MINUTE
        notice.begin()
    with served.app.extensions["fieldapp-sessions"]() as session:
        row = session.get_one(Epoch, 1)
        row.epoch, row.since = UUID(old), since
        session.commit()
    assert epoch_seen(served.phone_of("worker", served.again())) != old


def test_processes_that_start_together_begin_one_epoch(served):
    phone, key = served.phone_of("worker"), uuid7()
    epoch = phone.visit(served.cast.households[1], key).get_json()["epoch"]
    lose(served, key)
    phones, ready = [served.phone_of("worker", served.again()) for _ in range(4)], Barrier(4)

    def ask(phone):
        ready.wait()
        return epoch_seen(phone)

    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(ask, phones))
    assert len(seen) == 1 and seen != {epoch}


def test_a_new_database_beside_an_old_file_keeps_its_own_epoch(served, command):
    served.phone_of("worker").visit(served.cast.households[1])
    with served.app.extensions["fieldapp-sessions"]() as session:
        session.execute(delete(Receipt))
        session.execute(delete(Epoch))
        session.commit()
    assert command("upgrade", at=NOW + MINUTE).exit_code == 0
    with served.app.extensions["fieldapp-sessions"]() as session:
        made = str(session.scalar(select(Epoch.epoch)))
    assert epoch_seen(served.phone_of("worker", served.again())) == made


@pytest.mark.parametrize("trouble", ["directory", "gone", "garbage", "half"])
def test_a_file_that_cannot_be_kept_stops_nobody(trouble, served):
    phone = served.phone_of("worker")
    epoch = phone.visit(served.cast.households[1]).get_json()["epoch"]
    file = file_of(served)
    if trouble == "half":
        file.write_text(file.read_text()[:40])
    elif trouble == "garbage":
        file.write_text('{"epoch": 3, "since": [], "newest": {}}')
    else:
        file.unlink()
    if trouble == "directory":
        file.mkdir()
    app = served.again()
    if trouble == "gone":
        shutil.rmtree(served.instance)
    phone = served.phone_of("worker", app)
    assert phone.visit(served.cast.households[2]).status_code == 201
    assert epoch_seen(phone) == epoch


# --- commands


def test_restored_begins_an_epoch_and_nothing_counts_as_backed_up(served, command):
    phone = served.phone_of("worker")
    epoch = epoch_seen(phone)
    command("backed-up", "--until", "2026-11-18T01:00:00Z")
    assert phone.person.get("/sync/key").get_json()["backed_up_until"] == "2026-11-18T00:58:59.999000Z"
    result = command("restored", at=NOW + MINUTE)
    assert result.exit_code == 0 and "Noted" in result.output
    said = phone.person.get("/sync/key").get_json()
    assert said["epoch"] != epoch and said["backed_up_until"] is None
    assert epoch_seen(served.phone_of("worker", served.again())) == said["epoch"]


def test_backed_up_never_goes_back_and_is_read_strictly(served, command):
    phone = served.phone_of("worker")
    command("backed-up", "--until", "2026-11-18T09:00:00+08:00")
    command("backed-up", "--until", "2026-11-17T01:00:00Z")
    assert phone.person.get("/sync/key").get_json()["backed_up_until"] == "2026-11-18T00:58:59.999000Z"
    for wrong in ("yesterday", "2026-11-18T09:00:00", "2026-11-18T02:00:00Z", ""):
        assert command("backed-up", "--until", wrong).exit_code == 1, wrong


@ON_ONE
def test_a_backup_holds_what_came_before_it_and_says_so(served, command, tmp_path):
    phone, visit = served.phone_of("worker"), uuid7()
    at = phone.visit(served.cast.households[1], visit).get_json()["at"]
    phone.photo(visit, jpeg(800, 600))
    folder = tmp_path / "backups"
    folder.mkdir()
    result = command("backup", str(folder / "monday.db"), at=NOW + MINUTE)
    assert result.exit_code == 0, result.output
    until = phone.person.get("/sync/key").get_json()["backed_up_until"]
    assert datetime.fromisoformat(until) > datetime.fromisoformat(at)
    with closing(sqlite3.connect(folder / "monday.db")) as copy:
        assert copy.execute("SELECT count(*) FROM receipt").fetchone() == (2,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    photos = {path.name for path in (folder / "photos").rglob("*.jpg")}
    assert photos == {path.name for path in (served.instance / "photos").rglob("*.jpg")} and len(photos) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["monday.db", "photos"]
    assert (folder / "monday.db").stat().st_mode & 0o077 == 0
    again = command("backup", str(folder / "monday.db"), at=NOW + 2 * MINUTE)
    assert again.exit_code == 0 and "new photos: 0" in again.output


@ON_ONE
def test_what_came_at_the_moment_of_a_backup_does_not_count_as_in_it(served, command, tmp_path):
    at = served.phone_of("worker").visit(served.cast.households[1]).get_json()["at"]
    command("backup", str(tmp_path / "copy.db"))
    until = served.phone_of("worker").person.get("/sync/key").get_json()["backed_up_until"]
    assert datetime.fromisoformat(until) < datetime.fromisoformat(at)


@ON_ONE
def test_a_restored_file_begins_an_epoch_and_phones_send_what_it_lacks(served, command, tmp_path):
    phone, kept, lost = served.phone_of("worker"), uuid7(), uuid7()
    phone.visit(served.cast.households[1], kept)
    copy = tmp_path / "copy.db"
    assert command("backup", str(copy)).exit_code == 0
    app = served.again()
    app.config["NOW"] = NOW + MINUTE
    epoch = served.phone_of("worker", app).visit(served.cast.households[2], lost).get_json()["epoch"]
    served.session.close()
    for each in (app, served.app):
        each.extensions["fieldapp-engine"].dispose()
    database = served.instance.parent / "shared.db"
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    shutil.copyfile(copy, database)
    phone = served.phone_of("worker", served.again())
    said = phone.person.post("/sync/known", {"ids": [str(kept), str(lost)]}).get_json()
    assert said["epoch"] != epoch
    assert said["lacking"] == [str(lost)]


@ON_ONE
def test_a_backup_that_cannot_be_made_changes_nothing(served, command, tmp_path):
    phone = served.phone_of("worker")
    database = served.instance.parent / "shared.db"
    good = tmp_path / "good.db"
    good.write_text("the backup of yesterday")
    for where in (tmp_path / "nowhere" / "copy.db", database, tmp_path):
        assert command("backup", str(where)).exit_code != 0
    assert phone.person.get("/sync/key").get_json()["backed_up_until"] is None
    assert good.read_text() == "the backup of yesterday"


@ON_POSTGRESQL
def test_postgresql_is_told_how(command, tmp_path):
    result = command("backup", str(tmp_path / "copy.db"))
    assert result.exit_code == 1 and "pg_dump" in result.output and "backed-up --until" in result.output
    assert not (tmp_path / "copy.db").exists()


def test_upgrade_begins_the_first_epoch(served, command):
    with served.app.extensions["fieldapp-sessions"]() as session:
        session.execute(delete(Epoch))
        session.commit()
    assert command("upgrade").exit_code == 0
    with served.app.extensions["fieldapp-sessions"]() as session:
        assert session.scalar(select(Epoch.since)) == NOW
