"""Borders of districts made of cells: straightened without cutting a building, one line for both sides.

Districts become arcs between the nodes where three of them, or two and the edge, meet. An arc along a given line (the
boundary, a barrier, a border of today) keeps that line's vertices; another one takes the shortest way over its own
vertices that passes no building on the wrong side.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.fabric import GRID, Fabric, on_grid
from geo.plane import Plane
from geo.positions import DECIMALS

CLEAR_M = 0.03
"""A straightened border may come this near to a wall: what is nearer was drawn along the wall on purpose."""
SLIDE = 130
"""How far the end of a border may slide along an edge to a point of the grid that lies on it: 1.4 m, in steps of it."""
LONGEST = 60
"""Vertices of an arc looked at together; longer arcs are taken in pieces, for time."""

ATTEMPTS = 8
"""How often borders that were straightened too far are put back before all are."""

Vertex = tuple[int, int]


@dataclass
class _Arc:
    """A line of grid vertices between two nodes, whether it runs along a given line, and the districts beside it."""

    line: list[Vertex]
    given: bool
    sides: frozenset[int]


def draw(fabric: Fabric, label: Sequence[int], count: int, *, given: Sequence[Any] = ()) -> list[Any]:
    """Give the polygons of `count` districts of cells: one part each, valid, on the grid, tiling the same ground.

    `given` are lines or polygons (degrees, on the grid) whose vertices are kept wherever a border runs along them.
    """
    raw = districts_of_cells(fabric, label, count)
    if count == 1 and not given:
        return raw
    arcs = _arcs(raw, given)
    obstacles = _obstacles(fabric.parts, fabric.plane)
    lines = [shapely.boundary(g) if g.geom_type.endswith("Polygon") else g for g in given]
    tries = [arcs]
    if lines:
        kept = set(_vertices(shapely.get_coordinates(np.array(lines, dtype=object))))
        arcs = [_bare(arc, kept) if arc.given else arc for arc in arcs]
        moved = _slides(arcs, kept, _pieces(lines))
        held = _held_back(arcs, moved, obstacles)
        tries = [_slid(arcs, moved), *([_slid(arcs, held)] if held != moved else []), arcs]
    for each in tries:
        found = _smooth(fabric, label, count, each, obstacles)
        if found is not None:
            return found
    return raw


def districts_of_cells(fabric: Fabric, label: Sequence[int], count: int) -> list[Any]:
    """Give the unions of cells, every zigzag kept."""
    labels = np.asarray(label)
    real = ~shapely.is_empty(fabric.cells)
    found = []
    for district in range(count):
        cells = fabric.cells[(labels == district) & real]
        union = cells[0] if len(cells) == 1 else shapely.coverage_union_all(cells)
        found.append(shapely.orient_polygons(on_grid(union)))
    return found


def _vertices(coords: NDArray[np.float64]) -> list[Vertex]:
    return [tuple(v) for v in np.rint(coords / GRID).astype(np.int64).tolist()]


def _arcs(polygons: Sequence[Any], given: Sequence[Any]) -> list[_Arc]:
    """Take borders apart at nodes, and where they begin to run along a given line."""
    parts, owner = shapely.get_parts(np.asarray(polygons, dtype=object), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    links: dict[Vertex, set[Vertex]] = defaultdict(set)
    sides: dict[tuple[Vertex, Vertex], set[int]] = defaultdict(set)
    for ring, district in zip(rings, owner[part].tolist(), strict=True):
        line = _vertices(shapely.get_coordinates(ring))
        for a, b in pairwise(line):
            links[a].add(b)
            links[b].add(a)
            sides[(a, b) if a < b else (b, a)].add(district)
    edges = sorted(sides)
    along = dict(zip(edges, _along(edges, given), strict=True))

    def edge(a: Vertex, b: Vertex) -> tuple[Vertex, Vertex]:
        return (a, b) if a < b else (b, a)

    nodes = {a for a, ends in links.items() if len(ends) != 2 or len({along[edge(a, b)] for b in ends}) == 2}
    done: set[tuple[Vertex, Vertex]] = set()
    arcs: list[_Arc] = []
    for start in [*sorted(nodes), *sorted(links)]:
        for step in sorted(links[start]):
            if (start, step) in done:
                continue
            line = [start, step]
            done |= {(start, step), (step, start)}
            while line[-1] not in nodes and line[-1] != start:
                onward = next((b for b in sorted(links[line[-1]]) if (line[-1], b) not in done), None)
                if onward is None:
                    break
                done |= {(line[-1], onward), (onward, line[-1])}
                line.append(onward)
            first = edge(line[0], line[1])
            arcs.append(_Arc(line, along[first], frozenset(sides[first])))
    return arcs


def _along(edges: Sequence[tuple[Vertex, Vertex]], given: Sequence[Any]) -> list[bool]:
    if not given:
        return [False] * len(edges)
    ends = np.array(edges, dtype=np.float64) * GRID
    middle = shapely.points(ends.mean(axis=1))
    pieces = _pieces([shapely.boundary(g) if g.geom_type.endswith("Polygon") else g for g in given])
    near, _ = shapely.STRtree(pieces).query(middle, predicate="dwithin", distance=2.5 * GRID)
    found = np.zeros(len(edges), dtype=bool)
    found[near] = True
    return [bool(x) for x in found]


def _pieces(lines: Sequence[Any]) -> NDArray[Any]:
    parts = shapely.get_parts(np.array(lines, dtype=object))
    coords, owner = shapely.get_coordinates(parts, return_index=True)
    same = owner[1:] == owner[:-1]
    return np.asarray(shapely.linestrings(np.stack((coords[:-1][same], coords[1:][same]), axis=1)))


def _bare(arc: _Arc, kept: set[Vertex]) -> _Arc:
    """Leave a given arc only the vertices that the given lines have."""
    line = [arc.line[0], *[v for v in arc.line[1:-1] if v in kept], arc.line[-1]]
    whole = len(set(line)) > 1 and (line[0] != line[-1] or len(line) > 3)
    return replace(arc, line=line if whole else arc.line)


def _slides(arcs: Sequence[_Arc], kept: set[Vertex], pieces: NDArray[Any]) -> dict[Vertex, Vertex]:
    """Say where nodes along given lines should slide to: to the nearest point of the grid that lies on them, to a
    fraction of a millimetre. A node beside the line would take ground from one side and give it to the other."""
    nodes = sorted({v for arc in arcs if arc.given for v in (arc.line[0], arc.line[-1])} - kept)
    if not nodes:
        return {}
    places = shapely.points(np.array(nodes, dtype=np.float64) * GRID)
    nearest = shapely.STRtree(pieces).nearest(places)
    crowd = shapely.STRtree(places).query(places, predicate="dwithin", distance=3 * SLIDE * GRID)[0]
    alone = np.bincount(crowd, minlength=len(nodes)) == 1
    moved: dict[Vertex, Vertex] = {}
    for node, piece, is_alone in zip(nodes, nearest.tolist(), alone.tolist(), strict=True):
        if is_alone:
            one, other = _vertices(shapely.get_coordinates(pieces[piece]))
            moved[node] = _on_line(node, one, other)
    return moved


def _held_back(arcs: Sequence[_Arc], moved: dict[Vertex, Vertex], obstacles: Any) -> dict[Vertex, Vertex]:
    """Leave out those nodes whose border, if it stays as it is, would swing into a building far away."""
    swings = [
        (a, b)
        for arc in arcs
        if not arc.given
        for a, b in ((arc.line[0], arc.line[1]), (arc.line[-1], arc.line[-2]))
        if a in moved
    ]
    if not swings:
        return moved
    corners = [[a, moved[a], b, moved.get(b, b)] for a, b in swings]
    hulls = shapely.convex_hull(shapely.linestrings(np.array(corners, dtype=np.float64) * GRID))
    hits = np.unique(shapely.STRtree(obstacles).query(hulls, predicate="intersects")[0]).tolist()
    bad = {node for hit in hits for node in swings[hit]}
    return {node: to for node, to in moved.items() if node not in bad}


def _slid(arcs: Sequence[_Arc], moved: dict[Vertex, Vertex]) -> list[_Arc]:
    return [
        replace(arc, line=[moved.get(arc.line[0], arc.line[0]), *arc.line[1:-1], moved.get(arc.line[-1], arc.line[-1])])
        for arc in arcs
    ]


def _on_line(node: Vertex, one: Vertex, other: Vertex) -> Vertex:
    """Give the point of the grid near `node` that is nearest to the line from `one` to `other`."""
    way = (other[0] - one[0], other[1] - one[1])
    axis = 0 if abs(way[0]) >= abs(way[1]) else 1
    if not way[axis]:
        return node
    low, high = sorted((one[axis], other[axis]))
    steps = np.arange(max(low + 1, node[axis] - SLIDE), min(high, node[axis] + SLIDE + 1), dtype=np.int64)
    if not steps.size:
        return node
    across = one[1 - axis] + (steps - one[axis]) * (way[1 - axis] / way[axis])
    off = np.abs(across - np.rint(across))
    best = int(np.lexsort((np.abs(steps - node[axis]), np.round(off, 4)))[0])
    found = (int(steps[best]), int(np.rint(across[best])))
    return found if axis == 0 else (found[1], found[0])


def _smooth(
    fabric: Fabric, label: Sequence[int], count: int, arcs: Sequence[_Arc], obstacles: NDArray[Any]
) -> list[Any] | None:
    """Straighten every arc that may be; where the result is no whole tiling, leave out arcs that cross others."""
    loose = [arc for arc in arcs if not arc.given]
    fixed = [arc.line for arc in arcs if arc.given]
    chosen = _straightened(loose, np.array(fabric.plane.metres_per_degree), obstacles)
    for _ in range(ATTEMPTS):
        lines = [*fixed, *chosen]
        found, blamed = _assembled(fabric, label, count, lines, obstacles)
        if found is not None:
            return found
        changed = [i for i, line in enumerate(chosen) if line != loose[i].line]
        bad = {i - len(fixed) for i in _crossing(lines)}
        bad |= {i for i in changed if loose[i].sides & blamed}
        if not changed:
            return None
        for i in bad.intersection(changed) or changed:
            chosen[i] = loose[i].line
    return None


def _straightened(arcs: Sequence[_Arc], scale: NDArray[np.float64], obstacles: Any) -> list[list[Vertex]]:
    """Give every arc the shortest way over its own vertices that passes no obstacle on the wrong side."""
    pieces: list[list[Vertex]] = []
    of_arc: list[int] = []
    for index, arc in enumerate(arcs):
        line = arc.line
        if line[0] == line[-1]:  # an island: keep two of its vertices apart
            half = len(line) // 2
            cuts = [0, half, len(line) - 1]
        else:
            cuts = [0, len(line) - 1]
        for a, b in pairwise(cuts):
            for start in range(a, b, LONGEST - 1):
                pieces.append(line[start : min(start + LONGEST, b + 1)])
                of_arc.append(index)
    result: list[list[Vertex]] = [[] for _ in arcs]
    for owner, line, steps in zip(of_arc, pieces, _steps(pieces, scale, obstacles), strict=True):
        short = _shortest(line, steps)
        result[owner] += short[1:] if result[owner] else short
    return result


def _obstacles(parts: NDArray[Any], plane: Plane) -> NDArray[Any]:
    metric = plane.to_plane(parts)
    areal = shapely.area(metric) > 0
    inner = metric.copy()
    inner[areal] = shapely.buffer(metric[areal], -CLEAR_M, quad_segs=1)
    return np.asarray(plane.to_degrees(inner))


def _steps(
    pieces: Sequence[list[Vertex]], scale: NDArray[np.float64], obstacles: Any
) -> list[list[list[tuple[int, float]]]]:
    """Say for each vertex of each piece to which later ones it may be joined, and the metres.

    It may where the hull of the vertices between has no obstacle in it. A longer hull holds the shorter ones, so all
    vertices reach out together, one further each time, until something is in the way.
    """
    steps: list[list[list[tuple[int, float]]]] = [[[] for _ in piece] for piece in pieces]
    if not pieces:
        return steps
    at = np.array([vertex for piece in pieces for vertex in piece], dtype=np.float64) * GRID
    metres = at * scale
    size = np.array([len(piece) for piece in pieces])
    end = np.repeat(np.cumsum(size), size)
    flat = [own for piece in steps for own in piece]
    number = np.concatenate([np.arange(n) for n in size.tolist()]).tolist()
    tree = shapely.STRtree(obstacles)
    start = np.arange(len(at))
    for reach in range(1, LONGEST):
        start = start[start + reach < end[start]]
        if not start.size:
            break
        if reach > 1:
            hulls = shapely.convex_hull(shapely.linestrings(at[start[:, None] + np.arange(reach + 1)]))
            free = np.ones(len(start), dtype=bool)
            free[tree.query(hulls, predicate="intersects")[0]] = False
            start = start[free]
        length = np.hypot(*(metres[start + reach] - metres[start]).T)
        for i, way in zip(start.tolist(), length.tolist(), strict=True):
            flat[i].append((number[i] + reach, way))
    return steps


def _shortest(line: list[Vertex], steps: list[list[tuple[int, float]]]) -> list[Vertex]:
    size = len(line)
    length = [0.0] + [float("inf")] * (size - 1)
    came = [0] * size
    for i, ways in enumerate(steps):
        here = length[i]
        for j, way in ways:
            if here + way < length[j] - 1e-9:
                length[j], came[j] = here + way, i
    back = [size - 1]
    while back[-1]:
        back.append(came[back[-1]])
    return [line[i] for i in reversed(back)]


def _assembled(
    fabric: Fabric, label: Sequence[int], count: int, lines: Sequence[list[Vertex]], obstacles: NDArray[Any]
) -> tuple[list[Any] | None, set[int]]:
    """Make polygons of lines: one face a district, with all of its entrances in it. Faces that are not of the ground,
    as a lake in it, are left out. None where that fails, and then the districts at fault, where they are known."""
    faces = shapely.get_parts(shapely.polygonize(_line_strings(lines)))
    real = np.flatnonzero(np.isfinite(fabric.within[:, 0]))
    face, atom = shapely.STRtree(shapely.points(fabric.within[real])).query(faces, predicate="intersects")
    inside: list[set[int]] = [set() for _ in faces]
    for f, a in zip(face.tolist(), atom.tolist(), strict=True):
        inside[f].add(label[real[a]])
    found: list[Any] = [None] * count
    blamed: set[int] = set()
    for f, labels in enumerate(inside):
        for district in labels:
            if len(labels) > 1 or found[district] is not None:
                blamed |= labels
            found[district] = faces[f]
    blamed |= {district for district, shape in enumerate(found) if shape is None}
    blamed |= {label[real[a]] for a in set(range(len(real))).difference(atom.tolist())}
    if blamed:
        return None, blamed
    bare = np.flatnonzero([not labels for labels in inside])
    lakes = ~shapely.intersects(fabric.ground, shapely.point_on_surface(faces[bare]))
    if not lakes.all():
        return None, set()
    shapes = np.array(found, dtype=object)
    blamed = set(np.flatnonzero(~shapely.is_valid(shapes)).tolist())
    blamed = blamed or set(np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes))).tolist())
    blamed = blamed or _cut(fabric, label, shapes, obstacles)
    return (None, blamed) if blamed else ([shapely.orient_polygons(shape) for shape in found], blamed)


def _line_strings(lines: Sequence[list[Vertex]]) -> NDArray[Any]:
    sizes = [len(line) for line in lines]
    at = np.round(np.array([vertex for line in lines for vertex in line], dtype=np.float64) * GRID, DECIMALS)
    return np.asarray(shapely.linestrings(at, indices=np.repeat(np.arange(len(lines)), sizes)))


def _cut(fabric: Fabric, label: Sequence[int], districts: NDArray[Any], inner: NDArray[Any]) -> set[int]:
    """Find the districts that have a wall of a part in another one, other than by rounding."""
    shapely.prepare(districts)
    real = np.flatnonzero(~shapely.is_empty(inner))
    own = districts[np.asarray(label)[real]]
    outside = real[~shapely.covers(own, inner[real])]
    cells = fabric.cells[outside]
    return {label[atom] for atom in outside[~shapely.is_empty(cells) & shapely.covers(cells, inner[outside])].tolist()}


def _crossing(lines: Sequence[list[Vertex]]) -> set[int]:
    shapes = _line_strings(lines)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    bad = set(one.tolist()) | set(other.tolist())
    return bad | {i for i, shape in enumerate(shapes) if not shape.is_simple}
