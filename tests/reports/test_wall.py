"""The one wall: every query that takes an actor shows each person what they answer for, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts import queries as accounts
from fieldapp.accounts.models import AuditEntry
from fieldapp.accounts.rules import Actor, Role
from fieldapp.households import queries as households
from fieldapp.households.models import Household
from fieldapp.places import placements
from fieldapp.places import queries as places
from fieldapp.places.models import Building, Dwelling
from fieldapp.reports import queries as reports
from fieldapp.reports import sheet_queries
from fieldapp.visits import door_queries
from fieldapp.visits import queries as visits
from fieldapp.visits.models import FollowUp, Photo, Visit
from fieldapp.visits.rules import day_of, month_of
from tests.conftest import NOW
from tests.factories import Cast, make_follow_up, make_group, make_household, make_visit

TODAY = day_of(NOW)

PLACES = ("first", "second", "far")
"""District 1 and 2 of the cast's community, and the other community's."""

BY_DISTRICT = {
    "worker": {"first"},
    "partner": {"first"},
    "other": {"second"},
    "director": {"first", "second"},
    "stranger": {"far"},
    "neighbour": {"far"},
    "street": set[str](),
    "admin": set[str](),
}
BY_COMMUNITY = BY_DISTRICT | {name: {"first", "second"} for name in ("worker", "partner", "other")}
"""What has no district is seen by everybody who works in the community."""


@dataclass
class Place:
    """One of everything in one district."""

    district: UUID
    household: Household
    dwelling: Dwelling
    building: Building
    visit: Visit
    photo: Photo
    promise: FollowUp
    done: FollowUp


class World:
    """The session and one of everything in each place."""

    def __init__(self, session: Session, cast: Cast) -> None:
        self.session, self.cast = session, cast
        self.places: dict[str, Place] = {}
        found = session.scalars(select(Household).where(Household.community_id == cast.community.id)).all()
        [second] = [home for home in found if home not in cast.households]
        homes = zip(
            PLACES, (cast.households[0], second, cast.far_household), ("worker", "other", "neighbour"), strict=True
        )
        for name, home, visitor in homes:
            self.places[name] = self._furnish(name, home, visitor)
        session.flush()

    def _furnish(self, name: str, home: Household, visitor: str) -> Place:
        session, user = self.session, self.cast.users[visitor]
        dwelling = session.get_one(Dwelling, home.dwelling_id)
        visit = make_visit(session, home, user, NOW - timedelta(days=1), is_urgent=True)
        photo = Photo(
            community_id=home.community_id,
            visit_id=visit.id,
            sha256=name,
            thumbnail_sha256=name,
            width=1,
            height=1,
            size=1,
        )
        session.add(photo)
        session.add(AuditEntry(community_id=home.community_id, at=NOW, deed=name, detail={}))
        make_group(session, self.cast.community if name != "far" else self.cast.elsewhere, name)
        make_household(session, dwelling, f"同{name}", number=2)
        assert dwelling.district_id is not None
        return Place(
            dwelling.district_id,
            home,
            dwelling,
            session.get_one(Building, dwelling.building_id),
            visit,
            photo,
            make_follow_up(session, home, user, name, due_on=TODAY - timedelta(days=1)),
            make_follow_up(session, home, user, name, done_at=NOW),
        )

    def actor(self, name: str) -> Actor:
        """Somebody of the cast; the neighbour answers for the far district."""
        actor = self.cast.actor(name)
        return replace(actor, district_ids=frozenset({self.places["far"].district})) if name == "neighbour" else actor

    def named(self, attribute: str, seen: Any) -> set[str]:
        """The places whose thing of this name, or its key, is among what was seen."""
        keys = {getattr(thing, "id", thing) for thing in seen}
        return {
            name
            for name, place in self.places.items()
            if getattr(getattr(place, attribute), "id", place.district) in keys
        }

    def each(self, attribute: str, ask: Callable[[UUID], Any]) -> set[str]:
        """The places whose thing of this name is given to one who asks for it by its key."""
        return {name for name, place in self.places.items() if ask(getattr(place, attribute).id)}


@pytest.fixture
def world(session: Session, cast: Cast) -> World:
    return World(session, cast)


Ask = Callable[[World, Actor], set[str]]

ROWS_OF_A_DISTRICT: dict[str, Ask] = {
    "doors on a sheet's list": lambda w, a: w.named("household", sheet_queries.doors(w.session, a)),
    "promises on a sheet's list": lambda w, a: w.named("promise", sheet_queries.promises(w.session, a)),
    "doors": lambda w, a: w.named("dwelling", {d.dwelling_id for d in door_queries.doors(w.session, a, TODAY, 90)}),
    "doors of a building": lambda w, a: w.each(
        "building", lambda key: door_queries.doors(w.session, a, TODAY, 90, building_id=key)
    ),
    "doors of a household": lambda w, a: w.each(
        "household", lambda key: door_queries.doors(w.session, a, TODAY, 90, household_id=key)
    ),
    "visit": lambda w, a: w.each("visit", lambda key: visits.visit(w.session, a, key)),
    "photo": lambda w, a: w.each("photo", lambda key: visits.photo(w.session, a, key)),
    "follow-up": lambda w, a: w.each("promise", lambda key: visits.follow_up(w.session, a, key)),
    "open follow-ups": lambda w, a: w.named("promise", [p.follow_up for p in visits.open_follow_ups(w.session, a)]),
    "done follow-ups": lambda w, a: w.named("done", [p.follow_up for p in visits.done_follow_ups(w.session, a)]),
    "untaken urgent": lambda w, a: w.named("visit", visits.untaken_urgent(w.session, a)),
    "household": lambda w, a: w.each("household", lambda key: households.household(w.session, a, key)),
    "search by name": lambda w, a: {f.head.removeprefix("同") for f in households.search(w.session, a, "同") if f.head},
    "search by room": lambda w, a: w.named(
        "household", {f.household_id for room in ("601", "201", "101") for f in households.search(w.session, a, room)}
    ),
    "districts on a day": lambda w, a: w.named("district", places.districts_on(w.session, a, TODAY)),
    "districts": lambda w, a: w.named("district", places.districts(w.session, a)),
    "assignments": lambda w, a: w.named("district", [d for d, _ in places.assignments_on(w.session, a, TODAY)]),
    "dwellings": lambda w, a: w.each("building", lambda key: places.dwellings_of(w.session, a, key)),
    "placed doors": lambda w, a: w.named("dwelling", placements.doors(w.session, a)),
    "open boundaries": lambda w, a: w.named("district", placements.open_boundaries(w.session, a)),
    "open assignments": lambda w, a: w.named("district", [d for d, _ in placements.open_assignments(w.session, a)]),
}

ROWS_OF_A_COMMUNITY: dict[str, Ask] = {
    "care groups": lambda w, a: {group.name for group in households.care_groups(w.session, a)},
    "buildings": lambda w, a: w.named("building", places.buildings(w.session, a)),
    "building": lambda w, a: w.each("building", lambda key: places.building(w.session, a, key)),
    "traces": lambda w, a: {trace.deed for trace in accounts.traces(w.session, a)},
}

FIGURES: dict[str, Callable[[World, Actor], int]] = {
    "households met": lambda w, a: visits.households_met_in(w.session, a, month_of(TODAY), TODAY),
    "overdue follow-ups": lambda w, a: visits.count_due_follow_ups(w.session, a, TODAY),
}


@pytest.mark.parametrize("query", ROWS_OF_A_DISTRICT)
def test_each_sees_the_rows_of_their_own_districts(world: World, query: str) -> None:
    ask = ROWS_OF_A_DISTRICT[query]
    assert {name: ask(world, world.actor(name)) for name in BY_DISTRICT} == BY_DISTRICT


@pytest.mark.parametrize("query", ROWS_OF_A_COMMUNITY)
def test_each_sees_what_their_community_has_in_common(world: World, query: str) -> None:
    ask = ROWS_OF_A_COMMUNITY[query]
    assert {name: ask(world, world.actor(name)) for name in BY_COMMUNITY} == BY_COMMUNITY


@pytest.mark.parametrize("query", FIGURES)
def test_each_counts_what_they_see(world: World, query: str) -> None:
    count = FIGURES[query]
    counted = {name: count(world, world.actor(name)) for name in BY_DISTRICT}
    assert counted == {name: len(seen) for name, seen in BY_DISTRICT.items()}


@pytest.mark.parametrize("role", [Role.STREET, Role.ADMIN])
@pytest.mark.parametrize("query", [*ROWS_OF_A_DISTRICT, *ROWS_OF_A_COMMUNITY])
def test_neither_street_nor_administrator_sees_a_row_even_when_narrowed_to_a_community(
    world: World, query: str, role: Role
) -> None:
    ask = (ROWS_OF_A_DISTRICT | ROWS_OF_A_COMMUNITY)[query]
    assert ask(world, Actor(None, "", role, world.cast.community.id, "s1")) == set()


@pytest.mark.parametrize("query", [*ROWS_OF_A_DISTRICT, *ROWS_OF_A_COMMUNITY])
def test_who_has_no_community_sees_nothing(world: World, query: str) -> None:
    ask = (ROWS_OF_A_DISTRICT | ROWS_OF_A_COMMUNITY)[query]
    for role in Role:
        assert ask(world, Actor(None, "", role)) == set()


@pytest.mark.parametrize("query", ROWS_OF_A_DISTRICT)
def test_a_district_of_another_community_does_not_open_it(world: World, query: str) -> None:
    far = frozenset({world.places["far"].district})
    assert ROWS_OF_A_DISTRICT[query](world, replace(world.cast.actor("worker"), district_ids=far)) == set()


@pytest.mark.parametrize(
    ("who", "districts"),
    [("director", ["1", "2"]), ("stranger", ["1"]), ("street", []), ("admin", [])],
)
def test_coverage_is_of_ones_own_community(world: World, who: str, districts: list[str]) -> None:
    figures = reports.coverage(world.session, world.actor(who), month_of(TODAY), TODAY)
    assert [d.code for d in figures.districts] == districts
    assert figures.met == len(districts)
    assert {b.id for b in figures.buildings} == {
        p.building.id for n, p in world.places.items() if n in BY_DISTRICT[who]
    }
    assert figures.total.households == {"director": 7, "stranger": 2}.get(who, 0)


def test_the_street_office_counts_in_a_community_of_its_own_and_sees_no_row(world: World) -> None:
    narrowed = replace(world.cast.actor("street"), community_id=world.cast.community.id)
    director = world.cast.actor("director")
    theirs = reports.coverage(world.session, narrowed, month_of(TODAY), TODAY)
    ours = reports.coverage(world.session, director, month_of(TODAY), TODAY)
    assert theirs.total == ours.total and theirs.met == ours.met == 2
    assert [(d.code, d.met, d.tally) for d in theirs.districts] == [(d.code, d.met, d.tally) for d in ours.districts]
    admin = replace(world.cast.actor("admin"), community_id=world.cast.community.id)
    assert reports.coverage(world.session, admin, month_of(TODAY), TODAY).total.households == 0


def test_a_street_office_answers_for_the_communities_of_its_street(world: World) -> None:
    assert [c.code for c in places.communities_of_street(world.session, "s1")] == ["c1", "c2"]
    assert places.communities_of_street(world.session, "s2") == []
    assert places.communities_of_street(world.session, None) == []


def test_a_worker_sees_what_they_answer_for_today_only(world: World) -> None:
    users, first = world.cast.users, world.places["first"].district
    assert places.district_ids_of(world.session, users["worker"].id, TODAY) == {first}
    assert places.district_ids_of(world.session, users["director"].id, TODAY) == frozenset()
