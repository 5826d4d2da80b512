"""Shops and work units: the list, a shop's page, its facts and its checks."""

from uuid import UUID

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from fieldapp import clock, db
from fieldapp.accounts.rules import Role
from fieldapp.db import uuid7
from fieldapp.guard import actor, roles
from fieldapp.language import translated as _
from fieldapp.pages import done_at, go, outbox_item, refuse
from fieldapp.premises import operations, queries, rules
from fieldapp.premises.queries import Shop
from fieldapp.premises.rules import Finding
from fieldapp.visits.rules import day_of

bp = Blueprint("premises", __name__)

FINDING_WORDS = {
    Finding.EXTINGUISHER: _l("灭火器没有或过期"),
    Finding.EXIT: _l("出口堵了"),
    Finding.WIRING: _l("电线乱拉"),
    Finding.GAS: _l("燃气不安全"),
    Finding.SLEEPING: _l("店里住人"),
    Finding.LICENCE: _l("没亮证照"),
    Finding.HYGIENE: _l("卫生不好"),
}

Answer = AnyResponse | str | tuple[str, int]


@bp.app_template_global()
def finding_word(code: str) -> str:
    """A finding in words."""
    return str(FINDING_WORDS[Finding(code)]) if code in set(Finding) else code


@bp.get("/shops")
@roles(Role.WORKER, Role.DIRECTOR)
def index() -> str:
    """The shops, those to be checked first."""
    return shops_page(queries.shops(db.session(), actor()))


def shops_page(shops: list[Shop]) -> str:
    """The list of shops."""
    due = [shop for shop in shops if rules.is_due(shop.checked_on, clock.today())]
    return render_template("premises/index.html", due=due, others=[shop for shop in shops if shop not in due])


@bp.get("/shops/<uuid:dwelling_id>")
@roles(Role.WORKER, Role.DIRECTOR)
def show(dwelling_id: UUID) -> str:
    """A shop's page."""
    return shop_page(_shop(dwelling_id))


def shop_page(shop: Shop, typed: dict[str, str] | None = None, faults: dict[str, str] | None = None) -> str:
    """What is known of a shop, what is to be put right, the form of a check, the last checks."""
    code = shop.premise.credit_code if shop.premise else None
    return render_template(
        "premises/show.html",
        shop=shop,
        typed=typed or {},
        faults=faults or {},
        code_fault=code and rules.credit_code_fault(code),
        findings=FINDING_WORDS,
        is_due=rules.is_due(shop.checked_on, clock.today()),
    )


@bp.post("/shops/<uuid:dwelling_id>/facts")
@roles(Role.WORKER, Role.DIRECTOR)
def change(dwelling_id: UUID) -> Answer:
    """Write down what is known of a shop."""
    shop = _shop(dwelling_id)
    facts, faults = rules.read_facts(request.form.to_dict())
    if facts is None:
        words = {name: _fact_advice(name, fault) for name, fault in faults.items()}
        return _faulty(shop, words)
    operations.change_facts(db.session(), actor(), shop.dwelling, facts, done_at())
    db.session().commit()
    flash(_("改好了。"))
    return go(url_for("premises.show", dwelling_id=dwelling_id))


@bp.post("/shops/<uuid:dwelling_id>/checks")
@roles(Role.WORKER, Role.DIRECTOR)
def check(dwelling_id: UUID) -> Answer:
    """Log a check."""
    shop, typed = _shop(dwelling_id), request.form
    found, fault = rules.read_check(typed.getlist("findings"), typed.get("sentence", ""), bool(typed.get("fine")))
    if found is None:
        return _faulty(shop, {"check": _check_advice(fault or "")})
    at = done_at()
    operations.record_check(db.session(), actor(), shop.dwelling, found, at, day_of(at), clock.now(), _key())
    db.session().commit()
    flash(_("检查记下了。"))
    return go(url_for("premises.show", dwelling_id=dwelling_id))


@bp.post("/shop-findings/<uuid:finding_id>/end")
@roles(Role.WORKER, Role.DIRECTOR)
def put_right(finding_id: UUID) -> AnyResponse:
    """Somebody has seen that it was put right."""
    finding = queries.finding(db.session(), actor(), finding_id)
    if finding is None:
        abort(404)
    operations.put_right(finding, actor(), done_at())
    db.session().commit()
    return go(url_for("premises.show", dwelling_id=finding.dwelling_id))


def _shop(dwelling_id: UUID) -> Shop:
    found = queries.shop(db.session(), actor(), dwelling_id)
    if found is None:
        abort(404)
    return found


def _key() -> UUID:
    """The check's own key: the item's of a phone's outbox, or the form's."""
    if item := outbox_item():
        return item.id
    try:
        return UUID(request.form["check_id"]) if request.form.get("check_id") else uuid7()
    except ValueError:
        abort(422, _("没收全，重新打开这一页再记。"))


def _faulty(shop: Shop, faults: dict[str, str]) -> Answer:
    if outbox_item():
        return refuse("；".join(faults.values()), faults)
    return shop_page(shop, request.form.to_dict(), faults), 422


def _fact_advice(name: str, fault: str) -> str:
    if fault == "number":
        return _("住几个人写数字，没有人住写 0。")
    return _("太长，最多 %(n)s 个字", n=rules.LONGEST[name])


def _check_advice(fault: str) -> str:
    words = {
        "choose": _("点一下“都没问题”，或者点出问题来。"),
        "both": _("点了“都没问题”，就不要再点问题。"),
        "long": _("太长，最多 %(n)s 个字", n=rules.LONGEST["sentence"]),
    }
    return words.get(fault) or _("没收全，重新打开这一页再记。")
