"""The monthly spot check on the screen: the draw, the run at the table and alone, the door, the result."""

import secrets
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import combinations, groupby
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, Response, abort, g, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Actor, Role
from fieldapp.guard import actor, community, roles
from fieldapp.pages import done_at, go, outbox_item, refuse
from fieldapp.places import queries as places
from fieldapp.places.models import Community, Dwelling
from fieldapp.spotchecks import facade, operations, queries, rules, words
from fieldapp.spotchecks.models import SpotCheck
from fieldapp.spotchecks.operations import Closed, Refused
from fieldapp.spotchecks.queries import Asked, Sheet
from fieldapp.spotchecks.rules import DrawFault, Plan, Verdict, Way

bp = Blueprint("spotchecks", __name__)

T = TypeVar("T")

LARGEST_SEED = 999_999
"""A seed that is drawn here: short enough to be read out and typed again."""
MOST_HOUSEHOLDS = 5000
EARLIEST = date(2000, 1, 1)
"""No log is older."""

for name in ("question", "kind_name", "verdict", "answer", "percent", "interval", "month_name", "sign", "sign_facts"):
    bp.add_app_template_global(getattr(words, name), f"spot_{name}")


# --- the list and the draw


@bp.get("/spot-checks")
@roles(Role.WORKER, Role.DIRECTOR, Role.STREET)
def index() -> str:
    """The checks, newest first; for who draws them the form; for a street office first its communities."""
    if actor().role is Role.STREET and not request.args.get("community"):
        found = places.communities_of_street(db.session(), actor().street_code)
        return render_template("spotchecks/communities.html", communities=found)
    return _list_page({}, {})


@bp.post("/spot-checks")
@roles(Role.DIRECTOR, Role.STREET)
def draw() -> AnyResponse | tuple[str, int]:
    """Draw households for a month. What was drawn stays: another draw is another check."""
    opened, (where, who) = db.session(), _seen()
    faults: dict[str, str] = {}
    plan, seed = _plan(where, who, faults), _number("seed", 0, 2**62, faults) or 0
    replaces = _replaced(who, faults)
    if not faults:
        try:
            drawn = operations.draw_check(
                opened, who, where, request.form.get("month", ""), plan, seed, clock.today(), clock.now(), replaces
            )
        except DrawFault as fault:
            faults["month" if fault.code == "month" else "number"] = words.draw_advice(fault.code)
    if faults:
        opened.rollback()
        return _list_page(request.form, faults), 422
    opened.commit()
    return go(_home_of(drawn, who))


def _plan(where: Community, who: Actor, faults: dict[str, str]) -> Plan:
    """What the form asks for; what is wrong with it goes into `faults`."""
    number = _number("number", 1, MOST_HOUSEHOLDS, faults)
    share = _number("care_share", 0, 100, faults)
    there = {district.id for district in places.districts_on(db.session(), who, clock.today(), figures=True)}
    chosen = {_key_of(text) for text in request.form.getlist("districts")}
    if not chosen <= there:
        faults["districts"] = _("有一个包干区不在这个社区，重新选。")
    districts = tuple(sorted(there & chosen)) if chosen else None
    default = rules.CARE_SHARE if share is None else share / 100
    return Plan(number, districts, default, bool(request.form.get("again")))


