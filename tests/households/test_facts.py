"""Facts changed at a door: what people type, how an edit meets the record, what is kept for a decision."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.db import make_engine, uuid7
from fieldapp.households import fact_queries, facts
from fieldapp.households.facts import OF_HOUSEHOLD, OF_RESIDENT, Meeting, Step, meet
from fieldapp.households.models import FactChange, FactProposal, Household, Resident
from fieldapp.households.operations import change_fact, decide_proposal
from fieldapp.households.queries import residents_of
from fieldapp.households.reading import Fault
from tests.conftest import NOW
from tests.exchange.made import id_number
from tests.factories import Cast, make_cast, make_resident
from tests.routes import fresh_postgres

TODAY = date(2026, 11, 18)
OLD, NEW, OTHER = "15400000001", "15400000002", "15400000003"


# --- what is typed


def read(field: str, typed: str, is_gone: bool = False) -> str | None:
    return facts.read_fact((OF_RESIDENT | OF_HOUSEHOLD)[field], typed, is_gone, TODAY)


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("phone", "15400001234", "15400001234"),
        ("phone", " 154 0000 1234 ", "15400001234"),
        ("phone", "154-0000-1234", "15400001234"),
        ("phone", "154—0000—1234", "15400001234"),
        ("phone", "154.0000.1234", "15400001234"),
        ("phone", "１５４００００１２３４", "15400001234"),
        ("phone", "１５４ ００００－１２３４", "15400001234"),
        ("phone", "+86 154 0000 1234", "15400001234"),
        ("phone", "0086-15400001234", "15400001234"),
        ("phone", "8615400001234", "15400001234"),
        ("phone", "0510-82712345", "0510-82712345"),
        ("phone", "（0510）82712345", "(0510)82712345"),
        ("phone", "0510-82712345转802", "0510-82712345转802"),
        ("phone", "15400001234、15400005678", "15400001234、15400005678"),
        ("phone", "12345", "12345"),
        ("birth_date", "1957.3.2", "1957-03-02"),
        ("birth_date", "1957. 3. 2", "1957-03-02"),
        ("birth_date", "1957-03-02", "1957-03-02"),
        ("birth_date", "1957—3—2", "1957-03-02"),
        ("birth_date", "1957/3/2", "1957-03-02"),
        ("birth_date", "1957 3 2", "1957-03-02"),
        ("birth_date", "1957、3、2", "1957-03-02"),
        ("birth_date", "1957年 3月 2日", "1957-03-02"),
        ("birth_date", "57年3月2日", "1957-03-02"),
        ("birth_date", "57.3.2", "1957-03-02"),
        ("birth_date", "19570302", "1957-03-02"),
        ("birth_date", "１９５７０３０２", "1957-03-02"),
        ("birth_date", "12年1月1日", "2012-01-01"),
        ("birth_date", "26.11.18", "2026-11-18"),
        ("birth_date", "26.11.19", "1926-11-19"),
        ("birth_date", "00-02-29", "2000-02-29"),
        ("name", "张　三", "张三"),
        ("name", "阿依古丽·买买提", "阿依古丽·买买提"),
        ("name", "John   Smith", "John Smith"),
        ("sex", "男", "1"),
        ("sex", "２", "2"),
        ("sex", "Female", "2"),
        ("relation", "户主", "02"),
        ("relation", "本人", "02"),
        ("relation", "01", "02"),
        ("relation", "老伴", "10"),
        ("relation", "43", "43"),
        ("registered_at", "  无锡市\n滨湖区 ", "无锡市 滨湖区"),
        ("is_temporary", "是", "1"),
        ("is_temporary", "1", "1"),
        ("is_temporary", "否", None),
        ("is_temporary", "0", None),
        ("note", "两行\r\n备注", "两行\n备注"),
        ("note", "  ", None),
        ("note", "铃\x07声", "铃 声"),
    ],
)
def test_what_is_typed_is_read(field: str, typed: str, value: str | None) -> None:
    assert read(field, typed) == value


@pytest.mark.parametrize(
    ("field", "typed", "code", "detail"),
    [
        ("phone", "", "needed", ""),
        ("phone", "　", "needed", ""),
        ("phone", "没有", "phone", ""),
        ("phone", "1234", "phone", ""),
        ("phone", "1540000123", "mobile", "10"),
        ("phone", "154 0000 12345", "mobile", "12"),
        ("phone", "0" * 33, "phone", ""),
        ("birth_date", "1957年3月", "date", ""),
        ("birth_date", "1957-02-29", "date", ""),
        ("birth_date", "57-02-29", "date", ""),
        ("birth_date", "570302", "date", ""),
        ("birth_date", "1057-03-02", "date", ""),
        ("birth_date", "正月初三", "date", ""),
        ("birth_date", "2026-11-19", "future", ""),
        ("birth_date", "9999-12-31", "future", ""),
        ("name", "123", "not_name", ""),
        ("name", "名" * 65, "long", "64"),
        ("sex", "女的", "choice", "男、女、未知、未说明|male, female, unknown, not stated"),
        ("relation", "邻居", "relation", ""),
        ("relation", "98", "relation", ""),
        ("registered_at", "长" * 121, "long", "120"),
        ("is_temporary", "也许", "choice", "是、否|yes, no"),
        ("note", "长" * 201, "long", "200"),
    ],
)
def test_what_cannot_be_taken_says_why(field: str, typed: str, code: str, detail: str) -> None:
    with pytest.raises(Fault) as fault:
        read(field, typed)
    assert (fault.value.code, fault.value.detail) == (code, detail)


def test_what_is_gone_is_nothing_but_a_name_stays() -> None:
    for field in OF_RESIDENT:
        if field != "name":
            assert read(field, " ", is_gone=True) is None
    with pytest.raises(Fault, match="stays"):
        read("name", "", is_gone=True)
    with pytest.raises(Fault, match="both"):
        read("phone", NEW, is_gone=True)


@given(st.sampled_from(sorted(OF_RESIDENT | OF_HOUSEHOLD)), st.text(max_size=60), st.booleans())
def test_rubbish_is_read_or_refused_and_fits(field: str, typed: str, is_gone: bool) -> None:
    try:
        value = read(field, typed, is_gone)
    except Fault:
        return
    assert value is None or (0 < len(value) <= 200 and facts.told(facts.value_of(field, value)) == value)


@given(st.dates(date(1926, 11, 19), TODAY))
def test_a_birth_date_is_read_with_two_digits_of_its_year(day: date) -> None:
    assert read("birth_date", f"{day.year % 100:02d}年{day.month}月{day.day}日") == day.isoformat()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("relation", "02", "head_taken"),
        ("relation", "12", None),
        ("birth_date", "1957-03-03", "id_born"),
        ("birth_date", "1957-03-02", None),
        ("birth_date", None, None),
        ("sex", "2", "id_sex"),
        ("sex", "1", None),
        ("sex", "9", None),
        ("phone", NEW, None),
    ],
)
def test_the_record_denies_a_second_head_and_what_the_id_number_says_otherwise(
    field: str, value: str | None, code: str | None
) -> None:
    number = id_number("19570302", 1)
    try:
        facts.check_on_record(field, value, number, "张三")
    except Fault as fault:
        assert fault.code == code
    else:
        assert code is None
    facts.check_on_record(field, value, number[:17], None)  # an unsound number says nothing


# --- how an edit meets the record


@pytest.mark.parametrize(
    ("recorded", "saw", "value", "steps", "meeting"),
    [
        ("a", "a", "b", [], Meeting.WRITTEN),
        ("a", "a", "a", [], Meeting.SAME),
        ("b", "a", "b", [], Meeting.SAME),
        (None, None, "b", [], Meeting.WRITTEN),
        ("b", "a", "c", [Step("a", "b", False)], Meeting.PROPOSED),
        ("b", "a", "c", [], Meeting.PROPOSED),  # an import wrote it: it leaves no step
        ("b", None, "c", [Step(None, "b", False)], Meeting.PROPOSED),
        ("b", "a", "c", [Step("a", "b", True)], Meeting.WRITTEN),
        ("c", "a", "d", [Step("b", "c", True), Step("a", "b", True)], Meeting.WRITTEN),
        ("c", "a", "d", [Step("b", "c", True), Step("a", "b", False)], Meeting.PROPOSED),
        ("c", "a", "d", [Step("b", "c", False), Step("a", "b", True)], Meeting.PROPOSED),
        ("x", "a", "d", [Step("a", "b", True)], Meeting.PROPOSED),
        ("a", "b", "d", [Step("b", "a", True), Step("a", "b", False)], Meeting.WRITTEN),
    ],
)
def test_an_edit_meets_the_record(
    recorded: str | None, saw: str | None, value: str | None, steps: list[Step], meeting: Meeting
) -> None:
    assert meet(recorded, saw, value, steps) is meeting


# --- writing


@pytest.fixture
def home(cast: Cast) -> Household:
    return cast.households[0]


@pytest.fixture
def person(session: Session, home: Household) -> Resident:
    return make_resident(session, home, "张小明", phone=OLD, relation="20", position=1)


@pytest.fixture
def change(session: Session, cast: Cast, home: Household, person: Resident) -> Callable[..., Meeting]:
    """Change a fact of 张小明, or of the household (`of` None), by somebody of the cast."""

    def change(
        field: str,
        saw: str | None,
        value: str | None,
        who: str = "worker",
        *,
        of: Any = person,
        ago: int = 0,
        **more: Any,
    ) -> Meeting:
        at = NOW - timedelta(minutes=ago)
        return change_fact(session, cast.actor(who), home, of, field, saw, value, at, **more)

    return change


def changes(session: Session) -> list[FactChange]:
    return list(session.scalars(select(FactChange).order_by(FactChange.changed_at, FactChange.id)))


def proposals(session: Session) -> list[FactProposal]:
    return list(session.scalars(select(FactProposal).order_by(FactProposal.proposed_at, FactProposal.id)))


def test_a_change_is_written_with_who_when_from_what_to_what(session, cast, home, person, change) -> None:
    key = uuid7()
    assert change("phone", OLD, NEW, change_id=key) is Meeting.WRITTEN
    [kept] = changes(session)
    assert (kept.id, kept.household_id, kept.resident_id, kept.field) == (key, home.id, person.id, "phone")
    assert (kept.old, kept.new, kept.changed_by_id, kept.changed_at) == (OLD, NEW, cast.users["worker"].id, NOW)
    session.expire_all()
    assert (person.phone, person.phone_tail) == (NEW, "0002")


@pytest.mark.parametrize(
    ("field", "saw", "value", "columns"),
    [
        ("phone", OLD, None, {"phone": None, "phone_tail": None}),
        ("name", "张小明", "曾小明", {"name": "曾小明", "pinyin": "zengxiaoming", "initials": "zxm"}),
        ("birth_date", None, "1957-03-02", {"birth_date": date(1957, 3, 2)}),
        ("sex", None, "1", {"sex": "1"}),
        ("relation", "20", None, {"relation": None}),
        ("registered_at", None, "无锡", {"registered_at": "无锡"}),
        ("is_temporary", None, "1", {"is_temporary": True}),
    ],
)
def test_what_follows_from_a_fact_follows(session, person, change, field, saw, value, columns) -> None:
    assert change(field, saw, value) is Meeting.WRITTEN
    session.expire_all()
    assert {name: getattr(person, name) for name in columns} == columns
    assert change(field, value, saw, ago=-1) is Meeting.WRITTEN
    session.expire_all()
    assert facts.told(getattr(person, field)) == saw


def test_a_fact_of_the_household_itself(session, home, change) -> None:
    assert change("note", None, "院里有狗", of=None) is Meeting.WRITTEN
    session.expire_all()
    assert home.note == "院里有狗"
    assert [(c.resident_id, c.field, c.new) for c in changes(session)] == [(None, "note", "院里有狗")]


def test_the_same_edit_twice_is_taken_in_once(session, change) -> None:
    key = uuid7()
    assert change("phone", OLD, NEW, change_id=key) is Meeting.WRITTEN
    assert change("phone", NEW, OTHER, "partner") is Meeting.WRITTEN
    assert change("phone", OLD, NEW, change_id=key) is Meeting.WRITTEN
    assert [c.new for c in changes(session)] == [NEW, OTHER]
    late = uuid7()
    for _ in range(3):
        assert change("phone", OLD, NEW, change_id=late) is Meeting.PROPOSED
    assert [p.id for p in proposals(session)] == [late]


def test_another_edit_under_a_key_that_is_taken_is_not_lost(session, person, change) -> None:
    key = uuid7()
    change("phone", OLD, NEW, change_id=key)
    assert change("phone", NEW, OTHER, change_id=key) is Meeting.WRITTEN
    assert change("sex", None, "1", change_id=key) is Meeting.WRITTEN
    assert (person.phone, person.sex, len(changes(session))) == (OTHER, "1", 3)


def test_what_the_record_says_already_is_left_alone(session, change) -> None:
    assert change("phone", OLD, OLD) is Meeting.SAME
    assert change("phone", NEW, OLD) is Meeting.SAME
    assert changes(session) == proposals(session) == []


def test_somebody_else_was_there_meanwhile(session, cast, person, change) -> None:
    key = uuid7()
    change("phone", OLD, NEW, "partner", ago=9)
    assert change("phone", OLD, OTHER, change_id=key, ago=5) is Meeting.PROPOSED
    assert person.phone == NEW
    [kept] = proposals(session)
    assert (kept.id, kept.saw, kept.value, kept.proposed_by_id) == (key, OLD, OTHER, cast.users["worker"].id)
    [shown] = fact_queries.open_proposals(session, cast.actor("director"))[person.household_id]
    assert (shown.resident, shown.field) == ("张小明", "phone")
    assert (shown.value, shown.proposed_by, shown.proposed_at) == (OTHER, "worker", NOW - timedelta(minutes=5))
    assert (shown.kept, shown.kept_by, shown.kept_at) == (NEW, "partner", NOW - timedelta(minutes=9))


def test_other_fields_merge_by_themselves(session, person, change) -> None:
    assert change("phone", OLD, NEW, "partner") is Meeting.WRITTEN
    assert change("birth_date", None, "2001-02-03") is Meeting.WRITTEN
    assert (person.phone, person.birth_date, proposals(session)) == (NEW, date(2001, 2, 3), [])


def test_ones_own_edits_from_one_old_page_follow_each_other(session, person, change) -> None:
    assert change("phone", OLD, NEW) is Meeting.WRITTEN
    assert change("phone", OLD, OTHER) is Meeting.WRITTEN
    assert person.phone == OTHER
    assert [(c.old, c.new) for c in changes(session)] == [(OLD, NEW), (NEW, OTHER)]
    assert change("phone", OTHER, NEW, "partner") is Meeting.WRITTEN
    assert change("phone", OLD, OLD) is Meeting.PROPOSED


def test_a_history_is_in_the_order_of_what_was_written_whatever_the_phones_clocks_say(session, change) -> None:
    change("phone", OLD, NEW, ago=0)
    change("phone", NEW, OTHER, "partner", ago=600)
    assert [c.new for c in changes(session)] == [NEW, OTHER]
    change("sex", None, "1", ago=600)
    assert changes(session)[0].field == "sex"  # only the same fact's changes wait for each other


def test_there_is_one_head(session, cast, home, person, change) -> None:
    head = residents_of(session, home.id)[0]
    with pytest.raises(Fault) as fault:
        change("relation", "20", "02")
    assert (fault.value.code, fault.value.detail) == ("head_taken", "张桂兰")
    assert change("relation", "02", "02", of=head) is Meeting.SAME
    assert change("relation", "02", "52", of=head) is Meeting.WRITTEN
    assert change("relation", "20", "02") is Meeting.WRITTEN
    person.left_on = TODAY
    session.flush()
    assert change("relation", "52", "02", of=head) is Meeting.WRITTEN
    assert change("relation", "02", "20", "partner") is Meeting.WRITTEN
    assert change("relation", "20", "02") is Meeting.WRITTEN  # who has left is nobody's second head


def test_a_birth_date_must_agree_with_the_id_number(session, person, change) -> None:
    person.id_number = id_number("19570302", 1)
    session.flush()
    for field, value in (("birth_date", "1957-03-03"), ("sex", "2")):
        with pytest.raises(Fault):
            change(field, None, value)
    assert change("birth_date", None, "1957-03-02") is Meeting.WRITTEN


def test_what_an_import_left_with_spaces_or_line_ends_is_seen_as_browsers_send_it(session, person, change) -> None:
    person.registered_at = " 无锡\r\n滨湖 "
    session.flush()
    assert change("registered_at", facts.told("无锡\r\n滨湖"), "南京") is Meeting.WRITTEN


def test_a_page_too_long_to_be_one_of_ours_is_a_difference_like_any(session, change) -> None:
    assert change("phone", "9" * 5000, NEW) is Meeting.PROPOSED
    assert proposals(session)[0].saw == "9" * 200


# --- deciding


@pytest.fixture
def proposal(session: Session, change: Callable[..., Meeting]) -> FactProposal:
    """The partner wrote NEW; the worker, who saw OLD, says OTHER."""
    change("phone", OLD, NEW, "partner", ago=9)
    change("phone", OLD, OTHER, ago=5)
    return proposals(session)[0]


def test_the_other_value_is_taken(session, cast, person, proposal) -> None:
    assert decide_proposal(session, cast.actor("director"), proposal, accept=True, now=NOW)
    assert (person.phone, person.phone_tail) == (OTHER, "0003")
    last = changes(session)[-1]
    assert (last.old, last.new, last.changed_by_id) == (NEW, OTHER, cast.users["director"].id)
    assert (proposal.is_accepted, proposal.decided_at, proposal.decided_by_id) == (True, NOW, last.changed_by_id)
    assert fact_queries.open_proposals(session, cast.actor("worker")) == {}


def test_the_value_on_record_stays_and_the_other_one_is_not_lost(session, cast, home, person, proposal) -> None:
    assert decide_proposal(session, cast.actor("director"), proposal, accept=False, now=NOW)
    assert (person.phone, len(changes(session))) == (NEW, 1)
    [declined] = fact_queries.declined(session, home.id)
    assert (declined.value, declined.proposed_by, declined.decided_by) == (OTHER, "worker", "director")


def test_deciding_twice_changes_nothing(session, cast, person, proposal) -> None:
    decide_proposal(session, cast.actor("partner"), proposal, accept=False, now=NOW)
    assert decide_proposal(session, cast.actor("worker"), proposal, accept=True, now=NOW + timedelta(hours=1))
    assert (person.phone, proposal.is_accepted, proposal.decided_at) == (NEW, False, NOW)
    assert proposal.decided_by_id == cast.users["partner"].id


def test_nobody_decides_against_a_value_that_they_were_not_shown(session, cast, person, change, proposal) -> None:
    change("phone", NEW, "15400000009", "partner")
    assert not decide_proposal(session, cast.actor("director"), proposal, accept=True, now=NOW, kept=NEW)
    assert (person.phone, proposal.decided_at) == ("15400000009", None)
    assert decide_proposal(session, cast.actor("director"), proposal, accept=True, now=NOW, kept="15400000009")
    assert person.phone == OTHER


def test_a_decision_against_the_record_is_refused(session, cast, home, person, change) -> None:
    head = residents_of(session, home.id)[0]
    change("relation", "02", "52", of=head, ago=9)
    change("relation", "20", "21", "partner", ago=8)
    assert change("relation", "20", "02", ago=7) is Meeting.PROPOSED
    change("relation", "52", "02", of=head, ago=6)
    with pytest.raises(Fault, match="head_taken"):
        decide_proposal(session, cast.actor("director"), proposals(session)[0], accept=True, now=NOW)
    assert proposals(session)[0].decided_at is None


def test_what_somebody_says_later_takes_the_place_of_what_they_said_before(session, cast, proposal, change) -> None:
    assert change("phone", OLD, "15400000009") is Meeting.PROPOSED
    assert [(p.value, p.is_accepted) for p in proposals(session)] == [(OTHER, False), ("15400000009", None)]
    assert change("phone", NEW, OLD) is Meeting.WRITTEN
    assert [p.is_accepted for p in proposals(session)] == [False, False]


def test_saying_the_same_as_a_proposal_settles_it(session, cast, proposal, change) -> None:
    assert change("phone", NEW, OTHER, "partner") is Meeting.WRITTEN
    assert (proposal.is_accepted, proposal.decided_by_id) == (True, cast.users["partner"].id)


def test_the_same_proposed_by_two_waits_once(session, cast, proposal, change) -> None:
    assert change("phone", OLD, OTHER, "director") is Meeting.PROPOSED
    assert [p.id for p in proposals(session)] == [proposal.id]


def test_a_difference_that_an_import_has_settled_is_not_shown(session, cast, person, proposal) -> None:
    person.phone = OTHER
    session.flush()
    assert fact_queries.open_proposals(session, cast.actor("worker")) == {}


def test_the_value_on_record_may_be_nobodys_of_the_door(session, cast, person, change) -> None:
    person.phone = NEW
    session.flush()
    assert change("phone", OLD, OTHER) is Meeting.PROPOSED
    [shown] = fact_queries.open_proposals(session, cast.actor("worker"))[person.household_id]
    assert (shown.kept, shown.kept_by, shown.kept_at) == (NEW, None, None)


def test_proposals_come_in_one_statement_and_through_the_wall(session, cast, home, proposal, count_queries) -> None:
    change_fact(session, cast.actor("partner"), cast.households[1], None, "note", None, "a", NOW)
    change_fact(session, cast.actor("worker"), cast.households[1], None, "note", None, "b", NOW)
    for who, seen in (("worker", 2), ("partner", 2), ("director", 2), ("other", 0), ("stranger", 0), ("street", 0)):
        before = count_queries()
        assert len(fact_queries.open_proposals(session, cast.actor(who))) == seen, who
        assert count_queries() - before == 1
    for who in ("worker", "director"):
        assert set(fact_queries.open_proposals(session, cast.actor(who), [home.id])) == {home.id}
    assert fact_queries.open_proposals(session, cast.actor("other"), [home.id]) == {}
    assert fact_queries.open_proposals(session, cast.actor("worker"), []) == {}


# --- two at once


def test_of_two_at_once_the_second_waits_and_then_proposes(postgres_url: str) -> None:
    engine = make_engine(fresh_postgres(postgres_url))
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as first:
        cast = make_cast(first, NOW)
        home, person = cast.households[0], residents_of(first, cast.households[0].id)[0]
        first.commit()
        assert change_fact(first, cast.actor("worker"), home, person, "phone", None, NEW, NOW) is Meeting.WRITTEN
        met: list[Meeting] = []

        def second() -> None:
            with Session(engine) as other:
                there, who = other.get_one(Household, home.id), other.get_one(Resident, person.id)
                met.append(change_fact(other, cast.actor("partner"), there, who, "phone", None, OTHER, NOW))
                other.commit()

        thread = Thread(target=second)
        thread.start()
        _wait_until_somebody_waits(engine)
        first.commit()
        thread.join(30)
        assert met == [Meeting.PROPOSED]
        first.refresh(person)
        assert (person.phone, [p.value for p in proposals(first)]) == (NEW, [OTHER])
    engine.dispose()


def _wait_until_somebody_waits(engine: Any) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    end = monotonic() + 30
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(waiting):
            assert monotonic() < end, "nobody waits for the household"
