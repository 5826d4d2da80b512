"""How good a division is, counted from its polygons and lists alone, whoever made it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import pi
from statistics import mean
from typing import Any

import numpy as np
import shapely

from geo.buildings import Building, entrance_points
from geo.plane import Plane
from geo.tiling import Tiling, check_tiling

SPECK_M2 = 0.5
"""Ground of a building beyond a border that is not counted: the grid of 1e-7 degrees moves a border by centimetres."""
SEAM_M2 = 1e-6
"""The smallest gap or overlap between districts that is counted: neighbours on one grid have none at all."""
EDGE_M = 0.01
"""Half the width of the narrowest gap along the boundary that is counted: where a border meets one of its straight
sides, rounding bends that by half a step of the grid, 6 mm, and leaves a sliver as long as the side."""

Entrance = tuple[str, int]
"""A building's key and the number of an entrance, from 1."""


@dataclass(frozen=True)
class Made:
    """A division: a polygon a district in degrees, and the entrances of each."""

    shapes: Sequence[Any]
    entrances: Sequence[Sequence[Entrance]]
    seconds: float = 0.0
    """Processor time."""

    @classmethod
    def of(cls, division: Any, seconds: float = 0.0) -> "Made":
        """What `geo.dividing` or `geo.rebalancing` made."""
        districts = division.districts
        return cls([each.shape for each in districts], [each.entrances for each in districts], seconds)


@dataclass
class Figures:
    """Counts of one division; `+` adds up those of several communities."""

    districts: int = 0
    within_10: int = 0
    within_5: int = 0
    in_pieces: int = 0
    gaps: int = 0
    overlaps: int = 0
    lost: int = 0
    """Entrances in no district or in several."""
    outside: int = 0
    """Entrances whose place is not in the polygon of their district."""
    cut: int = 0
    buildings: int = 0
    split: int = 0
    split_needlessly: int = 0
    """Buildings split whose households one district could hold."""
    too_large: int = 0
    """Buildings with more households than one district may hold: these must be split."""
    compactness: list[float] = field(default_factory=list)
    """Polsby-Popper of each district."""
    off: list[int] = field(default_factory=list)
    """Households of the districts further off their target than 10 %."""
    seconds: list[float] = field(default_factory=list)

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(**{name: mine + getattr(other, name) for name, mine in vars(self).items()})

    @property
    def mean_compactness(self) -> float:
        """0 to 1, a circle has 1."""
        return mean(self.compactness or [0.0])


def measure(made: Made, buildings: Sequence[Building], boundary: Any, target: int) -> Figures:
    """Count what a division is worth; `target` is the households of a district that it was asked for."""
    behind = {(b.key, n): share for b in buildings for n, share in enumerate(b.entrances, start=1)}
    sizes = [sum(behind.get(entrance, 0) for entrance in own) for own in made.entrances]
    tiling = check_tiling(made.shapes, minimum_m2=SEAM_M2)
    districts_of = homes(made)
    times = Counter(entrance for own in made.entrances for entrance in own)
    return Figures(
        districts=len(made.shapes),
        within_10=sum(within(size, target, 0.1) for size in sizes),
        within_5=sum(within(size, target, 0.05) for size in sizes),
        in_pieces=len(tiling.parts),
        gaps=len(_gaps(made.shapes, tiling, boundary)),
        overlaps=len(tiling.overlaps),
        lost=sum(times[entrance] != 1 for entrance in behind),
        outside=_outside(made, buildings),
        cut=len(cut_buildings(made, buildings)),
        buildings=sum(building.households > 0 for building in buildings),
        split=sum(len(districts_of.get(building.key, ())) > 1 for building in buildings),
        split_needlessly=sum(
            len(districts_of.get(building.key, ())) > 1 and building.households <= 1.1 * target
            for building in buildings
        ),
        too_large=sum(building.households > 1.1 * target for building in buildings),
        compactness=[polsby_popper(shape) for shape in made.shapes],
        off=[size for size in sizes if not within(size, target, 0.1)],
        seconds=[made.seconds],
    )


def _gaps(shapes: Sequence[Any], tiling: Tiling, boundary: Any) -> list[Any]:
    """Ground of the boundary in no district: what districts enclose, however little, and leave at the edge."""
    if boundary is None:
        return [gap.shape for gap in tiling.gaps]
    enclosed = [gap.shape for gap in tiling.gaps if boundary.intersects(shapely.Point(gap.place))]
    plane = Plane.around(boundary)
    left = plane.to_plane(shapely.difference(boundary, shapely.union_all([*shapes, *enclosed])))
    return enclosed + [part for part in shapely.get_parts(shapely.buffer(left, -EDGE_M)) if not part.is_empty]


def within(size: int, target: int, share: float) -> bool:
    """Whether a district's households are off their target by this share at most."""
    return abs(size - target) <= share * target + 1e-9


def polsby_popper(shape: Any) -> float:
    """4π·area ÷ perimeter² of a shape in degrees (Polsby and Popper 1991); holes and parts lengthen the perimeter."""
    if shape.is_empty:
        return 0.0
    metres = Plane.around(shape).to_plane(shape)
    return float(4 * pi * metres.area / metres.length**2) if metres.length else 0.0


def homes(made: Made) -> dict[str, set[int]]:
    """The districts of each building by its entrances."""
    found: dict[str, set[int]] = {}
    for district, own in enumerate(made.entrances):
        for key, _entrance in own:
            found.setdefault(key, set()).add(district)
    return found


def _outside(made: Made, buildings: Sequence[Building]) -> int:
    shapes = np.array(made.shapes, dtype=object)
    shapely.prepare(shapes)
    places = {building.key: entrance_points(building) for building in buildings}
    wrong = 0
    for shape, own in zip(shapes, made.entrances, strict=True):
        points = np.array([places[key][number - 1] for key, number in own]).reshape(-1, 2)
        wrong += int((~shapely.intersects_xy(shape, points)).sum())
    return wrong


def cut_buildings(made: Made, buildings: Sequence[Building]) -> list[str]:
    """Keys of buildings with entrances in one district, or none at all, whose ground lies in several."""
    if not made.shapes or not buildings:
        return []
    plane = Plane.around([building.shape for building in buildings])
    outlines = np.array([plane.to_plane(building.shape) for building in buildings], dtype=object)
    districts = np.array([plane.to_plane(shape) for shape in made.shapes], dtype=object)
    district, building = shapely.STRtree(outlines).query(districts, predicate="intersects")
    areas = shapely.area(shapely.intersection(outlines[building], districts[district]))
    shares: list[dict[int, float]] = [{} for _ in buildings]
    for b, d, area in zip(building.tolist(), district.tolist(), areas.tolist(), strict=True):
        shares[b][d] = area
    districts_of = homes(made)
    return [
        each.key
        for each, share in zip(buildings, shares, strict=True)
        if len(districts_of.get(each.key, ())) < 2 and _beyond(share, districts_of.get(each.key)) > SPECK_M2
    ]


def _beyond(share: dict[int, float], home: set[int] | None) -> float:
    """Ground in m² outside a building's own district; where nobody lives its own is where most of it lies."""
    own = next(iter(home)) if home else max(share, key=lambda d: share[d], default=-1)
    return sum(area for district, area in share.items() if district != own)
