"""`flask --app wsgi import …` and `export …`: a community's files in and out. Each commits once, at the end."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from flask_babel import gettext as _

from fieldapp import clock, db
from fieldapp.accounts.rules import Actor, Role
from fieldapp.exchange import files, words
from fieldapp.exchange.columns import Language
from fieldapp.exchange.files import When
from fieldapp.exchange.problems import Refused
from fieldapp.places import queries as places
from geo.geojson import GeoJSONError

F = TypeVar("F", bound=Callable[..., Any])

import_group = AppGroup("import", help="Bring districts, buildings or households of a community in.")
export_group = AppGroup("export", help="Take districts, buildings or households of a community out.")

LANGUAGE = click.option("--language", type=click.Choice(["zh_Hans", "en"]), help="Else the community's.")
COMMUNITY = click.option("--community", "code", required=True, help="The community's code.")
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
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
@LANGUAGE
def import_districts(file: Path, code: str, since: datetime | None, language: str | None) -> None:
    """Bring districts in from FILE, GeoJSON polygons with code, name, lead, partner (user names)."""
    with _community(code, language) as actor:
        _tell(words.districts_lines(files.bring_districts(db.session(), actor, file.read_bytes(), _when(since))))


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
@LANGUAGE
def import_buildings(file: Path, code: str, where: dict[str, str], lay_out: bool, language: str | None) -> None:
    """Bring buildings in from FILE, GeoJSON polygons or points: code, name, street, housenumber, levels …"""
    with _community(code, language) as actor:
        data = file.read_bytes()
        done = files.bring_buildings(db.session(), actor, data, _when(), where=where, lay_out=lay_out)
        _tell(words.buildings_lines(done))


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
