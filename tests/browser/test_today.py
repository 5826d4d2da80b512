"""Today, as a worker uses it: am I done, which door next, find somebody."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def met_so_far(page: Page) -> int:
    """The big number of the answer line."""
    return int(page.locator(".answer-met").inner_text())


def test_today_answers_and_lists_overdue_doors_first(open_phone):
    page = open_phone("worker3")
    expect(page).to_have_url(re.compile("/today$"))
    expect(page.locator(".answer-line")).to_contain_text(re.compile(r"\d+/30 户.*重点剩 \d+.*工作日剩 \d+", re.S))
    first = page.locator("section").first
    expect(first.locator(".chip.overdue").first).to_have_text(re.compile("重点逾期 \\d+ 天"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_routine_visit_is_three_taps(open_phone):
    page = open_phone("worker3")
    before = met_so_far(page)
    door = page.locator(".door", has=page.locator(".state-due")).first
    door.locator("a.button").tap()  # open
    page.locator("label.outcome.main").tap()  # met, nothing changed
    page.get_by_role("button", name="保存").tap()  # save
    expect(page.get_by_role("heading", name="已存到服务器")).to_be_visible()
    expect(page.locator(".answer-met")).to_have_text(str(before + 1))


def test_the_next_door_is_offered_and_opens_its_form(open_phone):
    page = open_phone("worker4")
    page.locator(".door a.button").first.tap()
    page.locator("label.outcome", has_text="没人在").tap()
    page.get_by_role("button", name="保存").tap()
    expect(page.locator(".footer-bar a.primary:visible")).to_have_text(re.compile("去 .+"))
    page.locator(".footer-bar a.primary:visible").tap()
    expect(page.locator(".visit-form")).to_be_visible()


@pytest.mark.parametrize("typed", ["zgl", "zhanggui", "张桂", "12-601", "12号楼 601"])
def test_search_finds_somebody(open_phone, typed):
    page = open_phone("worker3")
    page.fill("input[name=q]", typed)
    found = page.locator("#found a.row", has_text="张桂兰").first
    expect(found).to_be_visible()
    assert typed not in page.url
    found.tap()
    expect(page.locator("h1")).to_contain_text("张桂兰家")


def test_search_says_when_nobody_is_found_and_closes(open_phone):
    page = open_phone("worker3")
    page.fill("input[name=q]", "查无此人")
    expect(page.locator("#found")).to_contain_text("没找到")
    page.locator("[data-close-search]").tap()
    expect(page.locator("#found")).to_be_hidden()


def test_a_kept_promise_is_ticked_in_place(open_phone):
    page = open_phone("worker3")
    page.goto("/matters")
    row = page.locator("main ul.card li").first
    row.get_by_role("button", name="办到了").tap()
    expect(row).to_contain_text("已到服务器")
    expect(page).to_have_url(re.compile("/matters$"))


def test_the_day_works_without_javascript(open_phone):
    page = open_phone("worker5", javascript=False)
    page.locator(".door a.button").first.tap()
    page.locator("label.outcome.main").tap()
    page.get_by_role("button", name="保存").tap()
    expect(page.get_by_role("heading", name="已存到服务器")).to_be_visible()


def test_every_page_of_a_worker_loads_without_a_complaint(open_phone):
    page = open_phone("worker1")
    for address in ("/today", "/today?all=1", "/map", "/matters", "/me", "/password"):
        answer = page.goto(address)
        assert answer.status == 200, address
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_english_is_complete_enough_to_walk_through(open_phone):
    page = open_phone("worker9")
    page.goto("/me")
    page.get_by_role("button", name="English").tap()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/today")
    expect(page.locator("nav.tabs")).to_contain_text("Today")
    page.goto("/me")
    page.get_by_role("button", name="简体中文").tap()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.goto("/today")
    expect(page.locator("nav.tabs")).to_contain_text("今日")
