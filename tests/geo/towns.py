"""Made-up towns for tests of `geo`: blocks on a plane around a point in Shanghai, turned into degrees."""

import json
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from geo.buildings import Building, assumed_entrances
from geo.fabric import on_grid
from geo.plane import Plane
from tests.conftest import REAL_FILES

PLANE = Plane(121.5, 31.2)


def degrees(shape: Any) -> Any:
    """Metres east and north of the town's middle to degrees on the grid."""
    return on_grid(PLANE.to_degrees(shape))


def block(key: str, x: float, y: float, households: int, *, wide: float = 40, deep: float = 12) -> Building:
    """A slab with its south-western corner at (x, y)."""
    return Building(key, key, degrees(shapely.box(x, y, x + wide, y + deep)), assumed_entrances(households, None))


def rows(across: int = 8, down: int = 6, households: int = 50) -> tuple[list[Building], Any]:
    """Slabs in rows, and the boundary around them."""
    found = [block(f"{i}-{j}", 60 * i, 30 * j, households) for j in range(down) for i in range(across)]
    return found, degrees(shapely.box(-15, -15, 60 * across, 30 * down))


def shanghai(community: int, largest: int = 40) -> tuple[list[Building], Any]:
    """Real footprints of a community of 4,000 households, and its boundary (© OpenStreetMap contributors, ODbL)."""
    features = json.loads((REAL_FILES / "shanghai_buildings.geojson").read_text())["features"]
    outlines = json.loads((REAL_FILES / "shanghai_communities.geojson").read_text())["features"]
    boundary = next(f["geometry"] for f in outlines if f["properties"]["community"] == community)
    found = []
    for feature in features:
        properties = feature["properties"]
        if properties.get("community") == community:
            shares = assumed_entrances(properties["households"], None, largest)
            found.append(Building(feature["id"], feature["id"], shapely.geometry.shape(feature["geometry"]), shares))
    return found, shapely.geometry.shape(boundary)


def cut_m2(buildings: list[Building], districts: list[Any], split: set[str]) -> float:
    """The most ground of a building in one district that lies in another one, in m²."""
    plane = Plane.around(districts)
    flat = plane.to_plane(np.array(districts, dtype=object))
    tree, worst = shapely.STRtree(flat), 0.0
    for building in buildings:
        if building.key in split or building.shape.geom_type == "Point":
            continue
        outline = plane.to_plane(building.shape)
        shares = sorted(shapely.intersection(outline, flat[tree.query(outline)]), key=lambda piece: -piece.area)
        worst = max(worst, *(piece.area for piece in shares[1:]), 0.0)
    return worst
