"""The search for good districts: simulated annealing over connected groups of atoms (Kirkpatrick, Gelatt, Vecchi 1983).

A move takes an entrance, or all of a building's entrances that are together, from one district to a neighbour, alone or
in a chain: one goes from d to e and at once another from e to f (f may be d). Sets of atoms are Python integers, a bit
an atom, so that the test whether a district stays in one piece is a few operations.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, pi
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHAIN, LONGEST = 0.5, 6
"""How often a move goes on to another district, and how many make up the longest chain."""
TOGETHER = 0.45
"""How often all entrances of a building that are in a district go together."""

FOCUS = 0.7
"""How often a focused search moves something in or beside a district beyond the tolerance."""

ROUNDEST = 1.3
"""The best that compactness counts: barriers, which cost little, can make it look better than a circle's 1."""


@dataclass(frozen=True)
class Prices:
    """What faults cost, beside each other; figures of a search that met the most aims on real footprints."""

    out: float = 2.0
    """Of a district beyond the tolerance at all."""
    beyond: float = 40.0
    """Of its share beyond it: 0.1 is a tenth of the target."""
    near: float = 25.0
    """Of a share beyond half the tolerance."""
    even: float = 10.0
    """Of the squared share."""
    split: float = 0.5
    """Of each further district that a building lies in."""
    shape: float = 1.2
    """Of compactness."""
    wall: float = 1.5
    """Of 100 m of a barrier that runs through a district."""
    moved: float = 0.0
    """Of one household that changes its district, where a division of today is kept up."""


@dataclass
class Ground:
    """What the search looks at, by atom: households, neighbours with the cost of their common border in metres, metres
    of outer edge, m², the building (or those that stand on one another)."""

    weight: Sequence[int]
    costs: Sequence[dict[int, float]]
    outer: Sequence[float]
    area: Sequence[float]
    building: Sequence[int]
    places: NDArray[np.float64]
    """Where each is (n, 2), in metres."""
    walls: Sequence[dict[int, float]] | None = None
    """Metres of road, river or wall between an atom and each neighbour; None where there are no such barriers."""
    home: Sequence[int] | None = None
    """Where each atom is today (-1: nowhere), if that is to be kept."""


