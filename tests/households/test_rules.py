"""The registry's rules: citizens' numbers, masks, ages, what a name is found by, how a household stood on a day."""

from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldapp.households.rules import (
    EMPTY,
    Occupancy,
    Sighting,
    Stand,
    age_on,
    birth_date_of,
    id_check_digit,
    id_number_fault,
    mask_id_number,
    mask_phone,
    occupancy_timeline,
    pinyin_keys,
    sex_of,
)
from fieldapp.places.rules import ALWAYS, FOREVER


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",  # the standard's own example, GB 11643-1999
        "11010519491231002x",
        "440524188001010014",  # the standard's other one
    ],
)
def test_the_standards_own_numbers_are_sound(number: str) -> None:
    assert id_number_fault(number) is None


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("", "form"),
        ("11010519491231002", "form"),
        ("110105194912310022X", "form"),
        ("110105491231002", "form"),  # the fifteen digits of before 1999
        ("1101051949123１002X", "form"),
        ("11010519491231O02X", "form"),
        ("110105194902290020", "date"),
        ("110105194913010020", "date"),
        ("110105000001010020", "date"),
        ("110105194912310020", "check"),
        ("110105194912310021", "check"),
        ("110105194912310X2X", "form"),
        ("11010519491231002Ｘ", "check"),
    ],
)
def test_a_number_that_cannot_be_right_is_told_why(number: str, fault: str) -> None:
    assert id_number_fault(number) == fault


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 9))
@settings(max_examples=100, derandomize=True)
def test_one_wrong_digit_or_two_swapped_are_always_found(first: str, place: int, shift: int) -> None:
    check = id_check_digit(first)
    wrong = first[:place] + str((int(first[place]) + shift) % 10) + first[place + 1 :]
    assert id_check_digit(wrong) != check
    if place < 16 and first[place] != first[place + 1]:
        swapped = first[:place] + first[place + 1] + first[place] + first[place + 2 :]
        assert id_check_digit(swapped) != check


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [("11010519491231002X", date(1949, 12, 31), "2"), ("440524188001010014", date(1880, 1, 1), "1")],
)
def test_a_sound_number_holds_birth_date_and_sex(number: str, born: date, sex: str) -> None:
    assert (birth_date_of(number), sex_of(number)) == (born, sex)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("11010519491231002X", "110105********002X"),
        ("110105491231002", "110105*****1002"),
        ("1234567890", "*" * 10),
        ("", ""),
    ],
)
def test_a_masked_number_keeps_the_county_and_the_last_four(number: str, shown: str) -> None:
    assert mask_id_number(number) == shown


@pytest.mark.parametrize(("phone", "shown"), [("13800002216", "138****2216"), ("1234567", "****"), ("", "****")])
def test_a_masked_phone_keeps_three_and_four(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2000-02-29", "2027-02-28", 26),
        ("2000-02-29", "2027-03-01", 27),
        ("2000-02-29", "2028-02-28", 27),
        ("2000-02-29", "2028-02-29", 28),
        ("1946-11-18", "2026-11-17", 79),
        ("1946-11-18", "2026-11-18", 80),
        ("2026-11-18", "2026-11-18", 0),
    ],
)
def test_an_age_is_completed_years(born: str, day: str, age: int) -> None:
    assert age_on(date.fromisoformat(born), date.fromisoformat(day)) == age


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("张三", ("zhangsan", "zs")),
        ("吕布", ("lvbu", "lb")),
        ("欧阳锋", ("ouyangfeng", "oyf")),
        ("重阳", ("chongyang", "cy")),
        ("曾国", ("zengguo", "zg")),
        ("单田芳", ("shantianfang", "stf")),
        ("吴A", ("wua", "wa")),
        ("阿依古丽·买买提", ("ayigulimaimaiti", "ayglmmt")),
        ("John Smith", ("johnsmith", "js")),
        ("", ("", "")),
        (" ", ("", "")),
    ],
)
def test_a_name_is_found_by_its_pinyin_and_its_initials(name: str, keys: tuple[str, str]) -> None:
    assert pinyin_keys(name) == keys


@given(st.text(max_size=64))
@settings(max_examples=100, derandomize=True)
def test_keys_fit_their_columns_and_hold_what_search_can_be_asked_for(name: str) -> None:
    pinyin, initials = pinyin_keys(name)
    assert len(pinyin) <= 128 and len(initials) <= 32
    assert pinyin == pinyin.lower() and (pinyin + initials).replace(" ", "") == pinyin + initials


OWN, RENT, UNKNOWN, VACANT, GONE = (Occupancy(o) for o in ("own", "rent", "unknown", "vacant", "gone"))


def on(day: int) -> date:
    return date(2026, 11, day)


def saw(day: int, occupancy: Occupancy | None) -> Sighting:
    return Sighting(on(day), occupancy, UUID(int=day))


def stand(since: date, until: date, occupancy: Occupancy, visit: int | None = None) -> Stand:
    return Stand(since, until, occupancy, UUID(int=visit) if visit else None)


