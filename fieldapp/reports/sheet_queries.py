"""Reading what the five sheets count and list: two or three statements a sheet, however many people there are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households import facts
from fieldapp.households.models import CareGroup, CareMembership, FactChange, Household, OccupancyPeriod, Resident
from fieldapp.places.models import Building, Community, Dwelling, Placement
from fieldapp.reports.sheets import CARE_OF, DISABLED, Asked, Care, Kind, Need, Person, Promise, needs, sheet
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.queries import HEAD, is_head, stands
from fieldapp.visits.rules import ZONE, day_of

Rows = Select[*tuple[Any, ...]]

COUNTED = ("sex", "birth_date", "employment", "is_temporary", "registered_at")
"""The facts of a resident that the sheets look at: of an earlier day they are read back through the history."""
DAY = bindparam("day", type_=Resident.birth_date.type)


def lists(session: Session, actor: Actor, kind: Kind, day: date, today: date) -> dict[str, list[Any]]:
    """The lists of one of the first four sheets, of a day. Two statements, of an earlier day three."""
    cares = cares_on(session, actor, day) if kind is not Kind.STRUCTURE else []
    return sheet(kind, people_on(session, actor, day, today), cares, day)


def people_on(session: Session, actor: Actor, day: date, today: date) -> list[Person]:
    """Who lived where on a day, door by door, with their facts as they were known at its end."""
    rows = session.execute(_people(actor.role), bounds(actor) | {"day": day})
    people = {row.id: Person(*row) for row in rows if _is_own(actor, row.district_id)}
    if day < today:
        for (person_id, field), told in _known_then(session, actor, day).items():
            if person_id in people:
                people[person_id] = _as_it_was(people[person_id], field, told)
    return list(people.values())


def _is_own(actor: Actor, district_id: UUID | None) -> bool:
    """Whether a door of the day's district counts: of a worker's doors of today, those that were theirs then."""
    return actor.role is not Role.WORKER or district_id in actor.district_ids


def _as_it_was(person: Person, field: str, told: str | None) -> Person:
    if field == "registered_at":
        return replace(person, is_elsewhere=told is not None)
    return replace(person, **{field: facts.value_of(field, told)})


def _known_then(session: Session, actor: Actor, day: date) -> dict[tuple[UUID, str], str | None]:
    """What was on record at the end of a day, of the facts that were changed since, by person and fact."""
    statement = (
        select(FactChange)
        .join(Household, Household.id == FactChange.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(FactChange.field.in_(COUNTED), FactChange.changed_at >= _end_of(day), FactChange.resident_id.isnot(None))
        .order_by(FactChange.changed_at.desc(), FactChange.id.desc())
    )
    changes = session.scalars(visible(statement, actor, Dwelling, figures=True))
    return {(change.resident_id, change.field): change.old for change in changes if change.resident_id}


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZONE)


def _holds(period: Any) -> ColumnElement[bool]:
    return and_(period.since <= DAY, period.until > DAY)


def _of_doors(*columns: Any) -> Rows:
    """Households that were lived in on the day, with their door and its district of that day."""
    return (
        select(*columns)
        .select_from(Household)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, _holds(OccupancyPeriod)))
        .outerjoin(Placement, and_(Placement.dwelling_id == Dwelling.id, _holds(Placement)))
        .where(OccupancyPeriod.occupancy.notin_(("vacant", "gone")))
        .order_by(*DOOR_BY_DOOR)
    )


DOOR_BY_DOOR = (
    *(Building.position, Building.name, Dwelling.entrance, Dwelling.floor, Dwelling.column),
    *(Dwelling.room, Household.number, Household.id),
)


@cache
def _people(role: Role) -> Rows:
    """Somebody of whom nobody knows since when they live here is counted from the day they were recorded."""
    since = func.coalesce(Resident.arrived_on, Resident.recorded_on)
    statement = (
        _of_doors(
            Resident.id,
            Resident.household_id,
            Placement.district_id,
            Resident.sex,
            Resident.birth_date,
            Resident.employment,
            Resident.is_temporary,
            Resident.registered_at.isnot(None),
            OccupancyPeriod.occupancy,
        )
        .join(Resident, Resident.household_id == Household.id)
        .where(or_(since.is_(None), since <= DAY), or_(Resident.left_on.is_(None), Resident.left_on > DAY))
        .order_by(Resident.position, Resident.id)
    )
    return visible(statement, anybody(role), Dwelling, figures=True)


def cares_on(session: Session, actor: Actor, day: date) -> list[Care]:
    """The care memberships of a day that the sheets are about."""
    rows = session.execute(_cares(actor.role), bounds(actor) | {"day": day})
    return [Care(*row) for row in rows if _is_own(actor, row.district_id)]


@cache
def _cares(role: Role) -> Rows:
    statement = (
        _of_doors(
            CareMembership.household_id,
            CareMembership.resident_id,
            Placement.district_id,
            CareGroup.code,
            CareMembership.review_on,
        )
        .join(CareMembership, and_(CareMembership.household_id == Household.id, _holds(CareMembership)))
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .where(CareGroup.code.in_((*CARE_OF.values(), DISABLED)))
    )
    return visible(statement, anybody(role), Dwelling, figures=True)


def needs_on(session: Session, actor: Actor, community: Community, day: date) -> list[Need]:
    """What was asked for and promised in the twelve months that end with a day, as it stood then. Two statements."""
    values = bounds(actor) | {"day": day, "first": _year_before(day)}
    asked = [
        Asked(row.household_id, row.district_id, tuple(row.topics))
        for row in session.execute(_asked(actor.role), values)
        if _is_own(actor, row.district_id)
    ]
    promised = [
        Promise(
            row.id,
            row.household_id,
            row.district_id,
            tuple(row.topics or ()),
            row.due_on,
            row.done_at is not None and day_of(row.done_at) <= day,
        )
        for row in session.execute(_promised(actor.role), values | {"first_at": _end_of(_year_before(day))})
        if _is_own(actor, row.district_id)
    ]
    return needs(asked, promised, community.topics, day)


def _year_before(day: date) -> date:
    """The same day a year earlier; the twelve months begin after it."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


