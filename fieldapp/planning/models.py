"""A division of the community into districts that is being planned: its draft, step by step, until it is in force."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, KeyedFirst
from fieldapp.places.models import OfCommunity

OPEN = ("computing", "draft", "waiting")
"""States of a plan that somebody works on or that waits for its day: at most one in a community."""

_IS_OPEN = text("state IN ('computing', 'draft', 'waiting')")


class Plan(KeyedFirst, OfCommunity, Base):
    """A division on its way: computing → draft → (waiting for its day →) published, or dropped.

    `kind` is how it was last computed: `propose` from nothing, `rebalance` from today's with the fewest moves. `step`
    is the number of the step that is shown, 0 before the first; `version` counts every change, so that two directors
    do not overwrite each other. While it computes, `progress` goes from 0 to 1, `alive_at` is when the process last
    said so, `pid` and `host` say which it is; `error` is a word of `rules.FAILURES` where it came to nothing.
    """

    __tablename__ = "plan"
    __table_args__ = (
        Index("uq_plan_open", "community_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    state: Mapped[str] = mapped_column(String(12), default="computing")
    kind: Mapped[str] = mapped_column(String(12))
    seed: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(default=1)
    step: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str | None] = mapped_column(String(32))
    alive_at: Mapped[datetime]
    pid: Mapped[int | None]
    host: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    since: Mapped[date | None]


class PlanStep(KeyedFirst, OfCommunity, Base):
    """How a plan stood after a deed: what undo goes back to. `deed` and the form of `body` are those of `rules`."""

    __tablename__ = "plan_step"
    __table_args__ = (UniqueConstraint("plan_id", "number"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"))
    number: Mapped[int]
    deed: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    body: Mapped[dict[str, Any]]
