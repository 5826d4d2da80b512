"""Two records of one person become one, with what was written at visits; and back again.

What a merge changes is kept row by row, as it was and as it became, in `ResidentMerge.before`. An undo puts back what
was, where every row still is what the merge made of it. The history is never rewritten: both write changes into it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Uuid
from sqlalchemy.orm import Session

from fieldapp import seals
from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Actor
from fieldapp.db import Instant, uuid7
from fieldapp.households import duplicate_queries, duplicates, fact_queries, facts, queries
from fieldapp.households.models import (
    CareMembership,
    FactChange,
    FactProposal,
    FactStamp,
    Household,
    NotSame,
    Resident,
    ResidentMerge,
)
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, Left, phone_tail, pinyin_keys
from fieldapp.visits import merge_queries
from fieldapp.visits.models import FollowUp, VisitResident

ENDED = "merged"
"""Why a care membership ended whose person lives on under another record."""

_TABLES: dict[str, Any] = {
    model.__tablename__: model for model in (Resident, CareMembership, FactStamp, FactProposal, FollowUp)
}


class ChangedSince(ValueError):
    """A merge cannot be undone: somebody changed what it made. `what`: facts of the person, or names of tables."""

    def __init__(self, what: Iterable[str]) -> None:
        self.what = sorted(set(what))
        super().__init__(", ".join(self.what))


@dataclass
class _Merge:
    """One merge while it is made: the rows that it touches, as they were before."""

    session: Session
    actor: Actor
    kept: Resident
    gone: Resident
    today: date
    at: datetime
    was: list[tuple[Any, dict[str, Any] | None]] = field(default_factory=list)

    def touch(self, row: Any) -> Any:
        """Remember how a row is before it is changed."""
        self.was.append((row, row_values(row)))
        return row

    def add(self, row: Any) -> None:
        """Add a row that an undo takes away again."""
        self.session.add(row)
        self.was.append((row, None))

    def change(self, person: Resident, key: str, value: Any) -> None:
        """Write a fact of one of the two, with its line in the history."""
        old, new = facts.told(getattr(person, key)), facts.told(value)
        if old != new:
            _note(self.session, self.actor, person, key, old, new, self.at)
        setattr(person, key, value)
        if key == "name":
            person.pinyin, person.initials = pinyin_keys(value)
        elif key == "phone":
            person.phone_tail = phone_tail(value)

    def rows(self) -> list[list[Any]]:
        """Table, key, as it was and as it became, of every row."""
        self.session.flush()
        return [[row.__tablename__, str(row.id), was, row_values(row)] for row, was in self.was]


def merge(
    session: Session,
    actor: Actor,
    kept: Resident,
    gone: Resident,
    choices: Mapping[str, str],
    today: date,
    now: datetime,
) -> ResidentMerge:
    """Make two records of one person into `kept`. `choices` says `kept` or `gone` by fact, where the two differ.

    What was ticked at visits, stamps of the facts that are taken over, and what awaits a decision go to the kept one.
    Care memberships too: behind the same door as they are, else the old ones end today and go on behind the kept one's
    door, so that the figures of past months stay. Promises stay at their door while somebody lives there; of an empty
    one they go along. The gone record stays, left today. Both were fetched through the wall.
    Raises Fault: `left` (one of them lives here no more), `id_born`, `id_sex`.
    The same merge again is given as it is.
    """
    homes = _hold(session, kept, gone)
    if standing := duplicate_queries.standing_merge(session, kept.id, gone.id):
        return standing
    if kept.id == gone.id or any(person.left_on or person.erased_at for person in (kept, gone)):
        raise Fault("left")
    same_household = kept.household_id == gone.household_id
    taken = _taken(kept, gone, choices, same_household=same_household)
    made = _Merge(session, actor, kept, gone, today, now)
    made.touch(kept)
    made.touch(gone)
    made.change(gone, "left_on", today)
    gone.left_why = Left.MERGED
    session.flush()  # before the kept one becomes the head: a household has one
    for key, value in taken.items():
        made.change(kept, key, value)
    _move_cares(made, same_household=same_household)
    _move_stamps(made, taken)
    _move_rest(made, homes[kept.household_id])
    moved, dropped = _move_visits(session, kept.id, gone.id)
    before = {"rows": made.rows(), "met": [str(key) for key in moved], "met_both": [str(key) for key in dropped]}
    merged = ResidentMerge(
        id=uuid7(),
        community_id=kept.community_id,
        kept_id=kept.id,
        gone_id=gone.id,
        before=before,
        merged_at=now,
        merged_by_id=actor.user_id,
    )
    session.add(merged)
    _trace(session, actor, "merge.made", merged, now)
    session.flush()
    return merged


def _hold(session: Session, *people: Resident) -> dict[UUID, Household]:
    """Let everybody else who writes at these people's doors wait, and read the people anew."""
    homes = {key: session.get_one(Household, key) for key in sorted({person.household_id for person in people})}
    for home in homes.values():
        queries.hold(session, home)
    for person in people:
        session.refresh(person)
    return homes


