"""What happened in a household: its short forms, what becomes of them, and taking back a change or an event."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from flask import Blueprint, abort, current_app, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, roles
from fieldapp.households import (
    care_operations,
    dynamic,
    event_operations,
    event_queries,
    events,
    fact_views,
    queries,
)
from fieldapp.households.events import EventDraft
from fieldapp.households.models import CareMembership, Resident
from fieldapp.households.queries import Address
from fieldapp.households.reading import Fault
from fieldapp.households.rules import EventKind
from fieldapp.language import day as day_words
from fieldapp.pages import done_at, go, outbox_item, refuse
from fieldapp.visits.operations import sightings_of

bp = Blueprint("events", __name__)

KINDS = {
    EventKind.MOVED_IN: _l("搬来"),
    EventKind.MOVED_OUT: _l("搬走"),
    EventKind.BORN: _l("出生"),
    EventKind.DIED: _l("去世"),
    EventKind.MARRIED: _l("结婚"),
    EventKind.SPLIT: _l("分户"),
    EventKind.TENANTS: _l("租客"),
    EventKind.DISPUTE: _l("闹矛盾"),
}


@bp.app_template_global()
def event_word(kind: str) -> str:
    """搬来, 去世, …"""
    return str(KINDS[EventKind(kind)])


@bp.app_template_global()
def stand_word(occupancy: str) -> str:
    """自家住, 租住, …"""
    return str(fact_views.STANDS[occupancy])


@bp.app_template_global()
def fact_is_named(key: str) -> bool:
    """Whether a fact has a name that people read."""
    return key in fact_views.NAMES


@bp.app_template_global()
def care_reason(membership: CareMembership) -> str:
    """Why a household is visited often: what a person wrote, or what a rule says, in words."""
    if membership.raised_by is None:
        return membership.reason or ""
    code, on = dynamic.says(membership.reason or "")
    when = day_words(on) if on else ""
    known = {
        "age 60": _("满 60 岁"),
        "age 80": _("满 80 岁"),
        "temporary": _("流动人口"),
        "dispute": _("%(day)s闹了矛盾", day=when),
        "arrived": _("%(day)s搬来，不到 90 天", day=when),
        "permit_ends": _("居住证 %(day)s到期", day=when),
        "permit_over": _("居住证 %(day)s过期了", day=when),
    }
    return known.get(code, membership.reason or "")


@bp.app_template_global()
def care_ending(membership: CareMembership) -> str:
    """Why a membership ended, in words."""
    why = membership.ended_why or ""
    known = {
        "moved": _("搬走了"),
        "died": _("去世了"),
        "split": _("分到新户"),
        "mistake": _("记错了"),
        "left": _("不在这一户了"),
        "new_arrival": _("搬来满 90 天"),
        "temporary": _("不是流动人口了"),
        "elder60": _("年龄改了"),
        "elder80": _("年龄改了"),
    }
    return known.get(why, why)


@bp.get("/events/new")
@roles(Role.WORKER)
def blank() -> str:
    """The forms without a household: a phone without signal fills in whose door it is, from the pages it has."""
    return blank_page()


def blank_page() -> str:
    """The forms that a pack carries once for all households."""
    return _page(None, (), None)


@bp.get("/households/<uuid:household_id>/events/new")
@roles(Role.WORKER, Role.DIRECTOR)
def new(household_id: UUID) -> str:
    """The forms for what happened in a household, the one that is asked for open."""
    kind = request.args.get("kind", "")
    address = _address(household_id)
    draft = EventDraft(EventKind(kind) if kind in KINDS else None, clock.today())
    return _page(address, queries.residents_of(db.session(), household_id), draft)


def _page(
    address: Address | None,
    residents: Sequence[Resident],
    draft: EventDraft | None,
    faults: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "households/event.html",
        address=address,
        residents=residents,
        kinds=KINDS,
        opened=draft.kind if draft else None,
        faults=faults or {},
        typed=request.form if faults else {},
        rows=range(1, events.MOST_PEOPLE + 1),
    )


def _address(household_id: UUID) -> Address:
    address = queries.household(db.session(), actor(), household_id)
    if address is None:
        abort(404)
    return address


@bp.post("/households/<uuid:household_id>/events")
@roles(Role.WORKER, Role.DIRECTOR)
def create(household_id: UUID) -> AnyResponse | tuple[str, int]:
    """Record what happened, with all that follows from it."""
    opened, address = db.session(), _address(household_id)
    draft = read_form(request.form, request.form.getlist("who"), clock.local_day(_written_at()))
    if draft.faults:
        return _faulty(household_id, draft, {name: advice(fault) for name, fault in draft.faults.items()})
    try:
        event_operations.record_event(
            opened,
            actor(),
            address.household,
            draft,
            _written_at(),
            clock.today(),
            sightings_of(opened, household_id),
            _event_id(),
        )
    except Fault as fault:
        db.give_up()
        return _faulty(household_id, draft, {"form": advice(fault)})
    refresh_care(household_id)
    opened.commit()
    flash(_("记下了：%(what)s。", what=event_word(draft.kind or "")))
    return go(url_for("households.show", household_id=household_id))


def read_form(form: Mapping[str, str], who: Sequence[str], said_on: date) -> EventDraft:
    """An event's form, read today."""
    return events.read_event(form, {"who": who}, clock.today(), said_on)


