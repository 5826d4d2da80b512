"""A phone that many hands hold: what is left of residents in the browser's profile, before and after signing out.

Marks that nothing else says are put into the registry, typed and saved; then every file of the profile is searched for
them (`traces`; `test_traces` shows that this search finds what is there).
"""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import traces
from tests.browser.doors import arrived, doors_of, fill_visit, picture, rows, save, write
from tests.browser.phones import Phone

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
WITH_PAGES_ASIDE = {"ignore_default_args": ["--disable-back-forward-cache"]}
"""As people's browsers are: a page that was left stays in memory, and the way back shows it as it was."""

RESIDENT = {
    "name": "欧阳甪彧",
    "id_number": "320205199303077513",
    "phone": "15400731946",
    "registered_at": "漆塘山垚里甪直弄",
}
SAID = "灶台边的糍粑蘸醪糟"
SAVED = "囡囡夜里咳得厉害"
UNSAVED = "写了一半的饔飧不继"
CHANGED = "15400882735"
MARKS: dict[str, str | bytes] = {
    **RESIDENT,
    "said": SAID,
    "saved": SAVED,
    "unsaved": UNSAVED,
    "changed": CHANGED,
    "picture": bytes.fromhex("ffd8ffe000104a464946"),  # how every JPEG begins that a canvas or the server made
}


@pytest.fixture
def phone(new_phone):
    """A phone whose browser keeps pages aside."""
    made = new_phone()
    made.switch_off()
    made.switch_on(**WITH_PAGES_ASIDE)
    return made


@pytest.fixture
def household(program, phone):
    """A door of the worker's with a marked resident and a marked visit, once the worker is signed in; its key."""
    statement = (
        "SELECT h.id FROM household h JOIN dwelling d ON d.id = h.dwelling_id"
        " JOIN assignment a ON a.district_id = d.district_id JOIN user_account u ON u.id = a.user_id"
        " JOIN visit v ON v.household_id = h.id AND v.sentence IS NOT NULL"
        " WHERE u.username = 'worker1' AND h.occupancy NOT IN ('vacant', 'gone') ORDER BY v.visited_at DESC LIMIT 1"
    )
    [(found,)] = rows(program, statement)
    values = ", ".join(f"{field} = '{value}'" for field, value in RESIDENT.items())
    write(
        program,
        f"UPDATE resident SET {values}, pinyin = 'ouyang luyu' WHERE household_id = ? AND relation = '02'",
        found,
    )
    write(program, "UPDATE visit SET sentence = ? WHERE household_id = ?", SAID, found)
    phone.sign_in("worker1")
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))


def seal_of(program) -> bytes:
    """The key that seals what the worker's phones keep, as the server has it."""
    [(text,)] = rows(
        program, "SELECT key FROM phone_seal s JOIN user_account u ON u.id = s.user_id WHERE username = 'worker1'"
    )
    raw = base64.b64decode(text)
    assert len(raw) == 32
    return raw


def found_of(phone: Phone, marks: dict[str, str | bytes]) -> list[traces.Trace]:
    """What of these is in any file of the profile."""
    return traces.find(phone.profile, marks)


def is_kept(phone: Phone, text: str) -> bool:
    """Whether IndexedDB's files say something that is no secret: so that is where the search looks."""
    return any("IndexedDB" in trace.file for trace in found_of(phone, {"it": text}))


def use(phone: Phone, household: str) -> str:
    """What a worker does with a resident: read, search, type and not save, save without signal. The visit's key."""
    page = phone.page
    phone.open_from_server(f"/households/{household}")
    for said in (RESIDENT["name"], SAID):
        assert said in page.content()
    leave_a_fact_half_typed(page)
    look_for(page)
    phone.lose_signal()
    page.goto(f"/households/{household}")
    assert RESIDENT["name"] in page.content()
    page.goto(f"/households/{household}/visits/new")
    fill_visit(page, UNSAVED)
    page.goto("/today")
    look_for(page)
    page.goto(f"/households/{household}/visits/new")
    fill_visit(page, SAVED, [picture("teal")])
    visit = save(page)
    page.goto(f"/households/{household}")
    expect(page.locator("[data-waiting-visits]")).to_contain_text(SAVED)
    page.goto("/outbox")
    expect(page.locator("[data-count=photos]")).to_have_text("1")
    return visit


