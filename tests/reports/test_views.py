"""The director's first page, the coverage map of any span, its downloads, and what the street office sees."""

import io
import json
import re
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from tests.conftest import NOW
from tests.factories import make_dwelling, make_household, make_resident, make_visit
from tests.routes import ON_ONE


@pytest.fixture
def director(sign_in):
    return sign_in("director")


@pytest.fixture
def street(sign_in):
    return sign_in("street")


def page(answer):
    return answer.get_data(as_text=True)


def map_data(answer):
    return json.loads(re.search(r'id="map-data">(.*?)</script>', page(answer), re.S)[1])


@pytest.fixture
def met(cast, session):
    """Two households met this month, one the month before (by the cast)."""
    for household in cast.households[1:3]:
        make_visit(session, household, cast.users["worker"], NOW - timedelta(days=2))
    session.commit()


# --- the first page


def test_the_overview_says_what_wants_a_look(director, cast, session, met):
    cast.follow_up.due_on = NOW.date() - timedelta(days=4)
    orphan = make_dwelling(session, cast.building, None, "901")
    make_household(session, orphan, "孤门")
    session.commit()
    said = page(director.get("/overview"))
    for words in ("最久 4 天：问助餐卡", "第2包干区，从来没有", "不在任何包干区的门", "<b>2</b>/30"):
        assert words in said, words


def test_an_overview_of_nothing_says_what_to_do_first(sign_in, session, cast):
    session.connection().exec_driver_sql("UPDATE district SET closed_on = '2026-01-01'")
    session.commit()
    assert "先导入边界和楼栋" in page(sign_in("director").get("/overview"))


# --- coverage


def test_the_table_counts_what_was_met(director, met):
    said = page(director.get("/coverage"))
    assert "2026年11月" in said
    row = re.search(r'<th scope="row">第1包干区.*?</tr>', said, re.S)[0]
    assert re.findall(r"<td>(?:<b>)?([^<]+)", row)[:3] == ["4", "2", "50%"]


@pytest.mark.parametrize(
    ("query", "title", "share"),
    [
        ("day=2026-10-20", "2026年10月", "1"),
        ("day=2026-11-01", "2026年11月", "2"),
        ("day=2026-02-01&span=quarter", "2026年1季度", "0"),
        ("span=quarter", "2026年4季度", "3"),
        ("span=year&day=2026-01-01", "2026年", "3"),
        ("span=year&day=2025-06-01", "2025年", "0"),
    ],
)
def test_a_day_and_a_span_choose_the_figures(query, title, share, director, met):
    said = page(director.get(f"/coverage?{query}"))
    assert f"<b>{title}</b>" in said
    row = re.search(r'<th scope="row">第1包干区.*?</tr>', said, re.S)[0]
    assert re.findall(r"<td>\s*<b>(\d+)</b>", row) == [share]


@ON_ONE
@pytest.mark.parametrize("query", ["day=x", "day=2026-13-01", "day=2026-11-19", "day=1999-12-31", "span=week", "span="])
def test_a_span_that_is_none_is_said_to_be_none(query, director):
    for where in ("/coverage", "/coverage.xlsx", "/coverage.geojson"):
        answer = director.get(f"{where}?{query}")
        assert answer.status_code == 422
        assert "2026-11-01 这样" in page(answer) or "只能看到今天为止" in page(answer)


def test_the_first_and_the_last_span_lead_no_further(director):
    assert 'aria-label="往后"' not in page(director.get("/coverage"))
    assert 'aria-label="往后"' in page(director.get("/coverage?day=2026-10-01"))


def test_the_map_holds_no_residents_and_links_buildings_for_the_director_alone(director, street, cast, met):
    mine, theirs = map_data(director.get("/coverage")), map_data(street.get(f"/coverage?community={cast.community.id}"))
    assert {d["name"] for d in mine["districts"]} == {"第1包干区", "第2包干区"}
    assert all(building["href"].startswith("/buildings/") for building in mine["buildings"])
    assert not any("href" in building for building in theirs["buildings"])
    for data in (mine, theirs):
        assert not re.search("张桂兰|王秀英|周邻", json.dumps(data, ensure_ascii=False))


def test_orphans_overlaps_and_gaps_are_said(director, cast, session):
    make_household(session, make_dwelling(session, cast.building, None, "901"), "孤门")
    ring = [[120.3015, 31.57], [120.304, 31.57], [120.304, 31.572], [120.3015, 31.572], [120.3015, 31.57]]
    statement = "UPDATE district_boundary SET geometry = '%s' WHERE district_id = '%s'"
    key = cast.second.id.hex if session.bind.dialect.name == "sqlite" else cast.second.id
    session.connection().exec_driver_sql(statement % (json.dumps({"type": "Polygon", "coordinates": [ring]}), key))
    session.commit()
    said = page(director.get("/coverage"))
    assert "1 个门不在任何包干区" in said
    assert re.search("第1包干区、第2包干区 重叠 [0-9]+ 平方米", said)


