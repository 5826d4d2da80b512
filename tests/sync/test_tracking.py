"""Which pages a transaction changed is written down with it, in the order of the commits."""

from datetime import date, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import delete, event, insert, select, text, update
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Role
from fieldapp.db import Base, make_engine, uuid7
from fieldapp.households.models import CareMembership, OccupancyPeriod, Resident
from fieldapp.places.models import Dwelling, Placement
from fieldapp.places.operations import place_dwellings
from fieldapp.sync import tracking
from fieldapp.sync.models import CommunityChange, HouseholdChange
from fieldapp.visits import operations as visits
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.models import Photo, Visit, VisitResident
from fieldapp.visits.rules import Outcome
from tests.conftest import NOW
from tests.factories import (
    assign,
    make_building,
    make_care,
    make_community,
    make_district,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_user,
    make_visit,
)
from tests.routes import ON_ONE, fresh_postgres


@pytest.fixture(autouse=True)
def tracked():
    tracking.init_app()


@pytest.fixture
def at(session, cast):
    """The community's number and the last that touched every page."""

    def read(community=cast.community):
        row = session.connection().execute(
            select(CommunityChange.number, CommunityChange.whole).where(CommunityChange.community_id == community.id)
        )
        return tuple(row.one())

    return read


@pytest.fixture
def touched(session, at):
    """The households that the last commit touched."""

    def read():
        query = select(HouseholdChange.household_id).where(HouseholdChange.number == at()[0])
        return set(session.connection().scalars(query))

    return read


def _record(session, cast, household, **said):
    draft = VisitDraft(**({"outcome": Outcome.MET, "visited_at": NOW} | said))
    return visits.record_visit(session, cast.actor("worker"), household, draft, NOW)


def _photo(session, cast):
    picture = {"sha256": "0" * 64, "thumbnail_sha256": "1" * 64, "width": 1, "height": 1, "size": 1}
    session.add(Photo(community_id=cast.community.id, visit_id=cast.visit.id, **picture))


def _met(session, cast):
    session.add(VisitResident(visit_id=cast.visit.id, resident_id=_head(session, cast).id))


def _head(session, cast):
    return session.scalar(select(Resident).where(Resident.household_id == cast.households[0].id))


def _rename(session, cast):
    _head(session, cast).name = "张改名"


AT_A_DOOR = {
    "a visit": lambda session, cast: _record(session, cast, cast.households[0]),
    "a promise": lambda session, cast: make_follow_up(session, cast.households[0], cast.users["worker"]),
    "a tick": lambda session, cast: visits.tick(cast.follow_up, cast.users["worker"].id, NOW),
    "a photo": _photo,
    "one who was met": _met,
    "a name": _rename,
    "a new resident": lambda session, cast: make_resident(session, cast.households[0], "张新"),
    "a care": lambda session, cast: make_care(
        session, cast.households[0], make_group(session, cast.elsewhere), date(2026, 1, 1)
    ),
    "a note": lambda session, cast: setattr(cast.households[0], "note", "门铃坏了"),
    "a vacancy": lambda session, cast: _record(session, cast, cast.households[0], outcome=Outcome.VACANT),
    "an urgent visit taken in hand": lambda session, cast: visits.take_on(cast.visit, cast.users["director"].id, NOW),
}


@pytest.mark.parametrize("change", AT_A_DOOR.values(), ids=AT_A_DOOR)
def test_what_is_written_at_a_door_touches_that_household_alone(change, session, cast, at, touched):
    number, whole = at()
    change(session, cast)
    session.commit()
    assert at() == (number + 1, whole)
    assert touched() == {cast.households[0].id}


def test_a_resident_who_moves_touches_both_households(session, cast, touched):
    resident = make_resident(session, cast.households[0], "张小")
    session.commit()
    resident.household_id = cast.households[1].id
    session.commit()
    assert touched() == {cast.households[0].id, cast.households[1].id}


