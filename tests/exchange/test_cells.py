"""What one cell may hold, and what it is then."""

from datetime import date, datetime, time
from typing import Any

import pytest

from fieldapp.exchange import cells
from fieldapp.exchange.columns import BY_KEY
from fieldapp.exchange.sheet import UNCOMPUTED
from fieldapp.households import codes, reading
from fieldapp.households.rules import Occupancy
from tests.exchange.made import id_number

BIRTH = date(1957, 3, 2)
SOUND = id_number("19570302", 1)


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("birth_date", "1957-03-02", BIRTH),
        ("birth_date", "1957/3/2", BIRTH),
        ("birth_date", "1957.3.2", BIRTH),
        ("birth_date", "1957年3月2日", BIRTH),
        ("birth_date", "19570302", BIRTH),
        ("birth_date", 19570302, BIRTH),
        ("birth_date", "１９５７－０３－０２", BIRTH),
        ("birth_date", "1957-03-02 00:00:00", BIRTH),
        ("birth_date", datetime(1957, 3, 2), BIRTH),
        ("birth_date", BIRTH, BIRTH),
        ("entrance", 2, 2),
        ("entrance", "2单元", 2),
        ("entrance", "二单元", 2),
        ("entrance", 2.0, 2),
        ("floor", 6.0, 6),
        ("floor", "6层", 6),
        ("floor", "-1", -1),
        ("floor", "B1", -1),
        ("floor", "地下1层", -1),
        ("room", 601, "601"),
        ("room", 601.0, "601"),
        ("room", " 601 ", "601"),
        ("kind", "商铺", "shop"),
        ("kind", "House", "house"),
        ("occupancy", "租住", Occupancy.RENT),
        ("occupancy", "VACANT", Occupancy.VACANT),
        ("household", "0", 0),
        ("household", 2.0, 2),
        ("name", "张　三", "张三"),
        ("name", " 张三 ", "张三"),
        ("name", "阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("name", "John   Smith", "John Smith"),
        ("relation", "户主", "02"),
        ("relation", "本人", "02"),
        ("relation", "12", "12"),
        ("relation", 2, "02"),
        ("relation", "妻", "12"),
        ("relation", "儿子", "20"),
        ("sex", "男", "1"),
        ("sex", "Female", "2"),
        ("sex", 9, "9"),
        ("id_number", SOUND, SOUND),
        ("id_number", "11010519491231002x", "11010519491231002X"),
        ("id_number", " 110105 19491231 002X ", "11010519491231002X"),
        ("phone", 13800001234, "13800001234"),
        ("phone", "138 0000 1234", "13800001234"),
        ("phone", "138-0000-1234", "13800001234"),
        ("phone", "0510-82712345", "0510-82712345"),
        ("phone", "+86 13800001234", "+86 13800001234"),
        ("temporary", "是", True),
        ("temporary", False, False),
        ("care_groups", "独居老人、 高龄，低保;高龄", ("独居老人", "高龄", "低保")),
        ("note", "a\r\nb", "a\nb"),
        ("note", "bell\x07", "bell"),
    ],
)
def test_a_cell_is_read(column: str, cell: Any, value: Any) -> None:
    assert BY_KEY[column].read(cell) == value


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("birth_date", "1957-13-02", "date"),
        ("birth_date", "1957-02-29", "date"),
        ("birth_date", "1957-03", "date"),
        ("birth_date", "57-03-02", "date"),
        ("birth_date", 20881, "date"),
        ("birth_date", time(1, 2), "date"),
        ("entrance", "A", "entrance"),
        ("entrance", 0, "entrance"),
        ("floor", 0, "floor"),
        ("floor", "六", "floor"),
        ("floor", 6.5, "floor"),
        ("room", "x" * 25, "long"),
        ("room", datetime(2026, 1, 2), "became_date"),
        ("kind", "别墅", "choice"),
        ("occupancy", "有人", "choice"),
        ("household", -1, "number"),
        ("household", "1.5", "number"),
        ("name", "123", "not_name"),
        ("name", "#REF!", "error"),
        ("name", UNCOMPUTED, "formula"),
        ("relation", "邻居", "relation"),
        ("id_number", 999999195703020011, "id_digits"),
        ("id_number", 9.99999195703020e17, "id_digits"),
        ("id_number", "9.99999E+17", "id_digits"),
        ("id_number", "999999195703021000", "id_digits"),
        ("id_number", SOUND[:17], "id_form"),
        ("id_number", "999999195713020010", "id_date"),
        ("id_number", SOUND[:17] + ("1" if SOUND[17] != "1" else "2"), "id_check"),
        ("phone", "没有", "phone"),
        ("phone", "123", "phone"),
        ("temporary", "可能", "choice"),
    ],
)
def test_a_cell_is_refused(column: str, cell: Any, code: str) -> None:
    with pytest.raises(reading.Fault) as fault:
        BY_KEY[column].read(cell)
    assert fault.value.code == code


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_reads_back(language: str) -> None:
    for code in codes.RELATION:
        assert cells.read_relation(cells.relation_word(code, language)) == code
    for column, words in (("kind", cells.KINDS), ("occupancy", cells.OCCUPANCIES), ("sex", reading.SEXES)):
        for value in words:
            assert BY_KEY[column].read(cells.word(words, value, language)) == value


def test_code_tables_are_the_standards() -> None:
    assert len(codes.RELATION) == 85
    assert codes.RELATION["02"] == "户主"
    assert set(codes.SEX) == {"0", "1", "2", "9"}
