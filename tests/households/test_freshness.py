"""Freshness: what goes stale, what a visit confirms, what a correction unsays, and a district's figure of any day."""

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from fieldapp.db import uuid7
from fieldapp.households.freshness import (
    MOST_AT_ONCE,
    RHYTHMS,
    Freshness,
    Known,
    freshness,
    months_unseen,
    read_token,
    rhythms_of,
    to_confirm,
    together,
)
from fieldapp.households.history import end_of
from fieldapp.households.models import FactChange, FactStamp, Household, Resident
from fieldapp.households.operations import change_fact
from fieldapp.places.models import Dwelling
from fieldapp.reports.freshness_queries import freshness_by_district
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.operations import record_visit
from fieldapp.visits.rules import Outcome, day_of
from tests.conftest import NOW
from tests.factories import make_resident

TODAY = day_of(NOW)
SEEN = st.none() | st.dates(date(2020, 1, 1), TODAY)
KNOWN = st.builds(Known, st.none() | st.uuids(), st.sampled_from(sorted(RHYTHMS)), SEEN, st.integers(1, 730))


@given(st.lists(KNOWN, max_size=20))
def test_the_stalest_come_first_and_few_at_once(facts) -> None:
    asked = to_confirm(facts, TODAY)
    days = [fact.verified_on or date.min for fact in asked]
    assert days == sorted(days) and len(asked) <= MOST_AT_ONCE
    assert not any(fact.is_fresh(TODAY) for fact in asked)
    left = [fact for fact in facts if not fact.is_fresh(TODAY) and fact not in asked]
    assert all((fact.verified_on or date.min) >= max(days) for fact in left)
    figure = freshness(facts, TODAY)
    assert figure.known == len(facts) and 0 <= figure.fresh <= figure.known


@given(KNOWN)
def test_a_form_names_a_fact_and_rubbish_names_none(fact) -> None:
    assert read_token(fact.token) == (fact.resident_id, fact.field)


@pytest.mark.parametrize("text", ["", ".", "x.phone", f"{UUID(int=7)}.name", "phone", f"{UUID(int=7)}"])
def test_rubbish_names_no_fact(text: str) -> None:
    assert read_token(text) is None


@given(st.dates(date(2000, 1, 1), TODAY), st.integers(0, 40))
def test_months_unseen_are_whole(day, months) -> None:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    assert months_unseen(day.replace(day=1), date(year, month + 1, 1)) == months


def test_a_rhythm_ends_on_its_last_day_and_a_community_sets_it() -> None:
    fact = Known(None, "phone", TODAY - timedelta(days=180), 180)
    assert fact.is_fresh(TODAY) and not fact.is_fresh(TODAY + timedelta(days=1))
    assert rhythms_of(None) == RHYTHMS
    own = rhythms_of({"off": ["workplace"], "rhythms": {"phone": 30}})
    assert own["phone"] == 30 and "workplace" not in own


def draft(outcome: Outcome = Outcome.MET, *confirmed, days: int = 0) -> VisitDraft:
    return VisitDraft(outcome=outcome, visited_at=NOW - timedelta(days=days), confirmed=list(confirmed))


def stamps(session) -> list[tuple[object, str, date]]:
    return [(s.resident_id, s.field, s.verified_on) for s in session.scalars(select(FactStamp).order_by(FactStamp.id))]


@pytest.fixture
def person(session, cast):
    return make_resident(session, cast.households[1], "王小明", phone="15400000001", position=1)


def test_nothing_changed_stamps_what_was_shown_on_the_visits_day(session, cast, person) -> None:
    home, who = cast.households[1], cast.actor("worker")
    shown = [(person.id, "phone"), (None, "occupancy"), (uuid7(), "phone")]
    record_visit(session, who, home, draft(Outcome.MET, *shown, days=3), NOW)
    day = TODAY - timedelta(days=3)
    assert set(stamps(session)) == {(person.id, "phone", day), (None, "occupancy", day)}


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.MET])
def test_another_outcome_stamps_nothing(session, cast, person, outcome) -> None:
    record_visit(session, cast.actor("worker"), cast.households[1], draft(outcome, (person.id, "phone")), NOW)
    assert stamps(session) == []


