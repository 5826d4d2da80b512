"""Writes of planning: a draft's steps, and the day on which a division comes into force.

Nothing here commits. Whoever changes a draft says which version they saw: PlanStale where somebody was quicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import shapely.geometry
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.places import operations as places
from fieldapp.places import placements
from fieldapp.places import queries as place_queries
from fieldapp.places.models import Building, District, Dwelling
from fieldapp.places.operations import Placed
from fieldapp.places.rules import ALWAYS
from fieldapp.planning import ground as grounds
from fieldapp.planning import queries, rules
from fieldapp.planning.ground import Block, Ground
from fieldapp.planning.models import Plan, PlanStep
from fieldapp.planning.rules import Body, DraftDistrict, PlanRefused
from geo.tiling import locate

FARTHEST = timedelta(days=366)
"""How far ahead a division may be put in force."""


class PlanStale(Exception):
    """Somebody changed the plan after the version that this change was made from."""


# --- computing


def start(session: Session, actor: Actor, kind: str, seed: int | None, now: datetime, *, is_dead: bool = False) -> Plan:
    """Say that a division is to be computed, as a first draft or as the next step of the one there is.

    PlanRefused: `computing` (another is at it, unless it `is_dead`), `waiting` (one waits for its day).
    """
    plan = queries.open_plan(session, actor, to_change=True)
    if plan is None:
        plan = _first(session, actor, kind, now)
    elif plan.state == "waiting" or (plan.state == "computing" and not is_dead):
        raise PlanRefused(plan.state)
    elif seed is None and plan.step:
        seed = plan.seed + 1
    plan.state, plan.kind, plan.seed = "computing", kind, seed or 0
    plan.progress, plan.error, plan.pid, plan.alive_at = 0.0, None, None, now
    _changed(plan, actor, now)
    session.flush()
    return plan


def _first(session: Session, actor: Actor, kind: str, now: datetime) -> Plan:
    """A plan of nothing yet. Where somebody else made one at the same moment theirs is computed: PlanRefused."""
    if actor.community_id is None:
        raise ValueError("a plan is made for a community")
    plan = Plan(
        community_id=actor.community_id,
        kind=kind,
        version=0,
        step=0,
        alive_at=now,
        created_at=now,
        created_by_id=actor.user_id,
        changed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(plan)
    except IntegrityError:
        raise PlanRefused("computing") from None
    return plan


def tell(plan: Plan, progress: float, now: datetime, process: tuple[int, str] | None = None) -> None:
    """Say how far computing has come, and which process is at it."""
    plan.progress, plan.alive_at = min(max(progress, plan.progress), 1.0), now
    if process is not None:
        plan.pid, plan.host = process


def finish(session: Session, plan: Plan, body: Body, now: datetime) -> None:
    """Keep what was computed as the next step."""
    by = Actor(plan.changed_by_id, "", Role.DIRECTOR, plan.community_id)
    plan.state, plan.progress = "draft", 1.0
    _add_step(session, by, plan, plan.kind, body, now)


def fail(plan: Plan, error: str, now: datetime) -> None:
    """Computing came to nothing: the draft stays as it was, of no step where it was to be the first."""
    plan.state, plan.error, plan.alive_at = "draft", error, now


# --- editing


def edit(
    session: Session, actor: Actor, plan: Plan, version: int, deed: Mapping[str, Any], now: datetime, ground: Ground
) -> None:
    """Make one change of a draft, as `deed["kind"]` says: border, move, lock, people. PlanRefused, PlanStale."""
    body = _draft(session, plan, version)
    kind = deed.get("kind")
    if kind == "border":
        after = _border(ground, body, deed)
    elif kind == "move":
        after = _move(ground, body, deed)
    elif kind == "lock":
        after = _lock(body, deed)
    elif kind == "people":
        workers = {str(worker.id) for worker in queries.workers(session, actor)}
        after = _people(body, deed, workers)
    else:
        raise PlanRefused("kind")
    _add_step(session, actor, plan, str(kind), after, now)


def _draft(session: Session, plan: Plan, version: int) -> Body:
    """The division that is shown, to be changed by somebody who saw `version`."""
    if plan.version != version:
        raise PlanStale
    if plan.state != "draft":
        raise PlanRefused(plan.state)
    return body_of(session, plan)


def body_of(session: Session, plan: Plan | None) -> Body:
    """The division that a plan shows; empty where there is none yet."""
    step = queries.step(session, plan, plan.step) if plan else None
    return rules.body_from_json(step.body) if step else Body()


def _border(ground: Ground, body: Body, deed: Mapping[str, Any]) -> Body:
    polygons = deed.get("polygons")
    if not isinstance(polygons, dict):
        raise PlanRefused("polygon")
    if any(body.district(key).locked for key in polygons):
        raise PlanRefused("locked")
    return grounds.with_border(ground, body, polygons)


def _move(ground: Ground, body: Body, deed: Mapping[str, Any]) -> Body:
    numbers = deed.get("entrances")
    if numbers is not None and not (isinstance(numbers, list) and all(type(n) is int for n in numbers)):
        raise PlanRefused("entrance")
    return grounds.with_move(ground, body, str(deed.get("building")), numbers or None, str(deed.get("to")))


def _lock(body: Body, deed: Mapping[str, Any]) -> Body:
    district = body.district(deed.get("district"))
    return body.with_district(replace(district, locked=deed.get("locked") in (True, "1", "true")))


def _people(body: Body, deed: Mapping[str, Any], workers: set[str]) -> Body:
    """Who is lead and partner of a district; nobody where a part is empty or left out."""
    district = body.district(deed.get("district"))
    pair = [str(deed.get(part) or "") or None for part in ("lead", "partner")]
    if any(person is not None and person not in workers for person in pair):
        raise PlanRefused("worker")
    if pair[0] is not None and pair[0] == pair[1]:
        raise PlanRefused("same")
    return body.with_district(replace(district, lead=pair[0], partner=pair[1]))


def undo(session: Session, actor: Actor, plan: Plan, version: int, now: datetime, *, by: int = -1) -> None:
    """Go back a step; `by` 1: forward again. PlanRefused `step` at the end."""
    _draft(session, plan, version)
    if queries.step(session, plan, plan.step + by) is None:
        raise PlanRefused("step")
    plan.step += by
    _changed(plan, actor, now)


def drop(session: Session, actor: Actor, plan: Plan, version: int, now: datetime) -> None:
    """Give a draft up."""
    if plan.version != version:
        raise PlanStale
    if plan.state == "waiting":
        raise PlanRefused("waiting")
    plan.state = "dropped"
    _forget_other_steps(session, plan)
    _changed(plan, actor, now)


def _add_step(session: Session, actor: Actor, plan: Plan, deed: str, body: Body, now: datetime) -> None:
    """Keep a step after the one that is shown; those that were undone go, and the oldest of very many."""
    obsolete = (PlanStep.number > plan.step) | (PlanStep.number <= plan.step + 1 - rules.MOST_STEPS)
    session.execute(delete(PlanStep).where(PlanStep.plan_id == plan.id, obsolete))
    plan.step += 1
    session.add(
        PlanStep(
            community_id=plan.community_id,
            plan_id=plan.id,
            number=plan.step,
            deed=deed,
            at=now,
            by_id=actor.user_id,
            body=rules.body_to_json(body),
        )
    )
    _changed(plan, actor, now)


def _forget_other_steps(session: Session, plan: Plan) -> None:
    """Of a plan that nobody changes any more only what it came to is kept."""
    session.execute(delete(PlanStep).where(PlanStep.plan_id == plan.id, PlanStep.number != plan.step))


def _changed(plan: Plan, actor: Actor, now: datetime) -> None:
    plan.version += 1
    plan.error = None
    plan.changed_at, plan.changed_by_id = now, actor.user_id


# --- in force


def publish(
    session: Session, actor: Actor, plan: Plan, version: int, since: date, today: date, now: datetime
) -> Placed | None:
    """Put a division in force from `since` on: today at once, later when the day has come.

    PlanRefused: `past`, `far`, `nothing`; PlanStale. Gives what it did to doors where it did so at once.
    """
    body = _draft(session, plan, version)
    if not body.districts:
        raise PlanRefused("nothing")
    if since < today:
        raise PlanRefused("past")
    if since > today + FARTHEST:
        raise PlanRefused("far")
    plan.state, plan.since = "waiting", since
    plan.published_at, plan.published_by_id = now, actor.user_id
    _changed(plan, actor, now)
    return carry_out(session, plan, today) if since <= today else None


def withdraw(session: Session, actor: Actor, plan: Plan, version: int, now: datetime) -> None:
    """Make a draft again of a division that waits for its day. PlanRefused `draft`: it does not wait."""
    if plan.version != version:
        raise PlanStale
    if plan.state != "waiting":
        raise PlanRefused(plan.state)
    plan.state, plan.since, plan.published_at, plan.published_by_id = "draft", None, None, None
    _changed(plan, actor, now)


def carry_out(session: Session, plan: Plan, decided_on: date) -> Placed:
    """Give districts their boundaries, people and doors from the plan's day on; those it does not name are closed.
    `decided_on` is the community's day on which the plan was published.

    Districts, borders and doors of the days before stay what they were. Only the first division of a community holds
    from `ALWAYS`, as an imported one does.
    """
    if plan.since is None:
        raise ValueError("a plan is in force from a day on")
    actor = Actor(None, "", Role.DIRECTOR, plan.community_id)
    body, since = body_of(session, plan), plan.since
    known = {str(district.id): district for district in place_queries.districts(session, actor)}
    is_first = not known
    kept = {draft.key: known[draft.district_id] for draft in body.districts if draft.district_id in known}
    for draft, row in _new_districts(plan, body, list(known.values()), None if is_first else since):
        session.add(row)
        kept[draft.key] = row
    session.flush()
    _set_boundaries(session, actor, body, kept, since, ALWAYS if is_first else since)
    _close(session, actor, [one for one in known.values() if one not in kept.values()], since)
    session.flush()
    _set_people(session, actor, body, kept, since, decided_on)
    blocks = queries.blocks(session, actor)
    today = place_queries.districts_on(session, actor, since)
    decided = _decided(Ground(blocks, today), blocks, body, kept)
    places.decide_entrances(session, plan.community_id, decided)
    plan.state = "published"
    _forget_other_steps(session, plan)
    return places.place_dwellings(session, plan.community_id, since)


def _new_districts(
    plan: Plan, body: Body, known: Sequence[District], opened_on: date | None
) -> list[tuple[DraftDistrict, District]]:
    there = {str(district.id) for district in known}
    fresh = [district for district in body.districts if district.district_id not in there]
    codes = rules.new_codes([district.code for district in known], len(fresh))
    place = max((district.position for district in known), default=0)
    return [
        (
            draft,
            District(
                community_id=plan.community_id, code=code, name=draft.name, position=place + i, opened_on=opened_on
            ),
        )
        for i, (draft, code) in enumerate(zip(fresh, codes, strict=True), 1)
    ]


def _set_boundaries(
    session: Session, actor: Actor, body: Body, kept: Mapping[str, District], since: date, first: date
) -> None:
    current = placements.open_boundaries(session, actor)
    for draft in body.districts:
        district = kept[draft.key]
        district.closed_on = None
        places.set_boundary(session, district, draft.geometry, since, current.get(district.id), first)


def _close(session: Session, actor: Actor, gone: Sequence[District], since: date) -> None:
    """Close districts that the plan does not name; a boundary that began on the same day never was."""
    current = placements.open_boundaries(session, actor)
    for district in gone:
        if district.closed_on is None:
            district.closed_on = since
        boundary = current.get(district.id)
        if boundary is not None and boundary.since >= since:
            session.delete(boundary)
        elif boundary is not None:
            boundary.until = since


def _set_people(
    session: Session, actor: Actor, body: Body, kept: Mapping[str, District], since: date, decided_on: date
) -> None:
    """Assign each district's pair; whoever left meanwhile answers for nothing. Who was put into a district after the
    plan was decided stays: that was said later."""
    workers = {str(worker.id): worker.id for worker in queries.workers(session, actor)}
    people: dict[tuple[str, str], UUID | None] = {
        (district.code, part): None for district in place_queries.districts(session, actor) for part in _PARTS
    }
    changed = _changed_after(session, actor, decided_on)
    for draft in body.districts:
        district = kept[draft.key]
        for part, person in zip(_PARTS, (draft.lead, draft.partner), strict=True):
            if (district.id, part) in changed:
                del people[district.code, part]
            else:
                people[district.code, part] = workers.get(person or "")
    places.assign_people(session, actor, people, since)


def _changed_after(session: Session, actor: Actor, day: date) -> set[tuple[UUID, str]]:
    """The districts and parts that somebody else has now, or nobody, than at the end of a day."""
    then = {(d.id, a.part): a.user_id for d, a in place_queries.assignments_on(session, actor, day)}
    now = {key: held.user_id for key, held in placements.open_assignments(session, actor).items()}
    return {key for key in then.keys() | now.keys() if then.get(key) != now.get(key)}


_PARTS = ("lead", "partner")


def _decided(
    ground: Ground, blocks: Sequence[Block], body: Body, kept: Mapping[str, District]
) -> dict[tuple[UUID, int], UUID]:
    """The entrances whose district is not that of their building's point: those of buildings that the plan divides."""
    shapes = [shapely.geometry.shape(district.geometry) for district in body.districts]
    points = [(b.longitude if b.longitude is not None else np.nan, b.latitude or np.nan) for b in blocks]
    located = locate(shapes, np.array(points, dtype=np.float64).reshape(-1, 2))
    placed = ground.placed(body)
    decided: dict[tuple[UUID, int], UUID] = {}
    for block, index in zip(blocks, located, strict=True):
        by_point = body.districts[index].key if index >= 0 else None
        wells = ground.stairwells[block.id]
        if all(placed[well.name] in (by_point, None) for well in wells):
            continue
        for well in wells:
            if key := placed[well.name]:
                decided[block.id, well.number] = kept[key].id
    return decided


