"""GeoJSON in: what is refused with which word, what is repaired, what passes. GeoJSON out: the same bytes again."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.geojson import REFUSALS, REPAIRS, GeoJSONError, Problem, dump, read
from geo.plane import area_m2
from tests.conftest import REAL_FILES, with_real_files

EVERY_KIND = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def box(west=121.47, south=31.23, size=0.001, clockwise=False):
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return ring[::-1] if clockwise else ring


def feature(coordinates, kind="Polygon", properties=None, **more):
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties or {}, "geometry": geometry, **more}


def collection(*features, **more):
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def problems(data, **options):
    with pytest.raises(GeoJSONError) as caught:
        read(data, **options)
    return caught.value.problems


def again(reading):
    return dump((feature.id, feature.properties, feature.shape) for feature in reading.features)


GOOD = feature([box()])
BOW_TIE = [[121.47, 31.23], [121.472, 31.232], [121.472, 31.23], [121.47, 31.232], [121.47, 31.23]]
HOLE = box(121.4702, 31.2302, 0.0002, clockwise=True)

FILES = [
    (b"", "not_json"),
    (b"{", "not_json"),
    (b"{} {}", "not_json"),
    (b"9" * 5000, "not_json"),
    (b"\xff\xfe{\x00}\x00", "not_utf8"),
    (json.dumps(collection(GOOD).decode()).encode(), "not_features"),
    (b"null", "not_features"),
    (b"[]", "not_features"),
    (b'{"type":["FeatureCollection"]}', "not_features"),
    (b'{"type":"FeatureCollection"}', "not_features"),
    (b'{"type":"FeatureCollection","features":{}}', "not_features"),
    (json.dumps({"type": "Polygon", "coordinates": [box()]}).encode(), "not_features"),
    (collection(), "empty"),
    (collection(GOOD, note=float("nan")), "nan"),
    (b"[" * 2_000, "too_deep"),
    (b"[" * 2_000 + b"]" * 2_000, "too_deep"),
    (b"[" * 200_000, "too_deep"),
    (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "too_deep"),
    (b'{"a\\\\":"\\"' + b"]" * 99 + b'","b":' + b"[" * 99 + b"]" * 99 + b"}", "too_deep"),
    (b" " * 30_000_001, "too_large"),
    (b'{"type":"FeatureCollection","features":[' + b"[]," * 3_000_000 + b"[]]}", "too_large"),
]


@pytest.mark.parametrize(("data", "code"), FILES, ids=range(len(FILES)))
def test_a_bad_file_is_refused_whole(data, code):
    assert [(problem.feature, problem.code) for problem in problems(data)] == [(None, code)]


@pytest.mark.parametrize(
    ("options", "code", "detail"),
    [
        ({"limit_bytes": 100}, "too_large", "100"),
        ({"limit_features": 1}, "too_many_features", "1"),
        ({"limit_vertices": 9}, "too_many_vertices", "9"),
        ({"limit_depth": 5}, "too_deep", "5"),
        ({"where": {"community": "9"}}, "nothing_matches", "community=9"),
    ],
)
def test_limits(options, code, detail):
    assert problems(collection(GOOD, GOOD), **options) == [Problem(None, code, detail)]


def test_depth_beyond_the_parser_is_never_allowed():
    assert problems(b"[" * 50_000 + b"]" * 50_000, limit_depth=100_000)[0].code == "too_deep"


def test_brackets_in_text_do_not_count():
    text = '["{' * 100 + '\\"['
    assert read(collection(feature([box()], properties={"a": text}))).features[0].properties == {"a": text}


FEATURES = [
    (None, "bad_feature", "null"),
    ({"type": "Polygon"}, "bad_feature", "Polygon"),
    ({**GOOD, "properties": [1]}, "bad_properties", "[1]"),
    ({**GOOD, "properties": {"a": float("inf")}}, "nan", None),
    ({**GOOD, "properties": {"a": "\0"}}, "bad_text", None),
    ({**GOOD, "properties": {"\ud800": 1}}, "bad_text", None),
    ({**GOOD, "id": [1]}, "bad_id", "[1]"),
    ({**GOOD, "id": True}, "bad_id", "true"),
    ({**GOOD, "id": 1.5}, "bad_id", "1.5"),
    ({**GOOD, "geometry": None}, "missing_geometry", None),
    ({"type": "Feature", "properties": None}, "missing_geometry", None),
    ({**GOOD, "geometry": "POINT (1 2)"}, "geometry_type", "POINT (1 2)"),
    ({**GOOD, "geometry": {"type": "GeometryCollection", "geometries": []}}, "geometry_type", "GeometryCollection"),
    ({**GOOD, "geometry": {"type": ["Polygon"], "coordinates": []}}, "geometry_type", '["Polygon"]'),
    (feature([box()], kind="polygon"), "geometry_type", "polygon"),
    (feature([121.47, 31.23], kind="Point"), "geometry_type", "Point"),
    ({**GOOD, "geometry": {"type": "Polygon"}}, "bad_position", "null"),
    (feature([]), "empty", None),
    (feature([[]]), "empty", None),
    (feature([[], []], kind="MultiPolygon"), "empty", None),
    (feature([[box()], []], kind="MultiPolygon"), "empty", None),
    (feature(box()), "bad_position", "121.47"),
    (feature([[box()]]), "bad_position", None),
    (feature([[[121.47], *box()[1:]]]), "bad_position", "[121.47]"),
    (feature([[[121.47, 31.23, 4, 5], *box()[1:]]]), "bad_position", "[121.47, 31.23, 4, 5]"),
    (feature([[["121.47", "31.23"], *box()[1:]]]), "bad_position", '["121.47", "31.23"]'),
    (feature([[[True, 31.23], *box()[1:]]]), "bad_position", "[true, 31.23]"),
    (feature([[[121.47, None], *box()[1:]]]), "bad_position", "[121.47, null]"),
    (feature([[[float("nan"), 31.23], *box()[1:]]]), "nan", "[NaN, 31.23]"),
    (feature([[[121.47, 31.23, float("-inf")], *box()[1:]]]), "nan", None),
    (feature([[[10**400, 31.23], *box()[1:]]]), "out_of_range", None),
    (feature([box(13_522_000, 3_662_000, 100)]), "out_of_range", "[13522000, 3662000]"),
    (feature([box(181, 31)]), "out_of_range", "[181, 31]"),
    (feature([[[y, x] for x, y in box()]]), "swapped", "[31.23, 121.47]"),
    (feature([[[y, x] for x, y in box(87.6, 43.8)]]), "swapped", "43.8 87.6"),
    (feature([[[y, x] for x, y in box(103.9, 1.4)]]), "swapped", "[1.4, 103.9]"),
    (feature([[[179.9, 31], [-179.9, 31], [-179.9, 31.1], [179.9, 31.1], [179.9, 31]]]), "antimeridian", None),
    (feature([box()[:2]]), "ring_short", "121.47 31.23"),
    (feature([[[121.47, 31.23]] * 5]), "ring_short", "121.47 31.23"),
    (feature([box(), []]), "ring_short", None),
    (feature([BOW_TIE]), "self_crossing", "121.471 31.231"),
    (feature([box(), HOLE, BOW_TIE]), "self_crossing", None),
    (feature([[*box()[:4], [121.47, 31.2305], [121.471, 31.2305], *box()[-1:]]]), "self_crossing", None),
    (feature([box(), box(121.48)]), "hole_outside", "121.48 31.23"),
    (feature([box(), HOLE, box(121.47025, 31.23025, 0.0001)]), "holes_nested", None),
    (feature([box(), box()]), "self_crossing", None),
    (
        feature([box(), [[121.47, 31.2305], [121.4705, 31.23], [121.471, 31.2305], [121.4705, 31.231]]]),
        "disconnected",
        None,
    ),
    (feature([[[121.47, 31.23], [121.471, 31.231], [121.472, 31.232], [121.47, 31.23]]]), "sliver", None),
    (feature([[[121.47, 31.23], [121.471, 31.23], [121.471, 31.2300001], [121.47, 31.23]]]), "sliver", None),
    (feature([box(size=0.000008)]), "sliver", "121.47 31.23"),
    (feature([[box()], [box(121.4705)]], kind="MultiPolygon"), "overlapping_parts", None),
    (feature([[box()], [box()]], kind="MultiPolygon"), "overlapping_parts", None),
    (feature([[box()], [HOLE]], kind="MultiPolygon"), "overlapping_parts", None),
    (feature([[box()]] * 1_001, kind="MultiPolygon"), "too_many_rings", "1000"),
    (feature([box(), *[HOLE] * 1_000]), "too_many_rings", "1000"),
    ({**GOOD, "crs": {"type": "name", "properties": {"name": "EPSG:4490"}}}, "crs", "EPSG:4490"),
]


@pytest.mark.parametrize(("bad", "code", "detail"), FEATURES, ids=range(len(FEATURES)))
def test_a_bad_feature_is_refused_with_its_number(bad, code, detail):
    found = problems(collection(GOOD, bad, GOOD))
    assert [(problem.feature, problem.code) for problem in found] == [(2, code)]
    assert code in REFUSALS
    if detail is not None:
        assert found[0].detail == detail


def test_a_number_beyond_all_bounds_is_found_by_its_feature():
    data = collection(GOOD, GOOD).decode().replace("121.47,", "1e999,", 1)
    assert problems(data.encode()) == [Problem(1, "nan", "[Infinity, 31.23]")]


def test_every_bad_feature_is_listed_up_to_a_hundred():
    bad = feature([BOW_TIE])
    with pytest.raises(GeoJSONError) as caught:
        read(collection(*[bad, GOOD, bad] * 60))
    assert [problem.feature for problem in caught.value.problems][:4] == [1, 3, 4, 6]
    assert (len(caught.value.problems), caught.value.more) == (100, 20)


@pytest.mark.parametrize(
    ("crs", "accepted"),
    [
        (None, True),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", True),
        ("urn:ogc:def:crs:OGC::CRS84", True),
        ("OGC:CRS84", True),
        ("EPSG:4326", True),
        ("urn:ogc:def:crs:EPSG::4326", True),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", True),
        ("WGS 84", True),
        ("WGS84", True),
        ("EPSG:43260", False),
        ("EPSG:3857", False),
        ("urn:ogc:def:crs:EPSG::4490", False),
        ("GCJ-02", False),
        ("", False),
    ],
)
def test_crs(crs, accepted):
    data = collection(GOOD, crs=crs and {"type": "name", "properties": {"name": crs}})
    if crs == "":
        data = collection(GOOD, crs={"type": "link", "properties": {"href": "http://example.com/crs"}})
    if accepted:
        assert read(data).features
    else:
        assert [(problem.feature, problem.code) for problem in problems(data)] == [(None, "crs")]


def test_an_older_epsg_code_counts_as_a_name():
    assert read(collection(GOOD, crs={"type": "EPSG", "properties": {"code": 4326}})).features
    assert problems(collection(GOOD, crs={"type": "EPSG", "properties": {"code": 2334}}))[0].detail == "EPSG:2334"


def test_only_china_read_backwards_is_called_swapped():
    for west, south in ((103.9, 1.4), (-0.1, 51.5), (10.7, 59.9), (121.47, 31.23), (-58.4, -34.6)):
        assert read(collection(feature([box(west, south)]))).features


SLIT = [[121.4705, 31.231], [121.4705, 31.2305], [121.47050000001, 31.231]]
REPAIRED = [
    (feature([box(clockwise=True)]), "ring_order"),
    (feature([box(), HOLE[::-1]]), "ring_order"),
    (feature([[box()], [box(121.48, clockwise=True)]], kind="MultiPolygon"), "ring_order"),
    (feature([box()[:4]]), "ring_closed"),
    (feature([[box()[0], *box()]]), "duplicate_points"),
    (feature([[[x, y, 4.5] for x, y in box()]]), "third_coordinate"),
    (feature([[box()], [box(121.471)]], kind="MultiPolygon"), "parts_merged"),
    (feature([[*box()[:3], *SLIT[::-1], *box()[3:]]]), "snapped"),
    (feature([box(), box(121.4705, 31.2305, 0.00000001, clockwise=True)]), "snapped"),
]


@pytest.mark.parametrize(("given_feature", "code"), REPAIRED, ids=range(len(REPAIRED)))
def test_repairs_are_made_and_said(given_feature, code):
    reading = read(collection(GOOD, given_feature))
    assert reading.repairs == (Problem(2, code),)
    assert code in REPAIRS
    made = reading.features[1]
    assert made.shape.is_valid
    assert made.geometry["type"] == made.shape.geom_type == given_feature["geometry"]["type"]
    for part in shapely.get_parts(made.shape):
        assert part.exterior.is_ccw
        assert not any(hole.is_ccw for hole in part.interiors)
    assert read(again(reading)).repairs == ()


def test_what_is_read():
    data = b"\xef\xbb\xbf" + collection(feature([box(), HOLE], properties={"名": "一", "n": 3}, id=7.0))
    (made,) = read(data).features
    assert (made.number, made.id, made.properties) == (1, 7, {"名": "一", "n": 3})
    assert shapely.geometry.shape(made.geometry) == made.shape
    assert area_m2(made.shape) == pytest.approx(110.9e3 * 95.27e3 * 0.96e-6, rel=1e-3)


def test_one_feature_is_a_collection_of_one():
    assert read(json.dumps(GOOD).encode()).features[0].number == 1


def test_null_properties_are_none():
    assert read(collection({**GOOD, "properties": None})).features[0].properties == {}


def test_where_keeps_the_numbers_of_the_file_and_passes_over_the_rest():
    values = [3, "3", 3.0, True, None, 30, "04"]
    features = [feature([box()], properties={"c": value}) for value in values]
    broken = feature([BOW_TIE], properties={"c": 4})
    data = collection(broken, *features, GOOD)
    assert [made.number for made in read(data, where={"c": "3"}).features] == [2, 3, 4]
    assert [made.number for made in read(data, where={"c": "true"}).features] == [5]
    assert [made.number for made in read(data, where={"c": ""}).features] == [6]
    assert [problem.feature for problem in problems(data, where={"c": "4"})] == [1]
    assert problems(data, where={"c": "3", "d": "1"})[0].code == "nothing_matches"


def test_points_and_lines_are_read_when_asked_for():
    data = collection(
        feature([121.47, 31], "Point"),
        feature([[121.47, 31.23]], "MultiPoint"),
        feature([[121.47, 31.23], [121.47, 31.23], [121.48, 31.23, 9]], "LineString"),
        feature([[[121.47, 31.23], [121.48, 31.23]]], "MultiLineString"),
    )
    reading = read(data, kinds=EVERY_KIND)
    assert [made.shape.geom_type for made in reading.features] == list(EVERY_KIND[:4])
    assert reading.repairs == (Problem(3, "duplicate_points"), Problem(3, "third_coordinate"))
    assert reading.features[0].geometry == {"type": "Point", "coordinates": [121.47, 31.0]}
    assert again(read(again(reading), kinds=EVERY_KIND)) == again(reading)
    assert problems(collection(feature([[1, 2], [1, 2]], "LineString")), kinds=["LineString"])[0].code == "line_short"


def test_an_unknown_kind_is_the_callers_mistake():
    with pytest.raises(ValueError, match="Circle"):
        read(collection(GOOD), kinds=["Circle"])


def test_dump_writes_a_feature_a_line():
    data = dump([("甲", {"b": 1, "a": None}, shapely.Point(121.123456789, -0.0)), (2, {}, None)])
    assert data.decode().splitlines() == [
        '{"type":"FeatureCollection","features":[',
        '{"type":"Feature","id":"甲","geometry":{"type":"Point","coordinates":[121.1234568,0.0]},'
        '"properties":{"b":1,"a":null}},',
        '{"type":"Feature","id":2,"geometry":null,"properties":{}}',
        "]}",
    ]
    assert json.loads(dump([])) == {"type": "FeatureCollection", "features": []}


def test_dump_puts_rings_in_order_and_takes_mappings():
    mapping = {"type": "Polygon", "coordinates": [box(clockwise=True)]}
    assert read(dump([(None, {}, mapping)])).repairs == ()
    assert dump([(None, {}, mapping)]) == dump([(None, {}, shapely.Polygon(box(clockwise=True)))])


def test_dump_keeps_a_slit_from_becoming_a_crossing():
    slit = shapely.Polygon([*box()[:3], *SLIT[::-1], *box()[3:]])
    parts = shapely.MultiPolygon([shapely.Polygon(box()), shapely.Polygon(box(121.47100000001))])
    for shape in (slit, parts):
        assert shape.is_valid
        reading = read(dump([(1, {}, shape)]))
        assert reading.repairs == ()


def test_dump_writes_even_what_read_refuses():
    for shape in (shapely.Polygon(BOW_TIE), shapely.Polygon(), shapely.Polygon(box(size=1e-9)), shapely.MultiPolygon()):
        assert json.loads(dump([(1, {}, shape)]))["features"][0]["geometry"]["type"] == shape.geom_type


@pytest.mark.parametrize(
    ("properties", "geometry"),
    [
        ({"a": float("nan")}, None),
        ({"a": "\ud800"}, None),
        ({}, shapely.GeometryCollection()),
        ({}, shapely.LineString([(1, 2), (1, 2.00000001)])),
    ],
)
def test_dump_refuses_what_is_not_geojson(properties, geometry):
    with pytest.raises(ValueError, match=r"."):
        dump([(1, properties, geometry)])


@with_real_files
@pytest.mark.parametrize(
    ("name", "count", "repairs"),
    [
        ("punggol_blocks", 946, 0),
        ("punggol_communities", 17, 0),
        ("shanghai_buildings", 1321, 1321),
        ("shanghai_communities", 20, 0),
    ],
)
def test_real_files_read(name, count, repairs):
    reading = read((REAL_FILES / f"{name}.geojson").read_bytes(), kinds=EVERY_KIND)
    assert len(reading.features) == count
    assert [problem.code for problem in reading.repairs] == ["ring_order"] * repairs
    assert again(read(again(reading), kinds=EVERY_KIND)) == again(reading)


@with_real_files
def test_one_community_of_a_real_file():
    reading = read((REAL_FILES / "shanghai_buildings.geojson").read_bytes(), where={"community": "3"})
    assert len(reading.features) == 62
    assert {made.properties["community"] for made in reading.features} == {3}


quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
properties = st.dictionaries(texts, plain | st.lists(plain, max_size=3), max_size=4)
identifiers = st.none() | st.integers() | texts


centres = st.tuples(st.floats(74, 135), st.floats(-60, 53))


@st.composite
def stars(draw, centre=centres):
    """A polygon of 4 to 12 corners around a centre, 10 m to 10 km wide, or the like with a smaller self for a hole."""
    corners = draw(st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(0.5, 1)), min_size=4, max_size=12))
    turns = 2 * np.pi * (np.arange(len(corners)) + [shift for shift, _ in corners]) / len(corners)
    ring = np.column_stack((np.cos(turns), np.sin(turns))) * np.array([[radius] for _, radius in corners])
    ring, middle = ring * draw(st.floats(0.0001, 0.05)), draw(centre)
    return shapely.Polygon(ring + middle, [ring * 0.3 + middle] if draw(st.booleans()) else [])


@st.composite
def clusters(draw):
    """A multipolygon of one to three such polygons, far enough apart."""
    count = draw(st.integers(1, 3))
    return shapely.MultiPolygon([draw(stars(centre=st.just((100 + number, 30)))) for number in range(count)])


@quick
@given(st.lists(st.tuples(identifiers, properties, stars() | clusters()), min_size=1, max_size=4))
def test_round_trip_is_exact(features):
    data = dump(features)
    reading = read(data)
    assert reading.repairs == ()
    assert [(made.id, made.properties) for made in reading.features] == [(i, dict(p)) for i, p, _ in features]
    assert again(reading) == data


@quick
@given(stars() | clusters(), st.booleans())
def test_any_valid_polygon_reads_back_with_its_rings_in_order(shape, clockwise):
    wound = shapely.orient_polygons(shape, exterior_cw=clockwise)
    reading = read(collection({"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(wound)}))
    assert {problem.code for problem in reading.repairs} <= {"ring_order"}
    assert bool(reading.repairs) == clockwise
    made = reading.features[0].shape
    assert made.is_valid
    assert shapely.hausdorff_distance(made, shape) < 1e-7
    assert all(part.exterior.is_ccw for part in shapely.get_parts(made))


@quick
@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_else(data):
    with pytest.raises(GeoJSONError):
        read(data)


numbers = st.integers(-200, 200) | st.floats() | st.integers()
coordinates = st.recursive(numbers | plain, lambda inner: st.lists(inner, max_size=6), max_leaves=30)
rings = st.lists(st.lists(st.floats(100, 100.01) | st.floats(30, 30.01), min_size=2, max_size=3), max_size=7)
squares = st.lists(st.tuples(st.integers(100, 103), st.integers(30, 33)).map(list), min_size=3, max_size=8)
geometries = st.fixed_dictionaries(
    {"type": st.sampled_from([*EVERY_KIND, "GeometryCollection"]) | plain},
    optional={
        "coordinates": coordinates
        | st.lists(rings | squares, max_size=3)
        | st.lists(st.lists(squares, max_size=2), max_size=3)
    },
)
hostile = st.fixed_dictionaries(
    {"type": st.just("Feature") | plain, "geometry": geometries | plain},
    optional={"id": plain, "properties": properties | plain, "crs": plain | properties},
)


@settings(quick, max_examples=400)
@given(st.lists(hostile | plain, max_size=3))
def test_any_json_is_read_or_refused_in_known_words(features):
    try:
        reading = read(collection(*features), kinds=EVERY_KIND)
    except GeoJSONError as error:
        assert {problem.code for problem in error.problems} <= REFUSALS
    else:
        assert {problem.code for problem in reading.repairs} <= REPAIRS
        assert all(made.shape.is_valid for made in reading.features)
        assert again(read(again(reading), kinds=EVERY_KIND)) == again(reading)
