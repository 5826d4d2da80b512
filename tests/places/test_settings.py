"""A community's settings as typed, and every fault."""

from typing import Any
from uuid import UUID

import pytest

from fieldapp.places.settings import Settings, read_settings

GOOD = {
    "quota": "30",
    "district_size": "200",
    "district_tolerance": "25",
    "routine_days": "90",
    "quiet_days": "7",
    "tiles_url": "",
    "language": "zh_Hans",
    "topics": "助餐、看病",
}
WORKER = UUID(int=7)


def read(**fields: str) -> Settings:
    form = GOOD | {name.replace("__", "-"): value for name, value in fields.items()}
    return read_settings(form, groups=["elder80"], districts=["1", "2"], workers=[WORKER])


def test_the_defaults_are_read_without_a_fault() -> None:
    wanted = read()
    assert wanted.faults == {}
    assert wanted.values == {
        "quota": 30,
        "district_size": 200,
        "district_tolerance": 25,
        "routine_days": 90,
        "quiet_days": 7,
        "basemap": "none",
        "tiles_key": None,
        "tiles_url": None,
        "tiles_attribution": None,
        "language": "zh_Hans",
        "topics": ["助餐", "看病"],
    }
    assert (wanted.people, wanted.new_group) == ({}, None)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("quota", 1, 500),
        ("district_size", 20, 2000),
        ("district_tolerance", 1, 100),
        ("routine_days", 7, 730),
        ("quiet_days", 1, 90),
    ],
)
def test_a_number_lies_between_its_least_and_its_most(name: str, least: int, most: int) -> None:
    for good in (least, most):
        assert read(**{name: f" {good} "}).values[name] == good
    for bad in (str(least - 1), str(most + 1), "", "三十", "3０", "2.5", "-5", "1e2", "9" * 400):
        assert read(**{name: bad}).faults == {name: "number"}, bad


@pytest.mark.parametrize(
    "url",
    [
        "https://tiles.example.org/{z}/{x}/{y}.png",
        "https://{s}.tile.example.org/{z}/{x}/{y}.png",
        "https://t0.tianditu.gov.cn/DataServer?T=vec_w&x={x}&y={y}&l={z}&tk=key",
        "http://127.0.0.1:8080/{z}/{x}/{y}",
        "http://localhost/{z}/{x}/{y}",
    ],
)
def test_an_address_of_tiles_is_https_or_this_machine(url: str) -> None:
    wanted = read(tiles_url=url, tiles_attribution=" 天地图 ")
    assert wanted.faults == {}
    assert (wanted.values["tiles_url"], wanted.values["tiles_attribution"]) == (url, "天地图")


@pytest.mark.parametrize(
    "url",
    [
        "http://tiles.example.org/{z}/{x}/{y}.png",
        "https://tiles.example.org/{z}/{x}.png",
        "https:///{z}/{x}/{y}",
        "javascript:alert(1)//{z}{x}{y}",
        "https://a.org; script-src *//{z}/{x}/{y}",
        "https://a b/{z}/{x}/{y}",
        "https://[::1/{z}/{x}/{y}",
        "https://user@a.org/{z}/{x}/{y}",
        "https://例子.org/{z}/{x}/{y}",
        "https://*/{z}/{x}/{y}",
        "https://a.org/{z}/{x}/{y}" + "a" * 300,
    ],
)
def test_an_address_that_could_loosen_the_pages_policy_is_refused(url: str) -> None:
    assert read(tiles_url=url).faults == {"tiles_url": "tiles"}


KEY = "0123456789abcdef0123456789abcdef"
TILES = "https://tiles.example.org/{z}/{x}/{y}.png"


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"basemap": "none"}, {}),
        ({"basemap": "none", "tiles_url": "x", "tiles_key": "?"}, {}),
        ({"basemap": "tianditu", "tiles_key": f" {KEY} "}, {}),
        ({"basemap": "tianditu"}, {"tiles_key": "needed"}),
        ({"basemap": "tianditu", "tiles_key": "my key"}, {"tiles_key": "key"}),
        ({"basemap": "gcj02", "tiles_url": TILES}, {}),
        ({"basemap": "gcj02"}, {"tiles_url": "needed"}),
        ({"basemap": "wgs84", "tiles_key": KEY}, {"tiles_url": "needed"}),
        ({"basemap": "gcj02", "tiles_url": "https://tiles.example.org/"}, {"tiles_url": "tiles"}),
        ({"basemap": "bd09", "tiles_url": TILES}, {"basemap": "basemap"}),
    ],
)
def test_a_basemap_asks_for_what_its_kind_needs(fields: dict[str, str], faults: dict[str, str]) -> None:
    assert read(**fields).faults == faults


