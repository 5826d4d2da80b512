"""The ground cut into one cell for each entrance: cells tile the boundary, and districts are unions of cells.

A cell is the ground nearest to its part of the building: Voronoi cells of points along the outlines, dissolved
(centroids alone would cut buildings). Their ridges, the boundary, barriers and fixed borders are noded together on the
grid of 1e-7 degrees and polygonised, so that neighbours share their vertices exactly and unions need no arithmetic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import outlines
from geo.buildings import MOST_DEGREES, Building, entrance_parts, is_wide
from geo.plane import Plane
from geo.positions import DECIMALS
from geo.problems import PlanError
from geo.ridges import Ridges, ridges_between
from geo.tiling import locate

GRID = 10.0**-DECIMALS
MOST_GROUND_DEGREES = 3.0
"""Width of the ground, about 300 km."""
MARGIN_M = 20.0
"""Ground around buildings where no boundary is given."""
TOUCH_M = 0.5
"""Neighbours share at least this much border: two districts that touch at a corner are not one."""
MOST_ENTRANCES = 15_000
"""In one fabric: of more the triangulation of GEOS loses its way."""
OVERLAP = 0.02
"""Share of the smaller of two outlines from which on they stand on one another instead of side by side."""
BARRIER_COST = 0.3
"""What a metre of border counts where it runs along a road, a river or a wall, beside 1 elsewhere."""


@dataclass
class Fabric:
    """Atoms, one an entrance (one for a building where nobody lives), and their cells.

    `building` and `entrance` (from 1; 0 where nobody lives) say which, `weight` is its households (n). `cells` are
    polygons on the grid that tile the ground. `borders[i]` has the metres shared with each neighbour, `costs[i]` the
    same with barriers cheap, `walls[i]` the metres of barrier among them (None: there are no barriers), `outer[i]` the
    metres along the edge of the ground, `areas[i]` m², `block[i]` a number that buildings standing on one another
    share, `within[i]` a point of the cell, in the building where that is possible.

    An atom whose cell is empty, as a tower's on a podium's, goes wherever `host[i]` goes, which bears its households in
    `load`; every other atom is its own host.
    """

    buildings: Sequence[Building]
    building: NDArray[np.intp]
    entrance: NDArray[np.intp]
    weight: NDArray[np.int64]
    parts: NDArray[Any]
    places: NDArray[np.float64]
    cells: NDArray[Any]
    plane: Plane
    ground: Any
    borders: list[dict[int, float]] = field(default_factory=list)
    costs: list[dict[int, float]] = field(default_factory=list)
    walls: list[dict[int, float]] | None = None
    outer: list[float] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    host: list[int] = field(default_factory=list)
    load: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    block: list[int] = field(default_factory=list)
    within: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    fixed: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.weight)


def weave(
    buildings: Sequence[Building],
    boundary: Any = None,
    *,
    barriers: Sequence[Any] = (),
    within: Sequence[Any] = (),
    labels: Mapping[tuple[str, int], int] | None = None,
) -> Fabric:
    """Make the fabric of `buildings` inside `boundary` (a polygon or several; None: the ground around the buildings).

    `within` are polygons whose borders no cell crosses, as districts of today; `fixed` then says in which each atom is,
    -1 for none: as `labels` has it by building's key and entrance, else where its place lies.
    PlanError: nothing_to_divide, too_many, too_wide, outside.
    """
    if not buildings:
        raise PlanError("nothing_to_divide")
    _refuse_wide(buildings, boundary)
    if sum(max(1, len(building.entrances)) for building in buildings) > MOST_ENTRANCES:
        raise PlanError("too_many", str(MOST_ENTRANCES))
    building, entrance, weight, parts = _atoms(buildings)
    shapely.prepare(parts)
    places = shapely.get_coordinates(shapely.point_on_surface(parts))
    ground = boundary if boundary is not None else around(parts)
    refuse_outside(buildings, building, places, ground)
    plane = Plane.around(ground)
    ridges = ridges_between(parts, plane, ground)
    fixed = locate(within, places) if len(within) else None
    if fixed is not None and labels:
        keys = zip(building.tolist(), entrance.tolist(), fixed.tolist(), strict=True)
        fixed = np.array([labels.get((buildings[b].key, n), f) for b, n, f in keys], dtype=np.intp)
    cells, barrier_lines = _cells(ridges, building, parts, places, ground, barriers, within, fixed)
    fabric = Fabric(buildings, building, entrance, weight, parts, places, cells, plane, ground, fixed=fixed)
    _measure(fabric, barrier_lines)
    _ride(fabric)
    fabric.within = _within(fabric)
    outlines_of = np.array([each.shape for each in buildings], dtype=object)
    fabric.block = stacks(outlines_of)[building].tolist()
    return fabric


def _refuse_wide(buildings: Sequence[Building], boundary: Any) -> None:
    """Refuse what would take hours and is a slip of the hand: a plane is no good for it either."""
    for building in buildings:
        if is_wide(building.shape, MOST_DEGREES):
            raise PlanError("too_wide", building.name)
    whole = shapely.GeometryCollection([building.shape for building in buildings] if boundary is None else [boundary])
    if is_wide(whole, MOST_GROUND_DEGREES):
        raise PlanError("too_wide")


def around(parts: NDArray[Any]) -> Any:
    """Give the ground around buildings: their convex hull and a margin, on the grid."""
    plane = Plane.around(parts)
    hull = shapely.convex_hull(shapely.union_all(plane.to_plane(shapely.envelope(parts))))
    widened = shapely.simplify(shapely.buffer(hull, MARGIN_M, join_style="mitre"), 1.0)
    return on_grid(plane.to_degrees(widened))


def on_grid(shape: Any) -> Any:
    """Give shapes with coordinates rounded to the kept decimals; equal vertices stay equal."""
    return shapely.transform(shape, outlines.on_grid)


def _atoms(buildings: Sequence[Building]) -> tuple[Any, Any, Any, Any]:
    building, entrance, weight, parts = [], [], [], []
    for index, each in enumerate(buildings):
        shares = each.entrances or (0,)
        building += [index] * len(shares)
        entrance += list(range(1, len(shares) + 1)) if each.entrances else [0]
        weight += list(shares)
        parts += entrance_parts(each)
    held = np.empty(len(parts), dtype=object)
    held[:] = parts
    return np.array(building, dtype=np.intp), np.array(entrance, dtype=np.intp), np.array(weight, np.int64), held


def stacks(shapes: NDArray[Any]) -> NDArray[np.intp]:
    """Number outlines so that those that stand on one another, as a tower on its podium, have one number: a border
    between them would cut the lower one."""
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    areas = shapely.area(shapes)
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    stacked = shared > OVERLAP * np.minimum(areas[one], areas[other])
    number = list(range(len(shapes)))

    def root(i: int) -> int:
        while number[i] != i:
            number[i] = i = number[number[i]]
        return i

    for a, b in zip(one[stacked].tolist(), other[stacked].tolist(), strict=True):
        low, high = sorted((root(a), root(b)))
        number[high] = low
    return np.array([root(i) for i in number], dtype=np.intp)


def refuse_outside(buildings: Sequence[Building], building: Any, places: Any, ground: Any) -> None:
    """Refuse a place (n, 2) that is not on the ground; `building` says whose each is."""
    shapely.prepare(ground)
    outside = np.flatnonzero(~shapely.intersects_xy(ground, places))
    if outside.size:
        raise PlanError("outside", buildings[building[outside[0]]].name)


def _dissolved(faces: NDArray[Any], owner: NDArray[np.intp], count: int) -> NDArray[Any]:
    """Unite each atom's faces; an atom without any has an empty polygon."""
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(count + 1))
    merged = np.empty(count, dtype=object)
    for atom in range(count):
        own = faces[order[starts[atom] : starts[atom + 1]]]
        merged[atom] = own[0] if len(own) == 1 else shapely.coverage_union_all(own) if len(own) else shapely.Polygon()
    return merged


