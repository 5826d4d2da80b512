"""Datums against published places, there and back, and files whose datum is not what was said."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from geo.datum import BOX, DATUMS, shift, shift_shape, suspects_datum, suspects_ground
from geo.plane import distance_m

WAYS = [(source, target) for source in DATUMS for target in DATUMS]

# --- published places, longitude first


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_published_places_to_their_last_digit(wgs84, gcj02):
    assert shift([wgs84], "wgs84", "gcj02")[0] == pytest.approx(gcj02, abs=3e-14)
    assert shift([gcj02], "gcj02", "wgs84")[0] == pytest.approx(wgs84, abs=1e-12)


def test_beijing_station_in_all_three():
    station = {"wgs84": (116.42079, 39.90105), "gcj02": (116.42703, 39.90245), "bd09": (116.43351, 39.90851)}
    for source, target in WAYS:
        published = (source, target) in [("wgs84", "gcj02"), ("gcj02", "bd09")]
        within = 1e-5 if published else 1.5e-5  # five published digits, and two steps or a step back from them
        assert shift([station[source]], source, target)[0] == pytest.approx(station[target], abs=within)


# --- there and back

WITHIN = 0.05  # degrees from the edge of the box, where a place may be ambiguous


def places(west=BOX[0] + WITHIN, south=BOX[1] + WITHIN, east=BOX[2] - WITHIN, north=BOX[3] - WITHIN):
    """Arrays (n, 2) of places in the box."""
    corner, size = np.array([west, south]), np.array([east - west, north - south])
    shares = arrays.arrays(np.float64, st.tuples(st.integers(0, 40), st.just(2)), elements=st.floats(0, 1))
    return shares.map(lambda share: corner + share * size)


@given(places(), st.sampled_from(WAYS))
def test_there_and_back_is_the_same_within_a_micrometre(given_places, way):
    source, target = way
    back = shift(shift(given_places, source, target), target, source)
    assert distance_m(given_places, back).max(initial=0) < 1e-6


def test_there_and_back_where_the_formula_has_a_kink():
    near = np.concatenate([[0.0], np.geomspace(1e-12, 0.05, 2_000)])
    for sign in (1, -1):
        some = np.column_stack((105 + sign * near, np.linspace(18, 53, near.size)))
        for datum in ("gcj02", "bd09"):
            assert distance_m(some, shift(shift(some, "wgs84", datum), datum, "wgs84")).max() < 1e-6


@given(places())
def test_by_way_of_the_one_between_is_the_same(given_places):
    by_way = shift(shift(given_places, "wgs84", "gcj02"), "gcj02", "bd09")
    assert np.array_equal(by_way, shift(given_places, "wgs84", "bd09"))


@given(places(73.5, 18.0, 134.8, 53.5), st.sampled_from([("gcj02", 0, 750), ("bd09", 600, 1600)]))
def test_how_far_a_datum_shifts(given_places, datum):
    name, least, most = datum
    apart = distance_m(given_places, shift(given_places, "wgs84", name))
    assert ((apart > least) & (apart < most)).all()


OUTSIDE = [
    (0, 0),
    (-74, 40.7),
    (2.35, 48.86),
    (151.2, -33.9),
    (139.7, 35.7),
    (103.9, 0.5),
    (90, 60),
    (71, 35),
    (180, 90),
]


def test_outside_the_box_all_datums_are_one():
    for source, target in WAYS:
        assert np.array_equal(shift(OUTSIDE, source, target), OUTSIDE)


def test_the_box_ends_where_it_says():
    west, south, east, north = BOX
    edge = np.array([(west, 30), (east, 30), (100, south), (100, north)])
    beyond = edge + 1e-9 * np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
    assert (shift(edge, "wgs84", "gcj02") != edge).any(axis=1).all()
    assert np.array_equal(shift(beyond, "wgs84", "gcj02"), beyond)


def test_what_is_not_finite_stays():
    odd = np.array([(np.nan, 31), (121, np.inf), (-np.inf, np.nan), (121.5, 31.2)])
    for source, target in WAYS:
        shifted = shift(odd, source, target)
        assert np.array_equal(shifted[:3], odd[:3], equal_nan=True)
        assert np.isfinite(shifted[3]).all()


def test_shifting_leaves_what_was_given_alone():
    some = np.array([(121.5, 31.2)])
    same = shift(some, "wgs84", "wgs84")
    same += 1
    shift(some, "bd09", "wgs84")
    assert some.tolist() == [[121.5, 31.2]]


def test_no_places_are_shifted_to_none():
    assert shift(np.empty((0, 2)), "bd09", "wgs84").shape == (0, 2)


@pytest.mark.parametrize(
    ("positions", "source", "target"),
    [
        ([(121, 31)], "wgs84", "cgcs2000"),
        ([(121, 31)], "GCJ02", "wgs84"),
        ([121, 31], "wgs84", "gcj02"),
        ([(1, 2, 3)], "wgs84", "gcj02"),
    ],
)
def test_what_is_no_datum_or_no_position(positions, source, target):
    with pytest.raises(ValueError, match=r"datums are wgs84, gcj02, bd09|positions are \(n, 2\)"):
        shift(positions, source, target)


# --- shapes


def test_shapes_keep_their_parts_and_their_shared_borders():
    left, right = shapely.box(121.47, 31.23, 121.475, 31.24), shapely.box(121.475, 31.23, 121.48, 31.24)
    hollow = left - shapely.box(121.471, 31.231, 121.472, 31.232)
    moved = shift_shape(np.array([left, right, hollow, shapely.Point(121.47, 31.23)]), "wgs84", "gcj02")
    assert shapely.coverage_is_valid(moved[:2])
    assert moved[2].is_valid
    assert len(moved[2].interiors) == 1
    assert (moved[3].x, moved[3].y) == tuple(shift([(121.47, 31.23)], "wgs84", "gcj02")[0])
    assert shapely.equals_exact(shift_shape(moved[0], "gcj02", "wgs84"), left, tolerance=1e-11)


def test_a_shape_without_vertices_stays_empty():
    assert shift_shape(shapely.Polygon(), "wgs84", "gcj02").is_empty


# --- a file whose datum is not what was said

GROUND = shapely.box(121.470, 31.230, 121.478, 31.237)  # 760 m by 780 m
PLACES = np.array([(121.4705 + 0.001 * i, 31.2305 + 0.001 * j) for i in range(8) for j in range(7)])


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@pytest.mark.parametrize("community", [GROUND, PLACES])
def test_a_file_in_another_datum(datum, community):
    found = suspects_datum(shift(PLACES, "wgs84", datum), community)
    assert (found.datum, found.whole) == (datum, True)
    assert found.metres == pytest.approx({"gcj02": 500, "bd09": 1_140}[datum], rel=0.1)
    assert len(found.places) > len(PLACES) / 3  # the others lie within the community by chance


@pytest.mark.parametrize(("said", "truly"), [(said, truly) for said in DATUMS for truly in DATUMS if said != truly])
def test_whatever_was_said(said, truly):
    found = suspects_datum(shift(PLACES, "wgs84", truly), GROUND, said)
    assert (found.datum, found.whole) == (truly, True)


def test_a_mixed_file_names_those_that_are_off():
    mixed = PLACES.copy()
    strays = [6, 27, 55]  # on the northern and eastern side: what is shifted there leaves the community
    mixed[strays] = shift(PLACES[strays] + (0.002, 0), "wgs84", "bd09")
    found = suspects_datum(mixed, GROUND.buffer(0.003))
    assert (found.datum, found.places, found.whole) == ("bd09", tuple(strays), False)


def test_a_place_that_is_known_is_found_even_within_the_community():
    wide = shapely.box(121.44, 31.20, 121.51, 31.26)
    read = PLACES.copy()
    read[[3, 9]] = shift(PLACES[[3, 9]], "wgs84", "gcj02")
    assert suspects_datum(read, wide) is None
    found = suspects_datum(read, [*shapely.points(PLACES[:20]), *[wide] * (len(PLACES) - 20)])
    assert (found.datum, found.places, found.whole) == ("gcj02", (3, 9), False)


@pytest.mark.parametrize(
    "points",
    [
        PLACES,
        PLACES + np.array((0.0008, 0.0002)),  # drawn 80 m off
        PLACES + np.array((1.0, 0)),  # another city
        PLACES + np.array((-0.006, 0)),  # as far as the shift, but the other way
        np.array([(121.46 + 0.002 * i, 31.22 + 0.002 * j) for i in range(14) for j in range(14)]),  # reaches further
        np.empty((0, 2)),
        np.array([(np.nan, np.nan)]),
    ],
)
def test_what_gives_no_reason_to_ask(points):
    assert suspects_datum(points, GROUND) is None


@pytest.mark.parametrize("community", [shapely.Polygon(), np.empty((0, 2)), []])
def test_without_a_community_there_is_nothing_to_compare_with(community):
    assert suspects_datum(PLACES, community) is None


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_polygons_in_another_datum(datum):
    found = suspects_ground(shift_shape(GROUND, "wgs84", datum), PLACES)
    assert (found.datum, found.whole) == (datum, True)
    assert suspects_ground(shift_shape(GROUND, "wgs84", datum), PLACES, datum) is None
    assert suspects_ground(GROUND, PLACES, datum).datum == "wgs84"


def test_polygons_that_lie_right():
    assert suspects_ground(GROUND, PLACES) is None
    assert suspects_ground(GROUND, np.empty((0, 2))) is None
    assert suspects_ground(shapely.Polygon(), PLACES) is None
    assert suspects_ground(shapely.box(121.470, 31.230, 121.4735, 31.2335), PLACES) is None  # one district of four
