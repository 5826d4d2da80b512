"""`flask --app wsgi plan`: compute a division outside the request, and put in force those whose day has come."""

from uuid import UUID

import click
from flask import Flask
from flask.cli import AppGroup

from fieldapp import clock, db
from fieldapp.planning import background, computing, daily

plan_group = AppGroup("plan", help="Divisions into districts.")


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    app.cli.add_command(plan_group)


@plan_group.command("compute")
@click.argument("plan_id", type=click.UUID)
def compute(plan_id: UUID) -> None:
    """Compute the plan of this key, as the page asked for it."""
    computing.compute(db.session(), plan_id, clock.now, background.this_process())


@plan_group.command("start")
def start() -> None:
    """Put divisions in force whose day has come. The first page of a day does it, too; again changes nothing."""
    for plan_id, placed in daily.carry_out_due():
        click.echo(f"{plan_id}: {placed.moved + placed.first}")
