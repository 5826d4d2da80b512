"""The five sheets: choosing one, its table, the list behind each figure, and the file."""

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, render_template, request, send_file
from flask_babel import gettext as _

from fieldapp import clock, db
from fieldapp.accounts import operations as accounts
from fieldapp.accounts.rules import Actor, Role
from fieldapp.guard import actor, roles
from fieldapp.households.rules import age_on
from fieldapp.language import clock_time
from fieldapp.places import queries as places
from fieldapp.places.models import Community
from fieldapp.places.queries import DistrictOnDay
from fieldapp.reports import sheet_files, sheet_queries, sheets
from fieldapp.reports.sheet_words import column_words, explained, kind_name, topic_name
from fieldapp.reports.sheets import COLUMNS, Entry, Kind, Lists, Need
from fieldapp.reports.views import community_seen, looking_at

bp = Blueprint("sheets", __name__)

PAGE = 100
"""Lines of a list on one page: a community's list of people has 15,000."""
FEW = 1000
"""Up to as many lines of a file are named one by one; for more everybody's name is read, without a list of keys."""
NOWHERE = "none"
"""What an address calls the doors that are in no district."""

bp.add_app_template_global(kind_name, "sheet_name")
bp.add_app_template_global(explained, "sheet_explained")
bp.add_app_template_global(age_on)


@dataclass
class Scope:
    """Which sheet is asked for, of which day, in whose eyes, and of which district."""

    kind: Kind
    actor: Actor
    community: Community
    day: date
    districts: list[DistrictOnDay]
    is_narrow: bool = False
    district_id: UUID | None = None

    @property
    def name(self) -> str:
        """The district, or the whole community."""
        if not self.is_narrow:
            return _("我的包干区") if self.actor.role is Role.WORKER else _("全社区")
        return next((d.name for d in self.districts if d.id == self.district_id), _("不在任何包干区"))

    @property
    def address(self) -> dict[str, Any]:
        """What an address says of the day and the community."""
        said: dict[str, Any] = {} if self.day == clock.today() else {"day": self.day}
        return said | ({"community": self.community.id} if self.actor.role is Role.STREET else {})

    @property
    def narrow_address(self) -> dict[str, Any]:
        """What an address says, with the district."""
        return self.address | ({"district": self.district_id or NOWHERE} if self.is_narrow else {})


@dataclass
class Line:
    """A line of a table: its name, its figures, what the addresses of their lists say, and where its name leads."""

    name: str
    figures: dict[str, int]
    of_lists: dict[str, Any] = field(default_factory=dict)
    leads_to: dict[str, Any] | None = None


@bp.get("/sheets")
@roles(Role.WORKER, Role.DIRECTOR, Role.STREET)
def index() -> str:
    """Choose one of the five sheets."""
    return render_template("reports/sheets.html", kinds=list(Kind))


@bp.get("/sheets/<kind>")
@roles(Role.WORKER, Role.DIRECTOR, Role.STREET)
def show(kind: str) -> str:
    """A sheet's table, of a community, of a district, or for a street office of each of its communities."""
    wanted = _kind(kind)
    if actor().role is Role.STREET and not request.args.get("community"):
        lines, day = _of_communities(wanted, _day())
        words = column_words(wanted)
        return render_template("reports/sheet_street.html", kind=wanted, lines=lines, words=words, day=day)
    scope = _scope(wanted)
    lists, needs = _counted(scope)
    return render_template(
        "reports/sheet.html",
        scope=scope,
        kind=wanted,
        words=column_words(wanted),
        lines=_lines(scope, lists, needs),
        bands=_bands(lists) if wanted is Kind.STRUCTURE else [],
        with_lists=scope.actor.role is not Role.STREET,
    )


@bp.get("/sheets/<kind>/people")
@roles(Role.WORKER, Role.DIRECTOR)
def people(kind: str) -> str:
    """Whom a figure counts: households, people or promises, a hundred at a time."""
    scope = _scope(_kind(kind))
    lists, needs = _counted(scope)
    group = request.args.get("group", "")
    topic: Need | None = None
    if scope.kind is Kind.NEEDS:
        topic = next((need for need in needs if need.key == request.args.get("topic", "all")), None)
        lists = topic.lists if topic else {}
    if group not in lists:
        abort(404)
    entries = lists[group]
    page = _page(len(entries))
    shown = entries[(page - 1) * PAGE : page * PAGE]
    title = column_words(scope.kind)[group]
    return render_template(
        "reports/sheet_people.html",
        scope=scope,
        kind=scope.kind,
        title=f"{topic_name(topic.topic)} · {title}" if topic else title,
        count=len(entries),
        entries=shown,
        behind=_behind(scope.actor, shown),
        day=scope.day,
        group=group,
        topic=topic.key if topic else None,
        first=(page - 1) * PAGE + 1,
        page=page,
        has_more=len(entries) > page * PAGE,
    )


