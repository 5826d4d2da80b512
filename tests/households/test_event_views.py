"""The short forms for what happens in a household, from a page and from a phone; the history, and taking back."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from fieldapp.db import uuid7
from fieldapp.households.models import CareMembership, FactChange, LifeEvent, Resident
from fieldapp.households.queries import residents_of
from fieldapp.language import LANGUAGES
from tests.conftest import NOW
from tests.factories import make_care, make_group, make_resident
from tests.routes import ON_ONE
from tests.sync.phone import Phone


@pytest.fixture
def home(cast):
    return cast.households[0]


@pytest.fixture
def worker(sign_in):
    return sign_in("worker")


def page(answer, status=200):
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def names(session, home):
    session.expire_all()
    return [one.name for one in residents_of(session, home.id)]


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_the_way_from_the_page_to_the_record(worker, session, cast, home):
    make_group(session, cast.community, "new_arrival", within_days=30)
    session.commit()
    assert f'href="/households/{home.id}/events/new"' in page(worker.get(f"/households/{home.id}"))
    forms = page(worker.get(f"/households/{home.id}/events/new?kind=moved_in"))
    for word in ("搬来", "搬走", "出生", "去世", "结婚", "分户", "租客", "张桂兰"):
        assert word in forms
    assert forms.count('class="card fold event" open') == 1
    sent = {"kind": "moved_in", "event_id": str(uuid7()), "name-1": "王五", "phone-1": "15400001234", "sex-1": "1"}
    for _ in range(2):
        answer = worker.post(f"/households/{home.id}/events", sent)
        assert (answer.status_code, answer.location) == (303, f"/households/{home.id}")
    shown = page(worker.get(f"/households/{home.id}"))
    assert "记下了：搬来。" in shown
    assert "11月18日搬来，不到 90 天" in shown
    assert names(session, home) == ["张桂兰", "王五"]
    assert count(session, LifeEvent) == count(session, CareMembership) == 1


def test_a_form_with_faults_comes_back_as_it_was_typed(worker, session, home):
    sent = {"kind": "moved_in", "name-1": "王五", "phone-1": "154 0000 1", "happened_on": "2026-11-03"}
    again = page(worker.post(f"/households/{home.id}/events", sent), 422)
    assert "手机号是 11 位，这里有 8 位" in again
    for typed in ("王五", "154 0000 1", "2026-11-03"):
        assert f'value="{typed}"' in again
    again = page(worker.post(f"/households/{home.id}/events", {"kind": "moved_in", "name-1": "张桂兰"}), 422)
    assert "这一户已经登记了张桂兰。" in again
    gone = {"kind": "died", "who": str(uuid7())}
    assert "已经不在这一户了" in page(worker.post(f"/households/{home.id}/events", gone), 422)
    assert "至少写一个人的姓名" in page(worker.post(f"/households/{home.id}/events", {"kind": "born"}), 422)
    assert count(session, LifeEvent) == 0
    assert names(session, home) == ["张桂兰"]


def test_a_phone_sends_an_event_once(sign_in, cast, session, home):
    phone = Phone(sign_in("worker"), cast.users["worker"].id)
    key, made = uuid7(), NOW - timedelta(days=1)
    form = {"kind": "born", "event_id": str(key), "name-1": "小宝"}
    for status in (201, 200):
        answer = phone.send(f"/households/{home.id}/events", form, key, made_at=made)
        assert (answer.status_code, answer.get_json()["outcome"]) == (status, "stored")
    event = session.get_one(LifeEvent, key)
    assert (event.happened_on, event.recorded_at) == (date(2026, 11, 17), made)
    assert names(session, home) == ["张桂兰", "小宝"]
    again = phone.send(f"/households/{home.id}/events", {"kind": "born", "name-1": "小宝"})
    assert (again.status_code, again.get_json()["reason"]) == (422, "这一户已经登记了小宝。")
    assert names(session, home) == ["张桂兰", "小宝"]


def test_the_history_shows_a_day_and_takes_back(worker, session, home):
    son = make_resident(session, home, "张小明", position=1, recorded_on=date(2026, 11, 1))
    session.commit()
    worker.post(f"/residents/{son.id}/facts", {"field": "registered_at", "value": "无锡市", "saw-registered_at": ""})
    worker.post(f"/households/{home.id}/events", {"kind": "moved_out", "who": str(son.id)})
    shown = page(worker.get(f"/households/{home.id}/history"))
    assert "搬走</b> 张小明" in shown
    then = page(worker.get(f"/households/{home.id}/history?day=2026-11-10"))
    past = then[then.index("11月10日知道的") : then.index("家里的变动")]
    assert "张桂兰" in past and "张小明" in past and "无锡市" not in past
    before = page(worker.get(f"/households/{home.id}/history?day=2026-10-31"))
    assert "张小明" not in before[before.index("10月31日知道的") : before.index("家里的变动")]
    assert "年月日都要有" in page(worker.get(f"/households/{home.id}/history?day=昨天"), 422)
    page(worker.get(f"/households/{home.id}/history?day=2026-11-19"), 422)
    [undo] = re.findall(r'action="(/events/[^"]+/undo)"', shown)
    for _ in range(2):
        assert worker.post(undo).location == f"/households/{home.id}/history"
    assert names(session, home) == ["张桂兰", "张小明"]
    shown = page(worker.get(f"/households/{home.id}/history"))
    [undo] = re.findall(r'action="(/changes/[^"]+/undo)"', shown)
    assert worker.post(undo).status_code == 303
    assert session.get_one(Resident, son.id, populate_existing=True).registered_at is None


def test_what_changed_since_is_said_in_words(worker, session, home):
    head = residents_of(session, home.id)[0]
    for value in ("无锡市", "苏州市"):
        worker.post(f"/residents/{head.id}/facts", {"field": "registered_at", "value": value})
    first = session.scalars(select(FactChange).order_by(FactChange.changed_at)).first()
    assert "后来又变过了" in page(worker.post(f"/changes/{first.id}/undo"), 422)
    worker.post(f"/households/{home.id}/events", {"kind": "married", "who": str(head.id)})
    by_event = session.scalars(select(FactChange).where(FactChange.field == "marital")).one()
    assert "撤那次变动" in page(worker.post(f"/changes/{by_event.id}/undo"), 422)


def test_every_kind_is_read_in_the_history(worker, session, home):
    head, where = residents_of(session, home.id)[0], f"/households/{home.id}/events"
    son = make_resident(session, home, "张小明", position=1, relation="20")
    session.commit()
    for sent in (
        {"kind": "married", "who": str(son.id), "marital": "22", "name-1": "赵敏"},
        {"kind": "born", "name-1": "小宝"},
        {"kind": "died", "who": str(head.id), "head": str(son.id)},
        {"kind": "split", "who": str(son.id)},
        {"kind": "moved_out", "everyone": "1"},
        {"kind": "tenants", "name-1": "租一", "note": "房东在苏州"},
        {"kind": "moved_in", "name-1": "租二"},
    ):
        assert worker.post(where, sent).status_code == 303, sent
    shown = page(worker.get(f"/households/{home.id}/history?day=2026-11-18"))
    for word in ("再婚", "张小明、赵敏", "换了一户", "搬走了", "租住", "房东在苏州", "搬来的日子", "离开的日子"):
        assert word in shown, word


def test_a_review_that_is_due_is_said(worker, session, cast, home):
    make_care(session, home, make_group(session, cast.community), date(2026, 1, 1), review_on=NOW.date())
    session.commit()
    assert "该复核了" in page(worker.get(f"/households/{home.id}"))


@ON_ONE
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_forms_for_every_household_name_nobody(app, sign_in, language):
    worker = sign_in("worker")
    worker.post("/me/language", {"language": language})
    blank = page(worker.get("/events/new"))
    assert "张桂兰" not in blank
    assert blank.count("<form") == 8


def test_rules_look_at_the_community_at_the_days_first_pack(app, worker, session, cast, home):
    make_group(session, cast.community, "elder80")
    make_resident(session, home, "张老", birth_date=date(1940, 1, 1), position=1)
    session.commit()
    page(worker.get("/sync/pack"))
    [care] = session.scalars(select(CareMembership))
    assert (care.raised_by, care.since) == ("elder80", date(2026, 11, 1))
    page(worker.get("/sync/pack"))
    assert count(session, CareMembership) == 1


def test_the_command_says_how_many_it_changed(app, session, cast, home):
    make_group(session, cast.community, "temporary")
    make_resident(session, home, "租客", is_temporary=True, position=1)
    session.commit()
    run = app.test_cli_runner().invoke
    assert run(args=["care", "refresh"]).output == "c1: 1\nc2: 0\n"
    assert run(args=["care", "refresh", "--community", "c1"]).output == "c1: 0\n"
    assert run(args=["care", "refresh", "--community", "x"]).exit_code == 1


def test_a_birth_date_that_is_corrected_at_the_door_decides_at_once(worker, session, cast, home):
    make_group(session, cast.community, "elder80")
    old = make_resident(session, home, "张老", position=1)
    session.commit()
    worker.post(f"/residents/{old.id}/facts", {"field": "birth_date", "value": "1940-01-01"})
    assert "满 80 岁" in page(worker.get(f"/households/{home.id}"))
    change = {"field": "birth_date", "value": "2004-01-01", "saw-birth_date": "1940-01-01"}
    worker.post(f"/residents/{old.id}/facts", change)
    assert "满 80 岁" not in page(worker.get(f"/households/{home.id}"))
    assert "年龄改了" in page(worker.get(f"/households/{home.id}/history"))


def test_the_page_of_forms_takes_as_many_statements_for_many_people(worker, session, home, count_queries):
    def asked(address):
        before = count_queries()
        page(worker.get(address))
        return count_queries() - before

    pages = (f"/households/{home.id}/events/new", f"/households/{home.id}/history?day=2026-11-18")
    for where in pages:
        asked(where)
    few = [asked(where) for where in pages]
    for number in range(8):
        worker.post(
            f"/households/{home.id}/events", {"kind": "moved_in", "name-1": f"新人{'甲乙丙丁戊己庚辛'[number]}"}
        )
    assert [asked(where) for where in pages] == [few[0], few[1] + 2]  # two more once there is any event
