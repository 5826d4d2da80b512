"""Months, quarters, years and working days are the community's, with the State Council's moved holidays."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldapp.visits.rules import (
    Span,
    day_of,
    is_late_entry,
    is_working_day,
    month_of,
    quarter_of,
    working_days,
    year_of,
)

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("of", "day", "first", "last"),
    [
        (month_of, "2026-11-18", "2026-11-01", "2026-11-30"),
        (month_of, "2026-11-01", "2026-11-01", "2026-11-30"),
        (month_of, "2026-11-30", "2026-11-01", "2026-11-30"),
        (month_of, "2026-12-31", "2026-12-01", "2026-12-31"),
        (month_of, "2027-01-01", "2027-01-01", "2027-01-31"),
        (month_of, "2026-02-28", "2026-02-01", "2026-02-28"),
        (month_of, "2028-02-29", "2028-02-01", "2028-02-29"),
        (quarter_of, "2026-01-01", "2026-01-01", "2026-03-31"),
        (quarter_of, "2026-03-31", "2026-01-01", "2026-03-31"),
        (quarter_of, "2026-04-01", "2026-04-01", "2026-06-30"),
        (quarter_of, "2026-09-30", "2026-07-01", "2026-09-30"),
        (quarter_of, "2026-12-31", "2026-10-01", "2026-12-31"),
        (year_of, "2026-01-01", "2026-01-01", "2026-12-31"),
        (year_of, "2028-12-31", "2028-01-01", "2028-12-31"),
    ],
)
def test_a_span_runs_from_its_first_to_its_last_day(of, day: str, first: str, last: str) -> None:
    span = of(date.fromisoformat(day))
    assert (span.first, span.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert span.first in span and span.last in span
    assert span.end not in span and span.first - timedelta(days=1) not in span


@given(DAYS)
@settings(max_examples=100, derandomize=True)
def test_every_day_lies_in_one_month_of_one_quarter_of_one_year(day: date) -> None:
    month, quarter, year = month_of(day), quarter_of(day), year_of(day)
    assert day in month and day in quarter and day in year
    assert year.first <= quarter.first <= month.first and month.end <= quarter.end <= year.end
    assert month_of(month.end).first == month.end, "the next month begins where this one ends"
    assert month_of(month.last) == month


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 17, 15, 59, 59, tzinfo=UTC), date(2026, 11, 17)),
        (datetime(2026, 11, 17, 16, 0, tzinfo=UTC), date(2026, 11, 18)),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2026, 11, 18, 0, 0, tzinfo=timezone(timedelta(hours=8))), date(2026, 11, 18)),
        (datetime(2026, 11, 17, 23, 0, tzinfo=timezone(timedelta(hours=-8))), date(2026, 11, 18)),
    ],
)
def test_four_in_the_afternoon_utc_is_the_communitys_next_day(moment: datetime, day: date) -> None:
    assert day_of(moment) == day


@pytest.mark.parametrize(
    ("visited", "recorded", "late"),
    [
        ("2026-11-18T09:00+08:00", "2026-11-18T23:59+08:00", False),
        ("2026-11-18T23:59+08:00", "2026-11-19T00:01+08:00", True),
        ("2026-11-17T23:00+00:00", "2026-11-18T01:00+00:00", False),
        ("2026-11-18T15:00+00:00", "2026-11-18T17:00+00:00", True),
    ],
)
def test_a_late_entry_is_written_on_a_later_day_of_the_community(visited: str, recorded: str, late: bool) -> None:
    assert is_late_entry(datetime.fromisoformat(visited), datetime.fromisoformat(recorded)) is late


OFF_2026 = (
    *((1, d) for d in (1, 2, 3)),
    *((2, d) for d in range(15, 24)),
    *((4, d) for d in (4, 5, 6)),
    *((5, d) for d in range(1, 6)),
    *((6, d) for d in (19, 20, 21)),
    *((9, d) for d in (25, 26, 27)),
    *((10, d) for d in range(1, 8)),
)
WORKED_WEEKENDS_2026 = ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))


@pytest.mark.parametrize(("month", "day"), OFF_2026)
def test_the_holidays_of_2026_are_off(month: int, day: int) -> None:
    assert not is_working_day(date(2026, month, day))


@pytest.mark.parametrize(("month", "day"), WORKED_WEEKENDS_2026)
def test_the_weekends_of_2026_moved_for_holidays_are_worked(month: int, day: int) -> None:
    assert date(2026, month, day).weekday() >= 5
    assert is_working_day(date(2026, month, day))


def test_other_days_of_2026_follow_the_week() -> None:
    for n in range(365):
        day = date(2026, 1, 1) + timedelta(days=n)
        if (day.month, day.day) not in OFF_2026 + WORKED_WEEKENDS_2026:
            assert is_working_day(day) is (day.weekday() < 5), day


@pytest.mark.parametrize(
    ("day", "worked"),
    [("2040-10-01", True), ("2040-10-06", False), ("2040-10-07", False), ("2003-05-01", True), ("2003-05-03", False)],
)
def test_beyond_the_published_years_monday_to_friday_are_worked(day: str, worked: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is worked


@pytest.mark.parametrize(
    ("first", "end", "count"),
    [
        ("2026-11-18", "2026-12-01", 9),  # the mock-up's 9 working days left
        ("2026-11-28", "2026-12-01", 1),
        ("2026-11-01", "2026-12-01", 21),
        ("2026-10-01", "2026-10-08", 0),
        ("2026-10-01", "2026-11-01", 18),
        ("2026-02-01", "2026-03-01", 16),
        ("2026-12-31", "2027-01-01", 1),
        ("2026-11-18", "2026-11-18", 0),
        ("2026-11-19", "2026-11-18", 0),
    ],
)
def test_working_days_are_counted_up_to_but_not_including_the_end(first: str, end: str, count: int) -> None:
    assert working_days(date.fromisoformat(first), date.fromisoformat(end)) == count


@given(DAYS, st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60, derandomize=True)
def test_working_days_of_two_stretches_add_up(first: date, one: int, two: int) -> None:
    middle, end = first + timedelta(days=one), first + timedelta(days=one + two)
    assert working_days(first, middle) + working_days(middle, end) == working_days(first, end) <= one + two


def test_spans_sort_by_their_first_day() -> None:
    months = [month_of(date(2026, m, 5)) for m in (3, 1, 2)]
    assert [span.first.month for span in sorted(months)] == [1, 2, 3]
    assert Span(date(2026, 1, 1), date(2026, 1, 2)).last == date(2026, 1, 1)
