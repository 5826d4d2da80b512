"""What a walk is made of: homes as one who walks sees them, visits, promises."""

from dataclasses import dataclass, field
from datetime import date, datetime

from fieldapp.demo.people import Family
from fieldapp.visits.rules import Care, Outcome, Way, day_of


@dataclass(eq=False)
class Home:
    """A household in its place, as one who walks sees it. `due_on` is the care groups'; None for other doors."""

    number: int
    district: int | None
    building: int
    entrance: int
    at: tuple[float, float]
    family: Family
    cares: tuple[Care, ...] = ()
    due_on: date | None = None
    last_met_on: date | None = None
    last_knock_on: date | None = None
    knocks: int = 0
    lived_in_from: date = date.min
    is_gone: bool = False
    kept_on: date | None = None
    chance_out: float = 0.25
    chance_refuse: float = 0.004

    @property
    def stairwell(self) -> tuple[int, int]:
        """What one climbs once."""
        return self.building, self.entrance

    def rhythm(self) -> int | None:
        """The days between visits that its groups ask for; None where none of them has a rhythm."""
        return min((care.every_days for care in self.cares if care.every_days), default=None)


@dataclass(eq=False)
class VisitPlan:
    """A visit to a home by workers' indices; `met` are indices of the family's people."""

    number: int
    home: Home
    visitor: int
    companion: int | None
    visited_at: datetime
    recorded_at: datetime
    outcome: Outcome
    way: Way = Way.DOOR
    topics: tuple[str, ...] = ()
    sentence: str | None = None
    met: tuple[int, ...] = ()
    at: tuple[float, float, float] | None = None
    is_urgent: bool = False
    corrects: "VisitPlan | None" = None

    @property
    def visited_on(self) -> date:
        """The community's calendar day."""
        return day_of(self.visited_at)


@dataclass(eq=False)
class PromisePlan:
    """What was promised at a visit, until when, and when it was done."""

    visit: VisitPlan
    promise: str
    due_on: date
    done_at: datetime | None = None


@dataclass
class Log:
    """All visits, oldest first, and all promises."""

    visits: list[VisitPlan] = field(default_factory=list)
    promises: list[PromisePlan] = field(default_factory=list)
