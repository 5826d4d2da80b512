"""Reading shops, their checks and what was found there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.queries import visible
from fieldapp.accounts.rules import Actor
from fieldapp.places.models import Building, Dwelling
from fieldapp.premises.models import Premise, PremiseCheck, PremiseFinding

CHECKS_SHOWN = 3


@dataclass
class Shop:
    """A shop with what is known of it; `checks` are the newest, `findings` those still open, by their day."""

    dwelling: Dwelling
    building: Building
    premise: Premise | None
    checked_on: date | None
    checks: list[tuple[PremiseCheck, str]] = field(default_factory=list)
    findings: list[PremiseFinding] = field(default_factory=list)


def _shops() -> Select[*tuple[Any, ...]]:
    last = (
        select(func.max(PremiseCheck.checked_on))
        .where(PremiseCheck.dwelling_id == Dwelling.id)
        .correlate(Dwelling)
        .scalar_subquery()
    )
    return (
        select(Dwelling, Building, Premise, last)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Premise, Premise.dwelling_id == Dwelling.id)
        .where(Dwelling.kind == "shop")
        .order_by(Building.position, Dwelling.entrance, Dwelling.column)
    )


def shops(session: Session, actor: Actor, dwelling_ids: Collection[UUID] | None = None) -> list[Shop]:
    """The shops that the actor may see, in street order; of these doors alone when some are named. Three statements."""
    statement = _shops()
    if dwelling_ids is not None:
        statement = statement.where(Dwelling.id.in_(list(dwelling_ids)))
    found = {row[0].id: Shop(*row) for row in session.execute(visible(statement, actor, Dwelling))}
    for check, checker in _checks(session, found):
        if len(found[check.dwelling_id].checks) < CHECKS_SHOWN:
            found[check.dwelling_id].checks.append((check, checker))
    open_ones = select(PremiseFinding).where(PremiseFinding.dwelling_id.in_(found), PremiseFinding.done_at.is_(None))
    for finding in session.scalars(open_ones.order_by(PremiseFinding.due_on, PremiseFinding.id)):
        found[finding.dwelling_id].findings.append(finding)
    return list(found.values())


def _checks(session: Session, doors: Iterable[UUID]) -> list[tuple[PremiseCheck, str]]:
    place = func.row_number().over(
        partition_by=PremiseCheck.dwelling_id, order_by=(PremiseCheck.checked_at.desc(), PremiseCheck.id.desc())
    )
    newest = select(PremiseCheck.id, place.label("place")).where(PremiseCheck.dwelling_id.in_(list(doors))).subquery()
    statement = (
        select(PremiseCheck, User.name)
        .join(newest, newest.c.id == PremiseCheck.id)
        .join(User, User.id == PremiseCheck.checker_id)
        .where(newest.c.place <= CHECKS_SHOWN)
        .order_by(PremiseCheck.checked_at.desc(), PremiseCheck.id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def shop(session: Session, actor: Actor, dwelling_id: UUID) -> Shop | None:
    """One shop that the actor may see."""
    return next(iter(shops(session, actor, [dwelling_id])), None)


def premise_of(session: Session, dwelling_id: UUID) -> Premise | None:
    """What is written down of a shop that was fetched through the wall."""
    return session.scalar(select(Premise).where(Premise.dwelling_id == dwelling_id))


def finding(session: Session, actor: Actor, finding_id: UUID) -> PremiseFinding | None:
    """A finding at a shop that the actor may see."""
    statement = select(PremiseFinding).join(Dwelling, Dwelling.id == PremiseFinding.dwelling_id)
    return session.scalar(visible(statement.where(PremiseFinding.id == finding_id), actor, Dwelling))
