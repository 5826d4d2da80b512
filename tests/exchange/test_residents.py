"""A sheet of residents comes in, comes again newer, and goes out; on both databases."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.accounts.rules import Actor
from fieldapp.db import uuid7
from fieldapp.exchange import resident_files
from fieldapp.exchange.problems import Refused
from fieldapp.exchange.resident_files import Taker
from fieldapp.exchange.resident_plan import Kind, Plan
from fieldapp.households.models import FactChange, Household, OccupancyPeriod, Resident
from fieldapp.places.models import Community, Dwelling
from tests.exchange.made import TODAY, WHEN, id_number
from tests.exchange.sheets import ZHANG, bring, counts, mess, people, plan, settled
from tests.exchange.sheets import xlsx_of as sheet
from tests.factories import make_household, make_resident, make_user, make_visit

TAKER = Taker("王主任", "朝阳社区")


@pytest.fixture
def actor(session: Session) -> Actor:
    return settled(session)


def codes(found: Plan) -> list[tuple[int | None, str]]:
    return [(problem.row, problem.code) for problem in found.unclear]


def history(session: Session, actor: Actor) -> list[tuple[str, str | None, str | None]]:
    found = session.scalars(select(FactChange).where(FactChange.community_id == actor.community_id))
    return sorted((change.field, change.old, change.new) for change in found)


def door(session: Session, actor: Actor, room: str = "101", entrance: int = 1) -> Dwelling:
    statement = select(Dwelling).where(
        Dwelling.community_id == actor.community_id, Dwelling.room == room, Dwelling.entrance == entrance
    )
    found = session.scalars(statement).first()
    assert found
    return found


# --- the mess


def test_the_mess_of_a_real_looking_sheet(session: Session, actor: Actor) -> None:
    found = bring(session, actor, mess())
    assert counts(found) == (5, 0, 0, 2)
    assert [(p.row, p.column, p.value, p.code) for p in found.unclear] == [
        (9, "楼号", "9号楼", "building"),
        (10, "出生年月", "1957.13.2", "date"),
        (10, "联系电话", "1380000123", "mobile"),
    ]
    everybody = people(session, actor)
    zhang, wang, son = everybody["张建国"], everybody["王秀英"], everybody["张小明"]
    assert zhang.household_id == wang.household_id == son.household_id
    assert (zhang.relation, zhang.birth_date, zhang.id_number) == ("02", date(1957, 3, 2), ZHANG)
    assert (zhang.phone, zhang.phone_tail, zhang.employment) == ("13800001234、0510-83331234", "1234", "retired")
    assert (wang.birth_date, wang.sex, wang.marital, wang.phone) == (
        date(1960, 5, 12),
        "2",
        "20",
        "13900001111、13700002222",
    )
    assert (son.id_number, son.registered_at, son.birth_date) == (None, "江苏省南京市鼓楼区", date(1985, 7, 4))
    assert everybody["赵强"].is_temporary and everybody["赵强"].registered_at
    assert (zhang.pinyin, zhang.recorded_on, zhang.arrived_on) == ("zhangjianguo", TODAY, None)
    assert history(session, actor) == []


def test_the_same_sheet_again_changes_nothing(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    assert counts(bring(session, actor, mess())) == (0, 0, 5, 2)
    assert history(session, actor) == [] and len(people(session, actor)) == 5


def test_a_plan_writes_nothing(session: Session, actor: Actor) -> None:
    assert counts(plan(session, actor, mess())) == (5, 0, 0, 2)
    assert people(session, actor) == {}


def test_a_newer_sheet_shows_what_differs_and_what_is_chosen_is_applied(session: Session, actor: Actor) -> None:
    bring(
        session,
        actor,
        sheet([["1-1-101", "张三", "户主", "13800001111", "初中"], ["1-1-101", "李四", "妻", None, None]]),
    )
    newer = sheet(
        [["1-1-101", "张三", "户主", "13800002222", "高中"], ["1-1-101", "李四", "妻", None, "小学"],
         ["1-1-102", "新来", "户主", None, None], ["1-1-201", "也新", "户主", None, None]]
    )  # fmt: skip
    found = plan(session, actor, newer)
    assert counts(found) == (2, 2, 0, 0)
    assert [(c.field, c.old, c.new) for e in found.of(Kind.CHANGED) for c in e.changes] == [
        ("phone", "13800001111", "13800002222"),
        ("schooling", "70", "60"),
        ("schooling", None, "80"),
    ]
    assert found.tokens == ["c2.phone", "c2.schooling", "c3.schooling", "n4", "n5"]
    bring(session, actor, newer, {"c2.phone", "c3.schooling", "n5"})
    everybody = people(session, actor)
    assert (everybody["张三"].phone, everybody["张三"].phone_tail, everybody["张三"].schooling) == (
        "13800002222",
        "2222",
        "70",
    )
    assert everybody["李四"].schooling == "80"
    assert sorted(everybody) == sorted(["张三", "李四", "也新"])
    assert history(session, actor) == [("phone", "13800001111", "13800002222"), ("schooling", None, "80")]
    change = session.scalars(
        select(FactChange).where(FactChange.field == "phone", FactChange.community_id == actor.community_id)
    ).one()
    assert (change.changed_by_id, change.changed_at, change.visit_id) == (actor.user_id, WHEN.now, None)
    assert "13800002222" not in (change.new_sealed or "")
    assert counts(plan(session, actor, newer)) == (1, 1, 2, 0)


def test_a_change_comes_after_the_facts_last_one(session: Session, actor: Actor) -> None:
    home = make_household(session, door(session, actor), "张三", number=2)
    head = people(session, actor)["张三"]
    late = WHEN.now + timedelta(seconds=5)
    session.add(
        FactChange(community_id=home.community_id, household_id=home.id, resident_id=head.id, field="phone",
                   old=None, new="13800001111", changed_by_id=actor.user_id, changed_at=late)
    )  # fmt: skip
    head.phone = "13800001111"
    session.commit()
    bring(session, actor, sheet([["1-1-101", "张三", "户主", "13800002222", None]]))
    newest = max(
        session.scalars(select(FactChange).where(FactChange.resident_id == head.id)), key=lambda c: c.changed_at
    )
    assert (newest.new, newest.changed_at > late) == ("13800002222", True)


def test_an_empty_cell_says_nothing(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    bare = sheet([["1-1-101", "张建国", None, None, None]])
    assert counts(plan(session, actor, bare)) == (0, 0, 1, 0)


# --- who is who


def one(session: Session, actor: Actor, **more: Any) -> Resident:
    """Somebody in 1号楼 1-101."""
    dwelling = door(session, actor)
    home = session.scalars(select(Household).where(Household.dwelling_id == dwelling.id)).first()
    assert home
    made = make_resident(session, home, **({"name": "张三", "birth_date": date(1957, 3, 2)} | more))
    session.commit()
    return made


WHO = ("居住地址", "姓名", "身份证号", "出生日期", "性别")


def test_an_id_number_finds_somebody_whose_name_was_written_otherwise(session: Session, actor: Actor) -> None:
    one(session, actor, id_number=id_number())
    found = plan(session, actor, sheet([["1-1-101", "张珊", id_number(), None, None]], WHO))
    assert [(c.field, c.old, c.new) for e in found.entries for c in e.changes] == [
        ("name", "张三", "张珊"),
        ("sex", None, "1"),
    ]
    found = plan(session, actor, sheet([["1-1-101", "李玉兰", id_number(), None, None]], WHO))
    assert codes(found) == [(2, "number_of")]


def test_who_lives_elsewhere_or_left_is_not_made_twice(session: Session, actor: Actor) -> None:
    lives = one(session, actor, id_number=id_number())
    moved = sheet([["2-1-101", "张三", id_number(), None, None]], WHO)
    found = plan(session, actor, moved)
    assert (codes(found), found.unclear[0].detail) == ([(2, "elsewhere")], "1号楼 1-101")
    lives.left_on, lives.left_why = TODAY, "moved"
    session.commit()
    assert codes(plan(session, actor, moved)) == [(2, "left")]
    lives.left_why = "merged"
    session.commit()
    assert counts(plan(session, actor, moved)) == (1, 0, 0, 0)


def test_stars_match_what_can_be_seen_and_never_overwrite(session: Session, actor: Actor) -> None:
    number = id_number()
    one(session, actor, id_number=number)
    stars = number[:6] + "********" + number[-4:]
    assert counts(plan(session, actor, sheet([["1-1-101", "张三", stars, None, None]], WHO))) == (0, 0, 1, 0)
    assert counts(plan(session, actor, sheet([["1-1-101", "张珊", stars, None, None]], WHO))) == (0, 1, 0, 0)
    assert codes(plan(session, actor, sheet([["1-1-101", "张三", "320211********9999", None, None]], WHO))) == [
        (2, "id_differs")
    ]
    bring(session, actor, sheet([["1-1-102", "李四", stars, None, None]], WHO))
    assert people(session, actor)["李四"].id_number is None
    assert people(session, actor)["张三"].id_number == number


def test_never_two_people_into_one(session: Session, actor: Actor) -> None:
    one(session, actor)
    cases: list[tuple[list[list[Any]], list[tuple[int, str]]]] = [
        ([["1-1-101", "张三", None, None, None], ["1-1-101", "张三", None, None, None]], [(3, "person_twice")]),
        (
            [["1-1-101", "张三", id_number(), None, None], ["1-1-102", "李四", id_number(), None, None]],
            [(3, "id_twice")],
        ),
        ([["1-1-101", "张三", None, "1990-12-31", None]], [(2, "born_differs")]),
        ([["1-1-102", "王五", None, "1990-12-31", None], ["1-1-102", "王五", None, None, None]], [(3, "person_twice")]),
    ]
    for rows, expected in cases:
        assert codes(plan(session, actor, sheet(rows, WHO))) == expected
    father_and_son = [
        ["1-1-101", "张三", id_number("19300101", 1), None, None],
        ["1-1-101", "张三", id_number(), None, None],
    ]
    found = plan(session, actor, sheet(father_and_son, WHO))
    assert [entry.said.row for entry in found.of(Kind.CHANGED)] == [3] and codes(found) == [(2, "person_twice")]


def test_a_birth_date_put_right_is_a_change_a_month_alone_is_none(session: Session, actor: Actor) -> None:
    one(session, actor)
    found = plan(session, actor, sheet([["1-1-101", "张三", None, "1957-03-20", None]], WHO))
    assert [(c.old, c.new) for e in found.entries for c in e.changes] == [("1957-03-02", "1957-03-20")]
    assert counts(plan(session, actor, sheet([["1-1-101", "张三", None, "57年3月", None]], WHO))) == (0, 0, 1, 0)


def test_what_the_number_on_record_denies_is_not_clear(session: Session, actor: Actor) -> None:
    one(session, actor, id_number=id_number(), sex="1")
    assert codes(plan(session, actor, sheet([["1-1-101", "张三", None, "1957-03-20", None]], WHO))) == [
        (2, "record_born")
    ]
    assert codes(plan(session, actor, sheet([["1-1-101", "张三", None, None, "女"]], WHO))) == [(2, "record_sex")]
    assert codes(plan(session, actor, sheet([["1-1-102", "李四", id_number(), "1957-03-20", "女"]], WHO))) == [
        (2, "id_born"),
        (2, "id_sex"),
    ]


def test_one_head_a_household(session: Session, actor: Actor) -> None:
    bring(session, actor, sheet([["1-1-101", "张三", "户主", None, None], ["1-1-101", "李四", "妻", None, None]]))
    assert codes(plan(session, actor, sheet([["1-1-101", "李四", "户主", None, None]]))) == [(2, "head_taken")]
    two = sheet([["1-1-102", "王五", "户主", None, None], ["1-1-102", "赵六", "户主", None, None]])
    assert codes(plan(session, actor, two)) == [(3, "two_heads")]
    swap = sheet([["1-1-101", "李四", "户主", None, None], ["1-1-101", "张三", "夫", None, None]])
    half = plan(session, actor, swap)
    done = resident_files.bring_residents(session, actor, actor.user_id, half, {"c2.relation"}, WHEN)
    assert (done.changed, done.held) == (0, 1)
    bring(session, actor, swap)
    everybody = people(session, actor)
    assert (everybody["李四"].relation, everybody["张三"].relation) == ("02", "11")
    assert [field for field, _old, _new in history(session, actor)] == ["relation", "relation"]


def test_a_less_exact_relation_is_no_change(session: Session, actor: Actor) -> None:
    bring(session, actor, sheet([["1-1-101", "张三", "户主", None, None], ["1-1-101", "李四", "妻", None, None]]))
    assert counts(plan(session, actor, sheet([["1-1-101", "李四", "配偶", None, None]]))) == (0, 0, 1, 0)


# --- which door


def test_a_door_with_several_households(session: Session, actor: Actor) -> None:
    first = one(session, actor)
    make_household(session, door(session, actor), "李四", number=2)
    session.commit()
    head = ("居住地址", "姓名", "第几户")
    assert counts(plan(session, actor, sheet([["1-1-101", "张三", None], ["1-1-101", "李四", None]], head))) == (
        0,
        0,
        2,
        0,
    )
    assert codes(plan(session, actor, sheet([["1-1-101", "王五", None]], head))) == [(2, "door_households")]
    bring(session, actor, sheet([["1-1-101", "王五", 1], ["1-1-101", "赵六", 3]], head))
    everybody = people(session, actor)
    assert everybody["王五"].household_id == first.household_id
    third = session.get_one(Household, everybody["赵六"].household_id)
    stands = session.scalars(
        select(OccupancyPeriod).where(OccupancyPeriod.household_id == third.id).order_by(OccupancyPeriod.since)
    )
    assert [(stand.occupancy, stand.until == TODAY) for stand in stands] == [("gone", True), ("unknown", False)]


def test_doors_that_are_not_there_or_not_said(session: Session, actor: Actor) -> None:
    rows = [["1-1-999", "甲", None, None, None], ["1-101", "乙", None, None, None], [None, "丙", "户主", None, None]]
    assert codes(plan(session, actor, sheet(rows))) == [(2, "door"), (3, "door_entrance"), (4, "needed")]


def test_a_fact_that_the_community_does_not_keep(session: Session, actor: Actor) -> None:
    community = session.get_one(Community, actor.community_id)
    community.registry_settings = {"off": ["ethnic", "schooling"]}
    session.commit()
    found = bring(session, actor, mess())
    assert "民族" in found.headings.unused and people(session, actor)["张建国"].ethnic is None
    written = load_workbook(io.BytesIO(resident_files.take_residents(session, actor, TAKER, WHEN, None))).active
    assert "民族" not in [cell.value for cell in written[2]]  # type: ignore[index]


@pytest.mark.parametrize("rows", [[["序号"]], [["姓名"], ["张三"]], [["姓名", "地址"]]])
def test_a_sheet_that_cannot_be_read(session: Session, actor: Actor, rows: list[list[str]]) -> None:
    with pytest.raises(Refused):
        plan(session, actor, sheet(rows[1:], rows[0]))


# --- out and in again


def test_what_goes_out_comes_in_as_the_same(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    for reason in ("报送公安", None):
        data = resident_files.take_residents(session, actor, TAKER, WHEN, reason)
        assert counts(plan(session, actor, data)) == (0, 0, 5, 0)
    elsewhere = settled(session)
    bring(session, elsewhere, resident_files.take_residents(session, actor, TAKER, WHEN, "迁移"))
    ours, theirs = people(session, actor), people(session, elsewhere)
    for name, resident in ours.items():
        for fact in ("relation", "sex", "birth_date", "id_number", "phone", "ethnic", "marital", "schooling",
                     "employment", "workplace", "registered_at", "is_temporary"):  # fmt: skip
            assert getattr(theirs[name], fact) == getattr(resident, fact), (name, fact)


def test_stars_and_a_watermark_and_no_formula_on_what_goes_out(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    zhang = people(session, actor)["张建国"]
    zhang.workplace, zhang.registered_at, zhang.origin = "=1+1", "@SUM(1)", "+86"
    session.commit()
    data = resident_files.take_residents(session, actor, TAKER, WHEN, None)
    written = load_workbook(io.BytesIO(data)).active
    cells = [cell for row in written.iter_rows() for cell in row if cell.value is not None]
    assert cells[0].value == "导出人：王主任 · 朝阳社区 · 2026-11-18 09:41 · 内部资料，用完就删"
    assert {cell.data_type for cell in cells if str(cell.value)[:1] in "=+-@"} == {"s"}
    assert ZHANG not in {cell.value for cell in cells}
    assert ZHANG[:6] + "********" + ZHANG[-4:] in {cell.value for cell in cells}
    full = load_workbook(io.BytesIO(resident_files.take_residents(session, actor, TAKER, WHEN, "报送公安"))).active
    assert ZHANG in {cell.value for row in full.iter_rows() for cell in row}


def test_the_visits_that_a_platform_asks_for(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    home = session.get_one(Household, people(session, actor)["张建国"].household_id)
    worker, partner = (
        make_user(session, f"w{uuid7().hex}", name="小李"),
        make_user(session, f"p{uuid7().hex}", name="小周"),
    )
    at = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)
    wrong = make_visit(session, home, worker, at, "nobody")
    make_visit(
        session,
        home,
        worker,
        at,
        "met",
        companion_id=partner.id,
        sentence="=腿脚还行",
        topics=["助餐", "看病"],
        corrects_id=wrong.id,
    )
    make_visit(session, home, worker, at - timedelta(days=9))
    session.commit()
    data = resident_files.take_visits(session, actor, TAKER, WHEN, date(2026, 11, 1), date(2026, 11, 30))
    rows = list(load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))
    assert str(rows[0][0]).startswith("导出人：王主任 · 朝阳社区 · 2026-11-18")
    assert rows[1] == ("走访对象", "居住地址", "方式", "走访时间", "参与人员", "走访详情", "服务标签")
    assert rows[2:] == [
        ("张建国", "1号楼1单元101", "上门", "2026-11-03 10:30", "小李、小周", "见到了，没变化；=腿脚还行", "助餐、看病")
    ]


def test_the_traces_count_and_name_nobody(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    resident_files.take_residents(session, actor, TAKER, WHEN, "报送公安")
    resident_files.take_visits(session, actor, TAKER, WHEN, TODAY, TODAY)
    traces = session.scalars(select(AuditEntry).where(AuditEntry.community_id == actor.community_id))
    said = {trace.deed: trace.detail for trace in traces}
    assert said["import.residents"] == {"new": 5, "changed": 0, "same": 0, "unclear": 2}
    assert said["export.residents"] == {"people": 5, "full_numbers": True, "reason": "报送公安"}
    assert said["export.visits"] == {"visits": 0, "since": "2026-11-18", "until": "2026-11-18"}
    assert not any(name in str(said) for name in (*people(session, actor), ZHANG, "13800001234"))


def test_another_community_is_another_one(session: Session, actor: Actor) -> None:
    bring(session, actor, mess())
    elsewhere = settled(session)
    assert counts(plan(session, elsewhere, mess())) == (5, 0, 0, 2)
    bare = load_workbook(io.BytesIO(resident_files.take_residents(session, elsewhere, TAKER, WHEN, None))).active
    assert bare.max_row == 2


def test_changes_need_somebody_who_signs_them(session: Session, actor: Actor) -> None:
    bring(session, actor, sheet([["1-1-101", "张三", "户主", "13800001111", None]]))
    found = plan(session, actor, sheet([["1-1-101", "张三", "户主", "13800002222", None]]))
    with pytest.raises(ValueError, match="sign"):
        resident_files.bring_residents(session, replace(actor, user_id=None), None, found, None, WHEN)
