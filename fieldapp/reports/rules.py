"""The director's figures: how much of a district was met, and how dark that is drawn.

Figures as `product.md` defines them: entry rate 入户率 = distinct households met at the door in the span, of those
neither vacant nor moved away; the quota counts distinct households met, by the district their door was in that day.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from fieldapp.visits.rules import Span, month_of, quarter_of, year_of

SPANS = {"month": month_of, "quarter": quarter_of, "year": year_of}

DISTRICT_STEPS = {"month": (6, 10, 15), "quarter": (15, 30, 45), "year": (25, 50, 75)}
BUILDING_STEPS = {"month": (10, 20, 30), "quarter": (20, 40, 60), "year": (25, 50, 75)}
"""Upper borders in percent of the three lighter shades: a month's quota is about 15 % of a district."""


def span_named(name: str, day: date) -> Span:
    """The month, quarter or year around `day`; a month for any other name."""
    return SPANS.get(name, month_of)(day)


def shade(met: int, households: int, steps: tuple[int, int, int]) -> int:
    """0 for nothing met, then 1 to 4, darker with the share met."""
    if met == 0 or households == 0:
        return 0
    percent = 100 * met / households
    return 1 + sum(percent > step for step in steps)


@dataclass
class Tally:
    """Households of a district or a building in a span. Shops do not count; vacant and moved away are left out."""

    households: int = 0
    met_at_door: int = 0
    never_met: int = 0
    longest_unmet_since: date | None = None

    def add(self, households: int, met_at_door: int, never_met: int, since: date | None) -> None:
        """Take in the figures of a part."""
        self.households += households
        self.met_at_door += met_at_door
        self.never_met += never_met
        days = [day for day in (self.longest_unmet_since, since) if day]
        self.longest_unmet_since = min(days, default=None)

    @property
    def entry_rate(self) -> float:
        """入户率, 0 to 1."""
        return self.met_at_door / self.households if self.households else 0.0


@dataclass
class DistrictFigures:
    """A row of the coverage table."""

    id: UUID
    code: str
    name: str
    lead: str | None
    partner: str | None
    geometry: dict[str, Any] | None
    tally: Tally = field(default_factory=Tally)
    met: int = 0
    priority_left: int = 0
    quiet_days: int | None = None
    """Days since anybody knocked on any of its doors; None if nobody ever did."""


@dataclass
class BuildingFigures:
    """A building of the coverage map; its part in one district, or its orphans where `district_id` is None."""

    id: UUID
    name: str
    district_id: UUID | None
    tally: Tally
    geometry: dict[str, Any] | None = None


@dataclass
class Coverage:
    """A community's coverage in a span, as of a day in it."""

    span: Span
    day: date
    districts: list[DistrictFigures]
    buildings: list[BuildingFigures]
    total: Tally
    orphans: int
    """Dwellings in no district."""
    met: int = 0
    """Distinct households met, all districts together: fewer than their sum where a door changed district."""

    @property
    def priority_left(self) -> int:
        """Priority visits still to be made, all districts together."""
        return sum(district.priority_left for district in self.districts)

    def quiet(self, days: int) -> list[DistrictFigures]:
        """The districts where nobody has knocked for `days` or more."""
        return [d for d in self.districts if d.tally.households and (d.quiet_days is None or d.quiet_days >= days)]
