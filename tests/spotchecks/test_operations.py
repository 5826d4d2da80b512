"""A spot check in the database: frozen, answered once, contested, closed and signed; who reads what."""

import json
from datetime import date, timedelta
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.accounts.rules import Actor, Role
from fieldapp.db import make_engine, uuid7
from fieldapp.households.models import FactProposal, Household, Resident
from fieldapp.places.models import Dwelling
from fieldapp.spotchecks import operations, queries, rules
from fieldapp.spotchecks.models import SpotAnswer, SpotCheck, SpotContest, SpotDoor, SpotQuestion, SpotSample
from fieldapp.spotchecks.operations import Closed, Refused
from fieldapp.spotchecks.rules import DrawFault, Findings, Kind, Plan, SignKind, Verdict, Way
from fieldapp.visits.models import FollowUp
from tests.conftest import NOW
from tests.factories import (
    Cast,
    make_building,
    make_care,
    make_cast,
    make_dwelling,
    make_follow_up,
    make_group,
    make_household,
    make_resident,
    make_visit,
)
from tests.routes import fresh_postgres

TODAY = date(2026, 11, 18)


def draw(session: Session, cast: Cast, month: str = "2026-11", seed: int = 7, **plan: Any) -> SpotCheck:
    replaces = plan.pop("replaces", None)
    actor = cast.actor("director")
    return operations.draw_check(
        session, actor, cast.community, month, Plan(**plan), seed, TODAY, NOW, replaces=replaces
    )


def drawn_of(session: Session, check: SpotCheck) -> list[Any]:
    statement = select(SpotSample.household_id).where(SpotSample.check_id == check.id).order_by(SpotSample.position)
    return list(session.scalars(statement))


@pytest.fixture
def check(session: Session, cast: Cast) -> SpotCheck:
    """All five households of the community, the first with something of every kind."""
    home = cast.households[0]
    make_resident(session, home, "张小雨", relation="42", birth_date=date(2022, 3, 4))
    make_resident(session, home, "张建国", relation="22", birth_date=date(1970, 5, 6), employment="unemployed")
    head = session.scalars(select(Resident).where(Resident.name == "张桂兰")).one()
    head.birth_date, head.id_number, head.phone = date(1940, 1, 2), "320211194001021234", "15400009999"
    head.employment = "retired"
    make_care(session, home, make_group(session, cast.community), date(2026, 1, 1), reason="独居", resident_id=head.id)
    make_follow_up(session, home, cast.users["worker"], "送米", visit_id=cast.visit.id if cast.visit else None)
    make_dwelling(session, cast.building, cast.district, "101", kind="shop", name="小李粮油", floor=1)
    return draw(session, cast)


def asked_of(session: Session, cast: Cast, check: SpotCheck, username: str = "director") -> dict[Kind, queries.Asked]:
    sheets = queries.sheets(session, cast.actor(username), check)
    first = next(sheet for sheet in sheets if sheet.sample.household_id == cast.households[0].id)
    return {asked.kind: asked for asked in first.questions}


# --- the draw


def test_what_is_expected_is_what_is_on_record(session, cast, check):
    asked = asked_of(session, cast, check)
    values = {kind: asked[kind].value for kind in asked}
    assert values[Kind.PEOPLE] == 3
    assert values[Kind.HEAD] == "张桂兰"
    assert values[Kind.CARE] == [{"group": "高龄", "reason": "独居", "who": "张桂兰"}]
    assert values[Kind.NEED] == {"what": "送米", "on": "2026-10-13", "answered": False}
    assert values[Kind.LAST_MET] == "2026-10-13"
    assert 4 <= len(asked) <= 6
    assert {"张桂兰", "王秀英"} <= set(asked[Kind.HEAD].choices)  # of the same building


def test_the_same_seed_draws_the_same_again(session, cast):
    for i in range(30):
        make_household(session, make_dwelling(session, cast.building, cast.district, f"{7 + i}01"), f"丁{i}")
    one, same, other = draw(session, cast), draw(session, cast), draw(session, cast, seed=8)
    assert len(drawn_of(session, one)) == 10
    assert drawn_of(session, one) == drawn_of(session, same) != drawn_of(session, other)
    questions = [
        [(asked.kind, asked.value, asked.choices) for sheet in sheets for asked in sheet.questions]
        for sheets in (queries.sheets(session, cast.actor("director"), made) for made in (one, same))
    ]
    assert questions[0] == questions[1]


