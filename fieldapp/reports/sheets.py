"""The five sheets (001 五个清楚): who is meant by each figure, counted from the registry of a day, never typed.

Each sheet is a dictionary from a column's key to the entries that the column counts: a figure is the length of its
list, so that the two can never differ. The days are the community's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from fieldapp.households.rules import Employment, age_on


class Kind(StrEnum):
    """The sheets: 优抚对象, 下岗失业, 特困低保, 人员结构, 居民需求."""

    VETERANS = "veterans"
    UNEMPLOYED = "unemployed"
    HARDSHIP = "hardship"
    STRUCTURE = "structure"
    NEEDS = "needs"


CARE_OF = {Kind.VETERANS: "veteran", Kind.UNEMPLOYED: "unemployed", Kind.HARDSHIP: "hardship"}
"""The care group that each of the first three sheets is about, by its code."""
DISABLED = "disabled"
MEN, WOMEN = "1", "2"
"""GB/T 2261.1."""
ADULT, OLD, VERY_OLD = 18, 60, 80
"""Years: 未成年人 are under 18; 60 is 老年人 by law (老年人权益保障法 2), 80 is 高龄."""
YOUNG_WORKER, OLD_WORKER = 35, 50
"""Years: borders of the three ages in which people without work are helped differently; 40/50 人员 begin near 50."""
LAST_BAND = 17
"""The pyramid's bands are of five years; the last one is 85 and over."""
COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.VETERANS: ("households", "people", "old", "very_old", "alone", "review"),
    Kind.UNEMPLOYED: ("households", "people", "young", "middle", "older", "hardship", "unlike"),
    Kind.HARDSHIP: ("households", "people", "alone", "old", "children", "disabled", "unemployed", "review"),
    Kind.STRUCTURE: (
        *("households", "people", "men", "women", "sex_unknown", "small", "school", "adults", "old", "very_old"),
        *("age_unknown", "temporary", "elsewhere", "rent", "alone"),
    ),
    Kind.NEEDS: ("asked", "promised", "answered", "open", "late"),
}
"""What each sheet counts, in the order in which it stands."""
OF_HOUSEHOLDS = frozenset({"households", "rent", "asked"})
"""The columns that count households; the others count people, the sheet of needs also promises."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who lives here on the day, as far as the sheets look. `district_id` None: the door is in no district."""

    id: UUID
    household_id: UUID
    district_id: UUID | None
    sex: str | None
    birth_date: date | None
    employment: str | None = None
    is_temporary: bool = False
    is_elsewhere: bool = False
    """Registered elsewhere (人户分离)."""
    occupancy: str = "unknown"

    def age(self, day: date) -> int | None:
        """Completed years; None where the birth date is not known, or has not come yet."""
        return age_on(self.birth_date, day) if self.birth_date and self.birth_date <= day else None


