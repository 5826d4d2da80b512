"""Files in the datum of another map: shifted when that is said, told when it is not."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import shapely
import shapely.geometry
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.accounts.rules import Actor
from fieldapp.exchange import files, queries
from fieldapp.exchange.features import read_buildings, read_districts
from fieldapp.exchange.misplaced import Misplaced
from fieldapp.exchange.words import misplaced_line
from geo.datum import DATUMS, shift_shape
from geo.geojson import dump
from tests.exchange.made import TODAY, WHEN, office
from tests.factories import Cast

SIZE = 0.0035
GROUND = [
    (f"d{i}", shapely.box(121.470 + x * SIZE, 31.230 + y * SIZE, 121.470 + (x + 1) * SIZE, 31.230 + (y + 1) * SIZE))
    for i, (x, y) in enumerate([(0, 0), (1, 0), (0, 1), (1, 1)], start=1)
]
"""Four districts of 330 m by 390 m."""
HOUSES = [
    (f"h{7 * i + j}", shapely.box(121.4704 + 0.001 * i, 31.2304 + 0.001 * j, 121.4708 + 0.001 * i, 31.2306 + 0.001 * j))
    for i in range(7)
    for j in range(7)
]
"""49 houses, seven times seven."""


def written(shapes: list[tuple[str, Any]], datum: str = "wgs84") -> bytes:
    """A file in a datum."""
    return dump((code, {"code": code}, shift_shape(shape, "wgs84", datum)) for code, shape in shapes)


def bring_houses(session: Session, actor: Actor, data: bytes, datum: str = "wgs84") -> Any:
    return files.bring_buildings(session, actor, data, WHEN, where=None, lay_out=False, datum=datum)


def bring_ground(session: Session, actor: Actor, data: bytes, datum: str = "wgs84") -> Any:
    return files.bring_districts(session, actor, data, WHEN, datum=datum)


# --- said


@pytest.mark.parametrize("datum", DATUMS)
def test_a_file_is_shifted_before_anything_is_stored(session: Session, datum: str) -> None:
    actor = office(session)
    bring_ground(session, actor, written(GROUND, datum), datum)
    done = bring_houses(session, actor, written(HOUSES, datum), datum)
    assert (done.added, done.misplaced) == (49, None)
    stored = queries.buildings(session, actor)
    for code, shape in HOUSES:
        assert shapely.equals_exact(
            shapely.geometry.shape(stored[code].geometry), shape, tolerance=3e-7, normalize=True
        )
        assert shape.contains(shapely.Point(stored[code].longitude, stored[code].latitude))
    for row, (_code, shape) in zip(queries.district_rows(session, actor, TODAY), GROUND, strict=True):
        assert shapely.equals_exact(shapely.geometry.shape(row.geometry), shape, tolerance=3e-7, normalize=True)


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_shifted_districts_tile_as_before(datum: str) -> None:
    drafts = read_districts(written(GROUND, datum), datum)
    assert shapely.coverage_is_valid([draft.shape for draft in drafts.districts])
    numbers = json.dumps([draft.geometry for draft in drafts.districts]).replace(",", "]").replace("[", "]").split("]")
    decimals = [len(number.strip().partition(".")[2]) for number in numbers if "." in number]
    assert max(decimals) <= 7


def test_what_is_exported_is_in_wgs84_and_the_trace_says_what_came_in(session: Session) -> None:
    actor = office(session)
    bring_houses(session, actor, written(HOUSES, "gcj02"), "gcj02")
    again = read_buildings(files.take_buildings(session, actor))
    places = {draft.code: shapely.Point(draft.longitude, draft.latitude) for draft in again.buildings}
    assert all(house.contains(places[code]) for code, house in HOUSES)
    assert bring_houses(session, actor, files.take_buildings(session, actor)).same == 49
    entries = session.scalars(select(AuditEntry).where(AuditEntry.community_id == actor.community_id))
    assert [entry.detail.get("datum") for entry in entries if entry.deed == "import.buildings"] == ["gcj02", None]


# --- not said


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_houses_beside_the_districts(session: Session, datum: str) -> None:
    actor = office(session)
    bring_ground(session, actor, written(GROUND))
    found = bring_houses(session, actor, written(HOUSES, datum)).misplaced
    assert (found.datum, found.whole) == (datum, True)
    assert found.metres == pytest.approx({"gcj02": 500, "bd09": 1_140}[datum], rel=0.1)
    assert bring_houses(session, actor, written(HOUSES, datum), datum).misplaced is None
    assert len(queries.buildings(session, actor)) == 49, "the same houses, moved to where they belong"


def test_a_mixed_file_names_its_features(session: Session) -> None:
    actor = office(session)
    bring_houses(session, actor, written(HOUSES))
    mixed = [(code, shift_shape(shape, "wgs84", "gcj02") if code in ("h3", "h40") else shape) for code, shape in HOUSES]
    found = bring_houses(session, actor, written(mixed)).misplaced
    assert (found.datum, found.numbers, found.whole) == ("gcj02", (4, 41), False)


def test_new_houses_beside_known_houses(session: Session) -> None:
    actor = office(session)
    bring_houses(session, actor, written(HOUSES))
    new = [(f"new {code}", shape) for code, shape in HOUSES]
    assert bring_houses(session, actor, written(new, "bd09")).misplaced.datum == "bd09"


def test_a_file_that_mends_what_was_stored_wrongly_is_not_doubted(session: Session) -> None:
    actor = office(session)
    bring_houses(session, actor, written(HOUSES, "gcj02"))
    assert bring_houses(session, actor, written(HOUSES, "gcj02"), "gcj02").misplaced is None, "somebody chose it"
    assert bring_houses(session, actor, written(HOUSES, "gcj02")).misplaced.datum == "gcj02", "nobody did"
    actor = office(session)
    bring_ground(session, actor, written(GROUND))
    assert bring_houses(session, actor, written(HOUSES), "bd09").misplaced.datum == "wgs84"
    assert bring_houses(session, actor, written(HOUSES)).misplaced is None, "it lies in the districts"


def test_a_file_said_to_be_shifted_that_is_not(session: Session) -> None:
    actor = office(session)
    bring_ground(session, actor, written(GROUND))
    assert bring_houses(session, actor, written(HOUSES), "gcj02").misplaced.datum == "wgs84"


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_districts_that_leave_their_houses_out(session: Session, datum: str) -> None:
    actor = office(session)
    bring_houses(session, actor, written(HOUSES))
    found = bring_ground(session, actor, written(GROUND, datum)).misplaced
    assert (found.datum, found.whole) == (datum, True)
    assert found.left_out > 10
    assert bring_ground(session, actor, written(GROUND, datum), datum).misplaced is None


def test_districts_that_lay_elsewhere(session: Session) -> None:
    actor = office(session)
    bring_ground(session, actor, written(GROUND))
    found = bring_ground(session, actor, written(GROUND, "gcj02")).misplaced
    assert (found.datum, found.numbers) == ("gcj02", (1, 2, 3, 4))


def test_what_gives_no_reason_to_ask(session: Session) -> None:
    actor = office(session)
    assert bring_houses(session, actor, written(HOUSES, "gcj02")).misplaced is None, "nothing to compare with"
    actor = office(session)
    assert bring_ground(session, actor, written(GROUND, "gcj02")).misplaced is None
    actor = office(session)
    bring_ground(session, actor, written(GROUND))
    assert bring_houses(session, actor, written(HOUSES)).misplaced is None
    assert bring_ground(session, actor, written(GROUND[:1])).misplaced is None, "a part of the districts"
    sides = [(0.007, 0), (-0.007, 0), (0, 0.007), (0, -0.007)]
    around = [(f"a{n}", shapely.affinity.translate(HOUSES[24][1], *side)) for n, side in enumerate(sides)]
    assert bring_houses(session, actor, written(around)).misplaced is None, "houses on all sides"


# --- told


def test_what_is_said() -> None:
    whole = misplaced_line(Misplaced("gcj02", 512.0, True, numbers=tuple(range(1, 31))))
    assert "差大约 500 米：整个文件看起来是 GCJ-02（高德、腾讯）坐标" in whole
    assert "19、20 等 30 个图形" in whole
    assert "混了两种" in misplaced_line(Misplaced("bd09", 1140.0, False, numbers=(4, 41)))
    assert "第 4、41 个图形差大约 1100 米" in misplaced_line(Misplaced("bd09", 1140.0, False, numbers=(4, 41)))
    assert "38 栋楼落在边界外" in misplaced_line(Misplaced("wgs84", 480.0, True, left_out=38))
    assert misplaced_line(None) is None


def send(person: Any, noun: str, data: bytes, **more: str) -> Any:
    form = {"file": (io.BytesIO(data), "file"), **more}
    return person.post(f"/imports/{noun}", form, content_type="multipart/form-data")


def test_the_page_asks_for_the_datum_and_tells_of_doubts(sign_in: Any) -> None:
    director = sign_in("director")
    text = director.get("/imports").text
    assert text.count('<select id="') == 2
    assert text.count('<option value="wgs84">') == text.count('<option value="bd09">') == 2
    assert send(director, "districts", written(GROUND)).status_code == 303
    assert send(director, "buildings", written(HOUSES, "gcj02")).status_code == 303
    text = director.get("/imports").text
    assert '<p class="notice warn" role="status">第 ' in text
    assert "看起来是 GCJ-02（高德、腾讯）坐标" in text
    assert "楼栋：新增 49" in text, "nothing is refused"
    assert send(director, "buildings", written(HOUSES, "gcj02"), datum="gcj02").status_code == 303
    text = director.get("/imports").text
    assert "notice warn" not in text
    assert "楼栋：新增 0，改动 49，没变 0" in text


@pytest.mark.parametrize("noun", ["districts", "buildings"])
def test_a_datum_that_is_none(sign_in: Any, noun: str) -> None:
    answer = send(sign_in("director"), noun, written(GROUND), datum="cgcs2000")
    assert answer.status_code == 422
    assert "坐标系要从三种里选一种" in answer.text


def test_the_command_asks_too(app: Flask, cast: Cast, tmp_path: Path) -> None:
    ground, houses = tmp_path / "d.geojson", tmp_path / "b.geojson"
    ground.write_bytes(written(GROUND, "bd09"))
    houses.write_bytes(written(HOUSES, "gcj02"))
    run = app.test_cli_runner().invoke
    done = run(args=["import", "districts", str(ground), "--community", "c1", "--datum", "bd09"])
    assert (done.exit_code, done.stderr) == (0, "")
    done = run(args=["import", "buildings", str(houses), "--community", "c1"])
    assert done.exit_code == 0
    assert "看起来是 GCJ-02（高德、腾讯）坐标" in done.stderr
    done = run(args=["import", "buildings", str(houses), "--community", "c1", "--datum", "gcj02"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert run(args=["import", "buildings", str(houses), "--community", "c1", "--datum", "mars"]).exit_code == 2
