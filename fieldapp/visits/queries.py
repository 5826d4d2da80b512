"""Reading the visit log: a household's visits, whom they met, promises, photos."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import CareMembership, FactChange, FactProposal, Household, Resident
from fieldapp.places.models import Building, Dwelling, Placement
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident
from fieldapp.visits.rules import MET, Outcome, Span

Rows = Select[*tuple[Any, ...]]

_LATER = aliased(Visit)
HEAD = aliased(Resident)
is_head = and_(HEAD.household_id == Household.id, HEAD.relation == "02", HEAD.left_on.is_(None))
"""Aliases shared by all statements: making one takes 0.6 ms, more than most queries."""


def stands(visit: Any = Visit) -> ColumnElement[bool]:
    """Whether a visit has not been corrected by a later one: only such a visit counts."""
    return ~exists().where(_LATER.corrects_id == visit.id)


def last_visited_on(household_id: Any, until: Any, *conditions: ColumnElement[bool]) -> Any:
    """The day of a household's last standing visit before or on `until`, as a scalar subquery.

    It goes back through the index and stops at the first: a maximum would look at every visit of the household.
    """
    visited = select(Visit.visited_on).where(
        Visit.household_id == household_id, Visit.visited_on <= until, *conditions, stands()
    )
    return visited.order_by(Visit.visited_on.desc()).limit(1).correlate_except(Visit).scalar_subquery()


def last_met_on(household_id: Any, until: Any) -> Any:
    """The last day somebody of a household was met, before or on `until`, as a scalar subquery."""
    return last_visited_on(household_id, until, was_met())


def was_met() -> ColumnElement[bool]:
    """Somebody was met. Two comparisons: a list would be written into the statement anew at every execution."""
    return or_(*(Visit.outcome == outcome for outcome in MET))


def households_met_in(session: Session, actor: Actor, span: Span, until: date) -> int:
    """How many distinct households were met in the actor's districts, by the district each door was in on that day."""
    values = bounds(actor) | {"first": span.first, "last": min(until, span.last)}
    return session.scalar(_met_in(actor.role), values) or 0


@cache
def _met_in(role: Role) -> Rows:
    statement = met_between(func.count(Visit.household_id.distinct()), first="first", last="last")
    return visible(statement, anybody(role), Placement)


def met_between(*columns: Any, first: str, last: str) -> Rows:
    """Of the visits that met somebody from the bound day `first` to `last`, with the placement of each one's day."""
    return (
        select(*columns)
        .join(Household, Household.id == Visit.household_id)
        .join(
            Placement,
            and_(
                Placement.dwelling_id == Household.dwelling_id,
                Placement.since <= Visit.visited_on,
                Placement.until > Visit.visited_on,
            ),
        )
        .where(was_met(), Visit.visited_on >= bindparam(first), Visit.visited_on <= bindparam(last), stands())
    )


@dataclass
class LoggedVisit:
    """A visit as its household's page shows it."""

    visit: Visit
    visitor: str
    companion: str | None
    is_corrected: bool
    met: list[str] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)
    clock_ahead: int = 0
    """How many seconds the clock of its phone was ahead, where that was far off; `sync` knows it."""


MOST_VISITS = 1000


def visits_of(session: Session, household_id: UUID, limit: int | None = None) -> list[LoggedVisit]:
    """A household's visits, newest first, corrected ones marked; it was fetched through the wall. 3 queries."""
    rows = session.execute(_VISITS, {"household": household_id, "limit": limit or MOST_VISITS})
    logged = {row[0].id: LoggedVisit(*row) for row in rows}
    for visit_id, name in session.execute(_PEOPLE_MET, {"visits": list(logged)}):
        logged[visit_id].met.append(name)
    for photo in session.scalars(_PHOTOS, {"visits": list(logged)}):
        logged[photo.visit_id].photos.append(photo)
    return list(logged.values())


