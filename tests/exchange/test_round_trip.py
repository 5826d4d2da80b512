"""What goes out comes in again, to the cell and to the byte."""

import io
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.db import uuid7
from fieldapp.demo.operations import make_demo
from fieldapp.exchange import cells, files
from fieldapp.exchange.columns import COLUMNS, find_header
from fieldapp.exchange.directory import Directory, KnownBuilding
from fieldapp.exchange.rules import read_registration
from fieldapp.exchange.sheet import read_table, write_xlsx
from fieldapp.exchange.template import make_template
from fieldapp.households import codes, reading
from fieldapp.households.models import CareGroup
from geo.geojson import dump
from tests.exchange.made import GROUPS, NOW, TODAY, WHEN, id_number, office, point

HANDFUL = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PLACES = dump([("b1", {"name": "1号楼"}, point(121.0)), ("y", {"name": "一号院", "kind": "courtyard"}, point(121.1))])

# Signs that files, spreadsheets and XML trip over, and plain ones; never empty, as sheets show no blank at the ends.
words = st.text(st.sampled_from("张三丰=+-@'\"#,;\n\t_x0Dé𠮷 ﬁＡ、1"), min_size=1, max_size=12).filter(str.strip)
days = st.dates(date(1900, 1, 1), TODAY)
whole = st.integers(1, 9)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def named(several: Any) -> st.SearchStrategy[str]:
    return st.sampled_from([words[0] for words in several.values()])


people = st.fixed_dictionaries(
    {"name": words.filter(lambda text: not text.strip().isdigit())},
    optional={
        "sex": named(reading.SEXES),
        "birth_date": days.map(date.isoformat),
        "phone": st.from_regex(r"\A\+?[1-9][0-9]{4,10}\Z"),
        "registered_at": words,
        "temporary": st.sampled_from(["是", "否"]),
        "relation": st.sampled_from(sorted(set(codes.RELATION) - {"02"})),
        "care_groups": st.lists(st.sampled_from(GROUPS), unique=True).map("、".join),
    },
)
households = st.fixed_dictionaries(
    {"people": st.lists(people, max_size=3, unique_by=lambda person: "".join(person["name"].split()))},
    optional={"occupancy": named(cells.OCCUPANCIES), "moved_in": days.map(date.isoformat), "note": words},
)
doors = st.fixed_dictionaries(
    {
        "building": st.sampled_from(["1号楼", "一号院"]),
        "entrance": st.integers(1, 3),
        "room": words.map(str.strip),
        "households": st.lists(households, max_size=2),
    },
    optional={
        "floor": st.integers(-2, 30).filter(bool), "kind": named(cells.KINDS), "shop_name": words, "column": whole,
        "row": whole, "span": whole, "row_span": whole,
    },
)  # fmt: skip
sheets = st.lists(
    doors, min_size=1, max_size=5, unique_by=lambda door: (door["building"], door["entrance"], door["room"])
)


def rows_of(drawn: list[dict[str, Any]]) -> list[list[Any]]:
    """The sheet's rows of drawn doors; every second person has a number."""
    rows = []
    serial = 1
    for door in drawn:
        of_door = {key: value for key, value in door.items() if key != "households"}
        for number, household in enumerate(door["households"], 1):
            of_household = {key: value for key, value in household.items() if key != "people"} | {"household": number}
            for place, person in enumerate(household["people"] or [{}]):
                said = of_door | of_household | person
                if person and place == 0:
                    said["relation"] = "户主"
                if person and place == 1:
                    serial += 2
                    said |= {"id_number": id_number(serial=serial % 999), "birth_date": "1957-03-02", "sex": "男"}
                rows.append(said)
        if not door["households"]:
            rows.append(of_door | {"household": 0})
    return [[row.get(column.key) for column in COLUMNS] for row in rows]


def taken(session: Session, actor: Actor, form: str, language: Any = "zh") -> list[list[str]]:
    data = files.take_households(session, actor, TODAY, language, form, "住户")
    return [["" if cell is None else str(cell) for cell in row[: len(COLUMNS)]] for _, row in read_table(data)]


