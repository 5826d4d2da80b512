"""Computing outside the request: a real process on a database of its own."""

import threading
import time
from datetime import date

import pytest
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.app import create_app
from fieldapp.db import make_engine
from fieldapp.planning import operations, queries
from fieldapp.planning.models import Plan
from fieldapp.planning.rules import PlanRefused
from tests.conftest import NOW, SAME_SITE
from tests.factories import CHEAP, CHEAP_HASH, PASSWORD, make_cast
from tests.planning.town import make_town
from tests.routes import fresh_postgres


@pytest.fixture
def program(tmp_path, monkeypatch):
    """The program as it runs, on a file that other processes open, too."""
    monkeypatch.setattr("fieldapp.accounts.operations._hasher", CHEAP)
    monkeypatch.setattr("fieldapp.accounts.operations._HASH_OF_NOBODY", CHEAP_HASH)
    config = {"INSTANCE_PATH": str(tmp_path / "instance"), "DATABASE_URL": f"sqlite:///{tmp_path / 'town.db'}"}
    app = create_app(config | {"SECRET_KEY": "of the tests"})
    schema.upgrade(app.extensions["fieldapp-engine"])
    with Session(app.extensions["fieldapp-engine"], expire_on_commit=False) as session:
        cast = make_cast(session, NOW)
        make_town(session, cast)
    yield app, cast
    app.extensions["fieldapp-engine"].dispose()


def test_a_process_of_its_own_computes_and_says_how_far_it_is(program):
    app, cast = program
    client = app.test_client()
    client.post("/sign-in", data={"username": "director", "password": PASSWORD}, headers=SAME_SITE)
    assert client.post("/plan/propose", headers=SAME_SITE).status_code == 303
    seen = client.get("/plan/state").get_json()
    assert seen["state"] in ("computing", "draft")
    while seen["state"] == "computing":  # an end that never comes is said after a minute of silence
        time.sleep(0.1)
        seen = client.get("/plan/state").get_json()
    assert (seen["state"], seen["error"]) == ("draft", None)
    assert [d["key"] for d in seen["districts"]] == ["1", "2"]
    with Session(app.extensions["fieldapp-engine"]) as session:
        plan = queries.open_plan(session, cast.actor("director"))
        assert isinstance(plan, Plan)
        assert plan.pid
        assert (plan.progress, plan.since) == (1.0, None)
    assert date.fromisoformat(seen["in_force_on"]).day == 1


def test_two_directors_who_start_at_once_start_one(postgres_url):
    """Both find no plan; the second waits for the first and is told that it is being computed."""
    engine = make_engine(fresh_postgres(postgres_url))
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as first, Session(engine) as second:
        cast = make_cast(first, NOW)
        first.commit()
        actor = cast.actor("director")
        operations.start(first, actor, "propose", None, NOW)
        refused = []

        def start():
            with pytest.raises(PlanRefused) as told:
                operations.start(second, actor, "propose", None, NOW)
            refused.append(told.value.code)

        other = threading.Thread(target=start)
        other.start()
        first.commit()
        other.join()
        assert refused == ["computing"]
    engine.dispose()
