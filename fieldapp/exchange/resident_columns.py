"""The residents' sheet's columns: what committees call them, and a guess at the headings of a file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from fieldapp.exchange.cells import shown
from fieldapp.exchange.columns import loose
from fieldapp.exchange.problems import RowProblem
from fieldapp.exchange.sheet import MOST_COLUMNS, Row, first_rows


@dataclass(frozen=True)
class Heading:
    """A column: the key of what it says, the name that this program writes, and what others call it."""

    key: str
    zh: str
    also: tuple[str, ...] = ()


HEADINGS = (
    Heading("building", "楼栋", ("楼号", "楼", "栋", "幢", "楼幢", "楼栋号", "栋号", "幢号", "building")),
    Heading("entrance", "单元", ("单元号", "门栋", "梯", "entrance", "unit")),
    Heading("room", "室号", ("房号", "室", "房间号", "门号", "门牌号", "房间", "room")),
    Heading("number", "第几户", ("同门第几户",)),
    Heading("address", "居住地址", ("地址", "住址", "现住址", "现居住地", "居住地", "详细地址", "家庭住址", "address")),
    Heading("head", "户主姓名", ("户主", "户主名字", "head")),
    Heading("name", "姓名", ("居民姓名", "名字", "人员姓名", "成员姓名", "name")),
    Heading("relation", "与户主关系", ("关系", "户主关系", "家庭关系", "与户主之关系", "relation")),
    Heading("sex", "性别", ("sex", "gender")),
    Heading("birth_date", "出生日期", ("生日", "出生年月日", "出生年月", "出生时间", "birthdate", "birthday")),
    Heading(
        "id_number", "身份证号", ("身份证号码", "身份证", "公民身份号码", "居民身份证号码", "证件号码", "idnumber")
    ),
    Heading("phone", "电话", ("联系电话", "手机", "手机号", "手机号码", "电话号码", "联系方式", "本人电话", "phone")),
    Heading("ethnic", "民族", ("ethnic",)),
    Heading("marital", "婚姻状况", ("婚姻", "婚否", "婚姻情况", "marital")),
    Heading("schooling", "文化程度", ("学历", "教育程度", "受教育程度", "schooling")),
    Heading("employment", "就业", ("就业情况", "就业状况", "职业状况", "从业状况", "在业情况", "employment")),
    Heading("workplace", "工作单位", ("单位", "服务处所", "工作单位或学校", "就业单位", "workplace")),
    Heading("registered_at", "户籍地", ("户籍地址", "户籍所在地", "户口所在地", "户口地址", "registeredat")),
    Heading("elsewhere", "人户分离", ("是否人户分离", "人户是否分离", "人户一致")),
    Heading("is_temporary", "流动人口", ("是否流动人口", "流动", "外来人口", "temporary")),
    Heading("origin", "来源地", ("原籍", "流出地", "来自", "何地来", "origin")),
    Heading("permit_from", "居住证起", ("暂住证起", "居住证办理日期", "暂住证办理日期", "居住证开始日期")),
    Heading("permit_until", "居住证止", ("暂住证止", "居住证到期", "居住证到期日", "暂住证到期", "居住证有效期至")),
    Heading("guardian", "监护人", ("监护人姓名", "guardian")),
    Heading("guardian_phone", "监护人电话", ("监护人联系电话", "监护人手机", "guardianphone")),
)
"""In the order of a sheet. Keys of facts are the resident's own; the others say where somebody lives."""

BY_KEY = {heading.key: heading for heading in HEADINGS}
OF_DOOR = ("building", "entrance", "room", "number", "address")
FACTS = tuple(h.key for h in HEADINGS if h.key not in (*OF_DOOR, "head", "elsewhere"))
"""What the sheet says of a person, by the resident's own names."""

_KNOWN = {loose(name): heading.key for heading in HEADINGS for name in (heading.zh, *heading.also)}
LIKE_ENOUGH = 0.7
"""How alike a heading must be to a known one (0 to 1): 联系电话1 and 联系电话 are 0.89, 单位 and 单元 0.5."""


@dataclass(frozen=True)
class Headings:
    """Which row of a file names its columns, what it calls them by place, and which key stands at which place."""

    row: int
    names: Mapping[int, str]
    places: Mapping[int, str]

    def name(self, key: str) -> str:
        """What the file calls a column; this program's name where the file has none."""
        found = next((place for place, known in self.places.items() if known == key), None)
        return BY_KEY[key].zh if found is None else self.names.get(found, BY_KEY[key].zh)

    @property
    def unused(self) -> tuple[str, ...]:
        """The columns that nothing is read from."""
        return tuple(name for place, name in sorted(self.names.items()) if place not in self.places)


def likeness(name: object) -> dict[str, float]:
    """How much a heading looks like each column's, 0 to 1; only what is alike enough."""
    text = loose(name)
    if not text:
        return {}
    if text in _KNOWN:
        return {_KNOWN[text]: 1.0}
    found: dict[str, float] = {}
    for known, key in _KNOWN.items():
        ratio = SequenceMatcher(None, text, known).ratio()
        if len(known) >= 2 and (text.endswith(known) or text.startswith(known)):
            ratio = max(ratio, 0.7 + 0.2 * len(known) / len(text))
        if ratio >= LIKE_ENOUGH:
            found[key] = max(ratio, found.get(key, 0.0))
    return found


def guess(rows: Sequence[Row], off: Collection[str] = ()) -> Headings:
    """The row among the first ones that looks most like headings, and the likeliest column of each; each once.

    `off` are facts that the community does not keep.
    """
    best = max(first_rows(rows), key=lambda row: sum(bool(likeness(cell)) for cell in row[1] if isinstance(cell, str)))
    names = {place: shown(cell) for place, cell in enumerate(best[1][:MOST_COLUMNS]) if cell not in (None, "")}
    scored = [
        (-score, place, key) for place, name in names.items() for key, score in likeness(name).items() if key not in off
    ]
    places: dict[int, str] = {}
    for _score, place, key in sorted(scored):
        if place not in places and key not in places.values():
            places[place] = key
    return Headings(best[0], names, places)


def corrected(headings: Headings, places: Mapping[int, str], off: Collection[str] = ()) -> Headings:
    """The headings as somebody put them right; unknown keys and places are left out."""
    kept = {p: k for p, k in places.items() if k in BY_KEY and k not in off and 0 <= p < MOST_COLUMNS}
    names = {**{place: f"#{place + 1}" for place in kept}, **headings.names}
    return Headings(headings.row, names, kept)


def faults(headings: Headings) -> list[RowProblem]:
    """What is wrong with the headings: `missing` (the key of a column), `missing_address`, `twice`."""
    keys = list(headings.places.values())
    problems = [
        RowProblem(headings.row, headings.name(key), "", "twice", headings.name(key))
        for key in dict.fromkeys(key for key in keys if keys.count(key) > 1)
    ]
    if "name" not in keys:
        problems.append(RowProblem(headings.row, BY_KEY["name"].zh, "", "missing", "name"))
    if "address" not in keys and not {"building", "room"} <= set(keys):
        problems.append(RowProblem(headings.row, BY_KEY["address"].zh, "", "missing_address"))
    return problems
