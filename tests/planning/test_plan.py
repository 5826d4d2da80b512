"""A plan from its first computation to the day it is in force, on both databases: what changes, what stays, who may."""

import io
import json
import socket
from datetime import UTC, date, datetime, timedelta

import pytest
import shapely.geometry
from sqlalchemy import func, select

from fieldapp.accounts.models import AuditEntry
from fieldapp.accounts.rules import Role
from fieldapp.households.event_operations import set_occupancy
from fieldapp.households.models import Household
from fieldapp.households.rules import Occupancy
from fieldapp.places import queries as places
from fieldapp.places.models import Assignment, District, DistrictBoundary, Dwelling, EntranceDistrict, Placement
from fieldapp.places.operations import assign_people, place_dwellings
from fieldapp.places.rules import seam_faults
from fieldapp.planning.models import Plan, PlanStep
from tests.conftest import NOW
from tests.factories import make_dwelling, make_household, make_user
from tests.planning.town import make_block, make_town
from tests.routes import ON_ONE

TODAY = NOW.date()


@pytest.fixture
def town(session, cast):
    return make_town(session, cast)


@pytest.fixture
def director(sign_in, town):
    return sign_in("director")


@pytest.fixture
def state(director):
    return lambda: director.get("/plan/state").get_json()


@pytest.fixture
def change(director, state):
    """Change the draft as the map's script does: with the version it saw."""

    def send(deed="edit", **said):
        return director.post(f"/plan/{deed}", json={"version": state()["version"]} | said)

    return send


@pytest.fixture
def draft(director, state):
    """The state after a first rebalance: two districts of today, brought to size."""
    assert director.post("/plan/rebalance").status_code == 303
    return state()


