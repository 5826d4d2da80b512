"""Changing a fact at the door, deciding where two people say it differently, and who changed what."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, roles
from fieldapp.households import fact_queries, facts, operations, queries
from fieldapp.households.facts import Fact, Meeting
from fieldapp.households.models import Household, Resident
from fieldapp.households.reading import Fault
from fieldapp.households.rules import mask_phone
from fieldapp.households.views import relation_word, sex_word
from fieldapp.language import day
from fieldapp.pages import done_at, go, outbox_item, refuse

bp = Blueprint("facts", __name__)

NAMES = {
    "phone": _l("电话"),
    "name": _l("姓名"),
    "birth_date": _l("出生日期"),
    "sex": _l("性别"),
    "relation": _l("和户主的关系"),
    "registered_at": _l("户籍地"),
    "is_temporary": _l("流动人口"),
    "note": _l("备注"),
}
RELATIONS = (
    *("02", "11", "12", "20", "30", "38", "28", "41", "42", "43", "44", "51", "52", "53", "54", "55", "56"),
    *("61", "62", "71", "73", "75", "77", "97", "99"),
)
"""Of GB/T 4761 what the form offers; every other code can be typed."""
OLDEST = timedelta(days=400)
"""A phone that says it wrote something longer ago has a wrong clock."""


@bp.app_template_global()
def fact_name(key: str) -> str:
    """电话, 姓名, …"""
    return str(NAMES[key])


@bp.app_template_global()
def facts_seen(resident: Resident) -> list[tuple[str, str]]:
    """A resident's facts with what is on record, as a form says what its page showed; without those not known."""
    seen = ((key, facts.told(getattr(resident, key))) for key in facts.OF_RESIDENT)
    return [(key, text) for key, text in seen if text]


@bp.app_template_global()
def fact_text(key: str, text: str | None, beside: str | None = None) -> str:
    """A fact's value in words. A phone is masked, unless it then reads the same as the one it stands beside."""
    if key == "is_temporary":
        return _("是") if text else _("不是")
    if text is None:
        return _("户口就在这里") if key == "registered_at" else _("没有")
    if key == "phone":
        return text if beside and mask_phone(beside) == mask_phone(text) else mask_phone(text)
    if key == "birth_date":
        return day(facts.value_of(key, text))
    if key == "sex":
        return sex_word(text) or _("不清楚")
    return relation_word(text) if key == "relation" else text


@bp.app_template_global()
def relation_choices() -> list[tuple[str, str]]:
    """The usual relations to the head: code and word."""
    return [(code, relation_word(code)) for code in RELATIONS]


@bp.post("/residents/<uuid:resident_id>/facts")
@roles(Role.WORKER, Role.DIRECTOR)
def change_resident(resident_id: UUID) -> AnyResponse | tuple[str, int]:
    """Change one fact of a resident."""
    found = fact_queries.resident(db.session(), actor(), resident_id)
    if found is None:
        abort(404)
    resident, household = found
    return _change(household, resident, facts.OF_RESIDENT)


@bp.post("/households/<uuid:household_id>/facts")
@roles(Role.WORKER, Role.DIRECTOR)
def change_household(household_id: UUID) -> AnyResponse | tuple[str, int]:
    """Change one fact of a household."""
    address = queries.household(db.session(), actor(), household_id)
    if address is None:
        abort(404)
    return _change(address.household, None, facts.OF_HOUSEHOLD)


def _change(
    household: Household, resident: Resident | None, known: Mapping[str, Fact]
) -> AnyResponse | tuple[str, int]:
    opened, typed = db.session(), request.form
    fact, change_id = known.get(typed.get("field", "")), _change_id()
    if fact is None:
        abort(422, _("没收全，重新打开这一页再记。"))
    try:
        value = facts.read_fact(fact, typed.get("value", ""), bool(typed.get("none")), clock.today())
        saw = facts.told(typed.get(f"saw-{fact.key}"))
        meeting = operations.change_fact(
            opened, actor(), household, resident, fact.key, saw, value, _written_at(), change_id
        )
    except Fault as fault:
        return _faulty(household, resident, fact, fault)
    opened.commit()
    flash(*_said(meeting, fact_name(fact.key)))
    return go(url_for("households.show", household_id=household.id))


