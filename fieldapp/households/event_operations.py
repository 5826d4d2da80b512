"""Writes what happened in a household, and takes it back. Every effect stands in the history at the event's moment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.households import event_queries, events, facts, operations, queries, rules
from fieldapp.households.events import EventDraft, NewPerson
from fieldapp.households.freshness import RHYTHMS
from fieldapp.households.history import ZONE, change_key
from fieldapp.households.models import CareMembership, FactChange, Household, LifeEvent, OccupancyPeriod, Resident
from fieldapp.households.reading import Fault
from fieldapp.households.rules import EMPTY, HEAD, EventKind, Left, Occupancy, Sighting
from fieldapp.places.rules import ALWAYS, FOREVER

GONE_WITH = {Left.MOVED: Occupancy.GONE, Left.DIED: Occupancy.VACANT}
"""How a household stands once its last person left."""


def record_event(
    session: Session,
    actor: Actor,
    household: Household,
    draft: EventDraft,
    at: datetime,
    today: date,
    sightings: Iterable[Sighting],
    event_id: UUID | None = None,
) -> LifeEvent:
    """Write an event with all it changes, once under its key; `at` is when it was written down, `today` the server's.

    The household was fetched through the wall, the draft has no faults; `sightings` are what its standing visits saw.
    Raises reading.Fault and has written nothing worth keeping: `who_gone` (somebody chosen does not live here any
    more), `here` (the name of somebody new who is here already), `head_taken` (the head's name), `stay` (a split that
    leaves nobody behind), `empty` (nobody lives here).
    """
    if draft.faults or draft.kind is None:
        raise ValueError("a draft with faults cannot be recorded")
    queries.hold(session, household)
    key = event_id or uuid7()
    if known := session.get(LifeEvent, key):
        if known.household_id == household.id and known.recorded_by_id == actor.user_id:
            return known
        key = uuid7()  # another event under a key that is taken: it must not be lost
    deed = _Deed(session, actor, household, at, today, list(sightings), key)
    return _Event(deed, draft).record()


def set_occupancy(
    session: Session, household: Household, occupancy: Occupancy, today: date, sightings: Iterable[Sighting]
) -> None:
    """Register how a household stands from today on; past days stay as they are."""
    seen = list(sightings)
    kept = queries.occupancy_periods(session, household.id)
    registered = [(period.since, Occupancy(period.occupancy)) for period in kept if period.visit_id is None]
    since = events.stands_from(occupancy, today, registered, seen)
    session.add(
        OccupancyPeriod(
            community_id=household.community_id,
            household_id=household.id,
            since=since,
            until=FOREVER,
            occupancy=occupancy,
        )
    )
    session.flush()
    operations.rebuild_occupancy(session, household, seen)


@dataclass
class _Deed:
    """Somebody changing several facts of a household in one moment, each with its place in the history."""

    session: Session
    actor: Actor
    household: Household
    at: datetime
    today: date
    sightings: list[Sighting]
    key: UUID
    """Of the event: every key that it makes follows from it."""

    def __post_init__(self) -> None:
        self.at = event_queries.next_moment(self.session, [self.household.id], self.at)
        self.people = {one.id: one for one in queries.residents_of(self.session, self.household.id)}

    def note(self, resident: Resident | None, name: str, old: str | None, new: str | None) -> None:
        """A line of the history."""
        whose = resident or self.household
        self.session.add(
            FactChange(
                id=change_key(self.key, whose.id, name),
                community_id=self.household.community_id,
                household_id=self.household.id,
                resident_id=resident.id if resident else None,
                field=name,
                old=old,
                new=new,
                changed_by_id=self.actor.user_id,
                changed_at=self.at,
            )
        )

    def change(self, resident: Resident | None, name: str, value: Any) -> None:
        """Set one fact, with its line of the history; what is so already stays."""
        whose = resident or self.household
        old, new = facts.told(getattr(whose, name)), facts.told(value)
        if old == new:
            return
        self.note(resident, name, old, new)
        setattr(whose, name, value)
        self.session.flush()

    def stand(self, occupancy: Occupancy) -> None:
        """From now on the household stands like this."""
        if self.household.occupancy != occupancy:
            self.note(None, "occupancy", self.household.occupancy, occupancy)
            set_occupancy(self.session, self.household, occupancy, self.today, self.sightings)
            self.stamp(None, "occupancy")

    def stamp(self, resident: Resident | None, *names: str) -> None:
        """What was just written was looked at: it is fresh. Facts that never go stale need no stamp."""
        day = self.at.astimezone(ZONE).date()
        for name in names:
            if name in RHYTHMS and self.actor.user_id and getattr(resident or self.household, name) is not None:
                whose = resident.id if resident else None
                operations.stamp_fact(self.session, self.household, whose, name, day, self.at, self.actor.user_id)

    def house(self, resident: Resident, household: Household) -> None:
        """Somebody is of another household of this door."""
        self.note(resident, "household", str(resident.household_id), str(household.id))
        resident.household_id = household.id
        self.session.flush()


@dataclass
class _Event:
    """An event on its way into the records."""

    deed: _Deed
    draft: EventDraft
    arrived: list[Resident] = field(default_factory=list)
    other: Household | None = None

    def __post_init__(self) -> None:
        self.session, self.household = self.deed.session, self.deed.household
        self.day = events.counted_from(self.draft.happened_on, self.deed.today)

    def record(self) -> LifeEvent:
        deeds: dict[EventKind, Callable[[], None]] = {
            EventKind.MOVED_IN: self._moved_in,
            EventKind.MOVED_OUT: self._moved_out,
            EventKind.BORN: self._born,
            EventKind.DIED: self._died,
            EventKind.MARRIED: self._married,
            EventKind.SPLIT: self._split,
            EventKind.TENANTS: self._tenants,
            EventKind.DISPUTE: self._dispute,
        }
        kind = EventKind(self.draft.kind or "")
        chosen = self._chosen()
        deeds[kind]()
        event = LifeEvent(
            id=self.deed.key,
            community_id=self.household.community_id,
            household_id=self.household.id,
            resident_id=(chosen or self.arrived)[0].id if chosen or self.arrived else None,
            other_household_id=self.other.id if self.other else None,
            kind=kind,
            happened_on=self.draft.happened_on,
            recorded_at=self.deed.at,
            recorded_by_id=self.deed.actor.user_id,
            note=self.draft.note,
        )
        self.session.add(event)
        self.session.flush()
        return event

    # --- the kinds

    def _moved_in(self) -> None:
        self._come_in()

    def _tenants(self) -> None:
        for person in self._chosen():
            self._leave(person, Left.MOVED)
        self._new_head()
        self.draft.occupancy = Occupancy.RENT
        self._come_in()

    def _come_in(self) -> None:
        """New people, and with the first of them the household that lives here."""
        was_empty = self.household.occupancy in EMPTY
        for number, person in enumerate(self.draft.people, 1):
            self._add(number, person)
        if was_empty or self.draft.kind is EventKind.TENANTS:
            self.deed.change(None, "moved_in_on", self.day)
        if self.draft.occupancy:
            self.deed.stand(self.draft.occupancy)
        elif was_empty:
            self.deed.stand(Occupancy.UNKNOWN)

    def _moved_out(self) -> None:
        for person in self._chosen():
            self._leave(person, Left.MOVED)
        self._after_leaving(Left.MOVED)

    def _born(self) -> None:
        for number, person in enumerate(self.draft.people[:1], 1):
            self._add(number, person)

    def _died(self) -> None:
        for person in self._chosen():
            self._leave(person, Left.DIED)
        self._after_leaving(Left.DIED)

    def _married(self) -> None:
        for one in self._chosen():
            self.deed.change(one, "marital", self.draft.marital)
        for number, person in enumerate(self.draft.people[:1], 1):
            self._add(number, person, marital=self.draft.marital)

    def _split(self) -> None:
        movers = self._chosen()
        if len(movers) == len(self.deed.people):
            raise Fault("stay")
        self.other = self._next_door()
        head = self._head_of(movers)
        for person in movers:
            if person.is_head and person is not head:
                self.deed.change(person, "relation", None)
        for person in movers:
            self.deed.house(person, self.other)
            self._take_cares(person, self.other)
            del self.deed.people[person.id]
        if head:
            self.deed.change(head, "relation", HEAD)

    def _dispute(self) -> None:
        """Whoever quarrels is visited soon and often, until somebody says that it is over."""
        group = event_queries.care_group(self.session, self.household.community_id, EventKind.DISPUTE)
        cares = event_queries.memberships_of(self.session, self.household.id)
        if group is None or any(care.group_id == group.id and event_queries.is_open(care) for care in cares):
            return
        self.session.add(
            CareMembership(
                community_id=self.household.community_id,
                household_id=self.household.id,
                group_id=group.id,
                since=self.day,
                reason=f"dispute {self.draft.happened_on.isoformat()}",
                review_on=self.day + events.DISPUTE_REVIEW,
                raised_by=EventKind.DISPUTE,
            )
        )

    # --- what they are made of

    def _chosen(self) -> list[Resident]:
        """Whom the form names, all of whom must still live here."""
        if self.draft.everyone:
            if not self.deed.people and self.draft.kind is EventKind.MOVED_OUT:
                raise Fault("empty")
            return list(self.deed.people.values())
        if any(key not in self.deed.people for key in self.draft.who):
            raise Fault("who_gone")
        return [self.deed.people[key] for key in self.draft.who]

    def _add(self, number: int, person: NewPerson, **more: Any) -> None:
        """Somebody new; their key follows from the event's, so that a form sent twice makes them once."""
        for other in self.deed.people.values():
            if other.name == person.name:  # two colleagues heard the same news; no family gives a name twice
                raise Fault("here", person.name)
            if person.relation == HEAD and other.is_head:
                raise Fault("head_taken", other.name)
        pinyin, initials = rules.pinyin_keys(person.name)
        made = Resident(
            id=uuid5(self.deed.key, f"person {number}"),
            community_id=self.household.community_id,
            household_id=self.household.id,
            position=max((one.position for one in self.deed.people.values()), default=-1) + 1,
            name=person.name,
            pinyin=pinyin,
            initials=initials,
            relation=person.relation,
            sex=person.sex,
            birth_date=person.birth_date,
            phone=person.phone,
            phone_tail=rules.phone_tail(person.phone),
            is_temporary=self.draft.is_temporary,
            recorded_on=self.deed.at.astimezone(ZONE).date(),
            **more,
        )
        self.session.add(made)
        self.session.flush()
        self.deed.people[made.id] = made
        self.arrived.append(made)
        self.deed.change(made, "arrived_on", self.day)
        self.deed.stamp(made, "phone")

    def _leave(self, person: Resident, why: Left) -> None:
        self.deed.change(person, "left_on", self.day)
        person.left_why = why
        for care in event_queries.memberships_of(self.session, self.household.id, [person.id]):
            _end(care, self.day, why)
        del self.deed.people[person.id]

    def _after_leaving(self, why: Left) -> None:
        """The next head, or an empty household."""
        self._new_head()
        if not self.deed.people:
            for care in event_queries.memberships_of(self.session, self.household.id):
                _end(care, self.day, why)
            if self.household.occupancy not in EMPTY:
                self.deed.stand(GONE_WITH[why])

    def _new_head(self) -> None:
        if self.draft.head is None:
            return
        head = self.deed.people.get(self.draft.head)
        if head is None:
            raise Fault("who_gone")
        for other in self.deed.people.values():
            if other.is_head and other is not head:
                raise Fault("head_taken", other.name)
        self.deed.change(head, "relation", HEAD)

    def _head_of(self, movers: list[Resident]) -> Resident | None:
        """Who is the head of the household that moves out: whom the form says, the only one, or who was it before."""
        if self.draft.head:
            named = next((person for person in movers if person.id == self.draft.head), None)
            if named is None:
                raise Fault("head_stays")
            return named
        return movers[0] if len(movers) == 1 else next((person for person in movers if person.is_head), None)

    def _next_door(self) -> Household:
        """A household behind the same door; before today there was none, so no past figure counts it."""
        lives = Occupancy(self.household.occupancy)
        made = Household(
            id=uuid5(self.deed.key, "household"),
            community_id=self.household.community_id,
            dwelling_id=self.household.dwelling_id,
            number=event_queries.numbers_behind(self.session, self.household.dwelling_id) + 1,
            occupancy=Occupancy.UNKNOWN if lives in EMPTY else lives,
        )
        self.session.add(made)
        self.session.flush()
        for since, occupancy in ((ALWAYS, Occupancy.VACANT), (self.deed.today, made.occupancy)):
            self.session.add(
                OccupancyPeriod(community_id=made.community_id, household_id=made.id, since=since, occupancy=occupancy)
            )
            self.session.flush()
        operations.rebuild_occupancy(self.session, made, ())
        return made

    def _take_cares(self, person: Resident, other: Household) -> None:
        """What somebody is visited for goes with them."""
        for care in event_queries.memberships_of(self.session, self.household.id, [person.id]):
            if not event_queries.is_open(care):
                continue
            since = max(care.since, self.deed.today)
            self.session.add(
                CareMembership(
                    community_id=care.community_id,
                    household_id=other.id,
                    resident_id=person.id,
                    group_id=care.group_id,
                    since=since,
                    reason=care.reason,
                    review_on=care.review_on,
                    raised_by=care.raised_by,
                )
            )
            care.until, care.ended_why = since, SPLIT
        self.session.flush()


