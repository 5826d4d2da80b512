"""`python -m geo check`."""

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from typing import Any, TextIO

from geo import files, words
from geo.checking import check
from geo.faults import Fault
from geo.positions import DECIMALS
from geo.repairing import repair

LISTED = 100
"""Faults of one kind said in words; --json has all."""

MOST_ROUNDS = 10
"""A repair can make way for another: a part that was cut off goes to its neighbour."""


def run_check(arguments: Namespace) -> int:
    """Say what is wrong with a division, repair what is safe where asked, and give 1 where anything was found."""
    drawn = files.districts(arguments.districts, keep_invalid=True)
    options = _check_options(arguments, drawn)
    faults = check(drawn.shapes, **options)
    rounds, shapes, left = [faults], drawn.shapes, faults
    while arguments.repair and any(fault.repair for fault in left) and len(rounds) <= MOST_ROUNDS:
        shapes = repair(shapes, left)
        left = check(shapes, **options)
        rounds.append(left)
    if arguments.repair:
        files.save_features(arguments.repair, drawn.features, shapes)
    out = files.beside(arguments.repair)
    if arguments.json:
        files.print_json(_check_figures(rounds, drawn.names, repaired=bool(arguments.repair)), out)
    else:
        _say_faults(rounds, drawn.names, out, repaired=bool(arguments.repair))
    return files.FOUND if faults else files.FINE


def _check_options(arguments: Namespace, drawn: files.Drawn) -> dict[str, Any]:
    """Give the options of `check` that the files allow for."""
    options: dict[str, Any] = {
        "boundary": files.ground(arguments.boundary, arguments.where),
        "size_tolerance": arguments.size_tolerance,
    }
    households = [_count(feature.properties.get("households")) for feature in drawn.features]
    if all(count is not None for count in households):
        options.update(households=households, target=arguments.target)
    if arguments.points is None:
        return options
    doors = files.buildings(arguments.points, arguments.where)
    options["labels"] = files.labels(arguments.districts, drawn)
    if any(door.households for door in doors):
        return options | {"buildings": doors, "households": None, "target": arguments.target}
    return options | {"buildings": doors}


def _count(value: object) -> int | None:
    """Give a number of households where a district has one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _check_figures(rounds: Sequence[Sequence[Fault]], names: Sequence[str], *, repaired: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "districts": len(names),
        "found": dict(sorted(Counter(fault.code for fault in rounds[0]).items())),
        "faults": [_fault(fault, names) for fault in rounds[0]],
    }
    if repaired:
        figures["repairs"] = [_repair(fault, names) for faults in rounds[:-1] for fault in faults if fault.repair]
        figures["left"] = [_fault(fault, names) for fault in rounds[-1]]
    return figures


def _fault(fault: Fault, names: Sequence[str]) -> dict[str, Any]:
    return {
        "code": fault.code,
        "place": _rounded(fault.place),
        "size": round(fault.size, 2),
        "unit": fault.unit,
        "districts": [names[index] for index in fault.districts],
        "detail": fault.detail,
        "repair": _repair(fault, names) if fault.repair else None,
    }


def _repair(fault: Fault, names: Sequence[str]) -> dict[str, Any]:
    offer = fault.repair
    assert offer is not None  # noqa: S101 - the callers look first
    return {
        "code": offer.code,
        "place": _rounded(fault.place),
        "districts": [names[index] for index in offer.districts],
        "area_m2": round(offer.area_m2, 2),
        "receiver": None if offer.receiver is None else names[offer.receiver],
    }


def _rounded(place: tuple[float, float] | None) -> list[float] | None:
    return None if place is None else [round(place[0], DECIMALS), round(place[1], DECIMALS)]


def _say_faults(rounds: Sequence[Sequence[Fault]], names: Sequence[str], out: TextIO, *, repaired: bool) -> None:
    _list(rounds[0], names, out)
    if not rounds[0]:
        print(f"{len(names)} districts, nothing wrong", file=out)
    if repaired:
        for faults in rounds[:-1]:
            for fault in faults:
                if fault.repair:
                    print(f"repaired: {words.repair(fault.repair, names)}", file=out)
        print(f"{len(rounds[-1])} left after repair", file=out)
        if len(rounds) > 1:
            _list(rounds[-1], names, out)


def _list(faults: Sequence[Fault], names: Sequence[str], out: TextIO) -> None:
    said: Counter[str] = Counter()
    for fault in faults:
        said[fault.code] += 1
        if said[fault.code] <= LISTED:
            print(words.fault(fault, names), file=out)
    for code, count in said.items():
        if count > LISTED:
            print(f"{code}: and {count - LISTED} more", file=out)
