"""A household as it was known on a day: what is on record now, with every later change taken back. Pure.

Days are the community's (Asia/Shanghai). What counts is when something was written down: history says what was known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


def end_of(day: date) -> datetime:
    """The moment at which a day of the community is over."""
    return datetime.combine(day + timedelta(days=1), time(), ZONE)


def change_key(event_id: UUID, whose: UUID, fact: str) -> UUID:
    """The key of what an event changes of somebody, or of a household: by it the event knows its own changes."""
    return uuid5(event_id, f"{whose} {fact}")


@dataclass(frozen=True)
class Step:
    """A change of one fact: of whom (None: of the household), of what, from what, to what."""

    resident_id: UUID | None
    field: str
    old: str | None
    new: str | None


Facts = dict[str, str | None]
"""A person's or a household's facts by their keys, as `facts.told` writes them."""


def taken_back(facts: Mapping[str, str | None], steps: Iterable[Step]) -> Facts:
    """Facts before these changes; `steps` are newest first."""
    before = dict(facts)
    for step in steps:
        before[step.field] = step.old
    return before


def lived_here(facts: Mapping[str, str | None], household_id: UUID, recorded_on: date | None, day: date) -> bool:
    """Whether somebody with these facts of a day was known to live in a household on it."""
    if facts.get("household") != str(household_id) or (recorded_on is not None and recorded_on > day):
        return False
    left_on = facts.get("left_on")
    return left_on is None or date.fromisoformat(left_on) > day