OF_ALL = {
    "a setting": lambda session, cast: setattr(cast.community, "quota", 12),
    "a care group": lambda session, cast: make_group(session, cast.community),
    "a district": lambda session, cast: make_district(session, cast.community, "9", west=120.4),
    "an assignment": lambda session, cast: assign(session, cast.second, cast.users["worker"], "partner"),
    "a building": lambda session, cast: make_building(session, cast.community, "77号楼"),
    "a building's name": lambda session, cast: setattr(cast.building, "name", "七号楼"),
    "a colleague": lambda session, cast: make_user(session, "fresh", community_id=cast.community.id),
    "a colleague's name": lambda session, cast: setattr(cast.users["partner"], "name", "搭档"),
    "a closed account": lambda session, cast: setattr(cast.users["partner"], "active", False),
    "a colleague who leaves": lambda session, cast: setattr(cast.users["partner"], "community_id", None),
    "a door of another district": lambda session, cast: setattr(_door(session, cast), "district_id", cast.second.id),
    "a placement by itself": lambda session, cast: session.add(
        Placement(community_id=cast.community.id, dwelling_id=_door(session, cast).id, district_id=cast.second.id)
    ),
}


def _door(session, cast):
    return session.get_one(Dwelling, cast.households[0].dwelling_id)


@pytest.mark.parametrize("change", OF_ALL.values(), ids=OF_ALL)
def test_what_all_pages_show_touches_them_all(change, session, cast, at):
    number, _ = at()
    elsewhere = at(cast.elsewhere)
    change(session, cast)
    session.commit()
    assert at() == (number + 1, number + 1)
    assert at(cast.elsewhere) == elsewhere


def test_what_no_page_shows_takes_no_number(session, cast, at):
    before = at()
    cast.users["worker"].failures += 1
    cast.users["worker"].wait_until = NOW
    cast.users["worker"].phone = "15400000009"
    make_user(session, "street9", Role.STREET, street_code="s1")
    cast.households[0].occupancy = str(cast.households[0].occupancy)
    leave_trace(session, deed="look", at=NOW, user_id=None, community_id=cast.community.id)
    session.commit()
    session.commit()
    assert at() == before


def test_a_door_touches_the_households_of_its_building_since_it_stands_on_its_page(session, cast, at, touched):
    _, whole = at()
    _door(session, cast).room = "601A"
    session.commit()
    assert (touched(), at()[1]) == ({household.id for household in cast.households}, whole)
    shop = make_dwelling(session, cast.building, cast.district, "101", kind="shop")
    session.commit()
    assert (touched(), at()[1]) == ({household.id for household in cast.households}, whole)
    household = make_household(session, shop, "新来")
    session.commit()
    assert touched() == {household.id}


def test_a_household_that_goes_touches_itself_and_its_neighbours(session, cast, at, touched):
    gone = make_household(session, make_dwelling(session, cast.building, cast.district, "102"), None)
    session.commit()
    _, whole = at()
    for period in session.scalars(select(OccupancyPeriod).where(OccupancyPeriod.household_id == gone.id)):
        session.delete(period)
    session.flush()
    session.delete(gone)
    session.commit()
    assert (touched(), at()[1]) == ({gone.id, *(household.id for household in cast.households)}, whole)


def test_where_nobody_is_left_to_bring_a_buildings_page_all_travel(session, cast, at):
    lonely = make_building(session, cast.community, "30号楼")
    session.commit()
    number, _ = at()
    make_dwelling(session, lonely, cast.district, "101", kind="shop")
    session.commit()
    assert at() == (number + 1, number + 1)


BULK = {
    "insert": lambda session, cast: session.execute(
        insert(CareMembership),
        [
            {
                "id": uuid7(),
                "community_id": cast.community.id,
                "household_id": cast.households[0].id,
                "group_id": make_group(session, cast.elsewhere).id,
                "since": date(2026, 1, 1),
                "until": date(9999, 1, 1),
            }
        ],
    ),
    "update": lambda session, cast: session.execute(
        update(Resident).where(Resident.household_id == cast.households[0].id).values(name="张成批")
    ),
    "delete": lambda session, cast: session.execute(
        delete(OccupancyPeriod).where(OccupancyPeriod.household_id == cast.households[0].id)
    ),
    "update by key": lambda session, cast: session.execute(
        update(Resident), [{"id": _head(session, cast).id, "name": "张成批"}]
    ),
    "delete in a table": lambda session, cast: session.execute(
        delete(OccupancyPeriod.__table__).where(OccupancyPeriod.household_id == cast.households[0].id)
    ),
}