def _behind(who: Actor, entries: list[Entry]) -> sheet_files.Behind:
    """What the entries of a page are called; at most three statements."""
    opened = db.session()
    people = [e.person_id for e in entries if e.person_id]
    promised = [e.promise_id for e in entries if e.promise_id]
    return sheet_files.Behind(
        sheet_queries.doors(opened, who, {e.household_id for e in entries}) if entries else {},
        sheet_queries.named(opened, who, people) if people else {},
        sheet_queries.promises(opened, who, promised) if promised else {},
    )


@bp.get("/sheets/<kind>.xlsx")
@roles(Role.WORKER, Role.DIRECTOR, Role.STREET)
def xlsx(kind: str) -> Response:
    """The sheet as a spreadsheet, with who took it and when: the numbers, and but for a street office the list."""
    wanted, who, now = _kind(kind), actor(), clock.now()
    mark = _("%(who)s 在 %(day)s 导出，只供社区工作用", who=who.name, day=f"{clock.local_day(now)} {clock_time(now)}")
    if who.role is Role.STREET and not request.args.get("community"):
        lines, day = _of_communities(wanted, _day())
        table = [(line.name, line.figures) for line in lines]
        data = sheet_files.workbook(wanted, _("各社区"), day, table, mark)
        code, place = "street", None
    else:
        scope = _scope(wanted)
        lists, needs = _counted(scope)
        table = [(line.name, line.figures) for line in _lines(scope, lists, needs)]
        listed = None if who.role is Role.STREET else _everybody(scope, lists, needs)
        where, day = f"{scope.community.name} {scope.name}", scope.day
        data = sheet_files.workbook(wanted, where, day, table, mark, listed)
        code, place = scope.community.code, scope.community.id
    return _download(data, f"sheet-{wanted}-{code}-{day}.xlsx", place)


def _everybody(scope: Scope, lists: Lists, needs: list[Need]) -> sheet_files.Listed:
    """Every line of the sheet's list once, with the columns that count it."""
    opened, who = db.session(), scope.actor
    found: dict[Entry, list[str]] = {}
    words = column_words(scope.kind)
    if scope.kind is Kind.NEEDS:
        for need in needs:
            for entry in (e for key in ("asked", "promised") for e in need.lists[key] if need.topic is not None):
                found.setdefault(entry, []).append(topic_name(need.topic))
    else:
        for key in (key for key in COLUMNS[scope.kind] if key not in ("people", *sheets.OF_HOUSEHOLDS)):
            for entry in lists[key]:
                found.setdefault(entry, []).append(words[key])
        for entry in (*lists["people"], *lists["households"]):
            found.setdefault(entry, [])
        named = {entry.household_id for entry in found if entry.person_id}
        found = {e: said for e, said in found.items() if e.person_id or e.household_id not in named}
    if len(found) <= FEW:
        behind = _behind(who, list(found))
    else:
        behind = sheet_files.Behind(
            sheet_queries.doors(opened, who), sheet_queries.named(opened, who), sheet_queries.promises(opened, who)
        )
    districts = {district.id: district.name for district in scope.districts}
    return sheet_files.Listed(found, behind, districts, scope.day)


def _download(data: bytes, name: str, community_id: UUID | None) -> Response:
    who = actor()
    with db.writing() as opened:
        accounts.leave_trace(
            opened, deed="export.sheet", at=clock.now(), user_id=who.user_id, community_id=community_id, subject=name
        )
    return send_file(BytesIO(data), mimetype=sheet_files.XLSX, as_attachment=True, download_name=name, etag=False)


def _counted(scope: Scope) -> tuple[Lists, list[Need]]:
    """The lists that were asked for: of the first four sheets by column, of needs by topic."""
    opened = db.session()
    if scope.kind is Kind.NEEDS:
        needs = sheet_queries.needs_on(opened, scope.actor, scope.community, scope.day)
        return {}, sheets.needs_in(needs, scope.district_id) if scope.is_narrow else needs
    lists = sheet_queries.lists(opened, scope.actor, scope.kind, scope.day, clock.today())
    return sheets.in_district(lists, scope.district_id) if scope.is_narrow else lists, []


