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

from geo.annealing import Ground, Groups, Prices, anneal
from geo.borders import draw
from geo.buildings import Building
from geo.fabric import Fabric, around, on_grid, weave
from geo.pairing import improve
from geo.plane import Plane
from geo.problems import PlanError
from geo.quarters import Quarter, quarters, sew
from geo.tiling import check_tiling

MOVES, FEWEST_MOVES = 300, 30_000
"""Moves tried for each entrance and start, at effort 1; few entrances, which are large ones, need as many as more."""
HEATS = (3.0, 0.8)
"""How hot each start begins: the first crosses high walls, the second finishes shapes."""
KICKS, KICK, SHAKE = 8, 0.12, 0.7
"""How often the best start is shaken, for how large a share of the moves of a start, and how hot."""
HURRIED = 60
"""Moves for each entrance and start below which there is one start only, and fewer searches after it."""
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
    processes of their own. `progress` is told 0.0 to 1.0. PlanError: nothing_to_divide, too_wide, outside,
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
    return around(np.array([building.shape for building in buildings], dtype=object))


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
    for piece in components(fabric, free):
        for bank in _banks(fabric, piece, target, tolerance):
            jobs += _blocks(fabric, bank, _count(fabric, bank, target), random)
    tries = max(1, sum(len(atoms) for atoms, _ in jobs if len(atoms) > 1))
    most = MOST_MOVES / max(wanted.entrances, tries) / len(HEATS)
    done = 0
    for atoms, districts in jobs:
        moves = max(MOVES * len(atoms), FEWEST_MOVES if len(atoms) > districts else 0)
        moves = int(wanted.effort * min(moves, most * len(atoms)))
        found, districts = _divided(fabric, atoms, districts, target, tolerance, random, moves)
        for atom, district in zip(atoms, found, strict=True):
            label[atom] = count + district
        count += districts
        done += len(atoms)
        told(0.1 + 0.8 * done / tries)
    return [label[host] for host in fabric.host], count


def components(
    fabric: Fabric, atoms: Sequence[int], links: Sequence[dict[int, float]] | None = None
) -> list[list[int]]:
    """Give the connected pieces of some atoms (by `links`, else by borders), most households first, each in order."""
    near = fabric.borders if links is None else links
    left = set(atoms)
    pieces = []
    for start in atoms:
        if start not in left:
            continue
        left.discard(start)
        piece = [start]
        stack = [start]
        while stack:
            for other in near[stack.pop()]:
                if other in left:
                    left.discard(other)
                    stack.append(other)
                    piece.append(other)
        pieces.append(sorted(piece))
    weight = fabric.load
    return sorted(pieces, key=lambda piece: (-int(weight[piece].sum()), -len(piece), piece[0]))


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
    banks = components(fabric, atoms, open_links)
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
    one, other, first = bisect(fabric, atoms, count, random)
    return _blocks(fabric, one, first, random) + _blocks(fabric, other, count - first, random)


def bisect(fabric: Fabric, atoms: list[int], count: int, random: Random) -> tuple[list[int], list[int], int]:
    """Cut connected atoms by a straight line into two connected parts of households as k to count - k, k = count // 2:
    the shortest of a few lines. Gives both parts and k. (The split-line algorithm, made to keep pieces whole.)"""
    first = count // 2
    total = int(fabric.load[atoms].sum())
    wanted = total * first / count
    places = fabric.places[atoms] * np.array(fabric.plane.metres_per_degree)
    weights = fabric.load[atoms]
    best: tuple[float, list[int], list[int]] | None = None
    for turn in range(6):
        angle = (turn + random.random()) * pi / 6
        order = np.argsort(places @ np.array([np.cos(angle), np.sin(angle)]), kind="stable")
        size = int(np.searchsorted(np.cumsum(weights[order]), wanted)) + 1
        size = min(max(size, first), len(atoms) - (count - first))
        part = [atoms[i] for i in order[:size]]
        main = set(components(fabric, part)[0])
        rest = components(fabric, [atom for atom in atoms if atom not in main])
        for piece in rest[1:]:
            main.update(piece)
        one, other = sorted(main), rest[0] if rest else []
        if len(one) < first or len(other) < count - first:
            continue
        cut = sum(c for atom in other for j, c in fabric.costs[atom].items() if j in main)
        off = abs(int(fabric.load[one].sum()) - wanted) / max(total / count, 1)
        price = cut / 200 + 4 * off
        if best is None or price < best[0]:
            best = (price, one, other)
    if best is None:
        one, other = _peeled(fabric, atoms, first)
        return one, other, first
    return best[1], best[2], first


def _peeled(fabric: Fabric, atoms: list[int], first: int) -> tuple[list[int], list[int]]:
    """Cut off `first` atoms one by one so that both parts stay whole: leaves of a spanning tree, last found first."""
    seen = [atoms[0]]
    own = set(atoms)
    found = {atoms[0]}
    for atom in seen:
        for other in sorted(fabric.borders[atom]):
            if other in own and other not in found:
                found.add(other)
                seen.append(other)
    return sorted(seen[:first]), sorted(seen[first:])


