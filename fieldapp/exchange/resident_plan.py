"""What a residents' sheet would do to the registry: who is new, changed in what, the same; what is unclear.

Nobody is guessed at: a row that may be two people, or somebody who lives behind another door, is listed and left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from fieldapp.exchange import resident_cells
from fieldapp.exchange.problems import RowProblem
from fieldapp.exchange.resident_cells import Vague
from fieldapp.exchange.resident_columns import FACTS, Headings
from fieldapp.exchange.resident_reading import Reading, Said
from fieldapp.households import facts
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, pinyin_keys


class OnRecord(Protocol):
    """What is looked at of a resident; facts are looked at by their names."""

    @property
    def id(self) -> UUID: ...
    @property
    def household_id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def relation(self) -> str | None: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def id_number(self) -> str | None: ...
    @property
    def id_hash(self) -> str | None: ...
    @property
    def phone_hash(self) -> str | None: ...
    @property
    def left_on(self) -> date | None: ...


@dataclass(frozen=True)
class Registry:
    """The community as it is: doors, the households behind each (key and number), who lives there, whose number it is.

    `by_hash` has those who left too. `digest` makes the hash of an ID number or a telephone.
    """

    doors: Mapping[tuple[UUID, int, str], UUID]
    households: Mapping[UUID, Sequence[tuple[UUID, int]]]
    living: Mapping[UUID, Sequence[Any]]
    by_hash: Mapping[str, Sequence[Any]]
    addresses: Mapping[UUID, str]
    digest: Callable[[str], str]


class Kind(StrEnum):
    """What a row would do."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True)
