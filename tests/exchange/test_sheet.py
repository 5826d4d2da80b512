"""Tables of every kind that people send, and of the kinds that they should not."""

import io
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook, load_workbook

from fieldapp.exchange import sheet
from fieldapp.exchange.problems import Refused
from fieldapp.exchange.sheet import UNCOMPUTED, guarded, read_table, unguarded, write_csv, write_xlsx
from tests.exchange.made import csv_of, xlsx


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_table(data)
    (problem,) = refused.value.problems
    assert problem.row is None
    return problem.code


def packed(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_the_encodings_of_offices(encoding: str) -> None:
    assert read_table(csv_of("楼栋,室号", "１号楼,601", encoding=encoding)) == [
        (1, ["楼栋", "室号"]),
        (2, ["１号楼", "601"]),
    ]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_with_other_delimiters(delimiter: str) -> None:
    assert read_table(csv_of(delimiter.join("ab"), delimiter.join("12")))[1] == (2, ["1", "2"])


def test_rows_are_numbered_as_excel_shows_them() -> None:
    assert [number for number, _ in read_table(csv_of("a,b", "", '"1\n2",x', ",", "3,4"))] == [1, 3, 5]
    book = Workbook()
    book.active["A1"], book.active["A5"] = "a", "b"
    target = io.BytesIO()
    book.save(target)
    assert [number for number, _ in read_table(target.getvalue())] == [1, 5]


def test_xlsx_keeps_types() -> None:
    (_, cells), *_ = read_table(xlsx([["text", 1, 2.5, True, datetime(1957, 3, 2), None]]))
    assert list(cells)[:5] == ["text", 1, 2.5, True, datetime(1957, 3, 2)]


def test_the_first_sheet_that_holds_something_is_read() -> None:
    book = Workbook()
    book.create_sheet("second").append(["a"])
    target = io.BytesIO()
    book.save(target)
    assert len(read_table(target.getvalue())) == 1


def test_a_formula_nobody_computed_is_not_an_empty_cell() -> None:
    (_, _), (number, cells) = read_table(xlsx([["a", "b"], ["=1+1", "x"]]))
    assert (number, list(cells)[:2]) == (2, [UNCOMPUTED, "x"])


def test_merged_cells_fill_their_rows() -> None:
    book = Workbook()
    for row in (["楼栋", "姓名"], ["1号楼", "张三"], [None, "李四"], ["2号楼", "王五"]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    target = io.BytesIO()
    book.save(target)
    assert [cells[0] for _, cells in read_table(target.getvalue())] == ["楼栋", "1号楼", "1号楼", "2号楼"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b",,\r\n,,", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "xls"),
        (b"%PDF-1.7 ...", "type"),
        (b"<html><table></table></html>", "type"),
        (b'{"type":"FeatureCollection"}', "type"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "type"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "type"),
        (b"PK\x03\x04 no archive at all", "broken"),
        (packed({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<Types/>"}), "type"),
        (packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<nothing"}), "broken"),
        (xlsx([["a"]])[:-200], "broken"),
        (b"a" * (sheet.LARGEST_FILE + 1), "size"),
        (b'"' + b"a" * 200_000, "broken"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    parts = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<a/>"}
    assert refusal(packed(parts | {"xl/sharedStrings.xml": b" " * (sheet.LARGEST_STRINGS + 1)})) == "bomb"
    assert refusal(packed(parts | {f"xl/{i}": b"" for i in range(sheet.MOST_PARTS + 1)})) == "bomb"


def test_a_row_far_down_costs_nothing_and_one_beyond_the_sheet_is_refused() -> None:
    whole = packed_with_rows('<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>', 1_000_000)
    assert [number for number, _ in read_table(whole)] == [1, 1_000_000]
    assert refusal(packed_with_rows("", 1_000_000_000)) == "rows"


def packed_with_rows(first: str, last: int) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(xlsx([["a"]])))
    parts = {name: source.read(name) for name in source.namelist()}
    row = f'<row r="{last}"><c r="A{last}" t="inlineStr"><is><t>z</t></is></c></row>'
    text = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{first}{row}'
    return packed(parts | {"xl/worksheets/sheet1.xml": (text + "</sheetData></worksheet>").encode()})


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST_ROWS", 5)
    assert refusal(csv_of(*["a,b"] * 40)) == "rows"


RISKY = ["=1+1", "+86", "-1", "@x", "'=1", "''@", "＝1", "'plain", "plain", "#N/A", "_x000D_", "a\nb", 'a"b', "1,2"]


def test_nothing_written_is_ever_computed_and_it_reads_back() -> None:
    rows = [[text, 7, None] for text in RISKY]
    for data in (write_csv(["a", "b", "c"], rows), write_xlsx("t", ["a", "b", "c"], rows)):
        assert [cells[0] for _, cells in read_table(data)[1:]] == RISKY
    assert all(unguarded(guarded(text)) == text for text in RISKY)
    lines = write_csv(["a"], [[text] for text in RISKY]).decode("utf-8-sig").splitlines()
    assert not any(line.lstrip('"').startswith(tuple("=+-@＝")) for line in lines)
    book = load_workbook(io.BytesIO(write_xlsx("t", ["a"], [["=1+1"]])))
    assert (book.active["A2"].data_type, book.active["A2"].quotePrefix) == ("s", True)


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert read_table(write_xlsx("t", ["a"], [["x\x00\x0by\ud800"]]))[1][1][0] == "xy"
    assert read_table(write_csv(["a"], [["x\x00\x0by\ud800"]]))[1][1][0] == "xy"


def test_a_formula_computed_to_nothing_is_an_empty_cell() -> None:
    source = zipfile.ZipFile(io.BytesIO(xlsx([["a", "b", "c"], ["=1+1", "x"]])))
    parts = {name: source.read(name) for name in source.namelist()}
    cells = (
        b'<c r="A2" t="str"><f>IF(1,"","")</f><v></v></c><c r="B2"><f>1+1</f></c><c r="C2"><f>1+1</f><v>2</v></c>'
        b'<c r="D2" t="e"><f>A9</f><v>#REF!</v></c>'
    )
    text = parts["xl/worksheets/sheet1.xml"]
    start, end = text.index(b'<c r="A2"'), text.index(b"</row>", text.index(b'<c r="A2"'))
    parts["xl/worksheets/sheet1.xml"] = text[:start] + cells + text[end:]
    assert list(read_table(packed(parts))[1][1])[:4] == [None, UNCOMPUTED, 2, "#REF!"]
