"""The spot check's arithmetic: the interval, the draw, the questions, the signs."""

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldapp.spotchecks import rules
from fieldapp.spotchecks.rules import (
    Candidate,
    DrawFault,
    Findings,
    Group,
    Home,
    Interval,
    Kind,
    Logged,
    Need,
    Person,
    Settings,
    Verdict,
    apportion,
    default_number,
    differ,
    draw,
    on_record,
    score,
    share,
    wilson,
)

TODAY = date(2026, 11, 18)
SHANGHAI = ZoneInfo("Asia/Shanghai")


# --- the interval


@pytest.mark.parametrize(
    ("right", "asked", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(right, asked, low, high):
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, Table I, method 3: score without continuity correction.
    found = wilson(right, asked)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(0, 400), st.integers(1, 400))
def test_an_interval_holds_its_share_and_mirrors(right, asked):
    right = min(right, asked)
    found, mirrored = wilson(right, asked), wilson(asked - right, asked)
    assert 0 <= found.low <= right / asked <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_half_an_answer_counts_half():
    assert score(["right", "half", "wrong", "skipped", "unrecorded"]).rate == 0.5
    assert score(["right", "half", "wrong"]).interval == wilson(1.5, 3)
    assert score(["half", "half"]).interval == wilson(1, 2)


def test_what_is_not_on_record_or_skipped_is_left_out_and_counted():
    found = score([Verdict.UNRECORDED, Verdict.SKIPPED, Verdict.SKIPPED])
    assert (found.asked, found.rate, found.unrecorded, found.skipped) == (0, None, 1, 2)
    assert found.interval == Interval(0, 1)


def test_small_samples_are_no_difference():
    assert not differ(wilson(3, 4), wilson(1, 4))
    assert differ(wilson(90, 100), wilson(50, 100))
    assert differ(wilson(50, 100), wilson(90, 100))
    assert not differ(Interval(0.1, 0.5), Interval(0.5, 0.9))


def test_who_does_not_know_is_not_asked():
    assert share([True, False, None]) == rules.Share(1, 2)
    assert share([None]).rate is None


# --- the draw


def key(number):
    return UUID(int=number)


def household(number, district=1, building=1, is_care=False, days_unmet=40, was_drawn=False):
    return Candidate(key(number), key(district), key(1000 + building), is_care, days_unmet, was_drawn)


@st.composite
def communities(draw):
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(1, 4),
                st.integers(1, 5),
                st.booleans(),
                st.none() | st.integers(0, 400),
                st.booleans(),
            ),
            max_size=40,
        )
    )
    return [household(i, *row) for i, row in enumerate(rows, 1)]


SEEDS = st.integers(0, 2**62)


@given(communities(), st.integers(1, 30), st.floats(0, 1), SEEDS, st.booleans(), st.randoms())
def test_the_same_seed_draws_the_same_in_any_order(candidates, number, care_share, seed, again, chance):
    drawn = draw(candidates, number, care_share, seed, again)
    chance.shuffle(candidates)
    assert draw(candidates, number, care_share, seed, again) == drawn


@given(communities(), st.integers(1, 30), st.floats(0, 1), SEEDS, st.booleans())
def test_a_draw_has_as_many_as_asked_each_once_and_nobody_of_last_month(candidates, number, care_share, seed, again):
    left = {c.household_id for c in candidates if again or not c.was_drawn}
    drawn = [one.household_id for one in draw(candidates, number, care_share, seed, again)]
    assert len(drawn) == len(set(drawn)) == min(number, len(left))  # never empty while there is a candidate
    assert set(drawn) <= left


def test_seeds_differ():
    candidates = [household(i) for i in range(1, 41)]
    assert len({tuple(draw(candidates, 10, 0.5, seed)) for seed in range(20)}) == 20


DRAWS = 10_000


def test_a_draw_is_fair():
    """10,000 draws of 3 of 12 households of one stratum: chi-square against an equal chance for each.

    Drawing 3 of 12 without putting back makes counts vary less than a multinomial's by (12-3)/(12-1), which the
    statistic gives back. 11 degrees of freedom; the table's value for 0.1 % is 31.264.
    """
    households, number = 12, 3
    candidates = [household(i) for i in range(1, households + 1)]
    counts = Counter(one.household_id for seed in range(DRAWS) for one in draw(candidates, number, 0.5, seed))
    expected = DRAWS * number / households
    statistic = sum((counts[c.household_id] - expected) ** 2 / expected for c in candidates)
    statistic *= (households - 1) / (households - number)
    assert statistic < 31.264
    assert statistic > 1.834  # the table's value for 99.9 %: so even would be no chance


