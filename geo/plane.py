"""Metres from degrees: a local plane, areas and distances. Coordinates are WGS 84, longitude first."""

from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from typing import Any, overload

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

A = 6_378_137.0
"""Equatorial radius of WGS 84 in metres."""
E2 = 0.006_694_379_990_141_317
"""Its first eccentricity squared."""
E = sqrt(E2)
MEAN_RADIUS = 6_371_008.8
"""(2a + b) / 3 in metres, the sphere of `distance_m` (IUGG)."""


@dataclass(frozen=True)
class Plane:
    """An equirectangular plane that touches WGS 84 at (lon0, lat0), in degrees; x is east, y is north, in metres.

    North-south lengths err by less than 0.02 % within 100 km. East-west lengths err by d·tan(lat0)/R at d metres north
    or south of the centre: 0.05 % at 5 km from Shanghai, 0.1 % from Harbin. Good for a community, not for a province.
    """

    lon0: float
    lat0: float

    @classmethod
    def around(cls, shape: Any) -> "Plane":
        """Give the plane at the middle of the bounds of a shape or of several. ValueError where all are empty."""
        west, south, east, north = (float(value) for value in shapely.total_bounds(shape))
        if not west <= east:
            raise ValueError("an empty shape has no middle")
        return cls((west + east) / 2, (south + north) / 2)

    @property
    def metres_per_degree(self) -> tuple[float, float]:
        """Metres of one degree of longitude and of latitude at the centre, from the two radii of curvature."""
        phi = radians(self.lat0)
        w2 = 1 - E2 * sin(phi) ** 2
        return radians(A / sqrt(w2) * cos(phi)), radians(A * (1 - E2) / w2**1.5)

    def to_plane(self, shape: Any) -> Any:
        """Give a shape, or an array of shapes, with degrees turned into metres."""
        centre, scale = np.array([self.lon0, self.lat0]), np.array(self.metres_per_degree)
        return shapely.transform(shape, lambda degrees: (degrees - centre) * scale)

    def to_degrees(self, shape: Any) -> Any:
        """Undo `to_plane`."""
        centre, scale = np.array([self.lon0, self.lat0]), np.array(self.metres_per_degree)
        return shapely.transform(shape, lambda metres: metres / scale + centre)


def area_m2(shape: Any) -> float:
    """Give the area of a shape on the ellipsoid in m², 0 for points and lines.

    By Lambert's cylindrical equal-area projection with authalic latitude (Snyder, Map Projections, 1987, eq. 3-12):
    exact however large the shape is, but for edges, which are straight in it instead of in degrees (under 1e-7 of the
    area for edges under 1 km).
    """
    return float(shapely.transform(shape, _equal_area).area)


def _equal_area(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    angles = np.radians(degrees)
    sine = np.sin(angles[:, 1])
    q = (1 - E2) * (sine / (1 - E2 * sine**2) + np.arctanh(E * sine) / E)
    return np.column_stack((A * angles[:, 0], A * q / 2))


@overload
def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float: ...
@overload
def distance_m(a: NDArray[np.float64], b: ArrayLike) -> NDArray[np.float64]: ...
@overload
def distance_m(a: ArrayLike, b: NDArray[np.float64]) -> NDArray[np.float64]: ...
def distance_m(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64] | float:
    """Give metres between positions (…, 2), broadcast against each other: (n, 1, 2) and (m, 2) give (n, m).

    Haversine on the mean sphere: within 0.6 % of the ellipsoid, without loss at short range.
    """
    one, other = np.radians(np.asarray(a, dtype=np.float64)), np.radians(np.asarray(b, dtype=np.float64))
    half = np.sin((other - one) / 2) ** 2
    h = half[..., 1] + np.cos(one[..., 1]) * np.cos(other[..., 1]) * half[..., 0]
    metres = 2 * MEAN_RADIUS * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return float(metres) if isinstance(a, tuple) and isinstance(b, tuple) else np.asarray(metres)
