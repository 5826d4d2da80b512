"""Doors as they stand on a day, promises, and who was met, on both databases."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.households import queries as households
from fieldapp.households.models import Household
from fieldapp.visits import door_queries, folders, operations, queries
from fieldapp.visits.doors import Door
from fieldapp.visits.folders import Folder
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.rules import Outcome, State, day_of, month_of, quarter_of
from tests.conftest import NOW
from tests.factories import (
    Cast,
    make_building,
    make_care,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_visit,
)

TODAY = day_of(NOW)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def then(days: int) -> datetime:
    return NOW - timedelta(days=days)


def folder(session: Session, cast: Cast, household: Household) -> Folder:
    """What a household's pages show to its worker."""
    found = folders.folder(session, cast.actor("worker"), TODAY, 90, household.id)
    assert found
    return found


def seen(session: Session, cast: Cast, day: date = TODAY, who: str = "worker", **where: Any) -> dict[str, Door]:
    """The doors somebody sees, by room."""
    return {door.room: door for door in door_queries.doors(session, cast.actor(who), day, 90, **where)}


def knock(session: Session, cast: Cast, household: Household, days: int, outcome: str = "met", **more: Any) -> Any:
    return make_visit(session, household, cast.users["worker"], then(days), outcome, **more)


def test_a_door_tells_where_it_is_and_who_lives_there(session: Session, cast: Cast) -> None:
    door = seen(session, cast)["601"]
    assert (door.building, door.entrance, door.floor, door.column, door.head) == ("12号楼", 1, 6, 1, "张桂兰")
    assert (door.household_id, door.is_courtyard, door.shop, door.span) == (cast.households[0].id, False, None, 1)
    assert door.promise is not None and door.promise.text == "问助餐卡"


def test_doors_have_the_states_of_the_day(session: Session, cast: Cast) -> None:
    met_lately, met_long_ago, refused, cared_for = cast.households
    shop = make_dwelling(session, cast.building, cast.district, "101", kind="shop", name="理发店")
    empty = make_dwelling(session, cast.building, cast.district, "102")
    knock(session, cast, met_lately, 2)
    knock(session, cast, met_long_ago, 95)
    knock(session, cast, refused, 3, "nobody")
    knock(session, cast, refused, 1, "refused")
    knock(session, cast, cared_for, 1, "nobody")
    make_care(session, cared_for, make_group(session, cast.community), ago(31))
    states = {room: door.state for room, door in seen(session, cast).items()}
    assert states == {
        "601": State.MET,
        "502": State.DUE,
        "301": State.REFUSED,
        "302": State.OVERDUE,
        shop.room: State.SHOP,
        empty.room: State.VACANT,
    }


def test_two_households_behind_one_door_are_two_to_meet(session: Session, cast: Cast) -> None:
    dwelling = make_dwelling(session, cast.building, cast.district, "101")
    make_household(session, dwelling, "租一")
    make_household(session, dwelling, "租二", number=2)
    found = [d for d in door_queries.doors(session, cast.actor("worker"), TODAY, 90) if d.room == "101"]
    assert [d.head for d in found] == ["租一", "租二"]


def test_doors_come_by_building_and_entrance_top_floor_first(session: Session, cast: Cast) -> None:
    make_household(session, make_dwelling(session, cast.building, cast.district, "101", entrance=2), "李")
    first = make_building(session, cast.community, "1号楼", position=-1)
    make_household(session, make_dwelling(session, first, cast.district, "201"), "王")
    order = [(d.building, d.entrance, d.room) for d in door_queries.doors(session, cast.actor("worker"), TODAY, 90)]
    rest = [("12号楼", 1, room) for room in ("601", "502", "301", "302")]
    assert order == [("1号楼", 1, "201"), *rest, ("12号楼", 2, "101")]


def test_one_may_ask_for_one_building_or_one_household(session: Session, cast: Cast) -> None:
    assert list(seen(session, cast, household_id=cast.households[2].id)) == ["301"]
    assert len(seen(session, cast, building_id=cast.building.id)) == 4
    assert seen(session, cast, building_id=cast.district.id) == {}


def test_a_head_who_moved_out_is_no_head(session: Session, cast: Cast) -> None:
    [head] = households.residents_of(session, cast.households[1].id)
    head.left_on = ago(3)
    session.flush()
    make_resident(session, cast.households[1], "王新", relation="02")
    assert seen(session, cast)["502"].head == "王新"


