"""One file in or out, as commands and pages ask for it: read, check, store or refuse, and leave a trace.

Nothing here commits or knows HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Actor
from fieldapp.exchange import features, operations, queries, registration
from fieldapp.exchange.columns import Language
from fieldapp.exchange.listing import header, sheet_rows
from fieldapp.exchange.rules import read_registration
from fieldapp.exchange.sheet import read_table, write_csv, write_xlsx
from geo.geojson import GeoJSONError, Problem, dump


@dataclass(frozen=True)
class When:
    """The moment of an import, the community's day then, and the day from which it holds."""

    now: datetime
    today: date
    since: date


def bring_districts(
    session: Session, actor: Actor, data: bytes, when: When, *, datum: str = "wgs84"
) -> operations.DistrictsDone:
    """Import districts in a `datum` of geo's. GeoJSONError: what `features` and `operations` refuse, and `future`."""
    if when.since > when.today:
        raise GeoJSONError([Problem(None, "future", when.today.isoformat())])
    done = operations.import_districts(session, actor, features.read_districts(data, datum), when.since)
    _trace(session, actor, "import.districts", when.now, added=done.added, changed=done.changed, **_said(datum))
    return done


def bring_buildings(
    session: Session,
    actor: Actor,
    data: bytes,
    when: When,
    *,
    where: Mapping[str, str] | None,
    lay_out: bool,
    datum: str = "wgs84",
) -> operations.BuildingsDone:
    """Import buildings in a `datum` of geo's, and lay their doors out where asked for. GeoJSONError."""
    drafts = features.read_buildings(data, where, datum)
    done = operations.import_buildings(session, actor, drafts, when.today, lay_out=lay_out)
    counts = {"added": done.added, "changed": done.changed, "doors": done.doors}
    _trace(session, actor, "import.buildings", when.now, **counts, **_said(datum))
    return done


def _said(datum: str) -> dict[str, str]:
    """What a trace says of a file that was shifted."""
    return {} if datum == "wgs84" else {"datum": datum}


def bring_households(
    session: Session, actor: Actor, data: bytes, when: When, *, good_rows: bool
) -> registration.HouseholdsDone:
    """Import a household sheet, the good rows alone where asked for. Refused."""
    sheet = read_registration(read_table(data), queries.directory(session, actor), when.today)
    done = registration.import_households(session, actor, sheet, when.today, good_rows=good_rows)
    counts = {"rows": done.rows, "households": done.households, "people": done.people, "skipped": done.skipped_rows}
    _trace(session, actor, "import.households", when.now, **counts)
    return done


def leave_export_trace(session: Session, actor: Actor, noun: str, now: datetime) -> None:
    """Say that somebody takes `districts`, `buildings` or `households` out."""
    _trace(session, actor, f"export.{noun}", now)


def take_districts(session: Session, actor: Actor, day: date) -> bytes:
    """The districts of a day as GeoJSON."""
    found = []
    for row in queries.district_rows(session, actor, day):
        said = {"code": row.code, "name": row.name, "lead": row.lead, "partner": row.partner}
        found.append((row.code, {key: value for key, value in said.items() if value is not None}, row.geometry))
    return dump(found)


def take_buildings(session: Session, actor: Actor) -> bytes:
    """The buildings as GeoJSON."""
    rows = queries.building_rows(session, actor)
    return dump((row.code, features.building_properties(row), row.geometry) for row in rows)


def take_households(session: Session, actor: Actor, day: date, language: Language, form: str, title: str) -> bytes:
    """The registry as a sheet in `form` xlsx or csv; `title` is the workbook's only sheet."""
    directory = queries.directory(session, actor)
    names: dict[UUID, str] = {known.id: directory.token(known) for known in directory.buildings}
    listed, care = queries.listing(session, actor), queries.care_names(session, actor, day)
    rows = sheet_rows(listed, names, care, language)
    return write_csv(header(language), rows) if form == "csv" else write_xlsx(title, header(language), rows)


def _trace(session: Session, actor: Actor, deed: str, now: datetime, **counts: Any) -> None:
    leave_trace(session, deed=deed, at=now, user_id=actor.user_id, community_id=actor.community_id, **counts)
