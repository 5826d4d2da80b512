"""100,000 entrances in one file: the communities repeated on the ground, divided at once in a process of its own.

`python -m tests.bench.geo_load FILE --target 200 --effort 1` prints its figures as JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from os import cpu_count
from pathlib import Path
from time import perf_counter

import shapely
from shapely.geometry import mapping, shape

from geo.buildings import Building
from geo.dividing import propose
from tests.bench.cities import Place, spread
from tests.bench.divisions import Made, measure
from tests.bench.geo_figures import Trials

LONGEST = 600
"""Seconds after which a run is given up."""


def measure_load(towns: Sequence[Place], target: int, entrances: int, effort: float) -> Trials:
    """Write the file from the first city, divide it in a process of its own, say how long and how much memory."""
    title = f"{entrances} entrances in one file"
    with tempfile.TemporaryDirectory(prefix="geo-bench-") as folder:
        path = Path(folder) / "large.jsonl"
        _write(path, [place for place in towns if place.city == towns[0].city], entrances)
        command = [sys.executable, "-m", "tests.bench.geo_load", str(path), f"--target={target}", f"--effort={effort}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return Trials(title, f"effort {effort:g}", {"seconds, given up after": (LONGEST, ("<", 60))})
    if done.returncode:
        return Trials(title, f"effort {effort:g}", {"failures": (1, ("<=", 0))}, done.stderr.splitlines()[-1:])
    found = json.loads(done.stdout)
    figures = {
        f"seconds, {found['jobs']} processes": (found["seconds"], ("<", 60)),
        "seconds of the processors": (found["processor"], None),
        "MB at most, all processes": (found["mb"], ("<", 600)),
        "% of districts within ±10 %": (100 * found["within_10"] / found["districts"], None),
        "districts in several pieces": (found["in_pieces"], ("<=", 0)),
        "Polsby-Popper, mean": (found["compactness"], None),
    }
    return Trials(title, f"{found['districts']} districts, effort {effort:g}", figures)


def _write(path: Path, towns: Sequence[Place], entrances: int) -> None:
    """A line for each building, after one with the ground of all communities."""
    found = list(spread(towns, entrances))
    ground = shapely.union_all([place.boundary for place in found if place.boundary is not None])
    with path.open("w") as out:
        out.write(json.dumps(None if ground.is_empty else mapping(ground)) + "\n")
        for place in found:
            for each in place.buildings:
                out.write(json.dumps([each.key, each.entrances, mapping(each.shape)]) + "\n")


def main() -> None:
    """Divide the buildings of a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--target", type=int, default=200)
    parser.add_argument("--effort", type=float, default=1.0)
    options = parser.parse_args()
    with options.file.open() as lines:
        ground = json.loads(next(lines))
        boundary = None if ground is None else shape(ground)
        buildings = [Building(key, key, shape(at), tuple(own)) for key, own, at in map(json.loads, lines)]
    jobs = cpu_count() or 1
    began = perf_counter()
    division = propose(buildings, boundary, target=options.target, effort=options.effort, jobs=jobs)
    seconds = perf_counter() - began
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = (used[0].ru_maxrss + jobs * used[1].ru_maxrss) / 1024
    found = measure(Made.of(division), buildings, boundary, options.target)
    told = {
        "seconds": seconds,
        "jobs": jobs,
        "processor": sum(u.ru_utime + u.ru_stime for u in used),
        "mb": peak,
        "districts": found.districts,
        "within_10": found.within_10,
    }
    print(json.dumps(told | {"in_pieces": found.in_pieces, "compactness": found.mean_compactness}))


if __name__ == "__main__":
    main()