def test_every_stratum_is_fair_to_its_households():
    """In a district each household in care has the same chance, and each other one: whatever building and band."""
    candidates = [
        household(1, building=1, is_care=True),
        *(household(i, building=2, is_care=True, days_unmet=5 * i) for i in range(2, 9)),
        *(household(i, building=i % 3, days_unmet=None if i % 4 else 200) for i in range(9, 29)),
    ]
    counts = Counter(one.household_id for seed in range(DRAWS) for one in draw(candidates, 6, 0.5, seed))
    for group, number in (([c for c in candidates if c.is_care], 3), ([c for c in candidates if not c.is_care], 3)):
        chance = number / len(group)
        spread = (DRAWS * chance * (1 - chance)) ** 0.5
        assert all(abs(counts[c.household_id] - DRAWS * chance) < 4 * spread for c in group)


def test_a_draw_spreads_over_districts_buildings_and_care():
    candidates = [household(i, district=1 + i % 2, building=i % 4, is_care=i < 30) for i in range(1, 121)]
    drawn = {one.household_id for one in draw(candidates, 24, 0.5, 7)}
    of = [c for c in candidates if c.household_id in drawn]
    assert Counter(c.district_id for c in of) == {key(1): 12, key(2): 12}
    assert sum(c.is_care for c in of) == 12
    assert set(Counter(c.building_id for c in of).values()) <= {5, 6, 7}


def test_where_care_groups_are_few_the_others_fill_up():
    candidates = [household(1, is_care=True), *(household(i) for i in range(2, 20))]
    assert len(draw(candidates, 10, 1.0, 3)) == 10
    assert {one.stratum for one in draw(candidates[:1], 10, 0.0, 3)} == {"care/quarter"}


@given(
    st.dictionaries(st.integers(), st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=8),
    st.integers(0, 80),
    SEEDS,
)
def test_apportioning_gives_all_there_is_room_for(rooms, number, seed):
    weights, most = {k: w for k, (w, _) in rooms.items()}, {k: m for k, (_, m) in rooms.items()}
    given_ = apportion(number, weights, most, seed)
    assert sum(given_.values()) == min(number, sum(most.values()))
    assert all(0 <= given_[k] <= most[k] for k in rooms)


def test_apportioning_goes_by_the_largest_remainder():
    # 10 over 47, 16, 15, 12, 10: quotas 4.7, 1.6, 1.5, 1.2, 1.0.
    weights = {"a": 47, "b": 16, "c": 15, "d": 12, "e": 10}
    assert apportion(10, weights, dict.fromkeys(weights, 99), 1) == {"a": 5, "b": 2, "c": 1, "d": 1, "e": 1}


@pytest.mark.parametrize(("households", "number"), [(0, 0), (4, 4), (10, 10), (90, 10), (101, 11), (1000, 100)])
def test_a_tenth_at_least_ten_never_more_than_there_are(households, number):
    assert default_number(households) == number


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "2026", "x", "", "2027-01", "2026-11-01", "202611"])
def test_no_month(month):
    with pytest.raises(DrawFault):
        rules.check_month(month, TODAY)


@pytest.mark.parametrize(("month", "today"), [("2026-11", TODAY), ("2026-12", TODAY), ("2027-01", date(2026, 12, 31))])
def test_a_month(month, today):
    rules.check_month(month, today)
    assert rules.month_before("2027-01") == "2026-12"


# --- the questions


def home(**more):
    people = [
        Person("张桂兰", True, date(1940, 1, 2), "retired"),
        Person("张小雨", False, date(2022, 3, 4), None),
        Person("张建国", False, date(1970, 5, 6), "unemployed", date(2026, 10, 1)),
    ]
    values = {
        "occupancy": "rent",
        "last_met_on": date(2026, 10, 13),
        "people": people,
        "groups": [Group("高龄", "八十六岁，独居", "张桂兰")],
        "need": Need("问助餐卡", date(2026, 10, 13), False),
        "shop": "小李粮油",
    }
    return Home(**(values | more))


def test_what_the_record_answers():
    assert on_record(home(), Settings(), TODAY) == {
        Kind.PEOPLE: 3,
        Kind.HEAD: "张桂兰",
        Kind.OVER80: ["张桂兰"],
        Kind.UNDER6: ["张小雨"],
        Kind.JOBLESS: ["张建国"],
        Kind.CARE: [{"group": "高龄", "reason": "八十六岁，独居", "who": "张桂兰"}],
        Kind.NEED: {"what": "问助餐卡", "on": "2026-10-13", "answered": False},
        Kind.LAST_MET: "2026-10-13",
        Kind.RENTS: "rent",
        Kind.SHOP: "小李粮油",
    }


def test_what_is_not_on_record_is_not_asked():
    unknown = Home("unknown", None)
    assert on_record(unknown, Settings(), TODAY) == {Kind.LAST_MET: None, Kind.CARE: []}
    one = home(people=[Person("王秀英", False, None, None)])
    assert not {Kind.HEAD, Kind.OVER80, Kind.UNDER6, Kind.JOBLESS} & on_record(one, Settings(), TODAY).keys()


