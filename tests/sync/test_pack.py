"""The pack: every page of the worker's districts and of no other, whole at first, then what changed."""

import json
import re
import zlib
from datetime import date, timedelta
from io import BytesIO

import brotli
import pytest

from fieldapp.households.models import Resident
from fieldapp.places.models import Assignment, Dwelling
from fieldapp.places.operations import place_dwellings
from fieldapp.sync.operations import begin_epoch
from fieldapp.visits.door_queries import doors
from fieldapp.visits.doors import next_door
from tests.conftest import NOW
from tests.factories import (
    make_building,
    make_care,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_visit,
)
from tests.routes import ON_ONE, SECRETS, make_world, settings_form
from tests.sync.phone import Phone

SINGLE = {
    "/today",
    "/today?all=1",
    "/map",
    "/matters",
    "/me",
    "/shops",
    "/events/new",
    "/outbox",
    "/saved",
    "/sync/doors",
}


@pytest.fixture
def world(session, app, cast):
    return make_world(session, app, cast)


class Pack:
    """What a phone has: pages by their address, kept up to date as a phone would."""

    def __init__(self, person):
        self.person, self.token, self.pages = person, "", {}
        self.start = self.end = None

    def renew(self, **headers):
        """Ask for what changed; the addresses that travelled, and those that are gone."""
        answer = self.person.get("/sync/pack", query_string={"since": self.token}, headers=headers)
        assert answer.status_code == 200
        first, *lines, last = [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]
        self.start, self.end = first["start"], last["end"]
        came = {line["url"]: line["html"] for line in lines if "url" in line}
        gone = [line["gone"] for line in lines if "gone" in line]
        assert len(came) + len(gone) == len(lines)
        assert self.start["pages"] == len(came)
        if self.start["whole"]:
            self.pages = {}
        for url in gone:
            self.pages.pop(url, None)
        self.pages |= came
        self.token = self.end["token"]
        return set(came), set(gone)


@pytest.fixture
def pack_of(sign_in):
    return lambda username: Pack(sign_in(username))


def of_households(*households):
    return {f"/households/{h.id}{more}" for h in households for more in ("", "/visits/new")}


def of_buildings(*buildings):
    return {f"/buildings/{b.id}{more}" for b in buildings for more in ("", "?choose=1")}


# --- what is in it


@pytest.mark.parametrize("username", ["worker", "partner"])
def test_a_whole_pack_has_the_pages_of_ones_districts_and_no_others(username, pack_of, cast):
    pack = pack_of(username)
    came, gone = pack.renew()
    assert came == SINGLE | of_buildings(cast.building) | of_households(*cast.households)
    assert gone == set()
    assert pack.start["whole"] is True
    assert (pack.start["user"], pack.start["households"]) == (str(cast.users[username].id), 4)
    assert pack.start["at"] == "2026-11-18T01:41:00Z"
    assert set(pack.end) == {"token", "epoch", "change", "backed_up_until"}


@pytest.mark.parametrize("username", ["worker", "partner", "other", "neighbour"])
def test_nothing_of_another_district_or_community_is_in_a_pack(username, pack_of, world):
    pack = pack_of(username)
    pack.renew()
    said = "\n".join(pack.pages.values()).replace("问助餐卡几号能好", "an example of a promise")
    for secret, who in SECRETS.items():
        assert (secret in said) == (username in who), secret


def test_who_answers_for_no_district_gets_the_pages_there_is_one_of(pack_of, cast, session):
    for assignment in session.query(Assignment):
        assignment.until = NOW.date()
    session.commit()
    came, _ = pack_of("worker").renew()
    assert came == SINGLE


def plain(page):
    """A page without what is its alone at this moment."""
    page = re.sub(r'name="(visit_id|form_id)" value="[^"]*"', r'name="\1" value=""', page)
    return re.sub(r' max="2026-[^"]*"', "", page)


def test_a_page_of_the_pack_is_the_page_that_a_browser_gets(pack_of, world, cast, session, sign_in):
    _furnish(session, cast)
    pack, person = pack_of("worker"), sign_in("worker")
    pack.renew()
    for url, page in pack.pages.items():
        assert plain(person.get(url).get_data(as_text=True)) == plain(page), url