@dataclass
class _Trial:
    """A division of some atoms under way: into how many districts, which, and how many of them are out of tolerance."""

    count: int
    label: list[int]
    out: int
    price: float


def _divided(
    fabric: Fabric, atoms: list[int], count: int, target: int, tolerance: float, random: Random, moves: int
) -> tuple[list[int], int]:
    """Give connected atoms districts from 0 on, and how many those are: `count`, or one more or less where some would
    not come within the tolerance otherwise, as where entrances of 62 make districts of 186 but none of 200."""
    if count == 1:
        return [0] * len(atoms), 1
    ground = ground_of(fabric, atoms)
    hurried = moves < HURRIED * len(atoms)

    def trial(districts: int, heats: Sequence[float], rounds: Sequence[tuple[Prices, float]]) -> _Trial:
        best: tuple[float, list[int]] | None = None
        for hot in heats:
            start: dict[int, int] = {}
            _seed(fabric, atoms, districts, 0, start, random)
            groups = Groups(ground, [start[atom] for atom in atoms], districts, target, tolerance)
            anneal(groups, random, moves, hot=hot)
            improve(groups)
            if best is None or groups.total() < best[0] - 1e-9:
                best = (groups.total(), list(groups.label))
        assert best is not None  # noqa: S101
        groups = Groups(ground, best[1], districts, target, tolerance)
        if len(heats) > 1:
            _shaken(groups, random, int(moves * KICK))
        found = _Trial(districts, list(groups.label), groups.out(), groups.total())
        return _squeezed(ground, found, target, tolerance, random, moves, rounds)

    if hurried:
        found = trial(count, HEATS[1:], SQUEEZES[:1])
        return found.label, found.count
    found = trial(count, HEATS, SQUEEZES)
    total = sum(ground.weight)
    for other in (count + 1, count - 1):
        if found.out and other > 1 and abs(total / other - target) <= OTHERWISE * tolerance * target:
            found = min(found, trial(other, HEATS[1:], SQUEEZES), key=lambda one: (one.out, one.price))
    if found.out:
        found = _squeezed(ground, found, target, tolerance, random, moves, SQUEEZES)
    return found.label, found.count


OTHERWISE = 0.8
"""Share of the tolerance that the mean may be off the target where there is one district more or less."""

SQUEEZES = (
    (Prices(out=8.0, beyond=60.0, near=3.0, even=0.0, split=0.3, shape=0.35), 1.0),
    (Prices(out=4.0, beyond=40.0, near=0.0, even=0.0, split=0.1, shape=0.1), 4.0),
    (Prices(out=1.0, beyond=20.0, near=0.0, even=30.0, split=0.1, shape=0.1), 1.0),
    (Prices(out=0.5, beyond=20.0, near=0.0, even=4.0, split=0.1, shape=0.1), 2.0),
)
"""What counts, and how hot it begins, where a district is still beyond the tolerance: first that it comes back."""


def _shaken(groups: Groups, random: Random, moves: int) -> None:
    """Shake the division a little and let it settle, again and again, and keep the best."""
    best, label = groups.total(), list(groups.label)
    for _ in range(KICKS):
        anneal(groups, random, moves, hot=SHAKE, cold=SHAKE / 4, last=True)
        improve(groups)
        if groups.total() < best - 1e-9:
            best, label = groups.total(), list(groups.label)
        else:
            groups.reset(label)


def _squeezed(
    ground: Ground,
    found: _Trial,
    target: int,
    tolerance: float,
    random: Random,
    moves: int,
    rounds: Sequence[tuple[Prices, float]],
) -> _Trial:
    """Search again, for balance before all, while a district is beyond the tolerance; then mend the shapes."""
    label, out = found.label, found.out
    for prices, hot in rounds:
        if not out:
            break
        groups = Groups(ground, label, found.count, target, tolerance, prices)
        anneal(groups, random, moves // 2, hot=hot, cold=0.02, focused=True)
        improve(groups)
        if groups.out() < out:
            label, out = list(groups.label), groups.out()
    if out == found.out:
        return found
    usual = Groups(ground, label, found.count, target, tolerance)
    anneal(usual, random, moves // 2, hot=0.25, cold=0.02)
    improve(usual)
    if usual.out() > out:
        usual.reset(label)
    return _Trial(found.count, list(usual.label), usual.out(), usual.total())


def _seed(fabric: Fabric, atoms: list[int], count: int, base: int, label: dict[int, int], random: Random) -> None:
    if count == 1:
        for atom in atoms:
            label[atom] = base
        return
    one, other, first = bisect(fabric, atoms, count, random)
    _seed(fabric, one, first, base, label, random)
    _seed(fabric, other, count - first, base + first, label, random)
