"""Reading what the server keeps for phones: receipts, its epoch, how far a community has changed and whose pages."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from fieldapp.accounts.queries import anybody, bounds, visible
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households.models import Household
from fieldapp.places.models import Dwelling
from fieldapp.sync.models import CommunityChange, Epoch, HouseholdChange, PhoneSeal, Receipt
from fieldapp.sync.rules import CLOCK_OFF
from fieldapp.visits.queries import LoggedVisit


class Change(NamedTuple):
    """How many changes a community has seen, and the number of the last that touched every page."""

    number: int
    whole: int


def change(session: Session, community_id: UUID | None) -> Change:
    """How far a community has changed; 0 while nothing has been written down."""
    row = session.execute(_CHANGE, {"community": community_id}).first()
    return Change(*row) if row else Change(0, 0)


_CHANGE = select(CommunityChange.number, CommunityChange.whole).where(
    CommunityChange.community_id == bindparam("community")
)


def touched_since(session: Session, actor: Actor, number: int) -> list[tuple[UUID, UUID]]:
    """The households that the actor may see and that changed after `number`, each with its building."""
    rows = session.execute(_touched(actor.role), bounds(actor) | {"number": number})
    return [(row[0], row[1]) for row in rows]


@cache
def _touched(role: Role) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        select(Household.id, Dwelling.building_id)
        .join(HouseholdChange, HouseholdChange.household_id == Household.id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(HouseholdChange.number > bindparam("number"))
    )
    return visible(visible(statement, anybody(role), HouseholdChange), anybody(role), Dwelling)


def vanished_since(session: Session, actor: Actor, number: int) -> list[UUID]:
    """The households of the actor's community that are no more, in whichever district they were, since `number`."""
    statement = (
        select(HouseholdChange.household_id)
        .outerjoin(Household, Household.id == HouseholdChange.household_id)
        .where(HouseholdChange.number > number, Household.id.is_(None))
    )
    return list(session.scalars(visible(statement, actor, HouseholdChange)))


def receipt(session: Session, item_id: UUID) -> Receipt | None:
    """The receipt of an item, whosever it is."""
    return session.scalar(select(Receipt).where(Receipt.id == item_id))


def known_of(session: Session, user_id: UUID, items: Collection[UUID]) -> set[UUID]:
    """Which of these items there is a receipt for that is this person's own."""
    return set(session.scalars(select(Receipt.id).where(Receipt.user_id == user_id, Receipt.id.in_(items))))


def with_clocks(session: Session, logged: Sequence[LoggedVisit]) -> Sequence[LoggedVisit]:
    """The same visits, saying of each by how much the clock of its phone was off, if it was far off. One statement."""
    if logged:
        off = {row[0]: row[1] for row in session.execute(_CLOCKS, {"visits": [each.visit.id for each in logged]})}
        for each in logged:
            each.clock_ahead = off.get(each.visit.id) or 0
    return logged


_CLOCKS = select(Receipt.id, Receipt.clock_ahead).where(
    Receipt.id.in_(bindparam("visits", expanding=True)),
    func.abs(Receipt.clock_ahead) > int(CLOCK_OFF.total_seconds()),
)


def newest_receipt_at(session: Session) -> datetime | None:
    """When the last item was taken in. It looks at every receipt: for the start of the program."""
    return session.scalar(select(func.max(Receipt.received_at)))


def epoch(session: Session) -> Epoch | None:
    """Which life of the database this is; None before anybody asked for the first time."""
    return session.scalar(select(Epoch).execution_options(populate_existing=True))


def seal_of(session: Session, user_id: UUID) -> str | None:
    """The key that seals what somebody's phone keeps: 32 bytes in base64."""
    return session.scalar(select(PhoneSeal.key).where(PhoneSeal.user_id == user_id))
