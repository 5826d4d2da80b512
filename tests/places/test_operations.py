"""Changes of people and settings hold from a day on; what held before stays with its days."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.places import operations, queries
from fieldapp.places.models import Assignment
from fieldapp.places.rules import ALWAYS, FOREVER
from fieldapp.visits.rules import day_of
from tests.conftest import NOW
from tests.factories import Cast

TODAY = day_of(NOW)
YESTERDAY, LAST_MONTH = date(2026, 11, 17), date(2026, 10, 31)


def people(session: Session, cast: Cast, day: date, district: str = "1") -> tuple[str | None, str | None]:
    """Lead and partner of a district on a day."""
    session.flush()
    [found] = [d for d in queries.districts_on(session, cast.actor("director"), day) if d.code == district]
    return found.lead, found.partner


def assign(session: Session, cast: Cast, since: date = TODAY, **parts: str | None) -> None:
    """Say who is lead or partner of district 1 from a day on."""
    wanted = {("1", part): cast.users[name].id if name else None for part, name in parts.items()}
    operations.assign_people(session, cast.actor("director"), wanted, since)
    session.flush()


def rows(session: Session, cast: Cast, part: str) -> list[tuple[date, date]]:
    statement = select(Assignment).where(Assignment.district_id == cast.district.id, Assignment.part == part)
    return sorted((row.since, row.until) for row in session.scalars(statement))


def test_a_change_of_people_holds_from_today_and_past_days_keep_theirs(session: Session, cast: Cast) -> None:
    assign(session, cast, lead="other")
    assert people(session, cast, TODAY) == ("other", "partner")
    assert people(session, cast, YESTERDAY) == ("worker", "partner")
    assert people(session, cast, LAST_MONTH) == ("worker", "partner")
    assert rows(session, cast, "lead") == [(ALWAYS, TODAY), (TODAY, FOREVER)]
    assert queries.district_ids_of(session, cast.users["worker"].id, YESTERDAY) == {cast.district.id}
    assert queries.district_ids_of(session, cast.users["worker"].id, TODAY) == frozenset()
    assert queries.district_ids_of(session, cast.users["other"].id, TODAY) == {cast.district.id, cast.second.id}


def test_a_second_change_on_the_same_day_replaces_the_first(session: Session, cast: Cast) -> None:
    assign(session, cast, lead="other")
    assign(session, cast, lead="partner")
    assert people(session, cast, TODAY) == ("partner", "partner")
    assert people(session, cast, YESTERDAY) == ("worker", "partner")
    assert len(rows(session, cast, "lead")) == 2


def test_the_same_person_again_changes_nothing(session: Session, cast: Cast) -> None:
    assign(session, cast, lead="worker", partner="partner")
    assert rows(session, cast, "lead") == [(ALWAYS, FOREVER)]


def test_nobody_may_answer_for_a_part_from_today_on(session: Session, cast: Cast) -> None:
    assign(session, cast, partner=None)
    assert people(session, cast, TODAY) == ("worker", None)
    assert people(session, cast, YESTERDAY) == ("worker", "partner")
    assign(session, cast, partner="other")
    assign(session, cast, partner=None)
    assert rows(session, cast, "partner") == [(ALWAYS, TODAY)]


def test_parts_and_districts_that_are_not_named_keep_their_people(session: Session, cast: Cast) -> None:
    assign(session, cast, lead="other")
    assert people(session, cast, TODAY, "2") == ("other", None)
    assert rows(session, cast, "partner") == [(ALWAYS, FOREVER)]


def test_a_director_changes_only_the_people_of_their_own_community(session: Session, cast: Cast) -> None:
    operations.assign_people(session, cast.actor("stranger"), {("1", "lead"): cast.users["neighbour"].id}, TODAY)
    assert people(session, cast, TODAY) == ("worker", "partner")


@pytest.mark.parametrize(
    ("name", "value"),
    [("quota", 25), ("routine_days", 60), ("tiles_url", None), ("topics", ["门铃"]), ("language", "en")],
)
def test_a_setting_is_kept(session: Session, cast: Cast, name: str, value: object) -> None:
    operations.change_settings(cast.community, {name: value})
    session.commit()
    session.expire_all()
    assert getattr(queries.community_by_code(session, "c1"), name) == value


def test_a_district_keeps_the_boundary_of_each_day(session: Session, cast: Cast) -> None:
    who = cast.actor("director")
    [old, *_] = queries.districts_on(session, who, TODAY)
    assert old.geometry is not None
    moved = {"type": "Polygon", "coordinates": [[[x + 0.1, y] for x, y in old.geometry["coordinates"][0]]]}
    from_boundary = operations.placements.open_boundaries(session, who)[cast.district.id]
    assert operations.set_boundary(session, cast.district, moved, TODAY, from_boundary)
    session.flush()
    assert queries.districts_on(session, who, YESTERDAY)[0].geometry == old.geometry
    assert queries.districts_on(session, who, TODAY)[0].geometry == moved


def test_a_closed_district_is_there_until_its_last_day(session: Session, cast: Cast) -> None:
    cast.second.closed_on = TODAY
    session.flush()
    who = cast.actor("director")
    assert [d.code for d in queries.districts_on(session, who, TODAY)] == ["1"]
    assert [d.code for d in queries.districts_on(session, who, YESTERDAY)] == ["1", "2"]
