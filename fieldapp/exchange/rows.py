"""New rows of the registry as values, for inserts of thousands at once."""

from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from fieldapp.db import uuid7
from fieldapp.exchange.drafts import HouseholdDraft, Person
from fieldapp.households.models import sealed_columns
from fieldapp.households.rules import Occupancy, Stand, pinyin_keys
from fieldapp.places.rules import FOREVER

keys_of = lru_cache(maxsize=20_000)(pinyin_keys)
"""Names repeat: the 12,500 people of a large community have about 8,000."""

Values = dict[str, Any]


def household(community_id: UUID, dwelling_id: UUID, draft: HouseholdDraft) -> Values:
    """A household; of its occupancy nothing is known where nothing is said."""
    return {
        "id": uuid7(),
        "community_id": community_id,
        "dwelling_id": dwelling_id,
        "number": draft.number,
        "occupancy": draft.occupancy or Occupancy.UNKNOWN,
        "moved_in_on": draft.moved_in,
        "note": draft.note,
    }


def period(community_id: UUID, household_id: UUID, stand: Stand) -> Values:
    """A stand of a household's occupancy timeline."""
    return {
        "id": uuid7(),
        "community_id": community_id,
        "household_id": household_id,
        "since": stand.since,
        "until": stand.until,
        "occupancy": stand.occupancy,
        "visit_id": stand.visit_id,
    }


def resident(community_id: UUID, household_id: UUID, place: int, person: Person) -> Values:
    """A resident, with what search looks for."""
    pinyin, initials = keys_of(person.name)
    key = uuid7()
    return {
        "id": key,
        "community_id": community_id,
        "household_id": household_id,
        "position": place,
        "name": person.name,
        "pinyin": pinyin,
        "initials": initials,
        "relation": person.relation,
        "sex": person.sex,
        "birth_date": person.birth_date,
        **sealed_columns(key, person.id_number, person.phone),
        "registered_at": person.registered_at,
        "is_temporary": bool(person.temporary),
    }


def membership(community_id: UUID, household_id: UUID, resident_id: UUID | None, group_id: UUID, day: date) -> Values:
    """A care membership from a day on; `resident_id` None is the whole household's."""
    return {
        "id": uuid7(),
        "community_id": community_id,
        "household_id": household_id,
        "resident_id": resident_id,
        "group_id": group_id,
        "since": day,
        "until": FOREVER,
    }
