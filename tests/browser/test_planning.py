"""The director draws: a division proposed, a border dragged, a step undone, doors moved, a pair given, put in force."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from shapely.geometry import shape
from shapely.ops import unary_union

from tests.browser.conftest import EXPECTED
from tests.browser.program import Program

pytestmark = pytest.mark.browser

HANDLES = ".plan-handles path[fill='#ffffff']"
ATTEMPTS = (18, -18, 10, -10)
"""Pixels that a handle is dragged aside, until one leaves every entrance with somebody."""


@pytest.fixture
def board(browser: Browser, program: Program) -> Iterator[Callable[..., Page]]:
    """Open the drawing board as the director, on a desktop or a phone; what the console complains about fails the test.

    409 and 422 are answers that the page shows in words.
    """
    complaints: list[str] = []
    contexts = []
    known = (*EXPECTED, "409")

    def enter(*, phone: bool = False) -> Page:
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
        context = browser.new_context(
            base_url=program.address,
            viewport=size,  # type: ignore[arg-type]
            is_mobile=phone,
            has_touch=phone,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            service_workers="block",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.goto("/sign-in")
        page.fill("input[name=username]", "director")
        page.fill("input[name=password]", "fieldapp-demo")
        page.click("button.primary")
        page.goto("/plan")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert [c for c in complaints if not any(word in c for word in known)] == []


def state(page: Page) -> dict[str, Any]:
    """The plan as the server has it."""
    return page.request.get("/plan/state").json()


def geometries(plan: dict[str, Any]) -> dict[str, Any]:
    return {district["key"]: shape(district["geometry"]) for district in plan["districts"]}


def assert_whole(plan: dict[str, Any], outline: Any) -> None:
    """No gap, no overlap: the districts' areas sum up to the outline's."""
    shapes = list(geometries(plan).values())
    assert all(district.is_valid and district.geom_type == "Polygon" for district in shapes)
    assert unary_union(shapes).symmetric_difference(outline).area < outline.area * 1e-6
    assert sum(district.area for district in shapes) == pytest.approx(outline.area, rel=1e-6)


def middle(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    page.mouse.move(*end, steps=3)


def is_at_rest(page: Page) -> None:
    """Nothing is on its way to the server."""
    expect(page.locator("[data-plan-map]:not([aria-busy])")).to_have_count(1)


def drag_a_border(page: Page) -> dict[str, Any]:
    """Drag the first middle of the border in hand a little aside; the plan as the server has it then."""
    before = state(page)
    for aside in ATTEMPTS:
        x, y = middle(page.locator(HANDLES).last)
        drag(page, (x, y), (x + aside, y + aside / 2))
        expect(page.locator(".plan-live")).to_have_text(re.compile(r"第\S+ \d+ · 第\S+ \d+"))
        page.mouse.up()
        expect(page.locator(".plan-live")).to_have_count(0)
        is_at_rest(page)
        after = state(page)
        if after["version"] > before["version"]:
            return after
    raise AssertionError(page.locator("[data-plan-said]").inner_text())


def test_no_workers_phone_carries_the_drawing_board():
    built = Path(__file__).parents[2] / "fieldapp" / "static" / "dist"
    names = json.loads((built / "manifest.json").read_text())
    worker = (built / names["sw.js"]).read_text()
    assert names["map.js"] in worker and names["plan.js"] not in worker and names["plan.css"] not in worker


def test_the_director_divides_the_community_anew(board):
    page = board()
    expect(page.locator(".plan-pill")).to_have_count(5)
    page.get_by_role("button", name="算一个草案").click()
    expect(page.locator("[data-plan-percent]")).to_have_text(re.compile(r"正在划，\d+%"))
    expect(page.locator(".plan-head h2")).to_have_text("分区草案", timeout=30_000)
    first = state(page)
    outline = unary_union(list(geometries(first).values()))
    assert_whole(first, outline)

    # A border is dragged: two districts change, nobody else, and the table says what the map says.
    dragged = drag_a_border(page)
    assert_whole(dragged, outline)
    was, now = geometries(first), geometries(dragged)
    assert len([key for key in was if was[key].symmetric_difference(now[key]).area > outline.area * 1e-6]) == 2
    figures = page.locator(".plan-table tr[data-district] td:last-child b").all_inner_texts()
    assert figures == [str(district["households"]) for district in dragged["districts"]]
    assert sum(map(int, figures)) == sum(district["households"] for district in first["districts"])

    # Undo and redo, by key and by button.
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="重做", exact=True)).to_be_enabled()
    is_at_rest(page)
    assert state(page)["districts"] == first["districts"]
    page.get_by_role("button", name="重做", exact=True).click()
    expect(page.get_by_role("button", name="重做", exact=True)).to_be_disabled()
    is_at_rest(page)
    assert state(page)["districts"] == dragged["districts"]

    # A border that crosses itself springs back.
    inner = page.locator(HANDLES).last
    drag(page, middle(inner), (60, 770))
    page.mouse.up()
    expect(page.locator("[data-plan-said]")).to_have_text("界线绕到自己身上了，已经弹回去")
    assert state(page)["districts"] == dragged["districts"]

    moved = move_an_entrance(page)
    assert_whole(moved, outline)
    someone_elses_hand(board, page, outline)
    give_a_pair(page)
    publish(page)


def move_an_entrance(page: Page) -> dict[str, Any]:
    """The building nearest to a strange district goes there, by a tap on it and one on the district's name."""
    before = state(page)
    districts = geometries(before)
    labels = set(page.locator(".plan-label b").all_inner_texts())

    def gap(building: dict[str, Any]) -> float:
        home = building["entrances"][0]["draft"]
        return min(shape(building["geometry"]).distance(d) for key, d in districts.items() if key != home)

    small = [b for b in before["buildings"] if len(b["entrances"]) == 1]  # of others a tap may mean one entrance
    drawn = [b for b in small if b["name"].removesuffix("楼") in labels]
    building = min(drawn, key=gap)
    page.get_by_role("button", name="移单元").click()
    label = page.locator(
        ".plan-label", has=page.locator("b", has_text=re.compile(f"^{building['name'].removesuffix('楼')}$"))
    )
    page.mouse.click(*middle(label))
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("heading")).to_contain_text(building["name"])
    target = sheet.locator(".plan-target").first
    name = target.locator("b").inner_text()
    target.click()
    expect(sheet).to_be_hidden()
    is_at_rest(page)
    after = state(page)
    to = next(district["key"] for district in after["districts"] if district["name"].startswith(name))
    entrances = next(b["entrances"] for b in after["buildings"] if b["id"] == building["id"])
    assert {entrance["draft"] for entrance in entrances} == {to}
    return after


