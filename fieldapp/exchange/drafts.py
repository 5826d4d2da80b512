"""What the rows of a household sheet say, put together by door; None is not said."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from fieldapp.exchange.directory import KnownBuilding


@dataclass
class Person:
    """A row's person; None or "" is not said. `row` is kept for problems that only the registry brings to light."""

    row: int
    name: str
    relation: str | None
    sex: str | None
    birth_date: date | None
    id_number: str | None
    phone: str | None
    registered_at: str | None
    temporary: bool | None
    care_groups: tuple[UUID, ...]


@dataclass
class HouseholdDraft:
    """A household as its rows say; None is not said. `care_groups` come from rows without a person."""

    number: int
    occupancy: str | None = None
    moved_in: date | None = None
    note: str | None = None
    care_groups: list[UUID] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)


@dataclass
class DoorDraft:
    """A door as its rows say; None is not said."""

    building: KnownBuilding
    entrance: int
    room: str
    floor: int | None = None
    kind: str | None = None
    shop_name: str | None = None
    column: int | None = None
    row: int | None = None
    span: int | None = None
    row_span: int | None = None
    households: dict[int, HouseholdDraft] = field(default_factory=dict)
