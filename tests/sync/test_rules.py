"""What an item says of itself, when two are the same, whether a database went back, why something is held."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldapp.sync import rules
from fieldapp.sync.rules import Charge, Item, Life, MalformedItem, Reason

KEY = UUID("01a20069-a54f-706e-b9ae-4e6ccd302b1f")
NOW = datetime(2026, 11, 18, 1, 41, tzinfo=UTC)
HEADERS = {
    "Outbox-Id": str(KEY),
    "Outbox-User": str(KEY),
    "Outbox-Phone": str(KEY),
    "Outbox-Number": "7",
    "Outbox-Made-At": "2026-11-18T01:40:00.123Z",
    "Outbox-Sent-At": "2026-11-18T01:43:00Z",
}


def test_the_headers_of_an_item_are_read():
    item = rules.read_item(HEADERS)
    assert (item.id, item.user_id, item.phone, item.number) == (KEY, KEY, KEY, 7)
    assert (item.made_at, item.sent_at) == (
        datetime(2026, 11, 18, 1, 40, 0, 123000, tzinfo=UTC),
        datetime(2026, 11, 18, 1, 43, tzinfo=UTC),
    )
    assert item.clock_ahead(NOW) == 120
    assert rules.read_item(HEADERS | {"Outbox-Id": str(KEY).upper()}).id == KEY


@given(st.dictionaries(st.sampled_from(list(HEADERS)), st.text() | st.sampled_from(list(HEADERS.values()))))
def test_other_headers_are_read_or_named(headers):
    try:
        item = rules.read_item(headers)
    except MalformedItem as error:
        assert set(error.faults) <= set(HEADERS) and error.faults
    else:
        assert item.number >= 1 and item.made_at.utcoffset() == timedelta()


def test_every_header_that_is_missing_is_named():
    with pytest.raises(MalformedItem) as caught:
        rules.read_item({})
    assert caught.value.faults == list(HEADERS)


@pytest.mark.parametrize("said", ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59.999Z"])
def test_a_clock_that_is_far_off_is_no_fault(said):
    item = rules.read_item(HEADERS | {"Outbox-Sent-At": said, "Outbox-Made-At": said})
    assert abs(item.clock_ahead(NOW)) < 2**31
    assert item.done_at(NOW) <= NOW


@given(st.datetimes(timezones=st.just(timezone.utc)), st.datetimes(timezones=st.just(timezone.utc)))  # noqa: UP017
def test_what_was_done_never_lies_ahead(made, now):
    item = Item(KEY, KEY, KEY, 1, made, made)
    assert item.done_at(now) <= now
    assert item.done_at(now) in (made, now)


# --- the same item

FIELDS = st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=5)


@given(FIELDS, FIELDS, st.randoms())
def test_the_order_of_fields_is_no_difference(fields, files, chance):
    mixed, other = list(fields), list(files)
    chance.shuffle(mixed)
    chance.shuffle(other)
    assert rules.body_hash("/a", fields, files) == rules.body_hash("/a", mixed, other)


@given(FIELDS, FIELDS)
def test_any_other_field_is_one(fields, others):
    same = sorted(fields) == sorted(others)
    assert (rules.body_hash("/a", fields, []) == rules.body_hash("/a", others, [])) == same
    assert rules.body_hash("/a", fields, []) != rules.body_hash("/b", fields, [])
    if fields:
        assert rules.body_hash("/a", fields, []) != rules.body_hash("/a", [], fields)


def test_the_hash_of_a_body_stays_what_it_is():
    """Receipts on record hold it: an item sent before a new version and again after it is the same."""
    said = rules.body_hash("/households/1/visits", [("outcome", "met"), ("sentence", "家里都好")], [("photos", "ab")])
    assert said == "130fb4df528e23a1fc4e288db4813e75d40139e816927cd6af4b1a8e34be4859"


# --- an older database

EPOCH, OTHER = KEY, UUID("01a20069-a54f-706e-b9ae-4e6ccd302b20")
EARLY, LATE = NOW - timedelta(hours=1), NOW


@pytest.mark.parametrize(
    ("kept", "found", "went_back"),
    [
        (None, Life(EPOCH, EARLY, None), False),
        (Life(EPOCH, EARLY, EARLY), Life(EPOCH, EARLY, EARLY), False),
        (Life(EPOCH, EARLY, EARLY), Life(EPOCH, EARLY, LATE), False),
        (Life(EPOCH, EARLY, None), Life(EPOCH, EARLY, LATE), False),
        (Life(EPOCH, EARLY, LATE), Life(EPOCH, EARLY, EARLY), True),
        (Life(EPOCH, EARLY, LATE), Life(EPOCH, EARLY, None), True),
        (Life(EPOCH, LATE, None), Life(OTHER, EARLY, LATE), True),
        (Life(EPOCH, EARLY, LATE), Life(OTHER, LATE, None), False),
    ],
)
def test_a_database_went_back_when_it_lacks_what_was_there(kept, found, went_back):
    assert rules.went_back(kept, found) is went_back


# --- why something is held

DAY = date(2026, 11, 16)


def test_the_charge_that_ended_last_says_why():
    placed = Charge(KEY, DAY, date.max)
    assigned = Charge(OTHER, date.max, DAY - timedelta(days=1))
    assert rules.last_charge([assigned, placed]) == placed
    assert (placed.reason, placed.until) == (Reason.PLACED, DAY)
    assert (assigned.reason, assigned.until) == (Reason.ASSIGNED, DAY - timedelta(days=1))
    assert rules.last_charge([]) is None


def test_what_a_form_is_about_stands_in_its_address():
    assert rules.target_of(f"/visits/{KEY}/photos") == KEY