@dataclass(frozen=True, slots=True)
class Care:
    """A care membership of the day; `resident_id` None: it is the whole household's."""

    household_id: UUID
    resident_id: UUID | None
    district_id: UUID | None
    code: str
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: a household, one of its people, or what was promised there."""

    household_id: UUID
    district_id: UUID | None
    person_id: UUID | None = None
    promise_id: UUID | None = None


Lists = dict[str, list[Entry]]


def in_district(lists: Lists, district_id: UUID | None) -> Lists:
    """Only what lies in one district; None: in no district."""
    return {key: [e for e in entries if e.district_id == district_id] for key, entries in lists.items()}


def by_district(lists: Lists) -> dict[UUID | None, dict[str, int]]:
    """The figures of each district."""
    found: dict[UUID | None, dict[str, int]] = defaultdict(lambda: dict.fromkeys(lists, 0))
    for key, entries in lists.items():
        for entry in entries:
            found[entry.district_id][key] += 1
    return dict(found)


def figures(lists: Lists) -> dict[str, int]:
    """The figures of all districts together."""
    return {key: len(entries) for key, entries in lists.items()}


def sheet(kind: Kind, people: Iterable[Person], cares: Iterable[Care], day: date) -> Lists:
    """The lists of one of the first four sheets."""
    if kind is Kind.STRUCTURE:
        return structure(list(people), day)
    return _Caring(list(people), list(cares), day).sheet(kind)


class _Caring:
    """A sheet of people in a care group: those named by a membership, and their households."""

    def __init__(self, people: list[Person], cares: list[Care], day: date) -> None:
        self.people = {person.id: person for person in people}
        self.day = day
        self.in_household: dict[UUID, int] = defaultdict(int)
        for person in people:
            self.in_household[person.household_id] += 1
        self.cares: dict[str, list[Care]] = defaultdict(list)
        for care in cares:
            # Who moved away or died before the day is not counted, whether or not somebody ended the membership.
            if care.resident_id is None or care.resident_id in self.people:
                self.cares[care.code].append(care)

    def sheet(self, kind: Kind) -> Lists:
        code = CARE_OF[kind]
        cares = self.cares[code]
        meant = {care.resident_id: self.people[care.resident_id] for care in cares if care.resident_id}
        if kind is Kind.UNEMPLOYED:
            meant |= {p.id: p for p in self.people.values() if p.employment == Employment.UNEMPLOYED}
        people = [person for person in self.people.values() if person.id in meant]
        homes = _households([*people, *(care for care in cares if care.resident_id is None)])
        counted: dict[str, list[Entry]] = {"households": homes, "people": _entries(people, lambda _p: True)}
        for key in COLUMNS[kind][2:]:
            counted[key] = _entries(people, self._test(key)) if key != "review" else self._to_review(cares)
        return counted

    def _test(self, key: str) -> Callable[[Person], bool]:
        tests: dict[str, Callable[[Person], bool]] = {
            "old": lambda p: _between(p.age(self.day), OLD),
            "very_old": lambda p: _between(p.age(self.day), VERY_OLD),
            "children": lambda p: _between(p.age(self.day), 0, ADULT),
            "young": lambda p: _between(p.age(self.day), 0, YOUNG_WORKER),
            "middle": lambda p: _between(p.age(self.day), YOUNG_WORKER, OLD_WORKER),
            "older": lambda p: _between(p.age(self.day), OLD_WORKER),
            "alone": lambda p: self.in_household[p.household_id] == 1,
            "unlike": lambda p: p.employment not in (None, Employment.UNEMPLOYED),
            **{key: self._is_in(key) for key in (DISABLED, "hardship")},
            "unemployed": lambda p: p.employment == Employment.UNEMPLOYED or self._is_in("unemployed")(p),
        }
        return tests[key]

    def _is_in(self, code: str) -> Callable[[Person], bool]:
        """Whether somebody is in another care group too, alone or with the whole household."""
        people = {care.resident_id for care in self.cares[code]}
        homes = {care.household_id for care in self.cares[code] if care.resident_id is None}
        return lambda person: person.id in people or person.household_id in homes

    def _to_review(self, cares: list[Care]) -> list[Entry]:
        """Whose review date has come: nobody has asked since whether it still holds."""
        due = [care for care in cares if care.review_on and care.review_on <= self.day]
        return list({e: e for e in (Entry(c.household_id, c.district_id, c.resident_id) for c in due)})


def structure(people: list[Person], day: date) -> Lists:
    """人员结构: by sex and age, temporary, registered elsewhere, renting, living alone; and the pyramid's bands.

    The bands' keys are `m0` to `m17` and `f0` to `f17`. An age that is not known is counted apart and in no band.
    """
    living: dict[UUID, int] = defaultdict(int)
    for person in people:
        living[person.household_id] += 1
    counted: Lists = {key: [] for key in COLUMNS[Kind.STRUCTURE]}
    counted |= {f"{sex}{band}": [] for sex in "mf" for band in range(LAST_BAND + 1)}
    for person in people:
        entry = Entry(person.household_id, person.district_id, person.id)
        for key in _places(person, person.age(day), living[person.household_id]):
            counted[key].append(entry)
    counted["households"] = _households(people)
    counted["rent"] = _households([person for person in people if person.occupancy == "rent"])
    return counted


def _places(person: Person, age: int | None, living: int) -> Iterable[str]:
    """The columns that count somebody."""
    yield "people"
    yield {MEN: "men", WOMEN: "women"}.get(person.sex or "", "sex_unknown")
    if age is None:
        yield "age_unknown"
    else:
        yield "small" if age < 6 else "school" if age < ADULT else "adults" if age < OLD else "old"
        if age >= VERY_OLD:
            yield "very_old"
        if person.sex in (MEN, WOMEN):
            yield f"{'m' if person.sex == MEN else 'f'}{min(age // 5, LAST_BAND)}"
    if person.is_temporary:
        yield "temporary"
    if person.is_elsewhere:
        yield "elsewhere"
    if living == 1:
        yield "alone"


@dataclass(frozen=True)
class Band:
    """A bar of each side of the pyramid, from completed years `lower` to `upper` (None: and over)."""

    number: int
    lower: int
    upper: int | None
    men: int
    women: int


def pyramid(counted: Mapping[str, int]) -> list[Band]:
    """The pyramid of a sheet of structure, the oldest first, as it is drawn."""
    return [
        Band(n, 5 * n, None if n == LAST_BAND else 5 * n + 4, counted[f"m{n}"], counted[f"f{n}"])
        for n in range(LAST_BAND, -1, -1)
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """A visit at which a topic was ticked."""

    household_id: UUID
    district_id: UUID | None
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised at a door, with the topics of that visit; `is_done` on the day of the sheet."""

    id: UUID
    household_id: UUID
    district_id: UUID | None
    topics: tuple[str, ...]
    due_on: date | None
    is_done: bool


