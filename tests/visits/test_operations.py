"""Writing to the visit log: appended to, never edited away; what it says of a household's occupancy follows."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fieldapp.db import uuid7
from fieldapp.households import queries as households
from fieldapp.households.models import Household, OccupancyPeriod
from fieldapp.households.rules import Occupancy
from fieldapp.places.rules import ALWAYS, FOREVER
from fieldapp.visits import folders, operations, queries
from fieldapp.visits.folders import Folder
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.models import FollowUp, Visit
from fieldapp.visits.rules import Outcome, Way, month_of
from tests.conftest import NOW
from tests.factories import Cast, make_dwelling, make_household, make_resident

TODAY = date(2026, 11, 18)


def record(
    session: Session, cast: Cast, household: Household, outcome: str, *, who: str = "worker", ago: int = 0, **more: Any
) -> Visit:
    """Record a visit made so many days ago; written down at once unless `late`."""
    at = NOW - timedelta(days=ago)
    now = NOW if more.pop("late", False) else at
    corrects = more.pop("corrects", None)
    draft = VisitDraft(outcome=Outcome(outcome), visited_at=at, **more)
    return operations.record_visit(session, cast.actor(who), household, draft, now, corrects=corrects)


def stands(session: Session, household: Household) -> list[tuple[date, date, str]]:
    """The household's timeline without the facts of no length."""
    periods = households.occupancy_periods(session, household.id)
    return [(p.since, p.until, p.occupancy) for p in periods if p.since < p.until]


