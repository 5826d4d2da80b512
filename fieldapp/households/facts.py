"""Facts that are changed at a door: which there are, how each is read, and how an edit meets what is on record.

A fact's value travels as its text: in forms, in the history, in proposals. `told` makes it, `value_of` reads it back;
None is nothing on record (of `is_temporary`: no).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from fieldapp.households import codes, reading
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, Employment, birth_date_of, id_number_fault, sex_of


@dataclass(frozen=True)
class Fact:
    """A fact, and how what is typed for it is read (`today` is given; it raises Fault).

    `can_go`: it may be unknown. `is_shown`: its field always holds what is on record, so an empty one says: none.
    """

    key: str
    read: Callable[[str, date], Any]
    can_go: bool = True
    is_shown: bool = False


def read_phone(text: str) -> str:
    """A telephone number, or several; a mobile is 11 digits. Faults: `phone`, `mobile` (how many digits it has)."""
    found = re.sub(r"[—–‐.·]", "-", reading.narrow(text))
    digits = re.sub(r"[\s\-]", "", found)
    if mobile := re.fullmatch(r"(?:\+?86|0086)?(1[3-9]\d{9})", digits):
        return mobile[1]
    if re.fullmatch(r"1[3-9]\d{3,}", digits):
        raise Fault("mobile", str(len(digits)))
    return reading.read_phone(found)


def read_birth_date(text: str, today: date) -> date:
    """A birth date, 57年3月2日 and 1957 3 2 too; of two centuries it is the later. Faults: `date`, `future`."""
    found = re.sub(r"[—–_、,\s](?=\d)", "-", re.sub(r"\s*(\D)\s*", r"\1", reading.narrow(text)))
    if not re.match(r"\d\d(?!\d)", found):
        day = reading.read_date(found)
        if day > today:
            raise Fault("future")
        return day
    for century in (today.year // 100, today.year // 100 - 1):
        with suppress(Fault):
            day = reading.read_date(f"{century}{found}")
            if day <= today:
                return day
    raise Fault("date")


def read_relation(text: str) -> str:
    """The relation to the head; who is 本人 (01) is the head. Fault: `relation`."""
    code = reading.read_relation(text)
    return HEAD if code == "01" else code


def read_place(text: str) -> str:
    """Where somebody is registered, in one line. Fault: `long`."""
    return " ".join(reading.words(120)(text).split())


def read_day(text: str) -> date:
    """A day that may lie ahead, as a permit's end does. Fault: `date`."""
    return reading.read_date(re.sub(r"[—–_、,\s](?=\d)", "-", reading.narrow(text)))


def read_code(table: Mapping[str, str], ending: str = "") -> Callable[[str], str]:
    """Read a code of a national table, or its words, with or without their `ending`. Fault: `code`."""
    known = {word: code for code, name in table.items() for word in (name, name.removesuffix(ending), code)}

    def read(text: str) -> str:
        found = known.get(reading.narrow(text))
        if found is None:
            raise Fault("code")
        return found

    return read


def _line(longest: int) -> Callable[[str, date], str]:
    """Read words of one line."""
    return lambda text, _today: " ".join(reading.words(longest)(text).split())


def read_id_number(text: str) -> str:
    """A citizen's number of 18 signs, as GB 11643-1999 makes them. Faults: `id_form`, `id_date`, `id_check`."""
    found = re.sub(r"[\s\-]", "", reading.narrow(text)).upper()
    if fault := id_number_fault(found):
        raise Fault(f"id_{fault}")
    return found


_EMPLOYMENT = {
    Employment.EMPLOYED.value: ("有工作", "employed", "在职"),
    Employment.UNEMPLOYED.value: ("没工作", "unemployed", "失业", "待业", "下岗"),
    Employment.RETIRED.value: ("退休", "retired"),
    Employment.STUDENT.value: ("上学", "student", "学生"),
    Employment.HOME.value: ("在家", "home"),
}
"""What somebody lives by: the first word is Chinese and the second English as this program writes them."""

