"""Very many buildings: their ground is cut into quarters, which are divided one after the other, and sewn together.

Cells and borders of a city at once would fill the memory, and the triangulation of GEOS loses its way among them. A
cut follows a meridian or a parallel, whose points of the grid lie on it exactly, and goes around the buildings in the
way. Where borders of one side end on a cut, the other side gets the same vertices afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.buildings import Building, body
from geo.fabric import GRID, Segments, on_grid, refuse_outside, stacks
from geo.plane import Plane
from geo.positions import DECIMALS
from geo.tiling import locate

QUARTER = 700
"""Entrances in one quarter at most: larger ones take longer for each of them."""
NOTCH_M = 1.0
"""Metres that a cut keeps from a building it goes around."""
SHIFT, TRIES = 0.1, 40
"""Share of the households by which a cut may shift to meet fewer buildings, and how many places are looked at."""
FEW = 5
"""Districts: a piece that a cut leaves with fewer goes to the other side."""


@dataclass(frozen=True)
class Quarter:
    """A part of the ground (a polygon or several) and the buildings on it."""

    buildings: list[Building]
    ground: Any


class _City:
    """What cutting looks at, by building: outline, place inside it, households, entrances, and the stack it is in."""

    def __init__(self, buildings: Sequence[Building], target: int) -> None:
        self.buildings = buildings
        self.target = target
        self.shapes = np.array([body(building) for building in buildings], dtype=object)
        self.places = shapely.get_coordinates(shapely.point_on_surface(self.shapes))
        self.load = np.array([building.households for building in buildings], dtype=np.int64)
        self.entrances = np.array([max(1, len(building.entrances)) for building in buildings])
        self.stack = stacks(self.shapes)
        self.bounds = shapely.bounds(self.shapes)
        self.plane = Plane.around(self.shapes)
        self.seams: list[NDArray[Any]] = []


def quarters(
    buildings: Sequence[Building], ground: Any, target: int, most: int = QUARTER
) -> tuple[list[Quarter], NDArray[Any]]:
    """Cut `ground`, a polygon or several, into quarters of at most `most` entrances wherever that can be done; together
    they tile it. Give them and the lines of the cuts. PlanError: outside."""
    city = _City(buildings, target)
    refuse_outside(buildings, np.arange(len(buildings)), city.places, ground)
    whole = shapely.get_parts(ground)
    todo = [(np.arange(len(buildings)), whole)]
    done: list[Quarter] = []
    while todo:
        own, parts = todo.pop()
        halves = None
        if int(city.entrances[own].sum()) > most:
            halves = _sorted(city, own, parts) if len(parts) > 1 else _halved(city, own, parts[0])
        if halves is None:
            held = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
            done.append(Quarter([buildings[i] for i in own.tolist()], held))
        else:
            todo += reversed(halves)
    return done, np.concatenate([np.empty(0, dtype=object), *city.seams])


Half = tuple[NDArray[np.intp], NDArray[Any]]


def _sorted(city: _City, own: NDArray[np.intp], parts: NDArray[Any]) -> list[Half] | None:
    """Share out the parts of the ground between two sides, without cutting any."""
    part_of = locate(parts, city.places[own])
    counts = np.bincount(part_of[part_of >= 0], weights=city.entrances[own][part_of >= 0], minlength=len(parts))
    if np.count_nonzero(counts) < 2:  # only one has buildings: it can be cut, the others go along
        full = int(np.argmax(counts))
        halves = _halved(city, own, parts[full])
        if halves is None:
            return None
        rest = np.delete(parts, full)
        return [(halves[0][0], np.append(halves[0][1], rest)), halves[1]]
    middles = shapely.get_coordinates(shapely.centroid(shapely.envelope(parts)))
    spread = np.ptp(middles, axis=0) * np.array(city.plane.metres_per_degree)
    order = np.argsort(middles[:, int(np.argmax(spread))], kind="stable")
    reached = np.cumsum(counts[order])
    size = int(np.argmin(np.abs(reached[:-1] - reached[-1] / 2))) + 1
    while not 0 < reached[size - 1] < reached[-1]:
        size += 1 if reached[size - 1] == 0 else -1
    first = np.zeros(len(parts), dtype=bool)
    first[order[:size]] = True
    in_first = (part_of >= 0) & first[part_of]
    return [(own[in_first], parts[first]), (own[~in_first], parts[~first])]


def _halved(city: _City, own: NDArray[np.intp], region: Any) -> list[Half] | None:
    """Cut a polygon so that each side has about half of the households, in whole districts; None where it cannot be."""
    stack, inverse = np.unique(city.stack[own], return_inverse=True)
    low, high = np.full((len(stack), 2), np.inf), np.full((len(stack), 2), -np.inf)
    np.minimum.at(low, inverse, city.bounds[own, :2])
    np.maximum.at(high, inverse, city.bounds[own, 2:])
    middle = (low + high) / 2
    load = np.bincount(inverse, weights=city.load[own])
    if not load.any():
        load = np.bincount(inverse, weights=city.entrances[own])
    spread = np.ptp(middle, axis=0) * np.array(city.plane.metres_per_degree)
    for axis in np.argsort(-spread).tolist():
        at = _position(middle[:, axis], low[:, axis], high[:, axis], load, city.target)
        if at is None:
            continue
        crossing = ((low[:, axis] < at) & (high[:, axis] > at))[inverse]
        halves = _cut(city, own, region, axis, at, crossing, (middle[:, axis] < at)[inverse])
        if halves is not None:
            return halves
    return None


def _position(middle: Any, low: Any, high: Any, load: Any, target: int) -> float | None:
    """Give the coordinate of a cut, on the grid: of those near the middle, one that leaves whole districts on both
    sides and meets few buildings."""
    order = np.argsort(middle, kind="stable")
    reached = np.cumsum(load[order])
    total = float(reached[-1])
    each = total / max(2, round(total / target))
    if len(order) < 2:
        return None
    found = np.searchsorted(reached, [(0.5 - SHIFT) * total, (0.5 + SHIFT) * total])
    first, last = np.minimum(found, len(order) - 2)
    best: tuple[float, float] | None = None
    for k in np.unique(np.linspace(first, last, TRIES).astype(int)).tolist():
        at = round(float(middle[order[k]] + middle[order[k + 1]]) / 2 / GRID) * GRID
        before = float(load[middle < at].sum())
        if not middle[order[0]] < at <= middle[order[-1]]:
            continue
        districts = max(1, round(before / each))
        price = 20 * abs(before - districts * each) / each / districts**0.5 + int(((low < at) & (high > at)).sum())
        best = (price, at) if best is None or price < best[0] else best
    return None if best is None else best[1]


def _cut(
    city: _City, own: NDArray[np.intp], region: Any, axis: int, at: float, crossing: Any, before: Any
) -> list[Half] | None:
    """Cut a polygon at a meridian (axis 0) or a parallel (1), around the buildings that are `crossing`; `before` says
    which ones belong to the side of the lower coordinates."""
    west, south, east, north = shapely.bounds(region) + np.array([-1, -1, 1, 1]) * 100 * GRID
    line = shapely.LineString([(at, south), (at, north)] if axis == 0 else [(west, at), (east, at)])
    bodies = city.shapes[own]
    notches = city.plane.to_degrees(
        shapely.buffer(city.plane.to_plane(bodies[crossing]), NOTCH_M, join_style="mitre", quad_segs=1)
    )
    near = np.unique(shapely.STRtree(bodies).query(notches, predicate="intersects")[1])
    lines = [shapely.boundary(region), line, *shapely.boundary(notches), *shapely.boundary(bodies[near])]
    faces = on_grid(shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(lines, grid_size=GRID)))))
    faces = faces[shapely.area(faces) > 0]
    inner = shapely.point_on_surface(faces)
    shapely.prepare(region)
    kept = shapely.intersects(region, inner)
    faces, inner = faces[kept], inner[kept]
    side = shapely.get_coordinates(inner)[:, axis] < at
    tree = shapely.STRtree(inner)
    for shapes, sides in ((notches, before[crossing]), (bodies[near], before[near])):
        shape, face = tree.query(shapes, predicate="intersects")
        side[face] = sides[shape]
    home = locate(faces, city.places[own])
    segments = Segments(faces)
    side = _settled(city, own, segments, side, home)
    if side.all() or not side.any():
        return None
    halves: list[Half] = []
    for wanted in (True, False):
        united = on_grid(shapely.coverage_union_all(faces[side == wanted]))
        halves.append((own[(home >= 0) & (side[home] == wanted)], shapely.get_parts(united)))
    if not all(len(half[0]) for half in halves):
        return None
    between = (segments.second >= 0) & (side[segments.first] != side[segments.second])
    city.seams.append(shapely.linestrings(np.stack((segments.one[between], segments.two[between]), axis=1)))
    return halves


def _settled(city: _City, own: Any, segments: Segments, side: NDArray[np.bool_], home: Any) -> NDArray[np.bool_]:
    """Let each side be one piece where it can: another piece of it goes over if it makes few districts or none."""
    held = np.bincount(home[home >= 0], weights=city.load[own][home >= 0], minlength=len(side))
    links: list[list[int]] = [[] for _ in side]
    for a, b in zip(segments.first.tolist(), segments.second.tolist(), strict=True):
        if b >= 0 and a != b:
            links[a].append(b)
            links[b].append(a)
    result = side.copy()
    for wanted in (True, False):
        pieces = list(_pieces(links, np.flatnonzero(result == wanted).tolist()))
        for piece in sorted(pieces, key=lambda piece: -held[piece].sum())[1:]:
            beside = any(result[other] != wanted for face in piece for other in links[face])
            if beside and held[piece].sum() < FEW * city.target:
                result[piece] = not wanted
    return result


def _pieces(links: Sequence[Sequence[int]], faces: Sequence[int]) -> Iterator[list[int]]:
    left = set(faces)
    for start in faces:
        if start not in left:
            continue
        left.discard(start)
        piece = [start]
        for face in piece:
            for other in links[face]:
                if other in left:
                    left.discard(other)
                    piece.append(other)
        yield piece


def sew(shapes: Sequence[Any], seams: NDArray[Any]) -> list[Any]:
    """Give neighbours in different quarters the same vertices along the cuts, so that they share them exactly.

    `shapes` are polygons on the grid, one part each; `seams` are the lines of the cuts.
    """
    if not len(seams):
        return list(shapes)
    rings, of_shape = shapely.get_rings(np.array(shapes, dtype=object), return_index=True)
    coords, of_ring = shapely.get_coordinates(rings, return_index=True)
    on_seam = np.zeros(len(coords), dtype=bool)
    on_seam[shapely.STRtree(seams).query(shapely.points(coords), predicate="dwithin", distance=1.5 * GRID)[0]] = True
    vertices = np.unique(np.rint(coords[on_seam] / GRID).astype(np.int64), axis=0)
    edge = np.flatnonzero((of_ring[1:] == of_ring[:-1]) & on_seam[1:] & on_seam[:-1])
    lines = shapely.linestrings(np.stack((coords[edge], coords[edge + 1]), axis=1))
    places = shapely.points(vertices * GRID)
    found, vertex = shapely.STRtree(places).query(lines, predicate="dwithin", distance=0.8 * GRID)
    way = coords[edge[found] + 1] - coords[edge[found]]
    along = ((vertices[vertex] * GRID - coords[edge[found]]) * way).sum(axis=1) / (way**2).sum(axis=1)
    ends = np.rint(np.stack((coords[edge[found]], coords[edge[found] + 1]), axis=1) / GRID).astype(np.int64)
    new = (ends != vertices[vertex][:, None]).any(axis=2).all(axis=1) & (along > 0) & (along < 1)
    after, along, added = edge[found][new], along[new], np.round(vertices[vertex][new] * GRID, DECIMALS)
    order = np.lexsort((along, after))
    after, added = after[order], added[order]
    changed = np.unique(of_shape[of_ring[after]])
    coords = np.insert(coords, after + 1, added, axis=0)
    of_ring = np.insert(of_ring, after + 1, of_ring[after])
    result = list(shapes)
    starts = np.searchsorted(of_ring, np.arange(len(rings) + 1))
    for shape in changed.tolist():
        own = [coords[starts[ring] : starts[ring + 1]] for ring in np.flatnonzero(of_shape == shape).tolist()]
        result[shape] = shapely.Polygon(own[0], own[1:])
    return result