def test_a_correction_takes_stamps_back_unless_it_says_the_same(session, cast, person) -> None:
    home, who = cast.households[1], cast.actor("worker")
    first = record_visit(session, who, home, draft(Outcome.MET, (person.id, "phone")), NOW)
    again = record_visit(session, who, home, draft(days=1), NOW, corrects=first)
    assert stamps(session) == [(person.id, "phone", TODAY - timedelta(days=1))]
    record_visit(session, who, home, draft(Outcome.NOBODY), NOW, corrects=again)
    assert stamps(session) == []


def test_the_same_form_sent_twice_stamps_once(session, cast, person) -> None:
    sent = draft(Outcome.MET, (person.id, "phone"))
    sent.visit_id = uuid7()
    for _ in range(2):
        record_visit(session, cast.actor("worker"), cast.households[1], sent, NOW)
    assert len(stamps(session)) == 1


def test_a_change_stamps_its_fact(session, cast, person) -> None:
    change_fact(session, cast.actor("worker"), cast.households[1], person, "workplace", None, "棉纺厂", NOW)
    assert stamps(session) == [(person.id, "workplace", TODAY)]


def test_a_districts_freshness_of_a_past_day_stays(session, cast, person) -> None:
    home, who, boss = cast.households[1], cast.actor("worker"), cast.actor("director")

    def on(day: date):
        return freshness_by_district(session, boss, day, end_of(day), None)[cast.district.id]

    yesterday = TODAY - timedelta(days=1)
    before, occupancies = on(yesterday), len(cast.households)
    assert (before.fresh, before.known) == (0, occupancies + 1)
    record_visit(session, who, home, draft(Outcome.MET, (person.id, "phone"), (None, "occupancy")), NOW)
    change_fact(session, who, home, person, "workplace", None, "棉纺厂", NOW)
    assert on(yesterday) == before
    assert (on(TODAY).fresh, on(TODAY).known) == (3, occupancies + 2)


def random_registry(session, cast, random: Random) -> list[Resident]:
    """People who came, left, were asked, changed; stamps of their household, of another one, before and after today."""
    values = {"phone": "15400000001", "employment": "retired", "workplace": "棉纺厂", "guardian": "王强"}
    people, homes = [], [household for household, _district in settled(session)]
    for n in range(24):
        more = {name: value for name, value in values.items() if random.random() < 0.6}
        more["recorded_on"], more["left_on"] = random.choice((None, some_day(random))), None
        if random.random() < 0.3:
            more["left_on"] = some_day(random)
        people.append(make_resident(session, homes[n % len(homes)], f"人{n}", position=n + 1, **more))
    user = {"community_id": cast.community.id, "verified_by_id": cast.users["worker"].id, "verified_at": NOW}
    for _ in range(80):
        person, home = random.choice(people), random.choice(homes)
        of = {"resident_id": None, "household_id": home.id, "field": "occupancy"}
        if random.random() < 0.8:
            household_id = person.household_id if random.random() < 0.8 else home.id
            of = {"resident_id": person.id, "household_id": household_id, "field": random.choice((*values, "name"))}
        session.add(FactStamp(id=uuid7(), verified_on=some_day(random), **of, **user))
    for _ in range(60):
        person, changed = random.choice(people), NOW - timedelta(days=random.randrange(60))
        old = random.choice((None, "旧"))
        session.add(
            FactChange(
                id=uuid7(), community_id=cast.community.id, household_id=person.household_id, resident_id=person.id,
                field=random.choice((*values, "name")), old=old, new="新", changed_at=changed,
                changed_by_id=cast.users["worker"].id,
            )
        )  # fmt: skip
    session.flush()
    return people


def settled(session, districts: Iterable[UUID] = ()) -> list[tuple[Household, UUID]]:
    """Every household with its district; of some districts only."""
    joined = select(Household, Dwelling.district_id).join(Dwelling, Dwelling.id == Household.dwelling_id)
    rows = session.execute(joined.order_by(Dwelling.room, Household.id)).all()
    return [(home, district_id) for home, district_id in rows if not districts or district_id in districts]


def some_day(random: Random) -> date:
    return TODAY - timedelta(days=random.randrange(-5, 400))