OF_RESIDENT = {
    fact.key: fact
    for fact in (
        Fact("phone", lambda text, _today: read_phone(text)),
        Fact("name", lambda text, _today: reading.read_name(text), can_go=False),
        Fact("birth_date", read_birth_date),
        Fact("sex", lambda text, _today: reading.choice(reading.SEXES)(text)),
        Fact("relation", lambda text, _today: read_relation(text)),
        Fact("registered_at", lambda text, _today: read_place(text)),
        Fact("is_temporary", lambda text, _today: reading.choice(reading.YES_NO)(text)),
        Fact("employment", lambda text, _today: reading.choice(_EMPLOYMENT)(text)),
        Fact("workplace", _line(64)),
        Fact("marital", lambda text, _today: read_code(codes.MARITAL)(text)),
        Fact("schooling", lambda text, _today: read_code(codes.SCHOOLING)(text)),
        Fact("ethnic", lambda text, _today: read_code(codes.ETHNIC, "族")(text)),
        Fact("guardian", lambda text, _today: reading.read_name(text)),
        Fact("guardian_phone", lambda text, _today: read_phone(text)),
        Fact("id_number", lambda text, _today: read_id_number(text)),
        Fact("origin", lambda text, _today: read_place(text)),
        Fact("permit_from", lambda text, _today: read_day(text)),
        Fact("permit_until", lambda text, _today: read_day(text)),
    )
}
"""What may be changed of a resident, in the order in which a form offers it: the most frequent first."""
DATES = ("birth_date", "permit_from", "permit_until")
"""The facts that are days."""
OF_HOUSEHOLD = {"note": Fact("note", lambda text, _today: reading.words(200)(text), is_shown=True)}
"""What may be changed of a household."""


def told(value: Any) -> str | None:
    """A fact's value as text; None where nothing is on record."""
    if value is None or isinstance(value, bool):
        return "1" if value else None
    # Browsers send a line's end as two signs, and sheets have brought spaces at a text's ends.
    return value.isoformat() if isinstance(value, date) else str(value).replace("\r\n", "\n").strip() or None


def value_of(key: str, text: str | None) -> Any:
    """The value that a text of `told` stands for."""
    if key == "is_temporary":
        return text is not None
    return date.fromisoformat(text) if text and key in DATES else text


def read_fact(fact: Fact, text: str, is_gone: bool, today: date) -> str | None:
    """What was typed for a fact, as `told` has it; `is_gone` says that there is none any more.

    Faults: those of the fact's reader, `needed` (nothing typed), `both` (typed, and gone), `stays` (cannot be gone).
    """
    typed = reading.clean(text)
    if is_gone and typed:
        raise Fault("both")
    if is_gone and not fact.can_go:
        raise Fault("stays")
    if not typed and not is_gone and not fact.is_shown:
        raise Fault("needed")
    return told(fact.read(typed, today)) if typed else None


def check_on_record(key: str, text: str | None, id_number: str | None, head: str | None) -> None:
    """Refuse what contradicts the record: a second head beside `head`, a birth date or sex that the ID number denies.

    Faults: `head_taken` (the head's name), `id_born`, `id_sex`.
    """
    if key == "relation" and text == HEAD and head is not None:
        raise Fault("head_taken", head)
    if text is None or not id_number or id_number_fault(id_number):
        return
    if key == "birth_date" and text != birth_date_of(id_number).isoformat():
        raise Fault("id_born")
    if key == "sex" and text in ("1", "2") and text != sex_of(id_number):
        raise Fault("id_sex")


def check_id_number(number: str | None, birth_date: date | None, sex: str | None) -> None:
    """Refuse an ID number that denies the birth date or the sex on record. Faults: `born_id`, `sex_id`."""
    if number is None:
        return
    if birth_date and birth_date != birth_date_of(number):
        raise Fault("born_id")
    if sex in ("1", "2") and sex != sex_of(number):
        raise Fault("sex_id")


class Meeting(StrEnum):
    """How an edit meets the record: it says the same, it is written, or somebody else was there meanwhile."""

    SAME = "same"
    WRITTEN = "written"
    PROPOSED = "proposed"


@dataclass(frozen=True)
class Step:
    """An earlier change of the fact, by the editor themself or by somebody else."""

    old: str | None
    new: str | None
    is_own: bool


def meet(recorded: str | None, saw: str | None, value: str | None, steps: Iterable[Step]) -> Meeting:
    """What becomes of the edit from `saw` to `value` where `recorded` is on record; `steps` are newest first.

    Who changes a fact twice from one page without signal has seen their own first change, whatever the page shows:
    only a step of somebody else's between `saw` and `recorded` makes it a proposal.
    """
    if value == recorded:
        return Meeting.SAME
    if saw == recorded:
        return Meeting.WRITTEN
    current = recorded
    for step in steps:
        if not step.is_own or step.new != current:
            break
        if step.old == saw:
            return Meeting.WRITTEN
        current = step.old
    return Meeting.PROPOSED
