"""`python -m geo propose` and `python -m geo rebalance`."""

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from geo import files, words
from geo.checking import check
from geo.dividing import District, Division, propose
from geo.geojson import dump
from geo.rebalancing import Move, rebalance


def run_propose(arguments: Namespace) -> int:
    """Divide buildings into districts, and write them with their households and entrances."""
    locked = files.districts(arguments.locked) if arguments.locked else files.Drawn((), [], [])
    division = propose(
        files.buildings(arguments.buildings, arguments.where),
        files.ground(arguments.boundary, arguments.where),
        target=arguments.target,
        tolerance=arguments.tolerance,
        seed=arguments.seed,
        barriers=files.shapes(arguments.barriers, files.LINES),
        locked=locked.shapes,
        effort=arguments.effort,
        jobs=arguments.jobs,
        progress=_progress(),
    )
    names = [*locked.names, *(district.name for district in division.districts[len(locked.names) :])]
    files.save(arguments.output, _written(division, names))
    out = files.beside(arguments.output or "-")
    if arguments.json:
        files.print_json(division.figures() | {"split_buildings": list(division.split)}, out)
    else:
        _say_figures(division, out)
    return files.FINE


def run_rebalance(arguments: Namespace) -> int:
    """Bring districts back to size with the fewest moved doors, write them, and list the doors that move."""
    drawn = files.districts(arguments.districts)
    _refuse_overlaps(arguments.districts, drawn)
    buildings = files.buildings(arguments.buildings, arguments.where)
    result = rebalance(
        drawn.shapes,
        buildings,
        names=drawn.names,
        labels=files.labels(arguments.districts, drawn),
        target=arguments.target,
        tolerance=arguments.tolerance,
        seed=arguments.seed,
        locked=[index for index, member in enumerate(drawn.features) if member.properties.get("locked") is True],
        progress=_progress(),
    )
    members = zip(drawn.features, result.division.districts, strict=True)
    data = dump((old.id, old.properties | _properties(new.name, new), new.shape) for old, new in members)
    files.save(arguments.output, data)
    out = files.beside(arguments.output or "-")
    moves = [_move(move, {building.key: building.name for building in buildings}, drawn.names) for move in result.moves]
    moved = sum(move.households for move in result.moves)
    if arguments.json:
        files.print_json(result.division.figures() | {"moved_households": moved, "moves": moves}, out)
    else:
        for move in moves:
            print(words.move(move), file=out)
        _say_figures(result.division, out)
        print(f"moved_households: {moved}", file=out)
    return files.FINE


def _refuse_overlaps(path: str, drawn: files.Drawn) -> None:
    """Refuse districts that claim the same ground: nobody could say whose doors those are. Unreadable."""
    found = [fault for fault in check(drawn.shapes) if fault.code == "overlap"]
    if found:
        numbers = [feature.number for feature in drawn.features]
        raise files.Unreadable([words.overlapping(path, fault, numbers) for fault in found])


def _move(move: Move, buildings: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    return {
        "building": move.building,
        "name": buildings[move.building],
        "entrance": move.entrance,
        "households": move.households,
        "from": names[move.origin] if move.origin >= 0 else None,
        "to": names[move.target],
    }


def _written(division: Division, names: Sequence[str]) -> bytes:
    members = zip(names, division.districts, strict=True)
    return dump((None, _properties(name, district), district.shape) for name, district in members)


def _properties(name: str, district: District) -> dict[str, Any]:
    entrances = [list(entrance) for entrance in district.entrances]
    return {"name": name, "households": district.households, "entrances": entrances}


def _say_figures(division: Division, out: TextIO) -> None:
    for name, value in division.figures().items():
        print(f"{name}: {value}", file=out)


def _progress() -> Callable[[float], None] | None:
    """Count up on a terminal; say nothing into a file."""
    if not sys.stderr.isatty():
        return None
    return lambda share: print(f"\r{share:4.0%}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)
