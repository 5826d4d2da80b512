"""Reading places: communities, districts and who answers for them, buildings and their doors."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, defer

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.places.models import Assignment, Building, Community, District, DistrictBoundary, Dwelling

Rows = Select[*tuple[Any, ...]]


@dataclass
class DistrictOnDay:
    """A district as it was on a day: its boundary and its people."""

    id: UUID
    code: str
    name: str
    geometry: dict[str, Any] | None = None
    lead: str | None = None
    partner: str | None = None
    lead_id: UUID | None = None
    partner_id: UUID | None = None
    people: list[str] = field(default_factory=list)


def district_ids_of(session: Session, user_id: UUID, day: date) -> frozenset[UUID]:
    """The districts somebody answers for on a day, as lead or partner."""
    return frozenset(session.scalars(_DISTRICT_IDS, {"user": user_id, "day": day}))


_DISTRICT_IDS = select(Assignment.district_id).where(
    Assignment.user_id == bindparam("user"), Assignment.since <= bindparam("day"), Assignment.until > bindparam("day")
)


def community_by_id(session: Session, community_id: UUID | None) -> Community | None:
    """A community by its key."""
    return session.get(Community, community_id) if community_id else None


def community_by_code(session: Session, code: str) -> Community | None:
    """A community by the code that commands name it by."""
    return session.scalar(select(Community).where(Community.code == code))


def communities_of_street(session: Session, street_code: str | None) -> list[Community]:
    """The communities a street office answers for."""
    if not street_code:
        return []
    return list(session.scalars(select(Community).where(Community.street_code == street_code).order_by(Community.name)))


def all_communities(session: Session) -> list[Community]:
    """Every community, for the administrator."""
    return list(session.scalars(select(Community).order_by(Community.code)))


def any_demo(session: Session) -> bool:
    """Whether this database holds the demonstration."""
    return session.scalar(select(Community.id).where(Community.is_demo).limit(1)) is not None


def districts_on(session: Session, actor: Actor, day: date, *, figures: bool = False) -> list[DistrictOnDay]:
    """The districts the actor may see, in their order, with the boundary and the people of `day`. Two queries."""
    values = bounds(actor) | {"day": day}
    rows = session.execute(_districts_on(actor.role, figures), values)
    found = {row.id: DistrictOnDay(row.id, row.code, row.name, row.geometry) for row in rows}
    for row in session.execute(_people_on(actor.role, figures), values):
        district = found.get(row.district_id)
        if district is None:
            continue
        district.people.append(row.name)
        if row.part == "lead":
            district.lead, district.lead_id = row.name, row.id
        else:
            district.partner, district.partner_id = row.name, row.id
    return list(found.values())


@cache
def _districts_on(role: Role, figures: bool) -> Rows:
    statement = (
        select(District.id, District.code, District.name, DistrictBoundary.geometry)
        .outerjoin(
            DistrictBoundary,
            (DistrictBoundary.district_id == District.id)
            & (DistrictBoundary.since <= bindparam("day"))
            & (DistrictBoundary.until > bindparam("day")),
        )
        .where(
            (District.closed_on.is_(None)) | (District.closed_on > bindparam("day")),
            (District.opened_on.is_(None)) | (District.opened_on <= bindparam("day")),
        )
        .order_by(District.position, District.code)
    )
    return visible(statement, anybody(role), District, figures=figures)


@cache
def _people_on(role: Role, figures: bool) -> Rows:
    statement = (
        select(Assignment.district_id, Assignment.part, User.id, User.name)
        .join(User, User.id == Assignment.user_id)
        .where(Assignment.since <= bindparam("day"), Assignment.until > bindparam("day"))
        .order_by(Assignment.part, User.username)
    )
    return visible(statement, anybody(role), Assignment, figures=figures)


def buildings(session: Session, actor: Actor) -> list[Building]:
    """Every building of the actor's community, in street order. For directors and imports."""
    statement = select(Building).order_by(Building.position, Building.code)
    return list(session.scalars(visible(statement, actor, Building)))


def buildings_of(session: Session, actor: Actor) -> list[Building]:
    """The buildings with a door that the actor may see, in street order; their shapes are not read."""
    return list(session.scalars(_buildings_of(actor.role), bounds(actor)))


@cache
def _buildings_of(role: Role) -> Rows:
    behind = visible(select(Dwelling.building_id), anybody(role), Dwelling)
    statement = select(Building).where(Building.id.in_(behind)).order_by(Building.position, Building.code)
    return statement.options(defer(Building.geometry), defer(Building.properties))


def footprints(session: Session, actor: Actor, *, figures: bool = False) -> list[tuple[UUID, dict[str, Any] | None]]:
    """The shapes of the buildings of the actor's community, for a map; nothing else of them is read."""
    statement = visible(select(Building.id, Building.geometry), actor, Building, figures=figures)
    return [(row[0], row[1]) for row in session.execute(statement)]


def own_footprints(session: Session, actor: Actor) -> list[tuple[UUID, dict[str, Any] | None]]:
    """The shapes of the buildings with a door that the actor may see; nothing else of them is read."""
    return [(row[0], row[1]) for row in session.execute(_own_footprints(actor.role), bounds(actor))]


@cache
def _own_footprints(role: Role) -> Rows:
    behind = visible(select(Dwelling.building_id), anybody(role), Dwelling)
    return select(Building.id, Building.geometry).where(Building.id.in_(behind))


def building(session: Session, actor: Actor, building_id: UUID) -> Building | None:
    """A building of the actor's community."""
    return session.scalar(_building(actor.role), bounds(actor) | {"building": building_id})


@cache
def _building(role: Role) -> Rows:
    return visible(select(Building).where(Building.id == bindparam("building")), anybody(role), Building)


def dwellings_of(session: Session, actor: Actor, building_id: UUID) -> list[Dwelling]:
    """A building's doors that the actor may see, with their entrances and floors in order."""
    statement = select(Dwelling).where(Dwelling.building_id == building_id)
    statement = statement.order_by(Dwelling.entrance, Dwelling.floor, Dwelling.column)
    return list(session.scalars(visible(statement, actor, Dwelling)))


def doors_of(session: Session, actor: Actor, building_ids: Collection[UUID]) -> list[Dwelling]:
    """The doors of several buildings that the actor may see, for pictures of them; in no order."""
    statement = select(Dwelling).where(Dwelling.building_id.in_(building_ids))
    return list(session.scalars(visible(statement, actor, Dwelling)))


def room_numbers(session: Session, building_id: UUID, entrance: int) -> set[str]:
    """Every room number of an entrance of a building fetched through the wall, in whichever district: a number is
    there once, and that it is taken is no secret to who stands in the stairwell."""
    return set(
        session.scalars(select(Dwelling.room).where(Dwelling.building_id == building_id, Dwelling.entrance == entrance))
    )


def districts(session: Session, actor: Actor) -> list[District]:
    """The districts that the actor may see, in their order."""
    statement = select(District).order_by(District.position, District.code)
    return list(session.scalars(visible(statement, actor, District)))


def assignments_on(session: Session, actor: Actor, day: date) -> list[tuple[District, Assignment]]:
    """Who answered for which district on a day."""
    statement = (
        select(District, Assignment)
        .join(Assignment, Assignment.district_id == District.id)
        .where(Assignment.since <= day, Assignment.until > day)
    )
    return [(row[0], row[1]) for row in session.execute(visible(statement, actor, Assignment))]
