"""A foreign page posts every form of the program, as fetch and as navigation, and nothing of it is ever taken.

Two foreign pages: on another port of the same host (same site, another origin: the cookie comes along) and on another
host (another site). With the service worker installed and without, as a worker and as a director.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

from fieldapp.app import create_app
from tests.browser.doors import doors_of, rows, visit

pytestmark = pytest.mark.browser

FIELDS = {
    "outcome": "met",
    "sentence": "外面来的一句",
    "username": "worker2",
    "password": "fieldapp-demo",
    "current": "fieldapp-demo",
    "repeated": "another long one",
    "language": "en",
    "field": "phone",
    "value": "154 0000 0000",
    "choice": "theirs",
    "deed": "add",
    "entrance": "1",
    "floor": "9",
    "room": "999",
    "quota": "1",
    "q": "张",
    "ids": "01a20000-0000-7000-8000-000000000000",
}


class _Foreign(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def foreign() -> Iterator[int]:
    """The port of somebody else's site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


_FETCH = """async ([address, fields, kind]) => {
  let body = new URLSearchParams(fields);
  if (kind === "multipart") { body = new FormData(); for (const [k, v] of Object.entries(fields)) body.append(k, v); }
  if (kind === "text") body = new Blob([new URLSearchParams(fields).toString()], { type: "text/plain" });
  const asked = fetch(address, { method: "POST", mode: "no-cors", credentials: "include", body });
  return asked.then((answer) => answer.type, () => "refused");
}"""

# With the headers of an item: they ask for a preflight, which nobody answers.
_ITEM = """async ([address, fields, user]) => {
  const headers = { "Outbox-Id": "01a20000-0000-7000-8000-00000000000a", "Outbox-User": user, "Outbox-Number": "1" };
  const body = new URLSearchParams(fields);
  const asked = fetch(address, { method: "POST", credentials: "include", headers, body });
  return asked.then((answer) => answer.status, () => "refused");
}"""

_SUBMIT = """([address, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: address });
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}"""


def _forms(program, household: str) -> list[str]:
    """The address of every route that takes a form, with keys that exist."""
    building = rows(
        program,
        "SELECT d.building_id FROM household h JOIN dwelling d ON d.id = h.dwelling_id WHERE h.id = ?",
        household.replace("-", ""),
    )[0][0]
    keys = {"household_id": household, "building_id": building}
    for name, table in {
        "visit_id": "visit",
        "follow_up_id": "follow_up",
        "resident_id": "resident",
        "user_id": "user_account",
    }.items():
        keys[name] = rows(program, f"SELECT id FROM {table} LIMIT 1")[0][0]  # the names stand above
    app = create_app({"INSTANCE_PATH": str(program.instance)})
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "POST" in (rule.methods or ()):
                values = {name: keys.get(name, household) for name in rule.arguments}
                found.append(app.url_for(rule.endpoint, **values))
    assert len(found) >= 24
    return sorted(set(found))


def _everything(program) -> dict[str, str]:
    """A digest of each table."""
    with closing(sqlite3.connect(program.instance / "fieldapp.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: hashlib.sha256(repr(connection.execute(f"SELECT * FROM {table}").fetchall()).encode()).hexdigest()
            for table in tables
        }


def _attack(page: Page, home: str, address: str, forms: list[str], user: str) -> list[str]:
    """Post every form from a foreign page; gives the titles of the pages that came back."""
    said = []
    page.goto(home)
    for form in forms:
        for kind in ("urlencoded", "multipart", "text"):
            page.evaluate(_FETCH, [address + form, FIELDS, kind])
        assert page.evaluate(_ITEM, [address + form, FIELDS, user]) == "refused"
    for form in forms:
        page.goto(home)
        with page.expect_navigation():
            page.evaluate(_SUBMIT, [address + form, FIELDS])
        said.append(page.title())
    return said


@pytest.mark.parametrize("person", ["worker1", "director"])
@pytest.mark.parametrize("has_worker", [True, False], ids=["service worker", "none"])
def test_no_form_of_a_foreign_page_is_taken(program, new_phone, foreign, person, has_worker):
    phone = new_phone()
    if not has_worker:
        phone.switch_off()
        phone.switch_on(service_workers="block")
    page = phone.page
    page.goto("/sign-in")
    page.fill("input[name=username]", person)
    page.fill("input[name=password]", "fieldapp-demo")
    page.click("button.primary")
    page.wait_for_url(lambda address: "/sign-in" not in address)
    phone.wait_until(lambda: person != "worker1" or phone.is_packed(), "no pack")
    household = rows(program, "SELECT id FROM household ORDER BY id LIMIT 1")[0][0]
    user = page.evaluate("() => document.body.dataset.user")
    forms = _forms(program, household)
    before = _everything(program)
    for home in (f"http://127.0.0.1:{foreign}/", f"http://localhost:{foreign}/"):
        titles = _attack(page, home, phone.gate.address, forms, user)
        assert set(titles) == {"服务器没收下"}
    # Nothing was kept to be sent later, nothing has changed, and whoever was signed in still is.
    page.goto("/me")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => document.body.dataset.user") == user
    if person == "worker1":
        assert phone.items() == []
    assert {table for table, digest in _everything(program).items() if before[table] != digest} == set()


def test_the_same_forms_are_taken_from_our_own_page(program, new_phone):
    """Or the test above could not fail."""
    phone = new_phone()
    phone.sign_in("worker1")
    before = _everything(program)
    [household] = doors_of(phone.page, 1)
    visit(phone.page, household, "自己写的一句")
    phone.wait_until_sent()
    changed = {table for table, digest in _everything(program).items() if before[table] != digest}
    assert {"visit", "receipt"} <= changed
