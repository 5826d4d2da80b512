"""What every page shares: built files by name, error pages, health, and going home by role."""

import json
from collections.abc import MutableMapping
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, redirect, render_template, request, url_for
from flask.templating import Environment as BaseEnvironment
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin, current_user
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, is_item, public, roles
from fieldapp.language import html_language
from fieldapp.places.basemaps import tiles_of
from fieldapp.places.models import Community
from fieldapp.sync.rules import Item
from fieldapp.visits import queries as visits

bp = Blueprint("pages", __name__)

HOMES = {
    Role.WORKER: "visits.today",
    Role.DIRECTOR: "reports.overview",
    Role.STREET: "reports.coverage",
    Role.ADMIN: "places.settings",
}

_PAGE_COLOUR = "#f2f4f2"
"""What a phone paints behind the icon while the program starts, and the bar above it: the page's own `--bg`."""

_OFFLINE = {
    "title": _l("没有信号，这一页不在本机"),
    "advice": _l("已经存到本机的都在，有信号时打开这里就会发。存过的页面没有信号也能打开。"),
    "retry": _l("再试一次"),
    "today": _l("回今日"),
    "outbox": _l("看待发送"),
}


class Environment(BaseEnvironment):
    """Where templates live. They know what the program gives to all of them and nothing of their own.

    Jinja would chain the two at every page, part and macro file: a third of the time of an empty page.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What a template knows without being told."""
        return super().make_globals(d) if d else self.globals


