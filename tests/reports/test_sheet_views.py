"""The sheets' pages, lists and files: each figure's list is as long as it says, and nobody reads beyond the wall."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.accounts.rules import Role
from fieldapp.households import operations
from fieldapp.households.models import Household, OccupancyPeriod, Resident
from fieldapp.households.rules import Occupancy
from fieldapp.places.models import Placement
from fieldapp.reports import sheet_queries, sheets
from fieldapp.reports.sheets import COLUMNS, Kind
from fieldapp.visits.rules import ZONE, day_of
from tests.conftest import NOW
from tests.factories import (
    Cast,
    make_building,
    make_care,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_user,
    make_visit,
)

TODAY = day_of(NOW)
KINDS = list(Kind)


@pytest.fixture
def furnished(session: Session, cast: Cast) -> Cast:
    """People of every age and group behind the cast's doors, and what they asked for."""
    groups = {
        code: make_group(session, cast.community, code) for code in ("veteran", "unemployed", "hardship", "disabled")
    }
    everywhere = [*cast.households, *session.scalars(select(Household).where(Household.id.in_(_second(session, cast))))]
    for n, home in enumerate(everywhere):
        for m in range(3):
            born = date(2026 - 13 * (n + m) - 4, 5, 1)
            someone = make_resident(
                session, home, f"人{n}{m}", sex="12"[m % 2], birth_date=born, is_temporary=m == 2,
                employment="unemployed" if (n, m) == (1, 1) else None,
            )  # fmt: skip
            code = list(groups)[(n + m) % 4]
            make_care(session, home, groups[code], TODAY - timedelta(days=200), resident_id=someone.id, review_on=TODAY)
        visit = make_visit(
            session, home, cast.users["worker"], NOW - timedelta(days=n), topics=["助餐", "看病"][: n % 3]
        )
        make_follow_up(session, home, cast.users["worker"], visit_id=visit.id, done_at=NOW if n % 2 else None)
    session.commit()
    return cast


def _second(session: Session, cast: Cast) -> list[Any]:
    placed = select(Placement.dwelling_id).where(Placement.district_id == cast.second.id)
    return list(session.scalars(select(Household.id).where(Household.dwelling_id.in_(placed))))


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.get_data(as_text=True))


LINK = re.compile(
    r'<a(?: class="row")? href="(/sheets/[a-z]+/people\?[^"]+)"(?: aria-label="[^"]*?(\d+)")?>(.*?)</a>', re.S
)


def linked(page: str) -> list[tuple[str, int]]:
    """The lists that a page links to, with the figure that each link shows."""
    found = []
    for address, label, inside in LINK.findall(page):
        count = label or re.search(r"figure\">(\d+)<", inside)[1]  # type: ignore[index]
        found.append((address, int(count)))
    return found


def listed(person: Any, address: str) -> int:
    """How many lines a list has, all its pages together."""
    page = text(person.get(address))
    lines = page.partition("data-listed")[2].partition("</ul>")[0].count("<li>")
    assert int(re.search(r'data-count="(\d+)"', page)[1]) == lines  # type: ignore[index]
    return lines


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("username", ["director", "worker"])
def test_every_figure_opens_a_list_of_that_length(kind: Kind, username: str, furnished: Cast, sign_in: Any):
    person = sign_in(username)
    links = linked(text(person.get(f"/sheets/{kind}")))
    assert len(links) > 2
    for address, count in links:
        assert listed(person, address) == count, address
        assert not re.search(r"[^\x00-\x7f]|%[89A-F]", address), "words stay out of addresses"


def test_a_districts_sheet_is_its_part_and_beyond_ones_own_there_is_none(furnished: Cast, sign_in: Any):
    director, worker = sign_in("director"), sign_in("worker")
    own, other = (f"/sheets/structure?district={d.id}" for d in (furnished.district, furnished.second))
    assert "人口金字塔，第1包干区" in text(director.get(own))
    assert text(director.get(other))
    assert worker.get(own).status_code == 200
    for address in (other, f"/sheets/structure?district={uuid4()}", "/sheets/structure?district=none", "/sheets/x"):
        assert worker.get(address).status_code == 404, address
    assert worker.get(f"/sheets/structure/people?group=people&district={furnished.second.id}").status_code == 404
    people = text(worker.get("/sheets/structure/people?group=people"))
    assert "人00" in people
    assert "人40" not in people
    assert director.get("/sheets/structure?district=none").status_code == 200


