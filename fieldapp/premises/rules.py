"""Checks of shops and work units: what is looked at, by when it is to be put right, whose turn it is."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from unicodedata import normalize

CHECK_EVERY = 90
"""Days between two checks of one shop."""
PUT_RIGHT_WITHIN = 7
"""Days until a finding is to be put right."""
LONGEST = {"trade": 24, "contact": 64, "credit_code": 24, "phone": 40, "sentence": 300}


class Finding(StrEnum):
    """What a check looks at; short, since it is asked standing in a shop. One lives in a shop: 三合一."""

    EXTINGUISHER = "extinguisher"
    EXIT = "exit"
    WIRING = "wiring"
    GAS = "gas"
    SLEEPING = "sleeping"
    LICENCE = "licence"
    HYGIENE = "hygiene"


URGENT = (Finding.EXIT, Finding.GAS, Finding.SLEEPING)
"""What cannot wait a week: to be put right by tomorrow."""


@dataclass(frozen=True)
class Facts:
    """What is written down of a shop, read from a form."""

    credit_code: str | None
    trade: str | None
    contact: str | None
    phone: str | None
    people: int


@dataclass(frozen=True)
class Check:
    """A check as it was written down; `findings` in the order of the list."""

    findings: tuple[Finding, ...]
    sentence: str | None


def read_facts(typed: dict[str, str]) -> tuple[Facts | None, dict[str, str]]:
    """The facts of a form, or the faults by field: `long`, `number`."""
    faults = {name: "long" for name, most in LONGEST.items() if len(typed.get(name, "").strip()) > most}
    people = normalize("NFKC", typed.get("people", "")).strip() or "0"
    if not (people.isascii() and people.isdigit() and len(people) < 4):
        faults["people"] = "number"
    if faults:
        return None, faults
    text = {name: typed.get(name, "").strip() or None for name in ("trade", "contact", "phone")}
    code = normalize("NFKC", typed.get("credit_code", "")).replace(" ", "").upper() or None
    return Facts(code, text["trade"], text["contact"], text["phone"], int(people)), {}


def read_check(found: list[str], sentence: str, is_fine: bool) -> tuple[Check | None, str | None]:
    """A check of a form, or its fault: `choose` (nothing said), `both` (all well, yet something), `long`, `unknown`."""
    if set(found) - set(Finding):
        return None, "unknown"
    if bool(found) == is_fine:
        return None, "both" if found else "choose"
    if len(sentence.strip()) > LONGEST["sentence"]:
        return None, "long"
    return Check(tuple(finding for finding in Finding if finding in found), sentence.strip() or None), None


def due_on(finding: Finding, day: date) -> date:
    """By when what was found on a day is to be put right."""
    return day + timedelta(days=1 if finding in URGENT else PUT_RIGHT_WITHIN)


def is_due(checked_on: date | None, day: date) -> bool:
    """Whether a shop is to be checked."""
    return checked_on is None or checked_on + timedelta(days=CHECK_EVERY) <= day


_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code (GB 32100-2015): `form`, `check`; None if nothing.

    18 signs without I, O, S, V, Z; the last is 31 minus the sum of the others weighted by 3^i mod 31.
    """
    if len(code) != 18 or any(sign not in _SIGNS for sign in code):
        return "form"
    total = sum(_SIGNS.index(sign) * pow(3, i, 31) for i, sign in enumerate(code[:17]))
    return None if _SIGNS[-total % 31] == code[17] else "check"
