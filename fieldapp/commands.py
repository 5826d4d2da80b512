"""The commands of `flask --app wsgi`: how an office starts, makes accounts, and brings files in and out."""

import secrets

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from fieldapp import clock, db, schema
from fieldapp.accounts import operations as accounts
from fieldapp.accounts import queries as account_queries
from fieldapp.accounts.rules import Role, password_fault
from fieldapp.demo.operations import make_demo
from fieldapp.exchange.commands import export_group, import_group
from fieldapp.households import commands as household_commands
from fieldapp.households.operations import add_default_care_groups
from fieldapp.places import queries as place_queries
from fieldapp.places.operations import create_community
from fieldapp.planning import commands as planning_commands
from fieldapp.privacy import commands as privacy_commands
from fieldapp.spotchecks import commands as spotcheck_commands
from fieldapp.sync import commands as sync_commands
from fieldapp.sync import notice

user_group = AppGroup("user", help="Accounts.")


def init_app(app: Flask) -> None:
    """Add the program's commands to `flask`."""
    app.cli.add_command(import_group)
    app.cli.add_command(export_group)
    app.cli.add_command(user_group)
    app.cli.add_command(init)
    app.cli.add_command(demo)
    app.cli.add_command(upgrade)
    app.cli.add_command(start)
    sync_commands.init_app(app)
    household_commands.init_app(app)
    spotcheck_commands.init_app(app)
    privacy_commands.init_app(app)
    planning_commands.init_app(app)


@click.command("upgrade")
def upgrade() -> None:
    """Bring the database up to this version of the program."""
    schema.upgrade(db.engine())
    notice.look()


@click.command("init")
@click.option("--name", prompt="社区名称 Community name")
@click.option("--code", prompt="社区代码 Community code")
@click.option("--street", prompt="街道代码 Street code", default="", show_default=False)
@click.option("--admin", prompt="管理员用户名 Administrator's user name", default="admin")
@click.password_option("--password", prompt="管理员密码 Administrator's password")
def init(name: str, code: str, street: str, admin: str, password: str) -> None:
    """Start a real office: its community and the first administrator. No demonstration."""
    schema.upgrade(db.engine())
    session = db.session()
    if fault := password_fault(password, admin):
        raise click.ClickException(PASSWORD_ADVICE[fault])
    if place_queries.community_by_code(session, code):
        raise click.ClickException(f"社区代码已经有了 This code is taken: {code}")
    if account_queries.user_by_name(session, admin):
        raise click.ClickException(f"用户名已经有了 This name is taken: {admin}")
    community = create_community(session, code=code, name=name, street_code=street or None)
    add_default_care_groups(session, community)
    accounts.create_user(
        session, username=admin, name=admin, role=Role.ADMIN, password=password, must_change_password=False
    )
    session.commit()
    click.echo(f"{name} ({code}) 建好了。下一步 next: flask --app wsgi user add …, import buildings …")


PASSWORD_ADVICE = {
    "short": "密码至少 8 位 A password has 8 signs or more.",
    "same": "密码不能和用户名一样 The password is not the user name.",
    "simple": "密码不能只用一两个字符 The password needs three different signs or more.",
}


@user_group.command("add")
@click.argument("username")
@click.option("--name", prompt="姓名 Name")
@click.option("--role", type=click.Choice([role.value for role in Role]), prompt="角色 Role")
@click.option("--community", help="Code of the community, for a worker or director.")
@click.option("--street", help="Code of the street, for a street office.")
@click.option("--phone")
@click.option("--password", help="First password; made up and printed when left out.")
def add_user(
    username: str,
    name: str,
    role: str,
    community: str | None,
    street: str | None,
    phone: str | None,
    password: str | None,
) -> None:
    """Add an account; its first password is to be changed at the first sign-in."""
    session = db.session()
    if account_queries.user_by_name(session, username):
        raise click.ClickException(f"用户名已经有了 This name is taken: {username}")
    found = place_queries.community_by_code(session, community) if community else None
    if community and not found:
        raise click.ClickException(f"没有这个社区 No community has this code: {community}")
    if role in (Role.WORKER, Role.DIRECTOR) and not found:
        raise click.ClickException("要写 --community Workers and directors need --community.")
    if role == Role.STREET and not street:
        raise click.ClickException("要写 --street A street office needs --street.")
    first = password or secrets.token_urlsafe(9)
    accounts.create_user(
        session,
        username=username,
        name=name,
        role=Role(role),
        password=first,
        phone=phone,
        community_id=found.id if found else None,
        street_code=street,
    )
    session.commit()
    click.echo(f"{username}: {first}" if password is None else username)


@click.command("demo")
def demo() -> None:
    """Make the demonstration community, in a database that holds nothing yet."""
    schema.upgrade(db.engine())
    session = db.session()
    if place_queries.all_communities(session):
        raise click.ClickException("数据库里已经有社区了 This database has a community already.")
    make_demo(session, today=clock.today(), now=clock.now())
    session.commit()
    current_app.logger.info("the demonstration community is made")


@click.command("start")
def start() -> None:
    """Bring the database up, make the demonstration in one that holds nothing, say who signs in: before `make run`."""
    schema.upgrade(db.engine())
    notice.look()
    session = db.session()
    if not place_queries.all_communities(session) and not account_queries.user_by_name(session, "admin"):
        click.echo("正在建演示社区 Making the demonstration community …")
        make_demo(session, today=clock.today(), now=clock.now())
        session.commit()
    if place_queries.any_demo(session):
        click.echo("演示账号 Sign in as: worker1 … worker10, director, street, admin  密码 password: fieldapp-demo")
