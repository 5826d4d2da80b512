"""Keeps apart what somebody wrote without signal about a door that is theirs no more, and shows it to the director."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from flask import Response, current_app, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from fieldapp import clock, db
from fieldapp.accounts import queries as accounts
from fieldapp.accounts.models import User
from fieldapp.guard import actor
from fieldapp.households import event_views, fact_views
from fieldapp.households.events import EventDraft
from fieldapp.households.models import FactProposal, Resident
from fieldapp.households.reading import Fault
from fieldapp.language import day as day_words
from fieldapp.language import listed
from fieldapp.pages import refuse
from fieldapp.sync import held_queries, holding, rules
from fieldapp.sync.held_queries import Answering, OpenItem
from fieldapp.sync.holding import CannotAccept, Form
from fieldapp.sync.models import HeldItem
from fieldapp.sync.rules import Charge, Item, Kind, Reason
from fieldapp.visits import operations as visit_operations
from fieldapp.visits import views as visits
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.photos import PhotoRefused, clean
from fieldapp.visits.views import MOST_PHOTOS

KINDS = {
    "visits.create": Kind.VISIT,
    "visits.add_photos": Kind.PHOTO,
    "visits.tick": Kind.TICK,
    "visits.untick": Kind.UNTICK,
    "facts.change_resident": Kind.FACT,
    "facts.change_household": Kind.FACT,
    "facts.decide": Kind.DECISION,
    "events.create": Kind.EVENT,
}
"""The forms that are filled at a door."""

_OF_HOUSEHOLD: dict[str, type[FollowUp | Resident | FactProposal]] = {
    "follow_up_id": FollowUp,
    "resident_id": Resident,
    "proposal_id": FactProposal,
}


class Aim(NamedTuple):
    """What a form is about: its kind and its household; of a photo its visit, and why that is held where it is."""

    kind: Kind
    household_id: UUID
    visit_id: UUID | None = None
    reason: Reason | None = None


# --- keeping apart


def aim_of(session: Session, user: User, path: str) -> Aim | None:
    """What a form sent to `path` is about, whoever may see it now; None for what is not of a door."""
    try:
        endpoint, values = current_app.url_map.bind("").match(path, method="POST")
    except HTTPException:
        return None
    kind = KINDS.get(str(endpoint))
    if kind is None:
        return None
    name, key = next(iter(values.items()))
    if kind == Kind.PHOTO:
        return _photographed(session, user, key)
    household_id = key if name == "household_id" else held_queries.household_of(session, _OF_HOUSEHOLD[name], key)
    return Aim(kind, household_id) if household_id else None


def _photographed(session: Session, user: User, visit_id: UUID) -> Aim | None:
    """A photo of a visit of this person's own, on record or held: then it is held with it."""
    if visit := session.get(Visit, visit_id):
        return Aim(Kind.PHOTO, visit.household_id, visit_id) if visit.visitor_id == user.id else None
    found = held_queries.held_visit(session, visit_id, user.id)
    if found is None or found.decided_at is not None or found.household_id is None:
        return None
    return Aim(Kind.PHOTO, found.household_id, visit_id, Reason(found.reason))


def reason_for(session: Session, user: User, household_id: UUID) -> Reason | None:
    """Why what this person wrote about a household is held; None where it is not: a door that is theirs, or has not
    been for long, or is of another community."""
    if not held_queries.is_of_community(session, household_id, user.community_id):
        return None
    today = clock.today()
    found = held_queries.charges(session, [(user.id, household_id)], today)[user.id, household_id]
    last = rules.last_charge(found)
    if last is None or last.until <= today - rules.THEIRS_FOR:
        return None
    if not user.active:
        return Reason.LEFT
    return last.reason if last.until <= today else None


def hold(session: Session, user: User, item: Item, path: str) -> HeldItem | Response | None:
    """Keep this request's form apart; the caller commits. None where it is nobody's to keep, an answer where the form
    is wrong whoever decides."""
    aim = aim_of(session, user, path)
    reason = aim and (aim.reason or reason_for(session, user, aim.household_id))
    if aim is None or reason is None:
        return None
    held = HeldItem(
        id=item.id,
        community_id=user.community_id,
        user_id=user.id,
        household_id=aim.household_id,
        visit_id=item.id if aim.kind == Kind.VISIT else aim.visit_id,
        kind=aim.kind,
        path=path,
        fields=[[name, value] for name, value in request.form.items(multi=True)],
        files=[],
        reason=reason,
        made_at=item.made_at,
        received_at=clock.now(),
    )
    if refused := _faults(session, user, held):
        return refused
    session.add(held)
    return held


