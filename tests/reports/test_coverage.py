"""Coverage on both databases: the same figures as the pure rules give, for any month, whatever changed later."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fieldapp.db import uuid7
from fieldapp.households.models import Household, OccupancyPeriod
from fieldapp.households.rules import Occupancy
from fieldapp.places import operations as places
from fieldapp.places import queries as place_queries
from fieldapp.places.models import District, Dwelling, Placement
from fieldapp.places.rules import ALWAYS, FOREVER
from fieldapp.reports import files, queries
from fieldapp.reports.rules import Coverage, DistrictFigures
from fieldapp.visits import door_queries, operations
from fieldapp.visits import queries as visits
from fieldapp.visits.forms import VisitDraft
from fieldapp.visits.models import Visit
from fieldapp.visits.rules import (
    MET,
    ZONE,
    Knock,
    Outcome,
    Span,
    day_of,
    households_met,
    month_of,
    quarter_of,
    year_of,
)
from tests.conftest import NOW
from tests.factories import Cast, make_building, make_care, make_dwelling, make_group, make_household, make_visit

TODAY = day_of(NOW)
OCTOBER, NOVEMBER = month_of(date(2026, 10, 1)), month_of(TODAY)


def then(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=ZONE)


def knock(session: Session, cast: Cast, home: Household, day: date, outcome: str = "met", **more: Any) -> Visit:
    return make_visit(session, home, cast.users["worker"], then(day), outcome, **more)


def coverage(
    session: Session, cast: Cast, span: Span = NOVEMBER, who: str = "director", today: date = TODAY
) -> Coverage:
    return queries.coverage(session, cast.actor(who), span, today)


def district(figures: Coverage, code: str = "1") -> DistrictFigures:
    return next(d for d in figures.districts if d.code == code)


def move(session: Session, home: Household, to: District | None, day: date) -> None:
    """Put a household's door into another district from a day on."""
    session.execute(
        update(Placement).where(Placement.dwelling_id == home.dwelling_id, Placement.until == FOREVER).values(until=day)
    )
    session.add(
        Placement(
            community_id=home.community_id,
            dwelling_id=home.dwelling_id,
            district_id=to.id if to else None,
            since=day,
        )
    )
    session.execute(update(Dwelling).where(Dwelling.id == home.dwelling_id).values(district_id=to.id if to else None))
    session.flush()


# --- figures of a small community


def test_a_district_in_figures(session: Session, cast: Cast) -> None:
    homes = cast.households
    knock(session, cast, homes[1], date(2026, 11, 3))
    knock(session, cast, homes[1], date(2026, 11, 9))
    knock(session, cast, homes[2], date(2026, 11, 4), way="phone")
    knock(session, cast, homes[3], date(2026, 11, 5), "refused")
    figures = coverage(session, cast)
    row = district(figures)
    assert (row.lead, row.partner, row.tally.households, row.met) == ("worker", "partner", 4, 2)
    assert (row.tally.met_at_door, row.tally.never_met, row.tally.entry_rate) == (1, 1, 0.25)
    assert row.tally.longest_unmet_since == date(2026, 10, 13)
    assert (row.quiet_days, row.priority_left) == (9, 0)
    assert (figures.met, figures.total.households, figures.total.never_met, figures.orphans) == (2, 5, 2, 0)
    assert (figures.span, figures.day) == (NOVEMBER, TODAY)


def test_quarter_and_year_reach_further_back(session: Session, cast: Cast) -> None:
    knock(session, cast, cast.households[1], date(2026, 11, 3))
    knock(session, cast, cast.households[2], date(2026, 5, 3))
    knock(session, cast, cast.households[3], date(2025, 12, 31))
    met = [district(coverage(session, cast, of(TODAY))).met for of in (month_of, quarter_of, year_of)]
    assert met == [1, 2, 3]


def test_shops_vacant_and_gone_households_do_not_count(session: Session, cast: Cast) -> None:
    make_dwelling(session, cast.building, cast.district, "101", kind="shop")
    for room, how in (("102", Occupancy.VACANT), ("103", Occupancy.GONE), ("104", Occupancy.UNKNOWN)):
        make_household(session, make_dwelling(session, cast.building, cast.district, room), None, how)
    make_dwelling(session, cast.building, cast.district, "105")
    assert district(coverage(session, cast)).tally.households == 5


