"""Cells, headings and addresses of a residents' sheet, as committees write them."""

from contextlib import suppress
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldapp.exchange.resident_address import find_door
from fieldapp.exchange.resident_cells import (
    EXCEL_DAY_0,
    READERS,
    Vague,
    agrees,
    is_masked,
    numbers_of,
    read_day,
    read_id_number,
    read_phones,
)
from fieldapp.exchange.resident_columns import HEADINGS, corrected, faults, guess
from fieldapp.households.reading import Fault
from fieldapp.households.rules import mask_id_number
from tests.exchange.made import TODAY, directory, id_number
from tests.exchange.sheets import HEADINGS as MESS_HEADINGS


@pytest.mark.parametrize(
    "cell",
    ["1957.3.2", "1957-03-02", "1957/3/2", "1957年3月2日", "１９５７年３月２日", "57年3月2日", "19570302", 19570302,
     19570302.0, 20881, "20881", date(1957, 3, 2), datetime(1957, 3, 2), "1957-03-02 00:00:00", " 1957 年 3 月 2 日 "],
)  # fmt: skip
def test_a_day_however_it_is_written(cell: Any) -> None:
    assert read_day(cell, TODAY) == "1957-03-02"


@pytest.mark.parametrize("cell", ["57年3月", "1957.3", 1957.3, "1957-03", "195703", "1957年3月"])
def test_a_month_alone_is_vague(cell: Any) -> None:
    found = read_day(cell, TODAY)
    assert (found, isinstance(found, Vague)) == ("1957-03-01", True)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("1957.13.2", "date"), ("2030-01-01", "future"), ("不详", "date"), (1957.1, "month_lost"), (60000, "future"),
     ("57", "date"), ("1957", "date"), (True, "date"), ("#REF!", "error")],
)  # fmt: skip
def test_a_day_that_is_none(cell: Any, code: str) -> None:
    with pytest.raises(Fault) as fault:
        read_day(cell, TODAY)
    assert fault.value.code == code


