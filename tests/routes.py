"""Every route of the program, who may read it, and what a plausible and a rubbish request to it look like.

A new route is entered in `ROUTES` or `test_guarding` fails.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import Connection, make_url, text
from sqlalchemy.orm import Session

from fieldapp.accounts.rules import Role
from fieldapp.db import make_engine, uuid7
from fieldapp.exchange.resident_columns import guess
from fieldapp.exchange.resident_drafts import Draft, Drafts
from fieldapp.households.history import change_key
from fieldapp.households.models import FactChange, FactProposal, LifeEvent
from fieldapp.households.queries import residents_of
from fieldapp.premises.models import PremiseCheck, PremiseFinding
from fieldapp.sync.models import HeldItem
from fieldapp.visits import merging
from fieldapp.visits.models import Photo
from fieldapp.visits.photos import PhotoStore, clean
from tests.conftest import NOW
from tests.factories import PASSWORD, Cast, make_dwelling, make_resident, make_visit
from tests.planning.drafts import PLAN_VERSION, make_plan
from tests.spotchecks.drawn import make_spot_check

ROLES = {
    "worker": Role.WORKER,
    "partner": Role.WORKER,
    "other": Role.WORKER,
    "neighbour": Role.WORKER,
    "director": Role.DIRECTOR,
    "stranger": Role.DIRECTOR,
    "street": Role.STREET,
    "admin": Role.ADMIN,
}
EVERYONE = (None, *ROLES)

ON_ONE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""For tests of what no database has a say in."""

WORKER = frozenset({Role.WORKER})
DIRECTOR = frozenset({Role.DIRECTOR})
BOTH = WORKER | DIRECTOR
SIGNED_IN = frozenset(Role)

SCOPES = {
    "": frozenset(ROLES),
    "district": frozenset({"worker", "partner", "director"}),
    "own": frozenset({"worker"}),
    "answerer": frozenset({"worker", "director"}),
    "spotcheck": frozenset({"worker", "director", "street"}),
}
"""Who of the cast may see a thing of the first district; `own` is the worker's own visit."""

SECRETS = {
    "张桂兰": SCOPES["district"],
    "王秀英": SCOPES["district"],
    "腿脚还行": SCOPES["district"],
    "问助餐卡": SCOPES["district"],
    "楼道里有烟": SCOPES["district"],
    "周邻": frozenset({"other", "director"}),
    "李远方": frozenset({"neighbour", "stranger"}),
    "院门坏了": frozenset({"director"}),
    "无锡旧街": SCOPES["district"],
}
"""Residents' names and what was said, with those who may ever read them."""


@dataclass
class World:
    """The cast's community with something behind every kind of address."""

    cast: Cast
    photo: UUID
    urgent: UUID
    held: UUID
    proposal: UUID
    resident: UUID
    more: dict[str, UUID] = field(default_factory=dict)
    """Keys by their name in an address, for what later slices add to the world."""

    @property
    def keys(self) -> dict[str, UUID]:
        """A key in the first district for every name in an address."""
        assert self.cast.visit and self.cast.follow_up
        return {
            "household_id": self.cast.households[0].id,
            "building_id": self.cast.building.id,
            "visit_id": self.cast.visit.id,
            "photo_id": self.photo,
            "follow_up_id": self.cast.follow_up.id,
            "item_id": self.held,
            "proposal_id": self.proposal,
            "resident_id": self.resident,
            **self.more,
        }


@dataclass(frozen=True)
class Route:
    """A route: roles that may call it (None: anybody), the scope of what it shows, and its answers."""

    readers: frozenset[Role] | None
    scope: str = ""
    ok: int = 200
    anonymous: int | None = None
    rubbish: tuple[int, ...] = ()
    form: Callable[[World], dict[str, Any]] = field(default=lambda _world: {})
    query: Callable[[World], dict[str, Any]] = field(default=lambda _world: {})
    values: dict[str, str] = field(default_factory=dict)
    is_form: bool = False

    def expected(self, username: str | None, ok: tuple[int, ...]) -> tuple[int, ...]:
        """The statuses that are right for somebody of the cast."""
        if self.readers is None:
            return (self.anonymous,) if username is None and self.anonymous else ok
        if username is None:
            return (401,) if self.is_form else (303,)
        return ok if ROLES[username] in self.readers and username in SCOPES[self.scope] else (404,)


