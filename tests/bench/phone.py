"""What a slow phone feels: until the first pack is usable, from the tap to "saved", how fast a day drains."""

import http.client
import os
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from math import ceil
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep
from typing import Any

from PIL import Image
from playwright.sync_api import CDPSession, sync_playwright

from tests.browser.gate import Gate
from tests.browser.phones import Phone
from tests.browser.program import Program

SLOWER = 4
SAVES = 100
VISITS, PHOTOS_EACH = 30, 2
LINK = 500_000
"""Bytes a second that leave the phone: 4 Mbit/s."""

AIMS = {"usable_s": 2.0, "saved_ms": 100, "drain_ratio": 1.2}


class Link(Gate):
    """A gate through which `LINK` bytes a second leave the phone, however many connections there are."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.is_slow = False
        self._turn = threading.Lock()
        self._free_at = 0.0

    def _pump(self, source: socket.socket, target: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        super()._pump(_Slowed(source, self) if source is pair[0] else source, target, pair)  # type: ignore[arg-type]

    def wait(self, size: int) -> None:
        """Wait until the link has carried `size` more bytes."""
        if not self.is_slow:
            return
        with self._turn:
            self._free_at = max(self._free_at, monotonic()) + size / LINK
            until = self._free_at
        sleep(max(until - monotonic(), 0))


class _Slowed:
    """A socket that is read no faster than the link carries."""

    def __init__(self, source: socket.socket, link: Link) -> None:
        self._source, self._link = source, link

    def recv(self, _size: int) -> bytes:
        data = self._source.recv(4096)
        self._link.wait(len(data))
        return data


class _Sink(BaseHTTPRequestHandler):
    """Takes any body and answers at once: what the bare bytes need."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read, answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


_WATCH = """() => {
  window.taken = undefined;
  addEventListener("click", (event) => {
    if (!event.target.closest("button.primary")) return;
    const began = event.timeStamp;
    const look = () => {
      const said = document.querySelector(".saved-mark h1[data-state=waiting]:not([hidden]), .saved-mark h1[data-state=sent]:not([hidden])");
      if (said && said.getBoundingClientRect().height) window.taken = performance.now() - began;
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
}"""  # noqa: E501


