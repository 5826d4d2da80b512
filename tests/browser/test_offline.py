"""A day without signal: what is saved at the doors is on the phone at once and on the server once, in order."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.doors import doors_of, key, opened, picture, rows, save, taken_in, to_second, visit, write

pytestmark = pytest.mark.browser


def test_five_doors_without_signal_arrive_once_in_order(program, new_phone):
    phone = new_phone()
    phone.sign_in("worker1")
    households = doors_of(phone.page, 5)
    assert len(households) == 5
    phone.lose_signal()
    phone.switch_off()
    phone.switch_on()
    phone.page.goto("/today")
    expect(phone.page.locator(".phone-card")).to_contain_text("连不上服务器")
    before = int(phone.page.locator(".answer-met").inner_text())
    keys = []
    for number, household in enumerate(households):
        keys.append(visit(phone.page, household, f"没信号时写的第 {number} 句", photos=[picture("teal")]))
        expect(phone.page.locator("h1", has_text="已存到本机")).to_be_visible()
    phone.page.goto("/today")
    expect(phone.page.locator(".answer-met")).to_have_text(str(before + 5))
    phone.page.goto(f"/households/{households[0]}")
    expect(phone.page.locator("[data-waiting-visits]")).to_contain_text("没信号时写的第 0 句")
    phone.switch_off()
    phone.switch_on()
    phone.page.goto("/outbox")
    expect(phone.page.locator("[data-count=words]")).to_have_text("5")
    expect(phone.page.locator("[data-count=photos]")).to_have_text("5")
    assert rows(program, "SELECT count(*) FROM visit WHERE sentence LIKE '没信号时写的%'") == [(0,)]
    phone.find_signal()
    phone.page.goto("/today")
    phone.wait_until_sent()
    made = {item["id"]: item["madeAt"] for item in phone.items()}
    arrived = rows(
        program,
        "SELECT v.id, v.sentence, v.visited_at, count(p.id) FROM visit v LEFT JOIN photo p ON p.visit_id = v.id"
        " WHERE v.sentence LIKE '没信号时写的%' GROUP BY v.id ORDER BY v.recorded_at, v.id",
    )
    assert [sentence for _key, sentence, _at, _photos in arrived] == [f"没信号时写的第 {i} 句" for i in range(5)]
    assert [found for found, *_ in arrived] == list(map(key, keys))
    assert all(photos == 1 for *_, photos in arrived)
    for found, _sentence, visited_at, _photos in arrived:
        assert to_second(visited_at) == next(to_second(at) for id_, at in made.items() if key(id_) == found)
    phone.open_from_server("/today")
    expect(phone.page.locator(".phone-card")).to_have_count(0)
    expect(phone.page.locator(".answer-met")).to_have_text(str(before + 5))


def test_every_kind_of_deed_is_marked_where_it_matters_and_arrives_once(program, new_phone):
    write(program, "UPDATE community SET quota = 40")
    phone = new_phone()
    phone.sign_in("worker5")
    page = phone.page
    met, changed, urgent, *_, corrected = doors_of(page, 99)
    phone.lose_signal()
    page.goto("/today")
    before, quota = (int(page.locator(of).inner_text()) for of in (".answer-met", "span[data-quota]"))
    met_at = visit(page, met, "早上见到了", photos=[picture("teal"), picture("navy")])
    corrected_at = visit(page, corrected, "写错了的一句", photos=[picture("olive")])
    correct_what_waits(page)
    change_phone_number(page, changed)
    page.goto("/today")
    promise = page.locator("form[data-door=tick]")
    promise.first.get_by_role("button", name="办到了").tap()
    expect(page.locator("form[data-door=tick]").first).to_have_text("待发送")
    in_vain = record_nobody_home(page, met)
    assert met not in in_vain and corrected not in in_vain
    urgent_at = visit(page, urgent, "楼道里有煤气味", urgent=True)

    phone.switch_off()
    phone.switch_on()
    page = phone.page
    page.goto("/today")
    expect(page.locator(".phone-card")).to_contain_text(re.compile(r"下面是 \d+:\d\d 存到本机的"))
    expect(page.locator(".answer-met")).to_have_text(str(before + 2))  # the correction says that nobody was met
    expect(page.locator(".tick-wait")).to_have_count(min(2, max(quota - before, 0)))
    expect(page.locator(f"[data-door-of='{met}'] .chips")).to_contain_text("待发送")
    search(page, program, met)
    page.goto("/outbox")
    expect(page.locator("[data-count=words]")).to_have_text(str(6 + len(in_vain)))
    expect(page.locator("[data-count=photos]")).to_have_text("3")
    lines = page.locator("[data-part=waiting] li")
    expect(lines).to_have_count(8)  # three visits, a correction, a fact, a tick, one line of an entrance, one of photos
    expect(lines.first).to_contain_text("紧急 · ")
    expect(lines.filter(has_text=f"{len(in_vain)} 户")).to_contain_text("没人在")
    page.goto(f"/households/{corrected}")
    expect(page.locator("[data-waiting-visits] li")).to_have_count(2)
    expect(page.locator(".phone-bar")).to_contain_text(re.compile(r"没连上，这是 \d+:\d\d 存的"))
    assert taken_in(program) == []

    page.goto("/today")
    phone.find_signal()
    phone.wait_until_sent()
    expect(page.locator(".answer-met")).to_have_text(str(before + 2))  # the page that was open counts none twice
    expect(page.locator(f"[data-door-of='{met}'] .chips")).to_contain_text("已到服务器")
    items = sorted(phone.items(), key=lambda item: item["number"])
    assert sorted(taken_in(program)) == sorted(key(item["id"]) for item in items)
    assert taken_in(program)[0] == key(urgent_at)
    assert rows(program, "SELECT count(*), count(DISTINCT id) FROM visit WHERE recorded_at > ?", begun(items)) == [
        (4 + len(in_vain), 4 + len(in_vain))
    ]
    for item in items:
        at = rows(program, "SELECT made_at, number FROM receipt WHERE id = ?", key(item["id"]))
        assert [(to_second(made), number) for made, number in at] == [(to_second(item["madeAt"]), item["number"])]
    assert photos_of(program, met_at) == 2 and photos_of(program, corrected_at) == 1
    correction = "SELECT outcome, sentence, corrects_id FROM visit WHERE corrects_id IS NOT NULL AND recorded_at > ?"
    assert rows(program, correction, begun(items)) == [("nobody", "写错了，没人在", key(corrected_at))]
    for home in in_vain:
        found = "SELECT outcome FROM visit WHERE household_id = ? AND recorded_at > ?"
        assert rows(program, found, key(home), begun(items)) == [("nobody",)]
    of = {item["kind"]: to_second(item["madeAt"]) for item in items}
    [(change, *said, at)] = rows(program, "SELECT id, household_id, field, changed_at FROM fact_change")
    assert (*said, to_second(at)) == (key(changed), "phone", of["fact"])
    assert opened(program, "fact_change", change, "new") == "13900001234"
    done = rows(program, "SELECT done_at FROM follow_up WHERE done_at > ?", begun(items))
    assert [to_second(at) for (at,) in done] == [of["tick"]]

    phone.wait_until(lambda: phone.noted("packChange") == max(item["change"] for item in items), "no new pack")
    for look in (phone.open_from_server, look_without_signal(phone)):
        look("/today")
        expect(page.locator(".answer-met")).to_have_text(str(before + 2))
        expect(page.locator(".tick-wait, [data-mark]")).to_have_count(0)
        look(f"/households/{corrected}")
        expect(page.locator("[data-visit]", has_text="写错了")).to_have_count(2)
        expect(page.locator("[data-waiting-visits] li")).to_have_count(0)


def look_without_signal(phone):
    """Open a page as the phone has it now."""

    def look(address):
        phone.lose_signal()
        phone.page.goto(address)

    return look


def begun(items):
    """The phone's clock when the first item was kept, as SQLite keeps it."""
    return min(item["madeAt"] for item in items).replace("T", " ")


