"""The director brings in the sheet that the committee has, puts a column right, and applies a part of what differs."""

import pytest
from openpyxl import Workbook
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ROOM = "12号楼2单元601"


def mess(path):
    """A title, an address merged over a family, and a heading that nobody could guess."""
    book = Workbook()
    sheet = book.active
    for row in (
        ["阳光社区居民登记表"],
        ["序号", "家住哪儿", "姓 名", "关系", "出生年月", "手机"],
        [1, ROOM, "欧阳试验", "女婿", "57年3月", "１３８００００１２３４ 0510-83331234"],
        [2, None, "欧阳再试", "儿子", "1985.7.4", None],
        [3, "99号楼1单元101", "没有楼", "户主", None, None],
    ):
        sheet.append(row)
    sheet.merge_cells("A1:F1")
    sheet.merge_cells("B3:B4")
    book.save(path)
    return path


def test_a_messy_sheet_comes_in(open_phone, tmp_path):
    page = open_phone("director", desktop=True)
    page.goto("/imports")
    page.set_input_files("#residents-file", mess(tmp_path / "居民.xlsx"))
    page.get_by_role("button", name="看居民表").click()
    expect(page.locator("h1")).to_contain_text("对列名")
    expect(page.locator(".notice.fault")).to_contain_text("居住地址")
    expect(page.get_by_label("姓 名", exact=True)).to_have_value("name")
    page.get_by_label("家住哪儿").select_option(label="居住地址")
    page.get_by_role("button", name="看有什么不同").click()
    expect(page.locator("h1")).to_contain_text("有什么不同")
    expect(page.locator(".notice[role=status]")).to_contain_text("新增 2 人，改动 0 人，没变 0 人，看不清 1 行")
    expect(page.locator(".notice.warn")).to_contain_text("“99号楼1单元101”：没有这栋楼")
    expect(page.locator("li", has_text="欧阳试验").last).to_contain_text("13800001234、0510-83331234")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("li", has_text="欧阳再试").last.get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="收下勾选的").click()
    page.wait_for_url("**/imports")
    expect(page.locator("main, body").first).to_contain_text("新增 1 人，改动 0 人 0 处")
    page.goto("/imports")
    page.set_input_files("#residents-file", mess(tmp_path / "居民.xlsx"))
    page.get_by_role("button", name="看居民表").click()
    page.get_by_label("家住哪儿").select_option(label="居住地址")
    page.get_by_role("button", name="看有什么不同").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("新增 1 人，改动 0 人，没变 1 人，看不清 1 行")
