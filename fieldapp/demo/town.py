"""The demonstration's ground: five districts that tile the community, blocks, towers, courtyards and their doors.

Everything is drawn in metres on a frame turned by `TURN` degrees, u along the streets and v away from the river road,
then laid on the sphere (WGS-84, longitude first, 7 decimals: about a centimetre).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any

from fieldapp.demo.blocks import (
    SLAB_LEVELS,
    SLABS,
    TOWERS,
    YARDS,
    DoorPlan,
    Point,
    Slab,
    Tower,
    Yard,
    slab_doors,
    tower_doors,
    yard_doors,
)

ORIGIN = (120.30, 31.57)
"""Longitude and latitude of the community's middle."""
TURN = 7.5
"""Degrees that streets are turned from due east, counter-clockwise."""
MIDDLE = (289.0, 200.0)
"""The frame's u and v, metres, that come to lie on the origin."""
METRES_A_DEGREE = 111_195.0
"""Of latitude, on a sphere of 6,371 km."""

_CORNERS: dict[str, Point] = {
    "nw": (0, 400), "n1": (190, 400), "n2": (365, 400), "ne": (540, 400),
    "e1": (545, 290), "e2": (575, 190), "se": (578, 0),
    "w": (0, 190), "m1": (190, 190), "m2": (190, 150), "m3": (365, 150),
    "sw": (0, 0), "s1": (190, 0), "s2": (365, 0),
}  # fmt: skip
"""Named once, so that neighbours share edges to the last digit; m1 and m2 stand on a neighbour's side as well."""

_RINGS = (
    ("第一包干区", "w m1 n1 nw"),
    ("第二包干区", "m1 m2 m3 n2 n1"),
    ("第三包干区", "sw s1 m2 m1 w"),
    ("第四包干区", "s1 s2 m3 m2"),
    ("第五包干区", "s2 se e2 e1 ne n2 m3"),
)
"""Counter-clockwise, as RFC 7946 asks."""


@dataclass(frozen=True)
class DistrictPlan:
    """A district and its boundary."""

    code: str
    name: str
    geometry: dict[str, Any]


@dataclass(frozen=True)
class BuildingPlan:
    """A building, the index of its district (None: in no district) and its doors."""

    code: str
    name: str
    kind: str
    district: int | None
    street: str
    house_number: str
    entrances: int
    levels: int
    geometry: dict[str, Any]
    longitude: float
    latitude: float
    doors: tuple[DoorPlan, ...]

    @property
    def is_yard(self) -> bool:
        """Whether its doors stand around a yard."""
        return self.kind == "courtyard"

    @property
    def households_planned(self) -> int:
        """Doors that somebody may live behind."""
        return sum(door.kind != "shop" for door in self.doors)


@dataclass(frozen=True)
class Town:
    """The whole ground."""

    districts: tuple[DistrictPlan, ...]
    buildings: tuple[BuildingPlan, ...]


_STREETS = (("梧桐路", "58号"), ("梧桐路", "66号"), ("学堂街", "21号"), ("永乐路", "109号"), ("河滨路", "7号"))
_LANE = "槐花弄"

_FLAT_WIDTH, _SLAB_DEPTH = 9.0, 12.0
_ROW_DEPTH = 7.0


def place(u: float, v: float, origin: Point = ORIGIN) -> Point:
    """A point of the frame, metres, as longitude and latitude."""
    east, north = u - MIDDLE[0], v - MIDDLE[1]
    turn = radians(TURN)
    x, y = east * cos(turn) - north * sin(turn), east * sin(turn) + north * cos(turn)
    longitude = origin[0] + x / (METRES_A_DEGREE * cos(radians(origin[1])))
    return round(longitude, 7), round(origin[1] + y / METRES_A_DEGREE, 7)


def build_town(origin: Point = ORIGIN) -> Town:
    """The ground, always the same but for where it lies; buildings in the order of their numbers, courtyards last."""
    districts = tuple(
        DistrictPlan(str(i), name, _polygon([_CORNERS[corner] for corner in ring.split()], origin))
        for i, (name, ring) in enumerate(_RINGS, 1)
    )
    blocks = [_slab(slab, origin) for slab in SLABS] + [_tower(tower, origin) for tower in TOWERS]
    blocks.append(_shop_building(origin))
    blocks.sort(key=lambda block: (int(block.code.split("-")[0]), block.code))
    return Town(districts, (*blocks, *(_yard(yard, origin) for yard in YARDS)))


