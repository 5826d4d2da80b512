"""The director's plan of districts: today's beside a draft, its changes one by one, and the day it comes into force."""

from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, g, jsonify, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db, pages
from fieldapp.accounts import operations as accounts
from fieldapp.accounts.rules import Role
from fieldapp.exchange.sheet import write_csv
from fieldapp.guard import actor, community, roles
from fieldapp.language import clock_time
from fieldapp.language import day as day_words
from fieldapp.pages import go
from fieldapp.places import queries as places
from fieldapp.places.models import Building
from fieldapp.planning import background, operations, queries, rules, words
from fieldapp.planning.ground import Ground
from fieldapp.planning.models import Plan
from fieldapp.planning.operations import PlanStale
from fieldapp.planning.rules import Body, PlanRefused
from fieldapp.planning.showing import Line, Shown, Worker

bp = Blueprint("planning", __name__)
bp.add_app_template_filter(rules.short_name, "district_short")

Answer = AnyResponse | tuple[Response | str, int] | str


@bp.get("/plan")
@roles(Role.DIRECTOR)
def plan() -> str:
    """Today's division, or the draft beside it: map, table, moves, what was done."""
    return _page()


@bp.get("/plan/state")
@roles(Role.DIRECTOR)
def state() -> Response:
    """The same as data, for the map's script."""
    return jsonify(_data(_shown()))


@bp.post("/plan/propose")
@roles(Role.DIRECTOR)
def propose() -> Answer:
    """Start computing a division; locked districts stay."""
    return _start("propose")


@bp.post("/plan/rebalance")
@roles(Role.DIRECTOR)
def rebalance() -> Answer:
    """Start bringing today's division to size with the fewest moves."""
    return _start("rebalance")


def _start(kind: str) -> Answer:
    opened, who = db.session(), actor()
    try:
        found = queries.open_plan(opened, who, to_change=True)
        is_dead = found is not None and background.is_dead(found)
        started = operations.start(opened, who, kind, _seed(), clock.now(), is_dead=is_dead)
    except PlanRefused as refused:
        opened.rollback()
        return _page(words.refusal(refused)), 422
    _trace("plan." + kind, started)
    opened.commit()
    background.compute(started.id)
    return go(url_for("planning.plan"))


