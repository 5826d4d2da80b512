"""What `make bench-geo` counts, on shapes small enough to count by hand."""

from math import pi

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon

from geo.buildings import Building
from geo.plane import Plane
from tests.bench.cities import Place, grown, places, shifted, spread
from tests.bench.divisions import Figures, Made, cut_buildings, measure, polsby_popper, within
from tests.bench.geo_figures import Trials, missed
from tests.bench.geo_report import Run, report

PLANE = Plane(121.48, 31.23)


def rectangle(west, south, east, north):
    """A rectangle given in metres from the middle of the plane, in degrees on the grid."""
    shape = PLANE.to_degrees(shapely.box(west, south, east, north))
    return shapely.transform(shape, lambda degrees: degrees.round(7))


def building(key, west, south, east, north, entrances=(10,)):
    return Building(key, key, rectangle(west, south, east, north), tuple(entrances))


LEFT, RIGHT = rectangle(0, 0, 100, 100), rectangle(100, 0, 200, 100)
WHOLE = rectangle(0, 0, 200, 100)
HOUSES = [building("a", 10, 10, 30, 30), building("b", 110, 10, 130, 30), building("c", 40, 40, 60, 60, (5, 5))]
FAIR = Made([LEFT, RIGHT], [[("a", 1), ("c", 1)], [("b", 1), ("c", 2)]], 0.25)


def count(shapes, entrances=FAIR.entrances, boundary=WHOLE, target=15, buildings=HOUSES):
    return measure(Made(shapes, entrances), buildings, boundary, target)


@pytest.mark.parametrize(
    ("shape", "compactness"),
    [
        (rectangle(0, 0, 100, 100), pi / 4),
        (rectangle(0, 0, 400, 100), 4 * pi * 4 / 10**2),
        (PLANE.to_degrees(shapely.Point(0, 0).buffer(100, quad_segs=64)), 1.0),
        (PLANE.to_degrees(MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(9, 9, 10, 10)])), 4 * pi * 2 / 8**2),
        (PLANE.to_degrees(shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2)), 4 * pi * 8 / 16**2),
        (Polygon(), 0.0),
    ],
)
def test_a_square_has_a_quarter_of_pi_and_a_circle_one(shape, compactness):
    assert polsby_popper(shape) == pytest.approx(compactness, rel=2e-3)


def test_a_fair_division():
    found = measure(FAIR, HOUSES, WHOLE, 15)
    assert (found.districts, found.within_10, found.within_5, found.off) == (2, 2, 2, [])
    assert (found.in_pieces, found.gaps, found.overlaps, found.lost, found.cut) == (0, 0, 0, 0, 0)
    assert (found.split, found.buildings, found.seconds) == (1, 3, [0.25])
    assert (found.split_needlessly, found.too_large) == (1, 0)
    smaller = count([LEFT, RIGHT], target=8)
    assert (smaller.split, smaller.split_needlessly, smaller.too_large) == (1, 0, 3)
    assert found.mean_compactness == pytest.approx(pi / 4, rel=1e-3)
    twice = found + found
    assert (twice.districts, twice.split, len(twice.compactness), twice.seconds) == (4, 2, 4, [0.25, 0.25])
    assert Figures() + found == found


@pytest.mark.parametrize(("size", "ten", "five"), [(180, 1, 0), (179, 0, 0), (190, 1, 1), (220, 1, 0), (221, 0, 0)])
def test_the_border_of_a_tolerance_is_within_it(size, ten, five):
    found = count([WHOLE], [[("a", 1)]], target=200, buildings=[building("a", 10, 10, 30, 30, (size,))])
    assert (found.within_10, found.within_5, found.off) == (ten, five, [] if ten else [size])
    assert within(size, 200, 0.1) == bool(ten)


def test_an_entrance_in_no_district_or_in_two_is_lost():
    assert count([LEFT, RIGHT], [[("a", 1), ("c", 1)], [("b", 1)]]).lost == 1
    assert count([LEFT, RIGHT], [[("a", 1), ("c", 1)], [("b", 1), ("c", 1), ("c", 2)]]).lost == 1


def test_an_entrance_outside_its_district_is_counted():
    assert count([LEFT, RIGHT]).outside == 1, "the second half of c stands on the left and was given to the right"
    assert count([LEFT, RIGHT], [[("b", 1)], [("a", 1), ("c", 1), ("c", 2)]]).outside == 4


def test_pieces_overlaps_and_gaps_are_counted():
    parts = MultiPolygon([rectangle(0, 0, 40, 100), rectangle(60, 0, 100, 100)])
    assert count([parts, RIGHT]).in_pieces == 1
    wide = rectangle(0, 0, 100.1, 100)
    assert count([wide, RIGHT]).overlaps == 1 and count([LEFT, RIGHT]).overlaps == 0
    corners = MultiPolygon([rectangle(0, 0, 100, 100), rectangle(100, 100, 200, 200)])
    assert count([corners], [[]]).in_pieces == 1, "what touches at a corner is in two pieces"


def test_a_gap_at_the_edge_and_one_between_districts():
    hole = rectangle(50, 50, 50.2, 50.2)
    assert count([LEFT - hole, RIGHT]).gaps == 1
    assert count([LEFT - hole, RIGHT], boundary=None).gaps == 1
    assert count([LEFT - hole, RIGHT], boundary=WHOLE - hole).gaps == 0, "nobody wants that ground"
    assert count([rectangle(0.1, 0, 100, 100), RIGHT]).gaps == 1
    assert count([LEFT, RIGHT], boundary=rectangle(-0.006, 0, 200, 100)).gaps == 0, "half a step of the grid"


