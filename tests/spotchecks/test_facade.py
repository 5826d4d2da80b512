"""The picture of a building: every door has a window, and the one that is asked about is marked where it is."""

from fieldapp.spotchecks.facade import BROAD, Box, Window, facade_of


def block(entrances: int, floors: int, columns: int) -> list[Window]:
    """The doors of a plain block."""
    return [
        Window(entrance, floor, f"{floor}0{column}", column, None, 1, 1)
        for entrance in range(1, entrances + 1)
        for floor in range(1, floors + 1)
        for column in range(1, columns + 1)
    ]


def overlap(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


def test_every_door_has_a_window_of_its_own_on_the_wall():
    doors = block(3, 6, 2)
    picture = facade_of(doors, is_courtyard=False)
    assert set(picture.places) == {(door.entrance, door.room) for door in doors}
    places = list(picture.places.values())
    assert not any(overlap(one, other) for i, one in enumerate(places) for other in places[:i])
    wall = picture.wall
    for place in places:
        assert wall.x < place.x and place.x + place.width < wall.x + wall.width
        assert wall.y < place.y and place.y + place.height < wall.y + wall.height
    assert picture.panes.count("M") == 2 * len(doors)
    assert picture.doors.count("M") == 3


def test_the_top_floor_is_on_top_and_the_first_entrance_to_the_left():
    places = facade_of(block(2, 6, 2), is_courtyard=False).places
    assert places[1, "601"].y < places[1, "101"].y
    assert places[1, "601"].x < places[1, "602"].x < places[2, "601"].x


def test_a_tower_leaves_room_for_the_question_below_it():
    for doors in (block(1, 33, 4), block(8, 6, 2), block(1, 1, 1)):
        picture = facade_of(doors, is_courtyard=False)
        assert picture.width >= round(picture.height * BROAD) - 1


def test_a_courtyard_and_doors_that_are_one_have_windows_too():
    around = [Window(1, 1, str(i), i, 1, 1, 1) for i in range(1, 5)] + [Window(1, 1, "5", 1, 3, 2, 1)]
    picture = facade_of(around, is_courtyard=True)
    assert len(picture.places) == 5
    assert picture.doors == ""
    joined = facade_of([Window(1, 6, "601+602", 1, None, 2, 1), *block(1, 5, 2)], is_courtyard=False).places
    assert joined[1, "601+602"].width > 2 * joined[1, "501"].width
