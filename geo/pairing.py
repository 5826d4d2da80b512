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


def improve(groups: Groups, *, hurried: bool = False) -> None:
    """Share out every pair of neighbours anew until no pair gets better; `hurried`: only pairs of which one is beyond
    half the tolerance, once."""
    label, ground = groups.label, groups.ground
    waiting = dict.fromkeys(_neighbours(groups))
    half = groups.target * groups.tolerance / 2
    while waiting:
        pair = next(iter(waiting))
        del waiting[pair]
        d, e = pair
        atoms = groups.listed(d) + groups.listed(e)
        if len(atoms) > MOST or len(atoms) < 3:
            continue
        if hurried and all(abs(groups.households[x] - groups.target) <= half for x in pair):
            continue
        found = _best(groups, d, e, sorted(atoms))
        if found is None:
            continue
        for i in found:
            groups.shift((i,), e if label[i] == d else d)
        groups.renew(pair)
        if hurried:
            continue
        touched = {label[j] for i in groups.listed(d) + groups.listed(e) for j in ground.costs[i]}
        for x in sorted(touched | {d, e}):
            for y in pair:
                if x != y:
                    waiting[min(x, y), max(x, y)] = None


def _neighbours(groups: Groups) -> list[tuple[int, int]]:
    label = groups.label
    pairs = {(label[i], label[j]) for i, near in enumerate(groups.ground.costs) for j in near}
    return sorted((d, e) for d, e in pairs if d < e)


def _best(groups: Groups, d: int, e: int, atoms: Sequence[int]) -> list[int] | None:
    """Give the atoms that change sides in the best way to share them out; None where it is as it is."""
    ground, label = groups.ground, groups.label
    number = {atom: n for n, atom in enumerate(atoms)}
    weight, rest_weight = _sums([ground.weight[i] for i in atoms])
    area, rest_area = _sums([ground.area[i] for i in atoms])
    near = [{number[j]: c for j, c in ground.costs[i].items() if j in number} for i in atoms]
    edge, rest_edge = _edges(near, [ground.outer[i] + groups.around[i] for i in atoms])
    price = _prices(groups, weight) + _prices(groups, rest_weight)
    price -= _roundness(groups, area, edge) + _roundness(groups, rest_area, rest_edge)
    if ground.walls is not None:
        walls = [{number[j]: m for j, m in ground.walls[i].items() if j in number} for i in atoms]
        within = sum(sum(near.values()) for near in walls) / 2
        cut = _edges(walls, [sum(near.values()) for near in walls])[0]
        price += groups.prices.wall * (within - cut) / 100
    price += groups.prices.split * _pieces([groups.of[i] for i in atoms], len(weight))
    price[-1] = np.inf  # nothing would be left for the other one
    first, second = label[atoms[0]], e if label[atoms[0]] == d else d
    options = [(price, first, second)]
    if ground.home is not None:
        options = [(price + _strayed(groups, atoms, x, y), x, y) for x, y in ((first, second), (second, first))]
    now = sum(1 << n for n, i in enumerate(atoms[1:]) if label[i] == first)
    limit = options[0][0][now] - 1e-9
    better = sorted(
        (float(p[way]), n, int(way)) for n, (p, _, _) in enumerate(options) for way in np.flatnonzero(p < limit)
    )
    for _, option, way in better[:TRIED]:
        _, here, there = options[option]
        with_first = way << 1 | 1
        if _stays_whole(groups, atoms, with_first):
            return [i for n, i in enumerate(atoms) if label[i] != (here if with_first >> n & 1 else there)]
    return None


def _stays_whole(groups: Groups, atoms: Sequence[int], way: int) -> bool:
    one = sum(1 << atom for n, atom in enumerate(atoms) if way >> n & 1)
    other = sum(1 << atom for n, atom in enumerate(atoms) if not way >> n & 1)
    return groups.whole(one) and groups.whole(other)


def _strayed(groups: Groups, atoms: Sequence[int], one: int, other: int) -> NDArray[np.float64]:
    """Price the households that are not where they are today, if the sides are these districts."""
    home = groups.ground.home
    assert home is not None  # noqa: S101
    loads = [groups.ground.weight[i] * groups.prices.moved for i in atoms]
    here, _ = _sums([w * (home[i] not in (-1, one)) for i, w in zip(atoms, loads, strict=True)])
    _, there = _sums([w * (home[i] not in (-1, other)) for i, w in zip(atoms, loads, strict=True)])
    return here + there


def _subsets(values: Sequence[float]) -> NDArray[np.float64]:
    """Give the sum of every subset of values: of those whose bits are set in its index."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums, sums + value))
    return sums


def _sums(values: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give for every way the sums of both sides: the first atom and a subset of the others, and the rest."""
    sums = _subsets(values[1:])
    return sums + values[0], sums[-1] - sums


def _edges(
    near: Sequence[dict[int, float]], around: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give for every way the edges of both sides, from the borders within and what is `around` each atom."""
    inside = np.zeros(1)
    for n, own in enumerate(near[1:], 1):
        inside = np.concatenate((inside, inside + _subsets([own.get(j, 0.0) for j in range(1, n)])))
    to_first = _subsets([near[0].get(j, 0.0) for j in range(1, len(near))])
    touching = _subsets([sum(own.values()) for own in near[1:]])
    rest_inside = inside[-1] - touching + to_first + inside
    whole, rest = _sums(around)
    return whole - 2 * (inside + to_first), rest - 2 * rest_inside


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
    ways = 2 * np.arange(size) + 1
    split = np.zeros(size)
    for building in set(buildings):
        mask = sum(1 << n for n, own in enumerate(buildings) if own == building)
        if mask & (mask - 1):
            split += ((ways & mask) != 0) & ((ways & mask) != mask)
    return split