def _faults(session: Session, user: User, held: HeldItem) -> Response | None:
    """What is wrong with a form whoever decides about it."""
    if held.kind == Kind.VISIT:
        return _visit_faults(session, user, held)
    if held.kind == Kind.PHOTO:
        return _photo_faults(session, held)
    if held.kind == Kind.FACT:
        try:
            holding.read_held_fact(held)
        except Fault as fault:
            return refuse(fact_views.advice(fault), {"value": fact_views.advice(fault)})
        except KeyError:
            return refuse(_("没收全，重新打开这一页再记。"))
    if held.kind == Kind.EVENT:
        words = {name: event_views.advice(fault) for name, fault in holding.read_held_event(held).faults.items()}
        return refuse(next(iter(words.values())), words) if words else None
    return None


def _visit_faults(session: Session, user: User, held: HeldItem) -> Response | None:
    draft = holding.read_held_visit(held)
    said = Form(held).one.get("visit_id")
    if said and rules.key_of(said) != held.id:
        draft.faults["form"] = "id"
    if draft.companion_id:
        companion = accounts.user_by_id(session, draft.companion_id)
        if companion is None or companion.community_id != user.community_id or companion.id == user.id:
            draft.faults["companion_id"] = "unknown"
    if not draft.faults:
        return None
    words = visits.fault_words(draft)
    return refuse(next(iter(words.values())), words)


def _photo_faults(session: Session, held: HeldItem) -> Response | None:
    """Clean the photo and put it away; rebuilding it takes a second, in which others may write."""
    files = request.files.getlist("photos")
    if len(files) != 1 or held.visit_id is None:
        return visits.refuse_photo(visits.photo_fault("empty"), status=400)
    count = held_queries.count_kept_photos(session, held.visit_id) + len(
        held_queries.open_photos(session, held.visit_id)
    )
    session.rollback()
    if count >= MOST_PHOTOS:
        return visits.refuse_photo(visits.too_many_photos())
    try:
        held.files = [visit_operations.store_photo(clean(files[0].read()), visits.photo_store())]
    except PhotoRefused as refusal:
        return visits.refuse_photo(visits.photo_fault(refusal.code))
    return None


# --- saying why


def words_for(session: Session, held: HeldItem) -> str:
    """Why an item is held, for its writer."""
    return _("%(why)s，等主任收下", why=_why_of(session, held))


def _why_of(session: Session, held: HeldItem) -> str:
    if held.household_id is None:
        return _("这扇门已经不在了")
    charges = held_queries.charges(session, [(held.user_id, held.household_id)], clock.today())
    return why(
        Reason(held.reason),
        rules.last_charge(charges[held.user_id, held.household_id]),
        held_queries.district_of(session, held.household_id),
        held_queries.answering(session, held.community_id, clock.today()),
    )


def why(reason: Reason, last: Charge | None, district_id: UUID | None, districts: dict[UUID, Answering]) -> str:
    """Why an item is held: where its door went, to whom its district, or that its writer left."""
    if reason is Reason.LEFT or last is None:
        return _("账号已经停用")
    when = day_words(last.until)
    if reason is Reason.PLACED:
        new = districts.get(district_id) if district_id else None
        if new is None:
            return _("这户 %(day)s不归任何包干区了", day=when)
        return _("这户 %(day)s划给了%(district)s", day=when, district=new.name)
    now = districts.get(last.district_id)
    if now is None or not now.people:
        return _("%(day)s起这个包干区没有人负责", day=when)
    return _("%(day)s起这个包干区归%(people)s", day=when, people=listed(now.people))


# --- showing it to the director


@dataclass
class Shown:
    """A held item as the director reads it; `words` is what was written, beside a visit's outcome."""

    door: OpenItem
    why: str
    draft: VisitDraft | None = None
    words: list[str] = field(default_factory=list)
    photos: int = 0

    @property
    def item(self) -> HeldItem:
        """The item itself."""
        return self.door.item

    @property
    def at(self) -> datetime:
        """When it was done, by the phone's clock."""
        said = self.draft.visited_at if self.draft else self.item.made_at
        return said or self.item.received_at

    @property
    def is_urgent(self) -> bool:
        """Whether its writer marked it as urgent."""
        return self.draft is not None and self.draft.is_urgent


