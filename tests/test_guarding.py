"""The wall: every route against everybody, foreign sites, headers and cookies, what the sign-in page gives away."""

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest

from fieldapp.accounts import operations
from fieldapp.accounts.rules import Role
from fieldapp.app import create_app
from tests.conftest import NOW, SAME_SITE
from tests.factories import PASSWORD, make_dwelling, make_household, make_user, make_visit
from tests.routes import (
    EVERYONE,
    ON_ONE,
    ROLES,
    ROUTES,
    RUBBISH,
    RUBBISH_QUERY,
    SECRETS,
    address,
    endpoints,
    make_world,
    text_of,
    undone,
)


@pytest.fixture
def world(session, app, cast):
    return make_world(session, app, cast)


@pytest.fixture
def ask(app, connection, sign_in):
    """Ask as somebody, each time with the cookie of one sign-in, and undo what was written."""
    cookies: dict[str | None, str] = {None: ""}

    def cookie_of(username):
        if username not in cookies:
            cookies[username] = sign_in(username).client.get_cookie("session").value
        return cookies[username]

    def ask(username, method, where, **more):
        kept = cookie_of(username)
        client = app.test_client()
        if kept:
            client.set_cookie("session", kept)
        with undone(connection):
            return client.open(where, method=method, headers=SAME_SITE | more.pop("headers", {}), **more)

    return ask


@ON_ONE
def test_every_route_stands_in_the_table_and_says_its_readers(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ROUTES)
    for endpoint, view in app.view_functions.items():
        if endpoint != "static":
            assert hasattr(view, "readers"), f"{endpoint} says no readers: @roles(…) or @public"
            assert view.readers == ROUTES[endpoint].readers, endpoint


@ON_ONE
def test_a_view_that_says_nothing_is_served_to_nobody(app, sign_in):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert sign_in("director").get("/forgotten").status_code == 404
    assert sign_in("admin").get("/forgotten").status_code == 404
    assert sign_in(None).get("/forgotten").status_code == 303


def _wrong(username, endpoint, answer, expected):
    """What is wrong with an answer: its status, or a name that this person must never read."""
    faults = []
    if answer.status_code not in expected:
        faults.append(f"{username} {endpoint}: {answer.status_code}, not {expected}")
    example = "问助餐卡几号能好"  # of a promise, on every visit form
    said = text_of(answer).replace(example, "") + str(answer.headers)
    faults += [
        f"{username} {endpoint} reads {secret}"
        for secret, who in SECRETS.items()
        if secret in said and username not in who
    ]
    return faults


@pytest.mark.parametrize("username", EVERYONE)
def test_every_page_is_for_those_it_is_for(username, app, ask, world):
    faults = []
    for endpoint in endpoints(app, forms=False):
        route = ROUTES[endpoint]
        where = address(app, world, endpoint, **route.query(world))
        answer = ask(username, "GET", where)
        faults += _wrong(username, endpoint, answer, route.expected(username, (route.ok,)))
        if answer.status_code == 303 and username is None:
            assert answer.location == f"/sign-in?next={where.partition('?')[0]}"
        assert ask(username, "HEAD", where).status_code == answer.status_code, endpoint
    assert faults == []


@pytest.mark.parametrize("username", EVERYONE)
def test_rubbish_in_a_query_opens_nothing(username, app, ask, world):
    faults = []
    for endpoint in endpoints(app, forms=False):
        route = ROUTES[endpoint]
        answer = ask(username, "GET", address(app, world, endpoint, **RUBBISH_QUERY))
        refused = (422,) if username and ROLES[username] in (route.readers or ()) else ()
        faults += _wrong(username, endpoint, answer, route.expected(username, route.rubbish) + refused)
    assert faults == []


@pytest.mark.parametrize("username", EVERYONE)
def test_every_form_is_for_those_it_is_for(username, app, ask, world):
    faults = []
    for endpoint in endpoints(app, forms=True):
        route = ROUTES[endpoint]
        answer = ask(username, "POST", address(app, world, endpoint), data=route.form(world))
        faults += _wrong(username, endpoint, answer, route.expected(username, (route.ok,)))
        answer = ask(username, "POST", address(app, world, endpoint), data=RUBBISH)
        faults += _wrong(username, endpoint, answer, route.expected(username, route.rubbish))
    assert faults == []


@pytest.mark.parametrize("username", [None, "other", "stranger", "neighbour", "street", "admin"])
def test_a_refused_form_has_written_nothing(username, app, connection, sign_in, world, session):
    person = sign_in(username)
    before = _everything(connection)
    for endpoint in endpoints(app, forms=True):
        route = ROUTES[endpoint]
        expected = route.expected(username, (route.ok,))
        if expected in ((404,), (401,)):
            assert person.post(address(app, world, endpoint), route.form(world)).status_code in expected
    assert _everything(connection) == before


