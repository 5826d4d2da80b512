"""The demonstration community as values: the same for the same seed and day, whatever the database."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from fieldapp.demo.blocks import DoorPlan, Point
from fieldapp.demo.families import KNOWN, arrivals, nobody, owners, renters
from fieldapp.demo.log import keep_log
from fieldapp.demo.names import full_name
from fieldapp.demo.people import MAN, PHONE_PREFIX, WOMAN, Family, Registrar
from fieldapp.demo.plans import Home, Log, PromisePlan, VisitPlan
from fieldapp.demo.town import ORIGIN, BuildingPlan, Town, build_town
from fieldapp.visits.rules import ZONE, Outcome, Way, is_working_day

CODE, NAME, STREET_CODE, SEED = "demo", "梧桐里社区", "wutong", 20
PASSWORD = "fieldapp-demo"  # noqa: S105 - shown on the sign-in page; these accounts exist in a demonstration only

WORKERS = ("刘文静", "吴海涛", "周敏", "陈晓东", "徐丽", "何志刚", "王春燕", "马骏", "赵明", "孙倩")
"""worker1 … worker10 of the demonstration: 1 and 2 share the first district, and so on; odd ones lead."""
DIRECTOR, STREET_OFFICE, ADMIN = "沈国英", "梧桐街道办事处", "系统管理员"

SWAPPED_DISTRICT = 2
"""The district (index) whose lead and partner changed places on the first of last month."""

_SECOND_FAMILIES = (("35", 2, "301"), ("yard-3", 1, "6"))
"""Doors behind which two households live."""


@dataclass(frozen=True)
class Plan:
    """A whole community. `homes` are in the order of `doors_of(town)`, a door's second household last."""

    town: Town
    homes: tuple[Home, ...]
    doors: tuple[int, ...]
    log: Log
    workers: tuple[str, ...]
    director: str
    phones: tuple[str, ...]


def doors_of(town: Town) -> list[tuple[BuildingPlan, DoorPlan]]:
    """Every door with its building, in the order of buildings and of their doors."""
    return [(building, door) for building in town.buildings for door in building.doors]


def make_plan(
    seed: int, *, today: date, now: datetime, months: int = 3, origin: Point = ORIGIN, staff: bool = True
) -> Plan:
    """Everything about a community. `staff`: the demonstration's own names; else names by chance.

    `doors[i]` is the index in `doors_of(town)` of the door of `homes[i]`; shops have no household.
    """
    rng = Random(seed)
    town = build_town(origin)
    make = Registrar(rng, today)
    homes, doors = _settle(make, town)
    log = keep_log(rng, homes, today, now, months)
    _add_known_moments(log, homes, today, now)
    names = [full_name(rng, rng.choice((MAN, WOMAN, WOMAN)), rng.randint(1975, 1999)) for _ in range(11)]
    workers, director = (WORKERS, DIRECTOR) if staff else (tuple(names[:10]), names[10])
    phones = tuple(f"{PHONE_PREFIX}{rng.randrange(10**8):08d}" for _ in range(11))
    return Plan(town, tuple(homes), tuple(doors), log, workers, director, phones)


