"""The monthly spot check's rules (004 每月对社区干部包片知晓率进行抽查): the draw, the questions, the rate, the signs.

Everything that looks like chance follows from the check's seed by SHA-256: the same seed draws the same households on
every machine, in whatever order the database names them, and anybody can draw again to see it.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import combinations
from math import ceil, cos, hypot, radians, sqrt
from typing import Any, TypeVar
from uuid import UUID

from fieldapp.households.rules import Employment, Occupancy, age_on

K = TypeVar("K", bound=Hashable)


class Kind(StrEnum):
    """What is asked of a household, in the order of asking: the most telling first."""

    PEOPLE = "people"
    HEAD = "head"
    CARE = "care"
    NEED = "need"
    LAST_MET = "last_met"
    OVER80 = "over80"
    UNDER6 = "under6"
    JOBLESS = "jobless"
    RENTS = "rents"
    SHOP = "shop"


class Verdict(StrEnum):
    """How an answer was. The last two are left out of the rate and counted apart."""

    RIGHT = "right"
    HALF = "half"
    WRONG = "wrong"
    UNRECORDED = "unrecorded"
    SKIPPED = "skipped"


COUNTED = (Verdict.RIGHT, Verdict.HALF, Verdict.WRONG)


class Way(StrEnum):
    """How an answer was given: by voice at the table, or alone with choices."""

    TABLE = "table"
    SELF = "self"


# --- the rate


@dataclass(frozen=True)
class Interval:
    """Where a share lies with 95 % confidence, between 0 and 1."""

    low: float
    high: float


Z = 1.959964
"""The normal distribution's 97.5 % quantile."""


def wilson(right: float, asked: int) -> Interval:
    """Wilson's 95 % interval of `right` of `asked`; half an answer counts 0.5. Nothing asked: anything from 0 to 1.

    E. B. Wilson 1927; no continuity correction. It holds at 0 and at all, and for the few that one district is asked.
    """
    if asked <= 0:
        return Interval(0.0, 1.0)
    share, z2 = right / asked, Z * Z
    middle = share + z2 / (2 * asked)
    reach = Z * sqrt(share * (1 - share) / asked + z2 / (4 * asked * asked))
    whole = 1 + z2 / asked
    low, high = min((middle - reach) / whole, share), max((middle + reach) / whole, share)  # against rounding, at all
    return Interval(max(low, 0.0), min(high, 1.0))


def differ(one: Interval, other: Interval) -> bool:
    """Whether two shares may be called different: only where their intervals do not overlap."""
    return one.high < other.low or other.high < one.low


@dataclass(frozen=True)
class Score:
    """What was answered: `asked` is right, half and wrong; `rate` is None where nothing was asked."""

    right: int = 0
    half: int = 0
    wrong: int = 0
    unrecorded: int = 0
    skipped: int = 0

    @property
    def asked(self) -> int:
        """How many count."""
        return self.right + self.half + self.wrong

    @property
    def rate(self) -> float | None:
        """知晓率, from 0 to 1."""
        return (self.right + self.half / 2) / self.asked if self.asked else None

    @property
    def interval(self) -> Interval:
        """The rate's 95 % interval."""
        return wilson(self.right + self.half / 2, self.asked)


def score(verdicts: Iterable[str]) -> Score:
    """The score of the verdicts that hold."""
    counts = dict.fromkeys(Verdict, 0)
    for verdict in verdicts:
        counts[Verdict(verdict)] += 1
    return Score(**{verdict.value: count for verdict, count in counts.items()})


@dataclass(frozen=True)
class Share:
    """How many of those who were asked at the door, and knew, said yes."""

    yes: int = 0
    asked: int = 0

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None where nobody was asked."""
        return self.yes / self.asked if self.asked else None

    @property
    def interval(self) -> Interval:
        """The share's 95 % interval."""
        return wilson(self.yes, self.asked)


def share(said: Iterable[bool | None]) -> Share:
    """The share of yes; None was not asked, or they did not know."""
    known = [yes for yes in said if yes is not None]
    return Share(sum(known), len(known))


# --- the draw


@dataclass(frozen=True)
class Candidate:
    """A household that may be drawn: somebody lives there. `days_unmet` None: never met; `was_drawn`: last month."""

    household_id: UUID
    district_id: UUID
    building_id: UUID
    is_care: bool
    days_unmet: int | None
    was_drawn: bool = False


