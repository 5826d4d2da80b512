"""Quota, due dates and a door's state: pure functions of visits and of the registry, for any day asked about.

Sources: 002 每月走访居民不少于30户, 特定群体重点走访; 001 六个必访. Days are the community's (Asia/Shanghai).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import chinese_calendar

from fieldapp.places.rules import ZONE as ZONE
from fieldapp.places.rules import day_of as day_of


class Outcome(StrEnum):
    """How a knock on a door ended. MET and CHANGED are both *met*: nothing changed, something changed."""

    MET = "met"
    CHANGED = "changed"
    NOBODY = "nobody"
    REFUSED = "refused"
    MOVED = "moved"
    VACANT = "vacant"


MET = (Outcome.MET, Outcome.CHANGED)
"""The outcomes that count as *met*: for the quota, the entry rate and every due date."""


class Way(StrEnum):
    """How the visit was made."""

    DOOR = "door"
    PHONE = "phone"
    OTHER = "other"


class State(StrEnum):
    """A door's state, in the order of `design.md`; each has its glyph and its word."""

    OVERDUE = "overdue"
    DUE = "due"
    NOBODY = "nobody"
    REFUSED = "refused"
    MET = "met"
    VACANT = "vacant"
    SHOP = "shop"
    LATER = "later"


@dataclass(frozen=True, order=True)
class Span:
    """A month, a quarter or a year of the community's calendar: from `first` up to, not including, `end`."""

    first: date
    end: date

    @property
    def last(self) -> date:
        """The last day of the span."""
        return self.end - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end


def month_of(day: date) -> Span:
    """The calendar month of `day`."""
    return _months(day.year, day.month, 1)


def quarter_of(day: date) -> Span:
    """The calendar quarter of `day`."""
    return _months(day.year, (day.month - 1) // 3 * 3 + 1, 3)


def year_of(day: date) -> Span:
    """The calendar year of `day`."""
    return _months(day.year, 1, 12)


def _months(year: int, month: int, count: int) -> Span:
    years, index = divmod(month - 1 + count, 12)
    return Span(date(year, month, 1), date(year + years, index + 1, 1))


def is_late_entry(visited_at: datetime, recorded_at: datetime) -> bool:
    """补录: whether a visit was written down on a later day of the community than it was made."""
    return day_of(recorded_at) > day_of(visited_at)


def is_working_day(day: date) -> bool:
    """Whether `day` is worked, with the State Council's moved holidays; beyond published years, Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def working_days(first: date, end: date) -> int:
    """Working days from `first` up to, not including, `end`."""
    return sum(is_working_day(first + timedelta(days=i)) for i in range((end - first).days))


@dataclass(frozen=True)
class Knock:
    """One visit as the rules see it. Corrected visits are left out before; `district_id` is the door's of that day."""

    household_id: UUID
    day: date
    outcome: Outcome
    visitor_id: UUID | None = None
    companion_id: UUID | None = None
    district_id: UUID | None = None


def households_met(knocks: Iterable[Knock], span: Span) -> set[UUID]:
    """The distinct households met in a span: a second visit does not count twice, nobody home does not count."""
    return {knock.household_id for knock in knocks if knock.outcome in MET and knock.day in span}


@dataclass(frozen=True)
class Care:
    """A household's membership in a care group: visit every `every_days`, first within `within_days` of `since`."""

    group: str
    since: date
    until: date
    every_days: int | None = None
    within_days: int | None = None
    is_sensitive: bool = False

    def holds_on(self, day: date) -> bool:
        """Whether the household is in the group on `day`."""
        return self.since <= day < self.until


def care_due_on(care: Care, last_met_on: date | None) -> date | None:
    """The day by which this group asks for the next visit; None if it asks for none.

    Not met since the membership began: within `within_days` of it, or else one rhythm after it. Met since: one rhythm
    after that, and nothing more where the group only follows an event.
    """
    if last_met_on is None or last_met_on < care.since:
        days = care.within_days if care.within_days is not None else care.every_days
        return None if days is None else care.since + timedelta(days=days)
    return None if care.every_days is None else last_met_on + timedelta(days=care.every_days)


def priority_due_on(cares: Iterable[Care], last_met_on: date | None, day: date) -> date | None:
    """The earliest day that the household's groups of `day` ask for; None for a household in no group that asks."""
    dues = [due for care in cares if care.holds_on(day) and (due := care_due_on(care, last_met_on))]
    return min(dues, default=None)


def is_priority_left(due_on: date | None, span: Span) -> bool:
    """Whether a priority visit is still to be made in the span: overdue, or due before it ends."""
    return due_on is not None and due_on < span.end


@dataclass
class DoorFacts:
    """What decides a door's state on a day. `knocks` are this month's, oldest first; `occupied` is None for a shop."""

    occupied: bool | None
    last_met_on: date | None
    knocks: Sequence[tuple[date, Outcome]] = ()
    cares: Sequence[Care] = ()


def state_of(door: DoorFacts, day: date, routine_days: int) -> State:
    """A door's one state on `day`. An overdue priority door stays one whatever else happened there."""
    if door.occupied is None:
        return State.SHOP
    if not door.occupied:
        return State.VACANT
    due_on = priority_due_on(door.cares, door.last_met_on, day)
    if due_on is not None and due_on < day:
        return State.OVERDUE
    if door.last_met_on is not None and door.last_met_on in month_of(day):
        return State.MET
    if door.knocks:
        last = door.knocks[-1][1]
        if last is Outcome.REFUSED:
            return State.REFUSED
        if last is Outcome.NOBODY:
            return State.NOBODY
    if due_on == day or is_routine_due(door.last_met_on, day, routine_days):
        return State.DUE
    return State.LATER


def is_routine_due(last_met_on: date | None, day: date, routine_days: int) -> bool:
    """Whether an ordinary household should be met: never met, or not for `routine_days`."""
    return last_met_on is None or last_met_on + timedelta(days=routine_days) <= day


TO_KNOCK_ON = (State.OVERDUE, State.DUE, State.NOBODY, State.REFUSED)


def knock_order(state: State, due_on: date | None, last_met_on: date | None, day: date) -> tuple[int, int]:
    """Sorts doors to knock on: overdue priority first (longest overdue), then never met, then longest not met.

    A door where nobody was home or that refused this month keeps its turn; what is not yet due comes last.
    """
    if state is State.OVERDUE and due_on is not None:
        return 0, (due_on - day).days
    if state not in TO_KNOCK_ON:
        return 3, 0
    if last_met_on is None:
        return 1, 0
    return 2, (last_met_on - day).days
