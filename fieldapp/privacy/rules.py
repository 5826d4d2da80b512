"""What is kept of a person and for how long: why a number may be looked at, and when a record is to be erased.

个人信息保护法 (2021): art. 45 a copy for the person, art. 46 a correction, art. 47 an erasure once the purpose is met.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

TERM = 365
"""Days that a record is kept after somebody has left; a community may set its own (`keep_days`)."""
SHORTEST_TERM = 30
"""What phones sent in the last days must be older than what is erased: they keep sent items for a week at most."""

ERASED_NAME = "（已清除）"
"""What stands where a name stood."""


class Why(StrEnum):
    """Why somebody looks at a full number or takes a copy. Words of ours, so that no reason tells of a person."""

    ERRAND = "errand"
    PAPERS = "papers"
    ASKED = "asked"
    WRONG = "wrong"


def term_of(settings: dict[str, Any]) -> int:
    """How many days a community keeps the record of who has left."""
    days = settings.get("keep_days", TERM)
    return max(days, SHORTEST_TERM) if isinstance(days, int) else TERM


def is_due(left_on: date | None, today: date, days: int) -> bool:
    """Whether the record of somebody who left is to be erased."""
    return left_on is not None and left_on + timedelta(days=days) <= today


def without(name: str, said: Any) -> Any:
    """A text, or what is made of texts, without a name. A name of one sign would take ordinary words with it."""
    if isinstance(said, str):
        return said.replace(name, ERASED_NAME) if len(name) > 1 else said
    if isinstance(said, list):
        return [without(name, part) for part in said]
    if isinstance(said, dict):
        return {key: without(name, part) for key, part in said.items()}
    return said