def test_a_corrected_visit_counts_nowhere(session: Session, cast: Cast) -> None:
    wrong = knock(session, cast, cast.households[1], date(2026, 11, 16))
    knock(session, cast, cast.households[1], date(2026, 11, 2), "nobody", corrects_id=wrong.id)
    row = district(coverage(session, cast))
    assert (row.met, row.tally.met_at_door, row.tally.never_met) == (0, 0, 3)
    assert row.quiet_days == 16, "nobody knocked on the day that was put right"


def test_priority_left_is_overdue_or_due_before_the_span_ends(session: Session, cast: Cast) -> None:
    group = make_group(session, cast.community, every_days=30)
    event = make_group(session, cast.community, "新迁入", every_days=None, within_days=10)
    homes = cast.households
    make_care(session, homes[0], group, date(2026, 10, 1))  # met on 13 October: due on 12 November
    make_care(session, homes[1], group, date(2026, 11, 10))  # due in December
    make_care(session, homes[2], event, date(2026, 11, 15))  # due on the 25th
    make_care(session, homes[3], event, date(2026, 11, 1))
    knock(session, cast, homes[3], date(2026, 11, 2))  # the event is answered
    assert district(coverage(session, cast)).priority_left == 2
    assert district(coverage(session, cast, quarter_of(TODAY))).priority_left == 3
    assert district(coverage(session, cast, OCTOBER)).priority_left == 0
    doors = door_queries.doors(session, cast.actor("worker"), TODAY, 90)
    assert sum(d.due_on is not None and d.due_on < NOVEMBER.end for d in doors) == 2, "as on Today"


def test_a_household_in_two_groups_is_one_priority_visit(session: Session, cast: Cast) -> None:
    for name in ("高龄", "低保"):
        make_care(session, cast.households[1], make_group(session, cast.community, name), date(2026, 9, 1))
    assert district(coverage(session, cast)).priority_left == 1


def test_a_group_put_aside_or_that_asks_for_nothing_leaves_nothing(session: Session, cast: Cast) -> None:
    silent = make_group(session, cast.community, "统计", every_days=None)
    idle = make_group(session, cast.community, "停用", active=False)
    for home, group in zip(cast.households, (silent, idle), strict=False):
        make_care(session, home, group, date(2026, 1, 1))
    assert district(coverage(session, cast)).priority_left == 0


def test_a_district_is_quiet_when_nobody_knocked_for_a_week(session: Session, cast: Cast) -> None:
    figures = coverage(session, cast)
    assert [(d.code, d.quiet_days) for d in figures.quiet(7)] == [("1", 36), ("2", None)]
    knock(session, cast, cast.households[1], date(2026, 11, 12), "nobody")
    assert [d.code for d in coverage(session, cast).quiet(7)] == ["2"]
    assert [d.code for d in coverage(session, cast).quiet(6)] == ["1", "2"]


def test_doors_in_no_district_are_counted_and_named(session: Session, cast: Cast) -> None:
    lone = make_building(session, cast.community, "30号楼")
    make_household(session, make_dwelling(session, lone, None, "101"), "无")
    make_dwelling(session, lone, None, "102", kind="shop")
    move(session, cast.households[1], None, date(2026, 11, 10))
    figures = coverage(session, cast)
    assert figures.orphans == 2
    assert (figures.total.households, district(figures).tally.households) == (6, 3)
    assert {b.name for b in figures.buildings if b.district_id is None} == {"30号楼", "12号楼"}
    assert coverage(session, cast, OCTOBER).orphans == 1, "the other was placed then"


def test_a_building_in_two_districts_is_drawn_once(session: Session, cast: Cast) -> None:
    move(session, cast.households[1], cast.second, date(2026, 11, 10))
    knock(session, cast, cast.households[1], date(2026, 11, 11))
    figures = coverage(session, cast)
    assert len([b for b in figures.buildings if b.id == cast.building.id]) == 2
    whole = files.whole_buildings(figures)[cast.building.id]
    assert (whole.tally.households, whole.tally.met_at_door) == (4, 1)


