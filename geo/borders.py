"""Borders of districts made of cells: straightened without cutting a building, one line for both sides.

Districts become arcs between the nodes where three of them, or two and the edge, meet. An arc along a given line (the
boundary, a barrier, a border of today) keeps that line's vertices; another one takes the shortest way over its own
vertices that passes no building on the wrong side.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
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

BATCH = 100
"""Pieces of arcs looked at together: a hull for each pair of their vertices would fill the memory."""

Vertex = tuple[int, int]


@dataclass
class _Arc:
    """A line of grid vertices between two nodes, and whether it runs along a given line."""

    line: list[Vertex]
    given: bool


def draw(fabric: Fabric, label: Sequence[int], count: int, *, given: Sequence[Any] = ()) -> list[Any]:
    """Give the polygons of `count` districts of cells: one part each, valid, on the grid, tiling the same ground.

    `given` are lines or polygons (degrees, on the grid) whose vertices are kept wherever a border runs along them.
    """
    raw = districts_of_cells(fabric, label, count)
    if count == 1 and not given:
        return raw
    arcs = _arcs(raw, given)
    lines = [shapely.boundary(g) if g.geom_type.endswith("Polygon") else g for g in given]
    if lines:
        kept = set(_vertices(shapely.get_coordinates(np.array(lines, dtype=object))))
        arcs = [_bare(arc, kept) if arc.given else arc for arc in arcs]
        found = _smooth(fabric, label, count, _slid(arcs, kept, _pieces(lines)))
        if found is not None:
            return found
    return _smooth(fabric, label, count, arcs) or raw


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
    rings = shapely.get_rings(shapely.get_parts(np.asarray(polygons, dtype=object)))
    links: dict[Vertex, set[Vertex]] = defaultdict(set)
    for ring in rings:
        line = _vertices(shapely.get_coordinates(ring))
        for a, b in pairwise(line):
            links[a].add(b)
            links[b].add(a)
    edges = sorted({(a, b) if a < b else (b, a) for a, ends in links.items() for b in ends})
    along = dict(zip(edges, _along(edges, given), strict=True))

    def is_given(a: Vertex, b: Vertex) -> bool:
        return along[(a, b) if a < b else (b, a)]

    nodes = {a for a, ends in links.items() if len(ends) != 2 or len({is_given(a, b) for b in ends}) == 2}
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
            arcs.append(_Arc(line, is_given(line[0], line[1])))
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
    return _Arc(line if whole else arc.line, True)


def _slid(arcs: Sequence[_Arc], kept: set[Vertex], pieces: NDArray[Any]) -> list[_Arc]:
    """Slide nodes along given lines to the nearest point of the grid that lies on them, to a fraction of a millimetre:
    a node beside the line would take ground from one side and give it to the other."""
    nodes = sorted({v for arc in arcs if arc.given for v in (arc.line[0], arc.line[-1])} - kept)
    if not nodes:
        return list(arcs)
    tree = shapely.STRtree(pieces)
    nearest = tree.nearest(shapely.points(np.array(nodes, dtype=np.float64) * GRID))
    crowd = shapely.STRtree(shapely.points(np.array(nodes, dtype=np.float64) * GRID))
    moved: dict[Vertex, Vertex] = {}
    for node, piece in zip(nodes, nearest.tolist(), strict=True):
        place = shapely.Point(np.array(node, dtype=np.float64) * GRID)
        if len(crowd.query(place, predicate="dwithin", distance=3 * SLIDE * GRID)) == 1:
            one, other = _vertices(shapely.get_coordinates(pieces[piece]))
            moved[node] = _on_line(node, one, other)
    return [
        _Arc([moved.get(arc.line[0], arc.line[0]), *arc.line[1:-1], moved.get(arc.line[-1], arc.line[-1])], arc.given)
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


def _smooth(fabric: Fabric, label: Sequence[int], count: int, arcs: Sequence[_Arc]) -> list[Any] | None:
    """Straighten every arc that may be; where the result is no whole tiling, leave out arcs that cross others."""
    loose = [arc for arc in arcs if not arc.given]
    fixed = [arc.line for arc in arcs if arc.given]
    chosen = _straightened(fabric, loose)
    for attempt in range(6):
        lines = [*fixed, *chosen]
        found = _assembled(fabric, label, count, lines)
        if found is not None:
            return found
        bad = {i - len(fixed) for i in _crossing(lines) if i >= len(fixed)}
        if attempt == 4 or not any(chosen[i] != loose[i].line for i in bad):
            bad = set(range(len(loose)))
        for i in bad:
            chosen[i] = loose[i].line
    return None


def _straightened(fabric: Fabric, arcs: Sequence[_Arc]) -> list[list[Vertex]]:
    scale = np.array(fabric.plane.metres_per_degree)
    obstacles = _obstacles(fabric.parts, fabric.plane)
    tree = shapely.STRtree(obstacles)
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
    ways: dict[int, dict[int, list[int]]] = {}
    for start in range(0, len(pieces), BATCH):
        ways |= _ways(pieces, range(start, min(start + BATCH, len(pieces))), tree)
    result: list[list[Vertex]] = [[] for _ in arcs]
    for index, line in enumerate(pieces):
        short = _shortest(line, ways.get(index, {}), scale)
        owner = of_arc[index]
        result[owner] += short[1:] if result[owner] else short
    return result


def _ways(pieces: Sequence[list[Vertex]], batch: range, tree: Any) -> dict[int, dict[int, list[int]]]:
    spans, hulls = [], []
    for index in batch:
        coords = np.array(pieces[index], dtype=np.float64) * GRID
        for i in range(len(coords) - 2):
            for j in range(i + 2, len(coords)):
                spans.append((index, i, j))
                hulls.append(coords[i : j + 1])
    return _allowed(spans, hulls, tree)


def _obstacles(parts: NDArray[Any], plane: Plane) -> NDArray[Any]:
    metric = plane.to_plane(parts)
    areal = shapely.area(metric) > 0
    inner = metric.copy()
    inner[areal] = shapely.buffer(metric[areal], -CLEAR_M, quad_segs=1)
    return np.asarray(plane.to_degrees(inner))


def _allowed(spans: list[tuple[int, int, int]], hulls: list[Any], tree: Any) -> dict[int, dict[int, list[int]]]:
    """Say which vertices of an arc may be joined past those between: their hull has nothing of a building in it."""
    ways: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    if not spans:
        return ways
    sizes = [len(h) for h in hulls]
    lines = shapely.linestrings(np.concatenate(hulls), indices=np.repeat(np.arange(len(hulls)), sizes))
    free = np.ones(len(spans), dtype=bool)
    taken, _ = tree.query(shapely.convex_hull(lines), predicate="intersects")
    free[taken] = False
    for (index, i, j), good in zip(spans, free.tolist(), strict=True):
        if good:
            ways[index][i].append(j)
    return ways


def _shortest(line: list[Vertex], ways: dict[int, list[int]], scale: NDArray[np.float64]) -> list[Vertex]:
    metres = np.array(line, dtype=np.float64) * GRID * scale
    size = len(line)
    length = [0.0] + [float("inf")] * (size - 1)
    came = [0] * size
    for i in range(size - 1):
        for j in (i + 1, *ways.get(i, ())):
            way = length[i] + float(np.hypot(*(metres[j] - metres[i])))
            if way < length[j] - 1e-9:
                length[j], came[j] = way, i
    back = [size - 1]
    while back[-1]:
        back.append(came[back[-1]])
    return [line[i] for i in reversed(back)]


def _assembled(fabric: Fabric, label: Sequence[int], count: int, lines: Sequence[list[Vertex]]) -> list[Any] | None:
    """Make polygons of lines; None unless there is one face a district, with all of its entrances in it."""
    shapes = [shapely.LineString(np.round(np.array(line) * GRID, DECIMALS)) for line in lines if len(line) > 1]
    faces = shapely.get_parts(shapely.polygonize(shapes))
    found: list[Any] = [None] * count
    inside: list[set[int]] = [set() for _ in faces]
    real = np.flatnonzero(np.isfinite(fabric.within[:, 0]))
    tree = shapely.STRtree(shapely.points(fabric.within[real]))
    face, atom = tree.query(faces, predicate="intersects")
    for f, a in zip(face.tolist(), atom.tolist(), strict=True):
        inside[f].add(label[real[a]])
    for f, labels in enumerate(inside):
        if len(labels) > 1:
            return None
        for district in labels:
            if found[district] is not None:
                return None
            found[district] = faces[f]
    if len(faces) != count or any(shape is None for shape in found):
        return None
    if len(np.unique(atom)) < len(real) or not shapely.is_valid(np.array(found)).all():
        return None
    if not shapely.coverage_is_valid(np.array(found)) or _cuts(fabric, label, found):
        return None
    return [shapely.orient_polygons(shape) for shape in found]


def _cuts(fabric: Fabric, label: Sequence[int], found: Sequence[Any]) -> bool:
    """Whether a wall of a part lies in a district that the part is not of, other than by rounding."""
    districts = np.array(found, dtype=object)
    shapely.prepare(districts)
    inner = _obstacles(fabric.parts, fabric.plane)
    real = np.flatnonzero(~shapely.is_empty(inner))
    own = districts[np.asarray(label)[real]]
    outside = real[~shapely.covers(own, inner[real])]
    for atom in outside.tolist():
        cells = fabric.cells[atom]
        if not cells.is_empty and shapely.covers(cells, inner[atom]):
            return True
    return False


def _crossing(lines: Sequence[list[Vertex]]) -> set[int]:
    shapes = np.array([shapely.LineString(np.array(line) * GRID) for line in lines], dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    bad = set(one.tolist()) | set(other.tolist())
    return bad | {i for i, shape in enumerate(shapes) if not shape.is_simple}
