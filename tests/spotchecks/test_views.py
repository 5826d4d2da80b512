"""The screens of the spot check: the draw, the table, alone, the door, contests, the closing, what is private."""

import re

import pytest

from fieldapp.db import uuid7
from fieldapp.spotchecks.models import SpotAnswer, SpotCheck, SpotContest, SpotDoor, SpotSample
from fieldapp.spotchecks.rules import SignKind
from fieldapp.spotchecks.words import FACTS, SIGNS, sign, sign_facts
from fieldapp.visits.models import FollowUp
from tests.conftest import NOW
from tests.factories import make_dwelling, make_household
from tests.spotchecks.drawn import make_spot_check

WHEN = {"Outbox-Made-At": "2026-11-18T01:40:00.000Z", "Outbox-Sent-At": "2026-11-18T01:41:00.000Z"}


@pytest.fixture
def drawn(session, cast):
    made = make_spot_check(session, cast, NOW)
    session.commit()
    return made


def text_of(answer):
    """What a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def as_item(cast, username, key, number=1):
    """The headers of an item of somebody's outbox."""
    user = cast.users[username].id
    return WHEN | {
        "Outbox-Id": str(key),
        "Outbox-User": str(user),
        "Outbox-Phone": "11111111-1111-4111-8111-111111111111",
        "Outbox-Number": str(number),
    }


# --- the draw


def test_the_director_draws_and_sees_the_seed(cast, session, sign_in):
    person = sign_in("director")
    answer = person.post("/spot-checks", {"month": "2026-11", "seed": "7", "number": "", "care_share": "50"})
    assert answer.status_code == 303
    [check] = session.query(SpotCheck)
    assert answer.location == f"/spot-checks/{check.id}"
    assert check.plan == {"number": None, "districts": None, "care_share": 0.5, "again": False}
    assert "种子 7" in text_of(person.get(answer.location))
    assert "2026年11月" in text_of(person.get("/spot-checks"))


def test_some_districts_can_be_chosen(cast, session, sign_in):
    sign_in("director").post("/spot-checks", {"month": "2026-11", "seed": "7", "districts": [str(cast.second.id)]})
    assert {sample.district_id for sample in session.query(SpotSample)} == {cast.second.id}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"month": "十一月"}, "月份要写成 2026-11 这样"),
        ({"month": "2099-01"}, "不能是以后的月份"),
        ({"month": ""}, "月份要写成 2026-11 这样"),
        ({"number": "很多"}, "写一个 1 到 5000 的整数"),
        ({"number": "0"}, "写一个 1 到 5000 的整数"),
        ({"care_share": "101"}, "写一个 0 到 100 的整数"),
        ({"seed": "-1"}, "整数"),
        ({"seed": "9" * 30}, "整数"),
        ({"districts": "没有的"}, "有一个包干区不在这个社区"),
        ({"replaces": "00000000-0000-7000-8000-000000000000"}, "要替换的那一次找不到了"),
    ],
)
def test_a_draw_that_cannot_be_says_why(form, said, cast, session, sign_in):
    answer = sign_in("director").post("/spot-checks", {"month": "2026-11", "seed": "7"} | form)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert session.query(SpotCheck).count() == 0


def test_another_draw_takes_the_place_of_a_check_that_stays(drawn, session, sign_in):
    person = sign_in("director")
    assert f'<option value="{drawn.check.id}">' in person.get("/spot-checks").get_data(as_text=True)
    form = {"month": "2026-11", "seed": "8", "again": "1", "replaces": str(drawn.check.id)}
    assert person.post("/spot-checks", form).status_code == 303
    newest, first = session.query(SpotCheck).order_by(SpotCheck.drawn_at.desc())
    assert (newest.replaces_id, first.id) == (drawn.check.id, drawn.check.id)
    page = person.get("/spot-checks").get_data(as_text=True)
    assert "换过了" in page
    assert f'<option value="{drawn.check.id}">' not in page


def test_a_district_of_another_community_is_not_drawn_from(cast, session, sign_in):
    form = {"month": "2026-11", "districts": [str(cast.district.id)]}
    assert sign_in("stranger").post("/spot-checks", form).status_code == 422
    assert session.query(SpotCheck).count() == 0