def _number(name: str, least: int, most: int, faults: dict[str, str]) -> int | None:
    """A whole number of the form; None where the field is left empty or wrong."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    if text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    faults[name] = _("写一个 %(least)s 到 %(most)s 的整数。", least=least, most=most)
    return None


def _replaced(who: Actor, faults: dict[str, str]) -> SpotCheck | None:
    """The check that this draw takes the place of, where it says one."""
    text = request.form.get("replaces", "")
    if not text:
        return None
    key = _key_of(text)
    found = queries.check(db.session(), who, key) if key else None
    if found is None:
        faults["form"] = _("要替换的那一次找不到了，回到列表再抽。")
    return found


def _list_page(typed: Any, faults: dict[str, str]) -> str:
    opened, (where, who) = db.session(), _seen()
    may_draw, checks = who.role is not Role.WORKER, queries.checks(opened, who)
    replaced = {check.replaces_id for check in checks}
    return render_template(
        "spotchecks/index.html",
        community=where,
        checks=checks,
        replaced=replaced,
        open_checks=[check for check in checks if check.closed_at is None and check.id not in replaced],
        progress=queries.progress(opened, who),
        districts=places.districts_on(opened, who, clock.today(), figures=True) if may_draw else [],
        may_draw=may_draw,
        typed=typed,
        faults=faults,
        month=f"{clock.today():%Y-%m}",
        seed=secrets.randbelow(LARGEST_SEED) + 1,
        care_share=round(100 * rules.CARE_SHARE),
    )


def _home_of(check: SpotCheck, who: Actor) -> str:
    """Where somebody looks at a check: a street office at its figures, a director at its households."""
    if who.role is Role.STREET:
        return url_for("spotchecks.result", check_id=check.id, community=check.community_id)
    return url_for("spotchecks.show", check_id=check.id)


def _seen() -> tuple[Community, Actor]:
    """The community that is looked at, and who looks: a street office narrowed to one of its own communities."""
    who = actor()
    if who.role is not Role.STREET:
        return community(), who
    key = _key_of(request.values.get("community", ""))
    where = places.community_by_id(db.session(), key) if key else None
    if where is None or where.street_code is None or where.street_code != who.street_code:
        abort(404)
    g.community = where
    return where, Actor(who.user_id, who.name, who.role, where.id, who.street_code)


def _key_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _found(thing: T | None) -> T:
    if thing is None:
        abort(404)
    return thing


def _check(check_id: UUID) -> SpotCheck:
    return _found(queries.check(db.session(), _seen()[1], check_id))


# --- the check


@bp.get("/spot-checks/<uuid:check_id>")
@roles(Role.WORKER, Role.DIRECTOR)
def show(check_id: UUID) -> str:
    """A check: what was drawn, how far it is, what is contested; a worker sees their own households."""
    check = _check(check_id)
    sheets = queries.sheets(db.session(), actor(), check)
    is_director = actor().role is Role.DIRECTOR
    return render_template(
        "spotchecks/show.html",
        check=check,
        sheets=sheets,
        people=_people(sheets) if is_director else [],
        can_answer=not check.closed_at
        and any(not one.answer and _is_alone(one) for s in sheets for one in s.questions),
        asked=sum(len(sheet.questions) for sheet in sheets),
        answered=sum(bool(one.answer) for sheet in sheets for one in sheet.questions),
        doors=sum(bool(sheet.door) for sheet in sheets),
        contested=(contested := [(s, one) for s in sheets for one in s.questions if one.contest]),
        undecided=sum(one.contest.decided_at is None for _sheet, one in contested if one.contest),
        new_key=db.uuid7,
        community=community(),
        keeps=not check.closed_at,
    )


def _people(sheets: Sequence[Sheet]) -> list[tuple[Sheet, int]]:
    """Who is asked, in the order of the run: each one's first household, and how many are not asked through yet."""
    ordered = groupby(_in_order(sheets), key=lambda sheet: sheet.answerer)
    return [(own[0], sum(not sheet.is_answered for sheet in own)) for own in (list(found) for _who, found in ordered)]


