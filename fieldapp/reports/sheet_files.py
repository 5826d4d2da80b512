"""A sheet as a spreadsheet: the numbers, then the list; pure, from figures to bytes."""

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from fieldapp.households.rules import age_on
from fieldapp.households.views import sex_word
from fieldapp.reports.sheet_queries import Door, Named, Promised
from fieldapp.reports.sheet_words import column_words, kind_name
from fieldapp.reports.sheets import COLUMNS, LAST_BAND, Entry, Kind
from fieldapp.visits.rules import day_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Behind:
    """What the entries of a list are called."""

    doors: dict[UUID, Door]
    people: dict[UUID, Named]
    promises: dict[UUID, Promised]


@dataclass(frozen=True)
class Listed:
    """Every entry of a sheet, with the columns or topics that count it."""

    entries: dict[Entry, list[str]]
    behind: Behind
    districts: dict[UUID, str]
    day: date


def workbook(
    kind: Kind, where: str, day: date, table: list[tuple[str, dict[str, int]]], mark: str, listed: Listed | None = None
) -> bytes:
    """A sheet's figures and, where given, its list. `mark` says in the first row of both who took it and when."""
    book = Workbook(write_only=True)
    words = column_words(kind)
    title = f"{where} {kind_name(kind)} {day}"
    numbers = _page(book, kind_name(kind), mark, title, [16] + [11] * len(COLUMNS[kind]))
    _bold(numbers, ["", *(words[key] for key in COLUMNS[kind])])
    for name, figures in table:
        _row(numbers, [name, *(figures[key] for key in COLUMNS[kind])])
    if kind is Kind.STRUCTURE:
        _pyramid(numbers, table[-1][1])
    if listed:
        _list(book, kind, mark, title, listed)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _pyramid(numbers: Any, figures: dict[str, int]) -> None:
    """Below the table: how many men and women of each five years, all places of the table together."""
    _row(numbers, [])
    _bold(numbers, [_("年龄"), _("男"), _("女")])
    for band in range(LAST_BAND + 1):
        ages = f"{5 * band}–{5 * band + 4}" if band < LAST_BAND else f"{5 * band}+"
        _row(numbers, [ages, figures[f"m{band}"], figures[f"f{band}"]])


def _list(book: Workbook, kind: Kind, mark: str, title: str, listed: Listed) -> None:
    page = _page(book, _("名单"), mark, title, [14, 14, 8, 10, 14, 6, 6, 40, 12, 10])
    place = [_("包干区"), _("楼栋"), _("单元"), _("室")]
    if kind is Kind.NEEDS:
        _bold(page, [*place, _("户主"), "", "", _("事项"), _("答应的事"), _("约定日期"), _("办好日期")])
    else:
        _bold(page, [*place, _("姓名"), _("性别"), _("年龄"), _("归在")])
    for entry, said in listed.entries.items():
        _row(page, [*_place(entry, listed), *_who(kind, entry, listed), "、".join(said), *_promise(entry, listed)])


def _place(entry: Entry, listed: Listed) -> list[Any]:
    district = listed.districts.get(entry.district_id) if entry.district_id else None
    door = listed.behind.doors.get(entry.household_id)
    if door is None:
        return [district, None, None, None]
    return [district, door.building, None if door.is_courtyard else door.entrance, door.room]


def _who(kind: Kind, entry: Entry, listed: Listed) -> list[Any]:
    """Somebody's name, sex and age; of a household its head's name."""
    person = listed.behind.people.get(entry.person_id) if entry.person_id else None
    if person is None:
        door = listed.behind.doors.get(entry.household_id)
        return [door.head if door else None, None, None]
    born = person.birth_date
    return [person.name, sex_word(person.sex), age_on(born, listed.day) if born and born <= listed.day else None]


def _promise(entry: Entry, listed: Listed) -> list[Any]:
    promise = listed.behind.promises.get(entry.promise_id) if entry.promise_id else None
    if promise is None:
        return []
    return [promise.promise, promise.due_on, day_of(promise.done_at) if promise.done_at else None]


def _page(book: Workbook, name: str, mark: str, title: str, widths: list[int]) -> Any:
    page = book.create_sheet(name)
    for number, width in enumerate(widths):
        page.column_dimensions["ABCDEFGHIJKLMNOPQR"[number]].width = width
    page.freeze_panes = "A4"
    _row(page, [mark])
    _bold(page, [title])
    return page


def _bold(page: Any, values: list[Any]) -> None:
    cells = [_cell(page, value) for value in values]
    for cell in cells:
        cell.font = Font(bold=True)
    page.append(cells)


def _row(page: Any, values: list[Any]) -> None:
    page.append([_guarded(page, value) for value in values])


def _guarded(page: Any, value: Any) -> Any:
    """Text as text: openpyxl takes "=…" for a formula and "#N/A" for an error, whoever bears the name.

    A cell of its own for every text would make a list of 15,000 people take twice as long.
    """
    if not isinstance(value, str):
        return value
    value = ILLEGAL_CHARACTERS_RE.sub("", value)
    return _cell(page, value) if value.startswith(("=", "+", "-", "@", "#")) else value


def _cell(page: Any, value: str | int) -> Any:
    cell = WriteOnlyCell(page, "")
    cell.value = value
    if isinstance(value, str):
        cell.data_type, cell.quotePrefix = "s", value.startswith(("=", "+", "-", "@", "#"))
    return cell
