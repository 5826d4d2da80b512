"""What a server may do while phones are out of reach: be renewed, be restarted, die, come back from a backup."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.doors import arrived, doors_of, fill_visit, key, picture, rows, save, taken_in, visit
from tests.browser.phones import WITHOUT_BACKGROUND_SYNC

pytestmark = pytest.mark.browser

NEW_TEXT = "新版本才有的一句"
NEWER = {
    "fieldapp/templates/visits/today.html": ('<h1 class="sr">', f'<p class="newer">{NEW_TEXT}</p><h1 class="sr">'),
    "fieldapp/templates/households/show.html": (
        '<div class="door-title">',
        f'<p>{NEW_TEXT}</p><div class="door-title">',
    ),
    "fieldapp/static/css/app.css": (".door-title h1", ".newer{letter-spacing:7px}.door-title h1"),
    "fieldapp/static/js/app.js": ("fitFacts();", 'document.documentElement.dataset.edition = "newer";\nfitFacts();'),
}


def test_a_new_version_loses_no_form_and_sends_what_the_old_one_kept(program, new_phone, tmp_path):
    phone = new_phone(scripts=(WITHOUT_BACKGROUND_SYNC,))
    phone.sign_in("worker1")
    kept, half_filled, later = doors_of(phone.page, 3)
    missing = []
    phone.context.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    phone.lose_signal()
    visit(phone.page, kept, "旧版本存的")
    phone.page.goto(f"/households/{half_filled}/visits/new")
    fill_visit(phone.page, "写到一半")
    phone.page.evaluate("() => { window.untouched = true; }")
    program.deploy(tmp_path / "newer", NEWER)
    build = phone.noted("build")
    phone.find_signal()
    phone.wait_until(lambda: arrived(program, "旧版本存的"), "the old version's outbox was not sent")

    tab = phone.context.new_page()
    tab.goto("/today")
    phone.wait_until(lambda: phone.noted("build") != build, "the pack was not renewed")
    phone.wait_until(lambda: is_newer(tab), "the new shell is not used")
    tab.close()  # nobody but the old page may send what it keeps
    expect(phone.page.locator("textarea[name=sentence]")).to_have_value("写到一半")
    assert phone.page.evaluate("() => window.untouched")
    save(phone.page)
    phone.wait_until_sent()
    assert arrived(program, "%")[-2:] == [("旧版本存的", "worker1", 0), ("写到一半", "worker1", 0)]

    phone.lose_signal()
    page = phone.page
    page.goto("/today")
    expect(page.locator(".newer")).to_have_text(NEW_TEXT)
    expect(page.locator(".newer")).to_have_css("letter-spacing", "7px")
    assert page.evaluate("() => document.documentElement.dataset.edition") == "newer"
    page.goto(f"/households/{later}")
    expect(page.locator("main")).to_contain_text(NEW_TEXT)
    visit(page, later, "新版本存的")
    phone.find_signal()
    phone.wait_until_sent()
    assert arrived(program, "新版本存的") == [("新版本存的", "worker1", 0)]
    assert missing == []


def is_newer(tab):
    """Whether a page comes with the new version's scripts and styles, from the new version's shell."""
    tab.reload()
    return tab.evaluate(
        """async () => {
          const asked = [...document.querySelectorAll("script[src], link[rel=stylesheet]")]
            .map((one) => one.src ?? one.href);
          const names = (await caches.keys()).filter((name) => name.startsWith("shell-"));
          const newest = await caches.open(names.at(-1));
          const kept = await Promise.all(asked.map((address) => newest.match(address)));
          return document.documentElement.dataset.edition === "newer" && kept.every(Boolean);
        }"""
    )


def test_a_server_that_dies_while_items_are_sent_gets_each_once(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    page = phone.page
    households = doors_of(page, 3)
    phone.lose_signal()
    for number, household in enumerate(households[:2]):
        visit(page, household, f"断电那天 {number}", photos=[picture("teal"), picture("olive")])
    building = page.goto(f"/households/{households[2]}") and page.get_by_role("link", name="返回楼栋")
    building.tap()
    page.get_by_role("link", name="几户没人在，一起记").tap()
    page.get_by_role("button", name="整单元").first.tap()
    page.get_by_role("button", name=re.compile(r"记 \d+ 户没人在")).tap()
    page.wait_for_url(re.compile("/buildings/[^?]+$"))
    page.goto("/outbox")
    items = phone.items()
    words = [item for item in items if item["kind"] != "photo"]
    phone.gate.pace = 0.15  # a slow link, so that there is time to die

    phone.find_signal()
    phone.wait_until(lambda: len(taken_in(program)) >= 2, "nothing is sent")
    program.kill()
    first = len(taken_in(program))
    assert first < len(words)
    program.start()
    page.get_by_role("button", name="现在发送").tap()
    phone.wait_until(lambda: len(taken_in(program)) >= first + 2, "it does not go on")
    assert len(taken_in(program)) < len(words)
    program.restart()
    page.get_by_role("button", name="现在发送").tap()
    phone.wait_until(lambda: len(taken_in(program)) > len(words), "no photo is sent")
    program.kill()
    assert len(taken_in(program)) < len(items)
    program.start()
    phone.gate.pace = 0
    page.get_by_role("button", name="现在发送").tap()
    phone.wait_until_sent()
    assert sorted(taken_in(program)) == sorted(key(item["id"]) for item in items)
    assert arrived(program, "断电那天%") == [("断电那天 0", "worker1", 2), ("断电那天 1", "worker1", 2)]
    for item in words:
        assert rows(program, "SELECT count(*) FROM visit WHERE id = ?", key(item["id"])) == [(1,)]


def test_what_a_backup_lacks_is_sent_again(program, new_phone, tmp_path):
    phone = new_phone()
    phone.sign_in("worker1")
    before, after, last = doors_of(phone.page, 3)
    visit(phone.page, before, "备份以前")
    phone.wait_until_sent()
    program.stop()
    copy = shutil.copytree(program.instance, tmp_path / "backup")
    program.start()
    visit(phone.page, after, "备份以后", photos=[picture("teal")])
    phone.wait_until_sent()
    phone.lose_signal()
    visit(phone.page, last, "坏的那天没有信号")
    assert len(arrived(program, "备份以%")) == 2
    program.stop()
    for file in program.instance.glob("fieldapp.db*"):
        file.unlink()
    for file in copy.glob("fieldapp.db*"):
        shutil.copy(file, program.instance)
    program.flask("restored")
    assert len(arrived(program, "备份以%")) == 1
    program.start()
    phone.find_signal()
    phone.page.goto("/today")
    phone.wait_until(lambda: len(taken_in(program)) == 4, "what was lost was not sent again")
    phone.wait_until_sent()
    assert arrived(program, "备份以%") == [("备份以前", "worker1", 0), ("备份以后", "worker1", 1)]
    assert arrived(program, "坏的那天%") == [("坏的那天没有信号", "worker1", 0)]
    assert sorted(taken_in(program)) == sorted(key(item["id"]) for item in phone.items())
