"""Puts the program together: configuration, extensions, slices."""

import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_compress import Compress
from htmx_flask import Htmx
from whitenoise import WhiteNoise

from fieldapp import commands, db, guard, language, pages, seals
from fieldapp.accounts.views import bp as accounts
from fieldapp.exchange.resident_views import bp as residents
from fieldapp.exchange.views import bp as exchange
from fieldapp.households.duplicate_views import bp as duplicates
from fieldapp.households.event_views import bp as events
from fieldapp.households.fact_views import bp as facts
from fieldapp.households.views import bp as households
from fieldapp.matters.views import bp as matters
from fieldapp.places.views import bp as places
from fieldapp.planning import daily
from fieldapp.planning.views import bp as planning
from fieldapp.premises.views import bp as premises
from fieldapp.privacy.views import bp as privacy
from fieldapp.reports.sheet_views import bp as sheets
from fieldapp.reports.views import bp as reports
from fieldapp.spotchecks.views import bp as spotchecks
from fieldapp.sync import intake, notice, tracking
from fieldapp.sync import pack as packing
from fieldapp.sync.views import bp as sync
from fieldapp.visits.views import bp as visits

SLICES = (
    accounts,
    places,
    planning,
    households,
    facts,
    duplicates,
    events,
    visits,
    matters,
    reports,
    spotchecks,
    sheets,
    exchange,
    residents,
    premises,
    privacy,
    sync,
)


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """The program as a WSGI application.

    `config` overrides what the environment says: DATABASE_URL, SECRET_KEY, INSTANCE_PATH, PUBLIC_ORIGIN, KEYRING.
    Without PLAN_IN_BACKGROUND a division into districts is computed within the request that asks for it.
    """
    config = config or {}
    root = Path(__file__).parent.parent
    instance = Path(config.get("INSTANCE_PATH") or os.environ.get("INSTANCE_PATH") or root / "instance").resolve()
    instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    origin = config.get("PUBLIC_ORIGIN") or os.environ.get("PUBLIC_ORIGIN", "")
    app = Flask("fieldapp", instance_path=str(instance))
    app.jinja_environment = pages.Environment
    app.config.from_mapping(
        DATABASE_URL=os.environ.get("DATABASE_URL") or f"sqlite:///{instance / 'fieldapp.db'}",
        PHOTO_PATH=str(instance / "photos"),
        PUBLIC_ORIGIN=origin,
        MAX_CONTENT_LENGTH=64 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=origin.startswith("https:"),
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        SESSION_REFRESH_EACH_REQUEST=False,
        PLAN_IN_BACKGROUND=True,
        COMPRESS_MIN_SIZE=500,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
    )
    app.config.update(config)
    app.config["SECRET_KEY"] = app.config.get("SECRET_KEY") or os.environ.get("SECRET_KEY") or _kept_secret(instance)
    app.extensions["fieldapp-seals"] = app.config.get("KEYRING") or seals.kept_keyring(instance / "registry_keys")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    db.init_app(app)
    Compress(app)
    Htmx(app)
    language.init_app(app)
    notice.init_app(app)
    guard.init_app(app)
    daily.init_app(app)
    intake.init_app(app)
    tracking.init_app()
    packing.init_app(app)
    pages.init_app(app)
    commands.init_app(app)
    for part in SLICES:
        app.register_blueprint(part)
    _serve_built_files(app)
    return app


def _serve_built_files(app: Flask) -> None:
    """Serve `static/dist`, compressed at build time, ahead of Flask: names carry a hash, so they are kept for ever."""
    built = Path(__file__).parent / "static" / "dist"
    if built.is_dir():
        app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
            app.wsgi_app,
            root=str(built),
            prefix="static/dist/",
            max_age=3600,
            immutable_file_test=lambda _path, url: "-h." in url,
        )


def _kept_secret(instance: Path) -> str:
    """The key that signs sessions, made at the first start and kept readable for this program's user alone."""
    kept = instance / "secret_key"
    if not kept.exists():
        fresh = instance / f"secret_key.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            # A link appears whole or not at all: two processes that start together agree on one key.
            kept.hardlink_to(fresh)
        fresh.unlink()
    return kept.read_text()
