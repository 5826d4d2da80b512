"""Changing a fact at the door, deciding where two people say it differently, and who changed what."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, g, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, community, roles
from fieldapp.households import care_operations, codes, dynamic, event_queries, fact_queries, facts, operations, queries
from fieldapp.households.facts import Fact, Meeting
from fieldapp.households.freshness import Known
from fieldapp.households.models import Household, Resident
from fieldapp.households.reading import Fault, read_date
from fieldapp.households.rules import Employment, mask_id_number, mask_phone
from fieldapp.households.views import relation_word, sex_word
from fieldapp.language import day
from fieldapp.pages import done_at, go, outbox_item, refuse
from fieldapp.seals import keyring
from fieldapp.visits import queries as visits

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
    "marital": _l("婚姻状况"),
    "occupancy": _l("怎么住"),
    "arrived_on": _l("搬来的日子"),
    "left_on": _l("离开的日子"),
    "moved_in_on": _l("入住的日子"),
    "household": _l("住的是哪一户"),
    "id_number": _l("身份证号"),
    "ethnic": _l("民族"),
    "schooling": _l("文化程度"),
    "employment": _l("就业"),
    "workplace": _l("工作单位"),
    "origin": _l("从哪里来"),
    "permit_from": _l("居住证开始"),
    "permit_until": _l("居住证到期"),
    "guardian": _l("监护人"),
    "guardian_phone": _l("监护人电话"),
}
EMPLOYMENTS = {
    Employment.EMPLOYED: _l("有工作"),
    Employment.UNEMPLOYED: _l("没工作"),
    Employment.RETIRED: _l("退休"),
    Employment.STUDENT: _l("上学"),
    Employment.HOME: _l("在家"),
}
"""What somebody lives by, in words."""
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
    return [(key, seen_text(key, text)) for key, text in seen if text]


@bp.app_template_global()
def seen_text(key: str, text: str | None) -> str:
    """What a page carries of a value that it showed, to be known again: of an ID number nothing but a digest."""
    if key != "id_number" or text is None:
        return text or ""
    return keyring().digest(text)[:16]


def _known_again(key: str, seen: str | None, values: Iterable[str | None]) -> str | None:
    """The value that a page showed, by what it carried of it; what it carried where none of these is it."""
    if key != "id_number" or seen is None:
        return seen
    return next((value for value in values if value and seen_text(key, value) == seen), seen)


@bp.app_template_global()
def fact_text(key: str, text: str | None, beside: str | None = None) -> str:
    """A fact's value in words. A phone is masked, unless it then reads the same as the one it stands beside."""
    if key in event_queries.OF_REGISTRY or key in ("occupancy", "marital"):
        return _of_event(key, text)
    if key == "is_temporary":
        return _("是") if text else _("不是")
    if text is None:
        return _("户口就在这里") if key == "registered_at" else _("没有")
    if key == "phone":
        return text if beside and mask_phone(beside) == mask_phone(text) else mask_phone(text)
    if key == "guardian_phone":
        return mask_phone(text)
    if key == "id_number":
        return mask_id_number(text)
    if key in ("birth_date", "permit_from", "permit_until"):
        return day(date.fromisoformat(text))
    if key == "employment":
        return str(EMPLOYMENTS.get(text, text))  # type: ignore[call-overload]
    if key in ("ethnic", "schooling"):
        # A finer code of schooling reads as what it is a part of.
        return codes.ETHNIC.get(text, text) if key == "ethnic" else str(SCHOOLINGS.get(text[0] + "0", text))
    if key == "sex":
        return sex_word(text) or _("不清楚")
    return relation_word(text) if key == "relation" else text


STANDS = {
    "own": _l("自家住"),
    "rent": _l("租住"),
    "lodging": _l("借住"),
    "unknown": _l("不清楚谁住"),
    "vacant": _l("空置"),
    "gone": _l("搬走了"),
}
"""How a household stands to its dwelling, in words."""


def _of_event(key: str, text: str | None) -> str:
    """A fact that events change, in words."""
    if text is None:
        return _("没有")
    if key == "household":
        return _("换了一户")
    if key == "marital":
        return str(MARITALS.get(text, text))
    return str(STANDS[text]) if key == "occupancy" else day(date.fromisoformat(text))


SCHOOLINGS = {
    "80": _l("小学"),
    "70": _l("初中"),
    "60": _l("高中"),
    "40": _l("中专"),
    "30": _l("大专"),
    "20": _l("本科"),
    "10": _l("研究生"),
    "90": _l("没上过学或其他"),
}
"""Of GB/T 4658 what the form offers, as one says it."""
MARITALS = {
    "10": _l("未婚"),
    "20": _l("已婚"),
    "21": _l("初婚"),
    "22": _l("再婚"),
    "23": _l("复婚"),
    "30": _l("丧偶"),
    "40": _l("离婚"),
    "90": _l("没说明婚姻"),
}
"""GB/T 2261.2."""
"""Of GB/T 4658 what the form offers: its groups; every other code can come with a sheet."""


