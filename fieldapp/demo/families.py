"""Families of believable forms, who of them rents, and which care groups they are in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from fieldapp.demo.names import COMPOUND, surname
from fieldapp.demo.people import MAN, WOMAN, Family, Person, Registrar
from fieldapp.households.rules import HEAD, Occupancy, age_on
from fieldapp.places.rules import ALWAYS

SPOUSE, SON, DAUGHTER, ONLY_SON, ONLY_DAUGHTER = "10", "20", "30", "21", "31"
FIRST_SON, FIRST_DAUGHTER, SECOND_SON, SECOND_DAUGHTER = "22", "32", "23", "33"
GRANDSON, GRANDDAUGHTER, DAUGHTER_IN_LAW, FATHER, MOTHER, UNRELATED = "41", "42", "38", "51", "52", "99"
"""GB/T 4761-2008, relation to the head."""

_UNIVERSITIES = (
    "南京市栖霞区学生集体户", "苏州市工业园区学生集体户", "徐州市泉山区学生集体户", "上海市松江区学生集体户",
)  # fmt: skip
_ORIGINS = (
    "安徽省阜阳市颍上县", "安徽省六安市霍邱县", "河南省周口市郸城县", "河南省信阳市固始县", "江苏省盐城市滨海县",
    "江苏省宿迁市泗阳县", "江苏省淮安市涟水县", "四川省达州市宣汉县", "贵州省毕节市织金县", "江西省上饶市鄱阳县",
    "湖北省黄冈市蕲春县", "山东省菏泽市单县", "陕西省安康市汉滨区", "云南省昭通市镇雄县",
)  # fmt: skip
_ELSEWHERE = ("本市崇文新村 23 号 301 室", "本市锡运里 8 号 502 室", "本市惠泉花园 16 号 1203 室", "本市荷塘村 41 号")


def _couple(make: Registrar, age: int) -> list[Person]:
    """Head and spouse; about one head in four is a woman."""
    man_heads = make.rng.random() < 0.74
    his = max(age + make.rng.randint(-1, 4), 22)
    him = make.person(his, MAN, HEAD if man_heads else SPOUSE)
    her = make.person(age, WOMAN, SPOUSE if man_heads else HEAD)
    return [him, her] if man_heads else [her, him]


def _family_name(people: Sequence[Person]) -> str:
    """The name children carry: the father's."""
    father = next((person for person in people if person.sex == MAN), people[0])
    return father.name[:2] if father.name[:2] in COMPOUND else father.name[0]


def _child(make: Registrar, parents: Sequence[Person], age: int, relation: tuple[str, str]) -> Person:
    sex = make.rng.choice((MAN, WOMAN))
    chosen = relation[0] if sex == MAN else relation[1]
    away = 18 <= age <= 23 and make.rng.random() < 0.6
    return make.person(
        age,
        sex,
        chosen,
        _family_name(parents),
        registered_at=make.rng.choice(_UNIVERSITIES) if away else None,
        is_away=away,
    )


def _old_couple(make: Registrar) -> list[Person]:
    return _couple(make, make.rng.randint(61, 79))


def _old_alone(make: Registrar) -> list[Person]:
    sex = WOMAN if make.rng.random() < 0.72 else MAN
    return [make.person(make.rng.randint(71, 89), sex, HEAD)]


def _plain_couple(make: Registrar) -> list[Person]:
    return _couple(make, make.rng.randint(27, 60))


def _with_child(make: Registrar) -> list[Person]:
    age = make.rng.randint(28, 46)
    parents = _couple(make, age)
    return [*parents, _child(make, parents, make.rng.randint(0, min(17, age - 24)), (ONLY_SON, ONLY_DAUGHTER))]


def _with_two(make: Registrar) -> list[Person]:
    age = make.rng.randint(32, 45)
    parents = _couple(make, age)
    elder_age = make.rng.randint(6, min(17, age - 24))
    elder = _child(make, parents, elder_age, (FIRST_SON, FIRST_DAUGHTER))
    younger_age = elder_age - make.rng.randint(2, 5)
    younger = (SECOND_SON, FIRST_DAUGHTER) if elder.relation == FIRST_SON else (FIRST_SON, SECOND_DAUGHTER)
    return [*parents, elder, _child(make, parents, younger_age, younger)]


def _with_grown(make: Registrar) -> list[Person]:
    age = make.rng.randint(45, 59)
    parents = _couple(make, age)
    return [*parents, _child(make, parents, make.rng.randint(18, min(30, age - 23)), (ONLY_SON, ONLY_DAUGHTER))]


