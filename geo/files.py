"""Files in and out of the command: `-` is standard input or output; what cannot be read is said line by line."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import shapely

from geo import words
from geo.buildings import KINDS, Building, read_buildings
from geo.geojson import Feature, GeoJSONError, Reading, dump, read
from geo.jsontext import brief
from geo.problems import Problem
from geo.walking import Stop

FINE = 0
FOUND = 1
"""Exit status: nothing to say, and a fault that `check` found."""

LIMITS: dict[str, Any] = {"limit_bytes": 300_000_000, "limit_features": 500_000, "limit_vertices": 10_000_000}
"""A city's buildings, on a planner's own machine."""

MOST_STOPS = 1_000
"""Of one walk; the time for it grows with the square."""

POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")

T = TypeVar("T")


class Unreadable(Exception):
    """Input that cannot be used, a line a problem."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class Drawn:
    """The districts of a file: its features, their shapes and their names (the number where there is no name)."""

    features: tuple[Feature, ...]
    shapes: list[Any]
    names: list[str]


def content(path: str) -> bytes:
    """Give the bytes of a file or of standard input. Unreadable."""
    limit = LIMITS["limit_bytes"] + 1
    try:
        if path == "-":
            return sys.stdin.buffer.read(limit)
        with Path(path).open("rb") as file:
            return file.read(limit)
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise Unreadable([f"{path}: {getattr(error, 'strerror', None) or error}"]) from None


def save(path: str | None, data: bytes) -> None:
    """Write bytes to a file, or to standard output where there is no path. Unreadable, where that fails."""
    if path is None or path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(path).write_bytes(data)
    except (OSError, ValueError) as error:
        raise Unreadable([f"{path}: {getattr(error, 'strerror', None) or error}"]) from None


def save_features(path: str | None, found: Sequence[Feature], shapes: Sequence[Any]) -> None:
    """Write features in new shapes with their ids and properties. Unreadable, where a shape cannot be written."""
    members = [(feature.id, feature.properties, shape) for feature, shape in zip(found, shapes, strict=True)]
    try:
        data = dump(members)
    except ValueError:
        raise Unreadable(_unwritten(found, shapes)) from None
    save(path, data)


def _unwritten(found: Sequence[Feature], shapes: Sequence[Any]) -> list[str]:
    lines = []
    for feature, shape in zip(found, shapes, strict=True):
        try:
            dump([(None, {}, shape)])
        except ValueError as error:
            lines.append(f"feature {feature.number}: {words.REFUSED.get(str(error), str(error))}")
    return lines


def from_file(path: str, reader: Callable[[bytes], T]) -> T:
    """Give what `reader` makes of a file. Unreadable, with the path on each line."""
    data = content(path)
    try:
        return reader(data)
    except GeoJSONError as error:
        raise Unreadable(words.refused(path, error)) from None


def features(path: str, kinds: tuple[str, ...], **options: Any) -> Reading:
    """Read features of `kinds`. Unreadable."""
    return from_file(path, lambda data: read(data, kinds=kinds, **(LIMITS | options)))


def buildings(path: str, where: Mapping[str, str] | None) -> list[Building]:
    """Read buildings with their households. Unreadable."""
    return from_file(path, lambda data: read_buildings(data, where=where, **LIMITS))


def districts(path: str, *, keep_invalid: bool = False) -> Drawn:
    """Read districts: polygons with a `name`. Unreadable."""
    found = features(path, POLYGONS, keep_invalid=keep_invalid).features
    names = [_name(feature.properties.get("name"), str(feature.number)) for feature in found]
    return Drawn(found, [feature.shape for feature in found], names)


def labels(path: str, drawn: Drawn) -> dict[tuple[str, int], int]:
    """Give the district (index) of each entrance (building's key, number) that districts list. Unreadable."""
    found: dict[tuple[str, int], int] = {}
    problems = []
    for index, feature in enumerate(drawn.features):
        listed = feature.properties.get("entrances", [])
        if not isinstance(listed, list) or not all(map(_is_label, listed)):
            problems.append(Problem(feature.number, "bad_labels", brief(listed)))
            continue
        found.update({(str(key), number): index for key, number in listed})
    if problems:
        raise Unreadable(words.refused(path, GeoJSONError(problems)))
    return found


def _is_label(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int) and type(value[1]) is int


def stops(path: str) -> tuple[tuple[Feature, ...], list[Stop]]:
    """Read doors to walk to: points, or middles of polygons, with `building`, `entrance` and `floor` where known."""
    found = features(path, KINDS, limit_features=MOST_STOPS).features
    bad = [
        feature for feature in found if not all(_is_level(feature.properties.get(key)) for key in ("entrance", "floor"))
    ]
    if bad:
        problems = [Problem(feature.number, "bad_stop", brief(feature.properties)) for feature in bad]
        raise Unreadable(words.refused(path, GeoJSONError(problems)))
    return found, [_stop(feature) for feature in found]


def _is_level(value: object) -> bool:
    return value is None or (type(value) is int and abs(value) < 1_000)


def _stop(feature: Feature) -> Stop:
    told = feature.properties
    place = shapely.point_on_surface(feature.shape)
    building = told.get("building")
    entrance, floor = (1 if told.get(key) is None else told[key] for key in ("entrance", "floor"))
    key = _name(told.get("name"), str(feature.number if feature.id is None else feature.id))
    return Stop((place.x, place.y), None if building is None else _name(building, ""), entrance, floor, key)


def _name(value: object, otherwise: str) -> str:
    if value is None or value == "":
        return otherwise
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def ground(path: str | None, where: Mapping[str, str] | None) -> Any:
    """Read a boundary: all polygons of a file together; None without a file. Unreadable."""
    if path is None:
        return None
    shapes = [feature.shape for feature in features(path, POLYGONS, where=where).features]
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes, grid_size=1e-7)


def shapes(path: str | None, kinds: tuple[str, ...]) -> list[Any]:
    """Read the single parts of all shapes of a file, such as lines; none without a file. Unreadable."""
    if path is None:
        return []
    return list(shapely.get_parts([feature.shape for feature in features(path, kinds).features]))


def beside(path: str | None) -> TextIO:
    """Where words and figures go: standard output, unless the result itself goes there."""
    return sys.stderr if path == "-" else sys.stdout


def print_json(figures: dict[str, Any], out: TextIO) -> None:
    """Say figures as JSON, equal figures in equal bytes."""
    print(json.dumps(figures, ensure_ascii=False, allow_nan=False, indent=1), file=out)