def measure_phone(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything that needs a browser, one after the other."""
    program = Program(folder / "phone-instance")
    program.start()
    try:
        with sync_playwright() as playwright:
            usable = {}
            alone = Phone(playwright, folder / "alone", program.port)
            alone.switch_off()
            alone.switch_on(service_workers="block")  # so that all of it is done by the slowed page
            worker = Phone(playwright, folder / "worker", program.port)
            for name, phone in (("by the page alone", alone), ("by the service worker", worker)):
                usable[name] = _usable(phone)
                say(f"usable {name}: {usable[name]:.2f} s")
            _end(alone)
            saved = _saves(worker)
            say(f"saved: {median(saved):.0f} ms")
            drained = _drain(worker, say)
            _end(worker)
    finally:
        program.stop()
    return {
        "aims": AIMS,
        "usable_s": {name: round(seconds, 2) for name, seconds in usable.items()},
        "saved_ms": {"median": round(median(saved)), "p99": round(sorted(saved)[ceil(0.99 * len(saved)) - 1])},
        "drain": drained,
    }


def _end(phone: Phone) -> None:
    phone.context.close()
    phone.gate.close()


def _slow(phone: Phone) -> CDPSession:
    """Slow the page's processor; Chromium does not slow its service worker with it."""
    session = phone.context.new_cdp_session(phone.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return session


def _usable(phone: Phone) -> float:
    """Seconds from the first tap on "sign in" to a stored pack."""
    page = phone.page
    page.goto("/sign-in")
    page.fill("input[name=username]", "worker1")
    page.fill("input[name=password]", "fieldapp-demo")
    _slow(phone)
    began = perf_counter()
    page.click("button.primary")
    page.wait_for_url("**/today")
    phone.wait_until(lambda: phone.is_packed(), "no pack", 60)
    return perf_counter() - began


def _households(phone: Phone) -> list[str]:
    """Those whose forms are on the phone."""
    forms = (url.split("/") for _who, url in phone.pages() if url.endswith("/visits/new"))
    return sorted(form[2] for form in forms)


def _saves(phone: Phone) -> list[float]:
    """Milliseconds from the tap on "save" to "saved", a hundred times, without signal."""
    page = phone.page
    households = _households(phone)
    phone.lose_signal()
    session = _slow(phone)
    taken = []
    for number in range(SAVES):
        if number and number % VISITS == 0:  # a day's visits wait; then there is signal
            phone.find_signal()
            page.goto("/today")
            phone.wait_until(lambda: not phone.waiting(), "something still waits", 240)
            phone.lose_signal()
        page.goto(f"/households/{households[number % len(households)]}/visits/new")
        page.locator("label.outcome.main").tap()
        page.fill("textarea[name=sentence]", "身体好，药够用。")
        page.evaluate(_WATCH)
        page.get_by_role("button", name="保存").tap()
        phone.wait_until(lambda: page.evaluate("window.taken"), "not saved")
        taken.append(float(page.evaluate("window.taken")))
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    phone.find_signal()
    page.goto("/today")
    phone.wait_until(lambda: not phone.waiting(), "something still waits", 240)
    return taken


def _drain(phone: Phone, say: Callable[[str], None]) -> dict[str, Any]:
    """Thirty visits with two photos each, saved without signal, then sent over a link of 4 Mbit/s; and as many
    bytes sent bare over the same link.
    """
    link = Link(phone.gate.upstream)
    page = phone.page
    households = _households(phone)[:VISITS]
    phone.lose_signal()
    for household in households:
        page.goto(f"/households/{household}/visits/new")
        page.locator("label.outcome.main").tap()
        page.fill("textarea[name=sentence]", "身体好，药够用。")
        page.locator("input[name=photos]").nth(1).set_input_files([_photo() for _ in range(PHOTOS_EACH)])
        page.get_by_role("button", name="保存").tap()
        page.wait_for_url("**/saved#*")
    waiting = [item for item in phone.items() if item["state"] == "waiting"]
    photos = [item["size"] for item in waiting if item["kind"] == "photo"]
    size = sum(item["size"] for item in waiting)
    say(f"{len(waiting)} items wait, {size / 1e6:.1f} MB")
    bare = _bare(link, photos)
    phone.gate.upstream = link.port
    link.is_slow = True
    phone.find_signal()
    began = perf_counter()
    page.goto("/outbox")
    phone.wait_until(lambda: not phone.waiting(), "something still waits", 600)
    took = perf_counter() - began
    link.close()
    return {
        "visits": VISITS,
        "photos": len(photos),
        "bytes": size,
        "link_bytes_s": LINK,
        "bare_s": round(bare, 1),
        "drained_s": round(took, 1),
        "ratio": round(took / bare, 2),
    }


def _photo() -> dict[str, Any]:
    """A picture that is about 300 KB when the phone has made it small."""
    out = BytesIO()
    Image.effect_noise((560, 470), 55).convert("RGB").resize((1400, 1180)).save(out, "JPEG", quality=90)
    return {"name": "门口.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def _bare(link: Link, sizes: list[int]) -> float:
    """Seconds that the photos' bytes take over the link, to somebody who does nothing with them."""
    sink = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    through = Link(sink.server_address[1])
    through.is_slow = True
    connection = http.client.HTTPConnection("127.0.0.1", through.port)
    began = perf_counter()
    for size in sizes:
        connection.request("POST", "/", os.urandom(size))
        connection.getresponse().read()
    took = perf_counter() - began
    through.close()
    sink.shutdown()
    return took


def phone_lines(found: dict[str, Any]) -> str:
    """The figures in words."""
    usable = "; ".join(f"{name} {seconds} s" for name, seconds in found["usable_s"].items())
    drain = found["drain"]
    return (
        f"a phone {SLOWER} times slower\n  first pack usable: {usable}\n"
        f"  from tap to saved: median {found['saved_ms']['median']} ms, p99 {found['saved_ms']['p99']} ms\n"
        f"  {drain['visits']} visits and {drain['photos']} photos, {drain['bytes'] / 1e6:.1f} MB, drained in"
        f" {drain['drained_s']} s; the bare bytes {drain['bare_s']} s: ratio {drain['ratio']}"
    )
