"""Raises and ends the care memberships that facts decide; what a person made is never touched."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.households import care_queries, dynamic
from fieldapp.households.dynamic import Wanted
from fieldapp.households.events import counted_from
from fieldapp.households.models import CareGroup, CareMembership

Key = tuple[str, UUID, UUID | None]


def apply_dynamic_care(
    session: Session, community_id: UUID, today: date, household_ids: Collection[UUID] | None = None
) -> int:
    """Bring the memberships of a community, or of some of its households, up to today; how many were changed.

    Doing it again on the same day changes nothing. A membership counts from the day its fact began, and ends on the
    day it is found to be over; neither reaches back into a month that is over, whose figures stay.
    """
    groups = care_queries.ruled_groups(session, community_id)
    if not groups:
        return 0
    care_queries.hold(session, community_id)
    people = care_queries.people(session, community_id, today, household_ids)
    open_ones = care_queries.open_memberships(session, community_id, [g.id for g in groups.values()], household_ids)
    codes = {group.id: code for code, group in groups.items()}
    has = {(codes[care.group_id], care.household_id, care.resident_id) for care in open_ones}
    wants = {(want.code, want.household_id, want.resident_id): want for want in dynamic.wanted(people, today, groups)}
    homes = {(code, household_id) for code, household_id, _ in has}
    missing = [want for key, want in wants.items() if not _is_met(key, has, homes)]
    session.add_all(_raised(groups[want.code], want, today) for want in missing)
    own = [care for care in open_ones if care.raised_by is not None]
    over = [care for care in own if (codes[care.group_id], care.household_id, care.resident_id) not in wants]
    living = care_queries.living(session, {care.resident_id for care in over if care.resident_id})
    for care in over:
        is_here = care.resident_id is None or care.resident_id in living
        care.until, care.ended_why = max(care.since, today), dynamic.ended(codes[care.group_id], is_here)
    said = 0
    for care in own:
        want = wants.get((codes[care.group_id], care.household_id, care.resident_id))
        if want and care.reason != want.reason:
            care.reason, said = want.reason, said + 1
    session.flush()
    return len(missing) + len(over) + said


def _is_met(key: Key, has: Collection[Key], homes: Collection[tuple[str, UUID]]) -> bool:
    """Whether the person, or the household as a whole, is of the group already, whoever made that."""
    code, household_id, resident_id = key
    if resident_id is None:
        return (code, household_id) in homes
    return key in has or (code, household_id, None) in has


def _raised(group: CareGroup, want: Wanted, today: date) -> CareMembership:
    return CareMembership(
        community_id=group.community_id,
        household_id=want.household_id,
        resident_id=want.resident_id,
        group_id=group.id,
        since=min(counted_from(want.since, today), today),
        reason=want.reason,
        raised_by=want.code,
    )
