"""The residents' sheet in, residents and visits out, as commands and pages ask for it. Nothing here commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Actor
from fieldapp.exchange import queries, resident_queries, resident_sheets
from fieldapp.exchange.files import When
from fieldapp.exchange.resident_columns import Headings, guess
from fieldapp.exchange.resident_operations import ResidentsDone, import_residents
from fieldapp.exchange.resident_plan import Kind, Plan, make_plan
from fieldapp.exchange.resident_reading import Reading, read_residents
from fieldapp.exchange.sheet import Row, read_table, write_xlsx
from fieldapp.seals import keyring


def open_sheet(session: Session, actor: Actor, data: bytes) -> tuple[list[Row], Headings]:
    """A file's rows and a guess at its headings. Refused: what `sheet.read_table` refuses."""
    rows = read_table(data)
    return rows, guess(rows, resident_queries.switched_off(session, actor))


def read_sheet(session: Session, actor: Actor, rows: Sequence[Row], headings: Headings, today: date) -> Reading:
    """What the rows say, the registry not looked at. Refused."""
    return read_residents(rows, headings, queries.directory(session, actor), today)


def plan_sheet(session: Session, actor: Actor, rows: Sequence[Row], headings: Headings, today: date) -> Plan:
    """What the rows would do. Refused."""
    return make_plan(read_sheet(session, actor, rows, headings, today), resident_queries.registry(session, actor))


def seen(plan: Plan) -> str:
    """A short sign of everything a plan would write: another plan has another one."""
    return keyring().digest(plan.said_in_full())[:32]


def bring_residents(
    session: Session, actor: Actor, author_id: UUID | None, plan: Plan, chosen: Collection[str] | None, when: When
) -> ResidentsDone:
    """Store a plan, or what is chosen of it, and leave a trace that counts and names nobody."""
    done = import_residents(session, actor, author_id, plan, chosen, when.now, when.today)
    _trace(
        session,
        actor,
        "import.residents",
        when,
        new=done.new,
        changed=done.changed,
        same=len(plan.of(Kind.SAME)),
        unclear=len({problem.row for problem in plan.unclear}),
    )
    return done


@dataclass(frozen=True)
class Taker:
    """Who takes a sheet out, and of which community: for the line above it."""

    name: str
    community: str


def take_residents(session: Session, actor: Actor, taker: Taker, when: When, reason: str | None) -> bytes:
    """The residents as the import reads them; ID numbers in full only for a `reason`, which the trace keeps."""
    directory = queries.directory(session, actor)
    names = {known.id: directory.token(known) for known in directory.buildings}
    off = resident_queries.switched_off(session, actor)
    rows = resident_queries.resident_rows(session, actor)
    header, found = resident_sheets.resident_sheet(rows, names, off, full_numbers=bool(reason))
    more = {"full_numbers": True, "reason": reason} if reason else {"full_numbers": False}
    _trace(session, actor, "export.residents", when, people=len(found), **more)
    mark = resident_sheets.watermark(taker.name, taker.community, when.now)
    return write_xlsx("居民", header, found, above=mark)


def take_visits(session: Session, actor: Actor, taker: Taker, when: When, since: date, until: date) -> bytes:
    """The visits of a period, both days included, as city platforms ask for them."""
    rows = resident_sheets.visit_sheet(resident_queries.visit_rows(session, actor, since, until))
    span = {"since": since.isoformat(), "until": until.isoformat()}
    _trace(session, actor, "export.visits", when, visits=len(rows), **span)
    mark = resident_sheets.watermark(taker.name, taker.community, when.now)
    return write_xlsx("走访记录", resident_sheets.VISIT_HEADER, rows, above=mark)


def _trace(session: Session, actor: Actor, deed: str, when: When, **counts: Any) -> None:
    leave_trace(session, deed=deed, at=when.now, user_id=actor.user_id, community_id=actor.community_id, **counts)
