"""Reading where every door lies and since when: what placing doors into districts starts from."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.places.models import Assignment, Building, DistrictBoundary, Dwelling, EntranceDistrict, Placement
from fieldapp.places.rules import ALWAYS, FOREVER


@dataclass(frozen=True)
class PlacedDoor:
    """A door, its building's point in degrees, and the placement that still holds; `placement_id` None: never placed.

    `district_id` is the one of `Dwelling`, `placed_in` the one of the placement.
    """

    id: UUID
    building_id: UUID
    entrance: int
    longitude: float | None
    latitude: float | None
    district_id: UUID | None
    placement_id: UUID | None
    placed_in: UUID | None
    since: date | None


def doors(session: Session, actor: Actor) -> list[PlacedDoor]:
    """Every door of the actor's community. One query."""
    statement = (
        select(
            Dwelling.id,
            Dwelling.building_id,
            Dwelling.entrance,
            Building.longitude,
            Building.latitude,
            Dwelling.district_id,
            Placement.id,
            Placement.district_id,
            Placement.since,
        )
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Placement, (Placement.dwelling_id == Dwelling.id) & (Placement.until == FOREVER))
        .order_by(Dwelling.id)
    )
    return [PlacedDoor(*row) for row in session.execute(visible(statement, actor, Dwelling))]


def entrance_districts(session: Session, actor: Actor) -> dict[tuple[UUID, int], UUID]:
    """The districts that a plan gave to single entrances, by building and entrance."""
    statement = select(EntranceDistrict.building_id, EntranceDistrict.entrance, EntranceDistrict.district_id)
    rows = session.execute(visible(statement, actor, EntranceDistrict))
    return {(row.building_id, row.entrance): row.district_id for row in rows}


def open_boundaries(session: Session, actor: Actor) -> dict[UUID, DistrictBoundary]:
    """The boundary that still holds, by district."""
    statement = visible(select(DistrictBoundary).where(DistrictBoundary.until == FOREVER), actor, DistrictBoundary)
    return {boundary.district_id: boundary for boundary in session.scalars(statement)}


def open_assignments(session: Session, actor: Actor) -> dict[tuple[UUID, str], Assignment]:
    """Who still answers for a district, by district and part."""
    statement = visible(select(Assignment).where(Assignment.until == FOREVER), actor, Assignment)
    return {(assignment.district_id, assignment.part): assignment for assignment in session.scalars(statement)}


def latest_change(session: Session, actor: Actor) -> date:
    """The last day on which a boundary, a placement or an assignment of the community began; ALWAYS if none did."""
    firsts = union_all(
        *(
            visible(select(func.max(model.since).label("since")), actor, model)
            for model in (DistrictBoundary, Placement, Assignment)
        )
    ).subquery()
    return session.scalar(select(func.max(firsts.c.since))) or ALWAYS