# --- entrances by hand


def deal_entrances(session: Session, actor: Actor, building: Building, wanted: int | Sequence[int]) -> int:
    """Deal a building's doors over entrances: over a number of them, or so many homes behind each, by their columns
    in order. Doors stay who they are, with their rooms, visits and people; shops go with the column beside them.

    PlanRefused: divided, nobody, sum, columns, taken. Gives the number of entrances.
    """
    if queries.is_divided(session, actor, building.id):
        raise PlanRefused("divided")
    doors = queries.doors_to_deal(session, actor, building.id)
    homes = [door for door in doors if not door.is_shop]
    if not homes:
        raise PlanRefused("nobody")
    line = {key: i for i, key in enumerate(sorted({_column(door) for door in doors}))}
    if isinstance(wanted, int):
        entrance_of = _dealt_evenly(doors, homes, line, wanted)
    else:
        entrance_of = _dealt_by_share(doors, homes, line, wanted)
    _refuse_twice(doors, entrance_of)
    columns = {door.id: line[_column(door)] for door in doors}
    first: dict[int, int] = {}
    for door in doors:
        entrance = entrance_of[door.id]
        first[entrance] = min(columns[door.id], first.get(entrance, columns[door.id]))
        door.entrance = -entrance  # at no moment may two doors of an entrance have one number
    session.flush()
    for door in doors:
        door.entrance = entrance_of[door.id]
        door.column = columns[door.id] - first[door.entrance] + 1
    building.entrances = max(entrance_of.values())
    session.flush()
    return building.entrances