SPLIT = "split"


def _end(care: CareMembership, day: date, why: str) -> None:
    if event_queries.is_open(care):
        care.until, care.ended_why = max(care.since, day), why


# --- taking back


def undo_change(
    session: Session, actor: Actor, change: FactChange, household: Household, resident: Resident | None, at: datetime
) -> None:
    """Write a fact's earlier value as a new change; doing it twice does it once.

    Raises reading.Fault: `by_event` (an event made it, take that back), `not_here` (it is no fact that is changed at a
    door), `later` (it is not the fact's newest change), and what `operations.change_fact` raises.
    """
    queries.hold(session, household)
    key = uuid5(change.id, "undo")
    if session.get(FactChange, key):
        return
    known = facts.OF_RESIDENT if resident else facts.OF_HOUSEHOLD
    if event_queries.event_of_change(session, change):
        raise Fault("by_event")
    if change.field not in known:
        raise Fault("not_here")
    last = event_queries.last_changes(session, [household.id], [resident.id] if resident else [])
    if last[change.resident_id, change.field].id != change.id or (resident and resident.left_on):
        raise Fault("later")
    if facts.told(getattr(resident or household, change.field)) != change.new:
        raise Fault("later")
    operations.change_fact(session, actor, household, resident, change.field, change.new, change.old, at, key)


