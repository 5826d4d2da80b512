"""What holds for every page: no request makes the server fail, nothing personal leaks, no page runs foreign words."""

import io
import logging
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from fieldapp import clock, schema
from fieldapp.app import create_app
from fieldapp.db import make_engine
from fieldapp.demo.operations import make_demo
from tests.conftest import NOW, SAME_SITE, Person
from tests.factories import make_building, make_dwelling, make_household, make_resident, make_visit
from tests.routes import ON_ONE, ROLES, ROUTES, RUBBISH, address, endpoints, jpeg, make_world, settings_form, undone

SIGNED_IN = ("worker", "director", "street", "admin")
MULTIPART = "multipart/form-data; boundary=x"
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def world(session, app, cast):
    return make_world(session, app, cast)


@pytest.fixture
def people(sign_in):
    return {username: sign_in(username) for username in SIGNED_IN}


@pytest.fixture
def reader(people):
    """Somebody who may use a route: the worker where a worker may."""

    def reader(endpoint):
        readers = ROUTES[endpoint].readers
        return next(people[name] for name in SIGNED_IN if readers is None or ROLES[name] in readers)

    return reader


def failures(answers):
    return [f"{said}: {answer.status_code}" for said, answer in answers if answer.status_code >= 500]


# --- no request makes the server fail

NASTY = {
    "empty": "",
    "NUL": "a\x00b",
    "control": "\x01\x1f\x7f\x85\u2028\ufeff\ufffe\uffff",
    "beyond the plane": "👵🏻𠮷𠀋",
    "huge": "长" * 70_000,
    "wildcards": "%_\\%",
    "large": "9" * 400,
    "infinite": "inf",
    "not a number": "nan",
    "other digits": "１２³๓",
    "early": "0001-01-01",
    "late": "9999-12-31",
    "impossible": "2026-02-30",
    "week": "2026-W47-3",
    "early moment": "0001-01-01T00:00+23:59",
    "late moment": "9999-12-31T23:59:59-23:59",
    "odd zone": "2026-11-17T09:00:00+24:00",
    "urn": "urn:uuid:00000000-0000-0000-0000-000000000000",
}

STRICTER = ("NUL", "control", "huge", "large", "early", "late", "early moment")
"""What PostgreSQL looks at more closely than SQLite."""

FIELDS = {
    "visits.create": "visit_id outcome way visited_at companion_id met topics sentence promise promise_due_on "
    "longitude accuracy corrects_id",
    "visits.create_nobody_home": "households",
    "visits.add_photos": "photos",
    "places.change_layout": "deed doors entrance floor room shop",
    "places.save_settings": "quota language topics basemap tiles_key tiles_url tiles_attribution lead-1 group-new-name "
    "group-new-within_days",
    "households.search": "q",
    "accounts.create_session": "username password next",
    "accounts.change_password": "current password repeated",
    "accounts.set_language": "language",
    "accounts.set_browser_language": "language",
    "exchange.import_districts": "since datum",
    "exchange.import_buildings": "where lay_out datum",
    "exchange.import_households": "good_rows",
}
QUERIES = {
    "visits.today": "all",
    "places.building": "day choose",
    "reports.coverage": "day span community",
    "reports.coverage_geojson": "day span community",
    "reports.coverage_xlsx": "day span community",
    "accounts.sign_in": "next",
}


def _plausible(endpoint, world):
    if endpoint == "places.save_settings":
        return settings_form()
    form = ROUTES[endpoint].form(world)
    return {name: value for name, value in form.items() if not isinstance(value, tuple)}


@pytest.mark.parametrize("endpoint", sorted(FIELDS))
def test_no_field_of_a_form_makes_the_server_fail(endpoint, app, connection, world, reader):
    person, where, answers = reader(endpoint), address(app, world, endpoint), []
    kinds = NASTY if connection.dialect.name == "sqlite" else {said: NASTY[said] for said in STRICTER}
    for name in FIELDS[endpoint].split():
        for said, nasty in kinds.items():
            with undone(connection):
                answers.append((f"{name} {said}", person.post(where, _plausible(endpoint, world) | {name: nasty})))
    assert failures(answers) == []
    assert all(answer.status_code in (422, 401, 429) for said, answer in answers if said.endswith("NUL"))


