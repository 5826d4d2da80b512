"""A day's doors in walking order: against the proven shortest walk, and the same on a phone."""

import json
import subprocess
from itertools import groupby, pairwise, permutations
from math import hypot
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from geo.plane import Plane, distance_m
from geo.walking import Stop, path, walk

WALK_JS = Path(__file__).parents[2] / "fieldapp" / "static" / "js" / "walk.js"


def made(seed, count, buildings, *, free=False):
    """Entrances (metres) in rows along buildings of a quarter, their buildings, and where somebody stands."""
    chance = Random(seed)
    corners = [(chance.uniform(0, 400), chance.uniform(0, 300)) for _ in range(buildings)]
    groups = [i if i < buildings else chance.randrange(buildings) for i in range(count)]
    points = []
    for i, group in enumerate(groups):
        x, y = corners[group]
        points.append((x + 15 * groups[:i].count(group) + chance.uniform(-3, 3), y + chance.uniform(-3, 3)))
    return points, groups, None if free else (chance.uniform(0, 400), chance.uniform(0, 300))


def millimetres(points):
    return sum(round(hypot(a[0] - b[0], a[1] - b[1]) * 1000) for a, b in pairwise(points))


def is_walk_below(most, points, groups, start):
    """Whether any such walk is at most so many mm long, proven: a circuit over the points, the start and an end. A
    building is not left twice where there are as few steps between buildings as can be."""
    end = len(points) + 1
    places = [start, *points]
    model, arcs, between, lengths = cp_model.CpModel(), [(end, 0, True)], [], []
    for a in range(end):
        for b in range(1, end + 1):
            if a == b or (a, b) == (0, end):
                continue
            taken = model.new_bool_var("")
            arcs.append((a, b, taken))
            if a and b < end and groups[a - 1] != groups[b - 1]:
                between.append(taken)
            if b < end and places[a] is not None:
                lengths.append(millimetres([places[a], places[b]]) * taken)
    model.add_circuit(arcs)
    model.add(sum(between) == len(set(groups)) - 1)
    model.add(sum(lengths) <= most)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = 4, 1
    answer = solver.solve(model)
    assert answer in (cp_model.INFEASIBLE, cp_model.OPTIMAL, cp_model.FEASIBLE)
    return answer != cp_model.INFEASIBLE


@pytest.mark.parametrize("case", [(5, 30, 30), (8, 24, 10), (6, 20, 20)])
def test_no_walk_is_shorter_by_three_per_mille(case):
    points, groups, start = made(*case)
    length = path(points, groups, start)[1]
    assert not is_walk_below(int(length * 0.997), points, groups, start)


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_few_entrances_against_every_order(seed, free):
    points, groups, start = made(seed, 7, 4, free=free)

    def together(order):
        return len(list(groupby(order, key=groups.__getitem__))) == len(set(groups))

    lengths = (
        millimetres([*([start] if start else []), *(points[i] for i in order)])
        for order in permutations(range(7))
        if together(order)
    )
    assert path(points, groups, start)[1] == min(lengths)


def test_the_phone_walks_as_short():
    cases = [made(seed, n, k, free=free) for seed, n, k in ((1, 30, 30), (2, 30, 9), (3, 6, 3), (4, 120, 40), (5, 1, 1))
             for free in (True, False)]  # fmt: skip
    plane = Plane(121.47, 31.23)
    east, north = plane.metres_per_degree

    def degrees(point):
        return point and (plane.lon0 + point[0] / east, plane.lat0 + point[1] / north)

    asked = [
        {"entrances": [{"at": degrees(p), "building": f"b{g}"} for p, g in zip(points, groups, strict=True)],
         "start": degrees(start)}
        for points, groups, start in cases
    ]  # fmt: skip
    script = (
        f'import {{ walk }} from "{WALK_JS.as_uri()}"; import {{ readFileSync }} from "node:fs";'
        'const asked = JSON.parse(readFileSync(0, "utf8"));'
        "console.log(JSON.stringify(asked.map(({ entrances, start }) => walk(entrances, start))));"
    )
    node = ["node", "--no-warnings", "--input-type=module", "--eval", script]
    ran = subprocess.run(node, input=json.dumps(asked), capture_output=True, text=True, check=True)
    for said, question in zip(json.loads(ran.stdout), asked, strict=True):
        entrances, start = question["entrances"], question["start"]
        ours = walk([Stop(e["at"], e["building"], i) for i, e in enumerate(entrances)], start)
        assert sorted(said["order"]) == list(range(len(entrances)))
        buildings = [entrances[i]["building"] for i in said["order"]]
        assert len(list(groupby(buildings))) == len(set(buildings))
        assert said["metres"] <= ours.metres * 1.01 + 0.01
        steps = pairwise([*([start] if start else []), *(entrances[i]["at"] for i in said["order"])])
        assert said["metres"] == pytest.approx(sum(distance_m(a, b) for a, b in steps), rel=0.01, abs=0.05)


