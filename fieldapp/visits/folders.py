"""Reading everything that a household's page and its visit form show: of one household, or of all at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, select, union_all
from sqlalchemy.orm import Session, aliased, defer

from fieldapp.accounts.models import User
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.fact_queries import OpenProposal, open_proposals
from fieldapp.households.models import CareGroup, CareMembership, FactStamp, Household, OccupancyPeriod, Resident
from fieldapp.households.queries import Address, CareOf
from fieldapp.places.models import Building, Dwelling
from fieldapp.visits.door_queries import households_of, is_occupied, knocks_by_household, of_day, of_doors, reach_of
from fieldapp.visits.doors import Door, Promise
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident
from fieldapp.visits.queries import HEAD, LoggedVisit, Rows, is_head, last_met_on, stands, was_met
from fieldapp.visits.rules import Care, DoorFacts

VISITS_SHOWN = 3


@dataclass
class Folder:
    """A household with its door as it stands on a day, and all that its two pages show of it."""

    address: Address
    door: Door
    visit_count: int
    cares: list[CareOf]
    promises: list[FollowUp]
    residents: list[Resident] = field(default_factory=list)
    last_met: dict[UUID, date] = field(default_factory=dict)
    """When each resident was last met in person."""
    visits: list[LoggedVisit] = field(default_factory=list)
    """The newest `VISITS_SHOWN`, corrected ones among them."""
    proposals: list[OpenProposal] = field(default_factory=list)
    """Facts that two people say differently."""
    verified: dict[tuple[UUID | None, str], date] = field(default_factory=dict)
    """When each fact was last looked at, by resident (None: the household) and field."""
    last_said: LoggedVisit | None = None
    """The newest standing visit at which something was said."""


def folder(session: Session, actor: Actor, day: date, routine_days: int, household_id: UUID) -> Folder | None:
    """The folder of a household that the actor may see."""
    return next(iter(folders(session, actor, day, routine_days, [household_id])), None)


def folders(
    session: Session, actor: Actor, day: date, routine_days: int, household_ids: Collection[UUID] | None = None
) -> list[Folder]:
    """The folders of these households as far as the actor may see them, of all when none are named, in street order.

    Eight statements for one household and for two thousand.
    """
    role, of, values = actor.role, *reach_of(actor, day, household_ids)
    knocks = knocks_by_household(session, role, of, values)
    cares = _by_household((row[0].household_id, CareOf(*row)) for row in session.execute(_cares(role, of), values))
    promises = _by_household((p.household_id, p) for p in session.scalars(_promises(role, of), values))
    found = {}
    for household, dwelling, building, head, occupied, last_met, count in session.execute(_addresses(role, of), values):
        key, address = household.id, Address(household, dwelling, building)
        facts = DoorFacts(
            occupied=is_occupied(dwelling.kind, key, occupied),
            last_met_on=last_met,
            knocks=knocks.get(key, ()),
            cares=[_care(care) for care in cares[key]],
        )
        door = _door(address, head, facts, promises[key], day, routine_days)
        found[key] = Folder(address, door, count, cares[key], promises[key])
    residents = _by_household((row[0].household_id, row) for row in session.execute(_residents(role, of), values))
    logged = _logged(session.execute(_visits(role, of), values))
    proposals = open_proposals(session, actor, household_ids)
    verified = _by_household(
        (row[0], ((row[1], row[2]), row[3])) for row in session.execute(_verified(role, of), values)
    )
    for key, kept in found.items():
        kept.residents = [resident for resident, _ in residents[key]]
        kept.last_met = {resident.id: last_met for resident, last_met in residents[key] if last_met}
        kept.visits = logged[key][:VISITS_SHOWN]
        kept.last_said = next((v for v in logged[key] if v.visit.sentence and not v.is_corrected), None)
        kept.proposals = proposals.get(key, [])
        kept.verified = dict(verified[key])
    return list(found.values())


def _by_household(pairs: Iterable[tuple[UUID, Any]]) -> dict[UUID, list[Any]]:
    gathered = defaultdict(list)
    for key, value in pairs:
        gathered[key].append(value)
    return gathered


def _door(
    address: Address, head: str | None, facts: DoorFacts, promises: list[FollowUp], day: date, routine_days: int
) -> Door:
    """The same door that `door_queries.doors` makes, from what is read here anyway."""
    place, building = address.dwelling, address.building
    first = promises[0] if promises else None
    return Door(
        dwelling_id=place.id,
        building_id=building.id,
        building=building.name,
        building_position=building.position,
        is_courtyard=building.is_courtyard,
        entrance=place.entrance,
        floor=place.floor,
        room=place.room,
        column=place.column,
        row=place.row,
        span=place.span,
        row_span=place.row_span,
        shop=place.name,
        household_id=address.household.id,
        head=head,
        facts=facts,
        day=day,
        routine_days=routine_days,
        promise=Promise(first.id, first.promise, first.due_on) if first else None,
    )


def _care(care: CareOf) -> Care:
    membership, group = care.membership, care.group
    return Care(group.name, membership.since, membership.until, group.every_days, group.within_days, group.is_sensitive)


def _logged(rows: Iterable[Any]) -> dict[UUID, list[LoggedVisit]]:
    """Visits by household, newest first. A visit comes in a row for each one met and each photo, in their order."""
    logged: dict[UUID, LoggedVisit] = {}
    seen: set[tuple[UUID, UUID | None]] = set()
    for visit, visitor, companion, is_corrected, met_id, met, photo in rows:
        known = logged.get(visit.id)
        if known is None:
            known = logged[visit.id] = LoggedVisit(visit, visitor, companion, is_corrected)
        if met and (visit.id, met_id) not in seen:
            seen.add((visit.id, met_id))
            known.met.append(met)
        if photo and photo not in known.photos:
            known.photos.append(photo)
    return _by_household((kept.visit.household_id, kept) for kept in logged.values())


@cache
def _addresses(role: Role, of: str) -> Rows:
    """Households with their doors, and what decides their state. The shape of a building is for the map alone."""
    visit_count = select(func.count()).where(Visit.household_id == Household.id, stands())
    statement = (
        select(
            Household,
            Dwelling,
            Building,
            HEAD.name,
            func.coalesce(OccupancyPeriod.occupancy, Household.occupancy),
            last_met_on(Household.id, bindparam("day")),
            visit_count.correlate(Household).scalar_subquery(),
        )
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, of_day(OccupancyPeriod)))
        .outerjoin(HEAD, is_head)
        .options(defer(Building.geometry), defer(Building.properties))
        .order_by(Building.position, Dwelling.entrance, Dwelling.floor.desc(), Dwelling.column, Household.number)
    )
    return of_doors(statement, role, of)


@cache
def _cares(role: Role, of: str) -> Rows:
    return (
        select(CareMembership, CareGroup)
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .where(CareMembership.household_id.in_(households_of(role, of)), of_day(CareMembership), CareGroup.active)
        .order_by(CareGroup.position)
    )


@cache
def _promises(role: Role, of: str) -> Rows:
    return (
        select(FollowUp)
        .where(FollowUp.household_id.in_(households_of(role, of)), FollowUp.done_at.is_(None))
        .order_by(FollowUp.due_on.nulls_last(), FollowUp.id)
    )


@cache
def _residents(role: Role, of: str) -> Rows:
    last_met = (
        select(func.max(Visit.visited_on))
        .join(VisitResident, VisitResident.visit_id == Visit.id)
        .where(VisitResident.resident_id == Resident.id, was_met(), stands())
    )
    return (
        select(Resident, last_met.correlate(Resident).scalar_subquery())
        .where(Resident.household_id.in_(households_of(role, of)), Resident.left_on.is_(None))
        .order_by(Resident.position, Resident.id)
    )


@cache
def _verified(role: Role, of: str) -> Rows:
    """The last day on which each fact was looked at."""
    return (
        select(FactStamp.household_id, FactStamp.resident_id, FactStamp.field, func.max(FactStamp.verified_on))
        .where(FactStamp.household_id.in_(households_of(role, of)))
        .group_by(FactStamp.household_id, FactStamp.resident_id, FactStamp.field)
    )


_VISITOR, _COMPANION, _MET = aliased(User), aliased(User), aliased(Resident)
_SHOWN = aliased(Visit)


@cache
def _visits(role: Role, of: str) -> Rows:
    """The newest visits and the newest at which something was said, each found by going back through the index: a
    window over all visits would read every visit there ever was."""
    newest = [_newest(after) for after in range(VISITS_SHOWN)]
    said = _newest(0, _SHOWN.sentence.is_not(None), stands(_SHOWN))
    chosen = union_all(*(households_of(role, of, visit_id) for visit_id in (*newest, said)))
    return (
        select(Visit, _VISITOR.name, _COMPANION.name, ~stands(), _MET.id, _MET.name, Photo)
        .join(_VISITOR, _VISITOR.id == Visit.visitor_id)
        .outerjoin(_COMPANION, _COMPANION.id == Visit.companion_id)
        .outerjoin(VisitResident, VisitResident.visit_id == Visit.id)
        .outerjoin(_MET, _MET.id == VisitResident.resident_id)
        .outerjoin(Photo, Photo.visit_id == Visit.id)
        .where(Visit.id.in_(chosen))
        .order_by(Visit.visited_at.desc(), Visit.id.desc(), _MET.position, _MET.id, Photo.position, Photo.id)
    )


def _newest(after: int, *conditions: Any) -> Any:
    """The key of a household's newest visit but `after`; `visited_on` first, as the index has it."""
    visit = select(_SHOWN.id).where(_SHOWN.household_id == Household.id, *conditions)
    visit = visit.order_by(_SHOWN.visited_on.desc(), _SHOWN.visited_at.desc(), _SHOWN.id.desc())
    return visit.limit(1).offset(after).correlate(Household).scalar_subquery()
