"""Signing in and out, one's own page, one's password and language."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from fieldapp import clock, db
from fieldapp.accounts import operations, rules
from fieldapp.accounts.models import User
from fieldapp.accounts.operations import SignIn
from fieldapp.guard import actor, public, roles
from fieldapp.language import LANGUAGES, chosen
from fieldapp.pages import go
from fieldapp.places import queries as places
from fieldapp.places.models import Community

bp = Blueprint("accounts", __name__)


@bp.get("/sign-in")
@public
def sign_in() -> str | Response:
    """The sign-in page."""
    if current_user.is_authenticated:
        return redirect(_next_page(), 303)
    return _sign_in_page()


@bp.post("/sign-in")
@public
def create_session() -> tuple[str, int] | Response:
    """Look at a name and a password; 422 with the same form when they do not fit."""
    username = request.form.get("username", "").strip()
    password = request.form.get("password", "")
    if not username or not password:
        return _sign_in_page(_("用户名和密码都要填。"), username), 422
    opened = db.session()
    result, user = operations.sign_in(opened, username, password, clock.now())
    opened.commit()
    if result is SignIn.IN and isinstance(user, User):
        chosen = session.get("language")
        session.clear()
        session.permanent = True
        if chosen in LANGUAGES:
            session["language"] = chosen
        login_user(user)
        return go(_next_page())
    if result is SignIn.WAIT and user and user.wait_until:
        return _sign_in_page(_("试错太多次了，%(n)s 秒以后再试。", n=_seconds_left(user)), username), 429
    return _sign_in_page(_("用户名或密码不对。"), username), 422


def _seconds_left(tried: Any) -> int:
    return max(int((tried.wait_until - clock.now()).total_seconds()) + 1, 1) if tried.wait_until else 1


def _sign_in_page(fault: str | None = None, username: str = "") -> str:
    is_demo = places.any_demo(db.session())
    return render_template("accounts/sign_in.html", fault=fault, username=username, is_demo=is_demo, next=_next_page())


def _next_page() -> str:
    """Where to go after signing in: a path of this site, else home."""
    wanted = request.values.get("next", "")
    if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable():
        return wanted
    return url_for("pages.home")


@bp.post("/sign-out")
@roles()
def sign_out() -> Response:
    """End this session."""
    language = chosen()
    logout_user()
    session.clear()
    session["language"] = language
    return go(url_for("accounts.sign_in"))


@bp.get("/me")
@roles()
def me() -> str:
    """One's own page: who I am, my districts, language, password, sign-out."""
    opened, who = db.session(), actor()
    community = places.community_by_id(opened, who.community_id)
    districts = places.districts_on(opened, who, clock.today()) if who.role == rules.Role.WORKER else []
    return me_page(community, districts)


def me_page(community: Community | None, districts: Sequence[places.DistrictOnDay]) -> str:
    """One's own page."""
    return render_template("accounts/me.html", community=community, districts=districts)


@bp.post("/me/language")
@roles()
def set_language() -> Response:
    """Choose the language of the pages."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(422, _("没有这种语言。"))
    current_user.language = wanted
    db.session().commit()
    return go(url_for("accounts.me"))


@bp.post("/language")
@public
def set_browser_language() -> Response:
    """Choose the language of this browser, before signing in."""
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        abort(422, _("没有这种语言。"))
    session["language"] = wanted
    return go(url_for("accounts.sign_in"))


@bp.get("/password")
@roles()
def password() -> str:
    """The page to change one's password."""
    return render_template("accounts/password.html", faults={})


@bp.post("/password")
@roles()
def change_password() -> tuple[str, int] | Response:
    """Change one's password; every other session of this account ends."""
    now_used = request.form.get("current", "")
    wanted, repeated = request.form.get("password", ""), request.form.get("repeated", "")
    faults = {}
    user = current_user._get_current_object()  # handed the proxy, Flask-Login would make it stand for itself
    tried = operations.try_password(user, now_used, clock.now())
    db.session().commit()
    if tried is SignIn.WAIT:
        faults["current"] = _("试错太多次了，%(n)s 秒以后再试。", n=_seconds_left(user))
    elif tried is SignIn.WRONG:
        faults["current"] = _("现在的密码不对。")
    if fault := rules.password_fault(wanted, current_user.username):
        faults["password"] = {
            "short": _("至少 %(n)s 位。", n=rules.SHORTEST_PASSWORD),
            "same": _("不能和用户名一样。"),
            "simple": _("不能只用一两个字符，至少三种。"),
        }[fault]
    elif wanted == now_used:
        faults["password"] = _("要和现在的不一样。")
    elif wanted != repeated:
        faults["repeated"] = _("两次写的不一样。")
    if faults:
        return render_template("accounts/password.html", faults=faults), 422
    operations.change_password(user, wanted)
    db.session().commit()
    login_user(user)
    flash(_("密码改好了，别的手机上要重新登录。"))
    return go(url_for("pages.home"))