def _furnish(session, cast):
    """Something of everything that a household's page may show."""
    home, worker = cast.households[2], cast.users["worker"]
    make_resident(session, home, "赵小明", phone="13800001234", birth_date=date(1990, 1, 1), sex="1", relation="20")
    make_care(session, home, make_group(session, cast.community, "独居"), date(2026, 1, 1), reason="腿脚不便")
    make_follow_up(session, home, worker, "送药")
    for days in range(5, 0, -1):
        make_visit(session, home, worker, NOW - timedelta(days=days), sentence=f"第 {days} 天", topics=["助餐"])
    make_household(session, make_dwelling(session, cast.building, cast.district, "102"), None, "vacant")
    make_dwelling(session, cast.building, cast.district, "101", kind="shop", name="小卖部")
    make_household(session, make_dwelling(session, make_building(session, cast.community, "5院", kind="courtyard"),
                                          cast.district, "3", row=1), "院里")  # fmt: skip
    session.commit()


def test_the_same_is_packed_alike_every_time(pack_of, world):
    first, second = pack_of("worker"), pack_of("worker")
    first.renew()
    second.renew()
    assert first.pages == second.pages
    assert first.token == second.token
    assert 'name="visit_id" value=""' in "".join(first.pages.values())


def test_a_pack_neither_shows_nor_uses_up_what_is_to_be_said(pack_of, cast, sign_in):
    pack = pack_of("worker")
    pack.person.post(f"/buildings/{cast.building.id}/visits", {"households": [str(cast.households[1].id)]})
    pack.renew()
    assert not any("记下了：1 户没人在" in page for page in pack.pages.values())
    assert "记下了：1 户没人在" in pack.person.get("/today").get_data(as_text=True)


# --- how it is sent


def sent(person, accepted):
    answer = person.get("/sync/pack", headers={"Accept-Encoding": accepted})
    return answer.content_encoding, answer.get_data(), answer


@ON_ONE
@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("*", "br"),
        ("identity", None),
        ("deflate", None),
        ("", None),
        ("br;q=0, gzip;q=0", None),
    ],
)
def test_it_is_pressed_as_the_phone_takes_it(accepted, encoding, pack_of, cast, sign_in):
    found, data, answer = sent(sign_in("worker"), accepted)
    assert found == encoding
    assert answer.mimetype == "application/x-ndjson"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    read = {"br": brotli.decompress, "gzip": lambda pressed: zlib.decompress(pressed, 31), None: bytes}[encoding](data)
    lines = read.decode().splitlines()
    assert lines[1:-1] == sent(sign_in("worker"), "identity")[1].decode().splitlines()[1:-1]


@ON_ONE
def test_it_arrives_bit_by_bit_and_asks_the_database_nothing_meanwhile(pack_of, cast, session, count_queries, sign_in):
    _many(session, cast, 40)
    client = sign_in("worker").client
    answer = client.get("/sync/pack", headers={"Accept-Encoding": "br"}, buffered=False)
    asked, unpressed, seen = count_queries(), brotli.Decompressor(), []
    for part in answer.iter_encoded():
        seen.append(unpressed.process(part).count(b"\n"))
    assert count_queries() == asked
    assert len(seen) > 4
    assert seen[0] == 1
    assert sum(seen) == 2 + len(SINGLE) + 2 * 2 + 2 * 44


def _many(session, cast, count):
    building = make_building(session, cast.community, "90号楼")
    for number in range(count):
        door = make_dwelling(session, building, cast.district, f"{number // 4 + 1}{number % 4 + 1:02d}")
        household = make_household(session, door, f"户主{number}")
        make_visit(session, household, cast.users["worker"], NOW - timedelta(days=number % 60 + 1), sentence="好")
    session.commit()


def test_as_many_statements_for_two_hundred_households_as_for_twenty(cast, session, pack_of, count_queries):
    def asked(pack):
        before = count_queries()
        pack.renew()
        return count_queries() - before

    pack = pack_of("worker")
    pack.renew()
    few = []
    for _ in range(2):
        _many(session, cast, 16) if not few else None
        pack.token = ""
        few.append(asked(pack))
    for number in range(9):
        building = make_building(session, cast.community, f"{number}0号楼", code=f"many-{number}")
        for room in range(20):
            door = make_dwelling(session, building, cast.district, f"{room // 2 + 1}0{room % 2 + 1}")
            make_visit(session, make_household(session, door), cast.users["worker"], NOW - timedelta(days=room))
    session.commit()
    pack.token = ""
    assert {asked(pack), *few} == {few[0]}
    assert pack.start["households"] == 4 + 16 + 180


