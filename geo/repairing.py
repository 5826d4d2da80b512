"""Repairs of a division: offered beside the fault, done only when asked.

A repair is offered where no known door lies in the ground that changes hands and the ground is a small share of the
districts that change. Anything else is a decision, and people make those.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.faults import Fault, Repair
from geo.outlines import at_precision
from geo.plane import Plane, area_m2
from geo.positions import DECIMALS

SAFE_SHARE = 0.05
"""Ground up to this share of a district may change hands: a slip while drawing, not somebody's wish."""

AGREED_M2 = 1.0
"""Two readings of a crossed ring that differ by less say the same."""

SEAM_M = 5.0
"""Ground nowhere wider lies between districts whose borders were drawn one by one: no park, no building."""

SEAM_SHARE = 0.25
"""Of seams all around it a district may take more."""

SHORTEST_BORDER_M = 0.1
"""Ground that meets a district along less than this, or a tenth of its outline, would hang on by a corner."""

GRID = 10.0**-DECIMALS
_NEAR = 2 * GRID
"""Borders this close are one: ground found by an intersection has its corners between the places of the grid."""


def reading(shape: Any) -> Any:
    """Give the ground of a shape: itself if valid, else what its rings enclose an odd number of times; maybe empty."""
    if shape is None:
        return shapely.Polygon()
    try:
        return areal(shape if shape.is_valid else shapely.make_valid(shape))
    except shapely.errors.GEOSException:  # a coordinate that is not finite
        return shapely.Polygon()


