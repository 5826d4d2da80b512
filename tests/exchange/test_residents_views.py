"""The director's way from a sheet of residents to the registry, and the commands that do the same."""

import io
import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.exchange import resident_views
from fieldapp.exchange.resident_drafts import Drafts
from fieldapp.households.models import FactChange, Resident
from tests.conftest import NOW
from tests.exchange.made import id_number, xlsx
from tests.exchange.sheets import people
from tests.factories import Cast

NUMBER = id_number()
SHEET = xlsx(
    [
        ["某某社区居民表"],
        ["楼栋", "单元", "室号", "谁", "与户主关系", "身份证号", "联系方式"],
        ["12号楼", 1, "601", "张桂兰", "户主", None, "13800001111"],
        ["12号楼", 1, "601", "孙小明", "子", NUMBER, "13900002222"],
        ["12号楼", 1, "999", "没门", "户主", None, None],
    ]
)
KEYS = ("building", "entrance", "room", "name", "relation", "id_number", "phone")
HEADINGS = {f"place-{i}": key for i, key in enumerate(KEYS)}


def upload(person: Any, data: bytes = SHEET) -> Any:
    form = {"file": (io.BytesIO(data), "居民.xlsx")}
    return person.post("/imports/residents", form, content_type="multipart/form-data")


def seen(text: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]+)"', text)
    assert found
    return found[1]


def ticks(text: str) -> list[str]:
    return re.findall(r'name="take" value="([^"]+)" checked', text)