@pytest.mark.parametrize("deed", ["add", "rename", "join", "shop", "flat", "remove"])
def test_no_correction_of_a_building_makes_the_server_fail(deed, app, connection, world, sign_in, cast, session):
    doors = [str(household.dwelling_id) for household in cast.households]
    spare = make_dwelling(session, cast.building, cast.district, "101")
    shop = make_dwelling(session, cast.building, cast.district, "102", kind="shop")
    make_household(session, shop, None)
    session.commit()
    person, where, answers = sign_in("worker"), address(app, world, "places.change_layout"), []
    for chosen in ([], doors, doors[:1], doors[2:], [str(spare.id)], [str(spare.id), str(shop.id)], [str(shop.id)]):
        for room in ("", "101", "601", "9" * 24, "9" * 25, "<b>"):
            with undone(connection):
                form = {"deed": deed, "doors": chosen, "room": room, "shop": room}
                answers.append((f"{chosen} {room}", person.post(where, form)))
    assert failures(answers) == []


def test_a_room_that_another_district_has_in_this_building_is_taken(app, cast, session, sign_in):
    make_dwelling(session, cast.building, cast.second, "801")
    make_dwelling(session, cast.building, cast.district, "802")
    session.commit()
    form = {"deed": "add", "entrance": "1", "floor": "8", "room": "801"}
    answer = sign_in("worker").post(f"/buildings/{cast.building.id}/layout", form)
    assert answer.status_code == 422
    assert "已经有 801 了" in answer.get_data(as_text=True)


def test_joined_doors_do_not_take_a_room_number_that_is_there(app, cast, session, sign_in):
    doors = [make_dwelling(session, cast.building, cast.district, room) for room in ("701", "702")]
    make_dwelling(session, cast.building, cast.district, "701+702", floor=9)
    session.commit()
    form = {"deed": "join", "doors": [str(door.id) for door in doors]}
    assert sign_in("worker").post(f"/buildings/{cast.building.id}/layout", form).status_code == 422


@ON_ONE
@pytest.mark.parametrize("endpoint", sorted(QUERIES))
def test_no_query_makes_the_server_fail(endpoint, app, world, reader, people):
    where, answers = address(app, world, endpoint), []
    for name in QUERIES[endpoint].split():
        for said, nasty in NASTY.items():
            if said != "huge":
                person = people["street"] if name == "community" else reader(endpoint)
                answers.append((f"{name} {said}", person.get(where, query_string={name: nasty})))
    assert failures(answers) == []


@ON_ONE
@pytest.mark.parametrize(
    "query", ["%FF", "day=%FF%FE", "day=%ED%A0%80", "%00=%00", "&&&=", "a=b&a=c&=", "day[]=1", "é", "\xff"]
)
def test_no_bytes_in_a_query_make_the_server_fail(query, app, world, reader):
    answers = []
    for endpoint in endpoints(app, forms=False):
        where = address(app, world, endpoint)
        answers.append((endpoint, reader(endpoint).get(where, environ_overrides={"QUERY_STRING": query})))
    assert failures(answers) == []


KEYS = (
    "0",
    "x",
    "%00",
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "' OR 1=1",
    "%ff",
)


@pytest.mark.parametrize("key", KEYS)
def test_an_unknown_key_is_404_everywhere(key, app, world, people):
    wrong = []
    for rule in app.url_map.iter_rules():
        if rule.arguments and rule.endpoint != "static":
            where = re.sub("<[^>]*>", key, rule.rule)
            for person in people.values():
                answers = [person.get(where)] if "GET" in rule.methods else [person.post(where)]
                wrong += [(where, a.status_code) for a in answers if a.status_code not in (404,)]
    assert wrong == []


