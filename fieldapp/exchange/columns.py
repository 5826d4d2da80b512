"""The household sheet's columns: their names in both languages, how each cell is read, and how a header is found."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from unicodedata import normalize

from fieldapp.exchange import cells
from fieldapp.exchange.problems import RowProblem
from fieldapp.exchange.sheet import Row, first_rows
from fieldapp.households import reading

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Column:
    """A column: its names, and the function that reads a cell that is not empty (it raises cells.Fault)."""

    key: str
    zh: str
    en: str
    read: Callable[[Any], Any]
    also: tuple[str, ...] = ()
    required: bool = False

    def name(self, language: Language) -> str:
        """The header that this program writes."""
        return self.zh if language == "zh" else self.en


COLUMNS = (
    Column("building", "楼栋", "building", cells.text(64), ("楼号", "楼", "栋", "幢", "楼幢", "楼栋号"), required=True),
    Column("entrance", "单元", "entrance", cells.read_entrance, ("单元号", "门栋", "unit")),
    Column("floor", "楼层", "floor", cells.read_floor, ("层", "所在楼层")),
    Column("room", "室号", "room", cells.text(24), ("房号", "室", "房间号", "门号"), required=True),
    Column("kind", "类型", "kind", cells.choice(cells.KINDS), ("房屋类型",)),
    Column("shop_name", "店名", "shop_name", cells.text(64), ("商铺名称", "shop")),
    Column("column", "列", "column", cells.whole(1, 999)),
    Column("row", "行", "row", cells.whole(1, 999)),
    Column("span", "占格", "span", cells.whole(1, 99)),
    Column("row_span", "占层", "row_span", cells.whole(1, 99)),
    Column("household", "户号", "household", cells.whole(0, 99)),
    Column("occupancy", "居住情况", "occupancy", cells.choice(cells.OCCUPANCIES), ("居住状况", "居住状态")),
    Column("moved_in", "迁入日期", "moved_in", cells.read_date, ("入住日期", "迁入时间")),
    Column("name", "姓名", "name", cells.read_name, ("居民姓名",)),
    Column("relation", "与户主关系", "relation", cells.read_relation, ("关系", "户主关系", "家庭关系")),
    Column("sex", "性别", "sex", cells.choice(reading.SEXES)),
    Column("birth_date", "出生日期", "birth_date", cells.read_date, ("生日", "出生年月日", "出生年月", "birthday")),
    Column("id_number", "身份证号", "id_number", cells.read_id_number, ("身份证号码", "身份证", "公民身份号码", "id")),
    Column("phone", "电话", "phone", cells.read_phone, ("联系电话", "手机", "手机号", "手机号码", "电话号码")),
    Column("registered_at", "户籍地", "registered_at", cells.text(120), ("户籍地址", "户籍所在地")),
    Column("temporary", "流动人口", "temporary", cells.choice(reading.YES_NO), ("是否流动人口",)),
    Column("care_groups", "特定群体", "care_groups", cells.read_names, ("重点人群", "特殊群体", "care_group")),
    Column("note", "备注", "note", cells.text(200), ("remark", "notes")),
)
BY_KEY = {column.key: column for column in COLUMNS}


@dataclass(frozen=True)
class Header:
    """Where the columns of a file are. `names` are the headers as in the file; `unused` those nothing is read from."""

    row: int
    places: dict[str, int]
    names: dict[str, str]
    unused: tuple[str, ...]


def loose(name: object) -> str:
    """A header without what people add to it: spaces, full width, brackets and what they hold, stars."""
    text = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", normalize("NFKC", str(name)))
    return re.sub(r"[\s_\-*:：.、,]+", "", text).casefold()


_KNOWN = {loose(name): column.key for column in COLUMNS for name in (column.zh, column.en, *column.also)}


def find_header(rows: Sequence[Row]) -> tuple[Header, list[RowProblem]]:
    """Find the row that names the columns. Problems: `missing` and `twice`, each with the column's name."""
    best = max(first_rows(rows), key=lambda row: sum(_key(cell) is not None for cell in row[1]))
    number, found = best
    places: dict[str, int] = {}
    names: dict[str, str] = {}
    unused: list[str] = []
    problems: list[RowProblem] = []
    for place, cell in enumerate(found):
        key = _key(cell)
        shown = " ".join(str(cell).split()) if cell is not None else ""
        if key is None:
            unused += [shown] if shown else []
        elif key in places:
            problems.append(RowProblem(number, shown, "", "twice", names[key]))
        else:
            places[key], names[key] = place, shown
    for column in COLUMNS:
        if column.required and column.key not in places:
            problems.append(RowProblem(number, column.zh, "", "missing", f"{column.zh} {column.en}"))
    return Header(number, places, names, tuple(unused)), problems


def _key(cell: Any) -> str | None:
    return _KNOWN.get(loose(cell)) if isinstance(cell, str) else None
