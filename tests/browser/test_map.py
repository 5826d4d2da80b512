"""The map and the door matrix, as a phone."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_map_shows_the_district_and_a_tap_leads_to_a_buildings_doors(open_phone):
    page = open_phone("worker3")
    page.goto("/map")
    expect(page.locator(".pagehead h1")).to_have_text("第二包干区")
    expect(page.locator(".map-label", has_text="12号")).to_be_visible()
    building = page.locator("#map path.leaflet-interactive").first
    box = building.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    sheet = page.locator("[data-sheet]")
    expect(sheet).to_be_visible()
    name = sheet.locator(".building-name").inner_text()
    sheet.get_by_role("link", name="看每一户").tap()
    expect(page.locator("h1")).to_contain_text(name)
    expect(page.locator("a.cell").first).to_be_visible()


def test_a_list_stands_in_for_the_map(open_phone):
    page = open_phone("worker3")
    page.goto("/map")
    page.get_by_role("button", name="列表").tap()
    expect(page.locator("[data-list] .building").first).to_be_visible()
    expect(page.locator("#map")).to_be_hidden()
    without = open_phone("worker4", javascript=False)
    without.goto("/map")
    expect(without.locator("[data-list] .building").first).to_be_visible()


def test_my_place_is_shown_only_when_asked(open_phone):
    page = open_phone("worker3")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 120.301, "latitude": 31.571, "accuracy": 20})
    page.goto("/map")
    before = page.locator("#map path[fill='#1b5ba6']").count()
    page.get_by_role("button", name="我在哪").tap()
    expect(page.locator("#map path[fill='#1b5ba6']")).to_have_count(before + 2)
    assert before == 0


def test_cells_are_links_and_say_their_state_without_colour(open_phone):
    page = open_phone("worker3")
    page.goto("/map")
    page.get_by_role("button", name="列表").tap()
    page.locator(".building", has_text="12号楼").get_by_role("link").tap()
    cell = page.locator("a.cell.overdue", has_text="601").first
    expect(cell).to_contain_text(re.compile("601"))
    expect(cell.locator(".sr")).to_have_text("重点逾期")
    assert cell.locator("use").get_attribute("href") == "#i-overdue"
    size = cell.bounding_box()
    assert size["width"] >= 44 and size["height"] >= 44
    cell.tap()
    expect(page.locator("h1")).to_contain_text("张桂兰家")


def test_nobody_home_for_a_whole_entrance_takes_three_taps(open_phone):
    page = open_phone("worker7")
    page.goto("/map")
    page.get_by_role("button", name="列表").tap()
    page.locator(".building").first.get_by_role("link").tap()
    page.get_by_role("link", name="几户没人在，一起记").tap()
    page.locator("[data-entrance]").first.tap()
    chosen = page.locator("input[name=households]:checked").count()
    assert chosen > 1
    save = page.get_by_role("button", name=f"记 {chosen} 户没人在")
    save.tap()
    expect(page.locator(".cell.waits")).to_have_count(chosen)
    expect(page.locator(".phone-bar")).to_have_count(0)  # everything has arrived
    page.reload()
    assert page.locator(".cell.nobody, .cell.overdue").count() >= chosen


def test_a_courtyard_is_drawn_around_its_yard(open_phone):
    page = open_phone("worker3")
    page.goto("/map")
    page.get_by_role("button", name="列表").tap()
    page.locator(".building", has_text="三号院").get_by_role("link").tap()
    expect(page.locator(".yard")).to_be_visible()
    yard = page.locator(".yard").bounding_box()
    first = page.locator(".cell").first.bounding_box()
    assert first["y"] < yard["y"]


def test_doors_are_corrected_on_the_matrix(open_phone):
    page = open_phone("worker8")
    page.goto("/map")
    page.get_by_role("button", name="列表").tap()
    page.locator(".building").first.get_by_role("link").tap()
    page.get_by_role("link", name="改门的位置").tap()
    page.fill("input[name=room]", "999")
    page.fill("input[name=floor]", "9")
    page.get_by_role("button", name="加一个门").tap()
    expect(page.locator(".cell", has_text="999")).to_be_visible()
    page.fill("input[name=room]", "999")
    page.fill("input[name=floor]", "9")
    page.get_by_role("button", name="加一个门").tap()
    expect(page.locator(".notice.fault")).to_contain_text("已经有 999")
    page.locator(".cell", has_text="999").tap()
    page.get_by_role("button", name="去掉这个门").tap()
    expect(page.locator(".cell", has_text="999")).to_have_count(0)
