"""`flask --app wsgi import …` and `export …`: a community's files in and out. Each commits once, at the end."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from flask_babel import gettext as _

from fieldapp import clock, db
from fieldapp.accounts.rules import Actor, Role
from fieldapp.exchange import files, resident_files, resident_queries, resident_words, words
from fieldapp.exchange.columns import Language
from fieldapp.exchange.files import When
from fieldapp.exchange.misplaced import Misplaced
from fieldapp.exchange.problems import Refused
from fieldapp.exchange.resident_files import Taker
from fieldapp.exchange.resident_plan import Kind
from fieldapp.places import queries as places
from geo.datum import DATUMS
from geo.geojson import GeoJSONError

F = TypeVar("F", bound=Callable[..., Any])

import_group = AppGroup("import", help="Bring districts, buildings or households of a community in.")
export_group = AppGroup("export", help="Take districts, buildings or households of a community out.")

LANGUAGE = click.option("--language", type=click.Choice(["zh_Hans", "en"]), help="Else the community's.")
COMMUNITY = click.option("--community", "code", required=True, help="The community's code.")
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
DATUM = click.option(
    "--datum", type=click.Choice(DATUMS), default="wgs84", help="What FILE's coordinates are; gcj02: Amap, bd09: Baidu."
)
OUTPUT = click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Else standard output.")


@contextmanager
def _community(code: str, language: str | None) -> Iterator[Actor]:
    """Act for a community, in a language; nothing is stored when something is refused."""
    found = places.community_by_code(db.session(), code)
    with force_locale(language or (found.language if found else "zh_Hans")):
        if found is None:
            raise click.ClickException(_("没有这个社区：%(code)s", code=code))
        try:
            yield Actor(None, found.name, Role.DIRECTOR, found.id, found.street_code)
        except Refused as refused:
            _refuse([words.row_text(problem) for problem in refused.problems])
        except GeoJSONError as refused:
            lines = [words.feature_text(problem) for problem in refused.problems]
            _refuse(lines + ([_("还有 %(n)s 处", n=refused.more)] if refused.more else []))


def _refuse(lines: list[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
    click.echo(_("有 %(n)s 处不对，什么都没有存。", n=len(lines)), err=True)
    db.session().rollback()
    sys.exit(1)


def _tell(lines: list[str]) -> None:
    db.session().commit()
    for line in lines:
        click.echo(line)


def _when(since: datetime | None = None) -> When:
    today = clock.today()
    return When(clock.now(), today, since.date() if since else today)


@import_group.command("districts")
@FILE
@COMMUNITY
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From which day on; else today.")
@DATUM
@LANGUAGE
def import_districts(file: Path, code: str, since: datetime | None, datum: str, language: str | None) -> None:
    """Bring districts in from FILE, GeoJSON polygons with code, name, lead, partner (user names)."""
    with _community(code, language) as actor:
        done = files.bring_districts(db.session(), actor, file.read_bytes(), _when(since), datum=datum)
        _tell(words.districts_lines(done))
        _doubt(done.misplaced)


def _doubt(found: Misplaced | None) -> None:
    """Say on the error stream what a person ought to look at; it was stored all the same."""
    if said := words.misplaced_line(found):
        click.echo(said, err=True)


def _pairs(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair}: key=value")
        pairs[key] = value
    return pairs


@import_group.command("buildings")
@FILE
@COMMUNITY
@click.option("--where", multiple=True, callback=_pairs, help="key=value: only features with this property.")
@click.option("--lay-out", is_flag=True, help="Lay doors out where a building has none.")
@DATUM
@LANGUAGE
def import_buildings(
    file: Path, code: str, where: dict[str, str], lay_out: bool, datum: str, language: str | None
) -> None:
    """Bring buildings in from FILE, GeoJSON polygons or points: code, name, street, housenumber, levels …"""
    with _community(code, language) as actor:
        data = file.read_bytes()
        done = files.bring_buildings(db.session(), actor, data, _when(), where=where, lay_out=lay_out, datum=datum)
        _tell(words.buildings_lines(done))
        _doubt(done.misplaced)


@import_group.command("households")
@FILE
@COMMUNITY
@click.option("--good-rows", is_flag=True, help="Store the good rows when there are bad ones.")
@LANGUAGE
def import_households(file: Path, code: str, good_rows: bool, language: str | None) -> None:
    """Bring households and people in from FILE, XLSX or CSV, one row a person."""
    with _community(code, language) as actor:
        done = files.bring_households(db.session(), actor, file.read_bytes(), _when(), good_rows=good_rows)
        for problem in done.skipped:
            click.echo(words.row_text(problem), err=True)
        _tell(words.households_lines(done))


@import_group.command("residents")
@FILE
@COMMUNITY
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON: new, changed, same, unclear.")
@click.option("--skip-unclear", is_flag=True, help="Leave rows out that are not clear; else nothing is stored.")
@click.option("--by", "username", help="Whose changes these are: a user name; else the community's director.")
@LANGUAGE
def import_residents(
    file: Path,
    code: str,
    dry_run: bool,
    as_json: bool,
    skip_unclear: bool,
    username: str | None,
    language: str | None,
) -> None:
    """Bring residents in from FILE, XLSX or CSV as the committee has it, one row a person."""
    with _community(code, language) as actor:
        session, when = db.session(), _when()
        author_id = resident_queries.author_id(session, actor, username)
        if username is not None and author_id is None:
            raise click.ClickException(_("这个社区没有这个用户名：%(name)s", name=username))
        resident_queries.hold_households(session, actor)
        try:
            rows, headings = resident_files.open_sheet(session, actor, file.read_bytes())
            plan = resident_files.plan_sheet(session, actor, rows, headings, when.today)
        except Refused as refused:
            if as_json:
                click.echo(json.dumps(resident_words.refused_json(refused.problems), ensure_ascii=False))
            raise
        if as_json:
            click.echo(json.dumps(resident_words.as_json(plan), ensure_ascii=False))
        else:
            click.echo(resident_words.plan_line(plan))
            for problem in plan.unclear:
                click.echo(resident_words.problem_text(problem), err=True)
        if dry_run:
            session.rollback()
            return
        if plan.unclear and not skip_unclear:
            session.rollback()
            click.echo(_("有 %(n)s 处看不清，什么都没有存。", n=len(plan.unclear)), err=True)
            sys.exit(1)
        if author_id is None and plan.of(Kind.CHANGED):
            raise click.ClickException(_("这个社区还没有主任的账号，改动记不了是谁改的。"))
        by = replace(actor, user_id=author_id) if username is not None else actor
        done = resident_files.bring_residents(session, by, author_id, plan, None, when)
        session.commit()
        if not as_json:
            for line in resident_words.done_lines(done):
                click.echo(line)


def _write(output: Path | None, data: bytes) -> None:
    db.session().commit()
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        output.write_bytes(data)


@export_group.command("districts")
@COMMUNITY
@OUTPUT
@LANGUAGE
def export_districts(code: str, output: Path | None, language: str | None) -> None:
    """Write the districts of today as GeoJSON."""
    with _community(code, language) as actor:
        files.leave_export_trace(db.session(), actor, "districts", clock.now())
        _write(output, files.take_districts(db.session(), actor, clock.today()))


@export_group.command("buildings")
@COMMUNITY
@OUTPUT
@LANGUAGE
def export_buildings(code: str, output: Path | None, language: str | None) -> None:
    """Write the buildings as GeoJSON."""
    with _community(code, language) as actor:
        files.leave_export_trace(db.session(), actor, "buildings", clock.now())
        _write(output, files.take_buildings(db.session(), actor))


@export_group.command("households")
@COMMUNITY
@OUTPUT
@LANGUAGE
def export_households(code: str, output: Path | None, language: str | None) -> None:
    """Write the registry as XLSX or CSV, by the ending of the file; CSV on standard output."""
    form = "xlsx" if output is not None and output.suffix.lower() == ".xlsx" else "csv"
    if output is not None and output.suffix.lower() not in (".xlsx", ".csv"):
        raise click.BadParameter(".xlsx / .csv", param_hint="-o")
    with _community(code, language) as actor:
        files.leave_export_trace(db.session(), actor, "households", clock.now())
        written: Language = "en" if words.is_english() else "zh"
        data = files.take_households(db.session(), actor, clock.today(), written, form, _("住户"))
        _write(output, data)


@export_group.command("residents")
@COMMUNITY
@OUTPUT
@click.option("--full-numbers", is_flag=True, help="ID numbers in full; needs --reason.")
@click.option("--reason", help="Why they are needed; kept in the audit trail.")
@LANGUAGE
def export_residents(
    code: str, output: Path | None, full_numbers: bool, reason: str | None, language: str | None
) -> None:
    """Write the residents as XLSX, as `import residents` reads them; ID numbers with stars."""
    _refuse_other_endings(output)
    if full_numbers and not (reason or "").strip():
        raise click.UsageError("--full-numbers --reason …")
    with _community(code, language) as actor:
        why = (reason or "").strip() if full_numbers else None
        if why and (said := resident_words.reason_fault(why)):
            raise click.ClickException(said)
        taker = Taker(_("命令行"), actor.name)
        _write(output, resident_files.take_residents(db.session(), actor, taker, _when(), why))


@export_group.command("visits")
@COMMUNITY
@OUTPUT
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day; else today.")
@LANGUAGE
def export_visits(
    code: str, output: Path | None, since: datetime, until: datetime | None, language: str | None
) -> None:
    """Write the visit log of a period as XLSX, in the columns that city platforms ask for."""
    _refuse_other_endings(output)
    with _community(code, language) as actor:
        last = until.date() if until else clock.today()
        taker = Taker(_("命令行"), actor.name)
        _write(output, resident_files.take_visits(db.session(), actor, taker, _when(), since.date(), last))


def _refuse_other_endings(output: Path | None) -> None:
    if output is not None and output.suffix.lower() != ".xlsx":
        raise click.BadParameter(".xlsx", param_hint="-o")
