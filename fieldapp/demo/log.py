"""Some months of the visit log, walked day by day: who climbed which stairwell, whom they met, what they promised."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from fieldapp.demo.notebook import Notebook
from fieldapp.demo.plans import Home, Log, VisitPlan
from fieldapp.households.defaults import CARE_GROUPS
from fieldapp.households.rules import Occupancy
from fieldapp.visits.rules import MET, ZONE, Care, Outcome, care_due_on, day_of, is_working_day, month_of

DAYS_BEFORE_MONTHS = 22
"""Days the log begins before its months: some doors are then longer unmet than a routine's 90 days."""
QUIET_DISTRICT, QUIET_DAYS = 4, 8
"""The fifth district (index) has had no visit for so many days."""
LEFT_OVERDUE = (1, 4, 1, 2, 2)
"""Priority doors that are left overdue today, by district."""

OLDER_DAYS, OLDER_SHARES = 50, (0.3, 0.34, 0.0, 0.0, 0.72)
"""In so many days before the log proper, ordinary doors were walked once: these shares of them, by district. Thirty
households a worker and month would need half a year to see a district of 200 and its priority doors as well."""

THIS_MONTH = (15, 5, 12, 9, 4)
"""Households that each worker of a district is to meet in the month of today: some pairs are ahead, some behind."""

_GROUPS = {group.code: group for group in CARE_GROUPS}
_ENOUGH = 38
"""No worker meets more households than this in a month, but for a few priority doors to catch up with."""


def keep_log(rng: Random, homes: Sequence[Home], today: date, now: datetime, months: int) -> Log:
    """Walk `months` months and `DAYS_BEFORE_MONTHS` days up to `now`; workers 2d and 2d+1 walk district d."""
    first = today - timedelta(days=months * 30 + DAYS_BEFORE_MONTHS)
    log = Log()
    for home in homes:
        _prepare(rng, home)
    for district in range(5):
        walk = _Walk(rng, log, district, [home for home in homes if home.district == district], first, today, now)
        walk.older_days()
        walk.all_days()
        walk.catch_up()
    _settle_promises(log, today)
    log.visits.sort(key=lambda visit: visit.visited_at)
    return log


def _prepare(rng: Random, home: Home) -> None:
    """Turn a family into what decides how it is met: its care, how often it is out, whether it opens."""
    family = home.family
    home.cares = tuple(
        Care(m.group, m.since, m.until, _GROUPS[m.group].every_days, _GROUPS[m.group].within_days) for m in family.cares
    )
    if family.registered[0][1] is Occupancy.VACANT and len(family.registered) > 1:
        home.lived_in_from = family.registered[1][0]
    pensioners = sum(person.birth_date.year < 1966 for person in family.people)
    home.chance_out = rng.uniform(0.04, 0.16) if pensioners else rng.uniform(0.15, 0.42)
    if not home.cares and rng.random() < 0.02:
        home.chance_refuse = 0.7
    _reckon(home)


def _reckon(home: Home) -> None:
    dues = [due for care in home.cares if (due := care_due_on(care, home.last_met_on))]
    home.due_on = min(dues, default=None)


