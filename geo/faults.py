"""What `geo.checking` finds wrong with a division, and what `geo.repairing` offers to do about it: words and places.

Areas are in m², places are (longitude, latitude) in degrees of WGS 84, districts are given by their index from 0.
"""

from dataclasses import dataclass
from typing import Any

FAULTS = frozenset(
    {
        "invalid",  # a shape that crosses itself or is empty; size: m² of its valid reading; detail: of REFUSALS
        "overlap",  # two districts claim the same ground; size: m²
        "gap",  # ground that no district claims; size: m²
        "outside",  # a district reaches beyond the boundary; size: m²
        "parts",  # a district in several parts; size: m² outside its largest part; detail: how many parts
        "in_none",  # a building or point in no district; size: households; detail: the building's key
        "in_two",  # a building or point inside two districts or more; size: households; detail: the building's key
        "cut",  # a border cuts a building whose households are all on one side; size: m²; detail: the building's key
        "off_size",  # a district further off the target than allowed; size: households
    }
)

REPAIRS = frozenset(
    {
        "read_as_valid",  # the ring's crossings become corners; both usual readings agree on the ground
        "overlap_cut",  # one of two districts gives up the ground that both claim
        "gap_given",  # the neighbour with the longest border takes the ground that nobody claims
        "gap_shared",  # a seam between several districts goes to them piece by piece, the longest border first
        "outside_cut",  # a district ends at the boundary
        "part_given",  # the neighbour with the longest border takes a small part that lies apart
    }
)


@dataclass(frozen=True)
class Repair:
    """What would be done, a word of `REPAIRS`: which districts change, and how much ground changes hands.

    `ground` goes from `losers` to `receiver` (None: to nobody). For read_as_valid it is the district's valid reading.
    For gap_shared, `shares` has the receivers with their ground.
    """

    code: str
    districts: tuple[int, ...]
    area_m2: float
    ground: Any
    losers: tuple[int, ...] = ()
    receiver: int | None = None
    shares: tuple[tuple[int, Any], ...] = ()


@dataclass(frozen=True)
class Fault:
    """One thing wrong, a word of `FAULTS`: where, how large, which districts and doors, and a repair where it is safe.

    `size` is in m², or households for in_none, in_two and off_size. `doors` has indices of the points or buildings
    asked about. `place` is None for an empty shape only, which is nowhere.
    """

    code: str
    place: tuple[float, float] | None
    size: float
    districts: tuple[int, ...] = ()
    doors: tuple[int, ...] = ()
    detail: str | None = None
    shape: Any = None
    repair: Repair | None = None

    @property
    def unit(self) -> str:
        """What `size` counts: "m2" or "households"."""
        return "households" if self.code in ("in_none", "in_two", "off_size") else "m2"