def test_a_door_in_no_district_has_a_line_of_its_own(furnished: Cast, session: Session, sign_in: Any):
    orphan = make_household(session, make_dwelling(session, furnished.building, None, "901"), "孤门")
    session.commit()
    page = text(sign_in("director").get("/sheets/structure"))
    assert "不在任何包干区" in page
    assert "孤门" in text(sign_in("director").get("/sheets/structure/people?group=people&district=none"))
    assert orphan.id


@pytest.mark.parametrize("kind", KINDS)
def test_the_street_office_reads_numbers_and_no_names(kind: Kind, furnished: Cast, sign_in: Any, session: Session):
    street = sign_in("street")
    whole = text(street.get(f"/sheets/{kind}"))
    assert furnished.community.name in whole
    page = text(street.get(f"/sheets/{kind}?community={furnished.community.id}"))
    assert "/people?" not in page
    assert (
        street.get(f"/sheets/{kind}/people?group={COLUMNS[kind][0]}&community={furnished.community.id}").status_code
        == 404
    )
    for address in (f"/sheets/{kind}.xlsx", f"/sheets/{kind}.xlsx?community={furnished.community.id}"):
        book = load_workbook(io.BytesIO(street.get(address).get_data()))
        assert len(book.sheetnames) == 1
    said = whole + page + str([[cell.value for cell in row] for row in book.active])
    assert not re.search("人[0-9]{2}|张桂兰|问助餐卡", said)
    make_user(session, "street2", Role.STREET, street_code="s2")
    session.commit()
    stranger = sign_in("street2")
    assert furnished.community.name not in text(stranger.get(f"/sheets/{kind}"))
    for end in ("", ".xlsx"):
        assert stranger.get(f"/sheets/{kind}{end}?community={furnished.community.id}").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_says_who_took_it_and_lists_whom_it_counts(
    kind: Kind, furnished: Cast, session: Session, sign_in: Any
):
    answer = sign_in("director").get(f"/sheets/{kind}.xlsx")
    numbers, names = load_workbook(io.BytesIO(answer.get_data()))
    for page in (numbers, names):
        assert page["A1"].value == "director 在 2026-11-18 9:41 导出，只供社区工作用"
        assert "2026-11-18" in page["A2"].value
    counted = {row[0].value: [cell.value for cell in row] for row in numbers.iter_rows(min_row=4)}
    whole = counted["合计" if kind is Kind.NEEDS else "全社区"][1 : len(COLUMNS[kind]) + 1]
    who = furnished.actor("director")
    if kind is Kind.NEEDS:
        lists = sheet_queries.needs_on(session, who, furnished.community, TODAY)[-1].lists
    else:
        lists = sheet_queries.lists(session, who, kind, TODAY, TODAY)
    assert whole == [len(lists[key]) for key in COLUMNS[kind]]
    lines = [[cell.value for cell in row] for row in names.iter_rows(min_row=4)]
    if kind is Kind.NEEDS:
        assert sum(1 for line in lines if line[8]) == len(lists["promised"])
    else:
        assert sum(1 for line in lines if line[5] or line[6] is not None or line[4]) == len(lists["people"])
    [trace] = session.scalars(select(AuditEntry).where(AuditEntry.deed == "export.sheet")).all()
    assert (trace.subject, trace.detail) == (f"sheet-{kind}-c1-2026-11-18.xlsx", {})


def test_a_name_that_a_spreadsheet_would_compute_is_text(furnished: Cast, session: Session, sign_in: Any):
    home = furnished.households[0]
    make_resident(session, home, "=1+1", birth_date=date(1990, 1, 1))
    session.commit()
    _numbers, names = load_workbook(io.BytesIO(sign_in("director").get("/sheets/structure.xlsx").get_data()))
    [cell] = [row[4] for row in names.iter_rows() if row[4].value == "=1+1"]
    assert cell.data_type == "s"


