"""`python -m geo`: what each subcommand reads, writes, says and gives as exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import problems, words
from geo.cli import main
from geo.geojson import dump, read
from tests.geo.test_checking import GRID, WHOLE, at, cell, shaped

ROOT = Path(__file__).parents[2]


def run(*arguments, data=b"", **environment):
    """Run the command as a person would, in a process of its own."""
    command = [sys.executable, "-m", "geo", *arguments]
    return subprocess.run(command, cwd=ROOT, input=data, capture_output=True, env={**os.environ, **environment})


def written(path, shapes, properties=None, ids=None):
    """Write shapes as features; `properties` is one mapping for each."""
    count = len(shapes)
    members = zip(ids or range(1, count + 1), properties or [{}] * count, shapes, strict=True)
    path.write_bytes(dump(members))
    return str(path)


def named(count):
    return [{"name": f"第{number}", "households": 200, "note": {"kept": [1]}} for number in range(1, count + 1)]


@pytest.fixture
def grid(tmp_path):
    return written(tmp_path / "grid.geojson", GRID, named(9))


@pytest.fixture
def slipped(tmp_path):
    """Two districts that overlap a little."""
    return written(tmp_path / "slipped.geojson", [cell(0, 0, 1.03), cell(1, 0)], named(2))


def test_every_code_has_words():
    assert words.REFUSED.keys() == problems.REFUSALS | problems.BUILDING_REFUSALS | problems.COMMAND_REFUSALS


def test_as_a_process(slipped, grid, tmp_path):
    fine = run("check", grid)
    assert (fine.returncode, fine.stdout.decode(), fine.stderr) == (0, "9 districts, nothing wrong\n", b"")
    found = run("check", slipped)
    assert (found.returncode, found.stderr) == (1, b"")
    assert found.stdout.decode().startswith("overlap 121.471015,31.2305: 第1 and 第2 overlap by 3")
    missing = run("check", str(tmp_path / "none.geojson"))
    assert (missing.returncode, missing.stdout) == (2, b"")
    assert missing.stderr.decode().endswith("none.geojson: No such file or directory\n")
    assert run("check").returncode == 2


def test_standard_input_and_output(slipped):
    shifted = run("shift", "-", "--from", "wgs84", "--to", "gcj02", data=Path(slipped).read_bytes())
    assert (shifted.returncode, shifted.stderr) == (0, b"")
    assert len(read(shifted.stdout).features) == 2


@pytest.fixture
def town(tmp_path):
    """Twenty-four buildings of two entrances of 20 households, in a boundary, as two paths."""
    places = [(column, row) for row in range(4) for column in range(6)]
    shapes = [cell(column / 2 + 0.1, row / 2 + 0.1, 0.3, 0.2) for column, row in places]
    homes = [{"households": 40, "entrances": 2, "name": f"{n}号"} for n in range(1, 25)]
    boundary = written(tmp_path / "boundary.geojson", [cell(0, 0, 3, 2)])
    return written(tmp_path / "homes.geojson", shapes, homes), boundary


def test_propose_gives_the_same_bytes_and_nothing_to_check(town, tmp_path, capsys):
    homes, boundary = town
    arguments = ["propose", homes, "--boundary", boundary, "--target", "240", "--seed", "5"]
    found = [run(*arguments, PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert found[0].stdout == found[1].stdout
    assert [(one.returncode, one.stderr.decode().splitlines()[0]) for one in found] == [(0, "districts: 4")] * 2
    out = tmp_path / "districts.geojson"
    assert main([*arguments, "-o", str(out), "--json"]) == 0
    assert out.read_bytes() == found[0].stdout
    figures = json.loads(capsys.readouterr().out)
    assert (figures["districts"], figures["households"], figures["within_10"]) == (4, 960, 1.0)
    districts = [feature.properties for feature in read(out.read_bytes()).features]
    assert [district["name"] for district in districts] == ["1", "2", "3", "4"]
    doors = [tuple(door) for district in districts for door in district["entrances"]]
    assert sorted(doors) == sorted((str(n), entrance) for n in range(1, 25) for entrance in (1, 2))
    assert all(district["households"] == 20 * len(district["entrances"]) for district in districts)
    assert main(["check", str(out), "--boundary", boundary, "--points", homes, "--target", "240"]) == 0


def test_a_large_file_gives_the_same_bytes_from_one_process_and_from_two(tmp_path):
    """More than 5,000 entrances, in quarters: as a process, which starts those it needs anew."""
    towers = [shapely.Point(at(2 * (n % 8), 2 * (n // 8))) for n in range(64)]
    path = written(tmp_path / "towers.geojson", towers, [{"households": 160, "entrances": 80}] * 64)
    for jobs in ("1", "2"):
        done = run("propose", path, "--effort", "0.02", "--jobs", jobs, "-o", tmp_path / f"{jobs}.geojson")
        assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "1.geojson").read_bytes() == (tmp_path / "2.geojson").read_bytes()
    assert run("propose", path, "--jobs", "0").returncode == 2


def test_propose_keeps_locked_districts_and_their_names(town, tmp_path, capsys):
    homes, boundary = town
    corner = cell(0, 0, 1.5, 1)
    locked = written(tmp_path / "locked.geojson", [corner], [{"name": "第一"}])
    out = tmp_path / "districts.geojson"
    assert main(["propose", homes, "--boundary", boundary, "--target", "240", "--locked", locked, "-o", str(out)]) == 0
    first, *others = read(out.read_bytes()).features
    assert (first.properties["name"], first.properties["households"]) == ("第一", 240)
    assert shapely.equals(first.shape, corner)
    assert [other.properties["name"] for other in others] == ["2", "3", "4"]
    twice = written(tmp_path / "twice.geojson", [corner, cell(1, 0, 1.5, 1)])
    assert main(["propose", homes, "--boundary", boundary, "--locked", twice]) == 2
    assert capsys.readouterr().err == "districts overlap (1, 2)\n"
    nobody = written(tmp_path / "nobody.geojson", [cell(0, 0, 0.05, 0.05)])
    assert main(["propose", homes, "--boundary", boundary, "--locked", nobody]) == 2
    assert capsys.readouterr().err == "a district has no building (1)\n"


def test_propose_says_what_cannot_be(town, tmp_path, capsys):
    homes, _ = town
    elsewhere = written(tmp_path / "elsewhere.geojson", [cell(50, 50)])
    assert main(["propose", homes, "--boundary", elsewhere]) == 2
    assert capsys.readouterr().err.startswith("a building does not lie within the boundary (")


def test_rebalance_moves_nothing_or_says_what(town, tmp_path, capsys):
    homes, boundary = town
    plan, new = str(tmp_path / "plan.geojson"), tmp_path / "new.geojson"
    assert main(["propose", homes, "--boundary", boundary, "--target", "240", "-o", plan]) == 0
    capsys.readouterr()
    assert main(["rebalance", plan, homes, "--target", "240", "-o", str(new), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["moves"], figures["moved_households"]) == ([], 0)
    assert new.read_bytes() == Path(plan).read_bytes()

    grown = json.loads(Path(homes).read_text())
    for feature in grown["features"][:2]:
        feature["properties"].update(households=80)
    more = tmp_path / "grown.geojson"
    more.write_text(json.dumps(grown))
    assert main(["rebalance", plan, str(more), "--target", "240", "-o", str(new), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    before, after = homes_by_door(Path(plan)), homes_by_door(new)
    moved = {(move["building"], move["entrance"]): (move["from"], move["to"]) for move in figures["moves"]}
    assert moved == {door: (before[door], after[door]) for door in before if before[door] != after[door]}
    assert moved
    assert figures["moved_households"] == sum(move["households"] for move in figures["moves"])
    assert main(["check", str(new), "--boundary", boundary]) in (0, 1)
    assert main(["rebalance", plan, str(more), "--target", "240", "-o", str(new)]) == 0
    assert f"({figures['moves'][0]['households']} households): from " in capsys.readouterr().out


def homes_by_door(path):
    """Give the district's name of each entrance."""
    districts = [feature.properties for feature in read(path.read_bytes()).features]
    return {tuple(door): district["name"] for district in districts for door in district["entrances"]}


