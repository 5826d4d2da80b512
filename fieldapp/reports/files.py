"""Coverage as other programs read it: the map's data, a GeoJSON file, a spreadsheet; pure, from figures to bytes."""

from collections.abc import Mapping
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from fieldapp.households.freshness import Freshness, together
from fieldapp.language import day as day_words
from fieldapp.places.models import Community
from fieldapp.places.rules import SeamFault, is_off_size, seam_faults
from fieldapp.reports import rules
from fieldapp.reports.rules import BuildingFigures, Coverage, DistrictFigures, Tally
from fieldapp.visits.rules import Span, month_of, quarter_of, year_of
from geo.geojson import dump

Shapes = dict[UUID, dict[str, Any] | None]


def span_before(name: str, span: Span) -> date:
    """A day in the span before this one."""
    return {"month": month_of, "quarter": quarter_of, "year": year_of}[name](_day_before(span)).first


def _day_before(span: Span) -> date:
    return date.fromordinal(span.first.toordinal() - 1)


def span_after(span: Span, today: date) -> date | None:
    """A day in the span after this one, None when that has not begun."""
    return span.end if span.end <= today else None


def tiling_faults(coverage: Coverage) -> list[tuple[SeamFault, list[str]]]:
    """Where districts overlap or leave a gap, with the names of those that overlap."""
    known = [d for d in coverage.districts if d.geometry]
    return [(f, [known[i].name for i in f.districts]) for f in seam_faults([d.geometry for d in known if d.geometry])]


def sizes_off(coverage: Coverage, community: Community) -> list[DistrictFigures]:
    """The districts further off their size than the community allows."""
    return [
        district
        for district in coverage.districts
        if is_off_size(district.tally.households, community.district_size, community.district_tolerance)
    ]


def whole_buildings(coverage: Coverage) -> dict[UUID, BuildingFigures]:
    """Each building once, its parts in several districts added up."""
    whole: dict[UUID, BuildingFigures] = {}
    for part in coverage.buildings:
        one = whole.setdefault(part.id, BuildingFigures(part.id, part.name, part.district_id, Tally()))
        t = part.tally
        one.tally.add(t.households, t.met_at_door, t.never_met, t.longest_unmet_since)
        if part.district_id is None:
            one.district_id = None
    return whole


def coverage_map(coverage: Coverage, shapes: Shapes, name: str, *, with_links: bool) -> dict[str, Any]:
    """What the coverage map draws: names, numbers, shades and shapes."""
    districts = [
        {
            "name": d.name,
            "met": d.met,
            "households": d.tally.households,
            "shade": rules.shade(d.met, d.tally.households, rules.DISTRICT_STEPS[name]),
            "geometry": d.geometry,
        }
        for d in coverage.districts
        if d.geometry
    ]
    drawn: dict[UUID, dict[str, Any]] = {key: {"geometry": shape} for key, shape in shapes.items() if shape}
    for key, building in whole_buildings(coverage).items():
        if key in drawn:
            tally = building.tally
            drawn[key] |= {
                "name": building.name,
                "met": tally.met_at_door,
                "households": tally.households,
                "shade": rules.shade(tally.met_at_door, tally.households, rules.BUILDING_STEPS[name]),
                "orphan": building.district_id is None,
            }
            if with_links:
                drawn[key]["href"] = url_for("places.building", building_id=key, day=coverage.day)
    return {"mode": "coverage", "districts": districts, "buildings": list(drawn.values())}


def coverage_geojson(coverage: Coverage, shapes: Shapes) -> bytes:
    """Districts, then buildings, as an RFC 7946 file with their figures."""
    span = {"from": coverage.span.first.isoformat(), "to": coverage.day.isoformat()}
    features: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for d in coverage.districts:
        if d.geometry:
            figures = {"kind": "district", "code": d.code, "name": d.name, "lead": d.lead, "partner": d.partner}
            figures |= {"met": d.met, "priority_left": d.priority_left} | _figures(d.tally) | span
            features.append((f"district-{d.code}", figures, d.geometry))
    for key, b in whole_buildings(coverage).items():
        if shape := shapes.get(key):
            features.append((str(key), {"kind": "building", "name": b.name} | _figures(b.tally) | span, shape))
    return dump(features)


def _figures(tally: Tally) -> dict[str, Any]:
    return {
        "households": tally.households,
        "met_at_door": tally.met_at_door,
        "entry_rate": round(tally.entry_rate, 4),
        "never_met": tally.never_met,
    }


def coverage_xlsx(coverage: Coverage, community: Community, fresh: Mapping[UUID, Freshness]) -> bytes:
    """The coverage table as a spreadsheet, one row a district and one for all."""
    book = Workbook()
    del book["Sheet"]
    sheet = book.create_sheet(_("走访覆盖"))
    sheet.append([_plain(f"{community.name} {day_words(coverage.span.first)} – {day_words(coverage.day)}")])
    people, counts = [_("包干区"), _("片长"), _("交叉")], [_("户数"), _("见到"), _("目标"), _("入户率")]
    sheet.append([*people, *counts, _("重点剩"), _("从未见过"), _("最久没见（天）"), _("信息鲜活率")])
    for d in coverage.districts:
        counted = [d.tally.households, d.met, community.quota, d.tally.entry_rate, d.priority_left, d.tally.never_met]
        named = [_plain(name) for name in (d.name, d.lead, d.partner)]
        sheet.append([*named, *counted, longest_unmet(d.tally, coverage.day), fresh.get(d.id, Freshness()).rate])
    total = coverage.total
    summed: list[float | None] = [
        total.households,
        coverage.met,
        None,
        total.entry_rate,
        coverage.priority_left,
        total.never_met,
    ]
    unmet = longest_unmet(total, coverage.day)
    sheet.append([_("全社区"), None, None, *summed, unmet, together(fresh.values()).rate])
    for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)):
        cell.data_type = "s"  # openpyxl takes "=…" for a formula and "#N/A" for an error, whoever bears the name
    for cell in sheet[1] + sheet[2] + sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=3):
        row[6].number_format = row[10].number_format = "0%"
    for column, width in zip("ABCDEFGHIJK", (16, 12, 12, 8, 8, 8, 10, 10, 12, 16, 12), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A3"
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(name: str | None) -> str | None:
    """A name without the signs that no spreadsheet may hold."""
    return name and ILLEGAL_CHARACTERS_RE.sub("", name)


def longest_unmet(tally: Tally, day: date) -> int | None:
    """Days since the household longest unmet was met; never met ones are counted apart. None where nobody was met."""
    return None if tally.longest_unmet_since is None else (day - tally.longest_unmet_since).days