def someone_elses_hand(board: Callable[..., Page], page: Page, outline: Any) -> None:
    """A finger drags on a phone meanwhile; the desktop, whose version is old, is told and shows the new one."""
    phone = board(phone=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    before = state(phone)
    touch = phone.context.new_cdp_session(phone)

    def finger(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for aside in ATTEMPTS:
        x, y = middle(phone.locator(HANDLES).last)
        finger("touchStart", x, y)
        for step in range(1, 6):
            finger("touchMove", x + aside * step / 5, y + aside * step / 10)
        finger("touchEnd")
        expect(phone.locator(".plan-live")).to_have_count(0)
        is_at_rest(phone)
        if (after := state(phone))["version"] > before["version"]:
            break
    assert after["version"] > before["version"]
    assert_whole(after, outline)

    page.get_by_role("button", name="撤销", exact=True).click()
    expect(page.locator("[data-plan-said]")).to_contain_text("刚改过")
    assert state(page)["version"] == after["version"]
    page.get_by_role("button", name="撤销", exact=True).click()
    expect(page.get_by_role("button", name="重做", exact=True)).to_be_enabled()


def give_a_pair(page: Page) -> None:
    row = page.locator(".plan-edit").first
    row.locator("summary").click()
    row.get_by_label("片长").select_option(label="孙倩")
    row.get_by_label("交叉").select_option(label="马骏")
    row.get_by_role("button", name="存", exact=True).click()
    expect(page.locator("tr[data-district]").first).to_contain_text("孙倩、马骏")


def publish(page: Page) -> None:
    drafted = geometries(state(page))
    page.get_by_label("从哪天起").fill(page.get_by_label("从哪天起").get_attribute("min") or "")
    page.locator("[data-plan-publish]").click()
    expect(page.locator(".notice").first).to_contain_text("生效了")
    page.goto("/coverage")
    expect(page.locator(".map-label.district")).to_have_count(len(drafted))
    drawn = json.loads(page.locator("#map-data").text_content() or "")["districts"]
    shown = [shape(district["geometry"]) for district in drawn]
    assert all(any(district.equals(other) for other in shown) for district in drafted.values())
    expect(page.locator("tbody tr").first).to_contain_text("孙倩")
