"""One cell of the household sheet to one value, and back to the words that a sheet shows.

What reads a cell gets what openpyxl or csv gave (text, a number, a truth value, a date; never empty) and raises Fault.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from fieldapp.exchange.sheet import ERRORS, UNCOMPUTED
from fieldapp.households import codes, reading
from fieldapp.households.reading import Fault
from fieldapp.households.rules import Occupancy, id_number_fault


def shown(value: Any) -> str:
    """A cell as one line of text, as its reader would see it."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return " ".join(str(value).split())


def is_empty(value: Any) -> bool:
    """Whether nothing stands in a cell: full-width spaces are nothing too."""
    return value is None or (isinstance(value, str) and not value.strip())


def plain(value: Any) -> str:
    """A cell that must hold text. Faults: `error` and `formula` of a spreadsheet, `became_date`."""
    if isinstance(value, (date, time, timedelta)):
        raise Fault("became_date")
    if isinstance(value, str) and value in ERRORS:
        raise Fault("error")
    if value == UNCOMPUTED:
        raise Fault("formula")
    if isinstance(value, bool):
        return "1" if value else "0"
    return reading.clean(shown(value) if not isinstance(value, str) else value)


def narrow(value: Any) -> str:
    """Text without full-width forms and spaces at its ends: １２ is 12."""
    return reading.narrow(plain(value))


def _of(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Read a cell as its text is read."""
    return lambda value: read(plain(value))


def text(longest: int) -> Callable[[Any], str]:
    """Read text of at most so many signs. Faults: `long` and those of `plain`."""

    return _of(reading.words(longest))


def read_name(value: Any) -> str:
    """A person's name: 张　三 is 张三; between other letters one space stays. Faults: `long` and those of `plain`."""
    return reading.read_name(plain(value))


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Read a whole number between two. Fault: `number`."""

    def read(value: Any) -> int:
        found = narrow(value)
        if not re.fullmatch(r"[+-]?\d{1,9}(\.0+)?", found) or not least <= int(float(found)) <= most:
            raise Fault("number", f"{least}-{most}")
        return int(float(found))

    return read


_NUMERALS = {numeral: i for i, numeral in enumerate("一二三四五六七八九十", 1)}


def read_entrance(value: Any) -> int:
    """An entrance: 2, 2单元, 二单元. Fault: `entrance`."""
    found = re.sub(r"(单元|门栋|门|梯)$", "", narrow(value))
    number = _NUMERALS.get(found) or (int(found) if re.fullmatch(r"\d{1,3}", found) else 0)
    if not 1 <= number <= 200:
        raise Fault("entrance")
    return number


def read_floor(value: Any) -> int:
    """A floor: 6, 6层, 6F, -1, B1, 地下1层. There is no floor 0. Fault: `floor`."""
    found = narrow(value).upper()
    match = re.fullmatch(r"(地下|负|B|-)?第?(\d{1,3})(?:\.0+)?(?:层|楼|F)?", found)
    floor = (-1 if match and match[1] else 1) * int(match[2]) if match else 0
    if floor == 0 or not -9 <= floor <= 200:
        raise Fault("floor")
    return floor


KINDS = {
    "flat": ("住宅", "flat", "楼房", "apartment"),
    "house": ("平房", "house", "院落"),
    "shop": ("商铺", "shop", "门面", "店铺", "门市"),
}
OCCUPANCIES = {
    Occupancy.OWN: ("自有", "own", "自住", "自有自住", "owner"),
    Occupancy.RENT: ("租住", "rent", "出租", "租赁", "租房", "rented"),
    Occupancy.LODGING: ("借住", "lodging", "寄住"),
    Occupancy.VACANT: ("空置", "vacant", "空房", "空关", "无人居住"),
    Occupancy.GONE: ("已搬走", "gone", "搬走", "moved away"),
    Occupancy.UNKNOWN: ("不详", "unknown", "未知"),
}
"""Each value with its words: the first is Chinese and the second English as this program writes them."""


def choice(words: Mapping[Any, tuple[str, ...]]) -> Callable[[Any], Any]:
    """Read one of a few words. Fault: `choice`, with the words."""
    return _of(reading.choice(words))


def word(words: Mapping[Any, tuple[str, ...]], value: Any, language: str) -> str:
    """The word that a sheet shows for a value; a value of no such list, as it is."""
    several = words.get(value)
    return str(value) if several is None else several[0 if language == "zh" else 1]


def read_date(value: Any) -> date:
    """A day: an Excel date, 1957-03-02, 1957/3/2, 1957.3.2, 1957年3月2日, 19570302. Fault: `date`."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, (time, timedelta)):
        raise Fault("date")
    return reading.read_date(re.sub(r"[ T]00:00(:00(\.0+)?)?$", "", narrow(value)))


_ENGLISH = {"02": "head", "10": "spouse", "11": "husband", "12": "wife", "20": "son", "28": "son-in-law",
            "30": "daughter", "38": "daughter-in-law", "41": "grandson", "42": "granddaughter", "50": "parents",
            "51": "father", "52": "mother", "61": "grandfather", "62": "grandmother", "80": "other",
            "97": "other relative", "99": "not related"}  # fmt: skip


def read_relation(value: Any) -> str:
    """The relation to the head, as GB/T 4761's code or words. 本人 in this column means the head. Fault: `relation`."""
    return reading.read_relation(plain(value))


def relation_word(code: str, language: str) -> str:
    """The word for a relation where it reads back as this code; else the code."""
    found = codes.RELATION.get(code, code) if language == "zh" else _ENGLISH.get(code, code)
    return found if reading.RELATIONS.get(found) == code else code


def read_id_number(value: Any) -> str:
    """A citizen's number (GB 11643): 18 signs with a sound check digit, as text.

    Faults: `id_digits` where a spreadsheet has eaten digits, `id_form`, `id_date`, `id_check`.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # A spreadsheet's number has 15 digits: the last three are gone even where 18 are shown.
        raise Fault("id_digits")
    found = re.sub(r"\s", "", narrow(value)).upper()
    if re.fullmatch(r"\d(\.\d+)?E\+?\d+", found):
        raise Fault("id_digits")
    fault = id_number_fault(found)
    if fault:
        raise Fault("id_digits" if fault == "check" and found.endswith("000") else f"id_{fault}")
    return found


def read_phone(value: Any) -> str:
    """A telephone number, or several: digits, and what stands between them. A mobile loses it. Fault: `phone`."""
    return reading.read_phone(plain(value))


def read_names(value: Any) -> tuple[str, ...]:
    """Names between 、 and the like, each once. Faults: those of `plain`."""
    names = (name.strip() for name in re.split(r"[、，,;；\n]", plain(value)))
    return tuple(dict.fromkeys(name for name in names if name))
