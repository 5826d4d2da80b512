"""Shops and work units: what is known of them, the checks made there, what was found and is to be put right."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, Keyed, KeyedFirst
from fieldapp.places.models import OfCommunity
from fieldapp.seals import Sealed


class Premise(KeyedFirst, OfCommunity, Base):
    """What is known of a shop or work unit (004 单位基础信息); its name is its door's. `people` live in it."""

    __tablename__ = "premise"

    dwelling_id: Mapped[UUID] = mapped_column(ForeignKey("dwelling.id"), unique=True)
    credit_code: Mapped[str | None] = mapped_column(String(24))
    trade: Mapped[str | None] = mapped_column(String(24))
    contact: Mapped[str | None] = mapped_column(String(64))
    phone_sealed: Mapped[str | None] = mapped_column("phone", String(200))
    phone = Sealed()
    people: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))


class PremiseCheck(Keyed, OfCommunity, Base):
    """A check visit (004 商业网点检查). `findings` are words of `rules`; none of them: all was well."""

    __tablename__ = "premise_check"
    __table_args__ = (Index(None, "dwelling_id", "checked_on"),)

    dwelling_id: Mapped[UUID] = mapped_column(ForeignKey("dwelling.id"))
    checked_at: Mapped[datetime]
    checked_on: Mapped[date]
    recorded_at: Mapped[datetime]
    checker_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    findings: Mapped[list[str]] = mapped_column(default=list)
    sentence: Mapped[str | None] = mapped_column(String(300))


class PremiseFinding(Keyed, OfCommunity, Base):
    """Something to be put right by a day; open until somebody has seen that it was."""

    __tablename__ = "premise_finding"
    __table_args__ = (Index(None, "community_id", "done_at"),)

    dwelling_id: Mapped[UUID] = mapped_column(ForeignKey("dwelling.id"), index=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("premise_check.id"))
    code: Mapped[str] = mapped_column(String(16))
    due_on: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
