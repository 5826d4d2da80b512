"""What the workers write that day: a seeded mix of visits, edits, ticks and photos, each as an item of an outbox."""

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from PIL import Image

from tests.torture.world import Door, Worker

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(hours=9)
"""How long before the run the first item was written."""

T = TypeVar("T")
Fields = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    """What an item does."""

    VISIT = "visit"
    NOBODY = "nobody home"
    EDIT = "edit"
    TICK = "tick"
    PHOTO = "photo"
    BAD = "visit without an outcome"


class Trick(StrEnum):
    """What happens to an item besides being sent until there is a receipt."""

    TWICE = "sent from two threads at the same moment"
    AGAIN = "sent once more when the day is over"
    FORGED = "another body sent under its key"
    FORGOTTEN = "sent by a phone that lost its session"


SENTENCES = (
    "第 {} 条，家里都好。",
    "第 {} 条：\r\n两行，有 & 有 = 有 % 有 + 号。",
    '第 {} 条 "引号" 和 😀 <b>',
)
TOPICS = ("助餐", "看病", "楼道")
MIX = {Kind.VISIT: 62, Kind.NOBODY: 7, Kind.EDIT: 9, Kind.TICK: 6, Kind.PHOTO: 15, Kind.BAD: 1}
TRICKS = {None: 85, Trick.TWICE: 6, Trick.AGAIN: 4, Trick.FORGED: 4, Trick.FORGOTTEN: 1}
OUTCOMES = {"met": 60, "changed": 15, "nobody": 12, "refused": 8, "moved": 3, "vacant": 2}
URGENT, WORDS, PHOTOS = range(3)
EMPTYING = ("moved", "vacant")
MOST_PHOTOS = 9


@dataclass(frozen=True)
class Said:
    """What a visit's row must say in the end. `residents` are those met, in any order."""

    outcome: str
    visited_at: datetime
    sentence: str | None = None
    residents: frozenset[UUID] = frozenset()
    topics: tuple[str, ...] = ()
    promise: str | None = None
    is_urgent: bool = False
    corrects: UUID | None = None


@dataclass
class Item:
    """One form of an outbox. `effect` is the key of what it makes or changes: a visit's, a follow-up's, a resident's.

    `needs` is the visit a photo belongs to; `said` is for visits, `done` for ticks, `value` for edits, of which
    `is_own` says that nobody else has a page of the household.
    """

    id: UUID
    number: int
    made_at: datetime
    kind: Kind
    household: UUID
    effect: UUID
    path: str = ""
    fields: Fields = ()
    photo: bytes | None = None
    needs: UUID | None = None
    said: Said | None = None
    done: bool | None = None
    value: str | None = None
    is_own: bool = False
    trick: Trick | None = None

    @property
    def is_urgent(self) -> bool:
        """Urgent before all."""
        return self.said is not None and self.said.is_urgent

    @property
    def lane(self) -> int:
        """Urgent, then words, then photos."""
        return URGENT if self.is_urgent else PHOTOS if self.photo else WORDS


