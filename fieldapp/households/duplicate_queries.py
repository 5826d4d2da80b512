"""Looking for people who are on record twice, and reading what a merge needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.duplicates import Pair, Record, alike, in_order, pairs
from fieldapp.households.models import Household, NotSame, Resident, ResidentMerge
from fieldapp.places.models import Building, Dwelling

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Side:
    """A record that looks like another one, with its door, as a list shows it."""

    id: UUID
    household_id: UUID
    name: str
    sex: str | None
    birth_date: date | None
    building: str
    is_courtyard: bool
    entrance: int
    room: str


def found(session: Session, actor: Actor) -> list[tuple[Pair, Side, Side]]:
    """The pairs of the community that look like one person, with both doors. Two statements, however many people."""
    records, sides = [], {}
    for row in session.execute(visible(_candidates(actor), actor, Dwelling)):
        side = Side(*row[:9])
        sides[side.id] = side
        records.append(Record(side.id, row.building_id, side.name, side.birth_date, row.id_hash))
    if not records:
        return []
    statement = visible(select(NotSame.one_id, NotSame.other_id), actor, NotSame)
    said = {in_order(one, other) for one, other in session.execute(statement)}
    return [(pair, sides[pair.one], sides[pair.other]) for pair in pairs(records, said)]


def _candidates(actor: Actor) -> Rows:
    """Who shares an ID number, or name, birth date and building, with somebody: the database counts, few rows come."""
    counted = (
        select(
            Resident.id,
            func.count(Resident.id_hash).over(partition_by=Resident.id_hash).label("of_number"),
            func.count(Resident.birth_date)
            .over(partition_by=(Resident.name, Resident.birth_date, Dwelling.building_id))
            .label("of_birth"),
        )
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Resident.left_on.is_(None), Resident.erased_at.is_(None))
    )
    several = visible(counted, actor, Dwelling).subquery()
    return (
        _sides(Dwelling.building_id, Resident.id_hash)
        .join(several, several.c.id == Resident.id)
        .where(or_(several.c.of_number > 1, several.c.of_birth > 1))
        .order_by(Building.position, Dwelling.entrance, Dwelling.floor, Dwelling.room, Resident.position, Resident.id)
    )


def _sides(*more: Any) -> Rows:
    return (
        select(
            Resident.id,
            Resident.household_id,
            Resident.name,
            Resident.sex,
            Resident.birth_date,
            Building.name.label("building"),
            Building.kind == "courtyard",
            Dwelling.entrance,
            Dwelling.room,
            *more,
        )
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
    )


@dataclass(frozen=True)
class Twin:
    """That somebody of a household is on record elsewhere too; `side` None: behind a door that the reader may not see,
    and then nothing is told but that."""

    resident: Resident
    side: Side | None


def twins_of(session: Session, actor: Actor, residents: Iterable[Resident]) -> list[Twin]:
    """Who of these residents of one household is on record at another door of the community. One statement.

    By ID number, or by name and birth date in any building: what was just typed is worth a look more than what lies
    there. This looks over the wall between districts, and tells a worker of the other side only that there is one.
    """
    asked = {resident.id: resident for resident in residents}
    matches = [match for resident in asked.values() if (match := _same_person(resident)) is not None]
    if not matches or actor.role not in (Role.WORKER, Role.DIRECTOR):
        return []
    statement = _sides(Resident.id_hash, Dwelling.district_id).where(
        Resident.community_id == actor.community_id,
        Resident.left_on.is_(None),
        Resident.id.notin_(list(asked)),
        or_(*matches),
    )
    said = {in_order(*keys) for keys in session.execute(_said_of(asked))}
    twins = []
    for row in session.execute(statement):
        other = Record(row.id, row.id, row.name, row.birth_date, row.id_hash)
        for resident in asked.values():
            mine = Record(resident.id, row.id, resident.name, resident.birth_date, resident.id_hash)
            if alike(mine, other) and in_order(mine.id, other.id) not in said:
                is_seen = actor.role is Role.DIRECTOR or row.district_id in actor.district_ids
                twins.append(Twin(resident, Side(*row[:9]) if is_seen else None))
    return twins


def _same_person(resident: Resident) -> Any:
    """What somebody else's record has in common with this one; None where there is nothing to go by."""
    same = []
    if resident.id_hash:
        same.append(Resident.id_hash == resident.id_hash)
    if resident.birth_date:
        same.append(and_(Resident.name == resident.name, Resident.birth_date == resident.birth_date))
    return or_(*same) if same else None


def _said_of(asked: Iterable[UUID]) -> Rows:
    keys = list(asked)
    return select(NotSame.one_id, NotSame.other_id).where(or_(NotSame.one_id.in_(keys), NotSame.other_id.in_(keys)))


@dataclass(frozen=True)
class Whole:
    """A resident with household and door, for the page that lays two side by side."""

    resident: Resident
    household: Household
    dwelling: Dwelling
    building: Building


def whole(session: Session, actor: Actor, resident_id: UUID) -> Whole | None:
    """A resident behind a door that the actor may see."""
    statement = (
        select(Resident, Household, Dwelling, Building)
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .where(Resident.id == resident_id)
    )
    row = session.execute(visible(statement, actor, Dwelling)).first()
    return Whole(*row) if row else None


@dataclass(frozen=True)
class Merged:
    """A merge that stands, for the list of what can be undone."""

    id: UUID
    kept: str
    household_id: UUID
    merged_at: datetime
    merged_by: str


LATEST = 20


def merges(session: Session, actor: Actor) -> list[Merged]:
    """The latest merges that stand, newest first."""
    statement = (
        select(ResidentMerge.id, Resident.name, Resident.household_id, ResidentMerge.merged_at, User.name)
        .join(Resident, Resident.id == ResidentMerge.kept_id)
        .join(User, User.id == ResidentMerge.merged_by_id)
        .where(ResidentMerge.undone_at.is_(None))
        .order_by(ResidentMerge.merged_at.desc(), ResidentMerge.id.desc())
        .limit(LATEST)
    )
    return [Merged(*row) for row in session.execute(visible(statement, actor, ResidentMerge))]


def merge(session: Session, actor: Actor, merge_id: UUID) -> ResidentMerge | None:
    """A merge in the actor's community, undone or not."""
    return session.scalar(visible(select(ResidentMerge).where(ResidentMerge.id == merge_id), actor, ResidentMerge))


def standing_merge(session: Session, kept_id: UUID, gone_id: UUID) -> ResidentMerge | None:
    """The merge of two residents that stands, whichever of them was kept."""
    both = (kept_id, gone_id)
    statement = select(ResidentMerge).where(
        ResidentMerge.kept_id.in_(both), ResidentMerge.gone_id.in_(both), ResidentMerge.undone_at.is_(None)
    )
    return session.scalar(statement)


def is_not_same(session: Session, one: UUID, other: UUID) -> bool:
    """Whether somebody said that two residents are two people."""
    smaller, larger = in_order(one, other)
    statement = select(NotSame.id).where(NotSame.one_id == smaller, NotSame.other_id == larger)
    return session.scalar(statement) is not None


def other_people(session: Session, household_id: UUID, resident_id: UUID) -> int:
    """How many others live in a household."""
    statement = select(func.count(Resident.id)).where(
        Resident.household_id == household_id, Resident.left_on.is_(None), Resident.id != resident_id
    )
    return session.scalar(statement) or 0
