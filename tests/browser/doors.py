"""What a worker does at the doors, by hand on a phone, and what the program's database then says of it."""

import re
import sqlite3
from contextlib import closing
from io import BytesIO
from typing import Any
from uuid import UUID

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from fieldapp.seals import kept_keyring
from tests.browser.program import Program


def picture(colour: str) -> FilePayload:
    """A real JPEG, as a file chooser takes it."""
    out = BytesIO()
    Image.effect_noise((900, 700), 40).convert("RGB").save(out, "JPEG")
    tinted = Image.open(out).convert("RGB")
    tinted.paste(colour, (0, 0, 450, 700))
    out = BytesIO()
    tinted.save(out, "JPEG")
    return {"name": "门口.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def doors_of(page: Page, count: int) -> list[str]:
    """The first doors of Today, by their households' keys."""
    links = page.locator("[data-door-of]").evaluate_all("rows => rows.map((row) => row.dataset.doorOf)")
    return list(dict.fromkeys(links))[:count]


def fill_visit(page: Page, sentence: str, photos: list[FilePayload] | None = None) -> None:
    """Fill the visit form that is open: met, nothing changed, a sentence."""
    page.locator("label.outcome.main").tap()
    page.fill("textarea[name=sentence]", sentence)
    if photos:
        page.locator("input[name=photos]").nth(1).set_input_files(photos)
        expect(page.locator(".photo-shown")).to_have_count(len(photos))


def save(page: Page) -> str:
    """Save the visit form that is open; gives the visit's key as the phone made it."""
    page.get_by_role("button", name="保存").tap()
    page.wait_for_url(re.compile("/saved#"))
    expect(page.locator("[data-said]")).not_to_be_empty()
    return page.url.partition("#")[2]


def visit(
    page: Page, household: str, sentence: str, *, photos: list[FilePayload] | None = None, urgent: bool = False
) -> str:
    """Log a visit at a door by hand; gives the visit's key as the phone made it."""
    page.goto(f"/households/{household}")
    page.get_by_role("link", name="走访", exact=True).tap()
    fill_visit(page, sentence, photos)
    if urgent:
        page.locator("input[name=urgent]").check()
    return save(page)


def rows(program: Program, statement: str, *values: Any) -> list[Any]:
    """Ask the program's database."""
    with closing(sqlite3.connect(program.instance / "fieldapp.db")) as connection:
        return connection.execute(statement, values).fetchall()


def opened(program: Program, table: str, row: str, column: str) -> str | None:
    """A value that lies sealed in the program's database, open."""
    [(sealed,)] = rows(program, f"SELECT {column} FROM {table} WHERE id = ?", row)
    keys = kept_keyring(program.instance / "registry_keys")
    return sealed and keys.open(sealed, table, UUID(row), column)


def write(program: Program, statement: str, *values: Any) -> None:
    """Change the program's database behind its back."""
    with closing(sqlite3.connect(program.instance / "fieldapp.db")) as connection, connection:
        connection.execute(statement, values)


def arrived(program: Program, pattern: str) -> list[tuple[str, str, int]]:
    """The visits whose sentence is like `pattern`, in the order the server got them: sentence, its writer, photos."""
    found: list[tuple[str, str, int]] = rows(
        program,
        "SELECT v.sentence, u.username, count(p.id) FROM visit v JOIN user_account u ON u.id = v.visitor_id"
        " LEFT JOIN photo p ON p.visit_id = v.id WHERE v.sentence LIKE ?"
        " GROUP BY v.id ORDER BY v.recorded_at, v.id",
        pattern,
    )
    return found


def taken_in(program: Program) -> list[str]:
    """The keys of all items that the server has a receipt for, in the order they came."""
    return [key for (key,) in rows(program, "SELECT id FROM receipt ORDER BY received_at, number")]


def key(text: str) -> str:
    """A key as SQLite keeps it."""
    return text.replace("-", "")


def to_second(moment: str) -> str:
    """A moment of a phone or of SQLite, to the second."""
    return moment[:19].replace("T", " ")