class Day:
    """Writes the items of one phone. `now` is when the run begins: everything was written before."""

    def __init__(self, worker: Worker, chance: Random, now: datetime, count: int) -> None:
        self.worker, self.chance, self.now, self.count = worker, chance, now, count
        self.items: list[Item] = []
        self._values: dict[UUID, str] = {}
        self._ticked: dict[UUID, bool] = {}
        self._corrections: set[UUID] = set()
        self._photos: Counter[UUID] = Counter()

    def write(self) -> list[Item]:
        """All of them, in the order of their running numbers."""
        fill = {
            Kind.VISIT: self._visit,
            Kind.NOBODY: self._nobody,
            Kind.EDIT: self._edit,
            Kind.TICK: self._tick,
            Kind.PHOTO: self._photo,
            Kind.BAD: self._bad,
        }
        for number in range(1, self.count + 1):
            door = self.chance.choice(self.worker.shared + self.worker.own)
            item = self._blank(number, door)
            fill[item.kind](item, door)
            if item.kind is not Kind.BAD:
                item.trick = self._drawn(TRICKS)
            self.items.append(item)
        return self.items

    def _blank(self, number: int, door: Door) -> Item:
        """An item with its key, a UUIDv7, and its moment by the phone's clock, to the millisecond as phones say it.

        They are spread evenly, the last one a minute ago.
        """
        moment = self.now + self.worker.clock - DAY + (DAY - timedelta(minutes=1)) * number / self.count
        moment = moment.replace(microsecond=self.chance.randrange(1000) * 1000)
        rest = self.chance.getrandbits(74)
        stamp = int(moment.timestamp() * 1000) << 80
        key = UUID(int=stamp | 7 << 76 | rest >> 62 << 64 | 2 << 62 | rest & (1 << 62) - 1)
        return Item(key, number, moment, self._drawn(MIX), door.household, effect=key)

    def _drawn(self, weights: Mapping[T, int]) -> T:
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def _visit(self, item: Item, door: Door) -> None:
        item.kind = Kind.VISIT
        outcome = self._drawn(OUTCOMES)
        if outcome in EMPTYING:
            door = self.worker.own[-1]
            item.household = door.household
        met = frozenset(person for person, _phone in door.residents if self.chance.random() < 0.5)
        typed, visited_at = self._when(item)
        is_urgent = self.chance.random() < 0.05
        said = Said(
            outcome,
            visited_at,
            self.chance.choice(SENTENCES).format(f"{self.worker.username} {item.number}"),
            met if outcome in ("met", "changed") else frozenset(),
            tuple(self.chance.sample(TOPICS, self.chance.randrange(3))),
            f"答应 {item.number}" if self.chance.random() < 0.1 else None,
            is_urgent,
            None if is_urgent else self._corrected(door),
        )
        item.said, item.path = said, f"/households/{door.household}/visits"
        item.fields = (
            ("visit_id", str(item.id)),
            ("outcome", outcome),
            ("visited_at", typed),
            ("sentence", said.sentence or ""),
            ("promise", said.promise or ""),
            ("urgent", "1" if said.is_urgent else ""),
            ("corrects_id", str(said.corrects or "")),
            *(("met", str(person)) for person in sorted(met)),
            *(("topics", topic) for topic in said.topics),
        )

    def _corrected(self, door: Door) -> UUID | None:
        """Now and then a visit corrects an earlier one at its door, which may not be on the server yet."""
        known = [item.id for item in self.items if item.kind is Kind.VISIT and item.household == door.household]
        known = [key for key in known if key not in self._corrections]
        if not known or self.chance.random() >= 0.1:
            return None
        self._corrections.add(known[-1])
        return known[-1]

    def _when(self, item: Item) -> tuple[str, datetime]:
        """What the form says of the time, and what must be on record: nothing said means the moment it was saved."""
        way = self.chance.randrange(4)
        if way < 2:
            return "", item.made_at
        moment = (item.made_at - timedelta(seconds=self.chance.randrange(7200))).replace(microsecond=0)
        if way == 2:
            return moment.isoformat().replace("+00:00", "Z"), moment
        moment = moment.replace(second=0)
        return moment.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"), moment

    def _nobody(self, item: Item, door: Door) -> None:
        """One of an entrance's doors behind which nobody was home: each is an item, and says nothing else."""
        item.said, item.path = Said("nobody", item.made_at), f"/households/{door.household}/visits"
        item.fields = (("visit_id", str(item.id)), ("outcome", "nobody"), ("way", "door"))

    def _edit(self, item: Item, door: Door) -> None:
        """Another telephone number of somebody. Its page is the one of the morning, or shows what was written since."""
        if self.chance.random() < 0.5:  # both partners have heard it
            door = self.worker.shared[0]
        item.household, (person, known) = door.household, self.chance.choice(door.residents[:2])
        saw = self.chance.choice([known, self._values.get(person, known)])
        item.effect, item.value = person, f"1540{self.worker.number:02d}{item.number:05d}"
        item.is_own = door in self.worker.own
        item.path = f"/residents/{person}/facts"
        item.fields = (("change_id", str(item.id)), ("field", "phone"), ("value", item.value), ("saw-phone", saw))
        self._values[person] = item.value

    def _tick(self, item: Item, _door: Door) -> None:
        item.effect, item.household = self.chance.choice(self.worker.follow_ups)
        item.done = self._ticked[item.effect] = not self._ticked.get(item.effect, False)
        item.path = f"/follow-ups/{item.effect}/{'done' if item.done else 'undone'}"

    def _photo(self, item: Item, door: Door) -> None:
        """A picture of one of the last visits, which may not be on the server yet."""
        visits = [before for before in self.items[-20:] if before.kind is Kind.VISIT]
        visits = [visit for visit in visits if self._photos[visit.id] < MOST_PHOTOS]
        if not visits:
            self._visit(item, door)
            return
        visit = self.chance.choice(visits)
        self._photos[visit.id] += 1
        item.needs, item.household, item.photo = visit.id, visit.household, _jpeg(self.chance)
        item.path = f"/visits/{visit.id}/photos"

    def _bad(self, item: Item, door: Door) -> None:
        """A form that the server must refuse, and that must not hold up what comes after it."""
        item.path = f"/households/{door.household}/visits"
        item.fields = (("visit_id", str(item.id)), ("outcome", ""), ("sentence", "没选结果"))


def _jpeg(chance: Random) -> bytes:
    """A photo like no other."""
    small = Image.frombytes("RGB", (8, 6), chance.randbytes(8 * 6 * 3))
    file = io.BytesIO()
    small.resize((64, 48)).save(file, "JPEG")
    return file.getvalue()
