"""A division comes into force on its day: with the first request that a process answers on it, or by `plan start`.

What was written down for past days is not touched by coming late: everything holds from the plan's own day on.
"""

from uuid import UUID

from flask import Flask, current_app, request

from fieldapp import clock, db
from fieldapp.guard import is_public
from fieldapp.places.operations import Placed
from fieldapp.planning import operations, queries

LOOKED_ON = "fieldapp-plans-looked-on"


def init_app(app: Flask) -> None:
    """Look once a day and process, after the guard and before any page."""
    app.before_request(_look_once_a_day)


def _look_once_a_day() -> None:
    """Signing in is the first that people do; other public pages do without the database."""
    if request.endpoint in (None, "static") or (is_public() and request.endpoint != "accounts.create_session"):
        return
    today = clock.today()
    if current_app.extensions.get(LOOKED_ON) == today:
        return
    if queries.plans_due(db.session(), today):
        try:
            carry_out_due()
        except Exception:  # the work at the doors goes on in the districts there are; the plan still waits
            current_app.logger.exception("a division did not come into force")
    current_app.extensions[LOOKED_ON] = today


def carry_out_due() -> list[tuple[UUID, Placed]]:
    """Put in force what is due, each plan in a transaction of its own. Commits."""
    done = []
    for plan_id in queries.plans_due(db.session(), clock.today()):
        with db.writing() as opened:
            plan = queries.plan_to_compute(opened, plan_id)
            if plan is None or plan.state != "waiting" or plan.published_at is None:  # another process was quicker
                continue
            done.append((plan_id, operations.carry_out(opened, plan, clock.local_day(plan.published_at))))
    return done
