"""What a visit form says, and every fault that keeps it from being recorded."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from fieldapp.visits.forms import VisitDraft, read_visit
from fieldapp.visits.rules import Outcome, Way, day_of

NOW = datetime(2026, 11, 18, 1, 41, tzinfo=UTC)


def read(met: Any = (), topics: Any = (), **fields: str) -> VisitDraft:
    return read_visit({"outcome": "met"} | fields, {"met": met, "topics": topics}, NOW)


def test_a_routine_visit_is_an_outcome_and_nothing_else() -> None:
    draft = read()
    assert draft == VisitDraft(outcome=Outcome.MET, way=Way.DOOR, visited_at=NOW)
    assert not draft.faults


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_read(outcome: str) -> None:
    assert read(outcome=outcome).outcome is Outcome(outcome)


def test_a_full_form_is_read_whole() -> None:
    key, companion, met = uuid4(), uuid4(), [uuid4(), uuid4()]
    draft = read(
        met=[str(m) for m in met],
        topics=["助餐", " 看病 "],
        visit_id=str(key),
        companion_id=str(companion),
        outcome="changed",
        way="phone",
        visited_at="2026-11-17T18:05",
        sentence="  换了电话 \n",
        promise=" 问助餐卡 ",
        promise_due_on="2026-11-25",
        longitude="120.301",
        latitude="31.571",
        accuracy="12.5",
        urgent="1",
    )
    assert not draft.faults
    assert (draft.visit_id, draft.companion_id, draft.met_ids) == (key, companion, met)
    assert (draft.outcome, draft.way, draft.is_urgent) == (Outcome.CHANGED, Way.PHONE, True)
    assert draft.visited_at == datetime(2026, 11, 17, 10, 5, tzinfo=UTC)
    assert (draft.sentence, draft.promise, draft.promise_due_on) == ("换了电话", "问助餐卡", date(2026, 11, 25))
    assert (draft.longitude, draft.latitude, draft.accuracy) == (120.301, 31.571, 12.5)
    assert draft.topics == ["助餐", "看病"]


@pytest.mark.parametrize(
    ("field", "value", "where", "fault"),
    [
        ("outcome", "", "outcome", "missing"),
        ("outcome", "MET", "outcome", "missing"),
        ("outcome", "dead", "outcome", "missing"),
        ("way", "drone", "way", "unknown"),
        ("visited_at", "yesterday", "visited_at", "time"),
        ("visited_at", "2026-02-30T10:00", "visited_at", "time"),
        ("visited_at", "2026-11-18T09:41+24:00", "visited_at", "time"),
        ("visited_at", "2026-11-18T09:52", "visited_at", "future"),
        ("visited_at", "2026-12-01", "visited_at", "future"),
        ("visited_at", "2025-10-01T09:00", "visited_at", "ancient"),
        ("sentence", "记" * 501, "sentence", "long"),
        ("promise", "诺" * 201, "promise", "long"),
        ("promise_due_on", "2026-11-31", "promise_due_on", "date"),
        ("promise_due_on", "soon", "promise_due_on", "date"),
        ("visit_id", "7", "form", "id"),
        ("companion_id", "worker2", "form", "id"),
    ],
)
def test_a_field_that_cannot_be_right_is_a_fault(field: str, value: str, where: str, fault: str) -> None:
    assert read(**{field: value}).faults == {where: fault}


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59-12:00", "0001-01-01T00:00+14:00"]
)
def test_a_time_at_the_end_of_the_calendar_is_a_fault_and_no_accident(moment: str) -> None:
    assert set(read(visited_at=moment).faults) == {"visited_at"}


def test_whom_a_form_met_must_be_keys() -> None:
    assert read(met=["张三"]).faults == {"form": "id"}


@pytest.mark.parametrize(
    ("longitude", "latitude", "accuracy"),
    [
        ("180.1", "31", "5"),
        ("120", "-90.5", "5"),
        ("nan", "31", "5"),
        ("120", "inf", "5"),
        ("120", "31", "nan"),
        ("120", "31", "-1"),
        ("120", "31", "1e6"),
        ("east", "31", "5"),
        ("120", "31", "good"),
    ],
)
def test_coordinates_that_are_no_place_are_a_fault(longitude: str, latitude: str, accuracy: str) -> None:
    draft = read(longitude=longitude, latitude=latitude, accuracy=accuracy)
    assert draft.faults == {"place": "place"}
    assert (draft.longitude, draft.latitude) == (None, None)


@pytest.mark.parametrize(("longitude", "latitude"), [("", ""), ("120.3", ""), ("", "31.5")])
def test_a_location_is_offered_and_never_required(longitude: str, latitude: str) -> None:
    draft = read(longitude=longitude, latitude=latitude)
    assert not draft.faults and draft.longitude is None


def test_a_location_of_unknown_accuracy_is_kept() -> None:
    assert read(longitude="120.3", latitude="31.5").accuracy == 0


def test_several_faults_are_told_at_once() -> None:
    draft = read(outcome="", way="x", visited_at="x", sentence="记" * 501, promise_due_on="x", visit_id="x")
    assert set(draft.faults) == {"outcome", "way", "visited_at", "sentence", "promise_due_on", "form"}


def test_a_form_without_any_field_lacks_its_outcome() -> None:
    assert read_visit({}, {}, NOW).faults == {"outcome": "missing"}


@pytest.mark.parametrize(("sentence", "length"), [("记" * 500, 500), ("", 0), ("   ", 0)])
def test_a_sentence_of_five_hundred_signs_still_fits(sentence: str, length: int) -> None:
    draft = read(sentence=sentence)
    assert not draft.faults and len(draft.sentence) == length


def test_a_clock_a_few_minutes_ahead_is_taken_as_now() -> None:
    draft = read(visited_at="2026-11-18T09:51")
    assert not draft.faults and draft.visited_at == NOW


def test_a_wall_clock_is_the_communitys_and_an_aware_moment_its_own() -> None:
    assert day_of(read(visited_at="2026-11-18T00:30").visited_at or NOW) == date(2026, 11, 18)
    assert read(visited_at="2026-11-17T16:30:00+00:00").visited_at == datetime(2026, 11, 17, 16, 30, tzinfo=UTC)
    assert read(visited_at="2026-11-17T16:30:00Z").visited_at == datetime(2026, 11, 17, 16, 30, tzinfo=UTC)


def test_a_late_entry_of_a_year_ago_is_taken() -> None:
    moment = (NOW - timedelta(days=399)).isoformat()
    assert not read(visited_at=moment).faults


def test_topics_are_trimmed_kept_once_and_not_more_than_twelve() -> None:
    assert read(topics=["助餐", "助餐 ", "", "  ", "看病"]).topics == ["助餐", "看病"]
    assert len(read(topics=[str(n) for n in range(40)]).topics) == 12
    assert len(read(topics=["长" * 60]).topics[0]) == 24


def test_a_resident_met_is_named_once() -> None:
    key = UUID(int=5)
    assert read(met=[str(key), str(key)]).met_ids == [key]


@pytest.mark.parametrize("field", ["sentence", "promise"])
def test_signs_that_postgresql_cannot_keep_are_left_out(field: str) -> None:
    assert getattr(read(**{field: "门\x00铃"}), field) == "门铃"
    assert read(topics=["助\x00餐"]).topics == ["助餐"]
