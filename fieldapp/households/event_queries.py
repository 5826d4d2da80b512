"""Reading what happened in households, and a household as it was known on a day."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.households import facts, history
from fieldapp.households.history import Facts, Step
from fieldapp.households.models import (
    CareGroup,
    CareMembership,
    FactChange,
    Household,
    LifeEvent,
    OccupancyPeriod,
    Resident,
)
from fieldapp.places.models import Dwelling
from fieldapp.places.rules import FOREVER

Rows = Select[*tuple[Any, ...]]
OF_REGISTRY = ("arrived_on", "left_on", "household", "moved_in_on")
"""What only events change: when somebody came and went, which household of a door they are of."""

OF_PERSON = (
    *("id_number", "ethnic", "marital", "schooling", "employment", "workplace", "origin"),
    *("permit_from", "permit_until", "guardian", "guardian_phone"),
)
"""What else is on record of somebody, and changes by an import or an event where not at the door."""


# --- one thing, through the wall


def event(session: Session, actor: Actor, event_id: UUID) -> tuple[LifeEvent, Household] | None:
    """An event that the actor may see, with its household."""
    statement = (
        select(LifeEvent, Household)
        .join(Household, Household.id == LifeEvent.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(LifeEvent.id == event_id)
    )
    row = session.execute(visible(statement, actor, Dwelling)).first()
    return (row[0], row[1]) if row else None


def change(session: Session, actor: Actor, change_id: UUID) -> tuple[FactChange, Household, Resident | None] | None:
    """A change that the actor may see, with its household and whom it is of."""
    statement = (
        select(FactChange, Household, Resident)
        .join(Household, Household.id == FactChange.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .outerjoin(Resident, Resident.id == FactChange.resident_id)
        .where(FactChange.id == change_id)
    )
    row = session.execute(visible(statement, actor, Dwelling)).first()
    return (row[0], row[1], row[2]) if row else None


# --- for writing


def next_moment(session: Session, household_ids: Collection[UUID], at: datetime) -> datetime:
    """A moment for an event of these households: `at`, or just after the last change, so that their order is told."""
    moments = [
        session.scalar(select(func.max(FactChange.changed_at)).where(FactChange.household_id.in_(household_ids))),
        session.scalar(select(func.max(LifeEvent.recorded_at)).where(LifeEvent.household_id.in_(household_ids))),
    ]
    return max([at, *(moment + timedelta(microseconds=1) for moment in moments if moment)])


def changes_at(session: Session, event: LifeEvent) -> list[FactChange]:
    """What an event changed: it has a moment of its own in its household, and its changes have keys that tell it."""
    statement = select(FactChange).where(
        FactChange.household_id.in_([event.household_id, event.other_household_id or event.household_id]),
        FactChange.changed_at == event.recorded_at,
    )
    return [row for row in session.scalars(statement.order_by(FactChange.id)) if _is_of(event.id, row)]


def _is_of(event_id: UUID, change: FactChange) -> bool:
    return change.id == history.change_key(event_id, change.resident_id or change.household_id, change.field)


def last_changes(
    session: Session, household_ids: Collection[UUID], resident_ids: Collection[UUID]
) -> dict[tuple[UUID | None, str], FactChange]:
    """The newest change of every fact of these households and people, by person and field."""
    statement = select(FactChange).where(_of(household_ids, resident_ids))
    found = session.scalars(statement.order_by(FactChange.changed_at, FactChange.id))
    return {(row.resident_id, row.field): row for row in found}


def _of(household_ids: Collection[UUID], resident_ids: Collection[UUID]) -> Any:
    of_household = and_(FactChange.household_id.in_(household_ids), FactChange.resident_id.is_(None))
    return or_(of_household, FactChange.resident_id.in_(resident_ids))


def event_of_change(session: Session, change: FactChange) -> UUID | None:
    """The event that made a change, where one did."""
    statement = select(LifeEvent.id).where(
        or_(LifeEvent.household_id == change.household_id, LifeEvent.other_household_id == change.household_id),
        LifeEvent.recorded_at == change.changed_at,
    )
    return next((key for key in session.scalars(statement) if _is_of(key, change)), None)


def care_group(session: Session, community_id: UUID, code: str) -> CareGroup | None:
    """A group in use, by its code."""
    statement = select(CareGroup).where(
        CareGroup.community_id == community_id, CareGroup.code == code, CareGroup.active
    )
    return session.scalar(statement)


def memberships_of(
    session: Session, household_id: UUID, resident_ids: Collection[UUID] | None = None
) -> list[CareMembership]:
    """The memberships of a household, or only those of some of its people."""
    statement = select(CareMembership).where(CareMembership.household_id == household_id)
    if resident_ids is not None:
        statement = statement.where(CareMembership.resident_id.in_(resident_ids))
    return list(session.scalars(statement.order_by(CareMembership.id)))


def residents(session: Session, keys: Collection[UUID]) -> dict[UUID, Resident]:
    """People by their keys, whoever and wherever."""
    return {one.id: one for one in session.scalars(select(Resident).where(Resident.id.in_(keys)))} if keys else {}


def numbers_behind(session: Session, dwelling_id: UUID) -> int:
    """The highest number of a household behind a door."""
    return session.scalar(select(func.max(Household.number)).where(Household.dwelling_id == dwelling_id)) or 0


# --- for reading


@dataclass(frozen=True)
class EventLine:
    """An event as a history shows it: whom it was about, who wrote it down."""

    event: LifeEvent
    people: tuple[str, ...]
    recorded_by: str
    changed: frozenset[UUID]


def events_of(session: Session, household_id: UUID, limit: int = 200) -> list[EventLine]:
    """What happened in a household that was fetched through the wall, newest first. Two statements."""
    statement = (
        select(LifeEvent, User.name)
        .join(User, User.id == LifeEvent.recorded_by_id)
        .where(or_(LifeEvent.household_id == household_id, LifeEvent.other_household_id == household_id))
        .order_by(LifeEvent.recorded_at.desc(), LifeEvent.id.desc())
        .limit(limit)
    )
    rows = session.execute(statement).all()
    names, changes = _changed_by(session, [row[0] for row in rows])
    return [
        EventLine(event, tuple(dict.fromkeys(names[event.id])), recorder, frozenset(changes[event.id]))
        for event, recorder in rows
    ]


def _changed_by(session: Session, events: Sequence[LifeEvent]) -> tuple[dict[UUID, list[str]], dict[UUID, list[UUID]]]:
    """Of each event the names of those it came to, and the keys of the changes it made."""
    names: dict[UUID, list[str]] = defaultdict(list)
    changes: dict[UUID, list[UUID]] = defaultdict(list)
    if not events:
        return names, changes
    statement = (
        select(LifeEvent.id, FactChange)
        .join(
            FactChange,
            and_(
                FactChange.household_id.in_([LifeEvent.household_id, LifeEvent.other_household_id]),
                FactChange.changed_at == LifeEvent.recorded_at,
            ),
        )
        .where(LifeEvent.id.in_([event.id for event in events]))
        .order_by(FactChange.id)
    )
    rows = [row for row in session.execute(statement).all() if _is_of(row[0], row[1])]
    main_ones = {event.id: event.resident_id for event in events if event.resident_id}
    known = residents(session, {*main_ones.values(), *(row[1].resident_id for row in rows if row[1].resident_id)})
    for event_id, main in main_ones.items():
        names[event_id].append(known[main].name)
    for event_id, change in rows:
        changes[event_id].append(change.id)
        if change.resident_id and change.field in (*OF_REGISTRY, "marital"):
            names[event_id].append(known[change.resident_id].name)
    return names, changes


@dataclass(frozen=True)
class Known:
    """A household as it was known at the end of a day: how it stood, its facts, its people's by their keys."""

    day: date
    occupancy: str
    facts: Facts
    people: dict[UUID, Facts]


