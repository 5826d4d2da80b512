"""The five sheets' rules: every figure is the length of its list, and each age and sex has its place."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fieldapp.reports import sheets
from fieldapp.reports.sheets import COLUMNS, LAST_BAND, Asked, Care, Entry, Kind, Person, Promise

DAY = date(2026, 11, 18)
HOMES, DISTRICTS = [UUID(int=n) for n in range(1, 5)], [UUID(int=n) for n in range(50, 52)]


def person(n: int, home: int = 0, age: int | None = 40, sex: str | None = "1", **more: object) -> Person:
    born = None if age is None else date(DAY.year - age, 1, 1)
    return Person(UUID(int=100 + n), HOMES[home], DISTRICTS[home % 2], sex, born, **more)  # type: ignore[arg-type]


def care(code: str, home: int = 0, n: int | None = None, review_on: date | None = None) -> Care:
    return Care(HOMES[home], None if n is None else UUID(int=100 + n), DISTRICTS[home % 2], code, review_on)


def counts(kind: Kind, people: list[Person], cares: list[Care]) -> dict[str, int]:
    return {key: n for key, n in sheets.figures(sheets.sheet(kind, people, cares, DAY)).items() if n}


def test_veterans_are_those_named_and_a_household_named_as_a_whole_counts_as_a_household():
    people = [person(0, age=81), person(1, age=50), person(2, home=1)]
    cares = [care("veteran", 0, 0, review_on=DAY), care("veteran", 1, review_on=DAY + timedelta(days=1))]
    assert counts(Kind.VETERANS, people, cares) == {
        "households": 2, "people": 1, "old": 1, "very_old": 1, "review": 1,
    }  # fmt: skip


def test_who_is_there_no_more_is_not_counted_though_nobody_ended_the_membership():
    assert counts(Kind.HARDSHIP, [person(1)], [care("hardship", 0, n=7)]) == {}


def test_the_unemployed_are_the_group_and_those_recorded_without_work():
    people = [
        person(0, age=30, employment="unemployed"),
        person(1, age=49, employment="employed"),
        person(2, home=1, age=50),
        person(3, home=1, age=20, employment="student"),
    ]
    cares = [care("unemployed", 0, 1), care("unemployed", 1, 2), care("hardship", 1)]
    assert counts(Kind.UNEMPLOYED, people, cares) == {
        "households": 2, "people": 3, "young": 1, "middle": 1, "older": 1, "hardship": 1, "unlike": 1,
    }  # fmt: skip


def test_hardship_shows_what_comes_on_top():
    people = [person(0, age=70), person(1, home=1, age=9), person(2, home=1, age=30, employment="unemployed")]
    cares = [*(care("hardship", p // 2 + p % 2, p) for p in (0, 1, 2)), care("disabled", 1)]
    assert counts(Kind.HARDSHIP, people, cares) == {
        "households": 2, "people": 3, "alone": 1, "old": 1, "children": 1, "disabled": 2, "unemployed": 1,
    }  # fmt: skip


def test_structure_by_sex_age_and_how_they_live():
    people = [
        person(0, age=5), person(1, age=6, sex="2"), person(2, age=17), person(3, age=18, sex=None),
        person(4, home=1, age=59, is_temporary=True, occupancy="rent"), person(5, home=2, age=60, is_elsewhere=True),
        person(6, home=2, age=80, sex="2"), person(7, home=2, age=None),
    ]  # fmt: skip
    counted = counts(Kind.STRUCTURE, people, [])
    assert {key: n for key, n in counted.items() if key in COLUMNS[Kind.STRUCTURE]} == {
        "households": 3, "people": 8, "men": 5, "women": 2, "sex_unknown": 1, "small": 1, "school": 2, "adults": 2,
        "old": 2, "very_old": 1, "age_unknown": 1, "temporary": 1, "elsewhere": 1, "rent": 1, "alone": 1,
    }  # fmt: skip
    assert {key: n for key, n in counted.items() if key not in COLUMNS[Kind.STRUCTURE]} == {
        "m1": 1, "f1": 1, "m3": 1, "m11": 1, "m12": 1, "f16": 1,
    }  # fmt: skip


def test_a_birth_date_that_has_not_come_yet_is_no_age():
    people = [Person(UUID(int=1), HOMES[0], None, "1", DAY + timedelta(days=1))]
    assert counts(Kind.STRUCTURE, people, [])["age_unknown"] == 1


PEOPLE = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 120)),
        st.sampled_from([None, "0", "1", "2", "9"]),
        st.sampled_from([None, "unemployed", "employed", "retired"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(
    PEOPLE, st.lists(st.tuples(st.sampled_from(["veteran", "unemployed", "hardship", "disabled"]), st.integers(0, 11)))
)
def test_parts_add_up_to_the_whole_and_districts_to_the_community(
    people: list[tuple[int, int | None, str | None, str | None, bool]], cares: list[tuple[str, int]]
):
    living = [
        person(n, home, age, sex, employment=employment, is_temporary=is_temporary)
        for n, (home, age, sex, employment, is_temporary) in enumerate(people)
    ]
    members = [care(code, people[n][0] if n < len(people) else 0, n) for code, n in cares]
    for kind in (Kind.VETERANS, Kind.UNEMPLOYED, Kind.HARDSHIP, Kind.STRUCTURE):
        lists = sheets.sheet(kind, living, members, DAY)
        assert all(len(set(entries)) == len(entries) for entries in lists.values()), "nobody is listed twice"
        whole = sheets.figures(lists)
        assert whole["households"] == len({e.household_id for e in (*lists["people"], *lists["households"])})
        for key, count in whole.items():
            parts = [len(sheets.in_district(lists, district)[key]) for district in DISTRICTS]
            assert sum(parts) == count
        assert {key: sum(one[key] for one in sheets.by_district(lists).values()) for key in whole} == (
            whole if any(whole.values()) else dict.fromkeys(whole, 0)
        )
    counted = sheets.figures(sheets.structure(living, DAY))
    assert counted["people"] == counted["men"] + counted["women"] + counted["sex_unknown"]
    assert counted["people"] == sum(counted[key] for key in ("small", "school", "adults", "old", "age_unknown"))
    bands = sheets.pyramid(counted)
    assert [band.number for band in bands] == list(range(LAST_BAND, -1, -1))
    with_both = sum(1 for p in living if p.sex in ("1", "2") and p.age(DAY) is not None)
    assert sum(band.men + band.women for band in bands) == with_both


def test_needs_by_topic_once_in_all():
    asked = [
        Asked(HOMES[0], DISTRICTS[0], ("助餐", "看病")),
        Asked(HOMES[0], DISTRICTS[0], ("助餐",)),
        Asked(HOMES[1], DISTRICTS[1], ("停车",)),
    ]
    promised = [
        Promise(UUID(int=1), HOMES[0], DISTRICTS[0], ("助餐", "看病"), DAY, False),
        Promise(UUID(int=2), HOMES[0], DISTRICTS[0], ("助餐",), DAY - timedelta(days=1), False),
        Promise(UUID(int=3), HOMES[1], DISTRICTS[1], (), None, True),
    ]
    lines = sheets.needs(asked, promised, ["看病", "助餐", "楼道"], DAY)
    assert {line.topic: tuple(sheets.figures(line.lists).values()) for line in lines} == {
        "看病": (1, 1, 0, 1, 0),
        "助餐": (1, 2, 0, 2, 1),
        "停车": (1, 0, 0, 0, 0),
        "": (0, 1, 1, 0, 0),
        None: (2, 3, 1, 2, 1),
    }
    assert [line.topic for line in lines] == ["看病", "助餐", "停车", "", None]
    second = sheets.needs_in(lines, DISTRICTS[1])
    assert [line.topic for line in second] == ["停车", "", None]
    assert second[-1].lists["promised"] == [Entry(HOMES[1], DISTRICTS[1], promise_id=UUID(int=3))]


def test_a_topics_words_stay_out_of_addresses():
    assert sheets.topic_key("张三家的狗").isascii()
    assert len({sheets.topic_key(topic) for topic in ("", None, "助餐", "看病")}) == 4
