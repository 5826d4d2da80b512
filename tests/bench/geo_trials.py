"""Trials of the rest of `geo`: a block that grew, a walk against the proven optimum, points to districts, datums."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean
from time import process_time
from typing import Any

import numpy as np

from geo.buildings import Building
from geo.datum import shift
from geo.dividing import Division
from geo.plane import distance_m
from geo.rebalancing import Rebalanced, rebalance
from geo.tiling import locate
from tests.bench.cities import Place, grown
from tests.bench.divisions import Figures, Made, measure, within
from tests.bench.geo_figures import Aim, Trials
from tests.bench.geo_route import walks


@dataclass(frozen=True)
class Grown:
    """One trial: a block that grew, the share of all households that then changed their worker, and what came out."""

    words: str
    moved: float
    figures: Figures
    seconds: float

    @property
    def faults(self) -> dict[str, Any]:
        """What should not be, by its name."""
        found = self.figures
        names = ("off", "in_pieces", "gaps", "overlaps", "lost", "outside", "cut")
        return {name: getattr(found, name) for name in names if getattr(found, name)}


def rebalancing(divisions: Sequence[tuple[Place, Division]], target: int, trials: int, seed: int) -> Trials:
    """In each community several times one block grows by 10 to 50 %; who must change their worker?"""
    random = Random(seed)
    tried = [_one_grown(place, division, target, random) for place, division in divisions for _ in range(trials)]
    balanced = [(place, division) for place, division in divisions if _is_balanced(division, target)]
    still = sum(len(_again(place.buildings, division, target).moves) for place, division in balanced)
    moved, seconds = [100 * each.moved for each in tried] or [0.0], [each.seconds for each in tried] or [0.0]
    found = sum((each.figures for each in tried), Figures())
    told: dict[str, tuple[float, Aim | None]] = {
        "% of households that move, mean": (mean(moved), ("<=", 8)),
        "% of households that move, worst": (max(moved), None),
        "% of trials over 8 %": (100 * mean(share > 8 for share in moved), None),
        "% of districts out of ±10 %": (100 * len(found.off) / max(found.districts, 1), ("<=", 1)),
        "pieces, gaps, overlaps": (found.in_pieces + found.gaps + found.overlaps, ("<=", 0)),
        "moves where nothing grew": (still, ("<=", 0)),
        "seconds, mean": (mean(seconds), None),
        "seconds, slowest": (max(seconds), None),
    }
    notes = [f"{each.words}: {each.faults}" for each in tried if each.faults]
    return Trials("rebalance after one block grew by 10-50 %", f"{len(tried)} trials", told, notes)


def _one_grown(place: Place, division: Division, target: int, random: Random) -> Grown:
    block = random.choice([building for building in place.buildings if building.households])
    larger = grown(block, random.uniform(0.1, 0.5))
    buildings = [larger if building is block else building for building in place.buildings]
    began = process_time()
    done = _again(buildings, division, target)
    seconds = process_time() - began
    moved = sum(move.households for move in done.moves if move.origin >= 0)
    everybody = sum(building.households for building in buildings)
    words = f"{place}: {block.key} {block.households} → {larger.households}"
    figures = measure(Made.of(done.division, seconds), buildings, place.boundary, target)
    return Grown(words, moved / everybody, figures, seconds)


def _again(buildings: Sequence[Building], division: Division, target: int) -> Rebalanced:
    labels = {entrance: i for i, district in enumerate(division.districts) for entrance in district.entrances}
    return rebalance([district.shape for district in division.districts], buildings, labels=labels, target=target)


def _is_balanced(division: Division, target: int) -> bool:
    return all(within(district.households, target, 0.1) for district in division.districts)


def walking(towns: Sequence[Place], routes: int, seed: int) -> Trials:
    """Walks over 30 doors against the proven optimum."""
    gaps, times, unproven = walks(towns, routes, seed)
    told: dict[str, tuple[float, Aim | None]] = {
        "% longer than the optimum, mean": (mean(gaps or [0]), ("<=", 0.3)),
        "% longer than the optimum, worst": (max(gaps, default=0), ("<=", 1)),
        "milliseconds, mean": (1000 * mean(times or [0]), None),
        "milliseconds, slowest": (1000 * max(times, default=0), ("<=", 100)),
    }
    return Trials("route of 30 doors", f"{len(gaps)} routes, optimum not proven in {unproven} more", told)


def locating(shapes: Sequence[Any], points: int = 100_000, districts: int = 500) -> Trials:
    """Points to districts: the fastest of five, in districts as ours makes them."""
    some = list(shapes)[:districts]
    if not some:
        return Trials("points to districts", "no districts", {})
    bounds = np.array([shape.bounds for shape in some])
    random = np.random.default_rng(1)
    own = bounds[random.integers(len(some), size=points)]
    places = own[:, :2] + random.random((points, 2)) * (own[:, 2:] - own[:, :2])
    times = []
    for _ in range(5):
        began = process_time()
        locate(some, places)
        times.append(process_time() - began)
    told: dict[str, tuple[float, Aim | None]] = {"seconds": (min(times), ("<=", 0.1))}
    return Trials(f"{points} points to districts", f"{len(some)} districts", told)


def shifting(points: int = 1_000_000) -> Trials:
    """A million places to each datum and back."""
    places = np.random.default_rng(1).uniform((74, 19), (134, 53), (points, 2))
    told: dict[str, tuple[float, Aim | None]] = {}
    for datum in ("gcj02", "bd09"):
        began = process_time()
        there = shift(places, "wgs84", datum)
        half = process_time()
        back = shift(there, datum, "wgs84")
        told[f"seconds to {datum}"] = (half - began, None)
        told[f"seconds back from {datum}"] = (process_time() - half, None)
        told[f"µm off after {datum} and back, worst"] = (1e6 * float(distance_m(places, back).max()), ("<=", 1))
    return Trials("shift", f"{points} places", told)
