"""Which blocks, towers and courtyards stand where, and how their doors are laid out on the door matrix."""

from collections.abc import Iterator
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class DoorPlan:
    """A door and its cell on the door matrix."""

    kind: str
    entrance: int
    floor: int
    room: str
    column: int
    row: int | None = None
    span: int = 1
    row_span: int = 1
    name: str | None = None


@dataclass(frozen=True)
class Slab:
    """A slab block: entrances side by side, two flats a floor. `shops` are (entrance, column, span, name)."""

    number: str
    district: int
    middle: Point
    entrances: int
    merged: tuple[tuple[int, int], ...] = ()
    shops: tuple[tuple[int, int, int, str | None], ...] = ()


@dataclass(frozen=True)
class Tower:
    """A tower on a plus-shaped plan: one entrance, four flats a floor."""

    number: str
    district: int
    middle: Point
    levels: int


@dataclass(frozen=True)
class Yard:
    """A courtyard: one-storey houses on the rim of a grid, a gate in the lowest row."""

    code: str
    name: str
    district: int
    middle: Point
    columns: int
    rows: int
    gate: int
    merged: int | None = None
    tall: int | None = None


SLABS = (
    Slab("1", 0, (48, 375), 3, shops=((1, 1, 2, "老街菜场"), (2, 1, 1, "康宁药房"), (2, 2, 1, "小方早点"))),
    Slab("2", 0, (135, 375), 3, merged=((2, 4),)),
    Slab("3", 0, (48, 338), 3),
    Slab("5", 0, (135, 338), 2),
    Slab("6", 0, (48, 301), 2, merged=((1, 6),)),
    Slab("7", 0, (135, 301), 2),
    Slab("8", 0, (48, 264), 2),
    Slab("12", 1, (236, 374), 3),
    Slab("13", 1, (318, 374), 3, merged=((2, 5),),
          shops=((1, 1, 2, "惠民超市"), (2, 1, 1, "理发店"), (2, 2, 1, None))),
    Slab("15", 1, (236, 334), 3),
    Slab("16", 1, (318, 334), 3, merged=((3, 2),)),
    Slab("20", 2, (48, 168), 2),
    Slab("21", 2, (135, 168), 2, merged=((1, 3),)),
    Slab("22", 2, (48, 131), 2, shops=((1, 1, 1, "修车铺"), (1, 2, 1, "便民五金"), (2, 1, 2, "邻里面馆"))),
    Slab("23", 2, (135, 131), 3),
    Slab("25", 2, (48, 94), 3),
    Slab("26", 2, (135, 94), 2),
    Slab("29", 3, (325, 122), 2),
    Slab("30", 3, (228, 62), 2),
    Slab("31", 3, (310, 62), 3, shops=((1, 1, 1, "驿站快递"), (1, 2, 1, None), (2, 1, 2, "福利彩票"))),
    Slab("32", 4, (410, 374), 2),
    Slab("33", 4, (485, 374), 2, merged=((2, 6),)),
    Slab("35", 4, (425, 336), 4),
    Slab("36", 4, (505, 336), 2),
    Slab("37", 4, (412, 262), 3, merged=((1, 4),)),
    Slab("40", 4, (425, 150), 3),
    Slab("38", 4, (500, 40), 2),
)  # fmt: skip
TOWERS = (
    Tower("18", 1, (320, 262), 14),
    Tower("27", 3, (222, 116), 11),
    Tower("28", 3, (270, 116), 11),
    Tower("39", 4, (505, 240), 14),
)
YARDS = (
    Yard("yard-1", "一号院", 2, (70, 40), 5, 4, gate=3, merged=2),
    Yard("yard-2", "二号院", 0, (135, 245), 4, 4, gate=2, merged=3),
    Yard("yard-3", "三号院", 1, (238, 262), 5, 5, gate=3, merged=3, tall=3),
)
SLAB_LEVELS = 6


def slab_doors(slab: Slab) -> Iterator[DoorPlan]:
    """Two flats a floor; flats made into one are one door, ground floors may be shops."""
    shops = {(entrance, column): (span, name) for entrance, column, span, name in slab.shops}
    sold = {(entrance, column + i) for entrance, column, span, _ in slab.shops for i in range(span)}
    for entrance in range(1, slab.entrances + 1):
        for floor in range(1, SLAB_LEVELS + 1):
            if (entrance, floor) in slab.merged:
                yield DoorPlan("flat", entrance, floor, f"{floor}01+{floor}02", 1, span=2)
                continue
            for column in (1, 2):
                if floor == 1 and (entrance, column) in sold:
                    if (entrance, column) in shops:
                        span, name = shops[entrance, column]
                        room = "101+102" if span == 2 else f"10{column}"
                        yield DoorPlan("shop", entrance, 1, room, column, span=span, name=name)
                    continue
                yield DoorPlan("flat", entrance, floor, f"{floor}0{column}", column)


def tower_doors(tower: Tower) -> Iterator[DoorPlan]:
    """Four flats a floor around one lift."""
    for floor in range(1, tower.levels + 1):
        for column in range(1, 5):
            yield DoorPlan("flat", 1, floor, f"{floor}0{column}", column)


def yard_doors(yard: Yard) -> Iterator[DoorPlan]:
    """Doors as seen from inside the yard, numbered along the north, down the west, down the east, along the south.

    `merged` is the column of two northern houses made into one, `tall` the row of an eastern one as long as two.
    """
    number = 0
    for row, column in _yard_cells(yard):
        number += 1
        if row == 1 and yard.merged is not None and column == yard.merged + 1:
            continue
        span = 2 if row == 1 and column == yard.merged else 1
        long = row == yard.tall and column == yard.columns
        room = f"{number}+{number + 1}" if span == 2 else str(number)
        yield DoorPlan("house", 1, 1, room, column, row, span, 2 if long else 1)


def _yard_cells(yard: Yard) -> Iterator[tuple[int, int]]:
    yield from ((1, column) for column in range(1, yard.columns + 1))
    yield from ((row, 1) for row in range(2, yard.rows))
    yield from ((row, yard.columns) for row in range(2, yard.rows) if row - 1 != yard.tall)
    yield from ((yard.rows, column) for column in range(1, yard.columns + 1) if column != yard.gate)
