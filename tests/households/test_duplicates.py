"""One person on record twice: found, made one, and made two again exactly as they were; on both databases."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.db import uuid7
from fieldapp.households import duplicate_queries, duplicates
from fieldapp.households.duplicates import MOST_PAIRS, Record, Why, alike, pairs
from fieldapp.households.models import (
    CareMembership,
    FactChange,
    FactProposal,
    FactStamp,
    Household,
    Resident,
    ResidentMerge,
)
from fieldapp.households.reading import Fault
from fieldapp.households.rules import HEAD, Left, id_check_digit
from fieldapp.places.rules import FOREVER
from fieldapp.visits import merging
from fieldapp.visits.merging import ChangedSince
from fieldapp.visits.models import FollowUp, Visit, VisitResident
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

TODAY = day_of(NOW)
BORN = date(1957, 3, 2)
LATER = NOW + timedelta(hours=1)


def number(tail: str = "123") -> str:
    """A sound citizen's number of a man (…1, …3) or woman born on BORN; of nobody."""
    first = f"000000{BORN:%Y%m%d}{tail}"
    return first + id_check_digit(first)


# --- rules

KEYS = [UUID(int=n) for n in range(1, 9)]


def record(
    n: int, name: str = "张三", born: date | None = BORN, id_hash: str | None = None, building: int = 0
) -> Record:
    return Record(KEYS[n], UUID(int=100 + building), name, born, id_hash)


def test_the_same_number_is_one_person_wherever_and_whatever_they_are_called():
    assert alike(record(0, id_hash="a"), record(1, "张山", None, "a", building=3)) is Why.ID


def test_name_and_birth_date_are_one_person_within_a_building_alone():
    assert alike(record(0), record(1)) is Why.BORN
    assert alike(record(0), record(1, building=2)) is None
    assert alike(record(0), record(1, "张四")) is None
    assert alike(record(0, born=None), record(1, born=None)) is None


def test_two_different_numbers_are_two_people_whatever_else_is_the_same():
    assert alike(record(0, id_hash="a"), record(1, id_hash="b")) is None
    assert alike(record(0, id_hash="a"), record(1)) is Why.BORN


def test_a_pair_that_somebody_told_apart_is_not_shown_again():
    assert pairs([record(0), record(1)], {(KEYS[0], KEYS[1])}) == []
    assert [pair.why for pair in pairs([record(1), record(0)])] == [Why.BORN]


def test_a_number_copied_down_a_column_ends():
    many = [Record(uuid7(), UUID(int=1), f"人{n}", None, "same") for n in range(400)]
    assert len(pairs(many)) == MOST_PAIRS


@given(st.lists(st.tuples(st.sampled_from("甲乙"), st.sampled_from([None, "a", "b"]), st.integers(0, 1)), max_size=8))
def test_pairs_are_exactly_those_that_are_alike_whatever_the_order(people: list[tuple[str, str | None, int]]):
    records = [record(n, name, BORN, id_hash, building) for n, (name, id_hash, building) in enumerate(people)]
    wanted = {(a.id, b.id) for a in records for b in records if a.id.bytes < b.id.bytes and alike(a, b)}
    for given_order in (records, records[::-1]):
        found = pairs(given_order)
        assert {(pair.one, pair.other) for pair in found} == wanted
        assert len(found) == len(wanted)


def test_only_the_digits_that_differ_are_shown_of_numbers_that_read_the_same_masked():
    assert duplicates.told_apart("13800001234", "13811111234") == ("***0000****", "***1111****")


def test_something_on_record_is_suggested_rather_than_nothing():
    assert duplicates.suggested({"phone": None}, {"phone": "1"}, "phone") == "gone"
    assert duplicates.suggested({"phone": "2"}, {"phone": "1"}, "phone") == "kept"
    assert duplicates.suggested({"is_temporary": False}, {"is_temporary": True}, "is_temporary") == "gone"


# --- finding


def two(session: Session, cast: Cast, **more: Any) -> tuple[Resident, Resident]:
    """The same man behind two doors of building 12."""
    kept = make_resident(session, cast.households[0], "孙平", birth_date=BORN, sex="1", **more)
    gone = make_resident(session, cast.households[2], "孙平", birth_date=BORN, sex="1")
    return kept, gone