# --- what changed


def test_where_nothing_changed_nothing_travels(pack_of, cast, count_queries):
    pack = pack_of("worker")
    pack.renew()
    before, kept = count_queries(), dict(pack.pages)
    assert pack.renew() == (set(), set())
    assert count_queries() - before <= 7
    assert (pack.start["whole"], pack.start["pages"]) == (False, 0)
    assert pack.pages == kept
    answer = pack.person.get("/sync/pack", query_string={"since": pack.token})
    assert len(answer.get_data()) < 1000


@pytest.mark.parametrize("token", ["x", "-", "1", "1-", "-1-x", "²-x", "99999999999999999999-x", "0-0\u0661", "'--"])
def test_a_token_that_is_none_of_ours_gets_a_whole_pack(token, pack_of, cast):
    pack = pack_of("worker")
    pack.token = token
    pack.renew()
    assert pack.start["whole"] is True


def test_somebody_elses_token_gets_a_whole_pack(pack_of, cast):
    one, other = pack_of("worker"), pack_of("partner")
    one.renew()
    other.token = one.token
    other.renew()
    assert other.start["whole"] is True


def _visit(person, cast, session):
    form = {"outcome": "met", "sentence": "水管好了", "promise": "问社保", "promise_due_on": "2026-11-18"}
    person.post(f"/households/{cast.households[1].id}/visits", form)


def _correct(person, cast, session):
    form = {"outcome": "nobody", "corrects_id": str(cast.visit.id)}
    person.post(f"/households/{cast.households[0].id}/visits", form)


def _nobody(person, cast, session):
    homes = [str(household.id) for household in cast.households[2:]]
    person.post(f"/buildings/{cast.building.id}/visits", {"households": homes})


def _rename(person, cast, session):
    session.query(Resident).filter_by(household_id=cast.households[3].id).one().name = "吴改名"
    session.commit()


def _layout(person, cast, session):
    form = {"deed": "add", "entrance": "1", "floor": "4", "room": "401"}
    person.post(f"/buildings/{cast.building.id}/layout", form)


def _photo(person, cast, session):
    make_world(session, person.client.application, cast, is_whole=False)


OF_SOME = {
    "a visit": (_visit, [1]),
    "a correction": (_correct, [0]),
    "nobody home": (_nobody, [2, 3]),
    "a tick": (lambda person, cast, _s: person.post(f"/follow-ups/{cast.follow_up.id}/done"), [0]),
    "a new name": (_rename, [3]),
    "a photo and an urgent visit": (_photo, [0, 1]),
}


@pytest.mark.parametrize(("change", "touched"), OF_SOME.values(), ids=OF_SOME)
@pytest.mark.parametrize("username", ["worker", "partner"])
def test_only_what_changed_travels_and_then_the_phone_has_all(
    username, change, touched, pack_of, cast, session, sign_in
):
    pack = pack_of(username)
    pack.renew()
    change(sign_in("worker"), cast, session)
    came, gone = pack.renew()
    assert pack.start["whole"] is False
    assert came == SINGLE | of_buildings(cast.building) | of_households(*(cast.households[i] for i in touched))
    assert gone == set()
    _has_all(pack, pack_of(username))


def _has_all(pack, fresh):
    """What a phone renewed is what a new phone would get."""
    fresh.renew()
    assert pack.pages == fresh.pages
    assert pack.token == fresh.token


@pytest.mark.parametrize("change", [_visit, _rename])
def test_what_happens_in_another_district_does_not_travel(change, pack_of, cast, session, sign_in):
    pack = pack_of("other")
    pack.renew()
    number = pack.end["change"]
    change(sign_in("worker"), cast, session)
    assert pack.renew() == (set(), set())
    assert pack.end["change"] > number


def _settings(person, cast, session):
    person("director").post("/settings", settings_form())


def _reassign(person, cast, session):
    people = {"lead-1": str(cast.users["other"].id), "partner-1": str(cast.users["worker"].id)}
    person("director").post("/settings", settings_form() | people)


