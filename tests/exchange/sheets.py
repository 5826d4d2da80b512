"""Residents' sheets as committees have them: titles, merged cells, full-width digits, stars, dates of all kinds."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.exchange import files, resident_files
from fieldapp.exchange.resident_plan import Plan
from fieldapp.households.models import Resident
from tests.exchange.made import TODAY, WHEN, blocks, id_number, office, xlsx
from tests.factories import make_user

HEADINGS = (
    "序号", "楼号", "单元号", "房间号", "户主", "姓  名", "与户主关系", "性别", "民族", "出生年月",
    "身份证号码（18位）", "联系电话", "文化程度", "婚姻", "工作单位", "就业情况", "户口所在地", "人户分离",
    "是否流动人口", "宗教",
)  # fmt: skip
ZHANG, WANG, ZHAO = id_number("19570302", 1), id_number("19600512", 2), id_number("19850704", 3)
CHEN = id_number("19991231", 4)
WIDE_WANG = WANG.translate(str.maketrans("0123456789", "０１２３４５６７８９"))

MESS: list[list[Any]] = [
    ["朝阳社区居民信息登记表"],
    ["填表单位：朝阳社区", None, None, None, "2026年11月"],
    list(HEADINGS),
    [1, "1号楼", "1单元", 101, "张建国", "张 建 国", "户主", "男", "汉", "1957.3.2", ZHANG,
     "0510-83331234 １３８００００１２３４", "初中", "已婚", "第一棉纺厂", "退休", "本址", "否", "否", None],
    [2, None, None, None, None, "王秀英", "妻", "女", "汉族", "60年5月", WIDE_WANG,
     "13900001111/13700002222", "小学", "有配偶", None, "家务", "同上", None, "否", None],
    [3, None, None, None, None, "张小明", "儿子", None, None, 31232, "320211********1234",
     13600003333, "本科", "未婚", "无锡软件园", "在职", "江苏省南京市鼓楼区", "是", "否", None],
    [4, "２号楼", "２", "２０１", "赵强", "赵强", "本人", "男", "回族", date(1985, 7, 4), ZHAO,
     "15000004444", "大专", "离异", None, "下岗", None, "是", "是", None],
    [5, "2号楼", 1, "101室", None, "陈静", "户主", "女", "14", "19991231", CHEN, None,
     "研究生", "10", None, "学生"],
    [6, "9号楼", 1, "101", None, "没楼", "户主", "男"],
    [7, "3号楼", 1, "101", None, "错日子", "户主", "男", None, "1957.13.2", None, "1380000123"],
    [8, "3号楼", 1, "102"],
    ["合计"],
]  # fmt: skip


def mess(rows: Sequence[Sequence[Any]] = MESS) -> bytes:
    """The sheet as a workbook, with the title and a household's door merged."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    sheet.merge_cells("A1:T1")
    for column in "BCDE":
        sheet.merge_cells(f"{column}4:{column}6")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def settled(session: Session) -> Actor:
    """The director, with an account, of a community of three blocks with their doors laid out: 1-101 … 2-602."""
    lone = office(session)
    user = make_user(session, f"d{lone.community_id.hex}", Role.DIRECTOR, community_id=lone.community_id)  # type: ignore[union-attr]
    actor = Actor(user.id, user.name, Role.DIRECTOR, lone.community_id)
    files.bring_buildings(session, actor, blocks(households=24), WHEN, where=None, lay_out=True)
    session.commit()
    return actor


def plan(session: Session, actor: Actor, data: bytes) -> Plan:
    """What a sheet would do."""
    rows, headings = resident_files.open_sheet(session, actor, data)
    return resident_files.plan_sheet(session, actor, rows, headings, TODAY)


def bring(session: Session, actor: Actor, data: bytes, chosen: set[str] | None = None) -> Plan:
    """Store a sheet, or what is chosen of it."""
    found = plan(session, actor, data)
    resident_files.bring_residents(session, actor, actor.user_id, found, chosen, WHEN)
    session.commit()
    session.expire_all()
    return found


def people(session: Session, actor: Actor) -> dict[str, Resident]:
    """The community's residents by name."""
    found = session.scalars(select(Resident).where(Resident.community_id == actor.community_id))
    return {resident.name: resident for resident in found}


def counts(found: Plan) -> tuple[int, int, int, int]:
    """New, changed, same, unclear rows."""
    kinds = [entry.kind.value for entry in found.entries]
    rows = {problem.row for problem in found.unclear}
    return kinds.count("new"), kinds.count("changed"), kinds.count("same"), len(rows)


def xlsx_of(
    rows: Sequence[Sequence[Any]], header: Sequence[str] = ("居住地址", "姓名", "与户主关系", "电话", "文化程度")
) -> bytes:
    """A tidy sheet."""
    return xlsx([header, *rows])