@pytest.mark.parametrize("query", ["day=昨天", "day=2026-11-19", "day=1999-12-31", "day=2026-02-30"])
@pytest.mark.parametrize("page", ["/sheets/structure", "/sheets/needs/people", "/sheets/veterans.xlsx"])
def test_a_day_that_is_none_or_to_come_is_refused(page: str, query: str, furnished: Cast, sign_in: Any):
    assert sign_in("director").get(f"{page}?group=asked&{query}").status_code == 422


@pytest.mark.parametrize("query", ["", "group=x", "group=m99", "group=asked&topic=x"])
@pytest.mark.parametrize("kind", ["structure", "needs"])
def test_a_list_that_is_none_is_not_there(kind: str, query: str, furnished: Cast, sign_in: Any):
    assert sign_in("director").get(f"/sheets/{kind}/people?{query}").status_code == 404 or query == "group=asked"


def test_a_long_list_has_pages(furnished: Cast, session: Session, sign_in: Any):
    for n in range(120):
        make_resident(session, furnished.households[0], f"多{n}")
    session.commit()
    person = sign_in("director")
    pages = [text(person.get(f"/sheets/structure/people?group=people&page={n}")) for n in (1, 2, 99, "x")]
    names = [set(re.findall("<b>(.+?)</b>", page.partition("data-listed")[2].partition("</ul>")[0])) for page in pages]
    assert len(names[0]) == 100
    assert names[0].isdisjoint(names[1])
    assert names[1] == names[2]
    assert names[3] == names[0]
    assert "下一页" in pages[0]
    assert "下一页" not in pages[1]


# --- of a day


def count(session: Session, cast: Cast, kind: Kind, key: str, day: date, who: str = "director") -> int:
    return len(sheet_queries.lists(session, cast.actor(who), kind, day, TODAY)[key])


def test_figures_of_a_day_are_of_that_days_people(session: Session, cast: Cast):
    home, day = cast.households[0], TODAY - timedelta(days=30)
    at_first = count(session, cast, Kind.STRUCTURE, "people", day)
    make_resident(session, home, "后来的", arrived_on=day + timedelta(days=1))
    make_resident(session, home, "后来登记的", recorded_on=day + timedelta(days=1))
    make_resident(session, home, "走了的", left_on=day + timedelta(days=1))
    make_resident(session, home, "那天走的", left_on=day)
    assert count(session, cast, Kind.STRUCTURE, "people", day) == at_first + 1
    assert count(session, cast, Kind.STRUCTURE, "people", TODAY) == at_first + 2


def test_figures_of_a_day_are_of_that_days_care(session: Session, cast: Cast):
    home, group = cast.households[0], make_group(session, cast.community, "veteran")
    day = TODAY - timedelta(days=30)
    make_care(session, home, group, day - timedelta(days=60), until=day + timedelta(days=1))
    make_care(session, cast.households[1], group, day + timedelta(days=1))
    make_care(session, cast.households[2], group, TODAY)
    assert count(session, cast, Kind.VETERANS, "households", day) == 1
    assert count(session, cast, Kind.VETERANS, "households", TODAY) == 2


def test_figures_of_a_day_are_of_that_days_facts(session: Session, cast: Cast):
    home = cast.households[0]
    someone = make_resident(session, home, "变的", sex="1", birth_date=date(1990, 1, 1))
    day = TODAY - timedelta(days=30)
    director = cast.actor("director")
    for days_ago, field, value in (
        (29, "sex", "2"),
        (20, "sex", None),
        (10, "is_temporary", "1"),
        (5, "birth_date", None),
    ):
        now = NOW - timedelta(days=days_ago)
        seen = _told(session, someone, field)
        operations.change_fact(session, director, home, someone, field, seen, value, now)
    for key, at_first, today in (("men", 1, 0), ("sex_unknown", 5, 6), ("temporary", 0, 1), ("adults", 1, 0)):
        assert (count(session, cast, Kind.STRUCTURE, key, day), count(session, cast, Kind.STRUCTURE, key, TODAY)) == (
            at_first,
            today,
        ), key
    assert count(session, cast, Kind.STRUCTURE, "women", TODAY - timedelta(days=25)) == 1


