"""Writes about places: communities, districts with their boundaries and people, and which door lies in which district.

A change holds from a day on: what held before is closed on that day, so that past months keep the boundaries and the
people they had. What would begin and end on the same day is replaced. The first boundary of a district and the first
placement of a door hold from `ALWAYS`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import shapely.geometry
from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.db import uuid7
from fieldapp.places import placements, queries
from fieldapp.places.models import (
    Assignment,
    Community,
    District,
    DistrictBoundary,
    Dwelling,
    EntranceDistrict,
    Placement,
)
from fieldapp.places.placements import PlacedDoor
from fieldapp.places.rules import ALWAYS, FOREVER
from geo.tiling import locate

T = TypeVar("T")

BATCH = 500
"""Keys in one statement: far below the number of parameters that either database takes."""


def create_community(
    session: Session, *, code: str, name: str, street_code: str | None = None, **settings: Any
) -> Community:
    """Add a community; `settings` are columns of `Community` that differ from their defaults."""
    community = Community(code=code, name=name, street_code=street_code, **settings)
    session.add(community)
    session.flush()
    return community


def set_boundary(
    session: Session,
    district: District,
    geometry: dict[str, Any],
    since: date,
    current: DistrictBoundary | None,
    first: date = ALWAYS,
) -> bool:
    """Give a district a boundary from `since` on; `current` is the one that still holds. False: it was so already.

    Where there is none yet it holds from `first` on.
    """
    if current is not None and current.geometry == geometry:
        return False
    if current is not None and current.since >= since:
        current.geometry = geometry
        return True
    if current is not None:
        current.until = since
    session.add(
        DistrictBoundary(
            community_id=district.community_id,
            district_id=district.id,
            since=first if current is None else since,
            until=FOREVER,
            geometry=geometry,
        )
    )
    return True


def assign(
    session: Session, district: District, part: str, user_id: UUID, since: date, current: Assignment | None
) -> bool:
    """Make somebody `lead` or `partner` of a district from `since` on; `current` holds still. False: it was so already.

    The first in a part answer from `since`, not from `ALWAYS`: nobody walked for them before.
    """
    if current is not None and current.user_id == user_id:
        return False
    if current is not None and current.since >= since:
        current.user_id = user_id
        return True
    if current is not None:
        current.until = since
    session.add(
        Assignment(
            community_id=district.community_id,
            district_id=district.id,
            user_id=user_id,
            part=part,
            since=since,
            until=FOREVER,
        )
    )
    return True


@dataclass(frozen=True)
class Placed:
    """How many doors were placed for the first time, how many changed district, and how many lie in none now."""

    first: int
    moved: int
    orphans: int


def place_dwellings(session: Session, community_id: UUID, since: date) -> Placed:
    """Put every door of a community into the district of `since` that its building's representative point lies in.

    Where a plan divided a building, the entrance decides. On a shared edge the district that comes first by position
    and code has it. A door in no district and never placed before gets no placement. Nothing is written where nothing
    changes.
    """
    session.flush()
    actor = Actor(None, "", Role.DIRECTOR, community_id)
    districts = [district for district in queries.districts_on(session, actor, since) if district.geometry]
    doors = placements.doors(session, actor)
    decided = placements.entrance_districts(session, actor)
    found = _districts_of([(d.id, d.geometry) for d in districts], doors, decided)
    moves = [
        (door, new)
        for door, new in zip(doors, found, strict=True)
        if (door.placed_in != new if door.placement_id else new is not None)
    ]
    _write_placements(session, community_id, moves, since)
    _write_districts(session, [(d.id, new) for d, new in zip(doors, found, strict=True) if d.district_id != new])
    first = sum(door.placement_id is None for door, _ in moves)
    return Placed(first, len(moves) - first, sum(new is None for new in found))


def _districts_of(
    districts: Sequence[tuple[UUID, dict[str, Any] | None]],
    doors: Sequence[PlacedDoor],
    decided: Mapping[tuple[UUID, int], UUID],
) -> list[UUID | None]:
    polygons = [shapely.geometry.shape(geometry) for _, geometry in districts]
    nowhere = float("nan")
    points = np.array(
        [
            (nowhere, nowhere) if door.longitude is None or door.latitude is None else (door.longitude, door.latitude)
            for door in doors
        ],
        dtype=np.float64,
    ).reshape(-1, 2)
    there = {district_id for district_id, _ in districts}
    by_point = [districts[index][0] if index >= 0 else None for index in locate(polygons, points)]
    by_entrance = [decided.get((door.building_id, door.entrance)) for door in doors]
    return [told if told in there else seen for told, seen in zip(by_entrance, by_point, strict=True)]


def decide_entrances(session: Session, community_id: UUID, decided: Mapping[tuple[UUID, int], UUID]) -> None:
    """Keep in which district single entrances lie, in place of all that was kept before; places no door."""
    session.execute(delete(EntranceDistrict).where(EntranceDistrict.community_id == community_id))
    rows = [
        {"id": uuid7(), "community_id": community_id, "building_id": building, "entrance": entrance, "district_id": key}
        for (building, entrance), key in decided.items()
    ]
    if rows:
        session.execute(insert(EntranceDistrict), rows)


def forget_entrances(session: Session, district_ids: Collection[UUID]) -> None:
    """Let the building's point decide again for what a plan put into districts whose boundary is another now."""
    for batch in batches(list(district_ids)):
        session.execute(delete(EntranceDistrict).where(EntranceDistrict.district_id.in_(batch)))