BODIES = {
    "JSON": (b'{"outcome": "met", "visit_id": null}', "application/json"),
    "broken JSON": (b"{", "application/json"),
    "XML": (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "application/xml"),
    "nothing": (b"", ""),
    "bytes": (bytes(range(256)) * 8, "application/octet-stream"),
    "no form": (b"outcome=met", "text/plain"),
    "latin": ("sentence=été".encode("latin-1"), URLENCODED),
    "broken escapes": (b"sentence=%E5%BC%&outcome=met&%", URLENCODED),
    "surrogates": (b"sentence=%ED%A0%80%ED%B0%80&outcome=met&q=%ED%A0%80", URLENCODED),
    "gb18030": ("sentence=张桂兰&q=张".encode("gb18030"), URLENCODED + "; charset=gb18030"),
    "unknown charset": (b"sentence=a&q=a", URLENCODED + "; charset=klingon"),
    "no boundary": (b"--x\r\n", "multipart/form-data"),
    "cut": (b'--x\r\nContent-Disposition: form-data; name="sentence"\r\n\r\nabc', MULTIPART),
    "no name": (b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--", MULTIPART),
    "no disposition": (b"--x\r\n\r\nabc\r\n--x--", MULTIPART),
    "bytes in a name": (b'--x\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\n\xff\xfe\r\n--x--', MULTIPART),
    "odd part": (
        b'--x\r\nContent-Disposition: form-data; name="q"\r\n'
        b"Content-Type: text/plain; charset=utf-16\r\n\r\na\r\n--x--",
        MULTIPART,
    ),
    "text as file": (b'--x\r\nContent-Disposition: form-data; name="photos"\r\n\r\nabc\r\n--x--', MULTIPART),
    "file as text": (b'--x\r\nContent-Disposition: form-data; name="q"; filename="a"\r\n\r\nabc\r\n--x--', MULTIPART),
    "NUL in a file name": (
        b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a\x00.jpg"\r\n\r\nabc\r\n--x--',
        MULTIPART,
    ),
    "path as file name": (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../a.csv"\r\n\r\nabc\r\n--x--',
        MULTIPART,
    ),
    "ten thousand fields": ("&".join(f"met={i}&households={i}&f{i}=1" for i in range(10_000)).encode(), URLENCODED),
    "ten thousand parts": (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % i for i in range(10_000))
        + b"--x--",
        MULTIPART,
    ),
    "a large field": (b"sentence=" + b"a" * 3_000_000, URLENCODED),
}


@ON_ONE
@pytest.mark.parametrize("body", sorted(BODIES))
def test_no_body_makes_the_server_fail(body, app, connection, world, reader):
    _send_everywhere(body, app, connection, world, reader)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("body", ["surrogates", "latin", "gb18030", "bytes in a name", "NUL in a file name"])
def test_no_odd_text_makes_postgresql_fail(body, app, connection, world, reader):
    _send_everywhere(body, app, connection, world, reader)


def _send_everywhere(body, app, connection, world, reader):
    data, kind = BODIES[body]
    answers = []
    for endpoint in endpoints(app, forms=True):
        person = reader(endpoint)
        with undone(connection):
            cookie = person.client.get_cookie("session").value
            answer = person.post(address(app, world, endpoint), data=data, content_type=kind)
            person.client.set_cookie("session", cookie)
        answers.append((endpoint, answer))
    assert failures(answers) == []
    if body in ("ten thousand parts", "a large field"):
        assert {answer.status_code for _, answer in answers} == {413}


@ON_ONE
def test_too_large_a_body_is_413_and_says_what_fits(app, world, sign_in):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    person = sign_in("worker")
    answer = person.post(address(app, world, "visits.create"), {"outcome": "met", "sentence": "a" * 2000})
    assert answer.status_code == 413
    assert "一次最多 64 MB" in answer.get_data(as_text=True)


@ON_ONE
def test_who_never_signed_in_sends_no_large_body(app, world, sign_in):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = sign_in(None).post(address(app, world, "visits.create"), {"sentence": "a" * 2000})
    assert answer.status_code == 401


@ON_ONE
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "BREW", "get"])
def test_odd_methods_are_405_on_every_route(method, app, world, people):
    for rule in app.url_map.iter_rules():
        where = address(app, world, rule.endpoint)
        answer = people["worker"].client.open(where, method=method, headers=SAME_SITE)
        assert answer.status_code in ((405,) if method != "get" else (200, 303, 404, 405, 422)), (rule, method)


@ON_ONE
def test_options_says_what_is_allowed_and_head_sends_no_body(app, world, people):
    answer = people["worker"].client.options("/today")
    assert (answer.status_code, set(answer.allow)) == (200, {"GET", "HEAD", "OPTIONS"})
    assert people["worker"].client.head("/today").data == b""