def page(readers: frozenset[Role] | None, scope: str = "", **more: Any) -> Route:
    """A page to read. Rubbish in its query is ignored, or said to be so."""
    return Route(readers, scope, **({"rubbish": (200, 422, 404)} | more))


def form(readers: frozenset[Role] | None, scope: str = "", **more: Any) -> Route:
    """A form to send."""
    return Route(readers, scope, is_form=True, **({"ok": 303, "rubbish": (422,)} | more))


def jpeg(width: int = 64, height: int = 48, colour: str = "teal", **options: Any) -> bytes:
    """A real photo."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "JPEG", **options)
    return file.getvalue()


def _geojson(code: str, west: float, **properties: Any) -> tuple[io.BytesIO, str]:
    ring = [[west, 31.57], [west + 0.002, 31.57], [west + 0.002, 31.572], [west, 31.572], [west, 31.57]]
    feature = {
        "type": "Feature",
        "properties": {"code": code} | properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return io.BytesIO(json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()), "places.geojson"


def settings_form() -> dict[str, Any]:
    """A settings form that is all right."""
    return {
        "quota": "25",
        "district_size": "200",
        "district_tolerance": "25",
        "routine_days": "90",
        "quiet_days": "7",
        "language": "zh_Hans",
        "topics": "助餐、看病",
    }


def _sheet() -> tuple[io.BytesIO, str]:
    return io.BytesIO("楼栋,单元,室号,姓名,与户主关系\n没有的楼,1,601,张桂兰,户主\n".encode()), "households.csv"


def _password() -> dict[str, str]:
    return {"current": PASSWORD, "password": "another long one", "repeated": "another long one"}


def draw_form(world: World) -> dict[str, Any]:
    """A draw for this month of everybody there is, as a director or a street office asks for it."""
    return {"month": f"{NOW:%Y-%m}", "seed": "7", "community": str(world.cast.community.id), "again": "1"}


def plan_form(_world: World, **fields: str) -> dict[str, str]:
    """A change of the draft as the world has it."""
    return {"version": str(PLAN_VERSION)} | fields


def _of_street(world: World) -> dict[str, Any]:
    return {"community": world.cast.community.id}


COVERAGE: dict[str, Any] = {"query": _of_street}
DIRECTOR_STREET = DIRECTOR | {Role.STREET}

ROUTES: dict[str, Route] = {
    "static": page(None, values={"filename": "js/app.js"}),
    "pages.healthz": page(None),
    "pages.manifest": page(None),
    "pages.install": page(None),
    "pages.offline": page(None),
    "pages.home": page(SIGNED_IN, ok=303, rubbish=(303,)),
    "accounts.sign_in": page(None, ok=303, anonymous=200, rubbish=(303,)),
    "accounts.create_session": form(None, form=lambda _w: {"username": "worker", "password": PASSWORD}),
    "accounts.sign_out": form(SIGNED_IN, rubbish=(303,)),
    "accounts.me": page(SIGNED_IN),
    "accounts.set_language": form(SIGNED_IN, form=lambda _w: {"language": "en"}),
    "accounts.set_browser_language": form(None, form=lambda _w: {"language": "en"}),
    "accounts.password": page(SIGNED_IN),
    "accounts.change_password": form(SIGNED_IN, form=lambda _w: _password()),
    "visits.today": page(WORKER),
    "visits.new": page(WORKER, "district"),
    "visits.index": page(BOTH, "district"),
    "visits.create": form(WORKER, "district", form=lambda _w: {"outcome": "met", "visit_id": str(uuid7())}),
    "visits.correction": page(WORKER, "district"),
    "visits.saved": page(WORKER, "district"),
    "visits.add_photos": form(WORKER, "own", form=lambda _w: {"photos": (io.BytesIO(jpeg()), "a.jpg")}, rubbish=(303,)),
    "visits.photo": page(BOTH, "district"),
    "visits.thumbnail": page(BOTH, "district"),
    "visits.create_nobody_home": form(
        WORKER,
        "district",
        form=lambda world: {"households": [str(h.id) for h in world.cast.households[1:3]]},
        rubbish=(303,),
    ),
    "visits.tick": form(BOTH, "district", rubbish=(303,)),
    "visits.untick": form(BOTH, "district", rubbish=(303,)),
    "visits.take_on": form(DIRECTOR, "district", rubbish=(303,)),
    "matters.index": page(BOTH),
    "sync.service_worker": page(None),
    "sync.outbox": page(BOTH),
    "sync.saved": page(WORKER),
    "sync.pack": page(WORKER),
    "sync.doors": page(WORKER),
    "households.show": page(BOTH, "district"),
    "facts.change_resident": form(BOTH, "district", form=lambda _w: {"field": "phone", "value": "154 0000 1234"}),
    "facts.change_household": form(BOTH, "district", form=lambda _w: {"field": "note", "value": "院里有狗"}),
    "facts.decide": form(BOTH, "district", form=lambda _w: {"choice": "theirs"}),
    "facts.history": page(BOTH, "district"),
    "events.blank": page(WORKER),
    "events.new": page(BOTH, "district"),
    "events.create": form(
        BOTH, "district", form=lambda _w: {"kind": "born", "name-1": "张小宝", "happened_on": "2026-11-17"}
    ),
    "events.undo": form(BOTH, "district", rubbish=(303,)),
    "events.undo_change": form(BOTH, "district", rubbish=(303,)),
    "households.search": form(BOTH, ok=200, form=lambda _w: {"q": "张"}, rubbish=(200,)),
    "places.map_page": page(WORKER),
    "places.building": page(BOTH, "district"),
    "places.layout": page(BOTH, "district"),
    "places.change_layout": form(
        BOTH, "district", form=lambda _w: {"deed": "add", "entrance": "1", "floor": "4", "room": "401"}
    ),
    "places.settings": page(frozenset({Role.DIRECTOR, Role.ADMIN})),
    "places.save_settings": form(DIRECTOR, form=lambda _w: settings_form()),
    "planning.plan": page(DIRECTOR),
    "planning.state": page(DIRECTOR),
    "planning.moves": page(DIRECTOR, "district"),
    "planning.propose": form(DIRECTOR, rubbish=(303,)),
    "planning.rebalance": form(DIRECTOR, rubbish=(303,)),
    "planning.edit": form(DIRECTOR, "district", form=lambda w: plan_form(w, kind="lock", district="1", locked="1")),
    "planning.undo": form(DIRECTOR, "district", form=lambda w: plan_form(w)),
    "planning.redo": form(DIRECTOR, "district", form=lambda w: plan_form(w)),
    "planning.publish": form(DIRECTOR, "district", form=lambda w: plan_form(w, since="2026-12-01")),
    "planning.withdraw": form(DIRECTOR, "district", form=lambda w: plan_form(w), ok=422),
    "planning.drop": form(DIRECTOR, "district", form=lambda w: plan_form(w)),
    "planning.entrances": page(DIRECTOR, "district"),
    "planning.deal_entrances": form(DIRECTOR, "district", form=lambda _w: {"entrances": "2"}),
    "premises.index": page(BOTH),
    "premises.show": page(BOTH, "district"),
    "premises.change": form(BOTH, "district", form=lambda _w: {"trade": "超市", "people": "2"}),
    "premises.check": form(BOTH, "district", form=lambda _w: {"fine": "1"}),
    "premises.put_right": form(BOTH, "district", rubbish=(303,)),
    "privacy.record": page(BOTH, "district"),
    "privacy.unmask": form(BOTH, "district", ok=200, form=lambda _w: {"why": "errand"}),
    "privacy.copy": form(DIRECTOR, "district", ok=200, form=lambda _w: {"why": "asked"}),
    "privacy.erase": form(DIRECTOR, "district", ok=422, rubbish=(422,)),
    "privacy.due": page(DIRECTOR),
    "privacy.erase_due": form(DIRECTOR, form=lambda _w: {"sure": "1"}, rubbish=(303, 422)),
    "spotchecks.index": page(BOTH | {Role.STREET}, query=_of_street),
    "spotchecks.draw": form(DIRECTOR_STREET, form=lambda w: draw_form(w), rubbish=(422, 404)),
    "spotchecks.show": page(BOTH, "answerer"),
    "spotchecks.table": page(DIRECTOR, "answerer"),
    "spotchecks.alone": page(WORKER, "answerer"),
    "spotchecks.doors": page(DIRECTOR, "answerer"),
    "spotchecks.result": page(BOTH | {Role.STREET}, "spotcheck", query=_of_street),
    "spotchecks.exercise": page(WORKER, "answerer"),
    "spotchecks.notice": page(DIRECTOR, "answerer"),
    "spotchecks.signs": page(DIRECTOR),
    "spotchecks.set_notice": form(DIRECTOR, form=lambda _w: {"notice": "1"}),
    "spotchecks.answer": form(BOTH, "answerer", form=lambda _w: {"verdict": "right", "choice": "0"}),
    "spotchecks.contest": form(WORKER, "answerer", form=lambda _w: {"word": "他家上周才添的"}, rubbish=(303,)),
    "spotchecks.decide": form(DIRECTOR, "answerer", form=lambda _w: {"verdict": "half"}),
    "spotchecks.door": form(DIRECTOR, "answerer", form=lambda _w: {"has_agreed": "1", "is_true": "0"}),
    "spotchecks.close": form(DIRECTOR, "answerer", form=lambda _w: {"sure": "1"}),
    "sync.key": page(SIGNED_IN),
    "sync.known": form(SIGNED_IN, ok=200, form=lambda _w: {"ids": [str(uuid7()), str(uuid7())]}),
    "sync.left": form(None, ok=401, rubbish=(401,)),
    "sync.accept": form(DIRECTOR, "district", rubbish=(303,)),
    "sync.decline": form(DIRECTOR, "district", rubbish=(303,)),
    "reports.overview": page(DIRECTOR),
    "reports.urgent": page(DIRECTOR),
    "sheets.index": page(BOTH | {Role.STREET}),
    "sheets.show": page(BOTH | {Role.STREET}, values={"kind": "structure"}, query=_of_street),
    "sheets.people": page(BOTH, values={"kind": "structure", "group": "people"}),
    "sheets.xlsx": page(BOTH | {Role.STREET}, values={"kind": "structure"}, query=_of_street),
    "duplicates.index": page(DIRECTOR),
    "duplicates.show": page(DIRECTOR, "district"),
    "duplicates.merge": form(DIRECTOR, "district", form=lambda _w: {"keep": "one"}),
    "duplicates.two_people": form(DIRECTOR, "district", rubbish=(303,)),
    "duplicates.undo": form(DIRECTOR, "district", rubbish=(303,)),
    "reports.coverage": page(DIRECTOR_STREET, **COVERAGE),
    "reports.coverage_geojson": page(DIRECTOR_STREET, **COVERAGE),
    "reports.coverage_xlsx": page(DIRECTOR_STREET, **COVERAGE),
    "exchange.index": page(DIRECTOR),
    "exchange.import_districts": form(DIRECTOR, form=lambda _w: {"file": _geojson("7", 120.31)}),
    "exchange.import_buildings": form(
        DIRECTOR, form=lambda _w: {"file": _geojson("77", 120.311, households=8, levels=4), "lay_out": "1"}
    ),
    "exchange.import_households": form(DIRECTOR, form=lambda _w: {"file": _sheet()}, ok=422),
    "exchange.export_districts": page(DIRECTOR),
    "exchange.export_buildings": page(DIRECTOR),
    "exchange.export_households": page(DIRECTOR, values={"form": "csv"}),
    "exchange.template": page(DIRECTOR),
    "residents.create": form(DIRECTOR, form=lambda _w: {"file": _sheet()}),
    "residents.headings": page(DIRECTOR, "district"),
    "residents.save_headings": form(
        DIRECTOR, "district", form=lambda _w: {"place-0": "building", "place-2": "room", "place-3": "name"}
    ),
    "residents.difference": page(DIRECTOR, "district"),
    "residents.apply": form(DIRECTOR, "district", form=lambda _w: {"seen": "of yesterday"}, ok=422),
    "residents.export": form(DIRECTOR, ok=200, rubbish=(200,)),
    "residents.export_visits": form(DIRECTOR, ok=200, form=lambda _w: {"since": "2026-11-01", "until": "2026-11-30"}),
}

RUBBISH_WORDS = "胡写 '\"><script>alert(1)</script> %00 ../../etc/passwd"
RUBBISH: dict[str, Any] = dict.fromkeys(
    (
        "username",
        "password",
        "current",
        "repeated",
        "language",
        "next",
        "q",
        "outcome",
        "way",
        "visited_at",
        "visit_id",
        "companion_id",
        "met",
        "topics",
        "promise",
        "promise_due_on",
        "longitude",
        "latitude",
        "accuracy",
        "households",
        "doors",
        "deed",
        "entrance",
        "floor",
        "room",
        "shop",
        "quota",
        "district_size",
        "district_tolerance",
        "routine_days",
        "quiet_days",
        "basemap",
        "tiles_key",
        "tiles_url",
        "tiles_attribution",
        "lead-1",
        "partner-1",
        "since",
        "where",
        "datum",
        "lay_out",
        "good_rows",
        "field",
        "value",
        "none",
        "choice",
        "change_id",
        "saw",
        "saw-phone",
        "kind",
        "event_id",
        "happened_on",
        "who",
        "name-1",
        "ids",
        "why",
        "findings",
        "check_id",
        "people",
        "month",
        "verdict",
        "has_agreed",
        "sure",
        "word",
    ),
    RUBBISH_WORDS,
)
RUBBISH_QUERY = {"day": "昨天", "span": "century", "choose": "<b>", "all": "x", "community": "none", "next": "//evil"}


def make_world(session: Session, app: Flask, cast: Cast, *, is_whole: bool = True) -> World:
    """Add to the cast what the remaining routes show: a photo, and an urgent visit; else only these two."""
    assert cast.visit
    cleaned, store = clean(jpeg()), PhotoStore(Path(app.config["PHOTO_PATH"]))
    store.put(cleaned.full)
    store.put(cleaned.thumbnail)
    photo = Photo(
        id=uuid7(),
        community_id=cast.community.id,
        visit_id=cast.visit.id,
        sha256=cleaned.sha256,
        thumbnail_sha256=cleaned.thumbnail_sha256,
        width=cleaned.width,
        height=cleaned.height,
        size=len(cleaned.full),
    )
    urgent = make_visit(session, cast.households[1], cast.users["worker"], NOW, sentence="楼道里有烟", is_urgent=True)
    held = HeldItem(
        id=uuid7(),
        community_id=cast.community.id,
        user_id=cast.users["worker"].id,
        household_id=cast.households[3].id,
        kind="visit",
        path=f"/households/{cast.households[3].id}/visits",
        fields=[["outcome", "met"], ["sentence", "院门坏了"]],
        reason="left",
        made_at=NOW - timedelta(days=1),
        received_at=NOW,
    )
    proposal, resident = _proposal(session, cast)
    session.add_all([photo, held, proposal])
    session.commit()
    more = {}
    if is_whole:
        more = _shop(session, cast) | _spot_check(session, cast) | _happened(session, cast) | _merged(session, cast)
        more |= _waiting_sheet(app, cast)
        make_plan(session, cast)
    return World(cast, photo.id, urgent.id, held.id, proposal.id, resident, more)


def _waiting_sheet(app: Flask, cast: Cast) -> dict[str, UUID]:
    """A sheet of residents that the director has not looked through yet."""
    rows: list[tuple[int, Any]] = [
        (1, ["building", "entrance", "room", "name", "phone"]),
        (2, ["12号楼", 1, "601", "张桂兰", "15400001234"]),
        (3, ["12号楼", 1, "502", "张桂兰", "1540000"]),
    ]
    draft = Draft(uuid7(), cast.community.id, NOW, rows, guess(rows))
    with app.app_context():
        Drafts(Path(app.instance_path) / "drafts").keep(draft)
    return {"draft_id": draft.id}


def _merged(session: Session, cast: Cast) -> dict[str, UUID]:
    """Somebody who was on record twice and is now once; and two heads who may be laid side by side."""
    kept, gone = (make_resident(session, cast.households[2], "赵合") for _ in range(2))
    merged = merging.merge(session, cast.actor("director"), kept, gone, {}, NOW.date(), NOW)
    [one], [other] = (residents_of(session, cast.households[n].id)[:1] for n in (0, 3))
    session.commit()
    return {"merge_id": merged.id, "one_id": one.id, "other_id": other.id}


def _happened(session: Session, cast: Cast) -> dict[str, UUID]:
    """A note that was changed, and somebody who moved in, both at the second household."""
    home, writer, at = cast.households[1], cast.users["worker"], NOW - timedelta(hours=2)
    came = make_resident(session, home, "王小迁", arrived_on=NOW.date(), recorded_on=NOW.date())
    home.note = "门铃坏了"

    def changed(field: str, new: str, moment: datetime, resident_id: UUID | None = None, **more: UUID) -> FactChange:
        return FactChange(
            **more,
            community_id=home.community_id,
            household_id=home.id,
            resident_id=resident_id,
            field=field,
            new=new,
            changed_by_id=writer.id,
            changed_at=moment,
        )

    change = changed("note", "门铃坏了", at)
    event = LifeEvent(
        id=uuid7(),
        community_id=home.community_id,
        household_id=home.id,
        resident_id=came.id,
        kind="moved_in",
        happened_on=NOW.date(),
        recorded_at=at + timedelta(minutes=1),
        recorded_by_id=writer.id,
    )
    key = change_key(event.id, came.id, "arrived_on")
    session.add_all([change, event, changed("arrived_on", NOW.date().isoformat(), event.recorded_at, came.id, id=key)])
    session.commit()
    return {"change_id": change.id, "event_id": event.id}


def _spot_check(session: Session, cast: Cast) -> dict[str, UUID]:
    """A check with the keys in its addresses, and by endpoint the question that a form is about."""
    cast.community.has_notice = True
    drawn = make_spot_check(session, cast, NOW)
    session.commit()
    return {
        "check_id": drawn.check.id,
        "sample_id": drawn.sample.id,
        "spotchecks.answer": drawn.open.id,
        "spotchecks.contest": drawn.answered.id,
        "spotchecks.decide": drawn.contested.id,
    }


def _shop(session: Session, cast: Cast) -> dict[str, UUID]:
    """A shop where something is to be put right."""
    shop = make_dwelling(session, cast.building, cast.district, room="铺1", kind="shop", name="惠民超市", column=7)
    check = PremiseCheck(
        id=uuid7(),
        community_id=cast.community.id,
        dwelling_id=shop.id,
        checked_at=NOW,
        checked_on=NOW.date(),
        recorded_at=NOW,
        checker_id=cast.users["worker"].id,
        findings=["exit"],
    )
    session.add(check)
    session.flush()
    finding = PremiseFinding(
        id=uuid7(),
        community_id=cast.community.id,
        dwelling_id=shop.id,
        check_id=check.id,
        code="exit",
        due_on=NOW.date(),
    )
    session.add(finding)
    session.commit()
    return {"dwelling_id": shop.id, "finding_id": finding.id}


def _proposal(session: Session, cast: Cast) -> tuple[FactProposal, UUID]:
    """Where the head of the first household is registered, as the partner says; with the head's key."""
    home = cast.households[0]
    [head] = residents_of(session, home.id)
    return FactProposal(
        id=uuid7(),
        community_id=home.community_id,
        household_id=home.id,
        resident_id=head.id,
        field="registered_at",
        value="无锡旧街 5 号",
        proposed_by_id=cast.users["partner"].id,
        proposed_at=NOW - timedelta(hours=1),
    ), head.id


