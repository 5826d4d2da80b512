"""The pages that find people who are on record twice, lay them side by side, merge them and take it back."""

from datetime import date
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fieldapp.accounts.models import AuditEntry
from fieldapp.households import duplicates
from fieldapp.households.models import NotSame, Resident, ResidentMerge
from fieldapp.households.rules import id_check_digit
from tests.factories import Cast, make_resident

BORN = date(1957, 3, 2)
NUMBER, OTHER = (first + id_check_digit(first) for first in ("00000019570302123", "00000019570302125"))
"""Sound numbers of nobody."""


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.status_code
    return unescape(answer.get_data(as_text=True))


@pytest.fixture
def pair(session: Session, cast: Cast) -> tuple[Resident, Resident]:
    """A man behind two doors, with more on record behind the second."""
    one = make_resident(session, cast.households[0], "孙平", birth_date=BORN, phone="15400001111", relation="20")
    other = make_resident(
        session,
        cast.households[2],
        "孙平",
        birth_date=BORN,
        phone="15400001112",
        relation="73",
        sex="1",
        workplace="老厂",
    )
    session.commit()
    return one, other


def at(one: Resident, other: Resident, end: str = "") -> str:
    return f"/duplicates/{one.id}/{other.id}{end}"


def test_the_director_finds_a_pair_with_both_doors(pair: tuple[Resident, Resident], sign_in: Any):
    page = text(sign_in("director").get("/duplicates"))
    assert "1 对像是一个人" in page
    for said in ("孙平", "12号楼 1单元 601", "12号楼 1单元 301", "同楼同名同生日"):
        assert said in page
    assert "同楼" not in text(sign_in("stranger").get("/duplicates"))


def test_both_sides_stand_field_by_field_with_numbers_masked(
    pair: tuple[Resident, Resident], session: Session, sign_in: Any
):
    one, other = pair
    one.id_number, other.id_number, other.phone = NUMBER, OTHER, "15422221111"
    session.commit()
    page = text(sign_in("director").get(at(one, other)))
    assert "老厂" in page
    assert "和户主的关系" not in page, "behind another door there is another head"
    assert page.count("1957年3月2日") == 1, "the same on both sides: nothing to choose"
    for secret in ("15400001111", "15422221111", NUMBER, OTHER):
        assert secret not in page
    assert "***0000****" in page, "two numbers of one mask: the digits that differ are shown"
    assert "***2222****" in page


def test_chosen_facts_are_merged_and_taken_back(pair: tuple[Resident, Resident], session: Session, sign_in: Any):
    one, other = pair
    person = sign_in("director")
    answer = person.post(
        at(one, other, "/merge"), {"keep": "one", "phone": "other", "workplace": "one", "sex": "other"}
    )
    assert (answer.status_code, answer.location) == (303, "/duplicates")
    session.expire_all()
    assert (one.phone, one.workplace, one.sex, other.left_why) == ("15400001112", None, "1", "merged")
    page = text(person.get("/duplicates"))
    assert "没有重的" in page
    assert "合成一个了，留下的在12号楼 1单元 601" in page
    merged = session.scalars(select(ResidentMerge)).one()
    assert f"/merges/{merged.id}/undo" in page
    assert person.post(f"/merges/{merged.id}/undo").status_code == 303
    session.expire_all()
    assert (one.phone, one.sex, other.left_on, other.left_why) == ("15400001111", None, None, None)
    page = text(person.get("/duplicates"))
    assert "1 对像是一个人" in page
    assert f"/merges/{merged.id}/undo" not in page


def test_sent_twice_it_is_merged_once(pair: tuple[Resident, Resident], session: Session, sign_in: Any):
    person = sign_in("director")
    for _ in range(2):
        assert person.post(at(*pair, "/merge"), {"keep": "other"}).status_code == 303
    assert session.scalars(select(ResidentMerge)).one().kept_id == pair[1].id


def test_what_was_changed_since_is_said_and_not_undone(pair: tuple[Resident, Resident], session: Session, sign_in: Any):
    one, other = pair
    person = sign_in("director")
    person.post(at(one, other, "/merge"), {"keep": "one"})
    merged = session.scalars(select(ResidentMerge)).one()
    person.post(f"/residents/{one.id}/facts", {"field": "phone", "value": "15400008888", "saw-phone": "15400001111"})
    answer = person.post(f"/merges/{merged.id}/undo")
    assert "合起来以后又改过：电话。" in text(answer, 422)
    session.expire_all()
    assert (one.phone, other.left_why, merged.undone_at) == ("15400008888", "merged", None)


def test_sides_that_contradict_each_other_come_back_with_what_was_chosen(
    pair: tuple[Resident, Resident], session: Session, sign_in: Any
):
    one, other = pair
    other.id_number, one.birth_date = NUMBER, date(1958, 1, 1)
    session.commit()
    answer = sign_in("director").post(
        at(one, other, "/merge"), {"keep": "other", "birth_date": "one", "id_number": "other", "workplace": "one"}
    )
    page = text(answer, 422)
    assert "选的身份证号和出生日期对不上" in page
    for name, value in (("keep", "other"), ("birth_date", "one"), ("workplace", "one")):
        assert f'name="{name}" value="{value}" checked' in page
    assert session.scalars(select(ResidentMerge)).all() == []


