"""Small houses put together before a search: thousands of them make a few hundred units (heavy-edge matching, Karypis
and Kumar 1998), which are searched in the time of a few hundred entrances."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from geo.annealing import Ground


def coarsened(ground: Ground, wanted: int, most: float) -> tuple[Ground, list[int]]:
    """Put neighbours together until about `wanted` units are left, none of more than `most` households; a building of
    more stays as it is. Gives the ground of the units, and the unit of each atom."""
    unit = list(range(len(ground.weight)))
    fixed = _large(ground, most)
    while True:
        coarse = merged(ground, unit)
        if len(coarse.weight) <= wanted:
            return coarse, unit
        mate = _matched(coarse, {unit[i] for i in fixed}, most, len(coarse.weight) - wanted)
        if mate is None:
            return coarse, unit
        number = {old: new for new, old in enumerate(sorted(set(mate)))}
        unit = [number[mate[u]] for u in unit]


def _large(ground: Ground, most: float) -> set[int]:
    """Find the atoms that stay alone: a building's of which the others could not come along."""
    load: dict[int, int] = defaultdict(int)
    atoms: dict[int, int] = defaultdict(int)
    for weight, building in zip(ground.weight, ground.building, strict=True):
        load[building] += weight
        atoms[building] += 1
    return {i for i, building in enumerate(ground.building) if atoms[building] > 1 or load[building] > most}


def _matched(ground: Ground, fixed: set[int], most: float, wanted: int) -> list[int] | None:
    """Pair units, small ones first, each with the neighbour it has the longest border with beside what that has; None
    where none can be paired. Gives for each unit the lower one of its pair."""
    edge = [outer + sum(costs.values()) for outer, costs in zip(ground.outer, ground.costs, strict=True)]
    room = 4 * sum(ground.area) / len(ground.area)
    mate = list(range(len(edge)))
    paired = set(fixed)
    left = wanted
    for i in sorted(range(len(edge)), key=lambda i: (ground.weight[i], ground.area[i], i)):
        if i in paired or left <= 0:
            continue
        best: tuple[float, int] | None = None
        for j, cost in ground.costs[i].items():
            if j in paired or ground.weight[i] + ground.weight[j] > most or ground.area[i] + ground.area[j] > room:
                continue
            if ground.walls is not None and ground.walls[i].get(j, 0.0) > 0:
                continue
            worth = (cost / min(edge[i], edge[j]), -j)
            best = worth if best is None or worth > best else best
        if best is not None:
            j = -best[1]
            paired |= {i, j}
            mate[i] = mate[j] = min(i, j)
            left -= 1
    return None if left == wanted else mate


def merged(ground: Ground, unit: Sequence[int]) -> Ground:
    """Give the ground of units that atoms were put together to; a unit counts as one building."""
    count = max(unit) + 1
    weight, outer, area = [0] * count, [0.0] * count, [0.0] * count
    costs: list[dict[int, float]] = [defaultdict(float) for _ in range(count)]
    walls: list[dict[int, float]] | None = None
    if ground.walls is not None:
        walls = [defaultdict(float) for _ in range(count)]
    building = [0] * count
    for i, u in enumerate(unit):
        weight[u] += ground.weight[i]
        outer[u] += ground.outer[i]
        area[u] += ground.area[i]
        building[u] = ground.building[i]
        for j, cost in ground.costs[i].items():
            if unit[j] != u:
                costs[u][unit[j]] += cost
        if walls is not None and ground.walls is not None:
            for j, metres in ground.walls[i].items():
                if unit[j] != u:
                    walls[u][unit[j]] += metres
    places = np.zeros((count, 2))
    np.add.at(places, list(unit), ground.places)
    places /= np.bincount(list(unit), minlength=count)[:, None]
    plain = [dict(near) for near in costs]
    return Ground(weight, plain, outer, area, building, places, None if walls is None else [dict(w) for w in walls])
