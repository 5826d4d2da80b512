"""`flask --app wsgi care`: the care memberships that facts decide."""

import click
from flask import Flask
from flask.cli import AppGroup

from fieldapp import clock, db
from fieldapp.households.care_operations import apply_dynamic_care
from fieldapp.places import queries as places

care_group = AppGroup("care", help="Care groups.")


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    app.cli.add_command(care_group)


@care_group.command("refresh")
@click.option("--community", help="Code of one community; all when left out.")
def refresh(community: str | None) -> None:
    """Raise and end the memberships that facts decide, as of today. Doing it again changes nothing."""
    session = db.session()
    found = [one for one in places.all_communities(session) if community in (None, one.code)]
    if not found:
        raise click.ClickException(f"没有这个社区 No community has this code: {community}")
    for one in found:
        changed = apply_dynamic_care(session, one.id, clock.today())
        session.commit()
        click.echo(f"{one.code}: {changed}")
