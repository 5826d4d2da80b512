"""Writes of what is kept apart: something written offline about a door that was no longer its writer's when it came."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households import facts
from fieldapp.households.event_operations import record_event
from fieldapp.households.events import EventDraft, read_event
from fieldapp.households.models import FactProposal, Household, Resident
from fieldapp.households.operations import change_fact, decide_proposal
from fieldapp.households.reading import Fault
from fieldapp.sync import held_queries, rules
from fieldapp.sync.models import HeldItem
from fieldapp.sync.rules import Kind
from fieldapp.visits import operations as visits
from fieldapp.visits.forms import VisitDraft, read_visit
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.operations import AlreadyCorrected
from fieldapp.visits.rules import day_of


class CannotAccept(ValueError):
    """It cannot be recorded any more, and stays open. `code` says why:

    - `gone`: the household, the visit or whatever it is about is there no more;
    - `corrected`: somebody corrected the same visit meanwhile;
    - `waits`: what it belongs to is held itself; that is to be taken first;
    - `declined`: what it belongs to was not taken;
    - `full`: the visit has as many photos as it may;
    - `changed`: the record is another than the writer saw;
    - `fault`: the record denies the value; `fault` says how.
    """

    def __init__(self, code: str, fault: Fault | None = None) -> None:
        super().__init__(code)
        self.code, self.fault = code, fault


class Form:
    """A held form as views read one: the first value of a field, or all of them."""

    def __init__(self, held: HeldItem) -> None:
        self.one: dict[str, str] = {}
        self.many: dict[str, list[str]] = {}
        for name, value in held.fields:
            self.one.setdefault(name, value)
            self.many.setdefault(name, []).append(value)


def read_held_visit(held: HeldItem) -> VisitDraft:
    """The visit that a held form says, as it would have been read on the day it came."""
    form = Form(held)
    draft = read_visit(form.one, form.many, held.received_at, held.made_at)
    draft.visit_id = held.id
    return draft


def accept(session: Session, actor: Actor, held: HeldItem, now: datetime, most_photos: int) -> None:
    """Record what is held as its writer's deed, once, and say who decided. Raises CannotAccept and writes nothing."""
    session.refresh(held, with_for_update=True)
    if held.decided_at is not None:
        return
    writer = session.get_one(User, held.user_id)
    household = session.get(Household, held.household_id) if held.household_id else None
    if household is None:
        raise CannotAccept("gone")
    _Acceptance(session, writer, household, held, now, most_photos).record()
    _decide(session, actor, held, now, is_accepted=True)


def decline(session: Session, actor: Actor, held: HeldItem, now: datetime) -> None:
    """Leave it unrecorded; a visit's photos with it."""
    session.refresh(held, with_for_update=True)
    if held.decided_at is not None:
        return
    if held.kind == Kind.VISIT:
        for photo in held_queries.open_photos(session, held.id):
            _decide(session, actor, photo, now, is_accepted=False)
    _decide(session, actor, held, now, is_accepted=False)


def _decide(session: Session, actor: Actor, held: HeldItem, now: datetime, *, is_accepted: bool) -> None:
    held.decided_at, held.decided_by_id, held.is_accepted = now, actor.user_id, is_accepted
    leave_trace(
        session,
        deed="held.acceptance" if is_accepted else "held.refusal",
        at=now,
        user_id=actor.user_id,
        community_id=held.community_id,
        subject=str(held.id),
        kind=held.kind,
        reason=held.reason,
    )
    session.flush()


