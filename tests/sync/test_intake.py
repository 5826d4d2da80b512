"""What a phone kept arrives once: receipts, refusals in words, photos, clocks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from random import Random
from threading import Barrier
from uuid import UUID

import pytest
from flask import abort
from sqlalchemy import event, func, select, text, update

from fieldapp import db, pages
from fieldapp.accounts.rules import Role
from fieldapp.db import make_engine, uuid7
from fieldapp.sync.models import Receipt
from fieldapp.visits.models import FollowUp, Photo, Visit
from tests.conftest import NOW, SAME_SITE
from tests.routes import ON_ONE, ROLES, jpeg
from tests.sync.phone import Phone


def counts(session):
    session.expire_all()
    return tuple(session.scalar(select(func.count()).select_from(table)) for table in (Visit, Photo, Receipt))


def test_a_visit_is_taken_in_once_and_its_receipt_says_so(phone, cast, session):
    key, home = uuid7(), cast.households[1]
    answer = phone.visit(home, key, sentence="家里都好")
    assert answer.status_code == 201
    said = answer.get_json()
    assert (said["id"], said["outcome"], said["at"]) == (str(key), "stored", "2026-11-18T01:41:00Z")
    assert said["epoch"] and said["backed_up_until"] is None and said["change"] >= 0
    visit = session.get_one(Visit, key)
    assert (visit.household_id, visit.sentence, visit.visitor_id) == (home.id, "家里都好", cast.users["worker"].id)
    assert (visit.visited_at, visit.recorded_at) == (NOW - timedelta(hours=2), NOW)
    receipt = session.get_one(Receipt, key)
    assert (receipt.user_id, receipt.community_id, receipt.phone, receipt.number) == (
        cast.users["worker"].id,
        cast.community.id,
        phone.id,
        1,
    )
    assert (receipt.made_at, receipt.received_at, receipt.clock_ahead) == (NOW - timedelta(hours=2), NOW, 0)


def test_the_same_item_again_gets_the_same_receipt(phone, cast, session):
    key = uuid7()
    first = phone.visit(cast.households[1], key, sentence="一", topics=["助餐", "看病"])
    again = phone.visit(cast.households[1], key, sentence="一", topics=["看病", "助餐"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert counts(session) == (2, 0, 1)


def test_another_body_under_the_same_key_is_not_taken(phone, cast, session):
    key = uuid7()
    phone.visit(cast.households[1], key, sentence="一")
    for answer in (
        phone.visit(cast.households[1], key, sentence="二"),
        phone.visit(cast.households[2], key, sentence="一"),
        phone.photo(key, jpeg(), key),
    ):
        assert (answer.status_code, answer.get_json()) == (409, _other(key))
    assert counts(session) == (2, 0, 1)
    assert session.get_one(Visit, key).sentence == "一"


def test_photos_follow_each_an_item_of_its_own(phone, cast, session):
    visit, first, second = uuid7(), uuid7(), uuid7()
    phone.visit(cast.households[1], visit)
    sent = [(first, jpeg(colour="red")), (second, jpeg(colour="blue")), (first, jpeg(colour="red"))]
    assert [phone.photo(visit, data, key).status_code for key, data in sent] == [201, 201, 200]
    assert set(session.scalars(select(Photo.id).where(Photo.visit_id == visit))) == {first, second}
    assert counts(session) == (2, 2, 3)


def test_ticking_what_is_ticked_gets_a_receipt_too(phone, cast, session):
    where = f"/follow-ups/{cast.follow_up.id}/done"
    assert phone.send(where).status_code == 201
    assert phone.send(where).status_code == 201
    assert counts(session)[2] == 2
    assert session.get_one(FollowUp, cast.follow_up.id).done_at == NOW - timedelta(hours=2)


def test_a_bad_item_is_refused_in_words_and_may_be_sent_again_mended(phone, cast, session):
    key = uuid7()
    answer = phone.visit(cast.households[1], key, outcome="", sentence="长" * 501)
    assert answer.status_code == 422
    said = answer.get_json()
    assert (said["id"], said["outcome"], set(said["fields"])) == (str(key), "refused", {"outcome", "sentence"})
    assert said["reason"] == "先点一下这次怎么样：见到了、没人在……"
    assert said["fields"]["sentence"] == "最多 500 个字，现在 501 个。"
    assert counts(session) == (1, 0, 0)
    assert phone.visit(cast.households[1], key).status_code == 201


@ON_ONE
def test_nobody_signed_in_or_somebody_else_waits_for_the_writer(phone, phone_of, sign_in, cast, session):
    key, home = uuid7(), cast.households[1]
    for person in (sign_in(None), sign_in("partner"), sign_in("director")):
        answer = Phone(person, cast.users["worker"].id).visit(home, key)
        assert (answer.status_code, answer.get_json()) == (401, {"outcome": "sign-in"})
    assert counts(session) == (1, 0, 0)
    assert phone.visit(home, key).status_code == 201
    other = phone_of("partner").visit(home, key)
    assert (other.status_code, other.get_json()) == (409, _other(key))


def _other(key):
    return {"id": str(key), "outcome": "other", "reason": "同一条发过别的内容，这次的没收。重新记一次。"}


def test_the_key_of_a_phone_is_one_and_stays(sign_in, cast):
    first = sign_in("worker").get("/sync/key").get_json()
    assert first == sign_in("worker").get("/sync/key").get_json()
    assert (first["user"], first["name"]) == (str(cast.users["worker"].id), "worker")
    assert first["key"] != sign_in("partner").get("/sync/key").get_json()["key"]


# --- what the headers say


WRONG = [
    {"Outbox-Id": "x"},
    {"Outbox-Id": "{01a20069-a54f-706e-b9ae-4e6ccd302b1f}"},
    {"Outbox-Number": "0"},
    {"Outbox-Number": "-1"},
    {"Outbox-Number": "2147483648"},
    {"Outbox-Number": "１"},
    {"Outbox-Phone": ""},
    {"Outbox-User": "me"},
    {"Outbox-Made-At": "yesterday"},
    {"Outbox-Made-At": "2026-11-18T09:41:00"},
    {"Outbox-Made-At": "2026-11-18T09:41:00+08:00"},
    {"Outbox-Sent-At": "9999-12-31T23:59:59Z"},
    {"Outbox-Sent-At": ""},
]


@ON_ONE
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_headers_that_no_phone_of_ours_writes_are_refused(wrong, phone, cast, session):
    headers = {name: value.encode().decode("latin1") for name, value in wrong.items()}
    answer = phone.visit(cast.households[1], headers=headers)
    assert (answer.status_code, answer.get_json()["outcome"]) == (400, "refused")
    assert counts(session) == (1, 0, 0)


@ON_ONE
def test_every_answer_to_an_item_is_json_that_nobody_keeps(app, phone, sign_in, cast):
    where = f"/households/{cast.households[1].id}/visits"
    answers = {
        201: phone.visit(cast.households[1]),
        422: phone.visit(cast.households[1], outcome=""),
        404: phone.send("/nowhere"),
        405: phone.send("/today"),
        403: phone.person.client.post(where, headers=phone.headers(uuid7()) | {"Sec-Fetch-Site": "cross-site"}),
        413: phone.send(where, {"sentence": "长" * 3_000_000}),
        401: Phone(sign_in(None), phone.user).send(where),
    }
    more = {
        422: phone.send(where, {"sentence": "\x00", "outcome": "met"}),
        404: phone.send("/language", {"language": "en"}),
        401: Phone(sign_in(None), phone.user).send("/sign-in", {"username": "worker", "password": "wrong"}),
        400: phone.send(f"/visits/{cast.visit.id}/photos"),
    }
    for status, answer in [*answers.items(), *more.items()]:
        assert answer.status_code == status, answer.get_data(as_text=True)[:200]
        assert answer.mimetype == "application/json"
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers and "Location" not in answer.headers
        if status >= 400 and status != 401:
            assert answer.get_json()["outcome"] == "refused" and answer.get_json()["reason"]


@ON_ONE
def test_a_form_that_was_cut_is_not_taken_for_a_whole_one(app, phone, cast, session):
    """gunicorn gives what came, and says that the body ends there."""
    key, where = uuid7(), f"/households/{cast.households[1].id}/visits"
    whole = f"visit_id={key}&outcome=met&sentence=%E6%B0%B4%E7%AE%A1".encode()
    picture = jpeg()
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    )
    for path, body, kind in (
        (where, whole, "application/x-www-form-urlencoded"),
        (f"/visits/{cast.visit.id}/photos", parts, "multipart/form-data; boundary=x"),
    ):
        for length in (0, 1, len(body) // 2, len(body) - 1):
            more = {"CONTENT_LENGTH": str(len(body)), "wsgi.input_terminated": True}
            sent = {"data": body[:length], "content_type": kind, "environ_overrides": more}
            answer = phone.person.client.post(path, headers=phone.headers(key) | SAME_SITE, **sent)
            assert (answer.status_code, answer.get_json()) == (408, {"outcome": "later"}), (path, length)
            assert phone.person.client.post(path, headers=SAME_SITE, **sent).status_code == 400
    assert counts(session) == (1, 0, 0)
    assert (
        phone.person.client.post(
            where, headers=phone.headers(key) | SAME_SITE, data=whole, content_type="application/x-www-form-urlencoded"
        ).status_code
        == 201
    )


@ON_ONE
def test_who_must_change_a_first_password_signs_in_first(phone, cast, session):
    cast.users["worker"].must_change_password = True
    session.commit()
    answer = phone.visit(cast.households[1])
    assert (answer.status_code, answer.get_json()) == (401, {"outcome": "sign-in"})
    assert counts(session) == (1, 0, 0)


@ON_ONE
def test_words_are_in_the_writers_language(phone, cast, session):
    cast.users["worker"].language = "en"
    session.commit()
    assert phone.visit(cast.households[1], outcome="").get_json()["reason"].startswith("Tap")


# --- clocks


@ON_ONE
@pytest.mark.parametrize(
    ("ahead", "ago", "visited"),
    [
        (timedelta(), timedelta(days=3), timedelta(days=3)),
        (timedelta(minutes=-30), timedelta(hours=1), timedelta(hours=1, minutes=30)),
        (timedelta(minutes=30), timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(hours=3), timedelta(hours=1), timedelta()),
    ],
)
def test_a_visit_has_the_phones_time_but_never_one_to_come(ahead, ago, visited, phone, cast, session):
    phone.ahead, key = ahead, uuid7()
    assert phone.visit(cast.households[1], key, made_at=NOW - ago).status_code == 201
    session.expire_all()
    visit, receipt = session.get_one(Visit, key), session.get_one(Receipt, key)
    assert NOW - visit.visited_at == visited
    assert (receipt.clock_ahead, receipt.made_at) == (ahead.total_seconds(), NOW - ago + ahead)


@ON_ONE
def test_a_time_that_the_phones_own_clock_had_reached_is_no_slip(phone, cast, session):
    phone.ahead, key = timedelta(days=1), uuid7()
    ahead = phone.visit(cast.households[1], key, visited_at="2026-11-19T07:00", made_at=NOW - timedelta(hours=1))
    assert (ahead.status_code, session.get_one(Visit, key).visited_at) == (201, NOW)
    slip = phone.visit(cast.households[1], visited_at="2026-11-20T07:00")
    assert (slip.status_code, set(slip.get_json()["fields"])) == (422, {"visited_at"})
    assert phone.visit(cast.households[1], made_at=NOW - timedelta(days=402)).status_code == 422


def test_a_clock_that_was_far_off_is_said_beside_the_visit(phone_of, cast, sign_in):
    home = cast.households[1]
    said = {"partner": "手机时间慢 6 分钟", "worker": "手机时间快 3 小时"}
    for username, ahead in (("partner", timedelta(minutes=-6)), ("worker", timedelta(hours=3))):
        phone = phone_of(username)
        phone.ahead = ahead
        phone.visit(home)
    phone_of("worker").visit(home)
    for where in (f"/households/{home.id}", f"/households/{home.id}/visits"):
        page = sign_in("director").get(where).get_data(as_text=True)
        assert [page.count(words) for words in said.values()] == [1, 1]
        assert page.count("手机时间") == 2


@ON_ONE
def test_nobody_home_has_the_phones_time_too(phone, cast, session):
    form = {"form_id": str(uuid7()), "households": [str(cast.households[1].id)]}
    where = f"/buildings/{cast.building.id}/visits"
    assert phone.send(where, form).status_code == 201
    visit = session.scalar(select(Visit).where(Visit.household_id == cast.households[1].id))
    assert visit.visited_at == NOW - timedelta(hours=2)
    assert phone.send(where, {"form_id": str(uuid7())}).status_code == 422


# --- corrections and photos


def test_a_correction_follows_what_it_corrects(phone, cast, session):
    first, second = uuid7(), uuid7()
    early = phone.visit(cast.households[1], second, corrects_id=str(first))
    assert (early.status_code, early.get_json()["reason"]) == (
        422,
        "要更正的那条不在服务器上。先把那条发上来，再记一次更正。",
    )
    phone.visit(cast.households[1], first, outcome="nobody")
    assert phone.visit(cast.households[1], second, corrects_id=str(first)).status_code == 201
    assert session.get_one(Visit, second).corrects_id == first
    late = phone.visit(cast.households[1], corrects_id=str(first))
    assert (late.status_code, late.get_json()["fields"]) == (422, {"form": "这条已经有人更正过了，去更正最新的那条。"})


@ON_ONE
def test_the_key_of_a_visit_is_its_items(phone, cast, session):
    where, key = f"/households/{cast.households[1].id}/visits", uuid7()
    assert phone.send(where, {"outcome": "met"}, key).status_code == 201
    assert session.get(Visit, key)
    other = phone.send(where, {"outcome": "met", "visit_id": str(uuid7())})
    assert (other.status_code, set(other.get_json()["fields"])) == (422, {"form"})


def test_photos_that_cannot_be_taken_say_why(phone, cast, session):
    visit = uuid7()
    phone.visit(cast.households[1], visit)
    for data, word in ((b"", "文件是空的"), (b"GIF89a", "不是 JPEG"), (jpeg()[:-200], "文件坏了")):
        answer = phone.photo(visit, data)
        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"photos"})
        assert word in answer.get_json()["reason"]
    statuses = [phone.photo(visit, jpeg(width=40 + n)).status_code for n in range(10)]
    assert statuses == [201] * 9 + [422]
    assert counts(session) == (2, 9, 10)


def test_a_photo_of_somebody_elses_visit_is_refused(phone_of, cast, session):
    assert phone_of("partner").photo(cast.visit.id, jpeg()).status_code == 404
    assert counts(session) == (1, 0, 0)


# --- what a phone may ask


def test_a_phone_learns_which_of_its_own_items_are_lacking(phone, phone_of, cast):
    mine, theirs, nobodys = uuid7(), uuid7(), uuid7()
    phone.visit(cast.households[1], mine)
    phone_of("partner").visit(cast.households[1], theirs)
    answer = phone.person.post("/sync/known", {"ids": [str(mine), str(theirs), str(nobodys)]})
    assert answer.get_json()["lacking"] == [str(theirs), str(nobodys)]
    assert {"epoch", "backed_up_until", "change"} < set(answer.get_json())
    assert phone.person.post("/sync/known", {"ids": [str(uuid7()) for _ in range(2000)]}).status_code == 200
    assert phone.person.post("/sync/known", {"ids": [str(uuid7()) for _ in range(2001)]}).status_code == 422
    assert phone.person.post("/sync/known", {"ids": ["x"]}).status_code == 422


# --- in one transaction with the effect


@pytest.fixture
def deed(app, phone_of):
    """A view of the test's own, and a phone that sends it an item."""
    app.add_url_rule("/deed", "test.deed", lambda: "", methods=["POST"])
    phone = phone_of("worker")

    def send(view, item=None):
        view.readers = frozenset({Role.WORKER})
        app.view_functions["test.deed"] = view
        return phone.send("/deed", item=item)

    return send