@given(st.dates(date(1911, 1, 1), TODAY))
def test_every_day_reads_back_in_every_form(day: date) -> None:
    forms = [day, datetime(day.year, day.month, day.day), day.isoformat(), f"{day.year}.{day.month}.{day.day}",
             f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", (day - EXCEL_DAY_0).days]  # fmt: skip
    assert {read_day(form, TODAY) for form in forms} == {day.isoformat()}


@given(st.one_of(st.text(), st.integers(), st.floats(allow_nan=True), st.booleans(), st.datetimes(), st.times()))
def test_no_cell_is_an_error(cell: Any) -> None:
    for key, read in READERS.items():
        if isinstance(cell, str) and not cell.strip():
            continue
        with suppress(Fault):
            assert isinstance(read(cell, TODAY), str), key


@pytest.mark.parametrize(
    ("cell", "said"),
    [(13800001234, "13800001234"), ("138 0000 1234", "13800001234"), ("１３８００００１２３４", "13800001234"),
     ("13800001234/13900005678", "13800001234、13900005678"), ("13800001234 13900005678", "13800001234、13900005678"),
     ("0510-83331234,13800001234", "13800001234、0510-83331234"), ("83331234\n13800001234", "13800001234、83331234"),
     ("0510 83331234", "0510-83331234"),
     ("１３８００００１２３４ 0510-83331234", "13800001234、0510-83331234"),
     ("13800001234 0510 83331234", "13800001234、0510-83331234"), ("1380000 1234", "13800001234"),
     ("+86 13800001234", "13800001234"), ("138****1234", ""),
     ("13800001234；13800001234", "13800001234"), ("1380000123413900005678", "13800001234、13900005678")],
)  # fmt: skip
def test_telephones_and_none_is_lost(cell: Any, said: str) -> None:
    assert read_phones(cell, TODAY) == said


def test_telephones_that_are_none() -> None:
    for cell, code in (("1380000123", "mobile"), ("张三的手机", "phone"), ("13800001234/138", "phone")):
        with pytest.raises(Fault) as fault:
            read_phones(cell, TODAY)
        assert fault.value.code == code, cell
    assert numbers_of("138 0000") != numbers_of("1380000")
    assert numbers_of("0510-83331234、13800001234") == numbers_of("13800001234/0510-83331234")


def test_id_numbers_and_their_stars() -> None:
    number = id_number()
    wide = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert read_id_number(wide, TODAY) == read_id_number(f"'{number[:6]} {number[6:]}", TODAY) == number
    stars = read_id_number("320211＊＊＊＊＊＊＊＊1234", TODAY)
    assert stars == "320211********1234" == read_id_number("320211XXXXXXXX1234", TODAY)
    assert is_masked(stars) and not is_masked(number)
    assert agrees(mask_id_number(number), number) and not agrees(stars, number)
    for cell, code in (("320211****1234", "id_form"), (320211195703021234, "id_digits"), (number[:-1], "id_form")):
        with pytest.raises(Fault) as fault:
            read_id_number(cell, TODAY)
        assert fault.value.code == code


@pytest.mark.parametrize(
    ("key", "cell", "told"),
    [("ethnic", "汉", "01"), ("ethnic", "维吾尔族", "05"), ("ethnic", 1, "01"), ("schooling", "本科", "20"),
     ("schooling", "初中毕业", "71"), ("marital", "离异", "40"), ("employment", "下岗", "unemployed"),
     ("relation", "本人", "02"), ("relation", "之妻", "12"), ("relation", "02", "02"), ("relation", "户主之子", "20"),
     ("is_temporary", "否", ""), ("is_temporary", "√", "1"), ("is_temporary", "流动人口", "1"),
     ("elsewhere", "人户一致", ""), ("registered_at", "本址", ""), ("registered_at", " 南京市 ", "南京市"),
     ("name", "张　三", "张三"), ("name", "阿依古丽·买买提", "阿依古丽·买买提"), ("sex", "女性", "2")],
)  # fmt: skip
def test_words_and_codes(key: str, cell: Any, told: str) -> None:
    assert READERS[key](cell, TODAY) == told


@pytest.mark.parametrize(
    ("key", "cell", "code"),
    [("ethnic", "地球", "choice"), ("name", "张三（租户）", "name_more"), ("employment", "看情况", "choice"),
     ("relation", "朋友的朋友", "relation")],
)  # fmt: skip
def test_words_that_are_not_clear(key: str, cell: Any, code: str) -> None:
    with pytest.raises(Fault) as fault:
        READERS[key](cell, TODAY)
    assert fault.value.code == code


def test_headings_are_guessed_and_put_right() -> None:
    found = guess([(1, ["居民表"]), (3, list(MESS_HEADINGS))])
    assert found.row == 3
    keys = [found.places.get(place, "") for place in range(len(MESS_HEADINGS))]
    assert keys == ["", "building", "entrance", "room", "head", "name", "relation", "sex", "ethnic", "birth_date",
                    "id_number", "phone", "schooling", "marital", "workplace", "employment", "registered_at",
                    "elsewhere", "is_temporary", ""]  # fmt: skip
    assert found.unused == ("序号", "宗教") and faults(found) == []
    fuzzy = guess([(1, ["居民姓名1", "现居住地址", "联系电话（手机）", "出生年月日", "户籍所在地址", "出生地"])])
    assert [fuzzy.places.get(place) for place in range(6)] == [
        "name",
        "address",
        "phone",
        "birth_date",
        "registered_at",
        None,
    ]
    fixed = corrected(found, {0: "name", 99: "phone", 1: "nonsense", 2: "room"})
    assert dict(fixed.places) == {0: "name", 2: "room"}
    assert [problem.code for problem in faults(fixed)] == ["missing_address"]
    assert [problem.code for problem in faults(corrected(found, {0: "name", 1: "name", 2: "address"}))] == ["twice"]
    assert [problem.code for problem in faults(corrected(found, {0: "sex"}))] == ["missing", "missing_address"]
    assert "phone" not in guess([(1, ["姓名", "电话"])], off=("phone",)).places.values()


def test_every_heading_of_ours_is_known() -> None:
    found = guess([(1, [heading.zh for heading in HEADINGS])])
    assert dict(found.places) == dict(enumerate(heading.key for heading in HEADINGS))


@pytest.mark.parametrize(
    ("said", "door"),
    [({"address": "2号楼2单元601"}, ("b2", 2, "601")), ({"address": "2-2-601"}, ("b2", 2, "601")),
     ({"address": "2幢2单元601室"}, ("b2", 2, "601")), ({"address": "朝阳小区2号楼2单元601室"}, ("b2", 2, "601")),
     ({"address": "朝阳路8号新村2号楼2单元6楼601室"}, ("b2", 2, "601")),
     ({"address": "2号楼601"}, ("b2", None, "601")), ({"address": "2-601"}, ("b2", None, "601")),
     ({"address": "3#2-601"}, ("b3", 2, "601")), ({"address": "2号楼二单元601"}, ("b2", 2, "601")),
     ({"address": "朝阳路2号楼501+502"}, ("b2", None, "501+502")), ({"address": "一号院3号"}, ("y", None, "3")),
     ({"building": "2幢", "entrance": "2单元", "room": "601室"}, ("b2", 2, "601")),
     ({"building": "2号楼2单元", "room": "601"}, ("b2", 2, "601")),
     ({"building": "2", "room": "2-601"}, ("b2", 2, "601"))],
)  # fmt: skip
def test_addresses(said: dict[str, str], door: tuple[str, int | None, str]) -> None:
    found = find_door(said, directory())
    assert (found.building.code, found.entrance, found.room) == door


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("77号楼101", "building"),
        ("77号楼2单元3楼301", "building"),
        ("7幢2座101", "building"),
        ("朝阳社区", "address"),
        ("2号楼", "address"),
    ],
)
def test_addresses_that_are_none(text: str, code: str) -> None:
    with pytest.raises(Fault) as fault:
        find_door({"address": text}, directory())
    assert fault.value.code == code