def _three_generations(make: Registrar) -> list[Person]:
    age = make.rng.randint(32, 46)
    parents = _couple(make, age)
    head = parents[0]
    elder_age = age_on(head.birth_date, make.today) + make.rng.randint(23, 30)
    if make.rng.random() < 0.35:
        elder = make.person(elder_age, MAN, FATHER, _family_name([head]))
    else:
        elder = make.person(elder_age, WOMAN, MOTHER)
    child = _child(make, parents, make.rng.randint(2, min(17, age - 24)), (ONLY_SON, ONLY_DAUGHTER))
    return [*parents, child, elder]


def _alone(make: Registrar) -> list[Person]:
    return [make.person(make.rng.randint(25, 62), make.rng.choice((MAN, WOMAN)), HEAD)]


def _one_parent(make: Registrar) -> list[Person]:
    age = make.rng.randint(30, 46)
    parent = make.person(age, WOMAN if make.rng.random() < 0.75 else MAN, HEAD)
    sex = make.rng.choice((MAN, WOMAN))
    relation = ONLY_SON if sex == MAN else ONLY_DAUGHTER
    name = _family_name([parent]) if parent.sex == MAN else None
    return [parent, make.person(make.rng.randint(4, min(17, max(age - 24, 4))), sex, relation, name)]


def _widow_with_son(make: Registrar) -> list[Person]:
    age = make.rng.randint(70, 86)
    mother = make.person(age, WOMAN, HEAD)
    name = surname(make.rng)
    son = make.person(age - make.rng.randint(24, 30), MAN, SON, name)
    grandchild_age = age_on(son.birth_date, make.today) - make.rng.randint(25, 31)
    if make.rng.random() < 0.5 or grandchild_age < 3:
        return [mother, son, make.person(make.rng.randint(40, 50), WOMAN, DAUGHTER_IN_LAW)]
    sex = make.rng.choice((MAN, WOMAN))
    return [mother, son, make.person(grandchild_age, sex, GRANDSON if sex == MAN else GRANDDAUGHTER, name)]


def _grandparents_with_child(make: Registrar) -> list[Person]:
    couple = _couple(make, make.rng.randint(60, 70))
    return [*couple, _child(make, couple, make.rng.randint(5, 13), (GRANDSON, GRANDDAUGHTER))]


Form = Callable[[Registrar], list[Person]]
_OWNERS: tuple[tuple[Form, float], ...] = (
    (_old_couple, 16), (_old_alone, 3.6), (_plain_couple, 14), (_with_child, 24), (_with_two, 7), (_with_grown, 15),
    (_three_generations, 10), (_alone, 8), (_one_parent, 2.5), (_widow_with_son, 4), (_grandparents_with_child, 1.2),
)  # fmt: skip
"""Forms of families who live in their own flat, per cent: about a household in four has nobody under 60."""


def _one_renter(make: Registrar) -> list[Person]:
    return [make.person(make.rng.randint(21, 38), make.rng.choice((MAN, WOMAN)), HEAD)]


def _renting_couple(make: Registrar) -> list[Person]:
    return _couple(make, make.rng.randint(23, 42))


def _sharers(make: Registrar) -> list[Person]:
    sex = make.rng.choice((MAN, WOMAN))
    count = make.rng.randint(2, 3)
    return [make.person(make.rng.randint(21, 32), sex, HEAD if i == 0 else UNRELATED) for i in range(count)]


_RENTERS: tuple[tuple[Form, float], ...] = (
    (_one_renter, 32), (_renting_couple, 28), (_with_child, 25), (_sharers, 15),
)  # fmt: skip


def _pick(rng: Random, forms: Sequence[tuple[Form, float]]) -> Form:
    return rng.choices([form for form, _ in forms], [weight for _, weight in forms])[0]


def owners(make: Registrar, *, large: bool = False) -> Family:
    """A family in its own flat; `large` for flats made into one."""
    people = (_three_generations if large else _pick(make.rng, _OWNERS))(make)
    if not large and make.rng.random() < 0.025:
        people[0] = _registered(people[0], make.rng.choice(_ELSEWHERE), temporary=False)
    occupancy = Occupancy.UNKNOWN if make.rng.random() < 0.02 else Occupancy.OWN
    family = Family(occupancy, people, registered=[(ALWAYS, occupancy)])
    _add_cares(make, family)
    return family


def renters(make: Registrar) -> Family:
    """Tenants, most of them registered in another province: temporary residents."""
    form = _pick(make.rng, _RENTERS)
    people = form(make)
    temporary = make.rng.random() < 0.8
    if temporary:
        origin = make.rng.choice(_ORIGINS)
        people = [_registered(person, origin, temporary=True) for person in people]
    occupancy = Occupancy.LODGING if form is _sharers else Occupancy.RENT
    moved_in_on = make.days_ago(430, 1500)
    family = Family(occupancy, people, registered=[(moved_in_on, occupancy)], moved_in_on=moved_in_on)
    if temporary and make.rng.random() < 0.8:
        family.cares.append(make.membership("temporary", 0, moved_in_on))
    return family