class Change:
    """A fact of somebody: what is on record, what the sheet says; None is nothing."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Home:
    """A household, or one that there is not yet: `household_id` None."""

    dwelling_id: UUID
    household_id: UUID | None
    number: int


@dataclass(eq=False)
class Entry:
    """A row and what it would do. `resident` None: somebody new."""

    said: Said
    home: Home
    resident: Any = None
    changes: list[Change] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """What this row would do."""
        return Kind.NEW if self.resident is None else Kind.CHANGED if self.changes else Kind.SAME


@dataclass(frozen=True)
class Plan:
    """What a sheet would do, in the order of its rows."""

    headings: Headings
    entries: list[Entry]
    unclear: list[RowProblem]

    def of(self, kind: Kind) -> list[Entry]:
        """The rows of one kind."""
        return [entry for entry in self.entries if entry.kind is kind]

    @property
    def tokens(self) -> list[str]:
        """A name for each thing that may be chosen: n12 somebody new in row 12, c12.phone a change in row 12."""
        return [token for entry in self.entries for token in tokens_of(entry)]

    def said_in_full(self) -> str:
        """Everything that the plan would write, to tell whether another is the same."""
        lines = []
        for entry in self.entries:
            told = sorted(entry.said.values.items()) if entry.resident is None else entry.changes
            lines.append(f"{entry.said.row} {entry.home} {entry.resident.id if entry.resident else ''} {told}")
        return "\n".join(lines)


def tokens_of(entry: Entry) -> list[str]:
    """What may be chosen of a row."""
    if entry.resident is None:
        return [f"n{entry.said.row}"]
    return [f"c{entry.said.row}.{change.field}" for change in entry.changes]


def make_plan(reading: Reading, registry: Registry) -> Plan:
    """Find for each row its household and its resident, and compare."""
    work = _Work(reading, registry)
    work.find_homes()
    work.match()
    work.compare()
    work.check_heads()
    unclear = sorted([*reading.unclear, *work.unclear], key=lambda problem: problem.row or 0)
    entries = sorted(work.entries, key=lambda entry: entry.said.row)
    return Plan(reading.headings, entries, unclear)


_sounds = lru_cache(20_000)(pinyin_keys)


class _Work:
    def __init__(self, reading: Reading, registry: Registry) -> None:
        self.reading, self.registry = reading, registry
        self.entries: list[Entry] = []
        self.unclear: list[RowProblem] = []
        self.taken: dict[UUID, Entry] = {}

    def refuse(self, said: Said, key: str, code: str, detail: str = "", value: str | None = None) -> None:
        shown = said.values.get(key, "") if value is None else value
        self.unclear.append(RowProblem(said.row, self.reading.headings.name(key), shown, code, detail))

    # --- where

    def find_homes(self) -> None:
        """Find each row's household."""
        rooms: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
        for (building_id, _entrance, room), dwelling_id in self.registry.doors.items():
            rooms[building_id, room].append(dwelling_id)
        for said in self.reading.said:
            door, place = said.door, "room" if "room" in self.reading.headings.places.values() else "address"
            if door.entrance is not None:
                found = self.registry.doors.get((door.building.id, door.entrance, door.room))
                dwellings = [found] if found else []
            else:
                dwellings = rooms[door.building.id, door.room]
            if len(dwellings) != 1:
                label = f"{door.building.name} {door.entrance or ''} {door.room}".replace("  ", " ")
                self.refuse(said, place, "door_entrance" if dwellings else "door", value=label)
            elif home := self._home(said, dwellings[0]):
                self.entries.append(Entry(said, home))
            else:
                self.refuse(said, place, "door_households", value=door.room)

    def _home(self, said: Said, dwelling_id: UUID) -> Home | None:
        behind = self.registry.households.get(dwelling_id, ())
        if said.number is not None:
            known = next((key for key, number in behind if number == said.number), None)
            return Home(dwelling_id, known, said.number)
        if len(behind) <= 1:
            return Home(dwelling_id, *behind[0]) if behind else Home(dwelling_id, None, 1)
        digest = self._hash_of(said)
        likely = [
            (key, number)
            for key, number in behind
            if any((digest and r.id_hash == digest) or r.name == said.name for r in self.registry.living.get(key, ()))
        ]
        return Home(dwelling_id, *likely[0]) if len(likely) == 1 else None

    def _hash_of(self, said: Said) -> str | None:
        number = said.values.get("id_number")
        return self.registry.digest(number) if number else None

    # --- who

    def match(self) -> None:
        """Pair rows with residents: by number, by the visible signs of one, by name and birth date, by name."""
        open_entries = self._by_number(self._once(self.entries))
        homes: dict[Home, list[Entry]] = defaultdict(list)
        for entry in open_entries:
            homes[entry.home].append(entry)
        kept = list(self.taken.values())
        for home, entries in homes.items():
            kept += self._in_household(home, entries)
        self.entries = kept

    def _once(self, entries: Iterable[Entry]) -> list[Entry]:
        """Leave out whoever the sheet has twice."""
        numbers: dict[str, int] = {}
        people: dict[Any, int] = {}
        kept = []
        for entry in entries:
            said = entry.said
            number = said.values.get("id_number")
            row = numbers.setdefault(number, said.row) if number else said.row
            person = (entry.home, said.name, number or said.masked or said.values.get("birth_date"))
            twin = people.setdefault(person, said.row)
            if row != said.row:
                self.refuse(said, "id_number", "id_twice", str(row))
            elif twin != said.row:
                self.refuse(said, "name", "person_twice", str(twin))
            else:
                kept.append(entry)
        return self._told_apart(kept)

    def _told_apart(self, entries: Sequence[Entry]) -> list[Entry]:
        """Leave out who has a housemate's name in the sheet, and neither number nor birth date to be told apart by."""
        alike: dict[Any, list[Entry]] = defaultdict(list)
        for entry in entries:
            alike[entry.home, entry.said.name].append(entry)
        twins = set()
        for several in alike.values():
            for entry in several if len(several) > 1 else ():
                if not entry.said.masked and not {"id_number", "birth_date"} & entry.said.values.keys():
                    other = next(one for one in several if one is not entry)
                    self.refuse(entry.said, "name", "person_twice", str(other.said.row))
                    twins.add(id(entry))
        return [entry for entry in entries if id(entry) not in twins]

    def _by_number(self, entries: Iterable[Entry]) -> list[Entry]:
        still_open = []
        for entry in entries:
            digest = self._hash_of(entry.said)
            holders = self.registry.by_hash.get(digest, ()) if digest else ()
            here = [r for r in holders if r.left_on is None]
            if not holders:
                still_open.append(entry)
            elif not here:
                self.refuse(entry.said, "id_number", "left", holders[0].name)
            elif len(here) > 1:
                self.refuse(entry.said, "id_number", "id_several")
            elif here[0].household_id != entry.home.household_id:
                where = self.registry.addresses.get(here[0].household_id, "")
                self.refuse(entry.said, "id_number", "elsewhere", where)
            elif not _may_be_renamed(here[0].name, entry.said.name):
                self.refuse(entry.said, "id_number", "number_of", here[0].name)
            else:
                self._pair(entry, here[0])
        return still_open

    def _in_household(self, home: Home, entries: list[Entry]) -> list[Entry]:
        """Who of a household's rows is who there; each resident once."""
        kept = []
        ways = (_same_stars, _same_name_and_birth, _same_name)
        for way in ways:
            for entry in [e for e in entries if e.resident is None]:
                found = [r for r in self._free(home) if way(entry.said, r)]
                if len(found) == 1 and not any(
                    way(o.said, found[0]) for o in entries if o is not entry and not o.resident
                ):
                    self._pair(entry, found[0])
        for entry in entries:
            fault = None if entry.resident else self._looks_like(entry.said, home)
            if fault:
                self.refuse(entry.said, fault[0], fault[1], fault[2])
            else:
                fault = self._denied(entry)
                if fault:
                    self.refuse(entry.said, *fault)
                else:
                    kept.append(entry)
        return kept

    def _free(self, home: Home) -> list[Any]:
        living = self.registry.living.get(home.household_id, ()) if home.household_id else ()
        return [resident for resident in living if resident.id not in self.taken]

    def _pair(self, entry: Entry, resident: Any) -> None:
        entry.resident = resident
        self.taken[resident.id] = entry

    def _looks_like(self, said: Said, home: Home) -> tuple[str, str, str] | None:
        """Why somebody who matched nobody is not clearly somebody new: a resident of the household has the name."""
        for resident in self.registry.living.get(home.household_id, ()) if home.household_id else ():
            if resident.name != said.name:
                continue
            if resident.id in self.taken:
                return "name", "person_twice", str(self.taken[resident.id].said.row)
            if said.values.get("id_number") or said.masked:
                return "id_number" if "id_number" in said.values else "name", "id_differs", resident.name
            return "birth_date", "born_differs", resident.birth_date.isoformat() if resident.birth_date else ""
        return None

    def _denied(self, entry: Entry) -> tuple[str, str, str] | None:
        """Whether what the sheet says denies the ID number on record."""
        resident, said = entry.resident, entry.said
        if resident is None or "id_number" in said.values:
            return None
        for key in ("birth_date", "sex"):
            told = said.values.get(key)
            if told and not (key == "birth_date" and _is_told_vaguely(told, resident)):
                try:
                    facts.check_on_record(key, told, resident.id_number, None)
                except Fault as fault:
                    self.taken.pop(resident.id, None)
                    on_record = resident.birth_date.isoformat() if resident.birth_date else ""
                    return key, "record_born" if fault.code == "id_born" else "record_sex", on_record
        return None

    # --- what

    def compare(self) -> None:
        """Compare each row with its resident, fact by fact."""
        for entry in self.entries:
            if entry.resident is not None:
                entry.changes = [
                    change
                    for key in FACTS
                    if key in entry.said.values
                    and (change := self._change(entry.resident, key, entry.said.values[key]))
                ]

    def _change(self, resident: Any, key: str, said: str) -> Change | None:
        new = said or None
        if new and key in ("id_number", "phone") and getattr(resident, _HASHES[key]) == self.registry.digest(new):
            return None
        old = facts.told(getattr(resident, key))
        if old == new or (key == "birth_date" and new and _is_told_vaguely(new, resident)):
            return None
        if key in ("phone", "guardian_phone") and resident_cells.numbers_of(old) == resident_cells.numbers_of(new):
            return None
        if old and new and "".join(old.split()) == "".join(new.split()):
            return None
        if key == "relation" and new in _LESS.get(old or "", ()):
            return None
        return Change(key, old, None if new is None else str(new))

    # --- heads

    def check_heads(self) -> None:
        """Leave out rows that would make a second head of a household."""
        by_home: dict[Home, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            by_home[entry.home].append(entry)
        for home, entries in by_home.items():
            claims = [entry for entry in entries if entry.said.values.get("relation") == HEAD]
            for extra in claims[1:]:
                self._drop(extra, "two_heads", str(claims[0].said.row))
            moved = {e.resident.id for e in entries if e.resident and e.said.values.get("relation") not in (None, HEAD)}
            living = self.registry.living.get(home.household_id, ()) if home.household_id else ()
            held = [r for r in living if r.relation == HEAD and r.id not in moved]
            if claims and held and claims[0].resident is not held[0]:
                self._drop(claims[0], "head_taken", held[0].name)

    def _drop(self, entry: Entry, code: str, detail: str) -> None:
        self.entries.remove(entry)
        self.refuse(entry.said, "relation", code, detail)


_HASHES = {"id_number": "id_hash", "phone": "phone_hash"}
_LESS = {
    "11": ("10",), "12": ("10",), **dict.fromkeys(("21", "22", "23", "24", "25", "26"), ("20",)),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36"), ("30",)), "51": ("50",), "52": ("50",),
}  # fmt: skip
"""Relations on record that a sheet says less exactly (妻 and 配偶, 长子 and 子): no change."""


def _is_told_vaguely(told: str, resident: OnRecord) -> bool:
    """Whether only a month is said, and it is that of the birth date on record."""
    born = resident.birth_date
    return isinstance(told, Vague) and born is not None and born.isoformat()[:7] == told[:7]


def _may_be_renamed(old: str, new: str) -> bool:
    """Whether two names may be one person's: the same but one sign, or the same sound."""
    if old == new or _sounds(old)[0] == _sounds(new)[0]:
        return True
    return old[:1] == new[:1] and (len(old) <= 2 or len(set(old) & set(new)) >= 2)


def _are_two(said: Said, resident: OnRecord) -> bool:
    """Whether both have an ID number, and not the same."""
    if said.masked:
        return resident.id_hash is not None and not resident_cells.agrees(said.masked, resident.id_number or "")
    return "id_number" in said.values and resident.id_hash is not None


def _same_stars(said: Said, resident: OnRecord) -> bool:
    if not said.masked or resident.id_hash is None or not _may_be_renamed(resident.name, said.name):
        return False
    return resident_cells.agrees(said.masked, resident.id_number or "")


def _same_name_and_birth(said: Said, resident: OnRecord) -> bool:
    told = said.values.get("birth_date")
    if resident.name != said.name or not told or resident.birth_date is None or _are_two(said, resident):
        return False
    return resident.birth_date.isoformat() == told or _is_told_vaguely(told, resident)


def _same_name(said: Said, resident: OnRecord) -> bool:
    """The same name, where neither the number nor the birth date says otherwise; two of year, month and day may."""
    if resident.name != said.name or _are_two(said, resident):
        return False
    told = said.values.get("birth_date")
    if not told or resident.birth_date is None:
        return True
    parts = zip(told.split("-"), resident.birth_date.isoformat().split("-"), strict=True)
    return sum(one == other for one, other in parts) >= 2
