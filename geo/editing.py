"""Edit a division by hand: move entrances, drag a border. The tiling stays whole, or nothing changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geo.buildings import Building
from geo.fabric import on_grid, weave
from geo.plane import area_m2
from geo.problems import PlanError
from geo.rebalancing import homes, moved_shapes

LOST_M2 = 0.5
"""Ground that an edited border may win or lose at its ends by rounding."""

Entrance = tuple[str, int]


def move_entrances(
    districts: Sequence[Any],
    buildings: Sequence[Building],
    labels: Mapping[Entrance, int],
    moved: Mapping[Entrance, int],
) -> list[Any]:
    """Give the polygons after entrances (building's key, number from 1) moved to other districts (indices).

    `labels` says where each entrance is now; one that it does not name is where its place lies. The ground nearest to
    an entrance goes with it. PlanError: several_parts (a district would fall apart, or does not reach the entrance),
    empty (a district would be left without households), outside.
    """
    shapes = [on_grid(shape) for shape in districts]
    fabric = weave(buildings, shapely.union_all(shapes), within=shapes, labels=labels)
    home = homes(fabric)
    if -1 in home:
        raise PlanError("outside", buildings[int(fabric.building[home.index(-1)])].name)
    keys = zip(fabric.building.tolist(), fabric.entrance.tolist(), home, strict=True)
    label = [moved.get((buildings[building].key, number), now) for building, number, now in keys]
    if set(home) - set(label):
        raise PlanError("empty", str(min(set(home) - set(label))))
    result = moved_shapes(fabric, home, label, shapes)
    for index, (old, new) in enumerate(zip(shapes, result, strict=True)):
        if new.geom_type != "Polygon" and old.geom_type == "Polygon":
            raise PlanError("several_parts", str(index))
    return result


def reshape(districts: Sequence[Any], changed: Mapping[int, Any]) -> list[Any]:
    """Give the polygons after some were redrawn (index to polygon): together they must keep the ground they had.

    PlanError: crossing (a polygon crosses itself or its neighbour), several_parts, gap (ground is lost or won).
    """
    shapes = [on_grid(shape) for shape in districts]
    result = list(shapes)
    for index, shape in changed.items():
        kept = on_grid(shape)
        if kept.is_empty or not kept.is_valid:
            raise PlanError("crossing", str(index))
        if kept.geom_type != "Polygon":
            raise PlanError("several_parts", str(index))
        result[index] = shapely.orient_polygons(kept)
    if not changed:
        return result
    before = shapely.union_all([shapes[index] for index in changed])
    after = shapely.union_all([result[index] for index in changed])
    if area_m2(shapely.symmetric_difference(before, after)) > LOST_M2:
        raise PlanError("gap")
    spread = sum(result[index].area for index in changed) - after.area
    if spread > 1e-11 or not shapely.coverage_is_valid(np.array(result, dtype=object)):
        raise PlanError("crossing")
    return result
