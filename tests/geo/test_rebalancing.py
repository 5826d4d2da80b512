"""Keeping a division up, and editing it by hand: what need not change does not."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.dividing import propose
from geo.editing import move_entrances, reshape
from geo.problems import PlanError
from geo.rebalancing import rebalance
from geo.tiling import check_tiling
from tests.geo.towns import block, degrees, rows

BUILDINGS, BOUNDARY = rows()
PLAN = propose(BUILDINGS, BOUNDARY)
SHAPES = [district.shape for district in PLAN.districts]
LABELS = {entrance: index for index, district in enumerate(PLAN.districts) for entrance in district.entrances}


def assert_tiles(shapes):
    assert shapely.coverage_is_valid(np.array(shapes))
    tiling = check_tiling(shapes, boundary=BOUNDARY, minimum_m2=0.5)
    assert tiling.is_seamless
    assert not tiling.parts


@given(st.integers(0, 1000))
@settings(max_examples=5, deadline=None)
def test_a_balanced_division_stays_as_it_is(seed):
    result = rebalance(SHAPES, BUILDINGS, seed=seed)
    assert result.moves == ()
    assert [district.shape.wkb for district in result.division.districts] == [shape.wkb for shape in SHAPES]


@pytest.mark.parametrize(("index", "growth"), [(2, 1.5), (11, 1.3), (20, 1.5), (38, 1.2), (45, 1.5)])
def test_a_block_that_grew_moves_few(index, growth):
    grown = list(BUILDINGS)
    grown[index] = replace(grown[index], entrances=tuple(round(n * growth) for n in grown[index].entrances))
    result = rebalance(SHAPES, grown)
    assert result.division.figures()["within_10"] == 1.0
    assert sum(move.households for move in result.moves) <= 0.08 * sum(b.households for b in grown)
    shapes = [district.shape for district in result.division.districts]
    assert_tiles(shapes)
    touched = {d for move in result.moves for d in (move.origin, move.target)}
    untouched = set(range(len(SHAPES))) - touched
    assert all(shapes[i].symmetric_difference(SHAPES[i]).area < 1e-12 for i in untouched)


def test_moves_say_which_entrance_goes_where():
    home = LABELS["0-0", 1]
    grown = [replace(b, entrances=(60, 60)) if LABELS[b.key, 1] == home else b for b in BUILDINGS]
    result = rebalance(SHAPES, grown, names=[f"第{i}" for i in range(len(SHAPES))])
    assert result.moves
    for move in result.moves:
        assert LABELS[move.building, move.entrance] == move.origin != move.target
        assert (move.building, move.entrance) in result.division.districts[move.target].entrances
    assert {move.origin for move in result.moves} >= {home}


def test_a_locked_district_neither_gives_nor_takes():
    home = LABELS["0-0", 1]
    grown = [replace(b, entrances=(60, 60)) if LABELS[b.key, 1] == home else b for b in BUILDINGS]
    result = rebalance(SHAPES, grown, locked=[home])
    assert all(home not in (move.origin, move.target) for move in result.moves)


def test_a_building_in_no_district_is_named():
    with pytest.raises(PlanError, match="outside far"):
        rebalance(SHAPES, [*BUILDINGS, block("far", 2000, 2000, 40)])


def neighbours() -> tuple[str, int, int]:
    """A building at a border: its key, its district and the one beside it."""
    for building in BUILDINGS:
        home = LABELS[building.key, 1]
        near = shapely.buffer(building.shape, 0.0004)
        others = [i for i, shape in enumerate(SHAPES) if i != home and shape.intersection(near).area > 2e-8]
        if others:
            try:
                move_entrances(SHAPES, BUILDINGS, LABELS, {(building.key, 1): others[0], (building.key, 2): others[0]})
            except PlanError:
                continue
            return building.key, home, others[0]
    raise AssertionError("no building stands at a border")


def test_a_building_takes_its_ground_along_and_back():
    key, home, other = neighbours()
    building = next(b for b in BUILDINGS if b.key == key)
    moved = {(key, n + 1): other for n in range(len(building.entrances))}
    shapes = move_entrances(SHAPES, BUILDINGS, LABELS, moved)
    assert_tiles(shapes)
    assert shapes[other].covers(building.shape)
    # A node that comes to lie on a neighbour's border is rounded to the grid: some millimetres of that border.
    changed = [i for i, shape in enumerate(SHAPES) if shapes[i].symmetric_difference(shape).area > 1e-10]
    assert changed == sorted((home, other))
    back = move_entrances(shapes, BUILDINGS, LABELS | moved, dict.fromkeys(moved, home))
    assert_tiles(back)
    assert back[home].covers(building.shape)


def test_a_district_may_not_fall_apart_nor_be_emptied():
    far = max(BUILDINGS, key=lambda b: b.shape.distance(SHAPES[0]))
    with pytest.raises(PlanError, match="several_parts"):
        move_entrances(SHAPES, BUILDINGS, LABELS, {(far.key, n + 1): 0 for n in range(len(far.entrances))})
    whole = {entrance: 1 for entrance, index in LABELS.items() if index == 0}
    with pytest.raises(PlanError, match="empty 0"):
        move_entrances(SHAPES, BUILDINGS, LABELS, whole)


def test_a_dragged_border_changes_both_sides():
    west, east = degrees(shapely.box(0, 0, 100, 100)), degrees(shapely.box(100, 0, 200, 100))
    dragged = {
        0: degrees(shapely.Polygon([(0, 0), (100, 0), (120, 50), (100, 100), (0, 100)])),
        1: degrees(shapely.Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (120, 50)])),
    }
    result = reshape([west, east], dragged)
    assert result[0].area > west.area
    assert check_tiling(result, boundary=shapely.union_all([west, east])).is_seamless


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([(0, 0), (90, 0), (90, 100), (0, 100)], "gap"),
        ([(0, 0), (100, 100), (100, 0), (0, 100)], "crossing"),
        ([(0, 0), (120, 0), (120, 100), (0, 100)], "gap"),
    ],
)
def test_a_border_that_breaks_the_tiling_is_refused(ring, code):
    west, east = degrees(shapely.box(0, 0, 100, 100)), degrees(shapely.box(100, 0, 200, 100))
    with pytest.raises(PlanError, match=code):
        reshape([west, east], {0: degrees(shapely.Polygon(ring))})


def test_two_sides_that_both_claim_ground_are_refused():
    west, east = degrees(shapely.box(0, 0, 100, 100)), degrees(shapely.box(100, 0, 200, 100))
    with pytest.raises(PlanError, match="crossing"):
        reshape([west, east], {0: degrees(shapely.box(0, 0, 130, 100)), 1: east})
