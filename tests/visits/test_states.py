"""A door's one state and its place in the day's work."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldapp.visits.doors import Door, nearest, next_door, progress, stairwells
from fieldapp.visits.rules import TO_KNOCK_ON, Care, DoorFacts, Outcome, State, knock_order, state_of

TODAY, FOREVER = date(2026, 11, 18), date(9999, 12, 31)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def cared(every: int = 30, since: date = date(2026, 1, 1), until: date = FOREVER) -> Care:
    return Care("高龄", since, until, every)


def facts(met: date | None = None, *knocks: str, occupied: bool | None = True, cares: Any = ()) -> DoorFacts:
    return DoorFacts(occupied, met, [(ago(1), Outcome(knock)) for knock in knocks], cares)


@pytest.mark.parametrize(
    ("door", "state"),
    [
        (facts(occupied=None), State.SHOP),
        (facts(occupied=None, cares=[cared()]), State.SHOP),
        (facts(occupied=False), State.VACANT),
        (facts(ago(200), "vacant", occupied=False, cares=[cared()]), State.VACANT),
        (facts(None), State.DUE),
        (facts(ago(90)), State.DUE),
        (facts(ago(89)), State.LATER),
        (facts(ago(18)), State.LATER),  # the last day of October
        (facts(ago(17)), State.MET),  # the first of November
        (facts(TODAY, "met"), State.MET),
        (facts(None, "nobody"), State.NOBODY),
        (facts(None, "refused"), State.REFUSED),
        (facts(None, "refused", "nobody"), State.NOBODY),
        (facts(None, "nobody", "refused"), State.REFUSED),
        (facts(ago(30), "nobody"), State.NOBODY),
        (facts(ago(3), "met", "nobody"), State.MET),
        (facts(ago(3), "met", "refused"), State.MET),
        (facts(ago(31), cares=[cared()]), State.OVERDUE),
        (facts(ago(31), "nobody", cares=[cared()]), State.OVERDUE),  # stays one though nobody was home
        (facts(ago(31), "refused", cares=[cared()]), State.OVERDUE),
        (facts(None, cares=[cared()]), State.OVERDUE),
        (facts(ago(10), cares=[cared(7)]), State.OVERDUE),  # met this month, and overdue again
        (facts(ago(30), cares=[cared()]), State.DUE),  # due today is not yet overdue
        (facts(ago(29), cares=[cared()]), State.LATER),
        (facts(ago(30), "nobody", cares=[cared()]), State.NOBODY),
        (facts(ago(40), cares=[cared(until=ago(0))]), State.LATER),
        (facts(ago(40), cares=[cared(since=TODAY + timedelta(days=1))]), State.LATER),
    ],
)
def test_a_door_has_one_state_by_its_precedence(door: DoorFacts, state: State) -> None:
    assert state_of(door, TODAY, 90) is state


def test_every_state_is_reached_by_the_table_above() -> None:
    table = test_a_door_has_one_state_by_its_precedence.pytestmark[0].args[1]
    assert {state for _, state in table} == set(State)


@given(
    st.none() | st.booleans(),
    st.none() | st.integers(0, 400),
    st.lists(st.sampled_from(list(Outcome)), max_size=3),
    st.lists(st.integers(1, 120), max_size=2),
)
@settings(max_examples=100, derandomize=True)
def test_a_state_agrees_with_what_it_is_made_of(
    occupied: bool | None, met: int | None, outcomes: list[Outcome], rhythms: list[int]
) -> None:
    knocks = [(ago(0), outcome) for outcome in outcomes]
    door = DoorFacts(occupied, None if met is None else ago(met), knocks, [cared(n) for n in rhythms])
    state = state_of(door, TODAY, 90)
    assert (state is State.SHOP) == (occupied is None)
    assert (state is State.VACANT) == (occupied is False)
    if occupied:
        overdue = any(n < (met if met is not None and ago(met) >= date(2026, 1, 1) else 321) for n in rhythms)
        assert (state is State.OVERDUE) == overdue
        if state is State.LATER:
            assert met is not None and met >= 18


NUMBERS = iter(range(1, 10**6))


def door(room: str, met: int | None = None, *knocks: str, building: int = 1, entrance: int = 1, **more: Any) -> Door:
    """A flat of 1号楼, met so many days ago, knocked on yesterday."""
    occupied, cares = more.pop("occupied", True), more.pop("cares", ())
    return Door(
        dwelling_id=uuid4(),
        building_id=UUID(int=building),
        building=f"{building}号楼",
        building_position=building,
        is_courtyard=False,
        entrance=entrance,
        floor=int(room[:-2]),
        room=room,
        column=int(room[-2:]),
        row=None,
        span=1,
        row_span=1,
        shop=None,
        household_id=UUID(int=next(NUMBERS)),
        head=None,
        facts=facts(None if met is None else ago(met), *knocks, occupied=occupied, cares=cares),
        day=TODAY,
        routine_days=90,
    )


def test_one_knocks_first_where_a_priority_visit_is_longest_overdue_then_never_met_then_longest_not_met() -> None:
    doors = {
        "overdue by 50": door("101", 80, cares=[cared(30)]),
        "overdue by 20": door("102", 80, cares=[cared(60)]),
        "never met": door("103"),
        "nobody home, never met": door("104", None, "nobody"),
        "refused, met 200 days ago": door("105", 200, "refused"),
        "met 120 days ago": door("106", 120),
        "met 95 days ago": door("107", 95),
        "not due": door("108", 40),
        "met this month": door("109", 3),
    }
    assert sorted(doors, key=lambda name: doors[name].order) == list(doors)


@pytest.mark.parametrize(
    ("state", "due", "met", "order"),
    [
        (State.OVERDUE, ago(12), None, (0, -12)),
        (State.DUE, None, None, (1, 0)),
        (State.NOBODY, None, None, (1, 0)),
        (State.DUE, TODAY, ago(30), (2, -30)),
        (State.REFUSED, None, ago(100), (2, -100)),
        (State.LATER, None, ago(30), (3, 0)),
        (State.MET, None, TODAY, (3, 0)),
        (State.VACANT, None, None, (3, 0)),
        (State.SHOP, None, None, (3, 0)),
    ],
)
def test_the_order_of_knocking(state: State, due: date | None, met: date | None, order: tuple[int, int]) -> None:
    assert knock_order(state, due, met, TODAY) == order


def test_a_stairwell_is_climbed_once_top_floor_first() -> None:
    doors = [door("101"), door("602"), door("601"), door("301"), door("201", entrance=2)]
    groups = stairwells(doors)
    assert [[d.room for d in group.doors] for group in groups] == [["601", "602", "301", "101"], ["201"]]
    assert [group.entrance for group in groups] == [1, 2]


def test_the_stairwell_with_the_most_urgent_door_comes_first_else_the_street_order() -> None:
    late = cared(30)
    doors = [door("101", building=1), door("101", building=3, entrance=2), door("101", building=3, entrance=1)]
    doors += [door("101", 100, building=2), door("201", 70, building=4, cares=[late]), door("101", building=4)]
    assert [(s.building, s.entrance) for s in stairwells(doors)] == [
        ("4号楼", 1),
        ("1号楼", 1),
        ("3号楼", 1),
        ("3号楼", 2),
        ("2号楼", 1),
    ]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.integers(0, 200)), max_size=20))
@settings(max_examples=50, derandomize=True)
def test_stairwells_hold_every_door_once(places: list[tuple[int, int, int, int]]) -> None:
    doors = [door(f"{f}01", m, building=b, entrance=e) for b, e, f, m in places]
    groups = stairwells(doors)
    grouped = [d for group in groups for d in group.doors]
    assert sorted(d.household_id for d in grouped) == sorted(d.household_id for d in doors)
    assert len({(g.building_id, g.entrance) for g in groups}) == len(groups)


def test_nearest_gives_whole_stairwells_and_every_overdue_door() -> None:
    late = cared(30)
    doors = [door(f"{f}01", building=1) for f in range(1, 5)] + [door(f"{f}01", building=2) for f in range(1, 5)]
    assert len(nearest(doors, 3)) == 4
    assert len(nearest(doors, 5)) == 8
    assert nearest(doors, 0) == []
    overdue = [door("501", 70, building=b, cares=[late]) for b in (7, 8, 9)]
    assert {d.building for d in nearest(doors + overdue, 1)} == {"7号楼", "8号楼", "9号楼"}


def test_the_next_door_is_down_the_same_stairs_then_up_then_in_the_same_building_then_elsewhere() -> None:
    here = door("401", 3)
    down, beside, up, far_up = door("301"), door("402"), door("501"), door("601")
    next_stairs, elsewhere = door("101", entrance=2), door("101", building=2)
    doors = [far_up, elsewhere, next_stairs, up, down, beside, here]
    for expected in (beside, down, up, far_up, next_stairs, elsewhere):
        assert next_door(doors, here.household_id) is expected
        doors.remove(expected)
    assert next_door(doors, here.household_id) is None


def test_the_next_door_is_never_one_that_is_done_or_just_knocked_on_in_vain() -> None:
    here = door("401")
    doors = [here, door("301", 3), door("302", None, "nobody"), door("303", None, "refused"), door("304", 40)]
    assert next_door([*doors, door("305", occupied=False), door("306", occupied=None)], here.household_id) is None
    assert next_door([*doors, waiting := door("201", 70, cares=[cared()])], here.household_id) is waiting


def test_the_next_door_from_a_door_elsewhere_is_any_that_waits() -> None:
    waiting = door("201")
    assert next_door([door("101", 2), waiting], UUID(int=0)) is waiting
    assert next_door([], UUID(int=0)) is None


def test_progress_is_quota_priority_left_and_working_days_left() -> None:
    late, soon, next_month = cared(30), cared(60), cared(80)
    doors = [
        door("101", 80, cares=[late]),  # overdue
        door("102", 50, cares=[soon]),  # due on the 28th
        door("103", 50, cares=[next_month]),  # due in December
        door("104", 80, cares=[late], occupied=False),
        door("105", None, cares=[late], occupied=None),
        door("106"),
    ]
    line = progress(doors, 17, 30, TODAY)
    assert (line.met, line.quota, line.priority_left, line.working_days_left) == (17, 30, 2, 9)
    assert (line.to_go, line.is_done) == (13, False)


@pytest.mark.parametrize(
    ("met", "left", "done", "to_go"), [(30, 0, True, 0), (45, 0, True, 0), (30, 1, False, 0), (29, 0, False, 1)]
)
def test_the_month_is_done_when_the_quota_is_met_and_no_priority_is_left(
    met: int, left: int, done: bool, to_go: int
) -> None:
    line = progress([door("101", 80, cares=[cared()])] * left, met, 30, TODAY)
    assert (line.is_done, line.to_go) == (done, to_go)


def test_a_door_tells_how_long_it_waits_and_how_often_it_was_knocked_on_in_vain() -> None:
    waiting = door("101", 80, "met", "nobody", "nobody", cares=[cared(30), cared(10, until=TODAY)])
    assert (waiting.days_overdue, waiting.days_unmet, waiting.knocked_in_vain) == (50, 80, 2)
    assert waiting.last_knock == (ago(1), Outcome.NOBODY)
    assert waiting.cares == [cared(30)]
    fresh = door("102")
    assert (fresh.days_overdue, fresh.days_unmet, fresh.knocked_in_vain, fresh.last_knock) == (0, None, 0, None)


def test_what_waits_to_be_knocked_on_is_neither_met_nor_empty_nor_not_yet_due() -> None:
    assert set(State) - set(TO_KNOCK_ON) == {State.MET, State.VACANT, State.SHOP, State.LATER}
