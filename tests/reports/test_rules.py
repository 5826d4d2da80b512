"""The director's figures: spans, shades, tallies, quiet districts."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from fieldapp.reports.files import longest_unmet, span_after, span_before
from fieldapp.reports.rules import (
    BUILDING_STEPS,
    DISTRICT_STEPS,
    SPANS,
    Coverage,
    DistrictFigures,
    Tally,
    shade,
    span_named,
)
from fieldapp.visits.rules import month_of


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("month", date(2026, 11, 1), date(2026, 11, 30)),
        ("quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("year", date(2026, 1, 1), date(2026, 12, 31)),
        ("week", date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_a_span_is_named_month_quarter_or_year(name: str, first: date, last: date) -> None:
    span = span_named(name, date(2026, 11, 18))
    assert (span.first, span.last) == (first, last)


@pytest.mark.parametrize(
    ("met", "households", "shade_of_month"),
    [
        (0, 0, 0),
        (3, 0, 0),
        (0, 200, 0),
        (1, 200, 1),
        (12, 200, 1),
        (13, 200, 2),
        (20, 200, 2),
        (21, 200, 3),
        (30, 200, 3),
        (31, 200, 4),
        (200, 200, 4),
        (210, 200, 4),
    ],
)
def test_a_district_is_drawn_darker_with_the_share_met(met: int, households: int, shade_of_month: int) -> None:
    assert shade(met, households, DISTRICT_STEPS["month"]) == shade_of_month


@pytest.mark.parametrize("steps", [*DISTRICT_STEPS.values(), *BUILDING_STEPS.values()])
def test_one_more_household_met_is_never_drawn_lighter(steps: tuple[int, int, int]) -> None:
    shades = [shade(met, 150, steps) for met in range(151)]
    assert shades == sorted(shades) and set(shades) == {0, 1, 2, 3, 4}


def test_every_span_has_its_shades() -> None:
    assert set(SPANS) == set(DISTRICT_STEPS) == set(BUILDING_STEPS)


def test_parts_add_up_and_the_longest_unmet_is_the_earliest() -> None:
    tally = Tally()
    assert tally.entry_rate == 0.0
    tally.add(4, 1, 3, None)
    assert tally.longest_unmet_since is None
    tally.add(6, 4, 0, date(2026, 9, 2))
    tally.add(2, 0, 0, date(2026, 8, 30))
    assert tally == Tally(12, 5, 3, date(2026, 8, 30))
    assert tally.entry_rate == pytest.approx(5 / 12)


@pytest.mark.parametrize(
    ("tally", "days"),
    [
        (Tally(3, 1, 0, date(2026, 11, 1)), 17),
        (Tally(3, 1, 1, date(2026, 11, 1)), 17),  # those never met are counted apart
        (Tally(3, 0, 3), None),
        (Tally(), None),
    ],
)
def test_the_longest_unmet_is_told_in_days(tally: Tally, days: int | None) -> None:
    assert longest_unmet(tally, date(2026, 11, 18)) == days


def figures(households: int, quiet_days: int | None, **more: Any) -> DistrictFigures:
    return DistrictFigures(
        uuid4(), "1", "第1包干区", None, None, None, Tally(households), quiet_days=quiet_days, **more
    )


@pytest.mark.parametrize(
    ("households", "quiet_days", "quiet"),
    [
        (200, 6, False),
        (200, 7, True),
        (200, 60, True),
        (200, None, True),
        (0, None, False),
        (0, 30, False),
        (200, 0, False),
    ],
)
def test_a_district_is_quiet_after_a_week_without_a_knock(households: int, quiet_days: int | None, quiet: bool) -> None:
    district = figures(households, quiet_days)
    coverage = Coverage(month_of(date(2026, 11, 18)), date(2026, 11, 18), [district], [], Tally(), 0)
    assert coverage.quiet(7) == ([district] if quiet else [])


@pytest.mark.parametrize(
    ("name", "day", "before", "after"),
    [
        ("month", date(2026, 11, 18), date(2026, 10, 1), None),
        ("month", date(2026, 1, 18), date(2025, 12, 1), date(2026, 2, 1)),
        ("quarter", date(2026, 1, 18), date(2025, 10, 1), date(2026, 4, 1)),
        ("year", date(2025, 5, 1), date(2024, 1, 1), date(2026, 1, 1)),
        ("quarter", date(2026, 11, 18), date(2026, 7, 1), None),
    ],
)
def test_one_steps_to_the_span_before_and_after_but_not_into_the_future(
    name: str, day: date, before: date, after: date | None
) -> None:
    span = span_named(name, day)
    assert span_before(name, span) == before
    assert span_after(span, date(2026, 11, 18)) == after
