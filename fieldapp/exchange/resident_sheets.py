"""The sheets that are taken out: residents, one row a person, as the import reads them; visits, as city platforms ask.

Both are in Chinese whoever takes them: other offices read them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from fieldapp.clock import COMMUNITY_ZONE
from fieldapp.exchange.resident_cells import EMPLOYMENTS
from fieldapp.exchange.resident_columns import HEADINGS
from fieldapp.exchange.resident_queries import Logged, Place, Row
from fieldapp.exchange.resident_reading import WATERMARK
from fieldapp.households import codes, facts
from fieldapp.households.rules import Employment, mask_id_number
from fieldapp.visits.rules import Outcome, Way

Cells = list[str | int | None]

LEFT_OUT = ("address", "elsewhere")
"""Columns that are read but not written: they say again what others say."""
_CODED = {"ethnic": codes.ETHNIC, "marital": codes.MARITAL, "schooling": codes.SCHOOLING, "relation": codes.RELATION}
_SEX = {"1": "男", "2": "女", "0": "未知", "9": "未说明"}

VISIT_HEADER = ("走访对象", "居住地址", "方式", "走访时间", "参与人员", "走访详情", "服务标签")
"""003 十一(三) 入户走访记录, in the words of city platforms."""
_WAYS = {Way.DOOR: "上门", Way.PHONE: "电话", Way.OTHER: "其他"}
_OUTCOMES = {
    Outcome.MET: "见到了，没变化",
    Outcome.CHANGED: "见到了，有变化",
    Outcome.NOBODY: "没人在",
    Outcome.REFUSED: "不愿见",
    Outcome.MOVED: "已搬走",
    Outcome.VACANT: "空房",
}


def watermark(who: str, community: str, at: datetime) -> str:
    """The line above a sheet: who took it out, and when; the import passes over it."""
    return f"{WATERMARK}{who} · {community} · {at.astimezone(COMMUNITY_ZONE):%Y-%m-%d %H:%M} · 内部资料，用完就删"


def resident_sheet(
    rows: Iterable[Row], buildings: Mapping[UUID, str], off: Collection[str], *, full_numbers: bool
) -> tuple[list[str], list[Cells]]:
    """The headings, and a row a person; ID numbers with stars unless they are asked for in full."""
    columns = [heading for heading in HEADINGS if heading.key not in (*LEFT_OUT, *off)]
    found = []
    for row in rows:
        said: dict[str, str | int | None] = {
            "building": buildings[row.building_id],
            "entrance": row.entrance,
            "room": row.room,
            "number": row.number if row.households > 1 or row.number != 1 else None,
            "head": row.head,
        }
        found.append([said[c.key] if c.key in said else _told(row, c.key, full_numbers) for c in columns])
    return [heading.zh for heading in columns], found


def _told(row: Row, key: str, full_numbers: bool) -> str | None:
    told = facts.told(getattr(row.resident, key))
    if key == "is_temporary":
        return "是" if told else "否"
    if told is None:
        return None
    if key == "id_number":
        return told if full_numbers else mask_id_number(told)
    if key == "employment":
        return EMPLOYMENTS[Employment(told)][0]
    if key == "sex":
        return _SEX.get(told, told)
    return _CODED[key].get(told, told) if key in _CODED else told


def address(place: Place) -> str:
    """A door's address as it is written: 12号楼2单元601, 一号院3号."""
    if place.is_courtyard:
        return f"{place.building}{place.room}号"
    return f"{place.building}{place.entrance}单元{place.room}"


def visit_sheet(logged: Sequence[Logged]) -> list[Cells]:
    """The rows of the sheet of visits."""
    return [
        [
            "、".join(entry.people) or None,
            address(entry.place),
            _WAYS[Way(entry.visit.way)],
            f"{entry.visit.visited_at.astimezone(COMMUNITY_ZONE):%Y-%m-%d %H:%M}",
            "、".join(name for name in (entry.visitor, entry.companion) if name),
            "；".join(part for part in (_OUTCOMES[Outcome(entry.visit.outcome)], entry.visit.sentence) if part),
            "、".join(entry.visit.topics) or None,
        ]
        for entry in logged
    ]
