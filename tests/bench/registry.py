"""5,000 households and 15,000 people: bringing them in, finding, counting, looking for the same person twice."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.db import make_engine
from fieldapp.exchange import files, resident_files
from fieldapp.households import duplicate_queries
from fieldapp.households.models import Resident
from fieldapp.households.queries import search
from fieldapp.places.models import Community
from fieldapp.privacy import operations
from fieldapp.privacy.rules import Why
from fieldapp.reports import sheet_queries
from fieldapp.reports.sheets import Kind
from tests.bench.databases import NOW
from tests.exchange.made import TODAY, WHEN, blocks
from tests.exchange.sheets import settled
from tests.exchange.test_residents_many import ROWS, sheet

AIMS = {"import_s": 20}
TURNS = 10


def measure_registry(folder: Path) -> dict[str, Any]:
    """Seconds for the import and for the same sheet again, median milliseconds for the rest."""
    engine = make_engine(f"sqlite:///{folder / 'registry.db'}")
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        actor = settled(session)
        data = blocks(53, levels=25, entrances=1, households=100)
        files.bring_buildings(session, actor, data, WHEN, where=None, lay_out=True)
        session.commit()
        imports = [_import(session, actor) for _ in range(2)]
        community = session.scalars(select(Community)).one()
        person = session.scalars(select(Resident).limit(1)).one()
        number = person.id_number or ""
        done: dict[str, Callable[[], Any]] = {
            "search by pinyin": lambda: search(session, actor, "zhang"),
            "search by telephone": lambda: search(session, actor, person.phone or ""),
            "duplicates": lambda: duplicate_queries.found(session, actor),
            "unmasking": lambda: _unmask(session, actor, person.id, number),
        }
        for kind in Kind:
            done[f"sheet {kind}"] = lambda kind=kind: _count(session, actor, community, kind)
        found = {name: _ms(session, deed) for name, deed in done.items()}
    engine.dispose()
    return {"aims": AIMS, "people": ROWS, "import_s": imports[0], "again_s": imports[1], "median_ms": found}


def _import(session: Session, actor: Any) -> float:
    began = perf_counter()
    rows, headings = resident_files.open_sheet(session, actor, sheet())
    plan = resident_files.plan_sheet(session, actor, rows, headings, TODAY)
    resident_files.bring_residents(session, actor, actor.user_id, plan, None, WHEN)
    session.commit()
    session.expunge_all()
    return round(perf_counter() - began, 1)


def _unmask(session: Session, actor: Any, key: Any, number: str) -> None:
    resident = session.get_one(Resident, key)
    operations.note_look(session, actor, resident, "unmask.id_number", Why.ERRAND, NOW)
    session.commit()
    if resident.id_number != number:
        raise RuntimeError("another number was shown")


def _count(session: Session, actor: Any, community: Community, kind: Kind) -> Any:
    if kind is Kind.NEEDS:
        return sheet_queries.needs_on(session, actor, community, TODAY)
    return sheet_queries.lists(session, actor, kind, TODAY, TODAY)


def _ms(session: Session, deed: Callable[[], Any]) -> float:
    times = []
    for _ in range(TURNS):
        session.expunge_all()
        began = perf_counter()
        deed()
        times.append(perf_counter() - began)
    return round(median(times) * 1000, 1)


def registry_lines(found: dict[str, Any]) -> str:
    """The figures as lines."""
    rest = ", ".join(f"{name} {ms}" for name, ms in found["median_ms"].items())
    return (
        f"{found['people']} people: residents' sheet in {found['import_s']} s (aim {found['aims']['import_s']} s),"
        f" the same again {found['again_s']} s\n  median ms: {rest}"
    )