# --- the middle of a month


def test_who_was_met_and_moved_away_in_mid_month_counts_as_met_but_not_as_a_household(
    session: Session, cast: Cast
) -> None:
    home, who = cast.households[1], cast.actor("worker")
    knock(session, cast, home, date(2026, 11, 3))
    moved = VisitDraft(outcome=Outcome.MOVED, visited_at=then(date(2026, 11, 9)))
    operations.record_visit(session, who, home, moved, NOW)
    row = district(coverage(session, cast))
    assert (row.met, row.tally.households, row.tally.met_at_door) == (1, 3, 0)
    earlier = district(coverage(session, cast, today=date(2026, 11, 8)))
    assert (earlier.tally.households, earlier.tally.met_at_door) == (4, 1)


def test_a_household_that_split_is_two_from_the_day_of_the_split(session: Session, cast: Cast) -> None:
    home, split = cast.households[1], date(2026, 11, 9)
    knock(session, cast, home, date(2026, 11, 3))
    young = Household(
        id=uuid7(), community_id=home.community_id, dwelling_id=home.dwelling_id, number=2, occupancy="own"
    )
    session.add(young)
    session.flush()
    for since, until, how in ((ALWAYS, split, "gone"), (split, FOREVER, "own")):
        session.add(
            OccupancyPeriod(
                community_id=home.community_id, household_id=young.id, since=since, until=until, occupancy=how
            )
        )
    session.flush()
    knock(session, cast, young, date(2026, 11, 12))
    knock(session, cast, home, date(2026, 11, 12))
    row = district(coverage(session, cast))
    assert (row.met, row.tally.households, row.tally.met_at_door) == (2, 5, 2)
    assert district(coverage(session, cast, today=date(2026, 11, 8))).tally.households == 4
    assert district(coverage(session, cast, OCTOBER)).tally.households == 4
    assert visits.households_met_in(session, cast.actor("worker"), NOVEMBER, TODAY) == 2


def test_visits_count_for_the_district_of_their_day(session: Session, cast: Cast) -> None:
    home = cast.households[1]
    knock(session, cast, home, date(2026, 11, 3))
    move(session, home, cast.second, date(2026, 11, 9))
    figures = coverage(session, cast)
    assert (district(figures).met, district(figures, "2").met) == (1, 0)
    assert (district(figures).tally.households, district(figures, "2").tally.households) == (3, 2)
    knock(session, cast, home, date(2026, 11, 9))
    figures = coverage(session, cast)
    assert (district(figures).met, district(figures, "2").met) == (1, 1), "each pair did its part"
    assert figures.met == 1, "one household was met"
    assert visits.households_met_in(session, cast.actor("worker"), NOVEMBER, TODAY) == 1
    assert visits.households_met_in(session, cast.actor("other"), NOVEMBER, TODAY) == 1
    assert visits.households_met_in(session, cast.actor("director"), NOVEMBER, TODAY) == 1


def test_on_the_day_of_the_move_a_door_is_in_its_new_district_only(session: Session, cast: Cast) -> None:
    home, moved = cast.households[1], date(2026, 11, 9)
    move(session, home, cast.second, moved)
    knock(session, cast, home, moved)
    figures = coverage(session, cast)
    assert (district(figures).met, district(figures, "2").met) == (0, 1)
    assert visits.households_met_in(session, cast.actor("worker"), NOVEMBER, TODAY) == 0
    assert visits.households_met_in(session, cast.actor("other"), NOVEMBER, TODAY) == 1


# --- a closed month


def snapshot(figures: Coverage) -> Any:
    """Every figure of a coverage, to be compared."""
    return (
        [vars(d) | {"tally": vars(d.tally).copy()} for d in figures.districts],
        sorted((str(b.id), str(b.district_id), b.tally.households, b.tally.met_at_door) for b in figures.buildings),
        vars(figures.total).copy(),
        (figures.met, figures.priority_left, figures.orphans, figures.span, figures.day),
    )


