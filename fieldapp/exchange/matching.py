"""Who of a sheet is who of the registry."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar

from fieldapp.exchange.drafts import Person


class Registered(Protocol):
    """What is looked at of a resident."""

    @property
    def name(self) -> str: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def id_number(self) -> str | None: ...


R = TypeVar("R", bound=Registered)


def match(people: Sequence[Person], living: Sequence[R]) -> list[tuple[Person, R | None]]:
    """Pair each person with the resident of the same household they are, None for somebody new.

    First by ID number; then by name and birth date, both the same; then by name where one side has no birth date. Two
    ID numbers that differ are two people, and nobody is matched twice.
    """
    found: dict[int, R] = {}
    free = list(living)
    for alike in (_same_number, _same_name_and_birth, _same_name):
        for i, person in enumerate(people):
            if i in found:
                continue
            resident = next((resident for resident in free if alike(person, resident)), None)
            if resident is not None:
                found[i] = resident
                free.remove(resident)
    return [(person, found.get(i)) for i, person in enumerate(people)]


def _same_number(person: Person, resident: Registered) -> bool:
    return person.id_number is not None and person.id_number == resident.id_number


def _same_name_and_birth(person: Person, resident: Registered) -> bool:
    if person.id_number and resident.id_number:
        return False
    return person.name == resident.name and person.birth_date == resident.birth_date


def _same_name(person: Person, resident: Registered) -> bool:
    if person.id_number and resident.id_number:
        return False
    return person.name == resident.name and None in (person.birth_date, resident.birth_date)