def _column(door: Dwelling) -> tuple[int, int]:
    return abs(door.entrance), door.column


def _dealt_evenly(
    doors: Sequence[Dwelling], homes: Sequence[Dwelling], line: Mapping[tuple[int, int], int], count: int
) -> dict[UUID, int]:
    columns: dict[int, int] = {}
    for door in homes:
        columns[line[_column(door)]] = columns.get(line[_column(door)], 0) + 1
    order = sorted(columns)
    ends = rules.dealt_by_count(columns, count)
    last = [order[end - 1] for end in ends]
    return {door.id: next((i for i, end in enumerate(last, 1) if line[_column(door)] <= end), count) for door in doors}


def _dealt_by_share(
    doors: Sequence[Dwelling], homes: Sequence[Dwelling], line: Mapping[tuple[int, int], int], shares: Sequence[int]
) -> dict[UUID, int]:
    if sum(shares) != len(homes):
        raise PlanRefused("sum", f"{sum(shares)} {len(homes)}")
    ordered = sorted(homes, key=lambda d: (line[_column(d)], d.floor, d.row or 0, d.room))
    numbers = [entrance for entrance, share in enumerate(shares, 1) for _ in range(share)]
    found = {door.id: entrance for door, entrance in zip(ordered, numbers, strict=True)}
    for door in doors:
        if door.id not in found:
            before = [d for d in ordered if line[_column(d)] <= line[_column(door)]]
            found[door.id] = found[(before[-1] if before else ordered[0]).id]
    return found


def _refuse_twice(doors: Sequence[Dwelling], entrance_of: Mapping[UUID, int]) -> None:
    seen: set[tuple[int, str]] = set()
    for door in doors:
        place = entrance_of[door.id], door.room
        if place in seen:
            raise PlanRefused("taken", door.room)
        seen.add(place)
