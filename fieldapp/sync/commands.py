"""The commands that tell phones what is in a backup, and that the database came back from one."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask import Flask, current_app

from fieldapp import clock, db
from fieldapp.privacy.commands import erase_again
from fieldapp.sync import notice, operations

STILL_RUNNING = timedelta(minutes=1)
"""What was received shortly before a dump began may have been committed after; a phone keeps it until the next one."""


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    app.cli.add_command(backup)
    app.cli.add_command(backed_up)
    app.cli.add_command(restored)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE while the program runs, and its photos to the folder `photos` beside FILE."""
    url = db.engine().url
    if url.get_backend_name() != "sqlite" or not url.database:
        raise click.ClickException(
            "PostgreSQL: 用 pg_dump 备份，再说一声从什么时候起 use pg_dump, then say from when on:\n"
            '  now=$(date -u +%FT%TZ); pg_dump … && flask --app wsgi backed-up --until "$now"'
        )
    if not file.parent.is_dir():
        raise click.ClickException(f"没有这个文件夹 There is no such folder: {file.parent}")
    if file.exists() and file.samefile(url.database):
        raise click.ClickException("这就是正在用的数据库 This is the database itself.")
    with db.writing():
        # Whoever writes holds this lock while it takes its moment: what came in before this one is in the copy.
        operations.ensure_epoch(db.session(), clock.now())
        until = clock.now()
    _copy_database(Path(url.database), file)
    count = _copy_photos(Path(current_app.config["PHOTO_PATH"]), file.parent / "photos")
    operations.note_backup(db.session(), until)
    db.session().commit()
    click.echo(f"备份好了 Backed up: {file}，新照片 new photos: {count}")


def _copy_database(source: Path, file: Path) -> None:
    """Copy aside, look at the copy, rename: FILE is a whole database or what it was before."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(aside)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise click.ClickException("备份没有通过检查 The copy is damaged.")
        _flush(aside)
        os.replace(aside, file)
        _flush(file.parent)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"没有备份成 Not backed up: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


def _copy_photos(store: Path, folder: Path) -> int:
    """Copy the photos that are not there yet; their names are their bytes' own. Photos are kept before they are named
    in the database, so all that the copy names are here. Gives how many were new."""
    if not store.is_dir() or (folder.is_dir() and folder.samefile(store)):
        return 0
    count = 0
    for photo in sorted(store.glob("??/*.jpg")):
        kept = folder / photo.relative_to(store)
        if kept.exists():
            continue
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = kept.with_name(f".{kept.name}.{os.getpid()}")
        shutil.copyfile(photo, aside)
        _flush(aside)
        os.replace(aside, kept)
        _flush(kept.parent)
        count += 1
    return count


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@click.command("backed-up")
@click.option("--until", required=True, help="When the backup began: 2026-11-18T02:00:00Z.")
def backed_up(until: str) -> None:
    """Say that everything received until then is in a backup, photos too: phones need not keep it any longer."""
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.ClickException("写成 2026-11-18T02:00:00Z Write it like this, with its time zone.")
    if moment > clock.now():
        raise click.ClickException("还没到这个时间 This is still to come.")
    operations.note_backup(db.session(), moment.astimezone(UTC) - STILL_RUNNING)
    db.session().commit()
    click.echo(f"记下了 Noted: {moment.isoformat()}")


@click.command("restored")
def restored() -> None:
    """Say that the database came back from a backup: phones send again what it lacks."""
    notice.begin()
    if count := erase_again():
        click.echo(f"清除过的又清了一遍 Erased again: {count}")
    click.echo("记下了，手机会把缺的再发一遍 Noted: phones will send again what is missing.")
