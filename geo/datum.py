"""Where a place lies in WGS-84, in GCJ-02 and in BD-09: three ways to write one place in China, 300-1,400 m apart.

GCJ-02 is the datum of maps published in China (Amap 高德, Tencent 腾讯); BD-09 is Baidu's 百度, on top of it. CGCS2000,
which 天地图 and surveyors use, differs from WGS-84 by centimetres and needs no shift. Neither formula is published by
who made it. Both have been public since 2010-2013, as `EvilTransform` and as `bd_encrypt`, and every converter in use
has them; on millions of places they agree with the maps themselves within a metre or so. They are series of sines in
degrees from 105° E, 35° N, in metres, divided by the radii of curvature of Krasovsky's ellipsoid of 1940.

There is no formula back. A step of fixed-point iteration leaves 1/50 of the error or less. On 400,000 places, a
quarter of them about 105° E, where GCJ-02 has a kink, the farthest was 1.5 µm off after four steps for GCJ-02 and 14 µm
for BD-09, whose wave is shorter; 0.01 and 0.15 µm after five; 0.01 µm, the noise of the numbers, after six.

Positions are degrees, longitude first. What lies outside `BOX` is the same in all three.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.plane import Plane, distance_m

Positions = NDArray[np.float64]

DATUMS = ("wgs84", "gcj02", "bd09")

BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of where maps are shifted, as in every converter. It is wider than China: it holds the
Koreas, Mongolia and the north of India too, whose maps nobody shifts. A place within 2 km of its edge may be ambiguous:
a shifted one from inside and an unshifted one from outside are written alike. Those edges are no Chinese ground."""

A = 6_378_245.0
"""Equatorial radius of Krasovsky's ellipsoid in metres."""
EE = 0.006_693_421_622_965_943
"""Its first eccentricity squared, from the flattening 1/298.3."""

STEPS = 6

_BAIDU = np.array([0.0065, 0.006])
_BAIDU_WAVE = np.pi * 3000.0 / 180.0


