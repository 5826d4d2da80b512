"""Brings districts and buildings in. Nothing here commits; what is refused has written nothing.

`day` is the day on which the file holds, the community's today unless an earlier one is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.exchange import features, layout, queries
from fieldapp.exchange.features import BuildingDraft, DistrictDraft, Drafts
from fieldapp.exchange.misplaced import Misplaced, misplaced_buildings, misplaced_districts
from fieldapp.households.models import Household, OccupancyPeriod
from fieldapp.households.rules import Occupancy
from fieldapp.places import placements
from fieldapp.places.models import Building, District, Dwelling
from fieldapp.places.operations import Placed, assign, forget_entrances, place_dwellings, set_boundary
from fieldapp.places.rules import ALWAYS, FOREVER
from geo.geojson import GeoJSONError, Problem


@dataclass(frozen=True)
class DistrictsDone:
    """What an import of districts did. `untouched` are codes that the file does not name."""

    added: int
    changed: int
    same: int
    untouched: tuple[str, ...]
    assigned: int
    placed: Placed
    repairs: tuple[Problem, ...]
    misplaced: Misplaced | None = None


def import_districts(session: Session, actor: Actor, drafts: Drafts, day: date) -> DistrictsDone:
    """Add districts, or give them boundaries and people from `day` on; then place every door again.

    GeoJSONError: `later_change` (something holds from a later day already), `worker` (no such worker), `lead_same`.
    """
    community_id = _community(actor)
    latest = placements.latest_change(session, actor)
    if latest > day:
        raise GeoJSONError([Problem(None, "later_change", latest.isoformat())])
    known, people = queries.districts(session, actor), queries.workers(session, actor)
    _check_people(session, actor, drafts.districts, known, people)
    boundaries, assignments = placements.open_boundaries(session, actor), placements.open_assignments(session, actor)
    misplaced = misplaced_districts(
        drafts,
        queries.building_places(session, actor),
        {code: boundaries[district.id].geometry for code, district in known.items() if district.id in boundaries},
    )
    place = max((district.position for district in known.values()), default=0)
    redrawn: list[UUID] = []
    added = changed = assigned = 0
    for draft in drafts.districts:
        district = known.get(draft.code)
        is_new = district is None
        if district is None:
            place += 1
            district = _new_district(session, community_id, draft, place)
            added += 1
        first = ALWAYS if is_new else day  # one that was closed opens again; its past stays
        is_changed = set_boundary(session, district, draft.geometry, day, boundaries.get(district.id), first)
        if is_changed:
            redrawn.append(district.id)
        if draft.name is not None and draft.name != district.name:
            district.name, is_changed = draft.name, True
        if district.closed_on is not None:
            district.closed_on, is_changed = None, True
        for part, username in (("lead", draft.lead), ("partner", draft.partner)):
            if username is not None:
                current = assignments.get((district.id, part))
                assigned += assign(session, district, part, people[username], day, current)
        changed += is_changed and not is_new
    forget_entrances(session, redrawn)
    placed = place_dwellings(session, community_id, day)
    named = {draft.code for draft in drafts.districts}
    untouched = tuple(sorted(code for code, d in known.items() if code not in named and d.closed_on is None))
    same = len(drafts.districts) - added - changed
    return DistrictsDone(added, changed, same, untouched, assigned, placed, drafts.repairs, misplaced)


def _community(actor: Actor) -> UUID:
    if actor.community_id is None:
        raise ValueError("an import is made for a community")
    return actor.community_id


def _check_people(
    session: Session,
    actor: Actor,
    drafts: tuple[DistrictDraft, ...],
    known: dict[str, District],
    people: dict[str, UUID],
) -> None:
    open_now = placements.open_assignments(session, actor)
    problems = []
    for draft in drafts:
        given = {"lead": draft.lead, "partner": draft.partner}
        unknown = [name for name in given.values() if name is not None and name not in people]
        problems += [Problem(draft.number, "worker", name) for name in unknown]
        if unknown or draft.code not in known:
            continue
        pair = []
        for part, name in given.items():
            current = open_now.get((known[draft.code].id, part))
            pair.append(people[name] if name is not None else current.user_id if current else None)
        if pair[0] is not None and pair[0] == pair[1]:
            problems.append(Problem(draft.number, "lead_same", draft.lead or draft.partner))
    if problems:
        raise GeoJSONError(problems)


def _new_district(session: Session, community_id: UUID, draft: DistrictDraft, place: int) -> District:
    name = draft.name or f"第{features.numeral(draft.number)}包干区"
    district = District(id=uuid7(), community_id=community_id, code=draft.code, name=name, position=place)
    session.add(district)
    session.flush()
    return district


@dataclass(frozen=True)
class BuildingsDone:
    """What an import of buildings did. `without_doors` have households to be, but no dwelling yet."""

    added: int
    changed: int
    same: int
    doors: int
    without_doors: int
    placed: Placed
    repairs: tuple[Problem, ...]
    misplaced: Misplaced | None = None


def import_buildings(session: Session, actor: Actor, drafts: Drafts, day: date, *, lay_out: bool) -> BuildingsDone:
    """Add buildings or bring them up to date; `lay_out` gives doors to those that have none. GeoJSONError: `crowded`.

    Doors that are there are never touched, but for the district that a moved building puts them in.
    """
    community_id = _community(actor)
    known, with_doors = queries.buildings(session, actor), queries.ids_with_doors(session, actor)
    misplaced = misplaced_buildings(
        drafts,
        {
            code: (b.longitude, b.latitude)
            for code, b in known.items()
            if b.longitude is not None and b.latitude is not None
        },
        [boundary.geometry for boundary in placements.open_boundaries(session, actor).values()],
    )
    keys = {draft.code: known[draft.code].id if draft.code in known else uuid7() for draft in drafts.buildings}
    doorless = [draft for draft in drafts.buildings if keys[draft.code] not in with_doors]
    doors = _lay_out(community_id, doorless, keys) if lay_out else []
    place = max((building.position for building in known.values()), default=0)
    new: list[dict[str, Any]] = []
    changed = 0
    for draft in drafts.buildings:
        values = _values(draft)
        if draft.code in known:
            changed += _update(known[draft.code], values)
            continue
        place += 1
        key = keys[draft.code]
        new.append({"id": key, "community_id": community_id, "code": draft.code, "position": place, **values})
    session.flush()
    if new:
        session.execute(insert(Building), new)
    _insert_doors(session, doors)
    placed = place_dwellings(session, community_id, day)
    same = len(drafts.buildings) - len(new) - changed
    without = 0 if lay_out else sum(bool(draft.households or draft.shares) for draft in doorless)
    return BuildingsDone(len(new), changed, same, len(doors), without, placed, drafts.repairs, misplaced)


def _values(draft: BuildingDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "kind": draft.kind,
        "street": draft.street,
        "house_number": draft.house_number,
        "levels": draft.levels,
        "entrances": draft.entrances,
        "households_planned": draft.households,
        "geometry": draft.geometry,
        "longitude": draft.longitude,
        "latitude": draft.latitude,
        "properties": draft.properties,
    }


def _update(building: Building, values: dict[str, Any]) -> bool:
    differing = {key: value for key, value in values.items() if getattr(building, key) != value}
    for key, value in differing.items():
        setattr(building, key, value)
    return bool(differing)


def _lay_out(community_id: UUID, drafts: Sequence[BuildingDraft], keys: dict[str, UUID]) -> list[dict[str, Any]]:
    doors: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for draft in drafts:
        try:
            laid = layout.laid_out(draft)
        except GeoJSONError as error:
            problems += error.problems
            continue
        doors += (
            {
                "id": uuid7(),
                "community_id": community_id,
                "building_id": keys[draft.code],
                "kind": laid.kind,
                "entrance": cell.entrance,
                "floor": cell.floor,
                "room": cell.room,
                "column": cell.column,
                "row": row,
            }
            for cell, row in laid.cells
        )
    if problems:
        raise GeoJSONError(problems)
    return doors


def _insert_doors(session: Session, doors: list[dict[str, Any]]) -> None:
    """Insert dwellings, and behind each a household of which nothing is known yet."""
    if not doors:
        return
    session.execute(insert(Dwelling), doors)
    households = [
        {
            "id": uuid7(),
            "community_id": door["community_id"],
            "dwelling_id": door["id"],
            "occupancy": Occupancy.UNKNOWN,
        }
        for door in doors
    ]
    session.execute(insert(Household), households)
    periods = [
        {
            "id": uuid7(),
            "community_id": household["community_id"],
            "household_id": household["id"],
            "since": ALWAYS,
            "until": FOREVER,
            "occupancy": Occupancy.UNKNOWN,
        }
        for household in households
    ]
    session.execute(insert(OccupancyPeriod), periods)
