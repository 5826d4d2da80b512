"""What the server keeps for phones that work without signal: receipts, what waits for the director, what changed."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, KeyedFirst
from fieldapp.places.models import OfCommunity
from fieldapp.seals import keyring


class Receipt(Base):
    """That an item of a phone's outbox was taken in; written in the transaction of its effect, so both are there or
    neither. `id` is the item's own key; the phone's clock and running number are kept as they were said.
    """

    __tablename__ = "receipt"
    __table_args__ = (Index(None, "user_id", "received_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    community_id: Mapped[UUID | None] = mapped_column(ForeignKey("community.id"))
    body_hash: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(8))
    phone: Mapped[UUID | None]
    number: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime | None]
    clock_ahead: Mapped[int | None]
    received_at: Mapped[datetime]


class HeldItem(KeyedFirst, OfCommunity, Base):
    """What somebody wrote offline about a door that was no longer theirs when it arrived: the director takes it or not.

    `fields` are the form's names and values in their order, `files` what a row of a photo says of each stored one.
    `kind` and `reason` are words of `rules`. The household may be gone by the time somebody decides.
    """

    __tablename__ = "held_item"
    __table_args__ = (Index(None, "community_id", "decided_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    household_id: Mapped[UUID | None]
    visit_id: Mapped[UUID | None] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(12))
    path: Mapped[str] = mapped_column(String(200))
    fields_sealed: Mapped[list[Any]] = mapped_column("fields")
    files: Mapped[list[Any]] = mapped_column(default=list)
    reason: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    is_accepted: Mapped[bool | None]

    @property
    def fields(self) -> list[Any]:
        """The form's names and values; they lie sealed."""
        kept = self.fields_sealed
        if len(kept) != 1 or not isinstance(kept[0], str):
            return kept  # written before anything was sealed
        found: list[Any] = json.loads(keyring().open(kept[0], self.__tablename__, self.id, "fields"))
        return found

    @fields.setter
    def fields(self, said: list[Any]) -> None:
        self.fields_sealed = [keyring().seal(json.dumps(said), self.__tablename__, self.id, "fields")]


class PhoneSeal(Base):
    """The key that seals what a person's phone keeps. A phone forgets it at sign-out and is given it again at the next
    sign-in, so that what waits to be sent is unreadable meanwhile and not lost.
    """

    __tablename__ = "phone_seal"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))


class Epoch(Base):
    """Which life of the database this is: a new one begins when it came back from a backup. One row, `id` 1."""

    __tablename__ = "epoch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[UUID]
    since: Mapped[datetime]
    backed_up_until: Mapped[datetime | None]


class CommunityChange(Base):
    """How many changes a community has seen; `whole` is the number of the last that touched every page.

    A change takes its number by writing this row: changes of a community are committed in the order of their numbers.
    """

    __tablename__ = "community_change"

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, default=0)
    whole: Mapped[int] = mapped_column(BigInteger, default=0)


class HouseholdChange(Base):
    """The number of the last change that touched a household's pages."""

    __tablename__ = "household_change"
    __table_args__ = (Index(None, "community_id", "number"),)

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    number: Mapped[int] = mapped_column(BigInteger)