@dataclass(frozen=True)
class Drawn:
    """A drawn household and its stratum: `care` or `other`, and how long ago somebody was met there.

    The building is a stratum of its own, and stands with the household.
    """

    household_id: UUID
    stratum: str


SMALLEST, TENTH = 10, 10
"""At least ten households, by default a tenth of all: issue 4, The draw."""
CARE_SHARE = 0.5
"""Half of the sample from care groups where nothing else is said (004 对重点人员情况的动态掌握要达到100%)."""


class DrawFault(ValueError):
    """Why nothing was drawn: `month` (no month, or after the next), `nobody` (nobody lives there, or all were drawn the
    month before), `few` (less than `SMALLEST` asked for), `closed` (what it would replace is closed)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def default_number(households: int) -> int:
    """How many to draw where no number is said: a tenth, at least ten, never more than there are."""
    return min(max(SMALLEST, ceil(households / TENTH)), households)


def month_before(month: str) -> str:
    """2026-10 of 2026-11."""
    first = date.fromisoformat(f"{month}-01")
    return f"{first - timedelta(days=1):%Y-%m}"


def check_month(month: str, today: date) -> None:
    """Refuse what is no month, or is later than the next one. Raises DrawFault."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise DrawFault("month") from error
    if len(month) != 7 or first > (today.replace(day=1) + timedelta(days=32)).replace(day=1):
        raise DrawFault("month")


def chance(seed: int, *of: object) -> int:
    """A number below 2**64 that follows from the seed and from what it is for."""
    told = " ".join(map(str, (seed, *of)))
    return int.from_bytes(sha256(told.encode()).digest()[:8])


def band(days_unmet: int | None) -> str:
    """How long ago somebody was met: within a month, a quarter, longer ago, never."""
    if days_unmet is None:
        return "never"
    return "recent" if days_unmet < 30 else "quarter" if days_unmet < 90 else "long"


def stratum(candidate: Candidate) -> str:
    """The stratum's word: care/long."""
    return f"{'care' if candidate.is_care else 'other'}/{band(candidate.days_unmet)}"


def apportion(number: int, weights: Mapping[K, int], most: Mapping[K, int], seed: int) -> dict[K, int]:
    """Spread a number by weight, largest remainder first (Hamilton), nobody getting more than their `most`.

    What does not fit is spread anew over the others. Equal remainders are settled by the seed.
    """
    given = dict.fromkeys(weights, 0)
    while left := min(number - sum(given.values()), sum(most[key] - given[key] for key in given)):
        open_to = [key for key in given if given[key] < most[key]]
        whole = sum(weights[key] for key in open_to)
        if not whole:
            weights, whole = dict.fromkeys(weights, 1), len(open_to)
        exact = {key: divmod(left * weights[key], whole) for key in open_to}
        for key in open_to:
            given[key] += min(exact[key][0], most[key] - given[key])
        over = left - sum(part for part, _ in exact.values())
        for key in sorted(open_to, key=lambda key: (-exact[key][1], chance(seed, "remainder", key)))[:over]:
            given[key] += given[key] < most[key]
    return given


def draw(
    candidates: Iterable[Candidate], number: int, care_share: float, seed: int, again: bool = False
) -> list[Drawn]:
    """Draw households: over districts by their size, in a district over care groups, buildings and time unmet.

    Of those in care groups, and of the others, each of a district has the same chance: sorted by building and time,
    by chance within, every n-th is taken from a start by chance (systematic sampling). Where one kind is too few, the
    other fills up. Nobody drawn the month before comes `again` unless that is said. Empty only where nobody is left.
    """
    everybody = sorted(candidates, key=lambda candidate: candidate.household_id)
    weights: dict[UUID, int] = defaultdict(int)
    by_district: dict[UUID, list[Candidate]] = defaultdict(list)
    for candidate in everybody:
        weights[candidate.district_id] += 1
        if again or not candidate.was_drawn:
            by_district[candidate.district_id].append(candidate)
    rooms = {district: len(by_district[district]) for district in weights}
    numbers = apportion(number, weights, rooms, seed)
    in_care = {district: sum(c.is_care for c in by_district[district]) for district in weights}
    wanted = int(sum(numbers.values()) * min(max(care_share, 0.0), 1.0) + 0.5)
    most = {district: min(numbers[district], in_care[district]) for district in weights}
    cares = apportion(wanted, numbers, most, seed)
    drawn = []
    for district in sorted(weights):
        others = [candidate for candidate in by_district[district] if not candidate.is_care]
        plain = min(numbers[district] - cares[district], len(others))
        taken = _systematic([c for c in by_district[district] if c.is_care], numbers[district] - plain, seed, "care")
        taken += _systematic(others, plain, seed, "other")
        drawn += [Drawn(candidate.household_id, stratum(candidate)) for candidate in taken]
    return drawn