def test_vacant_homes_shops_and_other_communities_are_no_candidates(session, cast):
    vacant = make_household(session, make_dwelling(session, cast.building, cast.district, "701"), None, "vacant")
    gone = make_household(session, make_dwelling(session, cast.building, cast.district, "702"), "丁一", "gone")
    shop = make_household(session, make_dwelling(session, cast.building, cast.district, "102", kind="shop"), "丁二")
    nowhere = make_household(session, make_dwelling(session, cast.building, None, "703"), "丁三")
    drawn = set(drawn_of(session, draw(session, cast, number=500)))
    assert len(drawn) == 5
    assert not drawn & {vacant.id, gone.id, shop.id, nowhere.id, cast.far_household.id}


def test_only_the_districts_that_were_chosen(session, cast):
    check = draw(session, cast, district_ids=(cast.second.id,))
    assert [sheet.answerer for sheet in queries.sheets(session, cast.actor("director"), check)] == ["other"]
    assert check.plan["districts"] == [str(cast.second.id)]


def test_nobody_comes_twice_in_a_row_unless_asked(session, cast):
    first = draw(session, cast, "2026-10")
    with pytest.raises(DrawFault, match="nobody"):
        draw(session, cast)
    make_household(session, make_dwelling(session, cast.building, cast.district, "701"), "丁一")
    assert len(drawn_of(session, draw(session, cast))) == 1
    assert len(drawn_of(session, draw(session, cast, again=True))) == 6
    draw(session, cast, "2026-10", district_ids=(cast.second.id,), replaces=first)
    assert len(drawn_of(session, draw(session, cast))) == 5  # what was replaced was not held


@pytest.mark.parametrize(
    ("code", "month", "plan"), [("month", "2026-19", {}), ("month", "2027-01", {}), ("few", "2026-11", {"number": 2})]
)
def test_why_nothing_is_drawn(session, cast, code, month, plan):
    with pytest.raises(DrawFault) as fault:
        draw(session, cast, month, **plan)
    assert fault.value.code == code
    assert session.scalar(select(func.count(SpotCheck.id))) == 0


def test_nobody_lives_there(session, cast):
    session.execute(update(Dwelling).values(district_id=None))
    with pytest.raises(DrawFault, match="nobody"):
        draw(session, cast)


def test_what_was_drawn_is_frozen(session, cast, check):
    before = queries.everything(session, check)
    home = cast.households[0]
    head = session.scalars(select(Resident).where(Resident.name == "张桂兰")).one()
    head.name, head.left_on = "改名的人", TODAY
    make_resident(session, home, "新来的人")
    home.occupancy = "rent"
    make_visit(session, home, cast.users["worker"], NOW)
    make_follow_up(session, cast.households[1], cast.users["worker"], "换灯泡")
    session.flush()
    assert queries.everything(session, check) == before
    assert asked_of(session, cast, check)[Kind.PEOPLE].value == 3


def test_a_fact_in_dispute_is_not_asked(session, cast):
    head = session.scalars(select(Resident).where(Resident.name == "张桂兰")).one()
    session.add(
        FactProposal(
            community_id=cast.community.id,
            household_id=head.household_id,
            resident_id=head.id,
            field="name",
            value="张桂蓝",
            proposed_by_id=cast.users["partner"].id,
            proposed_at=NOW,
        )
    )
    session.flush()
    assert Kind.HEAD not in asked_of(session, cast, draw(session, cast))


def test_choices_never_tell_of_another_district_or_a_sensitive_group(session, cast):
    sensitive = make_group(session, cast.community, "刑满释放", is_sensitive=True)
    make_care(session, cast.households[1], sensitive, date(2026, 1, 1), reason="不能说")
    abroad = make_household(session, make_dwelling(session, cast.building, cast.second, "401"), "外区的人")
    check = draw(session, cast)
    for sheet in queries.sheets(session, cast.actor("director"), check):
        said = json.dumps([asked.choices for asked in sheet.questions], ensure_ascii=False)
        assert ("外区的人" in said) <= (sheet.sample.household_id == abroad.id)
        assert ("不能说" in said) <= (sheet.sample.household_id == cast.households[1].id)


