"""The tray: what the server refused and what to do about it, and the file that carries what waits to another phone."""

import json
import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from fieldapp import clock
from tests.browser.doors import arrived, doors_of, fill_visit, key, picture, rows, save, taken_in, visit

pytestmark = pytest.mark.browser


def test_what_was_refused_says_why_and_is_saved_anew_or_thrown_away(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    page = phone.page
    first, second, third = doors_of(page, 3)
    phone.lose_signal()
    long_ago = (clock.now().astimezone(clock.COMMUNITY_ZONE) - timedelta(days=500)).strftime("%Y-%m-%dT%H:%M")
    refused = visit_with_nobody(page, first, "要补的一句", photos=[picture("teal"), picture("olive")])
    visit_long_ago(page, second, "不要了的一句", long_ago, photos=[picture("navy")])
    visit(page, third, "没毛病的一句", photos=[picture("maroon")])
    page.goto("/outbox")
    expect(page.locator("[data-count=words]")).to_have_text("3")
    expect(page.locator("[data-count=photos]")).to_have_text("4")
    expect(page.locator("[data-photo-bytes]")).to_have_text(re.compile(r" · \d+\.\d MB"))
    phone.find_signal()
    phone.wait_until(lambda: len(taken_in(program)) == 2, "one bad item held up another")
    bad = page.locator("[data-part=refused] li")
    expect(bad).to_have_count(2)
    expect(bad.first).to_contain_text("服务器没收下：名单里没有这个人，重新选。")
    expect(bad.nth(1)).to_contain_text("服务器没收下：太早了，最多补一年以内的。")
    assert not any("太早了" in str(item) for item in phone.items())  # why may name a resident: it is sealed
    expect(page.locator("[data-count=photos]")).to_have_text("3")  # they wait for their words
    bad.first.get_by_role("button", name="看写了什么").tap()
    expect(bad.first.locator("[data-wrote]")).to_contain_text("要补的一句")

    drop = bad.nth(1).get_by_role("button", name="不要了")
    drop.tap()
    expect(bad.nth(1).locator("[data-drop]")).to_have_text("再点一次就删掉")
    expect(bad).to_have_count(2)
    bad.nth(1).locator("[data-drop]").tap()
    expect(bad).to_have_count(1)
    expect(page.locator("[data-count=photos]")).to_have_text("2")

    bad.first.get_by_role("link", name="改一改再存").tap()
    expect(page.locator("textarea[name=sentence]")).to_have_value("要补的一句")
    made = next(item["madeAt"] for item in phone.items() if item["id"] == refused)
    at = datetime.fromisoformat(made).astimezone(clock.COMMUNITY_ZONE)
    expect(page.locator("input[name=visited_at]")).to_have_value(f"{at:%Y-%m-%dT%H:%M}")
    expect(page.locator("input[name=outcome]:checked")).to_have_value("met")
    expect(page.locator("select[name=companion_id]")).to_have_value("")
    anew = save(page)
    phone.wait_until_sent()
    assert rows(program, "SELECT count(*) FROM visit WHERE id IN (?, ?)", key(anew), key(refused)) == [(1,)]
    assert arrived(program, "%的一句") == [("没毛病的一句", "worker1", 1), ("要补的一句", "worker1", 2)]
    page.goto("/outbox")
    expect(page.locator("[data-empty]")).to_be_visible()
    expect(page.locator("[data-part=arrived] [data-number]")).to_have_text("2")
    assert [item["state"] for item in phone.items()] == ["sent"] * 5


def visit_with_nobody(page, household, sentence, photos):
    """Log a visit that somebody came along to whom the office does not know: gone since the page was stored."""
    page.goto(f"/households/{household}/visits/new")
    fill_visit(page, sentence, photos)
    stranger = "select => { select.append(new Option('', '01890000-0000-7000-8000-000000000000', true, true)); }"
    page.locator("select[name=companion_id]").evaluate(stranger)
    return save(page)


def visit_long_ago(page, household, sentence, moment, photos):
    """Log a visit of a time that the server does not take."""
    page.goto(f"/households/{household}/visits/new")
    fill_visit(page, sentence, photos)
    page.locator("details.fold summary", has_text="时间、方式").tap()
    page.fill("input[name=visited_at]", moment)
    return save(page)


def test_a_file_carries_what_waits_to_another_phone(program, new_phone, tmp_path):
    old = new_phone("old")
    old.sign_in("worker1")
    home, other_home = doors_of(old.page, 2)
    [(name,)] = rows(program, "SELECT name FROM resident WHERE household_id = ? AND relation = '02'", key(home))
    old.lose_signal()
    visit(old.page, home, f"{name}写在文件里", photos=[picture("teal")])
    visit(old.page, other_home, "第二句写在文件里", urgent=True)
    old.page.goto("/outbox")
    with old.page.expect_download() as download:
        old.page.get_by_role("button", name="存成文件").tap()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name.endswith(".outbox.json")
    text = file.read_text()
    assert name not in text and "写在文件里" not in text and json.dumps(name)[1:-1] not in text

    new = new_phone("new")
    new.sign_in("worker2")
    assert read_in(new.page, file) == "这个文件是别人的。本人登录以后才能读。"
    assert new.items() == []
    new.page.goto("/me")
    new.page.get_by_role("button", name="退出登录").tap()
    new.page.wait_for_url(re.compile("/sign-in"))
    new.sign_in("worker1")
    cut = tmp_path / "cut.outbox.json"
    cut.write_text(text[: len(text) // 2])
    assert read_in(new.page, cut) == "打不开这个文件，可能没拷全。在原来的手机上再存一次。"
    foreign = tmp_path / "foreign.json"
    foreign.write_text('{"other": 1}')
    assert "这不是待发送的文件" in read_in(new.page, foreign)
    assert new.items() == []

    new.lose_signal()
    assert read_in(new.page, file) == "从文件读进 3 条。"
    assert read_in(new.page, file) == "从文件读进 0 条。"
    expect(new.page.locator("[data-part=waiting] li").first).to_contain_text("紧急")
    old.find_signal()
    new.find_signal()
    for phone in (old, new):
        phone.page.get_by_role("button", name="现在发送").tap()
    old.wait_until_sent()
    new.wait_until_sent()
    assert {item["state"] for phone in (old, new) for item in phone.items()} == {"sent"}
    assert sorted(arrived(program, "%写在文件里")) == sorted(
        [(f"{name}写在文件里", "worker1", 1), ("第二句写在文件里", "worker1", 0)]
    )
    assert len(taken_in(program)) == 3


def read_in(page, file):
    """Read a file into the tray; gives what is said then."""
    page.goto("/outbox")
    page.locator("[data-read-file]").set_input_files(file)
    expect(page.locator("[data-file-said]")).to_be_visible()
    return page.locator("[data-file-said]").inner_text()
