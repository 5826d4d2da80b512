"""A whole spot check by phone: drawn and opened with signal, asked without, sent once, contested and decided."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.doors import rows
from tests.browser.phones import PASSWORD, Phone

pytestmark = pytest.mark.browser


def enter(phone: Phone, username: str) -> Page:
    """Sign somebody in who may have no pack, and wait until the service worker answers for pages."""
    page = phone.page
    page.goto("/sign-in")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_url(re.compile("/(today|overview)"))
    phone.wait_until(lambda: page.evaluate("() => Boolean(navigator.serviceWorker.controller)"), "no service worker")
    return page


def draw(page: Page) -> str:
    """Draw ten households, as the director does; the check's address."""
    page.goto("/overview")
    page.get_by_role("link", name="知晓率抽查").tap()
    page.get_by_label("户数").fill("10")
    page.get_by_label("种子").fill("7")
    page.get_by_role("button", name="抽", exact=True).tap()
    page.wait_for_url(re.compile(r"/spot-checks/[0-9a-f-]{36}$"))
    return page.url.partition("/spot-checks/")[2]


def ask_one(page: Page, verdict: str) -> None:
    """One question: cover, answer, verdict; the next one is there at once."""
    question = page.locator("form.spot-question.now")
    shown = question.get_attribute("data-question")
    expect(question.locator(".spot-expected")).to_be_hidden()
    question.get_by_text("答完了，翻开").tap()
    expect(question.locator(".spot-expected")).to_be_visible()
    question.get_by_role("button", name=verdict, exact=True).tap()
    expect(page.locator(f"[data-question='{shown}'].now")).to_have_count(0)


def answers(program: Any) -> int:
    """How many answers are on record."""
    [(count,)] = rows(program, "SELECT count(*) FROM spot_answer")
    return int(count)


def test_a_spot_check_without_signal(program, new_phone):
    phone = new_phone("director")
    page = enter(phone, "director")
    key = draw(page)
    page.get_by_role("link", name="当面问").tap()
    expect(page.locator("[data-kept]")).to_be_visible()
    phone.lose_signal()
    page.goto(f"/spot-checks/{key}/table")
    assert page.evaluate("() => document.body.dataset.asOf")
    expect(page.locator("[data-run-title]")).to_have_text("抽查 1 / 10 户")

    asked = 0
    for number, verdict in ((1, "对"), (2, "不对")):
        household = page.locator("section.spot-household.now")
        assert household.get_attribute("data-number") == str(number)
        for _question in range(household.locator("form").count()):
            ask_one(page, verdict)
            asked += 1
    expect(page.locator("[data-run-title]")).to_have_text("抽查 3 / 10 户")
    assert phone.waiting() == asked
    assert answers(program) == 0

    page.goto(f"/spot-checks/{key}/table")
    expect(page.locator("[data-run-title]")).to_have_text("抽查 3 / 10 户")
    page.locator("form.now [data-before]").tap()
    expect(page.locator("form.now [data-verdict]")).to_have_text("不对")
    phone.find_signal()
    page.reload()
    phone.wait_until_sent()
    assert answers(program) == asked
    assert [item["state"] for item in phone.items()] == ["sent"] * asked
    asked_by = rows(program, "SELECT DISTINCT username FROM spot_answer a JOIN user_account u ON u.id = entered_by_id")
    assert asked_by == [("director",)]

    contest_and_decide(program, new_phone, page, key)
    draw(page)
    phone.wait_until(lambda: not any(key in url for _who, url in phone.pages()), "two checks lie on the phone")


