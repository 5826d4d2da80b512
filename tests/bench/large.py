"""One community of 5,000 households: how long its sheet takes to come in, and how long a search in it takes."""

from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.db import make_engine
from fieldapp.exchange import files
from fieldapp.households.queries import search
from geo.geojson import dump
from tests.exchange.made import WHEN, blocks, office, square
from tests.exchange.test_many_households import sheet

WORDS = ("王", "wwx", "zhangwei", "501", "12-501", "0007", "50号楼 2501")


def measure_large(folder: Path) -> dict[str, Any]:
    """Times in milliseconds; `search` by what was typed, the median of 30."""
    engine = make_engine(f"sqlite:///{folder / 'large.db'}")
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        actor = office(session, blocks(50))
        files.bring_districts(session, actor, dump([(1, {}, square(121, 30.5, 1))]), WHEN)
        session.commit()
        data = sheet()
        began = perf_counter()
        done = files.bring_households(session, actor, data, WHEN, good_rows=False)
        session.commit()
        import_ms = (perf_counter() - began) * 1000
        found = {word: _search_ms(session, actor, word) for word in WORDS}
    return {"households": done.households, "people": done.people, "import_ms": round(import_ms), "search_ms": found}


def _search_ms(session: Session, actor: Any, word: str) -> float:
    times = []
    for _ in range(30):
        began = perf_counter()
        search(session, actor, word)
        times.append(perf_counter() - began)
    return round(median(times) * 1000, 2)


def large_lines(found: dict[str, Any]) -> str:
    """The figures as two lines."""
    searches = ", ".join(f"{word} {ms:.1f}" for word, ms in found["search_ms"].items())
    return (
        f"{found['households']} households, {found['people']} people: XLSX import {found['import_ms'] / 1000:.1f} s\n"
        f"search in them, median ms: {searches}"
    )