class _Walk:
    """One district's pair and their days."""

    def __init__(
        self, rng: Random, log: Log, district: int, homes: list[Home], first: date, today: date, now: datetime
    ) -> None:
        self.rng, self.homes, self.district = rng, homes, district
        self.today, self.now = today, now
        self.notebook = Notebook(rng, log, now)
        last = _last_day(today) if district == QUIET_DISTRICT else today
        self.days = [day for day in _days(first, last) if is_working_day(day)]
        self.pair = (2 * district, 2 * district + 1)
        self.pace = _paces(first, last)
        least = 34 if district == QUIET_DISTRICT else 31
        months = sorted({month for month, _ in self.pace.values()})
        self.targets = {(w, month): rng.uniform(least, least + 3) for w in self.pair for month in months}
        for worker in self.pair:
            self.targets[worker, month_of(today).first] = THIS_MONTH[district]
        self.met: dict[tuple[int, date], set[int]] = defaultdict(set)
        self.ends: dict[tuple[date, int], datetime] = {}
        self.care_homes = [home for home in homes if home.cares]
        self.stairwells: dict[tuple[int, int], list[Home]] = defaultdict(list)
        for home in homes:
            self.stairwells[home.stairwell].append(home)
        self.appointments: dict[date, list[Home]] = defaultdict(list)
        self.mover = rng.choice([home for home in homes if not home.cares and not home.family.is_empty])
        self.moves_on = rng.choice(self.days[-40:-2])
        self.appointments[self.moves_on].append(self.mover)
        for home in homes:
            if home.family.known == "wang":
                home.kept_on = date.min
        self._leave_overdue(LEFT_OVERDUE[district])

    def older_days(self) -> None:
        """The walks before the log proper, a stairwell's doors together."""
        days = [day for day in _days(self.days[0] - timedelta(days=OLDER_DAYS), self.days[0]) if is_working_day(day)][
            :-1
        ]
        ordinary = [home for home in self.homes if not home.cares and not home.family.is_empty]
        chosen = self.rng.sample(ordinary, int(len(ordinary) * OLDER_SHARES[self.district]))
        chosen.sort(key=lambda home: (home.stairwell, home.number))
        walks = [chosen[i : i + 5] for i in range(0, len(chosen), 5)]
        turns = [(worker, day) for day in days for worker in self.pair]
        for (worker, day), walk in zip(self.rng.sample(turns, len(walks)), walks, strict=True):
            self._go(worker, day, walk[::-1])

    def all_days(self) -> None:
        """Every working day's walks."""
        for day in self.days:
            booked = self.appointments.pop(day, [])
            for worker in self.pair:
                if self._walks(worker, day) or booked:
                    self._go(worker, day, self._route(day, booked))
                    booked = []

    def catch_up(self) -> None:
        """On the last days, see the priority doors that are still overdue, but for those left on purpose."""
        for home in self.care_homes:
            overdue = home.due_on is not None and home.due_on < self.today and not home.is_gone
            if overdue and home.kept_on is None and home.family.known != "zhou":
                self._see_late(home)

    def _leave_overdue(self, count: int) -> None:
        """Book the last meeting of some priority doors so long ago that they are overdue today by a few days."""
        steady = [
            home for home in self.care_homes if home.rhythm() in (15, 30) and home.family.cares[0].group != "dispute"
        ]
        known = [home for home in steady if home.family.known == "zhang"]
        others = [home for home in steady if home.family.known is None]
        chosen = known + self.rng.sample(others, min(count - len(known), len(others)))
        for home in chosen:
            late = 6 if home in known else self.rng.randint(1, 8)
            latest = self.today - timedelta(days=(home.rhythm() or 0) + late)
            home.kept_on = max((day for day in self.days if day <= latest), default=self.days[0])
            self.appointments[home.kept_on].append(home)

    def _walks(self, worker: int, day: date) -> bool:
        """Whether the worker is behind the pace that brings the month's households in evenly."""
        month, share = self.pace[day]
        return len(self.met[worker, month]) + self.rng.uniform(0, 3) < self.targets[worker, month] * share

    def _route(self, day: date, booked: list[Home]) -> list[Home]:
        """Three to six doors, priority first, the rest on the same stairs; in the order of climbing."""
        count = self.rng.randint(3, 6)
        due = booked or self._due(day)
        if due:
            near = [home for home in due[1:] if home.building == due[0].building]
            far = [home for home in due[1:] if home.building != due[0].building]
            route = booked or [due[0], *near[:2], *far[:1]]
            stairs = self.stairwells[due[0].stairwell]
        else:
            route, stairs = [], self._emptiest(day)
        fill = [home for home in self._ripe(stairs, day) if home not in route]
        route += fill[: max(count - len(route), 0)]
        return sorted(route, key=lambda home: (home.building, home.entrance, -home.number))

    def _due(self, day: date) -> list[Home]:
        horizon = (
            min(day + timedelta(days=6), self.today) if (self.days[-1] - day).days < 20 else day + timedelta(days=1)
        )
        due = [home for home in self.care_homes if home.due_on and home.due_on <= horizon and self._open(home, day, 2)]
        return sorted(due, key=lambda home: (home.due_on, home.number))

    def _open(self, home: Home, day: date, rest: int) -> bool:
        """Whether a knock makes sense: lived in, not kept for later, not knocked on for `rest` days."""
        if home.is_gone or day < home.lived_in_from or self._is_spared(home, day):
            return False
        if home.kept_on is not None and day > home.kept_on and self.rng.random() > 0.08:
            return False
        return home.last_knock_on is None or (day - home.last_knock_on).days >= rest

    def _is_spared(self, home: Home, day: date) -> bool:
        """Whether a booked meeting is near, so that nobody knocks just before it."""
        if home.family.known == "zhou":
            return (self.today - day).days <= 9
        return home.kept_on is not None and 0 < (home.kept_on - day).days <= 12

    def _ripe(self, stairs: Sequence[Home], day: date) -> list[Home]:
        """Doors of a stairwell worth knocking on in passing: never met first, then longest not met."""
        ripe = [home for home in stairs if self._wants(home, day)]
        return sorted(ripe, key=lambda home: (home.knocks > 3, home.last_met_on or date.min, home.number))

    def _wants(self, home: Home, day: date) -> bool:
        if home.cares and home.last_met_on is not None:
            return False
        if home.family.is_empty:
            return home.knocks == 0 and self.rng.random() < 0.15
        if home.last_met_on is not None and (day - home.last_met_on).days < 50:
            return False
        return self._open(home, day, 6)

    def _emptiest(self, day: date) -> list[Home]:
        """One of the stairwells with most doors never met."""

        def score(stairs: list[Home]) -> float:
            wanted = sum(h.last_met_on is None and not h.family.is_empty and h.knocks < 4 for h in stairs)
            rested = sum(h.last_knock_on is None or (day - h.last_knock_on).days > 6 for h in stairs)
            return min(wanted, rested) / float(len(stairs) ** 0.5) + self.rng.random()

        return max(self.stairwells.values(), key=score)

    def _go(self, worker: int, day: date, route: list[Home]) -> None:
        """Knock on the doors of a route one after the other, in working hours."""
        month = month_of(day).first
        start = self.rng.choice(
            (9 * 60, 9 * 60 + 30, 10 * 60, 14 * 60, 14 * 60 + 30, 15 * 60, 15 * 60 + 30, 17 * 60 + 30)
        )
        clock = _midnight(day) + timedelta(minutes=start + self.rng.randint(0, 25), seconds=self.rng.randint(0, 59))
        clock = max(clock, self.ends.get((day, worker), clock))
        evening = _midnight(day) + timedelta(hours=18, minutes=50)
        companion = sum(self.pair) - worker if self.rng.random() < 0.12 else None
        for home in route:
            full = len(self.met[worker, month]) >= min(_ENOUGH, self.targets.get((worker, month), _ENOUGH) + 6)
            if clock + timedelta(minutes=6) > self.now or clock > evening or full:
                break
            visit = self._knock(worker, companion, home, clock)
            clock += timedelta(minutes=self.rng.randint(7, 16) if visit.outcome in MET else self.rng.randint(1, 4))
        self.ends[day, worker] = clock

    def _knock(self, worker: int, companion: int | None, home: Home, at: datetime) -> VisitPlan:
        day = day_of(at)
        visit = self.notebook.write(worker, companion, home, at, self._outcome(home, day))
        home.knocks += 1
        home.last_knock_on = day
        if visit.outcome in MET:
            home.last_met_on = day
            self.met[worker, month_of(day).first].add(home.number)
            _reckon(home)
        elif visit.outcome is Outcome.MOVED:
            home.is_gone = True
        return visit

    def _outcome(self, home: Home, day: date) -> Outcome:
        if home.family.is_empty:
            return Outcome.VACANT
        if home.kept_on is not None and day >= home.kept_on:
            return Outcome.MET if day == home.kept_on else Outcome.NOBODY
        if home is self.mover and day >= self.moves_on:
            return Outcome.MOVED
        chance = self.rng.random()
        if chance < home.chance_refuse:
            return Outcome.REFUSED
        if chance < home.chance_refuse + home.chance_out:
            return Outcome.NOBODY
        return Outcome.CHANGED if self.rng.random() < 0.06 else Outcome.MET

    def _see_late(self, home: Home) -> None:
        rhythm = home.rhythm() or 30
        for day in reversed(self.days):
            if (home.last_met_on is not None and day <= home.last_met_on) or day + timedelta(days=rhythm) < self.today:
                return
            for worker in self.pair:
                clock = self.ends.get((day, worker), _midnight(day) + timedelta(hours=15)) + timedelta(minutes=9)
                late = clock > _midnight(day) + timedelta(hours=18, minutes=45)
                full = len(self.met[worker, month_of(day).first]) >= _ENOUGH + 5
                if late or full or clock + timedelta(minutes=6) > self.now or day < home.lived_in_from:
                    continue
                home.chance_out = home.chance_refuse = 0
                self.ends[day, worker] = clock
                self._knock(worker, None, home, clock)
                return


