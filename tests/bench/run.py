"""Measures the pages of the main job beside a bare Flask page and a bare insert: `python -m tests.bench.run`."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.databases import postgresql_databases, sqlite_databases
from tests.bench.large import large_lines, measure_large
from tests.bench.measure import measure
from tests.bench.packs import measure_packs, pack_lines
from tests.bench.phone import measure_phone, phone_lines
from tests.bench.registry import measure_registry, registry_lines
from tests.bench.report import figures, table
from tests.bench.requests import BareInsert, bare_page, open_program


def main(arguments: list[str] | None = None) -> None:
    """Make the databases, measure, print the table, write the JSON."""
    options = _options(arguments)
    sizes = sorted({int(size) for size in options.communities.split(",")})
    with tempfile.TemporaryDirectory(prefix="fieldapp-bench-") as folder:
        found = _run(Path(folder), sizes, options)
        found["large"] = measure_large(Path(folder))
        found["registry"] = measure_registry(Path(folder))
        found["packs"] = measure_packs(Path(folder), _say)
        found["phone"] = measure_phone(Path(folder), _say)
    Path(options.json).write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    print(table(found))
    print(large_lines(found["large"]))
    print(registry_lines(found["registry"]))
    print(pack_lines(found["packs"]))
    print(phone_lines(found["phone"]))


def _options(arguments: list[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run", description=__doc__)
    parser.add_argument("--communities", default="1,10,100", help="how many, by commas (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=200, help="of each page on each database (%(default)s)")
    parser.add_argument("--database-url", help="a PostgreSQL server to make databases on, instead of SQLite files")
    parser.add_argument("--json", default="bench.json", help="where the figures go (default: %(default)s)")
    return parser.parse_args(arguments)


def _run(folder: Path, sizes: list[int], options: Any) -> dict[str, Any]:
    url = options.database_url
    databases = postgresql_databases(url, sizes, _say) if url else sqlite_databases(folder, sizes, _say)
    with databases as made:
        programs = [open_program(size, made[size], folder) for size in sizes]
        measured = measure(programs, bare_page(), BareInsert(folder / "bare.db"), options.requests)
        for program in programs:
            program.close()
    return figures(measured, sizes, "PostgreSQL" if url else "SQLite")


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
