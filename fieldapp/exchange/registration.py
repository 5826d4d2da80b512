"""Brings households and people in: doors, households and residents are added or brought up to date, none is removed.

`day` is the community's day of the import: a changed occupancy and a new care membership hold from then on.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.exchange import layout, queries, rows
from fieldapp.exchange.drafts import DoorDraft, HouseholdDraft, Person
from fieldapp.exchange.matching import match
from fieldapp.exchange.problems import Refused, RowProblem
from fieldapp.exchange.rules import Registration, problem_at
from fieldapp.households.models import CareMembership, Household, OccupancyPeriod, Resident
from fieldapp.households.rules import HEAD, Occupancy, Stand, occupancy_timeline, phone_tail
from fieldapp.places.models import Dwelling
from fieldapp.places.operations import batches, place_dwellings
from fieldapp.places.rules import ALWAYS, FOREVER


@dataclass
class HouseholdsDone:
    """What an import of households did. `skipped` are the problems of rows that were left out."""

    rows: int = 0
    doors: int = 0
    households: int = 0
    people: int = 0
    doors_changed: int = 0
    households_changed: int = 0
    people_changed: int = 0
    orphans: int = 0
    unused: tuple[str, ...] = ()
    skipped: list[RowProblem] = field(default_factory=list)
    skipped_rows: int = 0


def import_households(
    session: Session, actor: Actor, sheet: Registration, day: date, *, good_rows: bool = False
) -> HouseholdsDone:
    """Store what a sheet says. Refused when any row has a problem, unless the good rows alone are asked for."""
    work = _Work(session, actor, sheet, day)
    problems = sorted([*sheet.problems, *work.refused_heads()], key=lambda problem: problem.row or 0)
    if problems and not good_rows:
        raise Refused(problems)
    work.store()
    done = work.done
    done.unused, done.skipped = sheet.header.unused, problems
    done.skipped_rows = len({problem.row for problem in problems})
    done.rows = sheet.rows - done.skipped_rows
    return done


@dataclass
class _Pair:
    """A household of the sheet, the household it is in the registry, and who of the sheet is who there."""

    draft: HouseholdDraft
    household: Household | None
    living: list[Resident]
    matched: list[tuple[Person, Resident | None]]


class _Work:
    """One import: the registry as it was, what is to be inserted, and what was done."""

    def __init__(self, session: Session, actor: Actor, sheet: Registration, day: date) -> None:
        if actor.community_id is None:
            raise ValueError("an import is made for a community")
        self.session, self.actor, self.sheet, self.day = session, actor, sheet, day
        self.community_id = actor.community_id
        self.dwellings = queries.dwellings(session, actor)
        self.households = queries.households(session, actor)
        self.residents = queries.residents(session, actor)
        self.memberships = queries.memberships(session, actor, day)
        self.lived_in = {dwelling_id for dwelling_id, _number in self.households}
        self.done = HouseholdsDone()
        self.new: dict[type[Any], list[dict[str, Any]]] = defaultdict(list)
        self.occupancies: dict[UUID, tuple[Household, Occupancy]] = {}
        self.changed: set[UUID] = set()
        self.pairs = {id(draft): self._pair(door, draft) for door in sheet.doors for draft in door.households.values()}

    def _pair(self, door: DoorDraft, draft: HouseholdDraft) -> _Pair:
        dwelling = self.dwellings.get((door.building.id, door.entrance, door.room))
        household = self.households.get((dwelling.id, draft.number)) if dwelling else None
        living = self.residents.get(household.id, []) if household else []
        return _Pair(draft, household, living, match(draft.people, living))

    def refused_heads(self) -> list[RowProblem]:
        """Find rows that would make a second head beside one whom the sheet does not name; they are dropped."""
        problems = []
        for pair in self.pairs.values():
            named = {resident.id for _, resident in pair.matched if resident}
            unnamed = [r for r in pair.living if r.is_head and r.id not in named]
            # A named head whose relation the sheet leaves out stays one.
            kept = [r for person, r in pair.matched if r and r.is_head and person.relation is None]
            for entry in list(pair.matched):
                person, resident = entry
                others = [r for r in (*unnamed, *kept) if r is not resident]
                if person.relation == HEAD and others:
                    pair.matched.remove(entry)
                    header = self.sheet.header
                    problems.append(problem_at(header, person.row, "relation", "", "head_taken", others[0].name))
        return problems

    def store(self) -> None:
        """Write everything."""
        self._free_heads()
        for door in self.sheet.doors:
            dwelling_id = self._door(door)
            for draft in door.households.values():
                self._household(dwelling_id, self.pairs[id(draft)])
        self.session.flush()
        self.done.people_changed = len(self.changed)
        for model in (Dwelling, Household, OccupancyPeriod, Resident, CareMembership):
            if self.new[model]:
                self.session.execute(insert(model), self.new[model])
        self._retell_occupancies()
        self.done.orphans = place_dwellings(self.session, self.community_id, self.day).orphans

    def _free_heads(self) -> None:
        """Two heads may not stand in the table even for a moment: who is head no longer gives it up first."""
        for pair in self.pairs.values():
            for person, resident in pair.matched:
                if resident and resident.is_head and person.relation not in (None, HEAD):
                    resident.relation = person.relation
                    self.changed.add(resident.id)
        self.session.flush()

    # --- doors

    def _door(self, door: DoorDraft) -> UUID:
        dwelling = self.dwellings.get((door.building.id, door.entrance, door.room))
        if dwelling is None:
            key = uuid7()
            place = layout.new_door(door, self.taken[door.building.id])
            self.new[Dwelling].append({"id": key, "community_id": self.community_id, **place})
            self.done.doors += 1
            return key
        said = {
            "floor": door.floor,
            "kind": door.kind,
            "name": door.shop_name,
            "column": door.column,
            "row": door.row,
            "span": door.span,
            "row_span": door.row_span,
        }
        self.done.doors_changed += _set(dwelling, said)
        return dwelling.id

    @cached_property
    def taken(self) -> dict[UUID, layout.Taken]:
        """The cells of each building's matrix that doors stand on, or will by what the sheet says."""
        cells: dict[UUID, layout.Taken] = defaultdict(layout.Taken)
        for dwelling in self.dwellings.values():
            floor = dwelling.row or dwelling.floor
            cells[dwelling.building_id].add(dwelling.entrance, floor, dwelling.column)
        for door in self.sheet.doors:
            if door.column is not None:
                cells[door.building.id].add(door.entrance, door.row or layout.floor_of(door), door.column)
        return cells

    # --- households

    def _household(self, dwelling_id: UUID, pair: _Pair) -> None:
        draft, household = pair.draft, pair.household
        if household is None:
            key = self._new_household(dwelling_id, draft)
        else:
            key = household.id
            changed = _set(household, {"moved_in_on": draft.moved_in, "note": draft.note})
            if draft.occupancy is not None and draft.occupancy != household.occupancy:
                self.occupancies[key] = household, Occupancy(draft.occupancy)
                changed = True
            self.done.households_changed += changed
        place = max((resident.position for resident in pair.living), default=-1)
        for person, resident in pair.matched:
            if resident is None:
                place += 1
            resident_id = self._new_person(key, place, person) if resident is None else self._change(resident, person)
            self._care(key, resident_id, person.care_groups)
        self._care(key, None, draft.care_groups)

    def _new_household(self, dwelling_id: UUID, draft: HouseholdDraft) -> UUID:
        row = rows.household(self.community_id, dwelling_id, draft)
        self.new[Household].append(row)
        for stand in self._stands_of_new(dwelling_id, draft, row["occupancy"]):
            self.new[OccupancyPeriod].append(rows.period(self.community_id, row["id"], stand))
        self.done.households += 1
        return row["id"]

    def _stands_of_new(self, dwelling_id: UUID, draft: HouseholdDraft, occupancy: Occupancy) -> list[Stand]:
        """Since when a new household counts: since it moved in; behind a door that had one, since today at the latest.

        Otherwise a sheet of today would change the figures of months that are closed.
        """
        since = min(draft.moved_in or self.day, self.day)
        if draft.moved_in is None and dwelling_id not in self.lived_in:
            return [Stand(ALWAYS, FOREVER, occupancy, None)]
        return [Stand(ALWAYS, since, Occupancy.GONE, None), Stand(since, FOREVER, occupancy, None)]

    def _retell_occupancies(self) -> None:
        """Add today's facts to the timelines of the households that the sheet says otherwise of, all at once.

        What a visit of the same day saw comes after the sheet, as in `occupancy_timeline`.
        """
        if not self.occupancies:
            return
        registered = queries.registered(self.session, self.actor)
        sightings = queries.sightings(self.session, self.actor)
        periods = []
        for household_id, (household, occupancy) in self.occupancies.items():
            facts = [fact for fact in registered.get(household_id, []) if fact[0] != self.day]
            stands = occupancy_timeline([*facts, (self.day, occupancy)], sightings.get(household_id, []))
            household.occupancy = stands[-1].occupancy
            periods += [rows.period(self.community_id, household_id, stand) for stand in stands]
        for batch in batches(list(self.occupancies)):
            self.session.execute(delete(OccupancyPeriod).where(OccupancyPeriod.household_id.in_(batch)))
        self.session.execute(insert(OccupancyPeriod), periods)
        self.session.flush()

    # --- people

    def _new_person(self, household_id: UUID, place: int, person: Person) -> UUID:
        row = rows.resident(self.community_id, household_id, place, person)
        self.new[Resident].append(row)
        self.done.people += 1
        return row["id"]

    def _change(self, resident: Resident, person: Person) -> UUID:
        said = {
            "relation": person.relation,
            "sex": person.sex,
            "birth_date": person.birth_date,
            "id_number": person.id_number,
            "phone": person.phone,
            "is_temporary": person.temporary,
        }
        changed = _set(resident, said)
        if resident.name != person.name:
            resident.name, changed = person.name, True
            resident.pinyin, resident.initials = rows.keys_of(person.name)
        if "registered_at" in self.sheet.header.places and resident.registered_at != person.registered_at:
            # An empty cell says: registered here. A sheet without the column says nothing.
            resident.registered_at, changed = person.registered_at, True
        if changed:
            resident.phone_tail = phone_tail(resident.phone)
            self.changed.add(resident.id)
        return resident.id

    def _care(self, household_id: UUID, resident_id: UUID | None, groups: Iterable[UUID]) -> None:
        for group_id in groups:
            if {(household_id, resident_id, group_id), (household_id, None, group_id)} & self.memberships:
                continue
            self.memberships.add((household_id, resident_id, group_id))
            membership = rows.membership(self.community_id, household_id, resident_id, group_id, self.day)
            self.new[CareMembership].append(membership)


def _set(row: Any, said: dict[str, Any]) -> bool:
    """Write what is said and differs; None says nothing. Whether anything did."""
    differing = {key: value for key, value in said.items() if value is not None and getattr(row, key) != value}
    for key, value in differing.items():
        setattr(row, key, value)
    return bool(differing)
