"""Two neighbouring districts divided anew in the best of all ways: few enough entrances that each way can be priced.

Fourteen entrances can be shared out in 8,192 ways, which numpy prices at once; annealing tries only some of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.annealing import ROUNDEST, Groups

MOST = 14
"""Entrances of two districts that are shared out in every way; one more takes twice the time."""
TRIED = 50
"""Ways that cost less but leave a district in pieces before a pair is given up."""


def improve(groups: Groups, most: int = MOST) -> bool:
    """Share out every pair of neighbours anew until no pair gets better; say whether any did."""
    label, ground = groups.label, groups.ground
    waiting = dict.fromkeys(_neighbours(groups))
    changed = False
    while waiting:
        pair = next(iter(waiting))
        del waiting[pair]
        d, e = pair
        atoms = groups.listed(d) + groups.listed(e)
        if len(atoms) > most or len(atoms) < 3:
            continue
        found = _best(groups, d, e, sorted(atoms))
        if found is None:
            continue
        changed = True
        for i in found:
            groups.shift((i,), e if label[i] == d else d)
        groups.renew(pair)
        touched = {label[j] for i in groups.listed(d) + groups.listed(e) for j in ground.costs[i]}
        for x in sorted(touched | {d, e}):
            for y in pair:
                if x != y:
                    waiting[min(x, y), max(x, y)] = None
    return changed


def _neighbours(groups: Groups) -> list[tuple[int, int]]:
    label = groups.label
    pairs = {(label[i], label[j]) for i, near in enumerate(groups.ground.costs) for j in near}
    return sorted((d, e) for d, e in pairs if d < e)


def _best(groups: Groups, d: int, e: int, atoms: Sequence[int]) -> list[int] | None:
    """Give the atoms that change sides in the best way to share them out; None where it is as it is."""
    ground, label = groups.ground, groups.label
    weight = _sums([ground.weight[i] for i in atoms])
    area = _sums([ground.area[i] for i in atoms])
    size = len(weight)
    number = {atom: n for n, atom in enumerate(atoms)}
    edge, other_edge = _edges(
        [{number[j]: c for j, c in ground.costs[i].items() if j in number} for i in atoms],
        [ground.outer[i] + groups.around[i] for i in atoms],
    )
    price = _prices(groups, weight) + _prices(groups, weight[-1] - weight)
    price -= _roundness(groups, area, edge) + _roundness(groups, area[-1] - area, other_edge)
    if ground.walls is not None:
        walls = [{number[j]: m for j, m in ground.walls[i].items() if j in number} for i in atoms]
        within = sum(sum(near.values()) for near in walls) / 2
        cut = _edges(walls, [sum(near.values()) for near in walls])[0]
        price += groups.prices.wall * (within - cut) / 100
    price += groups.prices.split * _pieces([groups.of[i] for i in atoms], size)
    now = sum(1 << n for n, i in enumerate(atoms) if label[i] == d)
    price[[0, -1]] = np.inf
    if ground.home is not None:
        tied = [(ground.weight[i] * groups.prices.moved, ground.home[i]) for i in atoms]
        here, there = (_sums([w * (h not in (-1, x)) for w, h in tied]) for x in (d, e))
        price += here + there[-1] - there
    better = np.flatnonzero(price < price[now] - 1e-9)
    for way in better[np.argsort(price[better], kind="stable")][:TRIED].tolist():
        one = sum(1 << atom for n, atom in enumerate(atoms) if way >> n & 1)
        other = sum(1 << atom for n, atom in enumerate(atoms) if not way >> n & 1)
        if groups.whole(one) and groups.whole(other):
            return [atom for n, atom in enumerate(atoms) if (way ^ now) >> n & 1]
    return None


def _sums(values: Sequence[float]) -> NDArray[np.float64]:
    """Give the sum of every subset of values: of those whose bits are set in its index."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums, sums + value))
    return sums


def _edges(
    near: Sequence[dict[int, float]], around: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the length of the edge of every subset, and of the rest, from the borders within and `around` each."""
    inside = np.zeros(1)
    for n, own in enumerate(near):
        inside = np.concatenate((inside, inside + _sums([own.get(j, 0.0) for j in range(n)])))
    whole = _sums(around)
    within = _sums([sum(own.values()) for own in near])
    rest = inside[-1] - within + inside
    return whole - 2 * inside, whole[-1] - whole - 2 * rest


def _prices(groups: Groups, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    prices, tolerance = groups.prices, groups.tolerance
    share = np.abs(weight - groups.target) / groups.target
    price = prices.even * share**2 + prices.near * np.maximum(0.0, share - tolerance / 2)
    return np.asarray(price + (share > tolerance + 1e-9) * (prices.out + prices.beyond * (share - tolerance)))


def _roundness(groups: Groups, area: NDArray[np.float64], edge: NDArray[np.float64]) -> NDArray[np.float64]:
    shape = groups.prices.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 4 * np.pi * shape * area / edge**2
    return np.asarray(np.where(edge > 0, np.minimum(found, ROUNDEST * shape), ROUNDEST * shape))


def _pieces(buildings: Sequence[int], size: int) -> NDArray[np.float64]:
    """Count for every subset the buildings that lie on both of its sides."""
    ways = np.arange(size)
    split = np.zeros(size)
    for building in set(buildings):
        mask = sum(1 << n for n, own in enumerate(buildings) if own == building)
        if mask & (mask - 1):
            split += ((ways & mask) != 0) & ((ways & mask) != mask)
    return split
