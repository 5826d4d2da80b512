"""What a phone is told of itself: what this browser cannot do and where it can, the home screen, how much room is left.

No browser lets a test force its own offer to install, so `beforeinstallprompt` is an event that the test sends; that
manifest and icons make the program installable is asked of Chromium itself. Chromium does not tell a page how much room
is left, whatever the quota is set to: for what other browsers tell, the test answers in its place.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from fieldapp import clock

pytestmark = pytest.mark.browser

WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "MicroMessenger/8.0.49(0x18003137) NetType/4G Language/zh_CN"
)
WECHAT_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/122.0.6261.120 "
    "Mobile Safari/537.36 XWEB/1220089 MMWEBSDK/20240404 MicroMessenger/8.0.49.2600(0x28003137) NetType/4G"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
BROWSER_OFFERS = """outcome => {
  const event = new Event("beforeinstallprompt", { cancelable: true });
  event.prompt = () => { window.asked = (window.asked ?? 0) + 1; };
  event.userChoice = Promise.resolve({ outcome });
  dispatchEvent(event);
  return event.defaultPrevented;
}"""


@pytest.fixture
def open_page(browser, server):
    """Open a page as a phone whose browser is what the test says it is; no error in a script is forgiven."""
    errors, contexts = [], []

    def enter(address, username=None, *, user_agent=None, before="", **more):
        context = browser.new_context(
            base_url=server,
            viewport={"width": 390, "height": 844},
            is_mobile=True,
            has_touch=True,
            locale="zh-CN",
            user_agent=user_agent,
            **({"service_workers": "block"} | more),
        )
        contexts.append(context)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if username:
            page.goto("/sign-in")
            page.fill("input[name=username]", username)
            page.fill("input[name=password]", "fieldapp-demo")
            page.click("button.primary")
            page.wait_for_url("**/today")
        page.goto(address)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not errors


def has_room(usage, quota):
    return f"StorageManager.prototype.estimate = async () => ({{ usage: {usage}, quota: {quota} }})"


def card(page):
    return page.locator("[data-cannot]")


# --- browsers that cannot


@pytest.mark.parametrize(("address", "username"), [("/sign-in", None), ("/today", "worker3"), ("/install", None)])
def test_wechat_on_an_iphone_is_told_what_does_not_work_and_where_it_does(address, username, open_page):
    page = open_page(address, username, user_agent=WECHAT)
    expect(card(page)).to_be_visible()
    expect(card(page)).to_contain_text("没有信号时打不开，也存不了；有信号时照常用。")
    expect(card(page)).to_contain_text("点右上角的“···”，选“在默认浏览器打开”。")
    expect(page.get_by_text("无痕窗口")).to_be_hidden()
    expect(page.get_by_text("网址是 http 开头的")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_there_everything_works_with_signal(open_page):
    page = open_page("/today", "worker3", user_agent=WECHAT)
    page.locator(".door a.button").first.tap()
    expect(page.locator(".visit-form")).to_be_visible()


@pytest.mark.parametrize(
    "lacking",
    [
        "delete Navigator.prototype.serviceWorker",
        "delete Navigator.prototype.locks",
        "delete window.indexedDB",
        "delete Crypto.prototype.subtle",
    ],
)
def test_a_browser_that_lacks_something_is_told(lacking, open_page):
    page = open_page("/sign-in", before=lacking)
    expect(card(page)).to_be_visible()
    expect(card(page)).to_contain_text("换手机自带的浏览器打开，别用无痕窗口。")


@pytest.mark.parametrize("user_agent", [None, SAFARI, WECHAT_ON_ANDROID])
def test_a_browser_that_can_is_told_nothing(user_agent, open_page):
    page = open_page("/sign-in", user_agent=user_agent, service_workers="allow")
    expect(card(page)).to_have_count(0)


def test_over_plain_http_no_other_browser_is_recommended(open_page, server):
    page = open_page("/sign-in")
    page.route(
        "http://community.test/**",
        lambda route: route.fulfill(
            response=route.fetch(url=route.request.url.replace("http://community.test", server))
        ),
    )
    page.goto("http://community.test/sign-in")
    assert not page.evaluate("isSecureContext")
    expect(card(page)).to_contain_text("找管理员要 https 开头的网址。")
    expect(page.get_by_role("button", name="复制网址")).to_be_hidden()
    expect(page.get_by_text("无痕窗口")).to_be_hidden()


def test_a_browser_without_scripts_is_told_by_the_style_sheet(open_page):
    page = open_page("/sign-in", java_script_enabled=False)
    expect(card(page)).to_be_visible()
    expect(page.get_by_role("button", name="复制网址")).to_be_hidden()


def test_the_address_is_copied(open_page, server):
    page = open_page("/sign-in?next=/map", user_agent=WECHAT, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="复制网址").tap()
    expect(card(page).get_by_role("status")).to_contain_text("复制好了")
    assert page.evaluate("navigator.clipboard.readText()") == f"{server}/"


def test_the_address_is_copied_where_there_is_no_clipboard_to_write_to(open_page, server):
    page = open_page("/sign-in", user_agent=WECHAT, before="delete Navigator.prototype.clipboard")
    page.get_by_role("button", name="复制网址").tap()
    expect(card(page).get_by_role("status")).to_contain_text("复制好了")
    expect(page.get_by_label("网址")).to_be_hidden()
    page.focus("input[name=username]")
    page.keyboard.press("Control+V")
    expect(page.locator("input[name=username]")).to_have_value(f"{server}/")


def test_an_address_that_cannot_be_copied_is_shown(open_page, server):
    refused = "delete Navigator.prototype.clipboard; Document.prototype.execCommand = () => false"
    page = open_page("/sign-in", user_agent=WECHAT, before=refused)
    page.get_by_role("button", name="复制网址").tap()
    expect(page.get_by_label("网址")).to_have_value(f"{server}/")
    expect(card(page).get_by_role("status")).to_contain_text("按住上面的网址")


def test_the_card_is_folded_away_for_the_day(open_page):
    page = open_page("/sign-in", user_agent=WECHAT)
    page.get_by_role("button", name="今天收起").tap()
    expect(card(page)).to_have_count(0)
    page.reload()
    expect(card(page)).to_have_count(0)
    page.clock.install(time=clock.now() + timedelta(days=1))
    page.reload()
    expect(card(page)).to_be_visible()


def test_the_help_says_it_though_the_card_is_folded(open_page):
    page = open_page("/sign-in", user_agent=WECHAT)
    page.get_by_role("button", name="今天收起").tap()
    page.goto("/install")
    expect(card(page)).to_be_visible()
    expect(page.get_by_role("button", name="今天收起")).to_have_count(0)


def test_a_browser_that_forbids_storage_is_told_all_the_same(open_page):
    forbidden = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page = open_page("/sign-in", user_agent=WECHAT, before=forbidden)
    expect(card(page)).to_be_visible()
    page.get_by_role("button", name="今天收起").tap()
    expect(card(page)).to_have_count(0)


# --- the home screen


@pytest.mark.parametrize(("saved", "is_offered"), [(None, False), (2, False), (3, True), (40, True)])
def test_it_is_offered_after_three_visits_on_this_phone(saved, is_offered, open_page):
    page = open_page("/today", "worker3", before=f"localStorage.saved = {saved}" if saved else "")
    expect(page.locator("[data-offer]")).to_be_hidden()
    assert page.evaluate(BROWSER_OFFERS, "dismissed"), "the browser's own banner is kept back"
    expect(page.locator("[data-offer]")).to_be_visible(visible=is_offered)
    assert page.evaluate("window.asked") is None, "nobody is asked before they ask"


def test_the_browser_asks_when_somebody_wants_it(open_page):
    page = open_page("/today", "worker3", before="localStorage.saved = 3")
    page.evaluate(BROWSER_OFFERS, "accepted")
    page.locator("[data-offer]").get_by_text("装上").tap()
    expect(page.locator("[data-offer]")).to_be_hidden()
    assert page.evaluate("window.asked") == 1
    expect(page).to_have_url(re.compile("/today$"))


@pytest.mark.parametrize("refused_to", ["card", "browser"])
def test_who_does_not_want_it_is_not_asked_for_thirty_days(refused_to, open_page):
    page = open_page("/today", "worker3", before="localStorage.saved = 3")
    page.evaluate(BROWSER_OFFERS, "dismissed")
    offer = page.locator("[data-offer]")
    if refused_to == "card":
        offer.get_by_role("button", name="先不装").tap()
    else:
        offer.get_by_text("装上").tap()
    expect(offer).to_be_hidden()
    now = clock.now()
    for days, is_offered in ((29, False), (31, True)):
        page.clock.set_fixed_time(now + timedelta(days=days))
        page.reload()
        page.evaluate(BROWSER_OFFERS, "dismissed")
        expect(offer).to_be_visible(visible=is_offered)


def test_nothing_is_offered_from_the_home_screen(open_page):
    page = open_page("/today", "worker3", before="localStorage.saved = 3; navigator.standalone = true")
    page.evaluate(BROWSER_OFFERS, "dismissed")
    expect(page.locator("[data-offer]")).to_be_hidden()
    page.goto("/me")
    expect(page.get_by_role("link", name="装到手机桌面")).to_be_hidden()
    page.goto("/install")
    expect(page.get_by_text("已经装好了")).to_be_visible()


def test_it_is_gone_once_installed(open_page):
    page = open_page("/today", "worker3", before="localStorage.saved = 3")
    page.evaluate(BROWSER_OFFERS, "accepted")
    expect(page.locator("[data-offer]")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('appinstalled'))")
    expect(page.locator("[data-offer]")).to_be_hidden()


def test_me_asks_the_browser_where_it_can_and_explains_where_it_cannot(open_page):
    page = open_page("/me", "worker3")
    row = page.get_by_role("link", name="装到手机桌面")
    page.evaluate(BROWSER_OFFERS, "dismissed")
    row.tap()
    assert page.evaluate("window.asked") == 1
    row.tap()  # a browser's question is good for once
    expect(page).to_have_url(re.compile("/install$"))
    expect(page.get_by_role("button", name="装上")).to_be_hidden()
    page.evaluate(BROWSER_OFFERS, "accepted")
    page.get_by_role("button", name="装上").tap()
    assert page.evaluate("window.asked") == 1


def test_on_an_iphone_the_offer_leads_to_three_steps(open_page):
    page = open_page("/today", "worker3", user_agent=SAFARI, before="localStorage.saved = 3")
    page.locator("[data-offer]").get_by_text("装上").tap()
    expect(page).to_have_url(re.compile("/install$"))
    steps = page.locator("ol").first.locator("li")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text("分享")
    expect(steps.nth(1)).to_contain_text("添加到主屏幕")


def test_nothing_personal_is_kept_where_everybody_can_read(open_page):
    page = open_page("/today", "worker3", before="localStorage.saved = 3")
    page.evaluate(BROWSER_OFFERS, "dismissed")
    page.get_by_role("button", name="先不装").tap()
    kept = page.evaluate("({ ...localStorage })")
    assert re.fullmatch(r"\d{13}", kept["install-later"])


def test_chromium_finds_it_installable(open_page):
    page = open_page("/sign-in", service_workers="allow")
    devtools = page.context.new_cdp_session(page)
    read = devtools.send("Page.getAppManifest")
    assert read["errors"] == []
    assert '"name": "社区走访"' in read["data"]
    faults = {fault["errorId"] for fault in devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert faults <= {"in-incognito"}, "each test's browser keeps nothing, as a private window does"


# --- the room that is left


def test_me_says_how_much_is_kept_and_how_much_room_is_left(open_page):
    page = open_page("/me", "worker3", before=has_room(3_260_000, 815_260_000))
    row = page.locator("[data-phone]")
    expect(row).to_contain_text("存了 3.2 MB，还能存 812 MB", use_inner_text=True)
    expect(row).to_contain_text("手机空间不够时，浏览器可能清掉", use_inner_text=True)
    expect(row).not_to_contain_text("浏览器不会自己清掉", use_inner_text=True)


def test_me_repeats_no_room_that_chromium_makes_up(open_page):
    row = open_page("/me", "worker3").locator("[data-phone]")
    expect(row).to_contain_text(re.compile(r"存了 \d+(\.\d)? MB，浏览器不说还能存多少"), use_inner_text=True)
    expect(row).not_to_contain_text(re.compile(r"还能存 \d"), use_inner_text=True)


def test_me_says_when_the_browser_will_not_clear_it(open_page):
    page = open_page("/me", "worker3", before="StorageManager.prototype.persisted = async () => true")
    expect(page.get_by_text("浏览器不会自己清掉")).to_be_visible()
    expect(page.get_by_text("浏览器可能清掉")).to_be_hidden()


def test_me_says_of_a_browser_that_keeps_nothing_that_it_does_not(open_page):
    row = open_page("/me", "worker3", user_agent=WECHAT).locator("[data-phone]")
    expect(row).to_contain_text("这个浏览器存不了，没有信号就打不开", use_inner_text=True)
    expect(row).not_to_contain_text("还能存", use_inner_text=True)


@pytest.mark.parametrize(
    ("quota", "said"), [(12_900_000, "只剩 12 MB"), (49_999_999, "只剩 49 MB"), (50_000_000, None)]
)
def test_today_says_when_room_is_short(quota, said, open_page):
    page = open_page("/today", "worker3", before=has_room(0, quota))
    notice = page.locator("[data-scarce]")
    if said:
        expect(notice).to_contain_text(f"手机给这里的空间{said}，照片可能存不下。", use_inner_text=True)
        expect(notice).to_contain_text("有信号时先把照片发出去", use_inner_text=True)
    else:
        expect(notice.locator("[data-amount]")).to_have_text("50 MB")
        expect(notice).to_be_hidden()


def test_today_says_for_a_day_that_a_photo_found_no_room(open_page):
    page = open_page("/today", "worker3")
    now, notice = clock.now(), page.locator("[data-scarce]")
    page.evaluate("localStorage.full = Date.now()")
    page.clock.set_fixed_time(now + timedelta(hours=23))
    page.reload()
    expect(notice).to_contain_text("手机给这里的空间满了，照片存不下。", use_inner_text=True)
    expect(notice).not_to_contain_text("只剩", use_inner_text=True)
    page.clock.set_fixed_time(now + timedelta(hours=25))
    page.reload()
    expect(notice.locator("[data-amount]")).not_to_be_empty()
    expect(notice).to_be_hidden()


# --- without signal


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_the_page_for_no_signal_fits_and_tries_again(width, open_page):
    page = open_page("/offline")
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_navigation(url=re.compile("/offline$")):
        page.get_by_role("link", name="再试一次").tap()