def known_on(session: Session, household: Household, day: date) -> Known:
    """A household that was fetched through the wall, as it was known on a day. Three statements."""
    concerned = _ever_here(session, household)
    of_household = {key: facts.told(getattr(household, key, None)) for key in (*facts.OF_HOUSEHOLD, "moved_in_on")}
    later: dict[UUID | None, list[Step]] = defaultdict(list)
    for row in _changes_after(session, household, [one.id for one in concerned], day):
        later[row.resident_id].append(Step(row.resident_id, row.field, row.old, row.new))
    people = {}
    for one in concerned:
        then = history.taken_back(facts_of(one), later[one.id])
        if history.lived_here(then, household.id, one.recorded_on, day):
            people[one.id] = then
    occupancy = _occupancy_on(session, household, day)
    return Known(day, occupancy, history.taken_back(of_household, later[None]), people)


def facts_of(resident: Resident) -> Facts:
    """All that is on record of somebody, as texts."""
    keys = dict.fromkeys((*facts.OF_RESIDENT, *OF_PERSON, "arrived_on", "left_on"))
    found = {key: facts.told(getattr(resident, key, None)) for key in keys}
    return found | {"household": str(resident.household_id)}


def _ever_here(session: Session, household: Household) -> list[Resident]:
    """Whoever is or was of a household, in their order; nobody whose data were erased."""
    split_from = select(LifeEvent.household_id).where(LifeEvent.other_household_id == household.id)
    moved = select(FactChange.resident_id).where(
        FactChange.resident_id.is_not(None),
        or_(
            FactChange.household_id == household.id,
            and_(FactChange.household_id.in_(split_from), FactChange.field == "household"),
        ),
    )
    statement = select(Resident).where(
        or_(Resident.household_id == household.id, Resident.id.in_(moved)), Resident.erased_at.is_(None)
    )
    return list(session.scalars(statement.order_by(Resident.position, Resident.id)))


def _changes_after(
    session: Session, household: Household, resident_ids: Collection[UUID], day: date
) -> list[FactChange]:
    statement = select(FactChange).where(
        _of([household.id], resident_ids), FactChange.changed_at >= history.end_of(day)
    )
    return list(session.scalars(statement.order_by(FactChange.changed_at.desc(), FactChange.id.desc())))


def _occupancy_on(session: Session, household: Household, day: date) -> str:
    statement = select(OccupancyPeriod.occupancy).where(
        OccupancyPeriod.household_id == household.id, OccupancyPeriod.since <= day, OccupancyPeriod.until > day
    )
    return session.scalar(statement) or household.occupancy


def cares_of(session: Session, household_id: UUID) -> list[tuple[CareMembership, CareGroup, str | None]]:
    """Every care membership a household ever had, with its group and whose it is, newest first. One statement."""
    statement = (
        select(CareMembership, CareGroup, Resident.name)
        .join(CareGroup, CareGroup.id == CareMembership.group_id)
        .outerjoin(Resident, Resident.id == CareMembership.resident_id)
        .where(CareMembership.household_id == household_id)
        .order_by(CareMembership.since.desc(), CareMembership.id.desc())
        .limit(200)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def is_open(membership: CareMembership) -> bool:
    """Whether a membership has no end yet."""
    return membership.until == FOREVER
