"""What a role is, who acts, and how long a wrong password makes one wait."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """The four kinds of account. A partner is a worker: lead and partner are parts in a district, not roles."""

    WORKER = "worker"
    DIRECTOR = "director"
    STREET = "street"
    ADMIN = "admin"


@dataclass(frozen=True)
class Actor:
    """Who asks, and how far they see. `district_ids` are a worker's own and partner districts of today."""

    user_id: UUID | None
    name: str
    role: Role
    community_id: UUID | None = None
    street_code: str | None = None
    district_ids: frozenset[UUID] = field(default_factory=frozenset)


FREE_TRIES = 5
LONGEST_WAIT = timedelta(minutes=15)
UNKNOWN_NAMES_KEPT = timedelta(days=1)
SHORTEST_PASSWORD = 8


def wait_after(failures: int) -> timedelta:
    """How long an account refuses to look at a password after so many wrong ones in a row.

    The first `FREE_TRIES` cost nothing, then 2, 4, 8 … seconds up to a quarter of an hour: a thumb that slips does not
    notice, a list of passwords takes years.
    """
    if failures < FREE_TRIES:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - FREE_TRIES + 1, 20)), LONGEST_WAIT)


def password_fault(password: str, username: str) -> str | None:
    """Why this may not become a password: `short`, `same` (as the name), `simple` (a sign repeated); else None."""
    if len(password) < SHORTEST_PASSWORD:
        return "short"
    if password.casefold() == username.casefold():
        return "same"
    if len(set(password)) < 3:
        return "simple"
    return None