def test_the_whole_way(sign_in: Any, app: Flask, session: Session, cast: Cast) -> None:
    director, actor = sign_in("director"), cast.actor("director")
    where = upload(director).headers["Location"]
    text = director.get(where).text
    assert "缺地址" not in text and "缺这一列" in text and "张桂兰、孙小明、没门" in text
    assert NUMBER not in text and "像：12号楼<" in text
    assert director.get(f"{where}/difference").headers["Location"] == where
    refused = director.post(f"{where}/headings", {"place-0": "building"})
    assert (refused.status_code, "缺这一列" in refused.text) == (422, True)
    saved = director.post(f"{where}/headings", HEADINGS)
    assert (saved.status_code, saved.headers["Location"]) == (303, f"{where}/difference")
    assert "孙小明" in director.get(where).text
    text = director.get(f"{where}/difference").text
    assert "新增 1 人，改动 1 人，没变 0 人，看不清 1 行" in text
    assert "第 5 行 · 室号 · “12号楼 1 999”：册子上没有这个门" in text
    assert NUMBER not in text and f"{NUMBER[:6]}********{NUMBER[-4:]}" in text
    assert ticks(text) == ["c3.phone", "n4"]
    answer = director.post(f"{where}/application", {"seen": seen(text), "take": ["c3.phone"]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/imports")
    session.expire_all()
    assert people(session, actor)["张桂兰"].phone == "13800001111" and "孙小明" not in people(session, actor)
    change = session.scalars(select(FactChange)).one()
    assert (change.field, change.new, change.changed_by_id) == ("phone", "13800001111", actor.user_id)
    text = director.get("/imports").text
    assert "新增 0 人，改动 1 人 1 处" in text and "director，新增 0 人，改动 1 人，看不清 1 行" in text
    assert director.get(where).status_code == 404
    assert list((Path(app.instance_path) / "drafts").iterdir()) == []


def test_a_registry_that_changed_meanwhile_is_shown_again(sign_in: Any, session: Session, cast: Cast) -> None:
    director = sign_in("director")
    where = upload(director).headers["Location"]
    director.post(f"{where}/headings", HEADINGS)
    before = director.get(f"{where}/difference").text
    people(session, cast.actor("director"))["张桂兰"].phone = "13700003333"
    session.commit()
    answer = director.post(f"{where}/application", {"seen": seen(before), "take": ticks(before)})
    assert (answer.status_code, "册子刚才变了" in answer.text, "13700003333" in answer.text) == (422, True, True)
    assert "孙小明" not in people(session, cast.actor("director"))
    nothing = director.post(f"{where}/application", {"seen": seen(answer.text)})
    assert (nothing.status_code, "一处也没有勾" in nothing.text) == (422, True)
    assert (
        director.post(f"{where}/application", {"seen": seen(answer.text), "take": ticks(answer.text)}).status_code
        == 303
    )
    assert "孙小明" in people(session, cast.actor("director"))


def test_what_is_not_listed_comes_in_with_one_tick(
    sign_in: Any, session: Session, cast: Cast, monkeypatch: Any
) -> None:
    monkeypatch.setattr(resident_views, "OFFERED", 2)
    director, actor = sign_in("director"), cast.actor("director")
    rows = [["12-1-601", f"新{name}"] for name in "甲乙丙丁"]
    where = upload(director, xlsx([["居住地址", "姓名"], *rows])).headers["Location"]
    text = director.get(f"{where}/difference").text
    assert ticks(text) == ["n2", "n3"] and "没列出来的 2 人也收" in text
    director.post(f"{where}/application", {"seen": seen(text), "take": ["n3"], "rest": "1"})
    assert {name for name in people(session, actor) if name.startswith("新")} == {"新乙", "新丙", "新丁"}


def test_a_waiting_sheet_is_sealed_its_communitys_and_a_day_old_at_most(sign_in: Any, app: Flask, cast: Cast) -> None:
    director = sign_in("director")
    where = upload(director).headers["Location"]
    [file] = (Path(app.instance_path) / "drafts").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(word.encode() in file.read_bytes() for word in ("张桂兰", NUMBER, "13800001111"))
    assert sign_in("stranger").get(where).status_code == 404
    assert sign_in("worker").get(where).status_code == 404
    assert director.get(f"/imports/residents/{uuid4()}").status_code == 404
    app.config["NOW"] = NOW + timedelta(days=1, minutes=1)
    with app.app_context():
        drafts, draft_id = Drafts(file.parent), where.rpartition("/")[2]
        assert director.get(where).status_code == 404 and drafts.folder.is_dir() and draft_id
        drafts.tidy(NOW + timedelta(days=400))
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\0", "没有".encode()])
def test_a_bad_file_is_told(sign_in: Any, data: bytes) -> None:
    director = sign_in("director")
    answer = upload(director, data)
    assert answer.status_code in (422, 303)
    if answer.status_code == 303:
        assert "缺这一列" in director.get(answer.headers["Location"]).text


def test_nothing_personal_in_addresses_logs_and_traces(
    sign_in: Any, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    director = sign_in("director")
    where = upload(director).headers["Location"]
    director.post(f"{where}/headings", HEADINGS)
    text = director.get(f"{where}/difference").text
    answer = director.post(f"{where}/application", {"seen": seen(text), "take": ticks(text)})
    kept = caplog.text + where + answer.headers["Location"]
    kept += str([(trace.deed, trace.detail, trace.subject) for trace in session.scalars(select(AuditEntry))])
    assert not any(word in kept for word in (NUMBER, "张桂兰", "孙小明", "13800001111"))
    found = session.scalars(select(Resident).where(Resident.name == "孙小明")).one()
    assert found.id_number == NUMBER and NUMBER not in (found.id_number_sealed or "")


def test_what_goes_out(sign_in: Any, session: Session, cast: Cast) -> None:
    director = sign_in("director")
    people(session, cast.actor("director"))["张桂兰"].id_number = NUMBER
    session.commit()

    def cells(answer: Any) -> set[Any]:
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "private, no-store"
        return {
            cell for row in load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True) for cell in row
        }

    assert NUMBER not in cells(director.post("/exports/residents"))
    assert NUMBER not in cells(director.post("/exports/residents", {"reason": "只写用途，没有勾"}))
    assert NUMBER in cells(director.post("/exports/residents", {"full_numbers": "1", "reason": "报送公安"}))
    for reason in ("", " ", f"查{NUMBER}", "长" * 121):
        refused = director.post("/exports/residents", {"full_numbers": "1", "reason": reason})
        assert (refused.status_code, "没有导出" in refused.text, "没有收下" in refused.text) == (422, True, False)
    found = cells(director.post("/exports/visits", {"since": "2026-10-01", "until": "2026-11-18"}))
    assert {"张桂兰", "12号楼1单元601", "见到了，没变化；腿脚还行"} <= found
    for span in ({}, {"since": "x", "until": "y"}, {"since": "2026-11-02", "until": "2026-11-01"}):
        assert director.post("/exports/visits", span).status_code == 422
    details = [
        trace.detail for trace in session.scalars(select(AuditEntry).where(AuditEntry.deed == "export.residents"))
    ]
    assert [detail.get("reason") for detail in details] == [None, None, "报送公安"]


# --- commands


@pytest.fixture
def run(app: Flask, cast: Cast) -> Any:
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=[*map(str, words), "--community", "c1"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    target = tmp_path / "居民.xlsx"
    target.write_bytes(
        xlsx(
            [["居住地址", "姓名", "电话"], ["12-1-601", "张桂兰", 13800001111], ["12-1-601", "孙小明", None],
             ["12-1-502", "王秀英", None], ["12-1-999", "没门", None]]
        )
    )  # fmt: skip
    return target


EXPECTED = {
    "new": 1,
    "changed": 1,
    "same": 1,
    "unclear": [
        {
            "row": 5,
            "column": "居住地址",
            "value": "12号楼 1 999",
            "why": "册子上没有这个门，先在楼栋页上加门，或导入住户",
        }
    ],
}


def test_a_dry_run_prints_json_and_writes_nothing(run: Any, file: Path, session: Session, cast: Cast) -> None:
    done = run("import", "residents", file, "--dry-run", "--json")
    assert (done.exit_code, json.loads(done.output)) == (0, EXPECTED)
    assert "孙小明" not in people(session, cast.actor("director"))
    assert session.scalars(select(AuditEntry).where(AuditEntry.deed == "import.residents")).first() is None
    plain = run("import", "residents", file, "--dry-run")
    assert "新增 1 人，改动 1 人，没变 1 人，看不清 1 行" in plain.output


def test_unclear_rows_stop_everything_unless_they_are_left_out(
    run: Any, file: Path, session: Session, cast: Cast
) -> None:
    stopped = run("import", "residents", file)
    assert (stopped.exit_code, "有 1 处看不清，什么都没有存。" in stopped.output) == (1, True)
    assert "孙小明" not in people(session, cast.actor("director"))
    done = run("import", "residents", file, "--skip-unclear")
    assert (done.exit_code, "新增 1 人，改动 1 人 1 处" in done.output) == (0, True)
    session.expire_all()
    assert people(session, cast.actor("director"))["张桂兰"].phone == "13800001111"
    change = session.scalars(select(FactChange)).one()
    assert change.changed_by_id == cast.users["director"].id
    again = run("import", "residents", file, "--dry-run", "--json")
    assert json.loads(again.output) == {**EXPECTED, "new": 0, "changed": 0, "same": 3}


def test_whose_changes_they_are(run: Any, file: Path, session: Session, cast: Cast) -> None:
    assert run("import", "residents", file, "--skip-unclear", "--by", "nobody").exit_code == 1
    assert run("import", "residents", file, "--skip-unclear", "--by", "worker").exit_code == 0
    assert session.scalars(select(FactChange)).one().changed_by_id == cast.users["worker"].id


def test_a_sheet_that_cannot_be_read_says_so_in_json(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("身高,体重\n1,2\n")
    done = run("import", "residents", target, "--dry-run", "--json")
    assert done.exit_code == 1
    assert [entry["column"] for entry in json.loads(done.output.splitlines()[0])["unclear"]] == ["姓名", "居住地址"]


def test_sheets_out(run: Any, tmp_path: Path) -> None:
    residents, visits = tmp_path / "r.xlsx", tmp_path / "v.xlsx"
    assert run("export", "residents", "-o", residents).exit_code == 0
    assert run("export", "visits", "--since", "2026-10-01", "-o", visits).exit_code == 0
    assert load_workbook(visits).active["A2"].value == "走访对象"
    again = run("import", "residents", residents, "--dry-run", "--json")
    assert json.loads(again.output) == {"new": 0, "changed": 0, "same": 5, "unclear": []}
    assert run("export", "residents", "--full-numbers").exit_code != 0
    assert run("export", "residents", "--full-numbers", "--reason", f"查{NUMBER}").exit_code != 0
    assert run("export", "residents", "-o", tmp_path / "r.csv").exit_code != 0
