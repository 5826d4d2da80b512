"""GeoJSON geometries (RFC 7946, 3.1) to shapely shapes and back, at the kept precision."""

from typing import Any

import shapely
import shapely.geometry

from geo.crs import refuse_crs
from geo.jsontext import brief
from geo.outlines import MERGED_VERTICES, at_precision, multipolygon, on_grid, polygon
from geo.positions import Notes, Position, positions, refuse_misplaced, rounded, without_repeats
from geo.problems import Refusal

DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""How many lists stand around a position in the coordinates of each type."""

NOT_VALID = frozenset({"disconnected", "hole_outside", "holes_nested", "overlapping_parts", "self_crossing"})
"""Refusals of polygons whose positions are sound."""


def shape_of(geometry: object, kinds: frozenset[str], notes: Notes) -> Any:
    """Give the shape of a parsed geometry of one of `kinds`; words for the repairs go to `notes`.

    Refusal: missing_geometry, crs, geometry_type, empty, and those of `positions` and `outlines`.
    """
    if geometry is None:
        raise Refusal("missing_geometry")
    if not isinstance(geometry, dict):
        raise Refusal("geometry_type", brief(geometry))
    refuse_crs(geometry)
    kind = geometry.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise Refusal("geometry_type", brief(kind))
    coordinates = geometry.get("coordinates")
    if coordinates == []:
        raise Refusal("empty")
    checked = positions(coordinates, DEPTHS[kind], notes)
    refuse_misplaced(checked, DEPTHS[kind])
    return _built(kind, checked, notes)


def shape_as_given(geometry: object, kinds: frozenset[str], notes: Notes) -> Any:
    """Give the shape as `shape_of` does, or, where a polygon is only not valid, as it stands on the grid.

    Large ones stay refused: what their crossings enclose can be as many pieces as the square of their vertices.
    """
    try:
        return shape_of(geometry, kinds, notes)
    except Refusal as refusal:
        if refusal.code not in NOT_VALID or not isinstance(geometry, dict):
            raise
        shape = _as_it_stands(geometry)
        if shape is None or shapely.get_num_coordinates(shape) > MERGED_VERTICES:
            raise
        return shape


def _as_it_stands(geometry: dict[str, Any]) -> Any:
    """Give the shape of sound positions; None where another ring of it is too short to be one."""
    try:
        return shapely.transform(shapely.geometry.shape(geometry), on_grid)
    except (ValueError, shapely.errors.GEOSException):
        return None


def _built(kind: str, checked: Any, notes: Notes) -> Any:
    match kind:
        case "Polygon":
            return polygon(checked, notes)
        case "MultiPolygon":
            return multipolygon(checked, notes)
        case "LineString":
            return shapely.LineString(_line(checked, notes))
        case "MultiLineString":
            return shapely.MultiLineString([_line(line, notes) for line in checked])
        case "MultiPoint":
            return shapely.MultiPoint([rounded(position) for position in checked])
        case _:
            return shapely.Point(rounded(checked))


def _line(line: list[Position], notes: Notes) -> list[Position]:
    kept = without_repeats([rounded(position) for position in line])
    if len(kept) < len(line):
        notes.add("duplicate_points")
    if len(kept) < 2:
        raise Refusal("line_short")
    return kept


def mapping_of(shape: Any) -> dict[str, Any]:
    """Give the GeoJSON geometry of a shape, in lists of floats. ValueError for a collection: it has no coordinates."""
    if shape.geom_type not in DEPTHS:
        raise ValueError(f"{shape.geom_type} has no coordinates")
    return {"type": shape.geom_type, "coordinates": _coordinates(shape)}


def _coordinates(shape: Any) -> list[Any]:
    if shape.geom_type.startswith("Multi"):
        return [_coordinates(part) for part in shape.geoms]
    if shape.geom_type == "Polygon":
        rings = [] if shape.is_empty else [shape.exterior, *shape.interiors]
        return [_numbers(ring) for ring in rings]
    numbers = _numbers(shape)
    return numbers[0] if shape.geom_type == "Point" and numbers else numbers


def _numbers(shape: Any) -> list[Any]:
    return list(shapely.get_coordinates(shape).tolist())


def ready(shape: Any) -> Any:
    """Give a shape as it is written: in two dimensions, rounded, rings in order. Refusal: line_short."""
    shape = shapely.force_2d(shape)
    if shape.is_empty or shape.geom_type not in DEPTHS:
        return shape
    if shape.geom_type.endswith("Polygon"):
        return at_precision(shape)
    return _built(shape.geom_type, _coordinates(shape), set())
