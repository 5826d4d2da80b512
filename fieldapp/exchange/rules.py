"""The household sheet's rules: rows to doors, households and people, and everything that is wrong with them.

One row a person, the household's columns repeated; a vacant flat or a shop is one row without a person. Rows of one
building, entrance and room are one door, with one number behind it one household.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from fieldapp.exchange import cells
from fieldapp.exchange.columns import BY_KEY, COLUMNS, Column, Header, find_header
from fieldapp.exchange.directory import Directory, KnownBuilding
from fieldapp.exchange.drafts import DoorDraft, HouseholdDraft, Person
from fieldapp.exchange.problems import Refused, RowProblem
from fieldapp.exchange.sheet import MOST_COLUMNS, Row
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, birth_date_of, sex_of

PERSON = ("name", "relation", "sex", "birth_date", "id_number", "phone", "registered_at")
"""Columns that say something of a person: where one is filled in, there must be a name."""
OF_DOOR = ("floor", "kind", "shop_name", "column", "row", "span", "row_span")
OF_HOUSEHOLD = ("occupancy", "moved_in", "note")


@dataclass(frozen=True)
class Registration:
    """What a sheet says. `doors` hold the good rows only; `header` tells which columns it has."""

    header: Header
    doors: list[DoorDraft]
    problems: list[RowProblem]
    rows: int
    bad_rows: frozenset[int]


@dataclass
class _Line:
    number: int
    values: dict[str, Any]
    cells: dict[str, Any]
    problems: list[RowProblem] = field(default_factory=list)
    building: KnownBuilding | None = None

    def cell(self, key: str) -> str:
        """A cell as text, for what is said of it."""
        return cells.shown(self.cells[key]) if key in self.cells else ""

    @property
    def door(self) -> tuple[UUID, int, str] | None:
        room = self.values.get("room")
        return (self.building.id, self.values.get("entrance") or 1, room) if self.building and room else None

    @property
    def household(self) -> tuple[UUID, int, str, int] | None:
        number = self.values.get("household")
        return (*self.door, 1 if number is None else number) if self.door else None


def read_registration(rows: Sequence[Row], directory: Directory, today: date) -> Registration:
    """Read a household sheet's rows. Refused: a column is missing or there twice, or no row stands below the header."""
    header, faults = find_header(rows)
    if faults:
        raise Refused(faults)
    reader = _Reader(header, directory, today)
    lines = [reader.line(row) for row in rows if row[0] > header.row]
    lines = [line for line in lines if line.values or line.problems]
    if not lines:
        raise Refused([RowProblem(None, "", "", "empty")])
    _check_together(lines, header)
    places = {header.names[key]: place for key, place in header.places.items()}
    problems = [
        problem
        for line in lines
        for problem in sorted(line.problems, key=lambda problem: places.get(problem.column, MOST_COLUMNS))
    ]
    bad = frozenset(line.number for line in lines if line.problems)
    doors = _doors([line for line in lines if not line.problems])
    return Registration(header, doors, problems, len(lines), bad)


class _Reader:
    def __init__(self, header: Header, directory: Directory, today: date) -> None:
        self.header, self.directory, self.today = header, directory, today
        self.columns = [(BY_KEY[key], place) for key, place in header.places.items()]
        self.read: dict[str, dict[Any, Any]] = {key: {} for key in header.places}

    def line(self, row: Row) -> _Line:
        """Read one row, with what is wrong in it by itself."""
        line = _Line(row[0], {}, {})
        for column, place in self.columns:
            cell = row[1][place] if place < len(row[1]) else None
            if cells.is_empty(cell):
                continue
            line.cells[column.key] = cell
            value = self.value(column, cell)
            if isinstance(value, Fault):
                self.refuse(line, column.key, value.code, value.detail)
            else:
                line.values[column.key] = value
        if line.cells:
            self._place(line)
            self._check_person(line)
        return line

    def value(self, column: Column, cell: Any) -> Any:
        """Read a cell; the same text in the same column is read once. A Fault is given, not raised."""
        known = self.read[column.key]
        key = (type(cell), cell)
        if key not in known:
            try:
                known[key] = column.read(cell)
            except Fault as fault:
                known[key] = fault
        return known[key]

    def refuse(self, line: _Line, key: str, code: str, detail: str = "") -> None:
        line.problems.append(problem_at(self.header, line.number, key, line.cell(key), code, detail))

    def _place(self, line: _Line) -> None:
        for column in COLUMNS:
            if column.required and column.key not in line.cells:
                self.refuse(line, column.key, "needed")
        if "building" in line.values:
            found = self.directory.building(line.values["building"])
            line.building = found if isinstance(found, KnownBuilding) else None
            if not isinstance(found, KnownBuilding):
                self.refuse(line, "building", "building_ambiguous" if found else "building", found or "")

    def _check_person(self, line: _Line) -> None:
        values = line.values
        if "name" not in line.cells and (filled := [key for key in PERSON if key in line.cells]):
            self.refuse(line, "name", "name_needed", self.header.names[filled[0]])
        if "name" in line.cells and values.get("household") == 0:
            self.refuse(line, "household", "no_household")
        for key in ("birth_date", "moved_in"):
            if values.get(key) and values[key] > self.today:
                self.refuse(line, key, "future", self.today.isoformat())
        self._check_id_number(line)
        groups = []
        for name in values.get("care_groups", ()):
            group = self.directory.care_groups.get(name)
            if group is None:
                self.refuse(line, "care_groups", "care_group", "、".join(self.directory.care_groups))
            else:
                groups.append(group)
        values["care_groups"] = tuple(groups)

    def _check_id_number(self, line: _Line) -> None:
        number = line.values.get("id_number")
        if not number:
            return
        born, sex = birth_date_of(number), sex_of(number)
        if line.values.get("birth_date", born) != born:
            self.refuse(line, "birth_date", "id_born", born.isoformat())
        if line.values.get("sex", sex) in ("1", "2") and line.values.get("sex", sex) != sex:
            self.refuse(line, "sex", "id_sex", sex)
        if "birth_date" not in line.cells:
            line.values["birth_date"] = born
        if "sex" not in line.cells:
            line.values["sex"] = sex


