"""The demonstration holds what it promises, whatever the day it is made on."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import combinations, pairwise

import pytest
from shapely.geometry import Point, shape
from shapely.ops import unary_union
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import User
from fieldapp.accounts.operations import SignIn, try_password
from fieldapp.db import Base, make_engine
from fieldapp.demo import rules
from fieldapp.demo.operations import make_demo, populate
from fieldapp.demo.people import AREA, PHONE_PREFIX
from fieldapp.demo.town import build_town
from fieldapp.households.defaults import CARE_GROUPS, TOPICS
from fieldapp.households.models import CareGroup, CareMembership, Household, OccupancyPeriod, Resident
from fieldapp.households.rules import HEAD, Occupancy, age_on, birth_date_of, id_number_fault, sex_of
from fieldapp.places.models import Assignment, Building, Community, District, DistrictBoundary, Dwelling, Placement
from fieldapp.places.rules import is_off_size
from fieldapp.visits.models import FollowUp, Visit, VisitResident
from fieldapp.visits.rules import MET, ZONE, Care, Outcome, day_of, is_working_day, month_of, priority_due_on

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 9, 41, tzinfo=ZONE).astimezone(UTC)


@pytest.fixture(scope="module")
def town():
    return build_town()


@pytest.fixture(scope="module")
def plan():
    return planned()


def planned():
    return rules.make_plan(rules.SEED, today=TODAY, now=NOW)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.sqlite'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        make_demo(session, today=TODAY, now=NOW)
        session.commit()
        yield session
    engine.dispose()


class TestTown:
    def test_districts_tile_the_community(self, town):
        polygons = [shape(district.geometry) for district in town.districts]
        whole = unary_union(polygons)
        assert all(polygon.is_valid and polygon.exterior.is_ccw for polygon in polygons)
        assert whole.geom_type == "Polygon" and not whole.interiors
        assert all(a.intersection(b).area == 0 for a, b in combinations(polygons, 2))
        assert sum(polygon.area for polygon in polygons) == pytest.approx(whole.area, rel=1e-12)

    def test_buildings_stand_inside_their_district_with_room_between(self, town):
        polygons = [shape(district.geometry) for district in town.districts]
        outlines = [shape(building.geometry) for building in town.buildings]
        for building, outline in zip(town.buildings, outlines, strict=True):
            assert outline.is_valid
            assert outline.contains(Point(building.longitude, building.latitude))
            if building.district is None:
                assert all(polygon.disjoint(outline) for polygon in polygons)
            else:
                assert polygons[building.district].contains(outline)
        assert min(a.distance(b) for a, b in combinations(outlines, 2)) > 1e-4  # about ten metres

    def test_thirty_odd_blocks_and_three_courtyards(self, town):
        kinds = Counter(building.kind for building in town.buildings)
        assert kinds == {"block": 32, "courtyard": 3}
        assert len({building.code for building in town.buildings}) == 35

    def test_households_by_district_are_believable(self, town):
        counts = Counter()
        for building in town.buildings:
            counts[building.district] += building.households_planned
        assert counts == {0: 208, 1: 207, 2: 175, 3: 168, 4: 270, None: 2}
        assert [is_off_size(counts[i], 200, 25) for i in range(5)] == [False, False, False, False, True]

    def test_doors_do_not_overlap_on_the_matrix(self, town):
        for building in town.buildings:
            cells = Counter()
            for door in building.doors:
                row = door.row or door.floor
                for i in range(door.row_span):
                    for j in range(door.span):
                        cells[door.entrance, row + i, door.column + j] += 1
            assert max(cells.values()) == 1
            assert len({(door.entrance, door.room) for door in building.doors}) == len(building.doors)

    def test_the_third_courtyard_is_the_mock_ups(self, town):
        yard = next(building for building in town.buildings if building.name == "三号院")
        doors = {door.room: (door.row, door.column, door.span, door.row_span) for door in yard.doors}
        assert len(doors) == 13
        assert doors["3+4"] == (1, 3, 2, 1)
        assert doors["10"] == (3, 5, 1, 2)
        assert doors["13"] == (5, 4, 1, 1)
        assert (5, 3) not in {(row, column) for row, column, _, _ in doors.values()}  # the gate

    def test_there_are_shops_and_merged_flats(self, town):
        doors = [door for building in town.buildings for door in building.doors]
        shops = [door for door in doors if door.kind == "shop"]
        assert {"惠民超市", "理发店", None} <= {shop.name for shop in shops}
        assert any(shop.span == 2 for shop in shops)
        assert any(door.room == "501+502" and door.span == 2 for door in doors)


class TestPeople:
    def people(self, plan):
        return [person for home in plan.homes for person in home.family.people]

    def test_id_numbers_are_sound_unique_and_nobodys(self, plan):
        people = self.people(plan)
        for person in people:
            assert id_number_fault(person.id_number) is None
            assert person.id_number.startswith(AREA)
            assert birth_date_of(person.id_number) == person.birth_date
            assert sex_of(person.id_number) == person.sex
        assert len({person.id_number for person in people}) == len(people)

    def test_phones_are_in_a_range_that_nobody_has(self, plan):
        phones = [person.phone for person in self.people(plan) if person.phone]
        assert all(phone.startswith(PHONE_PREFIX) and len(phone) == 11 for phone in phones)

    def test_names_follow_surnames_and_generations(self, plan):
        people = self.people(plan)
        surnames = Counter(person.name[0] for person in people)
        assert {name for name, _ in surnames.most_common(6)} >= {"王", "李", "张"}
        old = Counter(person.name[1:] for person in people if person.birth_date.year < 1950)
        young = Counter(person.name[1:] for person in people if person.birth_date.year > 2013)
        assert not set(old) & set(young)
        assert all("\u4e00" <= sign <= "\u9fff" for person in people for sign in person.name)

    def test_every_household_has_one_head_who_is_grown_up(self, plan):
        for home in plan.homes:
            heads = [person for person in home.family.people if person.relation == HEAD]
            assert len(heads) == (0 if home.family.is_empty else 1)
            assert all(age_on(head.birth_date, TODAY) >= 18 for head in heads)

    def test_parents_are_older_than_their_children(self, plan):
        for home in plan.homes:
            head, *others = home.family.people or [None]
            for person in others:
                if person.relation[0] in "23" and person.relation != "38":
                    assert (person.birth_date - head.birth_date).days > 18 * 365
                if person.relation in ("51", "52"):
                    assert (head.birth_date - person.birth_date).days > 18 * 365

    def test_shares(self, plan):
        lived_in = [home for home in plan.homes if not home.family.is_empty]
        people = self.people(plan)
        assert 2.3 < len(people) / len(lived_in) < 3
        assert 0.04 < 1 - len(lived_in) / len(plan.homes) < 0.08
        assert 0.03 < sum(person.is_temporary for person in people) / len(people) < 0.15
        over_60 = sum(age_on(person.birth_date, TODAY) >= 60 for person in people) / len(people)
        assert 0.15 < over_60 < 0.35
        groups = Counter(care.group for home in plan.homes for care in home.family.cares)
        assert set(groups) == {group.code for group in CARE_GROUPS}
        assert 0.1 < sum(bool(home.family.cares) for home in plan.homes) / len(plan.homes) < 0.3


class TestLog:
    def test_the_same_seed_and_day_give_the_same_in_another_process(self, plan):
        script = "import tests.demo.test_demo as t; print(t.fingerprint(t.planned()))"
        environment = {**os.environ, "PYTHONHASHSEED": "4", "PYTHONPATH": os.getcwd()}
        answer = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert answer.stdout.strip() == fingerprint(plan)

    def test_visits_are_made_on_working_days_in_working_hours(self, plan):
        for visit in plan.log.visits:
            local = visit.visited_at.astimezone(ZONE)
            assert is_working_day(local.date())
            assert 8 <= local.hour < 19
            assert visit.visited_at <= visit.recorded_at <= NOW

    def test_workers_meet_25_to_38_households_in_a_full_month(self, plan):
        met = defaultdict(set)
        for visit in plan.log.visits:
            if visit.outcome in MET:
                met[visit.visitor, month_of(visit.visited_on).first].add(visit.home.number)
        for worker in range(10):
            for month in (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)):
                assert 25 <= len(met[worker, month]) <= 40

    def test_outcomes_have_believable_shares(self, plan):
        outcomes = Counter(visit.outcome for visit in plan.log.visits)
        total = sum(outcomes.values())
        assert 0.15 < outcomes[Outcome.NOBODY] / total < 0.25
        assert 0 < outcomes[Outcome.REFUSED] / total < 0.05
        assert 0 < outcomes[Outcome.MOVED] < 10
        assert 0 < outcomes[Outcome.VACANT] < 40

    def test_a_household_that_moved_away_is_not_visited_again(self, plan):
        gone = {}
        for visit in plan.log.visits:
            assert visit.home.number not in gone
            if visit.outcome is Outcome.MOVED:
                gone[visit.home.number] = visit

    def test_there_are_late_entries_a_correction_and_companions(self, plan):
        visits = plan.log.visits
        assert 5 < sum(day_of(visit.recorded_at) > visit.visited_on for visit in visits) < 100
        assert sum(visit.corrects is not None for visit in visits) == 1
        assert sum(visit.companion is not None for visit in visits) > 50

    @pytest.mark.parametrize(
        ("today", "hour"),
        [(date(2026, 11, 18), 0), (date(2026, 10, 9), 9), (date(2027, 2, 20), 12), (date(2026, 12, 1), 8)],
    )
    def test_another_day_holds_as_well(self, today, hour):
        now = datetime(today.year, today.month, today.day, hour, tzinfo=ZONE)
        plan = rules.make_plan(7, today=today, now=now, staff=False)
        assert all(visit.recorded_at <= now for visit in plan.log.visits)
        assert sum(visit.is_urgent for visit in plan.log.visits) == 1
        fifth = [visit.visited_on for visit in plan.log.visits if visit.home.district == 4]
        assert (today - max(fifth)).days >= 8


def fingerprint(plan):
    """Everything that must not depend on a process: people and visits as one string's hash."""
    people = [(person.name, person.id_number, person.phone) for home in plan.homes for person in home.family.people]
    visits = [(v.home.number, v.visitor, v.visited_at.isoformat(), v.outcome, v.sentence) for v in plan.log.visits]
    promises = [(p.visit.number, p.promise, p.due_on, str(p.done_at)) for p in plan.log.promises]
    return sha256(repr((people, visits, promises)).encode()).hexdigest()


