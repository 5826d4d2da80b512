"""Places on the screen: the district's map, a building's doors, and a community's settings."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db, pages
from fieldapp.accounts import operations as account_operations
from fieldapp.accounts import queries as accounts
from fieldapp.accounts.rules import Role
from fieldapp.db import uuid7
from fieldapp.guard import actor, community, roles
from fieldapp.households import facts
from fieldapp.households import operations as household_operations
from fieldapp.households import queries as households
from fieldapp.households.freshness import RHYTHMS
from fieldapp.language import LANGUAGES
from fieldapp.pages import go
from fieldapp.places import operations, queries
from fieldapp.places.matrix import Matrix, matrix_of
from fieldapp.places.models import Building
from fieldapp.places.settings import Settings, read_settings
from fieldapp.reports.rules import BUILDING_STEPS, shade
from fieldapp.visits import door_queries, layouts
from fieldapp.visits import rules as visit_rules
from fieldapp.visits.doors import Door
from fieldapp.visits.rules import State

bp = Blueprint("places", __name__)

REGISTRY_FIELDS = ("occupancy", *(key for key in facts.OF_RESIDENT if key not in ("name", "relation")))
"""What a community may switch off; a household without names and relations is none."""


@bp.get("/map")
@roles(Role.WORKER)
def map_page() -> str:
    """The worker's district: its border, its buildings by how much of each is met this month; the same as a list."""
    opened, who, day = db.session(), actor(), clock.today()
    return map_of(
        door_queries.doors(opened, who, day, community().routine_days),
        queries.districts_on(opened, who, day),
        queries.footprints(opened, who),
    )


def map_of(
    doors: Sequence[Door],
    districts: Sequence[queries.DistrictOnDay],
    footprints: Iterable[tuple[UUID, dict[str, Any] | None]],
) -> str:
    """The worker's map from all doors of their districts and the shapes of all buildings around."""
    summaries = summarize(doors, clock.today())
    shapes = {building_id: shape for building_id, shape in footprints if shape}
    own = {summary.id for summary in summaries}
    return render_template(
        "places/map.html",
        districts=districts,
        summaries=summaries,
        households=sum(s.households for s in summaries),
        met=sum(s.met for s in summaries),
        building_steps=BUILDING_STEPS["month"],
        map_data={
            "mode": "worker",
            "tiles": pages.map_tiles(community()),
            "districts": [{"name": d.name, "geometry": d.geometry} for d in districts if d.geometry],
            "buildings": [_drawn(s, shapes[s.id]) for s in summaries if s.id in shapes],
            "around": [shape for key, shape in shapes.items() if key not in own],
        },
    )


def _drawn(summary: "BuildingSummary", geometry: Any) -> dict[str, Any]:
    return {
        "id": str(summary.id),
        "name": summary.name,
        "met": summary.met,
        "households": summary.households,
        "overdue": summary.counts.get(State.OVERDUE, 0),
        "shade": shade(summary.met, summary.households, BUILDING_STEPS["month"]),
        "geometry": geometry,
    }


class BuildingSummary:
    """A building's doors in numbers, as the map's sheet and the list show them."""

    def __init__(self, door: Door) -> None:
        self.id, self.name, self.is_courtyard = door.building_id, door.building, door.is_courtyard
        self.position = door.building_position
        self.households = self.met = self.floors = 0
        self.entrances: set[int] = set()
        self.counts: dict[State, int] = {}

    def add(self, door: Door, day: date) -> None:
        """Count a door."""
        self.floors = max(self.floors, door.floor)
        self.entrances.add(door.entrance)
        self.counts[door.state] = self.counts.get(door.state, 0) + 1
        if door.facts.occupied:
            self.households += 1
            self.met += door.facts.last_met_on is not None and door.facts.last_met_on in visit_rules.month_of(day)


def summarize(doors: Iterable[Door], day: date) -> list[BuildingSummary]:
    """Doors counted by building, in street order."""
    found: dict[UUID, BuildingSummary] = {}
    for door in doors:
        found.setdefault(door.building_id, BuildingSummary(door)).add(door, day)
    return sorted(found.values(), key=lambda s: s.position)


@bp.get("/buildings/<uuid:building_id>")
@roles(Role.WORKER, Role.DIRECTOR)
def building(building_id: UUID) -> str:
    """A building's door matrix. `?choose=1` chooses doors; `?day=` shows an earlier day to a director."""
    return _matrix_page(building_id, _day_asked(), choose=bool(request.args.get("choose")))


def _day_asked() -> date:
    try:
        day = date.fromisoformat(request.args.get("day", "") or clock.today().isoformat())
    except ValueError:
        abort(422, _("日期要写成 2026-11-01 这样。"))
    if not date(2000, 1, 1) <= day <= clock.today():
        abort(422, _("只能看到今天为止。"))
    return day


def _matrix_page(building_id: UUID, day: date, *, choose: bool = False, fault: str | None = None) -> str:
    opened, who = db.session(), actor()
    found = queries.building(opened, who, building_id)
    doors = door_queries.doors(opened, who, day, community().routine_days, building_id=building_id)
    if found is None or (not doors and who.role is Role.WORKER):
        abort(404)
    return building_page(found, doors, day, form_id=uuid7(), choose=choose, fault=fault)


