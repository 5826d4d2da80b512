"""5,000 households come in at once; `make bench` says how long it takes."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp import schema
from fieldapp.db import make_engine
from fieldapp.exchange import files
from fieldapp.exchange.columns import COLUMNS
from fieldapp.exchange.sheet import write_xlsx
from geo.geojson import dump
from tests.exchange.made import GROUPS, WHEN, blocks, id_number, office, square

_SURNAMES, _GIVEN = "王李张刘陈杨黄赵周吴徐孙", "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂"


def sheet() -> bytes:
    """50 blocks of 100 flats, one to four people in each: 12,500 rows with every column that people fill in."""
    rows: list[dict[str, Any]] = []
    for flat in range(5_000):
        block, door = divmod(flat, 100)
        floor, column = divmod(door, 4)
        home = {
            "building": f"{block + 1}号楼",
            "entrance": 1,
            "floor": floor + 1,
            "room": f"{floor + 1}{column + 1:02d}",
        }
        for place in range(flat % 4 + 1):
            n = len(rows)
            name = _SURNAMES[n % 12] + _GIVEN[n % 23] + _GIVEN[n // 23 % 23]
            rows.append(
                home | {"kind": "住宅", "household": 1, "occupancy": "自有", "moved_in": "2009-05-01", "name": name}
                | {"relation": "户主" if place == 0 else "子", "sex": "男", "birth_date": "1957-03-02"}
                | {"id_number": id_number(serial=n % 500 * 2 + 1, area=str(100000 + n // 500)), "temporary": "否"}
                | {"phone": f"138{n:08d}", "care_groups": GROUPS[n % 9] if n % 9 < 3 else None}
            )  # fmt: skip
    values = [[row.get(column.key) for column in COLUMNS] for row in rows]
    return write_xlsx("住户", [column.zh for column in COLUMNS], values)


@pytest.fixture
def lonely(tmp_path: Path) -> Session:
    """A database file of its own, so that every commit is a real one."""
    engine = make_engine(f"sqlite:///{tmp_path / 'speed.db'}")
    schema.upgrade(engine)
    return Session(engine, expire_on_commit=False)


def test_five_thousand_households(lonely: Session) -> None:
    actor = office(lonely, blocks(50))
    files.bring_districts(lonely, actor, dump([(i, {}, square(121 + i / 10, 30.5, 0.1)) for i in range(5)]), WHEN)
    lonely.commit()
    data = sheet()
    done = files.bring_households(lonely, actor, data, WHEN, good_rows=False)
    lonely.commit()
    assert (done.households, done.people, done.skipped) == (5_000, 12_500, [])
