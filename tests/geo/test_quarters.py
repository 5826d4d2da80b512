"""Very many entrances: their ground is cut into quarters, divided one after the other and sewn together again."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings

from geo import dividing
from geo.buildings import Building, assumed_entrances
from geo.dividing import around_buildings, propose
from geo.geojson import dump
from geo.quarters import quarters, sew
from geo.tiling import check_tiling
from tests.conftest import with_real_files
from tests.geo.test_dividing import assert_whole, slabs
from tests.geo.towns import block, cut_m2, degrees, rows, shanghai


@pytest.fixture
def small_quarters(monkeypatch):
    """Cut from 30 entrances on, into quarters of at most 25."""
    monkeypatch.setattr(dividing, "TOGETHER", 30)
    monkeypatch.setattr(dividing, "quarters", lambda *given: quarters(*given, most=25))


def assert_cut(buildings, ground, most, target=200):
    """Quarters tile the ground, have every building once, and cut none."""
    found, seams = quarters(buildings, ground, target, most)
    grounds = [quarter.ground for quarter in found]
    assert sorted(b.key for quarter in found for b in quarter.buildings) == sorted(b.key for b in buildings)
    assert check_tiling(sew(grounds, seams), boundary=ground, minimum_m2=0.5).is_seamless
    for quarter in found:
        assert all(quarter.ground.buffer(1.5e-7).covers(building.shape) for building in quarter.buildings)
    assert cut_m2(buildings, grounds, set()) < 0.1
    assert shapely.coverage_is_valid(np.array(sew(grounds, seams)))
    return found


def test_rows_are_cut_into_quarters_of_whole_districts():
    buildings, boundary = rows(12, 10)
    found = assert_cut(buildings, boundary, 60)
    assert all(sum(len(building.entrances) for building in quarter.buildings) <= 60 for quarter in found)
    households = [sum(building.households for building in quarter.buildings) for quarter in found]
    assert all(abs(each / round(each / 200) - 200) <= 20 for each in households)


def test_a_cut_goes_around_buildings_that_stand_in_its_way():
    offset = [block(f"{i}-{j}", 31 * i + 17 * (j % 2), 20 * j, 40, wide=30) for i in range(10) for j in range(10)]
    found = assert_cut(offset, around_buildings(offset), 30)
    assert len(found) >= 4


def test_a_tower_goes_with_its_podium():
    podium, tower = block("podium", 200, 100, 40, wide=150, deep=60), block("tower", 300, 110, 400, wide=20, deep=20)
    free = [block(f"{i}-{j}", 60 * i, 200 + 30 * j, 50) for i in range(10) for j in range(10)]
    found = assert_cut([podium, tower, *free], around_buildings([podium, tower, *free]), 20)
    where = {building.key: n for n, quarter in enumerate(found) for building in quarter.buildings}
    assert where["podium"] == where["tower"]


def test_islands_are_shared_out_and_lakes_stay_out():
    west, ground = rows(8, 6)
    lake = degrees(shapely.box(200, 17, 230, 27))
    carry = np.array([0.02, 0])
    east = [Building("e" + b.key, "", shapely.transform(b.shape, lambda xy: xy + carry), b.entrances) for b in west]
    other = shapely.transform(ground, lambda xy: np.round(xy + carry, 7))
    reef = degrees(shapely.box(3000, 400, 3100, 500))
    whole = shapely.multipolygons([shapely.difference(ground, lake), other, reef])
    buildings = [*west, *east]
    assert len(assert_cut(buildings, whole, 40)) >= 4


def test_buildings_on_one_spot_cannot_be_cut():
    same = [Building(str(i), "", degrees(shapely.Point(5, 5)), (30,) * 10) for i in range(5)]
    found, seams = quarters(same, around_buildings(same), 200, 10)
    assert (len(found), len(seams)) == (1, 0)


def test_a_town_divided_in_quarters_is_whole_and_even(small_quarters):
    buildings, boundary = rows(16, 10)
    division = propose(buildings, boundary, effort=0.3)
    assert_whole(division, buildings, boundary)
    figures = division.figures()
    assert (figures["districts"], figures["within_10"]) == (40, 1.0)
    assert [district.name for district in division.districts] == [str(n + 1) for n in range(40)]
    again = propose(buildings, boundary, effort=0.3)
    assert dump((d.name, {}, d.shape) for d in division.districts) == dump(
        (d.name, {}, d.shape) for d in again.districts
    )
    assert dump((d.name, {}, d.shape) for d in division.districts) != dump(
        (d.name, {}, d.shape) for d in propose(buildings, boundary, seed=1, effort=0.3).districts
    )


def test_processes_side_by_side_give_the_same_bytes(small_quarters):
    buildings, boundary = rows(12, 8)
    alone, together = (propose(buildings, boundary, effort=0.1, jobs=jobs) for jobs in (1, 3))
    assert dump((d.name, {}, d.shape) for d in alone.districts) == dump(
        (d.name, {}, d.shape) for d in together.districts
    )


@given(slabs)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_buildings_divided_in_quarters_give_a_whole_tiling(small_quarters, town):
    buildings = [
        Building(
            f"{x}-{y}",
            "",
            degrees(
                shapely.Point(50 * x, 25 * y) if is_point else shapely.box(50 * x, 25 * y, 50 * x + 36, 25 * y + 12)
            ),
            assumed_entrances(3 * households, None),
        )
        for x, y, households, is_point in town
    ]
    boundary = degrees(shapely.box(-20, -20, 520, 280))
    assert_whole(propose(buildings, boundary, effort=0.02), buildings, boundary)


def test_rivers_and_progress_also_in_quarters(small_quarters):
    buildings, boundary = rows(12, 8)
    river = degrees(shapely.LineString([(-50, 107), (900, 109)]))
    told = []
    division = propose(buildings, boundary, barriers=[river], progress=told.append, effort=0.2)
    assert_whole(division, buildings, boundary)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


@with_real_files
def test_real_footprints_in_quarters(small_quarters):
    buildings, boundary = shanghai(9)
    assert_cut(buildings, boundary, 25)
    division = propose(buildings, boundary, effort=0.2)
    assert_whole(division, buildings, boundary)
    assert division.figures()["within_10"] >= 0.7
