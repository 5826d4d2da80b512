"""Changing a fact at the door: with and without a script, and when two people change the same one."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def open_household(page: Page) -> None:
    """Open the household that the mock-ups show."""
    page.wait_for_url("**/today")
    page.fill("input[name=q]", "张桂兰")
    page.locator("input[name=q]").press("Enter")
    page.locator("a.row", has_text="张桂兰").first.tap()
    expect(page.locator("h1")).to_contain_text("张桂兰家")


def open_form(page: Page, name: str) -> Locator:
    """Open the small form under somebody's name."""
    person = page.locator("li", has=page.locator("b", has_text=name))
    person.locator("summary", has_text="改一处").tap()
    expect(person.locator("form[data-door=fact]")).to_be_visible()
    return person


def test_a_phone_number_is_changed_without_a_script(open_phone):
    page = open_phone("worker3", javascript=False)
    open_household(page)
    person = open_form(page, "李思雨")
    person.locator("input[name=value]").fill("154 0000 1")
    person.get_by_role("button", name="保存").tap()
    expect(page.locator("[role=alert]")).to_contain_text("手机号是 11 位，这里有 8 位")
    expect(page.locator("input[name=value]")).to_have_value("154 0000 1")
    page.locator("input[name=value]").fill("１５４ ０００１ ００３３")
    page.get_by_role("button", name="保存").tap()
    expect(page.locator(".notice")).to_have_text("电话改好了。")
    expect(page.locator("a[href='tel:15400010033']")).to_have_attribute("aria-label", "打给李思雨 154****0033")
    page.get_by_role("link", name="改过什么").tap()
    first = page.locator("li").first
    expect(first).to_contain_text("李思雨 · 电话")
    expect(first.locator("ins")).to_have_text("154****0033")


def test_a_phone_number_is_changed_in_place(open_phone):
    page = open_phone("worker3")
    open_household(page)
    person = open_form(page, "李建国")
    field = person.locator("input[name=value]")
    expect(field).to_have_attribute("type", "tel")
    field.fill("15400020044")
    person.get_by_role("button", name="保存").tap()
    expect(person.locator("p.changed")).to_contain_text("李建国 · 电话 15400020044")
    expect(person.locator("p.changed")).to_contain_text("已到服务器")
    expect(person.locator("form[data-door=fact]")).to_be_hidden()
    page.reload()
    expect(page.locator("a[href='tel:15400020044']").first).to_be_visible()


def test_the_field_fits_the_fact(open_phone):
    page = open_phone("worker3")
    open_household(page)
    person = open_form(page, "李建国")
    choose = person.locator("select[name=field]")
    field = person.locator("[name=value]")
    choose.select_option("name")
    expect(field).to_have_value("李建国")
    choose.select_option("birth_date")
    expect(field).to_have_value(re.compile(r"\d{4}-\d\d-\d\d"))
    expect(field).to_have_attribute("inputmode", "numeric")
    person.locator(".pill", has_text="不清楚").tap()
    expect(field).to_be_disabled()
    choose.select_option("relation")
    expect(field).to_have_value("20")
    choose.select_option("sex")
    expect(person.locator(".pill", has_text="男").locator("input")).to_be_checked()
    choose.select_option("registered_at")
    expect(field).to_have_value("")
    for control in (choose, field, person.get_by_role("button", name="保存"), person.locator("summary")):
        assert control.bounding_box()["height"] >= 44
    choose.select_option("phone")
    field.fill("不是电话")
    person.get_by_role("button", name="保存").tap()
    assert not field.evaluate("(input) => input.validity.valid")
    expect(person.locator("p.changed")).to_have_count(0)


def test_two_workers_say_it_differently_and_one_decides(open_phone):
    first, second = open_phone("worker3", javascript=False), open_phone("worker4", javascript=False)
    for page in (first, second):
        open_household(page)
    for page, number in ((first, "15400030055"), (second, "15400040066")):
        person = open_form(page, "张桂兰")
        person.locator("input[name=value]").fill(number)
        person.get_by_role("button", name="保存").tap()
        expect(page.locator(".notice")).to_be_visible()
    expect(second.locator(".notice")).to_contain_text("两种说法都留着")
    card = second.locator("section", has_text="张桂兰的电话有两种说法")
    expect(card.locator("form b")).to_have_text(["154****0066", "154****0055"])
    expect(card).to_contain_text("周敏")
    expect(card).to_contain_text("陈晓东")
    card.get_by_role("button", name="用这个：154****0066").tap()
    expect(second.locator("section", has_text="两种说法")).to_have_count(0)
    expect(second.locator("a[href='tel:15400040066']").first).to_be_visible()
    first.reload()
    expect(first.locator("section", has_text="两种说法")).to_have_count(0)
    expect(first.locator("a[href='tel:15400040066']").first).to_be_visible()
