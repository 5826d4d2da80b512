"""A draft for the tests: today's two districts of the cast, with one step undone before and one after."""

from typing import Any

from sqlalchemy.orm import Session

from fieldapp.places import queries as places
from fieldapp.planning import queries, rules
from fieldapp.planning.ground import Ground
from fieldapp.planning.models import Plan, PlanStep
from tests.conftest import NOW
from tests.factories import Cast

PLAN_VERSION = 4


def make_plan(session: Session, cast: Cast, **more: Any) -> Plan:
    """A draft of the cast's community as it is divided today; step 2 of 3 is shown."""
    actor, by = cast.actor("director"), cast.users["director"].id
    body = Ground(queries.blocks(session, actor), places.districts_on(session, actor, NOW.date())).present()
    values: dict[str, Any] = {"kind": "propose", "state": "draft", "version": PLAN_VERSION, "step": 2}
    plan = Plan(
        community_id=cast.community.id,
        alive_at=NOW,
        created_at=NOW,
        created_by_id=by,
        changed_at=NOW,
        changed_by_id=by,
        **(values | more),
    )
    session.add(plan)
    session.flush()
    for number, deed in enumerate(("propose", "lock", "people"), 1):
        kept = rules.body_to_json(body)
        session.add(
            PlanStep(
                community_id=plan.community_id,
                plan_id=plan.id,
                number=number,
                deed=deed,
                at=NOW,
                by_id=by,
                body=kept,
            )
        )
    session.commit()
    return plan
