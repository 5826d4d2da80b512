"""People who are on record twice: finding them, laying both side by side, making them one and two again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.operations import leave_trace
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, community, roles
from fieldapp.households import duplicate_queries, duplicates, fact_views, facts
from fieldapp.households.duplicate_queries import Whole
from fieldapp.households.duplicates import Record, Why
from fieldapp.households.models import Resident
from fieldapp.households.reading import Fault
from fieldapp.language import listed
from fieldapp.pages import go
from fieldapp.visits import merging
from fieldapp.visits.merging import ChangedSince

bp = Blueprint("duplicates", __name__)

NAMES = fact_views.NAMES | {
    "left_on": _l("住不住这里"),
    "household_id": _l("住在哪一户"),
    "care_membership": _l("为什么常来"),
    "fact_stamp": _l("核对的日子"),
    "fact_proposal": _l("等着定的说法"),
    "follow_up": _l("答应的事"),
    "visit": _l("走访时见到谁"),
}
"""What a merge chooses between, and what somebody may have changed since."""


@dataclass(frozen=True)
class Row:
    """A fact of both sides in words; `suggested` is the side that is ticked at first, None where both say the same."""

    key: str
    name: str
    one: str
    other: str
    suggested: str | None


@bp.get("/duplicates")
@roles(Role.DIRECTOR)
def index() -> str:
    """The pairs that look like one person, and the latest merges, each to be undone."""
    opened, who = db.session(), actor()
    return render_template(
        "households/duplicates.html",
        pairs=duplicate_queries.found(opened, who),
        merges=duplicate_queries.merges(opened, who),
        Why=Why,
    )


@bp.get("/duplicates/<uuid:one_id>/<uuid:other_id>")
@roles(Role.DIRECTOR)
def show(one_id: UUID, other_id: UUID) -> str:
    """Both records side by side, fact by fact."""
    return _page(*_both(one_id, other_id))


def _page(one: Whole, other: Whole, fault: str | None = None) -> str:
    rows = _rows(one.resident, other.resident)
    return render_template(
        "households/duplicate.html",
        one=one,
        other=other,
        rows=[row for row in rows if row.suggested],
        same=[row for row in rows if not row.suggested and row.one],
        why=_why(one, other),
        Why=Why,
        keep=request.form.get("keep") or _fuller(one.resident, other.resident),
        typed=request.form,
        fault=fault,
        same_household=one.household.id == other.household.id,
    )


@bp.post("/duplicates/<uuid:one_id>/<uuid:other_id>/merge")
@roles(Role.DIRECTOR)
def merge(one_id: UUID, other_id: UUID) -> AnyResponse | tuple[str, int]:
    """Make both records one, with the facts that were chosen."""
    one, other = _both(one_id, other_id)
    keep = request.form.get("keep")
    if keep not in ("one", "other"):
        abort(422, _("没收全，重新打开这一页再选。"))
    kept, gone = (one, other) if keep == "one" else (other, one)
    chosen = {key: request.form[key] for key in duplicates.FIELDS if key in request.form}
    if any(side not in ("one", "other") for side in chosen.values()):
        abort(422, _("没收全，重新打开这一页再选。"))
    choices = {key: "kept" if side == keep else "gone" for key, side in chosen.items()}
    opened = db.session()
    try:
        merging.merge(opened, actor(), kept.resident, gone.resident, choices, clock.today(), clock.now())
    except Fault as fault:
        opened.rollback()
        return _page(*_both(one_id, other_id), fault=_advice(fault)), 422
    opened.commit()
    flash(_("合成一个了，留下的在%(place)s。不对的话在下面撤回。", place=_place(kept)))
    return go(url_for("duplicates.index"))


@bp.post("/duplicates/<uuid:one_id>/<uuid:other_id>/two-people")
@roles(Role.DIRECTOR)
def two_people(one_id: UUID, other_id: UUID) -> AnyResponse:
    """They are two people: the pair is not shown again."""
    one, other = _both(one_id, other_id)
    opened, who, now = db.session(), actor(), clock.now()
    merging.say_two_people(opened, who, one.resident, other.resident, now)
    leave_trace(
        opened, deed="merge.two_people", at=now, user_id=who.user_id, community_id=who.community_id, subject=str(one_id)
    )
    opened.commit()
    flash(_("记下了，是两个人，不再提醒。"))
    return go(url_for("duplicates.index"))


@bp.post("/merges/<uuid:merge_id>/undo")
@roles(Role.DIRECTOR)
def undo(merge_id: UUID) -> AnyResponse:
    """Make two records again of one; what was written since beside them stays."""
    opened = db.session()
    merged = duplicate_queries.merge(opened, actor(), merge_id)
    if merged is None:
        abort(404)
    try:
        merging.undo(opened, actor(), merged, clock.now())
    except ChangedSince as changed:
        what = listed(str(NAMES.get(key, _("别的"))) for key in changed.what)
        abort(422, _("合起来以后又改过：%(what)s。先把这几处改回去，再撤回。", what=what))
    opened.commit()
    flash(_("撤回了，又是两个人，和合起来以前一样。"))
    return go(url_for("duplicates.index"))


def _both(one_id: UUID, other_id: UUID) -> tuple[Whole, Whole]:
    opened, who = db.session(), actor()
    one, other = duplicate_queries.whole(opened, who, one_id), duplicate_queries.whole(opened, who, other_id)
    if one is None or other is None or one_id == other_id:
        abort(404)
    return one, other


def _why(one: Whole, other: Whole) -> Why | None:
    return duplicates.alike(_record(one), _record(other))


def _record(side: Whole) -> Record:
    person = side.resident
    return Record(person.id, side.building.id, person.name, person.birth_date, person.id_hash)


def _rows(one: Resident, other: Resident) -> list[Row]:
    left, right = ({key: getattr(person, key) for key in duplicates.FIELDS} for person in (one, other))
    differing = duplicates.differing(left, right, same_household=one.household_id == other.household_id)
    off = community().registry_settings.get("off", [])
    rows = []
    for key in (key for key in duplicates.FIELDS if key not in off):
        said = _words(key, left[key]), _words(key, right[key])
        if key in differing and said[0] == said[1]:
            said = duplicates.told_apart(left[key], right[key])
        suggested = {"kept": "one", "gone": "other"}[duplicates.suggested(left, right, key)]
        if key in differing or left[key] == right[key]:
            rows.append(Row(key, str(NAMES[key]), *said, suggested if key in differing else None))
    return rows


def _words(key: str, value: Any) -> str:
    """A fact's value as a person reads it, numbers masked; "" where there is none."""
    text = facts.told(value)
    return fact_views.fact_text(key, text) if text or key == "is_temporary" else ""


def _fuller(one: Resident, other: Resident) -> str:
    """The side with more on record: fewer facts change when that one stays."""
    counts = [
        sum(getattr(person, key) not in (None, "", False) for key in duplicates.FIELDS) for person in (one, other)
    ]
    return "one" if counts[0] >= counts[1] else "other"


def _place(side: Whole) -> str:
    """12号楼 1单元 301."""
    entrance = "" if side.building.is_courtyard else _("%(n)s单元", n=side.dwelling.entrance)
    return " ".join(part for part in (side.building.name, entrance, side.dwelling.room) if part)


def _advice(fault: Fault) -> str:
    """What would be right."""
    words = {
        "left": _("有一个已经不住这里了，或者刚合过。回查重看一眼。"),
        "id_born": _("选的身份证号和出生日期对不上，换一边。"),
        "id_sex": _("选的身份证号和性别对不上，换一边。"),
    }
    return str(words[fault.code])