# --- files


def test_the_spreadsheet_opens_with_the_figures(director, cast, met):
    answer = director.get("/coverage.xlsx")
    assert answer.headers["Content-Disposition"] == "attachment; filename=coverage-c1-2026-11-18.xlsx"
    rows = list(load_workbook(io.BytesIO(answer.data)).active.values)
    assert rows[1][:5] == ("包干区", "片长", "交叉", "户数", "见到")
    assert rows[2][:8] == ("第1包干区", "worker", "partner", 4, 2, 30, 0.5, 0)
    assert (rows[-1][0], rows[-1][3]) == ("全社区", 5)
    assert (rows[1][10], rows[2][10], rows[-1][10]) == ("信息鲜活率", 0, 0), "occupancies are known, none was confirmed"
    assert not re.search("张桂兰|王秀英", str(rows))


@ON_ONE
@pytest.mark.parametrize("name", ["=1+1", "=cmd|' /C calc'!A1", "+1", "@SUM(A1)", "-2", "#N/A", "a\x0bb"])
def test_no_name_becomes_a_formula(name, director, cast, session):
    cast.district.name = cast.users["worker"].name = cast.community.name = name
    session.commit()
    answer = director.get("/coverage.xlsx")
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.data))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert name.replace("\x0b", "") in [cell.value for cell in cells]


def test_the_map_file_is_geojson(director, cast, met):
    answer = director.get("/coverage.geojson?day=2026-10-31")
    assert answer.mimetype == "application/geo+json"
    features = json.loads(answer.data)["features"]
    (first,) = [f["properties"] for f in features if f["properties"].get("code") == "1"]
    assert (first["households"], first["met"], first["from"], first["to"]) == (4, 1, "2026-10-01", "2026-10-31")
    assert {f["geometry"]["type"] for f in features} == {"Polygon"}
    assert not re.search("张桂兰|王秀英", answer.data.decode())


def test_every_download_leaves_a_trace(director, street, cast, connection):
    director.get("/coverage.xlsx")
    street.get(f"/coverage.geojson?community={cast.community.id}")
    traces = connection.exec_driver_sql("SELECT deed, subject FROM audit_entry ORDER BY subject").all()
    names = ("coverage-c1-2026-11-18.geojson", "coverage-c1-2026-11-18.xlsx")
    assert [tuple(trace) for trace in traces] == [("export.coverage", name) for name in names]


# --- the street office


def test_the_street_office_sees_figures_of_its_communities(street, cast, met):
    said = page(street.get("/coverage"))
    row = re.search(r'<tr><th scope="row"><a[^>]*>c1社区.*?</tr>', said, re.S)[0]
    assert re.findall(r"<td>([^<]+)</td>", row) == ["2", "5", "2", "40%", "0", "2"]
    assert f'href="/coverage?community={cast.elsewhere.id}"' in said


def test_the_street_office_sees_no_names_no_households_and_no_doors(street, cast, session, met):
    make_resident(session, cast.households[0], "张桂芳", phone="15412346677")
    session.commit()
    pages = [page(street.get(f"{where}?community={cast.community.id}")) for where in ("/coverage", "/coverage.geojson")]
    for said in [*pages, page(street.get("/coverage")), page(street.get("/me"))]:
        assert not re.search("张桂兰|张桂芳|王秀英|6677|腿脚还行", said)
        assert "/households/" not in said
        assert "/buildings/" not in said
    for where in (
        f"/buildings/{cast.building.id}",
        f"/households/{cast.households[0].id}",
        "/overview",
        "/matters",
        "/map",
    ):
        assert street.get(where).status_code == 404


def test_a_community_that_is_none_is_404_for_the_street_office(street, cast):
    for key in ("x", "0198a000-0000-7000-8000-000000000001", "\U0001f600"):
        assert street.get("/coverage", query_string={"community": key}).status_code == 404


def test_the_figures_of_a_past_month_keep_its_people(director, cast, session):
    session.connection().exec_driver_sql(f"UPDATE assignment SET until = '{date(2026, 11, 1)}' WHERE part = 'partner'")
    session.commit()
    assert "worker、partner" in page(director.get("/coverage?day=2026-10-31"))
    assert "worker、partner" not in page(director.get("/coverage"))