def photos_of(program, visit_id):
    """How many photos a visit has on the server."""
    return rows(program, "SELECT count(*) FROM photo WHERE visit_id = ?", key(visit_id))[0][0]


def correct_what_waits(page):
    """From the screen after saving: it was somebody else's door, nobody was there."""
    page.get_by_role("link", name="更正").tap()
    expect(page.locator("textarea[name=sentence]")).to_have_value("写错了的一句")
    page.get_by_role("button", name="换一个").tap()
    page.locator("label.outcome", has_text="没人在").tap()
    page.fill("textarea[name=sentence]", "写错了，没人在")
    save(page)


def change_phone_number(page, household):
    """The head has a new number."""
    page.goto(f"/households/{household}")
    page.locator("details.change summary").first.tap()
    form = page.locator("form[data-door=fact]").first
    form.locator("select[name=field]").select_option("phone")
    form.locator("[name=value]").fill("139 0000 1234")
    form.get_by_role("button", name="保存").tap()
    expect(page.locator("main")).to_contain_text(re.compile(r"电话 139 0000 1234\s*待发送"))


def record_nobody_home(page, household):
    """Nobody opened in the whole entrance but those that were met; gives the households."""
    page.goto(f"/households/{household}")
    page.get_by_role("link", name="返回楼栋").tap()
    page.get_by_role("link", name="几户没人在，一起记").tap()
    door = page.locator(f"input[value='{household}']")
    expect(page.locator(f"[data-door-of='{household}']")).to_have_class(re.compile("waits"))
    page.locator(f"button[data-entrance='{door.get_attribute('data-of')}']").tap()
    homes = page.locator("input[name=households]:checked").evaluate_all("boxes => boxes.map((box) => box.value)")
    assert len(homes) > 1
    page.get_by_role("button", name=f"记 {len(homes)} 户没人在").tap()
    page.wait_for_url(re.compile("/buildings/[^?]+$"))
    for home in homes:
        expect(page.locator(f"[data-door-of='{home}'].waits > svg.i use")).to_have_attribute("href", "#i-nobody")
    expect(page.locator(f"[data-door-of='{household}'].waits > svg.i use")).to_have_attribute("href", "#i-waiting")
    return homes


def search(page, program, household):
    """Find a door by its head's initials, by the whole pinyin and by its room, in what is on the phone."""
    head = "SELECT name, initials, pinyin FROM resident WHERE household_id = ? AND relation = '02' AND left_on IS NULL"
    [(name, initials, pinyin)] = rows(program, head, key(household))
    room = page.locator(f"[data-door-of='{household}'] .room").inner_text()
    for typed in (initials, pinyin, room):
        page.fill("input[name=q]", typed)
        expect(page.locator(f"#found a[href='/households/{household}']")).to_contain_text(name)
    page.fill("input[name=q]", "查无此人")
    expect(page.locator("#found")).to_contain_text("没有信号，只找得到存到本机的。")