def _taken(kept: Resident, gone: Resident, choices: Mapping[str, str], *, same_household: bool) -> dict[str, Any]:
    """The facts that the kept one takes over. Raises Fault where the facts of both would contradict each other."""
    sides = {name: {key: getattr(p, key) for key in duplicates.FIELDS} for name, p in (("kept", kept), ("gone", gone))}
    taken = {}
    for key in duplicates.differing(sides["kept"], sides["gone"], same_household=same_household):
        if choices.get(key, duplicates.suggested(sides["kept"], sides["gone"], key)) == "gone":
            taken[key] = sides["gone"][key]
    duplicates.check(sides["kept"] | taken)
    return taken


def _move_cares(made: _Merge, *, same_household: bool) -> None:
    kept, gone, today = made.kept, made.gone, made.today
    standing = [care for care in merge_queries.cares_of(made.session, (kept.id, gone.id)) if care.until > today]
    has = {care.group_id for care in standing if care.resident_id == kept.id}
    for care in standing:
        if care.resident_id != gone.id:
            continue
        made.touch(care)
        if same_household and care.group_id not in has:
            care.resident_id = kept.id
            continue
        if care.group_id not in has:
            made.add(
                CareMembership(
                    id=uuid7(),
                    community_id=kept.community_id,
                    household_id=kept.household_id,
                    resident_id=kept.id,
                    group_id=care.group_id,
                    since=max(care.since, today),
                    until=care.until,
                    reason=care.reason,
                    review_on=care.review_on,
                    raised_by=care.raised_by,
                )
            )
        care.until, care.ended_why = max(care.since, today), ENDED


def _move_stamps(made: _Merge, taken: Mapping[str, Any]) -> None:
    """A stamp says that somebody found a value so: it goes along with the value, and with one that both had."""
    kept, gone = made.kept, made.gone
    for stamp in merge_queries.stamps_of(made.session, gone.id):
        if stamp.field in taken or getattr(kept, stamp.field, None) == getattr(gone, stamp.field, None):
            made.touch(stamp)
            stamp.resident_id, stamp.household_id = kept.id, kept.household_id


def _move_rest(made: _Merge, home: Household) -> None:
    """What awaits a decision; and where nobody is left behind the gone one's door, what was promised there."""
    for proposal in merge_queries.open_proposals_of(made.session, made.gone.id):
        made.touch(proposal)
        proposal.resident_id, proposal.household_id = made.kept.id, home.id
    old = made.gone.household_id
    if old != home.id and not duplicate_queries.other_people(made.session, old, made.gone.id):
        for promise in merge_queries.open_follow_ups_of(made.session, old):
            made.touch(promise)
            promise.household_id = home.id


def _move_visits(session: Session, kept: UUID, gone: UUID) -> tuple[list[UUID], list[UUID]]:
    """Who was met was the kept one; gives the visits that were moved, and those at which both were ticked."""
    has = {met.visit_id for met in merge_queries.met_at(session, kept)}
    moved: list[UUID] = []
    dropped: list[UUID] = []
    for met in merge_queries.met_at(session, gone):
        (dropped if met.visit_id in has else moved).append(met.visit_id)
        session.delete(met)
    session.flush()
    session.add_all(VisitResident(visit_id=key, resident_id=kept) for key in moved)
    session.flush()
    return moved, dropped


def undo(session: Session, actor: Actor, merged: ResidentMerge, now: datetime) -> None:
    """Make one record the two again that it was made of; what was written since beside them stays.

    Raises ChangedSince where somebody changed what the merge made, and writes nothing. Undone once, it stays so.
    """
    kept, gone = session.get_one(Resident, merged.kept_id), session.get_one(Resident, merged.gone_id)
    _hold(session, kept, gone)
    session.refresh(merged)
    if merged.undone_at is not None:
        return
    rows = _standing_rows(session, merged, gone)
    told = {person.id: _told(person) for person in (kept, gone)}
    # The kept one first: it may have become the head that the gone one was.
    for table, row, was in sorted(rows, key=lambda found: found[1].id == gone.id):
        if was is None:
            session.delete(row)
        else:
            for key, value in _read(_TABLES[table], was).items():
                setattr(row, key, value)
        session.flush()
    _move_visits_back(session, merged)
    for person in (kept, gone):
        for key, old in told[person.id].items():
            if (new := facts.told(getattr(person, key))) != old:
                _note(session, actor, person, key, old, new, now)
    merged.undone_at, merged.undone_by_id = now, actor.user_id
    _trace(session, actor, "merge.undone", merged, now)
    session.flush()


