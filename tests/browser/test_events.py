"""Somebody moves in behind a door without signal: on the phone at once, on the server once."""

import pytest
from playwright.sync_api import expect

from tests.browser.doors import doors_of, key, rows

pytestmark = pytest.mark.browser


def test_a_move_in_without_signal_is_on_the_server_once(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    [home] = doors_of(phone.page, 1)
    phone.lose_signal()
    page = phone.page
    page.goto(f"/households/{home}")
    page.locator("a.row", has_text="家里有变动").tap()
    expect(page.locator("h1 small")).not_to_be_empty()
    page.locator("summary", has_text="搬来").first.tap()
    form = page.locator("form[data-kind=event]", has=page.locator("input[value=moved_in]"))
    expect(form.locator("[name=name-1]")).to_be_visible()
    form.locator("[name=name-1]").fill("赵新来")
    form.locator("[name=sex-1]").select_option("2")
    form.locator("[name=phone-1]").fill("154 0000 7788")
    for control in (form.locator("[name=name-1]"), form.get_by_role("button", name="保存")):
        assert control.bounding_box()["height"] >= 44
    form.get_by_role("button", name="保存").tap()
    page.wait_for_url(f"**/households/{home}")
    waiting = page.locator("p.changed", has_text="搬来 · 赵新来")
    expect(waiting).to_contain_text("待发送")
    page.goto(f"/households/{home}/events/new")
    page.locator("summary", has_text="去世").tap()
    died = page.locator("form[data-kind=event]", has=page.locator("input[value=died]"))
    expect(died.locator("[data-name=who] .pill").first).to_be_visible()
    assert rows(program, "SELECT count(*) FROM life_event") == [(0,)]
    phone.find_signal()
    page.goto("/today")
    phone.wait_until_sent()
    [event] = rows(program, "SELECT id, kind, household_id FROM life_event")
    assert event == (key(phone.items()[0]["id"]), "moved_in", key(home))
    assert rows(program, "SELECT sex, phone_tail FROM resident WHERE name = '赵新来'") == [("2", "7788")]
    phone.open_from_server(f"/households/{home}")
    expect(page.locator("b", has_text="赵新来")).to_be_visible()
    expect(page.locator("p.changed")).to_have_count(0)


def test_everybody_moves_out_without_a_script(open_phone):
    page = open_phone("worker3", javascript=False)
    page.wait_for_url("**/today")
    page.locator("[data-door-of] a").first.tap()
    page.locator("a.row", has_text="家里有变动").tap()
    page.locator("summary", has_text="搬走").tap()
    form = page.locator("form[data-kind=event]", has=page.locator("input[value=moved_out]"))
    form.get_by_role("button", name="保存").tap()
    expect(page.locator("[role=alert]").first).to_contain_text("先点一下是谁")
    page.locator("label.pill", has_text="全家都搬走了").tap()
    form.get_by_role("button", name="保存").tap()
    expect(page.locator(".notice")).to_have_text("记下了：搬走。")
    page.get_by_role("link", name="改过什么").tap()
    page.get_by_role("button", name="撤回").tap()
    expect(page.locator(".notice")).to_have_text("撤回了：搬走。")
