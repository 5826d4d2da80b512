"""Makes people, places and visits for tests; everything has a sensible default."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.rules import Actor, Role
from fieldapp.db import uuid7
from fieldapp.households.models import CareGroup, CareMembership, Household, OccupancyPeriod, Resident
from fieldapp.households.rules import Occupancy, pinyin_keys
from fieldapp.places.models import Assignment, Building, Community, District, DistrictBoundary, Dwelling, Placement
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.rules import day_of

PASSWORD = "a long enough one"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CHEAP_HASH = CHEAP.hash(PASSWORD)
"""Cheap: the tests sign in hundreds of times, and one test looks at the real cost."""


def make_user(session: Session, username: str, role: Role = Role.WORKER, **more: Any) -> User:
    """An account with the tests' password."""
    values: dict[str, Any] = {
        "name": username,
        "password_hash": CHEAP_HASH,
        "password_stamp": "stamp",
        "must_change_password": False,
        "active": True,
        "failures": 0,
    }
    user = User(id=uuid7(), username=username, role=role, **(values | more))
    session.add(user)
    session.flush()
    return user


def make_community(session: Session, code: str = "c1", **more: Any) -> Community:
    """A community with three topics."""
    community = Community(id=uuid7(), code=code, **({"name": f"{code}社区", "topics": ["助餐", "看病", "楼道"]} | more))
    session.add(community)
    session.flush()
    return community


def make_district(session: Session, community: Community, code: str = "1", west: float = 120.30) -> District:
    """A square district of about 190 m, its south-west corner at `west`, 31.57."""
    district = District(id=uuid7(), community_id=community.id, code=code, name=f"第{code}包干区", position=int(code))
    session.add(district)
    session.flush()
    east, south, north = west + 0.002, 31.57, 31.572
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    session.add(
        DistrictBoundary(
            community_id=community.id, district_id=district.id, geometry={"type": "Polygon", "coordinates": [ring]}
        )
    )
    session.flush()
    return district


def assign(session: Session, district: District, user: User, part: str = "lead", **period: date) -> Assignment:
    """Make somebody answer for a district."""
    assignment = Assignment(
        community_id=district.community_id, district_id=district.id, user_id=user.id, part=part, **period
    )
    session.add(assignment)
    session.flush()
    return assignment


def make_building(session: Session, community: Community, name: str = "1号楼", **more: Any) -> Building:
    """A block with a small square footprint."""
    west, south = more.pop("longitude", 120.301), more.pop("latitude", 31.571)
    ring = [[west, south], [west + 2e-4, south], [west + 2e-4, south + 1e-4], [west, south + 1e-4], [west, south]]
    values: dict[str, Any] = {
        "code": name.removesuffix("号楼"),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "longitude": west + 1e-4,
        "latitude": south + 5e-5,
        "levels": 6,
        "entrances": 1,
    }
    building = Building(id=uuid7(), community_id=community.id, name=name, **(values | more))
    session.add(building)
    session.flush()
    return building


def make_dwelling(
    session: Session, building: Building, district: District | None, room: str = "101", **more: Any
) -> Dwelling:
    """A flat; its floor and column are read from a room like 601."""
    values: dict[str, Any] = {"entrance": 1, "kind": "flat"}
    if room.isdigit() and len(room) >= 3:
        values |= {"floor": int(room[:-2]), "column": int(room[-2:])}
    dwelling = Dwelling(
        id=uuid7(),
        community_id=building.community_id,
        building_id=building.id,
        district_id=district.id if district else None,
        room=room,
        **(values | more),
    )
    session.add(dwelling)
    session.flush()
    if district:
        session.add(Placement(community_id=building.community_id, dwelling_id=dwelling.id, district_id=district.id))
        session.flush()
    return dwelling


def make_household(
    session: Session, dwelling: Dwelling, head: str | None = "张三", occupancy: Occupancy = Occupancy.OWN, **more: Any
) -> Household:
    """A household behind a door, with a head where one is named."""
    household = Household(
        id=uuid7(), community_id=dwelling.community_id, dwelling_id=dwelling.id, occupancy=occupancy, **more
    )
    session.add(household)
    session.flush()
    session.add(OccupancyPeriod(community_id=dwelling.community_id, household_id=household.id, occupancy=occupancy))
    if head:
        make_resident(session, household, head, relation="02")
    session.flush()
    return household


def make_resident(session: Session, household: Household, name: str, **more: Any) -> Resident:
    """A person of a household."""
    pinyin, initials = pinyin_keys(name)
    phone = more.get("phone")
    resident = Resident(
        id=uuid7(),
        community_id=household.community_id,
        household_id=household.id,
        name=name,
        pinyin=pinyin,
        initials=initials,
        phone_tail=phone[-4:] if phone else None,
        **more,
    )
    session.add(resident)
    session.flush()
    return resident


