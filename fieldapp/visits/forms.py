"""What a visit form says, as values; pure, so that a form queued on a phone and one sent at once are read alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from fieldapp.households.freshness import MOST_AT_ONCE, read_token
from fieldapp.visits.rules import ZONE, Outcome, Way

LONGEST_SENTENCE = 500
LONGEST_PROMISE = 200
MOST_TOPICS = 12
EARLIEST = timedelta(days=400)
AHEAD = timedelta(minutes=10)
"""How far a phone's clock may run ahead before its time is refused."""


@dataclass
class VisitDraft:
    """A visit as typed. `faults` maps a field to what is wrong with it; a draft without faults may be recorded."""

    visit_id: UUID | None = None
    outcome: Outcome | None = None
    way: Way = Way.DOOR
    visited_at: datetime | None = None
    companion_id: UUID | None = None
    met_ids: list[UUID] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    confirmed: list[tuple[UUID | None, str]] = field(default_factory=list)
    """The facts that the form showed, by resident (None: the household) and field: "no change" confirms them."""
    sentence: str = ""
    promise: str = ""
    promise_due_on: date | None = None
    longitude: float | None = None
    latitude: float | None = None
    accuracy: float | None = None
    is_urgent: bool = False
    faults: dict[str, str] = field(default_factory=dict)


def read_visit(
    one: Mapping[str, str], many: Mapping[str, Sequence[str]], now: datetime, made_at: datetime | None = None
) -> VisitDraft:
    """Read a visit form. `one` has each field's first value, `many` all values of the fields that repeat; `made_at` is
    when a phone kept it by its own clock, which may be wrong, and stands for a time that was not typed.

    Faults: `outcome` missing, `way` unknown, `time` unreadable, `future`, `ancient`, `long` (too many signs), `date`,
    `id`, `place` (coordinates that are none). An empty field is no fault but the outcome's.
    """
    draft = VisitDraft(sentence=_words(one.get("sentence", "")), promise=_words(one.get("promise", "")))
    draft.is_urgent = bool(one.get("urgent"))
    _read_choices(draft, one)
    _read_time(draft, one, now, made_at or now)
    _read_keys(draft, one, many)
    draft.topics = list(dict.fromkeys(t[:24] for t in map(_words, many.get("topics", ())) if t))[:MOST_TOPICS]
    shown = (read_token(token) for token in many.get("confirmed", ()))
    draft.confirmed = list(dict.fromkeys(fact for fact in shown if fact))[:MOST_AT_ONCE]
    if len(draft.sentence) > LONGEST_SENTENCE:
        draft.faults["sentence"] = "long"
    if len(draft.promise) > LONGEST_PROMISE:
        draft.faults["promise"] = "long"
    if due := one.get("promise_due_on", "").strip():
        try:
            draft.promise_due_on = date.fromisoformat(due)
        except ValueError:
            draft.faults["promise_due_on"] = "date"
    _read_place(draft, one)
    return draft


def _words(text: str) -> str:
    """Text without the sign that PostgreSQL cannot keep."""
    return text.replace("\0", "").strip()


def _read_choices(draft: VisitDraft, one: Mapping[str, str]) -> None:
    try:
        draft.outcome = Outcome(one.get("outcome", ""))
    except ValueError:
        draft.faults["outcome"] = "missing"
    try:
        draft.way = Way(one.get("way") or Way.DOOR)
    except ValueError:
        draft.faults["way"] = "unknown"


def _read_time(draft: VisitDraft, one: Mapping[str, str], now: datetime, made_at: datetime) -> None:
    """`visited_at` is the community's wall clock as `datetime-local` writes it, or an aware ISO 8601 moment.

    What lies ahead of the clock that the writer saw is a slip; what only lies ahead of ours becomes now.
    """
    text = one.get("visited_at", "").strip()
    try:
        moment = datetime.fromisoformat(text) if text else made_at
        moment = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        if moment > max(now, made_at) + AHEAD:
            draft.faults["visited_at"] = "future"
        elif moment < now - EARLIEST:
            draft.faults["visited_at"] = "ancient"
        else:
            draft.visited_at = min(moment, now)
    except (ValueError, OverflowError):
        draft.faults["visited_at"] = "time"


def _read_keys(draft: VisitDraft, one: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> None:
    draft.visit_id = _key(draft, one.get("visit_id"))
    draft.companion_id = _key(draft, one.get("companion_id"))
    met = (_key(draft, text) for text in many.get("met", ()))
    draft.met_ids = list(dict.fromkeys(key for key in met if key))


def _key(draft: VisitDraft, text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        draft.faults["form"] = "id"
        return None


def _read_place(draft: VisitDraft, one: Mapping[str, str]) -> None:
    if not one.get("longitude") or not one.get("latitude"):
        return
    try:
        longitude, latitude = float(one["longitude"]), float(one["latitude"])
        accuracy = float(one.get("accuracy") or 0)
    except ValueError:
        draft.faults["place"] = "place"
        return
    if not (abs(longitude) <= 180 and abs(latitude) <= 90 and 0 <= accuracy < 1e6):
        draft.faults["place"] = "place"
        return
    draft.longitude, draft.latitude, draft.accuracy = longitude, latitude, accuracy
