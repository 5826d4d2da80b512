"""`flask --app wsgi spotcheck draw`: print a draw, so that anybody can draw a printed seed again."""

import json
import secrets
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from fieldapp import clock, db
from fieldapp.accounts.rules import Actor, Role
from fieldapp.places import queries as places
from fieldapp.places.models import Community
from fieldapp.spotchecks import operations, queries, rules
from fieldapp.spotchecks.models import SpotCheck
from fieldapp.spotchecks.rules import DrawFault, Plan

spotcheck_group = AppGroup("spotcheck", help="The monthly spot check.")

LARGEST_SEED = 2**31
FAULTS = {
    "month": "月份写成 2026-11，最晚下个月 Write the month as 2026-11, at the latest the next one.",
    "nobody": "没有可抽的户，上月抽过的要用 --again Nobody is left to draw; --again draws last month's, too.",
    "few": f"一次至少抽 {rules.SMALLEST} 户 Draw {rules.SMALLEST} households or more.",
}


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    app.cli.add_command(spotcheck_group)


@spotcheck_group.command("draw")
@click.option("--community", "code", required=True, help="The community's code.")
@click.option("--month", required=True, help="2026-11")
@click.option("--number", type=click.IntRange(1), help="How many households; else a tenth, at least ten.")
@click.option("--seed", type=click.IntRange(0, 2**62), help="Else made up, and printed.")
@click.option("--district", "districts", multiple=True, help="Code of a district, several times; else all.")
@click.option("--care-share", type=click.FloatRange(0, 1), default=rules.CARE_SHARE, show_default=True)
@click.option("--again", is_flag=True, help="Last month's households may come again.")
@click.option("--keep", is_flag=True, help="Keep it as a check; else it is only printed.")
@click.option("--json", "as_json", is_flag=True)
def draw(
    code: str,
    month: str,
    number: int | None,
    seed: int | None,
    districts: tuple[str, ...],
    care_share: float,
    again: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Draw households for a month and print them, with the kinds of question each is asked. No names."""
    session = db.session()
    community = places.community_by_code(session, code)
    if community is None:
        raise click.ClickException(f"没有这个社区 No community has this code: {code}")
    reader = Actor(None, "", Role.DIRECTOR, community.id)
    seed = secrets.randbelow(LARGEST_SEED) if seed is None else seed
    codes = {district.code: district.id for district in places.districts_on(session, reader, clock.today())}
    if unknown := [wanted for wanted in districts if wanted not in codes]:
        raise click.ClickException(f"没有这个包干区 No district has this code: {unknown[0]}")
    plan = Plan(number, tuple(codes[wanted] for wanted in districts) or None, care_share, again)
    try:
        check = operations.draw_check(session, None, community, month, plan, seed, clock.today(), clock.now())
    except DrawFault as fault:
        raise click.ClickException(FAULTS[fault.code]) from fault
    said = _told(reader, community, check, codes)
    if keep:
        session.commit()
        said["check"] = str(check.id)
    else:
        session.rollback()
    click.echo(json.dumps(said, ensure_ascii=False, indent=2) if as_json else _lines(said))


def _told(reader: Actor, community: Community, check: SpotCheck, codes: dict[str, Any]) -> dict[str, Any]:
    """A draw as it is printed: doors, never names."""
    code_of = {key: code for code, key in codes.items()}
    samples = [
        {
            "household": str(sheet.sample.household_id),
            "district": code_of.get(sheet.sample.district_id),
            "building": sheet.building_name,
            "entrance": sheet.entrance,
            "room": sheet.room,
            "stratum": sheet.sample.stratum,
            "questions": [asked.kind.value for asked in sheet.questions],
        }
        for sheet in queries.sheets(db.session(), reader, check)
    ]
    return {
        "community": community.code,
        "month": check.month,
        "seed": check.seed,
        "number": len(samples),
        "plan": check.plan | {"districts": _chosen(check, codes)},
        "samples": samples,
    }


def _chosen(check: SpotCheck, codes: dict[str, Any]) -> list[str] | None:
    """The codes of the districts that were asked for; None where all were."""
    wanted = check.plan["districts"]
    return None if wanted is None else [code for code, key in codes.items() if str(key) in wanted]


def _lines(said: dict[str, Any]) -> str:
    lines = [f"seed {said['seed']} · {said['month']} · {said['number']}"]
    for sample in said["samples"]:
        place = f"{sample['district']}\t{sample['building']}\t{sample['entrance']}\t{sample['room']}"
        lines.append(f"{place}\t{sample['stratum']}\t{' '.join(sample['questions'])}")
    return "\n".join(lines)