def _everything(connection):
    tables = (
        "visit",
        "photo",
        "follow_up",
        "dwelling",
        "household",
        "community",
        "assignment",
        "audit_entry",
        "building",
        "held_item",
        "resident",
        "fact_change",
        "fact_proposal",
        "resident_merge",
        "not_same",
        "receipt",
        "spot_check",
        "spot_answer",
        "spot_contest",
        "spot_door",
        "plan",
        "plan_step",
        "district",
        "placement",
    )
    return {table: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {table}"))) for table in tables}


@ON_ONE
def test_a_part_of_a_page_tells_an_anonymous_reader_401_and_where_to_sign_in(app, ask, world):
    for endpoint in endpoints(app, forms=False):
        if ROUTES[endpoint].readers is not None:
            answer = ask(None, "GET", address(app, world, endpoint), headers={"HX-Request": "true"})
            assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in"), endpoint


def test_who_answers_for_a_district_no_more_sees_nothing_of_it(cast, session, sign_in, app):
    person = sign_in("worker")
    where = f"/households/{cast.households[0].id}"
    assert person.get(where).status_code == 200
    session.connection().exec_driver_sql("UPDATE assignment SET until = '2026-11-18'")
    session.commit()
    assert person.get(where).status_code == 404


def test_a_closed_account_is_out_at_once(cast, session, sign_in):
    person = sign_in("worker")
    cast.users["worker"].active = False
    session.commit()
    assert person.get("/today").location == "/sign-in?next=/today"
    refused = sign_in(None).post("/sign-in", {"username": "worker", "password": PASSWORD})
    wrong = sign_in(None).post("/sign-in", {"username": "worker", "password": "wrong"})
    assert (refused.status_code, refused.data) == (wrong.status_code, wrong.data)


def test_a_street_office_sees_only_communities_of_its_street(cast, session, sign_in):
    make_user(session, "street2", Role.STREET, street_code="s2")
    make_user(session, "street0", Role.STREET, street_code=None)
    session.commit()
    for username in ("street2", "street0"):
        person = sign_in(username)
        assert cast.community.name not in person.get("/coverage").get_data(as_text=True)
        for page in ("/coverage", "/coverage.xlsx", "/coverage.geojson"):
            assert person.get(f"{page}?community={cast.community.id}").status_code == 404, (username, page)


def test_a_street_office_without_a_street_sees_no_community_without_one(cast, session, sign_in):
    cast.community.street_code = None
    make_user(session, "street0", Role.STREET, street_code=None)
    session.commit()
    person = sign_in("street0")
    assert cast.community.name not in person.get("/coverage").get_data(as_text=True)
    assert person.get(f"/coverage?community={cast.community.id}").status_code == 404


def test_a_correction_of_a_visit_at_another_door_is_not_taken(cast, sign_in, world):
    person = sign_in("worker")
    elsewhere = f"/households/{cast.households[2].id}/visits"
    answer = person.post(elsewhere, {"outcome": "met", "corrects_id": str(cast.visit.id)})
    assert answer.status_code == 404
    here = f"/households/{cast.households[0].id}/visits"
    assert "已更正" not in person.get(here).get_data(as_text=True)


def test_a_correction_of_a_visit_beyond_the_wall_is_not_taken(cast, session, sign_in):
    far = make_visit(session, cast.far_household, cast.users["neighbour"], NOW - timedelta(days=1))
    session.commit()
    form = {"outcome": "met", "corrects_id": str(far.id)}
    assert sign_in("worker").post(f"/households/{cast.households[0].id}/visits", form).status_code == 404


def test_a_form_names_only_people_who_are_there(cast, session, sign_in, connection):
    form = {
        "outcome": "met",
        "visit_id": "0198a000-0000-7000-8000-000000000001",
        "met": str(_resident_of(session, cast.far_household)),
    }
    where = f"/households/{cast.households[0].id}/visits"
    assert sign_in("worker").post(where, form).status_code == 303
    assert connection.exec_driver_sql("SELECT count(*) FROM visit_resident").scalar() == 0
    refused = sign_in("worker").post(where, {"outcome": "met", "companion_id": str(cast.users["neighbour"].id)})
    assert refused.status_code == 422


def _resident_of(session, household):
    table = household.metadata.tables["resident"]
    return session.execute(table.select().where(table.c.household_id == household.id)).first().id


# --- foreign sites


@ON_ONE
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 303),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://visits.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://visits.example"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Origin": "https://visits.example"}, 303),
        ({"Origin": "https://VISITS.example"}, 403),
        ({"Origin": "http://visits.example"}, 403),
        ({"Origin": "https://visits.example:8443"}, 403),
        ({"Origin": "https://visits.example.evil.example"}, 403),
        ({"Origin": "https://visits.example@evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "//visits.example"}, 403),
        ({"Referer": "https://visits.example/today"}, 403),
        ({}, 403),
    ],
)
def test_behind_a_proxy_only_the_public_origin_may_write(headers, status, app, cast):
    app.config["PUBLIC_ORIGIN"] = "https://visits.example"
    form = {"username": "worker", "password": PASSWORD}
    assert app.test_client().post("/sign-in", data=form, headers=headers).status_code == status


