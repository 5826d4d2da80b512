"""The `crs` member of the older GeoJSON of 2008, which RFC 7946, section 4, took out: WGS 84 is the only one."""

import re
from typing import Any

from geo.jsontext import brief
from geo.problems import Refusal

_WGS84 = re.compile(
    r"""(?:urn:ogc:def:crs:)? ogc: (?:[\d.]*:)? crs84 | crs84
      | (?:urn:ogc:def:crs:)? epsg: (?:[\d.]*:)? 4326
      | https?://www\.opengis\.net/def/crs/ (?: ogc/[\d.]+/crs84 | epsg/[\d.]+/4326 )
      | https?://www\.opengis\.net/gml/srs/epsg\.xml\#4326
      | wgs[ _-]?(?:19)?84""",
    re.VERBOSE,
)


def refuse_crs(value: dict[str, Any]) -> None:
    """Refuse a GeoJSON object whose `crs` names anything but WGS 84; null says nothing and passes."""
    crs = value.get("crs")
    if crs is None:
        return
    name = _name(crs)
    if not _WGS84.fullmatch(name.strip().casefold()):
        raise Refusal("crs", brief(name))


def _name(crs: object) -> str:
    """Give the name in {"type": "name", "properties": {"name": …}}, or the code of the older type "EPSG"."""
    if isinstance(crs, str):
        return crs
    properties = crs.get("properties") if isinstance(crs, dict) else None
    if not isinstance(crs, dict) or not isinstance(properties, dict):
        return brief(crs)
    if str(crs.get("type")).upper() == "EPSG" and "code" in properties:
        return f"EPSG:{brief(properties['code'])}"
    name = properties.get("name")
    return name if isinstance(name, str) else brief(crs)
