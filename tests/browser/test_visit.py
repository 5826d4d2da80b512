"""A full visit as a phone: photos, words, a promise, a correction; and what is refused."""

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def photo(colour: str = "teal", **more) -> dict[str, object]:
    """A real JPEG, as a file chooser takes it."""
    out = BytesIO()
    Image.new("RGB", (800, 600), colour).save(out, "JPEG", **more)
    return {"name": "门口.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def open_form(page: Page) -> None:
    """Open the form of the household that the mock-ups show."""
    page.fill("input[name=q]", "zgl")
    page.locator("#found a.row", has_text="张桂兰").first.tap()
    page.get_by_role("link", name="走访", exact=True).tap()


def test_a_visit_with_everything_is_found_on_the_households_page(open_phone):
    page = open_phone("worker3")
    open_form(page)
    page.locator("label.outcome.main").tap()
    page.locator(".when-met .pill", has_text="张桂兰").tap()
    page.locator(".pill", has_text="助餐").tap()
    page.fill("textarea[name=sentence]", "助餐卡还没到，她在等电话。")
    page.locator("input[name=photos]").nth(1).set_input_files([photo("teal"), photo("brown")])
    expect(page.locator(".photo-shown")).to_have_count(2)
    page.locator("summary", has_text="答应的事").tap()
    page.fill("input[name=promise]", "周五打电话问")
    page.fill("input[name=promise_due_on]", "2030-01-15")
    page.get_by_role("button", name="保存").tap()
    expect(page.locator("main")).to_contain_text("照片 2 张")
    page.goto("/outbox")
    expect(page.get_by_role("heading", name="都发出去了")).to_be_visible(timeout=20_000)
    page.goto("/today")
    page.fill("input[name=q]", "zgl")
    page.locator("#found a.row", has_text="张桂兰").first.tap()
    expect(page.locator("[data-visit]").first.locator(".thumbs img")).to_have_count(2)
    for picture in page.locator("[data-visit]").first.locator(".thumbs img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("(image) => image.naturalWidth")
    expect(page.locator("main")).to_contain_text("助餐卡还没到，她在等电话。")
    expect(page.locator("main")).to_contain_text("周五打电话问")
    page.goto("/matters")
    expect(page.locator("main")).to_contain_text("周五打电话问")


def test_a_correction_stands_beside_what_it_corrects(open_phone):
    page = open_phone("worker4")
    open_form(page)
    page.locator("label.outcome.main").tap()
    page.fill("textarea[name=sentence]", "写错的一句")
    page.get_by_role("button", name="保存").tap()
    page.get_by_role("link", name="更正").tap()
    expect(page.locator("textarea[name=sentence]")).to_have_value("写错的一句")
    page.fill("textarea[name=sentence]", "改对的一句")
    page.get_by_role("button", name="保存").tap()
    expect(page.get_by_role("heading", name="已存到服务器")).to_be_visible()
    page.goto("/today")
    page.fill("input[name=q]", "zgl")
    page.locator("#found a.row", has_text="张桂兰").first.tap()
    expect(page.locator("p", has_text="写错的一句")).to_have_class(re.compile("corrected"))
    expect(page.locator("p", has_text="改对的一句")).not_to_have_class(re.compile("corrected"))


def test_changing_the_outcome_keeps_the_words(open_phone):
    page = open_phone("worker3")
    open_form(page)
    page.locator("label.outcome.main").tap()
    page.fill("textarea[name=sentence]", "先写了一句")
    page.get_by_role("button", name="换一个").tap()
    page.locator("label.outcome", has_text="不愿见").tap()
    expect(page.locator("textarea[name=sentence]")).to_have_value("先写了一句")
    expect(page.locator(".when-met")).to_be_hidden()


def test_a_file_that_is_no_photo_is_refused_and_the_words_stay(open_phone):
    page = open_phone("worker3")
    open_form(page)
    page.locator("label.outcome.main").tap()
    page.fill("textarea[name=sentence]", "照片坏了话还在")
    fake = {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"<svg onload=alert(1)>"}
    page.locator("input[name=photos]").nth(1).set_input_files([fake])  # type: ignore[list-item]
    page.get_by_role("button", name="保存").tap()
    expect(page.locator("[data-photo-refused]")).to_contain_text("不是 JPEG、PNG、WebP 照片")
    page.goto("/today")
    page.fill("input[name=q]", "zgl")
    page.locator("#found a.row", has_text="张桂兰").first.tap()
    expect(page.locator("main")).to_contain_text("照片坏了话还在")


def test_a_later_entry_is_marked(open_phone):
    page = open_phone("worker3")
    open_form(page)
    page.locator("label.outcome", has_text="没人在").tap()
    page.locator("summary", has_text="时间、方式").tap()
    page.fill("input[name=visited_at]", "2026-11-02T10:30")
    page.get_by_role("button", name="保存").tap()
    expect(page.locator("main")).to_contain_text("补录")


def test_an_urgent_visit_comes_up_on_the_directors_open_screen_until_taken(open_phone):
    director = open_phone("director")
    expect(director.locator("#urgent")).to_be_attached()
    page = open_phone("worker3")
    open_form(page)
    page.locator("label.outcome.main").tap()
    page.fill("textarea[name=sentence]", "煤气味很重")
    page.locator(".switch input").check()
    page.get_by_role("button", name="保存").tap()
    card = director.locator(".urgent", has_text="煤气味很重")
    expect(card).to_be_visible(timeout=25_000)
    card.get_by_role("button", name="我来处理").tap()
    expect(director.locator("h1")).to_contain_text("张桂兰家")
    director.goto("/overview")
    expect(director.locator(".urgent", has_text="煤气味很重")).to_have_count(0)
