"""A town on the cast's two districts: the first has too many households, the second too few."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.orm import Session

from fieldapp.db import uuid7
from fieldapp.households.models import Household, OccupancyPeriod
from fieldapp.places.models import Building, District, Dwelling, Placement
from tests.factories import Cast, make_building

SIZE = 20
"""Households wanted in a district."""


def make_block(
    session: Session, cast: Cast, name: str, at: tuple[float, float], shares: Sequence[int], district: District
) -> Building:
    """A block with so many homes behind its entrances, two on a floor; of one household each, nobody known."""
    building = make_building(session, cast.community, name, longitude=at[0], latitude=at[1], entrances=len(shares))
    of = {"community_id": cast.community.id}
    doors = [
        {
            "id": uuid7(),
            "building_id": building.id,
            "district_id": district.id,
            "entrance": entrance,
            "floor": i // 2 + 1,
            "column": i % 2 + 1,
            "room": f"{i // 2 + 1}{i % 2 + 1:02d}",
            **of,
        }
        for entrance, share in enumerate(shares, 1)
        for i in range(share)
    ]
    homes = [{"id": uuid7(), "dwelling_id": door["id"], "occupancy": "own", **of} for door in doors]
    periods = [{"household_id": home["id"], "occupancy": "own", **of} for home in homes]
    placements = [{"dwelling_id": door["id"], "district_id": district.id, **of} for door in doors]
    for model, rows in ((Dwelling, doors), (Household, homes), (OccupancyPeriod, periods), (Placement, placements)):
        if rows:
            session.execute(insert(model), rows)
    return building


def make_town(session: Session, cast: Cast) -> dict[str, Building]:
    """Blocks by name: 1甲 to 1丁 in the first district (26 households), 2甲 to 2乙 in the second (11)."""
    cast.community.district_size = SIZE
    places = {
        "1甲": ((120.3002, 31.5703), (3, 3), cast.district),
        "1乙": ((120.3002, 31.5715), (5,), cast.district),
        "1丙": ((120.3014, 31.5703), (3, 2), cast.district),
        "1丁": ((120.3017, 31.5715), (3, 3), cast.district),
        "2甲": ((120.3024, 31.5703), (5,), cast.second),
        "2乙": ((120.3032, 31.5715), (3, 2), cast.second),
    }
    made = {name: make_block(session, cast, name, *place) for name, place in places.items()}
    session.commit()
    return made
