"""Whose phone it is while it was out of reach: the session has expired, has two tabs, was ended, is somebody else's."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.doors import arrived, doors_of, key, picture, rows, taken_in, to_second, visit, write
from tests.browser.phones import WITHOUT_BACKGROUND_SYNC

pytestmark = pytest.mark.browser


def test_an_expired_session_loses_nothing_and_sends_under_no_other_name(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    page = phone.page
    first, second = doors_of(page, 2)
    phone.lose_signal()
    phone.context.clear_cookies()
    visit(page, first, "过期以后写的", photos=[picture("teal")])
    page.goto("/today")
    expect(page.locator(".phone-card")).to_be_visible()
    phone.find_signal()
    expect(page.locator(".phone-bar")).to_contain_text("重新登录，才能把 2 条发出去")
    assert taken_in(program) == []
    page.goto("/outbox")
    expect(page.locator("[data-tray-state=signin]")).to_be_visible()
    assert phone.waiting() == 2

    sign_in_again(phone, "worker2")
    phone.gate.asked.clear()
    visit(page, second, "同事写的")
    phone.wait_until(lambda: arrived(program, "同事写的"), "the colleague's was not sent")
    page.goto("/outbox")
    expect(page.locator("[data-part=arrived] [data-number]")).to_have_text("1")
    expect(page.locator("[data-count=words]")).to_have_text("0")
    assert f"POST /households/{first}/visits" not in phone.gate.asked
    phone.context.clear_cookies()
    sign_in_again(phone, "worker1")
    phone.wait_until_sent()
    assert arrived(program, "过期以后写的") == [("过期以后写的", "worker1", 1)]
    assert arrived(program, "同事写的") == [("同事写的", "worker2", 0)]
    phone.open_from_server("/today")
    expect(page.locator(".phone-bar")).to_have_count(0)


def sign_in_again(phone, username):
    """Open Today, be led to sign in, and do so."""
    phone.wait_until(lambda: phone.page.goto("/today") and "/sign-in" in phone.page.url, "nobody asks who is there")
    phone.page.fill("input[name=username]", username)
    phone.page.fill("input[name=password]", "fieldapp-demo")
    phone.page.click("button.primary")
    phone.page.wait_for_url(re.compile("/today"))
    phone.wait_for_pack()


def test_two_tabs_send_each_once_and_are_left_together(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    left, right = phone.page, phone.context.new_page()
    shared, other = doors_of(left, 2)
    [(name,)] = rows(program, "SELECT name FROM resident WHERE household_id = ? AND relation = '02'", key(shared))
    phone.lose_signal()
    visit(left, shared, "左边写的")
    visit(right, shared, "右边写的")
    visit(right, other, "右边写的第二户")
    left.goto("/today")
    right.goto("/outbox")
    expect(right.locator("[data-count=words]")).to_have_text("3")
    phone.gate.asked.clear()
    phone.find_signal()
    phone.wait_until_sent()
    expect(right.locator("[data-count=words]")).to_have_text("0")
    assert sorted(one for one in phone.gate.asked if one.endswith("/visits")) == sorted(
        f"POST /households/{household}/visits" for household in (shared, shared, other)
    )
    assert [sentence for sentence, *_ in arrived(program, "_边写的%")] == ["左边写的", "右边写的", "右边写的第二户"]

    phone.page = right
    phone.open_from_server(f"/households/{shared}")
    assert name in right.content()
    left.goto("/me")
    left.get_by_role("button", name="退出登录").tap()
    left.wait_for_url(re.compile("/sign-in"))
    right.wait_for_url(re.compile("/sign-in"))
    for go in (right.reload, right.go_back, lambda: right.goto(f"/households/{shared}")):
        go()
        assert name not in right.content()
    expect(right).to_have_url(re.compile("/sign-in"))
    assert phone.pages() == []


def test_two_workers_on_one_phone_see_and_send_nothing_of_each_other(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    page = phone.page
    [home] = doors_of(page, 1)
    [(name,)] = rows(program, "SELECT name FROM resident WHERE household_id = ? AND relation = '02'", key(home))
    phone.lose_signal()
    visit(page, home, "甲写的", photos=[picture("teal")])
    page.goto("/me")
    page.get_by_role("button", name="退出登录").tap()
    page.wait_for_url(re.compile("/sign-in"))
    for address in ("/today", f"/households/{home}", f"/households/{home}/visits/new", "/outbox", "/map", "/sign-in"):
        page.goto(address)
        expect(page.locator("h1")).to_have_text("没有信号，这一页不在本机")
        assert name not in page.content()
    assert phone.pages() == []
    phone.gate.asked.clear()
    phone.find_signal()
    sign_in_again(phone, "worker3")
    asked = [one for one in phone.gate.asked if "/static/" not in one and one != "GET /sw.js"]
    assert asked[0] == "POST /sign-out"

    expect(page.locator("[data-mark], .phone-bar, .tick-wait")).to_have_count(0)
    page.goto("/outbox")
    expect(page.locator("[data-empty]")).to_be_visible()
    expect(page.locator("[data-count=words]")).to_have_text("0")
    phone.open_from_server("/today")
    [own] = doors_of(page, 1)
    visit(page, own, "乙写的")
    phone.wait_until(lambda: arrived(program, "乙写的"), "the second worker's was not sent")
    assert len(taken_in(program)) == 1 and f"POST /households/{home}/visits" not in phone.gate.asked
    assert [item["state"] for item in phone.items() if item["kind"] == "photo"] == ["waiting"]

    page.goto("/me")
    page.get_by_role("button", name="退出登录").tap()
    page.wait_for_url(re.compile("/sign-in"))
    sign_in_again(phone, "worker1")
    phone.wait_until_sent()
    assert arrived(program, "_写的") == [("乙写的", "worker3", 0), ("甲写的", "worker1", 1)]
    assert len(taken_in(program)) == 3


@pytest.mark.parametrize("scripts", [(), (WITHOUT_BACKGROUND_SYNC,)], ids=["with", "without"])
def test_what_was_saved_goes_out_with_and_without_background_sync(program, new_phone, scripts):
    phone = new_phone(scripts=scripts)
    phone.sign_in("worker1")
    first, second = doors_of(phone.page, 2)
    phone.lose_signal()
    visit(phone.page, first, "存完就关", photos=[picture("teal")])
    phone.page.goto("about:blank")
    phone.find_signal()
    if not scripts:
        wake_service_worker(phone)
        phone.wait_until(lambda: len(taken_in(program)) == 2, "the service worker did not send it")
    phone.page.goto("/today")
    phone.wait_until_sent()
    visit(phone.page, second, "有信号也是存完就关")
    phone.switch_off()
    phone.switch_on()
    phone.page.goto("/today")
    phone.wait_until_sent()
    assert arrived(program, "%存完就关") == [("存完就关", "worker1", 1), ("有信号也是存完就关", "worker1", 0)]


def wake_service_worker(phone):
    """What the browser does by itself when there is signal: tell the service worker to send what is left."""
    devtools = phone.context.new_cdp_session(phone.page)
    registrations = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda said: registrations.extend(said["registrations"]))
    devtools.send("ServiceWorker.enable")
    phone.wait_until(lambda: registrations, "no service worker")
    [own] = [one for one in registrations if one["scopeURL"].startswith(phone.gate.address)]
    waking = {"registrationId": own["registrationId"], "tag": "outbox", "lastChance": False}
    devtools.send("ServiceWorker.dispatchSyncEvent", {"origin": phone.gate.address, **waking})


@pytest.mark.parametrize("reason", ["the district went to somebody else", "the account was closed"])
def test_what_its_writer_may_not_send_any_more_waits_for_the_director(program, new_phone, reason):
    phone = new_phone()
    phone.sign_in("worker3")
    page = phone.page
    [home] = doors_of(page, 1)
    phone.lose_signal()
    visit_id = visit(page, home, "那天还归我", photos=[picture("teal")])
    made_at = phone.items()[0]["madeAt"]
    page.goto("/outbox")
    desk = new_phone("director").page
    sign_in_as_director(desk)
    if reason == "the account was closed":
        write(program, "UPDATE user_account SET active = 0 WHERE username = 'worker3'")
    else:
        desk.goto("/settings")
        desk.locator(".field", has_text="第二包干区").locator("select").first.select_option(label="王春燕")
        desk.get_by_role("button", name="存设置").tap()
        expect(desk.locator("p.notice")).to_be_visible()
    phone.find_signal()
    phone.wait_until_sent()
    page.locator("[data-part=arrived] summary").tap()
    here = page.locator("[data-part=arrived] li")
    expect(here.locator("[data-held]")).to_be_visible()
    expect(here).to_contain_text("账号已经停用" if reason == "the account was closed" else "王春燕")
    expect(page.locator("[data-count=photos]")).to_have_text("0")
    assert arrived(program, "那天还归我") == []

    desk.goto("/overview")
    card = desk.locator("section.held")
    expect(card).to_contain_text("那天还归我 · 1 张照片")
    card.get_by_role("button", name="收下").tap()
    expect(desk.locator("section.held")).to_have_count(0)
    assert arrived(program, "那天还归我") == [("那天还归我", "worker3", 1)]
    [(at,)] = rows(program, "SELECT visited_at FROM visit WHERE id = ?", key(visit_id))
    assert to_second(at) == to_second(made_at)
    assert len(taken_in(program)) == 2


def sign_in_as_director(page):
    """The director's phone, whose pages are never kept."""
    page.goto("/sign-in")
    page.fill("input[name=username]", "director")
    page.fill("input[name=password]", "fieldapp-demo")
    page.click("button.primary")
    page.wait_for_url(re.compile("/overview"))
