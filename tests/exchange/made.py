"""Communities and files for the tests of exchange."""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from openpyxl import Workbook
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Actor, Role
from fieldapp.db import uuid7
from fieldapp.exchange import files
from fieldapp.exchange.directory import Directory, KnownBuilding
from fieldapp.exchange.files import When
from fieldapp.households.rules import id_check_digit
from geo.geojson import dump
from tests.factories import make_community, make_group

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 1, 41, tzinfo=UTC)
WHEN = When(NOW, TODAY, TODAY)
GROUPS = ("独居老人", "高龄", "低保")

_codes = count(1)


def office(session: Session, buildings: bytes | None = None) -> Actor:
    """The director of a new community with three care groups, and with `buildings`."""
    community = make_community(session, f"x{next(_codes)}")
    for position, name in enumerate(GROUPS):
        make_group(session, community, name, position=position)
    actor = Actor(None, "director", Role.DIRECTOR, community.id)
    if buildings:
        files.bring_buildings(session, actor, buildings, WHEN, where=None, lay_out=False)
    return actor


def square(west: float, south: float = 31.0, size: float = 0.01) -> dict[str, Any]:
    """A square in degrees."""
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def point(longitude: float, latitude: float = 31.005) -> dict[str, Any]:
    """A point in degrees."""
    return {"type": "Point", "coordinates": [longitude, latitude]}


def blocks(count: int = 3, **properties: Any) -> bytes:
    """So many buildings in a row from 121° eastwards, 0.01° apart: 1号楼, 2号楼 … and codes b1, b2 …"""
    return dump(
        (f"b{i}", {"name": f"{i}号楼", "levels": 6, "entrances": 2, **properties}, point(121.005 + (i - 1) * 0.01))
        for i in range(1, count + 1)
    )


def id_number(birth: str = "19570302", serial: int = 1, area: str = "999999") -> str:
    """A sound number; an odd serial is a man's."""
    first = f"{area}{birth}{serial:03d}"
    return first + id_check_digit(first)


def directory() -> Directory:
    """Three blocks and a courtyard."""
    named = (("b1", "1号楼"), ("b2", "2号楼"), ("b3", "3号楼"))
    known = [KnownBuilding(uuid7(), code, name) for code, name in named]
    return Directory([*known, KnownBuilding(uuid7(), "y", "一号院", True)], {name: uuid7() for name in GROUPS})


def xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook as people make them."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def csv_of(*lines: str, encoding: str = "utf-8") -> bytes:
    """A CSV file of these lines."""
    return "\r\n".join(lines).encode(encoding)
