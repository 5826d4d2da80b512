"""Keep a division up: back within tolerance with the fewest households that change their worker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import shapely

from geo.annealing import Ground, Groups, Prices, anneal
from geo.borders import draw
from geo.buildings import Building
from geo.cutting import components
from geo.dividing import Division, division, ground_of
from geo.fabric import Fabric, on_grid, weave
from geo.pairing import improve
from geo.problems import PlanError

KEEPING = Prices(out=6.0, beyond=80.0, near=0.0, even=0.0, split=0.3, shape=0.25, moved=0.02)
"""What counts when a division is kept up: first the tolerance, then households that move, shapes last."""
MENDING = Prices(out=9.0, beyond=90.0, near=0.0, even=0.0, split=0.05, shape=0.05, moved=0.008)
"""What counts where a district is beyond the tolerance still: nothing much but that it comes back."""
MOVES = 300
"""Moves tried for each entrance and start."""
STARTS = ((KEEPING, 0.8), (KEEPING, 0.8), (KEEPING, 2.5), (MENDING, 1.5), (MENDING, 4.0))
"""Prices and how hot a start begins; those that mend are tried where the others leave a district out."""


@dataclass(frozen=True)
class Move:
    """An entrance (from 1) that changes district: building's key, households, district before and after (indices)."""

    building: str
    entrance: int
    households: int
    origin: int
    target: int


@dataclass(frozen=True)
class Rebalanced:
    """The new division, districts in the order given, and every entrance that changes its district."""

    division: Division
    moves: tuple[Move, ...]


def rebalance(
    districts: Sequence[Any],
    buildings: Sequence[Building],
    *,
    names: Sequence[str] | None = None,
    labels: Mapping[tuple[str, int], int] | None = None,
    target: int = 200,
    tolerance: float = 0.1,
    seed: int = 0,
    locked: Sequence[int] = (),
    progress: Callable[[float], None] | None = None,
) -> Rebalanced:
    """Move as few households as need be so that every district is within tolerance again.

    `districts` are polygons that tile the ground; `locked` are indices of those that neither give nor take. Where all
    are within tolerance nothing changes. `labels` says in which district an entrance (building's key, number from 1) is
    today; one that it does not name is where its place lies.
    PlanError: nothing_to_divide, outside (a building in no district).
    """
    told = progress or (lambda share: None)
    told(0.0)
    shapes = [on_grid(shape) for shape in districts]
    if not shapes or not buildings:
        raise PlanError("nothing_to_divide")
    fabric = weave(buildings, shapely.union_all(shapes), within=shapes, labels=labels)
    home = homes(fabric)
    if -1 in home:
        raise PlanError("outside", buildings[int(fabric.building[home.index(-1)])].name)
    told(0.1)
    label = _searched(fabric, home, len(shapes), target, tolerance, seed, set(locked), told)
    told(0.9)
    result = moved_shapes(fabric, home, label, shapes)
    moves = tuple(
        Move(
            buildings[int(fabric.building[atom])].key,
            int(fabric.entrance[atom]),
            int(fabric.weight[atom]),
            home[atom],
            label[atom],
        )
        for atom in range(len(fabric))
        if home[atom] != label[atom]
    )
    told(1.0)
    return Rebalanced(division(fabric, label, result, target=target, tolerance=tolerance, names=names), moves)


def homes(fabric: Fabric) -> list[int]:
    """Give each atom's district of today, -1 for nowhere."""
    return [-1] * len(fabric) if fabric.fixed is None else [int(district) for district in fabric.fixed]


def moved_shapes(fabric: Fabric, home: Sequence[int], label: Sequence[int], shapes: Sequence[Any]) -> list[Any]:
    """Give the polygons after atoms moved from `home` to `label`; districts that nothing touched keep theirs."""
    if list(home) == list(label):
        return list(shapes)
    drawn = draw(fabric, label, len(shapes), given=shapes)
    return [old if _is_same(old, new) else new for old, new in zip(shapes, drawn, strict=True)]


def _is_same(old: Any, new: Any) -> bool:
    """Whether two polygons have the same vertices; one that a neighbour's border now ends at has one more."""
    return bool(shapely.equals_exact(shapely.normalize(old), shapely.normalize(new), tolerance=0.0))


def _searched(
    fabric: Fabric,
    home: list[int],
    count: int,
    target: int,
    tolerance: float,
    seed: int,
    locked: set[int],
    told: Callable[[float], None],
) -> list[int]:
    """Give the labels after the search, from `home` where anything is out, else `home`."""
    atoms = [atom for atom in range(len(fabric)) if home[atom] not in locked and fabric.host[atom] == atom]
    ground = _tied(fabric, atoms, home)
    own = [home[atom] for atom in atoms]
    if not atoms or _is_balanced(ground, own, target, tolerance):
        return home
    best: tuple[tuple[int, float], list[int]] | None = None
    judge = Groups(ground, own, count, target, tolerance, KEEPING)
    for start, (prices, hot) in enumerate(STARTS):
        if best is not None and prices is MENDING and not best[0][0]:
            break
        groups = Groups(ground, own, count, target, tolerance, prices)
        random = Random(seed * len(STARTS) + start)  # noqa: S311
        anneal(groups, random, MOVES * len(atoms), hot=hot, cold=0.01)
        improve(groups)
        judge.reset(groups.label)
        _sent_home(judge, own)
        out = sum(abs(judge.households[d] - target) > target * tolerance + 1e-9 for d in set(own))
        found = (out, judge.total())
        if best is None or found < (best[0][0], best[0][1] - 1e-9):
            best = (found, list(judge.label))
        told(0.1 + 0.8 * (start + 1) / len(STARTS))
    assert best is not None  # noqa: S101
    label = list(home)
    for atom, district in zip(atoms, best[1], strict=True):
        label[atom] = district
    return [label[host] for host in fabric.host]


def _is_balanced(ground: Ground, own: Sequence[int], target: int, tolerance: float) -> bool:
    sizes: dict[int, int] = {}
    for weight, district in zip(ground.weight, own, strict=True):
        sizes[district] = sizes.get(district, 0) + weight
    return all(abs(size - target) <= target * tolerance + 1e-9 for size in sizes.values())


def _tied(fabric: Fabric, atoms: Sequence[int], home: Sequence[int]) -> Ground:
    """Give the ground of a search that begins at `home`. Pieces of a district that lies in several are tied by a free
    link: it may stay so, but is not asked to be mended."""
    ground = ground_of(fabric, atoms, [home[atom] for atom in atoms])
    number = {atom: i for i, atom in enumerate(atoms)}
    costs = [dict(near) for near in ground.costs]
    for district in sorted({home[atom] for atom in atoms}):
        pieces = components(fabric.borders, [atom for atom in atoms if home[atom] == district], fabric.load)
        for piece in pieces[1:]:
            a, b = number[pieces[0][0]], number[piece[0]]
            costs[a][b] = costs[b][a] = 0.0
    return replace(ground, costs=costs)


def _sent_home(groups: Groups, own: Sequence[int]) -> None:
    """Send entrances back where they came from wherever that costs nothing."""
    changed = True
    while changed:
        changed = False
        for atom, district in enumerate(own):
            back = groups.label[atom]
            if back == district:
                continue
            before = groups.total()
            groups.shift((atom,), district)
            groups.renew((back, district))
            whole = all(groups.members[d] and groups.whole(groups.members[d]) for d in (back, district))
            if whole and groups.total() < before - 1e-9:
                changed = True
                continue
            groups.shift((atom,), back)
            groups.renew((back, district))
