"""Alembic's entrance: takes the engine of the running program, or `sqlalchemy.url` of its configuration."""

from alembic import context

import fieldapp.accounts.models
import fieldapp.households.models
import fieldapp.places.models
import fieldapp.planning.models
import fieldapp.premises.models
import fieldapp.spotchecks.models
import fieldapp.sync.models
import fieldapp.visits.models  # noqa: F401
from fieldapp.db import Base, make_engine

engine = context.config.attributes.get("engine") or make_engine(context.config.get_main_option("sqlalchemy.url") or "")

with engine.connect() as connection:
    # SQLite alters a table by making it anew: rows that point at it would forbid that, and deny nothing afterwards.
    is_sqlite = engine.dialect.name == "sqlite"
    driver = connection.connection.driver_connection
    if is_sqlite:
        driver.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="fieldapp.db.",
    )
    with context.begin_transaction():
        context.run_migrations()
        if is_sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise RuntimeError(f"a row of {lost[0]} would point at nothing")
    connection.commit()
    if is_sqlite:
        driver.execute("PRAGMA foreign_keys=ON")
