"""What a household sheet says, and everything that is wrong with one."""

from datetime import date
from typing import Any

import pytest

from fieldapp.db import uuid7
from fieldapp.exchange.columns import COLUMNS, find_header
from fieldapp.exchange.directory import Directory, KnownBuilding
from fieldapp.exchange.problems import Refused
from fieldapp.exchange.rules import Registration, read_registration
from tests.exchange.made import TODAY, directory, id_number

HEADER = [
    "楼栋",
    "单元",
    "室号",
    "类型",
    "户号",
    "居住情况",
    "姓名",
    "与户主关系",
    "性别",
    "出生日期",
    "身份证号",
    "特定群体",
]
MAN = id_number("19570302", 1)


def read(*rows: dict[str, Any], header: list[str] = HEADER) -> Registration:
    """Rows by header, to be read as rows 2, 3 … of a sheet."""
    table = [(1, header)] + [(i, [row.get(name) for name in header]) for i, row in enumerate(rows, 2)]
    return read_registration(table, directory(), TODAY)


def door(room: str = "601", **more: Any) -> dict[str, Any]:
    return {"楼栋": "1号楼", "单元": 1, "室号": room, **more}


def problems(*rows: dict[str, Any]) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.column, problem.code) for problem in read(*rows).problems]


def test_rows_of_one_door_are_one_household() -> None:
    found = read(door(姓名="张三", 与户主关系="户主", 居住情况="自有"), door(姓名="李四", 与户主关系="妻"), door("602"))
    first, second = found.doors
    assert [person.name for person in first.households[1].people] == ["张三", "李四"]
    assert first.households[1].occupancy == "own"
    assert second.households[1].people == []
    assert (found.rows, found.problems) == (3, [])


def test_several_households_behind_one_door() -> None:
    found = read(door(户号=1, 姓名="张三", 与户主关系="户主"), door(户号=2, 姓名="李四", 与户主关系="户主"))
    assert sorted(found.doors[0].households) == [1, 2]


@pytest.mark.parametrize(
    ("row", "households"),
    [
        ({}, 1),
        ({"类型": "商铺"}, 0),
        ({"类型": "商铺", "户号": 1}, 1),
        ({"类型": "商铺", "姓名": "张三"}, 1),
        ({"户号": 0}, 0),
        ({"居住情况": "空置"}, 1),
    ],
)
def test_which_rows_make_a_household(row: dict[str, Any], households: int) -> None:
    assert len(read(door(**row)).doors[0].households) == households


def test_the_number_tells_birth_date_and_sex() -> None:
    person = read(door(姓名="张三", 身份证号=MAN)).doors[0].households[1].people[0]
    assert (person.birth_date, person.sex) == (date(1957, 3, 2), "1")


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ({"楼栋": "9号楼"}, "楼栋", "building"),
        ({"楼栋": None}, "楼栋", "needed"),
        ({"室号": None}, "室号", "needed"),
        ({"单元": "x"}, "单元", "entrance"),
        ({"性别": "男"}, "姓名", "name_needed"),
        ({"姓名": "张三", "户号": 0}, "户号", "no_household"),
        ({"姓名": "张三", "出生日期": "2026-11-19"}, "出生日期", "future"),
        ({"姓名": "张三", "身份证号": MAN, "出生日期": "1957-03-03"}, "出生日期", "id_born"),
        ({"姓名": "张三", "身份证号": MAN, "性别": "女"}, "性别", "id_sex"),
        ({"姓名": "张三", "身份证号": 999999195703020011}, "身份证号", "id_digits"),
        ({"特定群体": "高龄、党员"}, "特定群体", "care_group"),
    ],
)
def test_a_bad_row(row: dict[str, Any], column: str, code: str) -> None:
    assert problems(door("101"), door() | row) == [(3, column, code)]


def test_every_problem_of_a_row_is_told() -> None:
    found = read(door(楼栋="9号楼", 类型="别墅", 姓名="张三", 出生日期="1957-13-02"))
    assert [(problem.column, problem.value) for problem in found.problems] == [
        ("楼栋", "9号楼"),
        ("类型", "别墅"),
        ("出生日期", "1957-13-02"),
    ]
    assert found.bad_rows == {2}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (door(姓名="张三", 与户主关系="户主"), door(姓名="李四", 与户主关系="户主"), ("与户主关系", "two_heads")),
        (door(姓名="张三", 身份证号=MAN), door("602", 姓名="李四", 身份证号=MAN.lower()), ("身份证号", "id_twice")),
        (door(姓名="张三", 出生日期="1957-3-2"), door(姓名="张三", 出生日期="1957.3.2"), ("姓名", "person_twice")),
        (door(居住情况="自有"), door(居住情况="租住"), ("居住情况", "differs")),
        (door(类型="住宅"), door(类型="商铺"), ("类型", "differs")),
    ],
)
def test_rows_that_do_not_go_together(first: dict, second: dict, expected: tuple[str, str]) -> None:
    found = read(first, second)
    assert [(p.row, p.column, p.code) for p in found.problems] == [(3, *expected)]
    assert found.problems[0].detail == "2"


def test_good_rows_stand_beside_bad_ones() -> None:
    found = read(door(姓名="张三"), door(姓名="李四", 出生日期="x"), door("602", 姓名="王五"))
    assert [p.name for d in found.doors for p in d.households[1].people] == ["张三", "王五"]
    assert found.bad_rows == {3}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_headers_in_any_order_and_form(language: str) -> None:
    names = [column.name(language) for column in reversed(COLUMNS)]
    header, faults = find_header(
        [(1, ["某社区住户表", None]), (2, [f" *{name}（必填） " for name in names] + ["序号"])]
    )
    assert faults == []
    assert (header.row, len(header.places), header.unused) == (2, len(COLUMNS), ("序号",))


def test_wide_headers_and_other_words() -> None:
    header, faults = find_header([(1, ["楼 栋", "房号", "Ｎａｍｅ", "身份证号码", "联系电话"])])
    assert (set(header.places), faults) == ({"building", "room", "name", "id_number", "phone"}, [])


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Refused) as refused:
        read({}, header=["姓名", "楼栋"])
    assert [(p.column, p.code) for p in refused.value.problems] == [("室号", "missing")]


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read({}, header=["楼栋", "室号", "房号"])
    assert [(p.column, p.code, p.detail) for p in refused.value.problems] == [("房号", "twice", "室号")]


def test_a_header_alone_is_an_empty_file() -> None:
    with pytest.raises(Refused) as refused:
        read()
    assert refused.value.problems[0].code == "empty"


def known(*pairs: tuple[str, str]) -> Directory:
    return Directory([KnownBuilding(uuid7(), code, name) for code, name in pairs], {})


@pytest.mark.parametrize("text", ["1号楼", "1", "1栋", "１幢", "b1", "B1", "#b1"])
def test_a_building_by_code_or_name(text: str) -> None:
    found = known(("b1", "1号楼"), ("b11", "11号楼")).building(text)
    assert isinstance(found, KnownBuilding)
    assert found.code == "b1"


def test_a_code_that_reads_like_another_name_is_asked_about() -> None:
    places = known(("1", "2号楼"), ("2", "1号楼"))
    assert places.building("1") == "#1、#2"
    assert places.building("9") is None


def test_every_building_has_a_token_of_its_own() -> None:
    pairs = (("1", "2"), ("2", "1"), ("a", "同名"), ("b", "同名"), ("A", "x"), ("c", "#1"), ("#1", "y"))
    places = known(*pairs)
    for building in places.buildings:
        assert places.building(places.token(building)) == building
