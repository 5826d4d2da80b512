"""500 items through the cutting proxy with a fixed seed, and proof that the check would have found trouble."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import Session, make_transient

from fieldapp.db import make_engine, uuid7
from fieldapp.households.models import FactProposal
from fieldapp.sync.models import HeldItem, Receipt
from fieldapp.sync.rules import Reason
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident
from fieldapp.visits.photos import PhotoStore
from tests.routes import fresh_postgres
from tests.torture.items import Kind, Said, Trick
from tests.torture.proxy import Cut
from tests.torture.run import Run, torture
from tests.torture.troubles import Trouble

ITEMS, SEED, KILLS = 500, 1, 2


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run, looked at by every test below."""
    folder = tmp_path_factory.mktemp("torture")
    url = None if request.param == "sqlite" else fresh_postgres(request.getfixturevalue("postgres_url"))
    done = torture(folder, url, ITEMS, SEED, KILLS)
    yield done
    done.engine.dispose()


def test_nothing_is_lost_duplicated_or_partial(run: Run) -> None:
    assert run.check().troubles == []
    assert not any(phone.outbox for phone in run.phones)


def test_the_connections_were_really_cut_and_the_server_really_died(run: Run) -> None:
    assert run.items == ITEMS
    assert all(run.cuts[cut] >= 10 for cut in Cut), run.cuts
    assert run.kills >= 1
    assert run.restarts == 1
    assert run.retries >= 100


def test_every_kind_of_item_was_sent_and_every_trick_played(run: Run) -> None:
    items = [item for phone in run.phones for item in phone.items]
    assert {item.kind for item in items} == set(Kind)
    assert {item.trick for item in items} == {None, *Trick}
    assert any(item.said and item.said.corrects for item in items)
    assert any(item.is_urgent for item in items)
    for phone in run.phones:
        assert {item.id for item in phone.tray} == {item.id for item in phone.items if item.kind is Kind.BAD}


def test_the_server_said_everything_that_it_can_say(run: Run) -> None:
    whole = [answer for phone in run.phones for answer in phone.log]
    others = [phone.forged | phone.signed_out for phone in run.phones]
    whole += [answer for answers in others for said in answers.values() for answer in said]
    assert {answer.status for answer in whole} >= {200, 201, 202, 401, 409, 410, 422}
    with Session(run.engine) as session:
        held = session.scalars(select(HeldItem)).all()
        assert {item.reason for item in held} == {Reason.ASSIGNED, Reason.LEFT}
        assert {item.kind for item in held} >= {"visit", "photo"}
        assert session.scalars(select(FactProposal)).first()


@pytest.fixture(scope="module")
def copy(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Path]]:
    """The database and the photos of the run once more, to do harm to."""
    folder = tmp_path_factory.mktemp("copy")
    engine = make_engine(_copied(run.engine, folder))
    photos = shutil.copytree(run.photos, folder / "photos")
    with Session(engine) as session:
        assert run.check(session, photos).troubles == []
    yield engine, photos
    engine.dispose()


def _copied(engine: Engine, folder: Path) -> str:
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(engine.url.database or "")) as connection:
            connection.execute("VACUUM INTO ?", (str(folder / "copy.db"),))
        return f"sqlite:///{folder / 'copy.db'}"
    engine.dispose()  # PostgreSQL copies a database that nobody looks at
    name = f"{engine.url.database}_copy"
    server = make_engine(engine.url.set(database="postgres").render_as_string(hide_password=False))
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {engine.url.database}"))
    server.dispose()
    return engine.url.set(database=name).render_as_string(hide_password=False)


def lose_visit(session: Session, run: Run, _photos: PhotoStore) -> None:
    """With all that hangs on it, and its receipt: as when a database forgets what it had said was kept."""
    visit = _visit(run, lambda said: True)
    for model in (VisitResident, FollowUp, Photo):
        session.execute(delete(model).where(model.visit_id == visit))
    session.execute(delete(Visit).where(Visit.id == visit))
    session.execute(delete(Receipt).where(Receipt.id == visit))


def lose_photo(session: Session, _run: Run, _photos: PhotoStore) -> None:
    session.delete(session.scalars(select(Photo)).first())


def lose_tick(session: Session, run: Run, _photos: PhotoStore) -> None:
    ticks = [item for phone in run.phones for item in phone.items if item.kind is Kind.TICK]
    change = {"done_at": None, "done_by_id": None}
    session.execute(update(FollowUp).where(FollowUp.id.in_(tick.effect for tick in ticks)).values(change))


