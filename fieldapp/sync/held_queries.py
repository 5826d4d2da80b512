"""Reading what is kept apart for the director, and who answered for a door that is theirs no more."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.households.models import FactProposal, Household, Resident
from fieldapp.places.models import Assignment, Building, District, Dwelling, Placement
from fieldapp.sync.models import HeldItem
from fieldapp.sync.rules import Charge, Kind
from fieldapp.visits.models import FollowUp, Photo
from fieldapp.visits.queries import HEAD, is_head

Rows = Select[*tuple[Any, ...]]


def household_of(session: Session, model: type[FollowUp | Resident | FactProposal], key: UUID) -> UUID | None:
    """The household that a promise, a resident or a proposal is of, whoever may see it."""
    return session.scalar(select(model.household_id).where(model.id == key))


def is_of_community(session: Session, household_id: UUID, community_id: UUID | None) -> bool:
    """Whether a household is there, in this community."""
    found = select(Household.id).where(Household.id == household_id, Household.community_id == community_id)
    return session.scalar(found) is not None


def charges(session: Session, pairs: Collection[tuple[UUID, UUID]], day: date) -> dict[tuple[UUID, UUID], list[Charge]]:
    """When each of these (user, household) pairs answered for that household's door, up to a day. One statement."""
    statement = (
        select(Assignment.user_id, Household.id, Placement.district_id, Placement.until, Assignment.until)
        .select_from(Household)
        .join(Placement, Placement.dwelling_id == Household.dwelling_id)
        .join(
            Assignment,
            and_(
                Assignment.district_id == Placement.district_id,
                Assignment.since < Placement.until,
                Placement.since < Assignment.until,
            ),
        )
        .where(
            tuple_(Assignment.user_id, Household.id).in_(list(pairs)),
            Assignment.since < Assignment.until,
            Placement.since < Placement.until,
            Assignment.since <= day,
            Placement.since <= day,
        )
    )
    found: dict[tuple[UUID, UUID], list[Charge]] = defaultdict(list)
    for user_id, household_id, district_id, placed_until, assigned_until in session.execute(statement):
        if district_id:
            found[user_id, household_id].append(Charge(district_id, placed_until, assigned_until))
    return found


@dataclass(frozen=True)
class Answering:
    """A district by its name, with the people who answer for it."""

    name: str
    people: tuple[str, ...]


def answering(session: Session, community_id: UUID, day: date) -> dict[UUID, Answering]:
    """Every district of a community with who answers for it on a day: names of the office, not of residents."""
    statement = (
        select(District.id, District.name, User.name)
        .outerjoin(
            Assignment,
            and_(Assignment.district_id == District.id, Assignment.since <= day, Assignment.until > day),
        )
        .outerjoin(User, User.id == Assignment.user_id)
        .where(District.community_id == community_id)
        .order_by(Assignment.part, User.username)
    )
    names: dict[UUID, str] = {}
    people: dict[UUID, list[str]] = defaultdict(list)
    for district_id, name, person in session.execute(statement):
        names[district_id] = name
        people[district_id] += [person] if person else []
    return {key: Answering(name, tuple(people[key])) for key, name in names.items()}


def district_of(session: Session, household_id: UUID) -> UUID | None:
    """The district that a household's door is in today."""
    statement = select(Dwelling.district_id).join(Household, Household.dwelling_id == Dwelling.id)
    return session.scalar(statement.where(Household.id == household_id))


def item(session: Session, item_id: UUID) -> HeldItem | None:
    """A held item by its key, whosever it is."""
    return session.get(HeldItem, item_id)


def held_visit(session: Session, visit_id: UUID, user_id: UUID) -> HeldItem | None:
    """A visit of this person's that is held, decided or not."""
    found = session.get(HeldItem, visit_id)
    return found if found and found.kind == Kind.VISIT and found.user_id == user_id else None


def open_photos(session: Session, visit_id: UUID) -> list[HeldItem]:
    """The photos of a visit that wait with it, in the order they came."""
    statement = select(HeldItem).where(
        HeldItem.visit_id == visit_id, HeldItem.kind == Kind.PHOTO, HeldItem.decided_at.is_(None)
    )
    return list(session.scalars(statement.order_by(HeldItem.received_at, HeldItem.id)))


def count_kept_photos(session: Session, visit_id: UUID) -> int:
    """How many photos a visit has on record."""
    return session.scalar(select(func.count()).where(Photo.visit_id == visit_id)) or 0


def residents_among(session: Session, household_id: UUID, keys: Collection[UUID]) -> set[UUID]:
    """Which of these are people of a household, those included who have left it since."""
    statement = select(Resident.id).where(Resident.household_id == household_id, Resident.id.in_(keys))
    return set(session.scalars(statement))


def of_director(session: Session, actor: Actor, item_id: UUID) -> HeldItem | None:
    """A held item that the actor decides about."""
    return session.scalar(visible(select(HeldItem).where(HeldItem.id == item_id), actor, HeldItem))


@dataclass(frozen=True)
class OpenItem:
    """What waits for the director, with its writer and its door; no building when the door is there no more."""

    item: HeldItem
    writer: str
    building: str | None
    entrance: int
    room: str
    is_courtyard: bool
    head: str | None
    district_id: UUID | None


def open_items(session: Session, actor: Actor) -> list[OpenItem]:
    """What waits for the director, in the order it came."""
    statement: Rows = (
        select(
            HeldItem,
            User.name,
            Building.name,
            Dwelling.entrance,
            Dwelling.room,
            Building.kind == "courtyard",
            HEAD.name,
            Dwelling.district_id,
        )
        .join(User, User.id == HeldItem.user_id)
        .outerjoin(Household, Household.id == HeldItem.household_id)
        .outerjoin(Dwelling, Dwelling.id == Household.dwelling_id)
        .outerjoin(Building, Building.id == Dwelling.building_id)
        .outerjoin(HEAD, is_head)
        .where(HeldItem.decided_at.is_(None))
        .order_by(HeldItem.received_at, HeldItem.id)
    )
    return [OpenItem(*row) for row in session.execute(visible(statement, actor, HeldItem))]


def promises(session: Session, keys: Collection[UUID]) -> dict[UUID, str]:
    """What was promised, by follow-up."""
    found = select(FollowUp.id, FollowUp.promise).where(FollowUp.id.in_(keys))
    return {row[0]: row[1] for row in session.execute(found)} if keys else {}


def names(session: Session, keys: Collection[UUID]) -> dict[UUID, str]:
    """Residents' names."""
    found = select(Resident.id, Resident.name).where(Resident.id.in_(keys))
    return {row[0]: row[1] for row in session.execute(found)} if keys else {}


def proposals(session: Session, keys: Collection[UUID]) -> dict[UUID, tuple[str, str | None, str | None]]:
    """Of each proposal its fact, its value, and the resident it is of; None for one of the household."""
    found = (
        select(FactProposal, Resident.name)
        .outerjoin(Resident, Resident.id == FactProposal.resident_id)
        .where(FactProposal.id.in_(keys))
    )
    return {p.id: (p.field, p.value, name) for p, name in session.execute(found)} if keys else {}
