"""Writes about shops and work units."""

from datetime import date, datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.places.models import Dwelling
from fieldapp.premises import queries, rules
from fieldapp.premises.models import Premise, PremiseCheck, PremiseFinding
from fieldapp.premises.rules import Check, Facts


def change_facts(session: Session, actor: Actor, shop: Dwelling, facts: Facts, now: datetime) -> Premise:
    """Write down what is known of a shop."""
    premise = queries.premise_of(session, shop.id)
    if premise is None:
        premise = Premise(community_id=shop.community_id, dwelling_id=shop.id)
        session.add(premise)
    for name, value in {**vars(facts), "changed_at": now, "changed_by_id": actor.user_id}.items():
        setattr(premise, name, value)
    session.flush()
    return premise


def record_check(
    session: Session,
    actor: Actor,
    shop: Dwelling,
    check: Check,
    checked_at: datetime,
    checked_on: date,
    now: datetime,
    key: UUID,
) -> PremiseCheck:
    """Log a check. Each finding that is not open already is to be put right; one that was not found again stays open
    until somebody ticks it. The same check with the same key is taken in once.
    """
    if known := session.get(PremiseCheck, key):
        return known
    made = PremiseCheck(
        id=key,
        community_id=shop.community_id,
        dwelling_id=shop.id,
        checked_at=checked_at,
        checked_on=checked_on,
        recorded_at=now,
        checker_id=actor.user_id,
        findings=[finding.value for finding in check.findings],
        sentence=check.sentence,
    )
    session.add(made)
    session.flush()
    known_shop = queries.shop(session, actor, shop.id)
    open_ones = {finding.code for finding in known_shop.findings} if known_shop else set()
    session.add_all(
        PremiseFinding(
            id=uuid5(key, finding),
            community_id=shop.community_id,
            dwelling_id=shop.id,
            check_id=key,
            code=finding.value,
            due_on=rules.due_on(finding, checked_on),
        )
        for finding in check.findings
        if finding not in open_ones
    )
    session.flush()
    return made


def put_right(finding: PremiseFinding, actor: Actor, now: datetime) -> None:
    """Somebody has seen that it was put right; twice changes nothing."""
    if finding.done_at is None:
        finding.done_at, finding.done_by_id = now, actor.user_id
