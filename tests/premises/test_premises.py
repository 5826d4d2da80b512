"""Shops: what is known of them, a check in two taps, what was found stays until somebody has seen it put right."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from fieldapp.db import uuid7
from fieldapp.premises.models import Premise, PremiseCheck, PremiseFinding
from fieldapp.premises.rules import Finding, credit_code_fault, due_on, is_due, read_check, read_facts
from tests.factories import make_dwelling


@pytest.fixture
def shop(session, cast):
    """A shop in the worker's district."""
    made = make_dwelling(session, cast.building, cast.district, room="铺1", kind="shop", name="惠民超市", column=7)
    session.commit()
    return made


# --- rules


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_codes_of_the_standard_are_sound(code):
    assert credit_code_fault(code) is None


@pytest.mark.parametrize(
    ("code", "fault"), [("91350100M000100Y44", "check"), ("9135", "form"), ("9135010OM000100Y43", "form")]
)
def test_what_is_wrong_with_a_code(code, fault):
    assert credit_code_fault(code) == fault


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_each_code_has_one_check_sign(first):
    sound = [sign for sign in "0123456789ABCDEFGHJKLMNPQRTUWXY" if credit_code_fault(first + sign) is None]
    assert len(sound) == 1


def test_a_check_says_all_is_well_or_what_is_not():
    assert read_check([], "", False)[1] == "choose"
    assert read_check(["exit"], "", True)[1] == "both"
    assert read_check(["wrong"], "", False)[1] == "unknown"
    assert read_check(["exit"], "x" * 301, False)[1] == "long"
    found, fault = read_check(["gas", "exit"], " 已当面说 ", False)
    assert fault is None
    assert (found.findings, found.sentence) == ((Finding.EXIT, Finding.GAS), "已当面说")


def test_what_is_dangerous_waits_until_tomorrow_only():
    day = date(2026, 11, 18)
    assert due_on(Finding.GAS, day) == day + timedelta(days=1)
    assert due_on(Finding.HYGIENE, day) == day + timedelta(days=7)


@given(st.integers(0, 400))
def test_a_shop_is_due_after_its_rhythm(days):
    day = date(2026, 11, 18)
    assert is_due(day - timedelta(days=days), day) == (days >= 90)
    assert is_due(None, day)


def test_facts_are_read_as_people_write_them():
    facts, faults = read_facts({"people": "２", "credit_code": "91350100m000100y43 ", "trade": " 超市 "})
    assert faults == {}
    assert (facts.people, facts.credit_code, facts.trade) == (2, "91350100M000100Y43", "超市")
    assert read_facts({"people": "两个"})[1] == {"people": "number"}
    assert read_facts({"trade": "x" * 25})[1] == {"trade": "long"}


# --- at the shop


def test_a_shop_that_nobody_has_checked_stands_on_top(sign_in, shop):
    page = sign_in("worker").get("/shops").text
    assert "惠民超市" in page
    assert "还没查过" in page
    assert "惠民超市" not in sign_in("other").get("/shops").text


def test_a_check_with_findings_leaves_what_is_to_be_put_right(sign_in, session, shop):
    worker, key = sign_in("worker"), uuid7()
    form = {"findings": ["exit", "hygiene"], "sentence": "货堆在后门", "check_id": str(key)}
    for _ in range(2):  # sent twice, taken once
        assert worker.post(f"/shops/{shop.id}/checks", form).status_code == 303
    assert len(session.scalars(select(PremiseCheck)).all()) == 1
    page = worker.get(f"/shops/{shop.id}").text
    assert "要改的 2" in page
    assert "货堆在后门" in page
    finding = session.scalar(select(PremiseFinding).where(PremiseFinding.code == "exit"))
    worker.post(f"/shop-findings/{finding.id}/end")
    assert "要改的 1" in worker.get(f"/shops/{shop.id}").text
    worker.post(f"/shops/{shop.id}/checks", {"findings": ["hygiene"]})  # still so: not a second one
    assert "要改的 1" in worker.get(f"/shops/{shop.id}").text


def test_a_wrong_check_keeps_what_was_typed(sign_in, session, shop):
    answer = sign_in("worker").post(f"/shops/{shop.id}/checks", {"sentence": "灭火器在后面"})
    assert answer.status_code == 422
    assert "灭火器在后面" in answer.text
    assert session.scalar(select(PremiseCheck)) is None


def test_facts_are_kept_and_a_doubtful_code_is_only_doubted(sign_in, session, shop):
    worker = sign_in("worker")
    form = {
        "trade": "超市",
        "contact": "钱老板",
        "phone": "15412345678",
        "people": "2",
        "credit_code": "91350100M000100Y44",
    }
    assert worker.post(f"/shops/{shop.id}/facts", form).status_code == 303
    page = worker.get(f"/shops/{shop.id}").text
    assert "校验位对不上" in page
    premise = session.scalar(select(Premise))
    assert (premise.phone, premise.people) == ("15412345678", 2)
    assert "15412345678" not in premise.phone_sealed
    assert worker.post(f"/shops/{shop.id}/facts", {"people": "两个"}).status_code == 422


def test_a_flat_is_no_shop(sign_in, cast):
    assert sign_in("worker").get(f"/shops/{cast.households[0].dwelling_id}").status_code == 404


def test_the_list_takes_as_many_statements_for_many_shops(sign_in, session, cast, shop, count_queries):
    worker = sign_in("worker")
    worker.get("/shops")
    before = count_queries()
    worker.get("/shops")
    one = count_queries() - before
    for number in range(20):
        make_dwelling(session, cast.building, cast.district, room=f"铺{number + 2}", kind="shop", column=8 + number)
    session.commit()
    before = count_queries()
    worker.get("/shops")
    assert count_queries() - before == one


def test_a_shops_page_is_on_the_phone_and_comes_anew_after_a_check(sign_in, session, shop):
    worker = sign_in("worker")
    lines = [json.loads(line) for line in worker.get("/sync/pack").text.splitlines()]
    pages = {line["url"]: line["html"] for line in lines if "url" in line}
    assert "还没查过" in pages[f"/shops/{shop.id}"]
    worker.post(f"/shops/{shop.id}/checks", {"fine": "1"})
    renewed = worker.get(f"/sync/pack?since={lines[-1]['end']['token']}").text
    lines = [json.loads(line) for line in renewed.splitlines()]
    assert lines[0]["start"]["whole"] is False
    pages = {line["url"]: line["html"] for line in lines if "url" in line}
    assert "还没查过" not in pages[f"/shops/{shop.id}"]
