"""Writes of the spot check: the draw, what was answered and said, contests, and the closing that ends all writing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.places import queries as places
from fieldapp.places.models import Community
from fieldapp.spotchecks import drawing, queries, rules
from fieldapp.spotchecks.drawing import Door
from fieldapp.spotchecks.models import SpotAnswer, SpotCheck, SpotContest, SpotDoor, SpotQuestion, SpotSample
from fieldapp.spotchecks.rules import DrawFault, Findings, Kind, Plan, Settings, Verdict, Way
from fieldapp.visits.models import FollowUp
from fieldapp.visits.rules import day_of


class Closed(ValueError):
    """The check is closed and signed: nothing of it changes any more."""


class Refused(ValueError):
    """Why something is not written. `own`: the answerer judges themself; `other`: somebody else answers alone for them,
    or contests; `choice`: no such choice; `answered`, `asked`, `contested`, `decided`: was done before, otherwise;
    `unanswered`: nothing to contest; `word`: nothing said."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def draw_check(
    session: Session,
    actor: Actor | None,
    community: Community,
    month: str,
    plan: Plan,
    seed: int,
    today: date,
    now: datetime,
    replaces: SpotCheck | None = None,
) -> SpotCheck:
    """Draw a month's sample and freeze it with its questions and what the record answers today.

    `month` is "2026-11"; `actor` is the director or the street office of that community, None a command. The same seed
    on the same registry draws the same. Raises DrawFault: `month`, `nobody`, `few`, `closed`.
    """
    if actor and actor.community_id != community.id:
        raise ValueError("who draws was not narrowed to the community")
    rules.check_month(month, today)
    if replaces and replaces.closed_at is not None:
        raise DrawFault("closed")  # its figures are signed
    # The draw reads the registry as the program: whoever picks month and number need not see it.
    reader = Actor(None, "", Role.DIRECTOR, community.id)
    doors = drawing.candidates(session, reader, month, today, plan.district_ids)
    number = rules.default_number(len(doors)) if plan.number is None else plan.number
    if number < min(rules.SMALLEST, len(doors)):
        raise DrawFault("few")
    drawn = rules.draw((door.candidate for door in doors), number, plan.care_share, seed, plan.again)
    if not drawn:
        raise DrawFault("nobody")
    check = SpotCheck(
        community_id=community.id,
        month=month,
        seed=seed,
        plan=plan.told(),
        drawn_on=today,
        drawn_at=now,
        drawn_by_id=actor.user_id if actor else None,
        replaces_id=replaces.id if replaces else None,
    )
    session.add(check)
    session.flush()
    drawing.fill(session, reader, doors, today)
    answerers = {d.id: d.lead_id or d.partner_id for d in places.districts_on(session, reader, today)}
    kept = community.registry_settings or {}
    settings = Settings(frozenset(kept.get("off", ())), kept.get("rhythms", {}))
    _freeze(session, check, doors, {one.household_id: one.stratum for one in drawn}, answerers, settings)
    return check


def _freeze(
    session: Session,
    check: SpotCheck,
    doors: Iterable[Door],
    strata: Mapping[UUID, str],
    answerers: Mapping[UUID, UUID | None],
    settings: Settings,
) -> None:
    """Write the drawn households in the order of a walk, each with its questions and expected answers."""
    by_building: dict[tuple[UUID, UUID], list[tuple[Door, dict[Kind, Any]]]] = defaultdict(list)
    for door in sorted(doors, key=lambda door: door.place):
        # Of one building and one district: a choice must not tell a worker of doors that they do not answer for.
        recorded = rules.on_record(door.home, settings, check.drawn_on)
        by_building[door.building_id, door.district_id].append((door, recorded))
    drawn = [(door, neighbours) for neighbours in by_building.values() for door, _ in neighbours if door.key in strata]
    samples, questions = [], []
    for position, (door, neighbours) in enumerate(sorted(drawn, key=lambda one: one[0].place), 1):
        sample = SpotSample(
            id=uuid5(check.id, door.key.hex),
            community_id=check.community_id,
            check_id=check.id,
            household_id=door.key,
            district_id=door.district_id,
            answerer_id=answerers.get(door.district_id),
            position=position,
            stratum=strata[door.key],
        )
        samples.append(sample)
        questions += _questions(check, sample, door, neighbours)
    session.add_all(samples)
    session.flush()
    session.add_all(questions)
    session.flush()


