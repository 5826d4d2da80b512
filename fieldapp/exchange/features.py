"""Districts and buildings as GeoJSON features: what properties mean, and back. Raises geo's GeoJSONError."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fieldapp.places.rules import numeral as numeral
from geo.datum import shift_shape
from geo.geojson import Feature, GeoJSONError, Problem, Reading, read
from geo.shapes import mapping_of, ready

T = TypeVar("T")

MOST_HOUSEHOLDS = 10_000
MOST_LEVELS = 200
MOST_ENTRANCES = 200
COURTYARD = frozenset({"courtyard", "平房", "院落", "平房院"})
ALIASES = {
    "code": ("code", "编号"),
    "name": ("name", "名称"),
    "lead": ("lead", "片长"),
    "partner": ("partner", "交叉"),
    "street": ("street", "路名"),
    "housenumber": ("housenumber", "house_number", "门牌号"),
    "levels": ("levels", "层数"),
    "entrances": ("entrances", "单元数"),
    "households": ("households", "户数"),
    "kind": ("kind", "类型"),
}
"""Properties that mean something here, by the name that exports write."""


@dataclass(frozen=True)
class DistrictDraft:
    """A district as its feature says; lead and partner are user names, None where nothing is said."""

    number: int
    code: str
    name: str | None
    lead: str | None
    partner: str | None
    geometry: dict[str, Any]
    shape: Any


@dataclass(frozen=True)
class BuildingDraft:
    """A building as its feature says. `shares` are households an entrance where they are listed."""

    number: int
    code: str
    name: str
    kind: str
    street: str | None
    house_number: str | None
    levels: int | None
    entrances: int | None
    shares: tuple[int, ...] | None
    households: int | None
    geometry: dict[str, Any]
    longitude: float
    latitude: float
    properties: dict[str, Any]


@dataclass(frozen=True)
class Drafts:
    """What a file holds, in its order and in WGS-84, what was repaired, and which datum the file was read as."""

    districts: tuple[DistrictDraft, ...] = ()
    buildings: tuple[BuildingDraft, ...] = ()
    repairs: tuple[Problem, ...] = ()
    datum: str = "wgs84"


class _Fault(Exception):
    def __init__(self, code: str, detail: str) -> None:
        self.problem = code, detail


def read_districts(data: bytes, datum: str = "wgs84") -> Drafts:
    """Read districts in `datum`. Problems: geo's, and `code_twice`, `not_text`, `too_long`, `lead_same`."""
    reading = _in_wgs84(read(data), datum)
    districts = _each(reading, _district)
    return Drafts(districts=districts, repairs=reading.repairs, datum=datum)


def read_buildings(data: bytes, where: Mapping[str, str] | None = None, datum: str = "wgs84") -> Drafts:
    """Read buildings in `datum`, those whose properties are `where`. Problems: also `not_number`, `too_many`."""
    reading = _in_wgs84(read(data, kinds=("Polygon", "MultiPolygon", "Point"), where=where or None), datum)
    buildings = _each(reading, _building)
    cut = tuple(
        Problem(draft.number, "name_cut", draft.name)
        for draft, feature in zip(buildings, reading.features, strict=True)
        if FULL in draft.properties and FULL not in feature.properties
    )
    return Drafts(buildings=buildings, repairs=(*reading.repairs, *cut), datum=datum)


def _in_wgs84(reading: Reading, datum: str) -> Reading:
    """Shift what was read from `datum`, at the kept precision. What shared a vertex shares it still."""
    if datum == "wgs84":
        return reading
    shapes = [ready(shift_shape(feature.shape, datum, "wgs84")) for feature in reading.features]
    shifted = (
        replace(feature, geometry=mapping_of(shape), shape=shape)
        for feature, shape in zip(reading.features, shapes, strict=True)
    )
    return replace(reading, features=tuple(shifted))


FULL = "full_name"
"""Keeps a building's name where it is longer than 64 signs."""


def _each(reading: Reading, make: Callable[[Feature], T]) -> tuple[T, ...]:
    drafts: list[T] = []
    problems: list[Problem] = []
    taken: dict[str, int] = {}
    for feature in reading.features:
        try:
            draft = make(feature)
        except _Fault as fault:
            problems.append(Problem(feature.number, *fault.problem))
            continue
        drafts.append(draft)
        code: str = draft.code  # type: ignore[attr-defined]
        if taken.setdefault(code, feature.number) != feature.number:
            problems.append(Problem(feature.number, "code_twice", f"{code}, {taken[code]}"))
    if problems:
        raise GeoJSONError(problems)
    return tuple(drafts)


