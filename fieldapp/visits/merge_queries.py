"""Reading what is written of somebody besides their own record: care, stamps, proposals, visits, promises."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.households.models import CareMembership, FactProposal, FactStamp
from fieldapp.visits.models import FollowUp, VisitResident


def cares_of(session: Session, residents: Iterable[UUID]) -> list[CareMembership]:
    """The care memberships of some residents, ended ones too, oldest first."""
    statement = select(CareMembership).where(CareMembership.resident_id.in_(list(residents)))
    return list(session.scalars(statement.order_by(CareMembership.since, CareMembership.id)))


def stamps_of(session: Session, resident_id: UUID) -> list[FactStamp]:
    """That somebody's facts were found so."""
    return list(session.scalars(select(FactStamp).where(FactStamp.resident_id == resident_id).order_by(FactStamp.id)))


def open_proposals_of(session: Session, resident_id: UUID) -> list[FactProposal]:
    """What awaits a decision on somebody's facts."""
    statement = select(FactProposal).where(FactProposal.resident_id == resident_id, FactProposal.decided_at.is_(None))
    return list(session.scalars(statement.order_by(FactProposal.id)))


def open_follow_ups_of(session: Session, household_id: UUID) -> list[FollowUp]:
    """What was promised at a door and not yet done."""
    statement = select(FollowUp).where(FollowUp.household_id == household_id, FollowUp.done_at.is_(None))
    return list(session.scalars(statement.order_by(FollowUp.id)))


def met_at(session: Session, resident_id: UUID) -> list[VisitResident]:
    """The visits at which somebody was met."""
    statement = select(VisitResident).where(VisitResident.resident_id == resident_id)
    return list(session.scalars(statement.order_by(VisitResident.visit_id)))


def visits_met(session: Session, resident_id: UUID) -> list[UUID]:
    """The keys of the visits at which somebody was met."""
    return list(session.scalars(select(VisitResident.visit_id).where(VisitResident.resident_id == resident_id)))