@pytest.mark.parametrize("change", BULK.values(), ids=BULK)
def test_a_bulk_statement_touches_all_pages_of_the_communities_it_writes_to(change, session, cast, at):
    number, _ = at()
    change(session, cast)
    session.commit()
    assert at() == (number + 1, number + 1)


def test_a_bulk_statement_that_hits_nothing_takes_no_number(session, cast, at):
    before = at(), at(cast.elsewhere)
    session.execute(delete(OccupancyPeriod).where(OccupancyPeriod.household_id == uuid7()))
    session.commit()
    assert (at(), at(cast.elsewhere)) == before


def test_a_bulk_statement_that_does_not_tell_touches_everything(session, cast, at):
    (here, _), (there, _) = at(), at(cast.elsewhere)
    session.execute(delete(VisitResident))
    session.commit()
    assert (at(), at(cast.elsewhere)) == ((here + 1, here + 1), (there + 1, there + 1))


def test_dividing_anew_touches_all_pages(session, cast, at):
    cast.building.longitude = 120.303
    session.commit()
    number, _ = at()
    assert place_dwellings(session, cast.community.id, NOW.date()).moved
    session.commit()
    assert at()[1] == number + 1


def test_what_is_undone_takes_no_number(session, cast, at, touched):
    before = at()
    make_visit(session, cast.households[0], cast.users["worker"], NOW)
    session.rollback()
    session.commit()
    assert at() == before
    with pytest.raises(ZeroDivisionError), session.begin_nested():
        make_visit(session, cast.households[0], cast.users["worker"], NOW)
        raise ZeroDivisionError
    cast.households[1].note = "留着"
    session.commit()
    assert at()[0] == before[0] + 1
    assert cast.households[1].id in touched()


def test_a_community_that_was_undone_takes_no_number(session, cast, at):
    number, _ = at()
    with pytest.raises(ZeroDivisionError), session.begin_nested():
        other = make_community(session, "c8")
        make_household(session, make_dwelling(session, make_building(session, other), None))
        raise ZeroDivisionError
    cast.households[0].note = "留着"
    session.commit()
    assert at()[0] == number + 1


def test_a_savepoint_takes_no_number_of_its_own(session, cast, at):
    number, _ = at()
    with session.begin_nested():
        cast.households[0].note = "一"
    assert at()[0] == number
    cast.households[1].note = "二"
    session.commit()
    assert at()[0] == number + 1


def test_changes_of_two_communities_in_one_transaction_take_a_number_in_each(session, cast, at, touched):
    (here, _), (there, _) = at(), at(cast.elsewhere)
    cast.households[0].note, cast.far_household.note = "一", "二"
    session.commit()
    assert (at()[0], at(cast.elsewhere)[0]) == (here + 1, there + 1)
    assert tracking.change_number(session, cast.elsewhere.id) == there + 1


def test_the_number_of_a_commit_is_known_after_it(session, cast, at):
    cast.households[0].note = "一"
    session.commit()
    number = at()[0]
    assert session.info["change"] == {cast.community.id: number}
    assert tracking.change_number(session, cast.community.id) == number
    session.commit()
    assert session.info["change"] == {}
    assert tracking.change_number(session, cast.community.id) == number
    assert tracking.change_number(session, make_community(session, "c9").id) == 0


def test_writing_a_change_down_costs_two_statements(session, cast, count_queries):
    before = count_queries()
    _record(session, cast, cast.households[0], sentence="好")
    written = count_queries() - before
    session.commit()
    assert count_queries() - before - written == 2
    before = count_queries()
    visits.record_nobody_home(session, cast.actor("worker"), cast.households, NOW, uuid7())
    written = count_queries() - before
    session.commit()
    assert count_queries() - before - written == 2


