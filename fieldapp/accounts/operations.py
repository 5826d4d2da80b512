"""Writes about accounts: make one, sign in, change a password, leave a trace."""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldapp.accounts import queries, rules
from fieldapp.accounts.models import AuditEntry, UnknownName, User
from fieldapp.accounts.rules import Role

_hasher = PasswordHasher()  # argon2id with RFC 9106's second recommended choice of memory
_HASH_OF_NOBODY = _hasher.hash(secrets.token_urlsafe())


class SignIn(StrEnum):
    """How an attempt to sign in ended."""

    IN = "in"
    WRONG = "wrong"
    WAIT = "wait"
    CLOSED = "closed"


def create_user(
    session: Session,
    *,
    username: str,
    name: str,
    role: Role,
    password: str,
    community_id: UUID | None = None,
    street_code: str | None = None,
    phone: str | None = None,
    must_change_password: bool = True,
) -> User:
    """Add an account. The password is not checked against `rules.password_fault`: a first password is to be changed."""
    user = User(
        username=username,
        name=name,
        role=role,
        phone=phone,
        community_id=community_id,
        street_code=street_code,
        must_change_password=must_change_password,
        active=True,
        failures=0,
    )
    _set_password(user, password)
    session.add(user)
    session.flush()
    return user


def sign_in(session: Session, username: str, password: str, now: datetime) -> tuple[SignIn, User | UnknownName | None]:
    """Look at a name and a password. Counts wrong ones. A name that does not exist takes as long as one that does, and
    makes one wait alike; `wait_until` of what is given back says until when."""
    user = queries.user_by_name(session, username)
    tried = user or _unknown_name(session, username, now)
    result = _try(tried, user.password_hash if user else _HASH_OF_NOBODY, password, now)
    if result is not SignIn.IN or user is None:
        return (SignIn.WRONG if result is SignIn.IN else result), tried
    if not user.active:
        return SignIn.CLOSED, None
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    return SignIn.IN, user


def try_password(user: User, password: str, now: datetime) -> SignIn:
    """Look at the password of somebody who is signed in, counting wrong ones like at the door."""
    return _try(user, user.password_hash, password, now)


def _try(tried: User | UnknownName, hashed: str, password: str, now: datetime) -> SignIn:
    if tried.wait_until and now < tried.wait_until:
        return SignIn.WAIT
    if not _matches(hashed, password):
        tried.failures += 1
        wait = rules.wait_after(tried.failures)
        tried.wait_until = now + wait if wait else None
        return SignIn.WRONG
    tried.failures, tried.wait_until = 0, None
    return SignIn.IN


def _unknown_name(session: Session, username: str, now: datetime) -> UnknownName:
    digest = hashlib.sha256(username.encode("utf-8", "replace")).hexdigest()
    session.execute(delete(UnknownName).where(UnknownName.tried_at < now - rules.UNKNOWN_NAMES_KEPT))
    tried = queries.unknown_name(session, digest)
    if tried is None:
        # Two tries at once would both find nothing: the second one then takes the first one's row.
        with suppress(IntegrityError), session.begin_nested():
            session.add(UnknownName(digest=digest, failures=0, tried_at=now))
        tried = session.get_one(UnknownName, digest)
    tried.tried_at = now
    return tried


def change_password(user: User, password: str) -> None:
    """Set the password; every session that began with the old one ends."""
    _set_password(user, password)
    user.must_change_password = False


def leave_trace(
    session: Session,
    *,
    deed: str,
    at: datetime,
    user_id: UUID | None,
    community_id: UUID | None,
    subject: str | None = None,
    **detail: Any,
) -> None:
    """Write down that somebody did something that must not go unseen. `detail` holds no personal data."""
    session.add(
        AuditEntry(deed=deed, at=at, user_id=user_id, community_id=community_id, subject=subject, detail=detail)
    )


def _set_password(user: User, password: str) -> None:
    user.password_hash = _hasher.hash(password)
    user.password_stamp = secrets.token_hex(8)


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
