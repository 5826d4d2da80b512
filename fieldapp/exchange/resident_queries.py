"""What the residents' sheet is compared with, and what the sheets of residents and visits are made of."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import staff, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.exchange.resident_plan import Registry
from fieldapp.households.models import FactChange, Household, Resident
from fieldapp.households.rules import HEAD, Left
from fieldapp.places.models import Building, Community, Dwelling
from fieldapp.seals import keyring
from fieldapp.visits.models import Visit, VisitResident
from fieldapp.visits.queries import stands


def hold_households(session: Session, actor: Actor) -> None:
    """Keep others from writing at the community's households until this transaction ends (SQLite does so anyway)."""
    session.execute(visible(select(Household.id), actor, Household).with_for_update()).all()


def switched_off(session: Session, actor: Actor) -> tuple[str, ...]:
    """The facts that the community does not keep."""
    found = session.scalar(select(Community.registry_settings).where(Community.id == actor.community_id))
    return tuple((found or {}).get("off", ()))


def author_id(session: Session, actor: Actor, username: str | None = None) -> UUID | None:
    """Who signs what a command changes: `username` of the community, else its first director or administrator."""
    if actor.user_id or actor.community_id is None:
        return actor.user_id
    people = staff(session, actor.community_id)
    if username is not None:
        return next((user.id for user in people if user.username == username), None)
    for role in (Role.DIRECTOR, Role.ADMIN):
        if found := next((user.id for user in people if user.role == role), None):
            return found
    return None


def registry(session: Session, actor: Actor) -> Registry:
    """The community as it is. Three statements, whatever its size."""
    doors, addresses, by_dwelling = {}, {}, defaultdict(list)
    statement = (
        select(
            Dwelling.id,
            Dwelling.building_id,
            Dwelling.entrance,
            Dwelling.room,
            Building.name,
            Household.id,
            Household.number,
        )
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Household, Household.dwelling_id == Dwelling.id)
        .order_by(Household.number)
    )
    for dwelling_id, building_id, entrance, room, name, household_id, number in session.execute(
        visible(statement, actor, Dwelling)
    ):
        doors[building_id, entrance, room] = dwelling_id
        if household_id is not None:
            by_dwelling[dwelling_id].append((household_id, number))
            addresses[household_id] = f"{name} {entrance}-{room}"
    living: dict[UUID, list[Resident]] = defaultdict(list)
    by_hash: dict[str, list[Resident]] = defaultdict(list)
    people = select(Resident).where(
        Resident.erased_at.is_(None),
        (Resident.left_why.is_(None)) | (Resident.left_why.not_in((Left.MERGED, Left.ERASED))),
    )
    for resident in session.scalars(visible(people, actor, Resident).order_by(Resident.position, Resident.id)):
        if resident.left_on is None:
            living[resident.household_id].append(resident)
        if resident.id_hash:
            by_hash[resident.id_hash].append(resident)
    return Registry(doors, by_dwelling, living, by_hash, addresses, keyring().digest)


def later_changes(session: Session, actor: Actor, since: datetime) -> dict[tuple[UUID | None, str], datetime]:
    """When each fact of a resident changed last, of those that changed at or after a moment."""
    statement = (
        select(FactChange.resident_id, FactChange.field, func.max(FactChange.changed_at))
        .where(FactChange.changed_at >= since, FactChange.resident_id.is_not(None))
        .group_by(FactChange.resident_id, FactChange.field)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(visible(statement, actor, FactChange))}


# --- sheets


@dataclass(frozen=True)
class Row:
    """A resident with the door and the name of the household's head."""

    building_id: UUID
    entrance: int
    room: str
    number: int
    households: int
    head: str | None
    resident: Any


def resident_rows(session: Session, actor: Actor) -> list[Row]:
    """Who lives in the community, in the order in which one would walk."""
    statement = (
        select(Building.position, Dwelling, Household.id, Household.number, Resident)
        .join(Household, Household.dwelling_id == Dwelling.id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(Resident, Resident.household_id == Household.id)
        .where(Resident.left_on.is_(None), Resident.erased_at.is_(None))
    )
    found = session.execute(visible(statement, actor, Dwelling)).all()
    heads = {household_id: person.name for _p, _d, household_id, _n, person in found if person.relation == HEAD}
    behind: dict[UUID, set[UUID]] = defaultdict(set)
    for _p, dwelling, household_id, _n, _person in found:
        behind[dwelling.id].add(household_id)

    def order(row: Any) -> tuple[Any, ...]:
        position, door, _household, number, person = row
        place = (door.entrance, door.floor, door.row or 0, door.column, door.room)
        return (position, door.building_id.bytes, *place, number, not person.is_head, person.position, person.id.bytes)

    return [
        Row(d.building_id, d.entrance, d.room, number, len(behind[d.id]), heads.get(household_id), person)
        for _p, d, household_id, number, person in sorted(found, key=order)
    ]


@dataclass(frozen=True)
class Place:
    """A door by its names."""

    building: str
    is_courtyard: bool
    entrance: int
    room: str


@dataclass(frozen=True)
class Logged:
    """A standing visit as a city's platform asks for it; `people` were met, or else the household's head."""

    visit: Visit
    place: Place
    visitor: str
    companion: str | None
    people: Sequence[str]


def visit_rows(session: Session, actor: Actor, since: date, until: date) -> list[Logged]:
    """The standing visits from one day to another, both included, oldest first. Three statements."""
    companion = aliased(User)
    statement = (
        select(Visit, Building.name, Building.kind, Dwelling.entrance, Dwelling.room, User.name, companion.name)
        .join(Household, Household.id == Visit.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(User, User.id == Visit.visitor_id)
        .outerjoin(companion, companion.id == Visit.companion_id)
        .where(Visit.visited_on >= since, Visit.visited_on <= until, stands())
        .order_by(Visit.visited_at, Visit.id)
    )
    found = session.execute(visible(statement, actor, Dwelling)).all()
    met: dict[UUID, list[str]] = defaultdict(list)
    people = (
        select(VisitResident.visit_id, Resident.name)
        .join(Resident, Resident.id == VisitResident.resident_id)
        .join(Visit, Visit.id == VisitResident.visit_id)
        .where(Visit.visited_on >= since, Visit.visited_on <= until, Resident.erased_at.is_(None))
        .order_by(Resident.position, Resident.id)
    )
    for visit_id, name in session.execute(visible(people, actor, Resident)):
        met[visit_id].append(name)
    heads = select(Resident.household_id, Resident.name).where(
        Resident.relation == HEAD, Resident.left_on.is_(None), Resident.erased_at.is_(None)
    )
    head = {row[0]: row[1] for row in session.execute(visible(heads, actor, Resident))}
    rows = []
    for visit, building, kind, entrance, room, visitor, beside in found:
        who = met[visit.id] or ([head[visit.household_id]] if visit.household_id in head else [])
        place = Place(building, kind == "courtyard", entrance, room)
        rows.append(Logged(visit, place, visitor, beside, who))
    return rows


def heads(session: Session, actor: Actor) -> dict[UUID, UUID]:
    """The head of each household that has one."""
    statement = select(Resident.household_id, Resident.id).where(Resident.relation == HEAD, Resident.left_on.is_(None))
    return {row[0]: row[1] for row in session.execute(visible(statement, actor, Resident))}


def last_positions(session: Session, actor: Actor) -> dict[UUID, int]:
    """The last place in the order of each household's people."""
    statement = select(Resident.household_id, func.max(Resident.position)).group_by(Resident.household_id)
    return {row[0]: row[1] for row in session.execute(visible(statement, actor, Resident))}
