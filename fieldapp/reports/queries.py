"""Counting coverage: a handful of queries, however many households there are."""

from collections import defaultdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.households.models import CareGroup, CareMembership, Household, OccupancyPeriod
from fieldapp.places import queries as places
from fieldapp.places.models import Building, Dwelling, Placement
from fieldapp.reports.rules import BuildingFigures, Coverage, DistrictFigures, Tally
from fieldapp.visits.models import Visit
from fieldapp.visits.queries import last_met_on, stands
from fieldapp.visits.rules import MET, Care, Span, is_priority_left, priority_due_on

EMPTY = ("vacant", "gone")


def coverage(session: Session, actor: Actor, span: Span, today: date) -> Coverage:
    """The coverage of the actor's community in a span, with the boundaries and people of its last day (or of today)."""
    day = min(span.last, today)
    districts = {
        d.id: DistrictFigures(d.id, d.code, d.name, d.lead, d.partner, d.geometry)
        for d in places.districts_on(session, actor, day, figures=True)
    }
    buildings, total = [], Tally()
    for row in _parts(session, actor, span, day):
        figures = (row.households, row.met_at_door or 0, row.never_met or 0, row.longest)
        total.add(*figures)
        if row.district_id in districts:
            districts[row.district_id].tally.add(*figures)
        part = BuildingFigures(row.building_id, row.name, row.district_id, Tally())
        part.tally.add(*figures)
        buildings.append(part)
    for district_id, met in _met(session, actor, span, day):
        if district_id in districts:
            districts[district_id].met = met
    met_in_all = _met_in_all(session, actor, span, day)
    for district_id, left in _priority_left(session, actor, span, day).items():
        if district_id in districts:
            districts[district_id].priority_left = left
    for district_id, last in _last_knocks(session, actor, day):
        if district_id in districts and last:
            districts[district_id].quiet_days = (day - last).days
    return Coverage(span, day, list(districts.values()), buildings, total, _orphans(session, actor, day), met_in_all)


def _of_day(period: Any, day: date) -> Any:
    return and_(period.since <= day, period.until > day)


def _parts(session: Session, actor: Actor, span: Span, day: date) -> Any:
    """Each building's part in each district, in figures: the households of the day, met, never met, longest unmet."""
    at_door = last_met_on(Household.id, day, at_door=True)
    each = (
        select(
            Placement.district_id,
            Dwelling.building_id,
            last_met_on(Household.id, day).label("last_met"),
            at_door.label("last_at_door"),
        )
        .outerjoin(Placement, and_(Placement.dwelling_id == Dwelling.id, _of_day(Placement, day)))
        .join(Household, Household.dwelling_id == Dwelling.id)
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _of_day(OccupancyPeriod, day)))
        .where(Dwelling.kind != "shop", OccupancyPeriod.occupancy.not_in(EMPTY))
    )
    parts = visible(each, actor, Dwelling, figures=True).subquery()
    return session.execute(
        select(
            parts.c.district_id,
            parts.c.building_id,
            Building.name,
            func.count().label("households"),
            func.sum(case((parts.c.last_at_door >= span.first, 1), else_=0)).label("met_at_door"),
            func.sum(case((parts.c.last_met.is_(None), 1), else_=0)).label("never_met"),
            func.min(parts.c.last_met).label("longest"),
        )
        .join(Building, Building.id == parts.c.building_id)
        .group_by(parts.c.district_id, parts.c.building_id, Building.name, Building.position)
        .order_by(Building.position)
    )


def _placed_visits(columns: Any, actor: Actor) -> Any:
    statement = (
        select(*columns)
        .join(Household, Household.id == Visit.household_id)
        .join(
            Placement,
            and_(
                Placement.dwelling_id == Household.dwelling_id,
                Placement.since <= Visit.visited_on,
                Placement.until > Visit.visited_on,
            ),
        )
    )
    return visible(statement, actor, Placement, figures=True)


def _met(session: Session, actor: Actor, span: Span, day: date) -> Any:
    """Distinct households met in the span, by the district each door was in on the day of the visit."""
    statement = _placed_visits((Placement.district_id, func.count(Visit.household_id.distinct())), actor)
    return session.execute(statement.where(_met_in(span, day)).group_by(Placement.district_id))


def _met_in_all(session: Session, actor: Actor, span: Span, day: date) -> int:
    """Distinct households met in the span: one that changed district and was met in both counts once."""
    statement = _placed_visits((func.count(Visit.household_id.distinct()),), actor)
    return session.scalar(statement.where(_met_in(span, day), Placement.district_id.isnot(None))) or 0


def _met_in(span: Span, day: date) -> Any:
    return and_(Visit.outcome.in_(MET), Visit.visited_on >= span.first, Visit.visited_on <= day, stands())


def _last_knocks(session: Session, actor: Actor, day: date) -> Any:
    """The last day anybody knocked, whatever the outcome, by the district of the day's doors."""
    statement = (
        select(Placement.district_id, func.max(Visit.visited_on))
        .join(Household, Household.id == Visit.household_id)
        .join(Placement, and_(Placement.dwelling_id == Household.dwelling_id, _of_day(Placement, day)))
        .where(Visit.visited_on <= day, stands())
        .group_by(Placement.district_id)
    )
    return session.execute(visible(statement, actor, Placement, figures=True))


def _priority_left(session: Session, actor: Actor, span: Span, day: date) -> dict[UUID, int]:
    """Priority visits still to be made before the span ends, by district. One query over the households in care."""
    statement = (
        select(
            Placement.district_id,
            CareMembership.household_id,
            last_met_on(CareMembership.household_id, day).label("last_met"),
            CareGroup.name,
            CareMembership.since,
            CareMembership.until,
            CareGroup.every_days,
            CareGroup.within_days,
        )
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .join(Household, Household.id == CareMembership.household_id)
        .join(Placement, and_(Placement.dwelling_id == Household.dwelling_id, _of_day(Placement, day)))
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _of_day(OccupancyPeriod, day)))
        .where(
            CareGroup.active,
            or_(CareGroup.every_days.isnot(None), CareGroup.within_days.isnot(None)),
            _of_day(CareMembership, day),
            OccupancyPeriod.occupancy.not_in(EMPTY),
        )
    )
    cares: dict[UUID, list[Care]] = defaultdict(list)
    where: dict[UUID, tuple[UUID, date | None]] = {}
    for row in session.execute(visible(statement, actor, Placement, figures=True)):
        cares[row.household_id].append(Care(row.name, row.since, row.until, row.every_days, row.within_days))
        where[row.household_id] = (row.district_id, row.last_met)
    left: dict[UUID, int] = defaultdict(int)
    for household_id, (district_id, last_met) in where.items():
        if is_priority_left(priority_due_on(cares[household_id], last_met, day), span):
            left[district_id] += 1
    return left


def _orphans(session: Session, actor: Actor, day: date) -> int:
    statement = (
        select(func.count(Placement.id))
        .join(Dwelling, Dwelling.id == Placement.dwelling_id)
        .where(Placement.district_id.is_(None), _of_day(Placement, day), Dwelling.kind != "shop")
    )
    unplaced = select(func.count(Dwelling.id)).where(
        Dwelling.kind != "shop", ~select(Placement.id).where(Placement.dwelling_id == Dwelling.id).exists()
    )
    return (session.scalar(visible(statement, actor, Placement, figures=True)) or 0) + (
        session.scalar(visible(unplaced, actor, Dwelling, figures=True)) or 0
    )