def leave_a_fact_half_typed(page: Page) -> None:
    """A phone number is typed and not saved."""
    change = page.locator("details.change").first
    change.locator("summary").tap()
    change.locator("input[name=value]:not([type=radio])").first.fill(CHANGED)
    page.goto("/today")


def look_for(page: Page) -> None:
    """Search by name, and have found."""
    page.fill("input[name=q]", RESIDENT["name"])
    expect(page.locator("#found")).to_contain_text(RESIDENT["name"])


def sign_out(page: Page) -> None:
    """By hand."""
    page.goto("/me")
    leave(page)


def leave(page: Page) -> None:
    """Where one's own page is open."""
    page.get_by_role("button", name="退出登录").tap()
    page.wait_for_url(re.compile("/sign-in"))


def close_and_open(phone: Phone) -> None:
    """Everything the browser had still to write down is on the disk."""
    phone.switch_off()
    phone.switch_on(**WITH_PAGES_ASIDE)
    phone.page.goto("/outbox")


def test_the_disk_says_nothing_of_a_resident_before_or_after_signing_out_with_signal(program, phone, household):
    marks = MARKS | {"key": seal_of(program)}
    visit = use(phone, household)
    assert found_of(phone, marks) == []  # while it runs
    close_and_open(phone)
    assert found_of(phone, marks) == []
    assert is_kept(phone, f"/households/{household}")
    assert is_kept(phone, visit)

    phone.find_signal()
    phone.page.goto("/today")
    phone.wait_until_sent()
    assert arrived(program, SAVED) == [(SAVED, "worker1", 1)]
    see_photos(phone, household)
    sign_out(phone.page)
    assert found_of(phone, marks) == []
    phone.switch_off()
    assert found_of(phone, marks) == []
    phone.switch_on()


def see_photos(phone: Phone, household: str) -> None:
    """Photos of the server on the screen, in a page and by themselves."""
    phone.open_from_server(f"/households/{household}/visits")
    shown = phone.page.locator("main img").first
    expect(shown).to_be_visible()
    phone.wait_until(lambda: shown.evaluate("(image) => image.complete && image.naturalWidth > 0"), "no photo")
    full = phone.page.locator("a:has(img)").first.get_attribute("href")
    assert phone.page.goto(full).headers["content-type"] == "image/jpeg"


def test_the_disk_says_nothing_after_signing_out_without_signal_and_what_waits_goes_out_later(
    program, phone, household
):
    marks = MARKS | {"key": seal_of(program)}
    page, other = phone.page, phone.context.new_page()
    visit = use(phone, household)
    other.goto(f"/households/{household}")
    assert RESIDENT["name"] in other.content()
    sign_out(page)
    other.wait_for_url(re.compile("/sign-in"))
    assert found_of(phone, marks) == []
    phone.switch_off()
    assert found_of(phone, marks) == []
    assert is_kept(phone, visit)

    phone.switch_on(**WITH_PAGES_ASIDE)
    for address in (
        "/today",
        f"/households/{household}",
        f"/households/{household}/visits/new",
        "/sync/doors",
        "/outbox",
    ):
        phone.page.goto(address)
        expect(phone.page.locator("h1")).to_have_text("没有信号，这一页不在本机")
    assert phone.pages() == []
    assert [item["state"] for item in phone.items()] == ["waiting", "waiting"]
    phone.gate.asked.clear()
    phone.find_signal()
    phone.page.goto(f"/households/{household}")
    expect(phone.page).to_have_url(re.compile("/sign-in"))
    assert phone.gate.asked[0] == "POST /sign-out" or "GET /households" not in "".join(phone.gate.asked)
    assert found_of(phone, marks) == []
    assert arrived(program, SAVED) == []
    phone.sign_in("worker1")
    phone.wait_until_sent()
    assert arrived(program, SAVED) == [(SAVED, "worker1", 1)]
    phone.page.goto("/outbox")
    expect(phone.page.locator("[data-part=arrived]")).to_contain_text("见到了")