def _questions(
    check: SpotCheck, sample: SpotSample, own: Door, neighbours: Iterable[tuple[Door, Mapping[Kind, Any]]]
) -> list[SpotQuestion]:
    """A household's questions with what is expected, and choices that mix it with what is true of its neighbours."""
    answers = next(recorded for door, recorded in neighbours if door is own)
    others = [(door, recorded) for door, recorded in neighbours if door is not own]
    questions = []
    for position, kind in enumerate(rules.pick(answers, check.seed, own.key), 1):
        value = answers[kind]
        told = [recorded[kind] for door, recorded in others if kind in recorded and _may_be_told(kind, door)]
        plausible = rules.pool(kind, value, own.home, told)
        choices = rules.choices(kind, value, plausible, check.seed, own.key)
        expected = {"value": value, "choices": choices, "sum": queries.sum_of(value, choices)}
        questions.append(
            SpotQuestion(
                id=uuid5(sample.id, kind),
                community_id=check.community_id,
                sample_id=sample.id,
                position=position,
                kind=kind,
                expected=rules.canonical(expected),
            )
        )
    return questions


def _may_be_told(kind: Kind, door: Door) -> bool:
    """Whether a neighbour's answer may stand among the choices: a sensitive care group is shown with its own door."""
    return kind is not Kind.CARE or not any(group.is_sensitive for group in door.home.groups)


def record_answer(
    session: Session,
    actor: Actor,
    question: SpotQuestion,
    verdict: Verdict | None,
    way: Way,
    answered_at: datetime,
    now: datetime,
    key: UUID,
    choice: int | None = None,
) -> SpotAnswer:
    """Write down how a question was answered, once; the same key again gives what is there.

    At the table the verdict is whoever's who asks, never the answerer's own. Alone it follows from `choice`, an index
    into the choices of the question; without one it was skipped where `verdict` says so, else not known: wrong.
    `question` was fetched through the wall. Raises Closed, Refused: `own`, `other`, `choice`, `answered`.
    """
    sample, _ = _open(session, question.sample_id)
    if way is Way.TABLE:
        choice = None
        if verdict is None:
            raise Refused("choice")
    verdict = _judge(actor, sample, question, verdict, way, choice)
    known = queries.answer_of(session, question.id)
    if known:
        if known.id == key or (known.verdict, known.way, known.choice) == (verdict, way, choice):
            return known
        raise Refused("answered")
    answer = SpotAnswer(
        id=_free(session, SpotAnswer, key),
        community_id=question.community_id,
        question_id=question.id,
        verdict=verdict,
        way=way,
        choice=choice,
        answered_at=min(answered_at, now),
        recorded_at=now,
        entered_by_id=actor.user_id,
    )
    session.add(answer)
    session.flush()
    return answer


def _judge(
    actor: Actor, sample: SpotSample, question: SpotQuestion, verdict: Verdict | None, way: Way, choice: int | None
) -> Verdict:
    """The verdict at the table as given, alone as the choice is. Raises Refused."""
    is_own = sample.answerer_id is not None and sample.answerer_id == actor.user_id
    if way is Way.TABLE:
        if is_own or verdict is None:
            raise Refused("own")
        return verdict
    if not is_own:
        raise Refused("other")
    if choice is None:
        return Verdict.SKIPPED if verdict is Verdict.SKIPPED else Verdict.WRONG
    expected = queries.expected_of(question)
    if not 0 <= choice < len(expected["choices"]):
        raise Refused("choice")
    return Verdict.RIGHT if expected["choices"][choice] == expected["value"] else Verdict.WRONG


def _open(session: Session, sample_id: UUID) -> tuple[SpotSample, SpotCheck]:
    """A sample and its check, for writing. Raises Closed."""
    sample = session.get_one(SpotSample, sample_id)
    return sample, _held(session, session.get_one(SpotCheck, sample.check_id))


def _held(session: Session, check: SpotCheck) -> SpotCheck:
    """The check as it stands once everybody else who writes in it has ended. Raises Closed."""
    if session.get_bind().dialect.name != "sqlite":  # there they wait anyway
        session.refresh(check, with_for_update=True)
    if check.closed_at is not None:
        raise Closed
    return check


def _free(session: Session, model: type[Any], key: UUID) -> UUID:
    """The key of a form, or where another row has it (it must not be lost) one that follows from it."""
    while session.get(model, key) is not None:
        key = uuid5(key, "again")
    return key


