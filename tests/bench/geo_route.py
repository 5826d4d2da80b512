"""Walks over 30 doors beside the shortest there is, which OR-tools proves."""

from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from random import Random
from time import process_time

import numpy as np
import shapely
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from geo.buildings import Building, entrance_points
from geo.plane import Plane
from geo.walking import Stop, walk
from tests.bench.cities import Place

DOORS = 30
PATIENCE = 30.0
"""Seconds for one proof; a route whose optimum is not proven by then is left out and counted."""


def lived_in(place: Place) -> list[Building]:
    """The buildings of a community where somebody lives."""
    return [building for building in place.buildings if building.households]


def doors(place: Place, random: Random) -> NDArray[np.float64]:
    """Where somebody stands, then 30 doors in as many buildings of a community, each at one of its entrances."""
    some = random.sample(lived_in(place), DOORS + 1)
    return np.array([random.choice(list(entrance_points(building))) for building in some])


def between(stops: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres between stops (n, 2), in their plane."""
    at = shapely.get_coordinates(Plane.around(shapely.points(stops)).to_plane(shapely.points(stops)))
    return np.hypot(*(at[:, None] - at).transpose(2, 0, 1))


def shortest(metres: NDArray[np.float64]) -> tuple[float, list[int]] | None:
    """The length in metres and the order of the shortest open walk from stop 0 through all; None if it is not proven.

    A circuit whose way back to 0 costs nothing; lengths are whole millimetres.
    """
    model, count = cp_model.CpModel(), len(metres)
    arcs = {(i, j): model.new_bool_var(f"{i} {j}") for i in range(count) for j in range(count) if i != j}
    model.add_circuit([(i, j, chosen) for (i, j), chosen in arcs.items()])
    model.minimize(sum(round(1000 * metres[i, j]) * chosen for (i, j), chosen in arcs.items() if j))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = PATIENCE
    if solver.solve(model) != cp_model.OPTIMAL:
        return None
    after = {i: j for (i, j), chosen in arcs.items() if solver.boolean_value(chosen)}
    order = [0]
    while after[order[-1]]:
        order.append(after[order[-1]])
    return length(metres, order), order


def length(metres: NDArray[np.float64], order: Sequence[int]) -> float:
    """Metres of a walk through the stops in this order."""
    return float(sum(metres[i, j] for i, j in pairwise(order)))


def walks(towns: Sequence[Place], routes: int, seed: int) -> tuple[list[float], list[float], int]:
    """By route: % longer than the optimum, processor seconds; then how many optima were not proven."""
    random, gaps, times, unproven = Random(seed), [], [], 0
    large = [place for place in towns if len(lived_in(place)) > DOORS]
    for place in islice(cycle(large), routes if large else 0):
        stops = doors(place, random)
        metres = between(stops)
        began = process_time()
        there = [Stop((float(lon), float(lat))) for lon, lat in stops[1:]]
        order = [0, *(1 + stop for stop in walk(there, (float(stops[0, 0]), float(stops[0, 1]))).order)]
        seconds = process_time() - began
        best = shortest(metres)
        if best is None:
            unproven += 1
            continue
        times.append(seconds)
        gaps.append(100 * (length(metres, order) / best[0] - 1))
    return gaps, times, unproven