def test_what_another_kind_needs_is_kept_where_it_is_sound() -> None:
    wanted = read(basemap="none", tiles_url=TILES, tiles_key=KEY).values
    assert (wanted["basemap"], wanted["tiles_url"], wanted["tiles_key"]) == ("none", TILES, KEY)
    wanted = read(basemap="none", tiles_url="http://elsewhere/{z}/{x}/{y}", tiles_key="?").values
    assert (wanted["tiles_url"], wanted["tiles_key"]) == (None, None)


def test_an_address_alone_is_of_wgs84() -> None:
    assert read(tiles_url=TILES).values["basemap"] == "wgs84"


@pytest.mark.parametrize(("language", "faults"), [("en", {}), ("zh_Hans", {}), ("fr", {"language": "language"})])
def test_a_language_is_one_that_is_translated(language: str, faults: dict[str, str]) -> None:
    assert read(language=language).faults == faults


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("", []),
        ("助餐，看病,楼道、 安全 、、助餐", ["助餐", "看病", "楼道", "安全"]),
        ("一二三四五六七八九十十一", ["一二三四五六七八九十十一"]),
    ],
)
def test_topics_are_parted_by_any_comma_and_kept_once(text: str, topics: list[str]) -> None:
    wanted = read(topics=text)
    assert (wanted.values["topics"], wanted.faults) == (topics, {})


@pytest.mark.parametrize("text", ["一二三四五六七八九十十一二", "、".join(str(n) for n in range(31))])
def test_topics_must_fit_on_their_chips(text: str) -> None:
    assert read(topics=text).faults == {"topics": "long"}


def test_a_groups_rhythms_are_numbers_of_days_or_nothing() -> None:
    wanted = read(group__elder80__every_days="45", group__elder80__within_days="", group__elder80__active="1")
    assert wanted.groups == {"elder80": {"every_days": 45, "within_days": None, "active": True, "is_sensitive": False}}
    assert wanted.faults == {}


@pytest.mark.parametrize("name", ["every_days", "within_days"])
@pytest.mark.parametrize("days", ["0", "731", "monthly", "-1"])
def test_a_rhythm_that_is_none_is_a_fault(name: str, days: str) -> None:
    assert read(**{f"group__elder80__{name}": days}).faults == {f"group-elder80-{name}": "number"}


def test_a_group_of_ones_own_is_active_from_the_start() -> None:
    wanted = read(group__new__name=" 独居 ", group__new__every_days="20", group__new__sensitive="on")
    assert wanted.new_group == {
        "name": "独居",
        "every_days": 20,
        "within_days": None,
        "active": True,
        "is_sensitive": True,
    }


def test_a_groups_name_fits_on_a_chip() -> None:
    assert read(group__new__name="一二三四五六七八九十十一二").faults == {"group-new-name": "long"}


@pytest.mark.parametrize(
    ("typed", "person", "faults"),
    [
        (str(WORKER), WORKER, {}),
        ("", None, {}),
        (str(UUID(int=8)), UUID(int=8), {"lead-1": "person"}),
        ("worker1", None, {"lead-1": "person"}),
    ],
)
def test_a_district_is_answered_for_by_a_worker_of_the_community_or_nobody(
    typed: str, person: Any, faults: dict[str, str]
) -> None:
    wanted = read(lead__1=typed)
    assert wanted.faults == faults
    assert wanted.people == {("1", "lead"): person}


def test_a_district_that_the_form_does_not_name_keeps_its_people() -> None:
    assert read(partner__2=str(WORKER), lead__9=str(WORKER)).people == {("2", "partner"): WORKER}


def test_all_faults_are_told_at_once() -> None:
    assert set(read(quota="x", tiles_url="x", language="x").faults) == {"quota", "tiles_url", "language"}
