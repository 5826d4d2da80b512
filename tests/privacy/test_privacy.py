"""Looking at a number with a reason, a copy for the person, erasing what is due; nothing comes back."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from fieldapp import seals
from fieldapp.accounts.models import AuditEntry
from fieldapp.db import Base
from fieldapp.households.models import Erasure, FactChange, Resident
from fieldapp.privacy import operations, queries
from fieldapp.privacy.resealing import SEALED, reseal
from fieldapp.privacy.rules import ERASED_NAME, is_due, term_of, without
from fieldapp.visits.models import Visit
from tests.conftest import NOW
from tests.factories import make_resident, make_visit

NUMBER = "320211195703023518"
MARKED = "欧阳记号"


@pytest.fixture
def marked(cast, session):
    """Somebody with a marked name and number, behind the worker's door."""
    person = make_resident(session, cast.households[0], MARKED, id_number=NUMBER, phone="15412345678")
    session.commit()
    return person


# --- rules


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 900), st.integers(30, 800))
def test_due_once_the_term_is_over(left, later, days):
    assert is_due(left, left + timedelta(days=later), days) == (later >= days)


def test_who_is_there_is_never_due():
    assert not is_due(None, date(2026, 1, 1), 30)


@pytest.mark.parametrize(("settings", "days"), [({}, 365), ({"keep_days": 90}, 90), ({"keep_days": 1}, 30)])
def test_the_term_is_the_communitys_and_never_too_short(settings, days):
    assert term_of(settings) == days


@given(st.recursive(st.text(), lambda part: st.lists(part) | st.dictionaries(st.text(), part)))
def test_a_name_is_gone_from_everything_it_stands_in(said):
    assert "张桂兰" not in str(without("张桂兰", ["张桂兰想办卡", {"张": said}, said])[0])


def test_a_name_of_one_sign_takes_no_words_with_it():
    assert without("安", "平安就好") == "平安就好"


# --- looking


def test_a_number_is_masked_until_somebody_says_why(sign_in, session, marked):
    worker = sign_in("worker")
    page = worker.get(f"/residents/{marked.id}/record").text
    assert NUMBER not in page
    assert "320211********3518" in page
    assert NUMBER not in worker.get(f"/households/{marked.household_id}").text
    refused = worker.post(f"/residents/{marked.id}/unmasking", {"why": "好奇"})
    assert refused.status_code == 422
    assert NUMBER not in refused.text
    shown = worker.post(f"/residents/{marked.id}/unmasking", {"why": "errand"})
    assert NUMBER in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.deed == "unmask.id_number"))
    assert (entry.subject, entry.detail) == (str(marked.id), {"why": "errand"})


def test_a_copy_holds_everything_and_leaves_a_trace(sign_in, session, cast, marked):
    visit = make_visit(session, cast.households[0], cast.users["worker"], NOW, sentence="眼睛好些了")
    marked.employment, marked.marital = "retired", "30"
    session.commit()
    sign_in("worker").post(f"/residents/{marked.id}/facts", {"field": "schooling", "value": "70", "saw-schooling": ""})
    page = sign_in("director").post(f"/residents/{marked.id}/copy", {"why": "asked"}).text
    assert all(said in page for said in (MARKED, NUMBER, "15412345678", "退休", "丧偶", "文化程度", "初中"))
    assert [code for code in ("retired", "schooling<", ">70<") if code in page] == []  # words, not codes
    assert visit.sentence not in page  # nobody says that she was the one who was met
    assert session.scalar(select(AuditEntry.deed).where(AuditEntry.subject == str(marked.id))) == "copy.resident"


# --- erasing


def _leave(session, person, days):
    person.left_on = NOW.date() - timedelta(days=days)
    session.commit()


def test_nobody_is_erased_before_the_term(sign_in, session, marked):
    director = sign_in("director")
    assert director.post(f"/residents/{marked.id}/erasure").status_code == 422
    _leave(session, marked, 300)
    assert director.post(f"/residents/{marked.id}/erasure").status_code == 422
    session.expire_all()
    assert session.get(Resident, marked.id).name == MARKED