def test_no_numbers_and_nothing_readable_in_the_table(session, cast, check):
    session.flush()
    rows = session.execute(text("SELECT expected FROM spot_question")).scalars().all()
    assert rows and not any("张桂兰" in row or "people" in row for row in rows)
    opened = "".join(question.expected for question in session.scalars(select(SpotQuestion)))
    assert "张桂兰" in opened
    assert "320211194001021234" not in opened and "15400009999" not in opened


# --- who reads what


def test_a_worker_reads_their_own_sheets_and_what_is_expected_after_the_answer(session, cast, check):
    sheets = queries.sheets(session, cast.actor("worker"), check)
    assert {sheet.sample.household_id for sheet in sheets} == {home.id for home in cast.households}
    assert all(asked.value is None for sheet in sheets for asked in sheet.questions)
    assert queries.sheets(session, cast.actor("partner"), check) == []
    assert len(queries.sheets(session, cast.actor("other"), check)) == 1
    asked = asked_of(session, cast, check, "worker")[Kind.HEAD]
    answer(session, cast, asked, choice=asked.choices.index("张桂兰"))
    assert asked_of(session, cast, check, "worker")[Kind.HEAD].value == "张桂兰"


@pytest.mark.parametrize("username", ["stranger", "neighbour", "admin", "street"])
def test_out_of_reach(session, cast, check, username):
    actor = cast.actor(username)
    assert queries.checks(session, actor) == []
    assert queries.check(session, actor, check.id) is None
    assert queries.sheets(session, actor, check) == []
    asked = asked_of(session, cast, check)[Kind.HEAD]
    assert queries.question(session, actor, asked.question.id) is None
    assert queries.sheet(session, actor, asked.question.sample_id) is None
    assert queries.result(session, actor, check).total.households == 0


def test_a_worker_without_a_sheet_sees_no_check(session, cast):
    check = draw(session, cast, district_ids=(cast.second.id,))
    assert queries.checks(session, cast.actor("worker")) == []
    assert queries.checks(session, cast.actor("partner")) == []
    assert queries.checks(session, cast.actor("other")) == [check]
    assert queries.check(session, cast.actor("worker"), check.id) is None


def test_a_street_office_draws_and_counts_and_reads_no_names(session, cast):
    street = cast.actor("street")
    office = Actor(street.user_id, street.name, Role.STREET, cast.community.id, "s1")
    check = operations.draw_check(session, office, cast.community, "2026-11", Plan(), 7, TODAY, NOW)
    assert queries.checks(session, office) == [check]
    assert queries.result(session, office, check).total.households == 5
    assert queries.sheets(session, office, check) == []
    with pytest.raises(ValueError, match="narrowed"):
        operations.draw_check(session, office, cast.elsewhere, "2026-11", Plan(), 7, TODAY, NOW)


def test_reading_takes_as_many_statements_whatever_the_size(session, cast, check, count_queries):
    def statements(made: SpotCheck) -> list[int]:
        counts = []
        for read in (
            lambda: queries.sheets(session, cast.actor("director"), made),
            lambda: queries.result(session, cast.actor("director"), made),
            lambda: queries.progress(session, cast.actor("director")),
            lambda: queries.signs(session, cast.actor("director"), "2026-11"),
            lambda: operations.signature_of(session, made),
            lambda: draw(session, cast, number=500),
        ):
            session.flush()
            before = count_queries()
            read()
            counts.append(count_queries() - before)
        return counts

    small = statements(check)
    for i in range(40):
        make_household(session, make_dwelling(session, cast.building, cast.district, f"{7 + i}01"), f"丁{i}")
    large = draw(session, cast, number=500)
    assert len(drawn_of(session, large)) == 45
    assert statements(large) == small


# --- answers


