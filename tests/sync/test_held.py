"""What was written about a door that is somebody else's by now: kept apart, and the director decides once."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from fieldapp.accounts.models import AuditEntry
from fieldapp.db import uuid7
from fieldapp.households.models import FactChange, FactProposal, Household, LifeEvent, Resident
from fieldapp.households.queries import residents_of
from fieldapp.places.models import Assignment, Dwelling, Placement
from fieldapp.sync.models import HeldItem, Receipt
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident
from tests.conftest import NOW
from tests.factories import assign, make_follow_up, make_resident, make_user, make_visit
from tests.routes import ON_ONE, jpeg
from tests.sync.phone import Phone

MONDAY = date(2026, 11, 16)


def page(answer):
    return answer.get_data(as_text=True)


def take_away(session, cast, household, day=MONDAY):
    """Its door goes to the second district."""
    session.execute(
        update(Placement)
        .where(Placement.dwelling_id == household.dwelling_id)
        .values(until=day)
        .execution_options(synchronize_session=False)
    )
    session.add(
        Placement(
            community_id=cast.community.id, dwelling_id=household.dwelling_id, district_id=cast.second.id, since=day
        )
    )
    session.get_one(Dwelling, household.dwelling_id).district_id = cast.second.id
    session.commit()


def relieve(session, cast, username="worker", day=MONDAY):
    """Somebody's districts go to others."""
    session.execute(
        update(Assignment)
        .where(Assignment.user_id == cast.users[username].id)
        .values(until=day)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def count(session, model):
    session.expire_all()
    return session.scalar(select(func.count()).select_from(model))


def test_a_door_that_went_to_another_district_keeps_its_visit_for_the_director(phone, cast, session, sign_in):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    answer = phone.visit(home, key, sentence="水管漏了", made_at=NOW - timedelta(days=3))
    said = answer.get_json()
    assert (answer.status_code, said["id"], said["outcome"]) == (202, str(key), "held")
    assert said["reason"] == "这户 11月16日划给了第2包干区，等主任收下"
    again = phone.visit(home, key, sentence="水管漏了", made_at=NOW - timedelta(days=3))
    assert (again.status_code, again.get_json()) == (202, said)
    assert session.get(Visit, key) is None
    overview = page(sign_in("director").get("/overview"))
    for word in ("等你收下", "12号楼", "502", "王秀英", "水管漏了", "worker记的", "11月15日 9:41", "划给了第2包干区"):
        assert word in overview
    assert "等你收下" not in page(sign_in("stranger").get("/overview"))


def test_what_the_director_takes_is_the_writers_visit_of_then(phone, cast, session, sign_in):
    home, key, photo = cast.households[1], uuid7(), uuid7()
    resident = make_resident(session, home, "王小秀")
    session.commit()
    take_away(session, cast, home)
    form = {
        "sentence": "水管漏了",
        "topics": ["楼道"],
        "met": [str(resident.id)],
        "promise": "报修",
        "companion_id": str(cast.users["partner"].id),
        "visited_at": "2026-11-15T08:30",
    }
    assert phone.visit(home, key, **form).status_code == 202
    assert phone.photo(key, jpeg(), photo).status_code == 202
    assert phone.photo(key, jpeg(), photo).status_code == 202
    director = sign_in("director")
    assert "1 张照片" in page(director.get("/overview"))
    where = f"/held/{key}/acceptance"
    assert director.post(where).location == director.post(where).location == "/overview"
    session.expire_all()
    visit = session.get_one(Visit, key)
    assert (visit.visitor_id, visit.companion_id) == (cast.users["worker"].id, cast.users["partner"].id)
    assert (visit.visited_at.isoformat(), visit.recorded_at) == ("2026-11-15T00:30:00+00:00", NOW)
    assert (visit.sentence, visit.topics, visit.is_late_entry) == ("水管漏了", ["楼道"], True)
    assert list(session.scalars(select(VisitResident.resident_id).where(VisitResident.visit_id == key))) == [
        resident.id
    ]
    assert session.get_one(Photo, photo).visit_id == key
    assert session.scalar(select(FollowUp.promise).where(FollowUp.visit_id == key)) == "报修"
    assert count(session, Visit) == 2
    traces = session.scalars(select(AuditEntry).where(AuditEntry.deed == "held.acceptance")).all()
    assert {trace.subject for trace in traces} == {str(key)}
    assert all(trace.user_id == cast.users["director"].id for trace in traces)
    assert "水管" not in str([trace.detail for trace in traces])
    assert "等你收下" not in page(director.get("/overview"))


def test_what_the_director_declines_is_nowhere_and_stays_declined(phone, cast, session, sign_in):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    phone.visit(home, key)
    phone.photo(key, jpeg())
    director = sign_in("director")
    assert director.post(f"/held/{key}/refusal").location == "/overview"
    assert director.post(f"/held/{key}/acceptance").location == "/overview"
    assert "没有收" in page(director.get("/overview"))
    assert (count(session, Visit), count(session, Photo)) == (1, 0)
    assert {item.is_accepted for item in session.scalars(select(HeldItem))} == {False}
    assert phone.photo(key, jpeg(colour="red")).status_code == 404


def test_a_district_that_went_to_others_says_to_whom(phone, cast, session):
    relieve(session, cast)
    assign(
        session, cast.district, make_user(session, "li", name="李红梅", community_id=cast.community.id), since=MONDAY
    )
    relieve(session, cast, "partner")
    assign(session, cast.district, cast.users["other"], "partner", since=MONDAY)
    session.commit()
    said = phone.visit(cast.households[0]).get_json()
    assert said["reason"] == "11月16日起这个包干区归李红梅、other，等主任收下"


def test_ticks_facts_and_photos_of_a_lost_door_are_held_too(phone, cast, session, sign_in):
    home = cast.households[0]
    resident = session.scalar(select(Resident).where(Resident.household_id == home.id))
    untick = make_follow_up(session, home, cast.users["worker"], done_at=NOW, done_by_id=cast.users["worker"].id)
    take_away(session, cast, home)
    kept = [
        phone.send(f"/follow-ups/{cast.follow_up.id}/done"),
        phone.send(f"/follow-ups/{untick.id}/undone"),
        phone.send(f"/residents/{resident.id}/facts", {"field": "phone", "value": "13800001234"}),
        phone.send(f"/households/{home.id}/facts", {"field": "note", "value": "狗咬人", "saw-note": ""}),
        phone.photo(cast.visit.id, jpeg()),
    ]
    assert [answer.status_code for answer in kept] == [202] * 5
    director = sign_in("director")
    overview = page(director.get("/overview"))
    for word in ("办到了 · 问助餐卡", "没办到", "张桂兰 · 电话改成", "备注改成：狗咬人", "1 张照片"):
        assert word in overview
    for answer in kept:
        director.post(f"/held/{answer.get_json()['id']}/acceptance")
    session.expire_all()
    assert session.get_one(FollowUp, cast.follow_up.id).done_by_id == cast.users["worker"].id
    assert session.get_one(FollowUp, cast.follow_up.id).done_at == NOW - timedelta(hours=2)
    assert session.get_one(FollowUp, untick.id).done_at is None
    assert session.get_one(Resident, resident.id).phone == "13800001234"
    assert session.get_one(Household, home.id).note == "狗咬人"
    assert {change.changed_by_id for change in session.scalars(select(FactChange))} == {cast.users["worker"].id}
    assert count(session, Photo) == 1
    assert "等你收下" not in page(director.get("/overview"))


def test_what_is_wrong_in_itself_is_refused_at_once(phone, cast, session):
    home = cast.households[1]
    take_away(session, cast, home)
    faulty = phone.visit(home, outcome="", companion_id=str(cast.users["neighbour"].id))
    assert (faulty.status_code, set(faulty.get_json()["fields"])) == (422, {"outcome", "companion_id"})
    key = uuid7()
    assert phone.visit(home, key).status_code == 202
    broken = phone.photo(key, b"no photo")
    assert (broken.status_code, broken.get_json()["reason"]) == (
        422,
        "不是 JPEG、PNG、WebP 照片。用相机拍，或者从相册选。",
    )
    resident = session.scalar(select(Resident).where(Resident.household_id == home.id))
    short = phone.send(f"/residents/{resident.id}/facts", {"field": "phone", "value": "1380000"})
    assert (short.status_code, "11 位" in short.get_json()["reason"]) == (422, True)
    assert phone.send(f"/residents/{resident.id}/facts", {"field": "id_number", "value": "1"}).status_code == 422
    assert count(session, HeldItem) == count(session, Receipt) == 1


def test_a_visit_takes_nine_photos_held_or_not(phone, cast, session):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    phone.visit(home, key)
    codes = [phone.photo(key, jpeg(width=40 + n)).status_code for n in range(10)]
    assert codes == [202] * 9 + [422]


@ON_ONE
def test_only_what_was_ones_own_a_while_ago_is_held(phone_of, cast, session, sign_in):
    home = cast.households[1]
    take_away(session, cast, home, day=date(2026, 9, 18))  # sixty-one days ago
    assert phone_of("worker").visit(home).status_code == 404
    assert phone_of("neighbour").visit(home).status_code == 404
    assert phone_of("worker").visit(cast.far_household).status_code == 404
    assert phone_of("other").visit(cast.households[0]).status_code == 404
    assert phone_of("other").visit(home).status_code == 201
    director = Phone(sign_in("director"), cast.users["director"].id)
    assert director.visit(home).status_code == 404
    assert phone_of("worker").send(f"/visits/{uuid7()}/photos").status_code == 404
    assert phone_of("worker").send("/nowhere").status_code == 404
    assert count(session, HeldItem) == 0


@ON_ONE
def test_the_photo_of_somebody_elses_visit_is_not_held(phone_of, cast, session):
    home = cast.households[0]
    take_away(session, cast, home)
    assert phone_of("partner").photo(cast.visit.id, jpeg()).status_code == 404
    key = uuid7()
    phone_of("worker").visit(home, key)
    assert phone_of("partner").photo(key, jpeg()).status_code == 404


def test_a_door_that_came_back_still_takes_the_held_visits_photo(phone, cast, session):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    phone.visit(home, key)
    session.execute(
        update(Placement).where(Placement.dwelling_id == home.dwelling_id).values(district_id=cast.district.id)
    )
    session.get_one(Dwelling, home.dwelling_id).district_id = cast.district.id
    session.commit()
    assert phone.photo(key, jpeg()).status_code == 202


# --- what cannot be recorded any more


def test_a_held_correction_of_what_was_corrected_meanwhile_stays_open(phone, cast, session, sign_in):
    home = cast.households[0]
    take_away(session, cast, home)
    key = uuid7()
    assert phone.visit(home, key, corrects_id=str(cast.visit.id)).status_code == 202
    make_visit(session, home, cast.users["other"], NOW, corrects_id=cast.visit.id)
    session.commit()
    director = sign_in("director")
    director.post(f"/held/{key}/acceptance")
    overview = page(director.get("/overview"))
    assert "这条已经有人更正过了" in overview and "等你收下" in overview
    assert (count(session, Visit), session.get_one(HeldItem, key).decided_at) == (2, None)


def test_a_held_correction_of_a_held_visit_follows_it(phone, cast, session, sign_in):
    home, first, second = cast.households[1], uuid7(), uuid7()
    take_away(session, cast, home)
    phone.visit(home, first, sentence="一")
    phone.visit(home, second, sentence="二", corrects_id=str(first))
    director = sign_in("director")
    director.post(f"/held/{second}/acceptance")
    assert "先收那条" in page(director.get("/overview"))
    director.post(f"/held/{first}/acceptance")
    director.post(f"/held/{second}/acceptance")
    session.expire_all()
    assert session.get_one(Visit, second).corrects_id == first


def test_a_household_that_is_gone_is_said_to_be(phone, cast, session, sign_in):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    phone.visit(home, key)
    for table in ("resident", "occupancy_period"):
        session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE household_id = '{_raw(session, home.id)}'")
    session.connection().exec_driver_sql(f"DELETE FROM household WHERE id = '{_raw(session, home.id)}'")
    session.commit()
    director = sign_in("director")
    assert "门已经不在了" in page(director.get("/overview"))
    director.post(f"/held/{key}/acceptance")
    assert "只能不收" in page(director.get("/overview"))
    director.post(f"/held/{key}/refusal")
    assert "等你收下" not in page(director.get("/overview"))


def _raw(session, key):
    return key.hex if session.get_bind().dialect.name == "sqlite" else str(key)


def test_a_fact_that_the_record_denies_stays_open(phone, cast, session, sign_in):
    home = cast.households[1]
    resident = session.scalar(select(Resident).where(Resident.household_id == home.id))
    take_away(session, cast, home)
    answer = phone.send(f"/residents/{resident.id}/facts", {"field": "birth_date", "value": "1957-03-02"})
    resident.id_number = "11010519491231002X"
    session.commit()
    director = sign_in("director")
    director.post(f"/held/{answer.get_json()['id']}/acceptance")
    assert "身份证" in page(director.get("/overview"))
    assert session.get_one(Resident, resident.id).birth_date is None


@ON_ONE
@pytest.mark.parametrize("username", ["stranger", "worker", "partner", "street", "admin", None])
def test_nobody_else_decides(username, phone, cast, session, sign_in):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    phone.visit(home, key)
    for deed in ("acceptance", "refusal"):
        expected = 404 if username else 401
        assert sign_in(username).post(f"/held/{key}/{deed}").status_code == expected
    assert session.get_one(HeldItem, key).decided_at is None


def test_urgent_stands_on_top_and_is_marked(phone, cast, session, sign_in):
    for home, more in (
        (cast.households[1], {"sentence": "平常"}),
        (cast.households[2], {"sentence": "煤气味", "urgent": "1"}),
    ):
        take_away(session, cast, home)
        phone.visit(home, **more)
    overview = page(sign_in("director").get("/overview"))
    assert overview.index("煤气味") < overview.index("平常")
    assert overview.count("card held urgent") == 1


def test_a_decision_between_two_versions_is_held_too(phone, phone_of, cast, session, sign_in):
    home = cast.households[1]
    resident = session.scalar(select(Resident).where(Resident.household_id == home.id))
    where = f"/residents/{resident.id}/facts"
    phone_of("partner").send(where, {"field": "phone", "value": "13800001111"})
    phone.send(where, {"field": "phone", "value": "13800002222"})
    proposal = session.scalar(select(FactProposal))
    take_away(session, cast, home)
    answer = phone.send(f"/proposals/{proposal.id}/decision", {"choice": "theirs", "saw": "13800001111"})
    assert answer.status_code == 202
    director = sign_in("director")
    assert "王秀英 · 电话改成" in page(director.get("/overview"))
    director.post(f"/held/{answer.get_json()['id']}/acceptance")
    session.expire_all()
    assert session.get_one(Resident, resident.id).phone == "13800002222"
    assert session.get_one(FactProposal, proposal.id).is_accepted


def test_as_many_statements_for_many_held_items_as_for_few(phone, cast, session, sign_in, count_queries):
    for home in cast.households:
        take_away(session, cast, home)
    director, counted = sign_in("director"), []
    for home in (cast.households[0], *cast.households):
        residents = session.scalars(select(Resident.id).where(Resident.household_id == home.id)).all()
        visit = uuid7()
        phone.visit(home, visit)
        phone.photo(visit, jpeg())
        phone.send(f"/follow-ups/{cast.follow_up.id}/done")
        phone.send(f"/residents/{residents[0]}/facts", {"field": "phone", "value": "13800001111"})
        before = count_queries()
        assert page(director.get("/overview")).count("card held") == 3 * (len(counted) + 1)
        counted.append(count_queries() - before)
    assert len(set(counted)) == 1


# --- closed accounts


def close(session, cast, username="worker"):
    cast.users[username].active = False
    session.commit()


def test_a_closed_account_is_told_so_and_may_leave_what_it_wrote(phone, cast, session, sign_in):
    home, key, photo = cast.households[1], uuid7(), uuid7()
    close(session, cast)
    path = f"/households/{home.id}/visits"
    form = {"visit_id": str(key), "outcome": "met", "sentence": "最后一次"}
    answer = phone.send(path, form, key)
    assert (answer.status_code, answer.get_json()) == (410, {"outcome": "left"})
    headers = {"Outbox-Path": path}
    left = phone.send("/sync/left", form, key, headers=headers)
    assert (left.status_code, left.get_json()["outcome"]) == (202, "held")
    assert left.get_json()["reason"] == "账号已经停用，等主任收下"
    assert phone.send("/sync/left", form, key, headers=headers).get_json() == left.get_json()
    assert phone.send("/sync/left", form | {"sentence": "改"}, key, headers=headers).status_code == 409
    where = {"Outbox-Path": f"/visits/{key}/photos"}
    data = jpeg(width=1800, height=1800, quality=100)
    sent = phone.send("/sync/left", {"photos": (io.BytesIO(data), "photo.jpg")}, photo, headers=where)
    assert sent.status_code == 202
    director = sign_in("director")
    assert "账号已经停用" in page(director.get("/overview"))
    director.post(f"/held/{key}/acceptance")
    session.expire_all()
    assert session.get_one(Visit, key).visitor_id == cast.users["worker"].id
    assert session.get_one(Photo, photo).visit_id == key


def test_what_was_taken_in_before_the_account_closed_keeps_its_receipt(phone, cast, session):
    home, key = cast.households[1], uuid7()
    first = phone.visit(home, key).get_json()
    close(session, cast)
    path = f"/households/{home.id}/visits"
    again = phone.send("/sync/left", {"visit_id": str(key), "outcome": "met"}, key, headers={"Outbox-Path": path})
    first.pop("change")
    assert (again.status_code, again.get_json()) == (200, again.get_json() | first)
    assert count(session, HeldItem) == 0


@ON_ONE
def test_nobody_else_leaves_anything(phone, phone_of, cast, session, sign_in):
    home = cast.households[1]
    headers = {"Outbox-Path": f"/households/{home.id}/visits"}
    form = {"outcome": "met"}
    for person in (phone, phone_of("director"), Phone(sign_in(None), cast.users["worker"].id)):
        assert person.send("/sync/left", form, headers=headers).status_code == 401
    assert phone.person.post("/sync/left", form).status_code == 401
    close(session, cast)
    stolen = Phone(phone.person, cast.users["partner"].id)
    assert stolen.send("/sync/left", form, headers=headers).status_code == 401
    for path in (f"/households/{cast.far_household.id}/visits", "/settings", "", "//evil", "/held/x/acceptance"):
        assert phone.send("/sync/left", form, headers={"Outbox-Path": path}).status_code == 404
    cast.users["worker"].password_stamp = "another"
    session.commit()
    assert phone.send("/sync/left", form, headers=headers).status_code == 401
    assert phone.visit(home).status_code == 401
    assert count(session, HeldItem) == count(session, Receipt) == 0


def test_an_event_at_a_door_that_went_to_others_is_recorded_when_the_director_takes_it(phone, cast, session, sign_in):
    home, key = cast.households[1], uuid7()
    take_away(session, cast, home)
    form = {"kind": "moved_in", "event_id": str(key), "name-1": "王新来", "relation-1": "51", "phone-1": "15400001234"}
    answer = phone.send(f"/households/{home.id}/events", form, key, made_at=NOW - timedelta(days=3))
    assert (answer.status_code, answer.get_json()["outcome"]) == (202, "held")
    assert session.get(LifeEvent, key) is None
    director = sign_in("director")
    overview = page(director.get("/overview"))
    assert "搬来 · 王新来" in overview
    assert "15400001234" not in overview
    for _ in range(2):
        assert director.post(f"/held/{key}/acceptance").status_code == 303
    session.expire_all()
    event = session.get_one(LifeEvent, key)
    assert (event.recorded_by_id, event.happened_on) == (cast.users["worker"].id, date(2026, 11, 15))
    assert [one.name for one in residents_of(session, home.id)] == ["王秀英", "王新来"]


def test_an_event_that_the_record_denies_by_now_stays_with_the_director(phone, cast, session, sign_in):
    home, key = cast.households[1], uuid7()
    [head] = residents_of(session, home.id)
    take_away(session, cast, home)
    form = {"kind": "died", "who": str(head.id)}
    assert phone.send(f"/households/{home.id}/events", form, key).status_code == 202
    director = sign_in("director")
    assert "去世 · 王秀英" in page(director.get("/overview"))
    head.left_on = NOW.date()
    session.commit()
    director.post(f"/held/{key}/acceptance")
    assert "点的人已经不在这一户了" in page(director.get("/overview"))
    session.expire_all()
    assert session.get(LifeEvent, key) is None
    assert session.get_one(HeldItem, key).decided_at is None


def test_an_event_that_says_nothing_is_refused_even_where_it_would_be_held(phone, cast, session):
    home = cast.households[1]
    take_away(session, cast, home)
    answer = phone.send(f"/households/{home.id}/events", {"kind": "moved_in"})
    assert (answer.status_code, answer.get_json()["reason"]) == (422, "至少写一个人的姓名。")
    assert count(session, HeldItem) == 0
