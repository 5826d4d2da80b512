"""Where a building's entrances are, for a walk."""

import pytest

from fieldapp.places.entrances import entrance_places


def test_entrances_lie_along_the_long_axis():
    ring = [[121, 31], [121.0006, 31], [121.0006, 31.0001], [121, 31.0001], [121, 31]]
    places = entrance_places({"type": "Polygon", "coordinates": [ring]}, 3)
    assert [x for x, _ in places] == pytest.approx([121.0001, 121.0003, 121.0005], abs=1e-6)
    assert {y for _, y in places} == {31.00005}


def test_a_point_and_a_building_with_one_entrance():
    assert entrance_places({"type": "Point", "coordinates": [121.5, 31.2]}, 0) == [(121.5, 31.2)]
    assert len(entrance_places({"type": "Point", "coordinates": [121.5, 31.2]}, 4)) == 4
