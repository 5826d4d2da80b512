"""The worker's day: Today, logging a visit, a whole entrance at once, photos, promises."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, flash, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts import queries as accounts
from fieldapp.accounts.models import User
from fieldapp.accounts.rules import Role
from fieldapp.db import uuid7
from fieldapp.guard import actor, community, roles
from fieldapp.households import queries as households
from fieldapp.households.queries import Address
from fieldapp.households.views import known_facts
from fieldapp.pages import done_at, go, outbox_item, refuse
from fieldapp.places import queries as places
from fieldapp.places.entrances import entrance_places
from fieldapp.places.queries import DistrictOnDay
from fieldapp.sync import queries as sync
from fieldapp.sync.rules import Item
from fieldapp.visits import door_queries, folders, operations, queries, rules
from fieldapp.visits import doors as door_rules
from fieldapp.visits.doors import Door
from fieldapp.visits.folders import Folder
from fieldapp.visits.forms import VisitDraft, read_visit
from fieldapp.visits.models import Visit
from fieldapp.visits.photos import PhotoRefused, PhotoStore, clean
from fieldapp.visits.queries import OpenPromise

bp = Blueprint("visits", __name__)

MOST_PHOTOS = 9
FEWEST_SHOWN = 12


@bp.get("/today")
@roles(Role.WORKER)
def today() -> str:
    """The worker's home: am I done, and which doors to knock on."""
    opened, who, day = db.session(), actor(), clock.today()
    return today_page(
        door_queries.doors(opened, who, day, community().routine_days),
        queries.households_met_in(opened, who, rules.month_of(day), day),
        places.districts_on(opened, who, day),
        queries.open_follow_ups(opened, who),
        places.own_footprints(opened, who),
        everything=bool(request.args.get("all")),
    )


def today_page(
    doors: Sequence[Door],
    met: int,
    districts: Sequence[DistrictOnDay],
    promises: Iterable[OpenPromise],
    footprints: Iterable[tuple[UUID, dict[str, Any] | None]],
    *,
    everything: bool,
) -> str:
    """Today from all doors of one's districts; `met` is how many households were met this month."""
    day = clock.today()
    progress = door_rules.progress(doors, met, quota(), day)
    waiting = [door for door in doors if door.state in rules.TO_KNOCK_ON]
    shown = waiting if everything else door_rules.nearest(waiting, max(progress.to_go, FEWEST_SHOWN))
    return render_template(
        "visits/today.html",
        progress=progress,
        stairwells=door_rules.stairwells(shown),
        place_of=_entrances_of(doors, {door.building_id for door in shown}, footprints),
        more=len(waiting) - len(shown),
        districts=districts,
        next_due=min((d.due_on for d in doors if d.facts.occupied and d.due_on), default=None),
        never_met=sum(d.facts.occupied is True and d.facts.last_met_on is None for d in doors),
        promises=[p for p in promises if p.follow_up.due_on and p.follow_up.due_on <= day],
        everything=everything,
    )


def _entrances_of(
    doors: Iterable[Door], wanted: Collection[UUID], footprints: Iterable[tuple[UUID, dict[str, Any] | None]]
) -> dict[tuple[UUID, int], tuple[float, float]]:
    """Where the entrances of the wanted buildings are, so far as their shapes are known."""
    entrances: dict[UUID, int] = {}
    for door in doors:
        entrances[door.building_id] = max(entrances.get(door.building_id, 1), door.entrance)
    return {
        (key, number): place
        for key, shape in footprints
        if shape and key in wanted
        for number, place in enumerate(entrance_places(shape, entrances[key]), 1)
    }


def quota() -> int:
    """The month's households of all districts that somebody answers for: the quota is a district's."""
    return community().quota * max(len(actor().district_ids), 1)


@bp.get("/households/<uuid:household_id>/visits/new")
@roles(Role.WORKER)
def new(household_id: UUID) -> str:
    """The form for a visit at this door."""
    return _form(household_id, VisitDraft(visit_id=uuid7()))


@bp.get("/visits/<uuid:visit_id>/correction")
@roles(Role.WORKER)
def correction(visit_id: UUID) -> str:
    """The same form, filled with a visit that is to be corrected."""
    visit = _visit(visit_id)
    draft = VisitDraft(
        visit_id=uuid7(),
        outcome=rules.Outcome(visit.outcome),
        way=rules.Way(visit.way),
        visited_at=visit.visited_at,
        companion_id=visit.companion_id,
        met_ids=queries.met_residents(db.session(), visit.id),
        topics=visit.topics,
        sentence=visit.sentence or "",
        is_urgent=visit.is_urgent,
    )
    return _form(visit.household_id, draft, corrects=visit)


