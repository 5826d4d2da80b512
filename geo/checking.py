"""What is wrong with a division into districts: every fault with its place and size, and a repair where it is safe.

shapely's own tools are half of this: `coverage_clean` repairs without a word, and `coverage_is_valid` sees no gaps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.buildings import Building, entrance_points
from geo.faults import Fault
from geo.outlines import reason
from geo.plane import Plane, area_m2
from geo.repairing import Offers, pieces, reading, repair
from geo.tiling import check_tiling, locate

__all__ = ["check", "repair"]

ROUNDING_M = 0.02
"""Overlaps and gaps narrower than this on average come from rounding to 1e-7 degrees: two borders of 1.1 cm each."""

SIZE_TOLERANCE = 0.25
"""How far a district may be off its target: 200 by more than 25 % is worth the director's look."""

CUT_SHARE = 0.02
"""A border that cuts less than this share off a building, or less than 1 m², grazes it."""


def check(
    districts: Sequence[Any],
    *,
    boundary: Any = None,
    points: NDArray[np.float64] | None = None,
    buildings: Sequence[Building] | None = None,
    labels: Mapping[tuple[str, int], int] | None = None,
    households: Sequence[int] | None = None,
    target: int | None = None,
    size_tolerance: float = SIZE_TOLERANCE,
    minimum_m2: float = 1.0,
) -> list[Fault]:
    """Find what is wrong with districts: polygons or multipolygons in degrees, in any state. Nothing is changed.

    With `boundary`, gaps are what it leaves uncovered, and ground beyond it is a fault; without, gaps are enclosed
    ground. `points` (n, 2) and `buildings` must each be in one district: a place on a shared edge is in the one with
    the lowest index and no fault. With `target`, districts further off it than `size_tolerance` are found: they have
    `households`, one number a district, or else what is behind the entrances of `buildings` in them. An entrance
    (building's key, number from 1) counts to the district that `labels` says, else to where its place lies: of
    buildings that stand on one another, the list knows better than the ground. Ground under `minimum_m2` is passed
    over. The order is that of `faults.FAULTS`, then of the districts and doors.

    500 districts and 100,000 points take about a second.
    """
    tiles = [reading(shape) for shape in districts]
    doors = _doors(points, buildings)
    offers = Offers(tiles, doors.places, minimum_m2)
    found = locate(tiles, doors.places)
    faults = list(_invalid(districts, offers))
    faults += _seams(offers, boundary, minimum_m2)
    faults += _outside(offers, boundary, minimum_m2)
    faults += _parts(offers, minimum_m2)
    faults += _in_none(doors, found)
    faults += _in_two(doors, tiles)
    homes = _homes(found, buildings or (), labels or {})
    faults += _cut(doors, homes, buildings or (), offers)
    if target is not None and (households is not None or buildings is not None):
        counts = doors.per_district(homes, len(tiles)) if households is None else list(households)
        faults += _off_size(tiles, counts, target, size_tolerance)
    return faults


@dataclass(frozen=True)
class _Doors:
    """Places (n, 2) with the households behind each (n), and the index of the point or building they belong to (n)."""

    places: NDArray[np.float64]
    households: NDArray[np.intp]
    owners: NDArray[np.intp]
    names: Sequence[str]

    def per_district(self, found: NDArray[np.intp], count: int) -> list[int]:
        """Give the households in each of `count` districts."""
        inside = found >= 0
        return np.bincount(found[inside], self.households[inside], minlength=count).astype(int).tolist()

    def faults(self, code: str, chosen: NDArray[np.intp]) -> Iterator[Fault]:
        """Give one fault for each owner of the chosen doors, with the first one's place and all their households."""
        owners, first, of = np.unique(self.owners[chosen], return_index=True, return_inverse=True)
        sizes = np.bincount(of, self.households[chosen], minlength=len(owners))
        places = self.places[chosen[first]]
        for owner, size, place in zip(owners.tolist(), sizes.tolist(), places.tolist(), strict=True):
            name = self.names[owner] if self.names else None
            yield Fault(code, (place[0], place[1]), size, doors=(owner,), detail=name)


