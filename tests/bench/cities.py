"""Real communities to divide: the buildings of each, with the entrances that are assumed, and its boundary.

A file of buildings may have `community` in its properties; the boundaries lie beside it in `…_communities.geojson`.
Boundaries of neighbouring communities overlap, so a building's community is its property, not where it stands.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.buildings import KINDS, Building, assumed_entrances
from geo.geojson import Feature, read

DATA = Path(__file__).parents[3] / "shared" / "data"
CITIES = (DATA / "shanghai_buildings.geojson", DATA / "punggol_blocks.geojson")


@dataclass(frozen=True)
class Place:
    """A community: its city and number, its buildings, its boundary in degrees (None: not known)."""

    city: str
    number: str
    buildings: tuple[Building, ...]
    boundary: Any

    @property
    def households(self) -> int:
        """Households of all its buildings."""
        return sum(building.households for building in self.buildings)

    def __str__(self) -> str:
        return f"{self.city} {self.number}"


def places(path: Path, largest: int) -> list[Place]:
    """The communities of a file of buildings, with entrances of at most `largest` households where none are given.

    Buildings without a community, where others have one, are left out: they are nobody's.
    """
    features = read(path.read_bytes(), kinds=KINDS).features
    grouped: dict[Any, list[Feature]] = defaultdict(list)
    for feature in features:
        grouped[feature.properties.get("community")].append(feature)
    if len(grouped) > 1:
        grouped.pop(None, None)
    boundaries, city = _boundaries(path), path.stem.partition("_")[0]
    return [
        Place(city, str(number), tuple(_building(each, largest) for each in own), boundaries.get(number))
        for number, own in sorted(grouped.items(), key=lambda item: (str(type(item[0])), item[0]))
    ]


def _building(feature: Feature, largest: int) -> Building:
    told = feature.properties
    key = str(feature.number if feature.id is None else feature.id)
    name = str(told.get("name") or told.get("housenumber") or key)
    entrances = assumed_entrances(int(told.get("households") or 0), told.get("entrances"), largest)
    return Building(key, name, feature.shape, entrances)


def _boundaries(path: Path) -> dict[Any, Any]:
    beside = path.with_name(f"{path.stem.rpartition('_')[0]}_communities.geojson")
    if not beside.exists():
        return {}
    features = read(beside.read_bytes(), kinds=("Polygon", "MultiPolygon")).features
    return {feature.properties.get("community"): feature.shape for feature in features}


def grown(building: Building, share: float) -> Building:
    """A building with more households behind the same entrances."""
    households = max(building.households + 1, round(building.households * (1 + share)))
    return Building(building.key, building.name, building.shape, assumed_entrances(households, len(building.entrances)))


STEP = 0.05
"""Degrees between two copies of a city; Shanghai's communities span 0.042."""
ACROSS = 8
"""Copies in a row."""


def spread(originals: Sequence[Place], entrances: int) -> Iterator[Place]:
    """The communities again and again, a row of copies above the other, until they have so many `entrances`."""
    left = entrances
    for lap in count():
        up, right = divmod(lap, ACROSS)
        for place in originals:
            if left <= 0:
                return
            left -= sum(len(building.entrances) for building in place.buildings)
            yield shifted(place, STEP * right, STEP * up, f"{place.number}/{lap}")


def shifted(place: Place, east: float, north: float, number: str) -> Place:
    """A community carried some degrees away, on the grid of 1e-7 degrees."""
    step = np.array([east, north])

    def carry(shape: Any) -> Any:
        return shapely.transform(shape, lambda at: (at + step).round(7))

    buildings = (Building(f"{number}/{b.key}", b.name, carry(b.shape), b.entrances) for b in place.buildings)
    return Place(place.city, number, tuple(buildings), place.boundary and carry(place.boundary))