def test_the_groups_of_the_day_are_told_and_those_put_aside_are_not(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    make_care(session, home, make_group(session, cast.community, "高龄", position=2), ago(5))
    make_care(session, home, make_group(session, cast.community, "低保", position=1, is_sensitive=True), ago(9))
    make_care(session, home, make_group(session, cast.community, "优抚", position=3), ago(50), until=TODAY)
    make_care(session, home, make_group(session, cast.community, "失业"), ago(-1))
    make_care(session, home, make_group(session, cast.community, "残疾", active=False), ago(5))
    cares = seen(session, cast)["502"].cares
    assert [(c.group, c.since, c.every_days, c.is_sensitive) for c in cares] == [
        ("低保", ago(9), 30, True),
        ("高龄", ago(5), 30, False),
    ]
    assert [c.group for c in seen(session, cast, ago(7))["502"].cares] == ["低保", "优抚"]


def test_the_promise_that_is_due_first_is_shown_one_without_a_day_last(session: Session, cast: Cast) -> None:
    home, user = cast.households[1], cast.users["worker"]
    make_follow_up(session, home, user, "没有日子")
    assert seen(session, cast)["502"].promise.text == "没有日子"  # type: ignore[union-attr]
    make_follow_up(session, home, user, "晚", due_on=ago(-9))
    make_follow_up(session, home, user, "早", due_on=ago(-2))
    make_follow_up(session, home, user, "做了", due_on=ago(9), done_at=NOW)
    make_follow_up(session, home, user, "也没有日子")
    assert seen(session, cast)["502"].promise.text == "早"  # type: ignore[union-attr]
    order = ["早", "晚", "没有日子", "也没有日子"]
    assert [p.promise for p in folder(session, cast, home).promises] == order
    everything = queries.open_follow_ups(session, cast.actor("worker"))
    assert [p.follow_up.promise for p in everything if p.room == "502"] == order


def test_a_corrected_visit_is_not_the_last_met(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    wrong = knock(session, cast, home, 2)
    assert seen(session, cast)["502"].facts.last_met_on == ago(2)
    knock(session, cast, home, 2, "nobody", corrects_id=wrong.id)
    door = seen(session, cast)["502"]
    assert (door.facts.last_met_on, door.state, door.knocked_in_vain) == (None, State.NOBODY, 1)


def test_a_door_is_known_as_it_was_on_an_earlier_day(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    knock(session, cast, home, 60)
    knock(session, cast, home, 1)
    make_care(session, cast.households[2], make_group(session, cast.community), ago(40))
    assert seen(session, cast)["502"].facts.last_met_on == ago(1)
    earlier = seen(session, cast, ago(5))["502"]
    assert (earlier.facts.last_met_on, earlier.state, earlier.days_unmet) == (ago(60), State.LATER, 55)
    assert seen(session, cast, ago(70))["502"].facts.last_met_on is None
    assert seen(session, cast, ago(60))["502"].state is State.MET
    assert seen(session, cast)["301"].state is State.OVERDUE
    assert seen(session, cast, ago(11))["301"].state is State.DUE


def test_a_knock_of_a_later_day_is_not_known_on_an_earlier_one(session: Session, cast: Cast) -> None:
    knock(session, cast, cast.households[1], 1, "refused")
    knock(session, cast, cast.households[1], 3, "nobody")
    assert seen(session, cast)["502"].state is State.REFUSED
    assert seen(session, cast, ago(2))["502"].state is State.NOBODY
    assert seen(session, cast, ago(4))["502"].state is State.DUE


def test_a_household_that_moved_away_was_there_before(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    draft = VisitDraft(outcome=Outcome.MOVED, visited_at=then(4))
    operations.record_visit(session, cast.actor("worker"), home, draft, then(4))
    assert seen(session, cast)["502"].state is State.VACANT
    assert seen(session, cast, ago(4))["502"].state is State.VACANT
    assert seen(session, cast, ago(5))["502"].state is State.DUE


def test_a_month_in_which_a_household_moved_away_still_counts_that_it_was_met(session: Session, cast: Cast) -> None:
    home, who = cast.households[1], cast.actor("worker")
    knock(session, cast, home, 10)
    draft = VisitDraft(outcome=Outcome.MOVED, visited_at=then(4))
    operations.record_visit(session, who, home, draft, then(4))
    assert queries.households_met_in(session, who, month_of(TODAY), TODAY) == 1


def test_the_month_is_counted_up_to_the_day_asked_about(session: Session, cast: Cast) -> None:
    who = cast.actor("worker")
    knock(session, cast, cast.households[1], 17)
    knock(session, cast, cast.households[2], 18)
    knock(session, cast, cast.households[3], 3)
    assert queries.households_met_in(session, who, month_of(TODAY), TODAY) == 2
    assert queries.households_met_in(session, who, month_of(TODAY), ago(4)) == 1
    assert queries.households_met_in(session, who, month_of(ago(18)), TODAY) == 2  # one of the cast's own
    assert queries.households_met_in(session, who, quarter_of(TODAY), TODAY) == 4


def test_the_newest_visits_come_first_with_whom_they_met(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    visits = [knock(session, cast, home, days) for days in (9, 3, 30)]
    shown = queries.visits_of(session, home.id, limit=2)
    assert [v.visit.id for v in shown] == [visits[1].id, visits[0].id]
    assert folder(session, cast, home).visit_count == 3


def test_a_promise_is_overdue_from_its_day(session: Session, cast: Cast) -> None:
    who = cast.actor("worker")
    make_follow_up(session, cast.households[1], cast.users["worker"], due_on=TODAY)
    make_follow_up(session, cast.households[1], cast.users["worker"])
    make_follow_up(session, cast.households[1], cast.users["worker"], due_on=ago(3), done_at=NOW)
    assert queries.count_due_follow_ups(session, who, ago(1)) == 0
    assert queries.count_due_follow_ups(session, who, TODAY) == 1
    assert queries.count_due_follow_ups(session, who, ago(-2)) == 2


def test_what_was_ticked_last_comes_first(session: Session, cast: Cast) -> None:
    home, user, who = cast.households[1], cast.users["worker"], cast.actor("worker")
    for days in (5, 1, 3):
        make_follow_up(session, home, user, f"{days}", done_at=then(days))
    assert [p.follow_up.promise for p in queries.done_follow_ups(session, who)] == ["1", "3", "5"]
    assert len(queries.done_follow_ups(session, who, limit=2)) == 2


@pytest.mark.parametrize(
    ("asked", "heads"),
    [
        ("张桂兰", ["张桂兰"]),
        ("张", ["张桂兰", "张三丰", "张三"]),
        ("张三", ["张三", "张三丰"]),  # who is so called comes before who begins so
        ("zs", ["张三", "张三丰"]),
        ("ZS", ["张三", "张三丰"]),
        ("zhangsan", ["张三", "张三丰"]),
        ("zsf", ["张三丰"]),
        ("2216", ["张三"]),
        ("13800002216", ["张三"]),
        ("601", ["张桂兰"]),
        ("12-601", ["张桂兰"]),
        ("12 601", ["张桂兰"]),
        ("12号楼 601", ["张桂兰"]),
        ("john smith", ["John Smith"]),
        ("js", ["John Smith"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("", []),
        ("没有", []),
    ],
)
def test_a_household_is_found_by_name_initials_room_or_phone(
    session: Session, cast: Cast, asked: str, heads: list[str]
) -> None:
    rooms = {"501": ("张三丰", None), "401": ("张三", "13800002216"), "101": ("John Smith", None)}
    for room, (name, phone) in rooms.items():
        home = make_household(session, make_dwelling(session, cast.building, cast.district, room), None)
        make_resident(session, home, name, relation="02", phone=phone)
    found = households.search(session, cast.actor("worker"), asked)
    assert [f.head for f in found] == heads


def test_an_exact_room_comes_before_longer_ones_and_the_building_of_that_number_first(
    session: Session, cast: Cast
) -> None:
    for name in ("10号楼", "1号楼"):
        building = make_building(session, cast.community, name, position=-int(name[:-2]))
        for room in ("1011", "101"):
            make_household(session, make_dwelling(session, building, cast.district, room), None)
    found = households.search(session, cast.actor("worker"), "1-101")
    assert [(f.building, f.room) for f in found] == [
        ("1号楼", "101"),
        ("10号楼", "1011"),
        ("10号楼", "101"),
        ("1号楼", "1011"),
    ]
    assert [f.room for f in households.search(session, cast.actor("worker"), "101")] == ["101", "101", "1011", "1011"]


def test_a_household_is_found_by_any_of_its_people_but_those_who_left(session: Session, cast: Cast) -> None:
    make_resident(session, cast.households[1], "钱小红", phone="13900001111", position=1)
    make_resident(session, cast.households[1], "孙走", left_on=ago(2), position=2)
    who = cast.actor("worker")
    [found] = households.search(session, who, "钱")
    assert (found.name, found.head, found.room) == ("钱小红", "王秀英", "502")
    assert [f.room for f in households.search(session, who, "1111")] == ["502"]
    assert households.search(session, who, "孙走") == []
