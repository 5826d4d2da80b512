"""The map, a building's doors, correcting them, and a community's settings."""

import json
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from fieldapp.places.models import Assignment, Dwelling
from tests.conftest import NOW
from tests.factories import assign, make_building, make_dwelling, make_group, make_household, make_resident, make_visit
from tests.routes import ON_ONE, settings_form


@pytest.fixture
def worker(sign_in):
    return sign_in("worker")


@pytest.fixture
def director(sign_in):
    return sign_in("director")


def page(answer):
    return answer.get_data(as_text=True)


def map_data(answer):
    return json.loads(re.search(r'id="map-data">(.*?)</script>', page(answer), re.S)[1])


# --- the map


def test_the_map_holds_buildings_and_no_residents(worker, cast, session):
    make_resident(session, cast.households[1], "王小秀", phone="15412346677")
    make_visit(session, cast.households[1], cast.users["worker"], NOW, sentence="膝盖还疼")
    session.commit()
    answer = worker.get("/map")
    data = map_data(answer)
    assert (data["mode"], data["tiles"]) == ("worker", None)
    assert [d["name"] for d in data["districts"]] == ["第1包干区"]
    (building,) = data["buildings"]
    assert (building["name"], building["met"], building["households"]) == ("12号楼", 1, 4)
    assert set(building) == {"id", "name", "met", "households", "overdue", "shade", "geometry"}
    assert len(data["around"]) == 1, "the neighbours' block is drawn, without a word"
    for secret in ("张桂兰", "王秀英", "王小秀", "6677", "膝盖还疼", "周邻", "20号楼"):
        assert secret not in page(answer)


def test_the_same_buildings_stand_in_a_list(worker, cast):
    said = page(worker.get("/map"))
    assert f'href="/buildings/{cast.building.id}"' in said
    assert "<ul data-list>" in said


# --- the door matrix


def test_the_matrix_links_each_door_top_floor_first(worker, cast):
    said = page(worker.get(f"/buildings/{cast.building.id}"))
    floors = re.findall(r'class="floor-name[^>]*>(\d+)<', said)
    assert floors == ["6", "5", "3"]
    for household in cast.households:
        assert f'href="/households/{household.id}"' in said


def test_shops_vacant_flats_and_merged_ones_have_their_form(worker, cast, session):
    make_dwelling(session, cast.building, cast.district, "101", kind="shop", name="便民理发")
    make_household(session, make_dwelling(session, cast.building, cast.district, "201"), None, "vacant")
    make_household(session, make_dwelling(session, cast.building, cast.district, "401+402", floor=4, span=2), "合并户")
    session.commit()
    said = page(worker.get(f"/buildings/{cast.building.id}"))
    for words in ("便民理发", "空置", "打通 · 一户", "w-2", "商铺"):
        assert words in said


def test_a_courtyard_is_shown_by_its_doors(worker, cast, session):
    yard = make_building(session, cast.community, "杨家院", kind="courtyard", levels=1)
    for number, (row, column) in enumerate([(1, 1), (1, 2), (1, 3), (2, 3), (3, 2)], 1):
        make_household(
            session,
            make_dwelling(session, yard, cast.district, str(number), kind="house", row=row, column=column),
            f"院{number}",
        )
    session.commit()
    said = page(worker.get(f"/buildings/{yard.id}"))
    assert "平房" in said
    assert "院子" in said


def test_a_past_day_shows_what_was_met_then(director, cast, session):
    make_visit(session, cast.households[1], cast.users["worker"], NOW - timedelta(days=30))
    make_visit(session, cast.households[1], cast.users["worker"], NOW - timedelta(days=1))
    make_visit(session, cast.households[2], cast.users["worker"], NOW - timedelta(days=1))
    session.commit()
    said = page(director.get(f"/buildings/{cast.building.id}?day=2026-10-31"))
    assert "10月31日的情况" in said
    assert "本月见 2/4 户" in said, "601 on 13 October and 502 on 19 October, not 301 in November"
    assert "本月见 2/4 户" in page(director.get(f"/buildings/{cast.building.id}"))


@ON_ONE
@pytest.mark.parametrize("day", ["2026-11-19", "1999-12-31", "0001-01-01", "9999-12-31", "31.10.2026", "x"])
def test_a_day_that_is_none_is_said_to_be_none(day, director, cast):
    answer = director.get(f"/buildings/{cast.building.id}", query_string={"day": day})
    assert answer.status_code == 422
    assert "日期要写成" in page(answer) or "只能看到今天为止" in page(answer)