@ON_ONE
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_foreign_site_writes_by_no_method(method, app, world):
    for endpoint in endpoints(app, forms=True):
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert app.test_client().open(address(app, world, endpoint), method=method, headers=headers).status_code == 403


def test_a_public_origin_over_https_makes_the_cookie_secure(tmp_path, monkeypatch):
    base = {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": "sqlite://", "SECRET_KEY": "x"}
    assert create_app(base | {"PUBLIC_ORIGIN": "https://visits.example"}).config["SESSION_COOKIE_SECURE"]
    assert not create_app(base).config["SESSION_COOKIE_SECURE"]
    monkeypatch.setenv("PUBLIC_ORIGIN", "https://visits.example")
    assert create_app(base).config["SESSION_COOKIE_SECURE"]


# --- headers and cookies

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self' data: blob:",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy_of(answer):
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: rest for name, _, rest in parts}


@ON_ONE
@pytest.mark.parametrize("username", ["worker", "director", "street", "admin", None])
def test_every_answer_is_hardened(username, app, ask, world):
    for forms in (False, True):
        for endpoint in endpoints(app, forms=forms):
            route = ROUTES[endpoint]
            method = "POST" if forms else "GET"
            answer = ask(username, method, address(app, world, endpoint, **route.query(world)), data=route.form(world))
            headers = answer.headers
            assert policy_of(answer) == POLICY, endpoint
            assert headers["X-Content-Type-Options"] == "nosniff", endpoint
            assert headers["Referrer-Policy"] == "same-origin", endpoint
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", endpoint
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin", endpoint
            assert "geolocation=(self)" in headers["Permissions-Policy"], endpoint
            if endpoint != "static":
                assert headers["Cache-Control"] == "private, no-store", endpoint


@ON_ONE
def test_error_pages_are_hardened_too(sign_in, world):
    person = sign_in("worker")
    for answer in (
        person.get("/nowhere"),
        person.client.post("/today"),
        person.client.put("/today", headers=SAME_SITE),
    ):
        assert answer.status_code in (403, 404, 405)
        assert policy_of(answer) == POLICY
        assert answer.headers["Cache-Control"] == "private, no-store"


@ON_ONE
def test_https_is_told_to_last(app, sign_in):
    assert "Strict-Transport-Security" not in sign_in(None).get("/sign-in").headers
    app.config["SESSION_COOKIE_SECURE"] = True
    assert sign_in(None).get("/sign-in").headers["Strict-Transport-Security"] == "max-age=31536000"


@ON_ONE
def test_the_session_cookie_is_for_this_site_and_no_script(app, cast):
    answer = app.test_client().post("/sign-in", data={"username": "worker", "password": PASSWORD}, headers=SAME_SITE)
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert cookie.key == "session"
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert (cookie["domain"], cookie["path"]) == ("", "/")
    assert cookie["expires"], "closing the browser must not sign out: what the phone queued would get 401"


@ON_ONE
def test_a_session_from_before_signing_in_does_not_survive_it(app, cast):
    client = app.test_client()
    with client.session_transaction() as planted:
        planted["planted"] = "by somebody else"
        planted["_user_id"] = f"{cast.users['stranger'].id}.wrong"
    client.post("/sign-in", data={"username": "worker", "password": PASSWORD}, headers=SAME_SITE)
    with client.session_transaction() as kept:
        assert "planted" not in kept
        assert kept["_user_id"].startswith(str(cast.users["worker"].id))


def test_the_language_chosen_before_signing_in_outlives_it(app, cast):
    client = app.test_client()
    client.post("/language", data={"language": "en"}, headers=SAME_SITE)
    client.post("/sign-in", data={"username": "worker", "password": PASSWORD}, headers=SAME_SITE)
    assert '<html lang="en">' in client.get("/today").get_data(as_text=True)


@ON_ONE
@pytest.mark.parametrize(
    "cookie",
    ["", "x", "eyJfdXNlcl9pZCI6ICJ4In0.aaaa.bbbb", "....", "%00", "é", "a" * 6000, '{"_user_id": "1"}', "\x01"],
)
def test_a_tampered_session_is_no_session(cookie, app, cast):
    answer = app.test_client(use_cookies=False).get("/today", headers={"Cookie": f"session={cookie}"})
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/today")


