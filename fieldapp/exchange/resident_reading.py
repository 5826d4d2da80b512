"""The residents' sheet's rows: who each row speaks of, at which door, and which cells are not clear.

One row a person. Office sheets write building, room and head once and leave them empty below; merged cells come filled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fieldapp.exchange import cells, resident_cells
from fieldapp.exchange.columns import loose
from fieldapp.exchange.directory import Directory
from fieldapp.exchange.problems import Refused, RowProblem
from fieldapp.exchange.resident_address import Door, find_door
from fieldapp.exchange.resident_cells import READERS, Vague
from fieldapp.exchange.resident_columns import FACTS, OF_DOOR, Headings, faults
from fieldapp.exchange.sheet import Row
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, birth_date_of, sex_of

WATERMARK = "导出人："
"""How the row begins that says who took a sheet out, and when: it is nobody's."""
ELSEWHERE = "别处（没写地方）"
"""Where somebody is registered of whom a sheet says only that it is not here (人户分离)."""


@dataclass
class Said:
    """A row's person: `values` are facts as text, "" says that there is none; `masked` is an ID number with stars."""

    row: int
    door: Door
    number: int | None
    values: dict[str, str]
    masked: str | None = None

    @property
    def name(self) -> str:
        """What the row calls the person."""
        return self.values["name"]


@dataclass(frozen=True)
class Reading:
    """What a sheet says, row by row, and what is not clear in it. A row stands in one of the two."""

    headings: Headings
    said: list[Said]
    unclear: list[RowProblem]


def read_residents(rows: Sequence[Row], headings: Headings, directory: Directory, today: date) -> Reading:
    """Read the rows below the headings. Refused: a column is missing or there twice, or nobody stands below."""
    if problems := faults(headings):
        raise Refused(problems)
    reader = _Reader(headings, directory, today)
    said = [found for row in rows if row[0] > headings.row and (found := reader.row(row))]
    if not said and not reader.unclear:
        raise Refused([RowProblem(None, "", "", "empty")])
    return Reading(headings, said, reader.unclear)


@dataclass
class _Line:
    number: int
    cells: dict[str, Any] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


