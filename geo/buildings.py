"""Buildings and their entrances: the smallest thing that moves from one district to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.geojson import Feature, GeoJSONError, Problem, read
from geo.jsontext import brief
from geo.plane import Plane
from geo.positions import DECIMALS
from geo.problems import Refusal

LARGEST_ENTRANCE = 40
"""Households behind one entrance where nothing else is known: about the largest stairwell of a slab block."""

MOST_HOUSEHOLDS = 100_000
"""Of one building; more is a slip of the hand."""

MOST_ENTRANCES = 500
"""Of one building."""

MOST_DEGREES = 0.1
"""Width of one building, about 10 km; its outline is followed in steps of some metres."""

APART_M = 4.0
"""Metres between entrances of a building that is known as a point only."""

KINDS = ("Polygon", "MultiPolygon", "Point")


@dataclass(frozen=True)
class Building:
    """A building: its key, what people call it, its outline or a point (degrees), households behind entrance 1, 2, …

    `entrances` is empty where nobody lives. A building may stand anywhere in its file; keys are unique.
    """

    key: str
    name: str
    shape: Any
    entrances: tuple[int, ...]

    @property
    def households(self) -> int:
        """Households behind all entrances."""
        return sum(self.entrances)


def assumed_entrances(
    households: int, entrances: int | Sequence[int] | None, largest: int = LARGEST_ENTRANCE
) -> tuple[int, ...]:
    """Give the households behind each entrance: as listed, spread over a count, or entrances of at most `largest`.

    Entrances differ by one household at most where they are spread; none is empty.
    """
    if isinstance(entrances, Sequence):
        return tuple(int(share) for share in entrances if share > 0)
    if households <= 0:
        return ()
    count = min(max(entrances or ceil(households / largest), 1), households)
    return tuple(households // count + (i < households % count) for i in range(count))


def read_buildings(data: bytes, *, largest: int = LARGEST_ENTRANCE, **limits: Any) -> list[Building]:
    """Read buildings: polygons or points with `households` and, where known, `entrances` (a count or a list).

    A missing `households` is the sum of a list of entrances, else 0. `limits` are those of `geojson.read`. The key is
    the feature's id, else its number. GeoJSONError: also bad_households, bad_entrances, duplicate_id, too_wide.
    """
    features = read(data, kinds=KINDS, **limits).features
    found: list[Building] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for feature in features:
        try:
            building = _building(feature, largest)
            if building.key in seen:
                raise Refusal("duplicate_id", brief(building.key))
            seen.add(building.key)
            found.append(building)
        except Refusal as refusal:
            problems.append(Problem(feature.number, refusal.code, refusal.detail))
    if problems:
        raise GeoJSONError(problems[:100], more=max(0, len(problems) - 100))
    return found


def _building(feature: Feature, largest: int) -> Building:
    properties = feature.properties
    entrances = _entrances(properties.get("entrances"))
    stated = properties.get("households")
    if stated is None:
        households = sum(entrances) if isinstance(entrances, tuple) else 0
    else:
        households = _whole(stated, "bad_households", MOST_HOUSEHOLDS)
    if isinstance(entrances, tuple) and entrances and sum(entrances) != households:
        raise Refusal("bad_entrances", f"{sum(entrances)} != {households}")
    if is_wide(feature.shape, MOST_DEGREES):
        raise Refusal("too_wide")
    key = str(feature.number if feature.id is None else feature.id)
    name = properties.get("name") or properties.get("housenumber") or key
    return Building(key, str(name), feature.shape, assumed_entrances(households, entrances or None, largest))


def is_wide(shape: Any, degrees: float) -> bool:
    """Whether a shape is wider or higher than so many degrees."""
    west, south, east, north = shapely.bounds(shape).tolist()
    return bool(max(east - west, north - south) > degrees)


def _entrances(value: object) -> int | tuple[int, ...]:
    if isinstance(value, list):
        if len(value) > MOST_ENTRANCES:
            raise Refusal("bad_entrances", str(len(value)))
        return tuple(_whole(share, "bad_entrances", MOST_HOUSEHOLDS) for share in value)
    return 0 if value is None else _whole(value, "bad_entrances", MOST_ENTRANCES)


def _whole(value: object, code: str, most: int) -> int:
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value != int(value):
        raise Refusal(code, brief(value))
    if not 0 <= value <= most:
        raise Refusal(code, brief(value))
    return int(value)


def entrance_parts(building: Building) -> list[Any]:
    """Give the part of a building that belongs to each of its entrances, in degrees: slices across its long axis, as
    wide as their share of the households; of a point, points side by side. A building where nobody lives has one part.
    """
    count = len(building.entrances)
    if building.shape.geom_type == "Point":
        return _points(building.shape, count)
    if count < 2:
        return [building.shape]
    return _slices(building)


def body(building: Building) -> Any:
    """Give an outline in degrees; of a point the rectangle around its entrances, and a little more."""
    if building.shape.geom_type != "Point":
        return building.shape
    west, south, east, north = shapely.total_bounds(entrance_parts(building))
    step = 10.0**-DECIMALS
    return shapely.box(west - step, south - step, east + step, north + step)


def entrance_points(building: Building) -> NDArray[np.float64]:
    """Give a place inside each entrance's part (n, 2), in degrees; (1, 2) for a building where nobody lives."""
    places = shapely.point_on_surface(np.array(entrance_parts(building), dtype=object))
    return np.asarray(shapely.get_coordinates(places), dtype=np.float64)


def _points(point: Any, count: int) -> list[Any]:
    if count < 2:
        return [point]
    plane = Plane(point.x, point.y)
    offsets = (np.arange(count) - (count - 1) / 2) * APART_M
    return list(plane.to_degrees(shapely.points(offsets, np.zeros(count))))


def _slices(building: Building) -> list[Any]:
    """Cut an outline across the long axis of its smallest rectangle, from the western end (or the southern) on."""
    plane = Plane.around(building.shape)
    outline = plane.to_plane(building.shape)
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))
    if len(corners) < 5:
        return [building.shape] * len(building.entrances)
    one, other = corners[1] - corners[0], corners[2] - corners[1]
    axis = one if np.hypot(*one) >= np.hypot(*other) else other
    length = float(np.hypot(*axis))
    axis = axis / length
    if (axis[0], axis[1]) < (-1e-9, 0.0) or (abs(axis[0]) <= 1e-9 and axis[1] < 0):
        axis = -axis
    across = np.array([-axis[1], axis[0]])
    start = float((corners @ axis).min())
    shares = np.cumsum((0, *building.entrances)) / building.households
    cuts = start + shares * length
    cuts[0] -= length
    cuts[-1] += length
    reach = float(np.abs(corners @ across).max()) + length
    left, right = cuts[:-1, None] * axis, cuts[1:, None] * axis
    rings = np.stack((left - reach * across, right - reach * across, right + reach * across, left + reach * across), 1)
    slices = shapely.intersection(outline, shapely.polygons(rings))
    return [
        plane.to_degrees(slice_) if slice_.area > 0 else shapely.point_on_surface(building.shape) for slice_ in slices
    ]
