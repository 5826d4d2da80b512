"""A database of its own for the tests of files that come in and go out."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy.orm import Session

from fieldapp.db import Base, make_engine

for slice_name in ("accounts", "places", "households", "visits"):
    import_module(f"fieldapp.{slice_name}.models")


@pytest.fixture
def session(tmp_path) -> Iterator[Session]:
    engine = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
    engine.dispose()