def init_app(app: Flask) -> None:
    """Register the shared pages and what templates may call."""
    app.register_blueprint(bp)
    app.register_error_handler(HTTPException, _error_page)
    app.jinja_env.globals.update(
        asset=asset,
        promises_due=promises_due,
        constant=constant,
        drawn_icon=icon,
        slot=slot,
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
    addresses: dict[tuple[str, str], str] = current_app.extensions.setdefault("fieldapp-assets", {})
    key = name, request.script_root
    if key not in addresses:
        built = _built(Path(current_app.root_path) / "static" / "dist" / "manifest.json")
        addresses[key] = url_for("static", filename="dist/" + built.get(name, name))
    return addresses[key]


@cache
def icon(name: str, look: str = "") -> Markup:
    """A glyph of the sprite. A function, since a page draws forty and a macro takes ten times as long."""
    return Markup('<svg class="i {}" aria-hidden="true" focusable="false"><use href="#i-{}"/></svg>').format(look, name)


@cache
def slot(name: str, tag: str = "span") -> Markup:
    """An empty place in a sentence, which a script fills with what only the phone knows: a number, a time, a reason."""
    return Markup("<{0} data-{1}></{0}>").format(tag, name)


def promises_due() -> int:
    """The badge at the tab 诉求: promises whose day is today or has passed. One count."""
    if "promises_due" not in g:
        g.promises_due = visits.count_due_follow_ups(db.session(), actor(), clock.today())
    return g.promises_due


def constant(name: str) -> Markup:
    """A part of a page that is the same for every reader of a language, rendered once; it knows no reader."""
    environment = current_app.jinja_env
    parts: dict[tuple[str, ...], Markup] = current_app.extensions.setdefault("fieldapp-constants", {})
    key = name, html_language(), request.script_root
    if key not in parts or environment.auto_reload:
        parts[key] = Markup(environment.get_template(name).render())  # noqa: S704 - a template of ours
    return parts[key]


def go(address: str) -> AnyResponse:
    """The answer to a form that was taken: look there next. htmx follows a redirect like any browser."""
    return redirect(address, 303)


def outbox_item() -> Item | None:
    """What a phone says of the form it sends now, if it comes from its outbox."""
    return g.get("outbox_item")


def done_at() -> datetime:
    """When the deed was done that is being written down: now, or when a phone without signal kept it."""
    item, now = outbox_item(), clock.now()
    return item.done_at(now) if item else now


def refuse(reason: str, fields: dict[str, str] | None = None, status: int = 422) -> Response:
    """The answer to an item of an outbox that cannot be taken: why, in words, and the words of each field."""
    if "refused" not in g:
        g.refused = {"reason": reason, "fields": fields or {}}
    return Response(status=status)


def map_tiles(community: Community) -> dict[str, str] | None:
    """The community's map tiles as the map's script takes them, and leave for this page to load them; None without.

    `url`, `attribution` and `datum` always; `labels`, `subdomains` and `referrer` where there are some: `basemaps`.
    """
    tiles = tiles_of(
        community.basemap, key=community.tiles_key, url=community.tiles_url, attribution=community.tiles_attribution
    )
    if tiles is None:
        return None
    g.tile_origin = tiles.origin
    return {name: value for name, value in asdict(tiles).items() if name != "origin" and value is not None}


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


@bp.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to put Fieldapp on its home screen, in the reader's language."""
    described = {
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "name": _("社区走访"),
        "short_name": _("走访"),
        "description": _("社区网格员的走访日志、居民底册和包干区地图"),
        "lang": html_language(),
        "dir": "ltr",
        "display": "standalone",
        "background_color": _PAGE_COLOUR,
        "theme_color": _PAGE_COLOUR,
        "icons": [
            {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            *(
                {"src": asset(f"{name}-{edge}.png"), "sizes": f"{edge}x{edge}", "type": "image/png", "purpose": purpose}
                for name, purpose in (("icon", "any"), ("maskable", "maskable"))
                for edge in (192, 512)
            ),
        ],
        "shortcuts": _shortcuts(),
    }
    return Response(json.dumps(described, ensure_ascii=False), mimetype="application/manifest+json")


def _shortcuts() -> list[dict[str, str]]:
    """What a long press on the icon offers: pages of a worker. Who is not known yet will be one."""
    if current_user.is_authenticated and current_user.role != Role.WORKER:
        return []
    pages = {"visits.today": _("今日"), "places.map_page": _("地图"), "sync.outbox": _("待发送")}
    return [{"name": name, "url": url_for(endpoint)} for endpoint, name in pages.items()]


@bp.get("/install")
@public
def install() -> str:
    """How to put Fieldapp on the home screen, and where it does not go."""
    return render_template("install_help.html")


@bp.get("/offline")
@public
def offline() -> str:
    """What a phone shows for a page that is neither reachable nor on it.

    The phone keeps one copy for whoever holds it, so it is the same for everybody: Chinese with a line of English.
    """
    g._login_user = AnonymousUserMixin()  # where Flask-Login looks first: a page for whoever asks is nobody's
    with force_locale("en"):
        english = {name: str(words) for name, words in _OFFLINE.items()}
    with force_locale("zh_Hans"):
        return render_template("offline.html", words=_OFFLINE, english=english)


def error_words(code: int, said: str | None = None) -> tuple[str, str]:
    """A title and a piece of advice for what went wrong; `said` is what the view said of a form it cannot take."""
    words: dict[int, tuple[str, str]] = {
        400: (_("没看懂"), _("没收全。回上一页再存一次。")),
        401: (_("要先登录"), _("登录以后再做一次，写的还在上一页。")),
        403: (_("服务器没收下"), _("这一步不是从这里的页面发出的。打开这里的页面再做一次。")),
        404: (_("没有这一页"), _("可能挪了地方，或者这个账号看不到。")),
        405: (_("不能这样打开"), _("从首页进去再做一次。")),
        413: (_("太大了"), _("一次最多 64 MB，照片一张最多 30 MB。少选几张再试。")),
        422: (_("服务器没收下"), said or ""),
        429: (_("太快了"), _("过一会儿再试。")),
    }
    return words.get(code, (_("出错了"), _("记下的没有丢。过一会儿再试；还不行就告诉管理员。")))


def _error_page(error: HTTPException) -> AnyResponse | tuple[str, int] | HTTPException:
    if error.code is None or error.code < 400:
        return error
    if is_item() and error.code >= 500:
        return Response(status=error.code)
    if error.code >= 500:
        db.give_up()  # before the first word: its language is the reader's, and that is read from the database
        if not db.answers():
            g._login_user = AnonymousUserMixin()  # where Flask-Login looks first: nobody is asked for
    title, advice = error_words(error.code, error.description)
    if is_item():
        return refuse(advice, status=error.code)
    details: dict[str, Any] = {"title": title, "advice": advice, "code": error.code}
    template = "_error.html" if request.htmx else "error.html"  # type: ignore[attr-defined]
    response = current_app.make_response((render_template(template, **details), error.code))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response