def _change_id() -> UUID | None:
    """The edit's own key: the item's, where a phone's outbox sends it; None where the phone made none."""
    if item := outbox_item():
        return item.id
    try:
        key = request.form.get("change_id")
        return UUID(key) if key else None
    except ValueError:
        abort(422, _("没收全，重新打开这一页再记。"))


def _written_at() -> datetime:
    """When the edit was written, by the phone's clock where that can be true."""
    at, now = done_at(), clock.now()
    return at if at > now - OLDEST else now


def _said(meeting: Meeting, name: str) -> tuple[str, str]:
    """What became of an edit, with the look of its notice."""
    if meeting is Meeting.PROPOSED:
        return _("%(fact)s别人刚改过，两种说法都留着，在下面定一个。", fact=name), "warn"
    if meeting is Meeting.SAME:
        return _("%(fact)s本来就是这样，没有变。", fact=name), "message"
    return _("%(fact)s改好了。", fact=name), "message"


def _faulty(household: Household, resident: Resident | None, fact: Fact, fault: Fault) -> AnyResponse | tuple[str, int]:
    """The one field again with what was typed and what would be right; to a phone's outbox only the words."""
    words = advice(fault)
    if outbox_item():
        return refuse(words, {"value": words})
    page = render_template(
        "households/fact.html", household=household, person=resident, fact=fact, typed=request.form, fault=words
    )
    return page, 422


def advice(fault: Fault) -> str:
    """What would be right."""
    n = fault.detail
    words = {
        "needed": _("还空着，写上新的。"),
        "both": _("写了新的，就不要再勾旁边那个。"),
        "stays": _("姓名不能空着。"),
        "not_name": _("要写名字，不是数字"),
        "long": _("太长，最多 %(n)s 个字", n=n),
        "phone": _("写电话号码，像 138 0000 1234 或 0510-8271 2345。"),
        "mobile": _("手机号是 11 位，这里有 %(n)s 位，再对一遍。", n=n),
        "date": _("年月日都要有，写成 1957-03-02、57年3月2日 或 19570302。"),
        "future": _("这一天还没到，再对一遍。"),
        "relation": _("写户主、配偶、儿子、母亲这样的关系。"),
        "choice": _("选一个，或者写：男、女；是、否。"),
        "head_taken": _("这一户的户主是%(name)s。先把那一位的关系改了，再改这里。", name=n),
        "id_born": _("和身份证号里的出生日期对不上，要按身份证写。"),
        "id_sex": _("和身份证号里的性别对不上，要按身份证写。"),
    }
    return str(words[fault.code])


@bp.post("/proposals/<uuid:proposal_id>/decision")
@roles(Role.WORKER, Role.DIRECTOR)
def decide(proposal_id: UUID) -> AnyResponse:
    """Take the value that was proposed, or keep the one on record."""
    opened, choice = db.session(), request.form.get("choice")
    proposal = fact_queries.proposal(opened, actor(), proposal_id)
    if proposal is None:
        abort(404)
    if choice not in ("theirs", "kept"):
        abort(422, _("没收全，重新打开这一页再记。"))
    kept = request.form.get("saw")
    try:
        is_decided = operations.decide_proposal(
            opened,
            actor(),
            proposal,
            accept=choice == "theirs",
            now=_written_at(),
            kept=None if kept is None else facts.told(kept) or "",
        )
    except Fault as fault:
        abort(422, advice(fault))
    opened.commit()
    if not is_decided:
        flash(_("刚才又有人改了%(fact)s，再看一眼。", fact=fact_name(proposal.field)), "warn")
    return go(url_for("households.show", household_id=proposal.household_id))


@bp.get("/households/<uuid:household_id>/history")
@roles(Role.WORKER, Role.DIRECTOR)
def history(household_id: UUID) -> str:
    """Who changed what of a household and its people, from what to what, and what was said and not taken."""
    opened = db.session()
    address = queries.household(opened, actor(), household_id)
    if address is None:
        abort(404)
    return render_template(
        "households/history.html",
        address=address,
        changes=fact_queries.history(opened, household_id),
        declined=fact_queries.declined(opened, household_id),
    )