class Groups:
    """Districts under way: `label[i]` is atom i's district; sums by district are kept up to date."""

    def __init__(
        self,
        ground: Ground,
        label: Sequence[int],
        count: int,
        target: float,
        tolerance: float,
        prices: Prices = Prices(),
    ) -> None:
        self.ground = ground
        self.count = count
        self.target = target
        self.tolerance = tolerance
        self.prices = prices
        self.price: dict[int, float] = {}
        self.round, self.best = 4 * pi * prices.shape, ROUNDEST * prices.shape
        self.links = [sum(1 << j for j in costs) for costs in ground.costs]
        self.pairs = [tuple(costs.items()) for costs in ground.costs]
        self.around = [sum(costs.values()) for costs in ground.costs]
        self.mates: dict[int, list[int]] = {}
        for atom, building in enumerate(ground.building):
            self.mates.setdefault(building, []).append(atom)
        first = {building: n * count for n, building in enumerate(self.mates)}
        self.of = [first[building] for building in ground.building]
        self.reset(label)

    def reset(self, label: Sequence[int]) -> None:
        """Start anew from `label`."""
        ground = self.ground
        self.label = list(label)
        self.members = [0] * self.count
        self.households = [0] * self.count
        self.area = [0.0] * self.count
        self.edge = [0.0] * self.count
        self.crossed = [0.0] * self.count
        self.parts = [0] * (len(self.mates) * self.count)
        self.pieces = 0
        for i, d in enumerate(self.label):
            self.members[d] |= 1 << i
            self.households[d] += ground.weight[i]
            self.area[d] += ground.area[i]
            if ground.walls is not None:
                self.crossed[d] += sum(m for j, m in ground.walls[i].items() if self.label[j] == d) / 2
            self.edge[d] += ground.outer[i] + sum(c for j, c in ground.costs[i].items() if self.label[j] != d)
            self.pieces += not self.parts[self.of[i] + d]
            self.parts[self.of[i] + d] += 1
        self.lists: list[tuple[int, list[int]]] = [(0, [])] * self.count
        self.badness = [self.bad(d) for d in range(self.count)]

    def bad(self, district: int) -> float:
        """Give what a district costs as it is."""
        return self.worth(self.households[district], self.area[district], self.edge[district], self.crossed[district])

    def worth(self, households: int, area: float, edge: float, crossed: float) -> float:
        """Give what a district of such a size, area (m²), edge and barriers within (m) costs."""
        price = self.price.get(households)
        if price is None:
            share = abs(households - self.target) / self.target
            prices = self.prices
            price = prices.even * share * share + prices.near * max(0.0, share - self.tolerance / 2)
            if share > self.tolerance + 1e-9:
                price += prices.out + prices.beyond * (share - self.tolerance)
            self.price[households] = price = price + prices.shape
        full, square = self.round * area, edge * edge
        if crossed:
            price += self.prices.wall * crossed / 100
        return price - (full / square if edge > 0 and full < self.best * square else self.best)

    def beside(self, i: int, d: int, to: int) -> tuple[float, float]:
        """Give what atom i shares of its border with d and with another district."""
        label = self.label
        own = other = 0.0
        for j, c in self.pairs[i]:
            e = label[j]
            if e == d:
                own += c
            elif e == to:
                other += c
        return own, other

    def change(self, i: int, d: int, to: int) -> float:
        """Give what it would cost more, or less than nothing, if atom i went from d to another district."""
        ground, label = self.ground, self.label
        own, other = self.beside(i, d, to)
        w, a, o = ground.weight[i], ground.area[i], ground.outer[i] + self.around[i]
        crossed, crossing = self.crossed[d], self.crossed[to]
        if ground.walls is not None:
            for j, m in ground.walls[i].items():
                if label[j] == d:
                    crossed -= m
                elif label[j] == to:
                    crossing += m
        left = self.worth(self.households[d] - w, self.area[d] - a, self.edge[d] + 2 * own - o, crossed)
        grown = self.worth(self.households[to] + w, self.area[to] + a, self.edge[to] - 2 * other + o, crossing)
        change = left + grown - self.badness[d] - self.badness[to]
        parts, of = self.parts, self.of[i]
        pieces = (not parts[of + to]) - (parts[of + d] == 1)
        if ground.home is not None and ground.home[i] >= 0:
            change += self.prices.moved * w * ((ground.home[i] != to) - (ground.home[i] != d))
        return change + self.prices.split * pieces

    def total(self) -> float:
        """Give what everything costs."""
        stray = 0.0
        if self.ground.home is not None:
            moved = zip(self.ground.weight, self.ground.home, self.label, strict=True)
            stray = self.prices.moved * sum(w for w, home, d in moved if home not in (-1, d))
        return sum(self.badness) + self.prices.split * (self.pieces - len(self.mates)) + stray

    def out(self) -> int:
        """Count the districts beyond the tolerance."""
        return sum(abs(size - self.target) > self.target * self.tolerance + 1e-9 for size in self.households)

    def whole(self, rest: int) -> bool:
        """Whether atoms (bits) are connected."""
        links = self.links
        seen = front = rest & -rest
        while front:
            reach = 0
            while front:
                low = front & -front
                reach |= links[low.bit_length() - 1]
                front ^= low
            front = reach & rest & ~seen
            seen |= front
        return seen == rest

    def listed(self, district: int) -> list[int]:
        """Give the atoms of a district in order; they are kept until it changes."""
        members = self.members[district]
        before, found = self.lists[district]
        if before != members:
            found, rest = [], members
            while rest:
                low = rest & -rest
                found.append(low.bit_length() - 1)
                rest ^= low
            self.lists[district] = (members, found)
        return found

    def shift(self, atoms: Sequence[int], to: int) -> None:
        """Put atoms of one district into another, whatever comes of it."""
        ground, label, parts = self.ground, self.label, self.parts
        for i in atoms:
            d = label[i]
            own, other = self.beside(i, d, to)
            if ground.walls is not None:
                for j, m in ground.walls[i].items():
                    if label[j] == d:
                        self.crossed[d] -= m
                    elif label[j] == to:
                        self.crossed[to] += m
            bit = 1 << i
            self.members[d] ^= bit
            self.members[to] ^= bit
            w, a, o = ground.weight[i], ground.area[i], ground.outer[i] + self.around[i]
            self.households[d] -= w
            self.households[to] += w
            self.area[d] -= a
            self.area[to] += a
            self.edge[d] += 2 * own - o
            self.edge[to] += o - 2 * other
            label[i] = to
            own_part, other_part = self.of[i] + d, self.of[i] + to
            self.pieces += (not parts[other_part]) - (parts[own_part] == 1)
            parts[own_part] -= 1
            parts[other_part] += 1

    def state(self, districts: Iterable[int]) -> list[tuple[int, int, int, float, float, float]]:
        """Give what `shift` changes about districts, for `undo`."""
        return [
            (d, self.members[d], self.households[d], self.area[d], self.edge[d], self.crossed[d]) for d in districts
        ]

    def undo(self, moved: Sequence[tuple[Sequence[int], int]], state: Sequence[Any], pieces: int) -> None:
        """Put atoms back to where they came from, and the districts to their `state` and number of pieces before."""
        label, parts = self.label, self.parts
        for atoms, back in moved:
            for i in atoms:
                parts[self.of[i] + label[i]] -= 1
                parts[self.of[i] + back] += 1
                label[i] = back
        for d, members, households, area, edge, crossed in state:
            self.members[d], self.households[d], self.area[d] = members, households, area
            self.edge[d], self.crossed[d] = edge, crossed
        self.pieces = pieces

    def renew(self, districts: Iterable[int]) -> None:
        """Price districts again after `shift`."""
        for d in districts:
            self.badness[d] = self.bad(d)


