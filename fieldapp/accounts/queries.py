"""Reading accounts, and the one wall between communities and districts."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, false, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry, UnknownName, User
from fieldapp.accounts.rules import Actor, Role

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


def visible(statement: S, actor: Actor, model: Any, *, figures: bool = False) -> S:
    """Narrow a select to the rows of `model` that `actor` may see: the one wall of the program.

    Every query of a community's rows goes through here. `model` is in the statement's FROM and has `community_id`;
    where it also has `district_id`, a worker sees only the districts they answer for today. A street office and an
    administrator see no row of a community, but the street office's own when the statement only counts (`figures`).
    What the wall hides does not exist: a view answers 404. A statement built once for a role, with `anybody` as its
    actor, shows nothing until it is executed with the `bounds` of somebody.
    """
    community = model.community_id == bindparam("wall_community", actor.community_id)
    if actor.role in (Role.WORKER, Role.DIRECTOR):
        statement = statement.where(community)
        if actor.role is Role.WORKER and hasattr(model, "district_id"):
            districts: BindParameter[Any] = bindparam("wall_districts", tuple(actor.district_ids), expanding=True)
            statement = statement.where(model.district_id.in_(districts))
        return statement
    if figures and actor.role is Role.STREET:
        # The street office's actor is narrowed to one of its own communities before it counts.
        return statement.where(community)
    return statement.where(false())


def anybody(role: Role) -> Actor:
    """The actor of a statement that is built once for a role; of itself it sees nothing."""
    return Actor(None, "", role)


def bounds(actor: Actor) -> dict[str, Any]:
    """How far somebody sees, as the values that a statement built for `anybody` is executed with."""
    return {"wall_community": actor.community_id, "wall_districts": tuple(actor.district_ids)}


def user_by_id(session: Session, user_id: UUID) -> User | None:
    """The account behind a session's key."""
    return session.get(User, user_id)


def user_by_name(session: Session, username: str) -> User | None:
    """The account that signs in as `username`."""
    return session.scalar(select(User).where(User.username == username))


def unknown_name(session: Session, digest: str) -> UnknownName | None:
    """What was tried by a name that nobody has."""
    return session.get(UnknownName, digest)


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