def _doors(points: NDArray[np.float64] | None, buildings: Sequence[Building] | None) -> _Doors:
    """Give points as doors of one household, or buildings' entrances. ValueError where both are given.

    A building where nobody lives has one door all the same: it must be in a district.
    """
    if buildings is None:
        places = np.empty((0, 2)) if points is None else np.asarray(points, dtype=np.float64).reshape(-1, 2)
        return _Doors(places, np.ones(len(places), dtype=np.intp), np.arange(len(places)), ())
    if points is not None:
        raise ValueError("either points or buildings")
    counts = [max(len(building.entrances), 1) for building in buildings]
    places = np.concatenate([np.empty((0, 2)), *map(entrance_points, buildings)])
    households = [share for building in buildings for share in building.entrances or (0,)]
    owners = np.repeat(np.arange(len(buildings)), counts)
    return _Doors(places, np.array(households, dtype=np.intp), owners, [building.key for building in buildings])


def _homes(
    found: NDArray[np.intp], buildings: Sequence[Building], labels: Mapping[tuple[str, int], int]
) -> NDArray[np.intp]:
    """Give the district of each door as `labels` says, else where it was found."""
    if not labels:
        return found
    keys = [(building.key, n + 1) for building in buildings for n in range(max(len(building.entrances), 1))]
    return np.array([labels.get(key, place) for key, place in zip(keys, found.tolist(), strict=True)], dtype=np.intp)


def _place(shape: Any) -> tuple[float, float] | None:
    """Give a place inside a shape; None for an empty one."""
    point = shapely.point_on_surface(shape)
    return None if point.is_empty else (float(point.x), float(point.y))


def _invalid(districts: Sequence[Any], offers: Offers) -> Iterator[Fault]:
    for index, shape in enumerate(districts):
        if shape is None or shape.is_empty:
            yield Fault("invalid", None, 0.0, (index,), detail="empty")
        elif not shape.is_valid:
            tile = offers.tiles[index]
            code, where = reason(shape)
            offer = offers.for_invalid(index, shape, code)
            place = _crossing(where) or _place(tile)
            yield Fault("invalid", place, offers.areas[index], (index,), detail=code, shape=tile, repair=offer)


def _crossing(where: str | None) -> tuple[float, float] | None:
    """Give the place that GEOS names; None where it names none, or one that is not finite."""
    found = tuple(map(float, where.split())) if where else ()
    return (found[0], found[1]) if len(found) == 2 and all(map(isfinite, found)) else None


def _seams(offers: Offers, boundary: Any, minimum_m2: float) -> Iterator[Fault]:
    """Give overlaps and gaps that are more than the rounding of a border."""
    tiling = check_tiling(list(offers.tiles), boundary=boundary, minimum_m2=minimum_m2)
    for overlap in tiling.overlaps:
        if not _is_rounding(overlap.shape, overlap.area_m2):
            offer = offers.for_overlap(overlap.first, overlap.second, overlap.shape, overlap.area_m2)
            pair = (overlap.first, overlap.second)
            yield Fault("overlap", overlap.place, overlap.area_m2, pair, shape=overlap.shape, repair=offer)
    for gap in tiling.gaps:
        if not _is_rounding(gap.shape, gap.area_m2):
            offer = offers.for_gap(gap.shape, gap.area_m2)
            yield Fault("gap", gap.place, gap.area_m2, shape=gap.shape, repair=offer)


def _is_rounding(ground: Any, area: float) -> bool:
    """Whether ground is narrower on average than a border may move when it is rounded."""
    return area < ROUNDING_M * Plane.around(ground).to_plane(ground).length / 2