def test_the_receipt_is_in_the_transaction_that_writes_first(deed, cast, session):
    def view():
        opened = db.session()
        opened.commit()
        opened.scalar(select(Visit.id))
        opened.commit()
        assert opened.scalar(select(func.count()).select_from(Receipt)) == 0
        with opened.begin_nested():
            opened.add(_visit(cast))
        assert opened.scalar(select(func.count()).select_from(Receipt)) == 0
        opened.commit()
        assert opened.scalar(select(func.count()).select_from(Receipt)) == 1
        opened.add(_visit(cast))
        opened.commit()
        return ""

    assert deed(view).status_code == 201
    assert counts(session) == (3, 0, 1)


def _visit(cast):
    return Visit(
        community_id=cast.community.id,
        household_id=cast.households[1].id,
        visitor_id=cast.users["worker"].id,
        visited_at=NOW,
        visited_on=NOW.date(),
        recorded_at=NOW,
        outcome="met",
    )


def test_a_bulk_statement_is_an_effect_too(deed, cast, session):
    def view():
        db.session().execute(update(Visit).values(sentence="改"))
        db.session().commit()
        assert db.session().scalar(select(func.count()).select_from(Receipt)) == 1
        return ""

    assert deed(view).status_code == 201


@pytest.mark.parametrize("end", ["abort", "raise", "forget", "refuse"])
def test_a_view_that_fails_leaves_nothing(end, deed, cast, session):
    def view():
        db.session().add(_visit(cast))
        db.session().flush()
        if end == "raise":
            raise RuntimeError
        if end == "abort":
            abort(422, "没写对")
        if end == "refuse":
            return pages.refuse("没写对")
        return ""

    answer = deed(view)
    assert answer.status_code == {"raise": 500, "abort": 422, "refuse": 422, "forget": 201}[end]
    if end == "raise":
        assert answer.get_json() == {"outcome": "later"}
    if answer.status_code == 422:
        assert answer.get_json()["reason"] == "没写对"
    assert counts(session) == (1, 0, int(end == "forget"))