def _standing_rows(
    session: Session, merged: ResidentMerge, gone: Resident
) -> list[tuple[str, Any, dict[str, Any] | None]]:
    """The rows of a merge with what they were. Raises ChangedSince unless each is as the merge left it."""
    found, changed = [], set[str]()
    for table, key, was, became in merged.before["rows"]:
        row = session.get(_TABLES[table], UUID(key), populate_existing=True)
        now = row_values(row) if row is not None else {}
        differing = [name for name in became if _opened(table, key, name, now) != _opened(table, key, name, became)]
        if differing:
            changed |= {_plain(name) for name in differing} if table == "resident" else {table}
        found.append((table, row, was))
    if not {UUID(key) for key in merged.before["met"]} <= set(merge_queries.visits_met(session, merged.kept_id)):
        changed.add("visit")
    heads = {person.id for person in queries.residents_of(session, gone.household_id) if person.relation == HEAD}
    if gone.relation == HEAD and heads - {merged.kept_id}:
        changed.add("relation")  # somebody else became the head meanwhile, and a household has one
    if changed:
        raise ChangedSince(changed)
    return found


def _opened(table: str, key: str, name: str, values: Mapping[str, Any]) -> Any:
    """A column's value to compare by; what is sealed is compared open: a new key seals everything anew."""
    said = values.get(name)
    return seals.opened(said, table, UUID(key), name.removesuffix("_sealed")) if name.endswith("_sealed") else said


def _plain(column: str) -> str:
    """The fact that a column keeps: `phone` of `phone_sealed`, `phone_hash` and `phone_tail`."""
    for end in ("_sealed", "_hash", "_tail"):
        column = column.removesuffix(end)
    return {"id": "id_number", "pinyin": "name", "initials": "name", "left_why": "left_on"}.get(column, column)


def _move_visits_back(session: Session, merged: ResidentMerge) -> None:
    moved = {UUID(key) for key in merged.before["met"]}
    dropped = {UUID(key) for key in merged.before["met_both"]}
    for met in merge_queries.met_at(session, merged.kept_id):
        if met.visit_id in moved:
            session.delete(met)
    session.flush()
    session.add_all(VisitResident(visit_id=key, resident_id=merged.gone_id) for key in sorted(moved | dropped))
    session.flush()


def say_two_people(session: Session, actor: Actor, one: Resident, other: Resident, now: datetime) -> None:
    """Write down that two records that look alike are two people; once is enough. Both through the wall."""
    if one.id == other.id or duplicate_queries.is_not_same(session, one.id, other.id):
        return
    smaller, larger = duplicates.in_order(one.id, other.id)
    session.add(
        NotSame(
            id=uuid7(),
            community_id=one.community_id,
            one_id=smaller,
            other_id=larger,
            said_by_id=actor.user_id,
            said_at=now,
        )
    )
    session.flush()


def row_values(row: Any) -> dict[str, Any]:
    """A row's columns as JSON holds them; what is sealed stays sealed."""
    return {column.key: _written(getattr(row, column.key)) for column in row.__mapper__.column_attrs}


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | str) else value


def _read(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `row_values` as the model takes them."""
    return {
        key: None if said is None else _value(model.__mapper__.columns[key].type, said) for key, said in values.items()
    }


def _value(kind: Any, said: Any) -> Any:
    if isinstance(kind, Instant):
        return datetime.fromisoformat(said)
    if isinstance(kind, Date):
        return date.fromisoformat(said)
    return UUID(said) if isinstance(kind, Uuid) else said


def _told(person: Resident) -> dict[str, str | None]:
    return {key: facts.told(getattr(person, key)) for key in (*duplicates.FIELDS, "left_on")}


def _note(
    session: Session, actor: Actor, person: Resident, key: str, old: str | None, new: str | None, at: datetime
) -> None:
    """A line of the history, after the fact's last one."""
    last = next(iter(fact_queries.changes_of_fact(session, person.household_id, person.id, key)), None)
    session.add(
        FactChange(
            community_id=person.community_id,
            household_id=person.household_id,
            resident_id=person.id,
            field=key,
            old=old,
            new=new,
            changed_by_id=actor.user_id,
            changed_at=max(at, last.changed_at + timedelta(microseconds=1)) if last else at,
        )
    )
    session.flush()


def _trace(session: Session, actor: Actor, deed: str, merged: ResidentMerge, now: datetime) -> None:
    leave_trace(
        session,
        deed=deed,
        at=now,
        user_id=actor.user_id,
        community_id=merged.community_id,
        subject=str(merged.id),
    )