def answer(session: Session, cast: Cast, asked: queries.Asked, verdict: Verdict | None = None, **more: Any) -> Any:
    is_alone = verdict is None
    return operations.record_answer(
        session,
        cast.actor(more.pop("username", "worker" if is_alone else "director")),
        asked.question,
        verdict,
        more.pop("way", Way.SELF if is_alone else Way.TABLE),
        NOW - timedelta(minutes=5),
        NOW,
        more.pop("key", None) or uuid7(),
        **more,
    )


def test_an_answer_is_written_once(session, cast, check):
    asked = asked_of(session, cast, check)[Kind.PEOPLE]
    key = uuid7()
    first = answer(session, cast, asked, Verdict.HALF, key=key)
    assert answer(session, cast, asked, Verdict.HALF, key=key) is first
    assert answer(session, cast, asked, Verdict.HALF) is first
    with pytest.raises(Refused, match="answered"):
        answer(session, cast, asked, Verdict.RIGHT)
    assert session.scalar(select(func.count(SpotAnswer.id))) == 1


def test_alone_the_choice_decides(session, cast, check):
    asked = asked_of(session, cast, check)
    head, people = asked[Kind.HEAD], asked[Kind.PEOPLE]
    wrong = next(i for i, choice in enumerate(head.choices) if choice != "张桂兰")
    assert answer(session, cast, head, choice=wrong).verdict == Verdict.WRONG
    assert answer(session, cast, people, choice=people.choices.index(3)).verdict == Verdict.RIGHT
    assert answer(session, cast, asked[Kind.LAST_MET]).verdict == Verdict.WRONG  # "I do not know"
    with pytest.raises(Refused, match="choice"):
        answer(session, cast, asked[Kind.CARE], choice=4)
    with pytest.raises(Refused, match="choice"):
        answer(session, cast, asked[Kind.CARE], choice=-1)


def test_nobody_judges_themself_and_nobody_answers_for_another(session, cast, check):
    asked = asked_of(session, cast, check)[Kind.HEAD]
    with pytest.raises(Refused, match="own"):
        answer(session, cast, asked, Verdict.RIGHT, username="worker")
    with pytest.raises(Refused, match="other"):
        answer(session, cast, asked, choice=0, username="partner")
    with pytest.raises(Refused, match="other"):
        answer(session, cast, asked, choice=0, username="director")


def test_a_key_that_is_taken_loses_no_answer(session, cast, check):
    asked = asked_of(session, cast, check)
    key = uuid7()
    answer(session, cast, asked[Kind.HEAD], Verdict.RIGHT, key=key)
    assert answer(session, cast, asked[Kind.PEOPLE], Verdict.WRONG, key=key).id != key


def test_a_phone_that_is_ahead_answered_now(session, cast, check):
    asked = asked_of(session, cast, check)[Kind.HEAD]
    done = operations.record_answer(
        session,
        cast.actor("director"),
        asked.question,
        Verdict.RIGHT,
        Way.TABLE,
        NOW + timedelta(days=3),
        NOW,
        uuid7(),
    )
    assert done.answered_at == NOW


# --- at the door


def at_the_door(session: Session, cast: Cast, check: SpotCheck, findings: Findings, **more: Any) -> SpotDoor:
    sample = queries.sheets(session, cast.actor("director"), check)[-1].sample
    actor = cast.actor(more.pop("username", "director"))
    return operations.record_door(session, actor, sample, findings, NOW, NOW, more.pop("key", None) or uuid7())


def test_a_difference_at_the_door_becomes_a_follow_up_there(session, cast, check):
    findings = Findings(True, is_true=False, knows_worker=True, visit_happened=None, was_told=False, note="多一个人")
    key = uuid7()
    door = at_the_door(session, cast, check, findings, key=key)
    assert at_the_door(session, cast, check, findings, key=key) is door
    assert door.note == "多一个人"
    statement = select(FollowUp).where(FollowUp.promise.startswith("抽查")).order_by(FollowUp.promise)
    promises = list(session.scalars(statement))
    assert {p.promise for p in promises} == {rules.TO_DO["is_true"], rules.TO_DO["was_told"]}
    assert {p.due_on for p in promises} == {date(2026, 11, 25)}
    sample = session.get_one(SpotSample, door.sample_id)
    assert {p.household_id for p in promises} == {sample.household_id}
    with pytest.raises(Refused, match="asked"):
        at_the_door(session, cast, check, Findings(True, is_true=True))