def lose_held(session: Session, _run: Run, _photos: PhotoStore) -> None:
    session.delete(session.scalars(select(HeldItem)).first())


def repeat_visit(session: Session, run: Run, _photos: PhotoStore) -> None:
    _again(session, session.get(Visit, _visit(run, lambda said: True)))


def repeat_photo(session: Session, _run: Run, _photos: PhotoStore) -> None:
    _again(session, session.scalars(select(Photo)).first())


def repeat_promise(session: Session, run: Run, _photos: PhotoStore) -> None:
    visit = _visit(run, lambda said: said.promise is not None)
    _again(session, session.scalars(select(FollowUp).where(FollowUp.visit_id == visit)).first())


def forget_promise(session: Session, run: Run, _photos: PhotoStore) -> None:
    session.execute(delete(FollowUp).where(FollowUp.visit_id == _visit(run, lambda said: said.promise is not None)))


def forget_people(session: Session, run: Run, _photos: PhotoStore) -> None:
    visit = _visit(run, lambda said: len(said.residents) > 1)
    session.delete(session.scalars(select(VisitResident).where(VisitResident.visit_id == visit)).first())


def forget_receipt(session: Session, run: Run, _photos: PhotoStore) -> None:
    session.execute(delete(Receipt).where(Receipt.id == _visit(run, lambda said: True)))


def lose_file(session: Session, _run: Run, photos: PhotoStore) -> None:
    photos.delete(session.scalars(select(Photo.sha256)).first() or "")


def cut_file(session: Session, _run: Run, photos: PhotoStore) -> None:
    path = photos.path(session.scalars(select(Photo.thumbnail_sha256)).first() or "")
    path.write_bytes(path.read_bytes()[:-100])


def move_time(session: Session, run: Run, _photos: PhotoStore) -> None:
    visit = session.get(Visit, _visit(run, lambda said: True))
    assert visit
    visit.visited_at -= timedelta(seconds=1)


def turn_order(session: Session, run: Run, _photos: PhotoStore) -> None:
    for phone in run.phones:
        words = [item for item in phone.items if item.kind is Kind.VISIT and not item.is_urgent]
        for earlier, later in combinations(words, 2):
            if earlier.household == later.household:
                first, second = session.get_one(Visit, earlier.id), session.get_one(Visit, later.id)
                first.recorded_at, second.recorded_at = second.recorded_at, first.recorded_at
                return


Harm = Callable[[Session, Run, PhotoStore], None]
HARMS: dict[Harm, Trouble] = {
    lose_visit: Trouble.LOST,
    lose_photo: Trouble.LOST,
    lose_tick: Trouble.LOST,
    lose_held: Trouble.LOST,
    repeat_visit: Trouble.DUPLICATED,
    repeat_photo: Trouble.DUPLICATED,
    repeat_promise: Trouble.DUPLICATED,
    forget_promise: Trouble.PARTIAL,
    forget_people: Trouble.PARTIAL,
    forget_receipt: Trouble.PARTIAL,
    lose_file: Trouble.PARTIAL,
    cut_file: Trouble.PARTIAL,
    move_time: Trouble.MISTIMED,
    turn_order: Trouble.DISORDERED,
}


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_the_check_finds_what_was_harmed(run: Run, copy: tuple[Engine, Path], harm: Harm, tmp_path: Path) -> None:
    engine, photos = copy
    own = PhotoStore(shutil.copytree(photos, tmp_path / "photos"))
    with Session(engine) as session:
        harm(session, run, own)
        session.flush()
        session.expire_all()
        found = run.check(session, own.root)
        session.rollback()
    assert found.count(HARMS[harm]) >= 1, found.troubles


def test_what_a_phone_could_not_send_is_lost(run: Run) -> None:
    phone = run.phones[0]
    item = next(item for item in phone.items if item.kind is Kind.VISIT)
    answers = phone.answers.pop(item.id)
    try:
        assert run.check().count(Trouble.LOST) == 1
    finally:
        phone.answers[item.id] = answers


def _visit(run: Run, wanted: Callable[[Said], bool]) -> UUID:
    """The key of a visit that a phone sent and that said something like this."""
    items = (item for phone in run.phones for item in phone.items)
    return next(item.effect for item in items if item.kind is Kind.VISIT and item.said and wanted(item.said))


def _again(session: Session, row: Visit | Photo | FollowUp | None) -> None:
    """The same row once more, under another key."""
    assert row
    session.expunge(row)
    make_transient(row)
    row.id = uuid7()
    session.add(row)
