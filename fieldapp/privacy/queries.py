"""Reading everything that is kept of a person, and whose term is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry, User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.households.models import (
    CareGroup,
    CareMembership,
    FactChange,
    FactProposal,
    FactStamp,
    Household,
    LifeEvent,
    NotSame,
    Resident,
    ResidentMerge,
)
from fieldapp.places.models import Building, Dwelling
from fieldapp.spotchecks.models import SpotQuestion, SpotSample
from fieldapp.sync.models import HeldItem
from fieldapp.visits.models import FollowUp, Visit, VisitResident


@dataclass(frozen=True)
class Person:
    """A resident with the door they live or lived behind."""

    resident: Resident
    household: Household
    dwelling: Dwelling
    building: Building


def _people() -> Select[*tuple[Any, ...]]:
    return (
        select(Resident, Household, Dwelling, Building)
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .where(Resident.erased_at.is_(None))
    )


def person(session: Session, actor: Actor, resident_id: UUID) -> Person | None:
    """Somebody whose door the actor may see; who was erased is nobody."""
    row = session.execute(visible(_people().where(Resident.id == resident_id), actor, Dwelling)).first()
    return Person(*row) if row else None


def due(session: Session, actor: Actor, today: date, days: int) -> list[Person]:
    """Whose term is over, who left first standing first."""
    statement = _people().where(Resident.left_on <= today - timedelta(days=days))
    rows = session.execute(visible(statement, actor, Dwelling).order_by(Resident.left_on, Resident.id))
    return [Person(*row) for row in rows]


def unerased(session: Session, keys: Iterable[UUID]) -> list[Resident]:
    """Those of these people whose record is there: back from an old backup."""
    found = select(Resident).where(Resident.id.in_(list(keys)), Resident.erased_at.is_(None))
    return list(session.scalars(found))


@dataclass(frozen=True)
class Kept:
    """Everything on record of a person."""

    cares: list[tuple[CareMembership, CareGroup]]
    changes: list[tuple[FactChange, str]]
    stamps: list[FactStamp]
    visits: list[tuple[Visit, str]]
    looks: list[tuple[AuditEntry, str | None]]


def kept(session: Session, resident: Resident) -> Kept:
    """Everything on record of a person who was fetched through the wall: five statements."""
    cares = (
        select(CareMembership, CareGroup)
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .where(CareMembership.resident_id == resident.id)
        .order_by(CareMembership.since)
    )
    changes = (
        select(FactChange, User.name)
        .join(User, User.id == FactChange.changed_by_id)
        .where(FactChange.resident_id == resident.id)
        .order_by(FactChange.changed_at)
    )
    visits = (
        select(Visit, User.name)
        .join(VisitResident, VisitResident.visit_id == Visit.id)
        .join(User, User.id == Visit.visitor_id)
        .where(VisitResident.resident_id == resident.id)
        .order_by(Visit.visited_at)
    )
    looks = (
        select(AuditEntry, User.name)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.subject == str(resident.id))
        .order_by(AuditEntry.at)
    )
    stamps = select(FactStamp).where(FactStamp.resident_id == resident.id).order_by(FactStamp.verified_on)
    return Kept(
        cares=[(row[0], row[1]) for row in session.execute(cares)],
        changes=[(row[0], row[1]) for row in session.execute(changes)],
        stamps=list(session.scalars(stamps)),
        visits=[(row[0], row[1]) for row in session.execute(visits)],
        looks=[(row[0], row[1]) for row in session.execute(looks)],
    )


# --- what an erasure touches


def also_them(session: Session, resident: Resident) -> list[Resident]:
    """Records that were merged into this one: the same person."""
    merged = select(ResidentMerge.gone_id).where(
        ResidentMerge.kept_id == resident.id, ResidentMerge.undone_at.is_(None)
    )
    found = select(Resident).where(Resident.id.in_(merged), Resident.erased_at.is_(None))
    return [other for other in session.scalars(found) if other.id != resident.id]


def rows_of(session: Session, resident: Resident) -> list[Any]:
    """Rows that say nothing but what was known of them."""
    merges = or_(ResidentMerge.kept_id == resident.id, ResidentMerge.gone_id == resident.id)
    pairs = or_(NotSame.one_id == resident.id, NotSame.other_id == resident.id)
    found: list[Any] = []
    for model in (FactChange, FactProposal, FactStamp):
        found += session.scalars(select(model).where(model.resident_id == resident.id))
    found += session.scalars(select(ResidentMerge).where(merges))
    found += session.scalars(select(NotSame).where(pairs))
    return found


def texts_about(session: Session, resident: Resident) -> list[tuple[Any, str]]:
    """Texts of the household in which the name may stand, as row and attribute."""
    home = resident.household_id
    named: list[tuple[Any, str]] = [(session.get_one(Household, home), "note")]
    named += [(row, "sentence") for row in session.scalars(select(Visit).where(Visit.household_id == home))]
    named += [(row, "promise") for row in session.scalars(select(FollowUp).where(FollowUp.household_id == home))]
    named += [(row, "note") for row in session.scalars(select(LifeEvent).where(LifeEvent.household_id == home))]
    for change in session.scalars(
        select(FactChange).where(FactChange.household_id == home, FactChange.resident_id.is_(None))
    ):
        named += [(change, "old"), (change, "new")]
    named += [(row, "fields") for row in session.scalars(select(HeldItem).where(HeldItem.household_id == home))]
    return named


def cares_of(session: Session, resident: Resident) -> list[CareMembership]:
    """Care memberships of theirs, ended ones too."""
    return list(session.scalars(select(CareMembership).where(CareMembership.resident_id == resident.id)))


def questions_about(session: Session, household_id: UUID) -> list[SpotQuestion]:
    """Spot check questions of a household's building: neighbours' choices name it, too."""
    home = select(Dwelling.building_id).join(Household, Household.dwelling_id == Dwelling.id)
    statement = (
        select(SpotQuestion)
        .join(SpotSample, SpotSample.id == SpotQuestion.sample_id)
        .join(Household, Household.id == SpotSample.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Dwelling.building_id == home.where(Household.id == household_id).scalar_subquery())
    )
    return list(session.scalars(statement))