def areal(shape: Any) -> Any:
    """Give the polygons in a shape, without the points and lines where edges touch."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def pieces(shape: Any, minimum_m2: float) -> list[tuple[Any, float]]:
    """Give the single polygons of a shape of at least `minimum_m2` with their areas, the largest first."""
    found = [(part, area_m2(part)) for part in shapely.get_parts(areal(shape)) if not part.is_empty]
    return sorted((piece for piece in found if piece[1] >= minimum_m2), key=lambda piece: -piece[1])


class Offers:
    """Knows which repairs of these districts are safe. `tiles` are their valid readings, `doors` is (n, 2)."""

    def __init__(self, tiles: Sequence[Any], doors: NDArray[np.float64], minimum_m2: float) -> None:
        self.tiles = np.empty(len(tiles), dtype=object)
        self.tiles[:] = tiles
        self.areas = [area_m2(tile) for tile in tiles]
        self.minimum_m2 = minimum_m2
        finite = doors[np.isfinite(doors).all(axis=1)]
        self._doors = shapely.STRtree(shapely.points(finite))
        self._tree = shapely.STRtree(self.tiles)
        self._unread: set[int] = set()

    def for_invalid(self, index: int, shape: Any, code: str) -> Repair | None:
        """Offer the valid reading where counting odd windings and counting any gives the same ground.

        Ask this first: districts whose reading is not safe take no part in other repairs.
        """
        tile = self.tiles[index]
        if not tile.is_empty and code != "hole_outside":
            other = areal(shapely.make_valid(shape, method="structure", keep_collapsed=False))
            disputed = area_m2(areal(shapely.symmetric_difference(tile, other)))
            if disputed < AGREED_M2:
                return Repair("read_as_valid", (index,), disputed, tile)
        self._unread.add(index)
        return None

    def for_overlap(self, first: int, second: int, ground: Any, area: float) -> Repair | None:
        """Offer to cut the overlap from the second, else from the first, of which each must stay in one piece.

        The second comes first because a door in both counts to the lower index already (`geo.tiling.locate`).
        """
        for loser in (second, first):
            if self._is_safe(ground, area, loser) and self._stays_whole(loser, ground):
                return Repair("overlap_cut", (loser,), area, ground, losers=(loser,))
        return None

    def for_gap(self, ground: Any, area: float) -> Repair | None:
        """Offer the gap to the neighbour with the longest border to it; a seam between several to them together."""
        borders = self._borders(ground)
        if not borders:
            return None
        if self._is_safe(ground, area, borders[0]):
            return Repair("gap_given", borders[:1], area, ground, receiver=borders[0])
        if not _is_seam(ground):
            return None
        shares = self._shares(ground, borders)
        if not all(self._is_safe(share, area_m2(share), receiver, SEAM_SHARE) for receiver, share in shares):
            return None
        return Repair("gap_shared", tuple(receiver for receiver, _ in shares), area, ground, shares=shares)

    def _shares(self, ground: Any, borders: tuple[int, ...]) -> tuple[tuple[int, Any], ...]:
        """Cut a seam into triangles; each goes to the district with the longest border of those that it touches."""
        triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(ground))
        ranked = self.tiles[list(borders)]
        triangle, rank = shapely.STRtree(ranked).query(triangles, predicate="dwithin", distance=_NEAR)
        best = np.full(len(triangles), len(borders), dtype=np.intp)
        np.minimum.at(best, triangle, rank)
        best[best == len(borders)] = 0
        return tuple((borders[rank], shapely.union_all(triangles[best == rank])) for rank in np.unique(best).tolist())

    def for_outside(self, index: int, ground: Any, area: float) -> Repair | None:
        """Offer to end the district at the boundary."""
        if not self._is_safe(ground, area, index) or not self._stays_whole(index, ground):
            return None
        return Repair("outside_cut", (index,), area, ground, losers=(index,))

    def for_part(self, index: int, ground: Any, area: float) -> Repair | None:
        """Offer a part that lies apart to the neighbour with the longest border to it."""
        receiver = next((border for border in self._borders(ground) if border != index), None)
        if receiver is None or not self._is_safe(ground, area, index) or not self._is_safe(ground, area, receiver):
            return None
        return Repair("part_given", (index, receiver), area, ground, losers=(index,), receiver=receiver)

    def _is_safe(self, ground: Any, area: float, index: int, share: float = SAFE_SHARE) -> bool:
        if index in self._unread or area > share * self.areas[index]:
            return False
        return not self._doors.query(ground, predicate="intersects").size

    def _stays_whole(self, index: int, ground: Any) -> bool:
        """Whether a district without `ground` is not in more pieces than before."""
        left = pieces(shapely.difference(self.tiles[index], ground), self.minimum_m2)
        return 0 < len(left) <= len(pieces(self.tiles[index], self.minimum_m2))

    def _borders(self, ground: Any) -> tuple[int, ...]:
        """Give the districts with a real border to `ground`, the longest first, of equals the first."""
        plane = Plane.around(ground)
        outline = shapely.boundary(ground)
        lengths = []
        for index in self._tree.query(ground, predicate="dwithin", distance=_NEAR).tolist():
            shared = shapely.intersection(outline, shapely.buffer(self.tiles[index], _NEAR))
            lengths.append((-plane.to_plane(shared).length, index))
        least = min(SHORTEST_BORDER_M, plane.to_plane(outline).length / 10)
        return tuple(index for length, index in sorted(lengths) if -length >= least)


def _is_seam(ground: Any) -> bool:
    """Whether ground is nowhere wider than a seam."""
    plane = Plane.around(ground)
    return bool(shapely.buffer(plane.to_plane(ground), -SEAM_M / 2).is_empty)


def repair(districts: Sequence[Any], faults: Iterable[Fault]) -> list[Any]:
    """Do what the faults' repairs say, and nothing else; give all districts, on the grid of 1e-7 degrees.

    `faults` must be found on these very districts. Districts that no repair names keep their ground, but may get a
    vertex on an edge where a neighbour's border now ends, which moves the edge by less than 1 cm: borders are shared
    vertex by vertex. One repair can make way for the next, so check again.
    """
    wanted = [fault.repair for fault in faults if fault.repair is not None]
    repaired = list(districts)
    for offer in wanted:
        if offer.code == "read_as_valid":
            repaired[offer.districts[0]] = at_precision(offer.ground)
    moves = [offer for offer in wanted if offer.code != "read_as_valid"]
    return _reassigned(repaired, moves) if moves else repaired


def _reassigned(districts: list[Any], moves: Sequence[Repair]) -> list[Any]:
    """Cut all ground into faces along every border, let the faces change hands, and join each district's faces."""
    usable = [index for index, shape in enumerate(districts) if shape is not None and shape.is_valid]
    tiles = _objects([districts[index] for index in usable])
    hands = [hand for move in moves for hand in _hands(move)]
    grounds = _objects([ground for _, _, ground in hands])
    faces = _faces([*tiles, *grounds])
    tree = shapely.STRtree(shapely.point_on_surface(faces))
    claims = np.zeros((len(districts), len(faces)), dtype=bool)
    claimant, face = tree.query(tiles, predicate="intersects")
    claims[np.asarray(usable, dtype=np.intp)[claimant], face] = True
    moved, face = tree.query(grounds, predicate="intersects")
    for number, (losers, receiver, _) in enumerate(hands):
        concerned = face[moved == number]
        claims[np.ix_(losers, concerned)] = False
        if receiver is not None:
            claims[receiver, concerned] = True
    for index in usable:
        districts[index] = _joined(faces[claims[index]], districts[index])
    return districts


def _hands(move: Repair) -> list[tuple[tuple[int, ...], int | None, Any]]:
    """Give who loses which ground to whom."""
    if move.shares:
        return [((), receiver, ground) for receiver, ground in move.shares]
    return [(move.losers, move.receiver, move.ground)]


def _objects(shapes: Sequence[Any]) -> NDArray[Any]:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array


def _faces(shapes: Sequence[Any]) -> NDArray[Any]:
    """Give the faces between the borders of shapes, their corners on the grid."""
    lines = shapely.union_all([shapely.boundary(shape) for shape in shapes], grid_size=GRID)
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))


def _joined(faces: NDArray[Any], before: Any) -> Any:
    """Give the union of faces at the kept precision; the shape before, if it is the same vertex by vertex."""
    after = at_precision(areal(shapely.union_all(faces)))
    same = shapely.equals_exact(shapely.normalize(after), shapely.normalize(before), GRID / 2)
    return before if same else after