def building_page(
    found: Building,
    doors: Sequence[Door],
    day: date,
    *,
    form_id: UUID | None = None,
    choose: bool = False,
    fault: str | None = None,
) -> str:
    """A building's door matrix on a day, to look at or to `choose` doors from."""
    matrix: Matrix = matrix_of(doors, is_courtyard=found.is_courtyard)
    summary = next(iter(summarize(doors, day)), None)
    return render_template(
        "places/building.html",
        building=found,
        matrix=matrix,
        summary=summary,
        choose=choose,
        day=day,
        fault=fault,
        form_id=form_id or "",
    )


@bp.get("/buildings/<uuid:building_id>/layout")
@roles(Role.WORKER, Role.DIRECTOR)
def layout(building_id: UUID) -> str:
    """Correct how a building's doors are laid out."""
    return _layout_page(building_id)


@bp.post("/buildings/<uuid:building_id>/layout")
@roles(Role.WORKER, Role.DIRECTOR)
def change_layout(building_id: UUID) -> AnyResponse | tuple[str, int]:
    """One correction: add a door, join two, make a shop, rename, or take away a door nobody ever knocked on."""
    opened, who = db.session(), actor()
    found = queries.building(opened, who, building_id)
    dwellings = queries.dwellings_of(opened, who, building_id)
    if found is None or (not dwellings and who.role is Role.WORKER):
        abort(404)
    typed = request.form.to_dict() | {"doors": ",".join(request.form.getlist("doors"))}
    try:
        done = layouts.change_layout(opened, found, dwellings, typed)
    except layouts.LayoutRefused as refusal:
        opened.rollback()
        return _layout_page(building_id, _layout_fault(refusal)), 422
    account_operations.leave_trace(
        opened,
        deed="layout." + done,
        at=clock.now(),
        user_id=who.user_id,
        community_id=who.community_id,
        subject=str(building_id),
    )
    opened.commit()
    flash(_("改好了。"))
    return go(url_for("places.layout", building_id=building_id))


def _layout_fault(refusal: layouts.LayoutRefused) -> str:
    return {
        "room": _("房号要写 1 到 24 个字，比如 601。"),
        "floor": _("楼层要写 -5 到 120 的整数。"),
        "entrance": _("单元要写 1 到 60 的整数。"),
        "taken": _("这个单元里已经有 %(what)s 了。", what=refusal.detail),
        "choose": _("先点一下要改的门。"),
        "two": _("打通要选同一单元、同一层挨着的两个或更多的门。"),
        "visited": _("%(what)s 有走访记录或住着人，不能去掉。没人住就记成空置。", what=refusal.detail),
    }.get(refusal.code, _("没看懂要改什么，再试一次。"))


def _layout_page(building_id: UUID, fault: str | None = None) -> str:
    opened, who, day = db.session(), actor(), clock.today()
    found = queries.building(opened, who, building_id)
    doors = door_queries.doors(opened, who, day, community().routine_days, building_id=building_id)
    if found is None or (not doors and who.role is Role.WORKER):
        abort(404)
    return render_template(
        "places/layout.html",
        building=found,
        matrix=matrix_of(doors, is_courtyard=found.is_courtyard),
        fault=fault,
        form=request.form,
    )


@bp.get("/settings")
@roles(Role.DIRECTOR, Role.ADMIN)
def settings() -> str:
    """A community's settings; for the administrator the list of communities."""
    if actor().role is Role.ADMIN:
        opened = db.session()
        return render_template("places/communities.html", communities=queries.all_communities(opened))
    return _settings_page({}, {})


@bp.post("/settings")
@roles(Role.DIRECTOR)
def save_settings() -> AnyResponse | tuple[str, int]:
    """Keep a community's settings, its care groups' rhythms, and who answers for which district from today on."""
    opened, who, day = db.session(), actor(), clock.today()
    groups = households.care_groups(opened, who)
    districts = queries.districts_on(opened, who, day)
    workers = [u for u in accounts.staff(opened, community().id) if u.role == Role.WORKER]
    wanted: Settings = read_settings(
        request.form,
        groups=[group.code for group in groups],
        districts=[district.code for district in districts],
        workers=[worker.id for worker in workers],
        fields=REGISTRY_FIELDS,
        rhythms=list(RHYTHMS),
    )
    if wanted.faults:
        return _settings_page(wanted.faults, request.form), 422
    if wanted.registry is not None:
        wanted.values["registry_settings"] = {**(community().registry_settings or {}), **wanted.registry}
    operations.change_settings(community(), wanted.values)
    household_operations.change_care_groups(opened, groups, wanted.groups)
    household_operations.add_care_group(opened, community().id, wanted.new_group, len(groups))
    operations.assign_people(opened, who, wanted.people, day)
    account_operations.leave_trace(
        opened, deed="settings", at=clock.now(), user_id=who.user_id, community_id=who.community_id
    )
    opened.commit()
    flash(_("设置存好了。"))
    return go(url_for("places.settings"))


def _settings_page(faults: dict[str, str], typed: Any) -> str:
    opened, who = db.session(), actor()
    return render_template(
        "places/settings.html",
        community=community(),
        groups=households.care_groups(opened, who),
        districts=queries.districts_on(opened, who, clock.today()),
        workers=[u for u in accounts.staff(opened, community().id) if u.role == Role.WORKER],
        languages=LANGUAGES,
        registry_fields=REGISTRY_FIELDS,
        usual_rhythms=RHYTHMS,
        faults=faults,
        typed=typed,
    )
