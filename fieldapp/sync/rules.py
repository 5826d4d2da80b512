"""What an item of a phone's outbox says of itself, whether two of them are the same, and whether a database went back.

Pure: the moment is an argument.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

CLOCK_OFF = timedelta(minutes=5)
"""How far a phone's clock may be off before its visits say so."""
MOST_ASKED = 2000
"""How many keys a phone may ask about at once."""

_LARGEST = 2**31 - 1  # what a column of whole numbers holds on both databases
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """One form of a phone's outbox: its key, whose it is, its running number on its phone, and the phone's clock when
    it was saved and when it was sent."""

    id: UUID
    user_id: UUID
    phone: UUID
    number: int
    made_at: datetime
    sent_at: datetime

    def done_at(self, now: datetime) -> datetime:
        """When what it says was done: the phone's time, but never later than the server's now."""
        return min(self.made_at, now)

    def clock_ahead(self, now: datetime) -> int:
        """How many seconds the phone's clock is ahead of the server's; negative when it is behind."""
        return max(-_LARGEST, min(_LARGEST, round((self.sent_at - now).total_seconds())))


class MalformedItem(ValueError):
    """Headers that no phone of ours writes; `faults` names them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


def read_item(headers: Mapping[str, str]) -> Item:
    """Read the Outbox-* headers. Raises MalformedItem."""
    faults: list[str] = []
    item = Item(
        id=_key(headers, "Outbox-Id", faults),
        user_id=_key(headers, "Outbox-User", faults),
        phone=_key(headers, "Outbox-Phone", faults),
        number=_number(headers, "Outbox-Number", faults),
        made_at=_moment(headers, "Outbox-Made-At", faults),
        sent_at=_moment(headers, "Outbox-Sent-At", faults),
    )
    if faults:
        raise MalformedItem(faults)
    return item


def key_of(text: str) -> UUID | None:
    """A UUID in its one usual form, 8-4-4-4-12; None for anything else."""
    try:
        key = UUID(text)
    except ValueError:
        return None
    return key if str(key) == text.lower() else None


def _key(headers: Mapping[str, str], name: str, faults: list[str]) -> UUID:
    key = key_of(headers.get(name, ""))
    if key is None:
        faults.append(name)
    return key or UUID(int=0)


def _number(headers: Mapping[str, str], name: str, faults: list[str]) -> int:
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= _LARGEST):
        faults.append(name)
        return 0
    return int(text)


def _moment(headers: Mapping[str, str], name: str, faults: list[str]) -> datetime:
    text = headers.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    # A phone whose battery was empty says 1970: that is a wrong clock, not a wrong header.
    if moment is None or moment.utcoffset() != timedelta() or not _EARLIEST <= moment <= _LATEST:
        faults.append(name)
        return _EARLIEST
    return moment


def body_hash(path: str, fields: Iterable[tuple[str, str]], files: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 of what was sent, in hexadecimal, the same at every attempt: the boundaries of a multipart form
    differ. `files` are the field's name and the SHA-256 of the bytes of each file."""
    said = [path, sorted(map(list, fields)), sorted(map(list, files))]
    text = json.dumps(said, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Life:
    """How far a database had come when somebody looked: its epoch, since when, and when the newest item came in."""

    epoch: UUID
    since: datetime
    newest: datetime | None


def went_back(kept: Life | None, found: Life) -> bool:
    """Whether a database is an older copy of the one that was seen before, so that a new epoch must begin.

    In the same epoch it lacks an item that was there. In another one that is not a later one it went back behind that
    epoch's beginning. A later epoch has begun somewhere else since, with another server or a new database: phones see
    that by themselves.
    """
    if kept is None:
        return False
    if found.epoch != kept.epoch:
        return found.since <= kept.since
    return kept.newest is not None and (found.newest is None or found.newest < kept.newest)


class Kind(StrEnum):
    """What an item that is held does."""

    VISIT = "visit"
    PHOTO = "photo"
    TICK = "tick"
    UNTICK = "untick"
    FACT = "fact"
    DECISION = "decision"
    EVENT = "event"


class Reason(StrEnum):
    """Why an item is held: its door went to another district, its district to other people, its writer left."""

    PLACED = "placed"
    ASSIGNED = "assigned"
    LEFT = "left"


THEIRS_FOR = timedelta(days=60)
"""How long ago a door may have been somebody's for what they wrote there to be held and not refused."""


@dataclass(frozen=True)
class Charge:
    """That somebody answered for a door: its place in a district and their assignment there, each up to a day."""

    district_id: UUID
    placed_until: date
    assigned_until: date

    @property
    def until(self) -> date:
        """The first day on which it was theirs no more."""
        return min(self.placed_until, self.assigned_until)

    @property
    def reason(self) -> Reason:
        """What ended it."""
        return Reason.ASSIGNED if self.assigned_until <= self.placed_until else Reason.PLACED


def last_charge(charges: Iterable[Charge]) -> Charge | None:
    """The one that ended last; None for somebody who never answered for the door."""
    return max(charges, key=lambda charge: charge.until, default=None)


def target_of(path: str) -> UUID:
    """The key of the thing that a form is about: /visits/<key>/photos. Raises ValueError."""
    return UUID(path.split("/")[2])