def test_who_did_not_agree_is_asked_nothing(session, cast, check):
    door = at_the_door(session, cast, check, Findings(False, is_true=False, note="走开"))
    assert (door.has_agreed, door.is_true, door.note) == (False, None, None)
    assert not session.scalar(select(func.count(FollowUp.id)).where(FollowUp.promise.startswith("抽查")))
    assert queries.result(session, cast.actor("director"), check).total.truth == rules.Share(0, 0)


def test_the_answerer_does_not_check_at_their_own_doors(session, cast, check):
    with pytest.raises(Refused, match="own"):
        operations.record_door(
            session,
            cast.actor("worker"),
            queries.sheets(session, cast.actor("worker"), check)[0].sample,
            Findings(True),
            NOW,
            NOW,
            uuid7(),
        )


# --- contests


def contest(session: Session, cast: Cast, asked: queries.Asked, word: str = "搬来一个人", **more: Any) -> SpotContest:
    actor = cast.actor(more.pop("username", "worker"))
    return operations.contest(session, actor, asked.question, word, NOW, more.pop("key", None) or uuid7())


def decide(session: Session, cast: Cast, asked: queries.Asked, verdict: Verdict, word: str = "是", **more: Any) -> Any:
    actor = cast.actor(more.pop("username", "director"))
    return operations.decide_contest(session, actor, asked.question, verdict, word, NOW)


def test_a_contest_and_its_decision_both_stay(session, cast, check):
    asked = asked_of(session, cast, check)[Kind.PEOPLE]
    with pytest.raises(Refused, match="unanswered"):
        contest(session, cast, asked)
    answer(session, cast, asked, Verdict.WRONG)
    with pytest.raises(Refused, match="other"):
        contest(session, cast, asked, username="director")
    for word in ("  ", "长" * 201):
        with pytest.raises(Refused, match="word"):
            contest(session, cast, asked, word)
    with pytest.raises(Refused, match="contested"):
        decide(session, cast, asked, Verdict.RIGHT)
    key = uuid7()
    made = contest(session, cast, asked, key=key)
    assert contest(session, cast, asked, key=key) is made
    with pytest.raises(Refused, match="contested"):
        contest(session, cast, asked, "另一句")
    assert queries.result(session, cast.actor("director"), check).total.score.wrong == 1
    with pytest.raises(Refused, match="own"):
        decide(session, cast, asked, Verdict.RIGHT, username="worker")
    decide(session, cast, asked, Verdict.RIGHT)
    assert decide(session, cast, asked, Verdict.RIGHT) is made
    with pytest.raises(Refused, match="decided"):
        decide(session, cast, asked, Verdict.WRONG)
    found = asked_of(session, cast, check)[Kind.PEOPLE]
    assert found.answer and found.contest
    assert (found.answer.verdict, found.verdict, found.contest.word) == (Verdict.WRONG, Verdict.RIGHT, "搬来一个人")
    total = queries.result(session, cast.actor("director"), check).total
    assert (total.score.right, total.score.wrong, total.contested) == (1, 0, 1)


# --- the result


def test_the_result_by_district_kind_and_against_last_month(session, cast, check):
    before = draw(session, cast, "2026-10", district_ids=(cast.district.id,))
    answer(session, cast, asked_of(session, cast, before)[Kind.PEOPLE], Verdict.RIGHT)
    asked = asked_of(session, cast, check)
    for kind, verdict in ((Kind.PEOPLE, "right"), (Kind.HEAD, "half"), (Kind.CARE, "wrong"), (Kind.NEED, "unrecorded")):
        answer(session, cast, asked[kind], Verdict(verdict))
    at_the_door(session, cast, check, Findings(True, is_true=True, knows_worker=False))
    found = queries.result(session, cast.actor("director"), check)
    first, second = found.districts
    assert (first.name, first.worker, first.households) == ("第1包干区", "worker", 4)
    assert first.score == rules.Score(right=1, half=1, wrong=1, unrecorded=1)
    assert (second.worker, second.score.asked, second.score.rate) == ("other", 0, None)
    assert (second.truth, second.known, second.told) == (rules.Share(1, 1), rules.Share(0, 1), rules.Share(0, 0))
    assert found.total.score == first.score
    assert found.kinds[Kind.HEAD].half == 1 and found.kinds[Kind.CARE].rate == 0
    assert found.last == {cast.district.id: rules.Score(right=1)}
    assert found.last_total == rules.Score(right=1)
    own = queries.result(session, cast.actor("other"), check)
    assert [line.worker for line in own.districts] == ["other"] and own.last == {}
    progress = queries.progress(session, cast.actor("director"))[check.id]
    assert (progress.households, progress.answers, progress.doors) == (5, 4, 1)