def _outside(offers: Offers, boundary: Any, minimum_m2: float) -> Iterator[Fault]:
    whole = reading(boundary)
    if whole.is_empty:
        return
    shapely.prepare(whole)
    for index in np.flatnonzero(~shapely.covers(whole, offers.tiles)).tolist():
        ground = shapely.difference(offers.tiles[index], whole)
        kept = [piece for piece in pieces(ground, minimum_m2) if not _is_rounding(*piece)]
        if kept:
            beyond = shapely.MultiPolygon([piece for piece, _ in kept])
            area = sum(area for _, area in kept)
            offer = offers.for_outside(index, beyond, area)
            yield Fault("outside", _place(kept[0][0]), area, (index,), shape=beyond, repair=offer)


def _parts(offers: Offers, minimum_m2: float) -> Iterator[Fault]:
    """Give one fault for each part but the largest: each can go to a neighbour of its own."""
    for index, tile in enumerate(offers.tiles):
        for part, area in pieces(tile, 0.0)[1:]:
            offer = offers.for_part(index, part, area)
            count = str(len(shapely.get_parts(tile)))
            yield Fault("parts", _place(part), area, (index,), detail=count, shape=part, repair=offer)


def _in_none(doors: _Doors, found: NDArray[np.intp]) -> Iterator[Fault]:
    return doors.faults("in_none", np.flatnonzero(found < 0))


def _in_two(doors: _Doors, tiles: Sequence[Any]) -> Iterator[Fault]:
    """Give the doors well inside two districts: on an edge of one they are nobody's quarrel."""
    finite = np.flatnonzero(np.isfinite(doors.places).all(axis=1))
    if not finite.size or not len(tiles):
        return
    tree = shapely.STRtree(shapely.points(doors.places[finite]))
    tile, door = tree.query(tiles, predicate="contains_properly")
    claims = np.bincount(door, minlength=finite.size)
    doubled = claims[door] > 1
    claimants = _by(doors.owners[finite[door[doubled]]], tile[doubled])
    for fault in doors.faults("in_two", finite[claims > 1]):
        yield replace(fault, districts=claimants[fault.doors[0]])


def _by(keys: NDArray[np.intp], values: NDArray[np.intp]) -> dict[int, tuple[int, ...]]:
    """Give the values of each key, in order, each once."""
    found: dict[int, set[int]] = {}
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        found.setdefault(key, set()).add(value)
    return {key: tuple(sorted(values)) for key, values in found.items()}


def _cut(doors: _Doors, homes: NDArray[np.intp], buildings: Sequence[Building], offers: Offers) -> Iterator[Fault]:
    """Give the buildings that a border cuts though all their households are on one side; split ones are meant to be."""
    if not len(buildings) or not len(offers.tiles):
        return
    shapes = np.empty(len(buildings), dtype=object)
    shapes[:] = [building.shape for building in buildings]
    home_of = _by(doors.owners, homes)
    crossed, tile = shapely.STRtree(shapely.boundary(offers.tiles)).query(shapes, predicate="intersects")
    for number, tiles in _by(crossed, tile).items():
        home = home_of[number]
        strays = [index for index in tiles if index not in home]
        if len(home) > 1 or home == (-1,) or not strays:
            continue
        abroad = shapely.difference(shapes[number], offers.tiles[home[0]])
        reach = [(area_m2(ground), ground) for ground in shapely.intersection(abroad, offers.tiles[strays])]
        area = sum(area for area, _ in reach)
        if area >= max(offers.minimum_m2, CUT_SHARE * area_m2(shapes[number])):
            _, ground = max(reach, key=lambda pair: pair[0])
            districts = tuple(sorted((*home, *strays)))
            yield Fault("cut", _place(ground), area, districts, (number,), detail=buildings[number].key)


def _off_size(tiles: Sequence[Any], households: Sequence[int], target: int, tolerance: float) -> Iterator[Fault]:
    for index, count in enumerate(households):
        if abs(count - target) > tolerance * target:
            yield Fault("off_size", _place(tiles[index]), count, (index,), detail=str(target))
