"""Care memberships that facts raise and end by themselves; what a person made stays as it is."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from fieldapp.households import dynamic
from fieldapp.households.care_operations import apply_dynamic_care
from fieldapp.households.dynamic import AGES, NEW_FOR, RULES, Person, wanted
from fieldapp.households.models import CareMembership
from fieldapp.households.rules import age_on
from fieldapp.places.rules import FOREVER
from tests.factories import make_care, make_group, make_resident

TODAY = date(2026, 11, 18)
HOME, SOMEBODY = UUID(int=1), UUID(int=2)


# --- the rules

_born = st.none() | st.dates(date(1920, 1, 1), TODAY)
_lately = st.none() | st.dates(TODAY - timedelta(days=200), TODAY)
_until = st.none() | st.dates(TODAY - timedelta(days=60), TODAY + timedelta(days=60))
_person = st.builds(
    Person,
    st.uuids(),
    st.sampled_from([HOME, UUID(int=3)]),
    birth_date=_born,
    arrived_on=_lately,
    moved_in_on=_lately,
    is_temporary=st.booleans(),
    permit_until=_until,
)


@given(st.lists(_person, max_size=6))
def test_the_rules_want_what_the_facts_say(people):
    found = wanted(people, TODAY, RULES)
    assert len({(w.code, w.household_id, w.resident_id) for w in found}) == len(found)
    assert all(want.since <= TODAY for want in found)
    for person in people:
        own = {want.code for want in found if want.resident_id == person.id}
        for code, age in AGES.items():
            is_old = person.birth_date is not None and age_on(person.birth_date, TODAY) >= age
            assert (code in own) == is_old
        assert ("temporary" in own) == person.is_temporary
    for home in {person.household_id for person in people}:
        new = [want for want in found if want.code == "new_arrival" and want.household_id == home]
        assert len(new) <= 1
        assert all(want.since > TODAY - NEW_FOR for want in new)


@given(_person, st.sampled_from(RULES))
def test_a_group_that_a_community_has_not_is_not_wanted(person, code):
    assert all(want.code != code for want in wanted([person], TODAY, [c for c in RULES if c != code]))


@pytest.mark.parametrize(
    ("born", "day", "is_old"),
    [
        (date(1946, 11, 18), TODAY, True),
        (date(1946, 11, 19), TODAY, False),
        (date(1944, 2, 29), date(2024, 2, 29), True),
        (date(1944, 2, 29), date(2024, 2, 28), False),
    ],
)
def test_eighty_is_eighty_on_the_birthday(born, day, is_old):
    assert bool(wanted([Person(SOMEBODY, HOME, born)], day, ["elder80"])) == is_old


def test_a_household_is_new_for_ninety_days():
    came = Person(SOMEBODY, HOME, date(1990, 1, 1), arrived_on=TODAY)
    [want] = wanted([came], TODAY + timedelta(days=89), RULES)
    assert (want.code, want.resident_id, want.since, want.reason) == (
        "new_arrival",
        None,
        TODAY,
        "arrived 2026-11-18",
    )
    assert wanted([came], TODAY + timedelta(days=90), RULES) == []


def test_a_newborn_did_not_move_in():
    assert wanted([Person(SOMEBODY, HOME, TODAY - timedelta(days=9), arrived_on=TODAY)], TODAY, RULES) == []


@pytest.mark.parametrize(
    ("days", "reason"), [(31, "temporary"), (30, "permit_ends 2026-12-18"), (0, "permit_ends"), (-1, "permit_over")]
)
def test_a_permit_that_runs_out_is_the_reason(days, reason):
    until = TODAY + timedelta(days=days)
    [want] = wanted([Person(SOMEBODY, HOME, is_temporary=True, permit_until=until)], TODAY, RULES)
    assert want.reason.startswith(reason)
    assert dynamic.says(want.reason)[1] in (None, until)


# --- what is written


@pytest.fixture
def groups(session, cast):
    return {code: make_group(session, cast.community, code) for code in RULES}


@pytest.fixture
def home(cast):
    return cast.households[0]


def apply(session, cast, day=TODAY, *homes):
    return apply_dynamic_care(session, cast.community.id, day, [one.id for one in homes] or None)


def of(session, home):
    statement = select(CareMembership).where(CareMembership.household_id == home.id).order_by(CareMembership.since)
    return list(session.scalars(statement))


def test_an_eightieth_birthday_raises_a_membership_once(session, cast, groups, home):
    old = make_resident(session, home, "张老", birth_date=date(1946, 11, 19), position=1)
    assert apply(session, cast) == 1  # of 60
    assert apply(session, cast, TODAY + timedelta(days=1)) == 1
    assert apply(session, cast, TODAY + timedelta(days=1)) == 0
    by_group = {care.group_id: care for care in of(session, home)}
    care = by_group[groups["elder80"].id]
    assert (care.resident_id, care.raised_by, care.reason) == (old.id, "elder80", "age 80")
    assert (care.since, care.until) == (date(2026, 11, 19), FOREVER)
    assert by_group[groups["elder60"].id].since == date(2026, 11, 1)  # months that are over stay as they are


def test_a_corrected_birth_date_ends_it_and_says_why(session, cast, groups, home):
    old = make_resident(session, home, "张老", birth_date=date(1940, 1, 1), position=1)
    apply(session, cast)
    old.birth_date = date(2004, 1, 1)
    assert apply(session, cast, TODAY, home) == 2
    assert {(care.until, care.ended_why) for care in of(session, home)} == {(TODAY, "elder80"), (TODAY, "elder60")}
    assert apply(session, cast, TODAY, home) == 0


def test_whoever_left_is_cared_for_no_more(session, cast, groups, home):
    guest = make_resident(session, home, "租客", is_temporary=True, position=1)
    apply(session, cast)
    guest.left_on = TODAY
    assert apply(session, cast) == 1
    assert [care.ended_why for care in of(session, home)] == ["left"]


def test_a_permit_changes_the_reason_alone(session, cast, groups, home):
    make_resident(session, home, "租客", is_temporary=True, permit_until=date(2026, 12, 25), position=1)
    apply(session, cast)
    assert apply(session, cast, date(2026, 12, 1)) == 1
    [care] = of(session, home)
    assert (care.reason, care.until) == ("permit_ends 2026-12-25", FOREVER)


def test_what_a_person_made_is_left_alone(session, cast, groups, home):
    old = make_resident(session, home, "张老", birth_date=date(1940, 1, 1), position=1)
    young = make_resident(session, home, "张小", birth_date=date(2004, 1, 1), position=2)
    for person, code in ((old, "elder80"), (young, "elder60")):
        make_care(session, home, groups[code], date(2026, 1, 1), resident_id=person.id, reason="腿脚不便")
    make_care(session, home, groups["new_arrival"], date(2025, 1, 1), review_on=date(2026, 1, 1))
    make_resident(session, home, "新人", arrived_on=TODAY, position=3)
    assert apply(session, cast) == 1  # 张老 is over 60, too
    assert all(
        (care.until, care.ended_why, care.reason) == (FOREVER, None, "腿脚不便")
        for care in of(session, home)
        if care.raised_by is None and care.resident_id
    )


def test_another_community_and_a_group_out_of_use_are_left_alone(session, cast, groups, home):
    make_resident(session, home, "张老", birth_date=date(1940, 1, 1), position=1)
    assert apply_dynamic_care(session, cast.elsewhere.id, TODAY) == 0
    for group in groups.values():
        group.active = False
    session.flush()
    assert apply(session, cast) == 0


def test_a_whole_community_takes_as_many_statements_as_a_household(session, cast, groups, count_queries):
    def asked(day):
        before = count_queries()
        apply(session, cast, day)
        return count_queries() - before

    make_resident(session, cast.households[0], "甲", birth_date=date(1940, 1, 1))
    asked(TODAY)
    few = asked(TODAY)
    for number in range(20):
        make_resident(session, cast.households[number % 4], f"老{number}", birth_date=date(1940, 1, 1))
    asked(TODAY)
    assert asked(TODAY) == few <= 4


_edits = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.integers(0, 2),
        st.sampled_from(["birth_date", "is_temporary", "arrived_on", "left_on"]),
        st.integers(0, 100),
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(_edits)
def test_after_any_edits_what_rules_made_is_what_rules_want(session, cast, edits):
    home, outer, day = cast.households[0], session.begin_nested(), TODAY
    try:
        ruled = {code: make_group(session, cast.community, code) for code in RULES}
        codes = {group.id: code for code, group in ruled.items()}
        people = [make_resident(session, home, f"人{n}", position=n + 1) for n in range(3)]
        for days, who, field, n in edits:
            day += timedelta(days=days)
            value = (
                bool(n % 2)
                if field == "is_temporary"
                else day - timedelta(days=n * (350 if field == "birth_date" else 1))
            )
            setattr(people[who], field, value)
            session.flush()
            apply(session, cast, day, home)
            assert apply(session, cast, day, home) == 0
        here = [one for one in people if one.left_on is None]
        facts = [
            Person(p.id, home.id, p.birth_date, p.arrived_on, home.moved_in_on, p.is_temporary, p.permit_until)
            for p in here
        ]
        apply(session, cast, day, home)
        open_ones = {(codes[c.group_id], c.resident_id) for c in of(session, home) if c.until == FOREVER}
        assert open_ones == {(want.code, want.resident_id) for want in wanted(facts, day, RULES)}
        assert all(care.since <= care.until for care in of(session, home))
    finally:
        outer.rollback()