@ON_ONE
@pytest.mark.parametrize("key", ["", ".", "x.y", "1", f"{'0' * 32}.stamp", None])
def test_a_signed_session_of_nobody_is_no_session(key, app, cast):
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = key
    assert client.get("/today").location == "/sign-in?next=/today"


# --- map tiles in the policy


TILES = "https://{s}.tiles.example/{z}/{x}/{y}.png"


@ON_ONE
def test_the_tile_origin_is_allowed_on_map_pages_alone(app, cast, session, ask, world):
    cast.community.basemap, cast.community.tiles_url = "wgs84", TILES
    session.commit()
    with_tiles = []
    for username in ("worker", "director", "street"):
        for endpoint in endpoints(app, forms=False):
            route = ROUTES[endpoint]
            sources = policy_of(ask(username, "GET", address(app, world, endpoint, **route.query(world))))["img-src"]
            if sources != POLICY["img-src"]:
                assert sources == POLICY["img-src"] + " https://*.tiles.example", endpoint
                with_tiles.append((username, endpoint))
    coverage = [(who, "reports.coverage") for who in ("director", "street")]
    assert sorted(with_tiles) == sorted(
        [("worker", "places.map_page"), ("worker", "sync.pack"), *coverage, ("director", "planning.plan")]
    )


@ON_ONE
@pytest.mark.parametrize(
    "template",
    [
        "https://tiles.example; script-src 'unsafe-inline'/{z}/{x}/{y}",
        "https://tiles.example 'unsafe-inline'/{z}/{x}/{y}",
        "https://*/{z}/{x}/{y}",
        "https://a,b/{z}/{x}/{y}",
        "https:///{z}/{x}/{y}",
        "https://[/{z}/{x}/{y}",
        "javascript://x/{z}/{x}/{y}",
        "data:{z}{x}{y}",
        "*{z}{x}{y}",
        "https://例子/{z}/{x}/{y}",
        "https://user@tiles.example/{z}/{x}/{y}",
        "https://{s}.example/{z}/{x}/{y}",
    ],
)
def test_no_tile_address_gets_anything_else_into_the_policy(template, cast, session, sign_in):
    cast.community.basemap, cast.community.tiles_url = "gcj02", template
    session.commit()
    answer = sign_in("worker").get("/map")
    assert answer.status_code == 200
    assert policy_of(answer) == POLICY


# --- what the sign-in page gives away


def test_a_name_that_exists_and_one_that_does_not_are_answered_alike(sign_in):
    known, unknown = sign_in(None), sign_in(None)
    for _ in range(8):
        answers = [
            person.post("/sign-in", {"username": name, "password": "wrong"})
            for person, name in ((known, "worker"), (unknown, "nobody"))
        ]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].get_data(as_text=True).replace("worker", "nobody") == answers[1].get_data(as_text=True)


def test_a_password_is_hashed_for_unknown_names_too(sign_in, monkeypatch):
    looked = []
    monkeypatch.setattr("fieldapp.accounts.operations._matches", lambda hashed, _password: looked.append(hashed))
    for name in ("worker", "nobody"):
        sign_in(None).post("/sign-in", {"username": name, "password": "wrong"})
    assert len(looked) == 2


@ON_ONE
@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "/\r\nX: y",
        "http:evil.example",
        "evil.example",
        "",
        "javascript:alert(1)",
        "/\u2028/evil",
        "/\x00",
        "///evil.example",
    ],
)
def test_signing_in_leads_to_no_other_site(wanted, sign_in):
    answer = sign_in(None).post("/sign-in", {"username": "worker", "password": PASSWORD, "next": wanted})
    assert (answer.status_code, answer.location) in [(303, "/"), (422, None)]
    signed_in = sign_in("worker").get("/sign-in", query_string={"next": wanted})
    assert (signed_in.status_code, signed_in.location) in [(303, "/"), (422, None)]


@ON_ONE
def test_where_to_go_after_signing_in_is_kept_over_a_wrong_password(sign_in):
    wrong = sign_in(None).post("/sign-in", {"username": "worker", "password": "wrong", "next": "/map"})
    assert '<input type="hidden" name="next" value="/map">' in wrong.get_data(as_text=True)


def test_a_household_of_nobodys_district_is_the_directors_alone(cast, session, sign_in):
    orphan = make_household(session, make_dwelling(session, cast.building, None, "901"), "孤门")
    session.commit()
    assert sign_in("worker").get(f"/households/{orphan.id}").status_code == 404
    assert sign_in("director").get(f"/households/{orphan.id}").status_code == 200


def test_an_unknown_name_costs_what_a_known_one_does():
    costs = [hashed.split("$")[1:4] for hashed in (operations._HASH_OF_NOBODY, operations._hasher.hash("x"))]
    assert costs[0] == costs[1] == ["argon2id", "v=19", "m=65536,t=3,p=4"]
