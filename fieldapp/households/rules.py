"""The registry's rules: codes, ID numbers, pinyin, how a household stood on a day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from pypinyin import Style, lazy_pinyin

from fieldapp.places.rules import ALWAYS, FOREVER

HEAD = "02"
"""GB/T 4761-2008, relation to the head of household: the head."""


SEX = {"0": "未知", "1": "男", "2": "女", "9": "未说明"}
"""GB/T 2261.1-2003."""


class Occupancy(StrEnum):
    """How a household stands to its dwelling."""

    OWN = "own"
    RENT = "rent"
    LODGING = "lodging"
    UNKNOWN = "unknown"
    VACANT = "vacant"
    GONE = "gone"


class Employment(StrEnum):
    """What somebody lives by (001 下岗人员; 就业)."""

    EMPLOYED = "employed"
    UNEMPLOYED = "unemployed"
    RETIRED = "retired"
    STUDENT = "student"
    HOME = "home"


class Left(StrEnum):
    """Why a resident is no longer of the household."""

    MOVED = "moved"
    DIED = "died"
    MERGED = "merged"
    ERASED = "erased"
    MISTAKE = "mistake"


class EventKind(StrEnum):
    """What happens in a household (002 采集的有关信息及时更新,实行动态管理)."""

    MOVED_IN = "moved_in"
    MOVED_OUT = "moved_out"
    BORN = "born"
    DIED = "died"
    MARRIED = "married"
    SPLIT = "split"
    TENANTS = "tenants"
    DISPUTE = "dispute"


EMPTY = (Occupancy.VACANT, Occupancy.GONE)


@dataclass(frozen=True)
class FoundBy:
    """What a household is found by on a phone: its head's pinyin and initials, the last four digits of its phones."""

    pinyin: str | None
    phone_tails: tuple[str, ...]


@dataclass(frozen=True)
class Sighting:
    """What a visit says of a household's occupancy: gone, vacant, or (somebody was met) lived in."""

    day: date
    occupancy: Occupancy | None
    visit_id: UUID


@dataclass(frozen=True)
class Stand:
    """How a household stood from a day to the day before another."""

    since: date
    until: date
    occupancy: Occupancy
    visit_id: UUID | None


def occupancy_timeline(registered: Iterable[tuple[date, Occupancy]], sightings: Iterable[Sighting]) -> list[Stand]:
    """How a household stood on every day: `registered` facts by day, overruled by later visits that saw otherwise.

    A sighting with no occupancy (somebody was met) ends a vacancy and otherwise changes nothing. The stands are
    gapless from `ALWAYS` to `FOREVER`, UNKNOWN before anything is known. On one day a visit comes after the registry.
    Every registered fact keeps a stand of its own, of no length where it was overruled at once, so that the timeline
    can be made anew from itself when a visit is corrected.
    """
    events: list[tuple[date, int, Occupancy | None, UUID | None]] = [(d, 0, o, None) for d, o in registered]
    events += [(s.day, 1, s.occupancy, s.visit_id) for s in sightings]
    events.sort(key=lambda event: event[:2])
    if not events or events[0][:2] != (ALWAYS, 0):
        events.insert(0, (ALWAYS, 0, Occupancy.UNKNOWN, None))
    starts: list[tuple[date, Occupancy, UUID | None]] = []
    current = lived_in = Occupancy.UNKNOWN
    for day, is_sighting, occupancy, visit_id in events:
        if occupancy is None:
            occupancy = lived_in if current in EMPTY else current
        if is_sighting and occupancy == current:
            continue
        current = occupancy
        lived_in = lived_in if current in EMPTY else current
        starts.append((day, current, visit_id))
    ends = [following[0] for _, following in pairwise(starts)] + [FOREVER]
    return [Stand(s, until, o, v) for (s, o, v), until in zip(starts, ends, strict=True)]


def age_on(birth_date: date, day: date) -> int:
    """Completed years; who is born on 29 February has a birthday on 1 March in other years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def mask_id_number(id_number: str) -> str:
    """320211********1234: the county and the last four stay."""
    return (
        id_number[:6] + "*" * max(len(id_number) - 10, 0) + id_number[-4:]
        if len(id_number) > 10
        else "*" * len(id_number)
    )


def mask_phone(phone: str) -> str:
    """138****2216."""
    return phone[:3] + "****" + phone[-4:] if len(phone) >= 8 else "****"


def phone_tail(phone: str | None) -> str | None:
    """The last four digits, that search looks for; None where there are fewer."""
    digits = "".join(sign for sign in phone or "" if sign.isdigit())
    return digits[-4:] if len(digits) >= 4 else None


def id_check_digit(first17: str) -> str:
    """The 18th character of a citizen's number by ISO 7064 MOD 11-2 (GB 11643-1999)."""
    return "10X98765432"[sum(int(digit) * (2**i % 11) for i, digit in zip(range(17, 0, -1), first17, strict=True)) % 11]


def id_number_fault(id_number: str) -> str | None:
    """What is wrong with a citizen's number (GB 11643-1999): `form`, `date`, `check`; None if nothing."""
    if len(id_number) != 18 or not id_number[:17].isascii() or not id_number[:17].isdigit():
        return "form"
    try:
        date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return "date"
    return None if id_number[17].upper() == id_check_digit(id_number[:17]) else "check"


def birth_date_of(id_number: str) -> date:
    """The birth date inside a sound citizen's number."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def sex_of(id_number: str) -> str:
    """The sex inside a sound citizen's number, GB/T 2261.1: odd is 1, male; even is 2, female."""
    return "1" if int(id_number[16]) % 2 else "2"


_SURNAMES = {
    "万俟": "mo qi",
    "尉迟": "yu chi",
    "长孙": "zhang sun",
    "单于": "chan yu",
    "澹台": "tan tai",
    "曾": "zeng",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "任": "ren",
    "华": "hua",
    "盖": "ge",
    "区": "ou",
    "查": "zha",
    "朴": "piao",
    "翟": "zhai",
    "覃": "qin",
    "缪": "miao",
    "乐": "yue",
    "种": "chong",
    "召": "shao",
    "员": "yun",
    "尹": "yin",
    "燕": "yan",
    "宁": "ning",
    "冼": "xian",
    "纪": "ji",
    "过": "guo",
    "葛": "ge",
    "那": "na",
    "洗": "xian",
    "折": "she",
    "繁": "po",
    "秘": "bi",
    "黑": "he",
    "重": "chong",
}
"""How signs of several readings are read as surnames."""


def pinyin_keys(name: str) -> tuple[str, str]:
    """What a name is found by: its pinyin in one word and its initials, both lower case (张三: zhangsan, zs).

    What stands between names (阿依古丽·买买提, John Smith) is left out: nobody types it.
    """
    surname = next((known for known in _SURNAMES if name.startswith(known) and len(name) > len(known)), "")
    parts = re.split(r"[\W_]+", name.removeprefix(surname))
    syllables = _SURNAMES.get(surname, "").split()
    syllables += [s.lower() for part in parts if part for s in lazy_pinyin(part, style=Style.NORMAL)]
    return "".join(syllables)[:128], "".join(s[0] for s in syllables)[:32]