def first_of_last_month(today: date) -> date:
    """The day on which lead and partner of one district changed places."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _settle(make: Registrar, town: Town) -> tuple[list[Home], list[int]]:
    homes: list[Home] = []
    doors: list[int] = []
    buildings = {building.code: i for i, building in enumerate(town.buildings)}
    for i, (building, door) in enumerate(doors_of(town)):
        if door.kind == "shop":
            continue
        families = [_family(make, building, door)]
        if (building.code, door.entrance, door.room) in _SECOND_FAMILIES:
            families.append(renters(make))
        for family in families:
            place = building.longitude, building.latitude
            home = Home(len(homes), building.district, buildings[building.code], door.entrance, place, family)
            homes.append(home)
            doors.append(i)
    return homes, doors


def _family(make: Registrar, building: BuildingPlan, door: DoorPlan) -> Family:
    """Six per cent stand empty, one in eight is let (towers more), one in eighty moved in lately."""
    known = KNOWN.get((building.code, door.entrance, door.room))
    if known:
        return known(make)
    if building.district is None:
        family = renters(make) if door.column == 1 else owners(make)
        family.cares.clear()
        return family
    if door.span == 2 or (building.code, door.entrance, door.room) in _SECOND_FAMILIES:
        return owners(make, large=door.span == 2)
    chance = make.rng.random()
    let = 0.16 if building.levels > 6 or building.is_yard else 0.11
    if chance < 0.06:
        return nobody(make)
    if chance < 0.0725:
        return arrivals(make)
    return renters(make) if chance < 0.0725 + let else owners(make)


def _add_known_moments(log: Log, homes: list[Home], today: date, now: datetime) -> None:
    """What every demonstration shows: a promise due soon, a fall, a correction."""
    known = {home.family.known: home for home in homes}
    _word_zhang(log, known["zhang"], today)
    _promise_soon(log, today)
    _correct_one(log, now)
    _urgent(log, known["zhou"], today, now)


def _word_zhang(log: Log, home: Home, today: date) -> None:
    met = [visit for visit in log.visits if visit.home is home and visit.met]
    log.promises[:] = [promise for promise in log.promises if promise.visit.home is not home]
    words = (("腿脚还行，想办助餐卡。", ("助餐",)), ("低保年审材料已交。", ("低保",)))
    for visit, (sentence, topics) in zip(reversed(met), words, strict=False):
        visit.sentence, visit.topics, visit.outcome = sentence, topics, Outcome.MET
        visit.met = (0,) if topics == ("助餐",) else (0, 1)
    if met:
        log.promises.append(PromisePlan(met[-1], "问助餐卡几号能好", today + timedelta(days=2)))


def _promise_soon(log: Log, today: date) -> None:
    """The first pair has something to see to until tomorrow."""
    met = [visit for visit in log.visits if visit.met and visit.visitor == 0 and not visit.home.cares]
    if met:
        visit = met[-1]
        visit.sentence, visit.topics = "楼道灯坏了一个，三楼到四楼。", ("楼道",)
        log.promises[:] = [promise for promise in log.promises if promise.visit is not visit]
        log.promises.append(PromisePlan(visit, "找物业换三楼的灯", today + timedelta(days=1)))


def _correct_one(log: Log, now: datetime) -> None:
    """Nobody home in the third district was somebody met downstairs: the newest that no later visit speaks of."""
    later: set[int] = set()
    for visit in reversed(log.visits):
        fits = visit.outcome is Outcome.NOBODY and visit.home.district == 2 and not visit.home.cares
        old = now - visit.visited_at > timedelta(days=5)
        if fits and old and visit.home.number not in later:
            log.visits.append(_correction(len(log.visits), visit))
            return
        later.add(visit.home.number)


def _correction(number: int, wrong: VisitPlan) -> VisitPlan:
    return VisitPlan(
        number, wrong.home, wrong.visitor, wrong.companion, wrong.visited_at,
        wrong.recorded_at + timedelta(minutes=25), Outcome.MET, Way.OTHER, (),
        "刚才记成没人在，其实在楼下碰到了，家里都好。", (0,), corrects=wrong,
    )  # fmt: skip


def _urgent(log: Log, home: Home, today: date, now: datetime) -> None:
    """周福生's fall, forty minutes ago or at the end of the last working day; nobody has taken it so far."""
    at = now - timedelta(minutes=40)
    hour = at.astimezone(ZONE).hour
    if not (is_working_day(today) and 8 <= hour < 18 and at.astimezone(ZONE).date() == today):
        day = today - timedelta(days=1)
        while not is_working_day(day):
            day -= timedelta(days=1)
        at = datetime.combine(day, time(16, 20), ZONE)
    visit = VisitPlan(len(log.visits), home, 2, None, at, at + timedelta(minutes=2), Outcome.MET)
    visit.sentence, visit.topics = "周福生在家摔倒，已打 120，在等救护车。", ("看病",)
    visit.met, visit.is_urgent = (0,), True
    log.visits.append(visit)
