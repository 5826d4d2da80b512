"""The pack: every page that a worker may need at a door, rendered by the program's own templates, sent in one stream.

A phone asks with the token of its last pack. The token is the community's change number then, and a digest of what
every
page depends on: the day, the reader, the program itself. While the digest holds, only the households that changed since
travel, with what sums them up; else everything does. All is read from the database before the first line is sent.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask, Response, current_app, g, render_template, url_for
from flask_babel import get_locale

from fieldapp import clock, db, pages
from fieldapp.accounts import views as accounts
from fieldapp.accounts.models import User
from fieldapp.guard import actor, community
from fieldapp.households import event_views as events
from fieldapp.households import queries as household_queries
from fieldapp.households import views as households
from fieldapp.households.rules import FoundBy
from fieldapp.matters import views as matters
from fieldapp.places import queries as place_queries
from fieldapp.places import views as places
from fieldapp.places.models import Building, Community
from fieldapp.premises import queries as premise_queries
from fieldapp.premises import views as premises
from fieldapp.premises.queries import Shop
from fieldapp.sync import queries
from fieldapp.sync.doors import door_facts
from fieldapp.sync.intake import stamp, standing
from fieldapp.sync.stream import stream
from fieldapp.visits import door_queries, folders
from fieldapp.visits import queries as visit_queries
from fieldapp.visits import views as visits
from fieldapp.visits.doors import Door
from fieldapp.visits.folders import Folder
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.queries import OpenPromise
from fieldapp.visits.rules import month_of

PAGES_A_CHUNK = 16
"""So many pages are pressed together before the phone gets them: fewer cost bytes, more let it wait."""

MOST_NAMED = 200
"""Households that a statement names one by one."""

Page = tuple[str, Callable[[], str]]
"""An address and what renders it."""


def init_app(app: Flask) -> None:
    """Note which program this is: phones fetch everything anew when it becomes another."""
    app.config["BUILD"] = _build(Path(app.root_path))


@cache
def _build(root: Path) -> str:
    """A digest of everything that pages are made by. Read once: half a megabyte, and the tests make many programs."""
    digest = hashlib.blake2b(digest_size=8)
    made_by = [*root.rglob("*.py"), *root.rglob("*.html"), *root.rglob("*.mo"), *root.glob("static/dist/manifest.json")]
    for path in sorted(made_by):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


# --- what has changed


class Token(NamedTuple):
    """What a phone has: everything up to a change `number`, seen by this `digest`."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}-{self.digest}"


def _read_token(text: str) -> Token | None:
    number, _, digest = text.partition("-")
    return Token(int(number), digest) if number.isascii() and number.isdigit() and len(number) < 19 else None


@dataclass
class Renewal:
    """What travels: `pages` to keep, addresses that are `gone`; a whole one replaces what the phone has."""

    token: Token
    is_whole: bool
    pages: Sequence[Page] = ()
    gone: Sequence[str] = ()
    households: int = 0


def answer(since: str) -> Response:
    """The pack, or what changed of it since a token, as lines of JSON in one compressed stream."""
    g.packing = True
    community()  # first of all: the reader's language may be the community's
    events.care_of_today()
    at = stamp(clock.stand_still())
    end = standing(actor().community_id)
    renewal = _renewal(since, end["epoch"])
    pages.map_tiles(community())
    start = {
        "user": str(actor().user_id),
        "households": renewal.households,
        "pages": len(renewal.pages),
        "whole": renewal.is_whole,
        "at": at,
        "build": current_app.config["BUILD"],
    }
    end |= {"token": str(renewal.token), "change": renewal.token.number}
    db.session().close()
    return stream(_lines(start, renewal, end))


def _renewal(since: str, epoch: str) -> Renewal:
    opened, who = db.session(), actor()
    # Before anything else is read: what is committed from now on has a higher number and comes with the next renewal.
    change = queries.change(opened, who.community_id)
    token, had = Token(change.number, _digest(epoch, change.whole)), _read_token(since)
    if had is None or had.digest != token.digest or had.number > token.number:
        return _renewed(token, None)
    if had.number == token.number:
        return Renewal(token, False)
    gone = [url for key in queries.vanished_since(opened, who, had.number) for url in _pages_of(key)]
    touched = dict(queries.touched_since(opened, who, had.number))
    return _renewed(token, touched, gone) if touched else Renewal(token, False, gone=gone)


def _renewed(token: Token, touched: dict[UUID, UUID] | None, gone: Sequence[str] = ()) -> Renewal:
    """The pages of the touched households and of their buildings, or those of all, with what sums them up."""
    desk = _read_desk()
    found = _read_folders(touched)
    buildings = list(desk.by_building) if touched is None else set(touched.values())
    every = [*_summaries(desk), *_buildings(desk, buildings), *_households(desk, found)]
    return Renewal(token, touched is None, every, gone, len(found))


def _digest(epoch: str, whole: int) -> str:
    """What every page depends on, in few signs."""
    who = actor()
    facts = [
        clock.today().isoformat(),
        str(get_locale()),
        current_app.config["BUILD"],
        [str(who.user_id), who.name, who.role],
        sorted(map(str, who.district_ids)),
        whole,
        epoch,
    ]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=9).hexdigest()


# --- what is on the pages