def shift(positions: ArrayLike, source: str, target: str) -> Positions:
    """Give the positions (n, 2) of `source` as they are written in `target`, each a word of `DATUMS`.

    There and back is the same within 1 µm. What is not finite stays as it is. A million take under a second forwards
    and some seconds back. ValueError for another word, or another number of coordinates.
    """
    if source not in DATUMS or target not in DATUMS:
        raise ValueError(f"{source} to {target}: datums are {', '.join(DATUMS)}")
    given = np.asarray(positions, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(f"positions are (n, 2), not {given.shape}")
    shifted = given.copy()
    here, there = DATUMS.index(source), DATUMS.index(target)
    for step in range(here, there):
        shifted = _forwards(_WAYS[step], shifted)
    for step in range(here, there, -1):
        shifted = _backwards(_WAYS[step - 1], shifted)
    return shifted


def shift_shape(shape: Any, source: str, target: str) -> Any:
    """Give a shapely shape, or an array of shapes, with every vertex shifted; heights are dropped, edges stay straight.

    An edge of 100 m ought to bend by 1 mm in GCJ-02 and by 1 cm in BD-09. Borders that share their vertices share them
    afterwards.
    """
    return shapely.transform(shape, lambda degrees: shift(degrees, source, target))


def _forwards(way: Callable[[Positions], Positions], positions: Positions) -> Positions:
    inside = _in_box(positions)
    shifted = positions.copy()
    shifted[inside] = way(positions[inside])
    return shifted


def _backwards(way: Callable[[Positions], Positions], positions: Positions) -> Positions:
    """Find the place inside the box that `way` brings to each position; where there is none, it is the place itself."""
    near = _in_box(positions, margin=0.05)
    wanted = positions[near]
    found = wanted.copy()
    for _ in range(STEPS):
        found = wanted - (way(found) - found)
    original = positions.copy()
    original[near] = np.where(_in_box(found)[:, None], found, wanted)
    return original


def _in_box(positions: Positions, margin: float = 0.0) -> NDArray[np.bool_]:
    west, south, east, north = BOX
    longitude, latitude = positions.T
    within: NDArray[np.bool_] = (
        (longitude >= west - margin)
        & (longitude <= east + margin)
        & (latitude >= south - margin)
        & (latitude <= north + margin)
    )
    return within


def _to_gcj02(positions: Positions) -> Positions:
    """Shift WGS-84 to GCJ-02: some metres east and north by two series, turned into degrees."""
    longitude, latitude = positions.T
    x, y = longitude - 105.0, latitude - 35.0
    root = np.sqrt(np.abs(x))
    both = 2 / 3 * (20 * _wave(6, x) + 20 * _wave(2, x))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
    east += 2 / 3 * (20 * _wave(1, x) + 40 * _wave(1 / 3, x) + 150 * _wave(1 / 12, x) + 300 * _wave(1 / 30, x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
    north += 2 / 3 * (20 * _wave(1, y) + 40 * _wave(1 / 3, y) + 160 * _wave(1 / 12, y) + 320 * _wave(1 / 30, y))
    phi = np.radians(latitude)
    w2 = 1 - EE * np.sin(phi) ** 2
    across, along = A / np.sqrt(w2) * np.cos(phi), A * (1 - EE) / w2**1.5
    return positions + np.degrees(np.column_stack((east / across, north / along)))


def _wave(frequency: float, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the sine that repeats after 2 / `frequency` degrees."""
    return np.asarray(np.sin(frequency * np.pi * degrees))


def _to_bd09(positions: Positions) -> Positions:
    """Shift GCJ-02 to BD-09: degrees as a plane, a wave on its polar coordinates, and a step to the north-east."""
    longitude, latitude = positions.T
    radius = np.hypot(longitude, latitude) + 0.000_02 * np.sin(latitude * _BAIDU_WAVE)
    angle = np.arctan2(latitude, longitude) + 0.000_003 * np.cos(longitude * _BAIDU_WAVE)
    return np.column_stack((radius * np.cos(angle), radius * np.sin(angle))) + _BAIDU


_WAYS = (_to_gcj02, _to_bd09)
"""From each datum of `DATUMS` to the next."""


# --- a file in another datum than was said

HOME_M = 50.0
"""So far a place may lie from where it is looked for: drawing, and the difference between two sources."""
OFF_M = 100.0
"""So far off is not drawing any more. The shift is 300 m and more wherever people live."""
MOST_STRAYS = 0.2
"""Of what lies off, so much may stay off in the other datum: with more, the file simply reaches further."""


@dataclass(frozen=True)
class Suspicion:
    """Places that lie off as they were read, but at home if they were written in `datum`.

    `places` are their indices; `metres` the middle distance between the two readings; `whole` whether all places of the
    file, but for one in twenty, are at home in `datum`, so that none needs to be left as it was read.
    """

    datum: str
    places: tuple[int, ...]
    metres: float
    whole: bool


def suspects_datum(points: ArrayLike, community: Any, read_as: str = "wgs84") -> Suspicion | None:
    """Tell whether points that were read as `read_as` (n, 2; as they stand in the file) look like another datum's.

    `community` is where they are looked for, in WGS-84: a polygon; or other places of the community (m, 2), whose hull
    it is; or a list of n shapes, one for each point, where each is known to lie. None: nothing lies off, or what lies
    off has another reason. A single place off in just this direction is told too: a hint for a person, never a verdict.
    """
    given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    homes = _homes(community)
    if not len(given) or homes is None:
        return None
    return _judge({datum: _metres_off(shift(given, datum, "wgs84"), homes) for datum in DATUMS}, given, read_as)


def suspects_ground(ground: Any, places: ArrayLike, read_as: str = "wgs84") -> Suspicion | None:
    """The same for polygons of a file: whether `places` of the community (m, 2; WGS-84) lie on `ground` as it was read.

    The indices are those of `places`.
    """
    known = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    if not len(known) or shapely.is_empty(ground):
        return None
    homes = np.asarray(ground, dtype=object)
    readings = {datum: _metres_off(shift(known, "wgs84", datum), homes) for datum in DATUMS}
    return _judge(readings, shift(known, "wgs84", read_as), read_as)


def _homes(community: Any) -> Any:
    """Give the shape, or the n shapes, that points are looked for in; None without any."""
    if isinstance(community, np.ndarray) and community.dtype != object:
        community = shapely.MultiPoint(community.reshape(-1, 2)).convex_hull
    homes = np.asarray(community, dtype=object)
    return None if not homes.size or bool(shapely.is_empty(homes).all()) else homes


def _metres_off(points: Positions, homes: Any) -> NDArray[np.float64]:
    """Give metres from each point to its home, infinitely many where a point is not finite."""
    plane = Plane.around(homes)
    finite = np.isfinite(points).all(axis=1)
    metres = np.full(len(points), np.inf)
    looked_for = homes if homes.ndim == 0 else homes[finite]
    metres[finite] = shapely.distance(plane.to_plane(shapely.points(points[finite])), plane.to_plane(looked_for))
    return metres


def _judge(readings: dict[str, NDArray[np.float64]], points: Positions, read_as: str) -> Suspicion | None:
    """Choose the datum that brings most of what lies off home; `readings` are metres off by datum (n)."""
    off = readings[read_as] > OFF_M
    best: Suspicion | None = None
    for datum, metres_off in readings.items():
        home = metres_off <= HOME_M
        found = np.flatnonzero(off & home)
        if datum == read_as or not found.size or found.size < (1 - MOST_STRAYS) * off.sum():
            continue
        if best is None or found.size > len(best.places):
            apart = distance_m(points[found], shift(shift(points[found], datum, "wgs84"), "wgs84", read_as))
            whole = bool(home.mean() >= 0.95)
            best = Suspicion(datum, tuple(found.tolist()), float(np.median(apart)), whole)
    return best