@ON_ONE
def test_every_model_is_told_apart(cast):
    """A new model that no page shows is entered in ON_NO_PAGE; one without a household touches every page."""
    household = {"household", "visit", "follow_up", "resident", "care_membership", "occupancy_period"}
    household |= {"fact_change", "fact_proposal", "fact_stamp", "life_event"}
    others = {
        "premise",
        "premise_check",
        "premise_finding",
        "photo",
        "visit_resident",
        "dwelling",
        "placement",
        "user_account",
    }
    whole = {"community", "district", "district_boundary", "assignment", "building", "care_group"}
    hidden = {model.__tablename__ for model in tracking.ON_NO_PAGE}
    assert {mapper.class_.__tablename__ for mapper in Base.registry.mappers} == household | others | whole | hidden


@pytest.fixture
def two_sessions(postgres_url):
    """A PostgreSQL database with two households, and a way to open sessions on it that truly commit."""
    engine = make_engine(fresh_postgres(postgres_url))
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as opened:
        community = make_community(opened)
        user = make_user(opened, "worker", community_id=community.id)
        building, district = make_building(opened, community), make_district(opened, community)
        doors = [make_dwelling(opened, building, district, room) for room in ("101", "102")]
        homes = [make_household(opened, door) for door in doors]
        opened.commit()
        number = opened.scalar(select(CommunityChange.number))
    yield engine, homes, user, number
    engine.dispose()


def test_who_commits_second_has_the_second_number(two_sessions):
    """A renewal asks for what came after the number it knows: nothing may be committed later under an earlier one."""
    engine, homes, user, number = two_sessions
    has_number, may_commit = Event(), Event()

    def commit(home, listener=None):
        with Session(engine, expire_on_commit=False) as opened:
            make_visit(opened, home, user, NOW + timedelta(minutes=homes.index(home)))
            if listener:
                event.listen(opened, "before_commit", listener)
            opened.commit()

    def hold(_session):
        has_number.set()
        assert may_commit.wait(30)

    first, second = Thread(target=commit, args=(homes[0], hold)), Thread(target=commit, args=(homes[1],))
    with Session(engine) as reader:
        first.start()
        assert has_number.wait(30)
        second.start()
        while not reader.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            reader.rollback()
        # The first has its number, the second waits for one: whoever reads now sees neither, and the number of before.
        assert reader.scalar(select(CommunityChange.number)) == number
        assert reader.scalars(select(Visit.id)).all() == []
        reader.rollback()
        may_commit.set()
        first.join(30)
        second.join(30)
        found = select(HouseholdChange.household_id, HouseholdChange.number).order_by(HouseholdChange.number)
        rows = reader.execute(found.where(HouseholdChange.number > number)).all()
        assert rows == [(homes[0].id, number + 1), (homes[1].id, number + 2)]


def test_two_that_touch_the_same_communities_the_other_way_round_both_commit(two_sessions):
    engine, homes, _user, _number = two_sessions
    with Session(engine, expire_on_commit=False) as opened:
        other = make_community(opened, "c2")
        far = make_building(opened, other)
        away = make_household(opened, make_dwelling(opened, far, make_district(opened, other), "101"))
        opened.commit()

    def write(household, then, note):
        with Session(engine, expire_on_commit=False) as opened:
            for key in (household.id, then.id):
                opened.get_one(type(household), key).note = note
                opened.flush()
            opened.commit()

    for turn in range(5):
        threads = [
            Thread(target=write, args=(homes[0], away, f"{turn}")),
            Thread(target=write, args=(homes[1], away, f"-{turn}")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
    with Session(engine) as reader:
        numbers = reader.scalars(select(CommunityChange.number).order_by(CommunityChange.number)).all()
    assert len(numbers) == 2
    assert numbers[0] >= 11 and numbers[1] >= 11
