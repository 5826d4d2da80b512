"""The registry as a sheet: the rows of an export, in the order in which one would walk, in either language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fieldapp.exchange import cells
from fieldapp.exchange.columns import COLUMNS, Language
from fieldapp.households import reading
from fieldapp.seals import opened


@dataclass(frozen=True)
class Listed:
    """A person with household and door; household None: the door has none; `name` None: nobody is written down."""

    building_id: UUID
    building_position: int
    dwelling_id: UUID
    entrance: int
    floor: int
    room: str
    kind: str
    shop_name: str | None
    column: int
    row: int | None
    span: int
    row_span: int
    household_id: UUID | None
    household: int | None
    occupancy: str | None
    moved_in: date | None
    note: str | None
    resident_id: UUID | None
    position: int | None
    name: str | None
    relation: str | None
    sex: str | None
    birth_date: date | None
    id_number_sealed: str | None
    phone_sealed: str | None
    registered_at: str | None
    temporary: bool | None

    @property
    def id_number(self) -> str | None:
        """The ID number, open."""
        return self._open(self.id_number_sealed, "id_number")

    @property
    def phone(self) -> str | None:
        """The telephone number, open."""
        return self._open(self.phone_sealed, "phone")

    def _open(self, sealed: str | None, column: str) -> str | None:
        return opened(sealed, "resident", self.resident_id, column) if self.resident_id else None

    @property
    def order(self) -> tuple[object, ...]:
        """By entrance, floor, place in the row, household; then as the household's people stand."""
        return (
            self.entrance,
            self.floor,
            self.row or 0,
            self.column,
            self.room,
            self.household or 0,
            self.position or 0,
            self.resident_id.bytes if self.resident_id else b"",
        )


Cells = Sequence[str | int | None]
Group = tuple[int, str, str]
"""A care group's position, code and name: sorts in the community's order."""


def header(language: Language) -> list[str]:
    """The header of every sheet that this program writes."""
    return [column.name(language) for column in COLUMNS]


def sheet_rows(
    listed: Iterable[Listed],
    buildings: Mapping[UUID, str],
    care: Mapping[tuple[UUID, UUID | None], Sequence[Group]],
    language: Language,
) -> list[Cells]:
    """The rows below the header. `buildings` are their names for rows, `care` the care groups by household, resident.

    Groups of a whole household stand in the row of its first person.
    """
    rows: list[Cells] = []
    told: set[UUID] = set()
    for entry in sorted(listed, key=lambda entry: (entry.building_position, buildings[entry.building_id], entry.order)):
        groups: set[Group] = set()
        if entry.household_id is not None:
            groups.update(care.get((entry.household_id, entry.resident_id), ()) if entry.resident_id else ())
            if entry.household_id not in told:
                told.add(entry.household_id)
                groups.update(care.get((entry.household_id, None), ()))
        rows.append(_row(entry, buildings[entry.building_id], [name for _, _, name in sorted(groups)], language))
    return rows


def _row(entry: Listed, building: str, groups: Sequence[str], language: Language) -> Cells:
    none_here = 0 if entry.household is None and entry.kind != "shop" else None
    said: dict[str, str | int | None] = {
        "building": building,
        "entrance": entry.entrance,
        "floor": entry.floor,
        "room": entry.room,
        "kind": cells.word(cells.KINDS, entry.kind, language),
        "shop_name": entry.shop_name,
        "column": entry.column,
        "row": entry.row,
        "span": entry.span,
        "row_span": entry.row_span,
        "household": none_here if entry.household is None else entry.household,
        "moved_in": _day(entry.moved_in),
        "birth_date": _day(entry.birth_date),
        "care_groups": "、".join(groups) or None,
        "note": entry.note,
    }
    if entry.occupancy is not None:
        said["occupancy"] = cells.word(cells.OCCUPANCIES, entry.occupancy, language)
    if entry.name is not None:
        said |= {
            "name": entry.name,
            "relation": cells.relation_word(entry.relation, language) if entry.relation else None,
            "sex": cells.word(reading.SEXES, entry.sex, language) if entry.sex else None,
            "id_number": entry.id_number,
            "phone": entry.phone,
            "registered_at": entry.registered_at,
            "temporary": cells.word(reading.YES_NO, entry.temporary, language),
        }
    return [said.get(column.key) for column in COLUMNS]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
