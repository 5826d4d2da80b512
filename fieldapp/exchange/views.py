"""The director's page for files: districts, buildings and households in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO

from flask import Blueprint, abort, flash, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.exchange import files, queries, words
from fieldapp.exchange.columns import Language
from fieldapp.exchange.files import When
from fieldapp.exchange.problems import Refused
from fieldapp.exchange.sheet import LARGEST_FILE
from fieldapp.exchange.template import make_template
from fieldapp.guard import actor, community, roles
from fieldapp.pages import go
from geo.datum import DATUMS
from geo.geojson import GeoJSONError

bp = Blueprint("exchange", __name__)

SHOWN = 500
"""Problems on one page; a file with more of them is wrong in one way throughout."""
LARGEST_GEOJSON = 30_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GEOJSON = "application/geo+json"
CSV = "text/csv"


@dataclass(frozen=True)
class Verdict:
    """Why a file was not taken, or not given: which card it came from, what is wrong, how many more there are."""

    noun: str
    lines: Sequence[str]
    more: int = 0
    bad_rows: int = 0
    is_export: bool = False


@bp.get("/imports")
@roles(Role.DIRECTOR)
def index() -> str:
    """The three cards, with what was done last."""
    return _page()


def _page(verdict: Verdict | None = None) -> str:
    deeds = queries.last_deeds(db.session(), actor())
    datums = [(datum, words.datum_word(datum)) for datum in DATUMS]
    return render_template("exchange/index.html", verdict=verdict, deeds=deeds, latest=clock.today(), datums=datums)


def refused(verdict: Verdict) -> tuple[str, int]:
    """The page again, with why a file was not taken; nothing was written."""
    db.session().rollback()
    return _page(verdict), 422


def _geojson_refused(noun: str, error: GeoJSONError) -> tuple[str, int]:
    return refused(Verdict(noun, [words.feature_text(problem) for problem in error.problems], error.more))


def taken(lines: Sequence[str], doubt: str | None = None) -> AnyResponse:
    """The page again, with what was done, which is hereby written, and what a person ought to look at."""
    db.session().commit()
    if doubt:
        flash(doubt[:400], "warn")
    # The cookie that carries this over holds 4 KB: the first lines say what was done.
    flash("；".join(lines)[:800], "done")
    return go(url_for("exchange.index"))


def upload(noun: str, most: int) -> bytes | Verdict:
    """The uploaded file, never more of it than may be read."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return Verdict(noun, [_("先选一个文件")])
    data = file.stream.read(most + 1)
    # Reading a large sheet takes seconds: others may write meanwhile, so the transaction of the sign-in ends here.
    actor()
    db.session().commit()
    return data if len(data) <= most else Verdict(noun, [_("文件太大，一次最多 %(n)s MB", n=most // 1_000_000)])


def _when(since: date | None = None) -> When:
    today = clock.today()
    return When(clock.now(), today, since or today)


@bp.post("/imports/districts")
@roles(Role.DIRECTOR)
def import_districts() -> AnyResponse | tuple[str, int]:
    """Take districts in, from a day on."""
    data = upload("districts", LARGEST_GEOJSON)
    if isinstance(data, Verdict):
        return refused(data)
    try:
        since = date.fromisoformat(request.form["since"]) if request.form.get("since") else None
    except ValueError:
        return refused(Verdict("districts", [_("日期要写成 1957-03-02 这样")]))
    if (datum := _datum()) is None:
        return refused(_no_datum("districts"))
    try:
        done = files.bring_districts(db.session(), actor(), data, _when(since), datum=datum)
    except GeoJSONError as error:
        return _geojson_refused("districts", error)
    return taken(words.districts_lines(done), words.misplaced_line(done.misplaced))


@bp.post("/imports/buildings")
@roles(Role.DIRECTOR)
def import_buildings() -> AnyResponse | tuple[str, int]:
    """Take buildings in, laying out doors where asked for."""
    data = upload("buildings", LARGEST_GEOJSON)
    if isinstance(data, Verdict):
        return refused(data)
    if (datum := _datum()) is None:
        return refused(_no_datum("buildings"))
    lay_out = bool(request.form.get("lay_out"))
    try:
        done = files.bring_buildings(db.session(), actor(), data, _when(), where=_where(), lay_out=lay_out, datum=datum)
    except GeoJSONError as error:
        return _geojson_refused("buildings", error)
    return taken(words.buildings_lines(done), words.misplaced_line(done.misplaced))


def _datum() -> str | None:
    """The datum that was chosen, WGS-84 where nothing was; None for a word that is none."""
    chosen = request.form.get("datum", "") or "wgs84"
    return chosen if chosen in DATUMS else None


def _no_datum(noun: str) -> Verdict:
    return Verdict(noun, [_("坐标系要从三种里选一种")])


def _where() -> dict[str, str]:
    """`community=3` in the field asks for the features with this property; anything else for all."""
    key, equals, value = request.form.get("where", "").strip().partition("=")
    return {key.strip(): value.strip()} if equals and key.strip() else {}


@bp.post("/imports/households")
@roles(Role.DIRECTOR)
def import_households() -> AnyResponse | tuple[str, int]:
    """Take a household sheet in, the good rows alone where asked for."""
    data = upload("households", LARGEST_FILE)
    if isinstance(data, Verdict):
        return refused(data)
    try:
        done = files.bring_households(
            db.session(), actor(), data, _when(), good_rows=bool(request.form.get("good_rows"))
        )
    except Refused as error:
        lines = [words.row_text(problem) for problem in error.problems[:SHOWN]]
        more = len(error.problems) - len(lines)
        bad_rows = len({problem.row for problem in error.problems if problem.row})
        return refused(Verdict("households", lines, more, bad_rows))
    return taken(words.households_lines(done))


@bp.get("/exports/districts.geojson")
@roles(Role.DIRECTOR)
def export_districts() -> AnyResponse:
    """The districts of today."""
    _leave_trace("districts")
    return send(files.take_districts(db.session(), actor(), clock.today()), "districts.geojson", GEOJSON)


@bp.get("/exports/buildings.geojson")
@roles(Role.DIRECTOR)
def export_buildings() -> AnyResponse:
    """The buildings."""
    _leave_trace("buildings")
    return send(files.take_buildings(db.session(), actor()), "buildings.geojson", GEOJSON)


@bp.get("/exports/households.<form>")
@roles(Role.DIRECTOR)
def export_households(form: str) -> AnyResponse:
    """The registry as XLSX or CSV, whole: ID numbers are not masked, so this leaves a trace like every export."""
    if form not in ("xlsx", "csv"):
        abort(404)
    _leave_trace("households")
    data = files.take_households(db.session(), actor(), clock.today(), _language(), form, _("住户"))
    return send(data, f"households.{form}", XLSX if form == "xlsx" else CSV)


@bp.get("/imports/template.xlsx")
@roles(Role.DIRECTOR)
def template() -> AnyResponse:
    """An empty household sheet, with an example beside it."""
    data = make_template(_language(), (_("住户"), _("示例")), words.column_notes())
    return send(data, "template.xlsx", XLSX)


def _language() -> Language:
    return "en" if words.is_english() else "zh"


def _leave_trace(noun: str) -> None:
    # Before anything is read, in a transaction of its own: on SQLite a reader that turns writer may be refused.
    who = actor()
    db.session().commit()
    files.leave_export_trace(db.session(), who, noun, clock.now())
    db.session().commit()


def send(data: bytes, name: str, mimetype: str) -> AnyResponse:
    """A download named by community and day; it names nobody."""
    name = f"{community().code}-{clock.today().isoformat()}-{name}"
    response = send_file(BytesIO(data), mimetype=mimetype, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
