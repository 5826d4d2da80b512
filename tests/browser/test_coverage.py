"""The director's coverage map on a desktop and a phone, its past months and its files."""

import json
import re

import openpyxl
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_director_sees_every_district_and_what_wants_a_look(open_phone):
    page = open_phone("director", desktop=True)
    page.goto("/coverage")
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.locator(".map-label.district")).to_have_count(5)
    expect(page.locator("main")).to_contain_text("2 个门不在任何包干区")
    expect(page.locator("main")).to_contain_text(re.compile(r"第五包干区 \d+ 天没有走访"))
    expect(page.locator(".scale:visible")).to_contain_text("≤6%")
    page.get_by_role("button", name="按楼").click()
    expect(page.locator(".scale:visible")).to_contain_text("≤30%")
    assert page.locator("#map path.leaflet-interactive").count() > 35
    for _ in range(8):
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(300)
        if page.locator(".map-label:not(.district)").count():
            break
    expect(page.locator(".map-label:not(.district)").first).to_have_text(re.compile(r"\d+/\d+"))


def test_a_past_month_stays_as_it_was_down_to_the_door_matrix(open_phone):
    page = open_phone("director", desktop=True)
    page.goto("/coverage")
    page.get_by_role("link", name="往前").click()
    expect(page.locator(".tools")).to_contain_text("按当时的边界和人")
    page.locator("summary", has_text="按楼看").click()
    page.locator("details a.row", has_text="12号楼").first.click()
    expect(page.locator("h1")).to_contain_text("的情况")
    expect(page.locator("a.cell").first).to_be_visible()


def test_the_files_open(open_phone, tmp_path):
    page = open_phone("director", desktop=True)
    page.goto("/coverage")
    with page.expect_download() as table:
        page.get_by_role("link", name="表格").click()
    table.value.save_as(tmp_path / "c.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "c.xlsx").active.iter_rows(values_only=True))
    assert len(rows) == 2 + 5 + 1
    shown = int(page.locator("tfoot td").first.inner_text())
    in_no_district = 2
    assert rows[-1][3] == shown == sum(row[3] for row in rows[2:-1]) + in_no_district
    with page.expect_download() as shapes:
        page.get_by_role("link", name="地图文件").click()
    shapes.value.save_as(tmp_path / "c.geojson")
    kinds = [f["properties"]["kind"] for f in json.loads((tmp_path / "c.geojson").read_text())["features"]]
    assert kinds.count("district") == 5 and kinds.count("building") > 30


def test_figures_agree_on_the_overview_the_table_and_the_workers_page(open_phone):
    director = open_phone("director")
    expect(director.locator(".district-name").nth(2)).to_have_text("第三包干区")
    on_overview = (
        director.locator("li", has=director.locator(".district-name", has_text="第三")).locator("b").inner_text()
    )
    director.goto("/coverage")
    row = director.locator("tbody tr").nth(2)
    worker = open_phone("worker5")
    assert row.locator("td b").inner_text() == on_overview == worker.locator(".answer-met").inner_text()
    left = worker.locator(".answer-line b").nth(1).inner_text()
    assert row.locator("td").nth(3).inner_text().strip() == left


def test_a_phone_has_the_map_and_the_table_within_its_width(open_phone):
    page = open_phone("director")
    for address in ("/overview", "/coverage", "/coverage?span=year", "/settings", "/imports", "/matters", "/me"):
        assert page.goto(address).status == 200, address
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_the_street_office_sees_numbers_and_no_names(open_phone):
    page = open_phone("street", desktop=True)
    page.get_by_role("link", name="梧桐里社区").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    assert page.locator("a[href*='/buildings/'], a[href*='/households/']").count() == 0


def test_settings_are_kept_and_a_wrong_number_is_named(open_phone):
    page = open_phone("director")
    page.goto("/settings")
    page.fill("input[name=quota]", "abc")
    page.get_by_role("button", name="存设置").tap()
    expect(page.locator(".field", has=page.locator("input[name=quota]"))).to_contain_text("写 1 到 500 的整数")
    page.fill("input[name=quota]", "30")
    page.fill("input[name=quiet_days]", "8")
    page.get_by_role("button", name="存设置").tap()
    expect(page.locator(".notice")).to_contain_text("存好了")
    expect(page.locator("input[name=quiet_days]")).to_have_value("8")


def test_an_overlap_is_said_and_drawn(open_phone, tmp_path):
    page = open_phone("director", desktop=True)
    page.goto("/imports")
    with page.expect_download() as kept:
        page.get_by_role("link", name="导出包干区").click()
    kept.value.save_as(tmp_path / "before.geojson")
    districts = json.loads((tmp_path / "before.geojson").read_text())
    ring = districts["features"][0]["geometry"]["coordinates"][0]
    corner = max(range(len(ring) - 1), key=lambda i: ring[i][0])
    ring[corner][0] += 0.0004
    if corner == 0:
        ring[-1] = ring[0]
    (tmp_path / "after.geojson").write_text(json.dumps(districts))
    page.locator("#districts-file").set_input_files(tmp_path / "after.geojson")
    page.get_by_role("button", name="导入包干区").click()
    expect(page.locator(".notice").first).to_be_visible()
    page.goto("/coverage")
    expect(page.locator("main")).to_contain_text(re.compile(r"重叠 \d+ 平方米"))
    assert page.locator("#map path[stroke='#b3261e']").count() >= 1
    page.goto("/imports")
    page.locator("#districts-file").set_input_files(tmp_path / "before.geojson")
    page.get_by_role("button", name="导入包干区").click()
    expect(page.locator(".notice").first).to_be_visible()
