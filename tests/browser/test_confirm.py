"""Confirming facts at the door without signal: one tap, and once it is sent nothing is asked any more."""

import pytest
from playwright.sync_api import expect

from tests.browser.doors import doors_of, rows, save

pytestmark = pytest.mark.browser


def test_nothing_changed_confirms_what_was_shown_without_signal(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker3")
    page = phone.page
    home = next(key for key in doors_of(page, 30) if _asks(page, key))
    page.goto(f"/households/{home}")
    asked = page.locator(".chip.due", has_text="核").count()
    assert asked
    phone.lose_signal()
    page.get_by_role("link", name="走访", exact=True).tap()
    expect(page.locator("input[name=confirmed]").first).to_be_attached()
    shown = page.locator("input[name=confirmed]").evaluate_all("inputs => inputs.map((input) => input.value)")
    assert 0 < len(shown) <= 5
    page.locator("label.outcome.main").tap()
    key = save(page)
    phone.find_signal()
    phone.wait_until_sent()
    [(stamped,)] = rows(program, "SELECT count(*) FROM fact_stamp WHERE visit_id = ?", key.replace("-", ""))
    assert stamped == len(shown)
    phone.open_from_server(f"/households/{home}/visits/new")
    left = page.locator("input[name=confirmed]").evaluate_all("inputs => inputs.map((input) => input.value)")
    assert not set(left) & set(shown)


def _asks(page, key: str) -> bool:
    page.goto(f"/households/{key}/visits/new")
    expect(page.locator("form.visit-form")).to_be_visible()
    return page.locator("input[name=confirmed]").count() > 0
