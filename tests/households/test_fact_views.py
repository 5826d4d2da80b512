"""Changing a fact through the forms: in place, again with what was wrong, from a phone's outbox; deciding; history."""

import html
import re
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.app import create_app
from fieldapp.db import uuid7
from fieldapp.households.models import FactChange, FactProposal, Resident
from fieldapp.households.queries import residents_of
from fieldapp.language import LANGUAGES
from tests.conftest import KEYRING, NOW, Person
from tests.factories import CHEAP, PASSWORD, make_cast, make_resident
from tests.routes import ON_ONE, fresh_postgres

OLD, NEW, OTHER = "15400000001", "15400000002", "15400000003"


@pytest.fixture
def home(cast):
    return cast.households[0]


@pytest.fixture
def person(session, home):
    made = make_resident(session, home, "张小明", phone=OLD, relation="20", position=1)
    session.commit()
    return made


def form_of(page: str, action: str) -> dict[str, str]:
    """What a form of a page sends as it stands: its inputs."""
    [inside] = re.findall(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    inputs = re.findall(r"<input[^>]*>", inside)
    pairs = ((re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in inputs)
    return {name[1]: html.unescape(value[1]) if value else "" for name, value in pairs if name and name[1] != "none"}


def page_of(who: Person, home: Any) -> str:
    answer = who.get(f"/households/{home.id}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def send(who: Person, home: Any, resident: Any, **typed: str) -> Any:
    """Fill in the form of a resident on their household's page, and send it."""
    action = f"/residents/{resident.id}/facts" if resident else f"/households/{home.id}/facts"
    return who.post(action, form_of(page_of(who, home), action) | typed)


def test_a_fact_is_changed_in_place(sign_in, session, home, person) -> None:
    worker = sign_in("worker")
    answer = send(worker, home, person, field="phone", value="154 0000 0002")
    assert (answer.status_code, answer.location) == (303, f"/households/{home.id}")
    said = page_of(worker, home)
    assert "电话改好了" in said
    assert f'href="tel:{NEW}"' in said
    session.expire_all()
    assert (person.phone, person.phone_tail) == (NEW, "0002")


def test_a_form_says_what_its_page_showed_and_leaves_its_key_to_the_phone(sign_in, home, person) -> None:
    action = f"/residents/{person.id}/facts"
    said = page_of(sign_in("worker"), home)
    assert form_of(said, action) == {
        "change_id": "",
        "saw-phone": OLD,
        "saw-name": "张小明",
        "saw-relation": "20",
        "value": "",
    }
    [form] = re.findall(rf'<form[^>]*action="{action}"[^>]*>', said)
    assert 'data-door="fact"' in form
    assert f'data-of="{home.id}"' in form


@pytest.mark.parametrize("username", ["partner", "director"])
def test_the_partner_and_the_director_change_facts_too(sign_in, session, home, person, username) -> None:
    assert send(sign_in(username), home, person, field="sex", value="男").status_code == 303
    session.expire_all()
    assert person.sex == "1"


def test_the_households_note(sign_in, session, home, person) -> None:
    worker = sign_in("worker")
    assert send(worker, home, None, value="院里有狗\r\n敲后门").status_code == 303
    assert "院里有狗" in page_of(worker, home)
    assert send(worker, home, None, value="").status_code == 303
    session.expire_all()
    assert home.note is None


def test_what_is_wrong_is_said_beside_what_was_typed(sign_in, session, home, person) -> None:
    worker = sign_in("worker")
    answer = send(worker, home, person, field="phone", value="154 0000 002<")
    said = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "写电话号码" in said
    again = form_of(said, f"/residents/{person.id}/facts")
    assert (again["value"], again["saw-phone"], again["field"]) == ("154 0000 002<", OLD, "phone")
    assert "手机号是 11 位，这里有 10 位" in send(worker, home, person, field="phone", value="1540000002").text
    assert worker.post(f"/residents/{person.id}/facts", again | {"value": NEW}).status_code == 303
    session.expire_all()
    assert person.phone == NEW


@pytest.mark.parametrize(
    "field", ["phone", "name", "birth_date", "sex", "relation", "registered_at", "is_temporary", "note"]
)
def test_every_fact_can_be_tried_again(sign_in, home, person, field) -> None:
    resident = None if field == "note" else person
    answer = send(sign_in("worker"), home, resident, field=field, value="长" * 300)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_second_head_is_refused_in_words(sign_in, home, person) -> None:
    answer = send(sign_in("worker"), home, person, field="relation", value="户主")
    assert answer.status_code == 422
    assert "这一户的户主是张桂兰" in answer.text


@pytest.mark.parametrize(
    "rubbish",
    [
        {},
        {"field": "id_number", "value": "x"},
        {"field": "note", "value": "x"},
        {"field": "__class__", "value": "x"},
        {"field": "phone"},
        {"field": "phone", "value": NEW, "change_id": "x"},
        {"field": "phone", "value": NEW, "none": "1"},
        {"field": "name", "none": "1"},
    ],
)
def test_rubbish_is_refused_and_writes_nothing(sign_in, session, home, person, rubbish) -> None:
    worker = sign_in("worker")
    assert worker.post(f"/residents/{person.id}/facts", rubbish).status_code == 422
    assert list(session.scalars(select(FactChange))) == []


def test_nobody_of_elsewhere_changes_anything(sign_in, session, cast, home, person) -> None:
    far = residents_of(session, cast.far_household.id)[0]
    typed = {"field": "phone", "value": NEW}
    assert sign_in("worker").post(f"/residents/{far.id}/facts", typed).status_code == 404
    for username in ("other", "neighbour", "stranger", "street", "admin"):
        assert sign_in(username).post(f"/residents/{person.id}/facts", typed).status_code == 404, username
    assert sign_in("worker").post(f"/residents/{uuid7()}/facts", typed).status_code == 404


# --- two people


@pytest.fixture
def two(sign_in, home, person):
    """Worker and partner have the same page open; the partner's phone number arrives first."""
    worker, partner = sign_in("worker"), sign_in("partner")
    action = f"/residents/{person.id}/facts"
    seen = form_of(page_of(worker, home), action)
    partner.post(action, seen | {"field": "phone", "value": NEW})
    worker.post(action, seen | {"field": "phone", "value": OTHER})
    return worker, partner


def decision(said: str, choice: str) -> tuple[str, dict[str, str]]:
    """Where a decision is posted, and what its button sends."""
    [action] = set(re.findall(r'action="(/proposals/[^"]*)"', said))
    forms = re.findall(rf'<form[^>]*action="{action}".*?</form>', said, re.DOTALL)
    [inside] = [form for form in forms if f'name="choice" value="{choice}"' in form]
    return action, form_of(inside, action)


def test_both_values_stand_on_the_page_with_who_wrote_them(sign_in, two, session, cast, home, person) -> None:
    cast.users["worker"].name, cast.users["partner"].name = "周敏", "陈晓东"
    session.commit()
    for username in ("worker", "partner", "director"):
        said = page_of(sign_in(username), home)
        assert "张小明的电话有两种说法" in said
        assert "周敏 · 11月18日 9:41" in said
        assert "陈晓东 · 11月18日 9:41" in said
    assert "别人刚改过" in page_of(two[0], home)
    for page in ("/today?all=1", "/matters", f"/buildings/{cast.building.id}"):
        assert "两种说法" not in two[0].get(page).text, page


def test_phones_are_masked_unless_they_would_read_the_same(sign_in, two, session, home, person) -> None:
    # OTHER and NEW differ in their last digit.
    said = page_of(sign_in("director"), home)
    assert "<b>154****0003</b>" in said and "<b>154****0002</b>" in said
    session.scalars(select(FactProposal)).one().value = "15499990002"
    session.commit()
    said = page_of(sign_in("director"), home)
    assert "<b>15499990002</b>" in said and f"<b>{NEW}</b>" in said


@pytest.mark.parametrize(("choice", "kept"), [("theirs", OTHER), ("kept", NEW)])
def test_one_tap_decides_and_a_second_one_changes_nothing(sign_in, two, session, home, person, choice, kept) -> None:
    director = sign_in("director")
    said = page_of(director, home)
    action, sent = decision(said, choice)
    _, against = decision(said, "kept" if choice == "theirs" else "theirs")
    answer = director.post(action, sent)
    assert (answer.status_code, answer.location) == (303, f"/households/{home.id}")
    assert two[0].post(action, sent).status_code == 303
    assert two[1].post(action, against).status_code == 303
    session.expire_all()
    assert person.phone == kept
    assert len(list(session.scalars(select(FactChange)))) == (2 if choice == "theirs" else 1)
    assert "两种说法" not in page_of(director, home)


def test_who_decides_on_an_old_page_is_shown_the_new_one(sign_in, two, session, home, person) -> None:
    action, sent = decision(page_of(two[0], home), "theirs")
    send(two[1], home, person, field="phone", value="15400000009")
    assert two[0].post(action, sent).status_code == 303
    said = page_of(two[0], home)
    assert "刚才又有人改了电话" in said and "两种说法" in said
    session.expire_all()
    assert person.phone == "15400000009"


@pytest.mark.parametrize("typed", [{}, {"choice": "both"}, {"choice": ""}])
def test_a_decision_that_is_none_is_refused(two, home, typed) -> None:
    action, _ = decision(page_of(two[0], home), "kept")
    assert two[0].post(action, typed).status_code == 422


def test_a_decision_that_the_record_denies_says_so(sign_in, session, cast, home, person) -> None:
    proposed = FactProposal(
        id=uuid7(),
        community_id=home.community_id,
        household_id=home.id,
        resident_id=person.id,
        field="relation",
        value="02",
        proposed_by_id=cast.users["partner"].id,
        proposed_at=NOW - timedelta(hours=1),
    )
    session.add(proposed)
    session.commit()
    worker = sign_in("worker")
    answer = worker.post(f"/proposals/{proposed.id}/decision", {"choice": "theirs"})
    assert answer.status_code == 422
    assert "这一户的户主是张桂兰" in answer.text
    assert "两种说法" in page_of(worker, home)


def test_the_history_says_who_changed_what_from_what_to_what(sign_in, two, session, cast, home, person) -> None:
    cast.users["partner"].name = "陈晓东"
    session.commit()
    action, sent = decision(page_of(two[0], home), "kept")
    two[0].post(action, sent)
    send(two[0], home, person, field="relation", value="女婿")
    send(two[0], home, None, value="院里有狗")
    said = two[0].get(f"/households/{home.id}/history").text
    lines = [re.sub(r"<[^>]*>|\s+", " ", line) for line in said.split("<li>")[1:]]
    assert "备注" in lines[0] and "院里有狗" in lines[0]
    assert "张小明" in lines[1] and "儿子" in lines[1] and "女婿" in lines[1]
    assert "154****0001" in lines[2] and "154****0002" in lines[2] and "陈晓东" in lines[2]
    assert "没有用上的说法" in said and "154****0003" in lines[3]
    assert f"/households/{home.id}/history" in page_of(two[0], home)
    assert OLD not in said


def test_a_household_without_a_history_says_so(sign_in, home) -> None:
    assert "还没改过" in sign_in("director").get(f"/households/{home.id}/history").text


def test_as_many_statements_for_ten_differences_as_for_one(sign_in, session, cast, home, two, count_queries) -> None:
    def statements(address: str) -> int:
        before = count_queries()
        assert two[0].get(address).status_code == 200
        return count_queries() - before

    pages = (f"/households/{home.id}", f"/households/{home.id}/history", "/today")
    for page in pages:
        statements(page)  # the notice of the last form is shown once, and the build is looked up
    few = [statements(page) for page in pages]
    for i in range(10):
        resident = make_resident(session, home, f"孩{i}", position=i + 2)
        for model, who in ((FactChange, "changed"), (FactProposal, "proposed")):
            session.add(
                model(
                    id=uuid7(),
                    community_id=home.community_id,
                    household_id=home.id,
                    resident_id=resident.id,
                    field="registered_at",
                    **{f"{who}_by_id": cast.users["partner"].id, f"{who}_at": NOW},
                    **({"new": "a"} if who == "changed" else {"value": f"镇{i}"}),
                )
            )
    session.commit()
    assert [statements(page) for page in pages] == few
    assert page_of(two[0], home).count("有两种说法") == 11


# --- from a phone


def item_headers(user: Any, made_at: str = "2026-11-18T00:30:00Z") -> dict[str, str]:
    return {
        "Outbox-Id": str(uuid7()),
        "Outbox-User": str(user.id),
        "Outbox-Phone": str(uuid7()),
        "Outbox-Number": "1",
        "Outbox-Made-At": made_at,
        "Outbox-Sent-At": "2026-11-18T01:41:00Z",
    }


def test_an_item_of_an_outbox_is_taken_in_once_at_the_phones_time(sign_in, session, cast, home, person) -> None:
    worker, headers = sign_in("worker"), item_headers(cast.users["worker"])
    typed = {"change_id": headers["Outbox-Id"], "saw-phone": OLD, "field": "phone", "value": NEW}
    answers = [worker.post(f"/residents/{person.id}/facts", typed, headers=headers) for _ in range(2)]
    assert [(a.status_code, a.json["outcome"]) for a in answers] == [(201, "stored"), (200, "stored")]
    [kept] = session.scalars(select(FactChange))
    assert (str(kept.id), kept.changed_at) == (headers["Outbox-Id"], NOW - timedelta(minutes=71))


def test_a_phone_that_thinks_it_is_1970_does_not_make_history_so_old(sign_in, session, cast, home, person) -> None:
    headers = item_headers(cast.users["worker"], "1970-01-01T00:00:00Z")
    typed = {"saw-phone": OLD, "field": "phone", "value": NEW}
    assert sign_in("worker").post(f"/residents/{person.id}/facts", typed, headers=headers).status_code == 201
    assert session.scalars(select(FactChange)).one().changed_at == NOW


def test_an_item_that_cannot_be_taken_says_why(sign_in, cast, home, person) -> None:
    headers = item_headers(cast.users["worker"])
    answer = sign_in("worker").post(f"/residents/{person.id}/facts", {"field": "phone", "value": "1"}, headers=headers)
    assert (answer.status_code, answer.json["outcome"]) == (422, "refused")
    assert answer.json["fields"] == {"value": answer.json["reason"]}
    assert "写电话号码" in answer.json["reason"]


@ON_ONE
@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_the_form_offers_is_read(sign_in, session, cast, home, person, language) -> None:
    cast.users["worker"].language = language
    session.commit()
    worker = sign_in("worker")
    said = page_of(worker, home)
    offered = {
        field: re.findall(r'(?:option|name="value") value="([^"]+)"', inside)
        for field, inside in re.findall(r'<template data-fact="(\w+)">(.*?)</template>', said, re.DOTALL)
    }
    assert [len(offered[field]) for field in ("sex", "is_temporary", "relation")] == [2, 2, 25]
    for field in ("sex", "is_temporary", "relation"):
        for value in offered[field]:
            answer = send(worker, home, person, field=field, value=value)
            assert answer.status_code == (422 if (field, value) == ("relation", "02") else 303), (field, value)
    assert worker.get(f"/households/{home.id}/history").status_code == 200


# --- two at once, on a database of their own


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request, tmp_path, monkeypatch):
    """The program on a database that several may write to at once."""
    monkeypatch.setattr("fieldapp.accounts.operations._hasher", CHEAP)
    url = f"sqlite:///{tmp_path / 'two.db'}"
    if request.param == "postgresql":
        url = fresh_postgres(request.getfixturevalue("postgres_url"))
    config = {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": url, "SECRET_KEY": "x", "NOW": NOW, "KEYRING": KEYRING}
    app = create_app(config)
    engine = app.extensions["fieldapp-engine"]
    schema.upgrade(engine)
    yield app
    engine.dispose()


def test_two_at_once_never_both_write(served) -> None:
    with Session(served.extensions["fieldapp-engine"], expire_on_commit=False) as session:
        resident = residents_of(session, make_cast(session, NOW).households[0].id)[0].id
        session.commit()
    people = [Person(served.test_client()) for _ in range(2)]
    for somebody, username in zip(people, ("worker", "partner"), strict=True):
        assert somebody.post("/sign-in", {"username": username, "password": PASSWORD}).status_code == 303
    seen = ""
    for turn in range(6):
        numbers = [f"1540000{turn}00{i}" for i in range(2)]
        assert _at_once(people, resident, seen, numbers) == [303, 303]
        with Session(served.extensions["fieldapp-engine"]) as session:
            written = [change.new for change in session.scalars(select(FactChange)) if change.new in numbers]
            proposed = [
                proposal.value for proposal in session.scalars(select(FactProposal)) if proposal.value in numbers
            ]
            assert sorted(written + proposed) == numbers
            assert [session.get_one(Resident, resident).phone] == written
        seen = written[0]


def _at_once(people: list[Person], resident: Any, saw: str, numbers: list[str]) -> list[int]:
    """Each of two people sends a number of their own, who saw the same; their answers' statuses."""
    start, answers = Barrier(2), []

    def post(somebody: Person, number: str) -> None:
        start.wait(30)
        typed = {"field": "phone", "value": number, "saw-phone": saw}
        answers.append(somebody.post(f"/residents/{resident}/facts", typed).status_code)

    threads = [Thread(target=post, args=pair) for pair in zip(people, numbers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


# --- ID numbers

NUMBER = "320211195703023514"


def _seen(page: str) -> str:
    found = re.search(r'name="saw-id_number" value="([^"]*)"', page)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("32021119570302351", "18 位"),
        ("320211195713023518", "出生日期不对"),
        ("320211195703023517", "最后一位对不上"),
        ("110101199003070134", "登记的出生日期对不上"),
    ],
)
def test_an_id_number_must_be_sound_and_agree_with_the_record(typed, words, sign_in, session, cast):
    person = make_resident(session, cast.households[0], "陈新", birth_date=date(1957, 3, 2), sex="1")
    session.commit()
    answer = sign_in("worker").post(f"/residents/{person.id}/facts", {"field": "id_number", "value": typed})
    assert answer.status_code == 422
    assert words in answer.text
    session.expire_all()
    assert session.get(Resident, person.id).id_number is None


def test_a_page_carries_no_id_number_and_knows_it_again(sign_in, session, cast):
    person = make_resident(session, cast.households[0], "陈新", birth_date=date(1957, 3, 2), sex="1")
    session.commit()
    worker, where = sign_in("worker"), f"/households/{person.household_id}"
    typed = {"field": "id_number", "value": "３２０２１１ 19570302 3514"}
    assert worker.post(f"/residents/{person.id}/facts", typed).status_code == 303
    page = worker.get(where).text
    assert NUMBER not in page
    assert NUMBER not in worker.get(f"{where}/history").text
    session.expire_all()
    assert session.get(Resident, person.id).id_number == NUMBER
    other = "320211195703021113"
    changed = {"field": "id_number", "value": other, "saw-id_number": _seen(page)}
    worker.post(f"/residents/{person.id}/facts", changed)
    session.expire_all()
    assert session.get(Resident, person.id).id_number == other  # what the page showed was what is on record
    late = {"field": "id_number", "value": "320211195703021033", "saw-id_number": _seen(page)}
    sign_in("partner").post(f"/residents/{person.id}/facts", late)
    session.expire_all()
    assert session.get(Resident, person.id).id_number == other
    page = worker.get(where).text
    assert "有两种说法" in page
    assert other not in page
    proposal = session.scalars(select(FactProposal).where(FactProposal.resident_id == person.id)).one()
    saw = re.search(
        rf'/proposals/{proposal.id}/decision"><input[^>]*><input type="hidden" name="saw" value="(\w+)"', page
    )
    assert worker.post(f"/proposals/{proposal.id}/decision", {"choice": "theirs", "saw": saw[1]}).status_code == 303
    session.expire_all()
    assert session.get(Resident, person.id).id_number == "320211195703021033"


def test_a_change_says_that_it_was_made_on_the_day_of_a_visit(sign_in, session, cast):
    worker, household = sign_in("worker"), cast.households[0]
    worker.post(f"/households/{household.id}/facts", {"field": "note", "value": "院里有狗", "saw-note": ""})
    address = f"/households/{household.id}/history"
    before = worker.get(address).text.count("走访那天改的")
    worker.post(f"/households/{household.id}/visits", {"outcome": "met"})
    assert (before, worker.get(address).text.count("走访那天改的")) == (0, 1)
