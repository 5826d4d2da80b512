"""Writes what a residents' sheet says and somebody chose: new people, and changed facts, each into the history.

Nothing here commits. Statements are for hundreds of rows at once.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.exchange import resident_queries, rows
from fieldapp.exchange.drafts import HouseholdDraft
from fieldapp.exchange.resident_cells import value_of
from fieldapp.exchange.resident_columns import FACTS
from fieldapp.exchange.resident_plan import Change, Entry, Home, Kind, Plan
from fieldapp.households.models import FactChange, Household, OccupancyPeriod, Resident, sealed_columns
from fieldapp.households.rules import HEAD, Occupancy, Stand, phone_tail
from fieldapp.places.rules import ALWAYS, FOREVER
from fieldapp.seals import keyring

_SEALED = ("id_number", "phone", "guardian_phone")


@dataclass
class ResidentsDone:
    """What an import did. `held` are changes that were chosen and not made: they would have made a second head."""

    new: int = 0
    changed: int = 0
    changes: int = 0
    households: int = 0
    held: int = 0


def import_residents(
    session: Session,
    actor: Actor,
    author_id: UUID | None,
    plan: Plan,
    chosen: Collection[str] | None,
    now: datetime,
    today: date,
) -> ResidentsDone:
    """Store a plan, or only what is `chosen` of it (see `Plan.tokens`). `author_id` signs the changes.

    ValueError where there are changes and nobody signs them. Somebody new is on record from today on; since when they
    live here nobody knows.
    """  # fmt: skip
    if actor.community_id is None:
        raise ValueError("an import is made for a community")
    work = _Work(session, actor, actor.community_id, author_id, now, today)
    new = [e for e in plan.of(Kind.NEW) if chosen is None or f"n{e.said.row}" in chosen]
    changed = [
        (entry, [c for c in entry.changes if chosen is None or f"c{entry.said.row}.{c.field}" in chosen])
        for entry in plan.of(Kind.CHANGED)
    ]
    work.change([(entry, changes) for entry, changes in changed if changes])
    work.add(new)
    return work.done


@dataclass
class _Work:
    session: Session
    actor: Actor
    community_id: UUID
    author_id: UUID | None
    now: datetime
    today: date
    done: ResidentsDone = field(default_factory=ResidentsDone)
    heads: dict[UUID, UUID] | None = None

    # --- changes

    def change(self, changed: Sequence[tuple[Entry, list[Change]]]) -> None:
        """Write facts and their history. Who gives up being head does so first: there are never two."""
        given_up = {e.resident.id for e, cs in changed for c in cs if c.field == "relation" and c.new != HEAD}
        changed = [(entry, kept) for entry, changes in changed if (kept := self._one_head(entry, changes, given_up))]
        if not changed:
            return
        if self.author_id is None:
            raise ValueError("somebody has to sign the changes")
        self._history(changed)
        values = [
            (entry.resident.id, columns(entry.resident.id, {change.field: change.new for change in changes}))
            for entry, changes in changed
        ]
        self._update([(key, v) for key, v in values if v.get("relation") != HEAD])
        self._update([(key, v) for key, v in values if v.get("relation") == HEAD])
        self.done.changed, self.done.changes = len(changed), sum(len(changes) for _, changes in changed)
        for entry, _changes in changed:
            self.session.expire(entry.resident)
        self.heads = None

    def _one_head(self, entry: Entry, changes: list[Change], given_up: Collection[UUID]) -> list[Change]:
        """The changes but the one to head, where the household's head was not chosen to give it up."""
        if not any(change.field == "relation" and change.new == HEAD for change in changes):
            return changes
        head = self._heads().get(entry.resident.household_id)
        if head is None or head == entry.resident.id or head in given_up:
            return changes
        self.done.held += 1
        return [change for change in changes if change.field != "relation"]

    def _heads(self) -> dict[UUID, UUID]:
        if self.heads is None:
            self.heads = resident_queries.heads(self.session, self.actor)
        return self.heads

    def _history(self, changed: Sequence[tuple[Entry, list[Change]]]) -> None:
        later = resident_queries.later_changes(self.session, self.actor, self.now)
        seal = keyring().seal
        told = []
        for entry, changes in changed:
            for change in changes:
                key, resident_id = uuid7(), entry.resident.id
                last = later.get((resident_id, change.field))
                told.append(
                    {
                        "id": key,
                        "community_id": self.community_id,
                        "household_id": entry.resident.household_id,
                        "resident_id": resident_id,
                        "field": change.field,
                        "old_sealed": change.old and seal(change.old, "fact_change", key, "old"),
                        "new_sealed": change.new and seal(change.new, "fact_change", key, "new"),
                        "changed_by_id": self.author_id,
                        "changed_at": max(self.now, last + timedelta(microseconds=1)) if last else self.now,
                    }
                )
        self.session.execute(insert(FactChange), told)

    def _update(self, values: Sequence[tuple[UUID, dict[str, Any]]]) -> None:
        """One statement for all rows that change in the same columns."""
        alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
        for key, said in values:
            alike[frozenset(said)].append({"id": key, **said})
        for several in alike.values():
            self.session.execute(update(Resident), several)

    # --- people

    def add(self, entries: Sequence[Entry]) -> None:
        """Write who is new, with a household where there is none yet."""
        homes = self._homes(entries)
        last: dict[UUID, int] = resident_queries.last_positions(self.session, self.actor) if entries else {}
        people: list[dict[str, Any]] = []
        heads = set(self._heads()) if entries else set()
        for entry in entries:
            household_id = entry.home.household_id or homes[entry.home]
            last[household_id] = last.get(household_id, -1) + 1
            said: dict[str, str | None] = {**entry.said.values}
            if said.get("relation") == HEAD:
                if household_id in heads:
                    del said["relation"]
                    self.done.held += 1
                heads.add(household_id)
            key = uuid7()
            people.append(
                {
                    "id": key,
                    "community_id": self.community_id,
                    "household_id": household_id,
                    "position": last[household_id],
                    "recorded_on": self.today,
                    **columns(key, {**dict.fromkeys(FACTS), **said}),
                }
            )
        if people:
            self.session.execute(insert(Resident), people)
        self.done.new = len(people)

    def _homes(self, entries: Sequence[Entry]) -> dict[Home, UUID]:
        """Households behind doors that have none, or not of this number; they count from today on."""
        wanted = dict.fromkeys(entry.home for entry in entries if entry.home.household_id is None)
        made = {
            home: rows.household(self.community_id, home.dwelling_id, HouseholdDraft(home.number)) for home in wanted
        }
        if made:
            self.session.execute(insert(Household), list(made.values()))
            stands = (
                Stand(ALWAYS, self.today, Occupancy.GONE, None),
                Stand(self.today, FOREVER, Occupancy.UNKNOWN, None),
            )
            periods = [rows.period(self.community_id, row["id"], stand) for row in made.values() for stand in stands]
            self.session.execute(insert(OccupancyPeriod), periods)
        self.done.households = len(made)
        return {home: row["id"] for home, row in made.items()}


def columns(key: UUID, said: dict[str, str | None]) -> dict[str, Any]:
    """What is written into a resident's columns for facts as text; `key` is the row's."""
    found: dict[str, Any] = {f: value_of(f, told) for f, told in said.items() if f not in _SEALED}
    sealed = sealed_columns(key, said.get("id_number") or None, said.get("phone") or None)
    if "id_number" in said:
        found |= {name: sealed[name] for name in ("id_number_sealed", "id_hash")}
    if "phone" in said:
        found |= {name: sealed[name] for name in ("phone_sealed", "phone_hash")}
        # Of several numbers the first is the one that is looked for.
        found["phone_tail"] = phone_tail((said["phone"] or "").partition("、")[0])
    if "guardian_phone" in said:
        number = said["guardian_phone"]
        found["guardian_phone_sealed"] = keyring().seal(number, "resident", key, "guardian_phone") if number else None
    if "name" in said:
        found["pinyin"], found["initials"] = rows.keys_of(said["name"] or "")
    return found
