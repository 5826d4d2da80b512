"""Who signs in, and what they did that must leave a trace."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldapp.db import Base, Keyed


class User(Keyed, Base):
    """Somebody who signs in. A worker or director belongs to a community, a street office to a street."""

    __tablename__ = "user_account"

    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str | None] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    community_id: Mapped[UUID | None] = mapped_column(ForeignKey("community.id"), index=True)
    street_code: Mapped[str | None] = mapped_column(String(32))
    language: Mapped[str | None] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(256))
    password_stamp: Mapped[str] = mapped_column(String(32))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    wait_until: Mapped[datetime | None]

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether this account may be signed in to (Flask-Login asks)."""
        return self.active

    def get_id(self) -> str:
        """What the session keeps: it dies with the password, whose stamp it carries."""
        return f"{self.id}.{self.password_stamp}"


class UnknownName(Base):
    """A name that nobody signs in by and that somebody tried: it makes one wait as an account does, so that waiting
    does not tell which names there are. Kept as a digest, since people type passwords here, and forgotten after a day.
    """

    __tablename__ = "unknown_name"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    wait_until: Mapped[datetime | None]
    tried_at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Keyed, Base):
    """One trace: an export, an import, a change of settings, a look at a guarded field. Never any personal data."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "community_id", "at"),)

    community_id: Mapped[UUID | None] = mapped_column(ForeignKey("community.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    at: Mapped[datetime]
    deed: Mapped[str] = mapped_column(String(48))
    subject: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]]
