"""A plan as the page and the map show it: today's division beside the draft, and what changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from fieldapp.planning import ground as grounds
from fieldapp.planning import rules
from fieldapp.planning.ground import Ground
from fieldapp.planning.rules import Body, DraftDistrict, Move, Scale


@dataclass(frozen=True)
class Row:
    """A district in the table: households now (None: it is new), in the draft (None: it goes)."""

    key: str
    name: str
    people: list[str]
    lead_id: str | None
    partner_id: str | None
    locked: bool
    now: int | None
    households: int | None
    is_now_off: bool
    is_off: bool


@dataclass(frozen=True)
class MoveLine:
    """A line of the list of moves, in names."""

    building: str
    entrance: int | None
    households: int
    origin: str | None
    target: str | None
    who: str | None


@dataclass(frozen=True)
class Line:
    """A line of the history."""

    words: str
    who: str
    at: datetime
    is_undone: bool = False


@dataclass(frozen=True)
class Worker:
    """Who may answer for a district."""

    id: str
    name: str


@dataclass
class Shown:
    """All that a page needs. `state`: none, computing, draft, waiting. `target` and `tolerance` are the size wanted."""

    state: str
    version: int
    ground: Ground
    body: Body
    has_draft: bool
    target: int
    in_force_on: date
    workers: Sequence[Worker] = ()
    progress: float = 0.0
    error: str | None = None
    said: str | None = None
    saved_at: datetime | None = None
    can_undo: bool = False
    can_redo: bool = False
    history: list[Line] = field(default_factory=list)
    tolerance: int = rules.TOLERANCE

    @cached_property
    def today(self) -> Body:
        """The division of today."""
        return self.ground.present()

    @property
    def has_today(self) -> bool:
        """Whether there is a division today."""
        return bool(self.today.districts)

    @property
    def may_compute(self) -> bool:
        """Whether a computation may be started."""
        return self.state in ("none", "draft")

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of every worker."""
        return {worker.id: worker.name for worker in self.workers}

    @cached_property
    def districts(self) -> Sequence[DraftDistrict]:
        """What is drawn: the draft, today's where there is none."""
        return self.body.districts if self.has_draft else self.today.districts

    @cached_property
    def _now(self) -> Mapping[str, str | None]:
        return {well.name: well.now for well in self.ground.all_stairwells()}

    @cached_property
    def _draft(self) -> Mapping[str, str | None]:
        return self.ground.placed(self.body) if self.has_draft else self._now

    @cached_property
    def sizes_now(self) -> dict[str | None, int]:
        """Households by district of today."""
        return rules.sizes(self.ground.all_stairwells(), self._now)

    @cached_property
    def sizes(self) -> dict[str | None, int]:
        """Households by district of what is drawn."""
        return rules.sizes(self.ground.all_stairwells(), self._draft)

    @property
    def outside(self) -> int:
        """Households in no district."""
        return self.sizes.get(None, 0)

    @cached_property
    def seams(self) -> int:
        """How many overlaps and gaps there are."""
        return len(grounds.seams(Body(tuple(self.districts))))

    @cached_property
    def rows(self) -> list[Row]:
        """The table's rows; districts that go come last."""
        there = {district.key for district in self.today.districts}
        rows = [self._row(d, d.key in there, True) for d in self.districts]
        drawn = {district.key for district in self.districts}
        return rows + [self._row(d, True, False) for d in self.today.districts if d.key not in drawn]

    def _row(self, district: DraftDistrict, is_there: bool, is_kept: bool) -> Row:
        now = self.sizes_now.get(district.key, 0) if is_there else None
        households = self.sizes.get(district.key, 0) if is_kept else None
        return Row(
            district.key,
            district.name,
            self.people(district),
            district.lead,
            district.partner,
            district.locked,
            now,
            households,
            now is not None and rules.is_off(now, self.target),
            households is not None and rules.is_off(households, self.target),
        )

    def people(self, district: DraftDistrict) -> list[str]:
        """The names of a district's pair."""
        return [self.names[key] for key in (district.lead, district.partner) if key and key in self.names]

    @cached_property
    def moves(self) -> list[MoveLine]:
        """What changes its district, by building."""
        named = {district.key: district for district in (*self.today.districts, *self.districts)}
        return [self._line(move, named) for move in self._moves]

    @cached_property
    def _moves(self) -> list[Move]:
        if not self.has_draft:
            return []
        draft = {name: key for name, key in self._draft.items() if key}
        return [
            move
            for block in self.ground.blocks
            for move in rules.moves_of(str(block.id), block.name, self.ground.stairwells[block.id], draft)
        ]

    def _line(self, move: Move, named: Mapping[str, DraftDistrict]) -> MoveLine:
        origin, target = named.get(move.origin or ""), named.get(move.target or "")
        who = self.people(target)[:1] if target else []
        return MoveLine(
            move.building,
            move.entrance,
            move.households,
            origin.name if origin else None,
            target.name if target else None,
            who[0] if who else None,
        )

    @property
    def moved(self) -> int:
        """Households that change their district."""
        return sum(move.households for move in self._moves)

    @property
    def stay(self) -> int:
        """Households that do not."""
        return sum(self.sizes.values()) - self.moved

    @cached_property
    def _scale(self) -> Scale:
        numbers = [n for row in self.rows for n in (row.now, row.households) if n is not None]
        return Scale.around(numbers, self.target)

    @property
    def least(self) -> float:
        """The fewest households within tolerance."""
        return self.target * (1 - self.tolerance / 100)

    @property
    def most(self) -> float:
        """The most."""
        return self.target * (1 + self.tolerance / 100)

    def at(self, number: float) -> float:
        """Where a number stands on the picture of changes, 0 to 100."""
        return self._scale.at(number)

    def data(self) -> dict[str, Any]:
        """The map's data: the contract of plan.js."""
        return {
            "version": self.version,
            "state": self.state,
            "progress": self.progress,
            "error": self.error,
            "target": self.target,
            "tolerance": self.tolerance,
            "in_force_on": self.in_force_on.isoformat(),
            "districts": [self._district(district) for district in self.districts],
            "now": [{"key": d.key, "name": d.name, "geometry": d.geometry} for d in self.today.districts],
            "buildings": [self._building(block) for block in self.ground.blocks],
            "moves": [
                {
                    "building": move.building,
                    "entrance": move.entrance,
                    "households": move.households,
                    "from": move.origin,
                    "to": move.target,
                    "who": move.who,
                }
                for move in self.moves
            ],
            "can_undo": self.can_undo,
            "can_redo": self.can_redo,
        }

    def _district(self, district: DraftDistrict) -> dict[str, Any]:
        return {
            "key": district.key,
            "name": district.name,
            "people": self.people(district),
            "locked": district.locked,
            "households": self.sizes.get(district.key, 0),
            "now": self.sizes_now.get(district.key, 0) if district.district_id else None,
            "geometry": district.geometry,
        }

    def _building(self, block: grounds.Block) -> dict[str, Any]:
        return {
            "id": str(block.id),
            "name": block.name,
            "geometry": block.geometry,
            "entrances": [
                {
                    "n": well.number,
                    "households": well.households,
                    "at": self.ground.places.get(well.name),
                    "now": well.now,
                    "draft": self._draft[well.name],
                }
                for well in self.ground.stairwells[block.id]
            ],
        }
