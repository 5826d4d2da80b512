"""The words of the spot check: its questions, answers, verdicts and signs, in the reader's language."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldapp.households.rules import Occupancy
from fieldapp.language import day, listed
from fieldapp.spotchecks.rules import LONGEST_WORD, SMALLEST, Interval, Kind, SignKind, Verdict

QUESTIONS = {
    Kind.PEOPLE: _l("这家住着几个人？"),
    Kind.HEAD: _l("户主叫什么？"),
    Kind.OVER80: _l("有没有 80 岁以上的老人？是谁？"),
    Kind.UNDER6: _l("有没有 6 岁以下的孩子？是谁？"),
    Kind.JOBLESS: _l("有没有人没有工作？是谁？"),
    Kind.CARE: _l("这家属于哪类重点户？为什么？"),
    Kind.NEED: _l("最近一次提了什么事？答复了没有？"),
    Kind.LAST_MET: _l("最近一次见到这家人是哪天？"),
    Kind.RENTS: _l("房子是自己住还是租的？"),
    Kind.SHOP: _l("楼下那家店叫什么？"),
}
KINDS = {
    Kind.PEOPLE: _l("几个人"),
    Kind.HEAD: _l("户主"),
    Kind.OVER80: _l("80 岁以上"),
    Kind.UNDER6: _l("6 岁以下"),
    Kind.JOBLESS: _l("没有工作的"),
    Kind.CARE: _l("重点户和原因"),
    Kind.NEED: _l("最近的诉求"),
    Kind.LAST_MET: _l("最近见到"),
    Kind.RENTS: _l("自住还是出租"),
    Kind.SHOP: _l("楼下的店"),
}
VERDICTS = {
    Verdict.RIGHT: _l("对"),
    Verdict.HALF: _l("对一半"),
    Verdict.WRONG: _l("不对"),
    Verdict.UNRECORDED: _l("册子上没登记"),
    Verdict.SKIPPED: _l("跳过"),
}
OCCUPANCIES = {
    Occupancy.OWN: _l("自己住"),
    Occupancy.RENT: _l("租的"),
    Occupancy.LODGING: _l("借住"),
    Occupancy.UNKNOWN: _l("不清楚"),
    Occupancy.VACANT: _l("空着"),
    Occupancy.GONE: _l("搬走了"),
}


class Said(NamedTuple):
    """An answer in words: what is asked for, and what stands behind it."""

    main: str
    detail: str = ""


def question(kind: str) -> str:
    """What the checker asks."""
    return str(QUESTIONS[Kind(kind)])


def kind_name(kind: str) -> str:
    """What a question is about, for a table."""
    return str(KINDS[Kind(kind)])


def verdict(word: str) -> str:
    """对, 对一半, 不对, …"""
    return str(VERDICTS[Verdict(word)])


def answer(kind: str, value: Any) -> Said:
    """An expected answer, or a choice, in words."""
    return _SAYERS[Kind(kind)](value)


def _people(value: Any) -> Said:
    return Said(_("%(n)s 人", n=value))


def _name(value: Any) -> Said:
    return Said(str(value))


def _names(value: Any) -> Said:
    return Said(listed(value)) if value else Said(_("没有"))


def _care(value: Any) -> Said:
    if not value:
        return Said(_("不是重点户"))
    groups = list(dict.fromkeys(one["group"] for one in value))
    why = (" ".join(filter(None, (one.get("who"), one.get("reason")))) for one in value)
    return Said(listed(groups), " · ".join(filter(None, why)))


def _need(value: Any) -> Said:
    if not value:
        return Said(_("没有提过"))
    told = _("已经答复") if value["answered"] else _("还没答复")
    return Said(value["what"], " · ".join(filter(None, (_day(value.get("on")), told))))


def _last_met(value: Any) -> Said:
    return Said(_day(value) or _("没有见过"))


def _rents(value: Any) -> Said:
    return Said(str(OCCUPANCIES[Occupancy(value)]))


def _day(text: str | None) -> str:
    return day(date.fromisoformat(text)) if text else ""


_SAYERS = {
    Kind.PEOPLE: _people,
    Kind.HEAD: _name,
    Kind.OVER80: _names,
    Kind.UNDER6: _names,
    Kind.JOBLESS: _names,
    Kind.CARE: _care,
    Kind.NEED: _need,
    Kind.LAST_MET: _last_met,
    Kind.RENTS: _rents,
    Kind.SHOP: _name,
}


def percent(share: float) -> str:
    """87%, rounded as one says it."""
    return f"{100 * share:.0f}%"


def interval(found: Interval) -> str:
    """在 71% 到 92% 之间: what the true share may well be, since only some were asked."""
    return _("在 %(low)s 到 %(high)s 之间", low=percent(found.low), high=percent(found.high))


def month_name(month: str) -> str:
    """2026年11月 of "2026-11"."""
    year, number = month.split("-")
    return _("%(y)s年%(m)s月", y=int(year), m=int(number))


def draw_advice(code: str) -> str:
    """Why a draw was not made, and what to do."""
    return {
        "nobody": _("选的包干区里没有能抽的户。换几个包干区，或者让上个月抽过的也能再抽。"),
        "month": _("月份要写成 2026-11 这样，不能是以后的月份。"),
        "few": _("一次至少抽 %(n)s 户。", n=SMALLEST),
    }.get(code, _("没抽成，再看一眼填的。"))


def refusal(code: str) -> str:
    """Why something was not written down, and what stands."""
    return {
        "own": _("自己那几户要别人来问、来定。"),
        "other": _("这一户不是你答的。"),
        "choice": _("没有这个选项，重新打开这一页再选。"),
        "answered": _("这一问已经记过了，先记的算。"),
        "asked": _("这一户住户说的已经记过了，先记的算。"),
        "contested": _("这一问没有要定的，或者已经说过了。"),
        "decided": _("这一问已经定了。"),
        "unanswered": _("这一问还没答，没有什么要说的。"),
        "word": _("写一句为什么，最多 %(n)s 个字。", n=LONGEST_WORD),
    }.get(code, _("没收全，重新打开这一页再记。"))


SIGNS = {
    SignKind.RUSH: (
        _l("几分钟里记了隔得很远的几户"),
        _l("也可能是走完一圈一起补记的，或者几个人走、一个人记。"),
    ),
    SignKind.SAME: (
        _l("同一句话记了很多次"),
        _l("也可能是发通知那几天，每户说的本来就一样。"),
    ),
    SignKind.NIGHT: (
        _l("差不多都在夜里存的"),
        _l("也可能是白天走、晚上坐下来写，或者只有晚上家里有人。"),
    ),
    SignKind.UNCHANGED: (
        _l("一年都记没变化，抽查却有变的"),
        _l("也可能是抽查前几天才变的，或者住的人没说。"),
    ),
}
"""Signs of a careless log with the innocent explanations that stand beside each."""
FACTS = {
    SignKind.RUSH: _l("%(visits)s 次走访，%(minutes)s 分钟，最远的两户隔 %(metres)s 米"),
    SignKind.SAME: _l("“%(sentence)s”，%(visits)s 次"),
    SignKind.NIGHT: _l("%(of)s 次里有 %(visits)s 次在夜里存"),
    SignKind.UNCHANGED: _l("见到 %(visits)s 次都没变化，抽查有 %(changes)s 处不一样"),
}


def sign(kind: str) -> tuple[str, str]:
    """What was seen, and what else may explain it."""
    seen, innocent = SIGNS[SignKind(kind)]
    return str(seen), str(innocent)


def sign_facts(kind: str, facts: Mapping[str, Any]) -> str:
    """What was seen, in numbers."""
    return str(FACTS[SignKind(kind)]) % facts