def test_a_worker_chooses_only_among_the_doors_of_their_district(worker, cast, session):
    other = make_household(session, make_dwelling(session, cast.building, cast.second, "801"), "别区人")
    session.commit()
    for query in ("", "?choose=1"):
        said = page(worker.get(f"/buildings/{cast.building.id}{query}"))
        assert str(other.id) not in said
        assert ">801<" not in said


# --- correcting the doors


def change(person, cast, deed, *doors, **more):
    form = {"deed": deed, "doors": [str(door) for door in doors]} | more
    return person.post(f"/buildings/{cast.building.id}/layout", form)


def rooms(session, cast):
    session.expire_all()
    return sorted(session.scalars(select(Dwelling.room).where(Dwelling.building_id == cast.building.id)))


def test_a_door_is_added_renamed_and_removed(worker, cast, session):
    assert change(worker, cast, "add", floor="4", room="401").status_code == 303
    added = session.scalar(select(Dwelling).where(Dwelling.room == "401"))
    assert added.district_id == cast.district.id
    assert change(worker, cast, "rename", added.id, room="402").status_code == 303
    assert rooms(session, cast) == ["301", "302", "402", "502", "601"]
    assert change(worker, cast, "remove", added.id).status_code == 303
    assert rooms(session, cast) == ["301", "302", "502", "601"]


def test_a_door_with_a_history_is_not_taken_away(worker, cast, session):
    answer = change(worker, cast, "remove", cast.households[0].dwelling_id)
    assert answer.status_code == 422
    assert "601 有走访记录或住着人" in page(answer)
    assert "601" in rooms(session, cast)


def test_a_door_of_another_district_is_not_changed(worker, cast, session):
    other = make_dwelling(session, cast.building, cast.second, "801")
    session.commit()
    for deed in ("remove", "shop", "rename"):
        assert change(worker, cast, deed, other.id, room="1", shop="x").status_code == 422
    assert "801" in rooms(session, cast)


def test_every_correction_leaves_a_trace(worker, cast, connection):
    change(worker, cast, "add", floor="4", room="401")
    traces = connection.exec_driver_sql("SELECT deed, subject FROM audit_entry").all()
    assert [tuple(trace) for trace in traces] == [("layout.add", str(cast.building.id))]


# --- settings


def test_settings_are_kept_and_told(director, cast, session):
    group = make_group(session, cast.community, "高龄")
    session.commit()
    form = settings_form() | {
        "quota": "40",
        "topics": "助餐、 看病,楼道，助餐",
        "tiles_url": "https://{s}.tiles.example/{z}/{x}/{y}.png",
        "tiles_attribution": "© 地图",
        "language": "en",
        f"group-{group.code}-every_days": "14",
        f"group-{group.code}-active": "1",
        "group-new-name": "新来的",
        "group-new-within_days": "7",
        "lead-1": str(cast.users["partner"].id),
        "partner-1": str(cast.users["worker"].id),
    }
    answer = director.post("/settings", form)
    assert (answer.status_code, answer.location) == (303, "/settings")
    for thing in (cast.community, group):
        session.refresh(thing)
    assert (cast.community.quota, cast.community.topics) == (40, ["助餐", "看病", "楼道"])
    assert (cast.community.language, group.every_days, group.is_sensitive) == ("en", 14, False)
    said = page(director.get("/settings"))
    assert '<html lang="en">' in said
    assert "新来的" in said
    assert 'value="40"' in said


def test_changing_people_holds_from_today_and_keeps_the_past(director, cast, session, sign_in):
    assign(session, cast.second, cast.users["partner"], "partner", since=date(2026, 11, 1))
    session.commit()
    form = settings_form() | {"lead-1": str(cast.users["other"].id), "partner-1": ""}
    assert director.post("/settings", form).status_code == 303
    periods = session.execute(
        select(Assignment.user_id, Assignment.until)
        .where(Assignment.district_id == cast.district.id)
        .order_by(Assignment.since)
    ).all()
    today = date(2026, 11, 18)
    assert (cast.users["worker"].id, today) in [tuple(period) for period in periods]
    assert sign_in("other").get(f"/households/{cast.households[0].id}").status_code == 200
    assert sign_in("worker").get(f"/households/{cast.households[0].id}").status_code == 404


