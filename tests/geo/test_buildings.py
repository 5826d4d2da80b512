"""Buildings read from files, and their entrances."""

import json

import numpy as np
import pytest
import shapely

from geo.buildings import Building, assumed_entrances, entrance_parts, entrance_points, read_buildings
from geo.geojson import GeoJSONError
from tests.geo.towns import PLANE, block, degrees


def file(*features: dict) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def feature(properties: dict, key: object = None) -> dict:
    found = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [121.5, 31.2]}}
    return found if key is None else found | {"id": key}


@pytest.mark.parametrize(
    ("households", "entrances", "shares"),
    [
        (100, None, (34, 33, 33)),
        (40, None, (40,)),
        (41, None, (21, 20)),
        (100, 4, (25, 25, 25, 25)),
        (3, 5, (1, 1, 1)),
        (90, [40, 0, 50], (40, 50)),
        (0, None, ()),
    ],
)
def test_entrances_are_listed_counted_or_assumed(households, entrances, shares):
    assert assumed_entrances(households, entrances) == shares


def test_a_file_gives_keys_names_and_households():
    found = read_buildings(
        file(
            feature({"households": 60, "entrances": 2, "name": "一号楼"}, "a"),
            feature({"entrances": [30, 20]}),
            feature({}, 7),
        )
    )
    assert [(b.key, b.name, b.entrances) for b in found] == [
        ("a", "一号楼", (30, 30)),
        ("2", "2", (30, 20)),
        ("7", "7", ()),
    ]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"households": "many"}, "bad_households"),
        ({"households": -1}, "bad_households"),
        ({"households": 2.5}, "bad_households"),
        ({"households": True}, "bad_households"),
        ({"households": 10**9}, "bad_households"),
        ({"households": 10, "entrances": [4, 4]}, "bad_entrances"),
        ({"households": 10, "entrances": "left"}, "bad_entrances"),
        ({"households": 10, "entrances": [[]]}, "bad_entrances"),
    ],
)
def test_bad_numbers_are_refused_by_the_number_of_the_feature(properties, code):
    with pytest.raises(GeoJSONError) as caught:
        read_buildings(file(feature({"households": 1}, "ok"), feature(properties, "bad")))
    assert [(problem.feature, problem.code) for problem in caught.value.problems] == [(2, code)]


def test_a_key_that_comes_twice_is_refused():
    with pytest.raises(GeoJSONError) as caught:
        read_buildings(file(feature({}, "a"), feature({}, "a")))
    assert caught.value.problems[0].code == "duplicate_id"


def test_slices_are_as_wide_as_their_share_from_west_to_east():
    building = Building("a", "a", degrees(shapely.box(0, 0, 60, 12)), (30, 20, 10))
    parts = PLANE.to_plane(np.array(entrance_parts(building), dtype=object))
    assert shapely.area(parts) == pytest.approx([360, 240, 120], rel=1e-3)
    assert list(np.argsort(shapely.get_x(shapely.centroid(parts)))) == [0, 1, 2]
    points = entrance_points(building)
    assert shapely.intersects_xy(np.array(entrance_parts(building)), points).all()


def test_an_outline_standing_upright_is_cut_from_south_to_north():
    parts = PLANE.to_plane(np.array(entrance_parts(block("a", 0, 0, 80, wide=10, deep=50)), dtype=object))
    middles = shapely.get_y(shapely.centroid(parts))
    assert middles[0] < middles[1]


def test_entrances_of_a_point_stand_side_by_side():
    points = entrance_points(Building("a", "a", shapely.Point(121.5, 31.2), (40, 40, 40)))
    assert len(np.unique(points, axis=0)) == 3
    assert points[1] == pytest.approx((121.5, 31.2), abs=1e-9)


def test_a_building_where_nobody_lives_has_one_place():
    assert entrance_points(block("a", 0, 0, 0)).shape == (1, 2)