def test_a_closed_month_keeps_its_boundaries_people_and_figures(session: Session, cast: Cast) -> None:
    who, homes = cast.actor("worker"), cast.households
    make_care(session, homes[2], make_group(session, cast.community), date(2026, 9, 1))
    knock(session, cast, homes[1], date(2026, 10, 20))
    knock(session, cast, homes[3], date(2026, 10, 21), "nobody")
    before = snapshot(coverage(session, cast, OCTOBER))

    director = cast.actor("director")
    boundary = places.placements.open_boundaries(session, director)[cast.district.id]
    moved = {"type": "Polygon", "coordinates": [[[x + 0.01, y] for x, y in boundary.geometry["coordinates"][0]]]}
    places.set_boundary(session, cast.district, moved, TODAY, boundary)
    people = {("1", "lead"): cast.users["other"].id, ("1", "partner"): None}
    places.assign_people(session, director, people, TODAY)
    move(session, homes[1], cast.second, TODAY)
    move(session, homes[3], None, TODAY)
    knock(session, cast, homes[0], TODAY)
    knock(session, cast, homes[3], TODAY, "refused")
    gone = VisitDraft(outcome=Outcome.MOVED, visited_at=NOW)
    operations.record_visit(session, who, homes[2], gone, NOW)
    make_care(session, homes[1], make_group(session, cast.community, "低保"), TODAY)
    cast.second.closed_on = TODAY
    places.change_settings(cast.community, {"quota": 5, "routine_days": 10})
    session.flush()
    session.expire_all()

    assert snapshot(coverage(session, cast, OCTOBER)) == before
    row = district(coverage(session, cast, OCTOBER))
    assert (row.lead, row.partner, row.geometry) == ("worker", "partner", boundary.geometry)
    now = district(coverage(session, cast))
    assert (now.lead, now.partner, now.geometry) == ("other", None, moved)


def test_a_late_entry_or_correction_is_the_only_thing_that_changes_a_closed_month(session: Session, cast: Cast) -> None:
    assert district(coverage(session, cast, OCTOBER)).met == 1
    knock(session, cast, cast.households[1], date(2026, 10, 31), recorded_at=NOW)
    assert district(coverage(session, cast, OCTOBER)).met == 2


# --- SQL against the pure rules


def random_log(session: Session, cast: Cast, seed: int) -> list[Knock]:
    """Fourteen doors that change district, 160 visits of months, a fifth of them corrected; as the rules see them."""
    random = Random(seed)
    districts: list[District | None] = [cast.district, cast.second, None]
    homes = [*cast.households]
    for n in range(10):
        dwelling = make_dwelling(session, cast.building, random.choice((cast.district, cast.second)), f"{n + 10}01")
        homes.append(make_household(session, dwelling, None))
    for home in random.sample(homes, 7):
        days = sorted(random.sample(range(120), 2))
        for days_in in days:
            move(session, home, random.choice(districts), date(2026, 7, 10) + timedelta(days=days_in))
    log = [(v, v.household_id) for v in session.scalars(select(Visit).where(Visit.community_id == cast.community.id))]
    corrected: set[UUID] = set()
    for _ in range(160):
        at = datetime(2026, 7, 1, tzinfo=ZONE) + timedelta(minutes=random.randrange(160 * 24 * 60))
        home, corrects = random.choice(homes), None
        if random.random() < 0.2:
            open_to = [v for v, _ in log if v.id not in corrected]
            corrects = random.choice(open_to)
            corrected.add(corrects.id)
            home = next(h for h in homes if h.id == corrects.household_id)
        outcome = random.choice(["met", "met", "changed", "nobody", "refused"])
        user = random.choice([cast.users["worker"], cast.users["partner"], cast.users["other"]])
        visit = make_visit(
            session,
            home,
            user,
            at,
            outcome,
            way=random.choice(["door", "door", "phone"]),
            corrects_id=corrects.id if corrects else None,
        )
        log.append((visit, home.id))
    return [
        Knock(v.household_id, v.visited_on, Outcome(v.outcome), district_id=district_on(session, v))
        for v, _ in log
        if v.id not in corrected
    ]