@pytest.mark.parametrize(
    ("missing", "more"),
    [
        (Kind.JOBLESS, {"people": [Person("张建国", True, date(1970, 5, 6), "employed", date(2025, 10, 1))]}),
        (Kind.CARE, {"groups": [Group("低保", None, None, review_on=date(2026, 11, 17))]}),
        (Kind.NEED, {"need": Need("问助餐卡", date(2025, 10, 1), False)}),
        (Kind.RENTS, {"occupancy_seen_on": date(2025, 10, 1)}),
        (Kind.HEAD, {"disputed": frozenset({"name"})}),
        (Kind.OVER80, {"disputed": frozenset({"birth_date"})}),
    ],
)
def test_what_is_stale_or_in_dispute_is_not_asked(missing, more):
    assert missing in on_record(home(), Settings(), TODAY)
    assert missing not in on_record(home(**more), Settings(), TODAY)


def test_a_field_switched_off_is_not_asked():
    settings = Settings(off=frozenset({"employment", "birth_date"}))
    assert not {Kind.JOBLESS, Kind.OVER80, Kind.UNDER6} & on_record(home(), settings, TODAY).keys()


def test_a_rhythm_of_the_community_says_what_is_stale():
    assert Kind.JOBLESS not in on_record(home(), Settings(rhythms={"employment": 30}), TODAY)
    assert Kind.JOBLESS in on_record(home(), Settings(rhythms={"employment": 60}), TODAY)


ANSWERS = st.dictionaries(st.sampled_from(list(Kind)), st.sampled_from([[], None, "x", 3, ["a"]]))


@given(ANSWERS, SEEDS)
def test_four_to_six_questions_in_order_one_of_them_about_nobody(answers, seed):
    picked = rules.pick(answers, seed, key(1))
    assert picked == [kind for kind in Kind if kind in picked]
    assert min(4, len(answers)) <= len(picked) <= 6
    empty = {kind for kind, value in answers.items() if not value}
    assert not empty or empty & set(picked)


@given(st.lists(st.integers(0, 9)), st.integers(0, 9), SEEDS)
def test_choices_hold_the_truth_once_among_plausible_ones(plausible, value, seed):
    found = rules.choices(Kind.PEOPLE, value, plausible, seed, key(1))
    if set(plausible) <= {value}:
        assert found == []
    else:
        assert 2 <= len(found) <= 4 and found.count(value) == 1 and len(set(found)) == len(found)
        assert set(found) <= {*plausible, value}
    assert rules.choices(Kind.PEOPLE, value, plausible[::-1], seed, key(1)) == found


def test_the_true_choice_stands_anywhere():
    places = Counter(rules.choices(Kind.HEAD, "a", ["b", "c", "d"], seed, key(1)).index("a") for seed in range(400))
    assert len(places) == 4 and min(places.values()) > 60


def test_who_did_not_agree_said_nothing():
    assert Findings(True, is_true=False, was_told=False, knows_worker=True).differences() == ["is_true", "was_told"]
    assert Findings(False, is_true=False).differences() == []


# --- signs


def logged(minute, *, east=0.0, sentence=None, saved=None, day=10):
    at = datetime(2026, 11, day, 9, 0, tzinfo=SHANGHAI) + timedelta(minutes=minute)
    return Logged(at, saved or at, "met", sentence, (120.30 + east, 31.57))


def test_many_visits_at_once_far_apart():
    far = [logged(i, east=0.004 * (i % 2)) for i in range(5)]
    assert rules.rush(far) == ({"visits": 5, "minutes": 4, "metres": 370}, (date(2026, 11, 10),))
    assert rules.rush(far[:4]) is None
    assert rules.rush([logged(i) for i in range(9)]) is None  # one stairwell
    assert rules.rush([logged(4 * i, east=0.004 * (i % 2)) for i in range(9)]) is None


def test_the_same_sentence_many_times():
    same = [logged(60 * i, sentence=" 一切 正常") for i in range(8)]
    found = rules.same_sentence(same)
    assert found is not None and found[0]["visits"] == 8
    assert rules.same_sentence(same[:7]) is None
    assert rules.same_sentence([logged(i, sentence="好") for i in range(30)]) is None


def test_all_saved_at_night():
    night = datetime(2026, 11, 10, 23, 30, tzinfo=SHANGHAI)
    late = [logged(i, saved=night) for i in range(9)]
    assert rules.at_night(late) is None
    assert rules.at_night([*late, logged(1)]) == ({"visits": 9, "of": 10}, (date(2026, 11, 10),))
    assert rules.at_night([*late, logged(1), logged(2)]) is None
