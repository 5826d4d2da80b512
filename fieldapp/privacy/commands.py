"""Commands of an office: erase what is due, give the registry a new key."""

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from fieldapp import clock, db, seals
from fieldapp.accounts.rules import Actor, Role
from fieldapp.places import queries as places
from fieldapp.privacy import operations, queries, remembered, resealing
from fieldapp.privacy.rules import term_of

erase_group = AppGroup("erase", help="Records of people who have left.")


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    app.cli.add_command(erase_group)
    app.cli.add_command(new_key)


@erase_group.command("due")
@click.option("--community", "code", required=True, help="Code of the community.")
@click.option("--dry-run", is_flag=True, help="Only say how many.")
def erase_due(code: str, dry_run: bool) -> None:
    """Erase the records whose term is over."""
    session, now = db.session(), clock.now()
    community = places.community_by_code(session, code)
    if community is None:
        raise click.ClickException(f"没有这个社区 No community has this code: {code}")
    everywhere = Actor(None, "", Role.DIRECTOR, community_id=community.id)
    people = queries.due(session, everywhere, clock.today(), term_of(community.registry_settings))
    if not dry_run:
        gone = [
            key
            for person in people
            if person.resident.erased_at is None
            for key in operations.erase(session, None, person.resident, "term", now)
        ]
        remembered.remember(gone)
        session.commit()
        db.settle()
    click.echo(f"{'到期 Due' if dry_run else '清除了 Erased'}: {len(people)}")


@click.command("new-registry-key")
def new_key() -> None:
    """Seal the registry's numbers with a new key; restart the program after. The old key stays for old backups."""
    file = Path(current_app.instance_path) / "registry_keys"
    current_app.extensions["fieldapp-seals"] = seals.add_version(file)
    count = resealing.reseal(db.session())
    db.session().commit()
    db.settle()
    click.echo(f"换好了 Sealed anew: {count}")


def erase_again() -> int:
    """After a backup came back: erase again whom it brought back. Gives how many."""
    count = operations.erase_again(db.session(), remembered.all_keys(), clock.now())
    db.session().commit()
    db.settle()
    return count
