"""One cell of the residents' sheet to one fact, as text, the way committees write it.

What reads a cell gets what openpyxl or csv gave (never empty) and raises Fault. Facts travel as `facts.told` makes
them: a day is 1957-03-02, a coded fact its national code.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from fieldapp.exchange import cells
from fieldapp.households import codes, facts, reading
from fieldapp.households.reading import Fault
from fieldapp.households.rules import Employment

EXCEL_DAY_0 = date(1899, 12, 30)
"""Day 0 of Excel's calendar, as openpyxl counts it (ECMA-376, 18.17.4.1)."""
SERIALS = range(4_000, 80_000)
"""Excel's numbers of days from 1910 to 2119."""
LONGEST_PHONES = 64


class Vague(str):
    """A birth date of which only year and month were written: its day, the 1st, is a stand-in."""


def _from_serial(number: float) -> str | None:
    if number == int(number) and int(number) in SERIALS:
        return (EXCEL_DAY_0 + timedelta(days=int(number))).isoformat()
    return None


_MONTH = re.compile(r"(\d{4}|\d{2})\s*[-/.年]\s*(\d{1,2})\s*月?")
_YEAR_MONTH = re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])")


def read_day(value: Any, today: date) -> str:
    """A day of the past: 1957.3.2, 57年3月2日, 19570302, an Excel date or its number; 57年3月 is Vague.

    Faults: `date`, `future`, and `month_lost` where a number like 1957.1 may have been 1957.10.
    """
    if isinstance(value, (date, datetime)):
        return _past(cells.read_date(value), today).isoformat()
    text = re.sub(r"[ T]00:00(:00(\.0+)?)?$", "", re.sub(r"\s+(?=[年月日])|(?<=[年月])\s+", "", cells.narrow(value)))
    serial = _from_serial(float(text)) if re.fullmatch(r"\d{4,5}(\.0)?", text) else None
    if serial:
        return _past(date.fromisoformat(serial), today).isoformat()
    if isinstance(value, float) and re.fullmatch(r"\d{4}\.1", text):
        raise Fault("month_lost")
    if month := _MONTH.fullmatch(text) or _YEAR_MONTH.fullmatch(text):
        return Vague(facts.read_birth_date(f"{month[1]}-{month[2]}-1", today).isoformat())
    return facts.read_birth_date(text, today).isoformat()


def _past(day: date, today: date) -> date:
    if day > today:
        raise Fault("future", today.isoformat())
    if day.year < 1880:
        raise Fault("date")
    return day


def read_any_day(value: Any, _today: date) -> str:
    """A day that may lie ahead, as a permit's last. Fault: `date`."""
    if not isinstance(value, (date, datetime)) and re.fullmatch(r"\d{4,5}(\.0)?", cells.narrow(value)):
        serial = _from_serial(float(cells.narrow(value)))
        if serial:
            return serial
    return cells.read_date(value).isoformat()


def read_name(value: Any, _today: date) -> str:
    """A person's name. Faults: those of `reading.read_name`; `name_more` where it says something else besides."""
    found = cells.read_name(value)
    if re.search(r"[()（）\[\]【】\d/、，,]", found):
        raise Fault("name_more")
    return found


_MASKED = re.compile(r"[\dX*]{15,18}")


def read_id_number(value: Any, _today: date) -> str:
    """A citizen's number, or one with stars (320211********1234), in which a star stands for any sign.

    Faults: those of `cells.read_id_number`.
    """
    if isinstance(value, str):
        found = re.sub(r"[\s'‘’]", "", cells.narrow(value)).upper()
        found = re.sub(r"X{2,}", lambda run: "*" * len(run[0]), found)
        if "*" in found:
            if len(found) == 18 and _MASKED.fullmatch(found):
                return found
            raise Fault("id_form")
        value = found
    return cells.read_id_number(value)


def is_masked(id_number: str) -> bool:
    """Whether signs of a number are hidden."""
    return "*" in id_number


