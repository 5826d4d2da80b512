"""What happened in a household, as a form at its door says it: people come, go, are born, die, marry; it splits.

Pure. From when on an event counts: a month that is over keeps its figures, so whatever is heard of late counts from
the first day of the month in which it was written down; the event itself keeps its true day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fieldapp.households import facts, reading
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, EventKind, Occupancy, Sighting, occupancy_timeline

MOST_PEOPLE = 4
"""Rows for new people on a form."""
HOMES = (Occupancy.OWN, Occupancy.RENT, Occupancy.LODGING)
"""How those who move in may live there."""
MARRIED = ("20", "21", "22", "23")
"""GB/T 2261.2: married, for the first time, again, the same person again."""
DISPUTE_REVIEW = timedelta(days=90)
"""How long after a dispute somebody asks whether it is over (001 邻里矛盾纠纷)."""
WITH_NEW = (EventKind.MOVED_IN, EventKind.BORN, EventKind.TENANTS)
"""Events that bring somebody new."""
WITH_WHO = (EventKind.MOVED_OUT, EventKind.DIED, EventKind.MARRIED, EventKind.SPLIT)
"""Events that happen to somebody who lives here."""


@dataclass(frozen=True)
class NewPerson:
    """Somebody who is new in a household; what is not known is None."""

    name: str
    relation: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    phone: str | None = None


@dataclass
class EventDraft:
    """What an event's form says. With faults (by field) it must not be recorded.

    `who` are people who live here, `everyone` all of them, `head` who is the head from then on.
    """

    kind: EventKind | None
    happened_on: date
    people: list[NewPerson] = field(default_factory=list)
    who: list[UUID] = field(default_factory=list)
    everyone: bool = False
    head: UUID | None = None
    occupancy: Occupancy | None = None
    marital: str = MARRIED[0]
    is_temporary: bool = False
    note: str | None = None
    faults: dict[str, Fault] = field(default_factory=dict)


def read_event(form: Mapping[str, str], many: Mapping[str, Sequence[str]], today: date, said_on: date) -> EventDraft:
    """Read an event's form; a day that is not named is `said_on`, the day it was filled in.

    Faults: those of the readers in `facts`; `future`; `kind`, `form` (not one of ours); `people` (nobody new named),
    `name` (a row without a name), `who` (nobody chosen), `one` (more than one chosen).
    """
    known = {kind.value: kind for kind in EventKind}
    draft = EventDraft(known.get(form.get("kind", "")), said_on)
    if draft.kind is None:
        draft.faults["kind"] = Fault("kind")
        return draft
    _read_day(draft, form, today, said_on)
    _read_people(draft, form, today)
    _read_who(draft, form, many)
    _read_choices(draft, form)
    return draft


def _read_day(draft: EventDraft, form: Mapping[str, str], today: date, said_on: date) -> None:
    text = form.get("happened_on", "")
    try:
        draft.happened_on = reading.read_date(text) if reading.clean(text) else min(said_on, today)
        if draft.happened_on > today:
            raise Fault("future")
    except Fault as fault:
        draft.happened_on = min(said_on, today)
        draft.faults["happened_on"] = fault


def _read_people(draft: EventDraft, form: Mapping[str, str], today: date) -> None:
    if draft.kind not in (*WITH_NEW, EventKind.MARRIED):
        return
    for number in range(1, MOST_PEOPLE + 1):
        if person := _read_person(draft, form, number, today):
            draft.people.append(person)
    if draft.kind in WITH_NEW and not draft.people and not draft.faults:
        draft.faults["name-1"] = Fault("people")
    if sum(person.relation == HEAD for person in draft.people) > 1:
        draft.faults["relation-2"] = Fault("two_heads")


def _read_person(draft: EventDraft, form: Mapping[str, str], number: int, today: date) -> NewPerson | None:
    """A row of the form; None for an empty one."""
    typed = {key: reading.clean(form.get(f"{key}-{number}", "")) for key in _OF_PERSON}
    if not any(typed.values()):
        return None
    values: dict[str, Any] = {}
    for key, text in typed.items():
        try:
            values[key] = facts.OF_RESIDENT[key].read(text, today) if text else None
        except Fault as fault:
            draft.faults[f"{key}-{number}"] = fault
    if not typed["name"]:
        draft.faults[f"name-{number}"] = Fault("name")
    if draft.faults:
        return None
    if draft.kind is EventKind.BORN:
        values["birth_date"] = draft.happened_on
    return NewPerson(**values)


_OF_PERSON = ("name", "relation", "sex", "birth_date", "phone")


def _read_who(draft: EventDraft, form: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> None:
    if draft.kind not in (*WITH_WHO, EventKind.TENANTS):
        return
    try:
        draft.who = list(dict.fromkeys(UUID(key) for key in many.get("who", ()) if key))
        draft.head = UUID(form["head"]) if form.get("head") else None
    except ValueError:
        draft.faults["form"] = Fault("form")
        return
    draft.everyone = bool(form.get("everyone")) and draft.kind in (EventKind.MOVED_OUT, EventKind.TENANTS)
    if draft.kind in WITH_WHO and not draft.who and not draft.everyone:
        draft.faults["who"] = Fault("who")
    if draft.kind in (EventKind.DIED, EventKind.MARRIED) and len(draft.who) > 1:
        draft.faults["who"] = Fault("one")


def _read_choices(draft: EventDraft, form: Mapping[str, str]) -> None:
    draft.is_temporary = bool(form.get("is_temporary"))
    home, marital = form.get("occupancy", ""), form.get("marital", "")
    if home and home not in HOMES:
        draft.faults["form"] = Fault("form")
    draft.occupancy = Occupancy(home) if home in HOMES else None
    if marital and marital not in MARRIED:
        draft.faults["form"] = Fault("form")
    draft.marital = marital if marital in MARRIED else MARRIED[0]
    try:
        draft.note = reading.words(200)(form.get("note", "")) or None
    except Fault as fault:
        draft.faults["note"] = fault


def counted_from(happened_on: date, today: date) -> date:
    """From which day on an event counts: its own, but no earlier than the first of the month it is written down in."""
    return max(happened_on, today.replace(day=1))


def stands_from(
    occupancy: Occupancy, today: date, registered: Iterable[tuple[date, Occupancy]], sightings: Iterable[Sighting]
) -> date:
    """From which day on a new occupancy must be registered so that it is what holds from now on.

    Today; the day after, where a visit of today saw it otherwise: on one day a visit comes after the registry.
    """
    known, seen = list(registered), list(sightings)
    stands = occupancy_timeline([*known, (today, occupancy)], seen)
    if stands[-1].occupancy == occupancy:
        return today
    return max([today, *(day for day, _ in known), *(sighting.day + timedelta(days=1) for sighting in seen)])
