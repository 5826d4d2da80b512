"""Computing a division: outside the request, in a process that says how far it is; in the request where so configured.

It holds no transaction while it computes. A process that was given up meanwhile, because it was silent for too long or
its plan was dropped, keeps nothing: the plan's version is another.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.places import queries as places
from fieldapp.places.rules import day_of
from fieldapp.planning import ground as grounds
from fieldapp.planning import operations, queries
from fieldapp.planning.ground import Ground
from fieldapp.planning.models import Plan
from fieldapp.planning.rules import Body
from geo.problems import PlanError

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=0.2)
"""How often progress is written."""


class Given(Exception):
    """The plan is no longer this process's to compute."""


def compute(session: Session, plan_id: UUID, now: Callable[[], datetime], process: tuple[int, str] | None) -> bool:
    """Compute a plan that is to be computed, and keep the division as its next step. Commits. False: kept nothing."""
    plan = queries.plan_to_compute(session, plan_id)
    if plan is None or plan.state != "computing":
        session.rollback()
        return False
    version = plan.version
    operations.tell(plan, 0.0, now(), process)
    session.commit()
    try:
        body, error = _computed(session, plan, _teller(session, plan, version, now))
        mine = _mine(session, plan_id, version)
        if body is None:
            operations.fail(mine, error, now())
        else:
            operations.finish(session, mine, body, now())
        session.commit()
    except Given:
        session.rollback()
        return False
    return body is not None


def _computed(session: Session, plan: Plan, progress: Callable[[float], None]) -> tuple[Body | None, str]:
    """The division, or a word of `rules.FAILURES`."""
    actor = Actor(None, "", Role.DIRECTOR, plan.community_id)
    community = places.community_by_id(session, plan.community_id)
    today = places.districts_on(session, actor, day_of(plan.changed_at))
    ground = Ground(queries.blocks(session, actor), today)
    draft = operations.body_of(session, plan)
    session.commit()
    target = community.district_size if community else 200
    if not any(building.households for building in ground.buildings):
        return None, "nobody"
    work = grounds.rebalanced if plan.kind == "rebalance" and ground.today else grounds.proposed
    try:
        return work(ground, draft, target=target, seed=plan.seed, progress=progress), ""
    except PlanError as error:
        log.warning("plan %s: %s", plan.id, error.code)
        return None, "refused"
    except Given:
        raise
    except Exception:
        log.exception("plan %s was not computed", plan.id)
        return None, "crashed"


def _teller(session: Session, plan: Plan, version: int, now: Callable[[], datetime]) -> Callable[[float], None]:
    last = now()

    def tell(progress: float) -> None:
        nonlocal last
        if now() - last < EVERY:
            return
        last = now()
        operations.tell(_mine(session, plan.id, version), progress, last)
        session.commit()

    return tell


def _mine(session: Session, plan_id: UUID, version: int) -> Plan:
    plan = queries.plan_to_compute(session, plan_id)
    if plan is None or plan.state != "computing" or plan.version != version:
        raise Given
    return plan