def _cells(
    ridges: Ridges,
    building: NDArray[np.intp],
    parts: NDArray[Any],
    places: NDArray[np.float64],
    ground: Any,
    barriers: Sequence[Any],
    within: Sequence[Any],
    fixed: NDArray[np.intp] | None,
) -> tuple[NDArray[Any], Any]:
    """Node ridges, boundary, barriers, fixed borders and the outlines that ridges cut; give each atom its faces."""
    cut = _cut(ridges, building, parts)
    lines = [*ridges.lines, shapely.boundary(ground), *shapely.boundary(parts[cut])]
    lines += [shapely.boundary(polygon) for polygon in within]
    crossing = [line for line in barriers if line is not None and not line.is_empty]
    noded = shapely.union_all([*lines, *crossing], grid_size=GRID)
    faces = on_grid(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))))
    faces = faces[shapely.area(faces) > 0]
    inner = shapely.point_on_surface(faces)
    shapely.prepare(ground)
    kept = shapely.intersects(ground, inner)
    faces, inner = faces[kept], inner[kept]
    sizes = np.asarray(np.bincount(building, weights=shapely.area(parts))[building], dtype=np.float64)
    owner = _owners(inner, ridges, parts, cut, sizes)
    zones = locate(within, shapely.get_coordinates(inner)) if len(within) else np.full(len(faces), -1)
    walls = shapely.union_all(crossing, grid_size=GRID) if crossing else None
    owner = _connected(faces, owner, building, zones, places, walls, fixed)
    return on_grid(_dissolved(faces, owner, len(parts))), walls


