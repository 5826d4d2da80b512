"""Writes to the registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.households import fact_queries, facts, queries, rules
from fieldapp.households.defaults import CARE_GROUPS, TOPICS
from fieldapp.households.facts import Meeting
from fieldapp.households.freshness import RHYTHMS
from fieldapp.households.models import (
    CareGroup,
    FactChange,
    FactProposal,
    FactStamp,
    Household,
    OccupancyPeriod,
    Resident,
)
from fieldapp.households.rules import Occupancy, Sighting
from fieldapp.places.models import Community, Dwelling
from fieldapp.places.rules import day_of


def rebuild_occupancy(session: Session, household: Household, sightings: Iterable[Sighting]) -> None:
    """Make a household's occupancy timeline anew from what the registry says and what its standing visits saw."""
    kept = queries.occupancy_periods(session, household.id)
    registered = [(period.since, Occupancy(period.occupancy)) for period in kept if period.visit_id is None]
    stands = rules.occupancy_timeline(registered, sightings)
    for period in kept:
        session.delete(period)
    session.flush()
    session.add_all(
        OccupancyPeriod(
            community_id=household.community_id,
            household_id=household.id,
            since=stand.since,
            until=stand.until,
            occupancy=stand.occupancy,
            visit_id=stand.visit_id,
        )
        for stand in stands
    )
    household.occupancy = stands[-1].occupancy
    session.flush()


def add_default_care_groups(session: Session, community: Community) -> None:
    """Give a new community the care groups and topics that `defaults.py` lists."""
    for position, group in enumerate(CARE_GROUPS):
        session.add(
            CareGroup(
                community_id=community.id,
                code=group.code,
                name=group.name,
                position=position,
                every_days=group.every_days,
                within_days=group.within_days,
                is_sensitive=group.is_sensitive,
                active=True,
            )
        )
    community.topics = list(TOPICS)
    session.flush()