def _import(person, cast, session):
    rows = (
        "楼栋,单元,室号,姓名,与户主关系\n12号楼,1,601,张桂兰,户主\n12号楼,1,601,张新来,子\n12号楼,1,603,孙新户,户主\n"
    )
    file = {"file": (BytesIO(rows.encode()), "households.csv")}
    assert person("director").post("/imports/households", file).status_code == 303


def _redraw(person, cast, session):
    cast.building.longitude = 120.303
    session.flush()
    assert place_dwellings(session, cast.community.id, NOW.date()).moved
    session.commit()


def _move_door(person, cast, session):
    session.get_one(Dwelling, cast.households[0].dwelling_id).district_id = cast.second.id
    session.commit()


def _leave(person, cast, session):
    cast.users["partner"].active = False
    session.commit()


OF_ALL = {
    "settings": _settings,
    "other people": _reassign,
    "other borders": _redraw,
    "a sheet of households": _import,
    "a door of another district": _move_door,
    "a colleague left": _leave,
    "a building's name": lambda _p, cast, session: (setattr(cast.building, "name", "七号楼"), session.commit()),
}


@pytest.mark.parametrize("change", OF_ALL.values(), ids=OF_ALL)
def test_what_every_page_depends_on_brings_a_whole_pack(change, pack_of, cast, session, sign_in):
    packs = {username: pack_of(username) for username in ("worker", "other")}
    for pack in packs.values():
        pack.renew()
    change(sign_in, cast, session)
    for username, pack in packs.items():
        pack.renew()
        assert pack.start["whole"] is True
        _has_all(pack, pack_of(username))


def test_a_door_that_went_to_another_district_is_gone_from_the_phone(pack_of, cast, session):
    pack, other = pack_of("worker"), pack_of("other")
    pack.renew()
    other.renew()
    _move_door(None, cast, session)
    pack.renew()
    other.renew()
    assert not of_households(cast.households[0]) & pack.pages.keys()
    assert not any("张桂兰" in page for page in pack.pages.values())
    assert of_households(cast.households[0]) <= other.pages.keys()


def test_a_household_that_is_no_more_is_gone_from_the_phone(pack_of, cast, session, sign_in):
    door = make_dwelling(session, cast.building, cast.district, "102")
    empty = make_household(session, door, None)
    session.commit()
    pack = pack_of("worker")
    pack.renew()
    form = {"deed": "remove", "doors": [str(door.id)]}
    assert sign_in("worker").post(f"/buildings/{cast.building.id}/layout", form).status_code == 303
    came, gone = pack.renew()
    assert gone == of_households(empty)
    assert pack.start["whole"] is False
    assert came == SINGLE | of_buildings(cast.building) | of_households(*cast.households)
    _has_all(pack, pack_of("worker"))


def test_a_new_door_comes_with_its_buildings_pages(pack_of, cast, session, sign_in):
    pack = pack_of("worker")
    pack.renew()
    _layout(sign_in("worker"), cast, session)
    came, _ = pack.renew()
    assert of_buildings(cast.building) <= came
    assert pack.start["whole"] is False
    _has_all(pack, pack_of("worker"))


def test_another_day_another_language_another_program_another_life_bring_a_whole_pack(pack_of, cast, app, session):
    pack = pack_of("worker")
    pack.renew()
    app.config["NOW"] = NOW + timedelta(days=1)
    pack.renew()
    assert pack.start["whole"] is True
    pack.renew()
    assert pack.start["whole"] is False
    pack.person.post("/me/language", {"language": "en"})
    pack.renew()
    assert pack.start["whole"] is True
    assert 'lang="en"' in pack.pages["/me"]
    pack.renew()
    assert pack.start["whole"] is False
    app.config["BUILD"] = "another"
    pack.renew()
    assert (pack.start["whole"], pack.start["build"]) == (True, "another")
    epoch = pack.end["epoch"]
    begin_epoch(session, NOW)
    session.commit()
    pack.renew()
    assert pack.start["whole"] is True
    assert pack.end["epoch"] != epoch


