"""A door on a day, and the order in which doors are knocked on: what Today and the door matrix show; pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from uuid import UUID

from fieldapp.visits.rules import (
    Care,
    DoorFacts,
    Outcome,
    State,
    is_priority_left,
    knock_order,
    month_of,
    priority_due_on,
    state_of,
    working_days,
)


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

    due_on: date | None = field(init=False)
    """When its care groups ask for the next visit."""
    state: State = field(init=False)
    """Its state on the day."""

    def __post_init__(self) -> None:
        self.due_on = priority_due_on(self.facts.cares, self.facts.last_met_on, self.day)
        self.state = state_of(self.facts, self.day, self.routine_days)

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


class WayOn:
    """Which doors to knock on next from any door: those that wait, sorted once for all."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self.waiting = [door for door in doors if door.state in (State.OVERDUE, State.DUE)]
        self._by_stairwell: dict[tuple[UUID, int], list[Door]] = {}
        self._by_building: dict[UUID, list[Door]] = {}
        self._ranked = sorted(self.waiting, key=lambda door: door.order)
        for door in self._ranked:
            self._by_building.setdefault(door.building_id, []).append(door)
        for door in self.waiting:
            self._by_stairwell.setdefault(door.stairwell, []).append(door)

    def from_door(self, here: Door, count: int) -> list[Door]:
        """Up to `count` doors, best first: on the way down the same stairwell, up it, in the building, elsewhere."""
        same = self._by_stairwell.get(here.stairwell, [])
        below = sorted((d for d in same if d.floor <= here.floor), key=lambda d: (-d.floor, d.column))
        above = sorted((d for d in same if d.floor > here.floor), key=lambda d: (d.floor, d.column))
        chosen: list[Door] = []
        for door in chain(below, above, self._by_building.get(here.building_id, []), self._ranked):
            if len(chosen) == count:
                break
            if door.household_id != here.household_id and door not in chosen:
                chosen.append(door)
        return chosen


def next_door(doors: Iterable[Door], household_id: UUID) -> Door | None:
    """The door to knock on after this one: the next on the way down the same stairwell, else up it, else elsewhere."""
    known = list(doors)
    here = next((door for door in known if door.household_id == household_id), None)
    way = WayOn(known)
    return next(iter(way.from_door(here, 1) if here else way.waiting), None)
