"""Quota, due dates and a door's state: pure functions of visits and of the registry, for any day asked about.

Sources: 002 每月走访居民不少于30户, 特定群体重点走访; 001 六个必访. Days are the community's (Asia/Shanghai).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

import chinese_calendar

ZONE = ZoneInfo("Asia/Shanghai")


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


def day_of(moment: datetime) -> date:
    """The community's calendar day of an aware moment: 16:00 UTC is already tomorrow."""
    return moment.astimezone(ZONE).date()


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


@dataclass(frozen=True)
class Promise:
    """A follow-up still open: what was promised, until when."""

    id: UUID
    text: str
    due_on: date | None


@dataclass(eq=False)  # not frozen: two hundred frozen ones take a millisecond longer to make
class Door:
    """One door on a day: where it is, who lives behind it, and what decides its state."""

    dwelling_id: UUID
    building_id: UUID
    building: str
    building_position: int
    is_courtyard: bool
    entrance: int
    floor: int
    room: str
    column: int
    row: int | None
    span: int
    row_span: int
    shop: str | None
    household_id: UUID | None
    head: str | None
    facts: DoorFacts
    day: date
    routine_days: int
    promise: Promise | None = None

    @property
    def stairwell(self) -> tuple[UUID, int]:
        """The entrance it lies behind: what one climbs once."""
        return self.building_id, self.entrance

    @cached_property
    def due_on(self) -> date | None:
        """When its care groups ask for the next visit."""
        return priority_due_on(self.facts.cares, self.facts.last_met_on, self.day)

    @cached_property
    def state(self) -> State:
        """Its state on the day."""
        return state_of(self.facts, self.day, self.routine_days)

    @property
    def days_overdue(self) -> int:
        """Days since the priority visit was due; 0 or less when it is not."""
        return (self.day - self.due_on).days if self.due_on else 0

    @property
    def days_unmet(self) -> int | None:
        """Days since somebody was met; None if never."""
        return (self.day - self.facts.last_met_on).days if self.facts.last_met_on else None

    @property
    def knocked_in_vain(self) -> int:
        """How often in a row nobody was home this month, up to the last knock."""
        count = 0
        for _day, outcome in reversed(self.facts.knocks):
            if outcome is not Outcome.NOBODY:
                break
            count += 1
        return count

    @property
    def last_knock(self) -> tuple[date, Outcome] | None:
        """This month's last knock."""
        return self.facts.knocks[-1] if self.facts.knocks else None

    @property
    def cares(self) -> list[Care]:
        """The care groups that hold today."""
        return [care for care in self.facts.cares if care.holds_on(self.day)]

    @property
    def order(self) -> tuple[int, int]:
        """Its place among the doors to knock on."""
        return knock_order(self.state, self.due_on, self.facts.last_met_on, self.day)


@dataclass(frozen=True)
class Stairwell:
    """The doors to knock on behind one entrance, top floor first."""

    building_id: UUID
    building: str
    is_courtyard: bool
    entrance: int
    doors: tuple[Door, ...]


def stairwells(doors: Iterable[Door]) -> list[Stairwell]:
    """Group doors by entrance, so that one climbs a stairwell once; the one with the most urgent door first."""
    grouped: dict[tuple[UUID, int], list[Door]] = {}
    for door in doors:
        grouped.setdefault(door.stairwell, []).append(door)
    ranked = sorted(
        grouped.values(), key=lambda group: (min(d.order for d in group), group[0].building_position, group[0].entrance)
    )
    return [
        Stairwell(
            group[0].building_id,
            group[0].building,
            group[0].is_courtyard,
            group[0].entrance,
            tuple(sorted(group, key=lambda d: (-d.floor, d.column, d.room))),
        )
        for group in ranked
    ]


@dataclass(frozen=True)
class Progress:
    """The line "am I done?": distinct households met of the quota, priority doors left, working days left."""

    met: int
    quota: int
    priority_left: int
    working_days_left: int

    @property
    def is_done(self) -> bool:
        """Whether the month's work is done: the quota met and no priority door left."""
        return self.met >= self.quota and self.priority_left == 0

    @property
    def to_go(self) -> int:
        """Households still to be met for the quota."""
        return max(self.quota - self.met, 0)


def progress(doors: Iterable[Door], met: int, quota: int, day: date) -> Progress:
    """Sum up a month on `day`; `met` is how many households were met in it (a door may have left since)."""
    month = month_of(day)
    left = sum(is_priority_left(door.due_on, month) for door in doors if door.facts.occupied)
    return Progress(met, quota, left, working_days(day, month.end))


def nearest(doors: Iterable[Door], count: int) -> list[Door]:
    """About `count` doors worth knocking on first, in whole stairwells: every overdue one, then the best stairwells."""
    chosen: list[Door] = []
    for stairwell in stairwells(doors):
        if len(chosen) >= count and all(door.state is not State.OVERDUE for door in stairwell.doors):
            break
        chosen += stairwell.doors
    return chosen


def next_door(doors: Iterable[Door], household_id: UUID) -> Door | None:
    """The door to knock on after this one: the next on the way down the same stairwell, else up it, else elsewhere."""
    known = list(doors)
    here = next((door for door in known if door.household_id == household_id), None)
    waiting = [d for d in known if d.state in (State.OVERDUE, State.DUE) and d.household_id != household_id]
    if here is None or not waiting:
        return waiting[0] if waiting else None
    same = [door for door in waiting if door.stairwell == here.stairwell]
    below = sorted((d for d in same if d.floor <= here.floor), key=lambda d: (-d.floor, d.column))
    above = sorted((d for d in same if d.floor > here.floor), key=lambda d: (d.floor, d.column))
    building = [door for door in waiting if door.building_id == here.building_id]
    elsewhere = sorted(building or waiting, key=lambda d: d.order)
    return (below + above + elsewhere)[0]