def _settle_promises(log: Log, today: date) -> None:
    """Promises whose day has passed were kept in time, but for the newest of the first and the third pair."""
    log.promises.sort(key=lambda promise: (promise.due_on, promise.visit.number))
    for earlier in log.promises:
        if earlier.due_on < today:
            kept_at = earlier.visit.visited_at + (earlier.due_on - earlier.visit.visited_on) * 0.7
            earlier.done_at = kept_at
    for district in (0, 2):
        past = [p for p in log.promises if p.done_at and p.visit.visitor // 2 == district]
        if past:
            past[-1].done_at = None


def _days(first: date, last: date) -> Iterator[date]:
    for i in range((last - first).days + 1):
        yield first + timedelta(days=i)


def _last_day(today: date) -> date:
    """The quiet district's last day of visits."""
    day = today - timedelta(days=QUIET_DAYS)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


def _paces(first: date, last: date) -> dict[date, tuple[date, float]]:
    """For every working day its month and the share of the month's working days that have gone since `first`."""
    paces: dict[date, tuple[date, float]] = {}
    gone: dict[date, int] = defaultdict(int)
    in_month: dict[date, int] = {}
    for day in _days(first, last):
        if is_working_day(day):
            span = month_of(day)
            if span.first not in in_month:
                in_month[span.first] = sum(is_working_day(d) for d in _days(span.first, span.last))
            gone[span.first] += 1
            paces[day] = span.first, gone[span.first] / in_month[span.first]
    return paces
