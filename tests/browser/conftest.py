"""A real server with the demonstration, and a real Chromium that looks at it as a phone, in Chinese."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.phones import Phone
from tests.browser.program import Program
from tests.setup.browser import find_chromium

EXPECTED = ("422", "Service Worker registration blocked by Playwright", "Banner not shown")
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The program as `make run` starts it, on a database and a port of its own; gives its address."""
    program = Program(tmp_path_factory.mktemp("instance"))
    program.start()
    yield program.address
    program.stop()


@pytest.fixture
def program(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program of one test's own, to be stopped, restarted and replaced."""
    made = tmp_path_factory.getbasetemp() / "demonstration"
    if not made.exists():
        Program(made)
    instance = tmp_path / "instance"
    shutil.copytree(made, instance)
    own = Program(instance)
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, one a test process."""
    expect.set_options(timeout=20_000)  # the machine may be busy with other tests
    with sync_playwright() as started:
        yield started


@pytest.fixture
def new_phone(playwright: Playwright, program: Program, tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """Make phones; whatever their pages throw fails the test."""
    phones: list[Phone] = []

    def make(name: str = "phone", **more: Any) -> Phone:
        phones.append(Phone(playwright, tmp_path / name, program.port, **more))
        return phones[-1]

    yield make
    for phone in phones:
        phone.context.close()
        phone.gate.close()
    assert [complaint for phone in phones for complaint in phone.complaints] == []


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; without its sandbox only for root, who has none."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    launched = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
    yield launched
    launched.close()


@pytest.fixture
def open_phone(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Open a phone that somebody is signed in on. Whatever the console or the CSP complains about fails the test."""
    complaints: list[str] = []
    contexts = []

    def enter(username: str, *, desktop: bool = False, javascript: bool = True) -> Page:
        # Without the service worker, so that a slow machine's page never comes from the phone's pack (test_offline).
        size = {"width": 1280, "height": 800} if desktop else {"width": 390, "height": 844}
        context = browser.new_context(
            base_url=server,
            viewport=size,  # type: ignore[arg-type]
            is_mobile=not desktop,
            has_touch=not desktop,
            device_scale_factor=1 if desktop else 2,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            java_script_enabled=javascript,
            accept_downloads=True,
            service_workers="block",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on(
            "console",
            lambda m: (
                complaints.append(m.text)
                if m.type in ("error", "warning") and not any(word in m.text for word in EXPECTED)
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/sign-in")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", "fieldapp-demo")
        page.click("button.primary")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not complaints