def _registered(person: Person, where: str, *, temporary: bool) -> Person:
    return replace(person, registered_at=where, is_temporary=temporary)


def arrivals(make: Registrar) -> Family:
    """A family that moved within the last three months into what was a vacant flat."""
    family = renters(make) if make.rng.random() < 0.5 else owners(make)
    moved_in_on = make.days_ago(4, 95)
    family.moved_in_on = moved_in_on
    family.registered = [(ALWAYS, Occupancy.VACANT), (moved_in_on, family.occupancy)]
    family.cares = [make.membership("new_arrival", 0, moved_in_on)]
    return family


def nobody(make: Registrar) -> Family:
    """The emptiness of a vacant flat."""
    note = make.rng.choice((None, None, "房主在外地。", "在挂牌卖。", "在装修。"))
    return Family(Occupancy.VACANT, registered=[(ALWAYS, Occupancy.VACANT)], note=note)


def _add_cares(make: Registrar, family: Family) -> None:
    """Care groups in about the shares of an older city district, per household: 3 % alone, 6 % over 80, 2 % 低保 …"""
    ages = [age_on(person.birth_date, make.today) for person in family.people]
    rng, cares = make.rng, family.cares
    if len(ages) == 1 and ages[0] >= 71:
        cares.append(make.membership("elderly_alone", 0))
    for i, age in enumerate(ages):
        if age >= 80:
            cares.append(make.membership("elder80", i))
    for group, fits, chance in _CHANCES:
        if rng.random() < chance:
            chosen = [i for i, age in enumerate(ages) if fits(age, family.people[i], len(ages))]
            if chosen:
                cares.append(make.membership(group, rng.choice(chosen)))
    if rng.random() < 0.006:
        cares.append(make.membership("dispute", None, make.days_ago(5, 80)))


def _is_lone_child(age: int, person: Person, count: int) -> bool:
    """A child with one grown-up, or with grandparents."""
    with_one = count == 2 and person.relation in (ONLY_SON, ONLY_DAUGHTER)
    return age < 16 and (with_one or person.relation in (GRANDSON, GRANDDAUGHTER))


Fits = Callable[[int, Person, int], bool]
_CHANCES: tuple[tuple[str, Fits, float], ...] = (
    ("hardship", lambda age, person, count: age >= 45 and count <= 2, 0.07),
    ("disabled", lambda age, person, count: age >= 30, 0.033),
    ("veteran", lambda age, person, count: person.sex == MAN and age >= 45, 0.055),
    ("unemployed", lambda age, person, count: 24 <= age <= 57 and not person.is_away, 0.035),
    ("bereaved_child", _is_lone_child, 0.35),
    ("released", lambda age, person, count: person.sex == MAN and 25 <= age <= 58 and count <= 2, 0.022),
)
"""Group, whom it may be (age, person, size of the household), and the chance that such a household has one."""


def zhang(make: Registrar) -> Family:
    """The household of the mock-ups: 12号楼 2单元 601, a widow of 82 with her son and her granddaughter away."""
    people = [
        make.person(82, WOMAN, HEAD, name="张桂兰"),
        make.person(56, MAN, SON, name="李建国"),
        make.person(23, WOMAN, GRANDDAUGHTER, name="李思雨", registered_at=_UNIVERSITIES[0], is_away=True),
    ]
    cares = [make.membership("elder80", 0), make.membership("hardship", 0), make.membership("unemployed", 1)]
    return Family(Occupancy.OWN, people, cares, [(ALWAYS, Occupancy.OWN)], known="zhang")


def zhou(make: Registrar) -> Family:
    """15号楼 1单元 402, who fell at home: a man of 78 who lives alone."""
    cares = [make.membership("elderly_alone", 0)]
    people = [make.person(78, MAN, HEAD, name="周福生")]
    return Family(Occupancy.OWN, people, cares, [(ALWAYS, Occupancy.OWN)], known="zhou")


def wang(make: Registrar) -> Family:
    """12号楼 2单元 502, moved in ten days ago and not met so far."""
    moved_in_on = make.today - timedelta(days=10)
    people = [make.person(44, WOMAN, HEAD, name="王秀英"), make.person(15, MAN, ONLY_SON, name="陈浩宇")]
    cares = [make.membership("new_arrival", 0, moved_in_on)]
    registered = [(ALWAYS, Occupancy.VACANT), (moved_in_on, Occupancy.OWN)]
    return Family(Occupancy.OWN, people, cares, registered, moved_in_on, known="wang")


KNOWN: dict[tuple[str, int, str], Callable[[Registrar], Family]] = {
    ("12", 2, "601"): zhang,
    ("12", 2, "502"): wang,
    ("15", 1, "402"): zhou,
}
"""Households that are the same whatever the seed, by building, entrance and room."""
