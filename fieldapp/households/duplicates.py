"""One person on record twice: why two records look alike, and which of their facts a merge chooses between."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations, islice
from typing import Any
from uuid import UUID

from fieldapp.households.reading import Fault
from fieldapp.households.rules import birth_date_of, id_number_fault, sex_of


class Why(StrEnum):
    """Why two records look like one person: the same ID number, or name, birth date and building."""

    ID = "id"
    BORN = "born"


@dataclass(frozen=True)
class Record:
    """What is compared of a resident; `id_hash` is the digest of the ID number."""

    id: UUID
    building_id: UUID
    name: str
    birth_date: date | None
    id_hash: str | None


@dataclass(frozen=True)
class Pair:
    """Two records that look like one person; `one` has the smaller key."""

    one: UUID
    other: UUID
    why: Why


MOST_PAIRS = 500
"""As many as are looked at in one go: a number that was copied down a column would make millions."""


def in_order(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """Two keys, the smaller first: a pair has one name, whoever writes it."""
    return (one, other) if one.bytes <= other.bytes else (other, one)


def alike(one: Record, other: Record) -> Why | None:
    """Why two records look like one person. Two ID numbers that differ are two people, whatever else is the same."""
    if one.id_hash and other.id_hash:
        return Why.ID if one.id_hash == other.id_hash else None
    same_birth = one.birth_date is not None and one.birth_date == other.birth_date
    if same_birth and one.name == other.name and one.building_id == other.building_id:
        return Why.BORN
    return None


def pairs(records: Iterable[Record], not_same: Collection[tuple[UUID, UUID]] = ()) -> list[Pair]:
    """The pairs that look like one person, but those of which somebody said that they are two; the surest first."""
    by_id: dict[Hashable, list[Record]] = defaultdict(list)
    by_birth: dict[Hashable, list[Record]] = defaultdict(list)
    for record in records:
        if record.id_hash:
            by_id[record.id_hash].append(record)
        if record.birth_date:
            by_birth[record.name, record.birth_date, record.building_id].append(record)
    said = set(not_same)
    found = {pair: None for groups in (by_id, by_birth) for pair in _within(groups.values(), said)}
    return list(found)


def _within(groups: Iterable[list[Record]], said: Collection[tuple[UUID, UUID]]) -> Iterator[Pair]:
    looked = (couple for group in groups for couple in combinations(group, 2))
    for one, other in islice(looked, MOST_PAIRS):
        why, keys = alike(one, other), in_order(one.id, other.id)
        if why and keys not in said:
            yield Pair(*keys, why)


FIELDS = (
    *("name", "sex", "birth_date", "id_number", "phone", "relation", "ethnic", "marital", "schooling", "employment"),
    *("workplace", "registered_at", "is_temporary", "origin", "permit_from", "permit_until", "guardian"),
    "guardian_phone",
)
"""The facts that a merge chooses between, in the order in which its page shows them."""


def differing(kept: Mapping[str, Any], gone: Mapping[str, Any], *, same_household: bool) -> list[str]:
    """The facts in which two records differ. The relation to the head is compared within one household alone: behind
    another door there is another head."""
    return [key for key in FIELDS if kept[key] != gone[key] and (key != "relation" or same_household)]


def suggested(kept: Mapping[str, Any], gone: Mapping[str, Any], key: str) -> str:
    """Which side a fact is taken from where nobody chose: what is on record rather than nothing, else the kept side."""
    return "gone" if kept[key] in (None, "", False) and gone[key] not in (None, "", False) else "kept"


def told_apart(one: str, other: str) -> tuple[str, str]:
    """Two numbers that read the same once they are masked: only the digits in which they differ are shown."""
    longest = max(len(one), len(other))
    couples = list(zip(one.ljust(longest), other.ljust(longest), strict=True))
    shown = ["".join(pair[side] if pair[0] != pair[1] else "*" for pair in couples) for side in (0, 1)]
    return shown[0].strip(), shown[1].strip()


def check(chosen: Mapping[str, Any]) -> None:
    """Refuse facts of the two sides that contradict each other. Faults: `id_born`, `id_sex`."""
    number = chosen["id_number"]
    if not number or id_number_fault(number):
        return
    if chosen["birth_date"] and chosen["birth_date"] != birth_date_of(number):
        raise Fault("id_born")
    if chosen["sex"] in ("1", "2") and chosen["sex"] != sex_of(number):
        raise Fault("id_sex")
