"""`flask import` and `flask export`, as an office types them."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from fieldapp.exchange import queries
from fieldapp.exchange.sheet import read_table
from geo.geojson import dump
from tests.exchange.made import blocks, csv_of, point, square
from tests.factories import Cast


@pytest.fixture
def run(app: Flask, cast: Cast) -> Any:
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=[*map(str, words), "--community", "c1"])


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_from_nothing_to_a_registry_and_out_again(run: Any, tmp_path: Path, session: Session, cast: Cast) -> None:
    buildings = kept(tmp_path / "b.geojson", blocks(2, households=4, community=3))
    done = run("import", "buildings", buildings, "--where", "community=3", "--lay-out")
    assert (done.exit_code, done.output.splitlines()[:2]) == (
        0,
        ["楼栋：新增 2，改动 0，没变 0", "排出了 8 个门，可以在楼栋页上改"],
    )
    districts = kept(tmp_path / "d.geojson", dump([("9", {"name": "东片"}, square(121.0))]))
    done = run("import", "districts", districts)
    assert "包干区：新增 1，改动 0，没变 0" in done.output
    assert "文件里没有、保持不变的包干区：1、2" in done.output
    households = kept(tmp_path / "h.csv", csv_of("楼栋,室号,姓名", "1号楼,101,孙小明", "1号楼,102,周海"))
    done = run("import", "households", households)
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "收下 2 行")
    for noun, form in (
        ("districts", "geojson"),
        ("buildings", "geojson"),
        ("households", "xlsx"),
        ("households", "csv"),
    ):
        target = tmp_path / f"out-{noun}.{form}"
        assert run("export", noun, "-o", target).exit_code == 0
        assert target.stat().st_size > 100
        again = run("import", noun, target)
        assert again.exit_code == 0, again.output
    assert "孙小明" in {row[13] for _, row in read_table((tmp_path / "out-households.xlsx").read_bytes())}
    deeds = queries.last_deeds(session, cast.actor("director"))
    assert deeds["export.households"].by is None
    assert set(deeds) == {
        f"{verb}.{noun}" for verb in ("import", "export") for noun in ("districts", "buildings", "households")
    }


def test_every_problem_is_printed_and_nothing_stored(run: Any, tmp_path: Path, session: Session, cast: Cast) -> None:
    bad = kept(tmp_path / "h.csv", csv_of("楼栋,室号,姓名", "12号楼,601,孙小明", "9号楼,601,周海", "12号楼,,李四"))
    done = run("import", "households", bad)
    assert done.exit_code == 1
    assert "第 3 行 · 楼栋 · “9号楼”：没有这栋楼，要写楼栋的编号或名字" in done.output
    assert "第 4 行 · 室号：不能空着" in done.output
    assert "有 2 处不对，什么都没有存。" in done.output
    assert "孙小明" not in {listed.name for listed in queries.listing(session, cast.actor("director"))}
    done = run("import", "households", bad, "--good-rows")
    assert done.exit_code == 0
    assert "第 3 行" in done.output
    assert "跳过 2 行有错的" in done.output
    assert "孙小明" in {listed.name for listed in queries.listing(session, cast.actor("director"))}


def test_a_bad_feature_is_named(run: Any, tmp_path: Path) -> None:
    crossing = {"type": "Polygon", "coordinates": [[[121, 31], [121.1, 31.1], [121.1, 31], [121, 31.1], [121, 31]]]}
    text = dump([(1, {}, point(121.0)), (2, {}, point(121.1))]).decode()
    text = text.replace('{"type":"Point","coordinates":[121.1,31.005]}', str(crossing).replace("'", '"'))
    done = run("import", "buildings", kept(tmp_path / "b.geojson", text.encode()))
    assert done.exit_code == 1
    assert "第 2 个图形：边线自己交叉" in done.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["import", "districts", "missing.geojson"], 2),
        (["export", "households", "-o", "out.pdf"], 2),
        (["import", "buildings", __file__, "--where", "community"], 2),
        (["import", "buildings", __file__], 1),
        (["import", "districts", __file__, "--since", "2030-01-01"], 1),
        (["import", "households", __file__], 1),
    ],
)
def test_exit_codes(run: Any, words: list[str], code: int) -> None:
    done = run(*words)
    assert (done.exit_code, done.exception is None or isinstance(done.exception, SystemExit)) == (code, True)


def test_an_unknown_community(app: Flask, cast: Cast) -> None:
    done = app.test_cli_runner().invoke(args=["export", "districts", "--community", "nowhere"])
    assert (done.exit_code, "没有这个社区：nowhere" in done.output) == (1, True)
