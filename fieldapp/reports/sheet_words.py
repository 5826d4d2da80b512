"""What the five sheets and their columns are called."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldapp.reports.sheets import COLUMNS, LAST_BAND, Kind

NAMES = {
    Kind.VETERANS: _l("优抚对象"),
    Kind.UNEMPLOYED: _l("下岗失业"),
    Kind.HARDSHIP: _l("特困低保"),
    Kind.STRUCTURE: _l("人员结构"),
    Kind.NEEDS: _l("居民需求"),
}
EXPLAINED = {
    Kind.VETERANS: _l("优抚这一组里的户和人"),
    Kind.UNEMPLOYED: _l("失业这一组里的，加上登记为没工作的"),
    Kind.HARDSHIP: _l("低保这一组里的户和人"),
    Kind.STRUCTURE: _l("男女、年龄、流动人口、租住"),
    Kind.NEEDS: _l("12 个月里问到的事和答应的事"),
}
COMMON = {"households": _l("户"), "people": _l("人"), "old": _l("60 岁以上"), "very_old": _l("80 岁以上")} | {
    "alone": _l("一人住"),
    "review": _l("该复核"),
}
WORDS = {
    Kind.VETERANS: COMMON,
    Kind.UNEMPLOYED: COMMON
    | {
        "young": _l("34 岁以下"),
        "middle": _l("35 到 49 岁"),
        "older": _l("50 岁以上"),
        "hardship": _l("也是低保"),
        "unlike": _l("登记的不是失业"),
    },
    Kind.HARDSHIP: COMMON | {"children": _l("未成年"), "disabled": _l("也有残疾"), "unemployed": _l("也失业")},
    Kind.STRUCTURE: COMMON
    | {
        "men": _l("男"),
        "women": _l("女"),
        "sex_unknown": _l("性别不清楚"),
        "small": _l("5 岁以下"),
        "school": _l("6 到 17 岁"),
        "adults": _l("18 到 59 岁"),
        "age_unknown": _l("年龄不清楚"),
        "temporary": _l("流动人口"),
        "elsewhere": _l("人户分离"),
        "rent": _l("租住的户"),
    },
    Kind.NEEDS: {
        "asked": _l("问到的户"),
        "promised": _l("答应的事"),
        "answered": _l("办好了"),
        "open": _l("还没办"),
        "late": _l("过期了"),
    },
}


def kind_name(kind: str) -> str:
    """优抚对象, …"""
    return str(NAMES[Kind(kind)])


def explained(kind: str) -> str:
    """Who is counted, in a line."""
    return str(EXPLAINED[Kind(kind)])


def column_words(kind: Kind) -> dict[str, str]:
    """What the columns of a sheet are called, in their order; of the structure the pyramid's bars come after."""
    words = {key: str(WORDS[kind][key]) for key in COLUMNS[kind]}
    if kind is Kind.STRUCTURE:
        for band in range(LAST_BAND + 1):
            ages = f"{5 * band}–{5 * band + 4}" if band < LAST_BAND else _("%(n)s 以上", n=5 * band)
            words |= {f"m{band}": _("男 %(ages)s 岁", ages=ages), f"f{band}": _("女 %(ages)s 岁", ages=ages)}
    return words


def topic_name(topic: str | None) -> str:
    """A topic as the community calls it; 没写事项 where none was ticked, 合计 for all together."""
    return _("合计") if topic is None else topic or _("没写事项")