def _systematic(of: Sequence[Candidate], number: int, seed: int, label: str) -> list[Candidate]:
    """Every n-th of the sorted households from a start by chance, in whole numbers so that none is taken twice."""
    if not number:
        return []
    ordered = sorted(
        of,
        key=lambda c: (
            chance(seed, "building", c.building_id),
            band(c.days_unmet),
            chance(seed, "household", c.household_id),
        ),
    )
    start = chance(seed, "start", label, of[0].district_id)
    return [ordered[(start + (step << 64)) * len(ordered) // (number << 64)] for step in range(number)]


@dataclass(frozen=True)
class Plan:
    """What is asked for: how many (None: `default_number`), which districts (None: all), the share for care groups,
    and whether last month's households may come again."""

    number: int | None = None
    district_ids: tuple[UUID, ...] | None = None
    care_share: float = CARE_SHARE
    again: bool = False

    def told(self) -> dict[str, Any]:
        """As it is kept with the check."""
        districts = None if self.district_ids is None else sorted(map(str, self.district_ids))
        return {"number": self.number, "districts": districts, "care_share": self.care_share, "again": self.again}


# --- what is asked

MOST_ASKED, LEAST_ASKED, MOST_TELLING = 6, 4, 5
"""How many questions a household gets; one whose answer is nobody is among them where there is one."""
MOST_CHOICES = 4
FRESH_DAYS = 365
"""How long a fact that changes (work, who rents, what was asked for) is fresh where the community says nothing else."""
OLD, SMALL, WORKING = 80, 6, 16
"""Over 80 is 80 and older, under 6 has not had the sixth birthday; from 16 somebody may be out of work."""


@dataclass(frozen=True)
class Person:
    """A resident as the questions see them; `seen_on` is when their work was last looked at, None: nobody knows."""

    name: str
    is_head: bool
    birth_date: date | None
    employment: str | None
    seen_on: date | None = None


@dataclass(frozen=True)
class Group:
    """A care group that the household is in, why, and whose it is; None where that is not on record."""

    group: str
    reason: str | None
    who: str | None
    is_sensitive: bool = False
    review_on: date | None = None

    def told(self) -> dict[str, Any]:
        """As an expected answer has it."""
        return {"group": self.group, "reason": self.reason, "who": self.who}


@dataclass(frozen=True)
class Need:
    """What was promised at the last visit that brought a promise, and whether it was done."""

    what: str
    on: date
    is_answered: bool

    def told(self) -> dict[str, Any]:
        """As an expected answer has it."""
        return {"what": self.what, "on": self.on.isoformat(), "answered": self.is_answered}


@dataclass
class Home:
    """What is on record of a household. `disputed` are fields with a proposal that waits for a decision."""

    occupancy: str
    last_met_on: date | None
    occupancy_seen_on: date | None = None
    people: list[Person] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    need: Need | None = None
    shop: str | None = None
    disputed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """What the community keeps: fields that are switched `off`, and in how many days a fact is to be looked at."""

    off: frozenset[str] = frozenset()
    rhythms: Mapping[str, int] = field(default_factory=dict)

    def is_fresh(self, name: str, seen_on: date | None, today: date) -> bool:
        """Whether a fact was looked at within its rhythm; one of which no day is known is as good as on record."""
        return seen_on is None or (today - seen_on).days <= self.rhythms.get(name, FRESH_DAYS)


def on_record(home: Home, settings: Settings, today: date) -> dict[Kind, Any]:
    """What the record answers of a household, by kind of question; what is not on record or not fresh is missing.

    No numbers: neither of cards nor of telephones.
    """
    answers: dict[Kind, Any] = {Kind.LAST_MET: home.last_met_on.isoformat() if home.last_met_on else None}
    if home.people:
        answers[Kind.PEOPLE] = len(home.people)
    heads = [person.name for person in home.people if person.is_head]
    if heads and not home.disputed & {"name", "relation"}:
        answers[Kind.HEAD] = heads[0]
    if home.people and not (settings.off | home.disputed) & {"birth_date"}:
        answers |= _by_age(home.people, today)
    if home.people and not (settings.off | home.disputed) & {"employment"}:
        answers |= _out_of_work(home.people, settings, today)
    if "care" not in settings.off and not any(group.review_on and group.review_on < today for group in home.groups):
        answers[Kind.CARE] = [group.told() for group in home.groups]
    if home.need and (today - home.need.on).days <= FRESH_DAYS:
        answers[Kind.NEED] = home.need.told()
    is_known = home.occupancy in LIVED_IN and "occupancy" not in settings.off | home.disputed
    if is_known and settings.is_fresh("occupancy", home.occupancy_seen_on, today):
        answers[Kind.RENTS] = home.occupancy
    if home.shop:
        answers[Kind.SHOP] = home.shop
    return answers


LIVED_IN = (Occupancy.OWN, Occupancy.RENT, Occupancy.LODGING)


def _by_age(people: Sequence[Person], today: date) -> dict[Kind, Any]:
    """Who is over 80, who under 6; nobody is an answer only where every birth date is known."""
    ages = [(person.name, age_on(person.birth_date, today)) for person in people if person.birth_date]
    found = {
        Kind.OVER80: [name for name, age in ages if age >= OLD],
        Kind.UNDER6: [name for name, age in ages if age < SMALL],
    }
    return {kind: names for kind, names in found.items() if names or len(ages) == len(people)}


def _out_of_work(people: Sequence[Person], settings: Settings, today: date) -> dict[Kind, Any]:
    """Who is out of work; asked only where everybody old enough has work, or none, on record and fresh."""
    adults = [p for p in people if p.birth_date is None or age_on(p.birth_date, today) >= WORKING]
    if not adults or any(p.employment is None for p in adults):
        return {}
    if not all(settings.is_fresh("employment", person.seen_on, today) for person in adults):
        return {}
    return {Kind.JOBLESS: [person.name for person in adults if person.employment == Employment.UNEMPLOYED]}


def pick(answers: Mapping[Kind, Any], seed: int, household_id: UUID) -> list[Kind]:
    """Which of the answerable questions are asked, in the order of `Kind`: four to six where there are so many.

    First what has something to tell, at most five; then, by chance, those whose answer is nobody or never: were they
    left out, the question alone would say that there is somebody.
    """
    telling = [kind for kind in Kind if answers.get(kind)][:MOST_TELLING]
    empty = [kind for kind in Kind if kind in answers and not answers[kind]]
    empty.sort(key=lambda kind: chance(seed, household_id, kind))
    asked = {*telling, *empty[: max(LEAST_ASKED - len(telling), 1)]}
    rest = [kind for kind in Kind if answers.get(kind) and kind not in asked]
    asked.update(rest[: MOST_ASKED - len(asked)])
    return [kind for kind in Kind if kind in asked]


def pool(kind: Kind, value: Any, own: Home, others: Iterable[Any]) -> list[Any]:
    """Wrong answers that sound right: what is true of `others` of the same building, nobody, the neighbour number."""
    found = list(others)
    if kind is Kind.PEOPLE:
        found += [value + 1, *([value - 1] if value > 1 else [])]
    elif kind in (Kind.OVER80, Kind.UNDER6, Kind.JOBLESS):
        found += [[], *([person.name] for person in own.people)]
    elif kind is Kind.CARE:
        found.append([])
    elif kind is Kind.RENTS:
        found += list(map(str, LIVED_IN))
    return [other for other in found if other is not None]


def choices(kind: Kind, value: Any, plausible: Iterable[Any], seed: int, household_id: UUID) -> list[Any]:
    """The true answer among at most three plausible ones, in an order by chance; [] where nothing is plausible."""

    def turn(text: str) -> int:
        return chance(seed, household_id, kind, text)

    true = canonical(value)
    wrong = sorted({canonical(other) for other in plausible} - {true}, key=turn)[: MOST_CHOICES - 1]
    return [json.loads(text) for text in sorted([true, *wrong], key=turn)] if wrong else []


def canonical(value: Any) -> str:
    """A value as JSON that is the same for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# --- at the door


@dataclass(frozen=True)
class Findings:
    """What a resident said at the door, if they agreed to be asked: is the record true, do they know their worker,
    did the logged visit happen, were they told the answer. None: not asked, or they do not know."""

    has_agreed: bool
    is_true: bool | None = None
    knows_worker: bool | None = None
    visit_happened: bool | None = None
    was_told: bool | None = None
    note: str | None = None

    def differences(self) -> list[str]:
        """The names of what was denied."""
        asked = ("is_true", "knows_worker", "visit_happened", "was_told")
        return [name for name in asked if self.has_agreed and getattr(self, name) is False]


TO_DO = {
    "is_true": "抽查：登记的和住户说的不一样，去核对",
    "knows_worker": "抽查：住户不认识片长，上门认识一下",
    "visit_happened": "抽查：住户说没有来过，问清楚",
    "was_told": "抽查：住户说没有收到答复，去告诉",
}
"""What becomes a follow-up at the household; no more of it than that, the resident's word stays sealed."""
TO_DO_DAYS = 7
LONGEST_WORD = 200
"""Signs of a word against a verdict, and of the decision."""


# --- signs of a careless log


class SignKind(StrEnum):
    """What a person may want to look at; none of it proves anything."""

    RUSH = "rush"
    SAME = "same"
    NIGHT = "night"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Sign:
    """A sign in somebody's log. `facts` by kind, on `days`:

    rush: visits, minutes, metres; same: sentence, visits; night: visits, of; unchanged: visits, changes.
    """

    kind: SignKind
    worker: str
    worker_id: UUID
    facts: dict[str, Any]
    days: tuple[date, ...] = ()


@dataclass(frozen=True)
class Logged:
    """A visit as the signs see it: moments in the community's time; `at` None where the building has no point."""

    visited_at: datetime
    recorded_at: datetime
    outcome: str
    sentence: str | None
    at: tuple[float, float] | None


RUSH_VISITS, RUSH_MINUTES, RUSH_METRES = 5, 10, 300
"""Five visits within ten minutes, the farthest two doors 300 m apart: some four minutes' walk. Own starting values."""
SAME_VISITS, SAME_SIGNS = 8, 4
"""The same sentence, of four signs or more, at eight doors of a month."""
NIGHT_VISITS, NIGHT_SHARE, NIGHT = 10, 0.9, (22, 5)
"""Nine of ten saved between 22:00 and 5:00, of ten or more."""
UNCHANGED_VISITS = 30
"""Thirty times met within a year and never anything changed (002 每月走访居民不少于30户)."""


def rush(log: Sequence[Logged]) -> tuple[dict[str, Any], tuple[date, ...]] | None:
    """The most visits within `RUSH_MINUTES` at doors `RUSH_METRES` or more apart, and on which days that happened."""
    placed = sorted((visit for visit in log if visit.at), key=lambda visit: visit.visited_at)
    found, days, first = None, set(), 0
    for last, visit in enumerate(placed):
        while visit.visited_at - placed[first].visited_at > timedelta(minutes=RUSH_MINUTES):
            first += 1
        window = placed[first : last + 1]
        if len(window) < RUSH_VISITS:
            continue
        doors = {seen.at for seen in window if seen.at}
        metres = max((_metres(one, other) for one, other in combinations(doors, 2)), default=0.0)
        if metres < RUSH_METRES:
            continue
        days.add(visit.visited_at.date())
        if found is None or len(window) > found["visits"]:
            minutes = ceil((visit.visited_at - window[0].visited_at).total_seconds() / 60)
            found = {"visits": len(window), "minutes": minutes, "metres": int(metres // 10 * 10)}
    return (found, tuple(sorted(days))) if found else None


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far apart two points in degrees lie, on a plane: right to a thousandth within a community."""
    across = (other[0] - one[0]) * cos(radians((one[1] + other[1]) / 2))
    return hypot(across, other[1] - one[1]) * 111_195


def same_sentence(log: Sequence[Logged]) -> tuple[dict[str, Any], tuple[date, ...]] | None:
    """The sentence that stands at the most visits, where those are many."""
    by_sentence: dict[str, list[Logged]] = defaultdict(list)
    for visit in log:
        text = "".join((visit.sentence or "").split())
        if len(text) >= SAME_SIGNS:
            by_sentence[text].append(visit)
    most = max(by_sentence.values(), key=len, default=[])
    if len(most) < SAME_VISITS:
        return None
    return {"sentence": most[0].sentence, "visits": len(most)}, _days(most)


def at_night(log: Sequence[Logged]) -> tuple[dict[str, Any], tuple[date, ...]] | None:
    """Whether nearly all was saved at night."""
    late = [v for v in log if v.recorded_at.hour >= NIGHT[0] or v.recorded_at.hour < NIGHT[1]]
    if len(log) < NIGHT_VISITS or len(late) < NIGHT_SHARE * len(log):
        return None
    return {"visits": len(late), "of": len(log)}, _days(late)


def _days(log: Collection[Logged]) -> tuple[date, ...]:
    return tuple(sorted({visit.visited_at.date() for visit in log}))
