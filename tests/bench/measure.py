"""Timing requests side by side: one loop goes round all databases and pages, so that noise meets all of them alike."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from time import perf_counter
from typing import Any

from tests.bench.requests import PAGES, SAVING, Program, call, request_of

WARM_UP = 5


@dataclass
class Sample:
    """Times of one thing, in seconds, and the numbers of statements it ran."""

    times: list[float] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Half of the requests took at most this long."""
        return median(self.times)

    @property
    def percentile_99(self) -> float:
        """99 of 100 requests took at most this long."""
        return sorted(self.times)[ceil(0.99 * len(self.times)) - 1]


@dataclass
class Measured:
    """All samples: of the bare page, the bare insert, and by page and number of communities."""

    bare_page: Sample = field(default_factory=Sample)
    bare_insert: Sample = field(default_factory=Sample)
    pages: dict[tuple[str, int], Sample] = field(default_factory=lambda: defaultdict(Sample))

    def baseline(self, page: str) -> float:
        """What a page is held against: the bare page, and the bare insert too where something is saved."""
        return self.bare_page.median + (self.bare_insert.median if page == SAVING else 0.0)


def measure(programs: Iterable[Program], bare: Any, insert: Callable[[], None], requests: int) -> Measured:
    """Time `requests` requests of every page on every database, after a few that are not counted."""
    known = list(programs)
    wanted = {(page, program.communities): program.requests(page) for program in known for page in PAGES}
    by_size = {program.communities: program for program in known}
    measured = Measured()
    for turn in range(-WARM_UP, requests):
        into = measured if turn >= 0 else Measured()
        for (page, size), following in wanted.items():
            _time_bare(bare, into.bare_page)
            _time(by_size[size], next(following), into.pages[page, size], 303 if page == SAVING else 200)
        _time_insert(insert, into.bare_insert)
    return measured


def _time_bare(bare: Any, sample: Sample) -> None:
    environ = request_of("/")
    began = perf_counter()
    call(bare, environ)
    sample.times.append(perf_counter() - began)


def _time(program: Program, environ: dict[str, Any], sample: Sample, expected: int) -> None:
    before = program.queries
    began = perf_counter()
    status, _headers, _body = call(program.app, environ)
    sample.times.append(perf_counter() - began)
    sample.queries.append(program.queries - before)
    if status != expected:
        raise RuntimeError(f"{environ['PATH_INFO']} answered {status}")


def _time_insert(insert: Callable[[], None], sample: Sample) -> None:
    began = perf_counter()
    insert()
    sample.times.append(perf_counter() - began)