@bp.get("/households/<uuid:household_id>/visits")
@roles(Role.WORKER, Role.DIRECTOR)
def index(household_id: UUID) -> str:
    """Every visit of a household."""
    opened, address = db.session(), _address(household_id)
    logged = queries.visits_of(opened, household_id, limit=500)
    return render_template("visits/index.html", address=address, visits=sync.with_clocks(opened, logged))


@bp.post("/households/<uuid:household_id>/visits")
@roles(Role.WORKER)
def create(household_id: UUID) -> AnyResponse | tuple[str, int]:
    """Record a visit. Its words are kept even where a photo is refused; that is said on the next page."""
    opened, who, address = db.session(), actor(), _address(household_id)
    many = {name: request.form.getlist(name) for name in ("met", "topics", "confirmed")}
    item = outbox_item()
    draft = read_visit(request.form, many, clock.now(), item.made_at if item else None)
    _check_key(draft, item)
    corrects = _corrected(address)
    _check_people(address, draft)
    if draft.faults:
        return _faulty(household_id, draft, corrects)
    try:
        visit = operations.record_visit(opened, who, address.household, draft, clock.now(), corrects=corrects)
    except operations.AlreadyCorrected:
        draft.faults["form"] = "corrected"
        return _faulty(household_id, draft, corrects)
    opened.commit()
    _take_photos(visit, request.files.getlist("photos"))
    return go(url_for("visits.saved", visit_id=visit.id))


def _check_key(draft: VisitDraft, item: Item | None) -> None:
    """A phone sends the photos of a visit to the visit's key: it is the item's own."""
    if item is None:
        return
    if draft.visit_id not in (None, item.id):
        draft.faults["form"] = "id"
    draft.visit_id = item.id


def _faulty(household_id: UUID, draft: VisitDraft, corrects: Visit | None) -> AnyResponse | tuple[str, int]:
    """The form again, with what is wrong; to a phone's outbox only the words."""
    if outbox_item():
        words = fault_words(draft)
        return refuse(next(iter(words.values())), words)
    draft.visit_id = draft.visit_id or uuid7()
    return _form(household_id, draft, corrects=corrects), 422


def fault_words(draft: VisitDraft) -> dict[str, str]:
    """What is wrong with a visit form, by field, in words that say what would be right."""
    if not draft.faults:
        return {}
    known = {
        "outcome": _("先点一下这次怎么样：见到了、没人在……"),
        "form corrected": _("这条已经有人更正过了，去更正最新的那条。"),
        "form": _("没收全，重新打开这一页再记。"),
        "place": _("位置没取对，没有记。再取一次，或者直接存。"),
        "way": _("方式要选上门、电话或其他。"),
        "sentence": _("最多 500 个字，现在 %(n)s 个。", n=len(draft.sentence)),
        "promise": _("最多 200 个字。"),
        "promise_due_on": _("写成 2026-11-20 这样的日期。"),
        "visited_at future": _("还没到这个时间。写走访的时间，不写就是现在。"),
        "visited_at ancient": _("太早了，最多补一年以内的。"),
        "visited_at": _("写成 2026-11-20 09:30 这样的时间。"),
        "companion_id": _("名单里没有这个人，重新选。"),
    }
    return {name: known.get(f"{name} {fault}") or known[name] for name, fault in draft.faults.items()}


def _corrected(address: Address) -> Visit | None:
    """The visit that this one corrects: one at the same door."""
    try:
        key = request.form.get("corrects_id")
        corrects = _visit(UUID(key)) if key else None
    except ValueError:
        abort(400)
    except NotFound:
        if outbox_item():
            abort(422, _("要更正的那条不在服务器上。先把那条发上来，再记一次更正。"))
        raise
    if corrects and corrects.household_id != address.household.id:
        abort(404)
    return corrects


def _check_people(address: Address, draft: VisitDraft) -> None:
    """Whom a form names must be there to be named: residents of this household, a colleague of this community."""
    known = {resident.id for resident in households.residents_of(db.session(), address.household.id)}
    draft.met_ids = [key for key in draft.met_ids if key in known]
    if draft.companion_id and draft.companion_id not in {user.id for user in colleagues()}:
        draft.faults["companion_id"] = "unknown"


