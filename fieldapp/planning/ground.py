"""A community's entrances and districts as `geo` takes them, and what `geo` makes of them as a division again."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from uuid import UUID

import numpy as np
import shapely
import shapely.geometry

from fieldapp.places.queries import DistrictOnDay
from fieldapp.places.rules import SeamFault, seam_faults
from fieldapp.planning import rules
from fieldapp.planning.rules import Body, DraftDistrict, PlanRefused, Stairwell
from geo.buildings import Building, entrance_points
from geo.dividing import Division, propose
from geo.editing import move_entrances, reshape
from geo.fabric import on_grid
from geo.plane import Plane
from geo.problems import PlanError, Refusal
from geo.rebalancing import rebalance
from geo.shapes import mapping_of, shape_of
from geo.tiling import locate

Progress = Callable[[float], None]

REACH_M = 300.0
"""A building so far outside the boundary still belongs to the community; farther off its place is taken for wrong."""
MARGIN_M = 15.0
"""Ground around a building outside the boundary that is added to it."""


@dataclass(frozen=True)
class Block:
    """A building with its entrances as counted: (number, households, key of the district of today)."""

    id: UUID
    name: str
    geometry: dict[str, Any] | None
    longitude: float | None
    latitude: float | None
    counted: tuple[tuple[int, int, UUID | None], ...]

    @property
    def shape(self) -> Any:
        """The outline or the point, in degrees; None where neither is known."""
        if self.geometry:
            return shapely.geometry.shape(self.geometry)
        if self.longitude is not None and self.latitude is not None:
            return shapely.Point(self.longitude, self.latitude)
        return None


class Ground:
    """The entrances of a community and its districts of today. Only entrances with households are known to `geo`;
    an entrance of shops or empty flats goes with the nearest number of its building."""

    def __init__(self, blocks: Sequence[Block], today: Sequence[DistrictOnDay]) -> None:
        self.blocks, self.today = blocks, [district for district in today if district.geometry]
        self.key_of = {district.id: district.code for district in today}
        self.buildings: list[Building] = []
        self.stairwells: dict[UUID, list[Stairwell]] = {}
        self.places: dict[str, tuple[float, float]] = {}
        self._name_of: dict[tuple[str, int], str] = {}
        for block in blocks:
            self._add(block)
        self._number_of = {name: key for key, name in self._name_of.items()}
        self.mates = {s.name: [each.name for each in those] for those in self.stairwells.values() for s in those}

    def _add(self, block: Block) -> None:
        """Take in a building: to `geo` its entrances have the numbers 1, 2, … without the empty ones and the holes."""
        wells = [Stairwell(f"{block.id}:{n}", n, size, self._key(now)) for n, size, now in block.counted]
        self.stairwells[block.id] = wells
        shape = block.shape
        if shape is None or shape.is_empty:
            return
        lived_in = [well for well in wells if well.households]
        building = Building(str(block.id), block.name, shape, tuple(well.households for well in lived_in))
        self.buildings.append(building)
        points = [(float(x), float(y)) for x, y in entrance_points(building)]
        for number, well in enumerate(lived_in, 1):
            self._name_of[building.key, number] = well.name
            self.places[well.name] = points[number - 1]
        for well in wells:
            if not well.households:
                near = min(lived_in, key=lambda other: abs(other.number - well.number), default=None)
                self.places[well.name] = self.places[near.name] if near else points[0]

    def _key(self, district_id: UUID | None) -> str | None:
        return self.key_of.get(district_id) if district_id else None

    def all_stairwells(self) -> Iterable[Stairwell]:
        """Every entrance."""
        return (well for wells in self.stairwells.values() for well in wells)

    def present(self) -> Body:
        """The division of today."""
        districts = tuple(_of_today(district) for district in self.today)
        return Body(districts, {well.name: well.now for well in self.all_stairwells() if well.now})

    def placed(self, body: Body) -> dict[str, str | None]:
        """The district of every entrance: as the division says; where it does not know it, as its border says."""
        unknown = [name for name in self.mates if name not in body.entrances and name in self.places]
        found: dict[str, str | None] = dict(body.entrances)
        if unknown and body.districts:
            shapes = [shapely.geometry.shape(d.geometry) for d in body.districts]
            for name, index in zip(unknown, locate(shapes, self._points(unknown)), strict=True):
                found[name] = body.districts[index].key if index >= 0 else None
        return {name: found.get(name) for name in self.mates}

    def _points(self, names: Sequence[str]) -> Any:
        return np.array([self.places[name] for name in names], dtype=np.float64).reshape(-1, 2)

    def named(self, pairs: Iterable[tuple[tuple[str, int], int]], keys: Sequence[str]) -> dict[str, str]:
        """Entrances as `geo` numbers them, with the index of their district, by their names; empty ones beside them."""
        found = {self._name_of[pair]: keys[index] for pair, index in pairs if pair in self._name_of}
        for wells in self.stairwells.values():
            known = [well for well in wells if well.name in found]
            for well in wells:
                if known and well.name not in found:
                    found[well.name] = found[min(known, key=lambda k: abs(k.number - well.number)).name]
        return found

    def labels(self, body: Body) -> dict[tuple[str, int], int]:
        """The index of the district of every entrance, as `geo` numbers them."""
        index = {district.key: i for i, district in enumerate(body.districts)}
        placed = self.placed(body)
        return {pair: index[key] for pair, name in self._name_of.items() if (key := placed[name]) in index}

    def pair_of(self, name: str) -> tuple[str, int] | None:
        """An entrance as `geo` numbers it; None for an empty one."""
        return self._number_of.get(name)


def _of_today(district: DistrictOnDay) -> DraftDistrict:
    return DraftDistrict(
        key=district.code,
        district_id=str(district.id),
        name=district.name,
        code=district.code,
        lead=str(district.lead_id) if district.lead_id else None,
        partner=str(district.partner_id) if district.partner_id else None,
        locked=False,
        geometry=district.geometry or {},
    )


def seams(body: Body) -> list[SeamFault]:
    """Where the districts of a division overlap or leave a gap."""
    return seam_faults([district.geometry for district in body.districts])


# --- computing


def proposed(ground: Ground, draft: Body, *, target: int, seed: int, progress: Progress | None = None) -> Body:
    """A new division of the community; locked districts of the draft stay as they are. PlanError."""
    kept = [district for district in draft.districts if district.locked]
    boundary, buildings = _outline(ground, draft)
    division = propose(
        buildings,
        boundary,
        target=target,
        tolerance=rules.TOLERANCE / 100,
        seed=seed,
        locked=[_polygon(district.geometry) for district in kept],
        progress=progress,
    )
    return _matched(ground, division, kept)


def rebalanced(ground: Ground, draft: Body, *, target: int, seed: int, progress: Progress | None = None) -> Body:
    """Today's division, brought to size with the fewest moves; what the draft locked stays as today. PlanError.

    A building in no district is left out: it stays outside, and the page says so.
    """
    locked = {district.key for district in draft.districts if district.locked}
    today = [_of_today(district) for district in ground.today]
    districts = [_polygon(district.geometry) for district in today]
    result = rebalance(
        districts,
        [building for building in ground.buildings if (locate(districts, entrance_points(building)) >= 0).all()],
        names=[district.name for district in today],
        labels=ground.labels(ground.present()),
        target=target,
        tolerance=rules.TOLERANCE / 100,
        seed=seed,
        locked=[i for i, district in enumerate(today) if district.key in locked],
        progress=progress,
    )
    kept = [
        replace(district, geometry=mapping_of(found.shape), locked=district.key in locked)
        for district, found in zip(today, result.division.districts, strict=True)
    ]
    return Body(tuple(kept), ground.named(_pairs(result.division), [district.key for district in kept]))


def _pairs(division: Division) -> Iterable[tuple[tuple[str, int], int]]:
    return ((pair, i) for i, district in enumerate(division.districts) for pair in district.entrances)


def _matched(ground: Ground, division: Division, kept: Sequence[DraftDistrict]) -> Body:
    """Name the districts of a division: the first are `kept`, others go on as those of today, the rest are new."""
    labels = ground.named(_pairs(division), [str(i) for i in range(len(division.districts))])
    today = [_of_today(d) for d in ground.today if d.code not in {k.key for k in kept}]
    number = {district.key: i for i, district in enumerate(today)}
    overlap: dict[tuple[int, int], int] = defaultdict(int)
    for well in ground.all_stairwells():
        new = int(labels.get(well.name, -1))
        if well.now in number and new >= len(kept):
            overlap[number[well.now], new] += well.households
    old = rules.matched(overlap)
    fresh = [i for i in range(len(kept), len(division.districts)) if i not in old]
    names = rules.new_names({d.name for d in ground.today} | {d.name for d in kept}, len(fresh))
    taken = {d.code for d in ground.today} | {d.key for d in kept}
    keys = (key for i in count(1) if (key := f"new-{i}") not in taken)
    made: dict[int, DraftDistrict] = dict(enumerate(kept)) | {new: today[i] for new, i in old.items()}
    for i, name, key in zip(fresh, names, keys, strict=False):
        made[i] = DraftDistrict(key, None, name, None, None, None, False, {})
    shaped = {i: replace(made[i], geometry=mapping_of(d.shape)) for i, d in enumerate(division.districts)}
    entrances = {name: shaped[int(i)].key for name, i in labels.items()}
    return Body(_in_order(shaped.values(), ground.today), entrances)


def _in_order(districts: Iterable[DraftDistrict], today: Sequence[DistrictOnDay]) -> tuple[DraftDistrict, ...]:
    place = {district.code: i for i, district in enumerate(today)}
    return tuple(sorted(districts, key=lambda d: (place.get(d.key, len(place)), d.key)))


def _outline(ground: Ground, draft: Body) -> tuple[Any, list[Building]]:
    """The ground to divide, None where nothing is known of it, and the buildings on it.

    It is that of the districts there are. Buildings close by are taken in with the ground between; those far off are
    left out, for their place is likely wrong.
    """
    known = draft.districts or [_of_today(district) for district in ground.today]
    if not known:
        return None, ground.buildings
    whole = shapely.union_all([shapely.geometry.shape(district.geometry) for district in known])
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in _polygons(whole)])
    plane = Plane.around(filled)
    flat = grown = plane.to_plane(filled)
    taken = []
    for building in ground.buildings:
        shape = plane.to_plane(building.shape)
        is_outside = any(not flat.intersects(shapely.Point(*point)) for point in _flat_points(plane, building))
        if is_outside and building.households and flat.distance(shape) <= REACH_M:
            way = shapely.shortest_line(shape, flat)
            together = shapely.convex_hull(shapely.union_all([shape, way]))
            grown = shapely.union(grown, shapely.buffer(together, MARGIN_M, join_style="mitre"))
        elif is_outside:
            continue
        taken.append(building)
    return (filled if grown is flat else on_grid(plane.to_degrees(grown))), taken


def _flat_points(plane: Plane, building: Building) -> Any:
    return shapely.get_coordinates(plane.to_plane(shapely.points(entrance_points(building))))


def _polygons(shape: Any) -> list[Any]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]


def _polygon(geometry: Mapping[str, Any]) -> Any:
    shape = shapely.geometry.shape(geometry)
    parts = _polygons(shape)
    return parts[0] if len(parts) == 1 else shape


# --- editing


def with_border(ground: Ground, body: Body, changed: Mapping[str, Any]) -> Body:
    """The division with a border drawn anew; entrances follow. PlanRefused: those of geo, locked, polygon."""
    index = {district.key: i for i, district in enumerate(body.districts)}
    wanted = {}
    for key, geometry in changed.items():
        body.district(key)
        try:
            wanted[index[key]] = shape_of(geometry, frozenset({"Polygon"}), set())
        except Refusal as refusal:
            raise PlanRefused("polygon", refusal.code) from refusal
    if not wanted:
        raise PlanRefused("polygon")
    shapes = _edited(lambda: reshape(_shapes(body), wanted))
    after = _with_shapes(body, shapes)
    placed = ground.placed(body)
    names = [name for name in placed if name in ground.places]
    points = ground._points(names)
    located = locate(shapes, points)
    entrances = dict(body.entrances)
    for name, point, seen in zip(names, shapely.points(points), located, strict=True):
        now = index.get(placed[name] or "", -1)
        if now >= 0 and shapes[now].intersects(point):
            entrances[name] = body.districts[now].key
        elif seen >= 0:
            entrances[name] = body.districts[seen].key
        else:
            entrances.pop(name, None)
    return replace(after, entrances=entrances)


def with_move(ground: Ground, body: Body, building_id: str, numbers: Sequence[int] | None, to: str) -> Body:
    """The division with entrances of a building (None: all) in another district. PlanRefused: those of geo, building,
    entrance, locked, district."""
    target = body.district(to)
    wells = next((wells for key, wells in ground.stairwells.items() if str(key) == building_id), None)
    if wells is None:
        raise PlanRefused("building")
    chosen = [well for well in wells if numbers is None or well.number in numbers]
    if not chosen or (numbers is not None and len(chosen) != len(set(numbers))):
        raise PlanRefused("entrance")
    placed = ground.placed(body)
    index = {district.key: i for i, district in enumerate(body.districts)}
    going = [well for well in chosen if placed[well.name] != to]
    if not going:
        raise PlanRefused("there")
    locked = {district.key for district in body.districts if district.locked}
    if target.locked or any(placed[well.name] in locked for well in going):
        raise PlanRefused("locked")
    moved = {pair: index[to] for well in going if (pair := ground.pair_of(well.name))}
    after = body
    if moved:
        labels = ground.labels(body)
        after = _with_shapes(body, _edited(lambda: move_entrances(_shapes(body), ground.buildings, labels, moved)))
    return replace(after, entrances={**body.entrances, **{well.name: to for well in going}})


def _shapes(body: Body) -> list[Any]:
    return [_polygon(district.geometry) for district in body.districts]


def _edited(edit: Callable[[], Sequence[Any]]) -> list[Any]:
    try:
        return list(edit())
    except PlanError as error:
        raise PlanRefused(error.code, error.detail or "") from error


def _with_shapes(body: Body, shapes: Sequence[Any]) -> Body:
    districts = []
    for district, shape in zip(body.districts, shapes, strict=True):
        geometry = mapping_of(shape)
        if district.locked and not shape.equals(shapely.geometry.shape(district.geometry)):
            raise PlanRefused("locked")
        districts.append(replace(district, geometry=geometry))
    return replace(body, districts=tuple(districts))
