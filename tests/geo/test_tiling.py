"""Which district a place is in, and what is wrong with a division."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from geo.geojson import read
from geo.plane import area_m2
from geo.tiling import check_tiling, locate
from tests.conftest import REAL_FILES, with_real_files


def cell(column, row, width=1, height=1):
    """A rectangle of cells of about 95 by 111 m near Shanghai."""
    return box(*at(column, row), *at(column + width, row + height))


def at(column, row):
    """The lower left corner of a cell, rounded as `read` rounds: neighbours share their corners exactly."""
    return round(121.47 + column / 1000, 7), round(31.23 + row / 1000, 7)


GRID = [cell(column, row) for row in range(3) for column in range(3)]


def test_locate():
    points = np.array([at(0.5, 0.5), at(2.5, 0.5), at(1.5, 2.5), at(9, 9), (np.nan, 31.23), (121.47, np.inf)])
    assert locate(GRID, points).tolist() == [0, 2, 7, -1, -1, -1]


def test_a_shared_edge_belongs_to_the_lowest_index():
    line = shapely.segmentize(shapely.LineString([at(1, 0), at(1, 1)]), 0.00001)
    points = shapely.get_coordinates(line)
    left, right = GRID[0], GRID[1]
    assert set(locate([left, right], points)) == set(locate([right, left], points)) == {0}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=20))
def test_every_point_of_a_seamless_grid_is_in_exactly_one(tenths):
    points = np.array([shapely.get_coordinates(GRID[0])[3] + np.array(pair) / 10_000 for pair in tenths])
    points = np.clip(points, at(0, 0), shapely.total_bounds(GRID)[2:])
    found = locate(GRID, points)
    assert (found >= 0).all()
    for index, point in zip(found, points, strict=True):
        assert next(n for n, tile in enumerate(GRID) if tile.intersects(shapely.Point(point))) == index


def test_locate_in_holes_and_parts():
    ring = cell(0, 0, 3, 3) - cell(1, 1)
    scattered = MultiPolygon([cell(5, 0), cell(7, 0)])
    points = np.array([at(1.5, 1.5), at(0.5, 1.5), at(7.5, 0.5), at(6.5, 0.5)])
    assert locate([ring, scattered], points).tolist() == [-1, 0, 1, -1]
    assert locate([ring, cell(1, 1)], points).tolist() == [1, 0, -1, -1]


def test_locate_many_points_as_few():
    """Sweeping over many points and asking a tree for few say the same, also on edges and corners."""
    random = np.random.default_rng(3)
    inside = np.array(at(0, 0)) + random.random((4000, 2)) * (np.array(at(4, 4)) - np.array(at(0, 0)))
    lattice = np.array([at(x / 2, y / 2) for x in range(8) for y in range(8)])
    points = np.vstack((inside, lattice, [[np.nan, 31.2], [np.inf, 31.2]]))
    tiles = [*GRID, shapely.Polygon(), shapely.MultiPolygon([cell(0, 0), cell(3, 3)])]
    assert len(points) > 50 * len(tiles)
    few = np.concatenate([locate(tiles, points[i : i + 100]) for i in range(0, len(points), 100)])
    assert locate(tiles, points).tolist() == few.tolist()
    assert set(few.tolist()) > {-1, 0, 1}


def test_locate_nothing():
    assert locate([], np.array([at(0, 0)])).tolist() == [-1]
    assert locate(GRID, np.empty((0, 2))).tolist() == []
    assert locate([Polygon(), GRID[0]], np.array([at(0.5, 0.5)])).tolist() == [1]


def test_a_hundred_thousand_points_are_located():
    tiles = [shapely.segmentize(cell(column, row), 0.00005) for row in range(20) for column in range(25)]
    points = np.random.default_rng(7).uniform(at(0, 0), at(25, 20), (100_000, 2))
    found = locate(tiles, points)
    expected = (points - at(0, 0)) // 0.001
    assert (found == expected[:, 1] * 25 + expected[:, 0]).mean() > 0.9999


def test_a_seamless_tiling():
    tiling = check_tiling(GRID, boundary=cell(0, 0, 3, 3))
    assert (tiling.overlaps, tiling.gaps, tiling.parts) == ([], [], [])
    assert tiling.is_seamless


def test_an_overlap_has_its_ground():
    tiling = check_tiling([cell(0, 0, 2), cell(5, 5), cell(1, 0, 2)])
    (overlap,) = tiling.overlaps
    assert (overlap.first, overlap.second) == (0, 2)
    assert overlap.area_m2 == pytest.approx(area_m2(cell(1, 0)))
    assert cell(1, 0).contains(shapely.Point(overlap.place))
    assert shapely.equals_exact(overlap.shape.normalize(), cell(1, 0).normalize(), 1e-9)
    assert not tiling.is_seamless


@pytest.mark.parametrize(
    ("tiles", "overlaps"),
    [
        ([cell(0, 0), cell(1, 1)], []),
        ([cell(0, 0), cell(1, 0)], []),
        ([cell(0, 0), cell(0.999, 0)], [(0, 1)]),
        ([cell(0, 0), cell(0.9999, 0, 1, 0.5)], []),
        ([cell(0, 0, 3, 3), cell(1, 1)], [(0, 1)]),
        ([cell(0, 0, 3, 3) - cell(1, 1), cell(1, 1)], []),
        ([cell(0, 0)] * 3, [(0, 1), (0, 2), (1, 2)]),
        ([cell(0, 0, 1, 1).union(cell(2, 0)), cell(0, 0.5, 3, 1)], [(0, 1)]),
        ([Polygon([at(0, 0), at(2, 2), at(2, 0), at(0, 2)]), cell(1.5, 0.9)], [(0, 1)]),
        ([Polygon(), cell(0, 0)], []),
        ([], []),
    ],
    ids=range(11),
)
def test_overlaps(tiles, overlaps):
    assert [(overlap.first, overlap.second) for overlap in check_tiling(tiles).overlaps] == overlaps


def test_an_enclosed_gap():
    tiling = check_tiling([tile for number, tile in enumerate(GRID) if number != 4])
    (gap,) = tiling.gaps
    assert gap.area_m2 == pytest.approx(area_m2(GRID[4]))
    assert GRID[4].contains(shapely.Point(gap.place))


def test_a_gap_between_tiles_that_meet_only_at_corners():
    (gap,) = check_tiling([GRID[1], GRID[3], GRID[5], GRID[7]]).gaps
    assert gap.shape.equals(GRID[4])


def test_an_island_in_a_gap_is_not_part_of_it():
    tiles = [cell(0, 0, 5, 5) - cell(1, 1, 3, 3), cell(2, 2)]
    (gap,) = check_tiling(tiles).gaps
    assert gap.area_m2 == pytest.approx(area_m2(cell(1, 1, 3, 3)) - area_m2(cell(2, 2)))


def test_a_boundary_shows_what_is_left_and_nothing_outside():
    tiles = [cell(0, 0), cell(3, 0, 3, 3) - cell(4, 1)]
    assert len(check_tiling(tiles).gaps) == 1
    tiling = check_tiling(tiles, boundary=cell(0, 0, 3, 1))
    (gap,) = tiling.gaps
    assert gap.area_m2 == pytest.approx(area_m2(cell(1, 0, 2)))
    assert [gap.area_m2 for gap in check_tiling([], boundary=cell(0, 0)).gaps] == [area_m2(cell(0, 0))]


def test_the_least_area():
    tiles = [cell(0, 0), cell(1.001, 0), cell(0, 1, 2.001)]
    boundary = cell(0, 0, 2.001, 2)
    (gap,) = check_tiling(tiles, boundary=boundary).gaps
    assert 10 < gap.area_m2 < 11
    assert check_tiling(tiles, boundary=boundary, minimum_m2=11).is_seamless


def test_parts():
    tiles = [cell(0, 0), MultiPolygon([cell(2, 0), cell(4, 0), cell(6, 0)]), MultiPolygon([cell(0, 4)])]
    tiling = check_tiling(tiles)
    assert tiling.parts == [(1, 3)]
    assert tiling.is_seamless


@with_real_files
def test_the_margin_of_real_communities_is_an_overlap():
    shapes = [made.shape for made in read((REAL_FILES / "shanghai_communities.geojson").read_bytes()).features]
    tiling = check_tiling(shapes)
    assert len(tiling.overlaps) > 20
    assert all(shapes[overlap.first].covers(shapely.Point(overlap.place)) for overlap in tiling.overlaps)
    assert all(locate(shapes, np.array([gap.place])) == -1 for gap in tiling.gaps)


corners = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: at(*pair))
scribbles = st.lists(corners, min_size=3, max_size=7).map(Polygon)


@settings(max_examples=200, deadline=None)
@given(st.lists(scribbles, max_size=5), st.none() | scribbles)
def test_no_scribble_breaks_it(tiles, boundary):
    tiling = check_tiling(tiles, boundary=boundary)
    union = shapely.union_all([shapely.make_valid(tile) for tile in tiles])
    for gap in tiling.gaps:
        assert gap.area_m2 >= 1
        assert gap.shape.intersection(union).area < gap.shape.area / 2
    for overlap in tiling.overlaps:
        assert overlap.first < overlap.second
        assert overlap.area_m2 >= 1