@pytest.mark.parametrize("form", [{}, {"keep": "both"}, {"keep": "one", "phone": "neither"}])
def test_a_form_that_is_not_whole_is_refused(form: dict[str, str], pair: tuple[Resident, Resident], sign_in: Any):
    assert "没收全" in text(sign_in("director").post(at(*pair, "/merge"), form), 422)


def test_two_people_are_not_shown_again(pair: tuple[Resident, Resident], session: Session, sign_in: Any):
    person = sign_in("director")
    for one, other in (pair, pair[::-1]):
        assert person.post(at(one, other, "/two-people")).status_code == 303
    assert session.scalars(select(NotSame)).one().one_id == min(pair, key=lambda side: side.id.bytes).id
    assert "没有重的" in text(person.get("/duplicates"))
    assert {trace.deed for trace in session.scalars(select(AuditEntry))} == {"merge.two_people"}


@pytest.mark.parametrize("username", ["worker", "partner", "other", "stranger", "street", "admin"])
def test_nobody_but_the_communitys_director_merges(
    username: str, pair: tuple[Resident, Resident], session: Session, sign_in: Any
):
    one, other = pair
    sign_in("director").post(at(one, other, "/merge"), {"keep": "one"})
    merged = session.scalars(select(ResidentMerge)).one()
    person = sign_in(username)
    assert person.get(at(one, other)).status_code == 404
    for address in (at(one, other, "/merge"), at(one, other, "/two-people"), f"/merges/{merged.id}/undo"):
        assert person.post(address, {"keep": "one"}).status_code == 404


def test_one_record_beside_itself_or_beyond_the_community_is_not_there(
    pair: tuple[Resident, Resident], cast: Cast, session: Session, sign_in: Any
):
    far = make_resident(session, cast.far_household, "孙平", birth_date=BORN)
    session.commit()
    person = sign_in("director")
    assert person.get(at(pair[0], pair[0])).status_code == 404
    assert person.get(at(pair[0], far)).status_code == 404


# --- found when typed


def test_a_name_and_birth_date_that_are_elsewhere_are_said_on_the_page_that_answers(
    cast: Cast, session: Session, sign_in: Any
):
    here = make_resident(session, cast.households[0], "孙萍", birth_date=BORN)
    make_resident(session, cast.households[2], "孙平", birth_date=BORN)
    session.commit()
    person = sign_in("worker")
    where = f"/households/{cast.households[0].id}"
    assert "查重" not in text(person.get(where))
    answer = person.post(f"/residents/{here.id}/facts", {"field": "name", "value": "孙平", "saw-name": "孙萍"})
    page = text(person.get(answer.location))
    assert "查重：孙平在 12号楼 1单元 301 也有登记。" in page
    assert "/duplicates/" not in page, "a worker has no page to merge on"
    assert f"/duplicates/{here.id}/" in text(sign_in("director").get(where))


def test_of_another_district_a_worker_reads_only_that_there_is_one(cast: Cast, session: Session, sign_in: Any):
    make_resident(session, cast.households[0], "孙平", id_number=NUMBER)
    [neighbour] = session.scalars(select(Resident).where(Resident.name == "周邻")).all()
    neighbour.id_number = NUMBER
    session.commit()
    page = text(sign_in("worker").get(f"/households/{cast.households[0].id}"))
    assert "查重：孙平在别的包干区也有登记，主任能看到是哪一户。" in page
    for hidden in ("周邻", "20号楼", NUMBER):
        assert hidden not in page
    assert "查重：孙平在 20号楼 1单元 201 也有登记。" in text(
        sign_in("director").get(f"/households/{cast.households[0].id}")
    )


def test_the_history_names_every_fact_that_a_merge_wrote_and_shows_no_number(
    cast: Cast, session: Session, sign_in: Any
):
    one = make_resident(session, cast.households[0], "孙平")
    other = make_resident(
        session,
        cast.households[0],
        "孙评",
        birth_date=BORN,
        sex="1",
        id_number=NUMBER,
        phone="15400001111",
        relation="73",
        ethnic="11",
        marital="20",
        schooling="70",
        employment="retired",
        workplace="老厂",
        registered_at="南京",
        is_temporary=True,
        origin="徐州",
        permit_from=date(2026, 1, 1),
        permit_until=date(2026, 12, 31),
        guardian="孙大",
        guardian_phone="15400002222",
    )
    session.commit()
    person = sign_in("director")
    choices = dict.fromkeys(duplicates.FIELDS, "other")
    assert person.post(at(one, other, "/merge"), {"keep": "one"} | choices).status_code == 303
    page = text(person.get(f"/households/{cast.households[0].id}/history"))
    for said in ("民族", "婚姻", "文化程度", "退休", "老厂", "徐州", "12月31日", "孙大"):
        assert said in page, said
    for secret in ("15400001111", "15400002222", NUMBER):
        assert secret not in page
    assert person.get(f"/households/{cast.households[0].id}/history?day=2026-11-18").status_code == 200