def test_what_was_written_keeps_its_receipt_whatever_the_view_says_then(deed, cast, session):
    def view():
        db.session().add(_visit(cast))
        db.session().commit()
        raise RuntimeError

    key = uuid7()
    assert deed(view, key).status_code == 201
    assert deed(view, key).status_code == 200
    assert counts(session) == (2, 0, 1)


def test_what_was_undone_takes_its_receipt_along(deed, cast, session):
    def view():
        opened = db.session()
        opened.add(_visit(cast))
        opened.flush()
        opened.rollback()
        opened.commit()
        assert opened.scalar(select(func.count()).select_from(Receipt)) == 0
        opened.add(_visit(cast))
        opened.commit()
        return ""

    assert deed(view).status_code == 201
    assert counts(session) == (2, 0, 1)


# --- at the same moment, on a database that is really shared


def at_once(sends):
    """Call them all at the same moment; what each gave, in order."""
    ready = Barrier(len(sends))

    def go(send):
        ready.wait()
        return send()

    with ThreadPoolExecutor(len(sends)) as pool:
        return list(pool.map(go, sends))


def shared_counts(served):
    with served.app.extensions["fieldapp-sessions"]() as session:
        return counts(session)


@pytest.mark.parametrize("what", ["visit", "tick", "photo", "bulk"])
def test_an_item_sent_four_times_at_once_has_one_effect_and_one_receipt(what, served):
    phones = [served.phone_of("worker") for _ in range(4)]
    cast, key, visit = served.cast, uuid7(), uuid7()
    phones[0].visit(cast.households[2], visit)
    before = shared_counts(served)
    sends = {
        "visit": lambda phone: lambda: phone.visit(cast.households[1], key, promise="问一问"),
        "tick": lambda phone: lambda: phone.send(f"/follow-ups/{cast.follow_up.id}/done", {}, key),
        "photo": lambda phone: lambda: phone.photo(visit, jpeg(), key),
        "bulk": lambda phone: (
            lambda: phone.send(
                f"/buildings/{cast.building.id}/visits",
                {"form_id": str(key), "households": [str(home.id) for home in cast.households]},
                key,
            )
        ),
    }
    answers = at_once([sends[what](phone) for phone in phones])
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({(answer.get_json()["id"], answer.get_json()["at"]) for answer in answers}) == 1
    effect = {"visit": (1, 0), "tick": (0, 0), "photo": (0, 1), "bulk": (4, 0)}[what]
    after = shared_counts(served)
    assert tuple(b - a for a, b in zip(before, after, strict=True)) == (*effect, 1)