def test_more_than_can_be_named_is_picked_from_all(pack_of, cast, session, sign_in, monkeypatch):
    monkeypatch.setattr("fieldapp.sync.pack.MOST_NAMED", 1)
    pack = pack_of("worker")
    pack.renew()
    _nobody(sign_in("worker"), cast, session)
    came, _ = pack.renew()
    assert came == SINGLE | of_buildings(cast.building) | of_households(*cast.households[2:])
    _has_all(pack, pack_of("worker"))


def test_a_visit_whose_phone_had_a_wrong_clock_says_so_in_the_pack_too(pack_of, cast, session, sign_in):
    phone = Phone(sign_in("worker"), cast.users["worker"].id, ahead=timedelta(hours=3))
    assert phone.visit(cast.households[1], sentence="钟不准").status_code == 201
    pack, home = pack_of("worker"), f"/households/{cast.households[1].id}"
    pack.renew()
    assert pack.pages[home] == sign_in("worker").get(home).get_data(as_text=True)
    assert pack.pages[home].count('class="chip due"') > 0


def test_a_database_that_went_back_brings_a_whole_pack(pack_of, cast, session):
    pack = pack_of("worker")
    pack.renew()
    number, digest = pack.token.split("-")
    pack.token = f"{int(number) + 1}-{digest}"
    pack.renew()
    assert pack.start["whole"] is True


def test_the_communitys_language_is_the_packs(pack_of, cast, session):
    cast.community.language = "en"
    session.commit()
    pack = pack_of("worker")
    pack.renew()
    assert all('lang="en"' in page for url, page in pack.pages.items() if url != "/sync/doors")
    assert pack.renew() == (set(), set())


# --- the facts about the doors


def facts(person):
    answer = person.get("/sync/doors")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    return answer.get_json()


def test_the_facts_about_the_doors(sign_in, cast, session):
    resident = make_resident(session, cast.households[0], "张小", phone="13800001234")
    make_resident(session, cast.households[0], "张走", phone="13800009999", left_on=date(2026, 1, 1))
    make_care(session, cast.households[2], make_group(session, cast.community), date(2026, 1, 1))
    make_visit(session, cast.households[1], cast.users["worker"], NOW)
    make_household(session, make_dwelling(session, cast.building, cast.district, "102"), None, "vacant")
    make_dwelling(session, cast.building, cast.district, "101", kind="shop")
    session.commit()
    found = facts(sign_in("worker"))
    assert {name: found[name] for name in ("day", "month", "quota", "met", "priority_left")} == {
        "day": "2026-11-18",
        "month": "2026-11",
        "quota": 30,
        "met": 1,
        "priority_left": 1,
    }
    assert found["working_days_left"] == 9
    assert found["buildings"] == [{"id": str(cast.building.id), "name": "12号楼", "courtyard": False}]
    first = found["doors"][0]
    assert first | {"next": []} == {
        "h": str(cast.households[0].id),
        "b": 0,
        "e": 1,
        "f": 6,
        "r": "601",
        "n": "张桂兰",
        "p": "zhangguilan zgl",
        "t": [resident.phone_tail],
        "s": "later",
        "met": False,
        "pri": False,
        "next": [],
    }
    assert [door["r"] for door in found["doors"]] == ["601", "502", "301", "302"]
    assert [door["met"] for door in found["doors"]] == [False, True, False, False]
    assert [door["pri"] for door in found["doors"]] == [False, False, True, False]
    assert [door["s"] for door in found["doors"]] == ["later", "met", "overdue", "due"]


def test_the_next_door_of_the_phone_is_the_one_of_the_saved_page(sign_in, cast, session):
    _many(session, cast, 30)
    other = make_building(session, cast.community, "91号楼", position=3)
    make_household(session, make_dwelling(session, other, cast.district, "201"))
    session.commit()
    found = facts(sign_in("worker"))["doors"]
    known = doors(session, cast.actor("worker"), NOW.date(), cast.community.routine_days)
    for here in found:
        following = next_door(known, next(d.household_id for d in known if str(d.household_id) == here["h"]))
        told = [found[index] for index in here["next"]]
        assert (told[0]["h"] if told else None) == (str(following.household_id) if following else None)
        assert here["h"] not in [door["h"] for door in told]
        assert len(told) == len({door["h"] for door in told}) <= 5
        assert {door["s"] for door in told} <= {"overdue", "due"}
