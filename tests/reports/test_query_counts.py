"""Query counts do not grow with the doors: as many statements for sixty as for four."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.visits.rules import day_of
from tests.conftest import NOW
from tests.factories import (
    Cast,
    make_building,
    make_care,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_visit,
)

PAGES = {
    "/today": ("worker", 16),
    "/today?all=1": ("worker", 16),
    "/map": ("worker", 16),
    "/households/{household}": ("worker", 18),
    "/households/{household}/visits": ("worker", 12),
    "/households/{household}/history": ("worker", 9),
    "/households/{household}/visits/new": ("worker", 18),
    "/buildings/{building}": ("worker", 16),
    "/buildings/{building}?day=2026-10-31": ("director", 16),
    "/overview": ("director", 20),
    "/coverage": ("director", 20),
    "/coverage?span=year": ("director", 20),
    "/coverage?day=2026-10-05": ("director", 20),
    "/coverage?community={community}": ("street", 20),
    "/coverage.geojson": ("director", 20),
    "/coverage.xlsx": ("director", 20),
}
"""Each page, who opens it, and the most statements that it may take: room for one or two more, not for one a door."""


def grow(session: Session, cast: Cast) -> None:
    """Fifty-six more doors in two more buildings, with people, visits, care and promises."""
    user, group = cast.users["worker"], make_group(session, cast.community)
    buildings = [cast.building, make_building(session, cast.community, "13号楼")]
    buildings.append(make_building(session, cast.community, "14号楼"))
    for n in range(56):
        building = buildings[n % 3]
        dwelling = make_dwelling(session, building, cast.district, f"{n // 4 + 7}{n % 4 + 1:02d}", entrance=n % 2 + 1)
        home = make_household(session, dwelling, f"李{n}")
        furnish(session, home, user, group, n)
    furnish(session, cast.households[0], user, group, 12)
    session.commit()


def furnish(session: Session, home: Any, user: Any, group: Any, n: int) -> None:
    for child in range(n % 3 + 1):
        make_resident(session, home, f"孩{child}", position=child + 1)
    for days in range(0, 40, n % 7 + 5):
        make_visit(session, home, user, NOW - timedelta(days=days), ("met", "nobody", "refused")[(n + days) % 3])
    if n % 2 == 0:
        make_care(session, home, group, day_of(NOW) - timedelta(days=40))
        make_follow_up(session, home, user, due_on=day_of(NOW) - timedelta(days=n % 5))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_takes_as_many_statements_for_sixty_doors_as_for_four(
    session: Session,
    cast: Cast,
    sign_in: Callable[[str], Any],
    count_queries: Callable[[], int],
    page: str,
) -> None:
    who, most = PAGES[page]
    address = page.format(household=cast.households[0].id, building=cast.building.id, community=cast.community.id)
    person = sign_in(who)

    def statements() -> int:
        before = count_queries()
        answer = person.get(address)
        assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
        return count_queries() - before

    few = statements()
    grow(session, cast)
    assert statements() == few <= most
