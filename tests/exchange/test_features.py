"""Districts and buildings in GeoJSON: what properties mean, and that exports say all of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from fieldapp.exchange.features import building_properties, numeral, read_buildings, read_districts
from fieldapp.exchange.layout import laid_out
from geo.geojson import GeoJSONError, dump
from tests.conftest import REAL_FILES, with_real_files
from tests.exchange.made import point, square

SHANGHAI = REAL_FILES / "shanghai_buildings.geojson"


def building(identifier: Any = None, **properties: Any) -> Any:
    return read_buildings(dump([(identifier, properties, point(121.0))])).buildings[0]


def codes(read: Any, *features: Any) -> list[tuple[int | None, str]]:
    with pytest.raises(GeoJSONError) as refused:
        read(dump(features))
    return [(problem.feature, problem.code) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("identifier", "properties", "code", "name"),
    [
        (None, {}, "1", "1"),
        ("way/5", {}, "way/5", "way/5"),
        (7, {"housenumber": "217A"}, "7", "217A号楼"),
        (7, {"housenumber": "12号"}, "7", "12号楼"),
        (7, {"house_number": "12号楼"}, "7", "12号楼"),
        (7, {"code": "x", "name": "外滩中心", "housenumber": 3}, "x", "外滩中心"),
        (7, {"编号": "y", "名称": "一号院"}, "y", "一号院"),
        (7, {"code": "", "name": None}, "7", "7"),
    ],
)
def test_code_and_name(identifier: Any, properties: dict[str, Any], code: str, name: str) -> None:
    found = building(identifier, **properties)
    assert (found.code, found.name) == (code, name)


@pytest.mark.parametrize(("kind", "expected", "rest"), [
    ("courtyard", "courtyard", {}), ("平房", "courtyard", {}), ("block", "block", {}),
    ("yes", "block", {"kind": "yes"}), (None, "block", {"kind": None}),
])  # fmt: skip
def test_kind(kind: Any, expected: str, rest: dict[str, Any]) -> None:
    found = building(kind=kind)
    assert (found.kind, found.properties) == (expected, rest)


@pytest.mark.parametrize(("value", "levels"), [(6, 6), (6.0, 6), ("6", 6), (0, 0), (None, None)])
def test_whole_numbers(value: Any, levels: int | None) -> None:
    assert building(levels=value).levels == levels


def test_entrances_counted_or_listed() -> None:
    assert (building(entrances=3).entrances, building(entrances=3).shares) == (3, None)
    listed = building(entrances=[12, 24])
    assert (listed.entrances, listed.shares, listed.properties) == (2, (12, 24), {"entrances": [12, 24]})


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"levels": 5.5}, "not_number"),
        ({"levels": "高"}, "not_number"),
        ({"levels": True}, "not_number"),
        ({"households": -1}, "not_number"),
        ({"households": 10**9}, "too_many"),
        ({"entrances": [1] * 500}, "too_many"),
        ({"name": {"zh": "楼"}}, "not_text"),
        ({"code": "x" * 49}, "too_long"),
    ],
)
def test_bad_properties_are_refused_with_the_features_number(properties: dict[str, Any], code: str) -> None:
    assert codes(read_buildings, (1, {}, point(121.0)), (2, properties, point(121.1))) == [(2, code)]


def test_a_code_twice() -> None:
    assert codes(read_buildings, (1, {}, point(121.0)), (2, {"code": "1"}, point(121.1))) == [(2, "code_twice")]
    assert codes(read_districts, (1, {}, square(121.0)), (1, {}, square(122.0))) == [(2, "code_twice")]


def test_a_districts_people_are_two() -> None:
    assert codes(read_districts, (1, {"lead": "a", "partner": "a"}, square(121.0))) == [(1, "lead_same")]


def test_a_long_name_is_cut_and_kept() -> None:
    drafts = read_buildings(dump([(1, {"name": "很长" * 40}, point(121.0))]))
    assert len(drafts.buildings[0].name) == 64
    assert [repair.code for repair in drafts.repairs] == ["name_cut"]
    assert drafts.buildings[0].properties == {"full_name": "很长" * 40}


def row(draft: Any) -> Any:
    """The row that a draft becomes, as an export sees it."""
    return SimpleNamespace(**{**vars(draft), "households_planned": draft.households})


@pytest.mark.parametrize(
    "properties",
    [
        {"name": "1号楼", "kind": "yes", "levels": 6, "height": 17.5, "a": {"b": [1, None]}},
        {"kind": "平房", "households": 12},
        {"house_number": "3", "street": "梧桐路", "entrances": [3, 4]},
        {"housenumber": "3", "house_number": "4", "编号": "k", "code": "c", "levels": 0},
        {"name": "很长" * 40},
    ],
)
def test_what_is_exported_reads_back_the_same(properties: dict[str, Any]) -> None:
    once = building(9, **properties)
    again = building(once.code, **building_properties(row(once)))
    assert building_properties(row(again)) == building_properties(row(once))
    assert {**vars(again), "number": 0} == {**vars(once), "number": 0}


def test_doors_of_a_block_and_of_a_courtyard() -> None:
    block = laid_out(building(levels=6, entrances=2, households=24))
    assert (block.kind, len(block.cells)) == ("flat", 24)
    assert {cell.entrance for cell, _ in block.cells} == {1, 2}
    yard = laid_out(building(kind="courtyard", households=8))
    assert (yard.kind, [cell.room for cell, _ in yard.cells]) == ("house", list("12345678"))
    assert [(cell.column, place) for cell, place in yard.cells][5:7] == [(6, 1), (1, 2)]


def test_rooms_must_be_told_apart() -> None:
    with pytest.raises(GeoJSONError) as refused:
        laid_out(building(levels=12, entrances=1, households=3000))
    assert refused.value.problems[0].code == "crowded"


def test_where_keeps_some() -> None:
    data = dump([(1, {"community": 3}, point(121.0)), (2, {"community": 4}, point(121.1))])
    assert [draft.code for draft in read_buildings(data, {"community": "3"}).buildings] == ["1"]


def test_numerals() -> None:
    assert [numeral(number) for number in (1, 10, 12, 20, 99, 100)] == ["一", "十", "十二", "二十", "九十九", "100"]


@with_real_files
def test_real_footprints() -> None:
    drafts = read_buildings(SHANGHAI.read_bytes(), {"community": "3"})
    assert (len(drafts.buildings), sum(draft.households or 0 for draft in drafts.buildings)) == (62, 4037)
    assert {repair.code for repair in drafts.repairs} == {"ring_order"}
    assert sum(len(laid_out(draft).cells) for draft in drafts.buildings) == 4037
