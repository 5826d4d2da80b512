"""The tab 诉求: what was promised at the doors and is still open."""

from collections.abc import Sequence

from flask import Blueprint, render_template

from fieldapp import db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, roles
from fieldapp.visits import queries as visits
from fieldapp.visits.queries import OpenPromise

bp = Blueprint("matters", __name__)


@bp.get("/matters")
@roles(Role.WORKER, Role.DIRECTOR)
def index() -> str:
    """Promises by their day: passed, coming, without a day; and what was done last."""
    opened, who = db.session(), actor()
    return matters_page(visits.open_follow_ups(opened, who), visits.done_follow_ups(opened, who))


def matters_page(promises: Sequence[OpenPromise], done: Sequence[OpenPromise]) -> str:
    """What is open, and what was done last."""
    return render_template("matters/index.html", promises=promises, done=done)