def _write_placements(
    session: Session, community_id: UUID, moves: Sequence[tuple[PlacedDoor, UUID | None]], since: date
) -> None:
    replaced: dict[UUID | None, list[UUID]] = defaultdict(list)
    closed: list[UUID] = []
    opened: list[dict[str, Any]] = []
    for door, new in moves:
        if door.placement_id is not None and door.since is not None and door.since >= since:
            replaced[new].append(door.placement_id)
            continue
        if door.placement_id is not None:
            closed.append(door.placement_id)
        opened.append(
            {
                "id": uuid7(),
                "community_id": community_id,
                "dwelling_id": door.id,
                "district_id": new,
                "since": since if door.placement_id else ALWAYS,
                "until": FOREVER,
            }
        )
    for district_id, keys in replaced.items():
        for batch in batches(keys):
            session.execute(update(Placement).where(Placement.id.in_(batch)).values(district_id=district_id))
    for batch in batches(closed):
        session.execute(update(Placement).where(Placement.id.in_(batch)).values(until=since))
    if opened:
        session.execute(insert(Placement), opened)


def _write_districts(session: Session, changes: Iterable[tuple[UUID, UUID | None]]) -> None:
    by_district: dict[UUID | None, list[UUID]] = defaultdict(list)
    for dwelling_id, district_id in changes:
        by_district[district_id].append(dwelling_id)
    for district_id, keys in by_district.items():
        for batch in batches(keys):
            session.execute(update(Dwelling).where(Dwelling.id.in_(batch)).values(district_id=district_id))


def batches(values: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Cut a list into pieces that one statement can take."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def change_settings(community: Community, values: dict[str, Any]) -> None:
    """Set a community's settings; `values` are columns of `Community` and have been checked."""
    for name, value in values.items():
        setattr(community, name, value)


def assign_people(session: Session, actor: Actor, people: dict[tuple[str, str], UUID | None], since: date) -> None:
    """Say who is lead and partner of which district from `since` on: (district's code, part) to a worker, or nobody."""
    current = {
        (district.code, assignment.part): assignment
        for district, assignment in queries.assignments_on(session, actor, since)
    }
    for district in queries.districts(session, actor):
        for part in ("lead", "partner"):
            if (district.code, part) not in people:
                continue
            person, held = people[district.code, part], current.get((district.code, part))
            if person is not None:
                assign(session, district, part, person, since, held)
            elif held is not None and held.since >= since:
                session.delete(held)
            elif held is not None:
                held.until = since