@ON_ONE
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "a b"},
        {"Host": "["},
        {"Host": "localhost:99999999"},
        {"Host": "例子"},
        {"Host": ""},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript"},
        {"Origin": "http://["},
        {"Origin": "\x7f"},
        {"Accept-Language": "x" * 9000},
        {"Accept-Encoding": "br;q=x, gzip;q=-1, *;q=9"},
        {"HX-Request": "true", "HX-Target": "<script>", "HX-Current-URL": "http://["},
        {"HX-Prompt": "%ff", "HX-Prompt-URI-AutoEncoded": "true", "HX-Request": "true"},
        {"Range": "bytes=9-1,0-0"},
        {"If-None-Match": "W/"},
        {"If-Modified-Since": "never"},
        {"Content-Length": "-1"},
        {"Content-Type": "multipart/form-data; boundary="},
        {"Cookie": "session=%00; session=..; =; \x7f"},
    ],
    ids=str,
)
def test_no_header_makes_the_server_fail_or_leads_elsewhere(headers, app, world, reader, people):
    for endpoint in endpoints(app, forms=False):
        answer = reader(endpoint).get(address(app, world, endpoint), headers=headers)
        assert answer.status_code < 500, endpoint
        assert "evil" not in str(answer.headers), endpoint
    answer = people["worker"].post("/sign-out", headers=headers)
    assert answer.status_code < 500


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@ON_ONE
def test_no_mixture_of_fields_makes_the_server_fail(data, app, connection, world, people):
    endpoint = data.draw(st.sampled_from(sorted(FIELDS)), "endpoint")
    word = st.one_of(
        st.sampled_from(sorted(set(NASTY.values()) - {NASTY["huge"]})), st.text(max_size=30), st.uuids().map(str)
    )
    word = word.filter(lambda text: not re.search("[\ud800-\udfff]", text))
    names = st.sampled_from(FIELDS[endpoint].split())
    form = data.draw(st.dictionaries(names, st.lists(word, max_size=3)), "form")
    person = people["worker" if "worker" in (ROUTES[endpoint].readers or {"worker"}) else "director"]
    with undone(connection):
        client = app.test_client()
        client.set_cookie("session", person.client.get_cookie("session").value)
        answer = client.post(address(app, world, endpoint), data=form, headers=SAME_SITE)
    assert answer.status_code < 500


@pytest.mark.parametrize("name", ["photos", "file"])
def test_no_file_makes_the_server_fail(name, app, connection, world, people):
    files = {
        "empty": b"",
        "text": b"hello",
        "cut": jpeg()[:200],
        "zip": b"PK\x03\x04" + b"\x00" * 100,
        "html": b"<script>alert(1)</script>",
        "json": b'{"type": "FeatureCollection", "features": [null]}',
        "deep": b"[" * 100_000,
        "nan": b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": NaN}]}',
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "utf-16": "楼栋,姓名".encode("utf-16"),
    }
    answers = []
    for endpoint in endpoints(app, forms=True):
        if "photos" in ROUTES[endpoint].form(world) or endpoint == "visits.create" or "import" in endpoint:
            for said, content in files.items():
                with undone(connection):
                    form = _plausible(endpoint, world) | {name: (io.BytesIO(content), f"{said}.jpg")}
                    person = people["director" if "import" in endpoint else "worker"]
                    answers.append((f"{endpoint} {said}", person.post(address(app, world, endpoint), form)))
    assert failures(answers) == []


def test_a_database_that_refuses_says_so_without_what_was_written(app, world, sign_in, monkeypatch, caplog):
    def refuse(session, _actor, _household, draft, *_rest, **_more):
        session.execute(text("INSERT INTO nowhere (sentence) VALUES (:sentence)"), {"sentence": draft.sentence})

    monkeypatch.setattr("fieldapp.visits.operations.record_visit", refuse)
    answer = sign_in("worker").post(address(app, world, "visits.create"), {"outcome": "met", "sentence": "一句心里话"})
    assert answer.status_code == 500
    assert "记下的没有丢" in answer.get_data(as_text=True)
    assert "一句心里话" not in answer.get_data(as_text=True) + caplog.text


def test_a_form_that_breaks_a_rule_of_the_database_gets_a_whole_page(app, cast, world, sign_in, monkeypatch):
    def break_a_rule(session, *_rest, **_more):
        session.add(type(cast.community)(code=cast.community.code, name="twice"))
        session.flush()

    monkeypatch.setattr("fieldapp.visits.operations.record_visit", break_a_rule)
    answer = sign_in("worker").post(address(app, world, "visits.create"), {"outcome": "met"})
    assert answer.status_code == 500
    assert "记下的没有丢" in answer.get_data(as_text=True)


# --- error pages, health