def by_the_rules(session, cast, people: list[Resident], day: date, rhythms: dict[str, int]) -> dict[UUID, Freshness]:
    """What the rules say of a district, fact by fact."""
    stamped = session.scalars(select(FactStamp).where(FactStamp.verified_on <= day).order_by(FactStamp.verified_on))
    seen = {(s.household_id, s.resident_id, s.field): s.verified_on for s in stamped}
    later = select(FactChange).where(FactChange.changed_at >= end_of(day)).order_by(FactChange.changed_at.desc())
    had = {(c.resident_id, c.field): c.old is not None for c in session.scalars(later.order_by(FactChange.id.desc()))}
    facts = {cast.district.id: [], cast.second.id: []}
    for home, district_id in settled(session, facts):
        known = facts[district_id]
        if "occupancy" in rhythms:
            known.append(Known(None, "occupancy", seen.get((home.id, None, "occupancy")), rhythms["occupancy"]))
        for person in people:
            here = (person.left_on or date.max) > day >= (person.recorded_on or date.min)
            for name in set(rhythms) - {"occupancy"} if here and person.household_id == home.id else ():
                if had.get((person.id, name), getattr(person, name) is not None):
                    looked_at = seen.get((home.id, person.id, name), person.recorded_on)
                    known.append(Known(person.id, name, looked_at, rhythms[name]))
    return {district_id: freshness(known, day) for district_id, known in facts.items() if known}


@pytest.mark.parametrize("seed", range(3))
def test_the_database_counts_what_the_rules_say(session, cast, seed) -> None:
    people = random_registry(session, cast, Random(seed))
    for settings in (None, {"off": ["occupancy", "guardian"], "rhythms": {"phone": 30}}, {"off": list(RHYTHMS)}):
        for day in (TODAY, TODAY - timedelta(days=20), TODAY - timedelta(days=200)):
            counted = freshness_by_district(session, cast.actor("director"), day, end_of(day), settings)
            assert counted == by_the_rules(session, cast, people, day, rhythms_of(settings))
    assert together(counted.values()) == Freshness() and together([Freshness(1, 2), Freshness(0, 3)]).rate == 0.2


def test_the_form_confirms_and_the_page_asks_no_more(sign_in, session, cast, person) -> None:
    session.commit()
    worker, home = sign_in("worker"), cast.households[1]
    assert "还没核过" in worker.get(f"/households/{home.id}").text
    assert f'name="confirmed" value="{person.id}.phone"' in worker.get(f"/households/{home.id}/visits/new").text
    sent = {"outcome": "met", "confirmed": [f"{person.id}.phone", ".occupancy", "rubbish"]}
    assert worker.post(f"/households/{home.id}/visits", sent).status_code == 303
    said = worker.get(f"/households/{home.id}").text
    assert "还没核过" not in said and "都核对过" in said
    assert "信息鲜活率" in sign_in("director").get("/coverage").text


def test_more_facts_are_changed_and_one_switched_off_is_refused(sign_in, session, cast, person) -> None:
    worker, action = sign_in("worker"), f"/residents/{person.id}/facts"
    typed = {
        "employment": "unemployed", "workplace": "棉纺厂", "marital": "20", "schooling": "初中毕业", "ethnic": "回",
        "guardian": "王强", "guardian_phone": "15400000009", "origin": "安徽阜阳", "permit_until": "2027.1.2",
    }  # fmt: skip
    session.commit()
    for field, value in typed.items():
        assert worker.post(action, {"field": field, "value": value}).status_code == 303, field
    session.expire_all()
    assert (person.employment, person.ethnic, person.schooling) == ("unemployed", "03", "71")
    assert (person.guardian_phone, person.permit_until) == ("15400000009", date(2027, 1, 2))
    assert "154****0009" in worker.get(f"/households/{cast.households[1].id}/history").text
    cast.community.registry_settings = {"off": ["ethnic"], "rhythms": {}}
    session.commit()
    assert worker.post(action, {"field": "ethnic", "value": "汉族"}).status_code == 422
    assert '<option value="ethnic"' not in worker.get(f"/households/{cast.households[1].id}").text
