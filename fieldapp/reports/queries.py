"""Counting coverage: a handful of queries, however many households there are.

Each statement is built once a role: putting them all together takes longer than running them. `day` and `first` (of the
span) are bound when they run.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import CareGroup, CareMembership, Household, OccupancyPeriod
from fieldapp.places import queries as places
from fieldapp.places.models import Building, Dwelling, Placement
from fieldapp.reports.rules import BuildingFigures, Coverage, DistrictFigures, Tally
from fieldapp.visits.models import Visit
from fieldapp.visits.queries import last_met_on, last_visited_on, met_between, was_met
from fieldapp.visits.rules import Care, Span, Way, is_priority_left, priority_due_on

Rows = Select[*tuple[Any, ...]]

DAY: BindParameter[date] = bindparam("day")
FIRST: BindParameter[date] = bindparam("first")


def coverage(session: Session, actor: Actor, span: Span, today: date) -> Coverage:
    """The coverage of the actor's community in a span, with the boundaries and people of its last day (or of today)."""
    day = min(span.last, today)
    districts = {
        d.id: DistrictFigures(d.id, d.code, d.name, d.lead, d.partner, d.geometry)
        for d in places.districts_on(session, actor, day, figures=True)
    }
    values = bounds(actor) | {"day": day, "first": span.first}
    buildings, total = [], Tally()
    for row in session.execute(_parts(actor.role), values):
        figures = (row.households, row.met_at_door, row.households - row.ever_met, row.longest)
        total.add(*figures)
        if row.district_id in districts:
            districts[row.district_id].tally.add(*figures)
        part = BuildingFigures(row.building_id, row.name, row.district_id, Tally())
        part.tally.add(*figures)
        buildings.append(part)
    for district_id, met in session.execute(_met(actor.role), values):
        if district_id in districts:
            districts[district_id].met = met
    for district_id, left in _priority_left(session.execute(_in_care(actor.role), values), span, day).items():
        if district_id in districts:
            districts[district_id].priority_left = left
    for district_id, last in session.execute(_last_knocks(actor.role), values):
        if district_id in districts and last:
            districts[district_id].quiet_days = (day - last).days
    orphans = session.scalar(_orphans(actor.role), values) or 0
    met_in_all = session.scalar(_met_in_all(actor.role), values) or 0
    return Coverage(span, day, list(districts.values()), buildings, total, orphans, met_in_all)


def _of_day(period: Any) -> ColumnElement[bool]:
    return and_(period.since <= DAY, period.until > DAY)


def _lived_in() -> ColumnElement[bool]:
    return and_(OccupancyPeriod.occupancy != "vacant", OccupancyPeriod.occupancy != "gone")


@cache
def _parts(role: Role) -> Rows:
    """Each building's part in each district, in figures: the households of the day, met, ever met, longest unmet."""
    met_at_door = last_visited_on(Household.id, DAY, was_met(), Visit.way == Way.DOOR, Visit.visited_on >= FIRST)
    each = (
        select(
            Placement.district_id,
            Dwelling.building_id,
            last_met_on(Household.id, DAY).label("last_met"),
            met_at_door.label("met_at_door"),
        )
        .outerjoin(Placement, and_(Placement.dwelling_id == Dwelling.id, _of_day(Placement)))
        .join(Household, Household.dwelling_id == Dwelling.id)
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _of_day(OccupancyPeriod)))
        .where(Dwelling.kind != "shop", _lived_in())
    )
    parts = visible(each, anybody(role), Dwelling, figures=True).subquery()
    return (
        select(
            parts.c.district_id,
            parts.c.building_id,
            Building.name,
            func.count().label("households"),
            func.count(parts.c.met_at_door).label("met_at_door"),
            func.count(parts.c.last_met).label("ever_met"),
            func.min(parts.c.last_met).label("longest"),
        )
        .join(Building, Building.id == parts.c.building_id)
        .group_by(parts.c.district_id, parts.c.building_id, Building.name, Building.position)
        .order_by(Building.position)
    )


def _placed_visits(columns: Any, role: Role) -> Rows:
    """Of the visits of the span that met somebody, with the district each door was in on the day of the visit."""
    statement = met_between(*columns, first="first", last="day")
    return visible(statement, anybody(role), Placement, figures=True)


@cache
def _met(role: Role) -> Rows:
    """Distinct households met in the span, by the district each door was in on the day of the visit."""
    columns = (Placement.district_id, func.count(Visit.household_id.distinct()))
    return _placed_visits(columns, role).group_by(Placement.district_id)


@cache
def _met_in_all(role: Role) -> Rows:
    """Distinct households met in the span: one that changed district and was met in both counts once."""
    statement = _placed_visits((func.count(Visit.household_id.distinct()),), role)
    return statement.where(Placement.district_id.isnot(None))


@cache
def _last_knocks(role: Role) -> Rows:
    """The last day anybody knocked, whatever the outcome, by the district of the day's doors."""
    last = last_visited_on(Household.id, DAY).label("last")
    each = (
        select(Placement.district_id, last)
        .join(Household, Household.dwelling_id == Placement.dwelling_id)
        .where(_of_day(Placement))
    )
    doors = visible(each, anybody(role), Placement, figures=True).subquery()
    return select(doors.c.district_id, func.max(doors.c.last)).group_by(doors.c.district_id)


@cache
def _in_care(role: Role) -> Rows:
    """The care memberships of the day that ask for visits, with their household's district and last meeting."""
    statement = (
        select(
            Placement.district_id,
            CareMembership.household_id,
            last_met_on(CareMembership.household_id, DAY).label("last_met"),
            CareGroup.name,
            CareMembership.since,
            CareMembership.until,
            CareGroup.every_days,
            CareGroup.within_days,
        )
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .join(Household, Household.id == CareMembership.household_id)
        .join(Placement, and_(Placement.dwelling_id == Household.dwelling_id, _of_day(Placement)))
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _of_day(OccupancyPeriod)))
        .where(
            CareGroup.active,
            or_(CareGroup.every_days.isnot(None), CareGroup.within_days.isnot(None)),
            _of_day(CareMembership),
            _lived_in(),
        )
    )
    return visible(statement, anybody(role), Placement, figures=True)


def _priority_left(memberships: Iterable[Any], span: Span, day: date) -> dict[UUID, int]:
    """Priority visits still to be made before the span ends, by district."""
    cares: dict[UUID, list[Care]] = defaultdict(list)
    where: dict[UUID, tuple[UUID, date | None]] = {}
    for row in memberships:
        cares[row.household_id].append(Care(row.name, row.since, row.until, row.every_days, row.within_days))
        where[row.household_id] = (row.district_id, row.last_met)
    left: dict[UUID, int] = defaultdict(int)
    for household_id, (district_id, last_met) in where.items():
        if is_priority_left(priority_due_on(cares[household_id], last_met, day), span):
            left[district_id] += 1
    return left


@cache
def _orphans(role: Role) -> Rows:
    """Doors that are in no district on the day, or never were in any."""
    placed = exists().where(Placement.dwelling_id == Dwelling.id)
    outside = placed.where(Placement.district_id.is_(None), _of_day(Placement))
    statement = select(func.count(Dwelling.id)).where(Dwelling.kind != "shop", or_(outside, ~placed))
    return visible(statement, anybody(role), Dwelling, figures=True)