# --- closing


def test_a_closed_check_refuses_every_write(session, cast, check):
    asked = asked_of(session, cast, check)
    answer(session, cast, asked[Kind.HEAD], Verdict.WRONG)
    contest(session, cast, asked[Kind.HEAD])
    answer(session, cast, asked[Kind.PEOPLE], Verdict.WRONG)
    signature = operations.close_check(session, cast.actor("director"), check, NOW)
    assert signature == check.signature == operations.signature_of(session, check) and len(signature) == 64
    for deed in (
        lambda: answer(session, cast, asked[Kind.CARE], Verdict.RIGHT),
        lambda: answer(session, cast, asked[Kind.CARE], choice=0),
        lambda: contest(session, cast, asked[Kind.PEOPLE]),
        lambda: decide(session, cast, asked[Kind.HEAD], Verdict.RIGHT),
        lambda: at_the_door(session, cast, check, Findings(True)),
        lambda: operations.close_check(session, cast.actor("director"), check, NOW + timedelta(days=1)),
    ):
        with pytest.raises(Closed):
            deed()
    assert operations.signature_of(session, check) == signature
    with pytest.raises(DrawFault, match="closed"):
        draw(session, cast, replaces=check)


def test_the_signature_changes_with_any_value(session, cast, check):
    asked = asked_of(session, cast, check)
    answer(session, cast, asked[Kind.HEAD], Verdict.WRONG)
    contest(session, cast, asked[Kind.HEAD])
    decide(session, cast, asked[Kind.HEAD], Verdict.HALF)
    at_the_door(session, cast, check, Findings(True, False, True, True, True, note="多一个人"))
    operations.close_check(session, cast.actor("director"), check, NOW)
    kept = check.signature
    seen = {kept}
    for model in (SpotCheck, SpotSample, SpotQuestion, SpotAnswer, SpotContest, SpotDoor):
        row = session.scalars(select(model).order_by(model.id).limit(1)).one()
        for attribute in model.__mapper__.column_attrs:
            name = attribute.key
            column = attribute.columns[0]
            if name in ("id", "signature", "choice") or column.foreign_keys:
                continue  # `choice`: there is none at the table
            name = name.removesuffix("_sealed")
            before = getattr(row, name)
            setattr(row, name, _other(before))
            session.flush()
            seen.add(found := operations.signature_of(session, check))
            assert found != kept, (model, name)
            setattr(row, name, before)
            session.flush()
            assert operations.signature_of(session, check) == kept, (model, name)
    session.delete(session.scalars(select(SpotAnswer)).one())
    session.flush()
    seen.add(operations.signature_of(session, check))
    assert len(seen) >= 30


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 100
    if isinstance(value, date):
        return value + timedelta(days=1)
    if isinstance(value, dict):
        return value | {"x": 1}
    if value.startswith('{"choices"'):
        return json.dumps(json.loads(value) | {"value": "x"})
    return f"{value[:-1]}x"


def test_closing_waits_for_an_answer_that_is_being_written(postgres_url):
    engine = make_engine(fresh_postgres(postgres_url))
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as first:
        cast = make_cast(first, NOW)
        check = draw(first, cast)
        first.commit()
        answer(first, cast, asked_of(first, cast, check)[Kind.HEAD], Verdict.RIGHT)

        def close() -> None:
            with Session(engine) as other:
                operations.close_check(other, cast.actor("director"), other.get_one(SpotCheck, check.id), NOW)
                other.commit()

        thread = Thread(target=close)
        thread.start()
        _wait_until_somebody_waits(engine)
        first.commit()
        thread.join(30)
        first.refresh(check)
        assert check.signature == operations.signature_of(first, check)
        assert len(queries.everything(first, check)["spot_answer"]) == 1
        with pytest.raises(Closed):
            answer(first, cast, asked_of(first, cast, check)[Kind.PEOPLE], Verdict.RIGHT)
    engine.dispose()