@bp.app_template_global()
def code_choices(key: str) -> list[tuple[str, str]]:
    """What the form offers of a code table: code and word."""
    if key == "employment":
        return [(kind.value, str(word)) for kind, word in EMPLOYMENTS.items()]
    words = SCHOOLINGS if key == "schooling" else MARITALS
    return [(code, str(word)) for code, word in words.items()]


@bp.app_template_global()
def fact_choices() -> list[tuple[str, str]]:
    """The facts of a resident that this community keeps: key and name."""
    if "fact_choices" not in g:  # once a request: a pack asks six hundred times
        off = (community().registry_settings or {}).get("off", ())
        g.fact_choices = [(key, fact_name(key)) for key in facts.OF_RESIDENT if key not in off]
    return g.fact_choices


@bp.app_template_global()
def fact_said(fact: Known, residents: Iterable[Resident], household: Household) -> tuple[str, str, str]:
    """A fact in words: whose (nothing for the household), which, what."""
    person = next((resident for resident in residents if resident.id == fact.resident_id), None)
    value = facts.told(getattr(person or household, fact.field))
    return person.name if person else "", fact_name(fact.field), fact_text(fact.field, value)


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
    if fact.key in (community().registry_settings or {}).get("off", ()):
        abort(422, _("这一项现在不登记了。"))
    try:
        value = facts.read_fact(fact, typed.get("value", ""), bool(typed.get("none")), clock.today())
        saw = facts.told(typed.get(f"saw-{fact.key}"))
        if resident and fact.key == "id_number":
            steps = fact_queries.changes_of_fact(opened, household.id, resident.id, fact.key)
            saw = _known_again(fact.key, saw, [resident.id_number, *(step.old for step in steps)])
        meeting = operations.change_fact(
            opened, actor(), household, resident, fact.key, saw, value, _written_at(), change_id
        )
    except Fault as fault:
        return _faulty(household, resident, fact, fault)
    if fact.key in dynamic.DECIDING:
        care_operations.apply_dynamic_care(opened, household.community_id, clock.today(), [household.id])
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
        "code": _("没有这一项，照表上的词写，比如：汉族。"),
        "choice": _("选一个，或者写：男、女；是、否。"),
        "head_taken": _("这一户的户主是%(name)s。先把那一位的关系改了，再改这里。", name=n),
        "id_born": _("和身份证号里的出生日期对不上，要按身份证写。"),
        "id_sex": _("和身份证号里的性别对不上，要按身份证写。"),
        "id_form": _("身份证号是 18 位，最后一位可以是 X。"),
        "id_date": _("身份证号里的出生日期不对，再对一遍。"),
        "id_check": _("身份证号的最后一位对不上，再对一遍。"),
        "born_id": _("和登记的出生日期对不上。先看身份证，改对一个。"),
        "sex_id": _("和登记的性别对不上。先看身份证，改对一个。"),
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
    if proposal.field == "id_number" and proposal.resident_id:
        found = fact_queries.resident(opened, actor(), proposal.resident_id)
        kept = _known_again(proposal.field, kept, [found[0].id_number] if found else [])
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
def history(household_id: UUID) -> str | tuple[str, int]:
    """Who changed what of a household and its people, from what to what, what happened, what was said and not taken;
    and how it was known on a `?day=`."""
    opened = db.session()
    address = queries.household(opened, actor(), household_id)
    if address is None:
        abort(404)
    asked, is_day = _asked_day()
    told = event_queries.events_of(opened, household_id)
    changes = fact_queries.history(opened, household_id)
    page = render_template(
        "households/history.html",
        address=address,
        changes=changes,
        undoable=_undoable(changes, frozenset().union(*(line.changed for line in told))),
        declined=fact_queries.declined(opened, household_id),
        at_visit=_at_visits(changes, visits.days_there(opened, household_id)),
        events=told,
        cares=[care for care in event_queries.cares_of(opened, household_id) if care[0].raised_by],
        is_open=event_queries.is_open,
        past=event_queries.known_on(opened, address.household, asked) if asked else None,
        asked=asked,
        day_fault="" if is_day else advice(Fault("date")),
    )
    return page if is_day else (page, 422)


def _at_visits(changes: Iterable[fact_queries.Change], there: set[tuple[UUID, date]]) -> set[UUID]:
    """The changes that somebody made on a day on which they were at the door."""
    return {change.id for change in changes if (change.by, clock.local_day(change.changed_at)) in there}


def _asked_day() -> tuple[date | None, bool]:
    """The day that is asked for, if one is, and whether what was asked is a day that has been."""
    text = request.args.get("day", "")
    if not text:
        return None, True
    try:
        asked = read_date(text)
    except Fault:
        return None, False
    return (asked, True) if asked <= clock.today() else (None, False)


def _undoable(changes: Iterable[fact_queries.Change], by_event: frozenset[UUID]) -> set[UUID]:
    """The changes that may be taken back one by one: the newest of its fact, not made by an event."""
    newest: dict[tuple[UUID | None, str], UUID] = {}
    for change in changes:
        newest.setdefault((change.of, change.field), change.id)
    known = facts.OF_RESIDENT.keys() | facts.OF_HOUSEHOLD.keys()
    return {key for (_of, field), key in newest.items() if field in known} - by_event