def _polygon(corners: list[Point], origin: Point) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [_ring(corners, origin)]}


def _ring(corners: list[Point], origin: Point) -> list[list[float]]:
    points = [list(place(u, v, origin)) for u, v in corners]
    return [*points, points[0]]


def _box(left: float, low: float, right: float, high: float) -> list[Point]:
    return [(left, low), (right, low), (right, high), (left, high)]


def _slab(slab: Slab, origin: Point) -> BuildingPlan:
    u, v = slab.middle
    half = slab.entrances * _FLAT_WIDTH
    outline = _box(u - half, v - _SLAB_DEPTH / 2, u + half, v + _SLAB_DEPTH / 2)
    doors = tuple(slab_doors(slab))
    return _block(slab.number, slab.district, slab.middle, outline, slab.entrances, SLAB_LEVELS, doors, origin)


def _tower(tower: Tower, origin: Point) -> BuildingPlan:
    u, v = tower.middle
    arm, core = 14.0, 9.0
    plus = [
        (-core, -arm), (core, -arm), (core, -core), (arm, -core), (arm, core), (core, core),
        (core, arm), (-core, arm), (-core, core), (-arm, core), (-arm, -core), (-core, -core),
    ]  # fmt: skip
    doors = tuple(tower_doors(tower))
    outline = [(u + x, v + y) for x, y in plus]
    return _block(tower.number, tower.district, tower.middle, outline, 1, tower.levels, doors, origin)


def _block(
    number: str,
    district: int,
    middle: Point,
    outline: list[Point],
    entrances: int,
    levels: int,
    doors: tuple[DoorPlan, ...],
    origin: Point,
) -> BuildingPlan:
    geometry = _polygon(outline, origin)
    street, house_number = _STREETS[district]
    return BuildingPlan(
        number, f"{number}号楼", "block", district, street, house_number, entrances, levels, geometry,
        *place(*middle, origin), doors,
    )  # fmt: skip


def _shop_building(origin: Point) -> BuildingPlan:
    """The two flats that lie in no district: above shops that nobody has registered, south of the boundary."""
    u, v = 500.0, -14.0
    geometry = _polygon(_box(u - 18, v - 5, u + 18, v + 5), origin)
    doors = (DoorPlan("flat", 1, 2, "201", 1), DoorPlan("flat", 1, 2, "202", 2))
    return BuildingPlan(
        "38-S", "38号楼南侧门面楼", "block", None, "河滨路", "9号", 1, 2, geometry, *place(u, v, origin), doors
    )


def _yard(yard: Yard, origin: Point) -> BuildingPlan:
    rows = list(_yard_rows(yard))
    polygons = [[_ring(_box(*row), origin)] for row in rows]
    left, low, right, high = rows[0]
    inside = place((left + right) / 2, (low + high) / 2, origin)
    return BuildingPlan(
        yard.code, yard.name, "courtyard", yard.district, _LANE, f"{yard.code[-1]}号", 1, 1,
        {"type": "MultiPolygon", "coordinates": polygons}, *inside, tuple(yard_doors(yard)),
    )  # fmt: skip


def _yard_rows(yard: Yard) -> Iterator[tuple[float, float, float, float]]:
    """The roofs, metres: one along the north, one a side, two along the south with the gate between them."""
    u, v = yard.middle
    width, height = yard.columns * 9.0, yard.rows * 8.0
    left, right, low, high = u - width / 2, u + width / 2, v - height / 2, v + height / 2
    gate = left + (yard.gate - 0.5) * 9.0
    yield left, high - _ROW_DEPTH, right, high
    yield left, low + _ROW_DEPTH + 2, left + _ROW_DEPTH, high - _ROW_DEPTH - 2
    yield right - _ROW_DEPTH, low + _ROW_DEPTH + 2, right, high - _ROW_DEPTH - 2
    yield left, low, gate - 2.5, low + _ROW_DEPTH
    yield gate + 2.5, low, right, low + _ROW_DEPTH
