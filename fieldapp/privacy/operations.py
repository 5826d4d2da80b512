"""Erasing what was kept of a person, and the traces of looking."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Actor
from fieldapp.households.models import Erasure, Resident
from fieldapp.households.rules import Left
from fieldapp.places.rules import day_of
from fieldapp.privacy import queries
from fieldapp.privacy.rules import ERASED_NAME, Why, without

_FACTS = (
    *("relation", "sex", "birth_date", "id_number", "phone", "phone_tail", "registered_at", "origin"),
    *("permit_from", "permit_until", "ethnic", "marital", "schooling", "employment", "workplace"),
    *("guardian", "guardian_phone"),
)


def note_look(session: Session, actor: Actor, resident: Resident, deed: str, why: Why, now: datetime) -> None:
    """Write down that somebody looked at a full number or took a copy, and why. It tells nothing of the person."""
    leave_trace(
        session,
        deed=deed,
        at=now,
        user_id=actor.user_id,
        community_id=resident.community_id,
        subject=str(resident.id),
        why=why.value,
    )


def erase(session: Session, user_id: UUID | None, resident: Resident, why: str, now: datetime) -> list[UUID]:
    """Erase what was kept of a person, with the records that were merged into theirs; gives the erased keys.

    What counts stays: that somebody lived here for some days, that visits met somebody, that the household was in a
    care group. The name goes from the household's texts, too.
    """
    gone = []
    for one in (*queries.also_them(session, resident), resident):
        _erase_one(session, one, now)
        session.add(
            Erasure(community_id=one.community_id, resident_id=one.id, erased_at=now, erased_by_id=user_id, why=why)
        )
        gone.append(one.id)
    leave_trace(
        session,
        deed="erase.resident",
        at=now,
        user_id=user_id,
        community_id=resident.community_id,
        subject=str(resident.id),
        why=why,
    )
    session.flush()
    return gone


def _erase_one(session: Session, resident: Resident, now: datetime) -> None:
    name = resident.name
    for row, attribute in queries.texts_about(session, resident):
        said = getattr(row, attribute)
        if (found := without(name, said)) != said:
            setattr(row, attribute, found)
    for question in queries.questions_about(session, resident.household_id):
        kept = json.loads(question.expected)
        if (found := without(name, kept)) != kept:
            # The mark lets a closed check's signature stand: see spotchecks.operations.signature_of.
            question.expected = json.dumps(found | {"erased": True}, ensure_ascii=False)
    for care in queries.cares_of(session, resident):
        care.reason = None
    for row in queries.rows_of(session, resident):
        session.delete(row)
    for fact in _FACTS:
        setattr(resident, fact, None)
    resident.name, resident.pinyin, resident.initials = ERASED_NAME, "", ""
    resident.left_on = resident.left_on or day_of(now)
    resident.left_why, resident.erased_at = Left.ERASED, now
    session.flush()


def erase_again(session: Session, keys: list[UUID], now: datetime) -> int:
    """Erase those whom an old backup has brought back; gives how many records."""
    count = 0
    for resident in queries.unerased(session, keys):
        if resident.erased_at is None:
            count += len(erase(session, None, resident, "backup", now))
    return count