def _in_order(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The order of the run: everything of one answerer together, each in the order of the sample."""
    return sorted(sheets, key=lambda sheet: sheet.answerer or "")


@bp.get("/spot-checks/<uuid:check_id>/table")
@roles(Role.DIRECTOR)
def table(check_id: UUID) -> str:
    """The run at the table, every question of every household: the checker's phone keeps this page."""
    check = _check(check_id)
    return _run_page(check, _in_order(queries.sheets(db.session(), actor(), check)), Way.TABLE)


@bp.get("/spot-checks/<uuid:check_id>/alone")
@roles(Role.WORKER)
def alone(check_id: UUID) -> str:
    """The worker alone, no clock: choices of which the page does not say which one is true."""
    check = _check(check_id)
    return _run_page(check, _own(queries.sheets(db.session(), actor(), check)), Way.SELF)


def _own(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The worker's own households."""
    return [sheet for sheet in sheets if sheet.sample.answerer_id == actor().user_id]


def _run_page(check: SpotCheck, sheets: Sequence[Sheet], way: Way) -> str:
    """One question a screen. Alone, only what has choices and was not answered at the table can be asked."""
    asked = [(sheet, [one for one in sheet.questions if way is Way.TABLE or _is_alone(one)]) for sheet in sheets]
    return render_template(
        "spotchecks/run.html",
        check=check,
        way=way,
        runs=[(sheet, questions) for sheet, questions in asked if questions],
        pictures=_pictures(sheets),
        new_key=db.uuid7,
        keeps=True,
    )


def _is_alone(one: Asked) -> bool:
    """Whether a question can be asked without a checker."""
    return len(one.choices) > 1 and (one.answer is None or one.answer.way == Way.SELF)


def _pictures(sheets: Sequence[Sheet]) -> dict[UUID, facade.Facade]:
    """Each building once, from the doors that the reader may see."""
    doors: dict[UUID, list[Dwelling]] = {sheet.building_id: [] for sheet in sheets}
    for dwelling in places.doors_of(db.session(), actor(), doors):
        doors[dwelling.building_id].append(dwelling)
    courtyards = {sheet.building_id for sheet in sheets if sheet.is_courtyard}
    return {
        key: facade.facade_of([_window(d) for d in found], is_courtyard=key in courtyards)
        for key, found in doors.items()
        if found
    }


def _window(door: Dwelling) -> facade.Window:
    return facade.Window(door.entrance, door.floor, door.room, door.column, door.row, door.span, door.row_span)


# --- answering


@bp.post("/spot-questions/<uuid:question_id>/answer")
@roles(Role.WORKER, Role.DIRECTOR)
def answer(question_id: UUID) -> AnyResponse:
    """One answer: at the table how it was, alone which choice."""
    question, sample, check = _found(queries.question(db.session(), actor(), question_id))
    is_alone = actor().role is Role.WORKER
    if is_alone and sample.answerer_id != actor().user_id:
        abort(404)
    verdict, choice = _chosen() if is_alone else (_verdict(), None)
    if not is_alone and verdict is None:
        return _wrong(_("没收全，重新打开这一页再记。"))
    return _write(
        check,
        lambda: operations.record_answer(
            db.session(),
            actor(),
            question,
            verdict,
            Way.SELF if is_alone else Way.TABLE,
            done_at(),
            clock.now(),
            _key("answer_id"),
            choice=choice,
        ),
        url_for("spotchecks.alone" if is_alone else "spotchecks.table", check_id=check.id, _anchor="go"),
    )


def _verdict() -> Verdict | None:
    """How the answer was, as the form of the table says it."""
    said = request.form.get("verdict", "")
    return Verdict(said) if said in list(Verdict) else None


def _chosen() -> tuple[Verdict | None, int | None]:
    """Which choice was taken alone, by its number; None is "I do not know"."""
    choice = request.form.get("choice", "")
    if choice == "none":
        return None, None
    if not choice.isdecimal() or len(choice) > 2:
        abort(422, _("没收全，重新打开这一页再记。"))
    return None, int(choice)


@bp.get("/spot-checks/<uuid:check_id>/doors")
@roles(Role.DIRECTOR)
def doors(check_id: UUID) -> str:
    """The same facts asked of the residents: a form for each household; the checker's phone keeps this page."""
    check = _check(check_id)
    sheets = queries.sheets(db.session(), actor(), check)
    return render_template("spotchecks/doors.html", check=check, sheets=sheets, new_key=db.uuid7, keeps=True)


@bp.post("/spot-samples/<uuid:sample_id>/door")
@roles(Role.DIRECTOR)
def door(sample_id: UUID) -> AnyResponse:
    """What the resident said at the door, who agreed to be asked."""
    sheet = _found(queries.sheet(db.session(), actor(), sample_id))
    check = _check(sheet.sample.check_id)
    findings = _findings()
    if findings is None:
        return _wrong(_("先选住户愿不愿意说。"))
    return _write(
        check,
        lambda: operations.record_door(
            db.session(), actor(), sheet.sample, findings, done_at(), clock.now(), _key("door_id")
        ),
        url_for("spotchecks.doors", check_id=check.id),
    )


def _findings() -> rules.Findings | None:
    """What the form says; None where it does not say whether the resident agreed."""
    agreed = request.form.get("has_agreed")
    if agreed not in ("1", "0"):
        return None
    said = {name: {"1": True, "0": False}.get(request.form.get(name, "")) for name in ASKED_AT_THE_DOOR}
    note = request.form.get("note", "").strip()[: rules.LONGEST_WORD] or None
    return rules.Findings(has_agreed=agreed == "1", note=note, **said)


ASKED_AT_THE_DOOR = ("is_true", "knows_worker", "visit_happened", "was_told")


@bp.post("/spot-questions/<uuid:question_id>/contest")
@roles(Role.WORKER)
def contest(question_id: UUID) -> AnyResponse:
    """A worker's word against a verdict."""
    question, sample, check = _found(queries.question(db.session(), actor(), question_id))
    if sample.answerer_id != actor().user_id:
        abort(404)
    word = request.form.get("word", "").strip()
    if not 0 < len(word) <= rules.LONGEST_WORD:
        return _wrong(_("写一句为什么，最多 %(n)s 个字。", n=rules.LONGEST_WORD))
    return _write(
        check,
        lambda: operations.contest(db.session(), actor(), question, word, clock.now(), _key("contest_id")),
        url_for("spotchecks.show", check_id=check.id),
    )


@bp.post("/spot-questions/<uuid:question_id>/decision")
@roles(Role.DIRECTOR)
def decide(question_id: UUID) -> AnyResponse:
    """What the director decides about it; both words stay."""
    question, _sample, check = _found(queries.question(db.session(), actor(), question_id))
    said, word = request.form.get("verdict", ""), request.form.get("word", "").strip()
    if said not in (*rules.COUNTED, Verdict.UNRECORDED) or len(word) > rules.LONGEST_WORD:
        return _wrong(_("选一个结果；要写话，最多 %(n)s 个字。", n=rules.LONGEST_WORD))
    return _write(
        check,
        lambda: operations.decide_contest(db.session(), actor(), question, Verdict(said), word, clock.now()),
        url_for("spotchecks.show", check_id=check.id),
    )


@bp.post("/spot-checks/<uuid:check_id>/closure")
@roles(Role.DIRECTOR)
def close(check_id: UUID) -> AnyResponse:
    """Close the check and sign it: nothing of it changes any more."""
    check = _check(check_id)
    if request.form.get("sure") != "1":
        return _wrong(_("先看一遍，勾上“我看过了”再定。"))
    return _write(
        check,
        lambda: operations.close_check(db.session(), actor(), check, clock.now()),
        url_for("spotchecks.result", check_id=check.id),
    )


def _write(check: SpotCheck, deed: Callable[[], object], after: str) -> AnyResponse:
    """Do it and look there next; a closed check takes nothing any more."""
    try:
        deed()
    except Closed:
        db.session().rollback()
        return _wrong(_("这次抽查已经定了，不能再改。"))
    except Refused as fault:
        db.session().rollback()
        return _wrong(words.refusal(fault.code))
    db.session().commit()
    return go(after)


def _wrong(said: str) -> Response:
    """The answer to what cannot be taken: to a phone's outbox its words, else a page that says them."""
    if outbox_item():
        return refuse(said)
    abort(422, said)


def _key(name: str) -> UUID:
    """The key of what is written: the item's, where a phone's outbox sends it, else the form's own."""
    if item := outbox_item():
        return item.id
    text = request.form.get(name, "")
    key = _key_of(text) if text else db.uuid7()
    if key is None:
        abort(422, _("没收全，重新打开这一页再记。"))
    return key


# --- the result


@bp.get("/spot-checks/<uuid:check_id>/result")
@roles(Role.WORKER, Role.DIRECTOR, Role.STREET)
def result(check_id: UUID) -> str:
    """Awareness by district, with its interval; what is weak; against the month before. Prints on A4.

    A worker sees their own district's line.
    """
    check = _check(check_id)
    found = queries.result(db.session(), _seen()[1], check)
    scores = [line.score.interval for line in found.districts if line.score.asked]
    return render_template(
        "spotchecks/result.html",
        check=check,
        result=found,
        differ=rules.differ,
        alike=len(scores) > 1 and not any(rules.differ(one, other) for one, other in combinations(scores, 2)),
        community=_seen()[0],
    )


@bp.get("/spot-checks/<uuid:check_id>/exercise")
@roles(Role.WORKER)
def exercise(check_id: UUID) -> str:
    """Five minutes for the worker alone: what was wrong, with what is on record. Nobody else sees this page."""
    check = _check(check_id)
    sheets = _own(queries.sheets(db.session(), actor(), check))
    missed = [(sheet, one) for sheet in sheets for one in sheet.questions if _is_missed(one)]
    return render_template("spotchecks/exercise.html", check=check, missed=missed)


def _is_missed(one: Asked) -> bool:
    """Whether an answer was half or not right, as it stands after a decision."""
    return one.verdict in (Verdict.HALF, Verdict.WRONG)


@bp.get("/spot-checks/signs")
@roles(Role.DIRECTOR)
def signs() -> str:
    """Signs of a careless log, for a person to look at, each beside its innocent explanations."""
    month = request.args.get("month") or f"{clock.today():%Y-%m}"
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        first = None
    if first is None or not EARLIEST <= first <= clock.today():
        abort(422, words.draw_advice("month"))
    after = (first + timedelta(days=32)).replace(day=1)
    return render_template(
        "spotchecks/signs.html",
        signs=queries.signs(db.session(), actor(), month),
        month=month,
        before=rules.month_before(month),
        after=f"{after:%Y-%m}" if after <= clock.today() else None,
    )


@bp.post("/spot-checks/notice")
@roles(Role.DIRECTOR)
def set_notice() -> AnyResponse:
    """Switch the community's notice on or off; it is off until somebody does."""
    wanted = request.form.get("notice")
    if wanted not in ("1", "0"):
        return _wrong(_("没收全，重新打开这一页再记。"))
    community().has_notice = wanted == "1"
    db.session().commit()
    return go(url_for("spotchecks.index"))


@bp.get("/spot-checks/<uuid:check_id>/notice")
@roles(Role.DIRECTOR)
def notice(check_id: UUID) -> str:
    """A month's notice by district, to hang up; only where the community has switched it on."""
    check = _check(check_id)
    if not community().has_notice:
        abort(404)
    found = queries.result(db.session(), actor(), check)
    return render_template("spotchecks/notice.html", check=check, result=found, community=community())
