"""The search: pairs shared out in the best way of all, small houses put together first, the number of districts."""

from itertools import product
from random import Random

import pytest
import shapely

from geo.annealing import Groups, Prices, anneal
from geo.buildings import Building
from geo.coarsening import coarsened
from geo.cutting import components, seeded
from geo.dividing import ground_of, propose
from geo.fabric import weave
from geo.pairing import improve
from tests.geo.test_dividing import assert_whole
from tests.geo.towns import block, degrees, rows


def ground_of_town(buildings, boundary, *, barriers=(), home=None):
    fabric = weave(buildings, boundary, barriers=barriers)
    return ground_of(fabric, range(len(fabric)), home)


def uneven_town(across, down, seed=3):
    random = Random(seed)
    found = [block(f"{i}-{j}", 60 * i, 30 * j, random.choice([20, 45, 80])) for j in range(down) for i in range(across)]
    return found, degrees(shapely.box(-15, -15, 60 * across, 30 * down))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("with_river", [False, True])
def test_a_pair_is_shared_out_in_the_best_way_of_all(kept, with_river):
    buildings, boundary = uneven_town(3, 2)
    river = [degrees(shapely.LineString([(-50, 21), (400, 22)]))] if with_river else []
    home = [i % 2 for i in range(40)]
    ground = ground_of_town(buildings, boundary, barriers=river)
    size = len(ground.weight)
    assert 5 < size <= 14
    if kept:
        ground.home = home[:size]
    prices = Prices(moved=0.01) if kept else Prices()
    groups = Groups(ground, seeded(ground, 2, Random(1)), 2, sum(ground.weight) / 2, 0.1, prices)
    improve(groups)
    found = groups.total()
    every = []
    for label in product((0, 1), repeat=size):
        if 0 < sum(label) < size:
            groups.reset(label)
            if all(groups.whole(members) for members in groups.members):
                every.append(groups.total())
    assert found == pytest.approx(min(every), abs=1e-9)


def test_sharing_out_pairs_keeps_the_sums_right_and_districts_whole():
    buildings, boundary = uneven_town(8, 6)
    ground = ground_of_town(buildings, boundary)
    groups = Groups(ground, seeded(ground, 12, Random(2)), 12, 200, 0.1)
    before = groups.total()
    improve(groups)
    after = groups.total()
    assert after < before
    groups.reset(groups.label)
    assert groups.total() == pytest.approx(after, abs=1e-9)
    assert all(groups.whole(members) for members in groups.members)
    improve(groups)
    assert groups.total() == pytest.approx(after, abs=1e-9)


def test_the_search_keeps_its_sums_right():
    buildings, boundary = uneven_town(8, 6)
    river = degrees(shapely.LineString([(-50, 82), (600, 84)]))
    ground = ground_of_town(buildings, boundary, barriers=[river])
    groups = Groups(ground, seeded(ground, 12, Random(2)), 12, 200, 0.1)
    for focused, last in ((False, False), (True, True)):
        anneal(groups, Random(4), 4000, focused=focused, last=last)
        found = (groups.total(), groups.pieces, list(groups.members))
        groups.reset(groups.label)
        assert groups.total() == pytest.approx(found[0], abs=1e-6)
        assert (groups.pieces, groups.members) == found[1:]


def test_small_houses_are_put_together_and_large_ones_stay_alone():
    small = [block(f"{i}-{j}", 15 * i, 15 * j, 2, wide=10, deep=10) for i in range(15) for j in range(10)]
    large = [block(f"tower{i}", 15 * i, 160, 90, wide=12, deep=12) for i in range(4)]
    buildings = [*small, *large]
    fabric = weave(buildings)
    ground = ground_of(fabric, range(len(fabric)))
    coarse, unit = coarsened(ground, 40, 10)
    assert len(coarse.weight) < 60
    assert sum(coarse.weight) == sum(ground.weight)
    assert sum(coarse.area) == pytest.approx(sum(ground.area))
    for number in range(len(coarse.weight)):
        own = [i for i, u in enumerate(unit) if u == number]
        assert len(components(ground.costs, own, ground.weight)) == 1
        assert len(own) == 1 or coarse.weight[number] <= 10
    assert sum(len([i for i, u in enumerate(unit) if u == unit[atom]]) == 1 for atom in range(150, len(unit))) == 12


def test_houses_on_two_banks_are_not_put_together():
    small = [block(f"{i}-{j}", 15 * i, 15 * j, 2, wide=10, deep=10) for i in range(12) for j in range(8)]
    fabric = weave(small, barriers=[degrees(shapely.LineString([(-50, 57), (400, 58)]))])
    ground = ground_of(fabric, range(len(fabric)))
    _, unit = coarsened(ground, 10, 20)
    for number in set(unit):
        rows_of = {int(small[i].key.split("-")[1]) < 4 for i, u in enumerate(unit) if u == number}
        assert len(rows_of) == 1


def test_a_village_of_small_houses_is_divided_evenly():
    random = Random(5)
    houses = [
        Building(str(n), "", degrees(shapely.box(x, y, x + 10, y + 8)), (2,))
        for n in range(1200)
        for x, y in [(22 * (n % 40) + random.uniform(-4, 4), 18 * (n // 40) + random.uniform(-4, 4))]
    ]
    division = propose(houses)
    figures = division.figures()
    assert (figures["districts"], figures["within_5"], figures["split"]) == (12, 1.0, 0)
    assert figures["compactness"] > 0.55
    boundary = shapely.union_all([district.shape for district in division.districts])
    assert_whole(division, houses, boundary)


def test_there_are_more_districts_where_entrances_are_too_large_for_fewer():
    towers = [
        Building(f"{i}-{j}", "", degrees(shapely.box(60 * i, 40 * j, 60 * i + 40, 40 * j + 15)), (62,) * 3)
        for i in range(5)
        for j in range(4)
    ]
    figures = propose(towers).figures()
    assert round(20 * 186 / 200) == 19
    assert (figures["districts"], figures["within_10"]) == (20, 1.0)


def test_the_number_of_districts_is_kept_where_that_is_asked_by_balance():
    figures = propose(rows()[0]).figures()
    assert (figures["districts"], figures["within_10"]) == (12, 1.0)
