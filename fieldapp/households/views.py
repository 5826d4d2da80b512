"""A household's page, and finding people and doors."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, g, render_template, request
from flask_babel import lazy_gettext as _l

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.guard import actor, community, roles
from fieldapp.households import duplicate_queries, queries, rules
from fieldapp.households.duplicate_queries import Twin
from fieldapp.households.freshness import Known, facts_of, months_unseen, to_confirm
from fieldapp.language import translated as _
from fieldapp.sync import queries as sync
from fieldapp.visits import folders
from fieldapp.visits.folders import Folder

bp = Blueprint("households", __name__)

_RELATIONS = {
    "01": _l("户主"),
    "02": _l("户主"),
    "03": _l("户主"),
    "10": _l("配偶"),
    "11": _l("丈夫"),
    "12": _l("妻子"),
    "20": _l("儿子"),
    "28": _l("女婿"),
    "30": _l("女儿"),
    "38": _l("儿媳"),
    "40": _l("孙辈"),
    "41": _l("孙子"),
    "42": _l("孙女"),
    "43": _l("外孙"),
    "44": _l("外孙女"),
    "50": _l("父母"),
    "51": _l("父亲"),
    "52": _l("母亲"),
    "53": _l("公公"),
    "54": _l("婆婆"),
    "55": _l("岳父"),
    "56": _l("岳母"),
    "60": _l("祖辈"),
    "61": _l("祖父"),
    "62": _l("祖母"),
    "70": _l("兄弟姐妹"),
    "71": _l("哥哥"),
    "73": _l("弟弟"),
    "75": _l("姐姐"),
    "77": _l("妹妹"),
    "99": _l("不是亲属"),
}


@bp.app_template_global()
def age(birth_date: date) -> int:
    """Completed years today."""
    return rules.age_on(birth_date, clock.today())


@bp.app_template_global()
def sex_word(code: str | None) -> str:
    """男, 女, or nothing where it is not known (GB/T 2261.1)."""
    return {"1": _("男"), "2": _("女")}.get(code or "", "")


@bp.app_template_global()
def relation_word(code: str | None) -> str:
    """A relation to the head as one says it (GB/T 4761): the code's own word where there is a usual one."""
    if not code:
        return ""
    words: dict[str, str] = g.setdefault("relation_words", {})
    if code not in words:  # once a request: a pack says a thousand of them
        word = _RELATIONS.get(code) or _RELATIONS.get(code[0] + "0")
        words[code] = str(word) if word else _("亲属")
    return words[code]


bp.add_app_template_global(rules.mask_id_number)
bp.add_app_template_global(rules.mask_phone)


@bp.app_template_global()
def confirming(facts: list[Known]) -> list[Known]:
    """The facts that come up at a visit today."""
    return to_confirm(facts, clock.today())


@bp.app_template_global()
def unseen_word(fact: Known) -> str:
    """How long ago a fact was last looked at: 8 个月没核, 还没核过."""
    if fact.verified_on is None:
        return _("还没核过")
    months = months_unseen(fact.verified_on, clock.today())
    return _("%(n)s 个月没核", n=months) if months else _("%(n)s 天没核", n=(clock.today() - fact.verified_on).days)


@bp.get("/households/<uuid:household_id>")
@roles(Role.WORKER, Role.DIRECTOR)
def show(household_id: UUID) -> str:
    """Who lives here, why they are visited, the last visits, what is open."""
    found = folders.folder(db.session(), actor(), clock.today(), community().routine_days, household_id)
    if found is None:
        abort(404)
    sync.with_clocks(db.session(), found.visits)
    return household_page(found, duplicate_queries.twins_of(db.session(), actor(), found.residents))


def known_facts(folder: Folder) -> list[Known]:
    """The facts of a household that have a rhythm, the longest unseen first."""
    return facts_of(folder.address.household, folder.residents, folder.verified, community().registry_settings)


def household_page(folder: Folder, twins: Sequence[Twin] = ()) -> str:
    """The page of a household, from all that is known of it; `twins`: who of it is on record elsewhere too."""
    return render_template(
        "households/show.html",
        address=folder.address,
        door=folder.door,
        residents=folder.residents,
        cares=folder.cares,
        last_met=folder.last_met,
        visits=folder.visits,
        visit_count=folder.visit_count,
        promises=folder.promises,
        proposals=folder.proposals,
        facts=known_facts(folder),
        twins=twins,
    )


@bp.post("/households/search")
@roles(Role.WORKER, Role.DIRECTOR)
def search() -> str:
    """Find a household. Posted, so that no name ever stands in an address or a log."""
    text = request.form.get("q", "")[:40]
    found = queries.search(db.session(), actor(), text)
    template = "households/_found.html" if request.htmx else "households/search.html"  # type: ignore[attr-defined]
    if request.htmx and not text.strip():  # type: ignore[attr-defined]
        return ""
    return render_template(template, found=found)