FIRST = bindparam("first", type_=Visit.visited_on.type)


def _at_doors(*columns: Any) -> Rows:
    """Doors with their district of the day, whoever lives there."""
    return (
        select(*columns)
        .select_from(Household)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Placement, and_(Placement.dwelling_id == Dwelling.id, _holds(Placement)))
        .order_by(*DOOR_BY_DOOR)
    )


@cache
def _asked(role: Role) -> Rows:
    statement = (
        _at_doors(Visit.household_id, Placement.district_id, Visit.topics)
        .join(Visit, Visit.household_id == Household.id)
        .where(Visit.visited_on > FIRST, Visit.visited_on <= DAY, cast(Visit.topics, String) != "[]", stands())
    )
    return visible(statement, anybody(role), Dwelling, figures=True)


@cache
def _promised(role: Role) -> Rows:
    """A promise made at no visit is counted while it is open, and for the twelve months after it was done."""
    in_year = and_(Visit.visited_on > FIRST, Visit.visited_on <= DAY)
    at_no_visit = or_(
        FollowUp.done_at.is_(None), FollowUp.done_at >= bindparam("first_at", type_=FollowUp.done_at.type)
    )
    statement = (
        _at_doors(
            FollowUp.id,
            FollowUp.household_id,
            Placement.district_id,
            Visit.topics,
            FollowUp.due_on,
            FollowUp.done_at,
        )
        .join(FollowUp, FollowUp.household_id == Household.id)
        .outerjoin(Visit, Visit.id == FollowUp.visit_id)
        .where(or_(in_year, and_(Visit.id.is_(None), at_no_visit)))
        .order_by(FollowUp.id)
    )
    return visible(statement, anybody(role), Dwelling, figures=True)


@dataclass(frozen=True)
class Door:
    """A household's door, as a list names it."""

    building: str
    is_courtyard: bool
    entrance: int
    room: str
    head: str | None


@dataclass(frozen=True)
class Named:
    """Somebody on a list."""

    name: str
    sex: str | None
    birth_date: date | None


@dataclass(frozen=True)
class Promised:
    """A promise on a list."""

    promise: str
    due_on: date | None
    done_at: datetime | None


def doors(session: Session, actor: Actor, households: Collection[UUID] | None = None) -> dict[UUID, Door]:
    """The doors of some households that the actor may see, or of all. Never for a street office."""
    statement = (
        select(Household.id, Building.name, Building.kind == "courtyard", Dwelling.entrance, Dwelling.room, HEAD.name)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(HEAD, is_head)
    )
    rows = session.execute(_only(visible(statement, actor, Dwelling), Household.id, households))
    return {row[0]: Door(*row[1:]) for row in rows}


def named(session: Session, actor: Actor, people: Collection[UUID] | None = None) -> dict[UUID, Named]:
    """The names of some residents that the actor may see, or of all."""
    statement = (
        select(Resident.id, Resident.name, Resident.sex, Resident.birth_date)
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
    )
    rows = session.execute(_only(visible(statement, actor, Dwelling), Resident.id, people))
    return {row[0]: Named(*row[1:]) for row in rows}


def promises(session: Session, actor: Actor, ids: Collection[UUID] | None = None) -> dict[UUID, Promised]:
    """The words of some promises made at doors that the actor may see, or of all."""
    statement = (
        select(FollowUp.id, FollowUp.promise, FollowUp.due_on, FollowUp.done_at)
        .join(Household, Household.id == FollowUp.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
    )
    rows = session.execute(_only(visible(statement, actor, Dwelling), FollowUp.id, ids))
    return {row[0]: Promised(*row[1:]) for row in rows}


def _only(statement: Rows, key: Any, ids: Iterable[UUID] | None) -> Rows:
    return statement if ids is None else statement.where(key.in_(list(ids)))