def test_the_street_office_draws_for_its_own_community_and_reads_figures_alone(cast, session, sign_in):
    person = sign_in("street")
    here = str(cast.community.id)
    answer = person.post("/spot-checks", {"month": "2026-11", "seed": "7", "community": here})
    [check] = session.query(SpotCheck)
    assert answer.location == f"/spot-checks/{check.id}/result?community={here}"
    page = text_of(person.get(answer.location))
    assert "第1包干区" in page
    assert "张桂兰" not in page
    for part in ("", "/table", "/doors", "/alone", "/exercise"):
        assert person.get(f"/spot-checks/{check.id}{part}?community={here}").status_code == 404
    assert person.post("/spot-checks", {"month": "2026-11", "community": str(uuid7())}).status_code == 404


# --- at the table


def test_the_table_covers_what_is_expected_and_knows_no_clock(drawn, sign_in):
    page = sign_in("director").get(f"/spot-checks/{drawn.check.id}/table").get_data(as_text=True)
    assert page.count('<details class="spot-reveal">') == 3  # none is open
    assert "data-keeps" in page
    assert not re.search(r"timer|秒|倒计时|setInterval", page)
    assert len(re.findall(r'class="here"', page)) == 1
    verdicts = re.findall(r'<button class="([^"]*)" name="verdict" value="(right|half|wrong)"', page)
    assert len({look for look, _verdict in verdicts}) == 1, "verdicts weigh the same"


def test_an_answer_is_written_once_whatever_the_network_does(cast, drawn, session, sign_in):
    person, key = sign_in("director"), uuid7()
    form = {"answer_id": str(key), "way": "table", "verdict": "half"}
    where = f"/spot-questions/{drawn.open.id}/answer"
    first = person.post(where, form, headers=as_item(cast, "director", key))
    assert (first.status_code, first.json["outcome"]) == (201, "stored")
    again = person.post(where, form, headers=as_item(cast, "director", key))
    assert (again.status_code, again.json["id"]) == (200, str(key))
    found = session.query(SpotAnswer).filter_by(question_id=drawn.open.id).one()
    assert (found.id, found.verdict, found.way) == (key, "half", "table")
    assert found.answered_at < found.recorded_at


def test_another_answer_to_the_same_question_is_refused_with_words(cast, drawn, sign_in):
    key = uuid7()
    answer = sign_in("director").post(
        f"/spot-questions/{drawn.answered.id}/answer",
        {"answer_id": str(key), "verdict": "right"},
        headers=as_item(cast, "director", key),
    )
    assert (answer.status_code, answer.json["outcome"]) == (422, "refused")
    assert answer.json["reason"] == "这一问已经记过了，先记的算。"


@pytest.mark.parametrize("form", [{}, {"verdict": "很好"}, {"choice": "0"}, {"verdict": "right", "answer_id": "x"}])
def test_what_is_no_answer_is_not_written(form, drawn, session, sign_in):
    answer = sign_in("director").post(f"/spot-questions/{drawn.open.id}/answer", form)
    assert answer.status_code == 422
    assert session.query(SpotAnswer).filter_by(question_id=drawn.open.id).count() == 0


def test_the_pages_ask_the_database_the_same_however_many_are_drawn(app, cast, drawn, session, sign_in, count_queries):
    person = sign_in("director")

    def cost(part):
        before = count_queries()
        assert person.get(f"/spot-checks/{drawn.check.id}{part}").status_code == 200
        return count_queries() - before

    parts = ("", "/table", "/doors", "/result")
    few = [cost(part) for part in parts]
    for i, room in enumerate(("401", "402", "501", "602"), 2):
        home = make_household(session, make_dwelling(session, cast.building, cast.district, room), f"住{room}")
        sample = SpotSample(
            community_id=cast.community.id,
            check_id=drawn.check.id,
            household_id=home.id,
            district_id=cast.district.id,
            answerer_id=cast.users["worker"].id,
            position=i,
            stratum="other/never",
        )
        session.add(sample)
    session.commit()
    assert [cost(part) for part in parts] == few


# --- alone


def test_alone_no_page_says_what_is_expected(drawn, sign_in):
    page = sign_in("worker").get(f"/spot-checks/{drawn.check.id}/alone").get_data(as_text=True)
    choices = re.findall(r'<button class="([^"]*)" name="choice" value="(\d)"([^>]*)>', page)
    assert [value for _look, value, _more in choices] == ["0", "1", "2"]
    assert len({look for look, _value, _more in choices}) == 1
    assert "spot-expected" not in page
    assert "登记的答案" not in page
    assert "张桂兰" not in page, "the question that was asked at the table is not asked again"


