"""Propose: any buildings give a whole tiling of connected districts; real ones a good one."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.buildings import Building, assumed_entrances
from geo.dividing import Division, polsby_popper, propose
from geo.geojson import dump
from geo.problems import PlanError
from geo.tiling import check_tiling
from tests.conftest import with_real_files
from tests.geo.towns import block, cut_m2, degrees, rows, shanghai


def bytes_of(division: Division) -> bytes:
    return dump((d.name, {"households": d.households, "entrances": d.entrances}, d.shape) for d in division.districts)


def assert_whole(division: Division, buildings: list[Building], boundary: object) -> None:
    """Every entrance in one district, districts in one piece, no gap, no overlap, no building cut that is not split."""
    shapes = [district.shape for district in division.districts]
    expected = sorted((b.key, n + 1) for b in buildings for n in range(len(b.entrances)))
    assert sorted(entrance for district in division.districts for entrance in district.entrances) == expected
    assert sum(district.households for district in division.districts) == sum(b.households for b in buildings)
    assert all(shape.geom_type == "Polygon" and shape.is_valid for shape in shapes)
    assert shapely.coverage_is_valid(np.array(shapes))
    tiling = check_tiling(shapes, boundary=boundary, minimum_m2=0.5)
    assert tiling.is_seamless
    assert not tiling.parts
    assert np.abs(np.round(shapely.get_coordinates(shapes), 7) - shapely.get_coordinates(shapes)).max() < 1e-12
    assert cut_m2(buildings, shapes, set(division.split)) < 2.0  # real outlines overlap their neighbours by as much


slabs = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 150), st.booleans()),
    min_size=1,
    max_size=30,
    unique_by=lambda slab: slab[:2],
)


@given(slabs, st.integers(0, 3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_buildings_give_a_whole_tiling(town, seed):
    buildings = []
    for x, y, households, is_point in town:
        shape = degrees(
            shapely.Point(50 * x, 25 * y) if is_point else shapely.box(50 * x, 25 * y, 50 * x + 36, 25 * y + 12)
        )
        buildings.append(Building(f"{x}-{y}", "", shape, assumed_entrances(households, None)))
    boundary = degrees(shapely.box(-20, -20, 520, 280))
    division = propose(buildings, boundary, seed=seed, effort=0.05)
    assert_whole(division, buildings, boundary)
    assert bytes_of(division) == bytes_of(propose(buildings, boundary, seed=seed, effort=0.05))


def test_rows_of_slabs_are_divided_evenly_without_a_cut():
    buildings, boundary = rows()
    division = propose(buildings, boundary)
    assert_whole(division, buildings, boundary)
    figures = division.figures()
    assert (figures["districts"], figures["within_10"], figures["split"]) == (12, 1.0, 0)
    assert figures["compactness"] > 0.6


@with_real_files
@pytest.mark.parametrize("community", [1, 9])
def test_real_footprints(community):
    buildings, boundary = shanghai(community)
    division = propose(buildings, boundary, effort=0.4)
    assert_whole(division, buildings, boundary)
    figures = division.figures()
    assert figures["within_10"] >= 0.9
    assert figures["compactness"] > 0.5
    large = {building.key for building in buildings if building.households > 220}
    assert len(set(division.split) - large) < 0.08 * len(buildings)


def test_without_a_boundary_the_ground_around_the_buildings_is_divided():
    buildings, _ = rows(4, 4)
    division = propose(buildings)
    ground = shapely.union_all([district.shape for district in division.districts])
    assert all(ground.covers(building.shape) for building in buildings)
    assert not check_tiling([district.shape for district in division.districts]).gaps


def test_the_ground_holds_every_entrance_of_a_point():
    """Entrances of a point stand side by side: eighty of them reach 40 m to each side."""
    buildings = [Building(str(n), "", degrees(shapely.Point(200 * n, 0)), (5,) * 80) for n in range(3)]
    assert propose(buildings, effort=0.05).figures()["households"] == 1200


def test_a_locked_district_stays_and_comes_first():
    buildings, boundary = rows()
    locked = degrees(shapely.box(-15, -15, 110, 55))
    division = propose(buildings, boundary, locked=[locked])
    assert division.districts[0].shape.symmetric_difference(locked).area < 1e-11
    inside = {b.key for b in buildings if locked.contains(b.shape)}
    assert {key for key, _ in division.districts[0].entrances} == inside
    assert_whole(division, buildings, boundary)


def test_borders_follow_a_river():
    buildings, boundary = rows(8, 6)
    river = degrees(shapely.LineString([(-50, 82), (600, 84)]))
    division = propose(buildings, boundary, barriers=[river])
    assert_whole(division, buildings, boundary)
    assert _crossed(division, river) <= 0.25 * shapely.intersection(river, boundary).length
    assert _crossed(propose(buildings, boundary), river) > 0.5 * shapely.intersection(river, boundary).length


def _crossed(division: Division, river) -> float:
    """How much of a river has the same district on both banks, in degrees: what no border comes within a metre of."""
    borders = shapely.union_all([district.shape.boundary for district in division.districts])
    ground = shapely.union_all([district.shape for district in division.districts])
    return river.intersection(ground).difference(borders.buffer(1e-5)).length


def test_two_islands_are_divided_each_for_itself():
    west, ground = rows(4, 4)
    east = [
        Building("e" + b.key, "", shapely.transform(b.shape, lambda xy: xy + np.array([0.02, 0])), b.entrances)
        for b in west
    ]
    other = shapely.transform(ground, lambda xy: np.round(xy + np.array([0.02, 0]), 7))
    division = propose(west + east, shapely.MultiPolygon([ground, other]))
    assert all(district.shape.geom_type == "Polygon" for district in division.districts)
    assert division.figures()["within_10"] == 1.0


def test_a_tower_on_its_podium_stays_with_it():
    podium, tower = block("podium", 0, 0, 40, wide=60, deep=60), block("tower", 20, 20, 120, wide=15, deep=15)
    others = [block(f"o{i}", 70 * (i % 4) - 70, 80 + 40 * (i // 4), 60) for i in range(8)]
    buildings = [podium, tower, *others]
    division = propose(buildings)
    where = {key: district.name for district in division.districts for key, _ in district.entrances}
    assert where["podium"] == where["tower"]


def test_what_cannot_be_divided_is_said():
    with pytest.raises(PlanError, match="nothing_to_divide"):
        propose([])
    with pytest.raises(PlanError, match="outside far"):
        propose([block("near", 0, 0, 40), block("far", 900, 0, 40)], degrees(shapely.box(-10, -10, 100, 100)))


def test_more_entrances_than_can_be_woven_are_refused_where_they_cannot_be_cut():
    buildings = [Building(str(i), "", degrees(shapely.Point(2 * i, 0)), (20,) * 500) for i in range(31)]
    with pytest.raises(PlanError, match="too_many 15000"):
        propose(buildings, locked=[degrees(shapely.box(-1, -1, 1, 1))])


def test_one_building_is_one_district_or_as_many_as_it_needs():
    assert len(propose([block("a", 0, 0, 90)]).districts) == 1
    tower = propose([block("a", 0, 0, 800)])
    assert tower.figures()["within_10"] == 1.0
    assert tower.split == ("a",)


def test_progress_rises_to_one():
    told: list[float] = []
    propose(*rows(4, 4), progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert len([share for share in told if 0.1 < share < 0.9]) >= 8  # a community is one piece: it moves within it


def test_compactness_of_known_shapes():
    assert polsby_popper(degrees(shapely.box(0, 0, 100, 100))) == pytest.approx(np.pi / 4, rel=1e-3)
    assert polsby_popper(degrees(shapely.Point(0, 0).buffer(100, 64))) == pytest.approx(1, rel=1e-2)
