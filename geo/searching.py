"""A piece of ground divided: seeds, annealing, pairs shared out anew, and a harder search where balance is missed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from geo.annealing import Ground, Groups, Prices, anneal
from geo.coarsening import coarsened
from geo.cutting import seeded
from geo.pairing import improve

MOVES, FEWEST_MOVES = 300, 30_000
"""Moves tried for each entrance and start, at effort 1; few entrances, which are large ones, need as many as more."""
HEATS = (3.0, 0.8)
"""How hot each start begins: the first crosses high walls, the second finishes shapes."""
KICKS, KICK, SHAKE = 8, 0.12, 0.7
"""How often the best start is shaken, for how large a share of the moves of a start, and how hot."""
STEPS = len(HEATS) + KICKS
"""Of a usual search."""
HURRIED = 60
"""Moves for each entrance and start below which there is one start only, and fewer searches after it."""
UNITS, UNIT = 16, 0.05
"""Where a district has more entrances than this, small neighbours are put together first, up to this share of it."""
REFINING, REFINED = 30, 0.01
"""Moves for each entrance after that, when they are apart again, and how hot: what one of them changes is little."""
ENOUGH = 2_400
"""Moves for each district that small units need at most."""
OTHERWISE = 0.8
"""Share of the tolerance that the mean may be off the target where there is one district more or less."""
USUAL = Prices()
SQUEEZES = (
    (Prices(out=8.0, beyond=60.0, near=3.0, even=0.0, split=0.3, shape=0.35), 1.0),
    (Prices(out=4.0, beyond=40.0, near=0.0, even=0.0, split=0.1, shape=0.1), 4.0),
    (Prices(out=1.0, beyond=20.0, near=0.0, even=30.0, split=0.1, shape=0.1), 1.0),
    (Prices(out=0.5, beyond=20.0, near=0.0, even=4.0, split=0.1, shape=0.1), 2.0),
)
"""What counts, and how hot it begins, where a district is still beyond the tolerance: first that it comes back."""


@dataclass
class _Trial:
    """A division under way: into how many districts, which, and how many of them are out of tolerance."""

    count: int
    label: list[int]
    out: int
    price: float


@dataclass(frozen=True)
class Search:
    """What is searched for, and how long: `effort` times the usual, at most `most` moves an entrance and start."""

    target: int
    tolerance: float
    random: Random
    effort: float
    most: float
    step: Callable[[], None] = lambda: None
    """Called after each of the `STEPS` that a usual search has, and after each further one."""

    def divided(self, ground: Ground, count: int) -> tuple[list[int], int]:
        """Give connected atoms districts from 0 on, and how many those are: `count`, or one more or less where some
        would not come within the tolerance otherwise, as where entrances of 62 make districts of 186 but none of 200.
        """
        if count == 1:
            return [0] * len(ground.weight), 1
        size = len(ground.weight)
        if size <= UNITS * count:
            found = self._searched(ground, count, self._moves(size, size, count))
            return found.label, found.count
        coarse, unit = coarsened(ground, UNITS * count, UNIT * self.target)
        found = self._searched(coarse, count, self._moves(len(coarse.weight), size, count))
        groups = self._groups(ground, [found.label[u] for u in unit], found.count)
        anneal(groups, self.random, int(min(REFINING, self.most) * self.effort * size), hot=REFINED, cold=REFINED / 10)
        return groups.label, found.count

    def _moves(self, size: int, entrances: int, count: int) -> int:
        usual = max(MOVES * size, FEWEST_MOVES if size > count else 0)
        if size < entrances:
            usual = min(usual, ENOUGH * count)
        return int(self.effort * min(usual, self.most * entrances))

    def _groups(self, ground: Ground, label: Sequence[int], count: int, prices: Prices = USUAL) -> Groups:
        return Groups(ground, label, count, self.target, self.tolerance, prices)

    def _searched(self, ground: Ground, count: int, moves: int) -> _Trial:
        if moves < HURRIED * len(ground.weight):
            return self._trial(ground, count, moves, HEATS[1:], SQUEEZES[:1])
        found = self._trial(ground, count, moves, HEATS, SQUEEZES)
        total = sum(ground.weight)
        for other in (count + 1, count - 1):
            off = abs(total / other - self.target) if other > 1 else self.target
            if found.out and off <= OTHERWISE * self.tolerance * self.target and other <= len(ground.weight):
                trial = self._trial(ground, other, moves, HEATS[1:], SQUEEZES)
                found = min(found, trial, key=lambda one: (one.out, one.price))
        return self._squeezed(ground, found, moves, SQUEEZES) if found.out else found

    def _trial(
        self,
        ground: Ground,
        count: int,
        moves: int,
        heats: Sequence[float],
        squeezes: Sequence[tuple[Prices, float]],
    ) -> _Trial:
        best: Groups | None = None
        for hot in heats:
            groups = self._groups(ground, seeded(ground, count, self.random), count)
            anneal(groups, self.random, moves, hot=hot)
            improve(groups, hurried=len(squeezes) < len(SQUEEZES))
            self.step()
            if best is None or groups.total() < best.total() - 1e-9:
                best = groups
        assert best is not None  # noqa: S101
        if len(heats) > 1:
            self._shaken(best, int(moves * KICK))
        return self._squeezed(ground, _Trial(count, list(best.label), best.out(), best.total()), moves, squeezes)

    def _shaken(self, groups: Groups, moves: int) -> None:
        """Shake the division a little and let it settle, again and again, and keep the best."""
        best, label = groups.total(), list(groups.label)
        for _ in range(KICKS):
            anneal(groups, self.random, moves, hot=SHAKE, cold=SHAKE / 4, last=True)
            improve(groups)
            self.step()
            if groups.total() < best - 1e-9:
                best, label = groups.total(), list(groups.label)
            else:
                groups.reset(label)

    def _squeezed(self, ground: Ground, found: _Trial, moves: int, squeezes: Sequence[tuple[Prices, float]]) -> _Trial:
        """Search again, for balance before all, while a district is beyond the tolerance; then mend the shapes."""
        label, out = found.label, found.out
        for prices, hot in squeezes:
            if not out:
                break
            groups = self._groups(ground, label, found.count, prices)
            anneal(groups, self.random, moves // 2, hot=hot, cold=0.02, focused=True)
            improve(groups)
            if groups.out() < out:
                label, out = list(groups.label), groups.out()
        if out == found.out:
            return found
        usual = self._groups(ground, label, found.count)
        anneal(usual, self.random, moves // 2, hot=0.25, cold=0.02)
        improve(usual)
        if usual.out() > out:
            usual.reset(label)
        return _Trial(found.count, list(usual.label), usual.out(), usual.total())
