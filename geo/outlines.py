"""Polygons: rings checked and repaired by RFC 7946, 3.1.6, and by the rules of simple features, which shapely knows."""

import re
from typing import Any

import numpy as np
import shapely

from geo.plane import area_m2
from geo.positions import DECIMALS, Notes, Position, place, rounded, without_repeats
from geo.problems import Refusal

SLIVER_M2 = 1.0
"""Smaller areas are no building and no district but a slip of the hand; the smallest real footprints have 4 m²."""

MOST_RINGS = 1_000
"""Of one geometry. GEOS compares nested rings each with each: 1,000 take 0.1 s, 16,000 take 30 s."""

MERGED_VERTICES = 2_000
"""Parts are merged up to this size only: a union of crossing combs grows with the square of it."""

_GRID = 10.0**-DECIMALS
_REASON = re.compile(r"(?P<words>[^\[]*)(?:\[(?P<lon>\S+) (?P<lat>\S+)\])?")
_CODES = {
    "Hole lies outside shell": "hole_outside",
    "Holes are nested": "holes_nested",
    "Interior is disconnected": "disconnected",
    "Too few points in geometry component": "ring_short",
}


def polygon(rings: list[list[Position]], notes: Notes) -> Any:
    """Give the polygon of a shell and its holes at the kept precision, shell counterclockwise, holes clockwise.

    Refusal: empty, ring_short, self_crossing, hole_outside, holes_nested, disconnected, sliver, too_many_rings.
    """
    if not rings:
        raise Refusal("empty")
    _refuse_many(len(rings))
    tidy = [_tidy(ring, notes) for ring in rings]
    given = kept = _rounded(tidy)
    if kept is None or not kept.is_valid:
        given = _polygon(tidy)
        if not given.is_valid:
            raise _invalid(given)
        kept = _snapped(given)
        notes.add("snapped")
    if kept.geom_type != "Polygon":
        raise Refusal("self_crossing", place(tidy[0][0]))
    if _is_sliver(kept):
        raise Refusal("sliver", place(tidy[0][0]))
    if not _right_hand(given):
        notes.add("ring_order")
    return shapely.orient_polygons(kept)


def multipolygon(parts: list[list[list[Position]]], notes: Notes) -> Any:
    """Give polygons, each as above, as one; those that share an edge are merged. Refusal: also overlapping_parts."""
    if not parts:
        raise Refusal("empty")
    _refuse_many(sum(map(len, parts)))
    whole = shapely.MultiPolygon([polygon(rings, notes) for rings in parts])
    return whole if whole.is_valid else _merged(whole, notes)


def at_precision(shape: Any) -> Any:
    """Give a polygon or multipolygon as `polygon` would, but refuse nothing: what was not valid stays so."""
    parts = [_rounded(_rings(part)) for part in shapely.get_parts(shape)]
    if any(part is None for part in parts):
        kept = _snapped(shape) if shape.is_valid else shape
    else:
        kept = shapely.MultiPolygon(parts) if shape.geom_type == "MultiPolygon" else parts[0]
        if not kept.is_valid and shape.is_valid:
            kept = _snapped(shape)
    return shapely.orient_polygons(kept)


def _refuse_many(rings: int) -> None:
    if rings > MOST_RINGS:
        raise Refusal("too_many_rings", str(MOST_RINGS))


def _tidy(ring: list[Position], notes: Notes) -> list[Position]:
    """Close a ring and drop its repeats. Refusal: ring_short."""
    if ring and ring[0] != ring[-1]:
        ring = [*ring, ring[0]]
        notes.add("ring_closed")
    kept = without_repeats(ring)
    if len(kept) < len(ring):
        notes.add("duplicate_points")
    if len(kept) < 4:
        raise Refusal("ring_short", place(ring[0]) if ring else None)
    return kept


def _rings(part: Any) -> list[list[Position]]:
    return [list(ring.coords) for ring in (part.exterior, *part.interiors)]


def _polygon(rings: list[list[Position]]) -> Any:
    return shapely.Polygon(rings[0], rings[1:])


def _rounded(rings: list[list[Position]]) -> Any:
    """Give the polygon of closed rings with vertices rounded, None where a ring collapses. It may then cross itself."""
    kept = [without_repeats([rounded(position) for position in ring]) for ring in rings]
    return _polygon(kept) if all(len(ring) >= 4 for ring in kept) else None


def _snapped(shape: Any) -> Any:
    """Put a valid shape on the grid of kept decimals so that it stays valid: slits and spikes under 1 cm close."""
    kept = shapely.transform(shapely.set_precision(shape, _GRID), on_grid)
    return shapely.MultiPolygon([kept]) if (shape.geom_type, kept.geom_type) == ("MultiPolygon", "Polygon") else kept


def on_grid(degrees: Any) -> Any:
    """Round an array of degrees to the kept decimals."""
    return np.round(degrees, DECIMALS) + 0.0


def _is_sliver(shape: Any) -> bool:
    """Whether a shape is under 1 m². 1e-9 square degrees are more than that up to 85° N, which spares most the sum."""
    return bool(shape.area < 1e-9 and area_m2(shape) < SLIVER_M2)


def _right_hand(shape: Any) -> bool:
    return bool(shape.exterior.is_ccw) and not any(hole.is_ccw for hole in shape.interiors)


def _invalid(shape: Any) -> Refusal:
    """Say why a polygon is not valid: flat ones are slivers, the others have a place."""
    code, where = reason(shape)
    return Refusal("sliver" if _is_sliver(shape.convex_hull) else code, where)


def reason(shape: Any) -> tuple[str, str | None]:
    """Give the word, and the place as text, in what GEOS says, such as "Ring Self-intersection[121.4 31.2]"."""
    found = _REASON.match(shapely.is_valid_reason(shape))
    if found is None or found["lon"] is None:
        return "self_crossing", None
    return _CODES.get(found["words"], "self_crossing"), place((float(found["lon"]), float(found["lat"])))


def _merged(whole: Any, notes: Notes) -> Any:
    """Merge valid parts that share edges, but no area. Refusal: overlapping_parts."""
    if shapely.get_num_coordinates(whole) <= MERGED_VERTICES:
        parts = shapely.get_parts(whole)
        union = shapely.transform(shapely.union_all(parts, grid_size=_GRID), on_grid)
        if union.is_valid and sum(map(area_m2, parts)) - area_m2(union) < SLIVER_M2:
            notes.add("parts_merged")
            return shapely.orient_polygons(shapely.MultiPolygon(list(shapely.get_parts(union))))
    raise Refusal("overlapping_parts", reason(whole)[1])
