"""The door matrix: where each door's cell stands on the screen; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Placed(Protocol):
    """What has a place on the matrix."""

    entrance: int
    floor: int
    room: str
    column: int
    row: int | None
    span: int
    row_span: int
    state: Any


@dataclass(frozen=True)
class Cell:
    """A door with its place in the grid; rows and columns are 1-based, as CSS counts them."""

    door: Any
    row: int
    column: int
    span: int
    row_span: int


@dataclass(frozen=True)
class Entrance:
    """One stairwell: its number, how many columns it takes, its cells."""

    number: int
    first_column: int
    columns: int


@dataclass(frozen=True)
class Matrix:
    """A building's doors in a grid. `floors` is top first and empty for a courtyard, which may have a `yard`."""

    is_courtyard: bool
    entrances: tuple[Entrance, ...]
    floors: tuple[int, ...]
    columns: int
    rows: int
    cells: tuple[Cell, ...]
    yard: tuple[int, int, int, int] | None
    """The yard's first row and column and its spans, where at least one cell is free inside."""
    counts: dict[Any, int]


def matrix_of(doors: Sequence[Any], *, is_courtyard: bool) -> Matrix:
    """Lay doors out: entrances side by side, top floor first; a courtyard's around its yard.

    Doors that would stand in the same cell (two households behind one door) are put side by side; in a courtyard those
    without a place, or whose place is taken, stand in rows of their own below, so that the ring stays as it is.
    """
    counts: dict[Any, int] = {}
    for door in doors:
        counts[door.state] = counts.get(door.state, 0) + 1
    return _courtyard(doors, counts) if is_courtyard else _block(doors, counts)


def _block(doors: Sequence[Any], counts: dict[Any, int]) -> Matrix:
    floors = tuple(sorted({door.floor for door in doors}, reverse=True))
    row_of = {floor: row for row, floor in enumerate(floors, 1)}
    entrances, cells, offset = [], [], 0
    for number in sorted({door.entrance for door in doors}):
        here = [door for door in doors if door.entrance == number]
        placed = _side_by_side(here, row_of)
        width = max(cell.column + cell.span - 1 for cell in placed)
        entrances.append(Entrance(number, offset + 1, width))
        cells += [Cell(c.door, c.row, offset + c.column, c.span, 1) for c in placed]
        offset += width
    return Matrix(False, tuple(entrances), floors, offset, len(floors), tuple(cells), None, counts)


def _side_by_side(doors: Iterable[Any], row_of: dict[int, int]) -> list[Cell]:
    taken: set[tuple[int, int]] = set()
    cells = []
    for door in sorted(doors, key=lambda d: (-d.floor, d.column, d.room)):
        row, column, span = row_of[door.floor], max(door.column, 1), max(door.span, 1)
        while any((row, column + i) in taken for i in range(span)):
            column += 1
        taken.update((row, column + i) for i in range(span))
        cells.append(Cell(door, row, column, span, 1))
    return cells


def _courtyard(doors: Sequence[Any], counts: dict[Any, int]) -> Matrix:
    cells, others = _around(doors)
    rows = max((c.row + c.row_span - 1 for c in cells), default=0)
    columns = max((c.column + c.span - 1 for c in cells), default=4)
    yard = _yard(cells, rows, columns)
    for i, door in enumerate(others):
        cells.append(Cell(door, rows + 1 + i // columns, i % columns + 1, 1, 1))
    rows = max((c.row + c.row_span - 1 for c in cells), default=0)
    return Matrix(True, (), (), columns, rows, tuple(cells), yard, counts)


def _around(doors: Sequence[Any]) -> tuple[list[Cell], list[Any]]:
    """The doors that have a place around the yard, and those that have none or come second to it."""
    taken: set[tuple[int, int]] = set()
    cells, others = [], []
    for door in doors:
        cell = Cell(door, door.row or 0, max(door.column, 1), max(door.span, 1), max(door.row_span, 1))
        ground = {(cell.row + i, cell.column + j) for i in range(cell.row_span) for j in range(cell.span)}
        if not door.row or ground & taken:
            others.append(door)
        else:
            taken |= ground
            cells.append(cell)
    return cells, others


def _yard(cells: Sequence[Cell], rows: int, columns: int) -> tuple[int, int, int, int] | None:
    """The free rectangle inside the ring of doors: between the first and last row and column that doors stand in."""
    if rows < 3 or columns < 3:
        return None
    taken = {(c.row + i, c.column + j) for c in cells for i in range(c.row_span) for j in range(c.span)}
    inside = [(r, c) for r in range(2, rows) for c in range(2, columns)]
    return None if any(place in taken for place in inside) else (2, 2, rows - 2, columns - 2)
