"""The door matrix put right by the people who climb the stairs."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.households import queries as households
from fieldapp.places import queries as places
from fieldapp.places.models import Building, Dwelling, Placement
from fieldapp.visits.door_queries import doors
from fieldapp.visits.layouts import LayoutRefused, change_layout
from fieldapp.visits.rules import State, day_of
from tests.conftest import NOW
from tests.factories import Cast, make_building, make_care, make_dwelling, make_group, make_household, make_visit


def change(
    session: Session, cast: Cast, deed: str, *chosen: Dwelling, building: Building | None = None, **form: str
) -> str:
    """Make one correction to 12号楼 as its worker."""
    where = building or cast.building
    dwellings = places.dwellings_of(session, cast.actor("worker"), where.id)
    keys = ",".join(str(dwelling.id) for dwelling in chosen)
    return change_layout(session, where, dwellings, {"deed": deed, "doors": keys} | form)


def refusal(session: Session, cast: Cast, deed: str, *chosen: Dwelling, **form: str) -> tuple[str, str]:
    with pytest.raises(LayoutRefused) as caught:
        change(session, cast, deed, *chosen, **form)
    return caught.value.code, caught.value.detail


def at(session: Session, cast: Cast, room: str) -> Dwelling:
    return session.scalars(
        select(Dwelling).where(Dwelling.building_id == cast.building.id, Dwelling.room == room)
    ).one()


def empty(session: Session, cast: Cast, room: str, **more: Any) -> Dwelling:
    """A door behind which nobody is registered and on which nobody knocked."""
    dwelling = make_dwelling(session, cast.building, cast.district, room, **more)
    make_household(session, dwelling, None)
    return dwelling


def rooms(session: Session, cast: Cast) -> list[str]:
    return sorted(d.room for d in places.dwellings_of(session, cast.actor("worker"), cast.building.id))


def test_a_door_is_added_beside_its_neighbours_with_a_household_to_meet(session: Session, cast: Cast) -> None:
    assert change(session, cast, "add", floor="3", room=" 303 ") == "add"
    door = at(session, cast, "303")
    assert (door.entrance, door.floor, door.column, door.kind) == (1, 3, 3, "flat")
    assert door.district_id == cast.district.id
    [found] = [d for d in doors(session, cast.actor("worker"), day_of(NOW), 90) if d.room == "303"]
    assert found.household_id is not None and found.state is State.DUE
    [placement] = session.scalars(select(Placement).where(Placement.dwelling_id == door.id))
    assert placement.district_id == cast.district.id


def test_a_door_on_a_new_floor_or_entrance_is_the_first_there(session: Session, cast: Cast) -> None:
    change(session, cast, "add", floor="-1", entrance="2", room="B01")
    door = at(session, cast, "B01")
    assert (door.entrance, door.floor, door.column) == (2, -1, 1)


def test_a_door_of_a_courtyard_is_a_house(session: Session, cast: Cast) -> None:
    yard = make_building(session, cast.community, "3号院", kind="courtyard")
    make_dwelling(session, yard, cast.district, "1", kind="house", row=1)
    change(session, cast, "add", building=yard, room="2")
    assert {d.kind for d in places.dwellings_of(session, cast.actor("worker"), yard.id)} == {"house"}


def test_a_room_gets_another_number(session: Session, cast: Cast) -> None:
    door = at(session, cast, "301")
    change(session, cast, "rename", door, room="3A")
    assert door.room == "3A"
    change(session, cast, "rename", door, room="3A")


def test_a_flat_becomes_a_shop_with_nobody_to_meet_and_a_flat_again(session: Session, cast: Cast) -> None:
    door = empty(session, cast, "101")
    change(session, cast, "shop", door, shop=" 理发店 ")
    assert (door.kind, door.name) == ("shop", "理发店")
    assert households.households_behind(session, door.id) == []
    [found] = [d for d in doors(session, cast.actor("worker"), day_of(NOW), 90) if d.room == "101"]
    assert (found.state, found.shop) == (State.SHOP, "理发店")
    change(session, cast, "flat", door)
    assert (door.kind, door.name) == ("flat", None)
    assert len(households.households_behind(session, door.id)) == 1


def test_a_shop_of_a_courtyard_becomes_a_house_again(session: Session, cast: Cast) -> None:
    yard = make_building(session, cast.community, "3号院", kind="courtyard")
    make_dwelling(session, yard, cast.district, "1", kind="house", row=1)
    shop = make_dwelling(session, yard, cast.district, "2", kind="shop", row=2)
    change(session, cast, "flat", shop, building=yard)
    assert shop.kind == "house"


def test_making_a_flat_of_a_flat_changes_nothing(session: Session, cast: Cast) -> None:
    door = at(session, cast, "301")
    change(session, cast, "flat", door)
    assert len(households.households_behind(session, door.id)) == 1


def test_a_door_nobody_ever_knocked_on_is_taken_away(session: Session, cast: Cast) -> None:
    change(session, cast, "remove", empty(session, cast, "101"), empty(session, cast, "102"))
    assert rooms(session, cast) == ["301", "302", "502", "601"]


def test_flats_are_made_one_that_keeps_its_household_and_takes_their_place(session: Session, cast: Cast) -> None:
    lived_in = at(session, cast, "502")
    others = [empty(session, cast, "501"), empty(session, cast, "503", span=2)]
    change(session, cast, "join", *others, lived_in)
    assert (lived_in.room, lived_in.column, lived_in.span) == ("501+502+503", 1, 4)
    assert rooms(session, cast) == ["301", "302", "501+502+503", "601"]
    assert [h.id for h in households.households_behind(session, lived_in.id)] == [cast.households[1].id]


def test_of_empty_flats_the_first_is_kept(session: Session, cast: Cast) -> None:
    first, second = empty(session, cast, "101"), empty(session, cast, "102")
    change(session, cast, "join", second, first)
    assert (first.room, first.span) == ("101+102", 2)


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"room": ""}, ("room", "")),
        ({"room": "  "}, ("room", "")),
        ({"room": "1" * 25}, ("room", "")),
        ({"room": "101", "floor": "six"}, ("floor", "")),
        ({"room": "101", "floor": "121"}, ("floor", "")),
        ({"room": "101", "floor": "-6"}, ("floor", "")),
        ({"room": "101", "entrance": "0"}, ("entrance", "")),
        ({"room": "101", "entrance": "61"}, ("entrance", "")),
        ({"room": "101", "entrance": "1.5"}, ("entrance", "")),
        ({"room": "301"}, ("taken", "301")),
    ],
)
def test_a_door_that_cannot_stand_is_not_added(
    session: Session, cast: Cast, form: dict[str, str], fault: tuple[str, str]
) -> None:
    assert refusal(session, cast, "add", **form) == fault
    assert rooms(session, cast) == ["301", "302", "502", "601"]


def test_the_same_number_may_stand_behind_another_entrance(session: Session, cast: Cast) -> None:
    change(session, cast, "add", room="301", floor="3", entrance="2")
    assert rooms(session, cast).count("301") == 2


def test_a_room_cannot_take_a_number_that_is_taken(session: Session, cast: Cast) -> None:
    assert refusal(session, cast, "rename", at(session, cast, "301"), room="302") == ("taken", "302")
    assert refusal(session, cast, "rename", at(session, cast, "301"), room="") == ("room", "")


@pytest.mark.parametrize("deed", ["rename", "shop", "flat", "remove", "join"])
@pytest.mark.parametrize("keys", ["", "none", "00000000-0000-0000-0000-000000000000"])
def test_a_correction_needs_a_door_to_be_chosen(session: Session, cast: Cast, deed: str, keys: str) -> None:
    assert refusal(session, cast, deed, doors=keys) == ("choose", "")


@pytest.mark.parametrize("deed", ["", "burn"])
def test_an_unknown_correction_is_refused(session: Session, cast: Cast, deed: str) -> None:
    assert refusal(session, cast, deed)[0] == "deed"


@pytest.mark.parametrize("deed", ["remove", "shop"])
@pytest.mark.parametrize("use", ["registered", "visited", "cared for"])
def test_a_door_in_use_is_not_taken_away(session: Session, cast: Cast, deed: str, use: str) -> None:
    door = empty(session, cast, "101")
    [home] = households.households_behind(session, door.id)
    if use == "registered":
        door = at(session, cast, "301")
    elif use == "visited":
        make_visit(session, home, cast.users["worker"], NOW - timedelta(days=300), "nobody")
    else:
        make_care(session, home, make_group(session, cast.community), day_of(NOW))
    assert refusal(session, cast, deed, door) == ("visited", door.room)


def test_flats_are_joined_only_on_one_floor_of_one_entrance(session: Session, cast: Cast) -> None:
    first = empty(session, cast, "101")
    assert refusal(session, cast, "join", first)[0] == "two"
    assert refusal(session, cast, "join", first, empty(session, cast, "201"))[0] == "two"
    assert refusal(session, cast, "join", first, empty(session, cast, "102", entrance=2))[0] == "two"


def test_two_flats_that_are_both_lived_in_are_not_joined(session: Session, cast: Cast) -> None:
    assert refusal(session, cast, "join", at(session, cast, "301"), at(session, cast, "302")) == ("visited", "302")
