"""Where a building's entrances are: what a walk from door to door goes by; pure."""

from collections.abc import Mapping
from typing import Any

import shapely.geometry

from geo.buildings import Building, entrance_points


def entrance_places(geometry: Mapping[str, Any], count: int) -> list[tuple[float, float]]:
    """Longitude and latitude of the entrances 1 … count of a building with this outline, all of one size."""
    building = Building("", "", shapely.geometry.shape(geometry), (1,) * max(count, 1))
    return [(round(float(x), 7), round(float(y), 7)) for x, y in entrance_points(building)]
