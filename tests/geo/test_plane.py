"""Metres against known lengths and areas of the ellipsoid."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.plane import Plane, area_m2, distance_m

SHANGHAI = (121.47, 31.23)


@pytest.mark.parametrize(
    ("latitude", "east", "north"),
    [(0, 111_319.5, 110_574.3), (30, 96_486.3, 110_852.4), (45, 78_846.8, 111_131.8), (60, 55_800.0, 111_412.2)],
)
def test_metres_of_a_degree(latitude, east, north):
    """Against the table of Snyder, Map Projections (1987), and the series of the US defence mapping agency."""
    assert Plane(121, latitude).metres_per_degree == pytest.approx((east, north), rel=2e-5)


def test_plane_goes_there_and_back():
    plane = Plane.around(shapely.box(121, 31, 121.2, 31.4))
    assert (plane.lon0, plane.lat0) == pytest.approx((121.1, 31.2))
    shape = shapely.Polygon([(121.1, 31.2), (121.15, 31.2), (121.15, 31.3)], [])
    metres = plane.to_plane(shape)
    assert metres.exterior.coords[0] == pytest.approx((0, 0))
    assert shapely.equals_exact(plane.to_degrees(metres), shape, tolerance=1e-12)
    assert metres.area == pytest.approx(area_m2(shape), rel=1e-3)


def test_plane_takes_arrays():
    shapes = np.array([shapely.Point(121, 31), shapely.Point(121.2, 31)])
    plane = Plane.around(shapes)
    west, east = plane.to_plane(shapes)
    assert east.x - west.x == pytest.approx(distance_m((121, 31), (121.2, 31)), rel=6e-3)


def test_nothing_has_no_middle():
    with pytest.raises(ValueError, match="empty"):
        Plane.around(shapely.Polygon())


def test_plane_errs_as_little_as_it_says():
    here = Plane(*SHANGHAI)
    five_km_north = Plane(SHANGHAI[0], SHANGHAI[1] + 0.045)
    wrong = here.metres_per_degree[0] / five_km_north.metres_per_degree[0] - 1
    assert 0.0003 < wrong < 0.0005


def test_area_of_the_earth():
    assert area_m2(shapely.box(-180, -90, 180, 90)) == pytest.approx(510_065_621.7e6, rel=1e-9)


@pytest.mark.parametrize("latitude", [-60, 0, 1.4, 31.2, 45, 80])
def test_small_areas_agree_with_the_plane(latitude):
    square = shapely.box(121.47, latitude, 121.471, latitude + 0.001)
    assert area_m2(square) == pytest.approx(Plane.around(square).to_plane(square).area, rel=1e-6)


def test_holes_do_not_count_and_points_have_none():
    square, hole = shapely.box(121, 31, 121.1, 31.1), shapely.box(121.02, 31.02, 121.04, 31.04)
    assert area_m2(square - hole) == pytest.approx(area_m2(square) - area_m2(hole))
    assert area_m2(shapely.Point(121, 31)) == area_m2(shapely.Polygon()) == 0


def test_distance():
    assert distance_m(SHANGHAI, SHANGHAI) == 0
    assert distance_m((0, 0), (0, 90)) == pytest.approx(10_007_557, rel=1e-6)
    assert distance_m((0, 0), (180, 0)) == pytest.approx(20_015_114, rel=1e-6)
    assert distance_m((121.4737, 31.2304), (116.4074, 39.9042)) == pytest.approx(1_067_000, rel=6e-3)
    assert distance_m((179.9995, 0), (-179.9995, 0)) == pytest.approx(111.2, rel=1e-3)


def test_distances_broadcast():
    some, others = (
        np.array([[121, 31], [122, 31], [123, 31]], dtype=float),
        np.array([[121, 31], [121, 32]], dtype=float),
    )
    table = distance_m(some[:, None], others)
    assert table.shape == (3, 2)
    assert table[2, 1] == distance_m((123.0, 31.0), (121.0, 32.0))
    assert distance_m(some, SHANGHAI).shape == (3,)
    assert distance_m(some[0], others[0]).shape == ()


degrees = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(degrees, degrees, degrees)
def test_distance_is_a_metric(a, b, c):
    assert distance_m(a, b) == distance_m(b, a) >= 0
    assert distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 1e-1