@ON_ONE
def test_error_pages_repeat_nothing_of_the_request(sign_in):
    person = sign_in("worker")
    for where in ("/<script>alert(1)</script>", "/households/张桂兰", "/nowhere?name=张桂兰"):
        answer = person.get(where)
        assert answer.status_code == 404
        assert "alert(1)" not in answer.get_data(as_text=True)
        assert "张桂兰" not in unquote(answer.get_data(as_text=True))


@ON_ONE
def test_an_error_is_a_fragment_for_htmx_and_a_page_for_others(sign_in):
    person = sign_in("worker")
    assert "<html" in person.get("/nowhere").get_data(as_text=True)
    assert "<html" not in person.get("/nowhere", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert set(person.client.put("/today", headers=SAME_SITE).allow) == {"GET", "HEAD", "OPTIONS"}


def test_health_is_200_once_the_database_answers(app):
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@ON_ONE
def test_health_is_503_while_the_database_does_not_answer(app, tmp_path):
    lost = create_app(
        {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/no/such.db", "SECRET_KEY": "x"}
    )
    answer = lost.test_client().get("/healthz")
    assert (answer.status_code, answer.json["status"]) == (503, "database does not answer")


@ON_ONE
@pytest.mark.parametrize(
    ("username", "home"),
    [("worker", "/today"), ("director", "/overview"), ("street", "/coverage"), ("admin", "/settings")],
)
def test_everybody_has_a_first_page(username, home, sign_in):
    person = sign_in(username)
    assert person.get("/").location == home
    assert person.get(home).status_code == 200


@ON_ONE
def test_the_language_is_each_readers_own(sign_in, cast, session):
    person = sign_in("worker")
    assert '<html lang="zh-Hans">' in person.get("/me").get_data(as_text=True)
    assert person.post("/me/language", {"language": "en"}).status_code == 303
    assert '<html lang="en">' in person.get("/me").get_data(as_text=True)
    assert '<html lang="zh-Hans">' in sign_in("partner").get("/me").get_data(as_text=True)
    assert person.post("/me/language", {"language": "xx"}).status_code == 422


@ON_ONE
def test_the_sign_in_page_says_demonstration_only_where_there_is_one(sign_in, cast, session):
    assert "fieldapp-demo" not in sign_in(None).get("/sign-in").get_data(as_text=True)
    cast.community.is_demo = True
    session.commit()
    assert "fieldapp-demo" in sign_in(None).get("/sign-in").get_data(as_text=True)


# --- personal data stays where it belongs


def _photo_with_a_place():
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "摄影人丙".encode().decode("latin-1")
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSMapDatum] = "31.5712345"
    return jpeg(exif=exif)


PRIVATE = ("张桂兰", "zhangguilan", "15412349876", "9876", "膝盖还疼", "问助餐卡几号", "31.5712345", "120.3012345")


@ON_ONE
def test_nothing_personal_stands_in_an_address_or_a_log(caplog, app, cast, session, sign_in):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy.orm")
    make_resident(session, cast.households[0], "张桂芳", phone="15412349876")
    session.commit()
    person, addresses = sign_in("worker"), []
    for words in ("张桂兰", "zhangguilan", "9876", "15412349876"):
        for headers in ({}, {"HX-Request": "true"}):
            answer = person.post("/households/search", {"q": words}, headers=headers)
            assert answer.status_code == 200
            addresses += re.findall(r'(?:href|action|src)="([^"]*)"', answer.get_data(as_text=True))
    form = {
        "outcome": "changed",
        "sentence": "膝盖还疼，电话 15412349876",
        "promise": "问助餐卡几号",
        "longitude": "120.3012345",
        "latitude": "31.5712345",
        "urgent": "1",
        "photos": (io.BytesIO(_photo_with_a_place()), "张桂兰家.jpg"),
    }
    answer = person.post(f"/households/{cast.households[0].id}/visits", form)
    assert answer.status_code == 303
    addresses.append(answer.location)
    bad = person.post(
        f"/households/{cast.households[0].id}/visits",
        {"sentence": "膝盖还疼", "photos": (io.BytesIO(b"x"), "张桂兰.jpg")},
    )
    assert bad.status_code == 422
    addresses += [person.get(page).location or "" for page in ("/today", "/matters", "/map", answer.location)]
    logged = "\n".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records)
    found = [(word, where) for word in PRIVATE for where in [*map(unquote, addresses), logged] if word in where]
    phones = [where for where in addresses if where.startswith("tel:")]
    assert [each for each in found if each[1] not in phones] == []