def record_door(
    session: Session,
    actor: Actor,
    sample: SpotSample,
    findings: Findings,
    asked_at: datetime,
    now: datetime,
    key: UUID,
) -> SpotDoor:
    """Write down what a resident said at the door, once; each difference opens a follow-up at the household.

    `sample` was fetched through the wall. Who did not agree was asked nothing: all else of `findings` is left out.
    Raises Closed, Refused: `own` (the answerer does not check themself), `asked`.
    """
    _open(session, sample.id)
    if sample.answerer_id is not None and sample.answerer_id == actor.user_id:
        raise Refused("own")
    said = findings if findings.has_agreed else Findings(has_agreed=False)
    if known := queries.door_of(session, sample.id):
        if known.id == key or queries.findings_of(known) == said:
            return known
        raise Refused("asked")
    door = SpotDoor(
        id=_free(session, SpotDoor, key),
        community_id=sample.community_id,
        sample_id=sample.id,
        has_agreed=said.has_agreed,
        is_true=said.is_true,
        knows_worker=said.knows_worker,
        visit_happened=said.visit_happened,
        was_told=said.was_told,
        note=said.note or None,
        asked_at=min(asked_at, now),
        recorded_at=now,
        asked_by_id=actor.user_id,
    )
    session.add(door)
    session.add_all(
        FollowUp(
            id=uuid5(door.id, name),
            community_id=sample.community_id,
            household_id=sample.household_id,
            promise=rules.TO_DO[name],
            due_on=day_of(door.asked_at) + timedelta(days=rules.TO_DO_DAYS),
            promised_by_id=actor.user_id,
        )
        for name in said.differences()
    )
    session.flush()
    return door


def contest(session: Session, actor: Actor, question: SpotQuestion, word: str, now: datetime, key: UUID) -> SpotContest:
    """The answerer's word against a verdict, once, at most `rules.LONGEST_WORD` signs.

    Raises Closed, Refused: `other`, `unanswered`, `word`, `contested`.
    """
    sample, _ = _open(session, question.sample_id)
    if sample.answerer_id is None or sample.answerer_id != actor.user_id:
        raise Refused("other")
    word = _word(word)
    if known := queries.contest_of(session, question.id):
        if known.id == key or known.word == word:
            return known
        raise Refused("contested")
    if queries.answer_of(session, question.id) is None:
        raise Refused("unanswered")
    if not word:
        raise Refused("word")
    contest = SpotContest(
        id=_free(session, SpotContest, key),
        community_id=question.community_id,
        question_id=question.id,
        word=word,
        contested_at=now,
        contested_by_id=actor.user_id,
    )
    session.add(contest)
    session.flush()
    return contest


def _word(word: str) -> str:
    """What was typed, in one line. Raises Refused."""
    word = " ".join(word.split())
    if len(word) > rules.LONGEST_WORD:
        raise Refused("word")
    return word


def decide_contest(
    session: Session, actor: Actor, question: SpotQuestion, verdict: Verdict, word: str, now: datetime
) -> SpotContest:
    """The director's decision on a contest: the verdict that holds, and a word where there is one. Both words stay.

    Raises Closed, Refused: `own`, `contested` (nobody did), `word`, `decided` (before, otherwise).
    """
    sample, _ = _open(session, question.sample_id)
    contest = queries.contest_of(session, question.id)
    if contest is None:
        raise Refused("contested")
    if actor.user_id in (sample.answerer_id, contest.contested_by_id):
        raise Refused("own")
    said = _word(word) or None
    if contest.decided_at is not None:
        if (contest.verdict, contest.decision) == (verdict, said):
            return contest
        raise Refused("decided")
    contest.verdict, contest.decision = verdict, said
    contest.decided_at, contest.decided_by_id = now, actor.user_id
    session.flush()
    return contest


def close_check(session: Session, actor: Actor, check: SpotCheck, now: datetime) -> str:
    """Close a check and sign it: the SHA-256 of everything in it, in hexadecimal. Raises Closed where it is closed."""
    _held(session, check)
    check.closed_at, check.closed_by_id = now, actor.user_id
    session.flush()
    check.signature = signature_of(session, check)
    session.flush()
    return check.signature


def signature_of(session: Session, check: SpotCheck) -> str:
    """The SHA-256 over everything of a check as it stands now; a closed one's equals `check.signature`.

    What is sealed is signed open: a new key of the registry does not change the signature. Nor does the erasure of a
    person, which marks what it changes: of such a question the sum made at the draw is signed, and not what is left.
    """
    return sha256(rules.canonical(queries.everything(session, check)).encode()).hexdigest()
