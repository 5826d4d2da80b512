"""A community's settings as typed; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fieldapp.places import basemaps

NUMBERS = {
    "quota": (1, 500),
    "district_size": (20, 2000),
    "district_tolerance": (1, 100),
    "routine_days": (7, 730),
    "quiet_days": (1, 90),
}
"""The settings that are whole numbers, with the least and the most they may be."""

RHYTHM = (1, 730)


@dataclass
class Settings:
    """What was typed. `faults` maps a field to its fault.

    They are `number`, `basemap`, `key`, `tiles`, `needed`, `language`, `person`, `same`, `long`.
    """

    values: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    new_group: dict[str, Any] | None = None
    people: dict[tuple[str, str], UUID | None] = field(default_factory=dict)
    registry: dict[str, Any] | None = None
    """Of the registry which fields are `off`, and the `rhythms` in days; None where the form has nothing of it."""
    faults: dict[str, str] = field(default_factory=dict)


def read_settings(
    form: Mapping[str, str],
    *,
    groups: Sequence[str],
    districts: Sequence[str],
    workers: Sequence[UUID],
    fields: Sequence[str] = (),
    rhythms: Sequence[str] = (),
) -> Settings:
    """Read the settings form: `NUMBERS`, basemap, language, topics, care groups' rhythms, districts' people."""
    read = Settings()
    for name, (least, most) in NUMBERS.items():
        number = _whole(form.get(name, ""), least, most)
        if number is None:
            read.faults[name] = "number"
        read.values[name] = number
    _read_basemap(read, form)
    language = form.get("language", "zh_Hans")
    if language not in ("zh_Hans", "en"):
        read.faults["language"] = "language"
    read.values["language"] = language
    topics = [t.strip() for t in form.get("topics", "").replace("，", "、").replace(",", "、").split("、") if t.strip()]
    if any(len(topic) > 12 for topic in topics) or len(topics) > 30:
        read.faults["topics"] = "long"
    read.values["topics"] = list(dict.fromkeys(topics))
    for code in groups:
        read.groups[code] = _read_group(read, form, f"group-{code}")
    if form.get("group-new-name", "").strip():
        read.new_group = _read_group(read, form, "group-new") | {"name": form["group-new-name"].strip()}
        if len(read.new_group["name"]) > 12:
            read.faults["group-new-name"] = "long"
    _read_people(read, form, districts, workers)
    if form.get("registry"):
        _read_registry(read, form, fields, rhythms)
    return read


def _whole(text: str, least: int, most: int) -> int | None:
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not least <= int(text) <= most:
        return None
    return int(text)


def _read_basemap(read: Settings, form: Mapping[str, str]) -> None:
    """The kind of basemap with the key or the address that it needs; what another kind needs is kept where it is sound.

    A form that names no kind has tiles in WGS-84 where it has an address.
    """
    key, url = form.get("tiles_key", "").strip(), form.get("tiles_url", "").strip()
    kind = form.get("basemap", "") or ("wgs84" if url else "none")
    if kind not in basemaps.KINDS:
        read.faults["basemap"] = "basemap"
    if kind == "tianditu" and not basemaps.is_key(key):
        read.faults["tiles_key"] = "key" if key else "needed"
    if kind in basemaps.BY_ADDRESS and not basemaps.is_address(url):
        read.faults["tiles_url"] = "tiles" if url else "needed"
    read.values["basemap"] = kind
    read.values["tiles_key"] = key if basemaps.is_key(key) else None
    read.values["tiles_url"] = url if basemaps.is_address(url) else None
    read.values["tiles_attribution"] = form.get("tiles_attribution", "").strip()[:200] or None


def _read_group(read: Settings, form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "active": bool(form.get(f"{prefix}-active")) or prefix == "group-new",
        "is_sensitive": bool(form.get(f"{prefix}-sensitive")),
    }
    for name in ("every_days", "within_days"):
        text = form.get(f"{prefix}-{name}", "").strip()
        values[name] = _whole(text, *RHYTHM) if text else None
        if text and values[name] is None:
            read.faults[f"{prefix}-{name}"] = "number"
    return values


def _read_registry(read: Settings, form: Mapping[str, str], fields: Sequence[str], rhythms: Sequence[str]) -> None:
    """Which fields the registry keeps (ticked), and how many days may pass between two looks at one."""
    days = {}
    for name in rhythms:
        text = form.get(f"rhythm-{name}", "").strip()
        if text and (number := _whole(text, *RHYTHM)):
            days[name] = number
        elif text:
            read.faults[f"rhythm-{name}"] = "number"
    read.registry = {"off": [name for name in fields if not form.get(f"keep-{name}")], "rhythms": days}


def _read_people(read: Settings, form: Mapping[str, str], districts: Sequence[str], workers: Sequence[UUID]) -> None:
    for code in districts:
        for part in ("lead", "partner"):
            text = form.get(f"{part}-{code}")
            if text is None:
                continue
            try:
                person = UUID(text) if text else None
            except ValueError:
                person = None
                read.faults[f"{part}-{code}"] = "person"
            if person and person not in workers:
                read.faults[f"{part}-{code}"] = "person"
            read.people[code, part] = person
        if (both := read.people.get((code, "lead"))) and both == read.people.get((code, "partner")):
            read.faults[f"partner-{code}"] = "same"