def refresh_care(household_id: UUID) -> None:
    """Let the rules look at a household whose facts have changed."""
    community_id = actor().community_id
    if community_id:
        care_operations.apply_dynamic_care(db.session(), community_id, clock.today(), [household_id])


def care_of_today() -> None:
    """Let the rules look at the whole community once a day: before its first pack, which every phone renews daily.

    Each process of the program does so once; the second finds nothing to do.
    """
    done: dict[UUID, date] = current_app.extensions.setdefault("fieldapp-care", {})
    community_id, today = actor().community_id, clock.today()
    if community_id is None or done.get(community_id) == today:
        return
    with db.writing() as opened:
        care_operations.apply_dynamic_care(opened, community_id, today)
    done[community_id] = today


def _written_at() -> datetime:
    """When the event was written down, by the phone's clock where that can be true."""
    at, now = done_at(), clock.now()
    return at if at > now - fact_views.OLDEST else now


def _event_id() -> UUID | None:
    """The event's own key: the item's, where a phone's outbox sends it; None where the phone made none."""
    if item := outbox_item():
        return item.id
    try:
        key = request.form.get("event_id")
        return UUID(key) if key else None
    except ValueError:
        abort(422, _("没收全，重新打开这一页再记。"))


def _faulty(household_id: UUID, draft: EventDraft, words: dict[str, str]) -> AnyResponse | tuple[str, int]:
    """The form again with what was typed and what would be right; to a phone's outbox only the words."""
    if outbox_item():
        return refuse(next(iter(words.values())), words)
    address = _address(household_id)
    return _page(address, queries.residents_of(db.session(), household_id), draft, words), 422


def advice(fault: Fault) -> str:
    """What would be right."""
    words = {
        "kind": _("没收全，重新打开这一页再记。"),
        "form": _("没收全，重新打开这一页再记。"),
        "people": _("至少写一个人的姓名。"),
        "name": _("这一行还没写姓名。"),
        "two_heads": _("户主只能有一个。"),
        "who": _("先点一下是谁。"),
        "one": _("一次只记一个人，别的人再记一次。"),
        "who_gone": _("点的人已经不在这一户了，重新打开这一页再记。"),
        "here": _("这一户已经登记了%(name)s。", name=fault.detail),
        "stay": _("不能全都分出去，至少留一个人。"),
        "head_stays": _("新户的户主要在分出去的人里选。"),
        "empty": _("这一户本来就没有登记的人。"),
        "later": _("后来又变过了，不能直接撤。看一眼现在的，再改一处。"),
        "not_here": _("这一处不能在这里改回来。"),
        "by_event": _("这是家里一次变动带来的，要撤就撤那次变动。"),
    }
    return str(words[fault.code]) if fault.code in words else fact_views.advice(fault)


@bp.post("/events/<uuid:event_id>/undo")
@roles(Role.WORKER, Role.DIRECTOR)
def undo(event_id: UUID) -> AnyResponse:
    """Take an event back by new changes."""
    opened = db.session()
    found = event_queries.event(opened, actor(), event_id)
    if found is None:
        abort(404)
    event, household = found
    try:
        event_operations.undo_event(
            opened, actor(), event, household, clock.now(), clock.today(), sightings_of(opened, household.id)
        )
    except Fault as fault:
        db.give_up()
        abort(422, advice(fault))
    refresh_care(household.id)
    opened.commit()
    flash(_("撤回了：%(what)s。", what=event_word(event.kind)))
    return go(url_for("facts.history", household_id=household.id))


@bp.post("/changes/<uuid:change_id>/undo")
@roles(Role.WORKER, Role.DIRECTOR)
def undo_change(change_id: UUID) -> AnyResponse:
    """Take a change back by a new one."""
    opened = db.session()
    found = event_queries.change(opened, actor(), change_id)
    if found is None:
        abort(404)
    change, household, resident = found
    try:
        event_operations.undo_change(opened, actor(), change, household, resident, clock.now())
    except Fault as fault:
        db.give_up()
        abort(422, advice(fault))
    refresh_care(household.id)
    opened.commit()
    flash(_("改回来了：%(fact)s。", fact=fact_views.fact_name(change.field)))
    return go(url_for("facts.history", household_id=household.id))
