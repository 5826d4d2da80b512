"""The migrations make exactly what the models say, on both databases, forwards and backwards."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from fieldapp import schema, seals
from fieldapp.db import Base, make_engine, uuid7
from fieldapp.households.models import FactChange, Resident
from fieldapp.places.models import Community
from fieldapp.sync.models import HeldItem
from tests.routes import fresh_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """An engine on a database that holds nothing."""
    sqlite = f"sqlite:///{tmp_path / 'empty.db'}"
    url = sqlite if request.param == "sqlite" else fresh_postgres(request.getfixturevalue("postgres_url"))
    engine = make_engine(url)
    yield engine
    engine.dispose()


def _differences(engine):
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def _tables(engine):
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def _shape(engine):
    """Everything that holds rows together, in an order of its own."""
    seen = inspect(engine)
    return {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)),
            sorted((i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in seen.get_indexes(table)),
            sorted((u["name"], tuple(u["column_names"])) for u in seen.get_unique_constraints(table)),
            sorted((k["name"], k["referred_table"]) for k in seen.get_foreign_keys(table)),
        )
        for table in sorted(_tables(engine))
    }


def test_upgrading_an_empty_database_gives_what_the_models_say(empty):
    schema.upgrade(empty)
    assert _differences(empty) == []
    assert _tables(empty) == set(Base.metadata.tables)


def test_upgrading_twice_changes_nothing(empty):
    schema.upgrade(empty)
    before = _shape(empty)
    schema.upgrade(empty)
    assert _shape(empty) == before


def test_down_to_nothing_and_up_again_is_the_same(empty):
    schema.upgrade(empty)
    before = _shape(empty)
    command.downgrade(schema.alembic_config(empty), "base")
    assert _tables(empty) == set()
    schema.upgrade(empty)
    assert _shape(empty) == before
    assert _differences(empty) == []


def test_every_step_goes_down_and_up(empty):
    steps = [script.revision for script in ScriptDirectory.from_config(schema.alembic_config(empty)).walk_revisions()]
    for revision in reversed(steps):
        schema.upgrade(empty, revision)
        command.downgrade(schema.alembic_config(empty), "-1")
        schema.upgrade(empty, revision)
    assert _differences(empty) == []


def _insert(connection, table, **values):
    columns = ", ".join(f'"{name}"' for name in values)
    connection.execute(
        text(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(':' + name for name in values)})"), values
    )


@pytest.fixture
def before_sealing(empty):
    """A database of the last release (0003) with somebody in it, whose numbers lie readable; and each row's key."""
    schema.upgrade(empty, "0003")
    keys = {
        name: uuid7() for name in ("community", "user", "building", "dwelling", "household", "person", "change", "held")
    }
    is_sqlite = empty.dialect.name == "sqlite"
    key = {name: value.hex if is_sqlite else value for name, value in keys.items()}
    at = "2026-11-01 01:00:00" if is_sqlite else "2026-11-01 01:00:00+00"
    of = {"community_id": key["community"]}
    with empty.begin() as connection:
        zero = {"quota": 30, "district_size": 200, "district_tolerance": 25, "routine_days": 90, "quiet_days": 7}
        _insert(
            connection,
            "community",
            id=key["community"],
            code="c",
            name="社区",
            language="zh_Hans",
            topics="[]",
            is_demo=False,
            **zero,
        )
        _insert(
            connection,
            "user_account",
            id=key["user"],
            username="w",
            name="周敏",
            role="worker",
            password_hash="x",
            password_stamp="x",
            must_change_password=False,
            active=True,
            failures=0,
            **of,
        )
        shape = {"has_elevator": False} if "has_elevator" in _columns(connection, "building") else {}
        _insert(
            connection,
            "building",
            **_filled(connection, "building", id=key["building"], name="1号楼", code="1", **of, **shape),
        )
        _insert(
            connection,
            "dwelling",
            **_filled(connection, "dwelling", id=key["dwelling"], building_id=key["building"], room="601", **of),
        )
        _insert(
            connection, "household", id=key["household"], dwelling_id=key["dwelling"], number=1, occupancy="own", **of
        )
        person = {
            "household_id": key["household"],
            "name": "张桂兰",
            "id_number": "320211195703023518",
            "phone": "15412345678",
        }
        _insert(
            connection,
            "resident",
            id=key["person"],
            position=0,
            pinyin="",
            initials="",
            is_temporary=False,
            **person,
            **of,
        )
        change = {
            "household_id": key["household"],
            "resident_id": key["person"],
            "field": "phone",
            "old": "15400000000",
            "new": "15412345678",
        }
        _insert(connection, "fact_change", id=key["change"], changed_by_id=key["user"], changed_at=at, **change, **of)
        _insert(
            connection,
            "held_item",
            id=key["held"],
            user_id=key["user"],
            kind="fact",
            path="/x",
            reason="placed",
            received_at=at,
            fields='[["value", "15499999999"]]',
            files="[]",
            **of,
        )
    return empty, keys


def _columns(connection, table):
    return {column["name"]: column for column in inspect(connection).get_columns(table)}


def _filled(connection, table, **values):
    """A row with something in every column that must hold something."""
    for name, column in _columns(connection, table).items():
        if not column["nullable"] and name not in values:
            kind = str(column["type"]).upper()
            values[name] = False if "BOOL" in kind else "{}" if "JSON" in kind else "x" if "CHAR" in kind else 1
    return values


def test_numbers_of_the_last_release_are_kept_and_sealed(before_sealing):
    engine, keys = before_sealing
    schema.upgrade(engine)
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("resident", "fact_change", "held_item")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not [
        number for number in ("320211195703023518", "15412345678", "15400000000", "15499999999") if number in str(rows)
    ]
    with Session(engine) as session:
        person = session.get_one(Resident, keys["person"])
        assert (person.name, person.id_number, person.phone) == ("张桂兰", "320211195703023518", "15412345678")
        assert person.id_hash == seals.keyring().digest("320211195703023518")
        change = session.get_one(FactChange, keys["change"])
        assert (change.old, change.new) == ("15400000000", "15412345678")
        assert session.get_one(HeldItem, keys["held"]).fields == [["value", "15499999999"]]
        assert session.get_one(Community, keys["community"]).registry_settings == {}
    command.downgrade(schema.alembic_config(engine), "0003")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id_number, phone FROM resident")).one() == (
            "320211195703023518",
            "15412345678",
        )


def test_tiles_of_the_last_release_are_kept_as_wgs84(empty):
    schema.upgrade(empty, "0005")
    addresses = {"with": "https://tiles.example/{z}/{x}/{y}", "without": None}
    with empty.begin() as connection:
        for code, url in addresses.items():
            key = uuid7()
            key = key.hex if empty.dialect.name == "sqlite" else key
            row = _filled(connection, "community", id=key, code=code, tiles_url=url, topics="[]")
            _insert(connection, "community", **row)
    schema.upgrade(empty)
    kinds = text("SELECT code, basemap, tiles_url FROM community ORDER BY code")
    with empty.connect() as connection:
        assert connection.execute(kinds).all() == [("with", "wgs84", addresses["with"]), ("without", "none", None)]
    with empty.begin() as connection:
        connection.execute(text("UPDATE community SET basemap = 'gcj02', tiles_url = 'https://a/{z}/{x}/{y}'"))
    command.downgrade(schema.alembic_config(empty), "0005")
    with empty.connect() as connection:
        assert connection.execute(text("SELECT tiles_url FROM community")).scalars().all() == [None, None]


def test_there_is_one_newest_revision(empty):
    assert len(ScriptDirectory.from_config(schema.alembic_config(empty)).get_heads()) == 1
