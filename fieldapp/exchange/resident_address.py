"""Which door an address names: 12号楼2单元601, 12-2-601, 朝阳小区12幢601室, or columns of their own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fieldapp.exchange import cells
from fieldapp.exchange.directory import Directory, KnownBuilding
from fieldapp.households.reading import Fault


@dataclass(frozen=True)
class Door:
    """A door as a sheet names it; `entrance` None where nothing is said."""

    building: KnownBuilding
    entrance: int | None
    room: str


_BUILDING = r"(?:号楼|号院|楼栋|栋|幢|号|楼|座|#)"
_WORDS = re.compile(
    rf"(?P<building>.*?[\dA-Za-z一二三四五六七八九十百东西南北甲乙丙丁]+{_BUILDING})"
    r"(?:第?(?P<entrance>[\d一二三四五六七八九十]+)(?:单元|门栋|门|梯|-))?"
    r"-?(?:第?\d{1,2}[楼层])?(?P<room>[\dA-Za-z+\-]+)(?:室|号|房|户)?"
)
_DASHES = re.compile(
    r"(?P<building>.*?[\dA-Za-z一二三四五六七八九十]+)[-—–/](?:(?P<entrance>\d{1,2})[-—–/])?(?P<room>[\dA-Za-z+]+)(?:室|号|房)?"
)


_INSIDE = re.compile(r"[\dA-Za-z一二三四五六七八九十](号楼|楼栋|栋|幢|楼|座|#|单元|门栋|梯)")
"""What is itself a building or an entrance: a number after it is no building's."""


def find_door(said: Mapping[str, str], directory: Directory) -> Door:
    """The door that a row's cells name. Faults: `building`, `building_ambiguous`, `entrance`, `address`."""
    if "building" in said and "room" in said:
        return _of_columns(said, directory)
    text = said.get("address") or "".join(said.get(key, "") for key in ("building", "entrance", "room"))
    ambiguous = None
    for building, entrance, room in _readings(text):
        for name in _names(building):
            found = directory.building(name)
            if isinstance(found, KnownBuilding):
                return Door(found, cells.read_entrance(entrance) if entrance else None, room)
            ambiguous = ambiguous or found
    if ambiguous:
        raise Fault("building_ambiguous", ambiguous)
    raise Fault("building" if next(_readings(text), None) else "address")


def _of_columns(said: Mapping[str, str], directory: Directory) -> Door:
    building, entrance = said["building"], said.get("entrance")
    if not entrance and (both := re.fullmatch(r"(.+?)([\d一二三四五六七八九十]+)(单元|门栋|梯)", building)):
        building, entrance = both[1], both[2]
    ambiguous = None
    for name in _names(building):
        found = directory.building(name)
        if isinstance(found, KnownBuilding):
            room = re.sub(r"(?<=\d)(室|号|房)$", "", said["room"])
            split = re.fullmatch(r"(\d{1,2})[-—–](\d{3,4})", room)
            if split and not entrance:
                entrance, room = split[1], split[2]
            return Door(found, cells.read_entrance(entrance) if entrance else None, room)
        ambiguous = ambiguous or found
    raise Fault("building_ambiguous", ambiguous) if ambiguous else Fault("building")


def _readings(text: str) -> Iterator[tuple[str, str | None, str]]:
    for pattern in (_WORDS, _DASHES):
        match = pattern.fullmatch(text)
        if match:
            yield match["building"], match["entrance"], match["room"]


def _names(building: str) -> Iterator[str]:
    """What a building may be called: as written, then without what stands before its number."""
    yield building
    short = re.search(rf"([\dA-Za-z]+|[一二三四五六七八九十]+)({_BUILDING})?$", building)
    if short and _INSIDE.search(building[: short.start()]):
        return  # 12号楼2单元6楼 is not building 6
    if short and short[0] != building:
        yield short[0]
        if not short[2]:
            return
    if short and short[2] == "#":
        yield short[1]
