"""Reading spot checks: the checks of a community, their sheets, what came out of them, signs of a careless log.

A worker reads the sheets they answer for, and what is expected only once it was answered. A street office counts.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import Select, and_, bindparam, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import Household
from fieldapp.places.models import Building, District, Dwelling
from fieldapp.seals import keyring
from fieldapp.spotchecks import rules
from fieldapp.spotchecks.models import SpotAnswer, SpotCheck, SpotContest, SpotDoor, SpotQuestion, SpotSample
from fieldapp.spotchecks.rules import Findings, Kind, Logged, Score, Share, Sign, SignKind, Verdict
from fieldapp.visits.models import Visit
from fieldapp.visits.queries import stands, was_met
from fieldapp.visits.rules import ZONE, Outcome

Rows = Select[*tuple[Any, ...]]


# --- checks


def checks(session: Session, actor: Actor) -> list[SpotCheck]:
    """The checks of the actor's community, newest first; a worker's are those with a sheet of their own."""
    statement = _checks(actor.role).order_by(SpotCheck.month.desc(), SpotCheck.drawn_at.desc(), SpotCheck.id.desc())
    return list(session.scalars(statement, _bounds(actor)))


def check(session: Session, actor: Actor, check_id: UUID) -> SpotCheck | None:
    """A check that the actor may see."""
    return session.scalar(_checks(actor.role).where(SpotCheck.id == check_id), _bounds(actor))


@cache
def _checks(role: Role) -> Rows:
    statement = visible(select(SpotCheck), anybody(role), SpotCheck, figures=True)
    if role is Role.WORKER:
        own = _samples(role, select(SpotSample.id), figures=False).where(SpotSample.check_id == SpotCheck.id)
        statement = statement.where(own.correlate(SpotCheck).exists())
    return statement


def _samples(role: Role, statement: Any, *, figures: bool) -> Any:
    """Narrow samples to what a role may see: a worker sees the doors of today's districts that they answer for."""
    statement = statement.join(Household, Household.id == SpotSample.household_id)
    statement = statement.join(Dwelling, Dwelling.id == Household.dwelling_id)
    if role is Role.WORKER:
        statement = statement.where(SpotSample.answerer_id == bindparam("answerer"))
    return visible(statement, anybody(role), Dwelling, figures=figures)


def _bounds(actor: Actor) -> dict[str, Any]:
    return bounds(actor) | {"answerer": actor.user_id}


# --- sheets


@dataclass
class Asked:
    """A question with what is expected and what was answered. For a worker `value` is None until it is answered."""

    question: SpotQuestion
    kind: Kind
    value: Any
    choices: list[Any]
    answer: SpotAnswer | None = None
    contest: SpotContest | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict that holds: the director's where one was decided."""
        return verdict_of(self.answer, self.contest)


def holds(asked: Asked) -> Verdict | None:
    """The verdict that holds for a question; None while it is not answered."""
    return asked.verdict


def verdict_of(answer: SpotAnswer | None, contest: SpotContest | None) -> Verdict | None:
    """The verdict that holds: the director's where one was decided."""
    if answer is None:
        return None
    return Verdict(contest.verdict if contest and contest.verdict else answer.verdict)


@dataclass
class Sheet:
    """A drawn household: where it is, who answers for it, what is asked, what was said at the door."""

    sample: SpotSample
    building_name: str
    is_courtyard: bool
    building_id: UUID
    entrance: int
    floor: int
    room: str
    district: str
    answerer: str | None
    questions: list[Asked] = field(default_factory=list)
    door: SpotDoor | None = None

    @property
    def is_answered(self) -> bool:
        """Whether every question was answered."""
        return all(asked.answer for asked in self.questions)


def sheets(session: Session, actor: Actor, check: SpotCheck) -> list[Sheet]:
    """The sheets of a check in the order of its sample; a worker's own, none for a street office. Three statements."""
    return _read_sheets(session, actor, SpotSample.check_id == bindparam("of"), check.id)


def sheet(session: Session, actor: Actor, sample_id: UUID) -> Sheet | None:
    """One sheet that the actor may see."""
    return next(iter(_read_sheets(session, actor, SpotSample.id == bindparam("of"), sample_id)), None)


