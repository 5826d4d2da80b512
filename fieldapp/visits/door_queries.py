"""Reading doors with everything that decides their state."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import CareGroup, CareMembership, Household, OccupancyPeriod
from fieldapp.places.models import Building, Dwelling
from fieldapp.visits.doors import Door, Promise
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.queries import HEAD, Rows, is_head, last_met_on, stands
from fieldapp.visits.rules import Care, DoorFacts, Outcome, month_of


def doors(
    session: Session,
    actor: Actor,
    day: date,
    routine_days: int,
    *,
    building_id: UUID | None = None,
    household_id: UUID | None = None,
) -> list[Door]:
    """The doors the actor may see, of one building or of all, as they stand on `day`. Four queries.

    The statements are built once a role: to put them together takes longer than to run them.
    """
    of = "building" if building_id else "household" if household_id else "all"
    values = bounds(actor) | {"day": day, "month": month_of(day).first, "of": building_id or household_id}
    knocks = knocks_by_household(session, actor.role, of, values)
    cares = _by_household(session.execute(_cares(actor.role, of), values))
    promises = {key: Promise(*promise) for key, *promise in session.execute(_promises(actor.role, of), values)}
    found = []
    for *place, household, head, kind, occupancy, last_met in session.execute(_doors(actor.role, of), values):
        facts = DoorFacts(
            occupied=is_occupied(kind, household, occupancy),
            last_met_on=last_met,
            knocks=knocks.get(household, ()),
            cares=[Care(*care) for care in cares.get(household, ())],
        )
        fields: list[Any] = [*place, household, head, facts, day, routine_days, promises.get(household)]
        found.append(Door(*fields))
    return found


def knocks_by_household(
    session: Session, role: Role, of: str, values: dict[str, Any]
) -> dict[UUID, list[tuple[date, Outcome]]]:
    """The month's knocks, oldest first. `of` and `values` are those of `reach_of`."""
    rows = _by_household(session.execute(_knocks(role, of), values))
    return {key: [(knocked_on, Outcome(outcome)) for knocked_on, outcome in knocks] for key, knocks in rows.items()}


def _by_household(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    """Rows by the household they begin with, without it."""
    by_household = defaultdict(list)
    for household_id, *rest in rows:
        by_household[household_id].append(rest)
    return by_household


def reach_of(actor: Actor, day: date, household_ids: Collection[UUID] | None) -> tuple[str, dict[str, Any]]:
    """How far a statement on these households reaches (all when none are named), and the values that it is run with."""
    values = bounds(actor) | {"day": day, "month": month_of(day).first}
    if household_ids is None:
        return "all", values
    if len(household_ids) == 1:
        return "household", values | {"of": next(iter(household_ids))}
    return "some", values | {"of": list(household_ids)}


def of_doors(statement: Rows, role: Role, of: str) -> Rows:
    """Narrow doors to what a role may see, and where `of` says so to one building or household, or to `some`
    households: the bound value `of` is a key, or some keys."""
    if of == "some":
        statement = statement.where(Household.id.in_(bindparam("of", expanding=True)))
    elif of != "all":
        statement = statement.where((Household.id if of == "household" else Dwelling.building_id) == bindparam("of"))
    return visible(statement, anybody(role), Dwelling)


def households_of(role: Role, of: str, *columns: Any) -> Rows:
    """The keys of the households behind such doors, or other columns of them."""
    statement = select(*(columns or (Household.id,))).select_from(Household)
    return of_doors(statement.join(Dwelling, Dwelling.id == Household.dwelling_id), role, of)


@cache
def _doors(role: Role, of: str) -> Rows:
    """Doors in the order of the fields of `Door`, then what decides the state."""
    statement = (
        select(
            Dwelling.id,
            Dwelling.building_id,
            Building.name,
            Building.position,
            Building.kind == "courtyard",
            Dwelling.entrance,
            Dwelling.floor,
            Dwelling.room,
            Dwelling.column,
            Dwelling.row,
            Dwelling.span,
            Dwelling.row_span,
            Dwelling.name,
            Household.id,
            HEAD.name,
            Dwelling.kind,
            func.coalesce(OccupancyPeriod.occupancy, Household.occupancy),
            last_met_on(Household.id, bindparam("day")),
        )
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Household, Household.dwelling_id == Dwelling.id)
        .outerjoin(OccupancyPeriod, and_(OccupancyPeriod.household_id == Household.id, of_day(OccupancyPeriod)))
        .outerjoin(HEAD, is_head)
        .order_by(Building.position, Dwelling.entrance, Dwelling.floor.desc(), Dwelling.column, Household.number)
    )
    return of_doors(statement, role, of)


def of_day(period: Any) -> ColumnElement[bool]:
    """Whether a period holds on the bound `day`."""
    return and_(period.since <= bindparam("day"), period.until > bindparam("day"))


def is_occupied(kind: str, household_id: UUID | None, occupancy: str | None) -> bool | None:
    """Whether somebody lives behind a door; None for a shop."""
    if kind == "shop":
        return None
    return household_id is not None and occupancy not in ("vacant", "gone")


@cache
def _knocks(role: Role, of: str) -> Rows:
    return (
        select(Visit.household_id, Visit.visited_on, Visit.outcome)
        .where(
            Visit.household_id.in_(households_of(role, of)),
            Visit.visited_on >= bindparam("month"),
            Visit.visited_on <= bindparam("day"),
            stands(),
        )
        .order_by(Visit.visited_at, Visit.id)
    )


@cache
def _cares(role: Role, of: str) -> Rows:
    return (
        select(
            CareMembership.household_id,
            CareGroup.name,
            CareMembership.since,
            CareMembership.until,
            CareGroup.every_days,
            CareGroup.within_days,
            CareGroup.is_sensitive,
        )
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .where(
            CareMembership.household_id.in_(households_of(role, of)),
            of_day(CareMembership),
            CareGroup.active,
        )
        .order_by(CareGroup.position)
    )


@cache
def _promises(role: Role, of: str) -> Rows:
    return (
        select(FollowUp.household_id, FollowUp.id, FollowUp.promise, FollowUp.due_on)
        .where(FollowUp.household_id.in_(households_of(role, of)), FollowUp.done_at.is_(None))
        .order_by(FollowUp.due_on.desc().nulls_first(), FollowUp.id.desc())
    )
