"""What imports compare with and exports read: a community's whole districts, buildings and registry."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry, User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.exchange.directory import Directory, KnownBuilding
from fieldapp.exchange.listing import Group, Listed
from fieldapp.households.models import CareGroup, CareMembership, Household, OccupancyPeriod, Resident
from fieldapp.households.rules import Occupancy, Sighting
from fieldapp.places.models import Assignment, Building, District, DistrictBoundary, Dwelling
from fieldapp.visits.models import Visit
from fieldapp.visits.queries import stands
from fieldapp.visits.rules import MET, Outcome


def directory(session: Session, actor: Actor) -> Directory:
    """What a household sheet of the actor's community may name."""
    buildings = select(Building.id, Building.code, Building.name, Building.kind == "courtyard").order_by(Building.code)
    groups = select(CareGroup.name, CareGroup.id).where(CareGroup.active).order_by(CareGroup.position, CareGroup.code)
    return Directory(
        [KnownBuilding(*row) for row in session.execute(visible(buildings, actor, Building))],
        {row[0]: row[1] for row in session.execute(visible(groups, actor, CareGroup))},
    )


def workers(session: Session, actor: Actor) -> dict[str, UUID]:
    """The community's active workers by user name."""
    statement = select(User.username, User.id).where(User.active, User.role == Role.WORKER)
    return {row[0]: row[1] for row in session.execute(visible(statement, actor, User))}


def districts(session: Session, actor: Actor) -> dict[str, District]:
    """The community's districts by code, closed ones too."""
    statement = visible(select(District), actor, District)
    return {district.code: district for district in session.scalars(statement)}


def buildings(session: Session, actor: Actor) -> dict[str, Building]:
    """The community's buildings by code."""
    return {building.code: building for building in session.scalars(visible(select(Building), actor, Building))}


def building_places(session: Session, actor: Actor) -> list[tuple[float, float]]:
    """Longitude and latitude of the community's buildings that have a place."""
    rows = session.execute(visible(select(Building.longitude, Building.latitude), actor, Building))
    return [(row[0], row[1]) for row in rows if row[0] is not None and row[1] is not None]


def ids_with_doors(session: Session, actor: Actor) -> set[UUID]:
    """The buildings that have dwellings."""
    return set(session.scalars(visible(select(Dwelling.building_id).distinct(), actor, Dwelling)))


@dataclass(frozen=True)
class DistrictRow:
    """A district as it is exported."""

    code: str
    name: str
    geometry: dict[str, Any] | None
    lead: str | None
    partner: str | None


def district_rows(session: Session, actor: Actor, day: date) -> list[DistrictRow]:
    """Districts as they are on a day, in their order, with the user names of their people."""
    people = (
        select(Assignment.district_id, Assignment.part, User.username)
        .join(User, User.id == Assignment.user_id)
        .where(Assignment.since <= day, Assignment.until > day)
        .order_by(User.username)
    )
    names: dict[tuple[UUID, str], str] = {}
    for district_id, part, username in session.execute(visible(people, actor, Assignment)):
        names.setdefault((district_id, part), username)
    statement = (
        select(District.id, District.code, District.name, District.position, DistrictBoundary.geometry)
        .outerjoin(
            DistrictBoundary,
            (DistrictBoundary.district_id == District.id)
            & (DistrictBoundary.since <= day)
            & (DistrictBoundary.until > day),
        )
        .where(
            (District.closed_on.is_(None)) | (District.closed_on > day),
            (District.opened_on.is_(None)) | (District.opened_on <= day),
        )
    )
    rows = session.execute(visible(statement, actor, District)).all()
    return [
        DistrictRow(row.code, row.name, row.geometry, names.get((row.id, "lead")), names.get((row.id, "partner")))
        for row in sorted(rows, key=lambda row: (row.position, row.code))
    ]


def building_rows(session: Session, actor: Actor) -> list[Building]:
    """Buildings in their order; sorted here, because databases order text each in its own way."""
    return sorted(buildings(session, actor).values(), key=lambda building: (building.position, building.code))


# --- the registry, all of a community at once


def dwellings(session: Session, actor: Actor) -> dict[tuple[UUID, int, str], Dwelling]:
    """Every door by building, entrance and room."""
    found = session.scalars(visible(select(Dwelling), actor, Dwelling))
    return {(dwelling.building_id, dwelling.entrance, dwelling.room): dwelling for dwelling in found}


def households(session: Session, actor: Actor) -> dict[tuple[UUID, int], Household]:
    """Every household by dwelling and number."""
    found = session.scalars(visible(select(Household), actor, Household))
    return {(household.dwelling_id, household.number): household for household in found}


def residents(session: Session, actor: Actor) -> dict[UUID, list[Resident]]:
    """Who lives in each household, in their order."""
    statement = select(Resident).where(Resident.left_on.is_(None)).order_by(Resident.position, Resident.id)
    found: dict[UUID, list[Resident]] = {}
    for resident in session.scalars(visible(statement, actor, Resident)):
        found.setdefault(resident.household_id, []).append(resident)
    return found


