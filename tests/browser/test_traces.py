"""The search for marks finds each one that was really written: else finding none would say nothing."""

import base64
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import brotli
import pytest
from playwright.sync_api import Playwright

from tests.browser import traces
from tests.browser.phones import Phone

NAME = "欧阳甪彧"
BYTES = bytes(range(180, 212))
STORED = ("value", "repeated", "large", "removed", "key", "blob", "local", "session", "cached")
FETCHED = ("plain", "gzip", "brotli")
MARKS = {place: f"{NAME}{place}" for place in ("title", "address", "typed", *STORED, *FETCHED)}

PAGE = f"""<!doctype html><meta charset="utf-8"><title>{MARKS["title"]}</title><textarea></textarea><script>
const answer = (asked) => new Promise((done) => (asked.onsuccess = () => done(asked.result)));
const open = (name) => {{
  const asked = indexedDB.open(name);
  asked.onupgradeneeded = () => asked.result.createObjectStore("store");
  return answer(asked);
}};
const walk = "walk the dog, walk the cat, ";
async function keep() {{
  const store = (await open("kept")).transaction("store", "readwrite").objectStore("store");
  store.put("{MARKS["value"]}", 1);
  store.put(walk.repeat(40) + "{MARKS["repeated"]}".repeat(3) + walk, 2);
  store.put(walk.repeat(9000) + "{MARKS["large"]}", 3);
  store.put("", "{MARKS["key"]}");
  store.put(new Blob(["{MARKS["blob"]}"]), 4);
  store.put("{MARKS["removed"]}", 5);
  await answer(store.delete(5));
  localStorage.kept = "{MARKS["local"]}";
  sessionStorage.kept = "{MARKS["session"]}";
  await (await caches.open("kept")).put("/kept", new Response("{MARKS["cached"]}"));
  for (const name of {list(FETCHED)}) await (await fetch("/" + name)).text();
}}
// LevelDB writes its log out as a table, in compressed blocks, when a database is deleted.
async function compress() {{
  (await open("other")).close();
  await answer(indexedDB.deleteDatabase("other"));
}}
</script>"""
BODIES = {
    "plain": (MARKS["plain"].encode(), ""),
    "gzip": (gzip.compress(b"padding " * 50 + MARKS["gzip"].encode()), "gzip"),
    "brotli": (brotli.compress(b"padding " * 50 + MARKS["brotli"].encode()), "br"),
}