def test_two_bodies_under_one_key_at_once_are_one_item(served):
    phones, key = [served.phone_of("worker") for _ in range(4)], uuid7()
    home = served.cast.households[1]
    answers = at_once([partial(phone.visit, home, key, sentence=str(n % 2)) for n, phone in enumerate(phones)])
    assert sorted(answer.status_code for answer in answers) == [200, 201, 409, 409]
    assert shared_counts(served) == (2, 0, 1)


def test_keys_of_phones_that_ask_at_once_are_one(served):
    people = [served.phone_of("worker").person for _ in range(4)]
    answers = at_once([partial(person.get, "/sync/key") for person in people])
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.data for answer in answers}) == 1


def test_a_busy_database_is_to_be_asked_again_later(served, engine):
    phone, home = served.phone_of("worker"), served.cast.households[1]
    bound = served.app.extensions["fieldapp-engine"]
    if engine.dialect.name == "sqlite":
        bound.dispose()
        event.listen(bound, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout=50"))
    else:
        event.listen(bound, "begin", lambda connection: connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'"))
    with make_engine(served.url).connect() as other:
        other.execute(text("UPDATE household SET note = '占着'"))
        key = uuid7()
        answer = phone.visit(home, key)
        assert (answer.status_code, answer.get_json()) == (503, {"outcome": "later"})
        other.rollback()
    assert shared_counts(served) == (1, 0, 0)
    assert phone.visit(home, key).status_code == 201


# --- any sequence of sends


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_sends_ends_with_each_item_once(seed, phone_of, cast, session):
    chance = Random(seed)
    phones = {name: phone_of(name) for name in ("worker", "partner", "other")}
    taken: dict[UUID, tuple[str, int, dict]] = {}
    for _ in range(120):
        name, home = chance.choice(list(phones)), chance.randrange(4)
        form = {"sentence": chance.choice("一二三"), "topics": chance.sample(["助餐", "看病"], 2)}
        key = chance.choice(list(taken)) if taken and chance.random() < 0.6 else uuid7()
        if key in taken and chance.random() < 0.7:
            name, home, form = taken[key]
            form = form | {"topics": form["topics"][::-1]}
        if is_bad := chance.random() < 0.1:
            form = form | {"outcome": ""}
        answer = phones[name].visit(cast.households[home], key, **form)
        said = form | {"topics": sorted(form["topics"])}
        if key in taken:
            same = taken[key] == (name, home, said)
            assert answer.status_code == (200 if same else 409)
        elif name == "other":
            assert answer.status_code == 404
        elif is_bad:
            assert answer.status_code == 422
        else:
            assert answer.status_code == 201
            taken[key] = (name, home, said)
    session.expire_all()
    made = {visit.id: visit for visit in session.scalars(select(Visit).where(Visit.id != cast.visit.id))}
    receipts = {receipt.id: receipt.user_id for receipt in session.scalars(select(Receipt))}
    assert set(made) == set(receipts) == set(taken)
    for key, (name, home, said) in taken.items():
        assert receipts[key] == made[key].visitor_id == cast.users[name].id
        assert (made[key].household_id, made[key].sentence) == (cast.households[home].id, said["sentence"])


@pytest.mark.parametrize("username", list(ROLES))
def test_nobody_gets_a_receipt_for_what_they_may_not_write(username, phone_of, cast, session):
    key = uuid7()
    answer = phone_of(username).visit(cast.households[1], key)
    is_ours = username in ("worker", "partner")
    assert answer.status_code == (201 if is_ours else 404)
    assert (session.get(Receipt, key) is not None) == (session.get(Visit, key) is not None) == is_ours


@ON_ONE
def test_nobody_reads_the_receipt_of_somebody_else(phone, phone_of, cast):
    key, form = uuid7(), {"sentence": "一"}
    at = phone.visit(cast.households[1], key, **form).get_json()["at"]
    for username in set(ROLES) - {"worker"}:
        answer = phone_of(username).visit(cast.households[1], key, **form)
        assert answer.status_code in (404, 409)
        assert at not in answer.get_data(as_text=True)
        assert phone_of(username).person.post("/sync/known", {"ids": str(key)}).get_json()["lacking"] == [str(key)]