@pytest.mark.parametrize(("choice", "verdict"), [("1", "right"), ("0", "wrong"), ("none", "wrong")])
def test_alone_the_verdict_follows_from_the_choice(choice, verdict, drawn, session, sign_in):
    person = sign_in("worker")
    answer = person.post(f"/spot-questions/{drawn.open.id}/answer", {"choice": choice, "verdict": "right"})
    assert answer.status_code == 303
    found = session.query(SpotAnswer).filter_by(question_id=drawn.open.id).one()
    assert (found.verdict, found.way) == (verdict, "self")


def test_before_it_is_answered_the_worker_reads_nothing_of_what_is_expected(drawn, sign_in):
    person = sign_in("worker")
    before = text_of(person.get(f"/spot-checks/{drawn.check.id}"))
    assert "还没答" in before
    assert "1 人" not in before
    person.post(f"/spot-questions/{drawn.open.id}/answer", {"choice": "1"})
    assert "1 人" in text_of(person.get(f"/spot-checks/{drawn.check.id}"))


def test_nobody_else_answers_alone(drawn, session, sign_in):
    for username in ("partner", "other"):
        where = f"/spot-questions/{drawn.open.id}/answer"
        assert sign_in(username).post(where, {"choice": "1"}).status_code == 404
    assert session.query(SpotAnswer).filter_by(question_id=drawn.open.id).count() == 0


# --- at the door


def test_a_difference_at_the_door_becomes_something_to_do(cast, drawn, session, sign_in):
    person, key = sign_in("director"), uuid7()
    form = {"has_agreed": "1", "is_true": "0", "knows_worker": "1", "visit_happened": "", "note": "多了一个人"}
    before = session.query(FollowUp).count()
    for _twice in range(2):
        answer = person.post(
            f"/spot-samples/{drawn.sample.id}/door",
            form | {"door_id": str(key)},
            headers=as_item(cast, "director", key),
        )
        assert answer.status_code in (200, 201)
    found = session.query(SpotDoor).one()
    assert (found.id, found.is_true, found.knows_worker, found.visit_happened) == (key, False, True, None)
    assert found.note == "多了一个人"
    assert "多了一个人" not in found.note_sealed
    assert session.query(FollowUp).count() == before + 1
    assert "问过了" in text_of(person.get(f"/spot-checks/{drawn.check.id}/doors"))


def test_who_does_not_agree_is_asked_nothing(drawn, session, sign_in):
    form = {"has_agreed": "0", "is_true": "0", "note": "不该留下"}
    assert sign_in("director").post(f"/spot-samples/{drawn.sample.id}/door", form).status_code == 303
    found = session.query(SpotDoor).one()
    assert (found.has_agreed, found.is_true, found.note) == (False, None, None)


def test_whether_the_resident_agrees_is_to_be_said(drawn, session, sign_in):
    answer = sign_in("director").post(f"/spot-samples/{drawn.sample.id}/door", {"is_true": "1"})
    assert answer.status_code == 422
    assert "先选住户愿不愿意说" in text_of(answer)
    assert session.query(SpotDoor).count() == 0


# --- contests, the closing


def test_a_word_against_a_verdict_is_decided_and_both_stay(drawn, session, sign_in):
    worker, director = sign_in("worker"), sign_in("director")
    where = f"/spot-checks/{drawn.check.id}"
    assert worker.post(f"/spot-questions/{drawn.answered.id}/contest", {"word": "刚换了户主"}).status_code == 303
    assert "你说：刚换了户主" in text_of(worker.get(where))
    page = text_of(director.get(where))
    assert "说：刚换了户主" in page
    decided = director.post(f"/spot-questions/{drawn.answered.id}/decision", {"verdict": "right", "word": "查过了"})
    assert decided.status_code == 303
    assert "主任定为：对 · 查过了" in text_of(worker.get(where)).replace("  ", " ")
    kept = session.query(SpotAnswer).filter_by(question_id=drawn.answered.id).one()
    assert kept.verdict == "wrong", "what was entered stays"


@pytest.mark.parametrize("word", ["", "   ", "长" * 201])
def test_a_contest_says_one_sentence(word, drawn, session, sign_in):
    answer = sign_in("worker").post(f"/spot-questions/{drawn.answered.id}/contest", {"word": word})
    assert answer.status_code == 422
    assert session.query(SpotContest).filter_by(question_id=drawn.answered.id).count() == 0


