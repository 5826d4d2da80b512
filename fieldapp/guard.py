"""Who may call what: sign-in, roles, requests from foreign sites, and the headers of every answer.

Every view says its readers with `@roles(…)` or `@public`; one that says nothing is served to nobody.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts import queries as accounts
from fieldapp.accounts.models import User
from fieldapp.accounts.rules import Actor, Role
from fieldapp.places import queries as places
from fieldapp.places.models import Community
from fieldapp.sync.rules import key_of

View = TypeVar("View", bound=Callable[..., Any])

EVERYBODY = frozenset(Role)
WITH_FIRST_PASSWORD = ("accounts.password", "accounts.change_password", "accounts.set_language", "accounts.sign_out")


def init_app(app: Flask) -> None:
    """Put the guards in front of every request: foreign sites, unreadable forms, sign-in, role, first password."""
    manager = LoginManager(app)
    manager.user_loader(_load_user)
    app.before_request(_refuse_foreign_sites)
    app.before_request(_read_form)
    app.before_request(_admit)
    app.after_request(_harden)


def roles(*allowed: Role) -> Callable[[View], View]:
    """Say which roles a view serves; any signed-in person when none is named."""

    def mark(view: View) -> View:
        view.readers = frozenset(allowed) or EVERYBODY  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Say that a view serves anybody."""
    view.readers = None  # type: ignore[attr-defined]
    return view


def actor() -> Actor:
    """Who asks, with the districts they answer for today; read once a request."""
    if "actor" not in g:
        user = current_user
        role = Role(user.role)
        districts = places.district_ids_of(db.session(), user.id, clock.today()) if role is Role.WORKER else frozenset()
        g.actor = Actor(user.id, user.name, role, user.community_id, user.street_code, districts)
    return g.actor


def community() -> Community:
    """The community of the person who asks; 404 for those who have none."""
    if "community" not in g:
        found = places.community_by_id(db.session(), current_user.community_id)
        if found is None:
            abort(404)
        g.community = found
    return g.community


def is_public() -> bool:
    """Whether the view that is asked for serves anybody."""
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and getattr(view, "readers", frozenset()) is None


def is_item() -> bool:
    """Whether this request is an item of a phone's outbox: it is answered in JSON, with a receipt."""
    return "Outbox-Id" in request.headers and request.method not in ("GET", "HEAD", "OPTIONS")


def closed_account() -> User | None:
    """The account behind this session where it was closed since: what its owner wrote before is not to be lost."""
    user = _account(session.get("_user_id") or "")
    return user if user and not user.active else None


def _load_user(key: str) -> User | None:
    """The account behind a session, unless its password has changed since or it was closed."""
    user = _account(key)
    return user if user and user.active else None


def _account(key: str) -> User | None:
    identity, _, stamp = key.partition(".")
    try:
        user = accounts.user_by_id(db.session(), UUID(identity))
    except ValueError:
        return None
    return user if user and user.password_stamp == stamp else None


def _refuse_foreign_sites() -> None:
    """A form of another site may not write here. Browsers say where a request comes from; who says nothing is refused.

    https://web.dev/articles/fetch-metadata; a token in the page could not outlive a new sign-in, and with it would die
    what a phone queued.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site != "same-origin":
            abort(403)
        return
    own = current_app.config["PUBLIC_ORIGIN"] or request.host_url
    if _origin(request.headers.get("Origin", "")) != _origin(own):
        abort(403)


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        abort(403)
    return parts.scheme, parts.netloc


def _read_form() -> None:
    """Read what was sent before the database is asked anything, and refuse text that it could not keep.

    On SQLite a POST's transaction is a writer from its first question on: everybody else's would wait for as long as a
    phone in a stairwell takes to send its photos. Who never signed in here is not read. NUL is no sign of any text,
    PostgreSQL refuses it, and no keyboard makes one: saying so once here is enough.
    """
    try:
        sent = [*request.args.items(multi=True)]
    except UnicodeDecodeError:
        abort(400)
    view = current_app.view_functions.get(request.endpoint or "")
    # What a closed account still sends is read like what an open one does: its session is looked at before its form.
    anybody = is_public() and request.endpoint != "sync.left"
    if anybody or request.mimetype != "multipart/form-data":
        # Werkzeug counts the bytes of fields in multipart forms alone, and the other kind is read into memory whole.
        request.max_content_length = min(
            current_app.config["MAX_CONTENT_LENGTH"], current_app.config["MAX_FORM_MEMORY_SIZE"]
        )
    if anybody or (view and "_user_id" in session):
        sent += _whole_form()
    if any("\x00" in f"{name}{value}" for name, value in sent):  # a part of a form may have no name
        abort(422, _("有一处带着看不见的符号，存不了。删掉重打。"))


def _whole_form() -> list[tuple[str, str]]:
    """The names and values of what was sent, unless the connection broke half-way.

    gunicorn ends a body that was cut like one that is whole, and says that it ends bodies by itself: Werkzeug believes
    it and reads half a form, half a word in it. Where a length was announced, it is to be that long.
    """
    if request.content_length is not None:
        request.environ.pop("wsgi.input_terminated", None)
    try:
        files = [(name, file.filename or "") for name, file in request.files.items(multi=True)]
        return [*request.form.items(multi=True), *files]
    except ClientDisconnected:
        abort(408 if is_item() else 400)


def _admit() -> AnyResponse | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    readers: frozenset[Role] | None = getattr(view, "readers", frozenset())
    if readers is None:
        return None
    if not current_user.is_authenticated:
        if is_item() and closed_account():
            abort(410)
        return _to_sign_in()
    if is_item() and key_of(request.headers.get("Outbox-User", "")) not in (None, current_user.id):
        abort(401)  # before the role: on a shared phone it waits for its writer, whoever is signed in meanwhile
    if current_user.role not in readers:
        abort(404)
    if current_user.must_change_password and request.endpoint not in WITH_FIRST_PASSWORD:
        return redirect(url_for("accounts.password"), 303)
    return None


def _to_sign_in() -> AnyResponse:
    """A page sends the reader to sign in and back; a part of a page, or a form, is told 401."""
    if request.htmx:  # type: ignore[attr-defined]
        return Response(status=401, headers={"HX-Redirect": url_for("accounts.sign_in")})
    if request.method not in ("GET", "HEAD"):
        abort(401)
    return redirect(url_for("accounts.sign_in", next=request.path), 303)


def _harden(response: Response) -> Response:
    """Nothing of another site runs here, nothing here is framed there, and what is private stays out of caches."""
    tiles = g.get("tile_origin", "")
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
        f"img-src 'self' data: blob: {tiles}".rstrip()
        + "; manifest-src 'self'; worker-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(self), microphone=()")
    if request.endpoint != "static":
        # `send_file` says no-cache, which lets a browser keep a resident's photo.
        response.headers["Cache-Control"] = "private, no-store"
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
