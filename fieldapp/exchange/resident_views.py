"""The director's residents: a sheet comes in, its headings are put right, what differs is looked through, applied."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.db import uuid7
from fieldapp.exchange import resident_files, resident_queries, resident_words
from fieldapp.exchange.cells import shown
from fieldapp.exchange.files import When
from fieldapp.exchange.problems import Refused, RowProblem
from fieldapp.exchange.resident_columns import HEADINGS, Headings, corrected
from fieldapp.exchange.resident_drafts import Draft, Drafts
from fieldapp.exchange.resident_files import Taker
from fieldapp.exchange.resident_plan import Entry, Kind, Plan, tokens_of
from fieldapp.exchange.resident_reading import Said
from fieldapp.exchange.sheet import LARGEST_FILE, MOST_COLUMNS
from fieldapp.exchange.views import SHOWN, XLSX, Verdict, refused, send, taken, upload
from fieldapp.guard import actor, community, roles
from fieldapp.households.rules import mask_id_number
from fieldapp.pages import go

bp = Blueprint("residents", __name__)

OFFERED = 300
"""People to choose from on one page, of each kind; one tick takes the others."""
FIRST_ROWS = 5


def _drafts() -> Drafts:
    return Drafts(Path(current_app.instance_path) / "drafts")


def _draft(draft_id: UUID) -> Draft:
    found = _drafts().find(draft_id, actor().community_id, clock.now())
    if found is None:
        abort(404)
    return found


def _when() -> When:
    today = clock.today()
    return When(clock.now(), today, today)


@bp.post("/imports/residents")
@roles(Role.DIRECTOR)
def create() -> AnyResponse | tuple[str, int]:
    """Take a sheet of residents in, to be looked through."""
    data = upload("residents", LARGEST_FILE)
    if isinstance(data, Verdict):
        return refused(data)
    try:
        rows, headings = resident_files.open_sheet(db.session(), actor(), data)
    except Refused as error:
        return refused(Verdict("residents", [resident_words.problem_text(problem) for problem in error.problems]))
    drafts, draft_id = _drafts(), uuid7()
    drafts.tidy(clock.now())
    drafts.keep(Draft(draft_id, community().id, clock.now(), rows, headings))
    return go(url_for("residents.headings", draft_id=draft_id))


# --- headings


@dataclass(frozen=True)
class Column:
    """A column of the file: its place, its heading, what it is taken for, and what stands in it first."""

    place: int
    name: str
    key: str
    examples: str


@bp.get("/imports/residents/<uuid:draft_id>")
@roles(Role.DIRECTOR)
def headings(draft_id: UUID) -> str:
    """What each column is taken for, to be put right, and how the first rows read."""
    return _headings_page(_draft(draft_id))


def _headings_page(draft: Draft, problems: list[RowProblem] | None = None) -> str:
    said: list[Said] = []
    if problems is None:
        first = [row for row in draft.rows if row[0] > draft.headings.row][: FIRST_ROWS * 3]
        try:
            read = resident_files.read_sheet(db.session(), actor(), first, draft.headings, clock.today())
            said, problems = read.said[:FIRST_ROWS], read.unclear[:FIRST_ROWS]
        except Refused as error:
            problems = error.problems
    off = resident_queries.switched_off(db.session(), actor())
    names = resident_words.column_names()
    return render_template(
        "exchange/residents_headings.html",
        draft=draft,
        columns=_columns(draft),
        keys=[(heading.key, names[heading.key]) for heading in HEADINGS if heading.key not in off],
        rows=len(draft.rows) - sum(number <= draft.headings.row for number, _cells in draft.rows),
        said=[(one.row, one.name, resident_words.door_text(one), resident_words.said_text(one)) for one in said],
        problems=[resident_words.problem_text(problem) for problem in problems],
    )


def _columns(draft: Draft) -> list[Column]:
    below = [cells for number, cells in draft.rows if number > draft.headings.row]
    found = []
    for place in range(min(MOST_COLUMNS, max(len(cells) for _number, cells in draft.rows))):
        cells = (row[place] for row in below[:200] if place < len(row) and row[place] not in (None, ""))
        filled = list(dict.fromkeys(_example(cell) for cell in cells))
        if filled or place in draft.headings.names:
            name = draft.headings.names.get(place) or _("第 %(n)s 列", n=place + 1)
            found.append(Column(place, name, draft.headings.places.get(place, ""), "、".join(filled[:3])))
    return found


def _example(cell: Any) -> str:
    """A cell to know a column by; whole ID numbers with stars."""
    return re.sub(r"\d{17}[\dXx]", lambda number: mask_id_number(number[0]), shown(cell))[:20]


@bp.post("/imports/residents/<uuid:draft_id>/headings")
@roles(Role.DIRECTOR)
def save_headings(draft_id: UUID) -> AnyResponse | tuple[str, int]:
    """Put the headings right, then look at the difference."""
    draft = _draft(draft_id)
    off = resident_queries.switched_off(db.session(), actor())
    fixed = Draft(draft.id, draft.community_id, draft.made_at, draft.rows, _typed(draft.headings, request.form, off))
    try:
        resident_files.read_sheet(db.session(), actor(), fixed.rows, fixed.headings, clock.today())
    except Refused as error:
        return _headings_page(fixed, error.problems), 422
    _drafts().keep(fixed)
    return go(url_for("residents.difference", draft_id=draft_id))


def _typed(before: Headings, form: Mapping[str, str], off: tuple[str, ...]) -> Headings:
    places = {place: form.get(f"place-{place}", "") for place in range(MOST_COLUMNS)}
    return corrected(before, {place: key for place, key in places.items() if key}, off)


# --- the difference


@bp.get("/imports/residents/<uuid:draft_id>/difference")
@roles(Role.DIRECTOR)
def difference(draft_id: UUID) -> str | AnyResponse:
    """Who would be new and what would change, each with a tick; what is not clear."""
    draft = _draft(draft_id)
    try:
        plan = resident_files.plan_sheet(db.session(), actor(), draft.rows, draft.headings, clock.today())
    except Refused:
        return go(url_for("residents.headings", draft_id=draft_id))
    return _difference_page(draft, plan)


def _difference_page(draft: Draft, plan: Plan, fault: str | None = None) -> str:
    new, changed = plan.of(Kind.NEW), plan.of(Kind.CHANGED)
    return render_template(
        "exchange/residents_difference.html",
        draft=draft,
        fault=fault,
        line=resident_words.plan_line(plan),
        seen=resident_files.seen(plan),
        new=[_offer(entry) for entry in new[:OFFERED]],
        changed=[_offer(entry) for entry in changed[:OFFERED]],
        more=len(new[OFFERED:]) + len(changed[OFFERED:]),
        unclear=[resident_words.problem_text(problem) for problem in plan.unclear[:SHOWN]],
        unclear_more=len(plan.unclear[SHOWN:]),
        unclear_rows=len({problem.row for problem in plan.unclear}),
        unused=plan.headings.unused,
    )


@dataclass(frozen=True)
class Offer:
    """A row to be chosen: where, who, what is said of somebody new, and each change with its own tick."""

    row: int
    name: str
    door: str
    said: str
    token: str
    changes: list[tuple[str, str, str, str]]


def _offer(entry: Entry) -> Offer:
    name = entry.resident.name if entry.resident else entry.said.name
    said = "" if entry.resident else resident_words.said_text(entry.said)
    token = f"n{entry.said.row}" if entry.resident is None else ""
    changes = [(f"c{entry.said.row}.{f}", label, old, new) for f, label, old, new in resident_words.changes_of(entry)]
    return Offer(entry.said.row, name, resident_words.door_text(entry.said), said, token, changes)


@bp.post("/imports/residents/<uuid:draft_id>/application")
@roles(Role.DIRECTOR)
def apply(draft_id: UUID) -> AnyResponse | tuple[str, int]:
    """Apply what was ticked of the difference that was shown; another difference is shown again first."""
    draft, session = _draft(draft_id), db.session()
    resident_queries.hold_households(session, actor())
    try:
        plan = resident_files.plan_sheet(session, actor(), draft.rows, draft.headings, clock.today())
    except Refused as error:
        session.rollback()
        return _headings_page(draft, error.problems), 422
    if request.form.get("seen") != resident_files.seen(plan):
        session.rollback()
        return _difference_page(draft, plan, _("册子刚才变了，再看一遍再收。")), 422
    chosen = _chosen(plan)
    if not chosen:
        session.rollback()
        return _difference_page(draft, plan, _("一处也没有勾，什么都没存。")), 422
    done = resident_files.bring_residents(session, actor(), actor().user_id, plan, chosen, _when())
    answer = taken(resident_words.done_lines(done))
    _drafts().drop(draft_id)
    return answer


def _chosen(plan: Plan) -> set[str]:
    """What was ticked; of what was not shown all, where that was ticked."""
    chosen = set(request.form.getlist("take")) & set(plan.tokens)
    if request.form.get("rest"):
        hidden = [*plan.of(Kind.NEW)[OFFERED:], *plan.of(Kind.CHANGED)[OFFERED:]]
        chosen |= {token for entry in hidden for token in tokens_of(entry)}
    return chosen


# --- out


def _taker() -> Taker:
    return Taker(actor().name, community().name)


@bp.post("/exports/residents")
@roles(Role.DIRECTOR)
def export() -> AnyResponse | tuple[str, int]:
    """The residents as a sheet; ID numbers with stars, in full only for a reason."""
    reason = request.form.get("reason", "").strip() if request.form.get("full_numbers") else None
    if reason is not None and (fault := resident_words.reason_fault(reason)):
        return refused(Verdict("residents", [fault], is_export=True))
    data = resident_files.take_residents(db.session(), actor(), _taker(), _when(), reason)
    answer = send(data, "residents.xlsx", XLSX)
    db.session().commit()
    return answer


@bp.post("/exports/visits")
@roles(Role.DIRECTOR)
def export_visits() -> AnyResponse | tuple[str, int]:
    """The visits of a period as city platforms ask for them."""
    try:
        since, until = (date.fromisoformat(request.form.get(name, "")) for name in ("since", "until"))
    except ValueError:
        return refused(Verdict("visits", [_("日期要写成 1957-03-02 这样")], is_export=True))
    if since > until:
        return refused(Verdict("visits", [_("开始的那天要在结束之前")], is_export=True))
    data = resident_files.take_visits(db.session(), actor(), _taker(), _when(), since, until)
    answer = send(data, "visits.xlsx", XLSX)
    db.session().commit()
    return answer
