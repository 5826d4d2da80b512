"""Whose tiles lie under the map; pure.

天地图 is in CGCS2000, which is WGS-84 within centimetres; tiles of Amap (高德) and Tencent (腾讯) are in GCJ-02. Those
of Baidu (百度) are cut by another grid: no map here can show them.
"""

import re
from dataclasses import dataclass

KINDS = ("none", "tianditu", "wgs84", "gcj02")
"""None; 天地图 by its key; tiles by an address, in WGS-84 or in GCJ-02."""
BY_ADDRESS = ("wgs84", "gcj02")

LONGEST = 300
_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
_LABEL = r"[A-Za-z0-9-]+"
_HOLDER = r"\{s\}|\{[0-9]-[0-9]\}"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<first>(?:{_LABEL}|{_HOLDER})+)(?P<rest>(?:\.{_LABEL})*)(?P<port>:[0-9]{{1,5}})?/(?P<path>.*)"
)
_RANGE = re.compile(r"\{([0-9])-([0-9])\}")

_TIANDITU = (
    "https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}"
    "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)


@dataclass(frozen=True)
class Tiles:
    """Tiles as a map's script takes them, and `origin`, the only host that the page may load them from.

    `url` and `labels`, which lie above, hold {z}, {x}, {y}, and {s} for one sign of `subdomains`. `referrer` is what
    the browser may tell the host of where it is used.
    """

    origin: str
    url: str
    attribution: str
    datum: str = "wgs84"
    labels: str | None = None
    subdomains: str = "abc"
    referrer: str | None = None


def is_key(text: str) -> bool:
    """Whether it can be a key of 天地图: 32 hexadecimal digits today."""
    return bool(_KEY.fullmatch(text))


def is_address(url: str) -> bool:
    """Whether tiles can be had there: {z}, {x} and {y} (or {-y}); https, or http on this machine.

    {s} in the first part of the host stands for a, b or c, {1-4} for one of these digits.
    """
    found = _parts(url)
    if found is None or len(url) > LONGEST or not all(part in found["path"] for part in ("{z}", "{x}")):
        return False
    here = found["first"] + found["rest"] in ("127.0.0.1", "localhost")
    has_rows = "{y}" in found["path"] or "{-y}" in found["path"]
    return has_rows and (found["scheme"] == "https" or here)


def tiles_of(kind: str, *, key: str | None, url: str | None, attribution: str | None) -> Tiles | None:
    """Give the tiles of a community's setting; None for no basemap, or where something of it is missing."""
    if kind == "tianditu" and key and is_key(key):
        return Tiles(
            origin="https://*.tianditu.gov.cn",
            url=_TIANDITU.format(layer="vec", key=key),
            labels=_TIANDITU.format(layer="cva", key=key),
            attribution=attribution or "天地图",
            subdomains="01234567",
            # A key may be bound to the site that uses it.
            referrer="strict-origin",
        )
    found = _parts(url or "") if kind in BY_ADDRESS else None
    if found is None or url is None:
        return None
    first, subdomains = found["first"], "abc"
    if digits := _RANGE.search(first):
        least, most = sorted(map(int, digits.groups()))
        subdomains = "".join(map(str, range(least, most + 1)))
    host = f"*{found['rest']}" if "{" in first else first + found["rest"]
    return Tiles(
        origin=f"{found['scheme']}://{host}{found['port'] or ''}",
        url=_RANGE.sub("{s}", url, count=1) if digits else url,
        attribution=attribution or "",
        datum=kind,
        subdomains=subdomains,
    )


def _parts(url: str) -> re.Match[str] | None:
    """Give the parts of an address whose host is nothing but a name, in ASCII: it goes into the page's policy."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return None
    several = len(re.findall(_HOLDER, found["first"]))
    return found if not several or (several == 1 and found["rest"].count(".") >= 2) else None