@pytest.mark.parametrize("script", ["", "delete self.BroadcastChannel"], ids=["told", "not told"])
def test_the_way_back_shows_nobody_after_signing_out(new_phone, script):
    phone = new_phone(scripts=(script, "addEventListener('pageshow', (event) => (self.aside = event.persisted))"))
    phone.switch_off()
    phone.switch_on(**WITH_PAGES_ASIDE)
    phone.sign_in("worker1")
    [household] = doors_of(phone.page, 1)
    phone.lose_signal()
    phone.page.goto(f"/households/{household}")
    name = phone.page.locator("h1").inner_text()
    screen = Screen(phone)
    # Until it was really kept aside: else nothing is proven of such a page. A word from another tab ends that.
    for _ in range(5):
        phone.page.goto("/me")
        screen.back()
        phone.wait_until(lambda: screen.says(f"/households/{household}", name), "no way back for the signed in")
        if screen.ask("self.aside") or not script:
            break
    else:
        raise AssertionError("no page is kept aside")
    phone.page.goto(f"/households/{household}")
    sign_out(phone.page)
    for address in (f"/households/{household}", "/today"):
        screen.back()
        phone.wait_until(
            lambda here=address: screen.says(here, "没有信号") or screen.says("/sign-in", "没有信号"), "it is shown"
        )
        assert name not in screen.ask("document.documentElement.outerHTML")


class Screen:
    """What is on a phone's screen, asked in a way that also works for a page that was kept aside."""

    def __init__(self, phone: Phone) -> None:
        self.devtools = phone.context.new_cdp_session(phone.page)

    def ask(self, expression: str) -> Any:
        """What a script of the page would find."""
        return self.devtools.send("Runtime.evaluate", {"expression": expression})["result"].get("value")

    def back(self) -> None:
        """One step back."""
        self.ask("setTimeout(() => history.back()) && 0")

    def says(self, address: str, words: str) -> bool:
        """Whether this page is shown, under these words."""
        shown = self.ask(
            "document.readyState === 'complete' && location.pathname + (document.querySelector('h1')?.innerText)"
        )
        return bool(shown) and shown.startswith(address) and words in shown


def test_a_key_that_comes_while_another_tab_signs_out_is_not_kept(phone, program):
    phone.sign_in("worker1")
    late = phone.context.new_page()
    late.add_init_script("delete self.BroadcastChannel")  # it is not told, as if the word came too late
    phone.open_from_server("/me")
    waiting = []
    late.route("**/sync/key", lambda route: waiting.append((route, route.fetch())))
    phone.page.evaluate("() => caches.delete('fieldapp-key')")
    phone.wait_until(lambda: waiting or (late.goto("/me") and late.wait_for_timeout(1000)), "no key was asked for")
    phone.lose_signal()
    leave(phone.page)
    times = forgotten(phone)
    for route, answer in waiting:
        route.fulfill(response=answer)
    phone.wait_until(lambda: forgotten(phone) > times, "a key is kept")
    assert cached(phone) <= shell()


def forgotten(phone: Phone) -> int:
    """How often this phone has forgotten its key."""
    ask = """() => new Promise((done) => {
      const opened = indexedDB.open("fieldapp");
      opened.onsuccess = () => {
        const asked = opened.result.transaction("meta").objectStore("meta").get(["phone", "forgotten"]);
        asked.onsuccess = () => done(asked.result ?? 0);
        opened.result.close();
      };
    })"""
    return int(phone.page.evaluate(ask))


def cached(phone: Phone) -> set[str]:
    """Every address in Cache Storage."""
    ask = """async () => {
      const all = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
      return all.flat().map(({ url }) => new URL(url).pathname + new URL(url).search);
    }"""
    return set(phone.page.evaluate(ask))


def shell() -> set[str]:
    """The files that the build made for every page, and the page for when there is nothing else."""
    built = {f"/static/dist/{path.name}" for path in (ROOT / "fieldapp/static/dist").glob("*-h.*")}
    return {"/offline"} | {name for name in built if re.search(r"-h\.(css|js|svg)$", name) and "/sw-" not in name}


def test_cache_storage_holds_the_shell_only(phone, program, household):
    use(phone, household)
    phone.find_signal()
    phone.page.goto("/map")
    phone.page.goto("/me")
    kept = cached(phone)
    [wrapped] = {address for address in kept if address.startswith("/fieldapp-key/")}
    assert "/offline" in kept
    assert kept - {wrapped} <= shell()
    assert (
        phone.page.evaluate(
            "async (address) => (await (await caches.match(address)).arrayBuffer()).byteLength", wrapped
        )
        == 60
    )
    sign_out(phone.page)
    assert cached(phone) == kept - {wrapped}
