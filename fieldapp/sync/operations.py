"""Writes for phones that work without signal: receipts, the key that seals a phone, the database's epoch."""

import base64
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.sync import queries
from fieldapp.sync.models import Epoch, PhoneSeal, Receipt
from fieldapp.sync.rules import Item


def write_receipt(
    session: Session, item: Item, user: User, body_hash: str, now: datetime, outcome: str = "stored"
) -> Receipt:
    """Write down that an item was taken in; commit it together with what the item did."""
    receipt = Receipt(
        id=item.id,
        user_id=user.id,
        community_id=user.community_id,
        body_hash=body_hash,
        outcome=outcome,
        phone=item.phone,
        number=item.number,
        made_at=item.made_at,
        clock_ahead=item.clock_ahead(now),
        received_at=now,
    )
    session.add(receipt)
    return receipt


def ensure_seal(session: Session, user_id: UUID) -> str:
    """The key that seals what somebody's phone keeps, made at the first ask: 32 bytes in base64."""
    made = base64.b64encode(secrets.token_bytes(32)).decode()
    if queries.seal_of(session, user_id) is None:
        # Two phones that ask at once both find none: the second one then takes the first one's.
        with suppress(IntegrityError), session.begin_nested():
            session.add(PhoneSeal(user_id=user_id, key=made))
    return queries.seal_of(session, user_id) or made


def ensure_epoch(session: Session, now: datetime) -> Epoch:
    """The database's epoch; its first one begins when nobody has asked before."""
    if found := queries.epoch(session):
        return found
    with suppress(IntegrityError), session.begin_nested():
        session.add(Epoch(id=1, epoch=uuid4(), since=now))
    return session.get_one(Epoch, 1)


def begin_epoch(session: Session, now: datetime) -> Epoch:
    """Say that the database came back from a backup: phones will ask what it lacks and send that again.

    What was backed up before may be just what is gone, so nothing counts as backed up.
    """
    found = ensure_epoch(session, now)
    found.epoch, found.since, found.backed_up_until = uuid4(), now, None
    session.flush()
    return found


def note_backup(session: Session, until: datetime) -> None:
    """Say that everything received before `until` is in a backup. It never goes back.

    Phones count in whole milliseconds, so the one before is noted: what they think is not after it, is in it.
    """
    until = until.replace(microsecond=until.microsecond // 1000 * 1000) - timedelta(milliseconds=1)
    kept = ensure_epoch(session, until)
    session.execute(
        update(Epoch)
        .where(Epoch.id == kept.id, (Epoch.backed_up_until.is_(None)) | (Epoch.backed_up_until < until))
        .values(backed_up_until=until)
    )
