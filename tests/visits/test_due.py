"""When a care group asks for the next visit (002 特定群体重点走访; 001 六个必访)."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldapp.visits.rules import (
    Care,
    care_due_on,
    is_priority_left,
    is_routine_due,
    month_of,
    priority_due_on,
    quarter_of,
)

SINCE, FOREVER = date(2026, 9, 1), date(9999, 12, 31)


def care(every: int | None = None, within: int | None = None, since: date = SINCE, until: date = FOREVER) -> Care:
    return Care("高龄", since, until, every, within)


def after(days: int) -> date:
    return SINCE + timedelta(days=days)


@pytest.mark.parametrize(
    ("every", "within", "met", "due"),
    [
        (30, None, None, after(30)),
        (30, None, after(-1), after(30)),  # met before the membership does not count for it
        (30, None, after(0), after(30)),
        (30, None, after(12), after(42)),
        (None, 30, None, after(30)),
        (None, 30, after(-5), after(30)),
        (None, 30, after(0), None),  # an event asks once
        (None, 30, after(40), None),
        (30, 7, None, after(7)),
        (30, 7, after(-1), after(7)),
        (30, 7, after(3), after(33)),
        (None, 0, None, after(0)),
        (None, None, None, None),
        (None, None, after(3), None),
    ],
)
def test_a_group_asks_in_its_rhythm_or_within_days_of_its_event(
    every: int | None, within: int | None, met: date | None, due: date | None
) -> None:
    assert care_due_on(care(every, within), met) == due


@pytest.mark.parametrize(("day", "holds"), [(after(-1), False), (after(0), True), (after(9), True), (after(10), False)])
def test_a_membership_holds_from_its_first_day_up_to_its_end(day: date, holds: bool) -> None:
    assert care(until=after(10)).holds_on(day) is holds


def test_a_household_is_due_when_the_first_of_its_groups_asks() -> None:
    assert priority_due_on([care(60), care(15), care(30)], after(2), after(3)) == after(17)


def test_groups_that_do_not_hold_on_the_day_ask_for_nothing() -> None:
    cares = [care(15, until=after(10)), care(60), care(5, since=after(90))]
    assert priority_due_on(cares, None, after(9)) == after(15)
    assert priority_due_on(cares, None, after(10)) == after(60)


@pytest.mark.parametrize("cares", [[], [care()], [care(30, until=after(1))]])
def test_a_household_in_no_asking_group_has_no_due_date(cares: list[Care]) -> None:
    assert priority_due_on(cares, None, after(5)) is None


@pytest.mark.parametrize(
    ("due", "month", "quarter"),
    [
        (None, False, False),
        ("2026-10-31", True, True),
        ("2026-11-30", True, True),
        ("2026-12-01", False, True),
        ("2027-01-01", False, False),
    ],
)
def test_a_priority_visit_is_left_when_overdue_or_due_before_the_span_ends(
    due: str | None, month: bool, quarter: bool
) -> None:
    day, due_on = date(2026, 11, 18), date.fromisoformat(due) if due else None
    assert is_priority_left(due_on, month_of(day)) is month
    assert is_priority_left(due_on, quarter_of(day)) is quarter


@pytest.mark.parametrize(("met", "due"), [(None, True), (after(0), True), (after(1), False), (after(-500), True)])
def test_an_ordinary_household_is_due_when_never_met_or_not_for_ninety_days(met: date | None, due: bool) -> None:
    assert is_routine_due(met, after(90), 90) is due


RHYTHMS = st.none() | st.integers(1, 200)
OFFSETS = st.integers(-100, 300)


def no_later(one: date | None, other: date | None) -> bool:
    """None asks for no visit at all: later than any day."""
    return other is None or (one is not None and one <= other)


@given(RHYTHMS, RHYTHMS, OFFSETS, OFFSETS)
@settings(max_examples=100, derandomize=True)
def test_a_household_met_later_is_never_due_earlier(every: int | None, within: int | None, a: int, b: int) -> None:
    if every and within:
        within = min(within, every)  # a first visit asked for after the second has no meaning
    group = care(every, within)
    first, second = sorted((a, b))
    assert no_later(care_due_on(group, None), care_due_on(group, after(first)))
    assert no_later(care_due_on(group, after(first)), care_due_on(group, after(second)))


@given(st.integers(1, 200), st.integers(0, 200), RHYTHMS, st.none() | OFFSETS)
@settings(max_examples=100, derandomize=True)
def test_a_slower_rhythm_never_asks_earlier(every: int, slower: int, within: int | None, met: int | None) -> None:
    last = None if met is None else after(met)
    assert no_later(care_due_on(care(every, within), last), care_due_on(care(every + slower, within), last))


@given(st.lists(st.tuples(RHYTHMS, RHYTHMS), max_size=4), RHYTHMS, RHYTHMS, st.none() | OFFSETS)
@settings(max_examples=100, derandomize=True)
def test_one_more_group_never_puts_a_household_off(
    groups: list[tuple[int | None, int | None]], every: int | None, within: int | None, met: int | None
) -> None:
    last, cares = None if met is None else after(met), [care(*group) for group in groups]
    assert no_later(
        priority_due_on([*cares, care(every, within)], last, after(1)), priority_due_on(cares, last, after(1))
    )