def test_an_erased_person_is_in_no_row_any_more_and_visits_still_count(sign_in, session, cast, marked):
    worker = sign_in("worker")
    worker.post(f"/residents/{marked.id}/facts", {"field": "phone", "value": "15400001111", "saw-phone": "15412345678"})
    visit = make_visit(session, cast.households[0], cast.users["worker"], NOW, sentence=f"{MARKED}想办助餐卡")
    _leave(session, marked, 400)
    visits = session.query(Visit).count()
    director = sign_in("director")
    assert MARKED in director.get("/erasures").text
    assert director.post("/erasures").status_code == 422  # nobody said that they are sure
    assert director.post("/erasures", {"sure": "1"}).status_code == 303
    session.expire_all()
    erased = session.get(Resident, marked.id)
    assert (erased.name, erased.phone, erased.id_number, erased.id_hash, erased.phone_hash, erased.phone_tail) == (
        ERASED_NAME,
        *[None] * 5,
    )
    assert not session.scalars(select(FactChange).where(FactChange.resident_id == marked.id)).all()
    assert session.get(Visit, visit.id).sentence == f"{ERASED_NAME}想办助餐卡"
    assert session.query(Visit).count() == visits
    assert session.scalar(select(Erasure.resident_id)) == marked.id
    assert director.get(f"/residents/{marked.id}/record").status_code == 404


def test_a_phone_that_still_knows_them_brings_nothing_back(sign_in, session, marked):
    _leave(session, marked, 400)
    sign_in("director").post("/erasures", {"sure": "1"})
    answer = sign_in("worker").post(f"/residents/{marked.id}/facts", {"field": "phone", "value": "15412345678"})
    assert answer.status_code == 404
    session.expire_all()
    assert session.get(Resident, marked.id).phone is None


def test_what_an_old_backup_brings_back_is_erased_again(sign_in, session, app, marked):
    _leave(session, marked, 400)
    key = marked.id
    sign_in("director").post("/erasures", {"sure": "1"})
    session.expire_all()
    back = session.get(Resident, key)
    back.name, back.erased_at, back.phone = MARKED, None, "15412345678"  # as the backup has it
    session.query(Erasure).delete()
    session.commit()
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["restored"], catch_exceptions=False)
    assert "Erased again: 1" in done.output
    session.expire_all()
    assert session.get(Resident, key).name == ERASED_NAME


def test_the_command_says_how_many_and_erases(app, session, cast, marked):
    _leave(session, marked, 400)
    run = app.test_cli_runner().invoke
    assert "Due: 1" in run(args=["erase", "due", "--community", cast.community.code, "--dry-run"]).output
    session.expire_all()
    assert session.get(Resident, marked.id).erased_at is None
    assert "Erased: 1" in run(args=["erase", "due", "--community", cast.community.code]).output
    assert "Erased" not in run(args=["erase", "due", "--community", "nowhere"]).output
    session.expire_all()
    assert session.get(Resident, marked.id).erased_at


# --- sealing


def test_a_value_opens_in_its_own_place_only(session, cast, marked):
    other = make_resident(session, cast.households[0], "李四")
    other.id_number_sealed = marked.id_number_sealed
    with pytest.raises(seals.Unsealable):
        _ = other.id_number
    marked.phone_sealed = marked.id_number_sealed
    with pytest.raises(seals.Unsealable):
        _ = marked.phone


def test_equal_values_look_alike_by_their_digest_alone(session, cast, marked):
    other = make_resident(session, cast.households[0], "李四", id_number=NUMBER)
    assert other.id_hash == marked.id_hash
    assert other.id_number_sealed != marked.id_number_sealed
    assert NUMBER not in other.id_number_sealed


def test_a_new_key_seals_everything_anew_and_old_values_still_open(tmp_path):
    file = tmp_path / "registry_keys"
    first = seals.kept_keyring(file)
    assert file.stat().st_mode & 0o077 == 0
    row = Erasure.__table__  # any table's name will do
    key = "0190" * 8
    sealed = first.seal(NUMBER, row.name, key, "x")
    second = seals.add_version(file)
    assert second.version == first.version + 1
    assert second.open(sealed, row.name, key, "x") == NUMBER
    assert second.digest(NUMBER) == first.digest(NUMBER)
    again = second.seal(NUMBER, row.name, key, "x")
    with pytest.raises(seals.Unsealable):
        first.open(again, row.name, key, "x")


def test_everything_is_sealed_anew(session, marked):
    before = marked.id_number_sealed
    assert reseal(session) > 0
    session.expire_all()
    after = session.get(Resident, marked.id)
    assert after.id_number_sealed != before
    assert after.id_number == NUMBER


def test_every_sealed_attribute_is_known_to_resealing():
    known = {(model, name) for model, names in SEALED for name in names}
    found = {
        (mapper.class_, name)
        for mapper in Base.registry.mappers
        for name, value in vars(mapper.class_).items()
        if isinstance(value, seals.Sealed)
    }
    assert found <= known


def test_spot_check_answers_lose_the_name_too():
    kept = {"value": [MARKED], "choices": [[MARKED], []]}
    assert MARKED not in json.dumps(without(MARKED, kept), ensure_ascii=False)


def test_a_record_merged_into_an_erased_one_goes_with_it(session, cast, marked):
    assert operations.erase(session, None, marked, "term", NOW) == [marked.id]
    assert queries.unerased(session, [marked.id]) == []
