"""People of the demonstration: residents, their ID numbers that belong to nobody, and why some must not be missed."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from fieldapp.demo.names import full_name
from fieldapp.households.rules import Occupancy, id_check_digit
from fieldapp.places.rules import FOREVER

AREA = "999999"
"""The first six digits of every ID number. GB/T 2260 knows no province 99: its regions begin with 1 to 8, and 91 is
abroad. The foreign resident's number, which begins with 9, has a province and an ISO 3166 country here: 999 is none."""
PHONE_PREFIX = "154"
"""No operator was ever given 154: of the 15x it is the one left out of the ministry's numbering plan."""

MAN, WOMAN = "1", "2"


@dataclass(frozen=True)
class Person:
    """A resident. `is_away`: studies or works elsewhere, so is not met at the door."""

    name: str
    relation: str
    sex: str
    birth_date: date
    id_number: str
    phone: str | None
    registered_at: str | None = None
    is_temporary: bool = False
    is_away: bool = False


@dataclass(frozen=True)
class Membership:
    """A care group's code, since when, for which of the family's people (index), why, and when to ask again."""

    group: str
    since: date
    person: int | None
    reason: str | None = None
    review_on: date | None = None
    until: date = FOREVER


@dataclass
class Family:
    """A household. `registered` are the registry's facts on its occupancy by day; `known` names it in `families`."""

    occupancy: Occupancy
    people: list[Person] = field(default_factory=list)
    cares: list[Membership] = field(default_factory=list)
    registered: list[tuple[date, Occupancy]] = field(default_factory=list)
    moved_in_on: date | None = None
    note: str | None = None
    known: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody lives here as far as the registry knows."""
        return not self.people


_REASONS: dict[str, tuple[str, ...]] = {
    "elderly_alone": ("子女在外地，一人住。", "老伴过世后一人住。", "子女同城不同住。"),
    "elder80": ("八十岁以上。",),
    "hardship": ("家里没有固定收入。", "大病支出多。", "一人收入养全家。"),
    "disabled": ("肢体残疾三级。", "视力残疾二级。", "听力残疾二级。", "肢体残疾四级。"),
    "veteran": ("退役军人。", "参战退役军人。", "烈属。"),
    "unemployed": ("厂里裁员后没找到工作。", "合同到期，在找工作。", "照顾老人辞了工作。"),
    "bereaved_child": ("家里只有一个大人挣钱。", "父母不在身边。"),
    "new_arrival": ("刚搬进来。",),
    "temporary": ("外地来的租户。",),
    "dispute": ("和楼上为漏水有争执。", "为楼道堆物和邻居吵过。", "为停车位和邻居吵过。"),
    "released": ("刚回社区，定期联系。",),
}


class Registrar:
    """Makes one community's people from a seeded source of chance; ID numbers do not repeat."""

    def __init__(self, rng: Random, today: date) -> None:
        self.rng = rng
        self.today = today
        self._given: set[str] = set()

    def person(
        self,
        age: int,
        sex: str,
        relation: str,
        family: str | None = None,
        *,
        name: str | None = None,
        registered_at: str | None = None,
        is_temporary: bool = False,
        is_away: bool = False,
    ) -> Person:
        """Somebody who is `age` full years old today; a phone from 14 years on, not always for the oldest."""
        born = _years_before(self.today, age) - timedelta(days=self.rng.randrange(365))
        owns_phone = age >= 14 and self.rng.random() < (0.92 if age < 75 else 0.6)
        return Person(
            name or full_name(self.rng, sex, born.year, family),
            relation,
            sex,
            born,
            self._id_number(born, sex),
            f"{PHONE_PREFIX}{self.rng.randrange(10**8):08d}" if owns_phone else None,
            registered_at,
            is_temporary,
            is_away,
        )

    def _id_number(self, born: date, sex: str) -> str:
        while True:
            serial = self.rng.randrange(100) * 10 + self.rng.randrange(5) * 2 + (sex == MAN)
            first17 = f"{AREA}{born:%Y%m%d}{serial:03d}"
            if first17 not in self._given:
                self._given.add(first17)
                return first17 + id_check_digit(first17)

    def days_ago(self, least: int, most: int) -> date:
        """A day between so many days before today."""
        return self.today - timedelta(days=self.rng.randint(least, most))

    def membership(self, group: str, person: int | None, since: date | None = None) -> Membership:
        """A membership of some years, or from `since` on, to be reviewed within a year."""
        return Membership(
            group,
            since or self.days_ago(400, 2200),
            person,
            self.rng.choice(_REASONS[group]),
            self.today + timedelta(days=self.rng.randint(20, 340)),
        )


def _years_before(day: date, years: int) -> date:
    return date(day.year - years, day.month, min(day.day, 28))