def test_a_building_is_cut_where_its_entrances_stay_together():
    across = building("x", 90, 10, 110, 30)
    assert cut_buildings(Made([LEFT, RIGHT], [[("x", 1)], []]), [across]) == ["x"]
    split = building("x", 90, 10, 110, 30, (5, 5))
    assert cut_buildings(Made([LEFT, RIGHT], [[("x", 1)], [("x", 2)]]), [split]) == [], "this one is meant to be"
    assert cut_buildings(Made([LEFT, RIGHT], [[("x", 1), ("x", 2)], []]), [split]) == ["x"]
    nobody = building("x", 90, 10, 110, 30, ())
    assert cut_buildings(Made([LEFT, RIGHT], [[], []]), [nobody]) == ["x"]
    speck = building("x", 90, 10, 100.02, 30)
    assert cut_buildings(Made([LEFT, RIGHT], [[("x", 1)], []]), [speck]) == []
    elsewhere = Made([LEFT, RIGHT], [[], [("a", 1)]])
    assert cut_buildings(elsewhere, [building("a", 10, 10, 30, 30)]) == ["a"], "it lies outside its own district"
    point = Building("p", "p", PLANE.to_degrees(shapely.Point(100, 50)), (5,))
    assert cut_buildings(Made([LEFT, RIGHT], [[("p", 1)], []]), [point]) == []


FILE = b"""{"type":"FeatureCollection","features":[
{"type":"Feature","id":"x","properties":{"community":2,"households":90},"geometry":{"type":"Point","coordinates":[121.48,31.23]}},
{"type":"Feature","id":"y","properties":{"community":1,"households":9,"entrances":[4,5]},"geometry":{"type":"Point","coordinates":[121.48,31.24]}},
{"type":"Feature","id":"z","properties":{"households":0},"geometry":{"type":"Point","coordinates":[121.48,31.25]}}]}"""
BESIDE = b"""{"type":"Feature","properties":{"community":2},"geometry":{"type":"Polygon",
"coordinates":[[[121.4,31.2],[121.5,31.2],[121.5,31.3],[121.4,31.3],[121.4,31.2]]]}}"""


def test_a_file_holds_communities_with_or_without_boundaries(tmp_path):
    path = tmp_path / "town_buildings.geojson"
    path.write_bytes(FILE)
    (tmp_path / "town_communities.geojson").write_bytes(BESIDE)
    first, second = places(path, 40)
    assert [str(first), str(second)] == ["town 1", "town 2"]
    assert first.boundary is None and second.boundary.bounds == (121.4, 31.2, 121.5, 31.3)
    assert [b.entrances for b in (*first.buildings, *second.buildings)] == [(4, 5), (30, 30, 30)]
    assert [b.entrances for b in places(path, 66)[1].buildings] == [(45, 45)]
    path.write_bytes(FILE.replace(b'"community":1,', b"").replace(b'"community":2,', b""))
    (one,) = places(path, 40)
    assert one.households == 99 and len(one.buildings) == 3


def test_a_block_grows_behind_the_entrances_it_has():
    assert grown(building("a", 0, 0, 9, 9, (10, 10)), 0.5).entrances == (15, 15)
    assert grown(building("a", 0, 0, 9, 9, (1,)), 0.1).entrances == (2,), "by one at least"


def test_a_missed_aim_is_marked_and_the_community_named():
    assert not missed(98, (">=", 98)) and missed(97.9, (">=", 98)) and missed(1, ("<=", 0)) and missed(60, ("<", 60))
    place = Place("town", "7", tuple(HOUSES), WHOLE)
    fair, poor = measure(FAIR, HOUSES, WHOLE, 15), count([LEFT, RIGHT], target=30)
    runs = [Run(40, place, {"ours": fair, "kahip": poor}), Run(66, place, {"ours": poor, "kahip": fair})]
    trial = Trials("walk", "3 routes", {"metres": (5, ("<=", 3)), "seconds": (1, None)}, ["a note"])
    lines = report(runs, [trial]).splitlines()
    balance = [" ".join(line.split()) for line in lines if "within ±10" in line]
    assert balance == [
        "% of districts within ±10 % 100.0 0.0 >= 100",
        "% of districts within ±10 % 0.0 100.0 >= 98 MISSED",
    ]
    assert "  town 7: out [15, 15], outside 1 (2 districts, 15 households on average)" in lines
    assert [" ".join(line.split()) for line in lines[-3:]] == ["metres 5 <= 3 MISSED", "seconds 1", "a note"]


def test_communities_are_repeated_until_there_are_enough_entrances():
    place = Place("town", "1", tuple(HOUSES), WHOLE)
    many = list(spread([place], 10))
    assert [p.number for p in many] == ["1/0", "1/1", "1/2"] and sum(p.households for p in many) == 90
    keys = [b.key for p in many for b in p.buildings]
    assert len(set(keys)) == 9
    moved = shifted(place, 0.1, 0.2, "1/1")
    assert np.allclose(moved.boundary.bounds, np.add(WHOLE.bounds, (0.1, 0.2, 0.1, 0.2)), atol=1e-9)
    assert moved.buildings[0].entrances == HOUSES[0].entrances
