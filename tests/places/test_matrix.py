"""The door matrix: entrances side by side, top floor first, one cell a door; a courtyard around its yard."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldapp.places.matrix import Matrix, matrix_of


@dataclass
class Door:
    room: str
    floor: int = 1
    column: int = 1
    entrance: int = 1
    row: int | None = None
    span: int = 1
    row_span: int = 1
    state: str = "later"


def flat(room: str, **more: int) -> Door:
    return Door(room, int(room[:-2]), int(room[-2:]), **more)


def places(matrix: Matrix) -> dict[str, tuple[int, ...]]:
    return {cell.door.room: (cell.row, cell.column, cell.span, cell.row_span) for cell in matrix.cells}


def ground(matrix: Matrix) -> list[tuple[int, int]]:
    return [(c.row + i, c.column + j) for c in matrix.cells for i in range(c.row_span) for j in range(c.span)]


def assert_sound(matrix: Matrix, doors: list[Door]) -> None:
    taken = ground(matrix)
    assert len(taken) == len(set(taken)), "no two cells overlap"
    assert sorted(id(cell.door) for cell in matrix.cells) == sorted(id(door) for door in doors)
    assert all(1 <= row <= matrix.rows and 1 <= column <= matrix.columns for row, column in taken)
    if matrix.yard:
        row, column, width, height = matrix.yard[0], matrix.yard[1], matrix.yard[3], matrix.yard[2]
        yard = {(row + i, column + j) for i in range(height) for j in range(width)}
        assert not yard & set(taken), "nobody's door stands in the yard"


def test_the_top_floor_comes_first_and_entrances_stand_side_by_side() -> None:
    doors = [flat("101"), flat("102"), flat("301"), flat("302"), flat("101", entrance=2), flat("303", entrance=2)]
    matrix = matrix_of(doors, is_courtyard=False)
    assert matrix.floors == (3, 1)
    assert [(e.number, e.first_column, e.columns) for e in matrix.entrances] == [(1, 1, 2), (2, 3, 3)]
    assert (matrix.rows, matrix.columns, matrix.is_courtyard, matrix.yard) == (2, 5, False, None)
    assert [(c.door.entrance, c.door.room, c.row, c.column) for c in matrix.cells] == [
        (1, "301", 1, 1),
        (1, "302", 1, 2),
        (1, "101", 2, 1),
        (1, "102", 2, 2),
        (2, "303", 1, 5),
        (2, "101", 2, 3),
    ]


def test_floors_below_the_ground_stand_at_the_bottom() -> None:
    assert matrix_of([Door("B1", -1), Door("101", 1), Door("1201", 12)], is_courtyard=False).floors == (12, 1, -1)


def test_merged_flats_take_both_cells() -> None:
    doors = [Door("501+502", 5, 1, span=2), flat("503"), flat("401"), flat("402"), flat("403")]
    found = places(matrix_of(doors, is_courtyard=False))
    assert found["501+502"] == (1, 1, 2, 1)
    assert found["503"] == (1, 3, 1, 1)


def test_two_households_behind_one_door_stand_side_by_side() -> None:
    doors = [flat("301"), flat("301"), flat("302"), flat("201"), flat("202")]
    matrix = matrix_of(doors, is_courtyard=False)
    assert [(c.door.room, c.row, c.column) for c in matrix.cells] == [
        ("301", 1, 1),
        ("301", 1, 2),
        ("302", 1, 3),
        ("201", 2, 1),
        ("202", 2, 2),
    ]
    assert matrix.entrances[0].columns == 3


def test_a_shop_floor_is_a_floor_like_any_other() -> None:
    doors = [Door("理发店", 1, 1, span=3, state="shop"), flat("201"), flat("202"), flat("203")]
    matrix = matrix_of(doors, is_courtyard=False)
    assert places(matrix)["理发店"] == (2, 1, 3, 1)
    assert matrix.counts == {"shop": 1, "later": 3}


def test_a_building_without_doors_is_an_empty_matrix() -> None:
    matrix = matrix_of([], is_courtyard=False)
    assert (matrix.rows, matrix.columns, matrix.cells, matrix.floors, matrix.counts) == (0, 0, (), (), {})
    assert matrix_of([], is_courtyard=True).cells == ()


def ring(side: int = 4) -> list[Door]:
    """One-storey houses on the four sides of a square yard."""
    edge = [(r, c) for r in range(1, side + 1) for c in range(1, side + 1) if {r, c} & {1, side}]
    return [Door(str(n), row=row, column=column) for n, (row, column) in enumerate(edge, 1)]


def test_a_courtyards_houses_stand_around_the_yard() -> None:
    matrix = matrix_of(ring(), is_courtyard=True)
    assert (matrix.is_courtyard, matrix.rows, matrix.columns, matrix.floors) == (True, 4, 4, ())
    assert matrix.yard == (2, 2, 2, 2)
    assert_sound(matrix, [cell.door for cell in matrix.cells])


def test_a_house_along_the_side_takes_two_rows() -> None:
    doors = [door for door in ring() if (door.row, door.column) != (3, 1)]
    next(door for door in doors if (door.row, door.column) == (2, 1)).row_span = 2
    matrix = matrix_of(doors, is_courtyard=True)
    assert_sound(matrix, doors)
    assert matrix.yard == (2, 2, 2, 2)


@pytest.mark.parametrize(
    "doors", [ring(2), [Door("1", row=1, column=1), Door("2", row=1, column=2)], [*ring(), Door("x", row=2, column=2)]]
)
def test_a_courtyard_without_room_inside_has_no_yard(doors: list[Door]) -> None:
    assert matrix_of(doors, is_courtyard=True).yard is None


def test_houses_whose_place_is_unknown_stand_below_the_others() -> None:
    doors = [*ring(), Door("里1"), Door("里2"), Door("里3"), Door("里4"), Door("里5")]
    matrix = matrix_of(doors, is_courtyard=True)
    assert_sound(matrix, doors)
    assert matrix.yard == (2, 2, 2, 2)
    assert [places(matrix)[f"里{n}"][:2] for n in range(1, 6)] == [(5, 1), (5, 2), (5, 3), (5, 4), (6, 1)]


def test_a_courtyard_of_houses_in_unknown_places_stands_in_rows_of_four() -> None:
    matrix = matrix_of([Door(str(n)) for n in range(1, 7)], is_courtyard=True)
    assert (matrix.rows, matrix.columns, matrix.yard) == (2, 4, None)


def test_two_households_behind_one_door_of_a_courtyard_both_have_a_cell() -> None:
    doors = [*ring(), Door("1", row=1, column=1)]
    matrix = matrix_of(doors, is_courtyard=True)
    assert_sound(matrix, doors)
    assert matrix.yard == (2, 2, 2, 2), "the ring stays as it is"


DOORS = st.lists(
    st.builds(
        Door,
        room=st.text("0123456789", min_size=3, max_size=4),
        floor=st.integers(-1, 7),
        column=st.integers(0, 6),
        entrance=st.integers(1, 4),
        row=st.none() | st.integers(1, 6),
        span=st.integers(0, 3),
        row_span=st.integers(0, 3),
        state=st.sampled_from(["met", "due"]),
    ),
    max_size=16,
)


@given(DOORS, st.booleans())
@settings(max_examples=100, derandomize=True)
def test_no_two_cells_overlap_and_every_door_has_one(doors: list[Door], is_courtyard: bool) -> None:
    matrix = matrix_of(doors, is_courtyard=is_courtyard)
    assert_sound(matrix, doors)
    assert sum(matrix.counts.values()) == len(doors)
    for one, other in pairwise(matrix.entrances):
        assert one.first_column + one.columns == other.first_column