def test_a_pair_is_found_by_number_and_by_birth(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    [(pair, *sides)] = duplicate_queries.found(session, cast.actor("director"))
    assert (pair.why, {side.id for side in sides}) == (Why.BORN, {kept.id, gone.id})
    assert {side.room for side in sides} == {"601", "301"}
    kept.id_number = gone.id_number = number()
    kept.name = "孙萍"
    session.flush()
    assert [found[0].why for found in duplicate_queries.found(session, cast.actor("director"))] == [Why.ID]


def test_who_left_is_no_duplicate_and_another_community_is_not_looked_at(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    gone.left_on = TODAY
    far = make_resident(session, cast.far_household, "孙平", birth_date=BORN, id_number=number())
    kept.id_number = number()
    session.flush()
    assert duplicate_queries.found(session, cast.actor("director")) == []
    assert duplicate_queries.twins_of(session, cast.actor("director"), [kept]) == []
    assert duplicate_queries.whole(session, cast.actor("director"), far.id) is None


def test_the_scan_is_two_statements_for_any_number_of_people(session: Session, cast: Cast, count_queries: Any):
    def statements() -> tuple[int, int]:
        before = count_queries()
        found = duplicate_queries.found(session, cast.actor("director"))
        return count_queries() - before, len(found)

    two(session, cast)
    assert statements() == (2, 1)
    building = make_building(session, cast.community, "30号楼")
    for n in range(30):
        home = make_household(session, make_dwelling(session, building, cast.district, f"{n // 5 + 1}0{n % 5 + 1}"))
        make_resident(session, home, f"人{n // 2}", birth_date=BORN)
    assert statements() == (2, 16)


def test_a_twin_beyond_the_districts_wall_is_told_of_without_its_door(session: Session, cast: Cast):
    [mine, near] = two(session, cast)
    second = session.scalars(select(Resident).where(Resident.name == "周邻")).one()
    second.name, second.birth_date = "孙平", BORN
    session.flush()
    for username, doors in (("worker", [None, "301"]), ("director", ["201", "301"])):
        twins = duplicate_queries.twins_of(session, cast.actor(username), [mine])
        assert sorted((twin.side.room if twin.side else None for twin in twins), key=str) == sorted(doors, key=str)
    assert duplicate_queries.twins_of(session, cast.actor("street"), [mine]) == []
    for other in (near, second):
        merging.say_two_people(session, cast.actor("director"), other, mine, NOW)
        merging.say_two_people(session, cast.actor("director"), mine, other, NOW)
    assert duplicate_queries.twins_of(session, cast.actor("worker"), [mine]) == []
    assert duplicate_queries.found(session, cast.actor("director")) == []


# --- merging


def merge(session: Session, cast: Cast, kept: Resident, gone: Resident, **choices: str) -> ResidentMerge:
    return merging.merge(session, cast.actor("director"), kept, gone, choices, TODAY, NOW)


def test_chosen_facts_go_over_with_history_and_the_gone_one_stays_on_record(session: Session, cast: Cast):
    kept, gone = two(session, cast, phone="15400000001")
    gone.phone, gone.phone_tail, gone.id_number, gone.workplace = "15400009999", "9999", number(), "老厂"
    session.flush()
    merge(session, cast, kept, gone, phone="gone", workplace="kept")
    assert (kept.phone, kept.phone_tail, kept.id_number, kept.workplace) == ("15400009999", "9999", number(), None)
    assert (gone.left_on, gone.left_why, gone.phone) == (TODAY, Left.MERGED, "15400009999")
    changes = session.scalars(select(FactChange).order_by(FactChange.field)).all()
    assert [(change.resident_id, change.field, change.new) for change in changes] == [
        (kept.id, "id_number", number()),
        (gone.id, "left_on", TODAY.isoformat()),
        (kept.id, "phone", "15400009999"),
    ]


def test_the_same_merge_again_is_the_same_merge(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    assert (
        merge(session, cast, kept, gone).id
        == merge(session, cast, kept, gone).id
        == merge(session, cast, gone, kept).id
    )


def test_who_left_or_is_the_same_record_is_not_merged(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    gone.left_on = TODAY
    session.flush()
    for one, other in ((kept, gone), (gone, kept), (kept, kept)):
        with pytest.raises(Fault, match="left"):
            merge(session, cast, one, other)


def test_a_number_and_a_birth_date_that_contradict_each_other_are_refused(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    gone.id_number, kept.birth_date = number(), BORN + timedelta(days=1)
    session.flush()
    with pytest.raises(Fault, match="id_born"):
        merge(session, cast, kept, gone, id_number="gone", birth_date="kept")
    kept.sex = "2"
    session.flush()
    with pytest.raises(Fault, match="id_sex"):
        merge(session, cast, kept, gone, id_number="gone", birth_date="gone", sex="kept")
    merge(session, cast, kept, gone, id_number="gone", birth_date="gone", sex="gone")


def test_within_a_household_the_kept_one_can_become_the_head(session: Session, cast: Cast):
    home = cast.households[0]
    [head] = session.scalars(select(Resident).where(Resident.household_id == home.id)).all()
    again = make_resident(session, home, head.name, relation="20")
    made = merge(session, cast, again, head, relation="gone")
    assert (again.relation, head.left_on) == (HEAD, TODAY)
    merging.undo(session, cast.actor("director"), made, LATER)
    assert (again.relation, head.relation, head.left_on) == ("20", HEAD, None)


def test_visits_stamps_and_what_awaits_a_decision_go_to_the_kept_one(session: Session, cast: Cast):
    kept, gone = two(session, cast, phone="15400000001")
    gone.phone, gone.workplace = "15400009999", "老厂"
    visits = [make_visit(session, cast.households[2], cast.users["worker"], NOW - timedelta(days=n)) for n in (1, 2)]
    session.add_all(VisitResident(visit_id=visit.id, resident_id=gone.id) for visit in visits)
    session.add(VisitResident(visit_id=visits[0].id, resident_id=kept.id))
    for field in ("phone", "workplace"):
        session.add(stamp(gone, cast, field))
    session.add(proposal(gone, cast))
    session.flush()
    merge(session, cast, kept, gone, phone="gone", workplace="kept")
    assert set(session.scalars(select(VisitResident.resident_id))) == {kept.id}
    stamps = {stamp.field: stamp.resident_id for stamp in session.scalars(select(FactStamp))}
    assert stamps == {"phone": kept.id, "workplace": gone.id}, "a value that was not taken was not found so"
    assert session.scalars(select(FactProposal)).one().household_id == kept.household_id


def test_care_ends_behind_the_old_door_and_goes_on_behind_the_kept_ones(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    both, only = make_group(session, cast.community, "优抚"), make_group(session, cast.community, "低保")
    since = TODAY - timedelta(days=90)
    make_care(session, cast.households[0], both, since, resident_id=kept.id)
    for group in (both, only):
        make_care(session, cast.households[2], group, since, resident_id=gone.id, reason="旧因")
    ended = make_care(session, cast.households[2], only, since, until=TODAY - timedelta(days=1), resident_id=gone.id)
    merge(session, cast, kept, gone)
    cares = session.scalars(select(CareMembership)).all()
    standing = {(care.group_id, care.household_id, care.since) for care in cares if care.until == FOREVER}
    assert standing == {(both.id, kept.household_id, since), (only.id, kept.household_id, TODAY)}
    past = [care for care in cares if care.resident_id == gone.id]
    assert len(past) == 3, "what was counted behind the old door in past months is counted there still"
    assert {care.until for care in past} == {TODAY, ended.until}


def test_promises_stay_where_somebody_lives_and_leave_an_empty_door(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    here = make_follow_up(session, cast.households[2], cast.users["worker"])
    made = merge(session, cast, kept, gone)
    assert here.household_id == cast.households[2].id, "others live there"
    merging.undo(session, cast.actor("director"), made, LATER)
    for other in session.scalars(select(Resident).where(Resident.household_id == cast.households[2].id)):
        if other.id != gone.id:
            other.left_on = TODAY
    session.flush()
    made = merge(session, cast, kept, gone)
    assert here.household_id == kept.household_id
    merging.undo(session, cast.actor("director"), made, LATER)
    assert here.household_id == cast.households[2].id


def test_traces_tell_who_merged_and_nothing_of_whom(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    made = merge(session, cast, kept, gone)
    merging.undo(session, cast.actor("director"), made, LATER)
    traces = session.scalars(select(AuditEntry).order_by(AuditEntry.at)).all()
    assert [(trace.deed, trace.subject, trace.detail) for trace in traces] == [
        ("merge.made", str(made.id), {}),
        ("merge.undone", str(made.id), {}),
    ]


def test_numbers_stay_sealed_in_what_an_undo_is_made_by(session: Session, cast: Cast):
    kept, gone = two(session, cast, phone="15400001111", guardian_phone="15400002222")
    gone.id_number = number()
    session.flush()
    made = merge(session, cast, kept, gone)
    kept_text = str(session.execute(text("SELECT before FROM resident_merge")).scalar_one())
    assert str(gone.id) in kept_text
    assert not any(secret in kept_text for secret in ("15400001111", "15400002222", number()))
    assert made.undone_at is None


def stamp(person: Resident, cast: Cast, field: str) -> FactStamp:
    return FactStamp(
        community_id=person.community_id,
        household_id=person.household_id,
        resident_id=person.id,
        field=field,
        verified_on=TODAY,
        verified_at=NOW,
        verified_by_id=cast.users["worker"].id,
    )


def proposal(person: Resident, cast: Cast, value: str = "别处") -> FactProposal:
    return FactProposal(
        community_id=person.community_id,
        household_id=person.household_id,
        resident_id=person.id,
        field="registered_at",
        value=value,
        proposed_by_id=cast.users["partner"].id,
        proposed_at=NOW,
    )


# --- undoing


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda kept, gone, care: setattr(kept, "phone", "15400007777"), "phone"),
        (lambda kept, gone, care: setattr(kept, "marital", "20"), "marital"),
        (lambda kept, gone, care: setattr(gone, "left_on", TODAY + timedelta(days=1)), "left_on"),
        (lambda kept, gone, care: setattr(gone, "name", "孙"), "name"),
        (lambda kept, gone, care: setattr(care, "until", TODAY), "care_membership"),
    ],
)
def test_what_was_changed_since_is_not_undone_and_nothing_is_written(
    spoil: Any, what: str, session: Session, cast: Cast
):
    kept, gone = two(session, cast)
    make_care(session, cast.households[2], make_group(session, cast.community), TODAY, resident_id=gone.id)
    made = merge(session, cast, kept, gone)
    [care] = session.scalars(select(CareMembership).where(CareMembership.resident_id == kept.id)).all()
    spoil(kept, gone, care)
    session.flush()
    before = rows(session)
    with pytest.raises(ChangedSince) as refused:
        merging.undo(session, cast.actor("director"), made, LATER)
    session.flush()
    assert refused.value.what == [what]
    assert rows(session) == before
    assert made.undone_at is None


def test_numbers_that_were_sealed_anew_are_no_change(session: Session, cast: Cast):
    kept, gone = two(session, cast, phone="15400001111", guardian_phone="15400002222")
    made = merge(session, cast, kept, gone)
    kept_text = kept.phone_sealed
    kept.phone, kept.guardian_phone = kept.phone, kept.guardian_phone
    assert kept.phone_sealed != kept_text
    session.flush()
    merging.undo(session, cast.actor("director"), made, LATER)
    assert (kept.phone, kept.guardian_phone, gone.left_on) == ("15400001111", "15400002222", None)


def test_an_undo_does_not_give_a_household_two_heads(session: Session, cast: Cast):
    home = cast.households[2]
    [head] = session.scalars(select(Resident).where(Resident.household_id == home.id)).all()
    kept = make_resident(session, cast.households[0], head.name)
    made = merge(session, cast, kept, head)
    make_resident(session, home, "新户主", relation=HEAD)
    with pytest.raises(ChangedSince) as refused:
        merging.undo(session, cast.actor("director"), made, LATER)
    assert refused.value.what == ["relation"]


def test_what_was_written_since_beside_the_merge_stays_after_an_undo(session: Session, cast: Cast):
    kept, gone = two(session, cast)
    made = merge(session, cast, kept, gone)
    visit = make_visit(session, cast.households[0], cast.users["worker"], NOW)
    session.add_all([VisitResident(visit_id=visit.id, resident_id=kept.id), stamp(kept, cast, "phone")])
    session.flush()
    merging.undo(session, cast.actor("director"), made, LATER)
    assert session.get(VisitResident, (visit.id, kept.id)) is not None
    assert session.scalars(select(FactStamp)).one().resident_id == kept.id
    merging.undo(session, cast.actor("director"), made, LATER)  # once is enough
    assert made.undone_at == LATER


TABLES = (Resident, CareMembership, FactStamp, FactProposal, FollowUp, Household, Visit)


def rows(session: Session) -> dict[str, Any]:
    """Every row of the tables that a merge touches, read anew from the database, as it lies there."""
    session.flush()
    found: dict[str, Any] = {}
    for model in TABLES:
        table = model.__table__
        found[table.name] = {row.id: tuple(row) for row in session.execute(select(table))}
    found["visit_resident"] = set(map(tuple, session.execute(select(VisitResident.__table__))))
    return found


PERSON = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["孙平", "孙萍"]),
        "birth_date": st.sampled_from([None, BORN]),
        "sex": st.sampled_from([None, "1"]),
        "phone": st.sampled_from([None, "15400001111", "0510-82710001"]),
        "id_number": st.sampled_from([None, number(), number("125")]),
        "relation": st.sampled_from([None, HEAD, "20"]),
        "marital": st.sampled_from([None, "10"]),
        "employment": st.sampled_from([None, "retired"]),
        "is_temporary": st.booleans(),
        "permit_until": st.sampled_from([None, TODAY]),
        "guardian_phone": st.sampled_from([None, "15400002222"]),
        "arrived_on": st.sampled_from([None, TODAY - timedelta(days=9)]),
    }
)
AROUND = st.fixed_dictionaries(
    {
        "cares": st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.booleans()), max_size=4),
        "stamps": st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["phone", "name", "marital"])), max_size=4),
        "met": st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=4, unique=True),
        "proposals": st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=2),
        "promises": st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=2),
    }
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    people=st.tuples(PERSON, PERSON),
    around=AROUND,
    same_household=st.booleans(),
    choices=st.dictionaries(st.sampled_from(duplicates.FIELDS), st.sampled_from(["kept", "gone"])),
)
def test_a_merge_and_its_undo_leave_every_row_as_it_was(
    people: tuple[dict[str, Any], dict[str, Any]],
    around: dict[str, Any],
    same_household: bool,
    choices: dict[str, str],
    session: Session,
    cast: Cast,
):
    point = session.begin_nested()
    try:
        both = _furnish(session, cast, people, around, same_household)
        before = rows(session)
        try:
            made = merge(session, cast, *both, **choices)
        except Fault:
            assert rows(session) == before
            return
        assert rows(session) != before
        assert not session.scalars(select(VisitResident).where(VisitResident.resident_id == both[1].id)).all()
        session.expire_all()
        merging.undo(session, cast.actor("director"), made, LATER)
        session.expire_all()
        assert rows(session) == before
        told = session.scalars(select(FactChange).order_by(FactChange.changed_at, FactChange.id)).all()
        _follow(told)
    finally:
        point.rollback()


