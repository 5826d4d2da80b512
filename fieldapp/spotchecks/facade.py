"""The picture of a building at the table: its windows as they stand on the door matrix, one of them marked; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fieldapp.places.matrix import Cell, matrix_of

EDGE, ROOF, GROUND = 12, 10, 18
"""Units of the picture: least sky at each side, the roof's height, the ground's."""
BROAD = 2.4
"""The picture is at least so many times as wide as high: the question below it is to be seen without scrolling."""
WIDE, HIGH = 30, 22
"""What one door takes: two panes and the wall around them."""


class Window(NamedTuple):
    """A door as the picture needs it; `state` is what the matrix counts by, and there is nothing to count."""

    entrance: int
    floor: int
    room: str
    column: int
    row: int | None
    span: int
    row_span: int
    state: str = ""


class Box(NamedTuple):
    """A rectangle of the picture, in its units."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Facade:
    """A drawing: its size, wall and roof, the windows as one SVG path, the doors of the stairwells, and where each
    (entrance, room) is."""

    width: int
    height: int
    wall: Box
    roof: Box
    panes: str
    doors: str
    places: dict[tuple[int, str], Box]


def facade_of(windows: Sequence[Window], *, is_courtyard: bool) -> Facade:
    """Draw a building from its doors. Two households behind one door get a window each."""
    matrix = matrix_of(windows, is_courtyard=is_courtyard)
    rows, columns = max(matrix.rows, 1), max(matrix.columns, 1)
    high = rows * HIGH + 6
    sky = max(EDGE, (round((high + ROOF + GROUND) * BROAD) - columns * WIDE) // 2)
    wall = Box(sky, ROOF, columns * WIDE, high)
    places = {(cell.door.entrance, cell.door.room): _window(cell, sky) for cell in matrix.cells}
    return Facade(
        width=wall.width + 2 * sky,
        height=high + ROOF + GROUND,
        wall=wall,
        roof=Box(sky - 4, ROOF - 5, wall.width + 8, 7),
        panes="".join(_panes(box) for box in places.values()),
        doors="".join(_door(e.first_column, e.columns, wall) for e in matrix.entrances),
        places=places,
    )


def _window(cell: Cell, left: int) -> Box:
    """Where a door's window is: its cell without the wall around it; the wall begins at `left`."""
    x, y = left + (cell.column - 1) * WIDE + 6, ROOF + (cell.row - 1) * HIGH + 6
    return Box(x, y, cell.span * WIDE - 12, cell.row_span * HIGH - 8)


def _panes(box: Box) -> str:
    """Two panes with a bar between them."""
    half = box.width // 2 - 1
    return "".join(f"M{x} {box.y}h{half}v{box.height}h-{half}z" for x in (box.x, box.x + half + 2))


def _door(first: int, columns: int, wall: Box) -> str:
    """A stairwell's door, in the middle of its entrance at the foot of the wall."""
    middle = wall.x + (first - 1) * WIDE + columns * WIDE // 2
    return f"M{middle - 7} {wall.y + wall.height}v-12h14v12z"
