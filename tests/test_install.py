"""What a phone needs to put Fieldapp on its home screen, and the pages that tell people about it."""

import io
import json
import re

import pytest
from babel.messages.pofile import read_po
from PIL import Image

from tests.routes import EVERYONE, ON_ONE
from tests.test_guarding import POLICY, policy_of
from tests.test_language import CATALOGUE, HAN, Words

pytestmark = ON_ONE

GREEN = (10, 106, 69)
"""`brand` of the design."""
SAFE = 0.4
"""Radius of the circle that every shape of icon shows, of the icon's edge: https://w3.org/TR/appmanifest/#icon-masks."""


@pytest.fixture
def described(sign_in):
    return json.loads(sign_in(None).get("/manifest.webmanifest").get_data())


@pytest.fixture
def picture(app):
    """A built file as a phone gets it, opened."""
    web = app.test_client()

    def picture(address):
        answer = web.get(address)
        assert answer.status_code == 200, address
        return Image.open(io.BytesIO(answer.get_data()))

    return picture


def pictures(described, purpose):
    return {
        icon["sizes"]: icon["src"]
        for icon in described["icons"]
        if icon["type"] == "image/png" and icon["purpose"] == purpose
    }


# --- the manifest


def test_the_manifest_names_the_program_and_where_it_begins(sign_in, described):
    answer = sign_in(None).get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    told = {name: described[name] for name in ("id", "start_url", "scope", "display", "name", "short_name", "lang")}
    assert told == {
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "name": "社区走访",
        "short_name": "走访",
        "lang": "zh-Hans",
    }


def test_the_splash_has_the_colour_of_the_page(sign_in, described):
    page = sign_in(None).get("/sign-in").get_data(as_text=True)
    (light,) = re.findall(r'name="theme-color" content="(#\w+)" media="\(prefers-color-scheme: light\)"', page)
    assert {described["background_color"], described["theme_color"]} == {light}


def test_the_manifest_is_in_the_readers_language_and_the_same_program(sign_in, described):
    person = sign_in(None)
    person.post("/language", {"language": "en"})
    english = person.get("/manifest.webmanifest")
    assert not HAN.search(english.get_data(as_text=True))
    assert json.loads(english.get_data())["id"] == described["id"]
    page = person.get("/sign-in").get_data(as_text=True)
    assert '<link rel="manifest" href="/manifest.webmanifest" crossorigin="use-credentials">' in page


@pytest.mark.parametrize("username", [None, "worker"])
def test_a_long_press_offers_a_workers_pages(username, sign_in):
    shortcuts = json.loads(sign_in(username).get("/manifest.webmanifest").get_data())["shortcuts"]
    assert [(s["name"], s["url"]) for s in shortcuts] == [("今日", "/today"), ("地图", "/map"), ("待发送", "/outbox")]


@pytest.mark.parametrize("username", ["director", "street", "admin"])
def test_a_long_press_offers_nothing_that_would_be_404(username, sign_in):
    assert json.loads(sign_in(username).get("/manifest.webmanifest").get_data())["shortcuts"] == []


# --- the icons


def test_there_are_icons_of_both_sizes_and_purposes(described):
    assert set(pictures(described, "any")) == set(pictures(described, "maskable")) == {"192x192", "512x512"}
    (drawing,) = [icon for icon in described["icons"] if icon["type"] == "image/svg+xml"]
    assert (drawing["sizes"], drawing["purpose"]) == ("any", "any")


@pytest.mark.parametrize("purpose", ["any", "maskable"])
def test_an_icon_has_the_size_it_is_said_to_have(purpose, described, picture):
    for sizes, address in pictures(described, purpose).items():
        drawn = picture(address)
        assert (drawn.format, f"{drawn.width}x{drawn.height}") == ("PNG", sizes)
        assert "-h." in address, "named by content, so kept for ever"


def test_the_drawing_is_there(app, described):
    (address,) = [icon["src"] for icon in described["icons"] if icon["type"] == "image/svg+xml"]
    assert b"<svg" in app.test_client().get(address).get_data()