def memberships(session: Session, actor: Actor, day: date) -> set[tuple[UUID, UUID | None, UUID]]:
    """Who is in which care group on a day: household, resident (None: all of it), group."""
    statement = select(CareMembership.household_id, CareMembership.resident_id, CareMembership.group_id).where(
        CareMembership.since <= day, CareMembership.until > day
    )
    return {(row[0], row[1], row[2]) for row in session.execute(visible(statement, actor, CareMembership))}


def registered(session: Session, actor: Actor) -> dict[UUID, list[tuple[date, Occupancy]]]:
    """What the registry itself has said of each household's occupancy, oldest first."""
    statement = (
        select(OccupancyPeriod.household_id, OccupancyPeriod.since, OccupancyPeriod.occupancy)
        .where(OccupancyPeriod.visit_id.is_(None))
        .order_by(OccupancyPeriod.since, OccupancyPeriod.id)
    )
    found: dict[UUID, list[tuple[date, Occupancy]]] = {}
    for household_id, since, occupancy in session.execute(visible(statement, actor, OccupancyPeriod)):
        found.setdefault(household_id, []).append((since, Occupancy(occupancy)))
    return found


_SAW = {Outcome.MOVED: Occupancy.GONE, Outcome.VACANT: Occupancy.VACANT}


def sightings(session: Session, actor: Actor) -> dict[UUID, list[Sighting]]:
    """What standing visits saw of each household's occupancy, oldest first."""
    statement = (
        select(Visit.household_id, Visit.visited_on, Visit.outcome, Visit.id)
        .where(Visit.outcome.in_((*MET, *_SAW)), stands())
        .order_by(Visit.visited_at, Visit.id)
    )
    found: dict[UUID, list[Sighting]] = {}
    for household_id, day, outcome, visit_id in session.execute(visible(statement, actor, Visit)):
        found.setdefault(household_id, []).append(Sighting(day, _SAW.get(Outcome(outcome)), visit_id))
    return found


def listing(session: Session, actor: Actor) -> list[Listed]:
    """The whole registry as a sheet lists it: a row a person, or one for a household or a door without any."""
    statement = (
        select(
            Dwelling.building_id,
            Building.position.label("building_position"),
            Dwelling.id.label("dwelling_id"),
            Dwelling.entrance,
            Dwelling.floor,
            Dwelling.room,
            Dwelling.kind,
            Dwelling.name.label("shop_name"),
            Dwelling.column,
            Dwelling.row,
            Dwelling.span,
            Dwelling.row_span,
            Household.id.label("household_id"),
            Household.number.label("household"),
            Household.occupancy,
            Household.moved_in_on.label("moved_in"),
            Household.note,
            Resident.id.label("resident_id"),
            Resident.position,
            Resident.name,
            Resident.relation,
            Resident.sex,
            Resident.birth_date,
            Resident.id_number_sealed,
            Resident.phone_sealed,
            Resident.registered_at,
            Resident.is_temporary.label("temporary"),
        )
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Household, Household.dwelling_id == Dwelling.id)
        .outerjoin(Resident, (Resident.household_id == Household.id) & (Resident.left_on.is_(None)))
    )
    rows = session.execute(visible(statement, actor, Dwelling)).mappings()
    return [Listed(**row) for row in rows]


def care_names(session: Session, actor: Actor, day: date) -> dict[tuple[UUID, UUID | None], list[Group]]:
    """The care groups of each household and resident on a day."""
    statement = (
        select(
            CareMembership.household_id, CareMembership.resident_id, CareGroup.position, CareGroup.code, CareGroup.name
        )
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .where(CareMembership.since <= day, CareMembership.until > day, CareGroup.active)
    )
    found: dict[tuple[UUID, UUID | None], list[Group]] = {}
    for household_id, resident_id, position, code, name in session.execute(visible(statement, actor, CareMembership)):
        found.setdefault((household_id, resident_id), []).append((position, code, name))
    return found


# --- what was done


@dataclass(frozen=True)
class Deed:
    """The last time something was brought in or taken out; `by` is None for a command."""

    deed: str
    at: datetime
    by: str | None
    detail: dict[str, Any]


NOUNS = ("districts", "buildings", "households", "residents", "visits")


def last_deeds(session: Session, actor: Actor) -> dict[str, Deed]:
    """The last import and export of each kind, by deed."""
    deeds = [f"{verb}.{noun}" for verb in ("import", "export") for noun in NOUNS]
    numbered = visible(
        select(
            AuditEntry.id,
            func.row_number().over(partition_by=AuditEntry.deed, order_by=AuditEntry.at.desc()).label("place"),
        ).where(AuditEntry.deed.in_(deeds)),
        actor,
        AuditEntry,
    ).subquery()
    statement = (
        select(AuditEntry.deed, AuditEntry.at, User.name, AuditEntry.detail)
        .join(numbered, numbered.c.id == AuditEntry.id)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(numbered.c.place == 1)
    )
    rows = session.execute(visible(statement, actor, AuditEntry))
    return {row[0]: Deed(*row) for row in rows}
