"""The director finds somebody who is on record twice, makes one record of two on a phone, and takes it back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from fieldapp import db
from fieldapp.app import create_app
from fieldapp.households.models import Household, Resident
from fieldapp.places.models import Dwelling

pytestmark = pytest.mark.browser


def write_twice(instance: Path) -> str:
    """Put the head of one door on record behind another door of the building too, with a workplace; gives the name."""
    app = create_app({"INSTANCE_PATH": str(instance)})
    with app.app_context():
        opened = db.session()
        heads = opened.execute(
            select(Resident, Dwelling.building_id)
            .join(Household, Household.id == Resident.household_id)
            .join(Dwelling, Dwelling.id == Household.dwelling_id)
            .where(Resident.relation == "02", Resident.birth_date.isnot(None))
            .order_by(Dwelling.building_id, Dwelling.entrance, Dwelling.room)
            .limit(2)
        )
        (head, building), (other, same_building) = heads
        assert building == same_building
        opened.add(
            Resident(
                community_id=head.community_id,
                household_id=other.household_id,
                position=9,
                name=head.name,
                pinyin=head.pinyin,
                initials=head.initials,
                birth_date=head.birth_date,
                workplace="无锡旧厂",
            )
        )
        opened.commit()
        db.engine().dispose()
        return str(head.name)


def fits(page: Page) -> None:
    """Nothing stands out of the screen, and what is tapped is large enough for a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.locator("main :is(button, label.choice, a.row):visible").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().height < 44).map(one => one.textContent)"
    )
    assert small == []


def test_two_records_become_one_and_two_again(program, new_phone):
    name = write_twice(program.instance)
    phone = new_phone()
    page = phone.page
    page.goto("/sign-in")
    page.fill("input[name=username]", "director")
    page.fill("input[name=password]", "fieldapp-demo")
    page.click("button.primary")
    page.get_by_role("link", name="查重").tap()
    pair = page.locator("[data-pairs] a.row", has_text=name)
    expect(pair).to_contain_text("同楼同名同生日")
    fits(page)
    pair.tap()
    workplace = page.locator("fieldset", has_text="工作单位")
    chosen = workplace.locator(".choice", has_text="无锡旧厂")
    expect(chosen.locator("input")).to_be_checked()  # what is on record rather than nothing
    fits(page)
    page.get_by_role("button", name="合成一个").tap()
    expect(page.locator(".notice")).to_contain_text("合成一个了")
    expect(page.locator("[data-pairs] a.row", has_text=name)).to_have_count(0)
    fits(page)
    page.get_by_role("button", name=f"撤回 {name}").tap()
    expect(page.locator(".notice")).to_contain_text("撤回了，又是两个人")
    pair = page.locator("[data-pairs] a.row", has_text=name)
    expect(pair).to_have_count(1)
    pair.tap()
    expect(chosen.locator("input")).to_be_checked()
    page.get_by_role("button", name="是两个人").tap()
    expect(page.locator(".notice")).to_contain_text("是两个人，不再提醒")
    expect(page.locator("[data-pairs] a.row", has_text=name)).to_have_count(0)


def test_a_sheets_figure_opens_its_list_on_a_phone(open_phone):
    page = open_phone("director")
    page.get_by_role("link", name="五个清楚").tap()
    page.get_by_role("link", name="人员结构").tap()
    bar = page.locator(".pyramid a[aria-label^='女 30–34 岁']")
    count = bar.locator("text").text_content()
    bar.tap()
    expect(page.locator("[data-count]")).to_have_attribute("data-count", count)
    page.locator("header a.round").tap()
    whole = page.locator("tfoot a[aria-label^='全社区 流动人口']")
    count = whole.inner_text()
    whole.tap()
    expect(page.locator("[data-count]")).to_contain_text(f"一共 {count}")
    with page.expect_download() as download:
        page.go_back()
        page.get_by_role("link", name="表格").tap()
    assert download.value.suggested_filename.endswith(".xlsx")