def agrees(masked: str, id_number: str) -> bool:
    """Whether a number may be the one with stars."""
    return len(masked) == len(id_number) and all(m in ("*", n) for m, n in zip(masked, id_number.upper(), strict=True))


def read_phones(value: Any, _today: date) -> str:
    """One telephone number, or all of several, the first mobile in front: nothing is lost. "" where it is masked.

    Faults: `mobile` (how many digits), `phone`, `long`.
    """
    text = reading.narrow(cells.plain(value))
    if re.fullmatch(r"[\d\s\-]*\*{2,}[\d\s\-]*", text):
        return ""
    with_code = re.sub(r"(?<!\d)(0\d{2,3})[\s\-—]+(?=\d{7,8}(?!\d))", r"\1-", text)
    several = [
        part
        for part in re.split(r"[,，;；、/|\n或和]+|\s{2,}|(?<=\d{7})\s+(?=1[3-9]\d|0\d{2,3}-|\d{7})", with_code)
        if part.strip()
    ]
    several = [part for whole in several for part in _apart(whole)]
    numbers = list(dict.fromkeys(facts.read_phone(part.strip(" :：.。")) for part in several))
    numbers.sort(key=lambda number: re.fullmatch(r"1[3-9]\d{9}", number) is None)
    if not numbers:
        raise Fault("phone")
    found = "、".join(numbers)
    if len(found) > LONGEST_PHONES:
        raise Fault("long", str(LONGEST_PHONES))
    return found


def _apart(part: str) -> list[str]:
    """Two mobiles with nothing, or a single space, between them."""
    digits = re.sub(r"[\s\-]", "", part)
    return [digits[:11], digits[11:]] if re.fullmatch(r"1[3-9]\d{9}1[3-9]\d{9}", digits) else [part]


def numbers_of(phone: str | None) -> frozenset[str]:
    """The digits of each number of a telephone fact: what two ways of writing them have in common."""
    return frozenset(digits for part in re.split(r"[、/,;\s]+", phone or "") if (digits := re.sub(r"\D", "", part)))


def _coded(table: Mapping[str, str], also: Mapping[str, str], suffix: str = "") -> Callable[[Any, date], str]:
    """Read a national code, its standard's words, or what people say instead. Fault: `choice`."""
    words = {word: code for code, word in table.items()} | dict(also)

    def read(value: Any, _today: date) -> str:
        found = re.sub(r"\s", "", cells.narrow(value))
        code = found.zfill(2) if found.isdigit() else words.get(found) or words.get(found + suffix)
        if code not in table:
            raise Fault("choice", "、".join(list(table.values())[:8]))
        return str(code)

    return read


_SCHOOLING = {
    "博士": "11", "博士研究生": "11", "硕士": "14", "硕士研究生": "14", "研究生": "10", "研究生及以上": "10",
    "本科": "20", "大学": "20", "大学本科": "20", "大本": "20", "本科及以上": "20", "大专": "30", "专科": "30",
    "大学专科": "30", "中专": "41", "中等专科": "41", "中技": "47", "职高": "44", "职业高中": "44", "技校": "47",
    "高中": "60", "普通高中": "60", "初中": "70", "初级中学": "70", "小学": "80",
    "文盲": "90", "半文盲": "90", "文盲半文盲": "90", "学龄前": "90", "学龄前儿童": "90", "幼儿园": "90", "无": "90",
}  # fmt: skip
_MARITAL = {"有配偶": "20", "结婚": "20", "已": "20", "是": "20", "未": "10", "否": "10", "离异": "40", "离": "40",
            "离婚未再婚": "40", "丧": "30", "丧偶未再婚": "30", "未说明": "90", "不详": "90"}  # fmt: skip
