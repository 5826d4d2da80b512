"""Doors laid out where a building comes without rooms; districts of the right size that tile."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from fieldapp.places.rules import LARGEST_ENTRANCE, Cell, is_off_size, lay_out, seam_faults
from geo.plane import area_m2


def rooms(*arguments: Any) -> list[tuple[int, str]]:
    return [(cell.entrance, cell.room) for cell in lay_out(*arguments)]


@pytest.mark.parametrize(
    ("households", "levels", "entrances", "laid_out"),
    [
        (0, 6, 2, []),
        (-3, 6, 2, []),
        (3, 3, 1, [(1, "101"), (1, "201"), (1, "301")]),
        (4, 2, 1, [(1, "101"), (1, "102"), (1, "201"), (1, "202")]),
        (4, 2, 2, [(1, "101"), (1, "201"), (2, "101"), (2, "201")]),
        (3, 2, 2, [(1, "101"), (1, "201"), (2, "101")]),
        (4, None, None, [(1, "101"), (1, "102"), (1, "103"), (1, "104")]),  # one storey
        (2, 6, 1, [(1, "101"), (1, "201")]),
        (2, 3, 9, [(1, "101"), (2, "101")]),  # no entrance without a door
        (3, 2, [1, 0, 2], [(1, "101"), (2, "101"), (2, "201")]),
        (1, 0, 0, [(1, "101")]),
        (2, 12, [2], [(1, "101"), (1, "201")]),
    ],
)
def test_households_are_spread_over_entrances_and_floors(
    households: int, levels: int | None, entrances: Any, laid_out: list[tuple[int, str]]
) -> None:
    assert rooms(households, levels, entrances) == laid_out


def test_a_block_of_unknown_height_has_six_floors_and_stairwells_of_usual_size() -> None:
    cells = lay_out(100, None, None)
    assert {cell.floor for cell in cells} == set(range(1, 7))
    assert {cell.entrance for cell in cells} == {1, 2, 3}
    assert max(sum(c.entrance == e for c in cells) for e in (1, 2, 3)) <= LARGEST_ENTRANCE


@given(st.integers(1, 3000), st.none() | st.integers(0, 60), st.none() | st.integers(0, 30))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_every_household_is_laid_out_exactly_once(households: int, levels: int | None, entrances: int | None) -> None:
    cells = lay_out(households, levels, entrances)
    assert len(cells) == households
    assert_sound(cells, levels)


@given(st.lists(st.integers(0, 120), min_size=1, max_size=8).filter(any), st.none() | st.integers(1, 40))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_entrances_get_the_households_they_are_said_to_have(shares: list[int], levels: int | None) -> None:
    cells = lay_out(sum(shares), levels, shares)
    wanted = [share for share in shares if share]
    assert [sum(c.entrance == e for c in cells) for e in range(1, len(wanted) + 1)] == wanted
    assert_sound(cells, levels)


def test_a_hostels_long_corridors_keep_their_rooms_apart() -> None:
    cells = lay_out(1200, 11, 1)
    assert_sound(cells, 11)
    assert {"1001", "1110", "11109"} <= {cell.room for cell in cells}


def assert_sound(cells: list[Cell], levels: int | None) -> None:
    assert len({(c.entrance, c.room) for c in cells}) == len(cells), "a room is unique behind its entrance"
    assert len({(c.entrance, c.floor, c.column) for c in cells}) == len(cells), "no two doors in one place"
    assert {c.entrance for c in cells} == set(range(1, max(c.entrance for c in cells) + 1))
    assert all(1 <= c.floor <= (levels or 6) for c in cells)
    for entrance in {c.entrance for c in cells}:
        columns = [sum(1 for c in cells if (c.entrance, c.floor) == (entrance, f)) for f in range(1, 61)]
        used = [n for n in columns if n]
        assert max(used) - min(used) <= 1, "floors are filled evenly"


@pytest.mark.parametrize(
    ("households", "off"), [(200, False), (150, False), (250, False), (149, True), (251, True), (0, True), (1000, True)]
)
def test_a_district_is_off_its_size_by_more_than_a_quarter_of_two_hundred(households: int, off: bool) -> None:
    assert is_off_size(households, 200, 25) is off


def square(west: float, east: float, south: float = 31.57, north: float = 31.572) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_districts_that_share_their_borders_tile() -> None:
    assert seam_faults([square(120.30, 120.302), square(120.302, 120.304)]) == []
    assert seam_faults([]) == []
    assert seam_faults([square(120.30, 120.302)]) == []


def test_an_overlap_names_both_districts_with_its_area_and_place() -> None:
    [fault] = seam_faults([square(120.31, 120.312), square(120.30, 120.302), square(120.3018, 120.304)])
    assert fault.districts == (1, 2)
    assert fault.area_m2 == pytest.approx(2e-4 * 111_320 * 0.852 * 222, rel=0.02)
    longitude, latitude = fault.place
    assert 120.3018 <= longitude <= 120.302 and 31.57 <= latitude <= 31.572


def test_a_hole_between_districts_is_a_gap_of_nobody() -> None:
    around = {
        "type": "Polygon",
        "coordinates": [
            square(120.30, 120.304)["coordinates"][0],
            square(120.301, 120.302, 31.5705, 31.571)["coordinates"][0][::-1],
        ],
    }
    [fault] = seam_faults([around])
    assert fault.districts == ()
    hole = square(120.301, 120.302, 31.5705, 31.571)
    assert fault.area_m2 == pytest.approx(area_m2(shape(hole)), rel=0.01)


def test_a_seam_thinner_than_the_smallest_area_is_let_be() -> None:
    close = [square(120.30, 120.302), square(120.302 - 1e-7, 120.304)]
    assert seam_faults(close) == []
    assert len(seam_faults(close, smallest_m2=0.1)) == 1
