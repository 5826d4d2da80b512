"""What can be wrong with a GeoJSON file, and what is put right: words for machines, said in any language elsewhere."""

from dataclasses import dataclass

REFUSALS = frozenset(
    {
        "antimeridian",  # wider than half the globe: not cut at 180° (RFC 7946, 3.1.9); detail: west and east
        "bad_feature",  # an item of "features" that is no Feature (3.2); detail: its type
        "bad_id",  # an id that is neither a whole number nor text; detail: the id
        "bad_position",  # not two or three numbers (3.1.1); detail: what stands there
        "bad_properties",  # properties are neither an object nor null (3.2); detail: what stands there
        "bad_text",  # text that cannot be stored: U+0000 or half a surrogate pair
        "crs",  # another coordinate reference system than WGS 84 (4); detail: its name
        "disconnected",  # holes cut the inside in two; detail: the place
        "empty",  # no features, or a geometry without coordinates
        "geometry_type",  # not one of the wanted geometry types (1.4); detail: the type
        "hole_outside",  # a hole outside its shell; detail: the place
        "holes_nested",  # a hole in a hole; detail: the place
        "line_short",  # a line of fewer than two different positions (3.1.4)
        "missing_geometry",  # geometry is absent or null
        "nan",  # NaN, Infinity or a number beyond all bounds; detail: what stands there
        "not_features",  # neither a FeatureCollection nor a Feature; detail: its type
        "not_json",  # detail: line and column
        "not_utf8",  # detail: the byte's offset
        "nothing_matches",  # no feature has the wanted properties; detail: key=value
        "out_of_range",  # beyond ±180°, ±90°; detail: the position
        "overlapping_parts",  # parts of a MultiPolygon overlap; detail: the place
        "ring_short",  # a ring of fewer than three different positions (3.1.6); detail: its first position
        "self_crossing",  # a ring crosses or touches itself; detail: the place
        "sliver",  # no area, or less than 1 m²; detail: a position
        "swapped",  # latitude before longitude (3.1.1); detail: the first position, as it stands
        "too_deep",  # nested too deeply; detail: the limit
        "too_large",  # too many bytes or brackets; detail: the limit in bytes, or in brackets
        "too_many_features",  # detail: the limit
        "too_many_rings",  # in one geometry; detail: the limit
        "too_many_vertices",  # detail: the limit
    }
)

BUILDING_REFUSALS = frozenset(
    {
        "bad_entrances",  # neither a count nor a list of households, or a list that gives another sum; detail: it
        "bad_households",  # not a whole number from 0; detail: what stands there
        "duplicate_id",  # two features with one id; detail: the id
        "too_wide",  # a building wider than 0.1 degrees, about 10 km
    }
)

COMMAND_REFUSALS = frozenset(
    {
        "bad_labels",  # a district's entrances are not a list of [building, number]; detail: what stands there
        "bad_stop",  # a stop's entrance or floor is not a whole number; detail: what stands there
    }
)

REPAIRS = frozenset(
    {
        "duplicate_points",  # a position followed by itself was dropped
        "parts_merged",  # parts that share an edge became one
        "ring_closed",  # the first position was repeated at the end (3.1.6)
        "ring_order",  # shells now run counterclockwise, holes clockwise (3.1.6)
        "snapped",  # a gap or spike narrower than the kept precision (1 cm) was closed
        "third_coordinate",  # the height was dropped
    }
)


@dataclass(frozen=True)
class Problem:
    """One thing refused or repaired: the feature's number from 1 (None: the whole file), a word of the above, more."""

    feature: int | None
    code: str
    detail: str | None = None


class GeoJSONError(ValueError):
    """The input is refused. `problems` says why, in the file's order; `more` counts those that were left off."""

    def __init__(self, problems: list[Problem], more: int = 0) -> None:
        self.problems = problems
        self.more = more
        super().__init__("; ".join(f"{p.feature or '-'} {p.code} {p.detail or ''}".rstrip() for p in problems))


class Refusal(Exception):
    """Raised where a feature turns out bad; the reader adds the feature's number and goes on with the next."""

    def __init__(self, code: str, detail: str | None = None) -> None:
        self.code = code
        self.detail = detail
        super().__init__(code)


class PlanError(ValueError):
    """Buildings that cannot be divided as asked, or an edit that would break a tiling: a word, and what it is about.

    nothing_to_divide; too_many (entrances: how many may be); too_wide (a building of 0.1 degrees: its name; or ground
    of 3: nobody walks that); outside (a building that does not lie in the boundary: its name); overlap (locked
    districts); gap, several_parts, crossing, empty (an edited border).
    """

    def __init__(self, code: str, detail: str | None = None) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code} {detail or ''}".rstrip())