def test_nothing_of_a_maskable_icon_is_cut_off(described, picture):
    for address in pictures(described, "maskable").values():
        drawn = picture(address).convert("RGBA")
        edge, middle = drawn.width, (drawn.width - 1) / 2
        outside = {
            drawn.getpixel((x, y))
            for x in range(edge)
            for y in range(edge)
            if (x - middle) ** 2 + (y - middle) ** 2 > (SAFE * edge) ** 2
        }
        assert outside == {(*GREEN, 255)}
        corner = drawn.crop((0, 0, edge // 10, edge // 10))
        assert {colour for _count, colour in corner.getcolors()} == {(*GREEN, 255)}
        assert drawn.getpixel((edge // 2, edge // 4))[:3] == (255, 255, 255), "the door is drawn"


def test_the_icon_of_ios_is_whole(sign_in, picture):
    page = sign_in(None).get("/sign-in").get_data(as_text=True)
    (address,) = re.findall(r'<link rel="apple-touch-icon" href="([^"]+)">', page)
    drawn = picture(address)
    assert drawn.size == (180, 180)
    assert drawn.convert("RGBA").getextrema()[3] == (255, 255), "iOS paints what is clear black"


# --- the pages


@pytest.mark.parametrize("username", EVERYONE)
@pytest.mark.parametrize("address", ["/manifest.webmanifest", "/install", "/offline"])
def test_they_answer_everybody_under_the_same_policy(username, address, sign_in):
    answer = sign_in(username).get(address)
    assert answer.status_code == 200
    assert policy_of(answer) == POLICY


def test_the_offline_page_is_the_same_for_everybody(sign_in, cast):
    anonymous = sign_in(None).get("/offline").get_data(as_text=True)
    english = sign_in(None)
    english.post("/language", {"language": "en"})
    cast.users["worker"].language = "en"
    for person in (english, *(sign_in(username) for username in ("worker", "director", "street", "admin"))):
        assert person.get("/offline").get_data(as_text=True) == anonymous


def test_the_offline_page_does_not_use_up_what_was_to_be_said(sign_in):
    person = sign_in("worker")
    with person.client.session_transaction() as kept:
        kept["_flashes"] = [("message", "密码改好了")]
    assert "密码改好了" not in person.get("/offline").get_data(as_text=True)
    assert "密码改好了" in person.get("/me").get_data(as_text=True)


def test_the_offline_page_is_read_in_both_languages_and_leads_on(sign_in):
    page = sign_in(None).get("/offline").get_data(as_text=True)
    assert Words(page).language == "zh-Hans"
    with CATALOGUE.open("rb") as file:
        english = {message.id: message.string for message in read_po(file, locale="en")}
    for text in ("没有信号，这一页不在本机", "再试一次", "回今日", "看待发送"):
        assert text in page
        assert english[text] in page
    assert re.findall(r'<a class="button[^"]*" href="([^"]*)"', page) == ["", "/today", "/outbox"]
    assert "/sign-out" not in page


def test_the_help_is_in_the_readers_language(sign_in):
    person = sign_in(None)
    assert "添加到主屏幕" in person.get("/install").get_data(as_text=True)
    person.post("/language", {"language": "en"})
    assert "Add to Home Screen" in person.get("/install").get_data(as_text=True)
    assert not HAN.search(person.get("/install").get_data(as_text=True))


def test_without_a_script_nothing_is_told_of_the_phone(sign_in):
    """All of it is hidden: the script knows what is so, the server does not."""
    for username, address in ((None, "/sign-in"), ("worker", "/today"), ("worker", "/me"), (None, "/install")):
        page = sign_in(username).get(address).get_data(as_text=True)
        marks = re.findall(r"<\w+[^>]* data-(?:cannot|scarce|offer|phone|prompt|installed)\b[^>]*>", page)
        assert marks
        assert all(mark.endswith(" hidden>") for mark in marks), address


def test_the_cards_stand_where_they_are_of_use(sign_in):
    worker, director = sign_in("worker"), sign_in("director")
    assert {"data-cannot", "data-scarce", "data-offer"} <= marks_of(worker.get("/today"))
    assert {"data-not-installed", "data-phone"} <= marks_of(worker.get("/me"))
    assert {"data-not-installed", "data-phone"} <= marks_of(director.get("/me"))
    assert {"data-cannot", "data-fold"} <= marks_of(sign_in(None).get("/sign-in"))
    assert {"data-cannot", "data-prompt"} <= marks_of(sign_in(None).get("/install"))
    assert "data-fold" not in marks_of(sign_in(None).get("/install"))


def marks_of(answer):
    return set(re.findall(r"data-[a-z-]+", answer.get_data(as_text=True)))
