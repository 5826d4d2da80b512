"""How long a wrong password makes one wait, and which passwords are refused."""

from datetime import timedelta

import pytest

from fieldapp.accounts.rules import Actor, Role, password_fault, wait_after


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (1, 0), (4, 0), (5, 2), (6, 4), (7, 8), (13, 512), (14, 900), (15, 900), (10**9, 900)],
)
def test_five_tries_are_free_then_the_wait_doubles_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert wait_after(failures) == timedelta(seconds=seconds)


def test_a_further_wrong_password_never_shortens_the_wait() -> None:
    waits = [wait_after(n) for n in range(60)]
    assert waits == sorted(waits)


@pytest.mark.parametrize(
    ("password", "username", "fault"),
    [
        ("", "worker1", "short"),
        ("seven77", "worker1", "short"),
        ("eight888", "worker1", None),
        ("走访民情日志要天天记", "worker1", None),
        ("director1", "director1", "same"),
        ("DIRECTOR1", "director1", "same"),
        ("Straße-12", "STRASSE-12", "same"),
        ("director1!", "director1", None),
        ("aaaaaaaa", "worker1", "simple"),
        ("abababab", "worker1", "simple"),
        ("abcabcab", "worker1", None),
    ],
)
def test_a_password_is_refused_when_short_or_the_name_or_one_sign_repeated(
    password: str, username: str, fault: str | None
) -> None:
    assert password_fault(password, username) == fault


def test_an_actor_who_answers_for_nothing_sees_no_district() -> None:
    assert Actor(None, "", Role.WORKER).district_ids == frozenset()
