"""The tab 诉求: what was promised at the doors and is still open."""

from collections.abc import Sequence

from flask import Blueprint, render_template

from fieldapp import db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, roles
from fieldapp.premises import queries as premises
from fieldapp.premises.queries import Shop
from fieldapp.visits import queries as visits
from fieldapp.visits.queries import OpenPromise

bp = Blueprint("matters", __name__)


@bp.get("/matters")
@roles(Role.WORKER, Role.DIRECTOR)
def index() -> str:
    """Promises by their day: passed, coming, without a day; and what was done last."""
    opened, who = db.session(), actor()
    promises, done = visits.open_follow_ups(opened, who), visits.done_follow_ups(opened, who)
    return matters_page(promises, done, premises.shops(opened, who))


def matters_page(promises: Sequence[OpenPromise], done: Sequence[OpenPromise], shops: Sequence[Shop]) -> str:
    """What is open, what is to be put right in shops, and what was done last."""
    findings = sorted(
        ((finding, shop) for shop in shops for finding in shop.findings), key=lambda pair: (pair[0].due_on, pair[0].id)
    )
    return render_template("matters/index.html", promises=promises, done=done, findings=findings)
