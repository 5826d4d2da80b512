"""What the director and the street office see: the first page, the coverage map and its files."""

from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, g, render_template, request, send_file
from flask_babel import gettext as _

from fieldapp import clock, db, pages
from fieldapp.accounts import operations as accounts
from fieldapp.accounts.rules import Actor, Role
from fieldapp.guard import actor, community, roles
from fieldapp.households.freshness import Freshness, together
from fieldapp.households.history import end_of
from fieldapp.places import queries as places
from fieldapp.places.models import Community
from fieldapp.reports import files, queries, rules
from fieldapp.reports.freshness_queries import freshness_by_district
from fieldapp.reports.rules import Coverage
from fieldapp.sync import held
from fieldapp.visits import queries as visits
from fieldapp.visits.rules import month_of, working_days

bp = Blueprint("reports", __name__)


@bp.get("/overview")
@roles(Role.DIRECTOR)
def overview() -> str:
    """The director's first page: what is urgent, what wants a look, how the month stands."""
    opened, who, day = db.session(), actor(), clock.today()
    figures = queries.coverage(opened, who, month_of(day), day)
    promises = visits.open_follow_ups(opened, who)
    return render_template(
        "reports/overview.html",
        community=community(),
        coverage=figures,
        quiet=figures.quiet(community().quiet_days),
        urgent=visits.untaken_urgent(opened, who),
        held=held.waiting(),
        late=[p for p in promises if p.follow_up.due_on and p.follow_up.due_on < day],
        open_count=len(promises),
    )


@bp.get("/overview/urgent")
@roles(Role.DIRECTOR)
def urgent() -> str:
    """What is urgent, for the first page to ask again while it is open."""
    return render_template("reports/_urgent.html", urgent=visits.untaken_urgent(db.session(), actor()))


@bp.get("/coverage")
@roles(Role.DIRECTOR, Role.STREET)
def coverage() -> str:
    """The coverage map and table of a span; for a street office first its communities."""
    if actor().role is Role.STREET and not request.args.get("community"):
        return _street_page()
    where, who = community_seen()
    name, figures = _asked(who)
    shown = files.coverage_map(figures, _shapes(who), name, with_links=who.role is Role.DIRECTOR)
    faults = files.tiling_faults(figures)
    shown |= {"tiles": pages.map_tiles(where), "faults": [fault.geometry for fault, _names in faults]}
    fresh = _freshness(who, figures, where)
    return render_template(
        "reports/coverage.html",
        community=where,
        coverage=figures,
        span_name=name,
        fresh=fresh,
        fresh_total=together(fresh.values()),
        quiet=figures.quiet(where.quiet_days) if figures.day == clock.today() else [],
        faults=faults,
        sizes=files.sizes_off(figures, where),
        working_days_left=working_days(figures.day, figures.span.end) if figures.day == clock.today() else 0,
        map_data=shown,
        before=files.span_before(name, figures.span),
        after=files.span_after(figures.span, clock.today()),
        steps=rules.DISTRICT_STEPS[name],
        building_steps=rules.BUILDING_STEPS[name],
    )


@bp.get("/coverage.geojson")
@roles(Role.DIRECTOR, Role.STREET)
def coverage_geojson() -> Response:
    """The map of a span as a file: districts and buildings with their figures, no resident's data."""
    where, who = community_seen()
    _name, figures = _asked(who)
    data = files.coverage_geojson(figures, _shapes(who))
    return _download(data, f"coverage-{where.code}-{figures.day}.geojson", "application/geo+json", where)


@bp.get("/coverage.xlsx")
@roles(Role.DIRECTOR, Role.STREET)
def coverage_xlsx() -> Response:
    """The table of a span as a spreadsheet."""
    where, who = community_seen()
    _name, figures = _asked(who)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    data = files.coverage_xlsx(figures, where, _freshness(who, figures, where))
    return _download(data, f"coverage-{where.code}-{figures.day}.xlsx", kind, where)


def _freshness(who: Actor, figures: Coverage, where: Community) -> dict[UUID, Freshness]:
    return freshness_by_district(db.session(), who, figures.day, end_of(figures.day), where.registry_settings)


def _shapes(who: Actor) -> dict[UUID, dict[str, Any] | None]:
    return dict(places.footprints(db.session(), who, figures=True))


def _download(data: bytes, name: str, kind: str, where: Community) -> Response:
    opened = db.session()
    # In a transaction of its own: on SQLite a reader that turns writer is refused when somebody wrote meanwhile.
    opened.commit()
    accounts.leave_trace(
        opened, deed="export.coverage", at=clock.now(), user_id=actor().user_id, community_id=where.id, subject=name
    )
    opened.commit()
    return send_file(BytesIO(data), mimetype=kind, as_attachment=True, download_name=name, etag=False)


def _street_page() -> str:
    opened, who, day = db.session(), actor(), clock.today()
    found = places.communities_of_street(opened, who.street_code)
    span = month_of(day)
    rows = [(each, queries.coverage(opened, looking_at(who, each), span, day)) for each in found]
    return render_template("reports/street.html", rows=rows, day=day)


def looking_at(who: Actor, where: Community) -> Actor:
    """The street office's actor, narrowed to one of its own communities: it counts there and sees no rows."""
    return Actor(who.user_id, who.name, who.role, where.id, who.street_code)


def community_seen() -> tuple[Community, Actor]:
    """The community that is asked for, and who looks at it; 404 where it is none of theirs."""
    who = actor()
    if who.role is not Role.STREET:
        return community(), who
    try:
        where = places.community_by_id(db.session(), UUID(request.args.get("community", "")))
    except ValueError:
        abort(404)
    if where is None or where.street_code is None or where.street_code != who.street_code:
        abort(404)
    g.community = where
    return where, looking_at(who, where)


def _asked(who: Actor) -> tuple[str, Coverage]:
    """The span that the address asks for: `span` is month, quarter or year, `day` any day in it."""
    name = request.args.get("span", "month")
    today = clock.today()
    try:
        day = date.fromisoformat(request.args.get("day", "") or today.isoformat())
    except ValueError:
        abort(422, _("日期要写成 2026-11-01 这样。"))
    if name not in rules.SPANS or not date(2000, 1, 1) <= day <= today:
        abort(422, _("只能看到今天为止的月、季、年。"))
    return name, queries.coverage(db.session(), who, rules.span_named(name, day), today)
