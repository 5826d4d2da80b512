"""The search for good districts: simulated annealing over connected groups of atoms (Kirkpatrick, Gelatt, Vecchi 1983).

A move takes an entrance, or all of a building's entrances that are together, from one district to a neighbour, alone or
in a chain: one goes from d to e and at once another from e to f (f may be d). Sets of atoms are Python integers, a bit
an atom, so that the test whether a district stays in one piece is a few operations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log, pi
from random import Random

CHAIN, LONGEST = 0.5, 6
"""How often a move goes on to another district, and how many make up the longest chain."""

ROUNDEST = 1.3
"""The best that compactness counts: barriers, which cost little, can make it look better than a circle's 1."""


@dataclass(frozen=True)
class Prices:
    """What faults cost. The unit is one district's compactness going from perfect (Polsby-Popper 1) to none."""

    out: float = 2.0
    """Of a district beyond the tolerance at all."""
    beyond: float = 40.0
    """Of its share beyond it: 0.1 is a tenth of the target."""
    near: float = 8.0
    """Of a share beyond half the tolerance."""
    even: float = 10.0
    """Of the squared share."""
    split: float = 0.8
    """Of each further district that a building lies in."""
    shape: float = 0.9
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
        self.mates: dict[int, list[int]] = {}
        for atom, building in enumerate(ground.building):
            self.mates.setdefault(building, []).append(atom)
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
        self.parts: dict[tuple[int, int], int] = {}
        for i, d in enumerate(self.label):
            self.members[d] |= 1 << i
            self.households[d] += ground.weight[i]
            self.area[d] += ground.area[i]
            if ground.walls is not None:
                self.crossed[d] += sum(m for j, m in ground.walls[i].items() if self.label[j] == d) / 2
            self.edge[d] += ground.outer[i] + sum(c for j, c in ground.costs[i].items() if self.label[j] != d)
            key = (ground.building[i], d)
            self.parts[key] = self.parts.get(key, 0) + 1
        self.badness = [self.bad(d) for d in range(self.count)]

    def bad(self, district: int) -> float:
        """Give what a district costs as it is."""
        households, edge = self.households[district], self.edge[district]
        price = self.price.get(households)
        if price is None:
            share = abs(households - self.target) / self.target
            prices = self.prices
            price = prices.even * share * share + prices.near * max(0.0, share - self.tolerance / 2)
            if share > self.tolerance + 1e-9:
                price += prices.out + prices.beyond * (share - self.tolerance)
            self.price[households] = price = price + prices.shape
        full, square = self.round * self.area[district], edge * edge
        if self.crossed[district]:
            price += self.prices.wall * self.crossed[district] / 100
        return price - (full / square if edge > 0 and full < self.best * square else self.best)

    def total(self) -> float:
        """Give what everything costs."""
        stray = 0.0
        if self.ground.home is not None:
            moved = zip(self.ground.weight, self.ground.home, self.label, strict=True)
            stray = self.prices.moved * sum(w for w, home, d in moved if home not in (-1, d))
        return sum(self.badness) + self.prices.split * (len(self.parts) - len(set(self.ground.building))) + stray

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

    def shift(self, atoms: Sequence[int], to: int) -> None:
        """Put atoms of one district into another, whatever comes of it."""
        ground, label = self.ground, self.label
        for i in atoms:
            d = label[i]
            leave = enter = 0.0
            for j, c in ground.costs[i].items():
                e = label[j]
                if e == d:
                    leave += c
                    enter += c
                elif e == to:
                    leave -= c
                    enter -= c
                else:
                    leave -= c
                    enter += c
            if ground.walls is not None:
                for j, m in ground.walls[i].items():
                    if label[j] == d:
                        self.crossed[d] -= m
                    elif label[j] == to:
                        self.crossed[to] += m
            bit = 1 << i
            self.members[d] ^= bit
            self.members[to] ^= bit
            w, a, o = ground.weight[i], ground.area[i], ground.outer[i]
            self.households[d] -= w
            self.households[to] += w
            self.area[d] -= a
            self.area[to] += a
            self.edge[d] += leave - o
            self.edge[to] += enter + o
            label[i] = to
            key = (ground.building[i], d)
            left = self.parts[key] - 1
            if left:
                self.parts[key] = left
            else:
                del self.parts[key]
            key = (ground.building[i], to)
            self.parts[key] = self.parts.get(key, 0) + 1

    def renew(self, districts: Sequence[int]) -> None:
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
    progress: Callable[[float], None] | None = None,
) -> None:
    """Try `moves` moves while it cools from `hot` to `cold`, and leave the best division met in `groups`."""
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
    for step in range(moves):
        if not step & 255:
            heat = hot * exp(ratio * step / moves)
            if progress is not None and not step & 4095:
                progress(step / moves)
        i = int(uniform() * size)
        near = neighbours[i]
        if not near:
            continue
        j = near[int(uniform() * len(near))]
        d, e = label[i], label[j]
        if d == e:
            continue
        plan = _plan(groups, i, d, e, uniform, neighbours)
        if plan is None:
            continue
        touched = [d, e] if len(plan) == 1 else list({d, *(to for _, to in plan)})
        before = sum(groups.badness[x] for x in touched)
        parts = len(groups.parts)
        stray = _stray(ground, plan, label) * moved if keep else 0.0
        undo = [(atoms, label[atoms[0]]) for atoms, _ in plan]
        for atoms, to in plan:
            groups.shift(atoms, to)
        after = sum(groups.bad(x) for x in touched)
        change = after - before + split * (len(groups.parts) - parts) + stray
        if (change > 0 and uniform() >= exp(-change / heat)) or not _holds(groups, plan, undo):
            for atoms, back in reversed(undo):
                groups.shift(atoms, back)
            continue
        groups.renew(touched)
        now += change
        if now < best - 1e-9:
            best = now
            best_label = list(label)
    groups.reset(best_label)