def placed(session, building):
    """Doors of a building by entrance and the code of their district."""
    session.expire_all()
    rows = session.execute(
        select(Dwelling.entrance, District.code, func.count())
        .join(District, District.id == Dwelling.district_id)
        .where(Dwelling.building_id == building.id)
        .group_by(Dwelling.entrance, District.code)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def shapes(state, which="districts"):
    return [shapely.geometry.shape(district["geometry"]) for district in state[which]]


def entrance(state, building, number):
    [found] = [e for b in state["buildings"] if b["id"] == str(building.id) for e in b["entrances"] if e["n"] == number]
    return found


# --- computing


def test_without_a_plan_today_is_shown(director, state):
    page = director.get("/plan").get_data(as_text=True)
    assert "现在的分区" in page
    assert "算一个草案" in page
    seen = state()
    assert (seen["state"], seen["version"], seen["moves"]) == ("none", 0, [])
    assert {d["key"]: (d["households"], d["now"]) for d in seen["districts"]} == {"1": (26, 26), "2": (11, 11)}
    assert seen["in_force_on"] == "2026-12-01"


def test_a_proposal_tiles_the_ground_and_goes_on_under_todays_names(director, state, cast):
    assert director.post("/plan/propose").status_code == 303
    seen = state()
    assert (seen["state"], seen["progress"], seen["error"]) == ("draft", 1.0, None)
    assert [d["key"] for d in seen["districts"]] == ["1", "2"]
    assert [d["name"] for d in seen["districts"]] == [cast.district.name, cast.second.name]
    assert seen["districts"][0]["people"] == ["worker", "partner"]
    assert sum(d["households"] for d in seen["districts"]) == 37
    assert seam_faults([d["geometry"] for d in seen["districts"]], smallest_m2=0.5) == []
    before, after = shapely.union_all(shapes(seen, "now")), shapely.union_all(shapes(seen))
    assert before.symmetric_difference(after).area < 1e-12
    for building in seen["buildings"]:
        for each in building["entrances"]:
            [shape] = [s for s, d in zip(shapes(seen), seen["districts"], strict=True) if d["key"] == each["draft"]]
            assert shape.intersects(shapely.Point(each["at"]))


def test_rebalancing_brings_districts_to_size_and_says_who_moves(draft):
    sizes = {d["key"]: d["households"] for d in draft["districts"]}
    assert sum(sizes.values()) == 37
    assert all(abs(size - 20) <= 3 for size in sizes.values())
    moved = sum(move["households"] for move in draft["moves"])
    assert moved == sizes["2"] - 11
    assert {(m["from"], m["to"], m["who"]) for m in draft["moves"]} == {("第1包干区", "第2包干区", "other")}
    assert f"{moved} 户要换人" in draft["panel"]
    assert f"其他 {37 - moved} 户不动" in draft["panel"]


def test_more_districts_than_today_get_free_names(session, cast, director, state):
    cast.community.district_size = 12
    session.commit()
    director.post("/plan/propose")
    new = [d for d in state()["districts"] if d["key"].startswith("new-")]
    assert [(d["key"], d["name"], d["people"], d["now"]) for d in new] == [("new-1", "第三包干区", [], None)]


@ON_ONE
def test_the_first_division_of_a_community(session, sign_in, town):
    person = sign_in("stranger")
    session.connection().exec_driver_sql("UPDATE district SET closed_on = '2020-01-01'")
    assert person.post("/plan/propose").status_code == 303
    assert [d["key"] for d in person.get("/plan/state").get_json()["districts"]] == ["new-1"]


@ON_ONE
def test_without_households_it_says_why(session, cast, director, state):
    session.connection().exec_driver_sql("UPDATE household SET occupancy = 'vacant'")
    session.commit()
    assert director.post("/plan/propose").status_code == 303
    seen = state()
    assert seen["state"] == "none"
    assert "没有住着人的楼" in seen["error"]
    assert "算一个草案" in director.get("/plan").get_data(as_text=True)


def test_a_computation_that_died_is_said_and_may_be_tried_again(session, director, state, draft):
    plan = session.scalars(select(Plan)).one()
    plan.state, plan.alive_at, plan.progress = "computing", NOW - timedelta(seconds=61), 0.4
    session.commit()
    seen = state()
    assert seen["state"] == "draft"
    assert "停了" in seen["error"]
    plan.alive_at = NOW
    session.commit()
    assert state()["state"] == "computing"
    assert director.post("/plan/propose").status_code == 422
    plan.pid, plan.host = 2**22 + 1, socket.gethostname()
    session.commit()
    assert state()["state"] == "draft"
    assert director.post("/plan/propose").status_code == 303
    assert state()["error"] is None


def test_a_locked_district_stays_when_it_is_computed_again(draft, change, director, state):
    locked = change(kind="lock", district="2", locked=True).get_json()
    before = {d["key"]: d for d in locked["districts"]}["2"]
    assert before["locked"]
    director.post("/plan/propose", {"seed": "7"})
    after = {d["key"]: d for d in state()["districts"]}["2"]
    assert shapely.geometry.shape(after["geometry"]).equals(shapely.geometry.shape(before["geometry"]))
    assert (after["locked"], after["name"], after["households"]) == (True, before["name"], before["households"])


@ON_ONE
def test_a_building_outside_the_borders(session, cast, director, state):
    """Close by it is taken in with the ground between, a kilometre off it is left out and said so."""
    near = make_block(session, cast, "近", (120.3042, 31.571), (4,), cast.second)
    far = make_block(session, cast, "远", (120.316, 31.571), (6,), cast.second)
    session.commit()
    director.post("/plan/propose")
    seen = state()
    assert seen["error"] is None
    assert (entrance(seen, near, 1)["draft"], entrance(seen, far, 1)["draft"]) == ("2", None)
    assert "6 户不在任何包干区" in seen["panel"]
    assert seam_faults([d["geometry"] for d in seen["districts"]], smallest_m2=0.5) == []
    director.post("/plan/rebalance")
    seen = state()
    assert seen["error"] is None
    assert (entrance(seen, near, 1)["draft"], entrance(seen, far, 1)["draft"]) == (None, None)


def test_rebalancing_leaves_a_locked_district_as_it_is(draft, change, director, state):
    change(kind="lock", district="2", locked=True)
    director.post("/plan/rebalance")
    seen = state()
    assert {d["key"]: d["households"] for d in seen["districts"]} == {"1": 26, "2": 11}
    assert (seen["moves"], [d["locked"] for d in seen["districts"]]) == ([], [False, True])


# --- editing


def test_an_entrance_is_moved_and_taken_back(draft, town, change, state):
    here = entrance(draft, town["1丁"], 1)["draft"]
    seen = change(kind="move", building=str(town["1丁"].id), entrances=[1], to={"1": "2", "2": "1"}[here]).get_json()
    assert entrance(seen, town["1丁"], 1)["draft"] != here
    assert seam_faults([d["geometry"] for d in seen["districts"]], smallest_m2=0.5) == []
    assert seen["can_undo"]
    back = change("undo").get_json()
    assert entrance(back, town["1丁"], 1)["draft"] == here
    assert back["can_redo"]
    assert back["districts"] == draft["districts"]
    again = change("redo").get_json()
    assert again["districts"] == seen["districts"]
    assert change("redo").status_code == 422
    change("undo")
    change(kind="lock", district="1", locked=True)
    assert not state()["can_redo"]


def test_a_dragged_border_takes_entrances_along(session, director, state, change, town):
    """Today's border is a straight line at 120.302; it is drawn anew 40 m to the west, past 1丁."""
    director.post("/plan/rebalance")
    plan = session.scalars(select(Plan)).one()
    step = session.scalars(select(PlanStep)).one()
    squares = {d["key"]: d["geometry"] for d in state()["now"]}
    body = json.loads(json.dumps(step.body))
    for district in body["districts"]:
        district["geometry"] = squares[district["key"]]
    body["entrances"] = {f"{b['id']}:{e['n']}": e["now"] for b in state()["buildings"] for e in b["entrances"]}
    step.body = body
    session.commit()
    assert plan.step == 1

    def square(west, east):
        ring = [[west, 31.57], [east, 31.57], [east, 31.572], [west, 31.572], [west, 31.57]]
        return {"type": "Polygon", "coordinates": [ring]}

    seen = change(kind="border", polygons={"1": square(120.3, 120.3016), "2": square(120.3016, 120.304)})
    assert seen.status_code == 200, seen.get_json()["error"]
    seen = seen.get_json()
    assert {d["key"]: d["households"] for d in seen["districts"]} == {"1": 20, "2": 17}
    assert {entrance(seen, town["1丁"], n)["draft"] for n in (1, 2)} == {"2"}
    assert [m["building"] for m in seen["moves"]] == ["1丁"]
    gap = change(kind="border", polygons={"1": square(120.3, 120.301)})
    assert gap.status_code == 422
    assert gap.get_json()["state"]["districts"] == seen["districts"]


@ON_ONE
def test_a_locked_district_is_not_changed(draft, change, town):
    change(kind="lock", district="2", locked=True)
    here = entrance(draft, town["2甲"], 1)["draft"]
    assert here == "2"
    refused = change(kind="move", building=str(town["2甲"].id), entrances=[1], to="1")
    assert (refused.status_code, refused.get_json()["error"]) == (422, "这个区锁住了，先放开再改。")
    [two] = [d["geometry"] for d in draft["districts"] if d["key"] == "2"]
    assert change(kind="border", polygons={"2": two}).status_code == 422


def test_people_of_a_district(session, cast, draft, change):
    one, other = (str(cast.users[name].id) for name in ("worker", "other"))
    seen = change(kind="people", district="2", lead=one, partner=other).get_json()
    assert seen["districts"][1]["people"] == ["worker", "other"]
    assert change(kind="people", district="2", lead=one, partner=one).status_code == 422
    director = str(cast.users["director"].id)
    for nobody in (director, str(cast.users["neighbour"].id), "x", 7):
        assert change(kind="people", district="2", lead=nobody).status_code == 422
    assert change(kind="people", district="2", lead="").get_json()["districts"][1]["people"] == []


BOW_TIE = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
REFUSED = [
    {},
    {"kind": "border"},
    {"kind": "border", "polygons": {}},
    {"kind": "border", "polygons": []},
    {"kind": "border", "polygons": {"9": {}}},
    {"kind": "border", "polygons": {"1": None}},
    {"kind": "border", "polygons": {"1": {"type": "Point", "coordinates": [1, 2]}}},
    {"kind": "border", "polygons": {"1": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}}},
    {"kind": "border", "polygons": {"1": {"type": "Polygon", "coordinates": [[[1e400, 2]] * 4]}}},
    {"kind": "border", "polygons": {"1": {"type": "Polygon", "coordinates": [BOW_TIE]}}},
    {"kind": "move"},
    {"kind": "move", "building": "x", "to": "1"},
    {"kind": "move", "building": "x", "entrances": "all", "to": "1"},
    {"kind": "move", "building": "x", "entrances": [1], "to": {}},
    {"kind": "lock", "district": None},
    {"kind": ["lock"]},
    {"version": "²"},
    {"version": None},
    {"version": True},
]
NOT_JSON = ["[]", "7", "{", "[" * 3000, '"' + "x" * 10, '{"version": NaN}', ""]