def anneal(
    groups: Groups,
    random: Random,
    moves: int,
    *,
    hot: float = 2.0,
    cold: float = 0.03,
    focused: bool = False,
    last: bool = False,
) -> None:
    """Try `moves` moves while it cools from `hot` to `cold`, and leave the best division met in `groups`; `focused`:
    most of them in and beside the districts beyond the tolerance; `last`: leave the last division met."""
    ground, label = groups.ground, groups.label
    size = len(label)
    if groups.count < 2 or size < 2:
        return
    neighbours = [tuple(costs) for costs in ground.costs]
    keep, split, moved = ground.home is not None, groups.prices.split, groups.prices.moved
    now = best = groups.total()
    best_label = list(label)
    ratio = log(cold / hot)
    heat = hot
    uniform = random.random
    zone: list[int] = []
    for step in range(moves):
        if not step & 255:
            heat = hot * exp(ratio * step / moves)
            if focused:
                zone = _zone(groups, neighbours)
        i = int(uniform() * size)
        if zone and uniform() < FOCUS:
            i = zone[i % len(zone)]
        near = neighbours[i]
        if not near:
            continue
        j = near[int(uniform() * len(near))]
        d, e = label[i], label[j]
        if d == e:
            continue
        atoms: tuple[int, ...] = (i,)
        if uniform() < TOGETHER and groups.parts[groups.of[i] + d] > 1:
            atoms = _of_building(groups, i, d)
        if groups.members[d].bit_count() <= len(atoms):
            continue
        if uniform() >= CHAIN:
            if len(atoms) == 1:
                change = groups.change(i, d, e)
                if (change <= 0 or uniform() < exp(-change / heat)) and _may_leave(groups, i, d):
                    groups.shift(atoms, e)
                    groups.renew((d, e))
                    now += change
                    if now < best - 1e-9:
                        best = now
                        best_label = list(label)
                continue
            plan: Plan = [(atoms, e)]
        else:
            plan = _chain(groups, [(atoms, e)], d, uniform, neighbours)
        touched = (d, e) if len(plan) == 1 else {d, *(to for _, to in plan)}
        before = sum(groups.badness[x] for x in touched)
        pieces, state = groups.pieces, groups.state(touched)
        stray = _stray(ground, plan, label) * moved if keep else 0.0
        undo = [(atoms, label[atoms[0]]) for atoms, _ in plan]
        for atoms, to in plan:
            groups.shift(atoms, to)
        after = sum(groups.bad(x) for x in touched)
        change = after - before + split * (groups.pieces - pieces) + stray
        if (change > 0 and uniform() >= exp(-change / heat)) or not _holds(groups, plan, undo):
            groups.undo(undo, state, pieces)
            continue
        groups.renew(touched)
        now += change
        if now < best - 1e-9:
            best = now
            best_label = list(label)
    groups.reset(list(label) if last else best_label)


