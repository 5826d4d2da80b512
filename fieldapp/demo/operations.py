"""Writes the demonstration community, and communities like it for the benchmark, in bulk."""

import secrets
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.operations import create_user
from fieldapp.accounts.rules import Role
from fieldapp.db import uuid7
from fieldapp.demo import rules
from fieldapp.demo.blocks import Point
from fieldapp.demo.rows import Rows, Sheets
from fieldapp.demo.town import ORIGIN
from fieldapp.households.defaults import TOPICS
from fieldapp.households.models import CareGroup, CareMembership, FactStamp, Household, OccupancyPeriod, Resident
from fieldapp.places.models import (
    Assignment,
    Building,
    Community,
    District,
    DistrictBoundary,
    Dwelling,
    Placement,
)
from fieldapp.visits.models import FollowUp, Visit, VisitResident


def make_demo(session: Session, *, today: date, now: datetime, password: str = rules.PASSWORD) -> Community:
    """The community `demo` with its accounts: worker1 … worker10, director, street, admin. Does not commit."""
    admin = create_user(
        session,
        username="admin",
        name=rules.ADMIN,
        role=Role.ADMIN,
        password=password,
        must_change_password=False,
    )
    street = _user("street", rules.STREET_OFFICE, Role.STREET, admin.password_hash, street_code=rules.STREET_CODE)
    _write(session, User, [street])
    return populate(
        session,
        code=rules.CODE,
        name=rules.NAME,
        seed=rules.SEED,
        today=today,
        now=now,
        password_hash=admin.password_hash,
        is_demo=True,
    )


def populate(
    session: Session,
    *,
    code: str,
    name: str,
    seed: int,
    today: date,
    now: datetime,
    password_hash: str,
    months: int = 3,
    street_code: str = rules.STREET_CODE,
    origin: Point = ORIGIN,
    is_demo: bool = False,
) -> Community:
    """A community of about 1,000 households with `months` months of visits up to `now`. Does not commit.

    All its accounts share `password_hash`, made once: a hash costs more than a thousand rows. Community `demo` has
    plain user names and the known staff; others prefix theirs with their code (`c7-worker1`). `origin` is the
    longitude and latitude of its middle.
    """
    own = code == rules.CODE
    plan = rules.make_plan(seed, today=today, now=now, months=months, origin=origin, staff=own)
    community = Community(
        code=code, name=name, street_code=street_code, topics=list(TOPICS), is_demo=is_demo, id=uuid7()
    )
    session.add(community)
    session.flush()
    worker_ids = _staff(session, community, plan, "" if own else f"{code}-", password_hash)
    sheets = Sheets(plan, today, worker_ids)
    for model, rows in _tables(sheets):
        for row in rows:
            row["community_id"] = community.id
        _write(session, model, rows)
    _write(session, VisitResident, sheets.people_met())
    return community


def _tables(sheets: Sheets) -> Iterator[tuple[Any, Rows]]:
    """Each table after those it points at; `Visit.taken_by_id` stays empty: the urgent one waits."""
    yield District, sheets.districts()
    yield DistrictBoundary, sheets.boundaries()
    yield Assignment, sheets.assignments()
    yield Building, sheets.buildings()
    yield Dwelling, sheets.dwellings()
    yield Placement, sheets.placements()
    yield Household, sheets.households()
    yield Resident, sheets.residents()
    yield CareGroup, sheets.care_groups()
    yield CareMembership, sheets.memberships()
    yield Visit, sheets.visits()
    yield OccupancyPeriod, sheets.occupancy_periods()
    yield FollowUp, sheets.follow_ups()
    yield FactStamp, sheets.stamps()


def _staff(session: Session, community: Community, plan: rules.Plan, prefix: str, password_hash: str) -> list[UUID]:
    """Ten workers, whose keys are given back, and a director."""
    rows = [
        _user(f"{prefix}worker{i}", name, Role.WORKER, password_hash, phone, community_id=community.id)
        for i, (name, phone) in enumerate(zip(plan.workers, plan.phones[1:], strict=True), 1)
    ]
    director = _user(
        f"{prefix}director", plan.director, Role.DIRECTOR, password_hash, plan.phones[0], community_id=community.id
    )
    _write(session, User, [*rows, director])
    return [row["id"] for row in rows]


def _user(
    username: str, name: str, role: Role, password_hash: str, phone: str | None = None, **scope: Any
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "username": username,
        "name": name,
        "phone": phone,
        "role": role,
        "community_id": scope.get("community_id"),
        "street_code": scope.get("street_code"),
        "password_hash": password_hash,
        "password_stamp": secrets.token_hex(8),
        "must_change_password": False,
        "active": True,
        "failures": 0,
    }


def _write(session: Session, model: Any, rows: Rows) -> None:
    """Insert rows past the unit of work: 20,000 of them take a second less."""
    table: Table = model.__table__
    if rows:
        session.execute(insert(table), rows)