@ON_ONE
def test_a_basemap_comes_to_the_map_with_its_datum_and_to_the_policy_with_its_host(director, worker, cast, session):
    key = "0123456789abcdef0123456789abcdef"
    amap = "https://webrd0{1-4}.is.autonavi.com/appmaptile?style=8&x={x}&y={y}&z={z}"
    kinds = {
        "tianditu": ({"tiles_key": key}, "wgs84", "https://*.tianditu.gov.cn"),
        "gcj02": ({"tiles_key": key, "tiles_url": amap}, "gcj02", "https://*.is.autonavi.com"),
    }
    for kind, (fields, datum, origin) in kinds.items():
        form = settings_form() | {"basemap": kind, "tiles_attribution": "审图号 1"} | fields
        assert director.post("/settings", form).status_code == 303
        answer = worker.get("/map")
        tiles = map_data(answer)["tiles"]
        assert (tiles["datum"], tiles["attribution"]) == (datum, "审图号 1")
        assert f"blob: {origin};" in answer.headers["Content-Security-Policy"]
        assert ("labels" in tiles, tiles["subdomains"]) == (
            (True, "01234567") if kind == "tianditu" else (False, "1234")
        )
        assert f'value="{kind}" checked' in page(director.get("/settings"))
    assert director.post("/settings", settings_form() | {"basemap": "none", "tiles_url": amap}).status_code == 303
    answer = worker.get("/map")
    assert map_data(answer)["tiles"] is None
    assert "autonavi" not in answer.headers["Content-Security-Policy"]
    session.refresh(cast.community)
    assert (cast.community.basemap, cast.community.tiles_url) == ("none", amap)


WRONG = [
    ("quota", "0", "写 1 到 500 的整数"),
    ("quota", "", "写 1 到 500 的整数"),
    ("quota", "3.5", "写 1 到 500 的整数"),
    ("quota", "９", "写 1 到 500 的整数"),
    ("district_size", "19", "写 20 到 2000 的整数"),
    ("district_tolerance", "101", "写 1 到 100 的整数"),
    ("routine_days", "6", "写 7 到 730 的整数"),
    ("quiet_days", "91", "写 1 到 90 的整数"),
    ("tiles_url", "http://tiles.example/{z}/{x}/{y}", "要以 https:// 开头"),
    ("tiles_url", "https://tiles.example/", "要以 https:// 开头"),
    ("tiles_url", "https://tiles.example; script-src */{z}/{x}/{y}", "要以 https:// 开头"),
    ("tiles_url", "https://[/{z}/{x}/{y}", "要以 https:// 开头"),
    ("tiles_url", "javascript:alert(1)//{z}/{x}/{y}", "要以 https:// 开头"),
    ("basemap", "bd09", "底图要从这几种里选一种"),
    ("basemap", "tianditu", "用天地图要填密钥"),
    ("basemap", "gcj02", "选了这种底图，要填地址"),
    ("language", "tlh", "没有这种语言"),
    ("topics", "这一件事的名字实在是太长太长了", '<p class="fault">用顿号分开'),
    ("group-new-name", "这一个群体的名字实在是太长太长了", "最多 12 个字"),
    ("group-高龄-every_days", "0", "写 1 到 730 的整数，或者不写"),
    ("group-高龄-within_days", "soon", "写 1 到 730 的整数，或者不写"),
    ("lead-1", "x", "名单里没有这个人"),
    ("partner-1", "0198a000-0000-7000-8000-000000000001", "名单里没有这个人"),
]


@ON_ONE
@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_a_wrong_setting_is_named_and_nothing_is_stored(name, value, words, director, cast, session, connection):
    make_group(session, cast.community, "高龄")
    session.commit()
    before = _settings(connection)
    answer = director.post("/settings", settings_form() | {"topics": "新事", "district_size": "150", name: value})
    said = page(answer)
    assert answer.status_code == 422
    assert "有 1 处要改，都没存" in said
    assert words in said
    assert "新事" in said or name == "topics"
    assert _settings(connection) == before


def _settings(connection):
    tables = ("community", "care_group", "assignment", "audit_entry")
    return [sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {table}"))) for table in tables]


def test_nobody_of_another_community_can_be_put_in_charge(director, cast):
    form = settings_form() | {"lead-1": str(cast.users["neighbour"].id)}
    assert director.post("/settings", form).status_code == 422
    form = settings_form() | {"lead-1": str(cast.users["director"].id)}
    assert director.post("/settings", form).status_code == 422


def test_the_administrator_sees_communities_and_no_residents(sign_in, cast):
    said = page(sign_in("admin").get("/settings"))
    assert cast.community.name in said
    assert cast.elsewhere.name in said
    assert "张桂兰" not in said
