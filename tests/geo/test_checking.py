"""What is wrong with a division, where, how large, and which repairs are offered and done."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from geo.buildings import Building
from geo.checking import check
from geo.faults import FAULTS, REPAIRS
from geo.geojson import dump, read
from geo.plane import area_m2
from geo.repairing import repair
from geo.tiling import check_tiling, locate
from geo.words import fault as in_words


def at(column, row):
    """The corner of a cell of about 95 by 111 m, on the grid of 1e-7 degrees."""
    return round(121.47 + column / 1000, 7), round(31.23 + row / 1000, 7)


def cell(column, row, width=1, height=1):
    return box(*at(column, row), *at(column + width, row + height))


def shaped(*corners):
    return Polygon([at(*corner) for corner in corners])


def block(key, column, row, *entrances, width=0.2, height=0.2):
    return Building(key, key, cell(column, row, width, height), entrances)


def codes(faults):
    return [fault.code for fault in faults]


GRID = [cell(column, row) for row in range(3) for column in range(3)]
WHOLE = cell(0, 0, 3, 3)


def test_nothing_wrong():
    points = np.array([at(0.5, 0.5), at(1, 0.5), at(1, 1), at(0, 0), at(3, 3)])
    assert check(GRID, boundary=WHOLE, points=points, households=[200] * 9, target=200) == []
    assert check([]) == []


def test_a_bow_tie_is_invalid_and_read_with_corners():
    tie = shaped((0, 0), (2, 2), (2, 0), (0, 2))
    faults = check([tie])
    assert codes(faults) == ["invalid", "parts"]
    (fault, _) = faults
    assert fault.districts == (0,)
    assert (fault.detail, fault.place) == ("self_crossing", at(1, 1))
    assert fault.repair.code == "read_as_valid"
    assert fault.size == pytest.approx(area_m2(fault.shape))
    (mended,) = repair([tie], [fault])
    assert mended.is_valid
    assert mended.equals(fault.shape)


def test_a_shape_with_two_readings_is_left_to_a_person():
    loops = shaped((0, 0), (3, 0), (3, 3), (1, 3), (1, 1), (2, 1), (2, 4), (0, 4))
    assert [(fault.code, fault.repair) for fault in check([loops])] == [("invalid", None), ("gap", None)]


def test_a_shape_that_is_not_understood_takes_no_part_in_repairs():
    outside = Polygon(shapely.get_coordinates(cell(0, 0, 5, 5)), [shapely.get_coordinates(cell(6, 6))])
    faults = check([cell(4.9, 0, 0.2, 0.5), outside])
    assert codes(faults) == ["invalid", "overlap", "parts"]
    assert not any(fault.repair for fault in faults)


@pytest.mark.parametrize("shape", [Polygon(), None, Polygon([(0, 0), (1, 1), (2, 2)]), box(0, 0, np.inf, 1)])
def test_a_shape_without_ground(shape):
    faults = check([GRID[0], shape], points=np.array([at(0.5, 0.5)]), households=[200, 0], target=200)
    assert codes(faults) == ["invalid", "off_size"]
    assert {(fault.districts, fault.repair) for fault in faults} == {((1,), None)}
    assert faults[1].place is None
    assert repair([GRID[0], shape], faults)[0] == GRID[0]


def test_a_small_overlap_is_cut_from_the_later_one():
    tiles = [cell(0, 0, 1.03), cell(1, 0)]
    (fault,) = check(tiles)
    assert (fault.code, fault.districts) == ("overlap", (0, 1))
    assert fault.size == pytest.approx(area_m2(cell(1, 0, 0.03)), rel=1e-6)
    assert cell(1, 0, 0.03).contains(shapely.Point(fault.place))
    assert (fault.repair.code, fault.repair.districts, fault.repair.losers) == ("overlap_cut", (1,), (1,))
    assert fault.repair.area_m2 == fault.size
    mended = repair(tiles, [fault])
    assert mended[1].equals(cell(1.03, 0, 0.97))
    assert mended[0].equals(tiles[0])
    assert check(mended) == []


def test_an_overlap_is_cut_where_the_district_stays_in_one_piece():
    finger = cell(2, 0, 3, 3).union(cell(1, 0.5, 1, 0.02))
    tiles = [finger, cell(1, 0)]
    (fault,) = check(tiles)
    assert fault.repair.losers == (0,)
    assert check(repair(tiles, [fault])) == []
    through = finger.union(cell(0.9, 0.5, 0.1, 0.02))
    assert [(fault.code, fault.repair) for fault in check([through, cell(1, 0)])] == [("overlap", None)]


@pytest.mark.parametrize(
    ("tiles", "points"),
    [
        ([cell(0, 0, 1.5), cell(1, 0)], None),
        ([cell(0, 0), cell(0, 0)], None),
        ([cell(0, 0, 1.03), cell(1, 0)], np.array([at(1.01, 0.5)])),
    ],
    ids=["large", "twice", "a door in it"],
)
def test_an_overlap_that_is_a_decision(tiles, points):
    fault = check(tiles, points=points)[0]
    assert (fault.code, fault.repair) == ("overlap", None)
    assert repair(tiles, [fault]) == tiles


def test_a_gap_goes_to_the_neighbour_with_the_longest_border():
    tiles = [cell(0, 0), cell(1.03, 0), cell(0, 1, 2.03), cell(0, -1, 1.01)]
    faults = check(tiles, boundary=shapely.union_all([cell(0, 0, 2.03, 2), cell(0, -1, 1.01)]))
    (fault,) = faults
    assert (fault.code, fault.repair.code, fault.repair.receiver) == ("gap", "gap_given", 0)
    assert fault.size == pytest.approx(area_m2(cell(1, 0, 0.03)))
    mended = repair(tiles, faults)
    assert mended[0].equals(cell(0, 0, 1.03))
    assert check(mended, boundary=cell(0, 0, 2.03, 2).union(cell(0, -1, 1.01))) == []


def test_borders_are_shared_vertex_by_vertex_after_a_repair():
    tiles = [
        cell(0, 0, 1.02, 2),
        shaped((1, 0), (2, 0), (2, 1), (1, 1.003)),
        shaped((1, 1.003), (2, 1), (2, 2), (1, 2)),
    ]
    mended = repair(tiles, check(tiles))
    assert check(mended) == []
    assert shapely.coverage_is_valid(mended)
    assert len(shapely.get_coordinates(mended[0])) > len(shapely.get_coordinates(tiles[0]))
    assert [shape.wkb for shape in mended] == [
        made.shape.wkb for made in read(dump([(1, {}, s) for s in mended])).features
    ]


def test_a_gap_that_is_a_park_is_a_decision():
    (fault,) = check([tile for number, tile in enumerate(GRID) if number != 4])
    assert (fault.code, fault.districts, fault.repair) == ("gap", (), None)


def test_a_seam_between_many_is_shared():
    tiles = [cell(column + 0.02 * column, row + 0.02 * row) for row in range(3) for column in range(3)]
    door = np.array([at(1.51, 1.51)])
    (fault,) = check(tiles, boundary=cell(0, 0, 3.04, 3.04), points=door)
    assert (fault.code, fault.repair.code) == ("gap", "gap_shared")
    assert sum(area_m2(ground) for _, ground in fault.repair.shares) == pytest.approx(fault.size)
    assert {receiver for receiver, _ in fault.repair.shares} == set(fault.repair.districts)
    mended = repair(tiles, [fault])
    assert check(mended, boundary=cell(0, 0, 3.04, 3.04), points=door) == []
    assert shapely.coverage_is_valid(mended)
    in_it = np.array([at(1.01, 1.5)])
    assert check(tiles, boundary=cell(0, 0, 3.04, 3.04), points=in_it)[0].repair is None


def test_ground_outside_the_boundary():
    tiles = [cell(0, 0), cell(1, 0, 1.03)]
    (fault,) = check(tiles, boundary=cell(0, 0, 2))
    assert (fault.code, fault.districts, fault.repair.code) == ("outside", (1,), "outside_cut")
    assert fault.size == pytest.approx(area_m2(cell(2, 0, 0.03)))
    mended = repair(tiles, [fault])
    assert mended[1].equals(cell(1, 0))
    assert check(mended, boundary=cell(0, 0, 2)) == []
    (fault,) = check(tiles, boundary=cell(0, 0, 1.5))
    assert (fault.code, fault.repair) == ("outside", None)


def test_parts():
    crumb = cell(1.9, 0.8, 0.1, 0.2)
    tiles = [MultiPolygon([cell(0, 0), crumb]), cell(1, 0) - crumb, MultiPolygon([cell(5, 0), cell(7, 0), cell(9, 0)])]
    faults = check(tiles)
    assert [(fault.code, fault.districts, fault.detail) for fault in faults] == [
        ("parts", (0,), "2"),
        ("parts", (2,), "3"),
        ("parts", (2,), "3"),
    ]
    assert (faults[0].repair.code, faults[0].repair.districts) == ("part_given", (0, 1))
    assert faults[0].size == pytest.approx(area_m2(crumb))
    assert faults[1].repair is None
    mended = repair(tiles, faults)
    assert (mended[0], mended[2]) == (cell(0, 0).normalize().reverse(), tiles[2]) or mended[0].equals(cell(0, 0))
    assert mended[1].equals(cell(1, 0))


def test_a_seam_of_millimetres_is_rounding():
    left = shaped((0, 0), (1, 0), (1.0003, 10), (0, 10))
    right = shaped((1, 0), (2, 0), (2, 10), (1.0003, 10), (1.0001, 3.3333))
    assert check_tiling([left, right]).overlaps or check_tiling([left, right], boundary=left.union(right)).is_seamless
    assert check([left, right]) == []


def test_points_in_none_and_in_two():
    tiles = [cell(0, 0, 1.5), cell(1, 0), cell(2, 0)]
    points = np.array([at(0.5, 0.5), at(1.2, 0.5), at(9, 9), (np.nan, 31.2), at(2, 0.5), at(1.5, 0.5)])
    faults = check(tiles, points=points)
    assert [(fault.code, fault.doors, fault.size) for fault in faults[1:]] == [
        ("in_none", (2,), 1),
        ("in_none", (3,), 1),
        ("in_two", (1,), 1),
    ]
    assert faults[1].place == at(9, 9)
    assert faults[3].districts == (0, 1)
    assert faults[3].unit == "households"


def test_points_and_buildings_are_one_or_the_other():
    with pytest.raises(ValueError, match="either"):
        check(GRID, points=np.array([at(0, 0)]), buildings=[])


def test_buildings_in_none_in_two_and_cut():
    tiles = [cell(0, 0, 1.3), cell(1, 0, 1, 1)]
    buildings = [
        block("fine", 0.1, 0.1, 30, 30),
        block("nobody's", 5, 5, 30, 20),
        block("both's", 1.05, 0.1, 10),
        block("empty", 5, 6),
    ]
    faults = check(tiles, buildings=buildings)[1:]
    assert [(fault.code, fault.doors, fault.size, fault.detail) for fault in faults] == [
        ("in_none", (1,), 50, "nobody's"),
        ("in_none", (3,), 0, "empty"),
        ("in_two", (2,), 10, "both's"),
    ]
    assert faults[2].districts == (0, 1)


def test_a_border_through_a_building():
    pair = [cell(0, 0), cell(1, 0)]
    cut, split, grazed = (
        block("cut", 0.85, 0.1, 40),
        block("split", 0.8, 0.5, 20, 20, width=0.4, height=0.1),
        block("grazed", 0.802, 0.7, 40, width=0.2),
    )
    point = Building("point", "", shapely.Point(at(1, 0.9)), (3,))
    (fault,) = check(pair, buildings=[cut, split, grazed, point])
    assert (fault.code, fault.detail, fault.districts, fault.doors) == ("cut", "cut", (0, 1), (0,))
    assert fault.size == pytest.approx(area_m2(cell(1, 0.1, 0.05, 0.2)))


def test_a_listed_entrance_counts_where_the_list_says():
    tower, podium = block("tower", 0.9, 0.4, 30, 30, height=0.1), block("podium", 0.9, 0.4, 40, height=0.1)
    labels = {("tower", 1): 0, ("tower", 2): 0, ("podium", 1): 1}
    pair = [cell(0, 0), cell(1, 0)]
    by_place = check(pair, buildings=[tower], target=60)
    assert [(fault.code, fault.size) for fault in by_place] == [("off_size", 30), ("off_size", 30)]
    listed = check(pair, buildings=[tower, podium], labels=labels, target=60, size_tolerance=0.4)
    assert [fault.code for fault in listed] == ["cut", "cut"]
    assert [fault.detail for fault in listed] == ["tower", "podium"]


def test_sizes():
    assert check(GRID[:3], households=[150, 250, 200], target=200) == []
    faults = check(GRID[:3], households=[149, 251, 0], target=200)
    assert [(fault.code, fault.districts, fault.size) for fault in faults] == [
        ("off_size", (0,), 149),
        ("off_size", (1,), 251),
        ("off_size", (2,), 0),
    ]
    assert codes(check(GRID[:3], households=[149, 251, 0], target=200, size_tolerance=0.3)) == ["off_size"]
    homes = [block("a", 0.1, 0.1, 40, 40), block("b", 0.9, 0.4, 30, 30, height=0.1)]
    counted = check(GRID[:2], buildings=homes, target=110, size_tolerance=0.1)
    assert [(fault.districts, fault.size) for fault in counted] == [((1,), 30)]
    assert check(GRID[:2], points=np.array([at(0.5, 0.5)]), target=200) == []


def test_every_fault_and_repair_has_words():
    crumb = cell(1.9, 0.8, 0.1, 0.2)
    tiles = [
        MultiPolygon([cell(0, 0, 1.01), crumb]),
        cell(1, 0) - crumb,
        cell(2.03, 0, 2),
        shaped((4.03, 0), (5.03, 1), (5.03, 0), (4.03, 1)),
        cell(2.03, 1, 1, 1),
        Polygon(),
    ]
    buildings = [block("x", 0.8, 0.1, 30, width=0.3), block("y", 9, 9, 1), block("z", 1.001, 0.5, 3, width=0.008)]
    faults = check(tiles, buildings=buildings, boundary=cell(0, 0, 5.03).union(cell(2.03, 1, 1, 0.97)), target=100)
    assert {fault.code for fault in faults} == FAULTS
    names = [f"第{number}" for number in range(6)]
    assert all(in_words(fault, names).startswith(fault.code) for fault in faults)
    offered = {fault.repair.code for fault in faults if fault.repair}
    assert offered == REPAIRS - {"overlap_cut", "gap_shared"}


nudges = st.lists(st.integers(-40, 40), min_size=36, max_size=36)


@settings(max_examples=30, deadline=None)
@given(nudges)
def test_small_slips_are_repaired_without_a_rest(moved):
    """Corners that miss each other by up to 4 % of a cell: gaps and overlaps at every border, or at none."""
    tiles = []
    for number, tile in enumerate(GRID):
        shift = np.array(moved[4 * number : 4 * number + 4])[[0, 1, 2, 3, 0], None] * 1e-6
        corners = np.clip(shapely.get_coordinates(tile) + shift, at(0, 0), at(3, 3))
        tiles.append(shapely.set_precision(Polygon(corners), 1e-7))
    middles = np.array([at(column + 0.5, row + 0.5) for row in range(3) for column in range(3)])
    found = check(tiles, boundary=WHOLE, points=middles)
    left, mended = found, tiles
    for _ in range(5):
        mended = repair(mended, left)
        left = check(mended, boundary=WHOLE, points=middles)
    assert all(fault.repair is None for fault in left)
    assert locate(mended, middles).tolist() == locate(tiles, middles).tolist()
    assert all(tile.is_valid for tile in mended)
    if all(fault.repair for fault in found):
        assert left == []
        assert area_m2(shapely.union_all(mended)) == pytest.approx(area_m2(WHOLE), abs=9)


corners = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: at(*pair))
scribbles = st.lists(corners, min_size=3, max_size=7).map(Polygon)


@settings(max_examples=60, deadline=None)
@given(st.lists(scribbles, max_size=4), st.none() | scribbles, st.lists(corners, max_size=4))
def test_no_scribble_breaks_it(tiles, boundary, places):
    points = np.array(places).reshape(-1, 2)
    faults = check(tiles, boundary=boundary, points=points, households=[7] * len(tiles), target=7)
    mended = repair(tiles, faults)
    assert len(mended) == len(tiles)
    untouched = set(range(len(tiles))) - {index for fault in faults if fault.repair for index in fault.repair.districts}
    for index in untouched:
        if tiles[index].is_valid:
            assert area_m2(mended[index]) == pytest.approx(area_m2(tiles[index]), abs=20)
    check(mended, boundary=boundary, points=points)


def test_five_hundred_districts_and_a_hundred_thousand_points():
    tiles = [shapely.segmentize(cell(column, row), 0.00005) for row in range(20) for column in range(25)]
    points = np.random.default_rng(7).uniform(at(0, 0), at(25, 20), (100_000, 2))
    points[500] = at(26, 10)
    (fault,) = check(tiles, boundary=cell(0, 0, 25, 20), points=points, households=[200] * 500, target=200)
    assert (fault.code, fault.doors) == ("in_none", (500,))
