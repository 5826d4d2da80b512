"""The facts about the doors that a phone counts, searches and finds the next door by; pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fieldapp.households.rules import FoundBy
from fieldapp.visits.doors import Door, WayOn, progress
from fieldapp.visits.rules import is_priority_left, month_of

NEXT_DOORS = 5


def door_facts(doors: Sequence[Door], met: int, quota: int, found: Mapping[UUID, FoundBy], day: date) -> dict[str, Any]:
    """The doors with somebody behind them, each with its state and the doors to go to next, by their index.

    `met` is how many households were met this month, `found` how a household is found.
    """
    month, sums = month_of(day), progress(doors, met, quota, day)
    lived_in = [(door.household_id, door) for door in doors if door.household_id and door.facts.occupied]
    buildings = list({door.building_id: door for _, door in lived_in}.values())
    place = {door.building_id: index for index, door in enumerate(buildings)}
    index: dict[UUID | None, int] = {key: number for number, (key, _) in enumerate(lived_in)}
    unknown = FoundBy(None, ())
    way = WayOn(doors)
    return {
        "day": day.isoformat(),
        "month": f"{day:%Y-%m}",
        "quota": quota,
        "met": met,
        "priority_left": sums.priority_left,
        "working_days_left": sums.working_days_left,
        "buildings": [{"id": str(b.building_id), "name": b.building, "courtyard": b.is_courtyard} for b in buildings],
        "doors": [
            {
                "h": str(key),
                "b": place[door.building_id],
                "e": door.entrance,
                "f": door.floor,
                "r": door.room,
                "n": door.head,
                "p": found.get(key, unknown).pinyin,
                "t": found.get(key, unknown).phone_tails,
                "s": door.state,
                "met": door.facts.last_met_on is not None and door.facts.last_met_on in month,
                "pri": is_priority_left(door.due_on, month),
                "next": [index[following.household_id] for following in way.from_door(door, NEXT_DOORS)],
            }
            for key, door in lived_in
        ],
    }
