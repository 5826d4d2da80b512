"""The registry: who lives behind each door, and whom to visit how often."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, Keyed, KeyedFirst
from fieldapp.households.rules import HEAD, Occupancy, phone_tail
from fieldapp.places.models import OfCommunity, Period
from fieldapp.seals import Sealed


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


class Resident(KeyedFirst, OfCommunity, Base):
    """A person of a household, after the national 人口信息采集表.

    Codes are the national ones: GB/T 2261.1 sex, 2261.2 marital status, GB/T 3304 nationality, GB/T 4658 schooling,
    GB/T 4761 relation to the head. `employment` and `left_why` are words of `rules`. `arrived_on`: when they came into
    this household, None from before anyone knows. Telephones and the ID number lie sealed.
    """

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
        Index(None, "community_id", "id_hash"),
        Index(None, "community_id", "phone_hash"),
        Index(None, "community_id", "name", "birth_date"),
    )

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(64))
    pinyin: Mapped[str] = mapped_column(String(128), default="")
    initials: Mapped[str] = mapped_column(String(32), default="")
    relation: Mapped[str | None] = mapped_column(String(2))
    sex: Mapped[str | None] = mapped_column(String(1))
    birth_date: Mapped[date | None]
    id_number_sealed: Mapped[str | None] = mapped_column("id_number", String(200))
    id_number = Sealed(hashed="id_hash")
    id_hash: Mapped[str | None] = mapped_column(String(64))
    phone_sealed: Mapped[str | None] = mapped_column("phone", String(200))
    phone = Sealed(hashed="phone_hash")
    phone_hash: Mapped[str | None] = mapped_column(String(64))
    phone_tail: Mapped[str | None] = mapped_column(String(4))
    registered_at: Mapped[str | None] = mapped_column(String(120))
    is_temporary: Mapped[bool] = mapped_column(default=False)
    origin: Mapped[str | None] = mapped_column(String(120))
    permit_from: Mapped[date | None]
    permit_until: Mapped[date | None]
    ethnic: Mapped[str | None] = mapped_column(String(2))
    marital: Mapped[str | None] = mapped_column(String(2))
    schooling: Mapped[str | None] = mapped_column(String(2))
    employment: Mapped[str | None] = mapped_column(String(12))
    workplace: Mapped[str | None] = mapped_column(String(64))
    guardian: Mapped[str | None] = mapped_column(String(64))
    guardian_phone_sealed: Mapped[str | None] = mapped_column("guardian_phone", String(200))
    guardian_phone = Sealed()
    recorded_on: Mapped[date | None]
    arrived_on: Mapped[date | None]
    left_on: Mapped[date | None]
    left_why: Mapped[str | None] = mapped_column(String(12))
    erased_at: Mapped[datetime | None]

    @property
    def is_head(self) -> bool:
        """Whether this is the household's head (户主)."""
        return self.relation == HEAD


def sealed_columns(key: UUID, id_number: str | None, phone: str | None) -> dict[str, str | None]:
    """What a bulk insert writes of a resident's ID number and telephone; `key` is the row's."""
    resident = Resident(id=key, id_number=id_number, phone=phone, phone_tail=phone_tail(phone))
    names = ("id_number_sealed", "id_hash", "phone_sealed", "phone_hash", "phone_tail")
    return {name: getattr(resident, name) for name in names}


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
    raised_by: Mapped[str | None] = mapped_column(String(24))
    ended_why: Mapped[str | None] = mapped_column(String(120))


class FactChange(KeyedFirst, OfCommunity, Base):
    """That a fact of a household or of one of its residents changed: who, when, at which visit, from what, to what."""

    __tablename__ = "fact_change"
    __table_args__ = (Index(None, "household_id", "changed_at"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    field: Mapped[str] = mapped_column(String(24))
    old_sealed: Mapped[str | None] = mapped_column("old", Text)
    old = Sealed()
    new_sealed: Mapped[str | None] = mapped_column("new", Text)
    new = Sealed()
    changed_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    changed_at: Mapped[datetime]
    visit_id: Mapped[UUID | None]


class FactProposal(KeyedFirst, OfCommunity, Base):
    """A change that met another one: its writer saw `saw`, meanwhile somebody else had written another value.

    Nothing is overwritten; a person decides between the value on record and `value`.
    """

    __tablename__ = "fact_proposal"
    __table_args__ = (Index(None, "household_id", "decided_at"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    field: Mapped[str] = mapped_column(String(24))
    saw_sealed: Mapped[str | None] = mapped_column("saw", Text)
    saw = Sealed()
    value_sealed: Mapped[str | None] = mapped_column("value", Text)
    value = Sealed()
    proposed_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    is_accepted: Mapped[bool | None]


class FactStamp(Keyed, OfCommunity, Base):
    """That somebody looked at a fact on a day and found it so: at a visit, or when it was changed or brought in."""

    __tablename__ = "fact_stamp"
    __table_args__ = (Index(None, "household_id", "verified_on"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    field: Mapped[str] = mapped_column(String(24))
    verified_on: Mapped[date]
    verified_at: Mapped[datetime]
    verified_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    visit_id: Mapped[UUID | None] = mapped_column(index=True)


class LifeEvent(Keyed, OfCommunity, Base):
    """What happened in a household: somebody moved in or out, was born, died, married; it split; tenants came.

    `kind` is a word of `rules`. What it changed stands in the history as FactChange with the same `recorded_at`.
    """

    __tablename__ = "life_event"
    __table_args__ = (Index(None, "household_id", "happened_on"),)

    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    other_household_id: Mapped[UUID | None] = mapped_column(ForeignKey("household.id"))
    kind: Mapped[str] = mapped_column(String(12))
    happened_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    visit_id: Mapped[UUID | None]
    note: Mapped[str | None] = mapped_column(String(200))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))


class ResidentMerge(Keyed, OfCommunity, Base):
    """That two records were one person: `gone` went into `kept`. `before` holds both as they were, to undo it by.

    What is sealed in the rows stays sealed in `before`, and opens only when it is back in its row.
    """

    __tablename__ = "resident_merge"

    kept_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    gone_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    before: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    merged_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))


class NotSame(Keyed, OfCommunity, Base):
    """That two records that look alike are two people; the smaller key is `one_id`."""

    __tablename__ = "not_same"
    __table_args__ = (UniqueConstraint("one_id", "other_id"),)

    one_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    said_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    said_at: Mapped[datetime]


class Erasure(Keyed, OfCommunity, Base):
    """That what was kept of a person was erased, so that nothing brings it back. Tells nothing of the person."""

    __tablename__ = "erasure"

    resident_id: Mapped[UUID] = mapped_column(unique=True)
    erased_at: Mapped[datetime]
    erased_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    why: Mapped[str] = mapped_column(String(24))
