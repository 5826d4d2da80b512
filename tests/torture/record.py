"""What is on record when all is over, read once."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.households.models import FactChange, FactProposal, Resident
from fieldapp.sync.models import HeldItem, Receipt
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident


class Record:
    """The rows that phones can make. `before` are the visits that were there before the first phone."""

    def __init__(self, session: Session, before: set[UUID]) -> None:
        self.receipts = {receipt.id: receipt for receipt in session.scalars(select(Receipt))}
        self.held = {held.id: held for held in session.scalars(select(HeldItem))}
        visits = session.scalars(select(Visit))
        self.visits = {visit.id: visit for visit in visits if visit.id not in before}
        self.met = grouped(session.execute(select(VisitResident.visit_id, VisitResident.resident_id)))
        rows = session.execute(select(FollowUp.visit_id, FollowUp.promise).where(FollowUp.visit_id.is_not(None)))
        self.promises = grouped(rows)
        self.follow_ups = {row.id: row for row in session.scalars(select(FollowUp))}
        self.changes = {change.id: change for change in session.scalars(select(FactChange))}
        self.proposals = {proposal.id: proposal for proposal in session.scalars(select(FactProposal))}
        self.phones = {resident.id: resident.phone for resident in session.scalars(select(Resident))}
        self.photos = grouped((photo.visit_id, photo) for photo in session.scalars(select(Photo)))
        self.photo_ids = {photo.id for photos in self.photos.values() for photo in photos}


def grouped(rows: Iterable[Any]) -> dict[Any, list[Any]]:
    """Pairs as lists by their first."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return found
