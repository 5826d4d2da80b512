"""Alembic's entrance: takes the engine of the running program, or `sqlalchemy.url` of its configuration."""

from alembic import context

import fieldapp.accounts.models
import fieldapp.households.models
import fieldapp.places.models
import fieldapp.spotchecks.models
import fieldapp.sync.models
import fieldapp.visits.models  # noqa: F401
from fieldapp.db import Base, make_engine

engine = context.config.attributes.get("engine") or make_engine(context.config.get_main_option("sqlalchemy.url") or "")

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="fieldapp.db.",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