@ON_ONE
def test_a_search_can_only_be_posted(sign_in):
    assert sign_in("worker").get("/households/search?q=张桂兰").status_code in (404, 405)


# --- no page runs foreign words

EVIL = "\"'><script>evil()</script><img src=x onerror=evil()>&lt;"


def _spoil(cast, session):
    """Markup wherever words of people and files come in."""
    cast.community.name = cast.district.name = cast.building.name = EVIL[:60]
    cast.community.basemap = "gcj02"
    cast.community.tiles_url = "https://tiles.example/{z}/{x}/{y}?" + EVIL
    cast.community.tiles_attribution = EVIL
    cast.community.topics = [EVIL]
    cast.district.code = EVIL[:30]
    cast.building.properties = {EVIL: EVIL}
    for user in cast.users.values():
        user.name, user.phone = EVIL[:60], "\"'><script>evil()"
    dwelling = make_dwelling(session, cast.building, cast.district, "701")
    dwelling.room = "\"'><b onclick=evil()>"[:24]
    household = make_household(session, dwelling, EVIL[:60], note=EVIL)
    make_resident(
        session, household, EVIL[:60], phone='"><script>evil()', id_number="\"'><b>evil()<b>", registered_at=EVIL
    )
    shop = make_dwelling(session, cast.building, cast.district, "102", kind="shop", name=EVIL[:60])
    yard = make_building(session, cast.community, EVIL[:50] + "y", kind="courtyard")
    make_household(session, make_dwelling(session, yard, cast.district, "1"), EVIL[:60])
    make_visit(session, household, cast.users["worker"], NOW, sentence=EVIL, topics=[EVIL], is_urgent=True)
    cast.visit.sentence, cast.visit.topics = EVIL, [EVIL]
    cast.follow_up.promise = EVIL
    session.commit()
    return household, shop, yard


