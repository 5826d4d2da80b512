"""Planning's rules: who goes on as whom, names of new districts, moves, entrances dealt by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fieldapp.planning.rules import (
    Body,
    DraftDistrict,
    Move,
    PlanRefused,
    Scale,
    Stairwell,
    body_from_json,
    body_to_json,
    dealt_by_count,
    is_dead,
    is_off,
    matched,
    moves_of,
    new_codes,
    new_names,
    next_month,
    read_entrances,
    sizes,
)


def test_the_most_households_in_common_decide_who_goes_on():
    assert matched({(0, 0): 90, (0, 1): 110, (1, 0): 100, (1, 1): 95}) == {1: 0, 0: 1}
    assert matched({(0, 0): 50, (0, 1): 60}) == {1: 0}
    assert matched({(0, 0): 0}) == {}


def test_new_districts_get_the_next_free_names_and_codes():
    assert new_names(["第一包干区", "第二包干区"], 2) == ["第三包干区", "第四包干区"]
    assert new_names(["第一", "第二", "第四"], 2) == ["第五", "第六"]
    assert new_names([], 1) == ["第一包干区"]
    assert new_names(["河东", "河西"], 1) == ["第三包干区"]
    assert new_codes(["1", "2", "d9"], 2) == ["3", "4"]
    assert new_codes([], 1) == ["1"]


@pytest.mark.parametrize(
    ("day", "first"), [((2026, 11, 18), (2026, 12, 1)), ((2026, 12, 31), (2027, 1, 1)), ((2026, 1, 31), (2026, 2, 1))]
)
def test_a_plan_begins_with_the_next_month(day, first):
    assert next_month(date(*day)) == date(*first)


def test_ten_percent_is_within():
    assert not is_off(180, 200)
    assert not is_off(220, 200)
    assert is_off(179, 200)


def test_a_minute_of_silence_is_the_end():
    now = datetime(2026, 11, 18, tzinfo=UTC)
    assert not is_dead(now - timedelta(seconds=60), now)
    assert is_dead(now - timedelta(seconds=61), now)


WELLS = [Stairwell("b:1", 1, 30, "1"), Stairwell("b:2", 2, 20, "1"), Stairwell("b:3", 3, 0, "1")]


def test_a_building_that_moves_as_a_whole_is_one_line():
    assert moves_of("b", "27号", WELLS, {"b:1": "2", "b:2": "2", "b:3": "2"}) == [Move("b", "27号", None, 50, "1", "2")]
    assert moves_of("b", "27号", WELLS, {"b:1": "1", "b:2": "1"}) == []


def test_where_a_part_moves_the_entrance_is_named():
    assert moves_of("b", "27号", WELLS, {"b:1": "1", "b:2": "2"}) == [Move("b", "27号", 2, 20, "1", "2")]
    assert moves_of("b", "27号", WELLS, {"b:1": "3", "b:2": "2"}) == [
        Move("b", "27号", 1, 30, "1", "3"),
        Move("b", "27号", 2, 20, "1", "2"),
    ]
    assert moves_of("b", "27号", WELLS, {"b:2": "1"}) == [Move("b", "27号", 1, 30, "1", None)]


def test_sizes_count_those_outside_apart():
    assert sizes(WELLS, {"b:1": "1"}) == {"1": 30, None: 20}


def test_a_division_is_kept_and_read_back():
    district = DraftDistrict("1", "key", "第一", "1", "a", None, True, {"type": "Polygon", "coordinates": []})
    body = Body((district,), {"b:1": "1"})
    assert body_from_json(body_to_json(body)) == body
    with pytest.raises(PlanRefused):
        body.district("2")


def test_the_scale_holds_all_numbers():
    scale = Scale.around([273, 168], 200)
    assert [scale.at(n) for n in (150, 273)] == [5.0, 95.0]
    assert 5 < scale.at(168) < scale.at(200) < 95


def test_columns_are_dealt_as_evenly_as_they_go():
    assert dealt_by_count(dict.fromkeys(range(1, 7), 6), 3) == [2, 4, 6]
    assert dealt_by_count(dict.fromkeys(range(1, 6), 6), 2) in ([2, 5], [3, 5])
    assert dealt_by_count({1: 1, 2: 1, 3: 30}, 3) == [1, 2, 3]
    assert dealt_by_count({1: 30, 2: 1, 3: 1}, 3) == [1, 2, 3]
    assert dealt_by_count({1: 6, 2: 6}, 1) == [2]
    with pytest.raises(PlanRefused):
        dealt_by_count({1: 6}, 2)


def test_what_a_director_types():
    assert read_entrances(" 3 ") == 3
    assert read_entrances("40，40, 32") == (40, 40, 32)
    for wrong in ("", "0", "三", "61", "40,-1", "1.5", "40,0", "9" * 9, "²"):
        with pytest.raises(PlanRefused):
            read_entrances(wrong)