def _zone(groups: Groups, neighbours: Sequence[tuple[int, ...]]) -> list[int]:
    """Give the atoms of districts beyond the tolerance, and of those beside them."""
    most = groups.target * groups.tolerance + 1e-9
    bad = {d for d, size in enumerate(groups.households) if abs(size - groups.target) > most}
    if not bad:
        return []
    label = groups.label
    wide = set(bad)
    for i, d in enumerate(label):
        if d in bad:
            wide.update(label[j] for j in neighbours[i])
    return [i for i, d in enumerate(label) if d in wide]


Plan = list[tuple[tuple[int, ...], int]]


def _may_leave(groups: Groups, i: int, d: int) -> bool:
    """Whether district d is in one piece without atom i."""
    left = groups.members[d] ^ (1 << i)
    near = groups.links[i] & left
    # Its neighbours mostly touch one another, or there is only one; else the whole district is looked at.
    return near & (near - 1) == 0 or groups.whole(near) or groups.whole(left)


def _chain(
    groups: Groups, plan: Plan, d: int, uniform: Callable[[], float], neighbours: Sequence[tuple[int, ...]]
) -> Plan:
    """Let a move out of d go on: something leaves the district it comes to, and so on, perhaps back to d."""
    label = groups.label
    taken = set(plan[0][0])
    e = plan[0][1]
    while True:
        other = _link(groups, e, taken, uniform, neighbours)
        if other is None:
            return plan
        k, f = other
        chain: tuple[int, ...] = (k,)
        if uniform() < TOGETHER and groups.parts[groups.of[k] + e] > 1:
            chain = _of_building(groups, k, e)
        if any(label[a] != e or a in taken for a in chain):
            return plan
        plan.append((chain, f))
        if f == d or len(plan) == LONGEST or uniform() >= CHAIN:
            return plan
        taken.update(chain)
        e = f


def _of_building(groups: Groups, i: int, d: int) -> tuple[int, ...]:
    rest = groups.members[d]
    return tuple(k for k in groups.mates[groups.ground.building[i]] if rest >> k & 1)


def _link(
    groups: Groups, e: int, taken: set[int], uniform: Callable[[], float], neighbours: Sequence[tuple[int, ...]]
) -> tuple[int, int] | None:
    """Pick an atom at the edge of district e, and the district beyond it."""
    own = groups.listed(e)
    label = groups.label
    for _ in range(3):
        k = own[int(uniform() * len(own))]
        near = neighbours[k]
        if k in taken or not near:
            continue
        f = label[near[int(uniform() * len(near))]]
        if f != e:
            return k, f
    return None


def _stray(ground: Ground, plan: Plan, label: Sequence[int]) -> int:
    home = ground.home
    assert home is not None  # noqa: S101
    change = 0
    for atoms, to in plan:
        for a in atoms:
            if home[a] >= 0:
                change += ground.weight[a] * ((home[a] != to) - (home[a] != label[a]))
    return change


def _holds(groups: Groups, plan: Plan, undo: Plan) -> bool:
    """Whether every district that a move touched is in one piece."""
    members, whole = groups.members, groups.whole
    districts = {to for _, to in plan} | {back for _, back in undo}
    return all(members[d] and whole(members[d]) for d in districts)