def change_care_groups(session: Session, groups: Iterable[CareGroup], wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Set rhythms, sensitivity and use of care groups, by code."""
    for group in groups:
        for name, value in wanted.get(group.code, {}).items():
            setattr(group, name, value)
    session.flush()


def add_care_group(
    session: Session, community_id: UUID, wanted: Mapping[str, Any] | None, position: int
) -> CareGroup | None:
    """Add a care group of the community's own."""
    if wanted is None:
        return None
    group = CareGroup(community_id=community_id, code=f"own-{uuid7().hex[-12:]}", position=position, **wanted)
    session.add(group)
    session.flush()
    return group


def open_door(session: Session, dwelling: Dwelling, occupancy: Occupancy = Occupancy.UNKNOWN) -> Household:
    """Put a household behind a new door, nothing known of it yet."""
    household = Household(community_id=dwelling.community_id, dwelling_id=dwelling.id, number=1, occupancy=occupancy)
    session.add(household)
    session.flush()
    session.add(OccupancyPeriod(community_id=dwelling.community_id, household_id=household.id, occupancy=occupancy))
    session.flush()
    return household


def stamp_fact(
    session: Session, household: Household, resident_id: UUID | None, field: str, day: date, now: datetime, by: UUID
) -> FactStamp:
    """Write down that a fact was looked at on a day."""
    stamp = FactStamp(
        community_id=household.community_id,
        household_id=household.id,
        resident_id=resident_id,
        field=field,
        verified_on=day,
        verified_at=now,
        verified_by_id=by,
    )
    session.add(stamp)
    return stamp


def confirm_facts(
    session: Session,
    actor: Actor,
    household: Household,
    facts_shown: Iterable[tuple[UUID | None, str]],
    day: date,
    now: datetime,
    visit_id: UUID,
) -> None:
    """Stamp the facts that a visit found unchanged; those of people who live elsewhere by now are left out."""
    here = {resident.id for resident in queries.residents_of(session, household.id)}
    for resident_id, field in facts_shown:
        if resident_id is None or resident_id in here:
            stamp = stamp_fact(session, household, resident_id, field, day, now, _who(actor))
            stamp.visit_id = visit_id
    session.flush()


def take_stamps_back(session: Session, visit_id: UUID) -> list[tuple[UUID | None, str]]:
    """A visit that was corrected has confirmed nothing. Gives which facts it had confirmed."""
    taken = queries.stamps_of_visit(session, visit_id)
    for stamp in taken:
        session.delete(stamp)
    session.flush()
    return [(stamp.resident_id, stamp.field) for stamp in taken]


def _who(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("nobody confirms nothing")
    return actor.user_id


@dataclass(frozen=True)
class _Fact:
    """One fact of a household, or of one of its residents, that somebody changes now."""

    session: Session
    actor: Actor
    household: Household
    resident: Resident | None
    field: str
    now: datetime

    @property
    def resident_id(self) -> UUID | None:
        return self.resident.id if self.resident else None

    @property
    def recorded(self) -> str | None:
        return facts.told(getattr(self.resident or self.household, self.field))

    def is_of(self, row: FactChange | FactProposal) -> bool:
        """Whether a row of the history is this fact's."""
        return (row.household_id, row.resident_id, row.field) == (self.household.id, self.resident_id, self.field)

    def changes(self) -> list[FactChange]:
        """Newest first."""
        return fact_queries.changes_of_fact(self.session, self.household.id, self.resident_id, self.field)

    def check(self, value: str | None) -> None:
        """Raises reading.Fault where the record denies a value."""
        resident = self.resident
        head = None
        if resident and resident.left_on is None and self.field == "relation":
            head = fact_queries.other_head(self.session, self.household.id, resident.id)
        facts.check_on_record(self.field, value, resident.id_number if resident else None, head)
        if resident and self.field == "id_number":
            facts.check_id_number(value, resident.birth_date, resident.sex)

    def write(self, value: str | None, key: UUID) -> None:
        """Put a value on record, with what follows from it, and into the history after the fact's last change."""
        last = next(iter(self.changes()), None)
        at = max(self.now, last.changed_at + timedelta(microseconds=1)) if last else self.now
        self.session.add(
            FactChange(
                id=key,
                community_id=self.household.community_id,
                household_id=self.household.id,
                resident_id=self.resident_id,
                field=self.field,
                old=self.recorded,
                new=value,
                changed_by_id=self.actor.user_id,
                changed_at=at,
            )
        )
        setattr(self.resident or self.household, self.field, facts.value_of(self.field, value))
        if self.resident and self.field == "name":
            self.resident.pinyin, self.resident.initials = rules.pinyin_keys(value or "")
        elif self.resident and self.field == "phone":
            self.resident.phone_tail = rules.phone_tail(value)
        self.stamp(value)

    def stamp(self, value: str | None) -> None:
        """What was written or said again was looked at; what is gone needs no look."""
        if value is not None and self.field in RHYTHMS:
            who = _who(self.actor)
            stamp_fact(self.session, self.household, self.resident_id, self.field, day_of(self.now), self.now, who)
        self.session.flush()

    def propose(self, saw: str | None, value: str | None, key: UUID) -> None:
        """Keep a value beside the one on record, for a person to decide; once, whoever says it."""
        if any(proposal.value == value for proposal in self.proposals()):
            return
        self.session.add(
            FactProposal(
                id=key,
                community_id=self.household.community_id,
                household_id=self.household.id,
                resident_id=self.resident_id,
                field=self.field,
                saw=saw[:200] if saw else None,
                value=value,
                proposed_by_id=self.actor.user_id,
                proposed_at=self.now,
            )
        )
        self.session.flush()

    def proposals(self) -> list[FactProposal]:
        """Those that wait for a decision."""
        return fact_queries.open_proposals_of_fact(self.session, self.household.id, self.resident_id, self.field)

    def close_proposals(self, value: str | None) -> None:
        """Now the actor says `value`: what they proposed before falls, and what is on record needs no decision."""
        for proposal in self.proposals():
            is_accepted = proposal.value == self.recorded
            if is_accepted or (proposal.value != value and proposal.proposed_by_id == self.actor.user_id):
                _decide(proposal, self.actor, self.now, is_accepted)
        self.session.flush()


def change_fact(
    session: Session,
    actor: Actor,
    household: Household,
    resident: Resident | None,
    field: str,
    saw: str | None,
    value: str | None,
    now: datetime,
    change_id: UUID | None = None,
) -> Meeting:
    """Change one fact from what its editor `saw` to `value`; both are texts as `facts.told` makes them.

    What the record says already is left alone. Where it still says what the editor saw, the value is written, with a
    FactChange of the key `change_id`. Where somebody else has changed the same fact meanwhile, nothing is overwritten:
    a FactProposal of that key waits for a decision. The same edit with the same key is taken in once.
    `resident` None means a fact of the household; both were fetched through the wall. Raises reading.Fault:
    `head_taken`, `id_born`, `id_sex`.
    """
    fact = _held(session, actor, household, resident, field, now)
    key = change_id or uuid7()
    change, proposal = session.get(FactChange, key), session.get(FactProposal, key)
    if change and fact.is_of(change) and change.new == value and change.changed_by_id == actor.user_id:
        return Meeting.WRITTEN
    if proposal and fact.is_of(proposal) and proposal.value == value and proposal.proposed_by_id == actor.user_id:
        return Meeting.PROPOSED
    if change or proposal:
        key = uuid7()  # another edit under a key that is taken: it must not be lost
    steps = [facts.Step(step.old, step.new, step.changed_by_id == actor.user_id) for step in fact.changes()]
    meeting = facts.meet(fact.recorded, saw, value, steps)
    if meeting is not Meeting.SAME:
        fact.check(value)
    if meeting is Meeting.WRITTEN:
        fact.write(value, key)
    elif meeting is Meeting.PROPOSED:
        fact.propose(saw, value, key)
    else:
        fact.stamp(value)
    fact.close_proposals(value)
    return meeting


def decide_proposal(
    session: Session, actor: Actor, proposal: FactProposal, *, accept: bool, now: datetime, kept: str | None = None
) -> bool:
    """Take the proposed value, or keep the one on record; a decision once made stays.

    `kept` is the value on record that the decider was shown, "" for none, None where that is not known: where the
    record has changed since, a proposal is not taken over it. Then False; the decider looks again. Raises reading.Fault
    where the record denies the value.
    """
    household = session.get_one(Household, proposal.household_id)
    resident = session.get_one(Resident, proposal.resident_id) if proposal.resident_id else None
    fact = _held(session, actor, household, resident, proposal.field, now)
    session.refresh(proposal)
    if proposal.decided_at is not None:
        return True
    if accept and kept is not None and (kept or None) != fact.recorded:
        return False
    if accept and proposal.value != fact.recorded:
        fact.check(proposal.value)
        fact.write(proposal.value, uuid7())
    _decide(proposal, actor, now, accept)
    fact.close_proposals(fact.recorded)
    return True


def _held(
    session: Session, actor: Actor, household: Household, resident: Resident | None, field: str, now: datetime
) -> _Fact:
    """The fact as it is once everybody else who writes at this household has ended."""
    queries.hold(session, household)
    if resident:
        session.refresh(resident)
    return _Fact(session, actor, household, resident, field, now)


def _decide(proposal: FactProposal, actor: Actor, now: datetime, is_accepted: bool) -> None:
    proposal.decided_at, proposal.decided_by_id, proposal.is_accepted = now, actor.user_id, is_accepted