class _Reader:
    def __init__(self, headings: Headings, directory: Directory, today: date) -> None:
        self.headings, self.directory, self.today = headings, directory, today
        self.known: dict[str, dict[Any, str | Fault]] = {key: {} for key in READERS}
        self.doors: dict[tuple[tuple[str, str], ...], Door | Fault] = {}
        self.unclear: list[RowProblem] = []
        self.above: dict[str, str] = {}

    def row(self, row: Row) -> Said | None:
        """Read one row; None where it speaks of nobody, or not clearly."""
        line = self._line(row)
        if self._is_nobody(line):
            if any(key in line.values for key in OF_DOOR):
                self.above = self._where(line)
            return None
        before = len(self.unclear)
        for key, cell in line.cells.items():
            found = self._read(key, cell)
            if isinstance(found, Fault):
                self.refuse(line, key, found)
            else:
                line.values[key] = found
        if "name" not in line.cells:
            first = next(key for key in line.cells if key not in OF_DOOR)
            self.refuse(line, "name", Fault("name_needed", self.headings.name(first)))
        self._agree(line)
        said = self._place(line)
        return said if len(self.unclear) == before else None

    def refuse(self, line: _Line, key: str, fault: Fault) -> None:
        """Say that a cell is not clear."""
        shown = cells.shown(line.cells[key]) if key in line.cells else ""
        self.unclear.append(RowProblem(line.number, self.headings.name(key), shown, fault.code, fault.detail))

    def _line(self, row: Row) -> _Line:
        line = _Line(row[0])
        for place, key in self.headings.places.items():
            cell = row[1][place] if place < len(row[1]) else None
            if not cells.is_empty(cell) and cell not in ("-", "—", "/", "\\"):
                line.cells[key] = cell
        for key in OF_DOOR:
            if key in line.cells and not isinstance(found := self._read(key, line.cells[key]), Fault):
                line.values[key] = found
        return line

    def _is_nobody(self, line: _Line) -> bool:
        """Whether a row is empty, a watermark, the headings again, or a door where nobody is written down."""
        name = line.cells.get("name")
        if isinstance(name, str) and loose(name) == loose(self.headings.name("name")):
            return True
        if any(isinstance(cell, str) and cell.startswith(WATERMARK) for cell in line.cells.values()):
            return True
        return all(key in (*OF_DOOR, "head") for key in line.cells)

    def _read(self, key: str, cell: Any) -> str | Fault:
        """Read a cell; the same text in the same column is read once. A Fault is given, not raised."""
        known, index = self.known[key], (type(cell), cell)
        if index not in known:
            try:
                known[index] = READERS[key](cell, self.today)
            except Fault as fault:
                known[index] = fault
        return known[index]

    # --- where

    def _where(self, line: _Line) -> dict[str, str]:
        """What the row says of its door, filled from above where it goes on with that building or household."""
        said = {key: line.values[key] for key in OF_DOOR if key in line.values}
        if "address" in said or "building" in said:
            return said
        is_next = line.values.get("relation") != HEAD
        if "room" not in said and not is_next:
            return said
        return {**self.above, **said} if "room" not in said else {**_stairs(self.above), **said}

    def _place(self, line: _Line) -> Said | None:
        wrong = [key for key in OF_DOOR if key in line.cells and key not in line.values]
        said = self._where(line)
        if wrong:
            return None
        if not {"building", "room"} <= set(said) and "address" not in said:
            missing = next(key for key in ("address", "building", "room") if key in self.headings.places.values())
            key = "room" if "building" in said and "room" in self.headings.places.values() else missing
            self.refuse(line, key, Fault("needed"))
            return None
        self.above = said
        door = self._door(said)
        if isinstance(door, Fault):
            key = "entrance" if door.code == "entrance" and "entrance" in line.cells else "address"
            self.refuse(line, key if key in line.cells or "building" not in said else "building", door)
            return None
        facts = {key: value for key, value in line.values.items() if key in FACTS}
        number = int(said["number"]) if "number" in said else None
        return Said(line.number, door, number, *_without_stars(facts)) if "name" in facts else None

    def _door(self, said: Mapping[str, str]) -> Door | Fault:
        index = tuple(sorted(said.items()))
        if index not in self.doors:
            try:
                self.doors[index] = find_door(said, self.directory)
            except Fault as fault:
                self.doors[index] = fault
        return self.doors[index]

    # --- what belongs together in a row

    def _agree(self, line: _Line) -> None:
        values = line.values
        if values.get("phone") == "":
            del values["phone"]  # stars: nothing is said
        if values.get("guardian_phone") == "":
            del values["guardian_phone"]
        if "relation" not in line.cells and values.get("head") and values.get("head") == values.get("name"):
            values["relation"] = HEAD
        elsewhere = values.pop("elsewhere", None)
        if elsewhere == "1" and not values.get("registered_at"):
            values["registered_at"] = ELSEWHERE
        elif elsewhere == "":
            values["registered_at"] = ""
        self._agree_with_number(line)

    def _agree_with_number(self, line: _Line) -> None:
        number = line.values.get("id_number")
        if not number or resident_cells.is_masked(number):
            return
        born, sex = birth_date_of(number).isoformat(), sex_of(number)
        written = line.values.get("birth_date", born)
        if written != born and not (isinstance(written, Vague) and written[:7] == born[:7]):
            self.refuse(line, "birth_date", Fault("id_born", born))
        if line.values.get("sex", sex) in ("1", "2") and line.values.get("sex", sex) != sex:
            self.refuse(line, "sex", Fault("id_sex", sex))
        line.values["birth_date"] = born
        line.values["sex"] = sex


def _stairs(above: Mapping[str, str]) -> dict[str, str]:
    return {key: above[key] for key in ("building", "entrance") if key in above}


def _without_stars(values: dict[str, str]) -> tuple[dict[str, str], str | None]:
    number = values.get("id_number")
    if number is None or not resident_cells.is_masked(number):
        return values, None
    return {key: value for key, value in values.items() if key != "id_number"}, number