def _cut(ridges: Ridges, building: NDArray[np.intp], parts: NDArray[Any]) -> NDArray[np.intp]:
    """Find the parts that a ridge runs into, other than between two entrances of the part's own building."""
    line, part = shapely.STRtree(parts).query(ridges.lines, predicate="intersects")
    owners = np.append(building, -1)[ridges.pairs[line]]
    foreign = (owners != building[part][:, None]).any(axis=1)
    return np.unique(part[foreign & (shapely.area(parts[part]) > 0)])


def _owners(
    inner: NDArray[Any],
    ridges: Ridges,
    parts: NDArray[Any],
    cut: NDArray[np.intp],
    sizes: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Say whose each face is by a point inside it: of the part of a building it lies in (of the smaller building where
    two overlap, as a tower on a podium; `sizes`), else of the atom with the nearest sample."""
    owner = ridges.owner[shapely.STRtree(shapely.points(ridges.points)).nearest(inner)]
    small_first = cut[np.argsort(sizes[cut], kind="stable")]
    rank, face = shapely.STRtree(inner).query(parts[small_first], predicate="intersects")
    if rank.size:
        first = np.full(len(inner), len(small_first), dtype=np.intp)
        np.minimum.at(first, face, rank)
        owner = np.where(first < len(small_first), np.append(small_first, 0)[first], owner)
    return np.asarray(owner)


class Segments:
    """The border pieces of polygons on the grid, matched: `first`, `second` (-1: the outer edge), their ends."""

    def __init__(self, polygons: NDArray[Any]) -> None:
        rings, of_polygon = shapely.get_rings(polygons, return_index=True)
        coords, of_ring = shapely.get_coordinates(rings, return_index=True)
        same = of_ring[1:] == of_ring[:-1]
        one, two = coords[:-1][same], coords[1:][same]
        whose = of_polygon[of_ring[:-1][same]]
        low, high = np.rint(one / GRID).astype(np.int64), np.rint(two / GRID).astype(np.int64)
        turned = (low[:, 0] > high[:, 0]) | ((low[:, 0] == high[:, 0]) & (low[:, 1] > high[:, 1]))
        ends = np.where(turned[:, None], np.hstack((high, low)), np.hstack((low, high)))
        order = np.lexsort(ends.T[::-1])
        ends, whose, one, two = ends[order], whose[order], one[order], two[order]
        start = np.ones(len(ends), dtype=bool)
        start[1:] = (ends[1:] != ends[:-1]).any(axis=1)
        index = np.flatnonzero(start)
        count = np.diff(np.append(index, len(ends)))
        self.first = whose[index]
        self.second = np.where(count > 1, whose[np.minimum(index + 1, len(ends) - 1)], -1)
        self.one, self.two = one[index], two[index]

    def metres(self, plane: Plane) -> NDArray[np.float64]:
        away = (self.two - self.one) * np.array(plane.metres_per_degree)
        return np.asarray(np.hypot(away[:, 0], away[:, 1]))

    def on(self, walls: Any) -> NDArray[np.bool_]:
        """Say which pieces run along barriers."""
        if walls is None or not len(self.one):
            return np.zeros(len(self.one), dtype=bool)
        middle = shapely.points((self.one + self.two) / 2)
        shapely.prepare(walls)
        return np.asarray(shapely.dwithin(walls, middle, 2 * GRID))


def _connected(
    faces: NDArray[Any],
    owner: NDArray[np.intp],
    building: NDArray[np.intp],
    zones: NDArray[np.intp],
    places: NDArray[np.float64],
    walls: Any,
    fixed: NDArray[np.intp] | None,
) -> NDArray[np.intp]:
    """Keep of each atom the one piece it stands in (in its own zone, on its side of a barrier); give the other faces
    to the neighbour with the longest border to them."""
    segments = Segments(faces)
    plane = Plane.around(faces)
    metres, walled = segments.metres(plane), segments.on(walls)
    links: list[list[tuple[int, float, bool]]] = [[] for _ in faces]
    for a, b, length, wall in zip(
        segments.first.tolist(), segments.second.tolist(), metres.tolist(), walled.tolist(), strict=True
    ):
        if b >= 0 and a != b:
            links[a].append((b, length, wall))
            links[b].append((a, length, wall))
    homes = locate(faces, places).tolist()
    result = np.full(len(faces), -1, dtype=np.intp)
    wanted, zone_of = owner.tolist(), zones.tolist()
    found: list[int] = [-1] * len(faces)
    of_owner: dict[int, list[int]] = {}
    for face, own in enumerate(wanted):
        of_owner.setdefault(own, []).append(face)
    for atom in range(len(places)):
        start = homes[atom]
        zone = zone_of[start] if fixed is None and start >= 0 else -1 if fixed is None else int(fixed[atom])
        if start < 0 or found[start] >= 0 or zone_of[start] != zone:
            start = next(
                (f for f in of_owner.get(atom, ()) if found[f] < 0 and (fixed is None or zone_of[f] == zone)), -1
            )
            if start < 0:
                continue
            zone = zone_of[start]
        found[start] = atom
        stack = [start]
        while stack:
            for other, length, wall in links[stack.pop()]:
                if found[other] < 0 and wanted[other] == atom and zone_of[other] == zone and not wall and length > 0:
                    found[other] = atom
                    stack.append(other)
    _give_away(found, zone_of, links, building.tolist(), wanted)
    result[:] = found
    return result


def _give_away(found: list[int], zones: list[int], links: Any, building: Sequence[int], wanted: Sequence[int]) -> None:
    """Give faces that nobody stands in to the neighbour with the longest border to them, an entrance of the building
    that they are of before any other: in the same zone and not across a barrier, else across, else out of the zone."""
    for strict in (2, 1, 0):
        changed = True
        while changed:
            changed = False
            for face in [f for f, own in enumerate(found) if own < 0]:
                shares: dict[int, float] = {}
                for other, length, wall in links[face]:
                    if found[other] < 0 or (strict == 2 and wall) or (strict and zones[other] != zones[face]):
                        continue
                    near = found[other]
                    same = 1e6 if building[near] == building[wanted[face]] else 0.0
                    shares[near] = shares.get(near, same) + length
                if shares:
                    found[face] = max(shares, key=lambda own: (shares[own], -own))
                    changed = True


def _measure(fabric: Fabric, walls: Any) -> None:
    segments = Segments(fabric.cells)
    metres, walled = segments.metres(fabric.plane), segments.on(walls)
    count = len(fabric)
    borders: list[dict[int, float]] = [{} for _ in range(count)]
    costs: list[dict[int, float]] = [{} for _ in range(count)]
    walls_of: list[dict[int, float]] = [{} for _ in range(count)]
    outer = [0.0] * count
    for a, b, length, wall in zip(
        segments.first.tolist(), segments.second.tolist(), metres.tolist(), walled.tolist(), strict=True
    ):
        if b < 0:
            outer[a] += length
        elif a != b:
            cost = length * BARRIER_COST if wall else length
            if wall:
                walls_of[a][b] = walls_of[b][a] = walls_of[a].get(b, 0.0) + length
            borders[a][b] = borders[b][a] = borders[a].get(b, 0.0) + length
            costs[a][b] = costs[b][a] = costs[a].get(b, 0.0) + cost
    for a in range(count):
        for b in [b for b, length in borders[a].items() if length < TOUCH_M]:
            del borders[a][b], costs[a][b]
    if walls is not None:
        fabric.walls = walls_of
    fabric.borders, fabric.costs, fabric.outer = borders, costs, outer
    scale = fabric.plane.metres_per_degree
    fabric.areas = (shapely.area(fabric.cells) * scale[0] * scale[1]).tolist()


def _ride(fabric: Fabric) -> None:
    """Give an atom without ground of its own a host: the atom around it, or the nearest one of its district."""
    fabric.host = list(range(len(fabric)))
    fabric.load = fabric.weight.copy()
    empty = shapely.is_empty(fabric.cells)
    riders = np.flatnonzero(empty)
    if not riders.size or empty.all():
        return
    around_it = locate(fabric.cells, fabric.places[riders]).tolist()
    hosts = np.flatnonzero(~empty)
    for rider, host in zip(riders.tolist(), around_it, strict=True):
        if host < 0 or (fabric.fixed is not None and fabric.fixed[host] != fabric.fixed[rider]):
            own = hosts if fabric.fixed is None else hosts[fabric.fixed[hosts] == fabric.fixed[rider]]
            own = own if own.size else hosts
            away = ((fabric.places[own] - fabric.places[rider]) ** 2).sum(axis=1)
            host = int(own[np.argmin(away)])
        fabric.host[rider] = host
        fabric.load[host] += fabric.load[rider]
        fabric.load[rider] = 0


def _within(fabric: Fabric) -> NDArray[np.float64]:
    points = fabric.places.copy()
    cells, parts = fabric.cells, fabric.parts
    shapely.prepare(cells)
    for atom in np.flatnonzero(~shapely.contains_xy(cells, points)).tolist():
        shared = shapely.intersection(cells[atom], parts[atom])
        inner = shapely.point_on_surface(shared if shared.area > 0 else cells[atom])
        points[atom] = (inner.x, inner.y) if not inner.is_empty else (np.nan, np.nan)
    return points
