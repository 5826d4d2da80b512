"""Counting freshness (信息鲜活率) by district, today or on a past day: two statements that give a row a district."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.households.freshness import SETTLED, Freshness, rhythms_of
from fieldapp.households.models import FactChange, FactStamp, Household, OccupancyPeriod, Resident
from fieldapp.places.models import Placement

_COLUMNS = {
    "phone": Resident.phone_sealed,
    "employment": Resident.employment,
    "registered_at": Resident.registered_at,
    "permit_until": Resident.permit_until,
    "guardian": Resident.guardian,
    "workplace": Resident.workplace,
}
"""Where a resident's facts that have a rhythm lie: only whether there is one is read, so nothing is unsealed."""


def freshness_by_district(
    session: Session, actor: Actor, day: date, after: datetime, settings: dict[str, Any] | None
) -> dict[UUID, Freshness]:
    """How fresh the districts' facts were at the end of `day`, by the doors, people and facts on record then.

    `after` is the moment at which the day ends. What was changed later is taken back: a fact that had a value before
    its first later change was on record. A district where nothing is known is left out.
    """
    rhythms = rhythms_of(settings)
    counted: dict[UUID, Freshness] = defaultdict(Freshness)
    people = {name: days for name, days in rhythms.items() if name in _COLUMNS}
    if people:
        for row in session.execute(_of_people(actor, day, after, people)):
            counted[row.district_id] += Freshness(row.fresh, row.known)
    if "occupancy" in rhythms:
        for row in session.execute(_of_homes(actor, day, rhythms["occupancy"])):
            counted[row.district_id] += Freshness(row.fresh, row.known)
    return {district_id: figure for district_id, figure in counted.items() if figure.known}


def _of_people(actor: Actor, day: date, after: datetime, rhythms: dict[str, int]) -> Any:
    """By district, how many facts of those who lived there that day were known, and how many fresh."""
    seen, before = _seen(actor, day, list(rhythms)).subquery(), _before(actor, after, list(rhythms)).subquery()
    there = and_(
        Resident.household_id == Household.id,
        or_(Resident.left_on.is_(None), Resident.left_on > day),
        or_(Resident.arrived_on.is_(None), Resident.arrived_on <= day),
        or_(Resident.recorded_on.is_(None), Resident.recorded_on <= day),
    )
    known, fresh = literal(0), literal(0)
    for name, days in rhythms.items():
        on_record = func.coalesce(before.c[name], case((_COLUMNS[name].is_not(None), 1), else_=0)) == 1
        # Who was put on record on a day was looked at then.
        looked_at = func.coalesce(seen.c[name], Resident.recorded_on)
        known += _count(on_record)
        fresh += _count(and_(on_record, looked_at >= day - timedelta(days=days)))
    statement = (
        _lived_in(day, known, fresh)
        .join(Resident, there)
        .outerjoin(seen, and_(seen.c.household_id == Household.id, seen.c.resident_id == Resident.id))
        .outerjoin(before, before.c.resident_id == Resident.id)
    )
    return visible(statement, actor, Placement, figures=True)


def _of_homes(actor: Actor, day: date, rhythm: int) -> Any:
    """By district, of how many households it was known how they live there, and of how many that was fresh."""
    seen = _seen(actor, day, ["occupancy"]).subquery()
    fresh = _count(seen.c.occupancy >= day - timedelta(days=rhythm))
    statement = (
        _lived_in(day, func.count(), fresh)
        .outerjoin(seen, and_(seen.c.household_id == Household.id, seen.c.resident_id.is_(None)))
        .where(OccupancyPeriod.occupancy.in_(SETTLED))
    )
    return visible(statement, actor, Placement, figures=True)


def _lived_in(day: date, known: Any, fresh: Any) -> Any:
    """The households that were lived in that day, one row a district."""
    return (
        select(Placement.district_id, known.label("known"), fresh.label("fresh"))
        .join(Household, Household.dwelling_id == Placement.dwelling_id)
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _holds(OccupancyPeriod, day)))
        .where(_holds(Placement, day), Placement.district_id.is_not(None))
        .where(OccupancyPeriod.occupancy != "vacant", OccupancyPeriod.occupancy != "gone")
        .group_by(Placement.district_id)
    )


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _holds(period: Any, day: date) -> Any:
    return and_(period.since <= day, period.until > day)


def _seen(actor: Actor, day: date, fields: list[str]) -> Any:
    """When each of the facts was last looked at, a column a field, a row a resident or household."""
    last = [func.max(case((FactStamp.field == name, FactStamp.verified_on))).label(name) for name in fields]
    statement = (
        select(FactStamp.household_id, FactStamp.resident_id, *last)
        .where(FactStamp.verified_on <= day, FactStamp.field.in_(fields))
        .group_by(FactStamp.household_id, FactStamp.resident_id)
    )
    return visible(statement, actor, FactStamp, figures=True)


def _before(actor: Actor, after: datetime, fields: list[str]) -> Any:
    """Whether a resident's facts had a value (1 or 0) before their first change after that moment; null: none since."""
    order = func.row_number().over(
        partition_by=(FactChange.resident_id, FactChange.field), order_by=(FactChange.changed_at, FactChange.id)
    )
    had = case((FactChange.old_sealed.is_not(None), 1), else_=0)
    statement = select(FactChange.resident_id, FactChange.field, had.label("had"), order.label("nth")).where(
        FactChange.resident_id.is_not(None), FactChange.changed_at >= after, FactChange.field.in_(fields)
    )
    change = visible(statement, actor, FactChange, figures=True).subquery()
    first = [func.max(case((change.c.field == name, change.c.had))).label(name) for name in fields]
    return select(change.c.resident_id, *first).where(change.c.nth == 1).group_by(change.c.resident_id)