class _Acceptance:
    """One held item on its way into the records, as its writer's."""

    def __init__(
        self, session: Session, writer: User, household: Household, held: HeldItem, now: datetime, most_photos: int
    ) -> None:
        self.session, self.household, self.held, self.now = session, household, held, now
        self.most_photos = most_photos
        self.writer = Actor(writer.id, writer.name, Role(writer.role), writer.community_id)
        self.done_at = min(held.made_at or held.received_at, held.received_at)

    def record(self) -> None:
        deeds: dict[Kind, Callable[[], None]] = {
            Kind.VISIT: self._visit,
            Kind.PHOTO: self._photo,
            Kind.TICK: self._tick,
            Kind.UNTICK: self._tick,
            Kind.FACT: self._fact,
            Kind.DECISION: self._decision,
            Kind.EVENT: self._event,
        }
        deeds[Kind(self.held.kind)]()

    def _visit(self) -> None:
        draft = read_held_visit(self.held)
        known = held_queries.residents_among(self.session, self.household.id, draft.met_ids)
        draft.met_ids = [key for key in draft.met_ids if key in known]
        try:
            visit = visits.record_visit(
                self.session, self.writer, self.household, draft, self.now, corrects=self._corrected()
            )
        except AlreadyCorrected as error:
            raise CannotAccept("corrected") from error
        for photo in held_queries.open_photos(self.session, self.held.id):
            self._attach(visit, photo)
            photo.decided_at, photo.is_accepted = self.now, True

    def _corrected(self) -> Visit | None:
        key = rules.key_of(Form(self.held).one.get("corrects_id", ""))
        if key is None:
            return None
        return self._visit_of(key)

    def _visit_of(self, key: UUID) -> Visit:
        """A visit at this household that something belongs to."""
        visit = self.session.get(Visit, key)
        if visit and visit.household_id == self.household.id:
            return visit
        held = held_queries.item(self.session, key)
        if held is None:
            raise CannotAccept("gone")
        raise CannotAccept("waits" if held.decided_at is None else "declined")

    def _photo(self) -> None:
        visit = self._visit_of(rules.target_of(self.held.path))
        self._attach(visit, self.held)

    def _attach(self, visit: Visit, photo: HeldItem) -> None:
        for said in photo.files:
            if held_queries.count_kept_photos(self.session, visit.id) >= self.most_photos:
                raise CannotAccept("full")
            visits.attach_photo(self.session, visit, photo.id, said)

    def _tick(self) -> None:
        follow_up = self._target(FollowUp)
        if self.held.kind == Kind.TICK:
            visits.tick(follow_up, self.writer.user_id, self.done_at)
        else:
            visits.untick(follow_up)
        self.session.flush()

    def _fact(self) -> None:
        form = Form(self.held).one
        is_of_resident = self.held.path.startswith("/residents/")
        resident = self._target(Resident) if is_of_resident else None
        field, value = read_held_fact(self.held)
        saw = facts.told(form.get(f"saw-{field}"))
        try:
            change_fact(
                self.session, self.writer, self.household, resident, field, saw, value, self.done_at, self.held.id
            )
        except Fault as fault:
            raise CannotAccept("fault", fault) from fault

    def _decision(self) -> None:
        form, proposal = Form(self.held).one, self._target(FactProposal)
        kept = form.get("saw")
        try:
            is_decided = decide_proposal(
                self.session,
                self.writer,
                proposal,
                accept=form.get("choice") == "theirs",
                now=self.done_at,
                kept=None if kept is None else facts.told(kept) or "",
            )
        except Fault as fault:
            raise CannotAccept("fault", fault) from fault
        if not is_decided:
            raise CannotAccept("changed")

    def _event(self) -> None:
        draft = read_held_event(self.held)
        sightings = visits.sightings_of(self.session, self.household.id)
        try:
            record_event(
                self.session,
                self.writer,
                self.household,
                draft,
                self.done_at,
                day_of(self.now),
                sightings,
                self.held.id,
            )
        except Fault as fault:
            raise CannotAccept("fault", fault) from fault

    def _target(self, model: Any) -> Any:
        """What the form's address names, at this household."""
        found = self.session.get(model, rules.target_of(self.held.path))
        if found is None or found.household_id != self.household.id:
            raise CannotAccept("gone")
        return found


def read_held_fact(held: HeldItem) -> tuple[str, str | None]:
    """The fact that a held form changes, and its new value. Raises Fault; KeyError for a fact that there is not."""
    form = Form(held).one
    known = facts.OF_RESIDENT if held.path.startswith("/residents/") else facts.OF_HOUSEHOLD
    fact = known[form.get("field", "")]
    return fact.key, facts.read_fact(fact, form.get("value", ""), bool(form.get("none")), day_of(held.received_at))


def read_held_event(held: HeldItem) -> EventDraft:
    """The event that a held form says, as it would have been read on the day it came."""
    form = Form(held)
    received_on = day_of(held.received_at)
    said_on = day_of(min(held.made_at or held.received_at, held.received_at))
    return read_event(form.one, form.many, received_on, said_on)
