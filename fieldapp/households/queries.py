"""Reading the registry: one household with its people, and finding people by what is known of them."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import CareGroup, CareMembership, FactStamp, Household, OccupancyPeriod, Resident
from fieldapp.households.rules import HEAD, FoundBy
from fieldapp.places.models import Building, Dwelling, Placement
from fieldapp.seals import keyring


@dataclass(frozen=True)
class Address:
    """A household with the door it lives behind."""

    household: Household
    dwelling: Dwelling
    building: Building


@dataclass(frozen=True)
class CareOf:
    """A care membership with its group, for the household's page."""

    membership: CareMembership
    group: CareGroup


def household(session: Session, actor: Actor, household_id: UUID) -> Address | None:
    """A household that the actor may see, with its door."""
    row = session.execute(_household(actor.role), bounds(actor) | {"household": household_id}).first()
    return Address(*row) if row else None


@cache
def _household(role: Role) -> Select[*tuple[Any, ...]]:
    statement = (
        select(Household, Dwelling, Building)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .where(Household.id == bindparam("household"))
    )
    return visible(statement, anybody(role), Dwelling)


def hold(session: Session, household: Household) -> None:
    """Make others who write at this household wait until this transaction ends. On SQLite they wait anyway."""
    if session.get_bind().dialect.name != "sqlite":
        session.refresh(household, with_for_update=True)


def residents_of(session: Session, household_id: UUID) -> list[Resident]:
    """Who lives in a household that was fetched through the wall, the head first."""
    return list(session.scalars(_RESIDENTS, {"household": household_id}))


_RESIDENTS = (
    select(Resident)
    .where(Resident.household_id == bindparam("household"), Resident.left_on.is_(None))
    .order_by(Resident.position, Resident.id)
)


def found_by(session: Session, actor: Actor) -> dict[UUID, FoundBy]:
    """By household, what those behind the doors that the actor may see are found by. One query."""
    heads: dict[UUID, str] = {}
    tails: dict[UUID, list[str]] = defaultdict(list)
    for household_id, relation, pinyin, initials, tail in session.execute(_found_by(actor.role), bounds(actor)):
        if relation == HEAD and pinyin:
            heads[household_id] = f"{pinyin} {initials}"
        if tail:
            tails[household_id].append(tail)
    return {key: FoundBy(heads.get(key), tuple(tails.get(key, ()))) for key in heads.keys() | tails.keys()}


@cache
def _found_by(role: Role) -> Select[*tuple[Any, ...]]:
    statement = (
        select(Resident.household_id, Resident.relation, Resident.pinyin, Resident.initials, Resident.phone_tail)
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Resident.left_on.is_(None))
        .order_by(Resident.position, Resident.id)
    )
    return visible(statement, anybody(role), Dwelling)


def care_groups(session: Session, actor: Actor) -> list[CareGroup]:
    """The community's care groups in their order."""
    statement = select(CareGroup).order_by(CareGroup.position, CareGroup.code)
    return list(session.scalars(visible(statement, actor, CareGroup)))


def occupancy_periods(session: Session, household_id: UUID) -> list[OccupancyPeriod]:
    """How a household stood, from the registry and from visits, oldest first."""
    statement = select(OccupancyPeriod).where(OccupancyPeriod.household_id == household_id)
    return list(session.scalars(statement.order_by(OccupancyPeriod.since, OccupancyPeriod.id)))


@dataclass(frozen=True)
class Found:
    """One answer to a search: a resident, or a door found by its number."""

    household_id: UUID
    name: str | None
    head: str | None
    building: str
    is_courtyard: bool
    entrance: int
    room: str
    phone_tail: str | None


LIMIT = 30


def search(session: Session, actor: Actor, text: str) -> list[Found]:
    """Find households by a resident's name, its pinyin or initials, a room, or a phone's last four digits. One query.

    `12-601`, `12 601` and `12号楼601` look for room 601 of building 12. Exact answers come first.
    """
    text = text.strip().lower()
    if not any(sign.isdigit() for sign in text):
        text = "".join(text.split())  # "zhang san" and "张 三" are typed, too
    if not text:
        return []
    head = aliased(Resident)
    statement: Select[*tuple[Any, ...]] = (
        select(
            Household.id,
            Resident.name,
            head.name,
            Building.name,
            Building.kind == "courtyard",
            Dwelling.entrance,
            Dwelling.room,
            Resident.phone_tail,
        )
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Resident, and_(Resident.household_id == Household.id, Resident.left_on.is_(None)))
        .outerjoin(head, and_(head.household_id == Household.id, head.relation == "02", head.left_on.is_(None)))
        .limit(LIMIT * 4)
    )
    place = re.fullmatch(r"(\S+?)\s*(?:号楼|栋|幢|号|院)?[\s\-—_/]+(\S+)", text)
    place = place or re.fullmatch(r"(\S+?)(?:号楼|栋|幢|院)(\d\S*)", text)
    if text.isdigit() and len(text) <= 4:
        exact = or_(Resident.phone_tail == text, Dwelling.room == text)
        matches = or_(exact, Dwelling.room.startswith(text, autoescape=True))
    elif (place and not text.isascii()) or (place and place[2].isdigit()):
        exact = and_(or_(Building.code == place[1], Building.name == place[1]), Dwelling.room == place[2])
        matches = and_(
            or_(Building.code == place[1], Building.name.startswith(place[1], autoescape=True)),
            Dwelling.room.startswith(place[2], autoescape=True),
        )
    elif text.isascii() and text.isalpha():
        exact = or_(Resident.initials == text, Resident.pinyin == text)
        matches = or_(
            Resident.initials.startswith(text, autoescape=True), Resident.pinyin.startswith(text, autoescape=True)
        )
    elif text.isascii() and text.isdigit():
        exact = matches = Resident.phone_hash == keyring().digest(text)
    else:
        name, building = func.lower(Resident.name), func.lower(Building.name)
        exact = or_(name == text, building == text)
        matches = or_(name.startswith(text, autoescape=True), building.startswith(text, autoescape=True))
    statement = statement.where(matches).order_by(
        case((exact, 0), else_=1),
        Building.position,
        Dwelling.entrance,
        Dwelling.floor.desc(),
        Dwelling.column,
        Resident.position,
    )
    seen: dict[UUID, Found] = {}
    for row in session.execute(visible(statement, actor, Dwelling)):
        seen.setdefault(row[0], Found(*row))
    return list(seen.values())[:LIMIT]


def households_behind(session: Session, dwelling_id: UUID) -> list[Household]:
    """The households behind a door that was fetched through the wall."""
    return list(session.scalars(select(Household).where(Household.dwelling_id == dwelling_id)))


def placements_of(session: Session, dwelling_id: UUID) -> list[Placement]:
    """Which districts a door has been in."""
    return list(session.scalars(select(Placement).where(Placement.dwelling_id == dwelling_id)))


def stamps_of_visit(session: Session, visit_id: UUID) -> list[FactStamp]:
    """What a visit confirmed."""
    return list(session.scalars(select(FactStamp).where(FactStamp.visit_id == visit_id)))
