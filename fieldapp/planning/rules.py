"""What a division in planning is made of: its districts, which entrance lies in which, and what changes against today.

An entrance is named by its building's key and its number, "0192…:2"; a district by its code of today, or `new-1` and so
on where the plan makes it. Households are those that count for the size of a district: neither shops nor vacant.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from fieldapp.places.rules import numeral

TOLERANCE = 10
"""Percent that a planned district may be off the community's size."""
SILENCE = timedelta(minutes=1)
"""Without a word for so long, whatever computes a plan is taken for dead."""
MOST_STEPS = 200
"""Steps kept of a plan; the oldest go."""

DEEDS = ("propose", "rebalance", "border", "move", "lock", "people")
FAILURES = ("died", "crashed", "nobody", "refused")
"""Why computing came to nothing: the process died; an error; no building with households; geometry refused it."""


class PlanRefused(ValueError):
    """A change that cannot be made. `code` is a word of `words.REFUSALS`; `detail` says of what."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class DraftDistrict:
    """A district of a division. `district_id`, `code` are None where the plan makes it; people are keys of accounts."""

    key: str
    district_id: str | None
    name: str
    code: str | None
    lead: str | None
    partner: str | None
    locked: bool
    geometry: dict[str, Any]


@dataclass(frozen=True)
class Body:
    """A division: its districts in order, and the key of the district of each entrance that lies in one."""

    districts: tuple[DraftDistrict, ...] = ()
    entrances: Mapping[str, str] = field(default_factory=dict)

    def district(self, key: object) -> DraftDistrict:
        """The district of a key; PlanRefused `district` for an unknown one."""
        for district in self.districts:
            if district.key == key:
                return district
        raise PlanRefused("district")

    def with_district(self, changed: DraftDistrict) -> "Body":
        """The same division with one district exchanged for its changed self."""
        return replace(self, districts=tuple(changed if d.key == changed.key else d for d in self.districts))


def body_to_json(body: Body) -> dict[str, Any]:
    """A division as it is kept."""
    return {"districts": [asdict(district) for district in body.districts], "entrances": dict(body.entrances)}


def body_from_json(kept: Mapping[str, Any]) -> Body:
    """A kept division."""
    return Body(tuple(DraftDistrict(**district) for district in kept["districts"]), kept["entrances"])


def next_month(day: date) -> date:
    """The first of the month after: from when a plan is in force unless somebody says otherwise."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def is_dead(alive_at: datetime, now: datetime) -> bool:
    """Whether what computes has been silent for too long."""
    return now - alive_at > SILENCE


def is_off(households: int, target: int, tolerance: int = TOLERANCE) -> bool:
    """Whether a planned district is further off than `tolerance` percent."""
    return abs(households - target) * 100 > target * tolerance


