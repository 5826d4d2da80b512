"""The worker's pages: Today, a visit saved, corrected and photographed, nobody home, promises, what is urgent."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from PIL import ExifTags, Image
from sqlalchemy import func, select

from fieldapp import schema
from fieldapp.app import create_app
from fieldapp.db import uuid7
from fieldapp.visits.models import FollowUp, Photo, Visit, VisitResident
from tests.conftest import NOW, Person
from tests.factories import PASSWORD, assign, make_cast, make_dwelling, make_household, make_resident, make_visit
from tests.routes import ON_ONE, fresh_postgres, jpeg


@pytest.fixture
def worker(sign_in):
    return sign_in("worker")


@pytest.fixture
def where(cast):
    return f"/households/{cast.households[1].id}/visits"


def visits_at(session, household):
    return session.scalars(select(Visit).where(Visit.household_id == household.id).order_by(Visit.recorded_at)).all()


def page(answer):
    return answer.get_data(as_text=True)


# --- saving


def test_a_routine_visit_is_saved_and_leads_on(worker, where, cast, session):
    answer = worker.post(where, {"visit_id": str(uuid7()), "outcome": "met"})
    assert answer.status_code == 303
    (visit,) = visits_at(session, cast.households[1])
    assert answer.location == f"/visits/{visit.id}"
    assert (visit.outcome, visit.way, visit.visitor_id, visit.sentence) == (
        "met",
        "door",
        cast.users["worker"].id,
        None,
    )
    assert (visit.visited_at, visit.recorded_at) == (NOW, NOW)
    saved = page(worker.get(answer.location))
    assert "已存到服务器" in saved
    assert "下一户" in saved


def test_everything_that_was_typed_is_kept(worker, where, cast, session):
    resident = make_resident(session, cast.households[1], "王小秀")
    session.commit()
    form = {
        "outcome": "changed",
        "way": "phone",
        "visited_at": "2026-11-17T20:15",
        "companion_id": str(cast.users["partner"].id),
        "met": [str(resident.id)],
        "topics": ["助餐", "楼道"],
        "sentence": " 儿子回来住了 ",
        "promise": "问停车证",
        "promise_due_on": "2026-11-20",
        "longitude": "120.301",
        "latitude": "31.571",
        "accuracy": "12",
        "urgent": "1",
    }
    assert worker.post(where, form).status_code == 303
    (visit,) = visits_at(session, cast.households[1])
    assert (visit.outcome, visit.way, visit.sentence, visit.topics) == (
        "changed",
        "phone",
        "儿子回来住了",
        ["助餐", "楼道"],
    )
    assert (visit.longitude, visit.latitude, visit.accuracy, visit.is_urgent) == (120.301, 31.571, 12, True)
    assert visit.companion_id == cast.users["partner"].id
    assert visit.is_late_entry
    assert visit.visited_on.isoformat() == "2026-11-17"
    assert session.scalars(select(VisitResident.resident_id).where(VisitResident.visit_id == visit.id)).all() == [
        resident.id
    ]
    promise = session.scalar(select(FollowUp).where(FollowUp.visit_id == visit.id))
    assert (promise.promise, promise.due_on.isoformat()) == ("问停车证", "2026-11-20")
    household = page(worker.get(f"/households/{cast.households[1].id}"))
    for word in ("儿子回来住了", "问停车证", "见到王小秀", "补录", "电话", "紧急", "partner"):
        assert word in household


def test_a_form_sent_twice_makes_one_visit(worker, where, cast, session):
    form = {"visit_id": str(uuid7()), "outcome": "met", "promise": "问一问"}
    first, second = worker.post(where, form), worker.post(where, form)
    assert first.location == second.location
    assert len(visits_at(session, cast.households[1])) == 1
    promises = select(func.count(FollowUp.id)).where(FollowUp.household_id == cast.households[1].id)
    assert session.scalar(promises) == 1


def test_a_key_that_is_somebody_elses_visit_makes_a_visit_of_its_own(sign_in, worker, where, cast, session):
    theirs = make_visit(session, cast.households[1], cast.users["partner"], NOW - timedelta(days=1))
    session.commit()
    answer = worker.post(where, {"visit_id": str(theirs.id), "outcome": "met"})
    assert answer.status_code == 303
    assert str(theirs.id) not in answer.location
    assert len(visits_at(session, cast.households[1])) == 2


FAULTS = [
    ({"outcome": ""}, "先点一下这次怎么样"),
    ({"outcome": "flown"}, "先点一下这次怎么样"),
    ({"way": "pigeon"}, "方式要选上门、电话或其他"),
    ({"visited_at": "2026-11-19T09:00"}, "还没到这个时间"),
    ({"visited_at": "2020-01-01T09:00"}, "太早了"),
    ({"visited_at": "yesterday"}, "写成 2026-11-20 09:30 这样的时间"),
    ({"sentence": "长" * 501}, "最多 500 个字，现在 501 个"),
    ({"promise": "长" * 201}, "最多 200 个字"),
    ({"promise_due_on": "20 November"}, "写成 2026-11-20 这样的日期"),
    ({"companion_id": "0198a000-0000-7000-8000-000000000001"}, "名单里没有这个人"),
    ({"longitude": "east", "latitude": "north"}, "位置没"),
    ({"visit_id": "x"}, "重新打开这一页再记"),
]


@ON_ONE
@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=lambda value: str(value)[:40])
def test_a_faulty_form_says_what_is_wrong_and_keeps_the_rest(fault, words, worker, where, cast, session):
    typed = {
        "visit_id": "0198a000-0000-7000-8000-000000000007",
        "outcome": "met",
        "way": "phone",
        "visited_at": "2026-11-17T20:15",
        "topics": ["看病"],
        "sentence": "膝盖还疼",
        "promise": "问停车证",
        "promise_due_on": "2026-11-20",
        "companion_id": str(cast.users["partner"].id),
        "urgent": "1",
    } | fault
    answer = worker.post(where, typed)
    said = page(answer)
    assert answer.status_code == 422
    assert words in said
    assert visits_at(session, cast.households[1]) == []
    kept = {"visit_id", "sentence", "promise", "visited_at", "promise_due_on"} - {"visit_id"} & set(fault)
    for name in kept:
        assert typed[name] in said, name
    if "companion_id" not in fault:
        assert f'value="{cast.users["partner"].id}" selected' in said
    if "outcome" not in fault:
        assert 'name="outcome" value="met" checked' in said
    assert 'name="topics" value="看病" checked' in said
    assert 'name="urgent" value="1" checked' in said
    assert ('name="way" value="phone" checked' in said) == ("way" not in fault)


def test_a_shop_of_another_district_and_an_unknown_door_are_404(worker, cast, session):
    other = make_household(session, make_dwelling(session, cast.building, cast.second, "801"), "别区人")
    session.commit()
    for household_id in (other.id, cast.far_household.id, uuid7()):
        assert worker.post(f"/households/{household_id}/visits", {"outcome": "met"}).status_code == 404
        assert worker.get(f"/households/{household_id}/visits/new").status_code == 404


# --- correcting


def test_a_correction_appends_and_counts_instead(worker, cast, session):
    household, visit = cast.households[0], cast.visit
    form = page(worker.get(f"/visits/{visit.id}/correction"))
    assert "更正走访" in form
    assert "腿脚还行" in form
    assert f'name="corrects_id" value="{visit.id}"' in form
    answer = worker.post(
        f"/households/{household.id}/visits",
        {"outcome": "nobody", "corrects_id": str(visit.id), "visited_at": "2026-10-13T09:41"},
    )
    assert answer.status_code == 303
    log = page(worker.get(f"/households/{household.id}/visits"))
    assert "腿脚还行" in log
    assert "已更正" in log
    assert "还没见到过人" in page(worker.get(f"/households/{household.id}"))


def test_a_visit_is_corrected_once(worker, cast):
    form = {"outcome": "nobody", "corrects_id": str(cast.visit.id)}
    where = f"/households/{cast.households[0].id}/visits"
    assert worker.post(where, form).status_code == 303
    again = worker.post(where, form | {"sentence": "第二次更正"})
    assert again.status_code == 422
    assert "这条已经有人更正过了" in page(again)
    assert "第二次更正" in page(again)


@pytest.mark.parametrize(("key", "status"), [("x", 400), ("0198a000-0000-7000-8000-000000000001", 404)])
def test_a_correction_of_nothing_is_refused(key, status, worker, where):
    assert worker.post(where, {"outcome": "met", "corrects_id": key}).status_code == status


# --- photos


def with_gps():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SPYCAM"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSMapDatum] = "SECRETPLACE"
    return jpeg(400, 300, exif=exif, comment=b"SECRETNOTE")


def send(person, where, *photos, **form):
    files = [(io.BytesIO(data), name) for name, data in photos]
    return person.post(where, {"outcome": "met", "photos": files} | form)


def photos_of(session):
    return session.scalars(select(Photo).order_by(Photo.position)).all()


def test_a_photo_is_kept_without_the_place_it_was_taken_at(worker, where, session):
    data = with_gps()
    assert b"SECRETPLACE" in data
    saved = send(worker, where, ("a.jpg", data))
    (photo,) = photos_of(session)
    assert f"/photos/{photo.id}/thumbnail" in page(worker.get(saved.location))
    for address, side in ((f"/photos/{photo.id}", 400), (f"/photos/{photo.id}/thumbnail", 320)):
        answer = worker.get(address)
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert answer.headers["Cache-Control"] == "private, no-store"
        for secret in (b"SECRET", b"SPYCAM", b"Exif"):
            assert secret not in answer.data
        with Image.open(io.BytesIO(answer.data)) as image:
            assert (image.size[0], dict(image.getexif())) == (side, {})


@ON_ONE
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.jpg", b"", "文件是空的"),
        ("a.jpg", b"hello", "不是 JPEG、PNG、WebP 照片"),
        ("a.jpg", b"<svg onload=alert(1)>", "不是 JPEG、PNG、WebP 照片"),
        ("a.jpg", jpeg()[:150], "文件坏了"),
        ("../../a.jpg", b"%PDF-1.4", "不是 JPEG、PNG、WebP 照片"),
    ],
)
def test_a_broken_photo_is_refused_with_its_reason_and_the_words_stay(name, data, words, worker, where, cast, session):
    answer = send(worker, where, ("good.jpg", jpeg()), (name, data), sentence="膝盖还疼")
    assert answer.status_code == 303
    (visit,) = visits_at(session, cast.households[1])
    assert visit.sentence == "膝盖还疼"
    assert len(photos_of(session)) == 1
    said = page(worker.get(answer.location))
    assert "第 2 张照片没收下" in said
    assert words in said


@ON_ONE
def test_nine_photos_are_kept_and_the_tenth_is_not(worker, where, session):
    colours = [f"#{i:02x}4040" for i in range(0, 220, 20)]
    answer = send(worker, where, *((f"{c}.jpg", jpeg(colour=c)) for c in colours))
    assert len(photos_of(session)) == 9
    assert "一次走访最多 9 张照片" in page(worker.get(answer.location))
    assert (
        worker.post(f"{answer.location}/photos", {"photos": (io.BytesIO(jpeg(colour="red")), "x.jpg")}).status_code
        == 303
    )
    assert len(photos_of(session)) == 9


def test_the_same_photo_twice_is_kept_once(worker, where, session):
    send(worker, where, ("a.jpg", jpeg()), ("b.jpg", jpeg()))
    assert len(photos_of(session)) == 1


def test_photos_are_added_later_to_ones_own_visit_alone(sign_in, worker, cast, session):
    where = f"/visits/{cast.visit.id}/photos"
    for username, status in (("partner", 404), ("other", 404), ("director", 404), ("worker", 303)):
        form = {"photos": (io.BytesIO(jpeg()), "a.jpg")}
        assert sign_in(username).post(where, form).status_code == status, username
    assert len(photos_of(session)) == 1


def test_a_photo_of_another_district_is_404(sign_in, worker, where, session):
    send(worker, where, ("a.jpg", jpeg()))
    (photo,) = photos_of(session)
    for username, status in {"partner": 200, "director": 200, "other": 404, "neighbour": 404, "stranger": 404}.items():
        for address in (f"/photos/{photo.id}", f"/photos/{photo.id}/thumbnail"):
            assert sign_in(username).get(address).status_code == status, username


def test_a_photo_whose_file_is_lost_is_404(app, worker, where, session):
    send(worker, where, ("a.jpg", jpeg()))
    (photo,) = photos_of(session)
    app.config["PHOTO_PATH"] += "-elsewhere"
    assert worker.get(f"/photos/{photo.id}").status_code == 404


@ON_ONE
def test_no_route_lists_or_names_the_photos_directory(app, worker, where, session):
    send(worker, where, ("a.jpg", jpeg()))
    (photo,) = photos_of(session)
    shelf = f"{photo.sha256[:2]}/{photo.sha256[2:]}.jpg"
    for address in ("/photos", "/photos/", f"/photos/{shelf}", f"/photos/{photo.sha256}", "/instance/photos/"):
        assert worker.get(address).status_code == 404
    for address in (f"/static/../../instance/photos/{shelf}", "/static/..%2f..%2finstance%2fsecret_key"):
        assert worker.get(address).status_code in (404, 405)


# --- nobody home behind several doors


def test_nobody_home_is_logged_for_the_chosen_doors_alone(worker, cast, session):
    where = f"/buildings/{cast.building.id}"
    choices = page(worker.get(f"{where}?choose=1"))
    assert all(str(household.id) in choices for household in cast.households)
    chosen = cast.households[1:3]
    answer = worker.post(f"{where}/visits", {"households": [str(household.id) for household in chosen]})
    assert (answer.status_code, answer.location) == (303, where)
    assert "记下了：2 户没人在" in page(worker.get(where))
    for household, outcomes in zip(cast.households, (["met"], ["nobody"], ["nobody"], []), strict=True):
        assert [visit.outcome for visit in visits_at(session, household)] == outcomes


def test_nobody_home_reaches_no_door_of_others(worker, cast, session):
    other = make_household(session, make_dwelling(session, cast.building, cast.second, "801"), "别区人")
    empty = make_household(session, make_dwelling(session, cast.building, cast.district, "802"), None, "vacant")
    session.commit()
    strangers = (other, empty, cast.far_household)
    form = {"households": [str(household.id) for household in strangers] + ["x", ""]}
    answer = worker.post(f"/buildings/{cast.building.id}/visits", form)
    assert (answer.status_code, answer.location) == (303, f"/buildings/{cast.building.id}?choose=1")
    assert "一户也没选" in page(worker.get(answer.location))
    assert [visits_at(session, household) for household in strangers] == [[], [], []]


# --- Today


def test_today_says_whether_i_am_done_and_which_doors_wait(worker, cast, session):
    make_visit(session, cast.households[2], cast.users["partner"], NOW - timedelta(hours=1))
    session.commit()
    said = page(worker.get("/today"))
    assert 'data-own data-met="1" data-quota="30"' in said
    assert "王秀英" in said
    assert "赵启明" not in said
    assert "周邻" not in said


def test_a_worker_without_a_district_is_told_what_to_wait_for(sign_in, session):
    session.connection().exec_driver_sql("DELETE FROM assignment")
    session.commit()
    assert "还没有分到包干区" in page(sign_in("worker").get("/today"))
    assert "还没有分到包干区" in page(sign_in("worker").get("/map"))


def test_a_promise_whose_day_has_come_stands_on_today(worker, cast, session):
    assert "答应过，到期了" not in page(worker.get("/today"))
    cast.follow_up.due_on = NOW.date()
    session.commit()
    assert "答应过，到期了" in page(worker.get("/today"))


# --- promises


def test_a_promise_is_ticked_with_htmx_and_without(worker, cast, session):
    where = f"/follow-ups/{cast.follow_up.id}"
    plain = worker.post(f"{where}/done")
    assert (plain.status_code, plain.location) == (303, f"/households/{cast.households[0].id}")
    session.refresh(cast.follow_up)
    assert (cast.follow_up.done_at, cast.follow_up.done_by_id) == (NOW, cast.users["worker"].id)
    fragment = worker.post(f"{where}/undone", headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "<html" not in page(fragment)
    assert f'hx-post="{where}/done"' in page(fragment)
    session.refresh(cast.follow_up)
    assert cast.follow_up.done_at is None


def test_who_ticked_first_stays(sign_in, worker, cast, session, app):
    worker.post(f"/follow-ups/{cast.follow_up.id}/done")
    app.config["NOW"] = NOW + timedelta(days=1)
    sign_in("director").post(f"/follow-ups/{cast.follow_up.id}/done")
    session.refresh(cast.follow_up)
    assert (cast.follow_up.done_at, cast.follow_up.done_by_id) == (NOW, cast.users["worker"].id)


# --- urgent


def test_what_is_urgent_stands_on_the_directors_page_until_taken(sign_in, worker, where, cast, session):
    worker.post(where, {"outcome": "met", "sentence": "楼道里有烟", "urgent": "1"})
    (visit,) = visits_at(session, cast.households[1])
    director = sign_in("director")
    overview = page(director.get("/overview"))
    assert "楼道里有烟" in overview
    assert "15400000001" in overview
    assert "楼道里有烟" not in page(sign_in("stranger").get("/overview"))
    assert sign_in("stranger").post(f"/visits/{visit.id}/taken").status_code == 404
    answer = director.post(f"/visits/{visit.id}/taken")
    assert (answer.status_code, answer.location) == (303, f"/households/{cast.households[1].id}")
    session.refresh(visit)
    assert visit.taken_by_id == cast.users["director"].id
    assert "楼道里有烟" not in page(director.get("/overview"))


def test_what_is_not_urgent_is_not_taken(sign_in, cast):
    assert sign_in("director").post(f"/visits/{cast.visit.id}/taken").status_code == 404


# --- at once


@pytest.fixture
def served(engine, postgres_url, tmp_path):
    """The program on a database of its own that requests really share, and the cast in it."""
    url = f"sqlite:///{tmp_path / 'shared.db'}" if engine.dialect.name == "sqlite" else fresh_postgres(postgres_url)
    app = create_app({"INSTANCE_PATH": str(tmp_path / "shared"), "DATABASE_URL": url, "SECRET_KEY": "x", "NOW": NOW})
    schema.upgrade(app.extensions["fieldapp-engine"])
    with app.extensions["fieldapp-sessions"]() as session:
        cast = make_cast(session, NOW)
        session.commit()
        yield app, cast, session
    app.extensions["fieldapp-engine"].dispose()


def at_once(app, where, forms):
    """Send forms at the same moment, each from a phone of its own; the answers' statuses."""
    people = [Person(app.test_client()) for _ in forms]
    for person in people:
        assert person.post("/sign-in", {"username": "worker", "password": PASSWORD}).status_code == 303
    ready = Barrier(len(forms))

    def send(person, form):
        ready.wait()
        return person.post(where, form).status_code

    with ThreadPoolExecutor(len(forms)) as pool:
        return sorted(pool.map(send, people, forms))


def test_a_form_sent_four_times_at_once_makes_one_visit(served):
    app, cast, session = served
    form = {"visit_id": str(uuid7()), "outcome": "met", "promise": "问一问"}
    assert at_once(app, f"/households/{cast.households[1].id}/visits", [form] * 4) == [303] * 4
    assert len(visits_at(session, cast.households[1])) == 1


def test_of_four_corrections_at_once_one_is_taken(served):
    app, cast, session = served
    forms = [{"visit_id": str(uuid7()), "outcome": "nobody", "corrects_id": str(cast.visit.id)} for _ in range(4)]
    assert at_once(app, f"/households/{cast.households[0].id}/visits", forms) == [303, 422, 422, 422]
    assert len(visits_at(session, cast.households[0])) == 2


def test_who_answers_for_two_districts_has_the_quota_of_both(sign_in, cast, session):
    person = sign_in("worker")
    assert 'data-quota="30"' in person.get("/today").get_data(as_text=True)
    assign(session, cast.second, cast.users["worker"], "partner")
    session.commit()
    assert 'data-quota="60"' in sign_in("worker").get("/today").get_data(as_text=True)
