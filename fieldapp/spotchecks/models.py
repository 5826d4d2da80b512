"""The monthly spot check: a frozen sample, its questions and expected answers, and what was answered."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, Keyed, KeyedFirst
from fieldapp.places.models import OfCommunity
from fieldapp.seals import Sealed


class SpotCheck(Keyed, OfCommunity, Base):
    """One draw of a month. It is never drawn again: another draw is another check that `replaces_id` this one.

    `plan` holds what was asked for: number, districts (None: all), share for care groups, whether last month's
    households may come again. `month` is "2026-11"; `signature` the SHA-256 of everything when it was closed.
    """

    __tablename__ = "spot_check"
    __table_args__ = (Index(None, "community_id", "month"),)

    month: Mapped[str] = mapped_column(String(7))
    seed: Mapped[int] = mapped_column(BigInteger)
    plan: Mapped[dict[str, Any]]
    drawn_on: Mapped[date]
    drawn_at: Mapped[datetime]
    drawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("spot_check.id"))
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    signature: Mapped[str | None] = mapped_column(String(64))


class SpotSample(Keyed, OfCommunity, Base):
    """A drawn household, in the order of the check. `answerer_id` is who answers for it: the lead of its district,
    the partner where there is none. `stratum` is care/long: the building, of which it is drawn too, is the door's."""

    __tablename__ = "spot_sample"
    __table_args__ = (UniqueConstraint("check_id", "household_id"),)

    check_id: Mapped[UUID] = mapped_column(ForeignKey("spot_check.id"), index=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    district_id: Mapped[UUID] = mapped_column(ForeignKey("district.id"))
    answerer_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    position: Mapped[int]
    stratum: Mapped[str] = mapped_column(String(40))


class SpotQuestion(KeyedFirst, OfCommunity, Base):
    """A question whose answer the registry held at the draw. `kind` is a word of `rules`.

    `expected` is sealed JSON: {"value": …, "choices": [value, …], "sum": what is signed of both}, by kind as `rules`
    has it; later changes do not count. "erased" marks what a person was erased from.
    """

    __tablename__ = "spot_question"
    __table_args__ = (UniqueConstraint("sample_id", "position"),)

    sample_id: Mapped[UUID] = mapped_column(ForeignKey("spot_sample.id"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    expected_sealed: Mapped[str] = mapped_column("expected", Text)
    expected = Sealed()


class SpotAnswer(Keyed, OfCommunity, Base):
    """How a question was answered, once; `verdict` and `way` are words of `rules`. Its key is the phone's."""

    __tablename__ = "spot_answer"

    question_id: Mapped[UUID] = mapped_column(ForeignKey("spot_question.id"), unique=True)
    verdict: Mapped[str] = mapped_column(String(12))
    way: Mapped[str] = mapped_column(String(8))
    choice: Mapped[int | None]
    answered_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    entered_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))


class SpotContest(Keyed, OfCommunity, Base):
    """A worker's word against a verdict, and what the director decided: both stay. `verdict` is the one that holds."""

    __tablename__ = "spot_contest"

    question_id: Mapped[UUID] = mapped_column(ForeignKey("spot_question.id"), unique=True)
    word: Mapped[str] = mapped_column(String(200))
    contested_at: Mapped[datetime]
    contested_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    verdict: Mapped[str | None] = mapped_column(String(12))
    decision: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))


class SpotDoor(KeyedFirst, OfCommunity, Base):
    """What the resident said at the door, where they agreed to be asked. None is not asked or not known."""

    __tablename__ = "spot_door"

    sample_id: Mapped[UUID] = mapped_column(ForeignKey("spot_sample.id"), unique=True)
    has_agreed: Mapped[bool]
    is_true: Mapped[bool | None]
    knows_worker: Mapped[bool | None]
    visit_happened: Mapped[bool | None]
    was_told: Mapped[bool | None]
    note_sealed: Mapped[str | None] = mapped_column("note", Text)
    note = Sealed()
    asked_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