def _read_sheets(session: Session, actor: Actor, which: Any, key: UUID) -> list[Sheet]:
    values = _bounds(actor) | {"of": key}
    statement = _samples(actor.role, _SHEETS, figures=False).join(Building, Building.id == Dwelling.building_id)
    statement = statement.where(which).order_by(SpotSample.position)
    found = {row[0].id: Sheet(*row) for row in session.execute(statement, values)}
    if not found:
        return []
    may_read = actor.role is not Role.WORKER
    asked = (
        _samples(actor.role, _ASKED, figures=False).where(which).order_by(SpotSample.position, SpotQuestion.position)
    )
    for question, answer, contest in session.execute(asked, values):
        expected = expected_of(question)
        value = expected["value"] if may_read or answer else None
        kind = Kind(question.kind)
        found[question.sample_id].questions.append(Asked(question, kind, value, expected["choices"], answer, contest))
    doors = _samples(actor.role, select(SpotDoor).join(SpotSample, SpotSample.id == SpotDoor.sample_id), figures=False)
    for door in session.scalars(doors.where(which), values):
        found[door.sample_id].door = door
    return list(found.values())


_ANSWERER = aliased(User)
_SHEETS: Any = (
    select(
        SpotSample,
        Building.name,
        Building.kind == "courtyard",
        Building.id,
        Dwelling.entrance,
        Dwelling.floor,
        Dwelling.room,
        District.name,
        _ANSWERER.name,
    )
    .select_from(SpotSample)
    .join(District, District.id == SpotSample.district_id)
    .outerjoin(_ANSWERER, _ANSWERER.id == SpotSample.answerer_id)
)
_ASKED: Any = (
    select(SpotQuestion, SpotAnswer, SpotContest)
    .select_from(SpotQuestion)
    .join(SpotSample, SpotSample.id == SpotQuestion.sample_id)
    .outerjoin(SpotAnswer, SpotAnswer.question_id == SpotQuestion.id)
    .outerjoin(SpotContest, SpotContest.question_id == SpotQuestion.id)
)


def question(session: Session, actor: Actor, question_id: UUID) -> tuple[SpotQuestion, SpotSample, SpotCheck] | None:
    """A question that the actor may see, with its sample and its check."""
    statement = (
        select(SpotQuestion, SpotSample, SpotCheck)
        .select_from(SpotQuestion)
        .join(SpotSample, SpotSample.id == SpotQuestion.sample_id)
        .join(SpotCheck, SpotCheck.id == SpotSample.check_id)
        .where(SpotQuestion.id == bindparam("of"))
    )
    row = session.execute(_samples(actor.role, statement, figures=False), _bounds(actor) | {"of": question_id}).first()
    return (row[0], row[1], row[2]) if row else None


def answer_of(session: Session, question_id: UUID) -> SpotAnswer | None:
    """How a question was answered."""
    return session.scalar(select(SpotAnswer).where(SpotAnswer.question_id == question_id))


def contest_of(session: Session, question_id: UUID) -> SpotContest | None:
    """The word against a question's verdict."""
    return session.scalar(select(SpotContest).where(SpotContest.question_id == question_id))


def door_of(session: Session, sample_id: UUID) -> SpotDoor | None:
    """What was said at a sample's door."""
    return session.scalar(select(SpotDoor).where(SpotDoor.sample_id == sample_id))


def findings_of(door: SpotDoor) -> Findings:
    """What was said at a door, as it was given."""
    said = (door.is_true, door.knows_worker, door.visit_happened, door.was_told)
    return Findings(door.has_agreed, *said, door.note)


def expected_of(question: SpotQuestion) -> dict[str, Any]:
    """What was on record at the draw: {"value": …, "choices": […], "sum": …}, "erased" where a person was since."""
    return json.loads(question.expected)


def sum_of(value: Any, choices: list[Any]) -> str:
    """What equal expected answers have in common, and nobody reads a name from: it outlives an erasure."""
    return keyring().digest(rules.canonical([value, choices]))


def _signed(question: SpotQuestion) -> str:
    """What is signed of an expected answer: its sum, the one of the draw where a person was erased from it since."""
    expected = expected_of(question)
    return expected["sum"] if expected.get("erased") else sum_of(expected["value"], expected["choices"])


