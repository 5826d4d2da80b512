"""Writes to the registry."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.db import uuid7
from fieldapp.households import queries, rules
from fieldapp.households.defaults import CARE_GROUPS, TOPICS
from fieldapp.households.models import CareGroup, Household, OccupancyPeriod
from fieldapp.households.rules import Occupancy, Sighting
from fieldapp.places.models import Community, Dwelling


def rebuild_occupancy(session: Session, household: Household, sightings: Iterable[Sighting]) -> None:
    """Make a household's occupancy timeline anew from what the registry says and what its standing visits saw."""
    kept = queries.occupancy_periods(session, household.id)
    registered = [(period.since, Occupancy(period.occupancy)) for period in kept if period.visit_id is None]
    stands = rules.occupancy_timeline(registered, sightings)
    for period in kept:
        session.delete(period)
    session.flush()
    session.add_all(
        OccupancyPeriod(
            community_id=household.community_id,
            household_id=household.id,
            since=stand.since,
            until=stand.until,
            occupancy=stand.occupancy,
            visit_id=stand.visit_id,
        )
        for stand in stands
    )
    household.occupancy = stands[-1].occupancy
    session.flush()


def add_default_care_groups(session: Session, community: Community) -> None:
    """Give a new community the care groups and topics that `defaults.py` lists."""
    for position, group in enumerate(CARE_GROUPS):
        session.add(
            CareGroup(
                community_id=community.id,
                code=group.code,
                name=group.name,
                position=position,
                every_days=group.every_days,
                within_days=group.within_days,
                is_sensitive=group.is_sensitive,
                active=True,
            )
        )
    community.topics = list(TOPICS)
    session.flush()


def change_care_groups(session: Session, groups: Iterable[CareGroup], wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Set rhythms, sensitivity and use of care groups, by code."""
    for group in groups:
        for name, value in wanted.get(group.code, {}).items():
            setattr(group, name, value)
    session.flush()


def add_care_group(
    session: Session, community_id: UUID, wanted: Mapping[str, Any] | None, position: int
) -> CareGroup | None:
    """Add a care group of the community's own."""
    if wanted is None:
        return None
    group = CareGroup(community_id=community_id, code=f"own-{uuid7().hex[-12:]}", position=position, **wanted)
    session.add(group)
    session.flush()
    return group


def open_door(session: Session, dwelling: Dwelling, occupancy: Occupancy = Occupancy.UNKNOWN) -> Household:
    """Put a household behind a new door, nothing known of it yet."""
    household = Household(community_id=dwelling.community_id, dwelling_id=dwelling.id, number=1, occupancy=occupancy)
    session.add(household)
    session.flush()
    session.add(OccupancyPeriod(community_id=dwelling.community_id, household_id=household.id, occupancy=occupancy))
    session.flush()
    return household
