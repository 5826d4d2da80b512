"""Households and people from a sheet into the registry: added, brought up to date, never removed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.exchange import files, queries
from fieldapp.exchange.problems import Refused
from fieldapp.exchange.registration import HouseholdsDone
from fieldapp.households.models import CareMembership, Household, OccupancyPeriod, Resident
from fieldapp.households.rules import phone_tail
from fieldapp.places.models import Dwelling
from fieldapp.places.rules import ALWAYS, FOREVER
from geo.geojson import dump
from tests.exchange.made import TODAY, WHEN, blocks, csv_of, id_number, office, point, square
from tests.factories import make_user, make_visit

HEADER = "楼栋,单元,室号,居住情况,姓名,与户主关系,出生日期,身份证号,电话,特定群体"


@pytest.fixture
def actor(session: Session) -> Actor:
    return office(session, blocks(2))


def bring(session: Session, actor: Actor, *lines: str, header: str = HEADER, good_rows: bool = False) -> HouseholdsDone:
    return files.bring_households(session, actor, csv_of(header, *lines), WHEN, good_rows=good_rows)


def people(session: Session, actor: Actor) -> list[Resident]:
    statement = select(Resident).where(Resident.community_id == actor.community_id).order_by(Resident.position)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def the(session: Session, model: type[Any], actor: Actor) -> Any:
    return session.scalars(select(model).where(model.community_id == actor.community_id)).one()


def stands(session: Session, actor: Actor) -> list[tuple[date, date, str]]:
    columns = (OccupancyPeriod.since, OccupancyPeriod.until, OccupancyPeriod.occupancy)
    statement = select(*columns).where(OccupancyPeriod.community_id == actor.community_id)
    return [(row[0], row[1], row[2]) for row in session.execute(statement.order_by(*columns))]


def test_a_new_household(session: Session, actor: Actor) -> None:
    done = bring(
        session, actor,
        "1号楼,2,601,租住,张三,户主,1957-03-02,,138 0000 1234,高龄",
        "1号楼,2,601,,李四,妻,1959.1.1,,,",
    )  # fmt: skip
    assert (done.rows, done.doors, done.households, done.people) == (2, 1, 1, 2)
    door = the(session, Dwelling, actor)
    assert (door.entrance, door.floor, door.room, door.column, door.kind) == (2, 6, "601", 1, "flat")
    assert the(session, Household, actor).occupancy == "rent"
    head, wife = people(session, actor)
    assert (head.name, head.pinyin, head.initials, head.phone_tail) == ("张三", "zhangsan", "zs", "1234")
    assert (wife.position, wife.relation, wife.birth_date) == (1, "12", date(1959, 1, 1))
    care = the(session, CareMembership, actor)
    assert (care.resident_id, care.since, care.until) == (head.id, TODAY, FOREVER)
    assert stands(session, actor) == [(ALWAYS, FOREVER, "rent")]


def test_the_same_sheet_again_changes_nothing(session: Session, actor: Actor) -> None:
    lines = ("1号楼,2,601,租住,张三,户主,,,,高龄", "1号楼,2,601,租住,李四,妻,1959-01-01,,,", "2号楼,1,101,空置,,,,,,")
    bring(session, actor, *lines)
    done = bring(session, actor, *lines)
    assert (done.doors, done.households, done.people) == (0, 0, 0)
    assert (done.doors_changed, done.households_changed, done.people_changed) == (0, 0, 0)
    assert len(people(session, actor)) == 2
    assert the(session, CareMembership, actor)


def test_who_is_not_in_the_sheet_stays(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,自有,张三,户主,,,,", "1号楼,1,602,自有,王五,户主,,,,")
    bring(session, actor, "1号楼,1,601,自有,李四,妻,,,,")
    assert sorted(person.name for person in people(session, actor)) == ["张三", "李四", "王五"]


def test_a_person_is_known_by_number_then_by_name_and_birth(session: Session, actor: Actor) -> None:
    number = id_number("19570302", 1)
    bring(session, actor, f"1号楼,1,601,,张三,户主,,{number},,", "1号楼,1,601,,李四,妻,1959-01-01,,,")
    renamed = f"1号楼,1,601,,张三丰,户主,,{number},13800001234,"
    done = bring(session, actor, renamed, "1号楼,1,601,,李四,妻,1959-01-01,,,")
    assert (done.people, done.people_changed) == (0, 1)
    assert (people(session, actor)[0].pinyin, people(session, actor)[0].phone_tail) == ("zhangsanfeng", "1234")
    done = bring(session, actor, "1号楼,1,601,,李四,,1960-01-01,,,", "1号楼,1,601,,李四,,,,,")
    assert (done.people, len(people(session, actor))) == (1, 3)


def test_an_empty_cell_says_nothing_but_registered_here(session: Session, actor: Actor) -> None:
    header = "楼栋,室号,姓名,电话,户籍地"
    bring(session, actor, "1号楼,601,张三,13800001234,外地", header=header)
    bring(session, actor, "1号楼,601,张三", header="楼栋,室号,姓名")
    assert (people(session, actor)[0].phone, people(session, actor)[0].registered_at) == ("13800001234", "外地")
    bring(session, actor, "1号楼,601,张三,,", header=header)
    assert (people(session, actor)[0].phone, people(session, actor)[0].registered_at) == ("13800001234", None)


def test_a_head_who_hands_over(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,,张三,户主,,,,", "1号楼,1,601,,李四,妻,,,,")
    bring(session, actor, "1号楼,1,601,,李四,户主,,,,", "1号楼,1,601,,张三,夫,,,,")
    assert {person.name: person.relation for person in people(session, actor)} == {"张三": "11", "李四": "02"}


def test_a_second_head_beside_one_the_sheet_does_not_name(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,,张三,户主,,,,")
    with pytest.raises(Refused) as refused:
        bring(session, actor, "1号楼,1,601,,李四,户主,,,,")
    assert [(p.row, p.column, p.code, p.detail) for p in refused.value.problems] == [
        (2, "与户主关系", "head_taken", "张三")
    ]
    done = bring(session, actor, "1号楼,1,601,,李四,户主,,,,", "1号楼,1,601,,王五,子,,,,", good_rows=True)
    assert (done.rows, done.skipped_rows) == (1, 1)
    assert sorted(person.name for person in people(session, actor)) == ["张三", "王五"]


def test_nothing_is_stored_unless_all_is_good(session: Session, actor: Actor) -> None:
    lines = ("1号楼,1,601,,张三,户主,1957-13-02,,,", "1号楼,1,602,,李四,户主,,,,")
    with pytest.raises(Refused):
        bring(session, actor, *lines)
    assert people(session, actor) == []
    assert queries.dwellings(session, actor) == {}
    done = bring(session, actor, *lines, good_rows=True)
    assert (done.rows, done.skipped_rows, [p.row for p in done.skipped]) == (1, 1, [2])
    assert [person.name for person in people(session, actor)] == ["李四"]


def test_a_changed_occupancy_holds_from_today(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,自有,,,,,,")
    for word in ("租住", "空置"):
        bring(session, actor, f"1号楼,1,601,{word},,,,,,")
    assert the(session, Household, actor).occupancy == "vacant"
    assert stands(session, actor) == [(ALWAYS, TODAY, "own"), (TODAY, FOREVER, "vacant")]


def test_what_visits_saw_stays_in_the_timeline(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,自有,,,,,,")
    worker = make_user(session, "walker", community_id=actor.community_id)
    seen = datetime(2026, 11, 10, 2, tzinfo=UTC)
    make_visit(session, the(session, Household, actor), worker, seen, outcome="vacant")
    bring(session, actor, "1号楼,1,601,租住,,,,,,")
    day = seen.date()
    assert stands(session, actor) == [(ALWAYS, day, "own"), (day, TODAY, "vacant"), (TODAY, FOREVER, "rent")]


def test_laid_out_doors_are_filled(session: Session) -> None:
    actor = office(session)
    laid = dump([("b1", {"name": "1号楼", "levels": 6, "entrances": 1, "households": 12}, point(121.005))])
    files.bring_buildings(session, actor, laid, WHEN, where=None, lay_out=True)
    done = bring(session, actor, "1号楼,1,601,自有,张三,户主,,,,")
    assert (done.doors, done.households, done.households_changed, done.people) == (0, 0, 1, 1)


def test_new_doors_are_placed(session: Session, actor: Actor) -> None:
    files.bring_districts(session, actor, dump([(1, {}, square(121.0))]), WHEN)
    done = bring(session, actor, "1号楼,1,601,自有,,,,,,", "2号楼,1,101,自有,,,,,,")
    assert done.orphans == 1
    doors = queries.dwellings(session, actor).values()
    assert sorted(door.district_id is None for door in doors) == [False, True]


def test_where_new_doors_stand_on_the_matrix(session: Session) -> None:
    yard = ("y", {"name": "一号院", "kind": "courtyard"}, point(121.1))
    block = ("b1", {"name": "1号楼"}, point(121.0))
    actor = office(session, dump([block, yard]))
    rows = ("1号楼,1,501+502", "1号楼,1,503", "1号楼,1,5甲", "1号楼,1,1203", *(f"一号院,,{i}" for i in range(1, 8)))
    bring(session, actor, *rows, header="楼栋,单元,室号")
    doors = {key[2]: door for key, door in queries.dwellings(session, actor).items()}
    found = {room: (door.floor, door.column, door.row, door.span, door.kind) for room, door in doors.items()}
    assert found["501+502"] == (5, 1, None, 2, "flat")
    assert found["503"] == (5, 3, None, 1, "flat")
    assert found["5甲"] == (1, 1, None, 1, "flat")
    assert found["1203"] == (12, 3, None, 1, "flat")
    assert found["6"] == (1, 6, 1, 1, "house")
    assert found["7"] == (1, 1, 2, 1, "house")


def test_care_groups_of_a_household_without_people(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,,,,,,,低保")
    bring(session, actor, "1号楼,1,601,,张三,户主,,,,低保、高龄")
    statement = select(CareMembership.resident_id.is_(None)).where(CareMembership.community_id == actor.community_id)
    assert sorted(session.scalars(statement)) == [False, True]


def test_a_membership_that_has_ended_begins_anew(session: Session, actor: Actor) -> None:
    bring(session, actor, "1号楼,1,601,,张三,,,,,低保")
    care = the(session, CareMembership, actor)
    care.since, care.until = TODAY - timedelta(days=90), TODAY - timedelta(days=1)
    session.flush()
    bring(session, actor, "1号楼,1,601,,张三,,,,,低保")
    assert len(queries.memberships(session, actor, TODAY)) == 1


def test_the_registry_of_another_community_is_out_of_reach(session: Session, actor: Actor) -> None:
    other = office(session, blocks(2))
    bring(session, other, "1号楼,1,601,自有,张三,户主,,,,")
    bring(session, actor, "1号楼,1,601,租住,张三,户主,,,13800001234,")
    assert people(session, other)[0].phone is None
    assert the(session, Household, other).occupancy == "own"


def test_phone_tail() -> None:
    phones = ("13800001234", "0510-827 12345", "123", None)
    assert [phone_tail(phone) for phone in phones] == ["1234", "2345", None, None]


def test_a_household_that_is_new_behind_a_known_door_leaves_past_months_alone(session: Session, actor: Actor) -> None:
    header = "楼栋,室号,户号,居住情况,迁入日期,姓名"
    bring(session, actor, "1号楼,601,1,自有,,张三", header=header)
    assert stands(session, actor) == [(ALWAYS, FOREVER, "own")]
    bring(session, actor, "1号楼,601,2,租住,2026-02-03,李四", "1号楼,601,3,租住,,王五", header=header)
    moved = date(2026, 2, 3)
    assert stands(session, actor) == [
        (ALWAYS, moved, "gone"),
        (ALWAYS, TODAY, "gone"),
        (ALWAYS, FOREVER, "own"),
        (moved, FOREVER, "rent"),
        (TODAY, FOREVER, "rent"),
    ]