def colleagues() -> list[User]:
    """Whom one may have gone with."""
    return [user for user in accounts.staff(db.session(), community().id) if user.id != actor().user_id]


def _take_photos(visit: Visit, files: list[FileStorage]) -> None:
    """Keep what can be kept, each in a transaction of its own; say of the others what was wrong."""
    opened = db.session()
    store = photo_store()
    sent = [file for file in files if file.filename]
    for number, file in enumerate(sent, 1):
        kept = len(queries.photos_of(opened, visit.id))
        opened.commit()  # a photo takes a second to rebuild: on SQLite nobody could save anything as long
        if kept >= MOST_PHOTOS:
            flash(_("一次走访最多 %(n)s 张照片，后面的没有收。", n=MOST_PHOTOS), "warn")
            break
        try:
            operations.add_photo(opened, visit, clean(file.read()), store)
            opened.commit()
        except PhotoRefused as refusal:
            flash(_("第 %(n)s 张照片没收下：%(why)s", n=number, why=photo_fault(refusal.code)), "error")


def _take_photo(visit: Visit, item: Item) -> AnyResponse:
    """Keep the one photo of an item, under the item's key."""
    opened = db.session()
    files = request.files.getlist("photos")
    if len(files) != 1:
        return refuse_photo(photo_fault("empty"), status=400)
    kept = len(queries.photos_of(opened, visit.id))
    opened.commit()
    try:
        if kept >= MOST_PHOTOS:
            return refuse_photo(too_many_photos())
        operations.add_photo(opened, visit, clean(files[0].read()), photo_store(), key=item.id)
    except PhotoRefused as refusal:
        return refuse_photo(photo_fault(refusal.code))
    opened.commit()
    return Response(status=204)


def refuse_photo(words: str, status: int = 422) -> Response:
    """The answer to an item whose photo cannot be taken."""
    return refuse(words, {"photos": words}, status)


def too_many_photos() -> str:
    """Why one photo more is not taken."""
    return _("一次走访最多 %(n)s 张照片，这一张没有收。", n=MOST_PHOTOS)


def photo_store() -> PhotoStore:
    """Where the files of photos lie."""
    return PhotoStore(Path(current_app.config["PHOTO_PATH"]))


def photo_fault(code: str) -> str:
    """Why a photo was refused, and what would be right."""
    return {
        "empty": _("文件是空的。重新选一张。"),
        "too_big": _("超过 30 MB。拍小一点，或者截一张图。"),
        "too_many_pixels": _("超过 2400 万像素。把相机的尺寸调小一档。"),
        "not_a_photo": _("不是 JPEG、PNG、WebP 照片。用相机拍，或者从相册选。"),
        "broken": _("文件坏了，打不开。重新拍一张。"),
        "animated": _("是动图。选一张不动的照片。"),
    }.get(code, _("打不开。重新拍一张。"))


def _form(household_id: UUID, draft: VisitDraft, corrects: Visit | None = None) -> str:
    found = folders.folder(db.session(), actor(), clock.today(), community().routine_days, household_id)
    if found is None:
        abort(404)
    return form_page(found, colleagues(), draft, corrects)


def form_page(folder: Folder, colleagues: Sequence[User], draft: VisitDraft, corrects: Visit | None = None) -> str:
    """The form for a visit at a door, from all that is known of its household."""
    return render_template(
        "visits/form.html",
        address=folder.address,
        door=folder.door,
        residents=folder.residents,
        draft=draft,
        faults=fault_words(draft),
        typed=request.form,
        corrects=corrects,
        last=folder.last_said,
        facts=known_facts(folder),
        colleagues=colleagues,
        topics=community().topics,
        ZONE=clock.COMMUNITY_ZONE,
    )


@bp.get("/visits/<uuid:visit_id>")
@roles(Role.WORKER)
def saved(visit_id: UUID) -> str:
    """What was saved, how the month stands now, and the next door on the way down."""
    opened, who, day = db.session(), actor(), clock.today()
    visit = _visit(visit_id)
    doors = door_queries.doors(opened, who, day, community().routine_days)
    met = queries.households_met_in(opened, who, rules.month_of(day), day)
    return render_template(
        "visits/saved.html",
        visit=visit,
        address=_address(visit.household_id),
        photos=queries.photos_of(opened, visit.id),
        progress=door_rules.progress(doors, met, quota(), day),
        next_door=door_rules.next_door(doors, visit.household_id),
        corrected=queries.correction_of(opened, visit.id),
    )


