"""How doors are laid out where a building comes without a list of rooms, and what makes a district the right size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from shapely.geometry import mapping, shape

from geo.tiling import check_tiling

ZONE = ZoneInfo("Asia/Shanghai")
"""Days and months are the community's: all of China keeps this one time."""

ALWAYS = date(1900, 1, 1)
"""The first day of a period that began before anyone remembers."""
FOREVER = date(9999, 12, 31)
"""The day after the last of a period that has not ended."""


def day_of(moment: datetime) -> date:
    """The community's calendar day of an aware moment: 16:00 UTC is already tomorrow."""
    return moment.astimezone(ZONE).date()


LARGEST_ENTRANCE = 40
"""Households behind one entrance where nothing else is known: about the largest stairwell of a slab block."""


@dataclass(frozen=True)
class Cell:
    """A door's place on the door matrix."""

    entrance: int
    floor: int
    room: str
    column: int


def lay_out(households: int, levels: int | None, entrances: int | Sequence[int] | None) -> list[Cell]:
    """Spread `households` over entrances and floors: rooms 101, 102 … from the ground floor up.

    `entrances` is a count, a list of households an entrance, or None: then entrances of at most `LARGEST_ENTRANCE`.
    `levels` None is taken as one floor for up to four households, else six.
    """
    if households <= 0:
        return []
    floors = max(levels or (1 if households <= 4 else 6), 1)
    if isinstance(entrances, Sequence):
        shares = [share for share in entrances if share > 0]
    else:
        count = min(max(entrances or ceil(households / LARGEST_ENTRANCE), 1), households)
        shares = [households // count + (i < households % count) for i in range(count)]
    cells = []
    for entrance, share in enumerate(shares, 1):
        used = min(floors, share)
        digits = max(len(str(ceil(share / used))), 2)
        for i in range(share):
            floor, column = i % used + 1, i // used + 1
            cells.append(Cell(entrance, floor, f"{floor}{column:0{digits}d}", column))
    return sorted(cells, key=lambda cell: (cell.entrance, cell.floor, cell.column))


def is_off_size(households: int, target: int, tolerance_percent: int) -> bool:
    """Whether a district is further off its size than the community allows (002: 按200户左右划定一个包干区)."""
    return abs(households - target) * 100 > target * tolerance_percent


def numeral(number: int) -> str:
    """A number from 1 to 99 as it is written in names (12: 十二); others in digits."""
    digits = "一二三四五六七八九"
    if not 1 <= number <= 99:
        return str(number)
    tens, ones = divmod(number, 10)
    return (digits[tens - 1] if tens > 1 else "") + ("十" if tens else "") + (digits[ones - 1] if ones else "")


@dataclass(frozen=True)
class SeamFault:
    """Where districts do not tile: an overlap of two (`districts` has their two indices) or a gap (it is empty)."""

    districts: tuple[int, ...]
    area_m2: float
    place: tuple[float, float]
    geometry: dict[str, Any]


def seam_faults(geometries: Sequence[dict[str, Any]], smallest_m2: float = 5.0) -> list[SeamFault]:
    """Where district polygons (GeoJSON, WGS-84) overlap or leave a hole of at least `smallest_m2` between them."""
    found = check_tiling([shape(geometry) for geometry in geometries], minimum_m2=smallest_m2)
    overlaps = [SeamFault((o.first, o.second), o.area_m2, o.place, mapping(o.shape)) for o in found.overlaps]
    return overlaps + [SeamFault((), gap.area_m2, gap.place, mapping(gap.shape)) for gap in found.gaps]
