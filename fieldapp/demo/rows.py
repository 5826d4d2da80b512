"""A planned community as rows: plain dictionaries, one for each row of a table, ready for a bulk insert."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from random import Random
from typing import Any
from uuid import UUID

from fieldapp.db import uuid7
from fieldapp.demo.people import Family
from fieldapp.demo.plans import VisitPlan
from fieldapp.demo.rules import SWAPPED_DISTRICT, Plan, first_of_last_month
from fieldapp.households.defaults import CARE_GROUPS
from fieldapp.households.models import sealed_columns
from fieldapp.households.rules import Employment, Occupancy, Sighting, Stand, age_on, occupancy_timeline, pinyin_keys
from fieldapp.places.rules import ALWAYS, FOREVER, ZONE, day_of
from fieldapp.visits.rules import MET, Outcome

Rows = list[dict[str, Any]]

_keys = lru_cache(maxsize=None)(pinyin_keys)
_SEEN_EMPTY = {Outcome.MOVED: Occupancy.GONE, Outcome.VACANT: Occupancy.VACANT}


class Sheets:
    """Turns a plan's indices into keys. Rows have no `community_id`: whoever writes them adds it."""

    def __init__(self, plan: Plan, today: date, worker_ids: list[UUID]) -> None:
        self.plan, self.today, self.worker_ids = plan, today, worker_ids
        self.district_ids = [uuid7() for _ in plan.town.districts]
        self.building_ids = [uuid7() for _ in plan.town.buildings]
        self.dwelling_ids = [[uuid7() for _ in building.doors] for building in plan.town.buildings]
        self.household_ids = [uuid7() for _ in plan.homes]
        self.resident_ids = [[uuid7() for _ in home.family.people] for home in plan.homes]
        self.group_ids = {group.code: uuid7() for group in CARE_GROUPS}
        self.visit_ids = {visit.number: uuid7() for visit in plan.log.visits}

    def districts(self) -> Rows:
        """The five districts."""
        named = zip(self.district_ids, self.plan.town.districts, strict=True)
        return [{"id": key, "code": d.code, "name": d.name, "position": i} for i, (key, d) in enumerate(named, 1)]

    def boundaries(self) -> Rows:
        """Their polygons, since always."""
        return [
            {"id": uuid7(), "district_id": key, "geometry": district.geometry, "since": ALWAYS, "until": FOREVER}
            for key, district in zip(self.district_ids, self.plan.town.districts, strict=True)
        ]

    def assignments(self) -> Rows:
        """Odd workers lead, even ones are partners; one pair changed places on the first of last month."""
        rows: Rows = []
        for i, district_id in enumerate(self.district_ids):
            pair = self.worker_ids[2 * i], self.worker_ids[2 * i + 1]
            spells = [(pair, ALWAYS, FOREVER)]
            if i == SWAPPED_DISTRICT:
                changed_on = first_of_last_month(self.today)
                spells = [(pair[::-1], ALWAYS, changed_on), (pair, changed_on, FOREVER)]
            for people, since, until in spells:
                for user_id, part in zip(people, ("lead", "partner"), strict=True):
                    spell = {"user_id": user_id, "part": part, "since": since, "until": until}
                    rows.append({"id": uuid7(), "district_id": district_id, **spell})
        return rows

    def _district_id(self, building: int) -> UUID | None:
        district = self.plan.town.buildings[building].district
        return None if district is None else self.district_ids[district]

    def buildings(self) -> Rows:
        """Blocks, towers and courtyards in their order."""
        rows: Rows = []
        for i, (key, building) in enumerate(zip(self.building_ids, self.plan.town.buildings, strict=True), 1):
            row = {**vars(building), "households_planned": building.households_planned}
            del row["doors"], row["district"]
            rows.append({"id": key, "position": i, "properties": {}, **row})
        return rows

    def dwellings(self) -> Rows:
        """Every door."""
        return [
            {"id": key, "building_id": self.building_ids[i], "district_id": self._district_id(i), **vars(door)}
            for i, building in enumerate(self.plan.town.buildings)
            for key, door in zip(self.dwelling_ids[i], building.doors, strict=True)
        ]

    def placements(self) -> Rows:
        """Every door's district, since always; None for the two doors in no district."""
        return [
            {
                "id": uuid7(),
                "dwelling_id": key,
                "district_id": self._district_id(i),
                "since": ALWAYS,
                "until": FOREVER,
            }
            for i, keys in enumerate(self.dwelling_ids)
            for key in keys
        ]

    def households(self) -> Rows:
        """Every household, its occupancy that of the last stand."""
        rows: Rows = []
        doors = [key for keys in self.dwelling_ids for key in keys]
        behind: dict[int, int] = defaultdict(int)
        for home, door in zip(self.plan.homes, self.plan.doors, strict=True):
            behind[door] += 1
            rows.append(
                {
                    "id": self.household_ids[home.number],
                    "dwelling_id": doors[door],
                    "number": behind[door],
                    "occupancy": self._stands[home.number][-1].occupancy,
                    "moved_in_on": home.family.moved_in_on,
                    "note": home.family.note,
                }
            )
        return rows

    def residents(self) -> Rows:
        """Everybody."""
        return [row for home in self.plan.homes for row in self._people(home.number, home.family)]

    def _people(self, number: int, family: Family) -> Rows:
        rows: Rows = []
        for i, person in enumerate(family.people):
            pinyin, initials = _keys(person.name)
            row = {**vars(person), "pinyin": pinyin, "initials": initials, "position": i}
            del row["is_away"]
            key = self.resident_ids[number][i]
            sealed = sealed_columns(key, row["id_number"], row["phone"])
            row |= {name.removesuffix("_sealed"): value for name, value in sealed.items()}
            row["employment"] = self._employment(family, i)
            rows.append({"id": key, "household_id": self.household_ids[number], **row})
        return rows

    def _employment(self, family: Family, place: int) -> str | None:
        """What somebody lives by, as their age and care groups have it."""
        age = age_on(family.people[place].birth_date, self.today)
        if any(care.person == place and care.group == "unemployed" for care in family.cares):
            return Employment.UNEMPLOYED
        if age < 6:
            return None
        return Employment.STUDENT if age < 20 else Employment.EMPLOYED if age < 60 else Employment.RETIRED

    def stamps(self) -> Rows:
        """When each fact was last looked at: mostly at the last time somebody was met, some long ago, some never."""
        last_met = {v.home.number: v for v in self.plan.log.visits if v.outcome in MET}
        return [row for home in self.plan.homes for row in self._looked_at(home.number, home.family, last_met)]

    def _looked_at(self, number: int, family: Family, last_met: Mapping[int, VisitPlan]) -> Rows:
        rng, visit, rows = Random(number), last_met.get(number), []
        facts: list[tuple[UUID | None, str]] = [(None, "occupancy")]
        for key, person in zip(self.resident_ids[number], family.people, strict=True):
            facts += [(key, field) for field in ("phone", "registered_at") if getattr(person, field)]
            facts.append((key, "employment"))
        for of, field in facts:
            if visit and rng.random() < 0.7:
                at, who, at_visit = visit.visited_at, visit.visitor, self.visit_ids[visit.number]
            elif rng.random() < 0.7:
                at, who, at_visit = self._long_ago(rng.randrange(200, 420)), 0, None
            else:
                continue
            rows.append(
                {
                    "id": uuid7(),
                    "household_id": self.household_ids[number],
                    "resident_id": of,
                    "field": field,
                    "verified_on": day_of(at),
                    "verified_at": at,
                    "verified_by_id": self.worker_ids[who],
                    "visit_id": at_visit,
                }
            )
        return rows

    def _long_ago(self, days: int) -> datetime:
        return datetime.combine(self.today - timedelta(days=days), time(10), ZONE)

    def care_groups(self) -> Rows:
        """The default groups."""
        return [
            {"id": self.group_ids[group.code], "position": i, "active": True, **vars(group)}
            for i, group in enumerate(CARE_GROUPS, 1)
        ]

    def memberships(self) -> Rows:
        """Who is in a care group."""
        return [
            {
                "id": uuid7(),
                "household_id": self.household_ids[home.number],
                "resident_id": None if care.person is None else self.resident_ids[home.number][care.person],
                "group_id": self.group_ids[care.group],
                "reason": care.reason,
                "review_on": care.review_on,
                "since": care.since,
                "until": care.until,
            }
            for home in self.plan.homes
            for care in home.family.cares
        ]

    @cached_property
    def _stands(self) -> list[list[Stand]]:
        """How each household stood over time, from the registry and from what visits saw."""
        sightings: dict[int, list[Sighting]] = defaultdict(list)
        for visit in self.plan.log.visits:
            empty = _SEEN_EMPTY.get(visit.outcome)
            if empty or visit.outcome in MET:
                seen = Sighting(visit.visited_on, empty, self.visit_ids[visit.number])
                sightings[visit.home.number].append(seen)
        return [occupancy_timeline(home.family.registered, sightings[home.number]) for home in self.plan.homes]

    def occupancy_periods(self) -> Rows:
        """Every stand of every household."""
        return [
            {"id": uuid7(), "household_id": self.household_ids[i], **vars(stand)}
            for i, stands in enumerate(self._stands)
            for stand in stands
        ]

    def visits(self) -> Rows:
        """The log, oldest first; corrections after what they correct."""
        return [self._visit(visit) for visit in self.plan.log.visits]

    def _visit(self, visit: VisitPlan) -> dict[str, Any]:
        longitude, latitude, accuracy = visit.at or (None, None, None)
        return {
            "id": self.visit_ids[visit.number],
            "household_id": self.household_ids[visit.home.number],
            "visitor_id": self.worker_ids[visit.visitor],
            "companion_id": None if visit.companion is None else self.worker_ids[visit.companion],
            "visited_at": visit.visited_at,
            "visited_on": visit.visited_on,
            "recorded_at": visit.recorded_at,
            "way": visit.way,
            "outcome": visit.outcome,
            "topics": list(visit.topics),
            "sentence": visit.sentence,
            "longitude": longitude,
            "latitude": latitude,
            "accuracy": accuracy,
            "is_urgent": visit.is_urgent,
            "corrects_id": self.visit_ids[visit.corrects.number] if visit.corrects else None,
        }

    def people_met(self) -> Rows:
        """Whom each visit met; these rows have no `community_id` at all."""
        return [
            {"visit_id": self.visit_ids[visit.number], "resident_id": self.resident_ids[visit.home.number][i]}
            for visit in self.plan.log.visits
            for i in visit.met
        ]

    def follow_ups(self) -> Rows:
        """What was promised, by the one who went."""
        return [
            {
                "id": uuid7(),
                "household_id": self.household_ids[promise.visit.home.number],
                "visit_id": self.visit_ids[promise.visit.number],
                "promise": promise.promise,
                "due_on": promise.due_on,
                "promised_by_id": self.worker_ids[promise.visit.visitor],
                "done_at": promise.done_at,
                "done_by_id": self.worker_ids[promise.visit.visitor] if promise.done_at else None,
            }
            for promise in self.plan.log.promises
        ]
