"""The visit log: appended to, never edited away."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, Keyed
from fieldapp.places.models import OfCommunity
from fieldapp.visits.rules import MET, is_late_entry


class Visit(Keyed, OfCommunity, Base):
    """One knock on one door. A correction is a new visit that points at the old one by `corrects_id`.

    `visited_on` repeats the community's calendar day of `visited_at`, for the index.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index(None, "household_id", "visited_on"),
        Index(None, "community_id", "visited_on"),
    )

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    visitor_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    companion_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    visited_at: Mapped[datetime]
    visited_on: Mapped[date]
    recorded_at: Mapped[datetime]
    way: Mapped[str] = mapped_column(String(8), default="door")
    outcome: Mapped[str] = mapped_column(String(12))
    topics: Mapped[list[str]] = mapped_column(default=list)
    sentence: Mapped[str | None] = mapped_column(String(500))
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    accuracy: Mapped[float | None]
    is_urgent: Mapped[bool] = mapped_column(default=False)
    taken_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    taken_at: Mapped[datetime | None]
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id"), unique=True)

    @property
    def is_met(self) -> bool:
        """Whether somebody was met; only then does the door count."""
        return self.outcome in MET

    @property
    def is_late_entry(self) -> bool:
        """补录: written down on a later day than the visit."""
        return is_late_entry(self.visited_at, self.recorded_at)


class VisitResident(Base):
    """Who was met at a visit."""

    __tablename__ = "visit_resident"

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), primary_key=True, index=True)


class Photo(Keyed, OfCommunity, Base):
    """A picture of a visit, rebuilt from its pixels; the file's name is the SHA-256 of what is stored."""

    __tablename__ = "photo"

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64))
    thumbnail_sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]


class FollowUp(Keyed, OfCommunity, Base):
    """What was promised at a door, until when; open until ticked."""

    __tablename__ = "follow_up"
    __table_args__ = (Index(None, "community_id", "done_at"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id"))
    promise: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date | None]
    promised_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
