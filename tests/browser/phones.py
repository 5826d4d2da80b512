"""A phone with a profile on disk, that can lose signal, be switched off and be found again as it was."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright

from tests.browser.gate import Gate
from tests.setup.browser import find_chromium

FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
PASSWORD = "fieldapp-demo"

WITHOUT_BACKGROUND_SYNC = """
  delete globalThis.SyncManager;
  if (globalThis.ServiceWorkerRegistration) delete ServiceWorkerRegistration.prototype.sync;
"""
"""For `scripts`: a browser that sends nothing once its page is closed."""

_READ = """async ([store, method]) => {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes("fieldapp")) return [];  // opening it would make it, empty
  const answer = (asked) => new Promise((done, fail) => {
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const db = await answer(indexedDB.open("fieldapp"));
  const found = await answer(db.transaction(store).objectStore(store)[method]());
  db.close();
  return found.map((one) => (one?.sealed ? { ...one, sealed: one.sealed.byteLength } : one));
}"""


class Phone:
    """Chromium as a phone, in Chinese, with its service worker and everything it keeps in `profile`."""

    def __init__(self, playwright: Playwright, profile: Path, port: int, *, scripts: tuple[str, ...] = ()) -> None:
        self.playwright, self.profile, self.scripts = playwright, profile, scripts
        self.gate = Gate(port)
        self.has_signal = True
        self.complaints: list[str] = []
        self.context: BrowserContext
        self.page: Page
        self.switch_on()

    def switch_on(self, **more: Any) -> None:
        """Start the browser on its profile; where there was no signal, there is none yet."""
        flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path=find_chromium(),
            args=flags,
            base_url=self.gate.address,
            viewport={"width": 390, "height": 844},
            is_mobile=True,
            has_touch=True,
            device_scale_factor=2,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            accept_downloads=True,
            **more,
        )
        for script in self.scripts:
            self.context.add_init_script(script)
        self.context.set_offline(not self.has_signal)
        self.context.set_default_timeout(20_000)
        self.context.on("weberror", lambda error: self.complaints.append(error.error.stack or str(error.error)))
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()

    def switch_off(self) -> None:
        """Close the browser; the profile stays."""
        self.context.close()

    def lose_signal(self) -> None:
        """No network from now on, for pages and for the service worker."""
        self.has_signal = False
        self.gate.shut()
        self.context.set_offline(True)

    def find_signal(self) -> None:
        """Network again."""
        self.has_signal = True
        self.gate.open()
        self.context.set_offline(False)

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Sign in and wait until everything that is needed at the doors is on the phone."""
        self.page.goto("/sign-in")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.click("button.primary")
        self.page.wait_for_url(re.compile("/today"))
        self.wait_for_pack()

    def open_from_server(self, address: str) -> None:
        """Open a page as the server has it now: a busy server's answer may come after that of the pack."""
        for _ in range(20):
            self.page.goto(address)
            if not self.page.evaluate("() => document.body.dataset.asOf"):
                return
        raise AssertionError("the server does not answer")

    def is_packed(self) -> bool:
        """Whether everything that is needed at the doors is stored."""
        return any(name == "token" for _who, name in self.page.evaluate(_READ, ["meta", "getAllKeys"]))

    def wait_for_pack(self) -> None:
        """Wait until the pack is stored and the service worker answers for pages."""
        controlled = "() => Boolean(navigator.serviceWorker.controller)"
        self.wait_until(lambda: self.page.evaluate(controlled) and self.is_packed(), "no pack")

    def wait_until(self, is_so: Callable[[], Any], complaint: str, seconds: int = 40) -> None:
        """Look five times a second whether something is so."""
        for _ in range(seconds * 5):
            if is_so():
                return
            self.page.wait_for_timeout(200)
        raise AssertionError(complaint)

    def items(self) -> list[dict[str, Any]]:
        """What the outbox holds, without what is sealed."""
        found: list[dict[str, Any]] = self.page.evaluate(_READ, ["outbox", "getAll"])
        return found

    def pages(self) -> list[Any]:
        """The addresses of the pages it has, whosever they are."""
        found: list[Any] = self.page.evaluate(_READ, ["pages", "getAllKeys"])
        return found

    def noted(self, name: str) -> Any:
        """What the phone noted of the pack and the server under a name, for whoever was here last."""
        keys = self.page.evaluate(_READ, ["meta", "getAllKeys"])
        values = self.page.evaluate(_READ, ["meta", "getAll"])
        return dict(zip((key[1] for key in keys), values, strict=True)).get(name)

    def waiting(self) -> int:
        """How many items still wait."""
        return sum(item["state"] == "waiting" for item in self.items())

    def wait_until_sent(self) -> None:
        """Wait until nothing waits any more."""
        self.wait_until(lambda: not self.waiting(), "something still waits to be sent")
