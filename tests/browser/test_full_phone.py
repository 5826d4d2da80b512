"""A phone with next to no room, whose browser is killed right after "saved": what was said to be saved is there."""

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Error

from tests.browser.doors import arrived, doors_of, picture
from tests.browser.phones import Phone

pytestmark = pytest.mark.browser

ROUNDS = int(os.environ.get("ROUNDS", "15"))
"""How often the browser is killed; `make torture` does it 50 times."""
MEGABYTE = 1_000_000

_IS_ROOM_ASIDE = """async () => {
  const answer = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  const db = await answer(indexedDB.open("fieldapp"));
  const found = await answer(db.transaction("bytes").objectStore("bytes").getKey("spare"));
  db.close();
  return Boolean(found);
}"""


def kill(phone: Phone) -> None:
    """End the browser of this phone's profile as a dead battery does."""
    wanted = f"--user-data-dir={phone.profile}".encode()
    killed = 0
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and wanted in (folder / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                killed += 1
    assert killed
    with contextlib.suppress(Error):
        phone.context.close()  # the driver's end of it


def switch_on(phone: Phone, *, room: int) -> None:
    """Start the browser with so many bytes in all: at first, since IndexedDB asks but every half a minute."""
    phone.switch_on()
    session = phone.context.new_cdp_session(phone.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": phone.gate.address, "quotaSize": room})


def save(phone: Phone, household: str, sentence: str, *, with_photo: bool) -> str | None:
    """Save a visit; gives its key when the phone said that it is saved, None when it said that it is full."""
    page = phone.page
    page.goto(f"/households/{household}/visits/new")
    page.locator("label.outcome.main").tap()
    page.fill("textarea[name=sentence]", sentence)
    if with_photo:
        page.locator("input[name=photos]").nth(1).set_input_files([picture("teal")])
    page.get_by_role("button", name="保存").tap()
    said = "() => location.pathname === '/saved' || document.querySelector('[data-full]')?.hidden === false"
    phone.wait_until(lambda: page.evaluate(said), "neither saved nor full")
    return page.url.partition("#")[2] or None


def test_nothing_that_was_said_to_be_saved_is_lost(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    households = doors_of(phone.page, 5)
    phone.lose_signal()
    chance = random.Random(3)  # the same rounds in every run
    saved: dict[str, str] = {}
    full = 0
    kill(phone)
    for number in range(ROUNDS):
        switch_on(phone, room=chance.randint(1, 20) * MEGABYTE)
        sentence = f"电快没了写的第 {number} 句"
        if key := save(phone, households[number % 5], sentence, with_photo=number % 3 == 0):
            saved[key] = sentence
        else:
            full += 1
        kill(phone)
        phone.switch_on()
        phone.page.goto("/outbox")
        assert saved.keys() == {item["id"] for item in phone.items() if item["kind"] == "visit"}
        kill(phone)
    assert len(saved) > ROUNDS / 2
    assert full  # some rounds had no room even for words, and said so
    phone.switch_on()
    phone.find_signal()
    phone.page.goto("/today")
    if phone.page.url.endswith("/sign-in?next=/today"):
        phone.sign_in("worker1")  # Chromium had not written its cookies down when it was killed first
    phone.wait_until(lambda: not phone.waiting(), "something still waits to be sent", 120)
    found = arrived(program, "电快没了写的第%")
    assert sorted(sentence for sentence, _writer, _photos in found) == sorted(saved.values())
    assert sum(photos for _sentence, _writer, photos in found)  # where there was room


def test_a_full_phone_keeps_words_and_says_that_photos_found_no_room(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    phone.wait_until(lambda: phone.page.evaluate(_IS_ROOM_ASIDE), "no room set aside")
    [household] = doors_of(phone.page, 1)
    phone.lose_signal()
    used = phone.page.evaluate("async () => (await navigator.storage.estimate()).usage")
    phone.switch_off()
    switch_on(phone, room=int(used) + 60_000)
    for number in range(5):
        assert save(phone, household, f"满了以后的第 {number} 句", with_photo=True)
        said = phone.page.locator("[data-no-room]")
        assert said.is_visible()
        assert "照片没存上" in said.inner_text()
    assert not [item for item in phone.items() if item["kind"] == "photo"]
    phone.find_signal()
    phone.page.goto("/today")
    phone.wait_until_sent()
    assert [s for s, _w, _p in arrived(program, "满了以后的第%")] == [f"满了以后的第 {i} 句" for i in range(5)]
