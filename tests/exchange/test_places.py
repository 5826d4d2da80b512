"""Districts and buildings from files: periods, placements, and what is left alone."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor
from fieldapp.exchange import files, queries
from fieldapp.exchange.files import When
from fieldapp.households.models import Household, OccupancyPeriod
from fieldapp.places.models import Assignment, Building, Community, District, DistrictBoundary, Dwelling, Placement
from fieldapp.places.rules import ALWAYS, FOREVER
from geo.geojson import GeoJSONError, dump
from tests.exchange.made import NOW, TODAY, WHEN, blocks, office, point, square
from tests.factories import make_user

EARLIER = date(2026, 10, 1)


def bring(session: Session, actor: Actor, *features: Any, since: date = TODAY) -> Any:
    return files.bring_districts(session, actor, dump(features), When(NOW, TODAY, since))


def lay_out(session: Session, actor: Actor, data: bytes) -> Any:
    return files.bring_buildings(session, actor, data, WHEN, where=None, lay_out=True)


def periods(session: Session, model: Any, actor: Actor, *columns: Any) -> list[tuple[Any, ...]]:
    statement = select(model.since, model.until, *columns).where(model.community_id == actor.community_id)
    return sorted({tuple(row) for row in session.execute(statement)}, key=str)


def test_new_districts_hold_from_always(session: Session) -> None:
    actor = office(session)
    done = bring(session, actor, (None, {}, square(121.0)), ("b", {"name": "东片"}, square(121.01)))
    found = queries.districts(session, actor)
    assert {code: district.name for code, district in found.items()} == {"1": "第一包干区", "b": "东片"}
    assert periods(session, DistrictBoundary, actor) == [(ALWAYS, FOREVER)]
    assert (done.added, done.changed, done.same) == (2, 0, 0)


def test_doors_are_placed_by_their_building(session: Session) -> None:
    actor = office(session)
    assert lay_out(session, actor, blocks(3, households=4)).placed.orphans == 12
    done = bring(session, actor, (1, {}, square(121.0)), (2, {}, square(121.01)))
    assert (done.placed.first, done.placed.orphans) == (8, 4)
    first, second = (queries.districts(session, actor)[code].id for code in "12")
    placed = periods(session, Placement, actor, Placement.district_id)
    assert placed == sorted([(ALWAYS, FOREVER, first), (ALWAYS, FOREVER, second)], key=str)
    counted = select(Dwelling.district_id, func.count()).group_by(Dwelling.district_id)
    assert {row[0]: row[1] for row in session.execute(counted.where(Dwelling.community_id == actor.community_id))} == {
        first: 4, second: 4, None: 4,
    }  # fmt: skip


def test_a_changed_boundary_closes_the_old_and_moves_doors(session: Session) -> None:
    actor = office(session)
    lay_out(session, actor, blocks(2, households=3))
    bring(session, actor, (1, {}, square(121.0)), (2, {}, square(121.01)))
    done = bring(session, actor, (1, {}, square(121.0, size=0.02)), (2, {}, square(121.02)), since=EARLIER)
    assert (done.changed, done.placed.first, done.placed.moved) == (2, 0, 3)
    assert periods(session, DistrictBoundary, actor) == [(ALWAYS, EARLIER), (EARLIER, FOREVER)]
    first, second = (queries.districts(session, actor)[code].id for code in "12")
    assert periods(session, Placement, actor, Placement.district_id) == sorted(
        [(ALWAYS, FOREVER, first), (ALWAYS, EARLIER, second), (EARLIER, FOREVER, first)], key=str
    )
    assert set(session.scalars(select(Dwelling.district_id).where(Dwelling.community_id == actor.community_id))) == {
        first
    }


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    actor = office(session)
    lay_out(session, actor, blocks(2, households=3))
    features = ((1, {}, square(121.0)), (2, {}, square(121.01)))
    bring(session, actor, *features)
    before = periods(session, Placement, actor, Placement.id)
    done = bring(session, actor, *features)
    assert (done.added, done.changed, done.same, done.placed.moved) == (0, 0, 2, 0)
    assert periods(session, Placement, actor, Placement.id) == before


def test_two_changes_on_one_day_leave_no_day_of_no_length(session: Session) -> None:
    actor = office(session)
    lay_out(session, actor, blocks(2, households=3))
    bring(session, actor, (1, {}, square(121.0)), (2, {}, square(121.01)))
    bring(session, actor, (1, {}, square(121.0, size=0.02)), (2, {}, square(121.02)))
    bring(session, actor, (1, {}, square(121.0, size=0.005)), (2, {}, square(121.005, size=0.02)))
    for model in (DistrictBoundary, Placement):
        for since, until in periods(session, model, actor):
            assert since < until
    assert {row[:2] for row in periods(session, DistrictBoundary, actor)} == {(ALWAYS, TODAY), (TODAY, FOREVER)}


def test_doors_that_fall_outside_leave_their_district(session: Session) -> None:
    actor = office(session)
    lay_out(session, actor, blocks(1, households=2))
    bring(session, actor, (1, {}, square(121.0)))
    done = bring(session, actor, (1, {}, square(122.0)))
    assert (done.placed.moved, done.placed.orphans) == (2, 2)
    assert (TODAY, FOREVER, None) in periods(session, Placement, actor, Placement.district_id)


def test_a_point_on_a_shared_edge_is_always_in_the_first(session: Session) -> None:
    actor = office(session)
    lay_out(session, actor, dump([("edge", {"households": 1}, point(121.01))]))
    bring(session, actor, (2, {}, square(121.01)), (1, {}, square(121.0)))
    placed = session.scalar(select(Dwelling.district_id).where(Dwelling.community_id == actor.community_id))
    assert placed == queries.districts(session, actor)["2"].id


def test_districts_that_the_file_does_not_name_stay(session: Session) -> None:
    actor = office(session)
    bring(session, actor, (1, {}, square(121.0)), (2, {}, square(121.01)))
    assert bring(session, actor, (1, {}, square(121.0))).untouched == ("2",)
    assert len(queries.district_rows(session, actor, TODAY)) == 2


def test_people_of_a_district(session: Session) -> None:
    actor = office(session)
    for name in ("anna", "bo", "chen"):
        make_user(session, name, community_id=actor.community_id)
    bring(session, actor, (1, {"lead": "anna", "partner": "bo"}, square(121.0)), since=EARLIER)
    done = bring(session, actor, (1, {"lead": "chen"}, square(121.0)))
    assert (done.assigned, done.changed) == (1, 0)
    ends = periods(session, Assignment, actor, Assignment.part)
    assert ends == sorted([(EARLIER, TODAY, "lead"), (TODAY, FOREVER, "lead"), (EARLIER, FOREVER, "partner")], key=str)
    (row,) = queries.district_rows(session, actor, TODAY)
    assert (row.lead, row.partner) == ("chen", "bo")
    with pytest.raises(GeoJSONError) as refused:
        bring(session, actor, (1, {"lead": "bo"}, square(121.0)))
    assert refused.value.problems[0].code == "lead_same"


def test_who_may_answer_for_a_district(session: Session) -> None:
    actor, elsewhere = office(session), office(session)
    make_user(session, "stranger-worker", community_id=elsewhere.community_id)
    make_user(session, "gone-worker", community_id=actor.community_id, active=False)
    with pytest.raises(GeoJSONError) as refused:
        bring(
            session, actor,
            (1, {"lead": "stranger-worker"}, square(121.0)),
            (2, {"lead": "gone-worker", "partner": "nobody"}, square(122.0)),
        )  # fmt: skip
    assert [(problem.feature, problem.code) for problem in refused.value.problems] == [(1, "worker")] + [
        (2, "worker")
    ] * 2
    assert queries.districts(session, actor) == {}


def test_a_day_before_the_last_change_or_after_today_is_refused(session: Session) -> None:
    actor = office(session)
    bring(session, actor, (1, {}, square(121.0)))
    bring(session, actor, (1, {}, square(122.0)))
    for since, code in ((EARLIER, "later_change"), (date(2026, 11, 19), "future")):
        with pytest.raises(GeoJSONError) as refused:
            bring(session, actor, (1, {}, square(123.0)), since=since)
        assert refused.value.problems[0].code == code


def test_buildings_without_doors_and_with(session: Session) -> None:
    actor = office(session)
    data = blocks(2, households=12)
    done = files.bring_buildings(session, actor, data, WHEN, where=None, lay_out=False)
    assert (done.added, done.doors, done.without_doors) == (2, 0, 2)
    done = lay_out(session, actor, data)
    assert (done.added, done.same, done.doors, done.without_doors) == (0, 2, 24, 0)
    here = Household.community_id == actor.community_id
    assert set(session.scalars(select(Household.occupancy).where(here))) == {"unknown"}
    assert periods(session, OccupancyPeriod, actor, OccupancyPeriod.occupancy) == [(ALWAYS, FOREVER, "unknown")]
    assert lay_out(session, actor, data).doors == 0


def test_buildings_again_keep_their_doors_and_place(session: Session) -> None:
    actor = office(session)
    lay_out(session, actor, blocks(2, households=4))
    doors = set(queries.dwellings(session, actor))
    done = lay_out(session, actor, dump([("b2", {"name": "新名", "levels": 2, "households": 40}, point(121.5))]))
    assert (done.added, done.changed, done.doors) == (0, 1, 0)
    assert set(queries.dwellings(session, actor)) == doors
    assert [building.name for building in queries.building_rows(session, actor)] == ["1号楼", "新名"]


def test_what_is_refused_has_written_nothing(session: Session) -> None:
    actor = office(session, blocks(1))
    crowded = dump(
        [
            ("b1", {"name": "别的"}, point(121.0)),
            ("n", {"levels": 12, "entrances": 1, "households": 3000}, point(121.1)),
        ]
    )
    with pytest.raises(GeoJSONError):
        lay_out(session, actor, crowded)
    assert not session.dirty
    assert not session.new
    assert [building.name for building in queries.building_rows(session, actor)] == ["1号楼"]


def test_nothing_of_another_community_is_touched(session: Session) -> None:
    actor, other = office(session), office(session)
    lay_out(session, other, blocks(1, households=2))
    bring(session, other, (1, {}, square(121.0)))
    lay_out(session, actor, blocks(1, households=3))
    bring(session, actor, (1, {"name": "我们的"}, square(121.0)))
    assert queries.districts(session, other)["1"].name == "第一包干区"
    assert len(queries.dwellings(session, other)) == 2
    assert session.scalar(select(func.count(Building.id)).where(Building.community_id == other.community_id)) == 1
    assert session.get(Community, other.community_id) is not None
    assert session.scalar(select(func.count(District.id)).where(District.community_id == other.community_id)) == 1
