"""What people use today, on the same cells and borders as ours: METIS, KaHIP, and a sweep along Hilbert's curve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from time import process_time
from typing import Any

import kahip
import numpy as np
import pymetis
import shapely
from numpy.typing import NDArray

from geo.fabric import Fabric, weave
from tests.bench.cities import Place
from tests.bench.divisions import Made

Labels = Sequence[int]

IMBALANCE = 0.03
"""Both partitioners' own default: the heaviest part is at most so much heavier than the mean."""
SEED = 1


@dataclass(frozen=True)
class Grounded:
    """Atoms that have ground of their own; one that has none, as a tower on a podium, goes where its host goes."""

    weights: list[int]
    borders: list[dict[int, float]]
    number: list[int]
    """By atom: which of them it goes with."""

    def labels(self, found: Sequence[int]) -> Labels:
        """Parts of the grounded atoms as parts of all atoms."""
        return [int(found[number]) for number in self.number]


def grounded(fabric: Fabric) -> Grounded:
    """Atoms with ground of their own, bearing the households of those without."""
    own = [atom for atom, host in enumerate(fabric.host) if host == atom]
    number = {atom: index for index, atom in enumerate(own)}
    borders = [{number[j]: metres for j, metres in fabric.borders[atom].items() if j in number} for atom in own]
    return Grounded([int(fabric.load[atom]) for atom in own], borders, [number[host] for host in fabric.host])


def graph_of(borders: Sequence[dict[int, float]]) -> tuple[list[int], list[int], list[int]]:
    """Neighbours as both partitioners take them (xadj, adjncy), with border lengths in decimetres, 1 at least."""
    xadj = [0, *accumulate(len(own) for own in borders)]
    adjncy = [j for own in borders for j in sorted(own)]
    lengths = [max(1, round(10 * own[j])) for own in borders for j in sorted(own)]
    return xadj, adjncy, lengths


def metis(fabric: Fabric, parts: int) -> Labels:
    """METIS, k-way, each part to be in one piece (Karypis and Kumar 1998)."""
    ground = grounded(fabric)
    xadj, adjncy, lengths = graph_of(ground.borders)
    found = pymetis.part_graph(
        parts,
        xadj=xadj,
        adjncy=adjncy,
        vweights=ground.weights,
        eweights=lengths,
        contiguous=True,
        options=pymetis.Options(seed=SEED),
    )
    return ground.labels(found[1])


def kaffpa(fabric: Fabric, parts: int) -> Labels:
    """KaHIP's partitioner at its strongest (Sanders and Schulz 2013); it does not promise one piece."""
    ground = grounded(fabric)
    xadj, adjncy, lengths = graph_of(ground.borders)
    found = kahip.kaffpa(ground.weights, xadj, lengths, adjncy, parts, IMBALANCE, True, SEED, kahip.STRONG)
    return ground.labels(found[1])


def hilbert(fabric: Fabric, parts: int) -> Labels:
    """Entrances in the order of a space-filling curve, cut into equal shares (Bartholdi and Platzman 1988)."""
    order = np.argsort(hilbert_index(fabric.places), kind="stable")
    middle = np.cumsum(fabric.weight[order]) - fabric.weight[order] / 2
    labels = np.empty(len(fabric), dtype=np.intp)
    labels[order] = np.minimum((middle * parts / max(fabric.weight.sum(), 1)).astype(np.intp), parts - 1)
    return [int(label) for label in labels]


def hilbert_index(points: NDArray[np.float64], order: int = 16) -> NDArray[np.int64]:
    """How far along Hilbert's curve each of the points (n, 2) lies, in their bounds cut into 2^order squares a side."""
    low, side = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-12)
    x, y = np.minimum((points - low) / side * 2**order, 2**order - 1).astype(np.int64).T
    distance = np.zeros(len(points), dtype=np.int64)
    for level in reversed(range(order)):
        right, up = (x >> level) & 1, (y >> level) & 1
        distance += ((3 * right) ^ up) << (2 * level)
        mirrored = (up == 0) & (right == 1)
        x, y = np.where(mirrored, 2**order - 1 - x, x), np.where(mirrored, 2**order - 1 - y, y)
        x, y = np.where(up == 0, y, x), np.where(up == 0, x, y)
    return distance


def divided(place: Place, target: int, partition: Callable[[Fabric, int], Labels]) -> Made:
    """Divide a community by a partitioner: the fabric, the parts, and each part's cells united."""
    began = process_time()
    fabric = weave(place.buildings, place.boundary)
    parts = max(1, round(place.households / target))
    labels = np.asarray(partition(fabric, parts)) if parts > 1 else np.zeros(len(fabric), dtype=np.intp)
    used = np.unique(labels)
    shapes = [_united(fabric.cells[labels == label]) for label in used]
    seconds = process_time() - began
    return Made(shapes, [_entrances(fabric, np.flatnonzero(labels == label)) for label in used], seconds)


def _united(cells: NDArray[Any]) -> Any:
    try:
        return shapely.coverage_union_all(cells)
    except shapely.errors.GEOSException:
        return shapely.union_all(cells)


def _entrances(fabric: Fabric, atoms: NDArray[np.intp]) -> list[tuple[str, int]]:
    return [
        (fabric.buildings[fabric.building[atom]].key, int(fabric.entrance[atom]))
        for atom in atoms
        if fabric.entrance[atom]
    ]


BASELINES: dict[str, Callable[[Fabric, int], Labels]] = {"pymetis": metis, "kahip": kaffpa, "hilbert": hilbert}
