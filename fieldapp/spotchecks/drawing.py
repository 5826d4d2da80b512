"""Reading the registry and the visit log for a draw: who may be drawn, and what is on record of every household."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import (
    CareGroup,
    CareMembership,
    FactProposal,
    FactStamp,
    Household,
    OccupancyPeriod,
    Resident,
)
from fieldapp.households.rules import EMPTY, HEAD
from fieldapp.places.models import Building, District, Dwelling
from fieldapp.spotchecks.models import SpotCheck, SpotSample
from fieldapp.spotchecks.rules import FRESH_DAYS, Candidate, Group, Home, Need, Person, month_before
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.queries import last_met_on, stands

Rows = Select[*tuple[Any, ...]]
_LATER = aliased(SpotCheck)


@dataclass(frozen=True)
class Door:
    """A household that may be drawn, and where it is; `place` sorts as one walks."""

    candidate: Candidate
    home: Home
    district_id: UUID
    building_id: UUID
    entrance: int
    is_above: bool
    place: tuple[Any, ...]

    @property
    def key(self) -> UUID:
        """The household's."""
        return self.candidate.household_id


def candidates(
    session: Session, actor: Actor, month: str, today: date, district_ids: Iterable[UUID] | None
) -> list[Door]:
    """The households of these districts where somebody lives as far as is known, with who was drawn last month.

    `Home` holds what the household itself says; `fill` adds the rest. Two statements.
    """
    before = set(session.scalars(_drawn(actor.role), bounds(actor) | {"month": month_before(month)}))
    wanted = None if district_ids is None else set(district_ids)
    found = []
    for row in session.execute(_homes(actor.role), bounds(actor) | {"day": today}):
        if wanted is not None and row.district_id not in wanted:
            continue
        unmet = None if row.met_on is None else (today - row.met_on).days
        found.append(
            Door(
                Candidate(row.id, row.district_id, row.building_id, row.is_care, unmet, row.id in before),
                Home(row.occupancy, row.met_on),
                row.district_id,
                row.building_id,
                row.entrance,
                row.kind != "courtyard" and row.floor > 1,
                (row.d_position, row.code, row.b_position, row.building_id, row.entrance, row.floor, row.room, row.id),
            )
        )
    return found


@cache
def _homes(role: Role) -> Rows:
    in_care = (
        exists()
        .where(CareMembership.household_id == Household.id, *_of_day(CareMembership))
        .where(CareGroup.id == CareMembership.group_id, CareGroup.active)
    )
    statement: Any = (
        select(
            Household.id,
            func.coalesce(OccupancyPeriod.occupancy, Household.occupancy).label("occupancy"),
            Dwelling.district_id,
            Dwelling.building_id,
            Dwelling.entrance,
            Dwelling.floor,
            Dwelling.room,
            Building.kind,
            Building.position.label("b_position"),
            District.position.label("d_position"),
            District.code,
            in_care.label("is_care"),
            last_met_on(Household.id, bindparam("day")).label("met_on"),
        )
        .select_from(Household)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .join(District, District.id == Dwelling.district_id)
        .outerjoin(OccupancyPeriod, (OccupancyPeriod.household_id == Household.id) & _all(_of_day(OccupancyPeriod)))
        .where(
            Dwelling.kind != "shop",
            func.coalesce(OccupancyPeriod.occupancy, Household.occupancy).notin_([str(empty) for empty in EMPTY]),
        )
    )
    return visible(statement, anybody(role), Dwelling)


def _of_day(period: Any) -> tuple[Any, Any]:
    return period.since <= bindparam("day"), period.until > bindparam("day")


def _all(conditions: tuple[Any, Any]) -> Any:
    return conditions[0] & conditions[1]


@cache
def _drawn(role: Role) -> Rows:
    """The households of a month's checks; a check that was replaced by another draw was not held."""
    statement = (
        select(SpotSample.household_id)
        .join(SpotCheck, SpotCheck.id == SpotSample.check_id)
        .where(SpotCheck.month == bindparam("month"), ~exists().where(_LATER.replaces_id == SpotCheck.id))
    )
    return visible(statement, anybody(role), SpotSample)


@dataclass
class _Seen:
    """When facts were last looked at, by resident (None: the household) and field."""

    on: dict[tuple[UUID, UUID | None, str], date] = field(default_factory=dict)

    def latest(self, household_id: UUID, resident_id: UUID | None, name: str, other: date | None = None) -> date | None:
        """The day of the last look, or `other` where that is later; None where neither is known."""
        days = [day for day in (self.on.get((household_id, resident_id, name)), other) if day]
        return max(days, default=None)


