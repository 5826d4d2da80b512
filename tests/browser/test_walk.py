"""Today in walking order, with and without signal, and the walk on the map."""

import os
import re
from itertools import groupby, pairwise

import pytest
from playwright.sync_api import expect

from geo.plane import distance_m

pytestmark = pytest.mark.browser


def stops_of(page):
    """The stairwells of Today in their order: building and entrance, and where it is."""
    found = page.locator("section[data-stop]").evaluate_all(
        "all => all.map(({ dataset }) => [dataset.stop, dataset.at])"
    )
    return [(stop, tuple(map(float, at.split()))) for stop, at in found]


def length_of(places):
    return sum(distance_m(a, b) for a, b in pairwise(places))


def picture(page, name):
    """For a person to look at, where PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_today_is_walked_from_where_i_stand_also_without_signal_and_drawn_on_the_map(new_phone):
    phone = new_phone()
    phone.sign_in("worker3")
    page = phone.page
    phone.open_from_server("/today")
    urgent = stops_of(page)
    assert len(urgent) > 2
    last = urgent[-1][1]
    phone.context.grant_permissions(["geolocation"])
    phone.context.set_geolocation({"longitude": last[0], "latitude": last[1], "accuracy": 10})

    phone.lose_signal()
    page.goto("/today")
    assert page.evaluate("document.body.dataset.asOf")
    button = page.get_by_role("button", name="走路顺序")
    button.tap()
    said = page.locator("[data-walk-head]")
    expect(said).to_contain_text(re.compile(r"从你站的地方走，约 \d+ 米"))
    walked = stops_of(page)
    assert sorted(walked) == sorted(urgent)
    buildings = [stop.split("/")[0] for stop, _ in walked]
    assert len(list(groupby(buildings))) == len(set(buildings))
    assert buildings[0] == urgent[-1][0].split("/")[0]
    metres = length_of([last, *(place for _, place in walked)])
    assert metres <= length_of([last, *(place for _, place in urgent)])
    assert int(re.search(r"约 (\d+) 米", said.inner_text())[1]) == pytest.approx(metres, abs=12)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "walk-today")

    page.get_by_role("link", name="看路线").tap()
    expect(page.locator("#map path.way")).to_have_count(2)
    expect(page.locator(".map-stop")).to_have_count(len(walked))
    picture(page, "walk-map")
    page.get_by_role("button", name="路线", exact=True).tap()
    expect(page.locator(".map-stop")).to_have_count(0)

    page.goto("/today")
    assert stops_of(page) == walked
    kept = page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")
    assert "accuracy" not in kept
    page.get_by_role("button", name="走路顺序").tap()
    assert stops_of(page) == urgent


def test_without_a_position_the_walk_begins_at_the_most_urgent_building(open_phone):
    page = open_phone("worker4", desktop=True)
    expect(page.get_by_role("button", name="走路顺序")).to_be_visible()
    urgent = stops_of(page)
    page.get_by_role("button", name="走路顺序").click()
    expect(page.locator("[data-walk-head]")).to_contain_text("取不到位置")
    walked = stops_of(page)
    assert walked[0] == urgent[0]
    assert length_of([place for _, place in walked]) <= length_of([place for _, place in urgent])
    picture(page, "walk-today-wide")
    page.get_by_role("link", name="看路线").click()
    expect(page.locator(".map-stop")).to_have_count(len(walked))
    picture(page, "walk-map-wide")
