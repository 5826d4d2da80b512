"""Draws the two pictures of docs/districts.md from a real community: `python -m tests.bench.pictures`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.buildings import Building, entrance_parts
from geo.dividing import Division, propose
from geo.fabric import weave
from geo.plane import Plane
from geo.rebalancing import rebalance
from tests.bench.cities import CITIES, Place, grown, places
from tests.bench.divisions import Made, within

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COMMUNITY, BLOCK_GROWS, TARGET, SEED = "4", 0.5, 200, 0
WIDTH, MARGIN, HEAD, FOOT = 480.0, 14.0, 34.0, 30.0
"""Pixels: of a panel, around it, above it for its words, below for whose data it is."""
FILLS = ("#cfe6da", "#fbe3c4", "#d7def5", "#f4d4d8", "#ece6b8", "#d9d3ea", "#cdeaf0")
INK, LINE, GROUND, MARK = "#1b2420", "#0a6a45", "#f4f5f2", "#b3261e"
CREDIT = "© OpenStreetMap contributors, ODbL 1.0. Households are made, not counted."


class Panel:
    """A map of WIDTH pixels at `left`; shapes in degrees become SVG paths."""

    def __init__(self, ground: Any, left: float, words: str) -> None:
        self.plane = Plane.around(ground)
        west, south, east, north = self.plane.to_plane(ground).bounds
        self.scale = WIDTH / (east - west)
        self.height = (north - south) * self.scale
        self.corner = np.array([west, north])
        self.at = np.array([left, HEAD])
        self.left, self.drawn = left, [_text(left, HEAD - 12, words, size=15)]

    def pixels(self, degrees: Any) -> Any:
        """Degrees (n, 2) as pixels; y runs down."""
        metres = (degrees - (self.plane.lon0, self.plane.lat0)) * self.plane.metres_per_degree
        return self.at + (metres - self.corner) * (self.scale, -self.scale)

    def draw(self, shapes: Iterable[Any], style: str) -> None:
        """Add polygons and points, all in one path."""
        path = "".join(self._path(part) for shape in shapes for part in shapely.get_parts(shape))
        if path:
            self.drawn.append(f'<path d="{path}" {style}/>')

    def _path(self, part: Any) -> str:
        if part.geom_type == "Point":
            x, y = self.pixels(shapely.get_coordinates(part))[0]
            return f"M{x - 2:.1f} {y - 2:.1f}h4v4h-4z"
        rings = (self.pixels(shapely.get_coordinates(ring))[:-1] for ring in shapely.get_rings(part))
        return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "z" for ring in rings)

    def label(self, shape: Any, households: int) -> None:
        """Write a number of households in the middle of a shape; one that is off stands out."""
        x, y = self.pixels(shapely.get_coordinates(shapely.maximum_inscribed_circle(shape)))[0]
        ink = INK if within(households, TARGET, 0.1) else MARK
        self.drawn.append(_text(x, y + 4, str(households), size=13, anchor="middle", ink=ink, halo=True))


def _text(
    x: float, y: float, words: str, *, size: int, anchor: str = "start", ink: str = INK, halo: bool = False
) -> str:
    behind = ' stroke="#fff" stroke-width="3" paint-order="stroke" stroke-linejoin="round"' if halo else ""
    font = f'font-family="sans-serif" font-size="{size}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {font} text-anchor="{anchor}" fill="{ink}"{behind}>{words}</text>'


def side_by_side(panels: Sequence[Panel], title: str) -> str:
    """The panels as one SVG with the data's owners under them."""
    width = sum(WIDTH for _ in panels) + MARGIN * (len(panels) + 1)
    height = HEAD + max(panel.height for panel in panels) + FOOT
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box}><title>{title}</title>'
    drawn = [part for panel in panels for part in panel.drawn]
    credit = _text(MARGIN, height - 10, CREDIT, size=11)
    return "\n".join(
        [head, f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>', *drawn, credit, "</svg>\n"]
    )


def coloured(shapes: Sequence[Any]) -> list[str]:
    """A fill for each shape, another than its neighbours'."""
    near: list[set[int]] = [set() for _ in shapes]
    for one, other in shapely.STRtree(list(shapes)).query(list(shapes), predicate="intersects").T.tolist():
        if one != other:
            near[one].add(other)
    chosen: list[int] = []
    for index in range(len(shapes)):
        taken = {chosen[other] for other in near[index] if other < index}
        free = [fill for fill in range(len(FILLS)) if fill not in taken] or [0]
        chosen.append(min(free, key=lambda fill: (chosen.count(fill), fill)))
    return [FILLS[fill] for fill in chosen]


def draw_districts(
    panel: Panel, made: Made, fills: Sequence[str], buildings: Sequence[Building], marked: Sequence[Any] = ()
) -> None:
    """Districts with their households, and the buildings over them; what is `marked` is red."""
    for shape, fill in zip(made.shapes, fills, strict=True):
        panel.draw([shape], f'fill="{fill}" stroke="{LINE}" stroke-width="1.6" stroke-linejoin="round"')
    panel.draw([building.shape for building in buildings if building.households], 'fill="#5d6661" fill-opacity=".55"')
    panel.draw(marked, f'fill="{MARK}"')
    behind = {(b.key, n): share for b in buildings for n, share in enumerate(b.entrances, start=1)}
    for shape, own in zip(made.shapes, made.entrances, strict=True):
        panel.label(shape, sum(behind[entrance] for entrance in own))


def method(place: Place, division: Division) -> str:
    """From buildings to cells, from cells to districts."""
    fabric = weave(place.buildings, place.boundary)
    ground = shapely.union_all([district.shape for district in division.districts])
    cells = Panel(ground, MARGIN, f"{len(fabric)} cells, one an entrance")
    cells.draw(fabric.cells, f'fill="{GROUND}" stroke="#9aa39e" stroke-width=".7"')
    parts = [part for building in place.buildings if building.households for part in entrance_parts(building)]
    cells.draw(parts, 'fill="#5d6661" stroke="#fff" stroke-width=".6"')
    done = Panel(ground, 2 * MARGIN + WIDTH, f"{len(division.districts)} districts and their households")
    made = Made.of(division)
    draw_districts(done, made, coloured(made.shapes), place.buildings)
    return side_by_side([cells, done], "Cells around entrances, and the districts made of them")


def kept_up(place: Place, division: Division) -> str:
    """A block grows, and few doors change their district."""
    block = max(place.buildings, key=lambda building: (building.households <= 150, building.households))
    larger = grown(block, BLOCK_GROWS)
    buildings = [larger if building is block else building for building in place.buildings]
    old = Made.of(division)
    done = rebalance(old.shapes, buildings, target=TARGET, seed=SEED)
    ground = shapely.union_all(old.shapes)
    before = Panel(ground, MARGIN, f"One block grew from {block.households} to {larger.households} households")
    fills = coloured(old.shapes)
    draw_districts(before, old, fills, buildings, [block.shape])
    moved, everybody = sum(move.households for move in done.moves), sum(each.households for each in buildings)
    count = "1 entrance moves" if len(done.moves) == 1 else f"{len(done.moves)} entrances move"
    after = Panel(ground, 2 * MARGIN + WIDTH, f"{count}: {moved} households, {100 * moved / everybody:.1f} %")
    parts = {each.key: entrance_parts(each) for each in buildings}
    marked = [parts[move.building][move.entrance - 1] for move in done.moves]
    draw_districts(after, Made.of(done.division), fills, buildings, marked)
    return side_by_side([before, after], "Before and after a block grew; what moves is red")


def main() -> None:
    """Write both pictures."""
    place = next(place for place in places(CITIES[0], 40) if place.number == COMMUNITY)
    division = propose(place.buildings, place.boundary, target=TARGET, seed=SEED)
    (PICTURES / "districts.svg").write_text(method(place, division))
    (PICTURES / "rebalance.svg").write_text(kept_up(place, division))


if __name__ == "__main__":
    main()
