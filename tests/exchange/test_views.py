"""The director's page for files, met by the whole cast and by bad files."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.exchange import queries
from fieldapp.exchange.sheet import read_table
from geo.geojson import dump
from tests.exchange.made import blocks, csv_of, point, square, xlsx
from tests.factories import Cast

DOWNLOADS = {
    "/exports/districts.geojson": "application/geo+json",
    "/exports/buildings.geojson": "application/geo+json",
    "/exports/households.csv": "text/csv",
    "/exports/households.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "/imports/template.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHEET = ("楼栋,单元,室号,姓名,出生日期", "12号楼,1,601,孙小明,1957-03-02")


def send(person: Any, noun: str, data: bytes, **more: str) -> Any:
    form = {"file": (io.BytesIO(data), "file"), **more}
    return person.post(f"/imports/{noun}", form, content_type="multipart/form-data")


@pytest.mark.parametrize("username", ["worker", "partner", "street", "admin", None])
def test_only_a_director_comes_in(sign_in: Any, username: str | None) -> None:
    person = sign_in(username)
    assert {person.get(address).status_code for address in ("/imports", *DOWNLOADS)} == {404 if username else 303}
    sent = {send(person, noun, b"x").status_code for noun in ("districts", "buildings", "households")}
    assert sent == {404 if username else 401}


def test_the_page_and_what_was_done_last(sign_in: Any) -> None:
    director = sign_in("director")
    assert "还没有导入过" in director.get("/imports").text
    assert send(director, "buildings", blocks(2, households=3), lay_out="1").status_code == 303
    text = director.get("/imports").text
    assert "楼栋：新增 2，改动 0，没变 0；排出了 6 个门" in text
    assert "上次导入：11月18日 9:41，director，新增 2，改动 0" in text
    assert "排出了" not in director.get("/imports").text


def test_households_come_in(sign_in: Any, session: Session, cast: Cast) -> None:
    answer = send(sign_in("director"), "households", csv_of(*SHEET))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/imports")
    names = {listed.name for listed in queries.listing(session, cast.actor("director"))}
    assert "孙小明" in names


def test_a_bad_sheet_is_listed_and_its_good_rows_may_come_in(sign_in: Any) -> None:
    director = sign_in("director")
    data = csv_of(*SHEET, "12号楼,1,602,周海,1957-13-02")
    refused = send(director, "households", data)
    assert refused.status_code == 422
    assert "第 3 行 · 出生日期 · “1957-13-02”：要写成 1957-03-02 这样的日期" in refused.text
    assert "1 行有错，一共 1 处" in refused.text
    assert "还没有导入过" in refused.text
    assert send(director, "households", data, good_rows="1").status_code == 303
    assert "收下 1 行；新增：0 个门，0 户，1 人" in director.get("/imports").text


def test_what_is_wrong_is_escaped(sign_in: Any) -> None:
    refused = send(sign_in("director"), "households", csv_of(SHEET[0], "<b>楼</b>,1,601,,"))
    assert "&lt;b&gt;楼&lt;/b&gt;" in refused.text
    assert "<b>楼" not in refused.text


def test_a_long_list_is_cut_and_counted(sign_in: Any) -> None:
    refused = send(sign_in("director"), "households", csv_of(SHEET[0], *["9号楼,1,601,,"] * 700))
    assert refused.text.count("<li>第") == 500
    assert "还有 200 处" in refused.text


BAD = (
    b"", b"\0", b"PK\x03\x04", b"\xff\xfe", b"\x89PNG\r\n\x1a\n", b"[" * 100_000, b'{"type":"FeatureCollection"}',
    b'{"type":"FeatureCollection","features":[null]}', b'{"type":"Feature","geometry":null,"properties":[]}',
    b"=1+1,@x\r\n1,2", "楼栋".encode("gb18030"), xlsx([["楼栋"], ["=A1"]]), xlsx([["a"]])[:-100],
    dump([(1, {"lead": "nobody"}, point(121.0))]) + b"x", dump([(1, {"levels": "x", "lead": "nobody"}, square(121.0))]),
)  # fmt: skip


@pytest.mark.parametrize("noun", ["districts", "buildings", "households"])
def test_bad_files_are_told_and_never_an_error(sign_in: Any, noun: str) -> None:
    director = sign_in("director")
    for data in BAD:
        answer = send(director, noun, data)
        assert (answer.status_code, "没有收下，什么都没存" in answer.text) == (422, True), data[:60]
    assert "还没有导入过" in director.get("/imports").text


def test_no_file_and_no_date(sign_in: Any) -> None:
    director = sign_in("director")
    for noun in ("districts", "buildings", "households"):
        assert director.post(f"/imports/{noun}", {}).status_code == 422
    assert send(director, "districts", dump([(1, {}, square(121.0))]), since="soon").status_code == 422
    assert send(director, "districts", dump([(1, {}, square(121.0))]), since="2030-01-01").status_code == 422


def test_a_part_of_a_file(sign_in: Any, session: Session, cast: Cast) -> None:
    data = dump((i, {"part": i % 2, "name": f"新{i}"}, point(121.0 + i / 100)) for i in range(1, 5))
    assert send(sign_in("director"), "buildings", data, where="part=1").status_code == 303
    names = {building.name for building in queries.building_rows(session, cast.actor("director"))}
    assert {"新1", "新3"} <= names
    assert "新2" not in names


@pytest.mark.parametrize(("address", "kind"), DOWNLOADS.items())
def test_downloads(sign_in: Any, session: Session, cast: Cast, address: str, kind: str) -> None:
    answer = sign_in("director").get(address)
    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=c1-2026-11-18-")
    assert answer.headers["Cache-Control"] == "private, no-store"
    deeds = list(session.scalars(select(AuditEntry.deed).where(AuditEntry.user_id == cast.users["director"].id)))
    noun = address.split("/")[2].split(".")[0]
    assert deeds.count(f"export.{noun}") == (0 if noun == "template" else 1)


def test_an_export_holds_the_directors_community_alone(sign_in: Any) -> None:
    mine = read_table(sign_in("director").get("/exports/households.csv").data)
    theirs = read_table(sign_in("stranger").get("/exports/households.xlsx").data)
    assert not {row[13] for _, row in mine[1:]} & {row[13] for _, row in theirs[1:] if row[13]}
    assert "张桂兰" in {row[13] for _, row in mine[1:]}


def test_an_unknown_form_is_no_page(sign_in: Any) -> None:
    assert sign_in("director").get("/exports/households.pdf").status_code == 404


def test_the_template_in_english(sign_in: Any) -> None:
    director = sign_in("director")
    assert director.post("/me/language", {"language": "en"}).status_code == 303
    book = load_workbook(io.BytesIO(director.get("/imports/template.xlsx").data))
    assert book.worksheets[0]["A1"].value == "building"