def _wait_until_somebody_waits(engine: Any) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    end = monotonic() + 30
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text(waiting)):
            assert monotonic() < end, "nobody waits for the check"
            sleep(0.05)


def test_erasing_a_person_leaves_the_signature_and_the_expected_answer_cannot_change_otherwise(session, cast, check):
    operations.close_check(session, cast.actor("director"), check, NOW)
    question = asked_of(session, cast, check)[Kind.HEAD].question
    before = queries.expected_of(question)
    without = before | {"value": "已删除", "choices": ["已删除" if c == "张桂兰" else c for c in before["choices"]]}
    question.expected = json.dumps(without)
    session.flush()
    assert operations.signature_of(session, check) != check.signature
    question.expected = json.dumps(without | {"erased": True})
    session.flush()
    assert operations.signature_of(session, check) == check.signature
    question.expected = json.dumps(without | {"erased": True, "sum": "0" * 64})
    session.flush()
    assert operations.signature_of(session, check) != check.signature


# --- signs


def test_signs_of_a_careless_log(session, cast, check):
    worker, partner = cast.users["worker"], cast.users["partner"]
    far = make_building(session, cast.community, "30号楼", longitude=120.31)
    away = make_household(session, make_dwelling(session, far, cast.district, "101"), "丁一")
    at = NOW - timedelta(days=3)
    for i in range(5):
        make_visit(session, [cast.households[0], away][i % 2], partner, at + timedelta(minutes=i))
    last = queries.sheets(session, cast.actor("director"), check)[-1].sample.household_id
    for i in range(30):
        long_ago = NOW - timedelta(days=30 + 5 * i)
        make_visit(session, session.get_one(Household, last), worker, long_ago, sentence="一切正常")
    assert [(sign.kind, sign.worker) for sign in queries.signs(session, cast.actor("director"), "2026-11")] == [
        (SignKind.RUSH, "partner")
    ]
    at_the_door(session, cast, check, Findings(True, is_true=False))
    signs = {sign.kind: sign for sign in queries.signs(session, cast.actor("director"), "2026-11")}
    assert signs[SignKind.UNCHANGED].worker_id == worker.id
    assert signs[SignKind.UNCHANGED].facts == {"visits": 31, "changes": 1}
    assert queries.signs(session, cast.actor("stranger"), "2026-11") == []
    assert queries.signs(session, cast.actor("street"), "2026-11") == []


# --- the command


def test_the_command_prints_a_draw_and_keeps_it_only_when_asked(app, session, cast):
    def run(*words: str) -> Any:
        return app.test_cli_runner().invoke(args=["spotcheck", "draw", "--month", "2026-11", *words])

    done = run("--community", "c1", "--seed", "7", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert (said["seed"], said["month"], said["number"]) == (7, "2026-11", 5)
    assert said["samples"][-1]["district"] == "2" and said["samples"][-1]["building"] == "20号楼"
    assert said["samples"][0]["questions"][:2] == ["people", "head"]
    assert not any(name in done.output for name in ("张桂兰", "周邻", "worker"))
    assert run("--community", "c1", "--seed", "7", "--json").output == done.output
    assert session.scalar(select(func.count(SpotCheck.id))) == 0
    kept = json.loads(run("--community", "c1", "--district", "2", "--keep", "--json").output)
    assert kept["number"] == 1 and kept["plan"]["districts"] == ["2"]
    assert session.scalars(select(SpotCheck)).one().seed == kept["seed"]
    assert "20号楼" in run("--community", "c1").output
    for words in (["--community", "x"], ["--community", "c1", "--district", "9"], ["--community", "c1", "--number=2"]):
        assert run(*words).exit_code == 1
