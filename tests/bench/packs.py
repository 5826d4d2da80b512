"""What a phone's pack costs the server and the wire: the first one, renewals, and how both grow with the households."""

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import brotli
from sqlalchemy import Engine, text

from tests.bench.databases import grow, settle
from tests.bench.requests import Program, call, open_program, request_of

TURNS = 7
AIMS = {"bytes": 160_000, "server_s": 0.5, "renewal_bytes": 1_000, "renewal_ms": 50}


def measure_packs(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """The first pack of one district (about 200 households), of five and of ten; renewals of the first."""
    url = f"sqlite:///{folder / 'packs.db'}"
    grow(url, 1, 2, say)
    program = open_program(2, url, folder)
    engine = program.app.extensions["fieldapp-engine"]
    found: dict[str, Any] = {"aims": AIMS, "first": []}
    for widen in (None, _all_of_c1, _all_of_both):
        if widen:
            _change(engine, widen)
        found["first"].append(_first(program))
        if widen is None:
            found["renewals"] = _renewals(program)
    program.close()
    return found


def _fetch(program: Program, since: str = "") -> tuple[float, int, list[dict[str, Any]]]:
    """Seconds until the last byte, bytes on the wire, the lines."""
    request = request_of(f"/sync/pack?since={quote(since)}", program.worker)
    began = perf_counter()
    status, headers, body = call(program.app, request)
    took = perf_counter() - began
    if status != 200 or headers.get("Content-Encoding") != "br":
        raise RuntimeError(f"the pack answered {status} {headers}")
    return took, len(body), [json.loads(line) for line in brotli.decompress(body).splitlines()]


def _first(program: Program) -> dict[str, Any]:
    before = program.queries
    took, size, lines = min((_fetch(program) for _ in range(TURNS)), key=lambda fetched: fetched[0])
    start = lines[0]["start"]
    queries = (program.queries - before) // TURNS
    return {
        "households": start["households"],
        "pages": start["pages"],
        "bytes": size,
        "server_s": round(took, 3),
        "queries": queries,
    }


def _renewals(program: Program) -> dict[str, Any]:
    """Nothing changed; ten households visited."""
    token = _fetch(program)[2][-1]["end"]["token"]
    nothing = min((_fetch(program, token) for _ in range(TURNS)), key=lambda fetched: fetched[0])
    for household in program.households[:10]:
        form = {"visit_id": uuid4(), "outcome": "met", "sentence": "身体好，药够用。"}
        call(program.app, request_of(f"/households/{household}/visits", program.worker, form))
    ten = min((_fetch(program, token) for _ in range(TURNS)), key=lambda fetched: fetched[0])
    return {
        "nothing": {"bytes": nothing[1], "ms": round(nothing[0] * 1000, 1)},
        "ten_households": {"bytes": ten[1], "ms": round(ten[0] * 1000, 1), "pages": ten[2][0]["start"]["pages"]},
    }


def _change(engine: Engine, statements: tuple[str, ...]) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    settle(engine)


_WORKER = "(SELECT id FROM user_account WHERE username = 'c1-worker1')"
_C1, _C2 = ("(SELECT id FROM community WHERE code = 'c1')", "(SELECT id FROM community WHERE code = 'c2')")
_EVERY_DISTRICT = f"UPDATE assignment SET user_id = {_WORKER} WHERE community_id = {_C1}"
_all_of_c1 = (_EVERY_DISTRICT,)
_TABLES = ("dwelling", "household", "placement", "resident", "occupancy_period", "care_membership", "visit", "photo")
_all_of_both = (
    *(
        f"UPDATE {table} SET code = 'x' || code, community_id = {_C1} WHERE community_id = {_C2}"
        for table in ("district", "building", "care_group")
    ),
    *(
        f"UPDATE {table} SET community_id = {_C1} WHERE community_id = {_C2}"
        for table in (*_TABLES, "follow_up", "district_boundary", "assignment")
    ),
    _EVERY_DISTRICT,
)


def pack_lines(found: dict[str, Any]) -> str:
    """The figures in words and columns."""
    lines = ["packs, brotli, in this process"]
    for first in found["first"]:
        lines.append(
            f"  first, {first['households']:>5} households, {first['pages']:>5} pages: {first['bytes'] / 1000:>7.1f} KB"
            f" {first['server_s']:>7.3f} s {first['queries']:>4} statements"
        )
    for name, one in found["renewals"].items():
        lines.append(f"  renewal, {name.replace('_', ' ')}: {one['bytes']} bytes, {one['ms']} ms")
    return "\n".join(lines)