class TestDatabase:
    def count(self, session, model, *where):
        return session.scalar(select(func.count()).select_from(model).where(*where))

    def test_community_and_accounts(self, session):
        community = session.scalars(select(Community)).one()
        assert (community.code, community.name, community.is_demo) == ("demo", "梧桐里社区", True)
        assert community.topics == list(TOPICS)
        users = {user.username: user for user in session.scalars(select(User))}
        assert set(users) == {*(f"worker{i}" for i in range(1, 11)), "director", "street", "admin"}
        assert not any(user.must_change_password for user in users.values())
        assert try_password(users["worker3"], "fieldapp-demo", NOW) is SignIn.IN
        assert users["street"].street_code == community.street_code
        assert users["worker3"].name == "周敏"
        assert len({user.password_stamp for user in users.values()}) == len(users)

    def test_numbers(self, session):
        assert self.count(session, District) == self.count(session, DistrictBoundary) == 5
        assert self.count(session, Building) == 35
        assert 1000 <= self.count(session, Household) <= 1050
        assert self.count(session, Placement) == self.count(session, Dwelling)
        assert self.count(session, Dwelling, Dwelling.district_id.is_(None)) == 2
        assert self.count(session, CareGroup) == len(CARE_GROUPS)
        assert 1400 < self.count(session, Visit) < 2300

    def test_lead_and_partner_on_every_day(self, session):
        assert self.count(session, Assignment) == 12
        for day in (date(2026, 8, 3), date(2026, 9, 30), date(2026, 10, 1), TODAY):
            rows = session.execute(
                select(District.position, User.username, Assignment.part)
                .join(District, District.id == Assignment.district_id)
                .join(User, User.id == Assignment.user_id)
                .where(Assignment.since <= day, Assignment.until > day)
            ).all()
            leads = {position: int(name[6:]) for position, name, part in rows if part == "lead"}
            assert len(rows) == 10
            assert leads == {1: 1, 2: 3, 3: 5 if day >= date(2026, 10, 1) else 6, 4: 7, 5: 9}

    def test_occupancy_follows_registry_and_visits(self, session):
        periods = defaultdict(list)
        for period in session.scalars(select(OccupancyPeriod).order_by(OccupancyPeriod.since)):
            periods[period.household_id].append(period)
        households = list(session.scalars(select(Household)))
        for household in households:
            spells = periods[household.id]
            assert all(a.until == b.since for a, b in pairwise(spells))
            assert spells[-1].occupancy == household.occupancy
        moved = set(session.scalars(select(Visit.household_id).where(Visit.outcome == Outcome.MOVED)))
        gone = {household.id for household in households if household.occupancy == Occupancy.GONE}
        assert moved == gone and gone
        empty = {household.id for household in households if household.occupancy == Occupancy.VACANT}
        assert not empty & set(session.scalars(select(Resident.household_id)))

    def doors_by_district(self, session):
        return session.execute(
            select(District.position, Household)
            .join(Dwelling, Dwelling.id == Household.dwelling_id)
            .join(District, District.id == Dwelling.district_id)
        ).all()

    def last_met(self, session):
        corrected = select(Visit.corrects_id).where(Visit.corrects_id.is_not(None))
        rows = session.execute(
            select(Visit.household_id, func.max(Visit.visited_on))
            .where(Visit.outcome.in_(MET), Visit.id.not_in(corrected))
            .group_by(Visit.household_id)
        )
        return dict(rows.all())

    def test_a_handful_of_priority_doors_is_overdue(self, session):
        cares = defaultdict(list)
        for care, group in session.execute(
            select(CareMembership, CareGroup).join(CareGroup, CareGroup.id == CareMembership.group_id)
        ):
            every, within = group.every_days, group.within_days
            cares[care.household_id].append(Care(group.code, care.since, care.until, every, within))
        last_met = self.last_met(session)
        overdue = Counter()
        for position, household in self.doors_by_district(session):
            due_on = priority_due_on(cares[household.id], last_met.get(household.id), TODAY)
            if household.is_occupied and due_on is not None and due_on < TODAY:
                overdue[position] += 1
        assert set(overdue) == {1, 2, 3, 4, 5}
        assert max(overdue.values()) <= 5

    def test_some_doors_were_never_met(self, session):
        last_met = self.last_met(session)
        never = Counter()
        for position, household in self.doors_by_district(session):
            never[position] += household.is_occupied and household.id not in last_met
        assert all(4 <= never[position] <= 45 for position in range(1, 6))

    def test_the_mock_ups_household(self, session):
        head = session.scalars(select(Resident).where(Resident.name == "张桂兰", Resident.relation == HEAD)).one()
        building, dwelling = session.execute(
            select(Building, Dwelling)
            .join(Dwelling, Dwelling.building_id == Building.id)
            .join(Household, Household.dwelling_id == Dwelling.id)
            .where(Household.id == head.household_id)
        ).one()
        assert (building.name, dwelling.entrance, dwelling.room) == ("12号楼", 2, "601")
        assert (head.pinyin, head.initials) == ("zhangguilan", "zgl")
        newest = session.scalars(
            select(Visit)
            .where(Visit.household_id == head.household_id, Visit.outcome.in_(MET))
            .order_by(Visit.visited_on.desc())
        ).first()
        assert newest.sentence == "腿脚还行，想办助餐卡。"
        assert newest.visited_on == TODAY - timedelta(days=36)

    def test_urgent_visit_waits_to_be_taken(self, session):
        urgent = session.scalars(select(Visit).where(Visit.is_urgent)).one()
        assert urgent.taken_by_id is None
        assert NOW - urgent.visited_at < timedelta(hours=1)

    def test_follow_ups_are_open_done_overdue_and_due_soon(self, session):
        rows = list(session.scalars(select(FollowUp)))
        undone = [row for row in rows if row.done_at is None]
        assert len(rows) - len(undone) > 40
        assert all(row.done_at <= NOW for row in rows if row.done_at)
        assert 1 <= sum(row.due_on < TODAY for row in undone) <= 3
        assert sum(TODAY <= row.due_on <= TODAY + timedelta(days=2) for row in undone) >= 2

    def test_who_was_met_lives_there(self, session):
        strangers = session.scalar(
            select(func.count())
            .select_from(VisitResident)
            .join(Visit, Visit.id == VisitResident.visit_id)
            .join(Resident, Resident.id == VisitResident.resident_id)
            .where(Resident.household_id != Visit.household_id)
        )
        assert strangers == 0
        assert self.count(session, VisitResident) > 1000


def test_a_year_for_the_benchmark(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'bench.sqlite'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        community = populate(
            session, code="c7", name="第七社区", seed=7, today=TODAY, now=NOW, months=12, password_hash="x"
        )
        session.commit()
        assert not community.is_demo
        assert session.scalar(select(func.count()).select_from(Visit)) > 4500
        names = set(session.scalars(select(User.username)))
        assert names == {*(f"c7-worker{i}" for i in range(1, 11)), "c7-director"}
    engine.dispose()
