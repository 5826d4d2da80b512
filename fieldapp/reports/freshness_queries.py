"""Counting freshness (信息鲜活率) by district, today or on a past day: three statements, however many households."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.households.freshness import SETTLED, Freshness, Known, freshness, rhythms_of
from fieldapp.households.models import FactChange, FactStamp, Household, OccupancyPeriod, Resident
from fieldapp.places.models import Dwelling, Placement

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
    its first later change was on record.
    """
    rhythms = rhythms_of(settings)
    verified = {(home, of, name): on for home, of, name, on in session.execute(_stamps(actor, day))}
    before = {(of, name): old is not None for of, name, old in session.execute(_changes(actor, after))}
    found: dict[UUID, list[Known]] = defaultdict(list)
    homes: set[UUID] = set()
    for row in session.execute(_people(actor, day)):
        if row.home not in homes and row.occupancy in SETTLED and "occupancy" in rhythms:
            seen = verified.get((row.home, None, "occupancy"))
            found[row.district_id].append(Known(None, "occupancy", seen, rhythms["occupancy"]))
        homes.add(row.home)
        for name in rhythms.keys() & _COLUMNS.keys():
            if row.person and before.get((row.person, name), getattr(row, name)):
                seen = verified.get((row.home, row.person, name), row.recorded_on)
                found[row.district_id].append(Known(row.person, name, seen, rhythms[name]))
    return {district_id: freshness(facts, day) for district_id, facts in found.items()}


def _people(actor: Actor, day: date) -> Any:
    """The households that were lived in that day with who lived there; a household without people has one row."""
    there = and_(
        Resident.household_id == Household.id,
        or_(Resident.left_on.is_(None), Resident.left_on > day),
        or_(Resident.arrived_on.is_(None), Resident.arrived_on <= day),
        or_(Resident.recorded_on.is_(None), Resident.recorded_on <= day),
    )
    has = [column.is_not(None).label(name) for name, column in _COLUMNS.items()]
    statement = (
        select(
            Placement.district_id,
            Household.id.label("home"),
            OccupancyPeriod.occupancy,
            Resident.id.label("person"),
            Resident.recorded_on,
            *has,
        )
        .join(Household, Household.dwelling_id == Placement.dwelling_id)
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _holds(OccupancyPeriod, day)))
        .outerjoin(Resident, there)
        .where(_holds(Placement, day), Placement.district_id.is_not(None))
        .where(OccupancyPeriod.occupancy != "vacant", OccupancyPeriod.occupancy != "gone")
    )
    return visible(statement, actor, Placement, figures=True)


def _holds(period: Any, day: date) -> Any:
    return and_(period.since <= day, period.until > day)


def _stamps(actor: Actor, day: date) -> Any:
    """When each fact was looked at, oldest first: the last one counts."""
    statement = (
        select(FactStamp.household_id, FactStamp.resident_id, FactStamp.field, FactStamp.verified_on)
        .join(Household, Household.id == FactStamp.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(FactStamp.verified_on <= day)
        .order_by(FactStamp.verified_on)
    )
    return visible(statement, actor, Dwelling, figures=True)


def _changes(actor: Actor, after: datetime) -> Any:
    """What residents' facts were before they changed, the first later change last: it counts."""
    statement = (
        select(FactChange.resident_id, FactChange.field, FactChange.old_sealed)
        .join(Household, Household.id == FactChange.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(FactChange.resident_id.is_not(None), FactChange.changed_at >= after)
        .order_by(FactChange.changed_at.desc(), FactChange.id.desc())
    )
    return visible(statement, actor, Dwelling, figures=True)