def make_visit(
    session: Session, household: Household, visitor: User, at: datetime, outcome: str = "met", **more: Any
) -> Visit:
    """A visit that was written down at once."""
    visit = Visit(
        id=uuid7(),
        community_id=household.community_id,
        household_id=household.id,
        visitor_id=visitor.id,
        visited_at=at,
        visited_on=day_of(at),
        outcome=outcome,
        **({"recorded_at": at, "way": "door", "topics": [], "is_urgent": False} | more),
    )
    session.add(visit)
    session.flush()
    return visit


def make_group(session: Session, community: Community, name: str = "高龄", **more: Any) -> CareGroup:
    """A care group with a rhythm of thirty days."""
    values: dict[str, Any] = {"code": name, "every_days": 30, "is_sensitive": False, "active": True}
    group = CareGroup(id=uuid7(), community_id=community.id, name=name, **(values | more))
    session.add(group)
    session.flush()
    return group


def make_care(session: Session, household: Household, group: CareGroup, since: date, **more: Any) -> CareMembership:
    """A membership from a day on."""
    care = CareMembership(
        community_id=household.community_id, household_id=household.id, group_id=group.id, since=since, **more
    )
    session.add(care)
    session.flush()
    return care


def make_follow_up(
    session: Session, household: Household, user: User, promise: str = "问助餐卡", **more: Any
) -> FollowUp:
    """A promise."""
    follow_up = FollowUp(
        id=uuid7(),
        community_id=household.community_id,
        household_id=household.id,
        promise=promise,
        promised_by_id=user.id,
        **more,
    )
    session.add(follow_up)
    session.flush()
    return follow_up


@dataclass
class Cast:
    """The people every view's test meets, by user name, and the doors of the first district.

    worker and partner share district 1 of community c1; other works district 2 of it; director answers for c1;
    stranger is the director of c2, neighbour a worker there; street is the office of both; admin keeps accounts.
    """

    community: Community
    elsewhere: Community
    district: District
    second: District
    building: Building
    households: list[Household]
    far_household: Household
    users: dict[str, User] = field(default_factory=dict)
    visit: Visit | None = None
    follow_up: FollowUp | None = None

    def actor(self, username: str) -> Actor:
        """Somebody of the cast as the queries know them."""
        user = self.users[username]
        districts: set[UUID] = set()
        if username in ("worker", "partner"):
            districts = {self.district.id}
        elif username == "other":
            districts = {self.second.id}
        return Actor(user.id, user.name, Role(user.role), user.community_id, user.street_code, frozenset(districts))


def make_cast(session: Session, now: datetime) -> Cast:
    """Two communities, three districts, everybody, and a visited household."""
    here = make_community(session, "c1", street_code="s1")
    there = make_community(session, "c2", street_code="s1")
    first, second = make_district(session, here, "1"), make_district(session, here, "2", west=120.302)
    far = make_district(session, there, "1", west=120.32)
    users = {
        "worker": make_user(session, "worker", community_id=here.id, phone="15400000001"),
        "partner": make_user(session, "partner", community_id=here.id),
        "other": make_user(session, "other", community_id=here.id),
        "director": make_user(session, "director", Role.DIRECTOR, community_id=here.id),
        "stranger": make_user(session, "stranger", Role.DIRECTOR, community_id=there.id),
        "neighbour": make_user(session, "neighbour", community_id=there.id),
        "street": make_user(session, "street", Role.STREET, street_code="s1"),
        "admin": make_user(session, "admin", Role.ADMIN),
    }
    assign(session, first, users["worker"], "lead")
    assign(session, first, users["partner"], "partner")
    assign(session, second, users["other"], "lead")
    assign(session, far, users["neighbour"], "lead")
    building = make_building(session, here, "12号楼")
    households = [
        make_household(session, make_dwelling(session, building, first, room), head)
        for room, head in (("601", "张桂兰"), ("502", "王秀英"), ("301", "赵启明"), ("302", "吴丽华"))
    ]
    far_building = make_building(session, there, "1号楼", longitude=120.321)
    far_household = make_household(session, make_dwelling(session, far_building, far, "101"), "李远方")
    make_household(
        session,
        make_dwelling(session, make_building(session, here, "20号楼", longitude=120.303), second, "201"),
        "周邻",
    )
    visit = make_visit(session, households[0], users["worker"], now - timedelta(days=36), sentence="腿脚还行")
    follow_up = make_follow_up(session, households[0], users["worker"], due_on=day_of(now) + timedelta(days=2))
    return Cast(here, there, first, second, building, households, far_household, users, visit, follow_up)
