"""What every page shares: built files by name, error pages, health, and going home by role."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin, current_user
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, public, roles
from fieldapp.places.models import Community
from fieldapp.visits import queries as visits

bp = Blueprint("pages", __name__)

_TILE_ORIGIN = re.compile(r"https?://(\{s\}\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?/")
"""What may be put into a Content-Security-Policy: nothing but a host and a port."""

HOMES = {
    Role.WORKER: "visits.today",
    Role.DIRECTOR: "reports.overview",
    Role.STREET: "reports.coverage",
    Role.ADMIN: "places.settings",
}


def init_app(app: Flask) -> None:
    """Register the shared pages and what templates may call."""
    app.register_blueprint(bp)
    app.register_error_handler(HTTPException, _error_page)
    app.jinja_env.globals.update(
        asset=asset,
        promises_due=promises_due,
        drawn_icon=icon,
        now=clock.now,
        today=clock.today,
        actor=actor,
        Role=Role,
    )


@cache
def _built(manifest: Path) -> dict[str, str]:
    return json.loads(manifest.read_text()) if manifest.exists() else {}


def asset(name: str) -> str:
    """The address of a built file: `app.css` becomes `/static/dist/app-1a2b3c-h.css`."""
    built = _built(Path(current_app.root_path) / "static" / "dist" / "manifest.json")
    return url_for("static", filename="dist/" + built.get(name, name))


@cache
def icon(name: str, look: str = "") -> Markup:
    """A glyph of the sprite. A function, since a page draws forty and a macro takes ten times as long."""
    return Markup('<svg class="i {}" aria-hidden="true" focusable="false"><use href="#i-{}"/></svg>').format(look, name)


def promises_due() -> int:
    """The badge at the tab 诉求: promises whose day is today or has passed. One count."""
    return visits.count_due_follow_ups(db.session(), actor(), clock.today())


def go(address: str) -> AnyResponse:
    """The answer to a form that was taken: look there next. htmx follows a redirect like any browser."""
    return redirect(address, 303)


def map_tiles(community: Community) -> dict[str, str] | None:
    """The community's map tiles as the map's script takes them, and leave for this page to load them; None without."""
    found = _TILE_ORIGIN.match(community.tiles_url or "")
    if not found:
        return None
    g.tile_origin = found[0].rstrip("/").replace("{s}.", "*.")
    return {"url": community.tiles_url or "", "attribution": community.tiles_attribution or ""}


@bp.get("/")
@roles()
def home() -> AnyResponse:
    """Everybody's first page."""
    return redirect(url_for(HOMES[Role(current_user.role)]), 303)


@bp.get("/healthz")
@public
def healthz() -> tuple[Response, int]:
    """200 once the database answers, 503 until then."""
    if not db.answers():
        return jsonify(status="database does not answer"), 503
    return jsonify(status="ok"), 200


def _error_page(error: HTTPException) -> AnyResponse | tuple[str, int] | HTTPException:
    if error.code is None or error.code < 400:
        return error
    if error.code >= 500:
        db.give_up()  # before the first word: its language is the reader's, and that is read from the database
        if not db.answers():
            g._login_user = AnonymousUserMixin()  # where Flask-Login looks first: nobody is asked for
    words: dict[int, tuple[str, str]] = {
        400: (_("没看懂"), _("没收全。回上一页再存一次。")),
        401: (_("要先登录"), _("登录以后再做一次，写的还在上一页。")),
        403: (_("服务器没收下"), _("这一步不是从这里的页面发出的。打开这里的页面再做一次。")),
        404: (_("没有这一页"), _("可能挪了地方，或者这个账号看不到。")),
        405: (_("不能这样打开"), _("从首页进去再做一次。")),
        413: (_("太大了"), _("一次最多 64 MB，照片一张最多 30 MB。少选几张再试。")),
        422: (_("服务器没收下"), error.description or ""),
        429: (_("太快了"), _("过一会儿再试。")),
    }
    title, advice = words.get(error.code, (_("出错了"), _("记下的没有丢。过一会儿再试；还不行就告诉管理员。")))
    details: dict[str, Any] = {"title": title, "advice": advice, "code": error.code}
    template = "_error.html" if request.htmx else "error.html"  # type: ignore[attr-defined]
    response = current_app.make_response((render_template(template, **details), error.code))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response
