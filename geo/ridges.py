"""The lines half-way between parts of buildings: Voronoi ridges of points along their outlines (Voronoi 1908)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.plane import Plane

SPACING_M = 8.0
"""Metres between points along an outline: closer ones move ridges by decimetres and cost time."""
RIDGE_M = 1.5
"""Metres that a ridge may move when its zigzag is straightened; a building that it then cuts keeps its outline."""


@dataclass(frozen=True)
class Ridges:
    """Lines in degrees between the ground of two atoms each, and the sample points they are half-way between."""

    lines: NDArray[Any]
    pairs: NDArray[np.intp]
    points: NDArray[np.float64]
    owner: NDArray[np.intp]


def ridges_between(parts: NDArray[Any], plane: Plane, ground: Any) -> Ridges:
    """Give the Voronoi ridges between points of different atoms, straightened, from the Delaunay triangles: the ridge
    of an edge joins the centres of the circles around its two triangles."""
    points, owner = _samples(plane.to_plane(parts))
    lines, pairs = np.empty(0, dtype=object), np.empty((0, 2), dtype=np.intp)
    if len(parts) > 1:
        middle, reach = _reach(points, plane.to_plane(ground))
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False) + 0.1
        frame = np.round(middle + 2 * reach * np.column_stack((np.cos(turn), np.sin(turn))), 2)
        ends, pairs = _between(np.vstack((points, frame)), np.append(owner, np.full(len(frame), len(parts))))
        lines, pairs = _lines(ends, pairs, shapely.bounds(plane.to_plane(ground)))
    scale, origin = np.array(plane.metres_per_degree), np.array((plane.lon0, plane.lat0))
    return Ridges(plane.to_degrees(lines), pairs, points / scale + origin, owner)


def _reach(points: NDArray[np.float64], ground: Any) -> tuple[NDArray[np.float64], float]:
    bounds = np.array(shapely.bounds(ground))
    low = np.minimum(points.min(axis=0), bounds[:2])
    high = np.maximum(points.max(axis=0), bounds[2:])
    return (low + high) / 2, float(np.hypot(*(high - low))) + 10


def _between(points: NDArray[np.float64], owner: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give the ridges (n, 2, 2) in metres between points of two owners, and the owners (n, 2), the lower first."""
    triangles = _triangles(points)
    if triangles is None:
        points = _settled(points)
        triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(points)))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    centres = _centres(corners)
    order = np.lexsort(points.T[::-1])
    index = _positions(points[order], corners.reshape(-1, 2))
    vertex = order[index].reshape(-1, 3)
    edges = np.sort(np.vstack((vertex[:, [0, 1]], vertex[:, [1, 2]], vertex[:, [2, 0]])), axis=1)
    triangle = np.tile(np.arange(len(vertex)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges, triangle = edges[order], triangle[order]
    twin = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1))
    pairs = np.sort(owner[edges[twin]], axis=1)
    wanted = (pairs[:, 0] != pairs[:, 1]) & (pairs[:, 0] < owner.max())
    twin, pairs = twin[wanted], pairs[wanted]
    return np.stack((centres[triangle[twin]], centres[triangle[twin + 1]]), axis=1), pairs


def _triangles(points: NDArray[np.float64]) -> NDArray[Any] | None:
    """Give the Delaunay triangles; None where GEOS lost its way, which it says or shows by triangles without area."""
    try:
        found = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(points)))
    except shapely.errors.GEOSException:
        return None
    return found if (shapely.area(found) > 0).all() else None


def _settled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move points by up to 3 cm, always alike: GEOS loses its way among thousands that stand in exact rows, as slabs
    and copies of them do."""
    turn = np.arange(len(points)) * np.array([[0.7548776662], [0.5698402910]])  # spreads evenly (Roberts 2018)
    moved = np.round(points + 0.06 * (turn.T % 1) - 0.03, 2)
    twins = np.setdiff1d(np.arange(len(points)), _firsts(moved))
    moved[twins] = points[twins]
    return moved if len(_firsts(moved)) == len(points) else points


def _positions(points: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find `wanted` among `points`, which are in order and in centimetres."""
    low = np.rint(points.min(axis=0) * 100)
    keys = np.rint(points * 100) - low
    width = keys[:, 1].max() + 1
    found = np.rint(wanted * 100) - low
    return np.searchsorted(keys[:, 0] * width + keys[:, 1], found[:, 0] * width + found[:, 1])


def _centres(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the centres of the circles through triangles (n, 3, 2)."""
    a = corners[:, 0]
    b, c = corners[:, 1] - a, corners[:, 2] - a
    cross = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    cross[cross == 0] = 1e-12
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    x = (c[:, 1] * bb - b[:, 1] * cc) / cross
    y = (b[:, 0] * cc - c[:, 0] * bb) / cross
    return np.asarray(a + np.column_stack((x, y)))


def _lines(
    ends: NDArray[np.float64], pairs: NDArray[np.intp], bounds: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Join the ridges between the same two atoms, straighten them, and clip them to a little more than `bounds`: beside
    flat triangles they run very far."""
    ends = np.round(ends, 3)
    real = (ends[:, 0] != ends[:, 1]).any(axis=1) & (np.abs(ends).max(axis=(1, 2)) < 1e7)
    ends, pairs = ends[real], pairs[real]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    ends, pairs = ends[order], pairs[order]
    group = np.cumsum(np.append(False, (pairs[1:] != pairs[:-1]).any(axis=1)))
    bundles = shapely.multilinestrings(shapely.linestrings(ends), indices=group)
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    lines, bundle = shapely.get_parts(shapely.line_merge(bundles), return_index=True)
    west, south, east, north = bounds + np.array([-50.0, -50.0, 50.0, 50.0])
    clipped = shapely.clip_by_rect(shapely.simplify(lines, RIDGE_M), west, south, east, north)
    kept, line = shapely.get_parts(clipped, return_index=True)
    real = shapely.length(kept) > 0
    return kept[real], pairs[first[bundle]][line[real]]


def _samples(parts: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give points along each outline, drawn in a little so that touching parts stay apart, and whose they are."""
    lines = shapely.segmentize(parts, SPACING_M)
    points, owner = shapely.get_coordinates(lines, return_index=True)
    middle = shapely.get_coordinates(shapely.centroid(parts))[owner]
    away = points - middle
    length = np.hypot(away[:, 0], away[:, 1])
    inwards = np.where(length > 0, np.maximum(length - 0.4, length * 0.5) / np.where(length > 0, length, 1), 1)
    points = np.round(middle + away * inwards[:, None], 2)
    return _distinct(points, owner)


def _firsts(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Give the indices of points, in centimetres, that stand where none before them does."""
    steps = np.rint(points * 100).astype(np.int64)
    steps -= steps.min(axis=0)
    _, first = np.unique(steps[:, 0] * (steps[:, 1].max() + 1) + steps[:, 1], return_index=True)
    return np.sort(first)


def _distinct(points: Any, owner: Any) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Drop a point that stands where another does; an atom that has none left is put a hand's breadth beside."""
    keep = _firsts(points)
    lost = np.setdiff1d(np.unique(owner), owner[keep])
    if lost.size:
        taken = {tuple(p) for p in points[keep].tolist()}
        added = []
        for atom in lost:
            x, y = points[owner == atom][0].tolist()
            while (x, y) in taken:
                x = round(x + 0.37, 2)
                y = round(y + 0.11, 2)
            taken.add((x, y))
            added.append((x, y))
        return np.vstack((points[keep], np.array(added))), np.concatenate((owner[keep], lost))
    return points[keep], owner[keep]
