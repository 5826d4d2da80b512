"""Where doors stand on the door matrix: a whole building's laid out, or a new one's whose row does not say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.exchange.drafts import DoorDraft
from fieldapp.exchange.features import MOST_HOUSEHOLDS, BuildingDraft
from fieldapp.places.rules import Cell, lay_out
from geo.geojson import GeoJSONError, Problem

WIDEST_FLOOR = 99
"""Doors on one floor of one entrance: room numbers have two digits for them."""
YARD_WIDTH = 6


@dataclass(frozen=True)
class Layout:
    """Doors to lay out: cells of the door matrix, and for a courtyard the row that each stands in."""

    kind: str
    cells: Sequence[tuple[Cell, int | None]]


def laid_out(draft: BuildingDraft) -> Layout:
    """Lay a building's doors out: entrances and floors, or for a courtyard doors 1, 2, 3 … in rows of six.

    GeoJSONError `crowded`: more doors on one floor of one entrance than room numbers can tell apart.
    """
    total = min(sum(draft.shares) if draft.shares else draft.households or 0, MOST_HOUSEHOLDS)
    if draft.kind == "courtyard":
        yard = [(Cell(1, 1, str(i + 1), i % YARD_WIDTH + 1), i // YARD_WIDTH + 1) for i in range(total)]
        return Layout("house", yard)
    cells = lay_out(total, draft.levels, draft.shares or draft.entrances)
    if any(cell.column > WIDEST_FLOOR for cell in cells):
        raise GeoJSONError([Problem(draft.number, "crowded", str(WIDEST_FLOOR))])
    return Layout("flat", [(cell, None) for cell in cells])


class Taken:
    """The cells of one building that doors stand on: entrance, floor (or a courtyard's row), column."""

    def __init__(self) -> None:
        self._cells: set[tuple[int, int, int]] = set()

    def add(self, entrance: int, floor: int, column: int) -> None:
        """Take a cell."""
        self._cells.add((entrance, floor, column))

    def free(self, entrance: int, floor: int, wanted: int | None = None) -> int:
        """The wanted column, or the first free one of a floor; it is taken with this."""
        column = wanted or 1
        while (entrance, floor, column) in self._cells:
            column += 1
        self.add(entrance, floor, column)
        return column


def is_house(door: DoorDraft) -> bool:
    """Whether a door stands around a yard: by its kind, or by its building where no kind is said."""
    return door.building.is_courtyard and door.kind in (None, "house")


def floor_of(door: DoorDraft) -> int:
    """The floor as said; else of 601 the sixth, of 1203 the twelfth; else the ground floor."""
    if door.floor is not None:
        return door.floor
    match = re.match(r"[A-Za-z]?(\d{1,2})\d{2}(?!\d)", door.room)
    return max(int(match[1]), 1) if match and not is_house(door) else 1


def new_door(door: DoorDraft, taken: Taken) -> dict[str, Any]:
    """The columns of a new dwelling; what the sheet leaves out is told from the room, else it is the next free cell."""
    floor = floor_of(door)
    column, row = door.column, door.row
    if is_house(door) and column is None and row is None:
        row = 1
        while (column := taken.free(1, row)) > YARD_WIDTH:
            row += 1
    elif column is None:
        column = taken.free(door.entrance, row or floor, _column_in(door.room, floor))
    return {
        "building_id": door.building.id,
        "entrance": door.entrance,
        "floor": floor,
        "room": door.room,
        "kind": door.kind or ("house" if is_house(door) else "shop" if door.shop_name else "flat"),
        "name": door.shop_name,
        "column": column,
        "row": row,
        "span": door.span or door.room.count("+") + 1,
        "row_span": door.row_span or 1,
    }


def _column_in(room: str, floor: int) -> int | None:
    match = re.match(rf"[A-Za-z]?{floor}(\d{{2}})(?!\d)", room)
    return int(match[1]) or None if match else None