def district_on(session: Session, visit: Visit) -> UUID | None:
    """The district a visit's door lay in on its day, read from the placements one by one."""
    home = session.get_one(Household, visit.household_id)
    rows = session.scalars(select(Placement).where(Placement.dwelling_id == home.dwelling_id)).all()
    [row] = [row for row in rows if row.since <= visit.visited_on < row.until]
    return row.district_id


def within(log: Iterable[Knock], until: date, district_id: UUID | None = None) -> list[Knock]:
    return [k for k in log if k.day <= until and (district_id is None or k.district_id == district_id)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_databases_count_as_the_rules_do(session: Session, cast: Cast, seed: int) -> None:
    log = random_log(session, cast, seed)
    spans = [month_of(date(2026, m, 1)) for m in range(7, 12)] + [quarter_of(TODAY), year_of(TODAY)]
    for span in spans:
        figures = coverage(session, cast, span)
        day = min(span.last, TODAY)
        for each in figures.districts:
            assert each.met == len(households_met(within(log, day, each.id), span)), (span, each.code)
        placed = [k for k in within(log, day) if k.district_id]
        assert figures.met == len(households_met(placed, span))
        for who, where in (("worker", cast.district), ("partner", cast.district), ("other", cast.second)):
            expected = len(households_met(within(log, TODAY, where.id), span))
            assert visits.households_met_in(session, cast.actor(who), span, TODAY) == expected
        assert figures.total.never_met == 15 - len({k.household_id for k in within(log, day) if k.outcome in MET})


@pytest.mark.parametrize("seed", [4, 5])
def test_the_last_day_met_is_the_rules_on_every_day_asked_about(session: Session, cast: Cast, seed: int) -> None:
    log = random_log(session, cast, seed)
    for day in (TODAY, date(2026, 10, 31), date(2026, 8, 15)):
        for door in door_queries.doors(session, cast.actor("director"), day, 90):
            met = [k.day for k in log if k.household_id == door.household_id and k.outcome in MET and k.day <= day]
            assert door.facts.last_met_on == max(met, default=None)
            month = [k for k in log if k.household_id == door.household_id and k.day in month_of(day) and k.day <= day]
            assert sorted(door.facts.knocks) == sorted((k.day, k.outcome) for k in month)


@pytest.mark.parametrize("seed", [6])
def test_met_at_the_door_never_exceeds_households_nor_households_met(session: Session, cast: Cast, seed: int) -> None:
    random_log(session, cast, seed)
    for month in range(7, 12):
        figures = coverage(session, cast, month_of(date(2026, month, 1)))
        for each in figures.districts:
            assert 0 <= each.tally.met_at_door <= each.tally.households
            assert each.tally.never_met <= each.tally.households
        assert sum(b.tally.households for b in figures.buildings) == figures.total.households == 15


def test_a_door_is_placed_by_its_building_and_every_move_keeps_its_days(session: Session, cast: Cast) -> None:
    """The placements that coverage stands on: gapless from ALWAYS to FOREVER for every door ever placed."""
    who = cast.actor("director")
    boundaries = places.placements.open_boundaries(session, who)
    first, second = boundaries[cast.district.id].geometry, boundaries[cast.second.id].geometry
    for district_, geometry in ((cast.district, second), (cast.second, first)):
        places.set_boundary(session, district_, geometry, TODAY, boundaries[district_.id])
    done = places.place_dwellings(session, cast.community.id, TODAY)
    assert (done.first, done.moved) == (0, 5)
    session.expire_all()
    for dwelling in place_queries.dwellings_of(session, who, cast.building.id):
        rows = session.scalars(
            select(Placement).where(Placement.dwelling_id == dwelling.id).order_by(Placement.since)
        ).all()
        assert [(r.since, r.until, r.district_id) for r in rows] == [
            (ALWAYS, TODAY, cast.district.id),
            (TODAY, FOREVER, cast.second.id),
        ]
        assert dwelling.district_id == cast.second.id
    assert district(coverage(session, cast, OCTOBER)).tally.households == 4
    assert district(coverage(session, cast)).tally.households == 1
