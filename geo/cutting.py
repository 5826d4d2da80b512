"""Connected atoms cut into connected parts: the way a search for districts begins."""

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from geo.annealing import Ground

TURNS = 6
"""Directions in which a line is tried."""


def components(
    links: Sequence[Mapping[int, float]], atoms: Sequence[int], weight: Sequence[int] | NDArray[np.int64]
) -> list[list[int]]:
    """Give the connected pieces of some atoms, most households first, each in order."""
    left = set(atoms)
    pieces = []
    for start in atoms:
        if start not in left:
            continue
        left.discard(start)
        piece = [start]
        stack = [start]
        while stack:
            for other in links[stack.pop()]:
                if other in left:
                    left.discard(other)
                    stack.append(other)
                    piece.append(other)
        pieces.append(sorted(piece))
    return sorted(pieces, key=lambda piece: (-sum(int(weight[i]) for i in piece), -len(piece), piece[0]))


def seeded(ground: Ground, count: int, random: Random) -> list[int]:
    """Give connected atoms districts 0 … count - 1 by cutting them in two again and again."""
    label = [0] * len(ground.weight)

    def cut(atoms: list[int], parts: int, base: int) -> None:
        if parts == 1:
            for atom in atoms:
                label[atom] = base
            return
        one, other, first = bisect(ground, atoms, parts, random)
        cut(one, first, base)
        cut(other, parts - first, base + first)

    cut(list(range(len(label))), count, 0)
    return label


def bisect(ground: Ground, atoms: list[int], count: int, random: Random) -> tuple[list[int], list[int], int]:
    """Cut connected atoms by a straight line into two connected parts of households as k to count - k, k = count // 2:
    the shortest of a few lines. Gives both parts and k. (The split-line algorithm, made to keep pieces whole.)"""
    first = count // 2
    places, weights = ground.places[atoms], np.array([ground.weight[i] for i in atoms])
    total = int(weights.sum())
    wanted = total * first / count
    best: tuple[float, list[int], list[int]] | None = None
    for turn in range(TURNS):
        angle = (turn + random.random()) * np.pi / TURNS
        order = np.argsort(places @ np.array([np.cos(angle), np.sin(angle)]), kind="stable")
        size = int(np.searchsorted(np.cumsum(weights[order]), wanted)) + 1
        size = min(max(size, first), len(atoms) - (count - first))
        part = [atoms[i] for i in order[:size]]
        main = set(components(ground.costs, part, ground.weight)[0])
        rest = components(ground.costs, [atom for atom in atoms if atom not in main], ground.weight)
        for piece in rest[1:]:
            main.update(piece)
        one, other = sorted(main), rest[0] if rest else []
        if len(one) < first or len(other) < count - first:
            continue
        cut = sum(c for atom in other for j, c in ground.costs[atom].items() if j in main)
        off = abs(sum(ground.weight[i] for i in one) - wanted) / max(total / count, 1)
        price = cut / 200 + 4 * off
        if best is None or price < best[0]:
            best = (price, one, other)
    if best is None:
        one, other = _peeled(ground, atoms, first)
        return one, other, first
    return best[1], best[2], first


def _peeled(ground: Ground, atoms: list[int], first: int) -> tuple[list[int], list[int]]:
    """Cut off `first` atoms one by one so that both parts stay whole: leaves of a spanning tree, last found first."""
    seen = [atoms[0]]
    own = set(atoms)
    found = {atoms[0]}
    for atom in seen:
        for other in sorted(ground.costs[atom]):
            if other in own and other not in found:
                found.add(other)
                seen.append(other)
    return sorted(seen[:first]), sorted(seen[first:])
