"""Divides real communities side by side with METIS, KaHIP and a Hilbert sweep, and tries the rest of `geo` beside its
aims: `python -m tests.bench.geo`. Times are processor time; nothing here passes or fails."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from geo.dividing import Division, propose
from tests.bench.baselines import BASELINES, divided
from tests.bench.cities import CITIES, Place, places
from tests.bench.divisions import Figures, Made, measure
from tests.bench.geo_figures import Trials
from tests.bench.geo_load import measure_load
from tests.bench.geo_report import Run, report
from tests.bench.geo_trials import locating, rebalancing, shifting, walking

TARGET = 200
LARGEST = (40, 66)
PARTS = ("divide", "rebalance", "route", "locate", "shift", "load")


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for and print the tables; progress goes to the error output."""
    options = _options(arguments)
    wanted = options.only.split(",") if options.only else PARTS
    runs, divisions = [], {}
    for largest in LARGEST:
        towns = [place for path in options.cities for place in places(path, largest)[: options.communities]]
        if "divide" in wanted or (largest == LARGEST[0] and {"rebalance", "locate"} & {*wanted}):
            found = list(_sided(towns, options.seed, options.effort, "divide" in wanted))
            divisions[largest] = [(place, division) for place, division, _figures in found]
            runs += [Run(largest, place, figures) for place, _division, figures in found]
    trials = list(_trials(wanted, divisions.get(LARGEST[0], []), options))
    print(report(runs if "divide" in wanted else [], trials))
    if options.json:
        options.json.write_text(json.dumps(_plain(runs, trials), ensure_ascii=False, indent=1) + "\n")


def _options(arguments: list[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.geo", description=__doc__)
    parser.add_argument("--communities", type=int, help="only so many of each city")
    parser.add_argument("--cities", type=Path, nargs="+", default=CITIES, metavar="FILE", help="files of buildings")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", type=float, default=1.0)
    parser.add_argument("--trials", type=int, default=5, help="blocks that grow, of each community (%(default)s)")
    parser.add_argument("--routes", type=int, default=20, help="routes against the optimum (%(default)s)")
    parser.add_argument("--entrances", type=int, default=100_000, help="of the large run (%(default)s)")
    parser.add_argument("--load-effort", type=float, default=None, help="of the large run, instead of --effort")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    return parser.parse_args(arguments)


def _sided(
    towns: Sequence[Place], seed: int, effort: float, beside: bool
) -> Iterator[tuple[Place, Division, dict[str, Figures]]]:
    """Divide each community by ours and, where wanted, by the others."""
    for place in towns:
        began = process_time()
        division = propose(place.buildings, place.boundary, target=TARGET, seed=seed, effort=effort)
        seconds = process_time() - began
        made = {"ours": Made.of(division, seconds)}
        if beside:
            made |= {name: divided(place, TARGET, partition) for name, partition in BASELINES.items()}
        figures = {name: measure(each, place.buildings, place.boundary, TARGET) for name, each in made.items()}
        _say(f"{place}: {figures['ours'].off or 'all'} of {figures['ours'].districts}, {seconds:.2f} s")
        yield place, division, figures


def _trials(wanted: Sequence[str], divisions: Sequence[tuple[Place, Division]], options: Any) -> Iterator[Trials]:
    towns = [place for path in options.cities for place in places(path, LARGEST[0])[: options.communities]]
    effort = options.effort if options.load_effort is None else options.load_effort
    trials = {
        "rebalance": partial(rebalancing, divisions, TARGET, options.trials, options.seed),
        "route": partial(walking, towns, options.routes, options.seed),
        "locate": partial(locating, [shape for _, division in divisions for shape in Made.of(division).shapes]),
        "shift": shifting,
        "load": partial(measure_load, towns, TARGET, options.entrances, effort),
    }
    for name, deed in trials.items():
        if name in wanted:
            _say(name)
            yield deed()


def _plain(runs: Sequence[Run], trials: Sequence[Trials]) -> dict[str, Any]:
    divided_ = [
        {"largest": run.largest, "place": str(run.place), "figures": {k: asdict(v) for k, v in run.figures.items()}}
        for run in runs
    ]
    return {"divided": divided_, "trials": [asdict(trial) for trial in trials]}


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
