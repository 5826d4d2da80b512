"""Read, check, repair and write GeoJSON (RFC 7946): feature collections of places in WGS 84."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import geojson
import shapely
import shapely.geometry

from geo.crs import refuse_crs
from geo.jsontext import brief, parse, refuse_text
from geo.positions import DECIMALS, Notes
from geo.problems import REFUSALS, REPAIRS, GeoJSONError, Problem, Refusal
from geo.shapes import DEPTHS, mapping_of, ready, shape_as_given, shape_of

__all__ = ["REFUSALS", "REPAIRS", "Feature", "GeoJSONError", "Problem", "Reading", "dump", "read"]

Identifier = str | int | None

LISTED = 100
"""Problems named in one error; nobody reads more before mending the file."""


@dataclass(frozen=True)
class Feature:
    """A checked feature: its number in the file from 1, its id, its properties, and its place twice.

    `geometry` is a GeoJSON mapping, closed rings by the right-hand rule and at most 7 decimals; `shape` has the same.
    """

    number: int
    id: Identifier
    properties: dict[str, Any]
    geometry: dict[str, Any]
    shape: Any


@dataclass(frozen=True)
class Reading:
    """What was read, in the file's order, and what was repaired on the way, one entry a feature and kind of repair."""

    features: tuple[Feature, ...]
    repairs: tuple[Problem, ...]


def read(
    data: bytes,
    *,
    kinds: Collection[str] = ("Polygon", "MultiPolygon"),
    limit_bytes: int = 30_000_000,
    limit_features: int = 50_000,
    limit_vertices: int = 1_000_000,
    limit_depth: int = 40,
    where: Mapping[str, str] | None = None,
    keep_invalid: bool = False,
) -> Reading:
    """Read a FeatureCollection, or one Feature, whose geometries are of `kinds`.

    Coordinates are rounded to 7 decimals (1 cm), so that what is stored is what is written. `where` keeps the features
    whose properties have these values, compared as text (3, 3.0 and "3" are one), before their geometry is looked at.
    `limit_features` counts the whole file, `limit_vertices` the features kept. `limit_depth` is 200 at most.
    `keep_invalid` keeps polygons that cross themselves as they stand, for a caller who shows what is wrong with them.

    GeoJSONError names the first problem of every bad feature, up to 100. ValueError for a kind that GeoJSON has not.
    """
    wanted = frozenset(kinds)
    if not wanted <= DEPTHS.keys():
        raise ValueError(f"unknown geometry types: {sorted(wanted - DEPTHS.keys())}")
    try:
        brackets = 2 * limit_vertices + 10 * limit_features
        document = parse(data, limit_bytes=limit_bytes, limit_depth=limit_depth, limit_brackets=brackets)
        items = _items(document.value, limit_features)
        reader = _Reader(wanted, where or {}, limit_vertices, shape_as_given if keep_invalid else shape_of)
        reader.read_all(items)
    except Refusal as refusal:
        raise GeoJSONError([Problem(None, refusal.code, refusal.detail)]) from None
    problems = reader.problems
    if document.constant and not any(problem.code == "nan" for problem in problems):
        problems.append(Problem(None, "nan", document.constant))
    if not problems and not reader.features:
        problems.append(Problem(None, "nothing_matches", brief(", ".join(f"{k}={v}" for k, v in reader.where.items()))))
    if problems:
        raise GeoJSONError(problems[:LISTED], more=max(0, len(problems) - LISTED))
    return Reading(tuple(reader.features), tuple(reader.repairs))


def dump(features: Iterable[tuple[Identifier, Mapping[str, Any], Any]]) -> bytes:
    """Write (id, properties, geometry) as a FeatureCollection: UTF-8, one feature a line, in the order given.

    A geometry is a shapely shape, a GeoJSON mapping or None (unlocated: null). Equal input gives equal bytes, and what
    `read` makes of them gives the same bytes again: coordinates have 7 decimals, rings are closed and in order.
    ValueError where something is not JSON (NaN), or where a geometry is a collection or a line shorter than 1 cm.
    """
    return b'{"type":"FeatureCollection","features":[' + b",".join(map(_line, features)) + b"\n]}\n"


def _line(feature: tuple[Identifier, Mapping[str, Any], Any]) -> bytes:
    identifier, properties, place = feature
    written = geojson.Feature(id=identifier, geometry=_written(place), properties=dict(properties))
    text: str = geojson.dumps(written, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return b"\n" + text.encode()


def _written(place: Any) -> Any:
    if place is None:
        return None
    try:
        shape = ready(shapely.geometry.shape(place) if isinstance(place, Mapping) else place)
    except Refusal as refusal:
        raise ValueError(refusal.code) from None
    geometry = mapping_of(shape)
    return getattr(geojson, geometry["type"])(geometry["coordinates"], precision=DECIMALS)


def _items(value: Any, limit_features: int) -> list[Any]:
    """Give the features of a parsed file. Refusal: not_features, crs, empty, too_many_features."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("FeatureCollection", "Feature"):
        raise Refusal("not_features", brief(kind))
    refuse_crs(value)
    items = [value] if kind == "Feature" else value.get("features")
    if not isinstance(items, list):
        raise Refusal("not_features", brief(items))
    if not items:
        raise Refusal("empty")
    if len(items) > limit_features:
        raise Refusal("too_many_features", str(limit_features))
    return items


class _Reader:
    """Goes through the features once and keeps the good ones, their repairs and the bad ones' problems."""

    def __init__(
        self,
        kinds: frozenset[str],
        where: Mapping[str, str],
        vertices_left: int,
        shape_of: Callable[[object, frozenset[str], Notes], Any],
    ) -> None:
        self.kinds = kinds
        self.shape_of = shape_of
        self.where = where
        self.limit_vertices = self.vertices_left = vertices_left
        self.features: list[Feature] = []
        self.repairs: list[Problem] = []
        self.problems: list[Problem] = []

    def read_all(self, items: list[Any]) -> None:
        """Read every feature. Refusal: too_many_vertices, which ends the reading."""
        for number, item in enumerate(items, start=1):
            try:
                self._read_one(number, item)
            except Refusal as refusal:
                self.problems.append(Problem(number, refusal.code, refusal.detail))
            if self.vertices_left < 0:
                raise Refusal("too_many_vertices", str(self.limit_vertices))

    def _read_one(self, number: int, item: Any) -> None:
        if not isinstance(item, dict) or item.get("type") != "Feature":
            raise Refusal("bad_feature", brief(item.get("type") if isinstance(item, dict) else item))
        properties = _properties(item)
        if not all(key in properties and _text(properties[key]) == text for key, text in self.where.items()):
            return
        refuse_text(properties)
        refuse_crs(item)
        notes: Notes = set()
        shape = self.shape_of(item.get("geometry"), self.kinds, notes)
        self.vertices_left -= int(shapely.get_num_coordinates(shape))
        self.features.append(Feature(number, _identifier(item), properties, mapping_of(shape), shape))
        self.repairs.extend(Problem(number, code) for code in sorted(notes))


def _properties(item: dict[str, Any]) -> dict[str, Any]:
    properties = item.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise Refusal("bad_properties", brief(properties))
    return properties or {}


def _identifier(item: dict[str, Any]) -> Identifier:
    identifier = item.get("id")
    refuse_text(identifier)
    if isinstance(identifier, float) and identifier.is_integer():
        return int(identifier)
    if identifier is None or type(identifier) is int or isinstance(identifier, str):
        return identifier
    raise Refusal("bad_id", brief(identifier))


def _text(value: object) -> str:
    """Give a property's value as a person would type it after `key=`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
