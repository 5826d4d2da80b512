"""The figures of `tests.bench.geo` as tables beside the aims; a missed aim is marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from tests.bench.cities import Place
from tests.bench.divisions import Figures
from tests.bench.geo_figures import Aim, Trials, missed

NAMES = ("ours", "pymetis", "kahip", "hilbert")


@dataclass(frozen=True)
class Run:
    """A community divided by each way, with entrances of at most `largest` households."""

    largest: int
    place: Place
    figures: dict[str, Figures]


def percent(part: float, whole: float) -> float:
    """100 × part ÷ whole, 0 of nothing."""
    return 100 * part / whole if whole else 0.0


Row = tuple[str, Callable[[Figures], float], str, dict[int, Aim]]

ROWS: list[Row] = [
    (
        "% of districts within ±10 %",
        lambda f: percent(f.within_10, f.districts),
        ".1f",
        {40: (">=", 100), 66: (">=", 98)},
    ),
    ("% of districts within ±5 %", lambda f: percent(f.within_5, f.districts), ".1f", {40: (">=", 75)}),
    ("districts in several pieces", lambda f: f.in_pieces, "d", {40: ("<=", 0), 66: ("<=", 0)}),
    ("gaps", lambda f: f.gaps, "d", {40: ("<=", 0), 66: ("<=", 0)}),
    ("overlaps", lambda f: f.overlaps, "d", {40: ("<=", 0), 66: ("<=", 0)}),
    ("entrances in no district or several", lambda f: f.lost, "d", {40: ("<=", 0), 66: ("<=", 0)}),
    (
        "entrances outside their district",
        lambda f: f.outside,
        "d",
        {40: ("<=", 0), 66: ("<=", 0)},
    ),
    ("unsplit buildings cut", lambda f: f.cut, "d", {40: ("<=", 0), 66: ("<=", 0)}),
    ("Polsby-Popper, mean", lambda f: f.mean_compactness, ".3f", {40: (">=", 0.55), 66: (">=", 0.55)}),
    ("buildings split, %", lambda f: percent(f.split, f.buildings), ".1f", {40: ("<", 3), 66: ("<", 3)}),
    ("  that must be: larger than a district", lambda f: percent(f.too_large, f.buildings), ".1f", {}),
    ("  that would fit in one district", lambda f: percent(f.split_needlessly, f.buildings), ".1f", {}),
    ("seconds a community, mean", lambda f: mean(f.seconds or [0]), ".2f", {40: ("<", 1.5), 66: ("<", 1.5)}),
    ("seconds, slowest", lambda f: max(f.seconds, default=0.0), ".2f", {}),
]


def report(runs: Sequence[Run], trials: Sequence[Trials]) -> str:
    """All tables as text."""
    blocks = []
    for largest in sorted({run.largest for run in runs}):
        of_size = [run for run in runs if run.largest == largest]
        cities = list(dict.fromkeys(run.place.city for run in of_size))
        for city in cities if len(cities) > 1 else []:
            blocks.append(_table(city, largest, [run for run in of_size if run.place.city == city]))
        blocks.append(_table(" + ".join(cities), largest, of_size))
        blocks.append(_worst(of_size))
    blocks += [_trial(trial) for trial in trials]
    return "\n\n".join(block for block in blocks if block)


def _table(city: str, largest: int, runs: Sequence[Run]) -> str:
    names = [name for name in NAMES if name in runs[0].figures]
    sums = {name: sum((run.figures[name] for run in runs), Figures()) for name in names}
    lines = [f"{city}, {len(runs)} communities, {sums['ours'].districts} districts, entrances of at most {largest}"]
    lines.append(f"{'':40}" + "".join(f"{name:>9}" for name in names) + "   aim")
    for title, figure, form, aims in ROWS:
        values = [figure(sums[name]) for name in names]
        shown = "".join(f"{format(int(v) if form == 'd' else v, form):>9}" for v in values)
        lines.append(f"  {title:38}{shown}   {_aim(values[0], aims.get(largest))}")
    return "\n".join(lines)


def _aim(value: float, aim: Aim | None) -> str:
    if aim is None:
        return ""
    return f"{aim[0]} {aim[1]:g}" + ("   MISSED" if missed(value, aim) else "")


def _worst(runs: Sequence[Run]) -> str:
    """The communities where ours leaves a district out of tolerance, or anything that must not be."""
    lines = []
    for run in runs:
        ours = run.figures["ours"]
        faults: dict[str, Any] = {"out": ours.off, "pieces": ours.in_pieces, "gaps": ours.gaps}
        faults |= {"overlaps": ours.overlaps, "lost": ours.lost, "outside": ours.outside, "cut": ours.cut}
        if any(faults.values()):
            told = ", ".join(f"{name} {value}" for name, value in faults.items() if value)
            mean_size = run.place.households / max(ours.districts, 1)
            lines.append(f"  {run.place}: {told} ({ours.districts} districts, {mean_size:.0f} households on average)")
    return "\n".join(["where ours is off:", *lines]) if lines else ""


def _trial(trial: Trials) -> str:
    lines = [f"{trial.title} ({trial.of})"]
    for name, (value, aim) in trial.figures.items():
        lines.append(f"  {name:45}{value:>12.4g}   {_aim(value, aim)}".rstrip())
    return "\n".join([*lines, *(f"  {note}" for note in trial.notes)])