def folder(session: Session, cast: Cast, household: Household) -> Folder:
    """What a household's pages show to its worker."""
    found = folders.folder(session, cast.actor("worker"), TODAY, 90, household.id)
    assert found
    return found


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_a_routine_visit_is_appended_with_who_when_and_how(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    visit = record(session, cast, home, "met")
    session.expire_all()
    kept = session.get_one(Visit, visit.id)
    assert (kept.household_id, kept.visitor_id, kept.community_id) == (
        home.id,
        cast.users["worker"].id,
        cast.community.id,
    )
    assert (kept.visited_at, kept.visited_on, kept.recorded_at) == (NOW, TODAY, NOW)
    assert (kept.outcome, kept.way, kept.topics, kept.sentence, kept.is_urgent) == ("met", "door", [], None, False)
    assert kept.is_met and not kept.is_late_entry and kept.corrects_id is None
    assert stands(session, home) == [(ALWAYS, FOREVER, "own")]


def test_everything_that_was_typed_is_kept(session: Session, cast: Cast) -> None:
    visit = record(
        session,
        cast,
        cast.households[0],
        "changed",
        way=Way.PHONE,
        companion_id=cast.users["partner"].id,
        topics=["助餐", "看病"],
        sentence="换了电话",
        longitude=120.301,
        latitude=31.571,
        accuracy=8.0,
        is_urgent=True,
    )
    session.expire_all()
    [logged, _] = queries.visits_of(session, cast.households[0].id)
    assert logged.visit.id == visit.id
    assert (logged.visitor, logged.companion, logged.is_corrected) == ("worker", "partner", False)
    kept = logged.visit
    assert (kept.way, kept.topics, kept.sentence, kept.is_urgent) == ("phone", ["助餐", "看病"], "换了电话", True)
    assert (kept.longitude, kept.latitude, kept.accuracy) == (120.301, 31.571, 8.0)


def test_an_evening_in_utc_is_the_communitys_next_day(session: Session, cast: Cast) -> None:
    at = datetime.fromisoformat("2026-10-31T16:05:00+00:00")
    draft = VisitDraft(outcome=Outcome.MET, visited_at=at)
    visit = operations.record_visit(session, cast.actor("worker"), cast.households[1], draft, at)
    assert visit.visited_on == date(2026, 11, 1)
    assert queries.households_met_in(session, cast.actor("worker"), month_of(TODAY), TODAY) == 1


def test_who_was_met_is_remembered_with_the_day(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    child = make_resident(session, home, "王小明", position=1)
    visit = record(session, cast, home, "met", met_ids=[child.id], ago=2)
    assert queries.met_residents(session, visit.id) == [child.id]
    assert folder(session, cast, home).last_met == {child.id: ago(2)}
    assert queries.visits_of(session, home.id)[0].met == ["王小明"]


def test_nobody_is_met_where_nobody_was_home(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    person = households.residents_of(session, home.id)[0]
    visit = record(session, cast, home, "nobody", met_ids=[person.id])
    assert queries.met_residents(session, visit.id) == []
    assert folder(session, cast, home).last_met == {}


def test_a_promise_stays_open_until_it_is_ticked(session: Session, cast: Cast) -> None:
    home, who = cast.households[2], cast.actor("worker")
    visit = record(session, cast, home, "met", promise="送表格", promise_due_on=ago(-3))
    [promise] = folder(session, cast, home).promises
    assert (promise.promise, promise.due_on, promise.visit_id) == ("送表格", ago(-3), visit.id)
    assert promise.promised_by_id == who.user_id
    operations.tick(promise, who.user_id, NOW)
    session.flush()
    assert (promise.done_at, promise.done_by_id) == (NOW, who.user_id)
    assert folder(session, cast, home).promises == []
    operations.tick(promise, cast.users["partner"].id, NOW + timedelta(hours=1))
    assert (promise.done_at, promise.done_by_id) == (NOW, who.user_id), "the first tick stays"
    operations.untick(promise)
    session.flush()
    assert (promise.done_at, promise.done_by_id) == (None, None)
    assert folder(session, cast, home).promises == [promise]


def test_a_visit_without_a_promise_leaves_none(session: Session, cast: Cast) -> None:
    record(session, cast, cast.households[2], "met", promise_due_on=ago(-3))
    assert session.scalar(select(func.count(FollowUp.id)).where(FollowUp.household_id == cast.households[2].id)) == 0


def test_the_same_form_sent_twice_is_one_visit_with_one_promise(session: Session, cast: Cast) -> None:
    home, key = cast.households[2], uuid7()
    first = record(session, cast, home, "met", visit_id=key, promise="送表格")
    again = record(session, cast, home, "met", visit_id=key, promise="送表格")
    assert first is again and first.id == key
    assert folder(session, cast, home).visit_count == 1
    assert len(folder(session, cast, home).promises) == 1


def test_a_correction_sent_twice_is_one_correction(session: Session, cast: Cast) -> None:
    home, key = cast.households[2], uuid7()
    wrong = record(session, cast, home, "met")
    first = record(session, cast, home, "nobody", visit_id=key, corrects=wrong)
    assert record(session, cast, home, "nobody", visit_id=key, corrects=wrong) is first


@pytest.mark.parametrize("taken_by", ["partner", "another door"])
def test_a_key_of_somebody_elses_visit_loses_neither_visit(session: Session, cast: Cast, taken_by: str) -> None:
    home, other = cast.households[1], cast.households[2]
    who, where = ("partner", home) if taken_by == "partner" else ("worker", other)
    theirs = record(session, cast, where, "refused", who=who)
    mine = record(session, cast, home, "met", visit_id=theirs.id)
    session.expire_all()
    assert mine.id != theirs.id
    assert (mine.outcome, mine.household_id, theirs.outcome, theirs.household_id) == (
        "met",
        home.id,
        "refused",
        where.id,
    )


@pytest.mark.parametrize(
    "draft",
    [
        VisitDraft(visited_at=NOW),
        VisitDraft(outcome=Outcome.MET),
        VisitDraft(outcome=Outcome.MET, visited_at=NOW, faults={"sentence": "long"}),
    ],
)
def test_a_draft_with_faults_is_never_recorded(session: Session, cast: Cast, draft: VisitDraft) -> None:
    with pytest.raises(ValueError):
        operations.record_visit(session, cast.actor("worker"), cast.households[1], draft, NOW)
    assert folder(session, cast, cast.households[1]).visit_count == 0


def test_a_correction_is_appended_and_counts_instead_of_the_old_one(session: Session, cast: Cast) -> None:
    home, who, month = cast.households[1], cast.actor("worker"), month_of(TODAY)
    wrong = record(session, cast, home, "met", ago=1, sentence="记错门")
    assert queries.households_met_in(session, who, month, TODAY) == 1
    right = record(session, cast, home, "nobody", ago=1, corrects=wrong)
    assert queries.households_met_in(session, who, month, TODAY) == 0
    assert folder(session, cast, home).visit_count == 1
    assert queries.correction_of(session, wrong.id) == right.id
    logged = {v.visit.id: v for v in queries.visits_of(session, home.id)}
    assert logged[wrong.id].is_corrected and not logged[right.id].is_corrected
    assert logged[wrong.id].visit.sentence == "记错门", "nothing is edited away"


def test_a_visit_is_corrected_once_and_its_correction_may_be_corrected(session: Session, cast: Cast) -> None:
    home, who = cast.households[1], cast.actor("worker")
    wrong = record(session, cast, home, "nobody")
    second = record(session, cast, home, "refused", corrects=wrong)
    with pytest.raises(operations.AlreadyCorrected):
        record(session, cast, home, "met", corrects=wrong)
    record(session, cast, home, "met", corrects=second)
    assert folder(session, cast, home).visit_count == 1
    assert queries.households_met_in(session, who, month_of(TODAY), TODAY) == 1


@pytest.mark.parametrize(("outcome", "occupancy"), [("moved", "gone"), ("vacant", "vacant")])
def test_moved_away_or_vacant_holds_from_the_day_of_the_visit(
    session: Session, cast: Cast, outcome: str, occupancy: str
) -> None:
    home = cast.households[1]
    visit = record(session, cast, home, outcome, ago=4)
    assert stands(session, home) == [(ALWAYS, ago(4), "own"), (ago(4), FOREVER, occupancy)]
    assert home.occupancy == occupancy and not home.is_occupied
    record(session, cast, home, "nobody", ago=4, corrects=visit)
    assert stands(session, home) == [(ALWAYS, FOREVER, "own")]
    assert home.occupancy == "own" and home.is_occupied


def test_who_is_met_behind_a_door_that_was_gone_lives_there_again(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    record(session, cast, home, "moved", ago=9)
    record(session, cast, home, "met", ago=4)
    assert stands(session, home) == [
        (ALWAYS, ago(9), "own"),
        (ago(9), ago(4), "gone"),
        (ago(4), FOREVER, "own"),
    ]
    assert home.is_occupied


def test_taking_back_that_somebody_was_met_makes_the_door_vacant_again(session: Session, cast: Cast) -> None:
    home = make_household(session, make_dwelling(session, cast.building, cast.district, "101"), None, Occupancy.VACANT)
    met = record(session, cast, home, "met", ago=2)
    assert home.occupancy == "unknown"
    record(session, cast, home, "nobody", ago=2, corrects=met)
    assert stands(session, home) == [(ALWAYS, FOREVER, "vacant")]
    assert home.occupancy == "vacant"


def test_a_correction_of_the_day_moves_the_change_to_that_day(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    wrong = record(session, cast, home, "moved", ago=9)
    record(session, cast, home, "moved", ago=5, late=True, corrects=wrong)
    assert stands(session, home) == [(ALWAYS, ago(5), "own"), (ago(5), FOREVER, "gone")]


def test_a_late_entry_from_before_a_later_change_leaves_today_as_it_is(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    record(session, cast, home, "met", ago=2)
    record(session, cast, home, "vacant", ago=6, late=True)
    assert stands(session, home) == [
        (ALWAYS, ago(6), "own"),
        (ago(6), ago(2), "vacant"),
        (ago(2), FOREVER, "own"),
    ]
    assert home.occupancy == "own"


def test_a_late_entry_that_somebody_was_met_shortens_the_vacancy_of_then(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    record(session, cast, home, "moved", ago=15)
    record(session, cast, home, "met", ago=3)
    record(session, cast, home, "met", ago=8, late=True)
    assert stands(session, home) == [
        (ALWAYS, ago(15), "own"),
        (ago(15), ago(8), "gone"),
        (ago(8), FOREVER, "own"),
    ]


@pytest.mark.parametrize("outcome", ["nobody", "refused"])
def test_an_unanswered_door_says_nothing_of_who_lives_there(session: Session, cast: Cast, outcome: str) -> None:
    home = cast.households[1]
    record(session, cast, home, "moved", ago=5)
    record(session, cast, home, outcome, ago=1)
    assert home.occupancy == "gone"


def test_a_routine_visit_leaves_the_timeline_untouched(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    [before] = households.occupancy_periods(session, home.id)
    for outcome in ("met", "changed", "nobody", "refused"):
        record(session, cast, home, outcome)
    assert [p.id for p in households.occupancy_periods(session, home.id)] == [before.id]


def test_nobody_home_for_a_whole_entrance_is_one_knock_a_door(session: Session, cast: Cast) -> None:
    made = operations.record_nobody_home(session, cast.actor("worker"), cast.households[:3], NOW, uuid7())
    assert [visit.household_id for visit in made] == [h.id for h in cast.households[:3]]
    assert {(v.outcome, v.visited_at, v.recorded_at, v.visitor_id) for v in made} == {
        ("nobody", NOW, NOW, cast.users["worker"].id)
    }
    assert queries.households_met_in(session, cast.actor("worker"), month_of(TODAY), TODAY) == 0


def test_the_first_who_takes_an_urgent_visit_on_keeps_it(session: Session, cast: Cast) -> None:
    visit = record(session, cast, cast.households[1], "met", is_urgent=True, sentence="煤气味")
    who = cast.actor("director")
    assert [u.id for u in queries.untaken_urgent(session, who)] == [visit.id]
    operations.take_on(visit, who.user_id, NOW)
    operations.take_on(visit, cast.users["worker"].id, NOW + timedelta(hours=1))
    session.flush()
    assert (visit.taken_by_id, visit.taken_at) == (who.user_id, NOW)
    assert queries.untaken_urgent(session, who) == []


def test_an_urgent_visit_that_was_corrected_is_urgent_no_more(session: Session, cast: Cast) -> None:
    wrong = record(session, cast, cast.households[1], "met", is_urgent=True)
    record(session, cast, cast.households[1], "met", corrects=wrong)
    assert queries.untaken_urgent(session, cast.actor("director")) == []


def test_every_stand_of_a_timeline_belongs_to_the_community(session: Session, cast: Cast) -> None:
    record(session, cast, cast.households[1], "moved")
    rows = session.scalars(select(OccupancyPeriod).where(OccupancyPeriod.household_id == cast.households[1].id))
    assert {row.community_id for row in rows} == {cast.community.id}


def test_nobody_home_sent_twice_is_logged_once(session, cast):
    form, doors = uuid7(), cast.households[:3]
    first = operations.record_nobody_home(session, cast.actor("worker"), doors, NOW, form)
    again = operations.record_nobody_home(session, cast.actor("worker"), doors, NOW + timedelta(seconds=2), form)
    assert [visit.id for visit in first] == [visit.id for visit in again]
    assert len({visit.id for visit in first}) == 3
