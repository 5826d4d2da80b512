"""Maps of China: tiles in GCJ-02 under data in WGS-84, as a phone."""

import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import asinh, pi, radians, tan
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from geo.datum import shift

pytestmark = pytest.mark.browser

PLACE = (120.301, 31.571)
"""In the demonstration's community, in WGS-84."""


def png(grey: int) -> bytes:
    """A square of 256 px in one grey."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress((b"\0" + bytes([grey]) * 256) * 256)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


class _Tile(BaseHTTPRequestHandler):
    """Answers /z/x/y with a tile, light and dark like a chessboard."""

    def do_GET(self) -> None:
        _z, x, y = map(int, self.path.strip("/").split("/"))
        data = png(200 if (x + y) % 2 else 225)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_said: Any) -> None:
        """Say nothing."""


@pytest.fixture
def tiles() -> Iterator[str]:
    """The address of a host of tiles on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def basemap(open_phone: Any) -> Iterator[Any]:
    """Choose a basemap as the director; afterwards there is none again."""
    page = open_phone("director")

    def choose(word: str, address: str | None = None) -> None:
        page.goto("/settings")
        page.get_by_text(word, exact=True).tap()
        if address:
            page.get_by_label("底图地址").fill(address)
        page.get_by_role("button", name="存设置").tap()
        expect(page.get_by_text("设置存好了。")).to_be_visible()

    yield choose
    choose("不用底图")


def middle(thing: Locator) -> tuple[float, float]:
    box = thing.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_tiles(page: Page, longitude: float, latitude: float) -> tuple[float, float]:
    """Where on the screen the tiles show a place of their own datum: Web Mercator, on the tile that holds it."""
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    page.wait_for_function(
        "!document.querySelector('.leaflet-zoom-anim, .leaflet-pan-anim')"
        " && [...document.querySelectorAll('img.leaflet-tile')].every(tile => tile.complete)"
    )
    addresses = page.eval_on_selector_all("img.leaflet-tile-loaded", "tiles => tiles.map(tile => tile.src)")
    zoom = max(int(address.split("/")[-3]) for address in addresses)
    x = (longitude / 360 + 0.5) * 2**zoom
    y = (0.5 - asinh(tan(radians(latitude))) / (2 * pi)) * 2**zoom
    box = page.locator(f"img.leaflet-tile[src$='/{zoom}/{int(x)}/{int(y)}']").bounding_box()
    assert box, "the tile of my place is not shown"
    return box["x"] + x % 1 * box["width"], box["y"] + y % 1 * box["height"]


@pytest.mark.parametrize(("word", "datum"), [("高德、腾讯这类（GCJ-02）", "gcj02"), ("别的地图（WGS-84）", "wgs84")])
def test_my_place_stands_on_its_place_in_the_tiles(word, datum, open_phone, basemap, tiles):
    basemap(word, tiles)
    page = open_phone("worker3")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": PLACE[0], "latitude": PLACE[1], "accuracy": 20})
    page.goto("/map")
    page.get_by_role("button", name="我在哪").tap()
    me = page.locator("#map path[fill='#1b5ba6']").last
    expect(me).to_be_visible()
    (written,) = shift([PLACE], "wgs84", datum)
    for _look in range(2):
        page.wait_for_timeout(400)  # panning and zooming take 250 ms
        assert middle(me) == pytest.approx(on_tiles(page, *written), abs=1.5)
        assert middle(me) == pytest.approx(middle(page.locator("#map")), abs=10)
        page.locator("#map").focus()
        page.keyboard.press("+")


def test_without_a_basemap_nothing_is_asked_of_another_host(open_phone):
    page = open_phone("worker3")
    hosts: set[str] = set()
    page.on("request", lambda asked: hosts.add(asked.url.split("/")[2]))
    page.goto("/map")
    expect(page.locator("#map path.leaflet-interactive").first).to_be_visible()
    assert page.locator("img.leaflet-tile").count() == 0
    assert len(hosts) == 1