class Site(BaseHTTPRequestHandler):
    """A site that leaves marks wherever a browser keeps something."""

    def log_message(self, *_args: Any) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        """The page, which is not to be kept, and three bodies that are."""
        name = self.path.partition("?")[0].strip("/")
        body, coding = BODIES.get(name, (PAGE.encode() if not name else b"", ""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/plain" if name else "text/html; charset=utf-8")
        self.send_header("Cache-Control", "max-age=9999" if name else "no-store")
        self.send_header("Content-Length", str(len(body)))
        if coding:
            self.send_header("Content-Encoding", coding)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[int]:
    """Its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def at(found: list[traces.Trace]) -> dict[str, set[tuple[str, str]]]:
    """Each mark's places in a profile: the folder or file below the profile, and what it was inside of."""
    places: dict[str, set[tuple[str, str]]] = {name: set() for name in MARKS}
    for trace in found:
        folder = trace.file.removeprefix("Default/").partition("/")[0]
        places[trace.mark].add((folder.partition("_")[0], trace.inside))
    return places


@pytest.mark.browser
def test_what_chromium_keeps_is_found_wherever_it_keeps_it(playwright: Playwright, tmp_path: Path, site: int) -> None:
    phone = Phone(playwright, tmp_path, site)
    phone.page.goto(f"/?q={quote(MARKS['address'])}")
    phone.page.fill("textarea", MARKS["typed"])
    phone.page.evaluate("keep()")
    phone.page.goto("/?next")  # what was typed is written down with the page that is left
    phone.switch_off()
    first = at(traces.find(tmp_path, MARKS))
    phone.switch_on()
    phone.page.goto("/")
    phone.page.evaluate("compress()")
    phone.switch_off()
    phone.gate.close()
    then = at(traces.find(tmp_path, MARKS))

    for place in ("value", "repeated", "removed", "key"):
        assert ("IndexedDB", "log") in first[place], place
    assert ("IndexedDB", "log snappy") in first["large"]
    assert ("IndexedDB", "") in first["blob"]
    assert {("History", "row of urls")} <= first["title"] & first["address"]
    assert {("Sessions", "")} <= first["title"] & first["address"] & first["typed"]
    assert ("Local Storage", "log") in first["local"]
    assert ("Session Storage", "log") in first["session"]
    assert ("Service Worker", "") in first["cached"]
    assert [first[name] for name in FETCHED] == [{("Cache", inside)} for inside in ("", "gzip", "brotli")]
    # Deleted, and still there; and what only undoing the block's compression brings to light.
    assert ("IndexedDB", "table") in then["removed"]
    assert then["repeated"] == {("IndexedDB", "table")}
    assert ("IndexedDB", "table snappy") in then["large"]


def ways_to_write(mark: str | bytes) -> Iterator[tuple[str, bytes]]:
    """A mark among other bytes, in every encoding, and base64 at every distance from a multiple of three."""
    raw = (
        {"bytes": mark} if isinstance(mark, bytes) else {n: mark.encode(n) for n in ("utf-8", "utf-16-le", "utf-16-be")}
    )
    for name, said in raw.items():
        yield name, b"before" + said + b"after"
        for shift in range(3):
            for tail in (b"", b"x", b"xy"):
                yield f"base64 of {name} +{shift}", base64.b64encode(b"abc"[:shift] + said + tail)
                yield f"base64url of {name} +{shift}", base64.urlsafe_b64encode(b"abc"[:shift] + said + tail)


@pytest.mark.parametrize("mark", [NAME, "320205199303077513", BYTES])
def test_a_mark_is_found_in_every_encoding(mark: str | bytes, tmp_path: Path) -> None:
    for number, (_way, written) in enumerate(ways_to_write(mark)):
        (tmp_path / f"{number:03}").write_bytes(written)
    found = {trace.file for trace in traces.find(tmp_path, {"it": mark})}
    assert found == {path.name for path in tmp_path.iterdir()}


def zipped(data: bytes) -> bytes:
    """In a zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file", data)
    return out.getvalue()


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress, zipped, lambda data: gzip.compress(zipped(data))])
def test_a_mark_is_found_in_what_is_compressed_in_the_middle_of_a_file(packed: Any, tmp_path: Path) -> None:
    said = b"padding " * 100 + NAME.encode("utf-16-le") + b"padding " * 100
    (tmp_path / "file").write_bytes(b"\x00\x01before" * 9 + packed(said) + b"after" * 9)
    assert {trace.written for trace in traces.find(tmp_path, {"it": NAME})} == {"utf-16-le"}


def test_a_mark_in_a_files_name_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.xlsx").touch()
    assert [trace.inside for trace in traces.find(tmp_path, {"it": NAME})] == ["the name"]


def test_a_snappy_stream_with_every_kind_of_copy_is_read() -> None:
    # "ab" as it is, then 6 signs from 2 back that overlap themselves, 4 from 8 back with 2 bytes, 3 from 5 back with 4.
    stream = b"\x0f" + b"\x04ab" + b"\x09\x02" + b"\x0e\x08\x00" + b"\x0b\x05\x00\x00\x00"
    assert traces.unsnappy(stream) == b"abababab" + b"abab" + b"bab"


def test_a_record_that_a_blocks_end_cuts_in_two_is_whole_again(tmp_path: Path) -> None:
    said = NAME.encode()
    first = bytes(32768 - 7 - 5) + said[:5]
    log = b"\0" * 4 + len(first).to_bytes(2, "little") + b"\x02" + first + b"\0" * 4 + b"\x07\x00\x04" + said[5:]
    (tmp_path / "000003.log").write_bytes(log)
    assert [trace.inside for trace in traces.find(tmp_path, {"it": NAME})] == ["log"]