@HANDFUL
@given(drawn=sheets)
def test_a_sheet_comes_back_cell_by_cell(session: Session, drawn: list[dict[str, Any]]) -> None:
    first = office(session, PLACES)
    data = write_xlsx("住户", [column.zh for column in COLUMNS], rows_of(drawn))
    files.bring_households(session, first, data, WHEN, good_rows=False)
    written = taken(session, first, "xlsx")
    assert len(written) == 1 + len(rows_of(drawn))
    for form, language in (("xlsx", "zh"), ("csv", "en")):
        copy = office(session, PLACES)
        out = files.take_households(session, first, TODAY, language, form, "住户")  # type: ignore[arg-type]
        files.bring_households(session, copy, out, WHEN, good_rows=False)
        assert taken(session, copy, "csv") == written
    again = files.bring_households(session, first, data, WHEN, good_rows=False)
    assert (again.doors, again.households, again.people) == (0, 0, 0)


numbers = st.integers(0, 9)
properties = st.fixed_dictionaries(
    {},
    optional={
        "name": words, "housenumber": words, "house_number": words, "street": words, "levels": numbers,
        "entrances": numbers | st.lists(numbers, max_size=3), "households": numbers,
        "kind": st.sampled_from(["yes", "courtyard", "平房", "block"]), "height": st.floats(0, 500),
        "tags": st.dictionaries(words, st.none() | st.booleans() | words, max_size=2), "空": st.none(),
    },
)  # fmt: skip


@HANDFUL
@given(drawn=st.lists(st.tuples(properties, st.floats(100, 120), st.floats(20, 40)), min_size=1, max_size=4))
def test_buildings_come_back_byte_by_byte(session: Session, drawn: list[tuple[dict[str, Any], float, float]]) -> None:
    first, copy = office(session), office(session)
    data = dump((None, said, point(longitude, latitude)) for said, longitude, latitude in drawn)
    files.bring_buildings(session, first, data, WHEN, where=None, lay_out=False)
    out = files.take_buildings(session, first)
    files.bring_buildings(session, copy, out, WHEN, where=None, lay_out=False)
    assert files.take_buildings(session, copy) == out
    again = files.bring_buildings(session, first, out, WHEN, where=None, lay_out=True)
    assert (again.added, again.changed, again.same) == (0, 0, len(drawn))


def _give_groups_of(session: Session, one: Actor, other: Actor) -> None:
    """The other community's care groups become those of the first."""
    session.execute(delete(CareGroup).where(CareGroup.community_id == other.community_id))
    for group in session.scalars(select(CareGroup).where(CareGroup.community_id == one.community_id)).all():
        more = {"code": group.code, "name": group.name, "position": group.position}
        session.add(CareGroup(community_id=other.community_id, **more))
    session.flush()


def test_the_demonstration_comes_back(session: Session) -> None:
    community = make_demo(session, today=TODAY, now=NOW)
    session.flush()
    demo = Actor(None, "", Role.DIRECTOR, community.id)
    copy = office(session)
    _give_groups_of(session, demo, copy)
    buildings = files.take_buildings(session, demo)
    files.bring_buildings(session, copy, buildings, WHEN, where=None, lay_out=False)
    assert files.take_buildings(session, copy) == buildings
    sheet = files.take_households(session, demo, TODAY, "zh", "csv", "住户")
    done = files.bring_households(session, copy, sheet, WHEN, good_rows=False)
    assert done.people > 2_000
    assert files.take_households(session, copy, TODAY, "zh", "csv", "住户") == sheet
    districts = files.take_districts(session, demo, TODAY)
    assert files.bring_districts(session, demo, districts, WHEN).same == 5
    assert files.take_districts(session, demo, TODAY) == districts


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_template_is_read_and_its_example_is_right(language: Any) -> None:
    data = make_template(language, ("住户", "示例"), {"building": "必填"})
    book = load_workbook(io.BytesIO(data))
    header, faults = find_header(read_table(data)[:1])
    assert (len(header.places), faults) == (len(COLUMNS), [])
    assert book["住户"].max_row == 1
    assert book["住户"].data_validations.count == 4
    assert book["住户"]["A1"].comment.text == "必填"
    known = Directory([KnownBuilding(uuid7(), "12", "12号楼")], {})
    example = [(i, row) for i, row in enumerate(book["示例"].iter_rows(values_only=True), 1)]
    assert read_registration(example, known, TODAY).problems == []