def matched(overlap: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Which district of today each planned one goes on as, by the most households in common; the largest first.

    `overlap` counts households by (of today, planned). Each of either side is matched once at most.
    """
    found: dict[int, int] = {}
    taken: set[int] = set()
    for (old, new), households in sorted(overlap.items(), key=lambda item: (-item[1], item[0])):
        if households > 0 and old not in taken and new not in found:
            found[new] = old
            taken.add(old)
    return found


_NUMBERED = re.compile(r"第[一二三四五六七八九十\d]+(.*)")


def short_name(name: str | None) -> str:
    """A district's name where there is little room: 第三 of 第三包干区; of any other name all."""
    return (name or "").replace("包干区", "")


def new_names(taken: Collection[str], count: int) -> list[str]:
    """The next free names after those there are, 第六包干区 after five; they end as the others do."""
    ends = [found[1] for name in taken if (found := _NUMBERED.fullmatch(name))]
    ending = max(set(ends), key=ends.count) if ends else "包干区"
    names: list[str] = []
    number = len(taken)
    while len(names) < count:
        number += 1
        if (name := f"第{numeral(number)}{ending}") not in taken:
            names.append(name)
    return names


def new_codes(taken: Collection[str], count: int) -> list[str]:
    """The next free codes: numbers after the largest there is."""
    largest = max((int(code) for code in taken if code.isdecimal() and len(code) < 9), default=0)
    return [str(largest + i) for i in range(1, count + 1)]


@dataclass(frozen=True)
class Move:
    """Households that change their district: a whole building, or where `entrance` is a number that one alone.

    `origin` and `target` are keys of districts, None outside all of them.
    """

    building_id: str
    building: str
    entrance: int | None
    households: int
    origin: str | None
    target: str | None


@dataclass(frozen=True)
class Stairwell:
    """An entrance with its households and its district of today (a key), None outside all of them."""

    name: str
    number: int
    households: int
    now: str | None


def moves_of(building_id: str, building: str, stairwells: Sequence[Stairwell], draft: Mapping[str, str]) -> list[Move]:
    """What of a building changes its district; one line where all of its households go the same way."""
    going: dict[tuple[str | None, str | None], list[Stairwell]] = defaultdict(list)
    for stairwell in stairwells:
        if stairwell.households:
            going[stairwell.now, draft.get(stairwell.name)].append(stairwell)
    moves = []
    for (origin, target), those in going.items():
        if origin == target:
            continue
        lines = [(None, sum(s.households for s in those))]
        if len(going) > 1:
            lines = [(s.number, s.households) for s in those]  # type: ignore[misc]
        moves += [Move(building_id, building, n, households, origin, target) for n, households in lines]
    return moves


def sizes(stairwells: Iterable[Stairwell], places: Mapping[str, str | None]) -> dict[str | None, int]:
    """Households by the district that `places` puts their entrance in; None for those outside."""
    found: dict[str | None, int] = defaultdict(int)
    for stairwell in stairwells:
        found[places.get(stairwell.name)] += stairwell.households
    return dict(found)


@dataclass(frozen=True)
class Scale:
    """Where a number of households stands on a line of 100, between the least and the most there are."""

    low: float
    high: float

    @classmethod
    def around(cls, numbers: Iterable[int], target: int) -> "Scale":
        """A scale that shows all of `numbers`, and at least a quarter of the target on either side of it."""
        known = [*numbers, round(target * 0.75), round(target * 1.25)]
        return cls(min(known), max(max(known), min(known) + 1))

    def at(self, number: float) -> float:
        """The place of a number, 5 to 95."""
        return round(5 + 90 * (number - self.low) / (self.high - self.low), 1)


def dealt_by_count(columns: Mapping[int, int], count: int) -> list[int]:
    """After how many columns, in order, each of `count` entrances ends: as even in doors as whole columns allow.

    `columns` counts doors by column. PlanRefused `columns` where there are fewer columns than entrances.
    """
    if count > len(columns):
        raise PlanRefused("columns", str(len(columns)))
    doors = [columns[column] for column in sorted(columns)]
    ends: list[int] = []
    done, total = 0, sum(doors)
    used = 0
    for entrance in range(1, count + 1):
        least, most = used + 1, len(doors) - (count - entrance)
        end, have = least, done + doors[used]
        while end < most and abs(have + doors[end] - total * entrance / count) <= abs(have - total * entrance / count):
            have += doors[end]
            end += 1
        if entrance == count:
            end, have = len(doors), total
        ends.append(end)
        used, done = end, have
    return ends


def read_entrances(text: str) -> tuple[int, ...] | int:
    """What a director types: 3, or 40,40,32. PlanRefused `entrances` for anything else."""
    parts = [part for part in re.split(r"[,，、;；\s]+", text.strip()) if part]
    if not parts or len(parts) > 60 or not all(part.isascii() and part.isdecimal() and len(part) < 5 for part in parts):
        raise PlanRefused("entrances")
    numbers = [int(part) for part in parts]
    if min(numbers) < 1 or (len(numbers) == 1 and numbers[0] > 60):
        raise PlanRefused("entrances")
    return numbers[0] if len(numbers) == 1 else tuple(numbers)