def everything(session: Session, check: SpotCheck) -> dict[str, list[dict[str, Any]]]:
    """All that is kept of a check, by table and key, sealed values open, of expected answers the sum; without its
    signature: what is signed."""
    own = select(SpotSample.id).where(SpotSample.check_id == check.id)
    asked = select(SpotQuestion.id).where(SpotQuestion.sample_id.in_(own))
    of = (
        select(SpotCheck).where(SpotCheck.id == check.id),
        select(SpotSample).where(SpotSample.check_id == check.id),
        select(SpotQuestion).where(SpotQuestion.sample_id.in_(own)),
        select(SpotAnswer).where(SpotAnswer.question_id.in_(asked)),
        select(SpotContest).where(SpotContest.question_id.in_(asked)),
        select(SpotDoor).where(SpotDoor.sample_id.in_(own)),
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for statement in of:
        # As the database has it, not as this session remembers it.
        rows = session.scalars(statement.execution_options(populate_existing=True))
        found[statement.column_descriptions[0]["entity"].__tablename__] = sorted(
            map(_told, rows), key=lambda r: r["id"]
        )
    return found


def _told(row: Any) -> dict[str, Any]:
    """A row's values as JSON has them, sealed ones open, moments in UTC."""
    values = {}
    for column in sqlalchemy.inspect(type(row)).column_attrs:
        if column.key != "signature":
            name = column.key.removesuffix("_sealed")
            value = _signed(row) if name == "expected" else getattr(row, name)
            is_plain = value is None or isinstance(value, (bool, int, str, dict, list))
            values[name] = value if is_plain else value.isoformat() if isinstance(value, date) else str(value)
    return values


# --- what came out


@dataclass
class Line:
    """What came out in a district, or in all: who answers there, the score, and what residents said at their doors.

    `truth`: the record is true; `known`: they know their worker; `happened`: the logged visit was made; `told`: they
    were told the answer. `households` is how many were drawn, `contested` how many items a worker contested.
    """

    name: str
    worker: str | None
    score: Score
    truth: Share
    known: Share
    happened: Share
    told: Share
    contested: int
    households: int = 0
    district_id: UUID | None = None


@dataclass
class Result:
    """What came out of a check; `last` has the scores of the month before by district, where there was a check."""

    total: Line
    districts: list[Line]
    kinds: dict[Kind, Score]
    last: dict[UUID, Score]

    @property
    def last_total(self) -> Score | None:
        """The score of the month before in all the districts of this check; None where there was none."""
        known = [self.last[line.district_id] for line in self.districts if line.district_id in self.last]
        return added(known) if known else None


def added(scores: Iterable[Score]) -> Score:
    """Several scores as one."""
    kept = list(scores)
    return Score(**{verdict.value: sum(getattr(one, verdict.value) for one in kept) for verdict in Verdict})


@dataclass
class _District:
    """What a result gathers of one district."""

    name: str
    workers: set[str] = field(default_factory=set)
    households: int = 0
    verdicts: list[tuple[Kind, Verdict]] = field(default_factory=list)
    contested: int = 0
    said: list[tuple[bool | None, ...]] = field(default_factory=list)


def result(session: Session, actor: Actor, check: SpotCheck) -> Result:
    """What came out so far, by district; a worker's own districts. Five statements, whatever the size."""
    values = _bounds(actor) | {"of": check.id}
    districts: dict[UUID, _District] = {}
    for key, name, worker in session.execute(_counted(actor.role, _DRAWN).order_by(District.position), values):
        district = districts.setdefault(key, _District(name))
        district.households += 1
        district.workers |= {worker} - {None}
    for key, kind, verdict, decided, contest in session.execute(_counted(actor.role, _ANSWERS), values):
        districts[key].contested += contest is not None
        districts[key].verdicts.append((Kind(kind), Verdict(decided or verdict)))
    for key, *said in session.execute(_counted(actor.role, _SAID), values):
        districts[key].said.append(tuple(said))
    lines = [_line(district.name, [district], key) for key, district in districts.items()]
    every = [answered for district in districts.values() for answered in district.verdicts]
    asked = {kind for kind, _ in every}
    return Result(
        total=_line("", list(districts.values()), None),
        districts=lines,
        kinds={kind: rules.score(verdict for of, verdict in every if of is kind) for kind in Kind if kind in asked},
        last=_scores_of_month(session, actor, rules.month_before(check.month)),
    )


def _line(name: str, of: Sequence[_District], key: UUID | None) -> Line:
    said = [words for district in of for words in district.said]
    truth, known, happened, told = (rules.share(words[i] for words in said) for i in range(4))
    workers = sorted({worker for district in of for worker in district.workers})
    return Line(
        name=name,
        worker="、".join(workers) if key and workers else None,
        score=rules.score(verdict for district in of for _, verdict in district.verdicts),
        truth=truth,
        known=known,
        happened=happened,
        told=told,
        contested=sum(district.contested for district in of),
        households=sum(district.households for district in of),
        district_id=key,
    )


def _counted(role: Role, statement: Any) -> Any:
    """Of one check, for figures: a street office counts here too."""
    return _samples(role, statement, figures=True).where(SpotSample.check_id == bindparam("of"))


_DRAWN: Any = (
    select(SpotSample.district_id, District.name, _ANSWERER.name)
    .select_from(SpotSample)
    .join(District, District.id == SpotSample.district_id)
    .outerjoin(_ANSWERER, _ANSWERER.id == SpotSample.answerer_id)
)
_ANSWERS: Any = (
    select(SpotSample.district_id, SpotQuestion.kind, SpotAnswer.verdict, SpotContest.verdict, SpotContest.id)
    .select_from(SpotAnswer)
    .join(SpotQuestion, SpotQuestion.id == SpotAnswer.question_id)
    .join(SpotSample, SpotSample.id == SpotQuestion.sample_id)
    .outerjoin(SpotContest, SpotContest.question_id == SpotQuestion.id)
)
_SAID: Any = (
    select(SpotSample.district_id, SpotDoor.is_true, SpotDoor.knows_worker, SpotDoor.visit_happened, SpotDoor.was_told)
    .select_from(SpotDoor)
    .join(SpotSample, SpotSample.id == SpotDoor.sample_id)
    .where(SpotDoor.has_agreed)
)
_LATER = aliased(SpotCheck)


def _is_latest() -> Any:
    """Whether no later draw replaced a check."""
    return ~exists().where(_LATER.replaces_id == SpotCheck.id)


def _scores_of_month(session: Session, actor: Actor, month: str) -> dict[UUID, Score]:
    statement = _ANSWERS.join(SpotCheck, SpotCheck.id == SpotSample.check_id)
    statement = _samples(actor.role, statement, figures=True).where(SpotCheck.month == bindparam("month"), _is_latest())
    verdicts: dict[UUID, list[str]] = defaultdict(list)
    for key, _, verdict, decided, _ in session.execute(statement, _bounds(actor) | {"month": month}):
        verdicts[key].append(decided or verdict)
    return {key: rules.score(said) for key, said in verdicts.items()}


@dataclass
class Progress:
    """How far a check is: households, questions, answers, doors asked at, contests that wait for the director."""

    households: int = 0
    questions: int = 0
    answers: int = 0
    doors: int = 0
    undecided: int = 0


def progress(session: Session, actor: Actor) -> dict[UUID, Progress]:
    """How far each check that the actor may see is, by its key. One statement."""
    statement = (
        select(
            SpotSample.check_id,
            SpotSample.id,
            SpotDoor.id,
            SpotQuestion.id,
            SpotAnswer.id,
            and_(SpotContest.id.isnot(None), SpotContest.decided_at.is_(None)),
        )
        .select_from(SpotSample)
        .outerjoin(SpotQuestion, SpotQuestion.sample_id == SpotSample.id)
        .outerjoin(SpotAnswer, SpotAnswer.question_id == SpotQuestion.id)
        .outerjoin(SpotContest, SpotContest.question_id == SpotQuestion.id)
        .outerjoin(SpotDoor, SpotDoor.sample_id == SpotSample.id)
    )
    found: dict[UUID, Progress] = defaultdict(Progress)
    samples: dict[UUID, set[UUID]] = defaultdict(set)
    for key, sample, door, question_id, answer, is_undecided in session.execute(
        _samples(actor.role, statement, figures=True), _bounds(actor)
    ):
        of = found[key]
        if sample not in samples[key]:
            samples[key].add(sample)
            of.households += 1
            of.doors += door is not None
        of.questions += question_id is not None
        of.answers += answer is not None
        of.undecided += bool(is_undecided)
    return dict(found)


# --- signs of a careless log


def signs(session: Session, actor: Actor, month: str) -> list[Sign]:
    """What a person may want to look at in the logs of a month, by worker; for the director. Four statements."""
    first = date.fromisoformat(f"{month}-01")
    values = bounds(actor) | {"first": first, "end": (first + timedelta(days=32)).replace(day=1)}
    names: dict[UUID, str] = {}
    logs: dict[UUID, list[Logged]] = defaultdict(list)
    for row in session.execute(visible(_LOGGED, anybody(actor.role), Dwelling), values):
        names[row.visitor_id] = row.name
        at = None if row.longitude is None or row.latitude is None else (row.longitude, row.latitude)
        local = row.visited_at.astimezone(ZONE), row.recorded_at.astimezone(ZONE)
        logs[row.visitor_id].append(Logged(*local, row.outcome, row.sentence, at))
    found = [
        Sign(kind, names[worker], worker, *seen)
        for worker, log in logs.items()
        for kind, look in _LOOKS.items()
        if (seen := look(log))
    ]
    found += _unchanged(session, actor, month, values | {"first": first.replace(year=first.year - 1)})
    order = list(SignKind)
    return sorted(found, key=lambda sign: (sign.worker, sign.worker_id, order.index(sign.kind)))


_LOOKS: dict[SignKind, Callable[[Sequence[Logged]], tuple[dict[str, Any], tuple[date, ...]] | None]] = {
    SignKind.RUSH: rules.rush,
    SignKind.SAME: rules.same_sentence,
    SignKind.NIGHT: rules.at_night,
}


def _of_span(*columns: Any) -> Any:
    """Columns of the standing visits from the bound day `first` to before `end`, with who made them."""
    return (
        select(*columns)
        .select_from(Visit)
        .join(User, User.id == Visit.visitor_id)
        .join(Household, Household.id == Visit.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .where(Visit.visited_on >= bindparam("first"), Visit.visited_on < bindparam("end"), stands())
    )


_LOGGED = _of_span(
    Visit.visitor_id,
    User.name,
    Visit.visited_at,
    Visit.recorded_at,
    Visit.outcome,
    Visit.sentence,
    Building.longitude,
    Building.latitude,
).order_by(Visit.visited_at, Visit.id)
_OF_YEAR = (
    _of_span(
        Visit.visitor_id,
        User.name,
        func.count(Visit.id),
        func.sum(case((Visit.outcome == Outcome.CHANGED, 1), else_=0)),
    )
    .where(was_met())
    .group_by(Visit.visitor_id, User.name)
)
_AT_DENIED = _of_span(Visit.visitor_id, Visit.household_id, Visit.visited_on).where(
    was_met(), Visit.household_id.in_(bindparam("denied", expanding=True))
)


def _unchanged(session: Session, actor: Actor, month: str, values: dict[str, Any]) -> list[Sign]:
    """Who met many people within a year, and never anything had changed, where the spot check found changes."""
    denied = values | {"denied": list(_denied(session, actor, month))}
    days: dict[UUID, dict[UUID, set[date]]] = defaultdict(lambda: defaultdict(set))
    for worker, household, day in session.execute(visible(_AT_DENIED, anybody(actor.role), Dwelling), denied):
        days[worker][household].add(day)
    found = []
    for worker, name, visits, changed in session.execute(visible(_OF_YEAR, anybody(actor.role), Dwelling), values):
        if days[worker] and visits >= rules.UNCHANGED_VISITS and not changed:
            facts = {"visits": visits, "changes": len(days[worker])}
            found.append(
                Sign(SignKind.UNCHANGED, name, worker, facts, tuple(sorted(set().union(*days[worker].values()))))
            )
    return found


def _denied(session: Session, actor: Actor, month: str) -> set[UUID]:
    """The households of a month's checks where the resident said that the record is not true."""
    statement = (
        select(SpotSample.household_id)
        .select_from(SpotDoor)
        .join(SpotSample, SpotSample.id == SpotDoor.sample_id)
        .join(SpotCheck, SpotCheck.id == SpotSample.check_id)
        .where(SpotCheck.month == bindparam("month"), SpotDoor.has_agreed, SpotDoor.is_true.is_(False))
    )
    return set(session.scalars(_samples(actor.role, statement, figures=False), _bounds(actor) | {"month": month}))
