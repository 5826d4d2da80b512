"""The tab 诉求: what was promised at the doors and is still open."""

from flask import Blueprint, render_template

from fieldapp import db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, roles
from fieldapp.visits import queries as visits

bp = Blueprint("matters", __name__)


@bp.get("/matters")
@roles(Role.WORKER, Role.DIRECTOR)
def index() -> str:
    """Promises by their day: passed, coming, without a day; and what was done last."""
    opened, who = db.session(), actor()
    return render_template(
        "matters/index.html",
        promises=visits.open_follow_ups(opened, who),
        done=visits.done_follow_ups(opened, who),
    )
