"""A household's page, and finding people and doors."""

from datetime import date

import pytest

from tests.factories import make_care, make_dwelling, make_group, make_household, make_resident
from tests.routes import ON_ONE


@pytest.fixture
def worker(sign_in):
    return sign_in("worker")


def found(person, words, **more):
    answer = person.post("/households/search", {"q": words}, **more)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "words",
    [
        "张桂兰",
        "张",
        "张桂",
        "zhangguilan",
        "zhanggui",
        "zgl",
        "ZGL",
        " zg ",
        "601",
        "12-601",
        "12 601",
        "12号楼 601",
        "12号楼-601",
        "12栋-601",
        "6677",
        "15412346677",
    ],
)
def test_a_resident_is_found_by(words, worker, cast, session):
    resident = make_resident(session, cast.households[0], "张桂芳", phone="15412346677")
    session.commit()
    said = found(worker, words)
    assert f"/households/{resident.household_id}" in said
    assert str(cast.households[1].id) not in said


def test_nothing_of_another_district_is_found(sign_in, worker, cast, session):
    for words in ("周邻", "zl", "zhoulin", "201", "20-201", "李远方", "101", "李"):
        assert "没找到" in found(worker, words), words
    assert "周邻" in found(sign_in("director"), "周邻")
    assert "周邻" in found(sign_in("other"), "zl")
    assert "没找到" in found(sign_in("stranger"), "张桂兰")


@pytest.mark.parametrize("words", ["%", "_", "%%", "\\", "张%", "' OR 1=1 --", "²", "①", "-", "12-", "- 601", "张-"])
def test_signs_that_mean_something_elsewhere_find_nothing_by_themselves(words, worker):
    assert "没找到" in found(worker, words)


@ON_ONE
def test_an_empty_search_answers_nothing_to_htmx_and_a_page_to_others(worker):
    assert found(worker, "  ", headers={"HX-Request": "true"}) == ""
    assert "<html" in found(worker, "")
    assert "<html" not in found(worker, "张", headers={"HX-Request": "true"})


def test_who_has_left_is_not_found(worker, cast, session):
    make_resident(session, cast.households[0], "钱已走", left_on=date(2026, 1, 1))
    session.commit()
    assert "没找到" in found(worker, "钱已走")


def test_numbers_are_masked(worker, cast, session):
    make_resident(session, cast.households[0], "张桂芳", phone="15412346677", id_number="320211195003072216")
    session.commit()
    said = worker.get(f"/households/{cast.households[0].id}").get_data(as_text=True)
    assert "320211********2216" in said
    assert "19500307" not in said
    assert "154****6677" in said
    assert 'href="tel:15412346677"' in said


def test_a_page_says_who_lives_here_and_what_is_open(worker, cast, session):
    group = make_group(session, cast.community, "独居老人")
    secret = make_group(session, cast.community, "刑满释放", is_sensitive=True)
    make_care(session, cast.households[0], group, date(2026, 1, 1), reason="子女在外地")
    make_care(session, cast.households[0], secret, date(2026, 1, 1))
    session.commit()
    said = worker.get(f"/households/{cast.households[0].id}").get_data(as_text=True)
    for words in (
        "张桂兰家",
        "独居老人",
        "子女在外地",
        "答应过：问助餐卡",
        "腿脚还行",
        "上次见到 10月13日",
        "还有 2 天",
    ):
        assert words in said, words
    assert '<span class="chip">刑满释放</span>' not in said
    assert "刑满释放" not in worker.get("/today?all=1").get_data(as_text=True)


def test_a_vacant_door_says_so(worker, cast, session):
    empty = make_household(session, make_dwelling(session, cast.building, cast.district, "102"), None, "vacant")
    session.commit()
    said = worker.get(f"/households/{empty.id}").get_data(as_text=True)
    assert "空置" in said
    assert "没人住，不算户" in said


def test_the_director_reads_and_does_not_log(sign_in, cast):
    said = sign_in("director").get(f"/households/{cast.households[0].id}").get_data(as_text=True)
    assert "张桂兰家" in said
    assert "/visits/new" not in said
    assert "/correction" not in said