def waiting() -> list[Shown]:
    """What waits for the director, urgent before all; a photo with its visit where that waits too."""
    opened, who = db.session(), actor()
    found = held_queries.open_items(opened, who)
    if not found or who.community_id is None:
        return []
    reader = _Reader(opened, who.community_id, found)
    visits_waiting = {door.item.id for door in found if door.item.kind == Kind.VISIT}
    shown = [reader.show(door) for door in found if door.item.visit_id not in visits_waiting - {door.item.id}]
    return sorted(shown, key=lambda one: not one.is_urgent)


class _Reader:
    """Puts held items into words; what they name is read once for all."""

    def __init__(self, session: Session, community_id: UUID, found: Sequence[OpenItem]) -> None:
        held = [door.item for door in found]
        pairs = {(item.user_id, item.household_id) for item in held if item.household_id}
        self.charges = held_queries.charges(session, [(user, home) for user, home in pairs if home], clock.today())
        self.districts = held_queries.answering(session, community_id, clock.today())
        self.photos = Counter(item.visit_id for item in held for _photo in item.files)
        targets = {kind: [rules.target_of(item.path) for item in held if item.kind == kind] for kind in Kind}
        self.promises = held_queries.promises(session, targets[Kind.TICK] + targets[Kind.UNTICK])
        self.names = held_queries.names(session, targets[Kind.FACT])
        self.events = {item.id: holding.read_held_event(item) for item in held if item.kind == Kind.EVENT}
        self.names |= held_queries.names(session, [key for draft in self.events.values() for key in draft.who])
        self.proposals = held_queries.proposals(session, targets[Kind.DECISION])

    def show(self, door: OpenItem) -> Shown:
        """One item in words."""
        held = door.item
        shown = Shown(door, self._why(door))
        if held.kind == Kind.VISIT:
            shown.draft, shown.photos = holding.read_held_visit(held), self.photos[held.id]
        elif held.kind == Kind.PHOTO:
            shown.photos = len(held.files)
        else:
            shown.words = [word for word in self._words(held) if word]
        return shown

    def _why(self, door: OpenItem) -> str:
        held = door.item
        if door.building is None or held.household_id is None:
            return _("这扇门已经不在了")
        last = rules.last_charge(self.charges[held.user_id, held.household_id])
        return why(Reason(held.reason), last, door.district_id, self.districts)

    def _words(self, held: HeldItem) -> list[str | None]:
        target = rules.target_of(held.path)
        if held.kind in (Kind.TICK, Kind.UNTICK):
            return [_("办到了") if held.kind == Kind.TICK else _("没办到"), self.promises.get(target)]
        if held.kind == Kind.DECISION:
            key, value, name = self.proposals.get(target, (None, None, None))
            is_taken = Form(held).one.get("choice") == "theirs"
            return [name, key and (_changed(key, value) if is_taken else _kept(key))]
        if held.kind == Kind.EVENT:
            return _happened(self.events[held.id], self.names)
        return [self.names.get(target), _changed(*holding.read_held_fact(held))]


def _happened(draft: EventDraft, names: Mapping[UUID, str]) -> list[str | None]:
    """What an event is, and whom it is about."""
    people = [*(person.name for person in draft.people), *(names[key] for key in draft.who if key in names)]
    return [
        event_views.event_word(draft.kind or ""),
        _("全家") if draft.everyone else None,
        listed(people) if people else None,
    ]


def _changed(key: str, value: str | None) -> str:
    return _("%(fact)s改成：%(value)s", fact=fact_views.fact_name(key), value=fact_views.fact_text(key, value))


def _kept(key: str) -> str:
    return _("%(fact)s不改", fact=fact_views.fact_name(key))


def advice(error: CannotAccept) -> str:
    """Why a held item cannot be recorded any more, and what to do."""
    if error.fault:
        return event_views.advice(error.fault)
    return {
        "gone": _("记的这扇门或者这件事已经不在了，只能不收。"),
        "corrected": _("这条已经有人更正过了，去更正最新的那条。"),
        "waits": _("它跟着的那条走访还没收，先收那条。"),
        "declined": _("它跟着的那条走访没有收，这条也只能不收。"),
        "full": _("那次走访已经有 %(n)s 张照片，放不下了。", n=MOST_PHOTOS),
        "changed": _("登记的又变了，到那一户的页面上看一眼再定。"),
    }[error.code]
