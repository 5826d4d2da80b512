"""Divide buildings into districts of about equal size, in one piece each, compact, and cutting few buildings."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import pi
from multiprocessing import get_context
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.annealing import Ground
from geo.borders import draw
from geo.buildings import Building, body
from geo.cutting import bisect, components
from geo.fabric import Fabric, around, on_grid, weave
from geo.plane import Plane
from geo.problems import PlanError
from geo.quarters import Quarter, quarters, sew
from geo.searching import HEATS, STEPS, Search
from geo.tiling import check_tiling

MOST_MOVES = 2_500_000
"""Moves tried in all: many communities in one file are searched less deeply."""
BLOCK = 30
"""Districts searched together; more ground is cut first."""
TOGETHER = 5_000
"""Entrances whose cells are made together; the ground of more is cut into quarters."""

Told = Callable[[float], None]
Progress = Told | None


@dataclass(frozen=True)
class District:
    """A district: its name, polygon (degrees), households, and the entrances in it (building's key, number from 1)."""

    name: str
    shape: Any
    households: int
    entrances: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Division:
    """Districts that tile the ground, in order; `split` has the keys of buildings that lie in several."""

    districts: tuple[District, ...]
    target: int
    tolerance: float
    split: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """Give how good it is: shares are from 0 to 1, compactness is the mean of Polsby and Popper (1991)."""
        sizes = np.array([district.households for district in self.districts], dtype=np.float64)
        off = np.abs(sizes - self.target) / self.target
        return {
            "districts": len(self.districts),
            "households": int(sizes.sum()),
            "smallest": int(sizes.min()) if len(sizes) else 0,
            "largest": int(sizes.max()) if len(sizes) else 0,
            "within_tolerance": _share(off <= self.tolerance + 1e-9),
            "within_10": _share(off <= 0.1 + 1e-9),
            "within_5": _share(off <= 0.05 + 1e-9),
            "compactness": round(float(np.mean([polsby_popper(d.shape) for d in self.districts])), 4),
            "split": len(self.split),
        }


def _share(good: NDArray[np.bool_]) -> float:
    return round(float(good.mean()), 4) if good.size else 1.0


def polsby_popper(shape: Any) -> float:
    """Give how compact a shape in degrees is: its area to that of a circle of its perimeter, from 0 to 1."""
    flat = Plane.around(shape).to_plane(shape)
    return float(4 * pi * flat.area / flat.length**2) if flat.length else 0.0


@dataclass(frozen=True)
class _Wanted:
    """What is asked for; `entrances` are those of the whole, which share the moves of the search."""

    target: int
    tolerance: float
    seed: int | str
    effort: float
    entrances: int


def propose(
    buildings: Sequence[Building],
    boundary: Any = None,
    *,
    target: int = 200,
    tolerance: float = 0.1,
    seed: int = 0,
    barriers: Sequence[Any] = (),
    locked: Sequence[Any] = (),
    effort: float = 1.0,
    jobs: int = 1,
    progress: Progress = None,
) -> Division:
    """Divide the ground of `buildings` (inside `boundary`) into districts of `target` households, give or take
    `tolerance`. Equal input and seed give an equal division.

    `barriers` are lines that borders follow where balance allows. `locked` are polygons that stay as they are and come
    first. `effort` scales the search; of more than `TOGETHER` entrances `jobs` quarters are divided side by side, in
    processes of their own. `progress` is told 0.0 to 1.0. PlanError: nothing_to_divide, too_many, too_wide, outside,
    overlap (of locked polygons, their numbers from 1), empty (a locked polygon without a building).
    """
    told = progress or (lambda share: None)
    told(0.0)
    locked = [on_grid(shape) for shape in locked]
    if not buildings:
        raise PlanError("nothing_to_divide")
    ground = on_grid(boundary) if boundary is not None else around_buildings(buildings)
    wanted = _Wanted(target, tolerance, seed, effort, _entrances(buildings))
    if wanted.entrances <= TOGETHER or locked:
        return _proposed(buildings, ground, wanted, barriers, locked, told)
    return _in_quarters(buildings, ground, wanted, barriers, jobs, told)


def _entrances(buildings: Sequence[Building]) -> int:
    return sum(max(1, len(building.entrances)) for building in buildings)


def _proposed(
    buildings: Sequence[Building],
    ground: Any,
    wanted: _Wanted,
    barriers: Sequence[Any],
    locked: Sequence[Any],
    told: Told,
) -> Division:
    fabric = weave(buildings, ground, barriers=barriers, within=locked)
    _refuse_locked(locked, fabric.fixed)
    told(0.1)
    label, count = _labels(fabric, len(locked), wanted, told)
    shapes = draw(fabric, label, count, given=[ground, *locked, *[on_grid(line) for line in barriers]])
    told(1.0)
    return division(fabric, label, shapes, target=wanted.target, tolerance=wanted.tolerance)


def _in_quarters(
    buildings: Sequence[Building], ground: Any, wanted: _Wanted, barriers: Sequence[Any], jobs: int, told: Told
) -> Division:
    """Divide one quarter after the other, or `jobs` side by side, and sew them together."""
    cut, seams = quarters(buildings, ground, wanted.target)
    todo = [
        (quarter, replace(wanted, seed=f"{wanted.seed}/{n}"), [b for b in barriers if b.intersects(quarter.ground)])
        for n, quarter in enumerate(cut)
    ]
    found: list[District] = []
    split: list[str] = []
    done = 0
    with _side_by_side(min(jobs, len(todo))) as each:
        for quarter, part in zip(cut, each(_quarter, todo), strict=True):
            found += part.districts
            split += part.split
            done += _entrances(quarter.buildings)
            told(done / wanted.entrances)
    shapes = sew([district.shape for district in found], seams)
    named = [replace(d, name=str(i + 1), shape=shape) for i, (d, shape) in enumerate(zip(found, shapes, strict=True))]
    return Division(tuple(named), wanted.target, wanted.tolerance, tuple(split))


def _quarter(job: tuple[Quarter, _Wanted, Sequence[Any]]) -> Division:
    quarter, wanted, barriers = job
    return _proposed(quarter.buildings, quarter.ground, wanted, barriers, (), lambda share: None)


@contextmanager
def _side_by_side(jobs: int) -> Iterator[Callable[..., Iterable[Division]]]:
    """Give a `map` that works in so many processes, or in this one."""
    if jobs < 2:
        yield map
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield pool.map


def _refuse_locked(locked: Sequence[Any], fixed: NDArray[np.intp] | None) -> None:
    """Refuse locked polygons that claim the same ground or hold no building."""
    for overlap in check_tiling(locked).overlaps:
        raise PlanError("overlap", f"{overlap.first + 1}, {overlap.second + 1}")
    held = set() if fixed is None else set(fixed.tolist())
    for index in range(len(locked)):
        if index not in held:
            raise PlanError("empty", str(index + 1))


def around_buildings(buildings: Sequence[Building]) -> Any:
    """Give the ground of buildings that came without a boundary."""
    return around(np.array([body(building) for building in buildings], dtype=object))


def division(
    fabric: Fabric,
    label: Sequence[int],
    shapes: Sequence[Any],
    *,
    target: int,
    tolerance: float,
    names: Sequence[str] | None = None,
) -> Division:
    """Put a division together from labels and polygons."""
    count = len(shapes)
    households = [0] * count
    entrances: list[list[tuple[str, int]]] = [[] for _ in range(count)]
    where: dict[int, set[int]] = {}
    for atom, district in enumerate(label):
        building, number = int(fabric.building[atom]), int(fabric.entrance[atom])
        households[district] += int(fabric.weight[atom])
        where.setdefault(building, set()).add(district)
        if number:
            entrances[district].append((fabric.buildings[building].key, number))
    split = tuple(fabric.buildings[b].key for b, districts in sorted(where.items()) if len(districts) > 1)
    found = [
        District(names[i] if names else str(i + 1), shapes[i], households[i], tuple(entrances[i])) for i in range(count)
    ]
    return Division(tuple(found), target, tolerance, split)


def ground_of(fabric: Fabric, atoms: Sequence[int], home: Sequence[int] | None = None) -> Ground:
    """Give the search what it needs of some atoms, numbered anew in their order."""
    number = {atom: i for i, atom in enumerate(atoms)}
    costs, outer = [], []
    for atom in atoms:
        near = {number[j]: c for j, c in fabric.costs[atom].items() if j in number}
        costs.append(near)
        outer.append(fabric.outer[atom] + sum(c for j, c in fabric.costs[atom].items() if j not in number))
    walls = None
    if fabric.walls is not None:
        walls = [{number[j]: m for j, m in fabric.walls[atom].items() if j in number} for atom in atoms]
    return Ground(
        [int(fabric.load[atom]) for atom in atoms],
        costs,
        outer,
        [fabric.areas[atom] for atom in atoms],
        [fabric.block[atom] for atom in atoms],
        fabric.places[list(atoms)] * np.array(fabric.plane.metres_per_degree),
        walls,
        home,
    )


def _labels(
    fabric: Fabric,
    locked: int,
    wanted: _Wanted,
    told: Told,
) -> tuple[list[int], int]:
    """Give every atom a district: locked ones first, then each piece of the free ground divided for itself."""
    label = [-1] * len(fabric) if fabric.fixed is None else [int(district) for district in fabric.fixed]
    target, tolerance, random = wanted.target, wanted.tolerance, Random(wanted.seed)  # noqa: S311
    free = [atom for atom, district in enumerate(label) if district < 0 and fabric.host[atom] == atom]
    count = locked
    jobs: list[tuple[list[int], int]] = []
    for piece in components(fabric.borders, free, fabric.load):
        for bank in _banks(fabric, piece, target, tolerance):
            jobs += _blocks(fabric, bank, _count(fabric, bank, target), random)
    tries = max(1, sum(len(atoms) for atoms, _ in jobs if len(atoms) > 1))
    most = MOST_MOVES / max(wanted.entrances, tries) / len(HEATS)
    done, share = 0.0, 0.0

    def step() -> None:
        nonlocal done
        done = min(done + share / STEPS, share_after)
        told(0.1 + 0.8 * done)

    search = Search(target, tolerance, random, wanted.effort, most, step)
    share_after = 0.0
    for atoms, districts in jobs:
        share = len(atoms) / tries if len(atoms) > 1 else 0.0
        share_after += share
        found, districts = search.divided(ground_of(fabric, atoms), districts)
        for atom, district in zip(atoms, found, strict=True):
            label[atom] = count + district
        count += districts
        done = share_after
        told(0.1 + 0.8 * done)
    return [label[host] for host in fabric.host], count


def _count(fabric: Fabric, atoms: Sequence[int], target: int) -> int:
    return max(1, round(int(fabric.load[list(atoms)].sum()) / target))


def _banks(fabric: Fabric, atoms: list[int], target: int, tolerance: float) -> list[list[int]]:
    """Part connected atoms along barriers wherever each side can be divided for itself; a side that cannot goes with
    the neighbour it has most border with."""
    if fabric.walls is None:
        return [atoms]
    walls = fabric.walls
    open_links = [
        {j: m for j, m in near.items() if walls[i].get(j, 0.0) < m / 2} for i, near in enumerate(fabric.borders)
    ]
    banks = components(open_links, atoms, fabric.load)
    while len(banks) > 1:
        uneven = [bank for bank in banks if not _is_even(fabric, bank, target, tolerance)]
        if not uneven:
            break
        bank = min(uneven, key=lambda atoms: int(fabric.load[atoms].sum()))
        own = set(bank)
        others = [other for other in banks if other is not bank]
        shared = [sum(m for i in other for j, m in fabric.borders[i].items() if j in own) for other in others]
        near = others[shared.index(max(shared))]
        banks = [*(other for other in others if other is not near), sorted(bank + near)]
    return sorted(banks, key=lambda bank: bank[0])


def _is_even(fabric: Fabric, atoms: list[int], target: int, tolerance: float) -> bool:
    """Whether atoms make districts that are on the average well within the tolerance."""
    mean = int(fabric.load[atoms].sum()) / _count(fabric, atoms, target)
    return abs(mean - target) <= 0.6 * tolerance * target


def _blocks(fabric: Fabric, atoms: list[int], count: int, random: Random) -> list[tuple[list[int], int]]:
    """Cut a large piece of ground until its blocks have at most `BLOCK` districts."""
    count = min(count, len(atoms))
    if count <= BLOCK:
        return [(atoms, count)]
    one, other, first = bisect(ground_of(fabric, atoms), list(range(len(atoms))), count, random)
    parts = ([atoms[i] for i in one], first), ([atoms[i] for i in other], count - first)
    return [block for part, share in parts for block in _blocks(fabric, part, share, random)]