def contest_and_decide(program: Any, new_phone: Any, director: Page, key: str) -> None:
    """The worker says a word against a verdict, the director decides; both stay on record."""
    found = rows(
        program,
        "SELECT DISTINCT username FROM spot_answer a JOIN spot_question q ON q.id = a.question_id"
        " JOIN spot_sample s ON s.id = q.sample_id JOIN user_account u ON u.id = s.answerer_id"
        " WHERE a.verdict = 'wrong'",
    )
    page = enter(new_phone("worker"), found[0][0])
    page.goto("/me")
    page.get_by_role("link", name="知晓率抽查").tap()
    page.locator(f"a[href='/spot-checks/{key}']").tap()
    page.locator("details.fold", has=page.locator("details.spot-say")).first.locator("summary.row").tap()
    page.locator("details.spot-say summary").first.tap()
    page.locator("input[name=word]").first.fill("上周刚添了一口人")
    page.get_by_role("button", name="交给主任").first.tap()
    page.wait_for_url(re.compile("/spot-checks/"))
    expect(page.get_by_text("上周刚添了一口人")).to_have_count(1)

    director.goto(f"/spot-checks/{key}")
    card = director.locator("section.spot-contest")
    expect(card).to_contain_text("上周刚添了一口人")
    card.locator(".pill", has_text="对一半").tap()
    card.locator("input[name=word]").fill("登记晚了一天")
    card.get_by_role("button", name="就这样定").tap()
    expect(card).to_contain_text("定为：对一半")
    expect(card).to_contain_text("原来记的：不对")
    assert rows(program, "SELECT word, verdict, decision FROM spot_contest") == [
        ("上周刚添了一口人", "half", "登记晚了一天")
    ]


def test_at_the_door_and_alone_without_signal(program, new_phone):
    phone = new_phone("director")
    page = enter(phone, "director")
    key = draw(page)
    page.get_by_role("link", name="上门问住户").tap()
    expect(page.locator("[data-kept]")).to_be_visible()
    phone.lose_signal()
    page.goto(f"/spot-checks/{key}/doors")
    home = page.locator("details.fold").first
    home.locator("summary").tap()
    expect(home.locator(".spot-if-agreed")).to_be_hidden()
    home.locator(".pill", has_text="愿意").first.tap()
    home.locator(".pill", has_text="有不对的").tap()
    home.locator("input[name=note]").fill("多了一个人")
    home.get_by_role("button", name="保存").tap()
    expect(home.locator("summary [data-mark]")).to_have_text("待发送")
    home.locator("summary").tap()
    expect(home.locator("form")).to_be_hidden()
    phone.find_signal()
    page.reload()
    phone.wait_until_sent()
    said = "SELECT has_agreed, is_true, knows_worker, note LIKE '%多了%' FROM spot_door"
    assert rows(program, said) == [(1, 0, None, 0)]
    assert rows(program, "SELECT count(*) FROM follow_up WHERE promise LIKE '抽查：登记的%'") == [(1,)]

    [(username, count)] = rows(
        program,
        "SELECT username, count(*) FROM spot_sample s JOIN user_account u ON u.id = s.answerer_id"
        " GROUP BY username ORDER BY 2 DESC LIMIT 1",
    )
    answer_alone(program, new_phone("worker"), username, key, count)


def answer_alone(program: Any, phone: Phone, username: str, key: str, households: int) -> None:
    """The worker answers every question alone, without signal, by the first choice; all arrive once."""
    page = enter(phone, username)
    page.goto(f"/spot-checks/{key}")
    page.get_by_role("link", name="自己答").tap()
    expect(page.locator("[data-kept]")).to_be_visible()
    phone.lose_signal()
    page.goto(f"/spot-checks/{key}/alone")
    expect(page.locator("section.spot-household.now")).to_have_count(1)
    assert page.locator("section.spot-household").count() <= households
    count = page.locator("form.spot-question").count()
    for _question in range(count):
        question = page.locator("form.spot-question.now")
        shown = question.get_attribute("data-question")
        question.locator("button[name=choice]").first.tap()
        expect(page.locator(f"[data-question='{shown}'].now")).to_have_count(0)
    expect(page.locator("[data-finish]")).to_contain_text(f"还有 {count} 条在本机")
    phone.find_signal()
    page.goto(f"/spot-checks/{key}")
    phone.wait_until_sent()
    assert rows(program, "SELECT way, count(*) FROM spot_answer GROUP BY way") == [("self", count)]
    verdicts = {verdict for (verdict,) in rows(program, "SELECT DISTINCT verdict FROM spot_answer")}
    assert verdicts <= {"right", "wrong"}
