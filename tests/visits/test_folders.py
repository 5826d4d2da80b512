"""A household's folder: the same read by itself or with two hundred others, in as many statements."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from fieldapp.db import uuid7
from fieldapp.households.models import Household
from fieldapp.visits import door_queries, folders, operations, queries
from fieldapp.visits.folders import VISITS_SHOWN, Folder
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.models import Photo, VisitResident
from fieldapp.visits.rules import Outcome, day_of
from tests.conftest import NOW
from tests.factories import (
    Cast,
    make_building,
    make_care,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_visit,
)

TODAY = day_of(NOW)


def read(session: Session, cast: Cast, *homes: Household, who: str = "worker") -> list[Folder]:
    """The folders of these households, or of all."""
    return folders.folders(session, cast.actor(who), TODAY, 90, [home.id for home in homes] or None)


def one(session: Session, cast: Cast, home: Household) -> Folder:
    """The folder of one household."""
    [found] = read(session, cast, home)
    return found


def visited(session: Session, cast: Cast, home: Household, days: int, outcome: str = "met", **more: object) -> UUID:
    """A visit so many days ago."""
    return make_visit(session, home, cast.users["worker"], NOW - timedelta(days=days), outcome, **more).id


@pytest.fixture
def street(session: Session, cast: Cast) -> list[Household]:
    """Households of every kind."""
    worker, group = cast.users["worker"], make_group(session, cast.community)
    homes = [*cast.households]
    for number in range(12):
        dwelling = make_dwelling(session, cast.building, cast.district, f"7{number:02d}", entrance=number % 3 + 2)
        homes.append(make_household(session, dwelling, f"户主{number}", "vacant" if number == 5 else "own"))
    for number, home in enumerate(homes):
        child = make_resident(session, home, f"孩子{number}", position=2)
        make_resident(session, home, "走了的", left_on=date(2026, 1, 1))
        for days in range(number):
            key = visited(session, cast, home, days * 7, "met" if days % 2 else "nobody", sentence="好" if days else "")
            if days % 3 == 1:
                session.add(VisitResident(visit_id=key, resident_id=child.id))
        if number % 2:
            make_care(session, home, group, date(2026, 1, 1))
            make_follow_up(session, home, worker, f"答应{number}", due_on=TODAY)
            make_follow_up(session, home, worker, "没日子")
    session.commit()
    return homes


def told(folder: Folder) -> object:
    """A folder as something that can be compared."""
    door = vars(folder.door) | {"facts": vars(folder.door.facts) | {"knocks": list(folder.door.facts.knocks)}}
    visits = [(logged.visit.id, logged.visitor, logged.met, logged.is_corrected) for logged in folder.visits]
    said = folder.last_said and folder.last_said.visit.id
    people = [person.id for person in folder.residents]
    promises = [promise.id for promise in folder.promises]
    cares = [care.membership.id for care in folder.cares]
    return door, visits, said, people, promises, cares, folder.visit_count, folder.last_met


def test_a_folder_is_the_same_by_itself_among_some_and_among_all(session, cast, street):
    every = {folder.address.household.id: told(folder) for folder in read(session, cast)}
    assert every.keys() == {home.id for home in street}
    for home in street:
        assert told(one(session, cast, home)) == every[home.id]
    some = read(session, cast, *street[3:9])
    assert {folder.address.household.id: told(folder) for folder in some} == {h.id: every[h.id] for h in street[3:9]}


def test_a_folder_has_the_door_that_today_and_the_matrix_have(session, cast, street):
    doors = {door.household_id: vars(door) for door in door_queries.doors(session, cast.actor("worker"), TODAY, 90)}
    for folder in read(session, cast):
        expected = doors[folder.door.household_id]
        assert {**vars(folder.door), "facts": None} == {**expected, "facts": None}
        facts, theirs = folder.door.facts, expected["facts"]
        assert (facts.occupied, facts.last_met_on, facts.cares) == (theirs.occupied, theirs.last_met_on, theirs.cares)
        assert list(facts.knocks) == list(theirs.knocks)


def test_folders_stand_in_street_order(session, cast, street):
    doors = door_queries.doors(session, cast.actor("worker"), TODAY, 90)
    assert [folder.door.household_id for folder in read(session, cast)] == [door.household_id for door in doors]


def test_the_newest_visits_are_those_of_the_list_of_all(session, cast, street):
    for home in street:
        shown = one(session, cast, home).visits
        listed = queries.visits_of(session, home.id)[:VISITS_SHOWN]
        assert [(v.visit.id, v.met, v.companion) for v in shown] == [(v.visit.id, v.met, v.companion) for v in listed]


def test_visits_of_one_minute_keep_the_order_of_the_list(session, cast):
    home = cast.households[1]
    for number in range(5):
        visited(session, cast, home, 0, sentence=str(number))
    listed = [logged.visit.id for logged in queries.visits_of(session, home.id)]
    assert [logged.visit.id for logged in one(session, cast, home).visits] == listed[:VISITS_SHOWN]


def test_what_was_said_last_may_be_long_ago_and_is_not_what_was_corrected(session, cast):
    home, who = cast.households[1], cast.actor("worker")
    said = visited(session, cast, home, 60, sentence="要换锁")
    for days in range(10):
        visited(session, cast, home, days + 1, "nobody")
    found = one(session, cast, home)
    assert found.last_said and found.last_said.visit.id == said
    assert len(found.visits) == VISITS_SHOWN
    wrong = operations.record_visit(
        session, who, home, VisitDraft(outcome=Outcome.MET, visited_at=NOW, sentence="记错门"), NOW
    )
    assert one(session, cast, home).last_said.visit.id == wrong.id
    draft = VisitDraft(outcome=Outcome.MET, visited_at=NOW)
    operations.record_visit(session, who, home, draft, NOW, corrects=wrong)
    found = one(session, cast, home)
    assert found.last_said.visit.id == said
    assert [logged.is_corrected for logged in found.visits] == [False, True, False]
    assert found.visit_count == 12


def test_two_of_one_name_were_both_met_and_a_photo_comes_once(session, cast):
    home = cast.households[1]
    people = [
        make_resident(session, home, name, position=place) for place, name in ((1, "王芳"), (2, "王芳"), (3, "王强"))
    ]
    visit = visited(session, cast, home, 0)
    for person in people:
        session.add(VisitResident(visit_id=visit, resident_id=person.id))
    picture = {"thumbnail_sha256": "1" * 64, "width": 1, "height": 1, "size": 1}
    for place in (2, 1):
        session.add(
            Photo(
                id=uuid7(),
                community_id=cast.community.id,
                visit_id=visit,
                sha256=f"{place}" * 64,
                position=place,
                **picture,
            )
        )
    session.flush()
    [logged] = one(session, cast, home).visits
    assert logged.met == ["王芳", "王芳", "王强"]
    assert [photo.position for photo in logged.photos] == [1, 2]


def test_nothing_beyond_the_wall_is_read(session, cast, street):
    assert read(session, cast, cast.far_household) == []
    assert read(session, cast, street[0], who="neighbour") == []
    assert folders.folder(session, cast.actor("other"), TODAY, 90, street[0].id) is None
    assert folders.folder(session, cast.actor("worker"), TODAY, 90, uuid7()) is None
    assert len(read(session, cast, who="director")) == len(street) + 1


def test_as_many_statements_for_all_as_for_one(session, cast, street, count_queries):
    counted = []
    for homes in (street[:1], street[:2], []):
        before = count_queries()
        read(session, cast, *homes)
        counted.append(count_queries() - before)
    building = make_building(session, cast.community, "8号楼")
    for number in range(30):
        home = make_household(session, make_dwelling(session, building, cast.district, f"{number + 1}01"))
        visited(session, cast, home, number, sentence="好")
    session.commit()
    before = count_queries()
    assert len(read(session, cast)) == len(street) + 30
    assert {count_queries() - before, *counted} == {8}


def test_a_page_asks_little(sign_in, cast, count_queries):
    person = sign_in("worker")
    counted = {}
    for name, where in (("page", ""), ("form", "/visits/new")):
        person.get(f"/households/{cast.households[0].id}{where}")
        before = count_queries()
        assert person.get(f"/households/{cast.households[0].id}{where}").status_code == 200
        counted[name] = count_queries() - before
    assert counted == {"page": 12, "form": 12}
