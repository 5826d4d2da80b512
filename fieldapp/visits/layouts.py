"""Correcting how a building's doors are laid out: what an import guessed, the people who climb the stairs put right."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.households import queries
from fieldapp.households.operations import open_door
from fieldapp.places import queries as places
from fieldapp.places.models import Building, Dwelling, Placement
from fieldapp.places.rules import ALWAYS
from fieldapp.visits import queries as visits

KINDS = ("flat", "house", "shop")


class LayoutRefused(ValueError):
    """A correction that cannot be made. `code`: room, floor, entrance, taken, choose, two, visited; `detail`: which."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def change_layout(session: Session, building: Building, dwellings: Sequence[Dwelling], form: Mapping[str, str]) -> str:
    """Make the one correction that `form["deed"]` names: add, rename, join, shop, flat, remove. Gives the deed's name.

    `doors` in the form are dwelling keys, comma-separated where there are several. Raises LayoutRefused, and then some
    of it may be pending: the caller rolls back.
    """
    deed = form.get("deed", "")
    if deed == "add":
        _add(session, building, dwellings, form)
    elif deed in ("rename", "shop", "flat", "remove", "join"):
        chosen = _chosen(dwellings, form)
        {"rename": _rename, "shop": _shop, "flat": _flat, "remove": _remove, "join": _join}[deed](
            session, dwellings, chosen, form
        )
    else:
        raise LayoutRefused("deed")
    session.flush()
    return deed


def _chosen(dwellings: Sequence[Dwelling], form: Mapping[str, str]) -> list[Dwelling]:
    try:
        keys = {UUID(key) for key in form.get("doors", "").split(",") if key}
    except ValueError:
        raise LayoutRefused("choose") from None
    chosen = [dwelling for dwelling in dwellings if dwelling.id in keys]
    if not chosen:
        raise LayoutRefused("choose")
    return chosen


def _whole(form: Mapping[str, str], name: str, least: int, most: int, default: str) -> int:
    text = form.get(name, "").strip() or default
    try:
        number = int(text)
    except ValueError:
        raise LayoutRefused(name) from None
    if not least <= number <= most or len(text) > 4:
        raise LayoutRefused(name)
    return number


def _room(session: Session, building_id: UUID, entrance: int, text: str, now: str | None = None) -> str:
    """A room number that no other door of the entrance has; `now` is the door's own."""
    room = text.strip()
    if not 1 <= len(room) <= 24:
        raise LayoutRefused("room")
    if room != now and room in places.room_numbers(session, building_id, entrance):
        raise LayoutRefused("taken", room)
    return room


def _add(session: Session, building: Building, dwellings: Sequence[Dwelling], form: Mapping[str, str]) -> None:
    entrance = _whole(form, "entrance", 1, 60, "1")
    floor = _whole(form, "floor", -5, 120, "1")
    room = _room(session, building.id, entrance, form.get("room", ""))
    beside = [d.column + d.span for d in dwellings if d.entrance == entrance and d.floor == floor]
    nearest = [d for d in dwellings if d.entrance == entrance] or dwellings  # a plan may divide a building by entrance
    neighbour = nearest[0] if nearest else None
    dwelling = Dwelling(
        community_id=building.community_id,
        building_id=building.id,
        district_id=neighbour.district_id if neighbour else None,
        kind="house" if building.is_courtyard else "flat",
        entrance=entrance,
        floor=floor,
        room=room,
        column=max(beside, default=1),
        span=1,
        row_span=1,
    )
    session.add(dwelling)
    session.flush()
    if dwelling.district_id:
        session.add(
            Placement(
                community_id=dwelling.community_id,
                dwelling_id=dwelling.id,
                district_id=dwelling.district_id,
                since=ALWAYS,
            )
        )
    open_door(session, dwelling)


def _rename(session: Session, _all: Sequence[Dwelling], chosen: Sequence[Dwelling], form: Mapping[str, str]) -> None:
    door = chosen[0]
    door.room = _room(session, door.building_id, door.entrance, form.get("room", ""), door.room)


def _shop(session: Session, _all: Sequence[Dwelling], chosen: Sequence[Dwelling], form: Mapping[str, str]) -> None:
    for dwelling in chosen:
        _must_be_unused(session, dwelling)
        dwelling.kind, dwelling.name = "shop", form.get("shop", "").strip()[:64] or None
        _take_households(session, dwelling)


def _flat(session: Session, all_: Sequence[Dwelling], chosen: Sequence[Dwelling], _form: Mapping[str, str]) -> None:
    home = "house" if any(d.kind == "house" for d in all_) else "flat"
    for dwelling in chosen:
        if dwelling.kind == "shop":
            dwelling.kind, dwelling.name = home, None
            if not queries.households_behind(session, dwelling.id):
                open_door(session, dwelling)


def _remove(session: Session, _all: Sequence[Dwelling], chosen: Sequence[Dwelling], _form: Mapping[str, str]) -> None:
    for dwelling in chosen:
        _must_be_unused(session, dwelling)
        _take_dwelling(session, dwelling)


def _join(session: Session, _all: Sequence[Dwelling], chosen: Sequence[Dwelling], _form: Mapping[str, str]) -> None:
    """Flats made into one: the first keeps its household and takes the others' cells and numbers."""
    ordered = sorted(chosen, key=lambda d: d.column)
    side_by_side = all(left.column + left.span == right.column for left, right in pairwise(ordered))
    if len(chosen) < 2 or len({(d.entrance, d.floor, d.row) for d in chosen}) != 1 or not side_by_side:
        raise LayoutRefused("two")
    used = [d for d in ordered if visits.is_in_use(session, d.id)]
    kept = used[0] if used else ordered[0]
    for dwelling in ordered:
        if dwelling is not kept:
            _must_be_unused(session, dwelling)
            _take_dwelling(session, dwelling)
    kept.column = ordered[0].column
    kept.span = sum(d.span for d in ordered)
    kept.room = _room(session, kept.building_id, kept.entrance, "+".join(d.room for d in ordered)[:24], kept.room)


def _must_be_unused(session: Session, dwelling: Dwelling) -> None:
    if visits.is_in_use(session, dwelling.id):
        raise LayoutRefused("visited", dwelling.room)


def _take_dwelling(session: Session, dwelling: Dwelling) -> None:
    _take_households(session, dwelling)
    for placement in queries.placements_of(session, dwelling.id):
        session.delete(placement)
    session.flush()
    session.delete(dwelling)
    session.flush()


def _take_households(session: Session, dwelling: Dwelling) -> None:
    for household in queries.households_behind(session, dwelling.id):
        for period in queries.occupancy_periods(session, household.id):
            session.delete(period)
        session.flush()
        session.delete(household)
    session.flush()