def stops(most):
    """Doors of up to five buildings within 500 m; entrances, floors and places may be the same."""
    place = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: (121.47 + p[0] * 1e-4, 31.23 + p[1] * 1e-4))
    stop = st.builds(
        Stop,
        place,
        st.sampled_from(["1", "2", "3", "4", "5", None]),
        st.integers(1, 3),
        st.integers(1, 6),
        st.sampled_from(["01", "02"]),
    )
    return st.lists(stop, max_size=most)


@settings(max_examples=40)
@given(stops(40), st.none() | st.just((121.471, 31.232)))
def test_any_doors_are_walked_once_together_and_from_the_top(doors, start):
    found = walk(doors, start)
    assert sorted(found.order) == list(range(len(doors)))
    assert walk(doors, start) == found
    ordered = [doors[i] for i in found.order]
    buildings = [door.building or door.place for door in ordered]
    assert len(list(groupby(buildings))) == len(set(buildings))
    entrances = [(door.building, door.entrance) if door.building else door.place for door in ordered]
    assert len(list(groupby(entrances))) == len(set(entrances))
    for _, behind in groupby(zip(entrances, ordered, strict=True), key=lambda pair: pair[0]):
        floors = [door.floor for _, door in behind]
        assert floors == sorted(floors, reverse=True)


@pytest.mark.parametrize("count", [5, 30, 150])
def test_never_longer_than_the_nearest_each_time(count):
    """Where every door is a building of its own, so that the nearest may be any."""
    points, _, start = made(count, count, count)
    left, here, metres = list(points), start, 0.0
    while left:
        nearest = min(left, key=lambda p: hypot(p[0] - here[0], p[1] - here[1]))
        metres += hypot(nearest[0] - here[0], nearest[1] - here[1])
        left.remove(nearest)
        here = nearest
    assert path(points, range(count), start)[1] <= metres * 1000 + count


def test_the_walk_is_the_same_in_whatever_order_the_doors_come():
    plane = Plane(121.47, 31.23)
    east, north = plane.metres_per_degree
    points, groups, _ = made(1, 30, 12)
    places = [(121.47 + x / east, 31.23 + y / north) for x, y in points]
    doors = [Stop(place, str(group), i) for i, (place, group) in enumerate(zip(places, groups, strict=True))]
    turned = doors[::-1]
    assert [turned[i] for i in walk(turned).order] == [doors[i] for i in walk(doors).order]


def test_nothing_one_door_and_one_place():
    assert walk([]) == walk([], (121.47, 31.23))
    assert (walk([]).order, walk([]).metres) == ((), 0.0)
    here = Stop((121.47, 31.23), "12", 2, 6)
    assert walk([here]).metres == 0
    assert walk([here], (121.47, 31.231)).metres == pytest.approx(110.9, abs=0.1)
    many = walk([Stop((121.47, 31.23), str(i % 20), i % 60, 1, str(i)) for i in range(200)])
    assert (len(many.order), many.metres) == (200, 0)


def test_a_place_that_is_none_is_refused():
    with pytest.raises(ValueError, match="finite"):
        walk([Stop((121.47, float("nan")))])


def test_five_hundred_doors_are_walked():
    points, groups, _ = made(9, 500, 120)
    order, length = path(points, groups, None)
    assert sorted(order) == list(range(500))
    assert length < millimetres([p for _, p in sorted(zip(groups, points, strict=True))])