def _seed() -> int | None:
    text = request.form.get("seed", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise PlanRefused("seed")
    return int(text)


@bp.post("/plan/edit")
@roles(Role.DIRECTOR)
def edit() -> Answer:
    """One change of the draft: a border, entrances, a lock, a pair of workers."""
    deed = _sent()

    def change(opened: Any, found: Plan, version: int) -> None:
        operations.edit(opened, actor(), found, version, deed, clock.now(), _ground(opened))

    return _change(deed, change)


@bp.post("/plan/undo")
@roles(Role.DIRECTOR)
def undo() -> Answer:
    """Back a step."""
    return _change(_sent(), lambda opened, found, v: operations.undo(opened, actor(), found, v, clock.now()))


@bp.post("/plan/redo")
@roles(Role.DIRECTOR)
def redo() -> Answer:
    """Forward again."""
    return _change(_sent(), lambda opened, found, v: operations.undo(opened, actor(), found, v, clock.now(), by=1))


@bp.post("/plan/publish")
@roles(Role.DIRECTOR)
def publish() -> Answer:
    """Put the draft in force from a day on."""

    sent = _sent()

    def change(opened: Any, found: Plan, version: int) -> None:
        since = _day(sent)
        placed = operations.publish(opened, actor(), found, version, since, clock.today(), clock.now())
        _trace("plan.publish", found, since=since.isoformat())
        if placed is None:
            flash(_("定好了，%(day)s起按新的分区走。", day=day_words(since)))
        else:
            flash(_("生效了，%(n)s 个门换了包干区。", n=placed.moved + placed.first))

    return _change(sent, change)


@bp.post("/plan/withdraw")
@roles(Role.DIRECTOR)
def withdraw() -> Answer:
    """Make a draft again of a division that waits for its day."""

    def change(opened: Any, found: Plan, version: int) -> None:
        operations.withdraw(opened, actor(), found, version, clock.now())
        _trace("plan.withdraw", found)

    return _change(_sent(), change)


@bp.post("/plan/drop")
@roles(Role.DIRECTOR)
def drop() -> Answer:
    """Give the draft up."""

    def change(opened: Any, found: Plan, version: int) -> None:
        operations.drop(opened, actor(), found, version, clock.now())
        _trace("plan.drop", found)

    return _change(_sent(), change)


@bp.get("/plan/moves.csv")
@roles(Role.DIRECTOR)
def moves() -> Response:
    """Which homes change their worker, as a table: by building and entrance, without names of residents."""
    shown = _shown()
    if not shown.has_draft:
        abort(404)
    head = (_("楼栋"), _("单元"), _("户数"), _("原包干区"), _("新包干区"), _("新片长"))
    rows = [(m.building, m.entrance, m.households, m.origin, m.target, m.who) for m in shown.moves]
    opened = db.session()
    opened.commit()  # in a transaction of its own: a reader that turns writer is refused when somebody wrote meanwhile
    _trace("export.moves", None)
    opened.commit()
    name = f"moves-{community().code}-{clock.today()}.csv"
    return send_file(
        BytesIO(write_csv(head, rows)), mimetype="text/csv", as_attachment=True, download_name=name, etag=False
    )


def _trace(deed: str, found: Plan | None, **detail: Any) -> None:
    accounts.leave_trace(
        db.session(),
        deed=deed,
        at=clock.now(),
        user_id=actor().user_id,
        community_id=actor().community_id,
        subject=str(found.id) if found else None,
        **detail,
    )


# --- changing


def _sent() -> dict[str, Any]:
    """What was sent, as JSON or as a form; the same names."""
    if not request.is_json:
        form = request.form.to_dict()
        if "entrances" in form:
            form["entrances"] = [int(n) if n.isdecimal() else n for n in request.form.getlist("entrances")]  # type: ignore[assignment]
        return form
    try:
        sent = request.get_json(silent=True)
    except RecursionError:
        sent = None
    return sent if isinstance(sent, dict) else {}


def _version(sent: dict[str, Any]) -> int:
    told = sent.get("version")
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 10:
        return int(told)
    if type(told) is int:
        return told
    raise PlanRefused("version")


def _day(sent: dict[str, Any]) -> date:
    try:
        return date.fromisoformat(str(sent.get("since", "")))
    except ValueError:
        raise PlanRefused("day") from None


def _change(sent: dict[str, Any], change: Any) -> Answer:
    """Change the open plan. 409 where somebody was quicker, 422 where it cannot be: with the plan as it stands."""
    opened = db.session()
    found = queries.open_plan(opened, actor(), to_change=True)
    if found is None and not request.is_json:
        abort(404)
    try:
        if found is None:
            raise PlanStale
        if background.is_dead(found):
            operations.fail(found, "died", clock.now())
        change(opened, found, _version(sent))
    except PlanStale:
        opened.rollback()
        return _refused(None, 409)
    except PlanRefused as refused:
        opened.rollback()
        return _refused(words.refusal(refused), 422)
    opened.commit()
    db.only_read()
    return jsonify(_data(_shown())) if request.is_json else go(url_for("planning.plan"))


def _refused(why: str | None, status: int) -> Answer:
    db.only_read()
    shown = _shown()
    why = why or _who_was_quicker()
    if request.is_json:
        return jsonify(error=why, state=_data(shown)), status
    return _page(why), status


def _who_was_quicker() -> str:
    found = queries.open_plan(db.session(), actor())
    if found is None:
        return _("草案已经不在了：有人让它生效了，或者扔掉了。")
    name = queries.name_of(db.session(), found.changed_by_id) or _("别人")
    at = clock_time(found.changed_at)
    return _("%(who)s %(at)s 刚改过。现在看到的是改过的，要改再改一次。", who=name, at=at)


# --- showing


def _page(said: str | None = None) -> str:
    shown = _shown()
    shown.said = said
    data = shown.data() | {"tiles": pages.map_tiles(community()), "urls": _urls()}
    return render_template("planning/plan.html", view=shown, data=data, community=community())


def _data(shown: Shown) -> dict[str, Any]:
    """The page's data, with its panel: answers to the script carry no policy of their own."""
    panel = render_template("planning/_panel.html", view=shown)
    data = shown.data() | {"tiles": pages.map_tiles(community()), "urls": _urls(), "panel": panel}
    g.pop("tile_origin", None)
    return data


def _urls() -> dict[str, str]:
    return {name: url_for("planning." + name) for name in ("edit", "undo", "redo", "state", "publish")}


def _ground(opened: Any) -> Ground:
    who = actor()
    return Ground(queries.blocks(opened, who), places.districts_on(opened, who, clock.today()))


def _shown() -> Shown:
    opened, who, today = db.session(), actor(), clock.today()
    found = queries.open_plan(opened, who)
    steps = queries.steps(opened, found) if found else []
    body = operations.body_of(opened, found) if found and found.step else Body()
    is_dead = found is not None and background.is_dead(found)
    error = "died" if is_dead else found.error if found else None
    numbers = [step.number for step, _who in steps]
    return Shown(
        state=_state(found, is_dead),
        version=found.version if found else 0,
        ground=_ground(opened),
        body=body,
        has_draft=bool(body.districts),
        target=community().district_size,
        in_force_on=(found.since if found else None) or rules.next_month(today),
        workers=[Worker(str(worker.id), worker.name) for worker in queries.workers(opened, who)],
        progress=found.progress if found else 0.0,
        error=words.failure(error) if error else None,
        saved_at=found.changed_at if found and found.step else None,
        can_undo=bool(found and found.state == "draft" and found.step - 1 in numbers),
        can_redo=bool(found and found.state == "draft" and found.step + 1 in numbers),
        history=_history(found, steps),
    )


def _state(found: Plan | None, is_dead: bool) -> str:
    if found is None:
        return "none"
    if found.state == "waiting" or (found.state == "computing" and not is_dead):
        return found.state
    return "draft" if found.step else "none"


def _history(found: Plan | None, steps: Any) -> list[Line]:
    lines = [
        Line(words.deed(step.deed), name or "", step.at, found is not None and step.number > found.step)
        for step, name in steps
    ]
    for since, at, name in queries.published(db.session(), actor()):
        if since and at:
            lines.append(Line(_("%(day)s起生效", day=day_words(since)), name or "", at))
    return lines


# --- entrances by hand


@bp.get("/buildings/<uuid:building_id>/entrances")
@roles(Role.DIRECTOR)
def entrances(building_id: UUID) -> str:
    """How many entrances a building has, where imported data did not say."""
    return _entrances_page(_building(building_id))


@bp.post("/buildings/<uuid:building_id>/entrances")
@roles(Role.DIRECTOR)
def deal_entrances(building_id: UUID) -> Answer:
    """Deal a building's doors over the entrances that a director typed."""
    opened, found = db.session(), _building(building_id)
    try:
        wanted = rules.read_entrances(request.form.get("entrances", ""))
        count = operations.deal_entrances(opened, actor(), found, wanted)
    except PlanRefused as refused:
        opened.rollback()
        return _entrances_page(_building(building_id), words.refusal(refused)), 422
    accounts.leave_trace(
        opened,
        deed="layout.entrances",
        at=clock.now(),
        user_id=actor().user_id,
        community_id=actor().community_id,
        subject=str(building_id),
        entrances=count,
    )
    opened.commit()
    flash(_("分成 %(n)s 个单元了。", n=count))
    return go(url_for("places.layout", building_id=building_id))


def _building(building_id: UUID) -> Building:
    found = places.building(db.session(), actor(), building_id)
    if found is None:
        abort(404)
    return found


def _entrances_page(found: Building, fault: str | None = None) -> str:
    doors = queries.doors_to_deal(db.session(), actor(), found.id)
    counts: dict[int, int] = {}
    for door in doors:
        counts[door.entrance] = counts.get(door.entrance, 0) + (not door.is_shop)
    return render_template(
        "planning/entrances.html",
        building=found,
        counts=counts,
        households=sum(counts.values()),
        fault=fault,
        typed=request.form.get("entrances", ""),
    )