def fill(session: Session, actor: Actor, doors: Iterable[Door], today: date) -> None:
    """Add to every home its people, care groups, last need, shop below, and what is in dispute. Six statements."""
    values = bounds(actor) | {"day": today, "since": today - timedelta(days=FRESH_DAYS)}
    by_home = {door.candidate.household_id: door for door in doors}
    homes = {key: door.home for key, door in by_home.items()}
    seen = _Seen()
    for household_id, resident_id, name, day in session.execute(_behind(actor.role, _STAMPS), values):
        seen.on[household_id, resident_id, name] = day
    for row in session.execute(_behind(actor.role, _PEOPLE), values):
        if home := homes.get(row.household_id):
            looked = seen.latest(row.household_id, row.id, "employment", row.recorded_on)
            home.people.append(Person(row.name, row.relation == HEAD, row.birth_date, row.employment, looked))
    for household_id, *group in session.execute(_behind(actor.role, _GROUPS), values):
        if home := homes.get(household_id):
            home.groups.append(Group(*group))
    for household_id, promise, done_at, day in session.execute(_behind(actor.role, _NEEDS), values):
        if home := homes.get(household_id):
            home.need = Need(promise, day, done_at is not None)  # the newest comes last
    disputed: dict[UUID, set[str]] = defaultdict(set)
    for household_id, name in session.execute(_behind(actor.role, _DISPUTES), values):
        disputed[household_id].add(name)
    shops: dict[tuple[UUID, int], list[str]] = defaultdict(list)
    for building_id, entrance, name in session.execute(visible(_SHOPS, anybody(actor.role), Dwelling), values):
        shops[building_id, entrance].append(name)
    for key, door in by_home.items():
        door.home.disputed = frozenset(disputed[key])
        door.home.occupancy_seen_on = seen.latest(key, None, "occupancy")
        below = shops[door.building_id, door.entrance]
        if door.is_above and len(below) == 1:  # of two, who is to say which is meant
            door.home.shop = below[0]


def _behind(role: Role, statement: Any) -> Rows:
    """Narrow what belongs to a household to the doors that a role may see."""
    return visible(statement.join(Dwelling, Dwelling.id == Household.dwelling_id), anybody(role), Dwelling)


_STAMPS: Any = (
    select(FactStamp.household_id, FactStamp.resident_id, FactStamp.field, func.max(FactStamp.verified_on))
    .select_from(FactStamp)
    .join(Household, Household.id == FactStamp.household_id)
    .where(FactStamp.field.in_(("employment", "occupancy")), FactStamp.verified_on <= bindparam("day"))
    .group_by(FactStamp.household_id, FactStamp.resident_id, FactStamp.field)
)
_PEOPLE: Any = (
    select(
        Resident.id,
        Resident.household_id,
        Resident.name,
        Resident.relation,
        Resident.birth_date,
        Resident.employment,
        Resident.recorded_on,
    )
    .select_from(Resident)
    .join(Household, Household.id == Resident.household_id)
    .where(or_(Resident.left_on.is_(None), Resident.left_on > bindparam("day")), Resident.erased_at.is_(None))
    .order_by(Resident.position, Resident.id)
)
_GROUPS: Any = (
    select(
        CareMembership.household_id,
        CareGroup.name,
        CareMembership.reason,
        Resident.name,
        CareGroup.is_sensitive,
        CareMembership.review_on,
    )
    .select_from(CareMembership)
    .join(CareGroup, CareGroup.id == CareMembership.group_id)
    .join(Household, Household.id == CareMembership.household_id)
    .outerjoin(Resident, Resident.id == CareMembership.resident_id)
    .where(*_of_day(CareMembership), CareGroup.active)
    .order_by(CareGroup.position, CareGroup.code, CareMembership.id)
)
_NEEDS: Any = (
    select(FollowUp.household_id, FollowUp.promise, FollowUp.done_at, Visit.visited_on)
    .select_from(FollowUp)
    .join(Visit, Visit.id == FollowUp.visit_id)
    .join(Household, Household.id == FollowUp.household_id)
    .where(Visit.visited_on >= bindparam("since"), Visit.visited_on <= bindparam("day"), stands())
    .order_by(Visit.visited_at, FollowUp.id)
)
_DISPUTES: Any = (
    select(FactProposal.household_id, FactProposal.field)
    .select_from(FactProposal)
    .join(Household, Household.id == FactProposal.household_id)
    .where(FactProposal.decided_at.is_(None))
)
_SHOPS: Any = (
    select(Dwelling.building_id, Dwelling.entrance, Dwelling.name)
    .where(Dwelling.kind == "shop", Dwelling.floor == 1, Dwelling.name.isnot(None))
    .order_by(Dwelling.column)
)