_VISITOR, _COMPANION = aliased(User), aliased(User)
_VISITS = (
    select(Visit, _VISITOR.name, _COMPANION.name, ~stands())
    .join(_VISITOR, _VISITOR.id == Visit.visitor_id)
    .outerjoin(_COMPANION, _COMPANION.id == Visit.companion_id)
    .where(Visit.household_id == bindparam("household"))
    .order_by(Visit.visited_at.desc(), Visit.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_PEOPLE_MET = (
    select(VisitResident.visit_id, Resident.name)
    .join(Resident, Resident.id == VisitResident.resident_id)
    .where(VisitResident.visit_id.in_(bindparam("visits", expanding=True)))
    .order_by(Resident.position)
)
_PHOTOS = (
    select(Photo).where(Photo.visit_id.in_(bindparam("visits", expanding=True))).order_by(Photo.position, Photo.id)
)


def visit(session: Session, actor: Actor, visit_id: UUID) -> Visit | None:
    """A visit that the actor may see."""
    return session.scalar(_visit(actor.role), bounds(actor) | {"visit": visit_id})


@cache
def _visit(role: Role) -> Rows:
    statement = (
        select(Visit)
        .join(Household, Household.id == Visit.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Visit.id == bindparam("visit"))
    )
    return visible(statement, anybody(role), Dwelling)


def correction_of(session: Session, visit_id: UUID) -> UUID | None:
    """The visit that corrects this one."""
    return session.scalar(select(Visit.id).where(Visit.corrects_id == visit_id))


def is_in_use(session: Session, dwelling_id: UUID) -> bool:
    """Whether anybody is registered behind a door, ever knocked on it or ever wrote something of it down."""
    behind = select(Household.id).where(Household.dwelling_id == dwelling_id)
    return bool(
        session.scalar(
            select(
                or_(
                    exists().where(Visit.household_id.in_(behind)),
                    exists().where(Resident.household_id.in_(behind)),
                    exists().where(CareMembership.household_id.in_(behind)),
                    exists().where(FactChange.household_id.in_(behind)),
                    exists().where(FactProposal.household_id.in_(behind)),
                )
            )
        )
    )


def days_there(session: Session, household_id: UUID) -> set[tuple[UUID, date]]:
    """Who visited a household on which days; whoever went along was there, too."""
    statement = select(Visit.visitor_id, Visit.companion_id, Visit.visited_on).where(
        Visit.household_id == household_id, stands()
    )
    rows = session.execute(statement)
    return {(who, day) for visitor, companion, day in rows for who in (visitor, companion) if who}


def occupancy_sightings(session: Session, household_id: UUID) -> list[Visit]:
    """The standing visits that say how a household stood: somebody met, moved away, vacant; oldest first."""
    telling = (*MET, Outcome.MOVED, Outcome.VACANT)
    statement = select(Visit).where(Visit.household_id == household_id, Visit.outcome.in_(telling), stands())
    return list(session.scalars(statement.order_by(Visit.visited_at, Visit.id)))


def met_residents(session: Session, visit_id: UUID) -> list[UUID]:
    """Who was met at a visit."""
    return list(session.scalars(select(VisitResident.resident_id).where(VisitResident.visit_id == visit_id)))


def photo(session: Session, actor: Actor, photo_id: UUID) -> Photo | None:
    """A photo of a visit that the actor may see."""
    statement = (
        select(Photo)
        .join(Visit, Visit.id == Photo.visit_id)
        .join(Household, Household.id == Visit.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Photo.id == photo_id)
    )
    return session.scalar(visible(statement, actor, Dwelling))


def photos_of(session: Session, visit_id: UUID) -> list[Photo]:
    """A visit's photos in their order."""
    return list(session.scalars(select(Photo).where(Photo.visit_id == visit_id).order_by(Photo.position, Photo.id)))


@dataclass(frozen=True)
class OpenPromise:
    """A follow-up with the door it was made at."""

    follow_up: FollowUp
    building: str
    entrance: int
    room: str
    is_courtyard: bool
    head: str | None
    promised_by: str


@cache
def _follow_ups(role: Role) -> Rows:
    statement = (
        select(
            FollowUp,
            Building.name,
            Dwelling.entrance,
            Dwelling.room,
            Building.kind == "courtyard",
            HEAD.name,
            User.name,
        )
        .join(Household, Household.id == FollowUp.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(User, User.id == FollowUp.promised_by_id)
        .outerjoin(HEAD, is_head)
    )
    return visible(statement, anybody(role), Dwelling)


def open_follow_ups(session: Session, actor: Actor) -> list[OpenPromise]:
    """What was promised and not yet done, soonest first."""
    return [OpenPromise(*row) for row in session.execute(_open_follow_ups(actor.role), bounds(actor))]


@cache
def _open_follow_ups(role: Role) -> Rows:
    return _follow_ups(role).where(FollowUp.done_at.is_(None)).order_by(FollowUp.due_on.nulls_last(), FollowUp.id)


def done_follow_ups(session: Session, actor: Actor, limit: int = 10) -> list[OpenPromise]:
    """What was ticked last."""
    statement = _follow_ups(actor.role).where(FollowUp.done_at.isnot(None)).order_by(FollowUp.done_at.desc())
    return [OpenPromise(*row) for row in session.execute(statement.limit(limit), bounds(actor))]


def count_due_follow_ups(session: Session, actor: Actor, day: date) -> int:
    """How many promises are due today or have passed their day: the badge at the tab."""
    statement = (
        select(func.count(FollowUp.id))
        .join(Household, Household.id == FollowUp.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(FollowUp.done_at.is_(None), FollowUp.due_on <= day)
    )
    return session.scalar(visible(statement, actor, Dwelling)) or 0


def follow_up(session: Session, actor: Actor, follow_up_id: UUID) -> FollowUp | None:
    """A promise that the actor may see."""
    return session.scalar(_follow_ups(actor.role).where(FollowUp.id == follow_up_id), bounds(actor))


@dataclass(frozen=True)
class Urgent:
    """An urgent visit that nobody has taken on yet."""

    id: UUID
    visited_at: datetime
    sentence: str | None
    household_id: UUID
    building: str
    entrance: int
    room: str
    is_courtyard: bool
    head: str | None
    visitor: str
    visitor_phone: str | None


def untaken_urgent(session: Session, actor: Actor) -> list[Urgent]:
    """Urgent visits waiting for the director, newest first."""
    statement = (
        select(
            Visit.id,
            Visit.visited_at,
            Visit.sentence,
            Visit.household_id,
            Building.name,
            Dwelling.entrance,
            Dwelling.room,
            Building.kind == "courtyard",
            HEAD.name,
            User.name,
            User.phone,
        )
        .join(Household, Household.id == Visit.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(User, User.id == Visit.visitor_id)
        .outerjoin(HEAD, is_head)
        .where(Visit.is_urgent, Visit.taken_at.is_(None), stands())
        .order_by(Visit.visited_at.desc())
    )
    return [Urgent(*row) for row in session.execute(visible(statement, actor, Dwelling))]
