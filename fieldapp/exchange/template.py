"""The workbook that is downloaded to be filled in: a sheet to fill, a sheet that shows how."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from fieldapp.exchange import cells
from fieldapp.exchange.columns import COLUMNS, Language
from fieldapp.households import reading

LAST = 5_000
"""Rows that offer a choice of words."""
_CHOICES: Mapping[str, Mapping[Any, tuple[str, ...]]] = {
    "kind": cells.KINDS,
    "occupancy": cells.OCCUPANCIES,
    "sex": reading.SEXES,
    "temporary": reading.YES_NO,
}
_EXAMPLE: tuple[dict[str, tuple[Any, Any]], ...] = (
    {
        "building": ("12号楼", "12号楼"), "entrance": (2, 2), "floor": (6, 6), "room": ("601", "601"),
        "kind": ("住宅", "flat"), "household": (1, 1), "occupancy": ("自有", "own"),
        "moved_in": ("2009-05-01", "2009-05-01"), "name": ("张建国", "张建国"), "relation": ("户主", "head"),
        "sex": ("男", "male"), "birth_date": ("1957-03-02", "1957-03-02"), "phone": ("13800001234", "13800001234"),
        "temporary": ("否", "no"),
    },
    {
        "building": ("12号楼", "12号楼"), "entrance": (2, 2), "floor": (6, 6), "room": ("601", "601"),
        "name": ("李秀英", "李秀英"), "relation": ("妻", "wife"), "sex": ("女", "female"),
        "birth_date": ("1959-11-20", "1959-11-20"), "temporary": ("否", "no"),
    },
    {
        "building": ("12号楼", "12号楼"), "entrance": (2, 2), "floor": (6, 6), "room": ("602", "602"),
        "kind": ("住宅", "flat"), "occupancy": ("空置", "vacant"),
    },
    {
        "building": ("12号楼", "12号楼"), "entrance": (1, 1), "floor": (1, 1), "room": ("101+102", "101+102"),
        "kind": ("商铺", "shop"), "shop_name": ("惠民超市", "惠民超市"), "span": (2, 2),
    },
)  # fmt: skip


def make_template(language: Language, titles: tuple[str, str], comments: Mapping[str, str]) -> bytes:
    """Give the workbook: `titles` of its two sheets, `comments` on headers by column key. Every cell asks for text."""
    book = Workbook()
    sheet = book.active
    sheet.title = titles[0]
    _head(sheet, language, comments)
    for key, words in _CHOICES.items():
        letter = get_column_letter([column.key for column in COLUMNS].index(key) + 1)
        several = ",".join(word[0 if language == "zh" else 1] for word in words.values())
        choice = DataValidation(type="list", formula1=f'"{several}"', allow_blank=True, showErrorMessage=True)
        choice.add(f"{letter}2:{letter}{LAST}")
        sheet.add_data_validation(choice)
    shown = book.create_sheet(titles[1])
    _head(shown, language, {})
    for row in _EXAMPLE:
        shown.append(_values(row, language))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _head(sheet: Any, language: Language, comments: Mapping[str, str]) -> None:
    sheet.freeze_panes = "A2"
    for i, column in enumerate(COLUMNS, 1):
        letter = get_column_letter(i)
        sheet.column_dimensions[letter].number_format = "@"
        sheet.column_dimensions[letter].width = 22 if column.key == "id_number" else 12
        cell = sheet.cell(1, i, column.name(language))
        cell.font = Font(bold=True)
        if column.key in comments:
            cell.comment = Comment(comments[column.key], "fieldapp", width=260, height=120)


def _values(row: dict[str, tuple[Any, Any]], language: Language) -> Sequence[Any]:
    place = 0 if language == "zh" else 1
    return [row[column.key][place] if column.key in row else None for column in COLUMNS]