def test_a_closed_check_takes_nothing_any_more(cast, drawn, session, sign_in):
    director, worker = sign_in("director"), sign_in("worker")
    where = f"/spot-checks/{drawn.check.id}"
    assert director.post(f"{where}/closure", {}).status_code == 422
    assert director.post(f"{where}/closure", {"sure": "1"}).status_code == 303
    page = text_of(director.get(f"{where}/result"))
    session.expire_all()
    assert session.get(SpotCheck, drawn.check.id).signature in page
    key = uuid7()
    late = director.post(
        f"/spot-questions/{drawn.open.id}/answer",
        {"verdict": "right", "answer_id": str(key)},
        headers=as_item(cast, "director", key),
    )
    assert (late.status_code, late.json["reason"]) == (422, "这次抽查已经定了，不能再改。")
    assert worker.post(f"/spot-questions/{drawn.open.id}/answer", {"choice": "1"}).status_code == 422
    assert worker.post(f"/spot-questions/{drawn.answered.id}/contest", {"word": "晚了"}).status_code == 422
    assert director.post(f"/spot-questions/{drawn.contested.id}/decision", {"verdict": "half"}).status_code == 422
    assert director.post(f"/spot-samples/{drawn.sample.id}/door", {"has_agreed": "1"}).status_code == 422
    for part in ("table", "doors", "alone"):
        assert f"{where}/{part}" not in director.get(where).get_data(as_text=True)


# --- the result and what is private


def test_the_result_says_how_sure_it_is(drawn, sign_in):
    page = text_of(sign_in("director").get(f"/spot-checks/{drawn.check.id}/result"))
    assert "问了 2 题" in page
    assert "在 0% 到 66% 之间" in page  # Wilson of 0 of 2
    assert "还没定，数会变" in page


def test_small_samples_are_not_called_different(cast, drawn, session, sign_in):
    before = make_spot_check(session, cast, NOW.replace(month=10))
    session.query(SpotAnswer).filter_by(question_id=before.answered.id).one().verdict = "right"
    session.commit()
    page = text_of(sign_in("director").get(f"/spot-checks/{drawn.check.id}/result"))
    assert "样本太少，看不出差别" in page
    assert "比上月低" not in page


def test_the_exercise_is_the_workers_alone(cast, drawn, sign_in):
    where = f"/spot-checks/{drawn.check.id}/exercise"
    page = sign_in("worker").get(where).get_data(as_text=True)
    assert page.count('<details class="card pad spot-flip">') == 2
    assert f"/households/{cast.households[0].id}" in page
    for username in ("director", "partner", "street"):
        assert sign_in(username).get(where).status_code == 404


def test_signs_are_shown_beside_what_else_may_explain_them(cast, session, sign_in, app):
    assert set(SIGNS) == set(FACTS) == set(SignKind)
    told = {"visits": 6, "minutes": 8, "metres": 400, "sentence": "一切正常", "of": 12, "changes": 2}
    with app.test_request_context():
        for kind in SignKind:
            seen, innocent = sign(kind)
            assert "可能" in innocent and "6" in sign_facts(kind, told)
            assert not re.search("作假|造假|违规|扣分|分数", seen + innocent)
    page = sign_in("director").get("/spot-checks/signs?month=2026-11")
    assert "这些是线索，不是结论，也不计分" in text_of(page)
    for month in ("十一月", "2026-13", "2099-01", "0001-01"):
        assert sign_in("director").get(f"/spot-checks/signs?month={month}").status_code == 422


def test_the_notice_is_off_until_the_community_switches_it_on(cast, drawn, session, sign_in):
    person, where = sign_in("director"), f"/spot-checks/{drawn.check.id}/notice"
    assert person.get(where).status_code == 404
    assert person.post("/spot-checks/notice", {"notice": "也许"}).status_code == 422
    assert person.post("/spot-checks/notice", {"notice": "1"}).status_code == 303
    page = text_of(person.get(where))
    assert "需要大家帮一把" in page and "不排名" in page
    assert "worker" not in page, "by district, nobody is named"


def test_the_ways_there(drawn, sign_in):
    assert 'href="/spot-checks"' in sign_in("director").get("/overview").get_data(as_text=True)
    assert 'href="/spot-checks"' in sign_in("worker").get("/me").get_data(as_text=True)
    assert 'href="/spot-checks"' in sign_in("street").get("/coverage").get_data(as_text=True)
    assert "没有抽到你的户" in text_of(sign_in("other").get("/spot-checks"))