Plan = list[tuple[tuple[int, ...], int]]


def _plan(
    groups: Groups, i: int, d: int, e: int, uniform: Callable[[], float], neighbours: Sequence[tuple[int, ...]]
) -> Plan | None:
    """Make up a move of atom i from d to e; None where it would empty d."""
    ground, label = groups.ground, groups.label
    atoms: tuple[int, ...] = (i,)
    kind = uniform()
    if kind < 0.45 and groups.parts[ground.building[i], d] > 1:
        atoms = _of_building(groups, i, d)
    if groups.members[d].bit_count() <= len(atoms):
        return None
    plan: Plan = [(atoms, e)]
    taken = set(atoms)
    while len(plan) < LONGEST and uniform() < CHAIN:
        other = _link(groups, e, taken, uniform, neighbours)
        if other is None:
            break
        k, f = other
        chain: tuple[int, ...] = (k,)
        if uniform() < 0.45 and groups.parts[ground.building[k], e] > 1:
            chain = _of_building(groups, k, e)
        if any(label[a] != e or a in taken for a in chain):
            break
        plan.append((chain, f))
        if f == d:
            break
        taken.update(chain)
        e = f
    return plan


def _of_building(groups: Groups, i: int, d: int) -> tuple[int, ...]:
    rest = groups.members[d]
    return tuple(k for k in groups.mates[groups.ground.building[i]] if rest >> k & 1)


def _link(
    groups: Groups, e: int, taken: set[int], uniform: Callable[[], float], neighbours: Sequence[tuple[int, ...]]
) -> tuple[int, int] | None:
    """Pick an atom at the edge of district e, and the district beyond it."""
    members = groups.members[e]
    own = []
    while members:
        low = members & -members
        own.append(low.bit_length() - 1)
        members ^= low
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
    if len(plan) == 1 and len(plan[0][0]) == 1:  # it touches a neighbour in the district it goes to
        atom, left = plan[0][0][0], members[undo[0][1]]
        near = groups.links[atom] & left
        return near & (near - 1) == 0 or whole(left)
    districts = {to for _, to in plan} | {back for _, back in undo}
    return all(members[d] and whole(members[d]) for d in districts)
