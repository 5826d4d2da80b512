"""Reading who changed which fact, and what was said differently by two people and awaits a decision."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session, aliased

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households import facts
from fieldapp.households.models import FactChange, FactProposal, Household, Resident
from fieldapp.households.rules import HEAD
from fieldapp.places.models import Dwelling

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class OpenProposal:
    """A fact that two people say differently: `kept` is on record, `value` is the other; who wrote each, and when.

    `kept_by` and `kept_at` are None where the value on record came with the registry and not from a door.
    """

    id: UUID
    field: str
    resident: str | None
    value: str | None
    proposed_by: str
    proposed_at: datetime
    kept: str | None
    kept_by: str | None
    kept_at: datetime | None


def open_proposals(
    session: Session, actor: Actor, household_ids: Iterable[UUID] | None = None
) -> dict[UUID, list[OpenProposal]]:
    """What awaits a decision, by household, oldest first: of some households, or of all that the actor may see.

    One statement. What the record says by now is no difference any more and is left out.
    """
    statement, values = _open(actor.role, household_ids is None), bounds(actor)
    if household_ids is not None:
        values["households"] = list(household_ids)
    found: dict[UUID, list[OpenProposal]] = defaultdict(list)
    for proposal, household, resident, author, last, changer in session.execute(statement, values):
        kept = facts.told(getattr(resident or household, proposal.field))
        if kept == proposal.value:
            continue
        is_of_door = last is not None and last.new == kept
        found[household.id].append(
            OpenProposal(
                id=proposal.id,
                field=proposal.field,
                resident=resident.name if resident else None,
                value=proposal.value,
                proposed_by=author,
                proposed_at=proposal.proposed_at,
                kept=kept,
                kept_by=changer if is_of_door else None,
                kept_at=last.changed_at if is_of_door else None,
            )
        )
    return dict(found)


_Earlier = aliased(FactChange)


def _is_same_fact(one: Any, other: Any) -> ColumnElement[bool]:
    return (
        (one.household_id == other.household_id)
        & one.resident_id.is_not_distinct_from(other.resident_id)
        & (one.field == other.field)
    )


@cache
def _open(role: Role, everywhere: bool) -> Rows:
    author, changer = aliased(User), aliased(User)
    last = (
        select(_Earlier.id)
        .where(_is_same_fact(_Earlier, FactProposal))
        .order_by(_Earlier.changed_at.desc(), _Earlier.id.desc())
        .limit(1)
        .correlate(FactProposal)
        .scalar_subquery()
    )
    statement = (
        _proposals(FactProposal, Household, Resident, author.name, FactChange, changer.name)
        .join(author, author.id == FactProposal.proposed_by_id)
        .outerjoin(FactChange, FactChange.id == last)
        .outerjoin(changer, changer.id == FactChange.changed_by_id)
        .where(FactProposal.decided_at.is_(None))
        .order_by(FactProposal.proposed_at, FactProposal.id)
    )
    if not everywhere:
        statement = statement.where(Household.id.in_(bindparam("households", expanding=True)))
    return visible(statement, anybody(role), Dwelling)


def _proposals(*columns: Any) -> Rows:
    return (
        select(*columns)
        .select_from(FactProposal)
        .join(Household, Household.id == FactProposal.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .outerjoin(Resident, Resident.id == FactProposal.resident_id)
    )


def proposal(session: Session, actor: Actor, proposal_id: UUID) -> FactProposal | None:
    """A proposal, decided or not, at a household that the actor may see."""
    statement = _proposals(FactProposal).where(FactProposal.id == proposal_id)
    return session.scalar(visible(statement, actor, Dwelling))


def resident(session: Session, actor: Actor, resident_id: UUID) -> tuple[Resident, Household] | None:
    """A resident whose household the actor may see, with the household."""
    statement = (
        select(Resident, Household)
        .join(Household, Household.id == Resident.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Resident.id == resident_id, Resident.erased_at.is_(None))
    )
    row = session.execute(visible(statement, actor, Dwelling)).first()
    return (row[0], row[1]) if row else None


def other_head(session: Session, household_id: UUID, resident_id: UUID) -> str | None:
    """The name of a household's head, where that is not this resident."""
    statement = select(Resident.name).where(
        Resident.household_id == household_id,
        Resident.relation == HEAD,
        Resident.left_on.is_(None),
        Resident.id != resident_id,
    )
    return session.scalar(statement)


def changes_of_fact(session: Session, household_id: UUID, resident_id: UUID | None, field: str) -> list[FactChange]:
    """The last changes of one fact, newest first."""
    statement = select(FactChange).where(
        FactChange.household_id == household_id,
        FactChange.resident_id.is_not_distinct_from(resident_id),
        FactChange.field == field,
    )
    return list(session.scalars(statement.order_by(FactChange.changed_at.desc(), FactChange.id.desc()).limit(50)))


def open_proposals_of_fact(
    session: Session, household_id: UUID, resident_id: UUID | None, field: str
) -> list[FactProposal]:
    """What awaits a decision on one fact."""
    statement = select(FactProposal).where(
        FactProposal.household_id == household_id,
        FactProposal.resident_id.is_not_distinct_from(resident_id),
        FactProposal.field == field,
        FactProposal.decided_at.is_(None),
    )
    return list(session.scalars(statement))


@dataclass(frozen=True)
class Change:
    """A line of a household's history; `resident` None: a fact of the household itself. `of` is the resident's key."""

    resident: str | None
    field: str
    old: str | None
    new: str | None
    changed_by: str
    changed_at: datetime
    id: UUID
    of: UUID | None
    by: UUID


MOST_CHANGES = 500


def history(session: Session, household_id: UUID) -> list[Change]:
    """What was changed of a household that was fetched through the wall, newest first."""
    statement = (
        select(Resident.name, FactChange, User.name)
        .join(User, User.id == FactChange.changed_by_id)
        .outerjoin(Resident, Resident.id == FactChange.resident_id)
        .where(FactChange.household_id == household_id)
        .order_by(FactChange.changed_at.desc(), FactChange.id.desc())
        .limit(MOST_CHANGES)
    )
    return [
        Change(
            resident,
            change.field,
            change.old,
            change.new,
            changer,
            change.changed_at,
            change.id,
            change.resident_id,
            change.changed_by_id,
        )
        for resident, change, changer in session.execute(statement)
    ]


@dataclass(frozen=True)
class Declined:
    """A value that was written at a door and decided against: it is not lost."""

    resident: str | None
    field: str
    value: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None


def declined(session: Session, household_id: UUID) -> list[Declined]:
    """What was proposed for a household and not taken, the last decided first."""
    author, decider = aliased(User), aliased(User)
    statement = (
        select(Resident.name, FactProposal, author.name, decider.name)
        .join(author, author.id == FactProposal.proposed_by_id)
        .join(decider, decider.id == FactProposal.decided_by_id)
        .outerjoin(Resident, Resident.id == FactProposal.resident_id)
        .where(FactProposal.household_id == household_id, FactProposal.is_accepted.is_(False))
        .order_by(FactProposal.decided_at.desc(), FactProposal.id.desc())
        .limit(MOST_CHANGES)
    )
    return [
        Declined(resident, p.field, p.value, proposer, p.proposed_at, decider_name, p.decided_at)
        for resident, p, proposer, decider_name in session.execute(statement)
    ]