class Reading(HTMLParser):
    """Collects what must not stand in a page, and the addresses that lead on."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.faults, self.links, self.script, self.data = [], [], None, []

    def handle_starttag(self, tag, attributes):
        kept = dict(attributes)
        self.faults += [f"<{tag} {name}=…>" for name in kept if name == "style" or re.match("on[a-z]", name)]
        self.faults += [f"<{tag}>" for _ in "x" if tag in ("style", "iframe", "object", "embed", "base")]
        for name in ("href", "src", "action", "hx-post", "hx-get", "formaction", "data-words"):
            value = kept.get(name) or ""
            if re.match(r"\s*(javascript|data|vbscript):", value, re.I) or re.match(r"\s*(https?:)?//", value):
                self.faults.append(f"<{tag} {name}={value}>")
        if tag == "a" and kept.get("href", "").startswith("/"):
            self.links.append(kept["href"])
        if tag == "script":
            self.script = kept
            if "src" not in kept and kept.get("type") != "application/json":
                self.faults.append("<script> inline")
            if kept.get("src") and not kept["src"].startswith("/static/dist/"):
                self.faults.append(f"<script src={kept['src']}>")

    def handle_endtag(self, tag):
        if tag == "script":
            self.script = None

    def handle_data(self, data):
        if self.script is not None:
            self.data.append(data)
            if "<" in data:
                self.faults.append("< inside a script's JSON")


def read_page(answer):
    reading = Reading()
    reading.feed(answer.get_data(as_text=True))
    reading.close()
    return reading


@ON_ONE
def test_no_words_of_people_or_files_become_markup(app, connection, world, cast, session, sign_in):
    household, _shop, yard = _spoil(cast, session)
    faults = []
    for username in SIGNED_IN:
        person = sign_in(username)
        pages = [
            address(app, world, endpoint, **ROUTES[endpoint].query(world)) for endpoint in endpoints(app, forms=False)
        ]
        pages += [f"/households/{household.id}", f"/households/{household.id}/visits/new", f"/buildings/{yard.id}"]
        pages += [f"/buildings/{cast.building.id}?choose=1", f"/buildings/{yard.id}/layout", "/today?all=1"]
        answers = [(page, person.get(page)) for page in pages]
        with undone(connection):
            answers += _posts(app, world, person)
        for page, answer in answers:
            assert answer.status_code < 500, page
            if answer.mimetype == "text/html":
                faults += [f"{username} {page}: {fault}" for fault in read_page(answer).faults]
                assert "<script>evil" not in answer.get_data(as_text=True), page
                assert "<b onclick" not in answer.get_data(as_text=True), page
    assert faults == []


def _posts(app, world, person):
    """Forms whose words come back in the same answer."""
    wanted = (
        "households.search",
        "visits.create",
        "places.save_settings",
        "places.change_layout",
        "accounts.create_session",
    )
    form = dict.fromkeys(RUBBISH, EVIL) | {"topics": [EVIL], "sentence": EVIL * 20, "q": EVIL[:3]}
    return [(endpoint, person.post(address(app, world, endpoint), form)) for endpoint in wanted]


@ON_ONE
def test_a_message_about_a_name_is_text(app, cast, session, sign_in):
    dwelling = make_dwelling(session, cast.building, cast.district, "999")
    dwelling.room = "<b onclick=evil()>"
    session.commit()
    form = {"deed": "add", "entrance": "1", "floor": "9", "room": "<b onclick=evil()>"}
    said = sign_in("worker").post(f"/buildings/{cast.building.id}/layout", form).get_data(as_text=True)
    assert "&lt;b onclick" in said
    assert "<b onclick" not in said


# --- every page of the demonstration


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Flask:
    """The program on a demonstration of its own."""
    folder = tmp_path_factory.mktemp("demo")
    app = create_app(
        {"INSTANCE_PATH": str(folder), "SECRET_KEY": "x", "NOW": NOW, "PROPAGATE_EXCEPTIONS": False}
        | {"DATABASE_URL": f"sqlite:///{folder / 'demo.db'}"}
    )
    schema.upgrade(app.extensions["fieldapp-engine"])
    with app.app_context(), app.extensions["fieldapp-sessions"]() as session:
        make_demo(session, today=clock.today(), now=clock.now())
        session.commit()
    return app


SAMPLE = 4
"""Pages looked at of each kind."""


@pytest.mark.parametrize("username", ["worker1", "worker9", "director", "street", "admin", None])
def test_every_page_of_the_demonstration_keeps_to_the_policy(username, demo):
    person = Person(demo.test_client())
    if username:
        assert person.post("/sign-in", {"username": username, "password": "fieldapp-demo"}).status_code == 303
    seen, faults = _crawl(
        demo, person, {"worker": "/today", "director": "/overview"}.get((username or "").rstrip("19"), "/")
    )
    assert faults == []
    wanted = {"worker1": 8, "director": 8}.get(username, 1)
    assert len(seen) >= wanted, sorted(seen)


def _crawl(app, person, start):
    """Follow links, a few of each kind of page; what is wrong with them."""
    waiting, done, seen, faults = [start, "/sign-in", "/me", "/"], set(), {}, []
    adapter = app.url_map.bind("localhost")
    while waiting:
        where = waiting.pop(0)
        endpoint = adapter.match(where.partition("?")[0])[0]
        kind = (endpoint, "?" in where)
        if where in done or seen.get(kind, 0) >= SAMPLE:
            continue
        done.add(where)
        seen[kind] = seen.get(kind, 0) + 1
        answer = person.get(where)
        if answer.status_code == 303:
            waiting.append(answer.location)
        elif answer.status_code != 200:
            faults.append(f"{where}: {answer.status_code}")
        elif answer.mimetype == "text/html":
            reading = read_page(answer)
            faults += [f"{where}: {fault}" for fault in reading.faults]
            waiting += [link for link in reading.links if not link.startswith("/static/")]
    return {endpoint for endpoint, _ in seen}, faults


def test_no_template_holds_a_style_or_a_handler(app):
    faults = []
    for name in app.jinja_env.list_templates(filter_func=lambda name: name.endswith(".html")):
        source = app.jinja_env.loader.get_source(app.jinja_env, name)[0]
        faults += [f"{name}: {found}" for found in re.findall(r"""\s(?:style|on[a-z]+)=["'{]""", source)]
        faults += [f"{name}: {found}" for found in re.findall(r"\|\s*safe\b|Markup\(|autoescape false", source)]
    assert faults == []


def test_an_error_page_is_shown_though_the_database_is_gone(app, sign_in, tmp_path):
    person = sign_in("worker")
    nowhere = make_engine(f"sqlite:///{tmp_path / 'no folder' / 'x.db'}")
    app.extensions["fieldapp-sessions"] = sessionmaker(nowhere)
    answer = person.get("/today")
    assert answer.status_code == 500
    assert "出错了" in answer.get_data(as_text=True)
    assert person.get("/healthz").status_code == 503