@pytest.mark.parametrize(
    ("registered", "sightings", "stands"),
    [
        ([], [], [stand(ALWAYS, FOREVER, UNKNOWN)]),
        ([(ALWAYS, OWN)], [], [stand(ALWAYS, FOREVER, OWN)]),
        ([(on(5), RENT)], [], [stand(ALWAYS, on(5), UNKNOWN), stand(on(5), FOREVER, RENT)]),
        ([(ALWAYS, OWN)], [saw(5, None)], [stand(ALWAYS, FOREVER, OWN)]),
        ([(ALWAYS, OWN)], [saw(5, GONE)], [stand(ALWAYS, on(5), OWN), stand(on(5), FOREVER, GONE, 5)]),
        ([(ALWAYS, VACANT)], [saw(5, VACANT)], [stand(ALWAYS, FOREVER, VACANT)]),
        # Somebody was met behind a door that stood empty: lived in as before, or not known how.
        (
            [(ALWAYS, RENT)],
            [saw(5, VACANT), saw(9, None)],
            [stand(ALWAYS, on(5), RENT), stand(on(5), on(9), VACANT, 5), stand(on(9), FOREVER, RENT, 9)],
        ),
        ([(ALWAYS, VACANT)], [saw(9, None)], [stand(ALWAYS, on(9), VACANT), stand(on(9), FOREVER, UNKNOWN, 9)]),
        # Gone, then vacant, then the registry says rented.
        (
            [(ALWAYS, OWN), (on(20), RENT)],
            [saw(5, GONE), saw(9, VACANT)],
            [
                stand(ALWAYS, on(5), OWN),
                stand(on(5), on(9), GONE, 5),
                stand(on(9), on(20), VACANT, 9),
                stand(on(20), FOREVER, RENT),
            ],
        ),
        # On one day the visit comes after the registry, whose fact stays with no length.
        (
            [(ALWAYS, OWN), (on(5), RENT)],
            [saw(5, GONE)],
            [stand(ALWAYS, on(5), OWN), stand(on(5), on(5), RENT), stand(on(5), FOREVER, GONE, 5)],
        ),
    ],
)
def test_a_timeline_follows_the_registry_and_is_overruled_by_later_visits(
    registered: list[tuple[date, Occupancy]], sightings: list[Sighting], stands: list[Stand]
) -> None:
    assert occupancy_timeline(registered, sightings) == stands


def test_the_order_of_the_entries_does_not_matter() -> None:
    sightings = [saw(5, VACANT), saw(9, None), saw(12, GONE)]
    assert occupancy_timeline([(ALWAYS, OWN)], sightings[::-1]) == occupancy_timeline([(ALWAYS, OWN)], sightings)


DATES = st.dates(date(2026, 10, 1), date(2026, 12, 31))
FACTS = st.lists(st.tuples(st.just(ALWAYS) | DATES, st.sampled_from(list(Occupancy))), max_size=5)
SIGHTINGS = st.lists(st.builds(Sighting, DATES, st.sampled_from([None, VACANT, GONE]), st.uuids()), max_size=8)
quick = settings(max_examples=100, derandomize=True)


@given(FACTS, SIGHTINGS)
@quick
def test_a_timeline_has_no_gap_from_always_to_for_ever(
    registered: list[tuple[date, Occupancy]], sightings: list[Sighting]
) -> None:
    stands = occupancy_timeline(registered, sightings)
    assert (stands[0].since, stands[-1].until) == (ALWAYS, FOREVER)
    assert all(one.until == other.since for one, other in pairwise(stands))
    assert all(s.since <= s.until for s in stands)


@given(FACTS, SIGHTINGS)
@quick
def test_a_timeline_made_anew_from_its_own_registry_rows_is_the_same(
    registered: list[tuple[date, Occupancy]], sightings: list[Sighting]
) -> None:
    stands = occupancy_timeline(registered, sightings)
    rows = [(s.since, s.occupancy) for s in stands if s.visit_id is None]
    assert occupancy_timeline(rows, sightings) == stands


@given(FACTS, SIGHTINGS)
@quick
def test_taking_every_visit_back_leaves_what_the_registry_says(
    registered: list[tuple[date, Occupancy]], sightings: list[Sighting]
) -> None:
    rows = [(s.since, s.occupancy) for s in occupancy_timeline(registered, sightings) if s.visit_id is None]
    assert occupancy_timeline(rows, []) == occupancy_timeline(registered, [])


@given(FACTS, SIGHTINGS)
@quick
def test_who_was_met_lives_there_that_day(registered: list[tuple[date, Occupancy]], sightings: list[Sighting]) -> None:
    last = max((s.day for s in sightings), default=None)
    met = [s.day for s in sightings if s.occupancy is None and s.day == last]
    others = [s for s in sightings if s.day != last] + [s for s in sightings if s.day == last and s.occupancy is None]
    stands = occupancy_timeline(registered, others)
    for day in met:
        assert all(s.occupancy not in EMPTY for s in stands if s.since <= day < s.until)


def test_a_stand_ends_the_day_before_the_next_begins() -> None:
    first, second = occupancy_timeline([(ALWAYS, OWN)], [saw(5, GONE)])
    day = on(5) - timedelta(days=1)
    assert first.since <= day < first.until and not second.since <= day