@ON_ONE
def test_what_cannot_be_is_refused_in_words(draft, change, director):
    for said in REFUSED:
        answer = change(**said)
        assert answer.status_code == 422, said
        assert answer.get_json()["error"]
    for body in NOT_JSON:
        answer = director.post("/plan/edit", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body
    assert answer.get_json()["state"]["districts"] == draft["districts"]


# --- two directors


def test_who_was_slower_is_told_who_was_quicker(session, cast, sign_in, draft, change):
    make_user(session, "second", Role.DIRECTOR, community_id=cast.community.id, name="沈国英")
    session.commit()
    second = sign_in("second")
    seen = {"version": draft["version"]}
    assert second.post("/plan/edit", json=seen | {"kind": "lock", "district": "1", "locked": True}).status_code == 200
    for deed, said in (("edit", {"kind": "lock", "district": "2", "locked": True}), ("undo", {})):
        refused = sign_in("director").post(f"/plan/{deed}", json=seen | said)
        assert refused.status_code == 409
        told = refused.get_json()
        assert told["error"].startswith("沈国英 9:41 刚改过")
        assert [d["locked"] for d in told["state"]["districts"]] == [True, False]
    form = {"version": str(draft["version"]), "since": "2026-12-01"}
    stale = sign_in("director").post("/plan/publish", form)
    assert stale.status_code == 409
    assert "沈国英 9:41 刚改过" in stale.get_data(as_text=True)
    assert session.scalars(select(Plan.state)).one() == "draft"


@ON_ONE
def test_a_plan_that_is_gone_is_said_to_be(sign_in, draft, director):
    director.post("/plan/drop", {"version": str(draft["version"])})
    refused = director.post("/plan/undo", json={"version": draft["version"]})
    assert refused.status_code == 409
    assert refused.get_json()["state"]["state"] == "none"
    assert director.post("/plan/undo", {"version": str(draft["version"])}).status_code == 404


# --- in force


def publish(director, state, since=TODAY):
    return director.post("/plan/publish", {"version": str(state()["version"]), "since": since.isoformat()})


@pytest.fixture
def split(draft, change, town):
    """A draft that divides 1丁: its first entrance in district 1, its second in district 2."""
    for number, to in ((1, "1"), (2, "2")):
        if entrance(draft, town["1丁"], number)["draft"] != to:
            assert change(kind="move", building=str(town["1丁"].id), entrances=[number], to=to).status_code == 200
    return town["1丁"]


def test_in_force_today(session, cast, director, state, split, town):
    wanted = {str(b["id"]): {e["n"]: e["draft"] for e in b["entrances"]} for b in state()["buildings"]}
    drawn = {d["key"]: d["geometry"] for d in state()["districts"]}
    answer = publish(director, state)
    assert answer.status_code == 303
    assert state()["state"] == "none"
    for building in (*town.values(), cast.building):
        codes = dict(placed(session, building).keys())
        assert codes == wanted[str(building.id)], building.name
    assert placed(session, split) == {(1, "1"): 3, (2, "2"): 3}
    assert session.scalar(select(func.count()).select_from(PlanStep)) == 1
    now = {d.code: d for d in places.districts_on(session, cast.actor("director"), TODAY)}
    assert {code: d.geometry for code, d in now.items()} == drawn
    assert (now["1"].lead, now["1"].partner, now["2"].lead) == ("worker", "partner", "other")
    assert session.scalars(select(AuditEntry.deed).where(AuditEntry.deed == "plan.publish")).all() == ["plan.publish"]


def test_a_later_import_does_not_undo_a_divided_building(session, cast, director, state, split):
    publish(director, state)
    session.expire_all()
    assert place_dwellings(session, cast.community.id, TODAY).moved == 0
    assert placed(session, split) == {(1, "1"): 3, (2, "2"): 3}
    session.execute(EntranceDistrict.__table__.delete())
    assert place_dwellings(session, cast.community.id, TODAY).moved >= 3
    assert len(placed(session, split)) == 2
    assert len({code for _, code in placed(session, split)}) == 1


def test_a_new_door_goes_with_its_entrance(session, director, state, split):
    publish(director, state)
    door = {"deed": "add", "entrance": "2", "floor": "3", "room": "301"}
    assert director.post(f"/buildings/{split.id}/layout", door).status_code == 303
    assert placed(session, split) == {(1, "1"): 3, (2, "2"): 4}


def test_borders_from_a_file_decide_again(session, director, state, split):
    """Only for the districts that the file draws anew: the other keeps the entrances that the plan gave it."""
    publish(director, state)
    ring = [[120.3, 31.57], [120.302, 31.57], [120.302, 31.572], [120.3, 31.572], [120.3, 31.57]]
    feature = {
        "type": "Feature",
        "properties": {"code": "1"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    data = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    done = director.post("/imports/districts", {"file": (io.BytesIO(data), "d.geojson")})
    assert done.status_code == 303
    kept = session.scalars(select(District.code).join(EntranceDistrict, EntranceDistrict.district_id == District.id))
    assert set(kept) == {"2"}


def test_the_past_keeps_its_borders_people_and_doors(session, cast, director, state, change, split):
    change(kind="people", district="1", lead=str(cast.users["other"].id), partner="")
    before = {d["key"]: d["geometry"] for d in state()["now"]}
    publish(director, state)
    session.expire_all()
    actor, last_month = cast.actor("director"), date(2026, 10, 31)
    then = {d.code: d for d in places.districts_on(session, actor, last_month)}
    assert {code: d.geometry for code, d in then.items()} == before
    assert [d.lead for d in then.values()] == ["worker", "other"]
    now = {d.code: d for d in places.districts_on(session, actor, TODAY)}
    assert (now["1"].lead, now["1"].partner) == ("other", None)
    page = director.get("/coverage?day=2026-10-31").get_data(as_text=True)
    assert "worker、partner" in page
    assert coverage_of(page) == {"第1包干区": 26, "第2包干区": 11}
    assert coverage_of(director.get("/coverage").get_data(as_text=True)) != {"第1包干区": 26, "第2包干区": 11}
    rows = session.execute(
        select(Placement.since, Placement.until, District.code)
        .join(Dwelling, Dwelling.id == Placement.dwelling_id)
        .join(District, District.id == Placement.district_id)
        .where(Dwelling.building_id == split.id, Dwelling.entrance == 2, Dwelling.room == "101")
        .order_by(Placement.since)
    ).all()
    assert [(row.since.year, row.until.year, row.code) for row in rows] == [(1900, 2026, "1"), (2026, 9999, "2")]


def test_a_district_has_as_many_households_here_as_in_the_coverage(session, cast, director, town, draft):
    """Also where a flat is a shop or its people moved away: neither page counts it."""
    flats = session.scalars(select(Dwelling).where(Dwelling.building_id == town["1丁"].id).limit(2)).all()
    flats[0].kind = "shop"
    household = session.scalars(select(Household).where(Household.dwelling_id == flats[1].id)).one()
    set_occupancy(session, household, Occupancy.VACANT, TODAY, [])
    session.commit()
    there = coverage_of(director.get("/coverage").get_data(as_text=True))
    director.post("/plan/rebalance")
    here = {d["name"]: d["now"] for d in director.get("/plan/state").get_json()["districts"]}
    assert here == there
    assert sum(here.values()) == 26 + 11 - 2


def coverage_of(page):
    """Households by district as the coverage's table has them."""
    return {
        row.split("</th>")[0].split(">")[-1].split("<")[0] or row.split('"row">')[1].split("<")[0]: int(
            row.split("<td>")[1].split("<")[0]
        )
        for row in page.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    }


def test_new_districts_open_and_those_left_out_close(session, cast, director, state):
    cast.community.district_size = 12
    session.commit()
    director.post("/plan/propose")
    publish(director, state)
    session.expire_all()
    actor = cast.actor("director")
    assert [d.code for d in places.districts_on(session, actor, TODAY)] == ["1", "2", "3"]
    assert [d.code for d in places.districts_on(session, actor, TODAY - timedelta(days=1))] == ["1", "2"]
    new = session.scalars(
        select(District).where(District.code == "3", District.community_id == cast.community.id)
    ).one()
    assert (new.name, new.opened_on) == ("第三包干区", TODAY)
    assert session.scalars(select(DistrictBoundary.since).where(DistrictBoundary.district_id == new.id)).all() == [
        TODAY
    ]
    assert session.scalar(select(func.count()).where(Dwelling.district_id == new.id)) > 0

    cast.community.district_size = 40
    session.commit()
    director.post("/plan/propose")
    assert len(state()["districts"]) == 1
    assert "撤了" in state()["panel"]
    [left] = [d["key"] for d in state()["districts"]]
    publish(director, state)
    session.expire_all()
    assert [d.code for d in places.districts_on(session, actor, TODAY)] == [left]
    assert [d.code for d in places.districts_on(session, actor, TODAY - timedelta(days=1))] == ["1", "2"]
    open_now = session.scalars(select(Assignment).where(Assignment.until > TODAY, Assignment.since <= TODAY)).all()
    districts = {a.district_id for a in open_now if a.community_id == cast.community.id}
    assert len(districts) <= 1


def test_a_day_to_come_changes_nothing_until_it_is_there(app, session, cast, director, state, sign_in, split):
    first = date(2026, 12, 1)
    assert publish(director, state, first).status_code == 303
    seen = state()
    assert (seen["state"], seen["in_force_on"]) == ("waiting", "2026-12-01")
    assert "12月1日起按这个分区走" in director.get("/plan").get_data(as_text=True)
    assert placed(session, split) == {(1, "1"): 3, (2, "1"): 3}
    assert director.post("/plan/propose").status_code == 422
    assert place_dwellings(session, cast.community.id, TODAY).moved == 0

    app.config["NOW"] = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    assert director.get("/plan/state").get_json()["state"] == "waiting"
    app.config["NOW"] = datetime(2026, 11, 30, 16, 1, tzinfo=UTC)  # midnight in Shanghai
    assert sign_in("other").get("/map").status_code == 200
    assert placed(session, split) == {(1, "1"): 3, (2, "2"): 3}
    assert state()["state"] == "none"
    placements = select(Placement.since).join(Dwelling, Dwelling.id == Placement.dwelling_id)
    placements = placements.where(Dwelling.building_id == split.id, Dwelling.entrance == 2, Placement.until > first)
    assert set(session.scalars(placements)) == {first}


def test_who_comes_late_changes_no_day_before(app, session, cast, director, state, split):
    publish(director, state, date(2026, 12, 1))
    app.config["NOW"] = datetime(2026, 12, 5, 4, 0, tzinfo=UTC)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["plan", "start"]).exit_code == 0
    session.expire_all()
    assert runner.invoke(args=["plan", "start"]).output == ""
    since = session.scalars(select(DistrictBoundary.since).where(DistrictBoundary.since > date(2026, 1, 1)))
    assert set(since) == {date(2026, 12, 1)}


def test_who_was_put_into_a_district_after_the_plan_was_decided_stays(
    app, session, cast, director, state, draft, change
):
    change(kind="people", district="1", lead=str(cast.users["other"].id), partner=str(cast.users["partner"].id))
    change(kind="people", district="2", lead=str(cast.users["worker"].id), partner="")
    assert publish(director, state, date(2026, 12, 1)).status_code == 303
    actor = cast.actor("director")
    assign_people(session, actor, {("1", "lead"): cast.users["partner"].id, ("1", "partner"): None}, date(2026, 11, 25))
    session.commit()
    app.config["NOW"] = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
    assert app.test_cli_runner().invoke(args=["plan", "start"]).exit_code == 0
    session.expire_all()
    now = {d.code: d for d in places.districts_on(session, actor, date(2026, 12, 1))}
    assert (now["1"].lead, now["1"].partner, now["2"].lead) == ("partner", None, "worker")


def test_a_division_that_waits_is_taken_back(director, state, split):
    publish(director, state, date(2026, 12, 1))
    assert director.post("/plan/edit", json={"version": state()["version"], "kind": "lock"}).status_code == 422
    assert director.post("/plan/withdraw", {"version": str(state()["version"])}).status_code == 303
    assert state()["state"] == "draft"


@ON_ONE
def test_days_that_cannot_be(director, state, draft):
    for since in ("2026-11-17", "2028-01-01", "morgen", "", "2026-13-01"):
        answer = director.post("/plan/publish", {"version": str(draft["version"]), "since": since})
        assert answer.status_code == 422, since
        assert "notice fault" in answer.get_data(as_text=True)
    assert state()["state"] == "draft"


# --- what it says, and what it costs


def test_the_moves_as_a_table(session, director, draft):
    answer = director.get("/plan/moves.csv")
    lines = answer.get_data(as_text=True).removeprefix("\ufeff").splitlines()
    assert lines[0] == "楼栋,单元,户数,原包干区,新包干区,新片长"
    assert len(lines) == 1 + len(draft["moves"])
    assert "第1包干区,第2包干区,other" in lines[1]
    assert "export.moves" in session.scalars(select(AuditEntry.deed)).all()


@ON_ONE
def test_seams_of_today_are_counted(session, cast, director):
    row = session.scalars(select(DistrictBoundary).where(DistrictBoundary.district_id == cast.second.id)).one()
    ring = [[120.3019, 31.57], [120.304, 31.57], [120.304, 31.572], [120.3019, 31.572], [120.3019, 31.57]]
    row.geometry = {"type": "Polygon", "coordinates": [ring]}
    session.commit()
    assert "现在的分区有 1 处缝或重叠" in director.get("/plan").get_data(as_text=True)


@ON_ONE
def test_as_many_statements_for_many_buildings_as_for_few(session, cast, director, draft, count_queries):
    def cost(page):
        before = count_queries()
        assert director.get(page).status_code == 200
        return count_queries() - before

    pages = ("/plan", "/plan/state")
    few = [cost(page) for page in pages]
    assert max(few) <= 16
    for i in range(12):
        make_block(session, cast, f"3{i}", (120.3005 + i * 1e-4, 31.5709), (2, 2), cast.district)
    session.commit()
    assert [cost(page) for page in pages] == few


# --- entrances by hand


@pytest.fixture
def plain(session, cast):
    """A building whose 12 homes and a shop came without entrances."""
    building = make_block(session, cast, "无单元", (120.3008, 31.5709), (), cast.district)
    for column in range(1, 7):
        for floor in (1, 2):
            kind = "shop" if (column, floor) == (6, 1) else "flat"
            door = make_dwelling(session, building, cast.district, f"{floor}{column:02d}", kind=kind)
            if kind == "flat":
                make_household(session, door, None)
    session.commit()
    return building


def dealt(session, building):
    session.expire_all()
    rows = session.execute(
        select(Dwelling.entrance, func.count()).where(Dwelling.building_id == building.id).group_by(Dwelling.entrance)
    )
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize(
    ("typed", "found"), [("3", {1: 4, 2: 4, 3: 4}), ("4，4，3", {1: 4, 2: 4, 3: 4}), ("5, 6", {1: 5, 2: 7})]
)
def test_doors_are_dealt_over_entrances(typed, found, session, director, plain):
    before = {d.id: d.room for d in session.scalars(select(Dwelling).where(Dwelling.building_id == plain.id))}
    page = f"/buildings/{plain.id}/entrances"
    assert "分单元" in director.get(page).get_data(as_text=True)
    assert director.post(page, {"entrances": typed}).status_code == 303
    assert dealt(session, plain) == found
    doors = session.scalars(select(Dwelling).where(Dwelling.building_id == plain.id)).all()
    assert {d.id: d.room for d in doors} == before
    assert min(d.column for d in doors if d.entrance == 2) == 1
    assert session.get(type(plain), plain.id).entrances == len(found)
    assert director.get(f"/buildings/{plain.id}").status_code == 200


def test_dealing_again_and_back_loses_nothing(session, director, plain):
    page = f"/buildings/{plain.id}/entrances"
    columns = {d.id: d.column for d in session.scalars(select(Dwelling).where(Dwelling.building_id == plain.id))}
    for typed in ("3", "2", "1"):
        assert director.post(page, {"entrances": typed}).status_code == 303
    session.expire_all()
    after = {d.id: d.column for d in session.scalars(select(Dwelling).where(Dwelling.building_id == plain.id))}
    assert after == columns


@ON_ONE
@pytest.mark.parametrize(
    ("typed", "said"),
    [("7", "门只有 6 列"), ("5,5", "加起来是 10 户，这栋楼有 11 户"), ("三", "写单元数"), ("", "写单元数")],
)
def test_entrances_that_cannot_be(typed, said, session, director, plain):
    answer = director.post(f"/buildings/{plain.id}/entrances", {"entrances": typed})
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert dealt(session, plain) == {1: 12}


@ON_ONE
def test_rooms_of_one_number_are_not_put_into_one_entrance(session, director, town):
    answer = director.post(f"/buildings/{town['1甲'].id}/entrances", {"entrances": "1"})
    assert answer.status_code == 422
    assert "两个 101 会落在同一个单元里" in answer.get_data(as_text=True)


@ON_ONE
def test_a_divided_building_keeps_its_entrances(session, director, state, split):
    publish(director, state)
    answer = director.post(f"/buildings/{split.id}/entrances", {"entrances": "2"})
    assert answer.status_code == 422
    assert "分在几个包干区里" in answer.get_data(as_text=True)