def address(app: Flask, world: World, endpoint: str, **query: Any) -> str:
    """Where a route is, for the things of the world."""
    rule = next(app.url_map.iter_rules(endpoint))
    keys = {name: world.keys[name] for name in rule.arguments if name in world.keys}
    if endpoint == "visits.take_on":
        keys["visit_id"] = world.urgent
    if endpoint in world.more:
        keys["question_id"] = world.more[endpoint]
    with app.test_request_context():
        return app.url_for(endpoint, **keys, **ROUTES[endpoint].values, **query)


def endpoints(app: Flask, *, forms: bool) -> list[str]:
    """The endpoints that answer to GET, or to POST."""
    method = "POST" if forms else "GET"
    return sorted({rule.endpoint for rule in app.url_map.iter_rules() if method in (rule.methods or ())})


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """What is written inside is undone."""
    point = connection.begin_nested()
    try:
        yield
    finally:
        point.rollback()


def text_of(answer: Any) -> str:
    """What a page or a download says; a spreadsheet unpacked."""
    data: bytes = answer.get_data()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"\n".join(archive.read(name) for name in archive.namelist())
    return data.decode("utf-8", "replace")


def fresh_postgres(url: str) -> str:
    """A database of its own on the tests' server."""
    name = f"migrations_{uuid7().hex}"
    server = make_engine(url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)