EMPLOYMENTS = {
    Employment.EMPLOYED: ("在业", "就业", "已就业", "在职", "在岗", "上班", "工作", "务工", "灵活就业",
                          "个体", "务农", "自由职业"),
    Employment.UNEMPLOYED: ("失业", "下岗", "待业", "下岗失业", "失业人员", "下岗人员", "未就业", "无业"),
    Employment.RETIRED: ("退休", "离休", "离退休", "内退", "退休人员"),
    Employment.STUDENT: ("学生", "在读", "在校", "在校学生", "上学"),
    Employment.HOME: ("在家", "家务", "料理家务", "家庭主妇", "学龄前"),
}  # fmt: skip
"""What people call each; the first is what this program writes."""
_EMPLOYMENT = {word: kind.value for kind, several in EMPLOYMENTS.items() for word in several}


def _employment(value: Any, _today: date) -> str:
    found = re.sub(r"\s", "", cells.narrow(value))
    if found not in _EMPLOYMENT and found not in set(Employment):
        raise Fault("choice", "、".join(words[0] for words in EMPLOYMENTS.values()))
    return _EMPLOYMENT.get(found, found)


def _relation(value: Any, _today: date) -> str:
    text = re.sub(r"\s", "", cells.plain(value))
    return facts.read_relation(re.sub(r"^(户主)?之(?=.)|^户主的(?=.)", "", text) or text)


def _yes(value: Any, _today: date) -> str:
    """ "1" for yes, "" for no."""
    text = re.sub(r"^(不|非).*", "否", re.sub(r"\s", "", cells.narrow(value)))
    text = {"流动人口": "是", "人户分离": "是", "常住": "否", "一致": "否", "人户一致": "否"}.get(text, text)
    return "1" if reading.choice(reading.YES_NO)(text) else ""


_HERE = ("本址", "同上", "本地", "此地", "户籍地", "同住址", "同现住址", "同居住地址", "本处", "本户", "一致", "同左")


def _registered(value: Any, _today: date) -> str:
    """Where somebody is registered; "" where the cell says: here."""
    found = facts.read_place(cells.plain(value))
    return "" if found in _HERE else found


def _place(longest: int) -> Callable[[Any, date], str]:
    read = reading.words(longest)
    return lambda value, _today: " ".join(read(cells.plain(value)).split())


_sex = reading.choice(reading.SEXES)

READERS: dict[str, Callable[[Any, date], str]] = {
    "name": read_name,
    "head": lambda value, _today: cells.read_name(value),
    "relation": _relation,
    "sex": lambda value, _today: _sex(cells.plain(value)),
    "birth_date": read_day,
    "id_number": read_id_number,
    "phone": read_phones,
    "ethnic": _coded(codes.ETHNIC, {}, "族"),
    "marital": _coded(codes.MARITAL, _MARITAL),
    "schooling": _coded(codes.SCHOOLING, _SCHOOLING),
    "employment": _employment,
    "workplace": _place(64),
    "registered_at": _registered,
    "elsewhere": _yes,
    "is_temporary": _yes,
    "origin": _place(120),
    "permit_from": read_any_day,
    "permit_until": read_any_day,
    "guardian": lambda value, _today: cells.read_name(value),
    "guardian_phone": read_phones,
    "number": lambda value, _today: str(cells.whole(1, 99)(value)),
    "building": lambda value, _today: " ".join(reading.narrow(cells.plain(value)).split()),
    "entrance": lambda value, _today: reading.narrow(cells.plain(value)),
    "room": lambda value, _today: re.sub(r"\s", "", reading.narrow(cells.plain(value))),
    "address": lambda value, _today: re.sub(r"\s", "", reading.narrow(cells.plain(value))),
}
"""How each column's cell is read, by key."""


def value_of(field: str, told: str | None) -> Any:
    """What is kept in a resident's column for a fact's text."""
    if field == "is_temporary":
        return told == "1"
    if not told:
        return None
    return date.fromisoformat(told) if field in ("birth_date", "permit_from", "permit_until") else str(told)
