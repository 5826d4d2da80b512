"""Reading plans, and what they divide: entrances with their households, counted in the database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session, defer

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import Household
from fieldapp.places.models import Building, Dwelling, EntranceDistrict
from fieldapp.planning.ground import Block
from fieldapp.planning.models import OPEN, Plan, PlanStep


def open_plan(session: Session, actor: Actor, *, to_change: bool = False) -> Plan | None:
    """The plan that somebody works on or that waits for its day; `to_change`: nobody else changes it meanwhile."""
    statement = visible(select(Plan).where(Plan.state.in_(OPEN)), actor, Plan)
    if to_change:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalar(statement)


def plan_to_compute(session: Session, plan_id: UUID) -> Plan | None:
    """A plan by its key, for the process that computes it; fresh from the database, and nobody else's meanwhile."""
    statement = select(Plan).where(Plan.id == plan_id).with_for_update()
    return session.scalar(statement.execution_options(populate_existing=True))


def plans_due(session: Session, day: date) -> list[UUID]:
    """The plans of all communities whose day has come and that are not in force yet."""
    return list(session.scalars(select(Plan.id).where(Plan.state == "waiting", Plan.since <= day).order_by(Plan.since)))


def step(session: Session, plan: Plan, number: int) -> PlanStep | None:
    """A step of a plan that was fetched through the wall."""
    return session.scalar(select(PlanStep).where(PlanStep.plan_id == plan.id, PlanStep.number == number))


def steps(session: Session, plan: Plan) -> list[tuple[PlanStep, str | None]]:
    """The steps of a plan that was fetched through the wall, the newest first, with who made them; without bodies."""
    statement = (
        select(PlanStep, User.name)
        .outerjoin(User, User.id == PlanStep.by_id)
        .where(PlanStep.plan_id == plan.id)
        .order_by(PlanStep.number.desc())
        .options(defer(PlanStep.body))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def published(session: Session, actor: Actor, limit: int = 12) -> list[tuple[date | None, datetime | None, str | None]]:
    """The community's newest plans that were put in force: since when, when that was said, and by whom."""
    statement = (
        select(Plan.since, Plan.published_at, User.name)
        .outerjoin(User, User.id == Plan.published_by_id)
        .where(Plan.state == "published")
        .order_by(Plan.published_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(visible(statement, actor, Plan))]


def name_of(session: Session, user_id: UUID | None) -> str | None:
    """Somebody's name."""
    return session.scalar(select(User.name).where(User.id == user_id)) if user_id else None


def workers(session: Session, actor: Actor) -> Sequence[User]:
    """Who may answer for a district."""
    statement = (
        select(User)
        .where(User.community_id == actor.community_id, User.active, User.role == Role.WORKER)
        .order_by(User.username)
    )
    return session.scalars(statement).all()


def blocks(session: Session, actor: Actor) -> list[Block]:
    """Every building of the community with its entrances, their households and their district of today. Two queries."""
    counted: dict[UUID, dict[int, dict[UUID | None, tuple[int, int]]]] = defaultdict(lambda: defaultdict(dict))
    for row in session.execute(visible(_entrances(), actor, Dwelling)):
        counted[row.building_id][row.entrance][row.district_id] = (row.households, row.doors)
    statement = select(Building.id, Building.name, Building.geometry, Building.longitude, Building.latitude).order_by(
        Building.position, Building.code
    )
    return [
        Block(
            row.id,
            row.name,
            row.geometry,
            row.longitude,
            row.latitude,
            tuple(_entrance(number, parts) for number, parts in sorted(counted[row.id].items())),
        )
        for row in session.execute(visible(statement, actor, Building))
    ]


def _entrances() -> Select[*tuple[Any, ...]]:
    """Households that count for a district's size are those of the coverage: neither of shops, nor vacant, nor gone."""
    counts = case(((Dwelling.kind != "shop") & Household.occupancy.not_in(("vacant", "gone")), Household.id))
    return (
        select(
            Dwelling.building_id,
            Dwelling.entrance,
            Dwelling.district_id,
            func.count(counts).label("households"),
            func.count(Dwelling.id).label("doors"),
        )
        .outerjoin(Household, Household.dwelling_id == Dwelling.id)
        .group_by(Dwelling.building_id, Dwelling.entrance, Dwelling.district_id)
    )


def _entrance(number: int, parts: dict[UUID | None, tuple[int, int]]) -> tuple[int, int, UUID | None]:
    """An entrance's households, and the district that most of its doors lie in."""
    most = max(parts, key=lambda key: (parts[key], str(key)))
    return number, sum(households for households, _doors in parts.values()), most


def doors_to_deal(session: Session, actor: Actor, building_id: UUID) -> list[Dwelling]:
    """A building's doors in the order of their entrances and columns, to be dealt over entrances anew."""
    statement = select(Dwelling).where(Dwelling.building_id == building_id)
    statement = statement.order_by(Dwelling.entrance, Dwelling.column, Dwelling.row, Dwelling.floor, Dwelling.room)
    return list(session.scalars(visible(statement, actor, Dwelling)))


def is_divided(session: Session, actor: Actor, building_id: UUID) -> bool:
    """Whether a plan put this building's entrances into several districts."""
    statement = select(EntranceDistrict.id).where(EntranceDistrict.building_id == building_id).limit(1)
    return session.scalar(visible(statement, actor, EntranceDistrict)) is not None
