"""A real server with the demonstration, and a real Chromium that looks at it as a phone, in Chinese."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.setup.browser import find_chromium

ROOT = Path(__file__).parents[2]
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The program as `make run` starts it, on a database and a port of its own; gives its address."""
    instance = tmp_path_factory.mktemp("instance")
    port = free_port()
    environment = os.environ | {"INSTANCE_PATH": str(instance)}
    environment.pop("DATABASE_URL", None)
    bin_path = Path(sys.executable).parent
    subprocess.run([bin_path / "flask", "--app", "wsgi", "start"], cwd=ROOT, env=environment, check=True)
    command = [
        bin_path / "gunicorn",
        "--worker-class",
        "gthread",
        "--threads",
        "4",
        "--no-control-socket",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen([*command, "wsgi:app"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urlopen(f"{address}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server did not answer in 20 seconds")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, one a test process."""
    with sync_playwright() as started:
        yield started


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
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type in ("error", "warning") and "422" not in m.text else None,
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
