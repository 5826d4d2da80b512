"""002 每月走访居民不少于30户: distinct households met in the month, whatever the order of the log."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldapp.visits.rules import Knock, Outcome, households_met, month_of, quarter_of, year_of

NOVEMBER = month_of(date(2026, 11, 18))
A, B, C = (UUID(int=n) for n in (1, 2, 3))


def knock(household: UUID, day: str, outcome: str = "met") -> Knock:
    return Knock(household, date.fromisoformat(day), Outcome(outcome))


@pytest.mark.parametrize(
    ("log", "met"),
    [
        ([], set()),
        ([knock(A, "2026-11-01"), knock(B, "2026-11-30")], {A, B}),
        ([knock(A, "2026-10-31"), knock(B, "2026-12-01")], set()),
        ([knock(A, "2026-11-03"), knock(A, "2026-11-20")], {A}),
        ([knock(A, "2026-11-03", "changed")], {A}),
        ([knock(A, "2026-11-03", o) for o in ("nobody", "refused", "moved", "vacant")], set()),
        ([knock(A, "2026-11-03", "nobody"), knock(A, "2026-11-04"), knock(A, "2026-11-05", "refused")], {A}),
        ([knock(A, "2026-11-03"), knock(A, "2026-11-20", "moved")], {A}),  # who moved away was met before
    ],
)
def test_a_household_met_in_the_month_counts_once(log: list[Knock], met: set[UUID]) -> None:
    assert households_met(log, NOVEMBER) == met


KNOCKS = st.builds(
    Knock,
    household_id=st.integers(1, 8).map(lambda n: UUID(int=n)),
    day=st.dates(date(2026, 10, 20), date(2027, 1, 10)),
    outcome=st.sampled_from(list(Outcome)),
)
LOGS = st.lists(KNOCKS, max_size=25)
quick = settings(max_examples=100, derandomize=True)


@given(LOGS)
@quick
def test_the_count_never_exceeds_the_distinct_households(log: list[Knock]) -> None:
    assert len(households_met(log, NOVEMBER)) <= len({k.household_id for k in log})


@given(LOGS, KNOCKS)
@quick
def test_one_more_knock_never_lowers_the_count_and_raises_it_by_one_at_most(log: list[Knock], more: Knock) -> None:
    before, after = households_met(log, NOVEMBER), households_met([*log, more], NOVEMBER)
    assert before <= after and len(after) <= len(before) + 1


@given(LOGS, KNOCKS)
@quick
def test_nobody_home_never_changes_the_count(log: list[Knock], more: Knock) -> None:
    vain = Knock(more.household_id, more.day, Outcome.NOBODY)
    assert households_met([*log, vain], NOVEMBER) == households_met(log, NOVEMBER)


@given(LOGS, st.randoms(use_true_random=False))
@quick
def test_the_order_of_the_log_does_not_matter(log: list[Knock], random) -> None:
    shuffled = list(log)
    random.shuffle(shuffled)
    assert households_met(shuffled, NOVEMBER) == households_met(log, NOVEMBER)


@given(LOGS)
@quick
def test_a_second_visit_to_the_same_door_does_not_count_twice(log: list[Knock]) -> None:
    assert households_met(log + log, NOVEMBER) == households_met(log, NOVEMBER)


@given(LOGS)
@quick
def test_the_months_of_a_quarter_hold_its_households_between_them(log: list[Knock]) -> None:
    day, quarter = date(2026, 11, 18), quarter_of(date(2026, 11, 18))
    months = [month_of(date(2026, m, 1)) for m in (10, 11, 12)]
    assert set().union(*(households_met(log, month) for month in months)) == households_met(log, quarter)
    assert households_met(log, quarter) <= households_met(log, year_of(day))


@given(LOGS)
@quick
def test_each_met_knock_lies_in_exactly_one_month(log: list[Knock]) -> None:
    met = [k for k in log if k.outcome in (Outcome.MET, Outcome.CHANGED)]
    months = {month_of(k.day) for k in met}
    assert sum(len(households_met([k], month)) for k in met for month in months) == len(met)


@given(LOGS, st.integers(0, 60))
@quick
def test_the_count_only_grows_while_the_month_goes_on(log: list[Knock], days: int) -> None:
    until = date(2026, 11, 1) + timedelta(days=days)
    assert households_met([k for k in log if k.day <= until], NOVEMBER) <= households_met(log, NOVEMBER)
