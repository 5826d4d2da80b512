"""Reading what decides care memberships. Not by an actor: rules see a whole community, and nobody reads it here."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fieldapp.households.dynamic import AGES, NEW_FOR, RULES, Person, birthday
from fieldapp.households.models import CareGroup, CareMembership, Household, Resident
from fieldapp.places.models import Community
from fieldapp.places.rules import FOREVER


def hold(session: Session, community_id: UUID) -> None:
    """Make others who apply the rules wait until this transaction ends. On SQLite they wait anyway."""
    if session.get_bind().dialect.name != "sqlite":
        # Rows that name their community may be written meanwhile.
        session.execute(select(Community.id).where(Community.id == community_id).with_for_update(key_share=True))


def ruled_groups(session: Session, community_id: UUID) -> dict[str, CareGroup]:
    """The groups in use that rules raise and end, by code."""
    statement = select(CareGroup).where(
        CareGroup.community_id == community_id, CareGroup.active, CareGroup.code.in_(RULES)
    )
    return {group.code: group for group in session.scalars(statement)}


def people(
    session: Session, community_id: UUID, day: date, household_ids: Collection[UUID] | None = None
) -> list[Person]:
    """Those who live here and whom any rule may concern. One statement, of a few hundred among 15,000."""
    youngest = birthday(day, -min(AGES.values()))
    statement = (
        select(
            Resident.id,
            Resident.household_id,
            Resident.birth_date,
            Resident.arrived_on,
            Household.moved_in_on,
            Resident.is_temporary,
            Resident.permit_until,
        )
        .join(Household, Household.id == Resident.household_id)
        .where(
            Resident.community_id == community_id,
            Resident.left_on.is_(None),
            Resident.erased_at.is_(None),
            or_(
                Resident.birth_date <= youngest,
                Resident.arrived_on > day - NEW_FOR,
                Household.moved_in_on > day - NEW_FOR,
                Resident.is_temporary,
            ),
        )
        .order_by(Resident.household_id, Resident.position, Resident.id)
    )
    if household_ids is not None:
        statement = statement.where(Resident.household_id.in_(household_ids))
    return [Person(*row) for row in session.execute(statement)]


def open_memberships(
    session: Session, community_id: UUID, group_ids: Collection[UUID], household_ids: Collection[UUID] | None = None
) -> list[CareMembership]:
    """The memberships of these groups that have no end, whoever made them."""
    statement = select(CareMembership).where(
        CareMembership.community_id == community_id,
        CareMembership.group_id.in_(group_ids),
        CareMembership.until == FOREVER,
    )
    if household_ids is not None:
        statement = statement.where(CareMembership.household_id.in_(household_ids))
    return list(session.scalars(statement.order_by(CareMembership.id)))


def living(session: Session, resident_ids: Collection[UUID]) -> set[UUID]:
    """Which of these people still live in their household."""
    if not resident_ids:
        return set()
    return set(session.scalars(select(Resident.id).where(Resident.id.in_(resident_ids), Resident.left_on.is_(None))))