def _follow(changes: Iterable[FactChange]) -> None:
    """The history of each fact is a chain that ends where it began."""
    chains: dict[tuple[UUID | None, str], list[FactChange]] = {}
    for change in changes:
        chains.setdefault((change.resident_id, change.field), []).append(change)
    for chain in chains.values():
        assert [step.new for step in chain[:-1]] == [step.old for step in chain[1:]]
        assert chain[-1].new == chain[0].old


def _furnish(
    session: Session, cast: Cast, people: tuple[dict[str, Any], dict[str, Any]], around: dict[str, Any], together: bool
) -> list[Resident]:
    """Two records of one person, behind one empty-but-for-them door or behind two, with what was written of them."""
    doors = [
        make_household(session, make_dwelling(session, cast.building, cast.district, r), None) for r in ("701", "702")
    ]
    homes = [doors[0], doors[0] if together else doors[1]]
    if together and people[0]["relation"] == people[1]["relation"] == HEAD:
        people = (people[0], people[1] | {"relation": "10"})
    both = [make_resident(session, home, **values) for home, values in zip(homes, people, strict=True)]
    groups = [make_group(session, cast.community, f"组{n}") for n in range(2)]
    for whose, group, is_ended in around["cares"]:
        until = {"until": TODAY - timedelta(days=3)} if is_ended else {}
        since = TODAY - timedelta(days=30)
        make_care(session, homes[whose], groups[group], since, resident_id=both[whose].id, **until)
    visits = [make_visit(session, homes[0], cast.users["worker"], NOW - timedelta(days=n)) for n in range(2)]
    session.add_all(VisitResident(visit_id=visits[n].id, resident_id=both[whose].id) for whose, n in around["met"])
    session.add_all(stamp(both[whose], cast, field) for whose, field in around["stamps"])
    for whose, is_decided in around["proposals"]:
        one = proposal(both[whose], cast)
        if is_decided:
            one.decided_at, one.decided_by_id, one.is_accepted = NOW, cast.users["director"].id, False
        session.add(one)
    for whose, is_done in around["promises"]:
        make_follow_up(session, homes[whose], cast.users["worker"], done_at=NOW if is_done else None)
    session.flush()
    return both