def test_rebalance_refuses_what_is_no_tiling(slipped, town, tmp_path, capsys):
    homes, _ = town
    assert main(["rebalance", slipped, homes]) == 2
    assert "slipped.geojson: feature 2: it overlaps feature 1 by 3" in capsys.readouterr().err
    labelled = written(tmp_path / "l.geojson", [cell(0, 0, 3, 2)], [{"entrances": [["1", "one"]]}])
    assert main(["rebalance", labelled, homes]) == 2
    assert "feature 1: a district's entrances must be a list of [building, number]" in capsys.readouterr().err


def test_route(tmp_path, capsys):
    places = [shapely.Point(at(column, 0.5)) for column in (0.3, 0.1, 0.4, 0.2)]
    doors = [{"building": "3号", "entrance": 1, "floor": 2, "name": "201"}, {}, {"floor": None}, {"building": 2}]
    stops, out = written(tmp_path / "stops.geojson", places, doors), tmp_path / "walk.geojson"
    start = "121.47,31.2305"
    assert main(["route", stops, "--start", start, "--json", "-o", str(out)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["stops"], figures["order"]) == (4, [2, 4, 1, 3])
    assert figures["metres"] == pytest.approx(38.1, abs=0.2)
    assert [feature.id for feature in read(out.read_bytes(), kinds=["Point"]).features] == [2, 4, 1, 3]
    assert main(["route", stops]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "feature 1: 3号 entrance 1, floor 2, 201" in lines
    assert lines[-1] == "29 m"
    odd = written(tmp_path / "odd.geojson", places[:2], [{}, {"floor": "attic"}])
    assert main(["route", odd]) == 2
    assert "odd.geojson: feature 2: entrance and floor" in capsys.readouterr().err


def test_check_with_boundary_and_points(grid, tmp_path, capsys):
    boundary = written(tmp_path / "boundary.geojson", [WHOLE])
    points = [shapely.Point(at(0.5, 0.5)), shapely.Point(at(1, 1)), shapely.Point(at(3, 3))]
    inside = written(tmp_path / "inside.geojson", points)
    assert main(["check", grid, "--boundary", boundary, "--points", inside]) == 0
    outside = written(tmp_path / "outside.geojson", [*points, shapely.Point(at(5, 5))])
    wider = written(tmp_path / "wider.geojson", [cell(0, 0, 2, 3), cell(2, 0, 2, 3)])
    capsys.readouterr()
    assert main(["check", grid, "--boundary", wider, "--points", outside, "--json"]) == 1
    figures = json.loads(capsys.readouterr().out)
    assert (figures["districts"], figures["found"]) == (9, {"gap": 1, "in_none": 1})
    gap, lost = figures["faults"]
    assert cell(3, 0, 1, 3).contains(shapely.Point(gap["place"]))
    assert (gap["unit"], gap["repair"]) == ("m2", None)
    assert (lost["place"], lost["detail"]) == ([121.475, 31.235], "4")


def test_check_sizes(tmp_path, capsys):
    stated = written(tmp_path / "stated.geojson", GRID[:2], [{"name": "甲", "households": n} for n in (200, 149)])
    assert main(["check", stated]) == 1
    assert capsys.readouterr().out == "off_size 121.4715,31.2305: 甲 has 149 households, target 200\n"
    assert main(["check", stated, "--target", "170"]) == 0
    homes = [{"households": 80}, {"households": 130, "entrances": [70, 60]}]
    buildings = written(tmp_path / "homes.geojson", [cell(0.1, 0.1, 0.2, 0.2), cell(1.1, 0.1, 0.2, 0.2)], homes)
    assert main(["check", stated, "--points", buildings, "--target", "100", "--size-tolerance", "0.2"]) == 1
    assert "甲 has 130 households, target 100" in capsys.readouterr().out
    assert main(["check", stated, "--points", buildings, "--target", "100", "--size-tolerance", "0.3"]) == 0


def test_check_repairs_only_when_asked(slipped, tmp_path, capsys):
    before = Path(slipped).read_bytes()
    assert main(["check", slipped]) == 1
    assert "can be repaired: take 3" in capsys.readouterr().out
    assert Path(slipped).read_bytes() == before
    out = tmp_path / "mended.geojson"
    assert main(["check", slipped, "--repair", str(out)]) == 1
    said = capsys.readouterr().out
    assert "\nrepaired: take 3" in said
    assert said.endswith("0 left after repair\n")
    kept = read(out.read_bytes()).features
    assert [feature.properties for feature in kept] == named(2)
    assert [feature.id for feature in kept] == [1, 2]
    assert main(["check", str(out)]) == 0


def test_check_repairs_in_json(slipped, tmp_path, capsys):
    assert main(["check", slipped, "--repair", str(tmp_path / "m.geojson"), "--json"]) == 1
    figures = json.loads(capsys.readouterr().out)
    (repair,) = figures["repairs"]
    assert (repair["code"], repair["districts"], figures["left"]) == ("overlap_cut", ["第2"], [])
    assert repair["area_m2"] == figures["faults"][0]["size"]


def test_check_reads_a_bow_tie_and_mends_it(tmp_path, capsys):
    tie = shaped((1, 0), (1, 1), (2, 0.49), (2, 0.51))
    district = json.loads(dump([(None, {"name": "結"}, cell(0, 0))]))["features"][0]
    corners = shapely.get_coordinates(tie).tolist()
    crossed = {**district, "geometry": {"type": "Polygon", "coordinates": [corners]}}
    source, out = tmp_path / "tie.geojson", tmp_path / "out.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [district, crossed]}))
    assert main(["check", str(source), "--repair", str(out)]) == 1
    assert capsys.readouterr().out.startswith("invalid 121.471")
    assert all(feature.shape.is_valid for feature in read(out.read_bytes()).features)


def test_many_faults_are_counted(tmp_path, grid, capsys):
    points = [shapely.Point(at(9, number / 100)) for number in range(150)]
    assert main(["check", grid, "--points", written(tmp_path / "p.geojson", points)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 101
    assert lines[-1] == "in_none: and 50 more"


def test_where_chooses_features(tmp_path, grid):
    properties = [{"community": 1}, {"community": 2}]
    boundary = written(tmp_path / "b.geojson", [WHOLE, cell(9, 9)], properties)
    assert main(["check", grid, "--boundary", boundary]) == 1
    assert main(["check", grid, "--boundary", boundary, "--where", "community=1"]) == 0
    assert main(["check", grid, "--boundary", boundary, "--where", "community=3"]) == 2


def test_names_cannot_move_the_cursor(tmp_path, capsys):
    districts = written(tmp_path / "d.geojson", [cell(0, 0)], [{"name": "\x1b[2J", "households": 1}])
    assert main(["check", districts]) == 1
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["check"],
        ["check", "{grid}", "--target", "0"],
        ["check", "{grid}", "--target", "many"],
        ["check", "{grid}", "--size-tolerance", "nan"],
        ["check", "{grid}", "--where", "community"],
        ["propose", "{grid}", "--seed", "-1"],
        ["propose", "{grid}", "--tolerance", "2"],
        ["route", "{grid}", "--start", "121.47"],
        ["route", "{grid}", "--start", "121.47,north"],
        ["shift", "{grid}", "--from", "wgs84"],
        ["shift", "{grid}", "--from", "wgs84", "--to", "mars"],
    ],
    ids=" ".join,
)
def test_bad_usage(arguments, grid, capsys):
    with pytest.raises(SystemExit) as caught:
        main([argument.format(grid=grid) for argument in arguments])
    assert caught.value.code == 2
    assert "usage: python -m geo" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["{tmp}", "{tmp}/none", "{tmp}/\0"], ids=["a directory", "missing", "null character"])
def test_files_that_cannot_be_opened(path, tmp_path, grid, capsys):
    path = path.format(tmp=tmp_path)
    assert main(["check", path]) == 2
    assert capsys.readouterr().err.startswith(path)
    assert main(["shift", grid, "--from", "wgs84", "--to", "bd09", "-o", f"{path}/x/y"]) == 2
    assert main(["check", grid, "--boundary", path]) == 2


def test_shift(grid, tmp_path, capsys):
    out = tmp_path / "out.geojson"
    assert main(["shift", grid, "--from", "wgs84", "--to", "gcj02", "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"features": 9, "positions": 45}
    assert main(["shift", grid, "--from", "wgs84", "--to", "gcj02"]) == 0
    assert capsys.readouterr().out.encode() == out.read_bytes()
    moved = read(out.read_bytes()).features
    assert [feature.properties for feature in moved] == named(9)
    assert shapely.coverage_is_valid([feature.shape for feature in moved])
    assert 0.002 < moved[0].shape.distance(shapely.Point(at(0, 0))) < 0.006


def test_a_line_that_shrinks_to_nothing_is_told(tmp_path, capsys):
    lines = [shapely.LineString([(116.0, 39.0), (116.0000001, 39.0 + step)]) for step in (0.0000001, 1)]
    source = written(tmp_path / "lines.geojson", lines)
    status = main(["shift", source, "--from", "wgs84", "--to", "bd09", "-o", str(tmp_path / "out.geojson")])
    assert status in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


places = st.tuples(st.floats(73.5, 134.5), st.floats(18, 53.5))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(places, min_size=1, max_size=20), st.sampled_from(["gcj02", "bd09"]))
def test_a_file_shifted_there_and_back(tmp_path, positions, datum):
    source = written(tmp_path / "a.geojson", [shapely.Point(position) for position in positions])
    there, back = str(tmp_path / "b.geojson"), str(tmp_path / "c.geojson")
    assert main(["shift", source, "--from", "wgs84", "--to", datum, "-o", there]) == 0
    assert main(["shift", there, "--from", datum, "--to", "wgs84", "-o", back]) == 0
    returned = [feature.shape for feature in read(Path(back).read_bytes(), kinds=["Point"]).features]
    assert np.abs(shapely.get_coordinates(returned) - np.array(positions)).max() <= 2.1e-7
