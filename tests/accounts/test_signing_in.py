"""Signing in, waiting after wrong passwords, the first password, signing out."""

from datetime import timedelta

from tests.conftest import NOW, SAME_SITE
from tests.factories import PASSWORD


def test_a_worker_signs_in_and_lands_on_today(sign_in):
    person = sign_in("worker")
    home = person.get("/")
    assert (home.status_code, home.location) == (303, "/today")
    assert person.get("/today").status_code == 200


def test_a_wrong_password_says_so_and_keeps_the_name(sign_in):
    answer = sign_in(None).post("/sign-in", {"username": "worker", "password": "wrong"})
    assert answer.status_code == 422
    assert "用户名或密码不对" in answer.get_data(as_text=True)
    assert 'value="worker"' in answer.get_data(as_text=True)


def test_after_five_wrong_passwords_the_right_one_waits(app, sign_in):
    person = sign_in(None)
    for _ in range(5):
        person.post("/sign-in", {"username": "worker", "password": "wrong"})
    waits = person.post("/sign-in", {"username": "worker", "password": PASSWORD})
    assert waits.status_code == 429
    assert "秒以后再试" in waits.get_data(as_text=True)
    app.config["NOW"] = NOW + timedelta(seconds=3)
    assert person.post("/sign-in", {"username": "worker", "password": PASSWORD}).status_code == 303


def test_the_first_password_is_changed_first(sign_in, cast, session):
    cast.users["worker"].must_change_password = True
    session.commit()
    person = sign_in("worker")
    assert person.get("/today").location == "/password"
    short = person.post("/password", {"current": PASSWORD, "password": "abc", "repeated": "abc"})
    assert short.status_code == 422
    form = {"current": PASSWORD, "password": "another long one", "repeated": "another long one"}
    assert person.post("/password", form).status_code == 303
    assert person.get("/today").status_code == 200


def test_changing_the_password_ends_other_sessions(sign_in):
    here, there = sign_in("worker"), sign_in("worker")
    form = {"current": PASSWORD, "password": "another long one", "repeated": "another long one"}
    assert here.post("/password", form).status_code == 303
    assert here.get("/today").status_code == 200
    assert there.get("/today").location.startswith("/sign-in")


def test_signing_out_ends_the_session(sign_in):
    person = sign_in("worker")
    assert person.post("/sign-out").status_code == 303
    assert person.get("/today").location == "/sign-in?next=/today"


def test_next_never_leads_to_another_site(sign_in):
    foreign = ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/ok\nSet-Cookie: a")
    for wanted in foreign:
        person = sign_in(None)
        answer = person.post("/sign-in", {"username": "worker", "password": PASSWORD, "next": wanted})
        assert answer.location == "/", wanted
    person = sign_in(None)
    answer = person.post("/sign-in", {"username": "worker", "password": PASSWORD, "next": "/map"})
    assert answer.location == "/map"


def test_a_foreign_site_may_not_post(app, cast):
    form = {"username": "worker", "password": PASSWORD}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ):
        assert app.test_client().post("/sign-in", data=form, headers=headers).status_code == 403, headers
    assert app.test_client().post("/sign-in", data=form, headers=SAME_SITE).status_code == 303
    assert app.test_client().post("/sign-in", data=form, headers={"Origin": "http://localhost"}).status_code == 303


def test_a_wrong_current_password_waits_like_at_the_door(sign_in):
    person = sign_in("worker")
    wrong = {"current": "wrong", "password": "another long one", "repeated": "another long one"}
    for _ in range(5):
        assert "现在的密码不对" in person.post("/password", wrong).get_data(as_text=True)
    waits = person.post("/password", wrong | {"current": PASSWORD})
    assert waits.status_code == 422
    assert "秒以后再试" in waits.get_data(as_text=True)
