"""What the phones know before they lose the signal: doors, who lives behind them, what was promised there."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.db import uuid7
from fieldapp.households.models import Household, Resident
from fieldapp.households.rules import EMPTY
from fieldapp.places.models import Assignment, Building, Dwelling
from fieldapp.places.queries import district_ids_of
from fieldapp.visits.models import FollowUp

PASSWORD = "fieldapp-demo"
SLOW, LEAVES, MOVES = 3, 6, 8
"""The worker whose phone's clock is two hours behind; whose account is closed; who is given another district."""


@dataclass(frozen=True)
class Door:
    """A household, its building, and its residents with the phone number on record."""

    household: UUID
    building: UUID
    residents: tuple[tuple[UUID, str], ...]


@dataclass
class Worker:
    """Somebody with a phone, whose clock is wrong by `clock`. The partner's phone has the `shared` doors too, no other
    phone has the `own` ones."""

    number: int
    username: str
    user: UUID
    clock: timedelta
    shared: list[Door] = field(default_factory=list)
    own: list[Door] = field(default_factory=list)
    follow_ups: list[tuple[UUID, UUID]] = field(default_factory=list)


def prepare(session: Session, day: date, phones: int, doors: int, promises: int, chance: Random) -> list[Worker]:
    """Deal `doors` occupied doors and `promises` open follow-ups (key, household) to each of the first workers.

    Two partners are dealt the same shared doors: half of what each has. Writes the follow-ups; the caller commits.
    """
    workers, dealt = [], {}
    for number in range(1, phones + 1):
        user = session.scalars(select(User).where(User.username == f"worker{number}")).one()
        district = min(district_ids_of(session, user.id, day))
        if district not in dealt:
            dealt[district] = _doors(session, district)
            chance.shuffle(dealt[district])
        left = dealt[district]
        clock = timedelta(hours=-2) if number == SLOW else timedelta()
        worker = Worker(number, user.username, user.id, clock, left[: doors // 2], left[doors // 2 : doors])
        # The shared ones stay in front for the partner, whose own ones follow.
        del left[doors // 2 : doors]
        for _ in range(promises):
            worker.follow_ups.append(_promise(session, user, chance.choice(worker.own + worker.shared)))
        workers.append(worker)
    return workers


def close_account(engine: Engine, worker: Worker) -> None:
    """Somebody leaves, with a phone full of visits."""
    with engine.begin() as connection:
        connection.execute(update(User).where(User.id == worker.user).values(active=False))


def take_district(engine: Engine, worker: Worker, day: date) -> None:
    """Somebody else answers for these doors from today on."""
    ending = (Assignment.user_id == worker.user, Assignment.until > day)
    with engine.begin() as connection:
        connection.execute(update(Assignment).where(*ending).values(until=day))


def _doors(session: Session, district: UUID) -> list[Door]:
    rows = session.execute(
        select(Household.id, Dwelling.building_id, Resident)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(Resident, Resident.household_id == Household.id)
        .where(Dwelling.district_id == district, Household.occupancy.not_in(EMPTY), Resident.left_on.is_(None))
        .order_by(Building.code, Dwelling.entrance, Dwelling.room, Household.number, Resident.position, Resident.id)
    )
    found: dict[tuple[UUID, UUID], list[tuple[UUID, str]]] = {}
    for household, building, resident in rows:
        found.setdefault((household, building), []).append((resident.id, resident.phone or ""))
    return [Door(*keys, tuple(people)) for keys, people in found.items()]


def _promise(session: Session, user: User, door: Door) -> tuple[UUID, UUID]:
    made = FollowUp(
        id=uuid7(),
        community_id=user.community_id,
        household_id=door.household,
        promise="折腾",
        promised_by_id=user.id,
    )
    session.add(made)
    return made.id, door.household
