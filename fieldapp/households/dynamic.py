"""Care memberships that facts decide by themselves (002 实行动态管理): which there should be on a day, and why. Pure.

Why is said in a code that travels with the membership; screens put it into words.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from fieldapp.households.rules import age_on

AGES = {"elder60": 60, "elder80": 80}
"""From which age on somebody is of a group, by its code; 60 only where a community has such a group."""
NEW_FOR = timedelta(days=90)
"""How long those who moved in are new (001 新迁户)."""
PERMIT_NEAR = timedelta(days=30)
"""How long before its last day a residence permit runs out."""
INFANT = timedelta(days=365)
"""Who came within the first year of their life was born into the household, or came with those who are new anyway."""
RULES = (*AGES, "new_arrival", "temporary")
"""Codes of the groups that rules raise and end, each the name of its rule."""


DECIDING = ("birth_date", "is_temporary", "permit_until")
"""The facts of somebody that the rules look at and that are changed one by one."""


@dataclass(frozen=True)
class Person:
    """What the rules look at of somebody who lives in a household; `moved_in_on` is the household's own."""

    id: UUID
    household_id: UUID
    birth_date: date | None = None
    arrived_on: date | None = None
    moved_in_on: date | None = None
    is_temporary: bool = False
    permit_until: date | None = None


@dataclass(frozen=True)
class Wanted:
    """A membership that there should be: of a household, or of one of its people; since when, and why."""

    code: str
    household_id: UUID
    resident_id: UUID | None
    since: date
    reason: str


def wanted(people: Iterable[Person], day: date, codes: Collection[str]) -> list[Wanted]:
    """What the rules of these groups want on a day; of each household at most one `new_arrival`, since its last."""
    found: list[Wanted] = []
    new: dict[UUID, Wanted] = {}
    for person in people:
        found += [_of_age(person, code, age) for code, age in AGES.items() if code in codes and _is(person, age, day)]
        if "temporary" in codes and person.is_temporary:
            found.append(Wanted("temporary", person.household_id, person.id, _since(person, day), permit(person, day)))
        came_on = arrival(person, day)
        if "new_arrival" in codes and came_on:
            before = new.get(person.household_id)
            if before is None or before.since < came_on:
                new[person.household_id] = Wanted(
                    "new_arrival", person.household_id, None, came_on, f"arrived {came_on.isoformat()}"
                )
    return [*found, *new.values()]


def _is(person: Person, age: int, day: date) -> bool:
    return person.birth_date is not None and age_on(person.birth_date, day) >= age


def _of_age(person: Person, code: str, age: int) -> Wanted:
    born = person.birth_date or date.min
    return Wanted(code, person.household_id, person.id, birthday(born, age), f"age {age}")


def birthday(born: date, age: int) -> date:
    """The day somebody completes so many years; who is born on 29 February does so on 1 March in other years."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def _since(person: Person, day: date) -> date:
    return min(person.arrived_on or day, day)


def arrival(person: Person, day: date) -> date | None:
    """When somebody moved in, where that was less than 90 days ago; None for those who were born here."""
    came = [came_on for came_on in (person.arrived_on, person.moved_in_on) if came_on]
    last = max((came_on for came_on in came if came_on <= day < came_on + NEW_FOR), default=None)
    if last is None or (person.birth_date and last == person.arrived_on and last - person.birth_date < INFANT):
        return None
    return last


def permit(person: Person, day: date) -> str:
    """Why somebody who stays for a time is visited: `temporary`, or that their permit runs out or has run out."""
    until = person.permit_until
    if until is None or until - day > PERMIT_NEAR:
        return "temporary"
    return f"permit_over {until.isoformat()}" if until < day else f"permit_ends {until.isoformat()}"


def ended(code: str, is_here: bool) -> str:
    """Why a membership ends that its rule does not want any more."""
    return code if is_here else "left"


def says(reason: str) -> tuple[str, date | None]:
    """A code and the day in it, if there is one."""
    code, _, day = reason.partition(" ")
    try:
        return code, date.fromisoformat(day)
    except ValueError:
        return reason, None
