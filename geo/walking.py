"""A day's doors in a short walk: an open path over entrances, a building's entrances together, floors top down.

The entrances are an open travelling-salesman path. Up to `EXACT` of them Held and Karp's dynamic programme finds the
shortest (J. SIAM 10, 1962). Above, an iterated local search: 2-opt and Or-opt over neighbour lists (Bentley, ORSA J.
Computing 4, 1992), shaken by segment swaps, the double bridge of a path (Martin, Otto and Felten, Complex Systems 5,
1991). A step between two buildings costs so much more that no walk pays for leaving a building twice (Chisman,
Computers & Operations Research 2, 1975). All lengths are whole millimetres: nothing is rounded on the way, and the same
stops give the same walk on every machine. `static/js/walk.js` walks the same way on a phone.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, hypot, isfinite

from geo.plane import Plane

EXACT = 9
"""So many entrances, and fewer, are walked by the proven shortest way; each one more takes twice the time."""
KICKS = 300
"""How often the search shakes a walk: enough for the shortest of 30 entrances in nearly every case."""
NEIGHBOURS = 8
"""The nearest entrances that a local move looks at, in the same building and elsewhere."""
LONGEST_MOVE = 3
"""Entrances that an Or-opt moves together; whole buildings move too, however many they have."""
STARTS = 40
"""First entrances that are tried where it is free."""

Row = list[int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Stop:
    """A door: its place in degrees (longitude, latitude), its building (None: one of its own), entrance and floor.

    `key` is what the door is called; it decides among the doors of a floor. Doors of one entrance lie at one place: the
    middle of theirs.
    """

    place: Point
    building: str | None = None
    entrance: int = 1
    floor: int = 1
    key: str = ""


@dataclass(frozen=True)
class Walk:
    """The stops in walking order, by their numbers from 0, and the metres from the start, or the first stop, to the
    last."""

    order: tuple[int, ...]
    metres: float


def walk(stops: Sequence[Stop], start: Point | None = None) -> Walk:
    """Put stops into a short walk from `start` (longitude, latitude), or from the best of them. Stairs cost nothing.

    Takes 40 ms for 30 entrances, under a second for 500. ValueError where a place is not finite.
    """
    places = [stop.place for stop in stops] + ([start] if start else [])
    if not all(isfinite(x) and isfinite(y) for x, y in places):
        raise ValueError("a place is not a finite number of degrees")
    if not stops:
        return Walk((), 0.0)
    entrances = _entrances(stops)
    plane = _plane(places)
    points = [_metres(plane, _middle(stops[i].place for i in members)) for members in entrances]
    groups = [_building(stops, members[0]) for members in entrances]
    order, length = path(points, groups, _metres(plane, start) if start else None)
    return Walk(tuple(i for number in order for i in entrances[number]), length / 1000)


def _building(stops: Sequence[Stop], number: int) -> object:
    stop = stops[number]
    return stop.place if stop.building is None else stop.building


def _entrances(stops: Sequence[Stop]) -> list[list[int]]:
    """The numbers of the stops behind each entrance, floors top down; whatever order the stops came in."""
    found: dict[tuple[object, int], list[int]] = {}
    for i, stop in enumerate(stops):
        found.setdefault((_building(stops, i), stop.entrance if stop.building is not None else 0), []).append(i)
    for members in found.values():
        members.sort(key=lambda i: (-stops[i].floor, stops[i].key, i))
    first = {members[0]: members for members in found.values()}
    return [first[i] for i in sorted(first, key=lambda i: (stops[i].place, stops[i].building or "", stops[i].entrance))]


def _middle(places: Iterable[Point]) -> Point:
    known = sorted(places)
    return known[0] if known[0] == known[-1] else tuple(fsum(axis) / len(known) for axis in zip(*known, strict=True))  # type: ignore[return-value]


def _plane(places: Sequence[Point]) -> Plane:
    (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*places, strict=True))
    return Plane((west + east) / 2, (south + north) / 2)


def _metres(plane: Plane, place: Point) -> Point:
    east, north = plane.metres_per_degree
    return (place[0] - plane.lon0) * east, (place[1] - plane.lat0) * north


def path(points: Sequence[Point], groups: Sequence[object], start: Point | None) -> tuple[list[int], int]:
    """Order points (metres), those of a group one after the other; gives their numbers and the length in mm.

    `start` comes before the first and is not among the numbers; without it the path begins where it is shortest.
    """
    count = len(points)
    if count == 0:
        return [], 0
    costs, length = _costs(points, groups, start)
    tour = _exact(costs, count) if count <= EXACT else _searched(costs, count, groups, is_free=start is None)
    return [i - 1 for i in tour[1:-1]], sum(length[a][b] for a, b in pairwise(tour))


def _costs(points: Sequence[Point], groups: Sequence[object], start: Point | None) -> tuple[list[Row], list[Row]]:
    """Millimetres between 0: the start, 1 … n: the points, and n + 1: the end, which is as near to all as a free start
    is. Twice: with what a step to another group costs on top, and without."""
    end = len(points) + 1
    length = [[0] * (end + 1) for _ in range(end + 1)]
    for a in range(1, end):
        x, y = points[a - 1]
        if start:
            length[0][a] = length[a][0] = round(hypot(x - start[0], y - start[1]) * 1000)
        for b in range(a + 1, end):
            length[a][b] = length[b][a] = round(hypot(x - points[b - 1][0], y - points[b - 1][1]) * 1000)
    apart = (end + 1) * max(map(max, length)) + 1
    costs = [row[:] for row in length]
    for a in range(1, end):
        for b in range(1, end):
            if groups[a - 1] != groups[b - 1]:
                costs[a][b] += apart
    return costs, length


def _exact(costs: list[Row], count: int) -> list[int]:
    """The cheapest path from 0 over 1 … count, by Held and Karp: best[visited][last], with bits and numbers from 0."""
    everything = (1 << count) - 1
    unknown = (everything + 1) * (sum(map(sum, costs)) + 1)
    best = [[unknown] * count for _ in range(everything + 1)]
    came: list[Row] = [[-1] * count for _ in range(everything + 1)]
    for last in range(count):
        best[1 << last][last] = costs[0][last + 1]
    for visited in range(1, everything + 1):
        members = [i for i in range(count) if visited >> i & 1]
        others = [i for i in range(count) if not visited >> i & 1]
        row = best[visited]
        for nxt in others:
            to = costs[nxt + 1]
            cheapest, last = min((row[i] + to[i + 1], i) for i in members)
            wider = visited | 1 << nxt
            best[wider][nxt], came[wider][nxt] = cheapest, last
    last = min(range(count), key=lambda i: best[everything][i])
    found, visited = [count + 1], everything
    while last >= 0:
        found.append(last + 1)
        visited, last = visited ^ 1 << last, came[visited][last]
    return [0, *reversed(found)]


def _searched(costs: list[Row], count: int, groups: Sequence[object], *, is_free: bool) -> list[int]:
    step = max(1, count // STARTS)
    firsts: list[int | None] = [*range(1, count + 1, step)] if is_free else [None]
    tours = [_nearest(costs, count, first) for first in firsts]
    tour = min(tours, key=lambda t: sum(costs[a][b] for a, b in pairwise(t)))
    return _Search(costs, groups, tour).run(KICKS)


def _nearest(costs: list[Row], count: int, first: int | None) -> list[int]:
    """Go from 0, over `first` if given, to what is cheapest each time, and to the end."""
    left, tour = list(range(1, count + 1)), [0]
    if first is not None:
        tour.append(first)
        left.remove(first)
    while left:
        row = costs[tour[-1]]
        tour.append(min(left, key=row.__getitem__))
        left.remove(tour[-1])
    return [*tour, count + 1]


class _Search:
    """A path from 0 to the end that is made cheaper: `tour` and, for each point, its place in it."""

    def __init__(self, costs: list[Row], groups: Sequence[object], tour: list[int]) -> None:
        self.costs, self.tour, self.end = costs, tour, len(tour) - 1
        self.at = [0] * len(tour)
        self._note(0, self.end)
        self.group = [None, *groups, None]
        self.near = [self._neighbours(point) for point in range(len(tour))]
        self.chance = 1

    def _neighbours(self, point: int) -> list[int]:
        row = self.costs[point]
        others = sorted((i for i in range(len(row)) if i != point), key=row.__getitem__)
        same = [i for i in others if self.group[i] == self.group[point]][:NEIGHBOURS]
        return [i for i in others if i in same or i in (0, self.end)] + [
            i for i in others if i not in (0, self.end) and self.group[i] != self.group[point]
        ][:NEIGHBOURS]

    def _note(self, first: int, last: int) -> None:
        tour, at = self.tour, self.at
        for place in range(first, last + 1):
            at[tour[place]] = place

    def run(self, kicks: int) -> list[int]:
        """Improve, then shake and improve as often as told; what got no dearer is kept."""
        self._improve(self.tour[1:-1])
        for _ in range(kicks):
            before = self.tour[:]
            change, touched = self._kick()
            if change - self._improve(touched) > 0:
                self.tour[:] = before
                self._note(0, self.end)
        return self.tour

    def _draw(self, below: int) -> int:
        """A number of 0 … below - 1 from a linear congruential generator: the same in every run."""
        self.chance = (self.chance * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        return (self.chance >> 8) % below

    def _cuts(self) -> list[int]:
        """The places after which the path may be cut without taking a building apart; now and then inside one."""
        group, tour = self.group, self.tour
        between = [i for i in range(self.end) if group[tour[i]] != group[tour[i + 1]] or i in (0, self.end - 1)]
        if len(between) == self.end or (len(between) > 3 and self._draw(4)):
            return between
        inside = group[tour[1 + self._draw(self.end - 1)]]
        within = [i for i in range(self.end) if inside in (group[tour[i]], group[tour[i + 1]])]
        return within if len(within) > 3 else between

    def _kick(self) -> tuple[int, list[int]]:
        """Swap two neighbouring stretches; gives what it costs and the points whose steps are new."""
        cuts = self._cuts()
        if len(cuts) < 3:
            return 0, []
        reach = min(len(cuts), 12)
        first = self._draw(len(cuts) - reach + 1)
        chosen: set[int] = set()
        while len(chosen) < 3:
            chosen.add(cuts[first + self._draw(reach)])
        i, j, k = sorted(chosen)
        tour, costs = self.tour, self.costs
        a, b, c, d, e, f = tour[i], tour[i + 1], tour[j], tour[j + 1], tour[k], tour[k + 1]
        tour[i + 1 : k + 1] = tour[j + 1 : k + 1] + tour[i + 1 : j + 1]
        self._note(i + 1, k)
        change = costs[a][d] + costs[e][b] + costs[c][f] - costs[a][b] - costs[c][d] - costs[e][f]
        return change, [a, b, c, d, e, f]

    def _improve(self, points: Iterable[int]) -> int:
        """Make local moves from these points and from all that they touch, until none is left; gives the gain."""
        waiting = deque(point for point in points if 0 < point < self.end)
        queued, gained = set(waiting), 0
        while waiting:
            point = waiting.popleft()
            queued.discard(point)
            gain, touched = self._reverse(point)
            if not gain:
                gain, touched = self._move(point)
            gained += gain
            for other in touched:
                if 0 < other < self.end and other not in queued:
                    queued.add(other)
                    waiting.append(other)
        return gained

    def _reverse(self, point: int) -> tuple[int, tuple[int, ...]]:
        """2-opt: turn a stretch around, so that `point` comes next to one of its neighbours."""
        tour, at, costs, row = self.tour, self.at, self.costs, self.costs[point]
        here = at[point]
        for side in (1, -1):
            beside = tour[here + side]
            now, from_beside = row[beside], costs[beside]
            for near in self.near[point]:
                gain = now - row[near]
                if gain <= 0:
                    break
                there = at[near] + side
                if not 0 <= there <= self.end:
                    continue
                other = tour[there]
                gain += costs[near][other] - from_beside[other]
                if gain > 0:
                    low, high = sorted((here, at[near]))
                    first, last = (low + 1, high) if side > 0 else (low, high - 1)
                    tour[first : last + 1] = tour[first : last + 1][::-1]
                    self._note(first, last)
                    return gain, (point, beside, near, other)
        return 0, ()

    def _lengths(self, here: int, side: int) -> list[int]:
        """How many points to move with the one at `here`, itself and those before (-1) or after it (1)."""
        most = here if side < 0 else self.end - here
        lengths = [length for length in range(1, LONGEST_MOVE + 1) if length <= most]
        group, tour, far = self.group, self.tour, here
        while group[tour[far + side]] == group[tour[here]]:
            far += side
        whole = abs(far - here) + 1
        return lengths if whole <= LONGEST_MOVE else [*lengths, whole]

    def _move(self, point: int) -> tuple[int, tuple[int, ...]]:
        """Or-opt: take a stretch that ends with `point` out and put it beside one of the point's neighbours."""
        tour, at, costs, row = self.tour, self.at, self.costs, self.costs[point]
        here = at[point]
        for side in (1, -1):
            for length in self._lengths(here, side):
                far = here + side * (length - 1)
                if not 0 < far < self.end:
                    break
                tail, ahead, behind = tour[far], tour[here - side], tour[far + side]
                freed = row[ahead] + costs[tail][behind] - costs[ahead][behind]
                low, high = (here, far) if side > 0 else (far, here)
                for near in self.near[point]:
                    gain = freed - row[near]
                    if gain <= 0:
                        break
                    there = at[near]
                    if low <= there <= high:
                        continue
                    for beyond in (there + 1, there - 1):
                        if not 0 <= beyond <= self.end or low <= beyond <= high:
                            continue
                        other = tour[beyond]
                        better = gain + costs[near][other] - costs[tail][other]
                        if better > 0:
                            self._put(low, high, near, other, is_point_first=(here == low))
                            return better, (point, tail, ahead, behind, near, other)
        return 0, ()

    def _put(self, low: int, high: int, near: int, other: int, *, is_point_first: bool) -> None:
        """Move the stretch low … high between the neighbours `near` and `other`, its point beside `near`."""
        tour, at = self.tour, self.at
        stretch = tour[low : high + 1]
        before = at[near] < at[other]  # the stretch goes after `near`: its point comes first
        if before != is_point_first:
            stretch.reverse()
        after = min(at[near], at[other])
        if after < low:
            tour[after + 1 : high + 1] = stretch + tour[after + 1 : low]
            self._note(after + 1, high)
        else:
            tour[low : after + 1] = tour[high + 1 : after + 1] + stretch
            self._note(low, after)
