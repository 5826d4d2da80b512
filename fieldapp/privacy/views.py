"""Looking at a full number with a reason, a copy of everything kept of a person, and erasing it."""

from uuid import UUID

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, community, roles
from fieldapp.language import translated as _
from fieldapp.pages import go
from fieldapp.privacy import operations, queries, remembered
from fieldapp.privacy.queries import Person
from fieldapp.privacy.rules import Why, is_due, term_of

bp = Blueprint("privacy", __name__)

WHY_WORDS = {
    Why.ERRAND: _l("替他办事要用"),
    Why.PAPERS: _l("核对证件"),
    Why.ASKED: _l("本人要"),
    Why.WRONG: _l("登记的可能有错"),
}

Page = str | tuple[str, int]


@bp.app_template_global()
def why_word(why: str) -> str:
    """A reason in words; one that this version does not know as it is."""
    return str(WHY_WORDS[Why(why)]) if why in set(Why) else why


@bp.get("/residents/<uuid:resident_id>/record")
@roles(Role.WORKER, Role.DIRECTOR)
def record(resident_id: UUID) -> str:
    """What may be done with somebody's record: look at the number, take a copy, erase."""
    return _page(_person(resident_id))


@bp.post("/residents/<uuid:resident_id>/unmasking")
@roles(Role.WORKER, Role.DIRECTOR)
def unmask(resident_id: UUID) -> Page:
    """Show the full number, once, to somebody who says why."""
    found, why = _person(resident_id), _why()
    if why is None:
        return _page(found, fault=_("选一个原因，再看。")), 422
    operations.note_look(db.session(), actor(), found.resident, "unmask.id_number", why, clock.now())
    db.session().commit()
    return _page(found, is_open=True)


@bp.post("/residents/<uuid:resident_id>/copy")
@roles(Role.DIRECTOR)
def copy(resident_id: UUID) -> Page:
    """Everything kept of a person, to be printed and handed to them."""
    found, why = _person(resident_id), _why()
    if why is None:
        return _page(found, fault=_("选一个原因，再看。")), 422
    operations.note_look(db.session(), actor(), found.resident, "copy.resident", why, clock.now())
    db.session().commit()
    return render_template("privacy/copy.html", person=found, kept=queries.kept(db.session(), found.resident))


@bp.post("/residents/<uuid:resident_id>/erasure")
@roles(Role.DIRECTOR)
def erase(resident_id: UUID) -> AnyResponse | tuple[str, int]:
    """Erase the record of somebody who has left, once the term is over."""
    found = _person(resident_id)
    if not _is_due(found):
        return _page(found, fault=_("还没到期，搬走满 %(n)s 天才能清除。", n=_term())), 422
    if not request.form.get("sure"):
        return _page(found, fault=_("先勾“确定清除”。")), 422
    _erase([found])
    flash(_("清除了，走访次数不变。"))
    return go(url_for("privacy.due"))


@bp.get("/erasures")
@roles(Role.DIRECTOR)
def due() -> str:
    """Whose term is over."""
    return _due_page(queries.due(db.session(), actor(), clock.today(), _term()))


def _due_page(people: list[Person], fault: str | None = None) -> str:
    return render_template("privacy/due.html", people=people, days=_term(), fault=fault)


@bp.post("/erasures")
@roles(Role.DIRECTOR)
def erase_due() -> AnyResponse | tuple[str, int]:
    """Erase everybody whose term is over."""
    people = queries.due(db.session(), actor(), clock.today(), _term())
    if not request.form.get("sure"):
        return _due_page(people, _("先勾“确定清除”。")), 422
    _erase(people)
    flash(_("清除了 %(n)s 人，走访次数不变。", n=len(people)))
    return go(url_for("privacy.due"))


def _erase(people: list[Person]) -> None:
    """Remembered beside the database first: what is remembered and not erased is erased at the next restore."""
    opened, gone = db.session(), []
    for person in people:
        if person.resident.erased_at is None:  # merged into one that was erased a moment ago
            gone += operations.erase(opened, actor().user_id, person.resident, "term", clock.now())
    remembered.remember(gone)
    opened.commit()
    db.settle()


def _person(resident_id: UUID) -> Person:
    found = queries.person(db.session(), actor(), resident_id)
    if found is None:
        abort(404)
    return found


def _why() -> Why | None:
    try:
        return Why(request.form.get("why", ""))
    except ValueError:
        return None


def _term() -> int:
    return term_of(community().registry_settings)


def _is_due(person: Person) -> bool:
    return is_due(person.resident.left_on, clock.today(), _term())


def _page(person: Person, *, is_open: bool = False, fault: str | None = None) -> str:
    return render_template(
        "privacy/record.html",
        person=person,
        is_open=is_open,
        fault=fault,
        whys=WHY_WORDS,
        is_due=_is_due(person),
        days=_term(),
    )
