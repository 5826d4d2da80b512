"""Tables in files: reads XLSX and CSV by what they hold, not by their name, and writes both."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import column_index_from_string, get_column_letter

from fieldapp.exchange.problems import Refused, refuse_file

Row = tuple[int, Sequence[Any]]
"""A row's number as Excel shows it, and its cells."""

LARGEST_FILE = 20 * 1024 * 1024
LARGEST_UNPACKED = 300 * 1024 * 1024
LARGEST_STRINGS = 80 * 1024 * 1024
MOST_PARTS = 2_000
MOST_ROWS = 100_000
MOST_COLUMNS = 64
LAST_ROW = 1_048_576
LONGEST_CELL = 32_767
HEADER_WITHIN = 10
"""A header is looked for in the first rows: office sheets have a title above it."""

OLE = b"\xd0\xcf\x11\xe0"
ERRORS = frozenset({"#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#N/A", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
UNCOMPUTED = "#formula"
"""Stands for a formula whose value the file does not hold."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_RISKY = re.compile("'*[=+\\-@\t\r＝＋－＠]")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?c ([^>]*)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')


def read_table(data: bytes) -> list[Row]:
    """Give the rows of a table that are not empty. Refused: size, empty, type, xls, password, bomb, broken, rows."""
    if len(data) > LARGEST_FILE:
        raise refuse_file("size", str(LARGEST_FILE // 1024 // 1024))
    if not data.strip():
        raise refuse_file("empty")
    if data.startswith(OLE):
        raise refuse_file("xls")
    rows = _xlsx_rows(data) if data.startswith(b"PK") else _csv_rows(data)
    if not rows:
        raise refuse_file("empty")
    return rows


def _keep(rows: Iterable[Row]) -> list[Row]:
    kept: list[Row] = []
    blank: Sequence[Any] | None = None
    for number, cells in rows:
        if number > LAST_ROW:
            raise refuse_file("rows", str(MOST_ROWS))
        if cells is blank:
            # openpyxl fills a gap of a million rows with one and the same tuple.
            continue
        if any(cell is not None and cell != "" for cell in cells):
            kept.append((number, cells))
            if len(kept) > MOST_ROWS + HEADER_WITHIN:
                raise refuse_file("rows", str(MOST_ROWS))
        else:
            blank = cells
    return kept


# --- XLSX


def _xlsx_rows(data: bytes) -> list[Row]:
    _refuse_bombs(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        found: list[Row] = []
        for sheet in book.worksheets:
            found = _sheet_rows(sheet, data)
            if found:
                break
        return found
    except Refused:
        raise
    except Exception:
        # openpyxl raises whatever its parsers trip over: KeyError, ValueError, ParseError, BadZipFile and more.
        raise refuse_file("broken") from None


def _refuse_bombs(data: bytes) -> None:
    """Look at what an archive would unpack to before any of it is unpacked; zipfile reads no more than that."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise refuse_file("broken") from None
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise refuse_file("type")
    strings = max((part.file_size for part in parts if part.filename.endswith("sharedStrings.xml")), default=0)
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED or strings > LARGEST_STRINGS:
        raise refuse_file("bomb")


def _sheet_rows(sheet: Any, data: bytes) -> list[Row]:
    sheet.reset_dimensions()
    rows = _keep(enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1))
    if not rows:
        return rows
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        source = archive.read(sheet._worksheet_path)
    return _fill_merged(_mark_uncomputed(rows, source), source)


def _mark_uncomputed(rows: list[Row], source: bytes) -> list[Row]:
    """A formula that no spreadsheet program has computed yet reads as an empty cell: say so instead of losing it.

    One that was computed to an empty text says so by its type.
    """
    held = {number: list(cells) for number, cells in rows}
    for attributes in _UNCOMPUTED.findall(source):
        place = _PLACE.search(attributes)
        if place is None or b't="str"' in attributes:
            continue
        column, number = column_index_from_string(place[1].decode()) - 1, int(place[2])
        if column < MOST_COLUMNS and number <= LAST_ROW:
            held.setdefault(number, [None] * MOST_COLUMNS)[column] = UNCOMPUTED
    return sorted(held.items())


def _fill_merged(rows: list[Row], source: bytes) -> list[Row]:
    """Office sheets merge a household's cells over its people: each row of a merged column has its first value."""
    held: dict[int, list[Any]] | None = None
    for left, top, right, bottom in _MERGE.findall(source):
        column, last = column_index_from_string(left.decode()) - 1, column_index_from_string(right.decode()) - 1
        if column != last or column >= MOST_COLUMNS or top == bottom:
            continue
        held = {number: list(cells) for number, cells in rows} if held is None else held
        value = held.get(int(top), [])[column : column + 1]
        for number in range(int(top) + 1, min(int(bottom), rows[-1][0]) + 1):
            if number in held and value and column < len(held[number]):
                held[number][column] = value[0]
    return rows if held is None else sorted(held.items())


# --- CSV


def _csv_rows(data: bytes) -> list[Row]:
    text = _decoded(data)
    if text.lstrip()[:1] in ("<", "{", "[", "%"):
        raise refuse_file("type")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        return _keep((number, [unguarded(cell) for cell in row[:MOST_COLUMNS]]) for number, row in enumerate(reader, 1))
    except csv.Error:
        raise refuse_file("broken") from None


def _decoded(data: bytes) -> str:
    """UTF-8, with a byte order mark or without; UTF-16 with one, as Excel's Unicode text; else GB 18030."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text
    raise refuse_file("type")


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",\t;", key=first.count)


# --- writing


def write_xlsx(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str | int | None]], above: str | None = None
) -> bytes:
    """Give a workbook of one sheet. Text stays text, whatever it begins with; columns ask for text too.

    `above` is a line over the header.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A3" if above else "A2"
    for i in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(i)].number_format = "@"
        sheet.column_dimensions[get_column_letter(i)].width = 14
    if above:
        sheet.append([_cell(sheet, above)])
    sheet.append([_bold(sheet, name) for name in header])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _bold(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: str | int | None) -> Any:
    if not isinstance(value, str):
        return value
    value = _CONTROL.sub("", value)[:LONGEST_CELL]
    if not value.startswith(("=", "#")):
        return value
    # openpyxl takes a leading "=" for a formula and "#N/A" for an error; as a string with a quote prefix it is text.
    cell = WriteOnlyCell(sheet, "")
    cell.value = value
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> bytes:
    """Give a CSV file as Excel reads it: UTF-8 with a byte order mark, CRLF, and nothing that it would compute."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(header)
    for row in rows:
        writer.writerow([guarded(value) if isinstance(value, str) else value for value in row])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def guarded(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would compute (OWASP, CSV injection). `unguarded` undoes it."""
    text = _CONTROL.sub("", text)
    return "'" + text if _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """Take away the apostrophe of `guarded`, and nothing else."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text


def first_rows(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows among which a header is looked for."""
    return islice(rows, HEADER_WITHIN)
