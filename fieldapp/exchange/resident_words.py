"""What the residents' sheet says and would do, in the reader's language."""

import re
from collections.abc import Sequence

from flask_babel import gettext as _

from fieldapp.exchange import words
from fieldapp.exchange.problems import RowProblem
from fieldapp.exchange.resident_operations import ResidentsDone
from fieldapp.exchange.resident_plan import Entry, Kind, Plan
from fieldapp.exchange.resident_reading import Said
from fieldapp.households import codes
from fieldapp.households.rules import mask_id_number


def column_names() -> dict[str, str]:
    """What each column is called, by key."""
    return {
        "building": _("楼栋"),
        "entrance": _("单元"),
        "room": _("室号"),
        "number": _("第几户"),
        "address": _("居住地址"),
        "head": _("户主姓名"),
        "name": _("姓名"),
        "relation": _("与户主关系"),
        "sex": _("性别"),
        "birth_date": _("出生日期"),
        "id_number": _("身份证号"),
        "phone": _("电话"),
        "ethnic": _("民族"),
        "marital": _("婚姻状况"),
        "schooling": _("文化程度"),
        "employment": _("就业"),
        "workplace": _("工作单位"),
        "registered_at": _("户籍地"),
        "elsewhere": _("人户分离"),
        "is_temporary": _("流动人口"),
        "origin": _("来源地"),
        "permit_from": _("居住证起"),
        "permit_until": _("居住证止"),
        "guardian": _("监护人"),
        "guardian_phone": _("监护人电话"),
    }


_TABLES = {"ethnic": codes.ETHNIC, "marital": codes.MARITAL, "schooling": codes.SCHOOLING, "relation": codes.RELATION}


def value_text(field: str, told: str | None) -> str:
    """A fact's value as it is read: codes as their standard's words, ID numbers with stars."""
    if field == "is_temporary":
        return _("是") if told else _("否")
    if not told:
        return _("没有")
    if field == "id_number":
        return told if "*" in told else mask_id_number(told)
    if field == "sex":
        return {"1": _("男"), "2": _("女"), "0": _("未知")}.get(told, _("未说明"))
    if field == "employment":
        return {
            "employed": _("在业"),
            "unemployed": _("失业"),
            "retired": _("退休"),
            "student": _("学生"),
            "home": _("在家"),
        }[told]
    return _TABLES[field].get(told, told) if field in _TABLES else told


def why(problem: RowProblem) -> str:
    """Why a cell, or a file, is not clear, and what would be right."""
    detail = problem.detail
    texts = {
        "missing_address": _("缺地址：要有居住地址一列，或者楼栋、室号两列"),
        "address": _("地址要写到室，像 12号楼2单元601 或 12-2-601"),
        "door": _("册子上没有这个门，先在楼栋页上加门，或导入住户"),
        "door_entrance": _("几个单元都有这个室号，要写单元"),
        "door_households": _("这个门里住着几户，要写第几户"),
        "name_more": _("名字里还写着别的，只留名字，其余写到别的列"),
        "month_lost": _("可能是 1 月，也可能是 10 月，Excel 丢了末尾的 0"),
        "mobile": _("手机号要 11 位，这里是 %(n)s 位", n=detail),
        "left": _("册子上这个人（%(name)s）已经不在，回来了要在那一户记", name=detail),
        "id_several": _("册子上有两个人是这个身份证号，先合并"),
        "elsewhere": _("册子上这个人住在 %(address)s，搬了家要在那一户记搬走", address=detail),
        "number_of": _("册子上这个身份证号是%(name)s的，名字不同", name=detail),
        "id_differs": _("册子上这一户有同名的人（%(name)s），身份证号不同", name=detail),
        "born_differs": _("册子上这一户有同名的人，出生日期是 %(day)s", day=detail),
        "record_born": _("和册子上的身份证号对不上，册子上是 %(day)s", day=detail),
        "record_sex": _("和册子上的身份证号对不上"),
    }
    if problem.code == "missing":
        return str(_("缺这一列，表头要有：%(name)s", name=column_names()[detail]))
    if problem.code == "future" and not detail:
        return _("日期还没到")
    return texts.get(problem.code) or words.row_advice(problem)


def problem_text(problem: RowProblem) -> str:
    """第 17 行 · 出生日期 · “1957-13-02”：要写成 1957-03-02 这样的日期."""
    place = [_("第 %(n)s 行", n=problem.row)] if problem.row else []
    place += [problem.column] if problem.column and not problem.code.startswith("missing") else []
    place += [_("“%(value)s”", value=problem.value[:60])] if problem.value else []
    return _("%(place)s：%(said)s", place=" · ".join(place), said=why(problem)) if place else why(problem)


def door_text(said: Said) -> str:
    """12号楼 2-601."""
    entrance = f"{said.door.entrance}-" if said.door.entrance else ""
    return f"{said.door.building.name} {entrance}{said.door.room}"


def said_text(said: Said) -> str:
    """What a row says of a person, in one line: 性别 男 · 出生日期 1957-03-02."""
    names = column_names()
    told = {**said.values, **({"id_number": said.masked} if said.masked else {})}
    return " · ".join(
        f"{names[key]} {value_text(key, value)}" for key, value in told.items() if key != "name" and value
    )


def changes_of(entry: Entry) -> list[tuple[str, str, str, str]]:
    """A row's changes: the field, its name, what is on record, what the sheet says."""
    names = column_names()
    return [(c.field, names[c.field], value_text(c.field, c.old), value_text(c.field, c.new)) for c in entry.changes]


def plan_line(plan: Plan) -> str:
    """What a plan would do, in one line."""
    rows = len({problem.row for problem in plan.unclear})
    counts = {kind.value: len(plan.of(kind)) for kind in Kind}
    return str(_("新增 %(new)s 人，改动 %(changed)s 人，没变 %(same)s 人，看不清 %(rows)s 行", rows=rows, **counts))


def done_lines(done: ResidentsDone) -> list[str]:
    """What an import of residents did."""
    lines = [_("新增 %(new)s 人，改动 %(changed)s 人 %(n)s 处", new=done.new, changed=done.changed, n=done.changes)]
    if done.households:
        lines.append(_("新增 %(n)s 户", n=done.households))
    if done.held:
        lines.append(_("%(n)s 处没有改成户主，那一户已经有户主", n=done.held))
    return lines


def as_json(plan: Plan) -> dict[str, object]:
    """What a dry run prints."""
    return {**{kind.value: len(plan.of(kind)) for kind in Kind}, "unclear": _unclear(plan.unclear)}


def refused_json(problems: Sequence[RowProblem]) -> dict[str, object]:
    """What a dry run prints of a sheet that cannot be read at all."""
    return {**{kind.value: 0 for kind in Kind}, "unclear": _unclear(problems)}


def _unclear(problems: Sequence[RowProblem]) -> list[dict[str, object]]:
    return [{"row": p.row, "column": p.column, "value": p.value, "why": str(why(p))} for p in problems]


LONGEST_REASON = 120


def reason_fault(reason: str) -> str | None:
    """Why a reason for full ID numbers cannot stand in the audit trail; None where it can. It names nobody's number."""
    if not reason.strip():
        return str(_("要带完整身份证号，就写明用途"))
    if len(reason) > LONGEST_REASON:
        return str(_("太长，最多 %(n)s 个字", n=LONGEST_REASON))
    if re.search(r"\d{7,}", reason):
        return str(_("用途里不写身份证号、电话"))
    return None
