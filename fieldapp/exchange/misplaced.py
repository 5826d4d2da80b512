"""Whether a file lies beside the community as the wrong datum would put it; pure. Nothing is refused for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from fieldapp.exchange.features import Drafts
from geo.datum import Suspicion, shift, shift_shape, suspects_datum, suspects_ground

Place = tuple[float, float]


@dataclass(frozen=True)
class Misplaced:
    """What a file looks like. `datum` is a word of geo's; `metres` how far it is off; `whole` whether all of it is.

    `numbers` are the features that lie off, from 1; for districts `left_out` counts the buildings outside them instead.
    """

    datum: str
    metres: float
    whole: bool
    numbers: tuple[int, ...] = ()
    left_out: int = 0


def misplaced_buildings(
    drafts: Drafts, known: Mapping[str, Place], boundaries: Sequence[dict[str, Any]]
) -> Misplaced | None:
    """Compare buildings with the districts; then each with where that of the same code is known to be, others with all.

    `known` gives (longitude, latitude) by code, `boundaries` are the districts' GeoJSON geometries, all as they were
    before the file. None where there is nothing to compare with.
    """
    numbers = [draft.number for draft in drafts.buildings]
    places = np.array([(draft.longitude, draft.latitude) for draft in drafts.buildings]).reshape(-1, 2)
    points = shift(places, "wgs84", drafts.datum)
    if boundaries:
        ground = _union(boundaries)
        if found := suspects_datum(points, ground, drafts.datum):
            return _misplaced(found, numbers)
    else:
        ground = shapely.MultiPoint(list(known.values())).convex_hull
    if not known:
        return None
    homes = [shapely.Point(known[d.code]) if d.code in known else ground for d in drafts.buildings]
    found = suspects_datum(points, homes, drafts.datum)
    again = found is not None and any(drafts.buildings[place].code in known for place in found.places)
    if found and again and _mends(found, drafts, has_ground=bool(boundaries)):
        return None
    return _misplaced(found, numbers)


def _mends(found: Suspicion, drafts: Drafts, *, has_ground: bool) -> bool:
    """Whether the file rather puts right what was stored in the wrong datum before.

    It does where all of it moves, and lies in the districts as it was read; or where somebody chose its datum.
    """
    return found.whole and (has_ground or drafts.datum != "wgs84")


def misplaced_districts(
    drafts: Drafts, known: Sequence[Place], boundaries: Mapping[str, dict[str, Any]]
) -> Misplaced | None:
    """Look whether the buildings lie in the districts; without buildings, whether districts lie where they lay.

    `known` are (longitude, latitude) of buildings, `boundaries` geometries by code, as they were before the file.
    """
    shapes = [shift_shape(draft.shape, "wgs84", drafts.datum) for draft in drafts.districts]
    if known:
        found = suspects_ground(shapely.union_all(shapes), np.array(known), drafts.datum)
        return Misplaced(found.datum, found.metres, found.whole, left_out=len(found.places)) if found else None
    if not boundaries:
        return None
    ground = _union(list(boundaries.values()))
    homes = [
        shapely.geometry.shape(boundaries[draft.code]) if draft.code in boundaries else ground
        for draft in drafts.districts
    ]
    found = suspects_datum(np.array([shape.point_on_surface().coords[0] for shape in shapes]), homes, drafts.datum)
    if found and _mends(found, drafts, has_ground=False):
        return None
    return _misplaced(found, [draft.number for draft in drafts.districts])


def _union(geometries: Sequence[dict[str, Any]]) -> Any:
    return shapely.union_all([shapely.make_valid(shapely.geometry.shape(geometry)) for geometry in geometries])


def _misplaced(found: Suspicion | None, numbers: Sequence[int]) -> Misplaced | None:
    if found is None:
        return None
    return Misplaced(found.datum, found.metres, found.whole, tuple(numbers[place] for place in found.places))
