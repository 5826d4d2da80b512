"""How people write facts of a household: text to values. The sheet's cells and the forms at a door are read alike.

What reads a text raises Fault.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from unicodedata import normalize

from fieldapp.households import codes
from fieldapp.households.rules import HEAD


class Fault(ValueError):
    """A text cannot be taken: why, and what the advice of that code names besides."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, detail
        super().__init__(code)


def clean(text: str) -> str:
    """Text without control characters and without spaces at its ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("[\x00-\x09\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]", " ", text).strip()


def narrow(text: str) -> str:
    """Text without full-width forms and spaces at its ends: １２ is 12."""
    return normalize("NFKC", clean(text)).strip()


def words(longest: int) -> Callable[[str], str]:
    """Read text of at most so many signs. Fault: `long`."""

    def read(text: str) -> str:
        found = clean(text)
        if len(found) > longest:
            raise Fault("long", str(longest))
        return found

    return read


def read_name(text: str) -> str:
    """A person's name: 张　三 is 张三; between other letters one space stays. Faults: `long`, `not_name`."""
    found = words(64)(text)
    if found.isdigit():
        raise Fault("not_name")
    return re.sub(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])", "", " ".join(found.split()))


def read_date(text: str) -> date:
    """A day: 1957-03-02, 1957/3/2, 1957.3.2, 1957年3月2日, 19570302. Fault: `date`."""
    found = narrow(text)
    match = re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", found)
    match = match or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", found)
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        day = None
    if day is None or day.year < 1880:
        raise Fault("date")
    return day


def read_phone(text: str) -> str:
    """A telephone number, or several: digits, and what stands between them. A mobile loses it. Fault: `phone`."""
    found = narrow(text)
    digits = re.sub(r"\D", "", found)
    if re.fullmatch(r"1\d{10}", digits) and re.fullmatch(r"[\d\s\-]+", found):
        return digits
    if len(found) > 32 or len(digits) < 5 or not re.fullmatch(r"[\d\s\-+()/,;、转]+", found):
        raise Fault("phone")
    return found


SEXES = {
    "1": ("男", "male", "男性", "1", "m"),
    "2": ("女", "female", "女性", "2", "f"),
    "0": ("未知", "unknown", "未知的性别", "0"),
    "9": ("未说明", "not stated", "未说明的性别", "9"),
}
YES_NO = {
    True: ("是", "yes", "y", "1", "true", "√", "有"),
    False: ("否", "no", "n", "0", "false", "×", "x", "无"),
}
"""Each value with its words: the first is Chinese and the second English as this program writes them."""


def choice(words: Mapping[Any, tuple[str, ...]]) -> Callable[[str], Any]:
    """Read one of a few words. Fault: `choice`, with the words."""
    known = {word: value for value, several in words.items() for word in several}
    # Both languages: whoever fills in the sheet may have been given either template.
    right = "、".join(several[0] for several in words.values()) + "|" + ", ".join(s[1] for s in words.values())

    def read(text: str) -> Any:
        found = narrow(text).casefold()
        if found not in known:
            raise Fault("choice", right)
        return known[found]

    return read


_ALSO = {
    "本人": HEAD, "户主本人": HEAD, "head": HEAD, "self": HEAD,
    "妻子": "12", "爱人": "10", "老伴": "10", "丈夫": "11", "儿子": "20", "女儿": "30", "儿媳妇": "38",
    "父": "51", "母": "52", "爸爸": "51", "妈妈": "52", "爷爷": "61", "奶奶": "62", "外公": "63", "外婆": "64",
    "哥哥": "71", "弟弟": "73", "姐": "75", "妹": "77", "孙": "41", "租客": "99", "保姆": "99",
    "spouse": "10", "husband": "11", "wife": "12", "son": "20", "daughter": "30", "son-in-law": "28",
    "daughter-in-law": "38", "grandson": "41", "granddaughter": "42", "parents": "50", "father": "51", "mother": "52",
    "grandfather": "61", "grandmother": "62", "brother": "70", "sister": "70", "other": "80",
    "other relative": "97", "not related": "99",
}  # fmt: skip
RELATIONS = {name: code for code, name in codes.RELATION.items()} | _ALSO
"""The words for relations to the head, the standard's own and what people say, with their codes (GB/T 4761)."""


def read_relation(text: str) -> str:
    """The relation to the head, as GB/T 4761's code or words. 本人 for a relation means the head. Fault: `relation`."""
    found = narrow(text).casefold()
    code = found.zfill(2) if found.isdigit() else found
    if code in codes.RELATION:
        return code
    if found not in RELATIONS:
        raise Fault("relation")
    return RELATIONS[found]
