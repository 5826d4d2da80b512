"""The migrations make exactly what the models say, on both databases, forwards and backwards."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from fieldapp import schema
from fieldapp.db import Base, make_engine
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


def test_there_is_one_newest_revision(empty):
    assert len(ScriptDirectory.from_config(schema.alembic_config(empty)).get_heads()) == 1