def _lines(scope: Scope, lists: Lists, needs: list[Need]) -> list[Line]:
    """The table: a line a district and one for all, a line a topic, or one line alone."""
    if scope.kind is Kind.NEEDS:
        said = [(need, scope.narrow_address | {"topic": need.key}) for need in needs]
        return [Line(topic_name(need.topic), sheets.figures(need.lists), address) for need, address in said]
    whole = Line(scope.name, sheets.figures(lists), scope.narrow_address)
    if scope.is_narrow:
        return [whole]
    counted, zero = sheets.by_district(lists), dict.fromkeys(lists, 0)
    lines = []
    for district in scope.districts:
        address = scope.address | {"district": district.id}
        lines.append(Line(district.name, counted.get(district.id, zero), address, address))
    if None in counted:
        address = scope.address | {"district": NOWHERE}
        lines.append(Line(_("不在任何包干区"), counted[None], address, address))
    return [*lines, whole]


@dataclass(frozen=True)
class Bar:
    """One side of one band of the pyramid, in the units of its drawing."""

    key: str
    words: str
    count: int
    x: float
    width: float
    is_left: bool


@dataclass(frozen=True)
class Drawn:
    """A band of the pyramid as it is drawn."""

    ages: str
    y: int
    bars: tuple[Bar, Bar]


WIDE, STEP, MIDDLE = 116, 22, 50
"""The longest bar, from one bar to the next, and the column of the ages between the sides; of 360 across."""


def _bands(lists: Lists) -> list[Drawn]:
    counted = sheets.figures(lists)
    bands = sheets.pyramid(counted)
    most = max(max(band.men, band.women) for band in bands) or 1
    words = column_words(Kind.STRUCTURE)
    drawn = []
    for row, band in enumerate(bands):
        ages = f"{band.lower}+" if band.upper is None else f"{band.lower}–{band.upper}"
        left, right = (round(WIDE * count / most, 1) for count in (band.men, band.women))
        men = Bar(f"m{band.number}", words[f"m{band.number}"], band.men, 180 - MIDDLE / 2 - left, left, True)
        women = Bar(f"f{band.number}", words[f"f{band.number}"], band.women, 180 + MIDDLE / 2, right, False)
        drawn.append(Drawn(ages, row * STEP, (men, women)))
    return drawn


def _of_communities(kind: Kind, day: date) -> tuple[list[Line], date]:
    """A line for each community of the street office."""
    opened, who, lines = db.session(), actor(), []
    for each in places.communities_of_street(opened, who.street_code):
        seen = looking_at(who, each)
        if kind is Kind.NEEDS:
            lists = sheet_queries.needs_on(opened, seen, each, day)[-1].lists
        else:
            lists = sheet_queries.lists(opened, seen, kind, day, clock.today())
        said: dict[str, Any] = {"community": each.id} | ({} if day == clock.today() else {"day": day})
        lines.append(Line(each.name, sheets.figures(lists), leads_to=said))
    return lines, day


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        abort(404)


def _day() -> date:
    """The day that the address asks for."""
    try:
        day = date.fromisoformat(request.args.get("day", "") or clock.today().isoformat())
    except ValueError:
        abort(422, _("日期要写成 2026-11-01 这样。"))
    if not date(2000, 1, 1) <= day <= clock.today():
        abort(422, _("只能看到今天为止的日子。"))
    return day


def _page(count: int) -> int:
    """Which page of a list the address asks for; the last one where there are fewer."""
    wanted = request.args.get("page", "1")
    page = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else 1
    return min(max(page, 1), max((count - 1) // PAGE + 1, 1))


def _scope(kind: Kind) -> Scope:
    """What the address asks for, where the reader may see it."""
    where, who = community_seen()
    day = _day()
    districts = places.districts_on(db.session(), who, day, figures=True)
    scope = Scope(kind, who, where, day, districts)
    if wanted := request.args.get("district"):
        scope.is_narrow = True
        if wanted != NOWHERE or who.role is Role.WORKER:
            scope.district_id = next((d.id for d in districts if str(d.id) == wanted), None)
            if scope.district_id is None:
                abort(404)
    elif len(districts) == 1 and who.role is Role.WORKER:
        scope.is_narrow, scope.district_id = True, districts[0].id
    return scope
