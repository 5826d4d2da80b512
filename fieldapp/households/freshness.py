"""How long a fact of the registry stays fresh, and which ones to look at again at the next visit; pure.

002 采集的有关信息及时更新,实行动态管理; 004 对重点人员情况的动态掌握要达到100%.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

RHYTHMS = {
    "phone": 180,
    "employment": 180,
    "occupancy": 365,
    "registered_at": 365,
    "permit_until": 90,
    "guardian": 365,
    "workplace": 365,
}
"""Days between two looks at a fact; the seeds give none, a community changes them. Other facts never go stale."""
MOST_AT_ONCE = 5
"""So many facts are asked at one visit: more is a form of forty."""
SETTLED = ("own", "rent", "lodging")
"""How a household may stand to its dwelling so that it is a fact to be confirmed."""


@dataclass(frozen=True)
class Known:
    """A fact on record that has a rhythm, in days: whose (None: the household's), and when it was last looked at."""

    resident_id: UUID | None
    field: str
    verified_on: date | None
    rhythm: int

    @property
    def token(self) -> str:
        """What a form carries of it. Tells nothing of its value."""
        return f"{self.resident_id or ''}.{self.field}"

    def is_fresh(self, day: date) -> bool:
        """Whether it was looked at within its rhythm."""
        return self.verified_on is not None and (day - self.verified_on).days <= self.rhythm


def read_token(text: str) -> tuple[UUID | None, str] | None:
    """The fact that a form names by `Known.token`; None for rubbish."""
    of, _, field = text.partition(".")
    if field not in RHYTHMS:
        return None
    try:
        return (UUID(of) if of else None), field
    except ValueError:
        return None


def rhythms_of(settings: Mapping[str, Any] | None) -> dict[str, int]:
    """The rhythms of a community by its `registry_settings`: its own or the usual, without fields switched off."""
    kept = settings or {}
    off, own = set(kept.get("off", ())), kept.get("rhythms", {})
    return {field: int(own.get(field) or days) for field, days in RHYTHMS.items() if field not in off}


def facts_of(
    household: Any,
    residents: Iterable[Any],
    verified: Mapping[tuple[UUID | None, str], date],
    settings: Mapping[str, Any] | None,
) -> list[Known]:
    """The facts of a household and its residents that are on record and have a rhythm, the longest unseen first.

    Who was put on record on a day was looked at then.
    """
    rhythms, found = rhythms_of(settings), []
    if "occupancy" in rhythms and household.occupancy in SETTLED:
        found.append(Known(None, "occupancy", verified.get((None, "occupancy")), rhythms["occupancy"]))
    for person in residents:
        for field, rhythm in rhythms.items():
            if field != "occupancy" and getattr(person, field):
                found.append(Known(person.id, field, verified.get((person.id, field), person.recorded_on), rhythm))
    return longest_unseen_first(found)


def longest_unseen_first(facts: Iterable[Known]) -> list[Known]:
    """The order in which facts are looked at: never seen before all others."""
    return sorted(facts, key=lambda fact: fact.verified_on or date.min)


def to_confirm(facts: Iterable[Known], day: date) -> list[Known]:
    """The stale facts of a household, stalest first, at most `MOST_AT_ONCE`."""
    return longest_unseen_first(fact for fact in facts if not fact.is_fresh(day))[:MOST_AT_ONCE]


def months_unseen(verified_on: date, day: date) -> int:
    """Whole months since a fact was looked at."""
    return max((day.year - verified_on.year) * 12 + day.month - verified_on.month - (day.day < verified_on.day), 0)


@dataclass(frozen=True)
class Freshness:
    """信息鲜活率: `fresh` facts of the `known` ones that have a rhythm."""

    fresh: int = 0
    known: int = 0

    @property
    def rate(self) -> float | None:
        """0 to 1; None where nothing is known."""
        return self.fresh / self.known if self.known else None

    def __add__(self, other: "Freshness") -> "Freshness":
        return Freshness(self.fresh + other.fresh, self.known + other.known)


def together(figures: Iterable[Freshness]) -> Freshness:
    """The figure of several districts: facts are added up, not rates."""
    return sum(figures, Freshness())


def freshness(facts: Iterable[Known], day: date) -> Freshness:
    """How much of what is known was looked at within its rhythm."""
    known = list(facts)
    return Freshness(sum(fact.is_fresh(day) for fact in known), len(known))
