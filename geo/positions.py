"""Positions (RFC 7946, 3.1.1): longitude, then latitude, in degrees of WGS 84; a height after them is dropped."""

from collections.abc import Iterator
from itertools import groupby
from math import isfinite
from typing import Any

from geo.jsontext import brief
from geo.problems import Refusal

Position = tuple[float, float]
Notes = set[str]
"""The repairs made to one feature: words of `problems.REPAIRS`."""

DECIMALS = 7
"""Kept decimals of a degree: 1.1 cm north-south, finer than anyone measures a building (RFC 7946, 11.2 suggests 6)."""

CHINA = (73.0, 3.0, 136.0, 54.0)
"""West, south, east, north. The two ranges do not meet, so swapping a position inside always leaves it outside."""


def positions(value: object, depth: int, notes: Notes) -> Any:
    """Check coordinates nested `depth` lists above a position; give the same nesting of (lon, lat).

    Refusal: bad_position, nan, swapped, out_of_range.
    """
    if depth == 0:
        return _position(value, notes)
    if not isinstance(value, list):
        raise Refusal("bad_position", brief(value))
    return [positions(item, depth - 1, notes) for item in value]


def _position(value: object, notes: Notes) -> Position:
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        raise Refusal("bad_position", brief(value))
    for number in value:
        if type(number) is not float and type(number) is not int:  # True is an int to isinstance
            raise Refusal("bad_position", brief(value))
        if type(number) is float and not isfinite(number):
            raise Refusal("nan", brief(value))
    if len(value) == 3:
        notes.add("third_coordinate")
    first, second = value[0], value[1]
    if -180 <= first <= 180 and -90 <= second <= 90:
        return float(first), float(second)
    swapped = abs(first) <= 90 < abs(second) <= 180
    raise Refusal("swapped" if swapped else "out_of_range", brief(value))


def flat(nested: Any, depth: int) -> Iterator[Position]:
    """Give the positions of coordinates one after another."""
    if depth == 0:
        yield nested
    else:
        for item in nested:
            yield from flat(item, depth - 1)


def refuse_misplaced(nested: Any, depth: int) -> None:
    """Refuse coordinates that are none, wider than half the globe, or in China only when read the other way round.

    A true place of 3°-54° E and 73°-90° N is taken for swapped too: that is ice, Svalbard and the Barents Sea.
    """
    every = list(flat(nested, depth))
    if not every:
        raise Refusal("empty")
    longitudes, latitudes = zip(*every, strict=True)
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    if east - west > 180:
        raise Refusal("antimeridian", f"{west!r} {east!r}")
    if CHINA[1] <= west and east <= CHINA[3] and CHINA[0] <= south and north <= CHINA[2]:
        raise Refusal("swapped", place(every[0]))


def without_repeats(line: list[Position]) -> list[Position]:
    """Drop each position that follows itself."""
    return [position for position, _ in groupby(line)]


def rounded(position: Position) -> Position:
    """Round to the kept decimals, without a negative zero, which would be written as -0.0."""
    return round(position[0], DECIMALS) + 0.0, round(position[1], DECIMALS) + 0.0


def place(position: Position) -> str:
    """Give "longitude latitude" at the kept precision."""
    longitude, latitude = rounded(position)
    return f"{longitude!r} {latitude!r}"