@bp.post("/visits/<uuid:visit_id>/photos")
@roles(Role.WORKER)
def add_photos(visit_id: UUID) -> AnyResponse:
    """Add photos to a visit of one's own."""
    visit = _visit(visit_id)
    if visit.visitor_id != actor().user_id:
        abort(404)
    if item := outbox_item():
        return _take_photo(visit, item)
    _take_photos(visit, request.files.getlist("photos"))
    return go(url_for("visits.saved", visit_id=visit.id))


@bp.get("/photos/<uuid:photo_id>")
@roles(Role.WORKER, Role.DIRECTOR)
def photo(photo_id: UUID) -> Response:
    """A photo, for those who may see its household."""
    return _picture(photo_id, "sha256")


@bp.get("/photos/<uuid:photo_id>/thumbnail")
@roles(Role.WORKER, Role.DIRECTOR)
def thumbnail(photo_id: UUID) -> Response:
    """A photo, small."""
    return _picture(photo_id, "thumbnail_sha256")


def _picture(photo_id: UUID, which: str) -> Response:
    found = queries.photo(db.session(), actor(), photo_id)
    if found is None:
        abort(404)
    path = photo_store().path(getattr(found, which))
    if not path.exists():
        abort(404)
    return send_file(path, mimetype="image/jpeg", etag=False, conditional=False)


@bp.post("/buildings/<uuid:building_id>/visits")
@roles(Role.WORKER)
def create_nobody_home(building_id: UUID) -> AnyResponse | tuple[str, int]:
    """Nobody home behind several doors of a building at once."""
    opened, who, day = db.session(), actor(), clock.today()
    doors = door_queries.doors(opened, who, day, community().routine_days, building_id=building_id)
    if not doors:
        abort(404)
    wanted = set(request.form.getlist("households"))
    chosen = [d.household_id for d in doors if d.household_id and d.facts.occupied and str(d.household_id) in wanted]
    if not chosen and outbox_item():
        abort(422, _("一户也没选。点格子选门，再记。"))
    if not chosen:
        flash(_("一户也没选。点格子选门，再记。"), "error")
        return go(url_for("places.building", building_id=building_id, choose=1))
    addresses = [address for key in chosen if (address := households.household(opened, who, key))]
    homes = [address.household for address in addresses]
    operations.record_nobody_home(opened, who, homes, clock.now(), _form_id(), visited_at=done_at())
    opened.commit()
    flash(_("记下了：%(n)s 户没人在。", n=len(addresses)))
    return go(url_for("places.building", building_id=building_id))


@bp.post("/follow-ups/<uuid:follow_up_id>/done")
@roles(Role.WORKER, Role.DIRECTOR)
def tick(follow_up_id: UUID) -> AnyResponse | str:
    """What was promised is done."""
    return _tick(follow_up_id, done=True)


@bp.post("/follow-ups/<uuid:follow_up_id>/undone")
@roles(Role.WORKER, Role.DIRECTOR)
def untick(follow_up_id: UUID) -> AnyResponse | str:
    """It was not done after all."""
    return _tick(follow_up_id, done=False)


def _form_id() -> UUID:
    try:
        return UUID(request.form.get("form_id", ""))
    except ValueError:
        return uuid7()


def _tick(follow_up_id: UUID, *, done: bool) -> AnyResponse | str:
    opened = db.session()
    follow_up = queries.follow_up(opened, actor(), follow_up_id)
    if follow_up is None:
        abort(404)
    if done:
        operations.tick(follow_up, actor().user_id, done_at())
    else:
        operations.untick(follow_up)
    opened.commit()
    if request.htmx:  # type: ignore[attr-defined]
        return render_template("visits/_promise.html", follow_up=follow_up)
    return go(url_for("households.show", household_id=follow_up.household_id))


@bp.post("/visits/<uuid:visit_id>/taken")
@roles(Role.DIRECTOR)
def take_on(visit_id: UUID) -> AnyResponse:
    """The director takes an urgent matter in hand."""
    visit = _visit(visit_id)
    if not visit.is_urgent:
        abort(404)
    operations.take_on(visit, actor().user_id, clock.now())
    db.session().commit()
    return go(url_for("households.show", household_id=visit.household_id))


def _address(household_id: UUID) -> Address:
    address = households.household(db.session(), actor(), household_id)
    if address is None:
        abort(404)
    return address


def _visit(visit_id: UUID) -> Visit:
    visit = queries.visit(db.session(), actor(), visit_id)
    if visit is None:
        abort(404)
    return visit