def _told(session: Session, someone: Resident, field: str) -> str | None:
    value = getattr(someone, field)
    return (value or None) and ("1" if value is True else str(value))


def test_figures_of_a_day_are_of_that_days_districts_and_of_doors_lived_in(session: Session, cast: Cast):
    home, day = cast.households[0], TODAY - timedelta(days=30)
    moved = session.scalars(select(Placement).where(Placement.dwelling_id == home.dwelling_id)).one()
    moved.until = TODAY
    session.add(
        Placement(community_id=home.community_id, dwelling_id=home.dwelling_id, district_id=cast.second.id, since=TODAY)
    )
    stood = session.scalars(select(OccupancyPeriod).where(OccupancyPeriod.household_id == cast.households[1].id)).one()
    stood.until = TODAY
    session.add(
        OccupancyPeriod(
            community_id=home.community_id, household_id=cast.households[1].id, since=TODAY, occupancy=Occupancy.GONE
        )
    )
    session.flush()
    by_day = {
        when: sheets.by_district(sheet_queries.lists(session, cast.actor("director"), Kind.STRUCTURE, when, TODAY))
        for when in (day, TODAY)
    }
    assert [by_day[when][cast.district.id]["people"] for when in (day, TODAY)] == [4, 2]
    assert [by_day[when][cast.second.id]["people"] for when in (day, TODAY)] == [1, 2]


def test_needs_are_of_twelve_months_and_as_they_stood_that_day(session: Session, cast: Cast):
    home, user = cast.households[0], cast.users["worker"]
    for days_ago, topic in ((0, "今"), (364, "够"), (365, "老"), (700, "早")):
        visit = make_visit(session, home, user, NOW - timedelta(days=days_ago), topics=[topic])
        make_follow_up(session, home, user, topic, visit_id=visit.id, done_at=NOW if topic == "够" else None)
    wrong = make_visit(session, home, user, NOW, topics=["错"])
    make_visit(session, home, user, NOW, topics=[], corrects_id=wrong.id)

    def topics(day: date) -> dict[str | None, int]:
        lines = sheet_queries.needs_on(session, cast.actor("director"), cast.community, day)
        return {line.topic: len(line.lists["answered"]) for line in lines if line.lists["asked"]}

    assert topics(TODAY) == {"今": 0, "够": 1, None: 1}
    assert topics(TODAY - timedelta(days=1)) == {"够": 0, "老": 0, None: 0}


def test_a_leap_day_has_its_year(session: Session, cast: Cast):
    at = NOW.replace(year=2024, month=2, day=29)
    make_visit(session, cast.households[0], cast.users["worker"], at, topics=["闰"])
    lines = sheet_queries.needs_on(session, cast.actor("director"), cast.community, at.astimezone(ZONE).date())
    assert [line.topic for line in lines] == ["闰", "", None]


# --- how many statements


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_takes_as_many_statements_for_sixty_doors_as_for_five(
    kind: Kind, furnished: Cast, session: Session, sign_in: Any, count_queries: Callable[[], int]
):
    person = sign_in("director")
    group = COLUMNS[kind][1]
    pages = (
        f"/sheets/{kind}",
        f"/sheets/{kind}?day=2026-10-01",
        f"/sheets/{kind}/people?group={group}",
        f"/sheets/{kind}.xlsx",
    )

    def statements() -> list[int]:
        counted = []
        for page in pages:
            before = count_queries()
            assert person.get(page).status_code == 200
            counted.append(count_queries() - before)
        return counted

    few = statements()
    building = make_building(session, furnished.community, "40号楼")
    for n in range(55):
        dwelling = make_dwelling(session, building, furnished.district, f"{n // 6 + 1}0{n % 6 + 1}")
        home = make_household(session, dwelling, f"新{n}")
        visit = make_visit(session, home, furnished.users["worker"], NOW, topics=["助餐"])
        make_follow_up(session, home, furnished.users["worker"], visit_id=visit.id)
    session.commit()
    assert statements() == few
    assert max(few) <= 14
