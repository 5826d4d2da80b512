"""GeoJSON that nobody should trust, given to every subcommand: a line with the feature's number, never a traceback."""

import json
import math

import pytest
import shapely

from geo.cli import main
from geo.geojson import dump
from geo.words import UNPLANNED
from tests.geo.test_checking import GRID, WHOLE, at

LON, LAT = at(0, 0)


def ring(*corners):
    return [list(at(*corner)) for corner in (*corners, corners[0])]


SQUARE = ring((0, 0), (1, 0), (1, 1), (0, 1))
BOW_TIE = ring((0, 0), (2, 2), (2, 0), (0, 2))
ROUND = [
    [LON + 0.001 * math.cos(2 * math.pi * n / 10_000), LAT + 0.001 * math.sin(2 * math.pi * n / 10_000)]
    for n in range(10_000)
]
COMB = [[LON + n * 1e-6, LAT + (n % 2) * 0.001] for n in range(5_000)] + [
    [LON + n * 1e-6, LAT + 0.0005 + (n % 3) * 1e-6] for n in reversed(range(5_000))
]


def feature(coordinates, kind="Polygon", **properties):
    return {
        "type": "Feature",
        "properties": {"name": "x", "households": 40, **properties},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


GOOD = feature(SQUARE and [SQUARE])
POINT = feature(list(at(0.5, 0.5)), "Point")

REFUSED = {
    "not closed, two corners": feature([[list(at(0, 0)), list(at(1, 1))]]),
    "sliver": feature([[[LON, LAT], [LON + 0.001, LAT], [LON + 0.001, LAT + 3e-8]]]),
    "antimeridian": feature([[[179.9, 31], [-179.9, 31], [-179.9, 31.1], [179.9, 31.1]]]),
    "four coordinates": feature([1, 2, 3, 4], "Point"),
    "no coordinates": feature([]),
    "Infinity": feature([[[LON, math.inf], *SQUARE[1:]]]),
    "NaN": feature([[[math.nan, LAT], *SQUARE[1:]]]),
    "huge": feature([[[1e300, LAT], *SQUARE[1:]]]),
    "huge whole": feature([[[10**400, LAT], *SQUARE[1:]]]),
    "text": feature([["121", "31"]]),
    "booleans": feature([True, False], "Point"),
    "latitude first": feature([LAT, LON], "Point"),
    "null geometry": {**GOOD, "geometry": None},
    "no feature": 7,
    "collection": {**GOOD, "geometry": {"type": "GeometryCollection", "geometries": []}},
    "half a pair": {**GOOD, "properties": {"name": "\ud800"}},
}
FILES = {
    "empty": b"",
    "no features": collection().encode(),
    "not JSON": b"households,lon,lat\n1,2,3\n",
    "not UTF-8": "第一".encode("gbk"),
    "deep": b'{"type":"FeatureCollection","features":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    "null": b"null",
    "a bare geometry": json.dumps(GOOD["geometry"]).encode(),
}


PLANS = tuple(UNPLANNED.values())


@pytest.fixture
def commands(tmp_path):
    """Give each subcommand that reads `path`, as arguments."""
    grid = tmp_path / "grid.geojson"
    grid.write_bytes(dump((None, {"name": "d"}, tile) for tile in GRID))
    homes = tmp_path / "homes.geojson"
    homes.write_bytes(dump((None, {"households": 100}, shapely.Point(at(x + 0.5, 0.5))) for x in range(3)))
    out = str(tmp_path / "out.geojson")

    def reading(path):
        return [
            ["check", path],
            ["check", str(grid), "--boundary", path],
            ["check", str(grid), "--points", path],
            ["propose", path, "-o", out],
            ["propose", str(homes), "--boundary", path, "-o", out],
            ["propose", str(homes), "--locked", path, "-o", out],
            ["propose", str(homes), "--barriers", path, "-o", out],
            ["rebalance", path, str(homes), "-o", out],
            ["rebalance", str(grid), path, "-o", out],
            ["route", path],
            ["shift", path, "--from", "gcj02", "--to", "wgs84", "-o", out],
        ]

    return reading


def outcomes(commands, tmp_path, capsys, text):
    """Run every subcommand on a file and give (arguments, exit status, lines of standard error)."""
    path = tmp_path / "hostile.geojson"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for arguments in commands(str(path)):
        status = main(arguments)
        yield arguments, status, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_feature_is_named_by_its_number(name, commands, tmp_path, capsys):
    for arguments, status, lines in outcomes(commands, tmp_path, capsys, collection(GOOD, REFUSED[name])):
        assert status == 2, arguments
        assert any("hostile.geojson: feature 2: " in line for line in lines), (arguments, lines)
        assert all(len(line) < 300 and line.isprintable() for line in lines)


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_one_line(name, commands, tmp_path, capsys):
    for arguments, status, lines in outcomes(commands, tmp_path, capsys, FILES[name]):
        assert (status, len(lines)) == (2, 1), arguments
        assert "hostile.geojson: " in lines[0]


ODD = {
    "bow-tie": feature([BOW_TIE]),
    "hole outside": feature([SQUARE, ring((4, 4), (5, 4), (5, 5))]),
    "holes nested": feature(
        [ring((0, 0), (9, 0), (9, 9), (0, 9)), ring((1, 1), (8, 1), (8, 8)), ring((3, 2), (7, 2), (7, 6))]
    ),
    "overlapping parts": feature([[SQUARE], [ring((0.5, 0), (2, 0), (2, 1), (0.5, 1))]], "MultiPolygon"),
    "two parts": feature([[SQUARE], [ring((3, 0), (4, 0), (4, 1))]], "MultiPolygon"),
    "ring cut in two": feature([ring((0, 0), (4, 0), (4, 4), (0, 4)), ring((0, 2), (2, 1), (4, 2), (2, 3))]),
    "spike of a millimetre": feature([ring((0, 0), (1, 0), (1, 1), (0.50000001, 1), (0.5, 5), (0.5, 1), (0, 1))]),
    "three coordinates": feature([[[*corner, 12.5] for corner in SQUARE]]),
    "10,000 vertices": feature([ROUND]),
    "10,000 vertices that cross": feature([COMB]),
    "the whole world": feature([[[-180, -90], [180, -90], [180, 90], [-180, 90]]]),
    "half the world": feature([[[0, -90], [180, -90], [180, 90], [0, 90]]]),
    "at the pole": feature([[[0, 89.999], [90, 89.999], [170, 90], [90, 90]]]),
    "twice the same": feature([SQUARE]),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_shape_is_read_or_named(name, commands, tmp_path, capsys):
    for arguments, status, lines in outcomes(commands, tmp_path, capsys, collection(GOOD, ODD[name])):
        assert status in (0, 1, 2), arguments
        assert status < 2 or any("feature 2: " in line or line.startswith(PLANS) for line in lines), (arguments, lines)


@pytest.mark.parametrize(
    "properties",
    [
        {"households": "many"},
        {"households": -1},
        {"households": math.nan},
        {"households": 1e999},
        {"households": 2.5},
        {"households": True},
        {"households": [40]},
        {"households": 10**30},
        {"entrances": "two"},
        {"entrances": [-40, 80]},
        {"entrances": [20, 30]},
        {"entrances": {"1": 40}},
        {"entrances": [[[]]]},
        {"entrances": 10**9},
    ],
    ids=str,
)
def test_households_that_are_no_number(properties, commands, tmp_path, capsys):
    text = collection(POINT, feature(list(at(0.7, 0.7)), "Point", **properties))
    seen = 0
    for arguments, status, lines in outcomes(commands, tmp_path, capsys, text):
        if "--points" in arguments or arguments[0] in ("propose", "rebalance"):
            seen += 1
            assert status == 2, arguments
            assert any("feature 2: " in line for line in lines), (arguments, lines)
    assert seen


def test_many_bad_features_end_in_a_count(commands, tmp_path, capsys):
    text = collection(*[REFUSED["null geometry"]] * 250)
    for _, status, lines in outcomes(commands, tmp_path, capsys, text):
        assert (status, len(lines)) == (2, 101)
        assert lines[-1].endswith("and 150 more")


def test_odd_shapes_beside_a_boundary(commands, tmp_path, capsys):
    boundary = tmp_path / "whole.geojson"
    boundary.write_bytes(dump([(None, {}, WHOLE)]))
    path = tmp_path / "odd.geojson"
    path.write_text(collection(*ODD.values()))
    out = str(tmp_path / "out.geojson")
    assert main(["check", str(path), "--boundary", str(boundary), "--repair", out]) in (1, 2)
    kept = [odd for name, odd in ODD.items() if "10,000 vertices that" not in name and "world" not in name]
    path.write_text(collection(*kept))
    assert main(["check", str(path), "--boundary", str(boundary), "--repair", out]) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err