@dataclass(frozen=True)
class Need:
    """A line of the sheet of needs; `topic` "" is what was promised without any topic, None is all together."""

    topic: str | None
    lists: Lists

    @property
    def key(self) -> str:
        """What an address calls the topic: its words are somebody's own and stay out of addresses."""
        return topic_key(self.topic)


def topic_key(topic: str | None) -> str:
    """`all`, or a few signs that stand for the topic's words."""
    return "all" if topic is None else sha256(topic.encode()).hexdigest()[:10]


def needs(asked: Iterable[Asked], promised: Iterable[Promise], topics: Iterable[str], day: date) -> list[Need]:
    """居民需求: what was asked for and promised, by topic in the community's order, then other topics, then all.

    A promise of a visit with two topics stands in both lines, and once in the line of all.
    """
    asked, promised = list(asked), list(promised)
    seen = dict.fromkeys(topics) | dict.fromkeys(sorted({t for a in asked for t in a.topics}))
    lines = [_need(t, [a for a in asked if t in a.topics], [p for p in promised if t in p.topics], day) for t in seen]
    lines.append(_need("", [], [p for p in promised if not p.topics], day))
    return [*(line for line in lines if any(line.lists.values())), _need(None, asked, promised, day)]


def _need(topic: str | None, asked: list[Asked], promised: list[Promise], day: date) -> Need:
    late = [p for p in promised if not p.is_done and p.due_on and p.due_on < day]
    lists = {
        "asked": _households(asked),
        "promised": _promises(promised),
        "answered": _promises([p for p in promised if p.is_done]),
        "open": _promises([p for p in promised if not p.is_done]),
        "late": _promises(late),
    }
    return Need(topic, lists)


def needs_in(lines: Iterable[Need], district_id: UUID | None) -> list[Need]:
    """The lines of one district, all together last; a topic that nobody there asked for is left out."""
    cut = [replace(line, lists=in_district(line.lists, district_id)) for line in lines]
    return [line for line in cut if line.topic is None or any(line.lists.values())]


def _between(age: int | None, lower: int, upper: int = 999) -> bool:
    return age is not None and lower <= age < upper


def _entries(people: Iterable[Person], test: Callable[[Person], bool]) -> list[Entry]:
    return [Entry(person.household_id, person.district_id, person.id) for person in people if test(person)]


def _households(rows: Iterable[Person | Care | Asked]) -> list[Entry]:
    """Each household once."""
    return list({row.household_id: Entry(row.household_id, row.district_id) for row in rows}.values())


def _promises(rows: Iterable[Promise]) -> list[Entry]:
    return [Entry(row.household_id, row.district_id, promise_id=row.id) for row in rows]
