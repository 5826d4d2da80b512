"""What the command says on a terminal, in plain English: refused features, faults and repairs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geo.faults import Fault, Repair
from geo.positions import DECIMALS
from geo.problems import GeoJSONError, Problem
from geo.walking import Stop

REFUSED = {
    "antimeridian": "it is wider than half the globe: cut it at 180°",
    "bad_entrances": "entrances must be a count, or a list of households that adds up to its households",
    "bad_feature": "it is not a Feature",
    "bad_households": "households must be a whole number from 0",
    "bad_id": "its id is neither a whole number nor text",
    "bad_labels": "a district's entrances must be a list of [building, number]",
    "bad_position": "a position is not two or three numbers",
    "bad_properties": "its properties are not an object",
    "bad_stop": "entrance and floor of a stop must be whole numbers",
    "bad_text": "it has text that cannot be stored",
    "crs": "only WGS 84 is read (shift it first)",
    "disconnected": "its holes cut its inside in two",
    "duplicate_id": "another feature has the same id",
    "empty": "there is nothing in it",
    "geometry_type": "its geometry is not of a kind that is read here",
    "hole_outside": "a hole lies outside its shell",
    "holes_nested": "a hole lies in another hole",
    "line_short": "a line has fewer than two different positions",
    "missing_geometry": "it has no geometry",
    "nan": "NaN, Infinity or a number beyond all bounds",
    "not_features": "not a FeatureCollection or a Feature",
    "not_json": "not JSON",
    "not_utf8": "not UTF-8",
    "nothing_matches": "no feature has these properties",
    "out_of_range": "a position is beyond ±180° or ±90°",
    "overlapping_parts": "its parts overlap",
    "ring_short": "a ring has fewer than three different positions",
    "self_crossing": "its outline crosses or touches itself",
    "sliver": "it has no area, or less than 1 m²",
    "swapped": "latitude stands before longitude",
    "too_deep": "nested too deeply",
    "too_large": "too large",
    "too_many_features": "too many features",
    "too_many_rings": "too many rings in one geometry",
    "too_many_vertices": "too many vertices",
    "too_wide": "it is wider than any building",
}
"""For each code of REFUSALS, BUILDING_REFUSALS and COMMAND_REFUSALS of `problems`."""

UNPLANNED = {
    "crossing": "a border would cross another",
    "empty": "a district has no building",
    "gap": "a gap would be left",
    "nothing_to_divide": "there is no building with households to divide",
    "outside": "a building does not lie within the boundary",
    "overlap": "districts overlap",
    "several_parts": "a district would be in several parts",
    "too_many": "too many entrances to keep locked districts, to rebalance, or on one spot: use --where",
    "too_wide": "a building is wider than 10 km, or the ground than 300 km",
}
"""For each code of a `problems.PlanError`."""


def refused(path: str, error: GeoJSONError) -> list[str]:
    """Give a line for each problem of a file, with the feature's number."""
    lines = [f"{path}: {_problem(problem)}" for problem in error.problems]
    return [*lines, f"{path}: and {error.more} more"] if error.more else lines


def _problem(problem: Problem) -> str:
    words = REFUSED.get(problem.code, problem.code)
    detail = f" ({_one_line(problem.detail)})" if problem.detail else ""
    return f"feature {problem.feature}: {words}{detail}" if problem.feature else f"{words}{detail}"


def unplanned(code: str, detail: str | None) -> str:
    """Say why a division was refused."""
    return UNPLANNED.get(code, code) + (f" ({_one_line(detail)})" if detail else "")


def _one_line(text: str) -> str:
    """Give text that cannot move the terminal's cursor."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def overlapping(path: str, found: Fault, numbers: Sequence[int]) -> str:
    """Refuse the second of two districts that overlap, by their numbers in the file."""
    first, second = (numbers[index] for index in found.districts)
    return f"{path}: feature {second}: it overlaps feature {first} by {_ground(found.size)} at {place(found.place)}"


def fault(found: Fault, names: Sequence[str]) -> str:
    """Say what is wrong, where and how large, and what is offered. `names` are the districts'."""
    who = " and ".join(_one_line(names[index]) for index in found.districts)
    detail = _one_line(found.detail or "")
    size = _households(found.size) if found.unit == "households" else _ground(found.size)
    words = {
        "invalid": f"{who} is not a valid shape: {REFUSED.get(detail, detail)}",
        "overlap": f"{who} overlap by {size}",
        "gap": f"{size} in no district",
        "outside": f"{who} reaches {size} beyond the boundary",
        "parts": f"{who} is in {detail} parts; {size} lie apart here",
        "in_none": f"{detail} ({size}) is in no district",
        "in_two": f"{detail} ({size}) is in {who}",
        "cut": f"the border of {who} cuts {size} off {detail}",
        "off_size": f"{who} has {size}, target {detail}",
    }[found.code]
    offer = f"; can be repaired: {repair(found.repair, names)}" if found.repair else ""
    return f"{found.code} {place(found.place)}: {words}{offer}"


def repair(offer: Repair, names: Sequence[str]) -> str:
    """Say what a repair changes."""
    loser = " and ".join(_one_line(names[index]) for index in offer.losers or offer.districts)
    receiver = "" if offer.receiver is None else _one_line(names[offer.receiver])
    return {
        "read_as_valid": f"read {loser} with corners where it crosses itself, which changes {_ground(offer.area_m2)}",
        "overlap_cut": f"take {_ground(offer.area_m2)} from {loser}",
        "gap_given": f"give {_ground(offer.area_m2)} to {receiver}",
        "gap_shared": f"share {_ground(offer.area_m2)} among {_joined(names[index] for index in offer.districts)}",
        "outside_cut": f"take {_ground(offer.area_m2)} from {loser}",
        "part_given": f"give {_ground(offer.area_m2)} of {loser} to {receiver}",
    }[offer.code]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(map(_one_line, names))


def move(one: Mapping[str, Any]) -> str:
    """Say which door moves from whom to whom; entrance 0 is a building where nobody lives."""
    door = f" entrance {one['entrance']}" if one["entrance"] else ""
    origin = "no district" if one["from"] is None else one["from"]
    what = _one_line(f"{one['name']}{door}")
    return f"{what} ({_households(one['households'])}): from {_one_line(origin)} to {_one_line(one['to'])}"


def stop(number: int, door: Stop) -> str:
    """Say a door to walk to: the feature's number, its building and entrance, its name and floor."""
    house = (
        "" if door.building is None else f"{_one_line(door.building)} entrance {door.entrance}, floor {door.floor}, "
    )
    return f"feature {number}: {house}{_one_line(door.key)}"


def place(position: tuple[float, float] | None) -> str:
    """Give "longitude,latitude" as --start takes it."""
    return "nowhere" if position is None else f"{round(position[0], DECIMALS)},{round(position[1], DECIMALS)}"


def _ground(area_m2: float) -> str:
    return f"{area_m2:,.0f} m²"


def _households(count: float) -> str:
    return f"{count:,.0f} household{'' if count == 1 else 's'}"
