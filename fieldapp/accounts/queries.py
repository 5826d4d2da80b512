"""Reading accounts, and the one wall between communities and districts."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry, User
from fieldapp.accounts.rules import Actor, Role

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


def visible(statement: S, actor: Actor, model: Any, *, figures: bool = False) -> S:
    """Narrow a select to the rows of `model` that `actor` may see: the one wall of the program.

    Every query of a community's rows goes through here. `model` is in the statement's FROM and has `community_id`;
    where it also has `district_id`, a worker sees only the districts they answer for today. A street office and an
    administrator see no row of a community, but the street office's own when the statement only counts (`figures`).
    What the wall hides does not exist: a view answers 404.
    """
    if actor.role in (Role.WORKER, Role.DIRECTOR):
        statement = statement.where(model.community_id == actor.community_id)
        if actor.role is Role.WORKER and hasattr(model, "district_id"):
            statement = statement.where(model.district_id.in_(actor.district_ids))
        return statement
    if figures and actor.role is Role.STREET:
        # The street office's actor is narrowed to one of its own communities before it counts.
        return statement.where(model.community_id == actor.community_id)
    return statement.where(false())


def user_by_id(session: Session, user_id: UUID) -> User | None:
    """The account behind a session's key."""
    return session.get(User, user_id)


def user_by_name(session: Session, username: str) -> User | None:
    """The account that signs in as `username`."""
    return session.scalar(select(User).where(User.username == username))


def staff(session: Session, community_id: UUID) -> list[User]:
    """Everybody active in a community, by role and name."""
    return list(
        session.scalars(
            select(User).where(User.community_id == community_id, User.active).order_by(User.role, User.username)
        )
    )


def traces(session: Session, actor: Actor, limit: int = 100) -> list[AuditEntry]:
    """The newest traces of the actor's community."""
    statement = visible(select(AuditEntry), actor, AuditEntry)
    return list(session.scalars(statement.order_by(AuditEntry.at.desc()).limit(limit)))
