"""Writes to the visit log. A visit is only ever appended; what it says of a household's occupancy follows from it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.households.models import Household
from fieldapp.households.operations import confirm_facts, rebuild_occupancy, take_stamps_back
from fieldapp.households.queries import hold
from fieldapp.households.rules import Occupancy, Sighting
from fieldapp.visits import queries
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident
from fieldapp.visits.photos import CleanPhoto, PhotoStore
from fieldapp.visits.rules import MET, Outcome, day_of

_SAW = {Outcome.MOVED: Occupancy.GONE, Outcome.VACANT: Occupancy.VACANT}


class AlreadyCorrected(ValueError):
    """Somebody corrected this visit before; the correction is the one to correct."""


def record_visit(
    session: Session,
    actor: Actor,
    household: Household,
    draft: VisitDraft,
    now: datetime,
    *,
    corrects: Visit | None = None,
) -> Visit:
    """Append a visit to a household's log, with whom it met and what was promised.

    `draft` has no faults. A draft whose key is in the log already is the same form sent twice: the visit of that key is
    given back and nothing is written. Raises AlreadyCorrected.
    """
    if draft.faults or draft.outcome is None or draft.visited_at is None:
        raise ValueError("a draft with faults cannot be recorded")
    hold(session, household)  # or the same form sent twice at once would pass the next lines together
    key = draft.visit_id or uuid7()
    if known := session.get(Visit, key):
        if known.household_id == household.id and known.visitor_id == actor.user_id:
            return known
        key = uuid7()
    if corrects and queries.correction_of(session, corrects.id):
        raise AlreadyCorrected
    visit = Visit(
        id=key,
        community_id=household.community_id,
        household_id=household.id,
        visitor_id=actor.user_id,
        companion_id=draft.companion_id,
        visited_at=draft.visited_at,
        visited_on=day_of(draft.visited_at),
        recorded_at=now,
        way=draft.way,
        outcome=draft.outcome,
        topics=draft.topics,
        sentence=draft.sentence or None,
        longitude=draft.longitude,
        latitude=draft.latitude,
        accuracy=draft.accuracy,
        is_urgent=draft.is_urgent,
        corrects_id=corrects.id if corrects else None,
    )
    session.add(visit)
    session.flush()
    if draft.outcome in MET:
        session.add_all(VisitResident(visit_id=visit.id, resident_id=key) for key in draft.met_ids)
    confirmed = dict.fromkeys(draft.confirmed)
    if corrects:
        confirmed |= dict.fromkeys(take_stamps_back(session, corrects.id))
    if draft.outcome is Outcome.MET and confirmed:
        confirm_facts(session, actor, household, confirmed, visit.visited_on, now, visit.id)
    if draft.promise:
        _promise(session, actor, visit, draft)
    _follow_occupancy(session, household, visit, corrects)
    session.flush()
    return visit


def record_nobody_home(
    session: Session,
    actor: Actor,
    households: Iterable[Household],
    now: datetime,
    form_id: UUID,
    visited_at: datetime | None = None,
) -> list[Visit]:
    """Knock on several doors of an entrance at once, nobody home behind any of them; at `visited_at`, or now.

    Each visit's key follows from the form's and the household's: the same form sent twice makes them once.
    """
    return [
        record_visit(
            session,
            actor,
            household,
            VisitDraft(visit_id=uuid5(form_id, household.id.hex), outcome=Outcome.NOBODY, visited_at=visited_at or now),
            now,
        )
        for household in households
    ]


def _promise(session: Session, actor: Actor, visit: Visit, draft: VisitDraft) -> None:
    session.add(
        FollowUp(
            community_id=visit.community_id,
            household_id=visit.household_id,
            visit_id=visit.id,
            promise=draft.promise,
            due_on=draft.promise_due_on,
            promised_by_id=actor.user_id,
        )
    )


def _follow_occupancy(session: Session, household: Household, visit: Visit, corrects: Visit | None) -> None:
    """Most visits change nothing about who lives here; then the timeline is left alone.

    A late entry may say that somebody was met in what is known as a vacancy of then, a correction that nobody was.
    """
    revives = visit.is_met and (visit.is_late_entry or not household.is_occupied)
    if corrects or visit.outcome in _SAW or revives:
        rebuild_occupancy(session, household, sightings_of(session, household.id))


def sightings_of(session: Session, household_id: UUID) -> list[Sighting]:
    """What the standing visits of a household say of its occupancy, oldest first."""
    return [
        Sighting(seen.visited_on, _SAW.get(Outcome(seen.outcome)), seen.id)
        for seen in queries.occupancy_sightings(session, household_id)
    ]


def add_photo(session: Session, visit: Visit, photo: CleanPhoto, store: PhotoStore, key: UUID | None = None) -> Photo:
    """Keep a photo of a visit, under a phone's key if it has one. The same picture twice at a visit is kept once."""
    return attach_photo(session, visit, key or uuid7(), store_photo(photo, store))


def store_photo(photo: CleanPhoto, store: PhotoStore) -> dict[str, Any]:
    """Put a photo's two files into the store; gives what its row will say of them."""
    store.put(photo.full)
    store.put(photo.thumbnail)
    return {
        "sha256": photo.sha256,
        "thumbnail_sha256": photo.thumbnail_sha256,
        "width": photo.width,
        "height": photo.height,
        "size": len(photo.full),
    }


def attach_photo(session: Session, visit: Visit, key: UUID, stored: Mapping[str, Any]) -> Photo:
    """Give a visit a photo whose files are stored. The same picture twice at a visit is kept once."""
    others = queries.photos_of(session, visit.id)
    for kept in others:
        if kept.sha256 == stored["sha256"]:
            return kept
    photo = Photo(id=key, community_id=visit.community_id, visit_id=visit.id, position=len(others), **stored)
    session.add(photo)
    session.flush()
    return photo


def tick(follow_up: FollowUp, actor_id: UUID | None, now: datetime) -> None:
    """What was promised is done; ticking twice changes nothing."""
    if follow_up.done_at is None:
        follow_up.done_at, follow_up.done_by_id = now, actor_id


def untick(follow_up: FollowUp) -> None:
    """It was not done after all."""
    follow_up.done_at = follow_up.done_by_id = None


def take_on(visit: Visit, actor_id: UUID | None, now: datetime) -> None:
    """Somebody takes an urgent visit in hand; the first one stays."""
    if visit.taken_at is None:
        visit.taken_at, visit.taken_by_id = now, actor_id
