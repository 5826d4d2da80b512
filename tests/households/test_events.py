"""What happens in a household: what a form says, what it changes, taking it back, and how it was known on a day."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fieldapp.db import uuid7
from fieldapp.households import event_operations, event_queries, events, history
from fieldapp.households.care_operations import apply_dynamic_care
from fieldapp.households.events import EventDraft, NewPerson, read_event
from fieldapp.households.models import (
    CareMembership,
    FactChange,
    FactStamp,
    Household,
    LifeEvent,
    OccupancyPeriod,
    Resident,
)
from fieldapp.households.operations import change_fact
from fieldapp.households.queries import residents_of
from fieldapp.households.reading import Fault
from fieldapp.households.rules import EventKind, Occupancy, Sighting
from fieldapp.places.rules import FOREVER
from fieldapp.reports.queries import coverage
from fieldapp.visits.operations import sightings_of
from fieldapp.visits.rules import month_of
from tests.conftest import NOW
from tests.factories import make_care, make_group, make_resident, make_visit

TODAY = date(2026, 11, 18)


# --- what a form says


def read(**form: Any) -> EventDraft:
    many = {"who": form.pop("who", [])}
    return read_event({name.replace("_1", "-1").replace("_2", "-2"): v for name, v in form.items()}, many, TODAY, TODAY)


def test_a_form_of_people_who_moved_in():
    draft = read(
        kind="moved_in",
        name_1="王　五",
        relation_1="户主",
        sex_1="1",
        birth_date_1="57年3月2日",
        phone_1="154 0000 1234",
        name_2="李四",
        occupancy="rent",
        is_temporary="1",
        happened_on="2026-11-03",
    )
    assert draft.faults == {}
    assert draft.people == [
        NewPerson("王五", "02", "1", date(1957, 3, 2), "15400001234"),
        NewPerson("李四"),
    ]
    assert (draft.happened_on, draft.occupancy, draft.is_temporary) == (date(2026, 11, 3), "rent", True)


def test_a_day_that_is_not_named_is_the_day_it_was_written_down():
    assert read(kind="born", name_1="小宝").happened_on == TODAY
    said_on = date(2026, 11, 10)
    draft = read_event({"kind": "born", "name-1": "小宝"}, {}, TODAY, said_on)
    assert draft.happened_on == draft.people[0].birth_date == said_on


@pytest.mark.parametrize(
    ("form", "field", "code"),
    [
        ({}, "kind", "kind"),
        ({"kind": "party"}, "kind", "kind"),
        ({"kind": "moved_in"}, "name-1", "people"),
        ({"kind": "tenants"}, "name-1", "people"),
        ({"kind": "born", "sex_1": "1"}, "name-1", "name"),
        ({"kind": "born", "name_1": "123"}, "name-1", "not_name"),
        ({"kind": "moved_in", "name_1": "王五", "phone_1": "1"}, "phone-1", "phone"),
        (
            {"kind": "moved_in", "name_1": "王五", "relation_1": "02", "name_2": "李四", "relation_2": "02"},
            "relation-2",
            "two_heads",
        ),
        ({"kind": "moved_in", "name_1": "王五", "occupancy": "castle"}, "form", "form"),
        ({"kind": "moved_out"}, "who", "who"),
        ({"kind": "died", "who": ["x"]}, "form", "form"),
        ({"kind": "died", "who": [str(uuid7()), str(uuid7())]}, "who", "one"),
        ({"kind": "split"}, "who", "who"),
        ({"kind": "married", "who": [str(uuid7())], "marital": "40"}, "form", "form"),
        ({"kind": "born", "name_1": "小宝", "happened_on": "2026-11-19"}, "happened_on", "future"),
        ({"kind": "born", "name_1": "小宝", "happened_on": "昨天"}, "happened_on", "date"),
    ],
)
def test_what_is_wrong_with_a_form(form, field, code):
    assert read(**form).faults[field].code == code


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(0, 900))
def test_an_event_never_counts_in_a_month_that_is_over(today, ago):
    happened = today - timedelta(days=ago)
    counted = events.counted_from(happened, today)
    assert happened <= counted <= today
    assert (counted.year, counted.month) == (today.year, today.month)


_days = st.integers(0, 40).map(lambda n: TODAY - timedelta(days=n))
_stands = st.sampled_from(list(Occupancy))
_seen = st.sampled_from([None, Occupancy.GONE, Occupancy.VACANT])


@given(
    _stands,
    st.lists(st.tuples(_days, _stands), max_size=4),
    st.lists(st.builds(Sighting, _days, _seen, st.builds(uuid7)), max_size=4),
)
def test_what_is_registered_last_holds_and_leaves_the_past_alone(wanted, registered, sightings):
    before = events.occupancy_timeline(registered, sightings)
    since = events.stands_from(wanted, TODAY, registered, sightings)
    after = events.occupancy_timeline([*registered, (since, wanted)], sightings)
    assert after[-1].occupancy == wanted
    assert since >= TODAY
    for day in (TODAY - timedelta(days=n) for n in range(1, 45)):
        assert _on(before, day) == _on(after, day)


def _on(timeline, day):
    return next((stand.occupancy for stand in timeline if stand.since <= day < stand.until), None)


# --- what it changes


@pytest.fixture
def worker(cast):
    return cast.actor("worker")


@pytest.fixture
def home(cast):
    return cast.households[0]


def happen(session, actor, home, kind, *, at=NOW, key=None, **more):
    today = at.astimezone(history.ZONE).date()
    draft = EventDraft(kind, more.pop("happened_on", today), **more)
    seen = sightings_of(session, home.id)
    return event_operations.record_event(session, actor, home, draft, at, today, seen, key)


def take_back(session, actor, event, at=NOW):
    home = session.get_one(Household, event.household_id)
    today = at.astimezone(history.ZONE).date()
    event_operations.undo_event(session, actor, event, home, at, today, sightings_of(session, home.id))


def names(session, home):
    return [one.name for one in residents_of(session, home.id)]


def occupancy_on(session, home, day):
    return session.scalar(
        select(OccupancyPeriod.occupancy).where(
            OccupancyPeriod.household_id == home.id, OccupancyPeriod.since <= day, OccupancyPeriod.until > day
        )
    )


def test_people_move_in_once(session, worker, home):
    key = uuid7()
    people = [NewPerson("王五", "51", "1", date(1957, 3, 2), "15400001234")]
    for _ in range(2):
        event = happen(session, worker, home, EventKind.MOVED_IN, key=key, people=list(people), is_temporary=True)
    assert event.id == key
    assert names(session, home) == ["张桂兰", "王五"]
    came = residents_of(session, home.id)[1]
    assert (came.phone, came.phone_tail, came.pinyin, came.is_temporary) == ("15400001234", "1234", "wangwu", True)
    assert (came.arrived_on, came.recorded_on) == (TODAY, TODAY)
    stamp = session.scalars(select(FactStamp).where(FactStamp.resident_id == came.id)).one()
    assert (stamp.field, stamp.verified_on, stamp.verified_by_id) == ("phone", TODAY, worker.user_id)
    assert session.scalar(select(func.count()).select_from(LifeEvent)) == 1
    [change] = session.scalars(select(FactChange).where(FactChange.resident_id == came.id))
    assert (change.field, change.old, change.new, change.changed_at) == (
        "arrived_on",
        None,
        "2026-11-18",
        event.recorded_at,
    )


def test_who_is_here_already_does_not_move_in_again(session, worker, home):
    with pytest.raises(Fault) as refused:
        happen(session, worker, home, EventKind.MOVED_IN, people=[NewPerson("张桂兰")])
    assert (refused.value.code, refused.value.detail) == ("here", "张桂兰")
    with pytest.raises(Fault) as refused:
        happen(session, worker, home, EventKind.MOVED_IN, people=[NewPerson("王五", "02")])
    assert (refused.value.code, refused.value.detail) == ("head_taken", "张桂兰")


def test_everybody_moves_out_and_others_move_in(session, worker, home, cast):
    make_visit(session, home, cast.users["worker"], NOW)  # met this very morning
    group = make_group(session, cast.community)
    [head] = residents_of(session, home.id)
    care = make_care(session, home, group, date(2026, 1, 1), resident_id=head.id)
    happen(session, worker, home, EventKind.MOVED_OUT, everyone=True, happened_on=date(2026, 9, 3))
    assert names(session, home) == []
    assert (head.left_on, head.left_why) == (date(2026, 11, 1), "moved")
    assert home.occupancy == "gone"
    assert occupancy_on(session, home, TODAY) == "own"  # somebody was met here today
    assert occupancy_on(session, home, TODAY + timedelta(days=1)) == "gone"
    assert (care.until, care.ended_why) == (date(2026, 11, 1), "moved")
    later = NOW + timedelta(days=2)
    happen(session, worker, home, EventKind.MOVED_IN, people=[NewPerson("王五", "02")], at=later)
    assert (names(session, home), home.occupancy, home.moved_in_on) == (["王五"], "unknown", date(2026, 11, 20))
    assert [occupancy_on(session, home, date(2026, 11, day)) for day in (10, 18, 19, 20)] == [
        "own",
        "own",
        "gone",
        "unknown",
    ]


def test_the_head_dies_and_somebody_else_is_the_head(session, worker, home):
    [head] = residents_of(session, home.id)
    son = make_resident(session, home, "张小明", relation="20", position=1)
    happen(session, worker, home, EventKind.DIED, who=[head.id], head=son.id)
    assert (head.left_why, son.relation, home.occupancy) == ("died", "02", "own")
    happen(session, worker, home, EventKind.DIED, who=[son.id])
    assert home.occupancy == "vacant"
    with pytest.raises(Fault) as refused:
        happen(session, worker, home, EventKind.DIED, who=[son.id])
    assert refused.value.code == "who_gone"


def test_a_child_is_born(session, worker, home):
    born = date(2026, 10, 30)
    happen(session, worker, home, EventKind.BORN, happened_on=born, people=[NewPerson("小宝", "41", "2", born)])
    child = residents_of(session, home.id)[1]
    assert (child.birth_date, child.arrived_on, child.sex) == (born, date(2026, 11, 1), "2")


def test_somebody_marries_and_the_spouse_moves_in(session, worker, home):
    son = make_resident(session, home, "张小明", relation="20", marital="10", position=1)
    happen(session, worker, home, EventKind.MARRIED, who=[son.id], marital="21", people=[NewPerson("赵敏", "38", "2")])
    assert [(one.name, one.marital) for one in residents_of(session, home.id)] == [
        ("张桂兰", None),
        ("张小明", "21"),
        ("赵敏", "21"),
    ]


def test_a_household_splits_behind_its_door(session, worker, home, cast):
    son = make_resident(session, home, "张小明", relation="20", position=1)
    care = make_care(session, home, make_group(session, cast.community), date(2026, 1, 1), resident_id=son.id)
    event = happen(session, worker, home, EventKind.SPLIT, who=[son.id])
    other = session.get_one(Household, event.other_household_id)
    assert (other.dwelling_id, other.number, other.occupancy) == (home.dwelling_id, 2, "own")
    assert (names(session, home), names(session, other), son.relation) == (["张桂兰"], ["张小明"], "02")
    assert [occupancy_on(session, other, day) for day in (date(2026, 11, 17), TODAY)] == ["vacant", "own"]
    moved = session.scalars(select(CareMembership).where(CareMembership.household_id == other.id)).one()
    assert (moved.resident_id, moved.group_id, moved.since, care.until) == (son.id, care.group_id, TODAY, TODAY)
    take_back(session, worker, event, NOW + timedelta(hours=1))
    assert (names(session, home), names(session, other), son.relation) == (["张桂兰", "张小明"], [], "20")
    assert (other.occupancy, care.until, care.ended_why) == ("vacant", FOREVER, None)
    [head] = residents_of(session, home.id)[:1]
    with pytest.raises(Fault) as refused:
        happen(session, worker, home, EventKind.SPLIT, who=[son.id, head.id])
    assert refused.value.code == "stay"


def test_tenants_move_in_where_the_landlord_lived(session, worker, home):
    event = happen(
        session,
        worker,
        home,
        EventKind.TENANTS,
        people=[NewPerson("租一", "02"), NewPerson("租二", "12")],
        everyone=True,
        note="房东在 3 号楼 101",
        is_temporary=True,
    )
    assert (names(session, home), home.occupancy, event.note) == (["租一", "租二"], "rent", "房东在 3 号楼 101")


# --- taking back


def test_an_event_is_taken_back(session, worker, home):
    [head] = residents_of(session, home.id)
    event = happen(session, worker, home, EventKind.MOVED_OUT, everyone=True)
    for _ in range(2):
        take_back(session, worker, event, NOW + timedelta(hours=1))
    assert (names(session, home), home.occupancy) == (["张桂兰"], "own")
    assert (head.left_on, head.left_why) == (None, None)
    assert event.undone_by_id == worker.user_id
    came = happen(session, worker, home, EventKind.MOVED_IN, people=[NewPerson("王五")])
    person = residents_of(session, home.id)[1]
    take_back(session, worker, came, NOW + timedelta(hours=2))
    assert (person.left_on, person.left_why) == (TODAY, "mistake")
    fields = session.scalars(select(FactChange.field).where(FactChange.resident_id == person.id))
    assert sorted(fields) == ["arrived_on", "left_on"]


def test_what_changed_since_is_not_taken_back(session, worker, home):
    [head] = residents_of(session, home.id)
    son = make_resident(session, home, "张小明", relation="20", position=1)
    event = happen(session, worker, home, EventKind.DIED, who=[head.id], head=son.id)
    change_fact(session, worker, home, son, "relation", "02", "20", NOW + timedelta(hours=1))
    with pytest.raises(Fault) as refused:
        take_back(session, worker, event, NOW + timedelta(hours=2))
    assert refused.value.code == "later"
    assert event.undone_at is None


def test_a_change_is_taken_back_by_a_new_one(session, worker, home):
    son = make_resident(session, home, "张小明", phone="15400000001")
    change_fact(session, worker, home, son, "phone", "15400000001", "15400000002", NOW)
    first = session.scalars(select(FactChange)).one()
    for _ in range(2):
        event_operations.undo_change(session, worker, first, home, son, NOW + timedelta(hours=1))
    assert son.phone == "15400000001"
    assert session.scalar(select(func.count()).select_from(FactChange)) == 2
    change_fact(session, worker, home, son, "phone", "15400000001", "15400000003", NOW + timedelta(hours=2))
    second = event_queries.last_changes(session, [home.id], [son.id])[son.id, "phone"]
    change_fact(session, worker, home, son, "phone", "15400000003", "15400000004", NOW + timedelta(hours=3))
    with pytest.raises(Fault) as refused:
        event_operations.undo_change(session, worker, second, home, son, NOW + timedelta(hours=4))
    assert refused.value.code == "later"


# --- how it was known on a day


def snapshot(session, home):
    """What the record says now, as `known_on` would say it later."""
    people = {one.id: event_queries.facts_of(one) for one in residents_of(session, home.id)}
    return people, home.note, home.moved_in_on


def known(session, home, day):
    found = event_queries.known_on(session, home, day)
    moved_in_on = found.facts["moved_in_on"]
    return found.people, found.facts["note"], moved_in_on and date.fromisoformat(moved_in_on)


DEEDS = (
    "phone",
    "name",
    "note",
    "relation",
    "moved_in",
    "moved_out",
    "died",
    "born",
    "split",
    "tenants",
    "married",
    "undo",
)
deeds = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(DEEDS), st.integers(0, 5), st.integers(0, 70)), min_size=1, max_size=14
)


def do(session, actor, home, at: datetime, deed, choice, ago, number):
    """One random deed; what the record does not allow is refused and leaves no trace."""
    people = residents_of(session, home.id)
    one = people[choice % len(people)] if people else None
    who = [one.id] if one else []
    happened = at.astimezone(history.ZONE).date() - timedelta(days=ago)
    new = [NewPerson(f"新人{'甲乙丙丁戊己庚辛壬癸子丑寅卯'[number]}", "02" if choice == 0 else None)]
    if deed == "note":
        change_fact(session, actor, home, None, "note", home.note, f"备注{number}", at)
    elif deed in ("phone", "name", "relation"):
        if one:
            value = {"phone": f"1540000{number:04}", "name": f"改名{'甲乙丙丁戊己'[choice]}", "relation": "99"}[deed]
            change_fact(session, actor, home, one, deed, event_queries.facts_of(one)[deed], value, at)
    elif deed == "undo":
        last = session.scalars(
            select(LifeEvent).where(LifeEvent.household_id == home.id).order_by(LifeEvent.recorded_at.desc())
        ).first()
        if last:
            take_back(session, actor, last, at)
    elif deed in ("moved_in", "born", "tenants"):
        everyone = deed == "tenants" and choice > 2
        happen(session, actor, home, EventKind(deed), at=at, people=new, everyone=everyone, happened_on=happened)
    elif who:
        more = {"people": new} if deed == "married" and choice > 2 else {}
        happen(session, actor, home, EventKind(deed), at=at, who=who, happened_on=happened, **more)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(deeds)
def test_a_household_of_any_day_is_what_was_stored_that_day(session, cast, deeds):
    home, actor = cast.households[0], cast.actor("worker")
    outer = session.begin_nested()
    try:
        homes, stored = _live(session, actor, home, deeds)
        session.expire_all()
        for (day, key), (known_then, occupancy) in stored.items():
            assert known(session, homes[key], day) == known_then, (day, key)
            assert occupancy_on(session, homes[key], day) == occupancy, (day, key)
    finally:
        outer.rollback()


def _live(session, actor, home, deeds):
    """Do what these deeds say on their days; the households of the door, and what was stored at the end of each day."""
    homes: dict[Any, Any] = {home.id: home}
    stored: dict[tuple[date, Any], Any] = {}
    at = NOW - timedelta(days=60)
    for number, (days, deed, choice, ago) in enumerate(deeds):
        for _ in range(days):
            _store(session, homes, at, stored)
            at += timedelta(days=1)
        at += timedelta(minutes=number)
        point = session.begin_nested()
        try:
            do(session, actor, homes[list(homes)[choice % len(homes)]], at, deed, choice, ago, number)
            point.commit()
        except Fault:
            point.rollback()
        for one in session.scalars(select(Household).where(Household.dwelling_id == home.dwelling_id)):
            homes.setdefault(one.id, one)
    _store(session, homes, at, stored)
    return homes, stored


def _store(session, homes, at, stored):
    day = at.astimezone(history.ZONE).date()
    for key, one in homes.items():
        stored[day, key] = snapshot(session, one), occupancy_on(session, one, day)


def test_reading_a_day_takes_as_many_statements_for_one_person_as_for_many(session, home, worker, count_queries):
    def asked() -> int:
        before = count_queries()
        event_queries.known_on(session, home, TODAY)
        event_queries.events_of(session, home.id)
        return count_queries() - before

    happen(session, worker, home, EventKind.MOVED_IN, people=[NewPerson("甲")])
    few = asked()
    for name in "乙丙丁戊":
        happen(session, worker, home, EventKind.MOVED_IN, people=[NewPerson(name)])
    assert asked() == few <= 6
    assert session.get(Resident, residents_of(session, home.id)[-1].id).name == "戊"


def test_a_dispute_is_visited_until_somebody_says_it_is_over(session, worker, home, cast):
    group = make_group(session, cast.community, "dispute", within_days=7)
    event = happen(session, worker, home, EventKind.DISPUTE, note="楼上漏水")
    happen(session, worker, home, EventKind.DISPUTE, at=NOW + timedelta(hours=1))
    [care] = session.scalars(select(CareMembership).where(CareMembership.group_id == group.id))
    assert (care.since, care.review_on, care.raised_by) == (TODAY, date(2027, 2, 16), "dispute")
    take_back(session, worker, event, NOW + timedelta(hours=2))
    assert (care.until, care.ended_why) == (TODAY, "mistake")


def test_figures_of_past_months_stay_whatever_is_written_down_now(session, worker, home, cast):
    october, director = month_of(date(2026, 10, 15)), cast.actor("director")
    group = make_group(session, cast.community, "elder80")
    old = make_resident(session, home, "张老", birth_date=date(1930, 1, 1), position=1)
    make_care(session, home, group, date(2026, 1, 1), resident_id=old.id)
    before = coverage(session, director, october, TODAY)
    for number, (kind, more) in enumerate(
        (
            (EventKind.SPLIT, {"who": [old.id]}),
            (EventKind.MOVED_OUT, {"everyone": True}),
            (EventKind.MOVED_IN, {"people": [NewPerson("王五", birth_date=date(1930, 1, 1))]}),
        )
    ):
        happen(session, worker, home, kind, at=NOW + timedelta(hours=number), happened_on=date(2026, 9, 1), **more)
        apply_dynamic_care(session, cast.community.id, TODAY)
        assert coverage(session, director, october, TODAY) == before