def undo_event(
    session: Session,
    actor: Actor,
    event: LifeEvent,
    household: Household,
    at: datetime,
    today: date,
    sightings: Iterable[Sighting],
) -> None:
    """Take an event back by new changes; what it was stays in the history. Doing it twice does it once.

    Who came with it has left again, by mistake. Raises reading.Fault: `later` (something it changed was changed since,
    or somebody else is the head now).
    """
    queries.hold(session, household)
    session.refresh(event)
    if event.undone_at is not None:
        return
    deed = _Deed(session, actor, household, at, today, list(sightings), uuid5(event.id, "undo"))
    _Undoing(deed, event).take_back()
    event.undone_at, event.undone_by_id = deed.at, actor.user_id
    session.flush()


@dataclass
class _Undoing:
    deed: _Deed
    event: LifeEvent

    def __post_init__(self) -> None:
        self.session, self.household = self.deed.session, self.deed.household
        self.changes = event_queries.changes_at(self.session, self.event)
        self.people = event_queries.residents(self.session, {c.resident_id for c in self.changes if c.resident_id})
        self.reopens = any(c.field == "occupancy" for c in self.changes)

    def take_back(self) -> None:
        self._check_newest()
        came = {c.resident_id for c in self.changes if c.field == "arrived_on" and c.old is None}
        for change in sorted(self.changes, key=_order):
            person = self.people.get(change.resident_id) if change.resident_id else None
            if person and person.id in came:
                continue
            self._reverse(change, person)
        for key in came:
            if key:
                self._send_off(self.people[key])
        if self.event.kind == EventKind.DISPUTE:
            for care in event_queries.memberships_of(self.session, self.household.id):
                if care.raised_by == EventKind.DISPUTE:
                    _end(care, self.deed.today, Left.MISTAKE)
        if self.event.other_household_id:
            self._close(self.session.get_one(Household, self.event.other_household_id))

    def _check_newest(self) -> None:
        homes = [self.household.id]
        last = event_queries.last_changes(self.session, homes, list(self.people))
        for change in self.changes:
            if last[change.resident_id, change.field].id != change.id:
                raise Fault("later")
        if any(c.field == "occupancy" and c.new != self.household.occupancy for c in self.changes):
            raise Fault("later")
        left = {c.resident_id for c in self.changes if c.field == "left_on"}
        if any(person.left_on for person in self.people.values() if person.id not in left):
            raise Fault("later")

    def _reverse(self, change: FactChange, person: Resident | None) -> None:
        if change.field == "occupancy" and change.old:
            self.deed.stand(Occupancy(change.old))
        elif change.field == "household" and person:
            self._check_head(person, change)
            self.deed.house(person, self.household)
            self._bring_cares(person)
        else:
            if person and change.field in ("relation", "left_on"):
                self._check_head(person, change)
            self.deed.change(person, change.field, _value(change.field, change.old))
            if person and change.field == "left_on":
                person.left_why = None
                self._revive_cares(person)

    def _check_head(self, person: Resident, change: FactChange) -> None:
        """Two heads there cannot be: somebody else may have become it since."""
        will_be = change.old == HEAD if change.field == "relation" else person.is_head
        living = queries.residents_of(self.session, self.household.id)
        if will_be and any(other.is_head and other is not person for other in living):
            raise Fault("later")

    def _send_off(self, person: Resident) -> None:
        day = max(person.arrived_on or self.deed.today, self.deed.today)
        self.deed.change(person, "left_on", day)
        person.left_why = Left.MISTAKE
        for care in event_queries.memberships_of(self.session, self.household.id, [person.id]):
            _end(care, day, Left.MISTAKE)

    def _revive_cares(self, person: Resident) -> None:
        """What ended because somebody left goes on."""
        for care in event_queries.memberships_of(self.session, self.household.id):
            is_concerned = care.resident_id == person.id or (care.resident_id is None and self.reopens)
            if is_concerned and care.ended_why in (Left.MOVED, Left.DIED):
                care.until, care.ended_why = FOREVER, None
        self.session.flush()

    def _bring_cares(self, person: Resident) -> None:
        other = self.event.other_household_id
        for care in event_queries.memberships_of(self.session, other, [person.id]) if other else ():
            _end(care, max(care.since, self.deed.today), Left.MISTAKE)
        for care in event_queries.memberships_of(self.session, self.household.id, [person.id]):
            if care.ended_why == SPLIT:
                care.until, care.ended_why = FOREVER, None
        self.session.flush()

    def _close(self, other: Household) -> None:
        """Nobody is left in the household that had split off."""
        if not queries.residents_of(self.session, other.id):
            set_occupancy(self.session, other, Occupancy.VACANT, self.deed.today, ())


def _order(change: FactChange) -> tuple[bool, bool, str]:
    """Nobody is the head twice on the way: who stops being it first, who is it again last."""
    is_relation = change.field == "relation"
    return is_relation and change.old == HEAD, not is_relation, str(change.id)


def _value(field: str, text: str | None) -> Any:
    if field in ("arrived_on", "left_on", "moved_in_on"):
        return date.fromisoformat(text) if text else None
    return facts.value_of(field, text)