def _take(properties: dict[str, Any], key: str) -> Any:
    """Take a property out by the first of its names that holds something."""
    for alias in ALIASES[key]:
        value = properties.get(alias)
        if value is None or (isinstance(value, str) and not value.strip()):
            properties.pop(alias, None)
        else:
            return properties.pop(alias)
    return None


def _text(properties: dict[str, Any], key: str, longest: int) -> str | None:
    value = _take(properties, key)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Fault("not_text", key)
    found = " ".join(str(value).split())
    if len(found) > longest:
        raise _Fault("too_long", f"{key}, {longest}")
    return found


def _whole(properties: dict[str, Any], key: str, most: int) -> int | None:
    value = _take(properties, key)
    return None if value is None else _number(value, key, most)


def _number(value: Any, key: str, most: int) -> int:
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        found = -1.0
    if not found.is_integer() or found < 0:
        raise _Fault("not_number", f"{key}={str(value)[:40]}")
    if found > most:
        raise _Fault("too_many", f"{key}, {most}")
    return int(found)


def _code(feature: Feature, properties: dict[str, Any], longest: int) -> str:
    code = _text(properties, "code", longest)
    if code is None and feature.id is not None:
        code = " ".join(str(feature.id).split()) or None
    if code is not None and len(code) > longest:
        raise _Fault("too_long", f"code, {longest}")
    return code or str(feature.number)


def _district(feature: Feature) -> DistrictDraft:
    properties = dict(feature.properties)
    lead, partner = _text(properties, "lead", 64), _text(properties, "partner", 64)
    if lead is not None and lead == partner:
        raise _Fault("lead_same", lead)
    code, name = _code(feature, properties, 32), _text(properties, "name", 64)
    return DistrictDraft(feature.number, code, name, lead, partner, feature.geometry, feature.shape)


def _building(feature: Feature) -> BuildingDraft:
    properties = dict(feature.properties)
    code = _code(feature, properties, 48)
    kind = properties.get("kind", properties.get("类型"))
    is_courtyard = isinstance(kind, str) and kind.strip().casefold() in COURTYARD
    if is_courtyard or kind == "block":
        _take(properties, "kind")
    house_number = _text(properties, "housenumber", 32)
    entrances, shares = _entrances(properties)
    point = feature.shape.point_on_surface()
    return BuildingDraft(
        number=feature.number,
        code=code,
        name=_name(properties, house_number, code),
        kind="courtyard" if is_courtyard else "block",
        street=_text(properties, "street", 64),
        house_number=house_number,
        levels=_whole(properties, "levels", MOST_LEVELS),
        entrances=entrances,
        shares=shares,
        households=_whole(properties, "households", MOST_HOUSEHOLDS),
        geometry=feature.geometry,
        longitude=point.x,
        latitude=point.y,
        properties=properties,
    )


def _name(properties: dict[str, Any], house_number: str | None, code: str) -> str:
    name = _text(properties, "name", 2_000)
    if name is not None and len(name) > 64:
        properties[FULL] = name
        return name[:64].rstrip()
    if name is not None:
        return name
    if house_number is None:
        return code
    return house_number if house_number.endswith(("楼", "栋", "幢")) else f"{house_number.removesuffix('号')}号楼"


def _entrances(properties: dict[str, Any]) -> tuple[int | None, tuple[int, ...] | None]:
    """A count, or a list of households an entrance, which stays among the properties: the table keeps its length."""
    value = _take(properties, "entrances")
    if not isinstance(value, list):
        return (None if value is None else _number(value, "entrances", MOST_ENTRANCES)), None
    if len(value) > MOST_ENTRANCES:
        raise _Fault("too_many", f"entrances, {MOST_ENTRANCES}")
    shares = tuple(_number(share, "entrances", MOST_HOUSEHOLDS) for share in value)
    properties["entrances"] = list(shares)
    return len(shares), shares


def building_properties(building: Any) -> dict[str, Any]:
    """What an export says of a building (a row with `Building`'s columns): read again it gives the same row."""
    rest = dict(building.properties or {})
    shares = rest.pop("entrances", None)
    listed = isinstance(shares, list) and len(shares) == building.entrances
    said = {
        "code": building.code,
        "name": building.name,
        "kind": building.kind if building.kind != "block" else rest.pop("kind", None),
        "street": building.street,
        "housenumber": building.house_number,
        "levels": building.levels,
        "entrances": shares if listed else building.entrances,
        "households": building.households_planned,
    }
    told = {key: value for key, value in said.items() if value is not None}
    return told | {key: value for key, value in rest.items() if key not in told}