def problem_at(header: Header, row: int, key: str, value: str, code: str, detail: str = "") -> RowProblem:
    """A problem in a column named as in the file."""
    return RowProblem(row, header.names.get(key, BY_KEY[key].zh), value, code, detail)


def _check_together(lines: Iterable[_Line], header: Header) -> None:
    """Find what only shows between rows: two heads, a number twice, a household or a door that says two things."""
    numbers: dict[str, int] = {}
    heads: dict[Any, int] = {}
    people: dict[Any, int] = {}
    said: dict[Any, tuple[Any, int]] = {}

    def claim(taken: dict[Any, int], key: Any, line: _Line, column: str, code: str) -> None:
        if taken.setdefault(key, line.number) != line.number:
            line.problems.append(problem_at(header, line.number, column, line.cell(column), code, str(taken[key])))

    for line in lines:
        values = line.values
        if "id_number" in values:
            claim(numbers, values["id_number"], line, "id_number", "id_twice")
        if line.household is None:
            continue
        if values.get("relation") == HEAD:
            claim(heads, line.household, line, "relation", "two_heads")
        if values.get("name") and values.get("birth_date") and "id_number" not in values:
            claim(people, (line.household, values["name"], values["birth_date"]), line, "name", "person_twice")
        for keys, of in ((OF_DOOR, line.door), (OF_HOUSEHOLD, line.household)):
            for key in keys:
                if key not in values:
                    continue
                first, row = said.setdefault((of, key), (values[key], line.number))
                if first != values[key]:
                    line.problems.append(problem_at(header, line.number, key, line.cell(key), "differs", str(row)))


def _doors(lines: Iterable[_Line]) -> list[DoorDraft]:
    doors: dict[Any, DoorDraft] = {}
    for line in lines:
        values = line.values
        if line.building is None or line.door is None or line.household is None:
            continue
        door = doors.setdefault(line.door, DoorDraft(line.building, line.door[1], line.door[2]))
        for key in OF_DOOR:
            if key in values:
                setattr(door, key, values[key])
        if not _has_household(values, door):
            continue
        number = line.household[3]
        household = door.households.setdefault(number, HouseholdDraft(number))
        for key in OF_HOUSEHOLD:
            if key in values:
                setattr(household, key, values[key])
        if "name" in values:
            household.people.append(_person(line))
        else:
            household.care_groups += [group for group in values["care_groups"] if group not in household.care_groups]
    return list(doors.values())


def _has_household(values: dict[str, Any], door: DoorDraft) -> bool:
    """A shop's row makes a household only where it says so; 户号 0 says that there is none."""
    if values.get("household") == 0:
        return False
    is_shop = door.kind == "shop" or (door.kind is None and door.shop_name is not None)
    told = any(key in values for key in ("household", "name", *OF_HOUSEHOLD)) or bool(values["care_groups"])
    return told or not is_shop


def _person(line: _Line) -> Person:
    values = line.values
    said = {key: values.get(key) for key in (*PERSON, "temporary")}
    return Person(row=line.number, care_groups=values["care_groups"], **said)  # type: ignore[arg-type]