@dataclass
class Desk:
    """What is read once for all pages."""

    community: Community
    doors: list[Door]
    met: int
    districts: list[place_queries.DistrictOnDay]
    promises: list[OpenPromise]
    done: list[OpenPromise]
    footprints: list[tuple[UUID, dict[str, Any] | None]]
    found_by: dict[UUID, FoundBy]
    colleagues: list[User]
    buildings: list[Building]
    shops: list[Shop]
    by_building: dict[UUID, list[Door]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_building = {
            key: list(doors) for key, doors in groupby(sorted(self.doors, key=_building_of), key=_building_of)
        }


def _building_of(door: Door) -> UUID:
    return door.building_id


def _read_desk() -> Desk:
    opened, who, day = db.session(), actor(), clock.today()
    desk = Desk(
        community=community(),
        doors=door_queries.doors(opened, who, day, community().routine_days),
        met=visit_queries.households_met_in(opened, who, month_of(day), day),
        districts=place_queries.districts_on(opened, who, day),
        promises=visit_queries.open_follow_ups(opened, who),
        done=visit_queries.done_follow_ups(opened, who),
        footprints=place_queries.footprints(opened, who),
        found_by=household_queries.found_by(opened, who),
        colleagues=visits.colleagues(),
        buildings=place_queries.buildings_of(opened, who),
        shops=premise_queries.shops(opened, who),
    )
    pages.promises_due()
    return desk


def _read_folders(touched: Collection[UUID] | None) -> list[Folder]:
    """The folders of the touched households, or all. So many that to name them takes longer are picked from all."""
    opened = db.session()
    named = touched if touched is None or len(touched) <= MOST_NAMED else None
    found = folders.folders(opened, actor(), clock.today(), community().routine_days, named)
    found = [folder for folder in found if touched is None or folder.address.household.id in touched]
    queries.with_clocks(opened, [logged for folder in found for logged in folder.visits])
    return found


def _summaries(desk: Desk) -> Iterator[Page]:
    """The pages there is one of: they sum up the others, so they travel whenever any of those does."""
    today = partial(visits.today_page, desk.doors, desk.met, desk.districts, desk.promises, desk.footprints)
    yield url_for("visits.today"), partial(today, everything=False)
    yield url_for("visits.today", all=1), partial(today, everything=True)
    yield url_for("places.map_page"), partial(places.map_of, desk.doors, desk.districts, desk.footprints)
    yield url_for("matters.index"), partial(matters.matters_page, desk.promises, desk.done, desk.shops)
    yield url_for("premises.index"), partial(premises.shops_page, desk.shops)
    yield url_for("accounts.me"), partial(accounts.me_page, desk.community, desk.districts)
    yield url_for("sync.outbox"), partial(render_template, "sync/outbox.html")
    yield url_for("sync.saved"), partial(render_template, "sync/saved.html")
    yield url_for("events.blank"), events.blank_page
    yield url_for("sync.doors"), partial(doors_json, desk.doors, desk.met, desk.found_by)


def _buildings(desk: Desk, wanted: Iterable[UUID]) -> Iterator[Page]:
    known = {building.id: building for building in desk.buildings}
    for key in [key for key in wanted if key in known and key in desk.by_building]:
        doors, building, day = desk.by_building[key], known[key], clock.today()
        yield url_for("places.building", building_id=key), partial(places.building_page, building, doors, day)
        choosing = partial(places.building_page, building, doors, day, choose=True)
        yield url_for("places.building", building_id=key, choose=1), choosing
        for shop in (shop for shop in desk.shops if shop.building.id == key):
            yield url_for("premises.show", dwelling_id=shop.dwelling.id), partial(premises.shop_page, shop)


def _households(desk: Desk, found: Sequence[Folder]) -> Iterator[Page]:
    """Pages alike stand together: gzip remembers no more than 32 KB."""
    queries.with_clocks(db.session(), [logged for folder in found for logged in folder.visits])
    for folder in found:
        yield _pages_of(folder.address.household.id)[0], partial(households.household_page, folder)
    for folder in found:
        form = partial(visits.form_page, folder, desk.colleagues, VisitDraft())
        yield _pages_of(folder.address.household.id)[1], form


def _pages_of(household_id: UUID) -> tuple[str, str]:
    return url_for("households.show", household_id=household_id), url_for("visits.new", household_id=household_id)


def read_doors() -> str:
    """The facts about the doors, from the database."""
    opened, who, day = db.session(), actor(), clock.today()
    return doors_json(
        door_queries.doors(opened, who, day, community().routine_days),
        visit_queries.households_met_in(opened, who, month_of(day), day),
        household_queries.found_by(opened, who),
    )


def doors_json(doors: Sequence[Door], met: int, found_by: dict[UUID, FoundBy]) -> str:
    """The facts about the doors, as the phone reads them."""
    return _json(door_facts(doors, met, visits.quota(), found_by, clock.today()))


# --- how it is sent


def _lines(start: dict[str, Any], renewal: Renewal, end: dict[str, Any]) -> Iterator[str | None]:
    """The lines of the answer; None where the phone may have what there is so far."""
    yield _json({"start": start})
    yield None
    for number, (url, render) in enumerate(renewal.pages, 1):
        html = render()
        yield _json({"url": url, "etag": hashlib.blake2b(html.encode(), digest_size=8).hexdigest(), "html": html})
        if number % PAGES_A_CHUNK == 0:
            yield None
    for url in renewal.gone:
        yield _json({"gone": url})
    yield _json({"end": end})


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
