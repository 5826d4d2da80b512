"""The service worker's other half: the pack of pages to read, the key that seals them, receipts."""

from uuid import UUID

from flask import Blueprint, Response, abort, flash, jsonify, render_template, request, send_from_directory, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, public, roles
from fieldapp.pages import asset, go
from fieldapp.sync import held, held_queries, holding, operations, queries, rules
from fieldapp.sync import pack as packing
from fieldapp.sync.holding import CannotAccept
from fieldapp.sync.intake import standing, take_left
from fieldapp.sync.models import HeldItem
from fieldapp.visits.views import MOST_PHOTOS

bp = Blueprint("sync", __name__)


@bp.get("/sw.js")
@public
def service_worker() -> Response:
    """The service worker, at the root so that it may answer for every page; asked for anew at each start."""
    folder, _, name = asset("sw.js").removeprefix(url_for("static", filename="")).rpartition("/")
    return send_from_directory("static/" + folder, name, mimetype="text/javascript", max_age=0)


@bp.app_template_global()
def clock_words(ahead: int) -> str:
    """How far a phone's clock was off, in the largest unit that says it: `ahead` seconds, negative when behind."""
    minutes = abs(ahead) // 60
    if minutes < 120:
        return _("手机时间快 %(n)s 分钟", n=minutes) if ahead > 0 else _("手机时间慢 %(n)s 分钟", n=minutes)
    hours = minutes // 60
    if hours < 48:
        return _("手机时间快 %(n)s 小时", n=hours) if ahead > 0 else _("手机时间慢 %(n)s 小时", n=hours)
    return _("手机时间快 %(n)s 天", n=hours // 24) if ahead > 0 else _("手机时间慢 %(n)s 天", n=hours // 24)


@bp.get("/outbox")
@roles(Role.WORKER, Role.DIRECTOR)
def outbox() -> str:
    """The tray: what waits on this phone. The phone fills it; the server knows nothing of it."""
    return render_template("sync/outbox.html")


@bp.get("/saved")
@roles(Role.WORKER)
def saved() -> str:
    """What was saved last, as the phone knows it; the item's key stands in the address's fragment, unseen here."""
    return render_template("sync/saved.html")


@bp.get("/sync/pack")
@roles(Role.WORKER)
def pack() -> Response:
    """Every page that a worker may need at a door, or what changed of them `?since=` a token."""
    return packing.answer(request.args.get("since", ""))


@bp.get("/sync/doors")
@roles(Role.WORKER)
def doors() -> Response:
    """The facts about the doors that a phone counts, searches and finds the next door by."""
    return Response(packing.read_doors(), mimetype="application/json")


@bp.get("/sync/key")
@roles()
def key() -> Response:
    """The key that seals what this person's phone keeps. A phone forgets it at sign-out and asks for it again."""
    opened, who = db.session(), current_user
    found = queries.seal_of(opened, who.id)
    if found is None:
        with db.writing():
            found = operations.ensure_seal(opened, who.id)
    return jsonify(user=str(who.id), name=who.name, key=found, **standing(who.community_id))


@bp.post("/sync/known")
@roles()
def known() -> Response:
    """Which of these items there is no receipt for: asked by a phone when the database came back from a backup."""
    asked = request.form.getlist("ids")
    keys = {text: rules.key_of(text) for text in asked}
    if len(asked) > rules.MOST_ASKED or None in keys.values():
        abort(422, _("一次最多问 %(n)s 条，编号要完整。", n=rules.MOST_ASKED))
    taken_in = queries.known_of(db.session(), current_user.id, [found for found in keys.values() if found])
    lacking = [text for text, found in keys.items() if found not in taken_in]
    return jsonify(lacking=lacking, **standing(current_user.community_id))


@bp.post("/sync/left")
@public
def left() -> Response:
    """Keep what somebody wrote before their account was closed; 401 for everybody else."""
    return take_left()


@bp.post("/held/<uuid:item_id>/acceptance")
@roles(Role.DIRECTOR)
def accept(item_id: UUID) -> AnyResponse:
    """Take what was held into the records, as its writer's."""
    opened, found = db.session(), _held(item_id)
    try:
        holding.accept(opened, actor(), found, clock.now(), MOST_PHOTOS)
        opened.commit()
    except CannotAccept as error:
        opened.rollback()
        flash(held.advice(error), "error")
        return go(url_for("reports.overview"))
    return _decided(found)


@bp.post("/held/<uuid:item_id>/refusal")
@roles(Role.DIRECTOR)
def decline(item_id: UUID) -> AnyResponse:
    """Do not take it."""
    opened, found = db.session(), _held(item_id)
    holding.decline(opened, actor(), found, clock.now())
    opened.commit()
    return _decided(found)


def _held(item_id: UUID) -> HeldItem:
    found = held_queries.of_director(db.session(), actor(), item_id)
    if found is None:
        abort(404)
    return found


def _decided(found: HeldItem) -> AnyResponse:
    """What became of it, whoever decided first."""
    flash(_("收下了，记在写的人名下。") if found.is_accepted else _("没有收，留在一边。"))
    return go(url_for("reports.overview"))
