"""The registry: who lives behind each door, and whom to visit how often."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, Keyed
from fieldapp.households.rules import HEAD, Occupancy
from fieldapp.places.models import OfCommunity, Period


class Household(Keyed, OfCommunity, Base):
    """A household behind a door, or the emptiness of a vacant one: that too is visited.

    `occupancy` repeats the timeline's value of today; `number` tells several households behind one door apart.
    """

    __tablename__ = "household"
    __table_args__ = (UniqueConstraint("dwelling_id", "number"),)

    dwelling_id: Mapped[UUID] = mapped_column(ForeignKey("dwelling.id"))
    number: Mapped[int] = mapped_column(default=1)
    occupancy: Mapped[str] = mapped_column(String(12), default=Occupancy.UNKNOWN)
    moved_in_on: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(String(200))

    @property
    def is_occupied(self) -> bool:
        """Whether somebody lives here as far as is known; only these count."""
        return self.occupancy not in (Occupancy.VACANT, Occupancy.GONE)


class OccupancyPeriod(Keyed, OfCommunity, Period, Base):
    """How a household stood for some days: from the registry, or from the visit that saw it."""

    __tablename__ = "occupancy_period"
    __table_args__ = (Index(None, "household_id", "since"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    occupancy: Mapped[str] = mapped_column(String(12))
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id"))


class Resident(Keyed, OfCommunity, Base):
    """A person of a household. Codes are the national ones: GB/T 2261.1 sex, GB/T 4761 relation to the head."""

    __tablename__ = "resident"
    __table_args__ = (
        Index(
            "uq_resident_head",
            "household_id",
            unique=True,
            sqlite_where=text(f"relation = '{HEAD}' AND left_on IS NULL"),
            postgresql_where=text(f"relation = '{HEAD}' AND left_on IS NULL"),
        ),
        Index(None, "community_id", "initials"),
    )

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(64))
    pinyin: Mapped[str] = mapped_column(String(128), default="")
    initials: Mapped[str] = mapped_column(String(32), default="")
    relation: Mapped[str | None] = mapped_column(String(2))
    sex: Mapped[str | None] = mapped_column(String(1))
    birth_date: Mapped[date | None]
    id_number: Mapped[str | None] = mapped_column(String(18))
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_tail: Mapped[str | None] = mapped_column(String(4))
    registered_at: Mapped[str | None] = mapped_column(String(120))
    is_temporary: Mapped[bool] = mapped_column(default=False)
    left_on: Mapped[date | None]

    @property
    def is_head(self) -> bool:
        """Whether this is the household's head (户主)."""
        return self.relation == HEAD


class CareGroup(Keyed, OfCommunity, Base):
    """People to be visited in a rhythm: every so many days, or within so many days of an event."""

    __tablename__ = "care_group"
    __table_args__ = (UniqueConstraint("community_id", "code"),)

    code: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(24))
    position: Mapped[int] = mapped_column(default=0)
    every_days: Mapped[int | None]
    within_days: Mapped[int | None]
    is_sensitive: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)


class CareMembership(Keyed, OfCommunity, Period, Base):
    """Why a household must not be missed, from when on, and when to ask whether it still holds."""

    __tablename__ = "care_membership"
    __table_args__ = (Index(None, "household_id", "since"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    group_id: Mapped[UUID] = mapped_column(ForeignKey("care_group.id"))
    reason: Mapped[str | None] = mapped_column(String(120))
    review_on: Mapped[date | None]


class FactChange(Keyed, OfCommunity, Base):
    """That a fact of a household or of one of its residents changed: who, when, at which visit, from what, to what."""

    __tablename__ = "fact_change"
    __table_args__ = (Index(None, "household_id", "changed_at"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    field: Mapped[str] = mapped_column(String(24))
    old: Mapped[str | None] = mapped_column(String(200))
    new: Mapped[str | None] = mapped_column(String(200))
    changed_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    changed_at: Mapped[datetime]
    visit_id: Mapped[UUID | None]


class FactProposal(Keyed, OfCommunity, Base):
    """A change that met another one: its writer saw `saw`, meanwhile somebody else had written another value.

    Nothing is overwritten; a person decides between the value on record and `value`.
    """

    __tablename__ = "fact_proposal"
    __table_args__ = (Index(None, "household_id", "decided_at"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    field: Mapped[str] = mapped_column(String(24))
    saw: Mapped[str | None] = mapped_column(String(200))
    value: Mapped[str | None] = mapped_column(String(200))
    proposed_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    is_accepted: Mapped[bool | None]
