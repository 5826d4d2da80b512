"""`python -m geo`: divide a community into districts, check a division, keep it up, walk it, and shift datums."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from os import cpu_count

from geo import words
from geo.command_check import run_check
from geo.command_plan import run_propose, run_rebalance
from geo.command_walk import run_route, run_shift
from geo.datum import DATUMS
from geo.files import Unreadable
from geo.problems import PlanError

UNUSABLE = 2
"""Exit status for bad usage and for input that cannot be read, as argparse has it; 1 is a fault that `check` found."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and give its exit status: 0, 1 where `check` finds something, 2 for what cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()
        return status
    except Unreadable as error:
        lines = error.lines
    except PlanError as error:
        lines = [words.unplanned(error.code, error.detail)]
    except MemoryError:
        lines = ["the input is too large for this machine"]
    except BrokenPipeError:  # whoever reads on has read enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        lines = []
    except KeyboardInterrupt:
        lines = ["stopped"]
    for line in lines:
        print(line, file=sys.stderr)
    return UNUSABLE


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m geo",
        description=__doc__,
        epilog="Files are GeoJSON in WGS 84; - is standard input or output.\n"
        "Exit status: 1 where check finds something, 2 for bad usage and for input that cannot be read.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_propose(subcommands.add_parser("propose", help="divide buildings into districts of about equal size"))
    _add_rebalance(subcommands.add_parser("rebalance", help="bring districts back to size with the fewest moved doors"))
    _add_check(subcommands.add_parser("check", help="say what is wrong with districts, and repair it where asked"))
    _add_route(subcommands.add_parser("route", help="put doors into a short walk"))
    _add_shift(subcommands.add_parser("shift", help="write a file's positions in another datum"))
    return parser


def _add_propose(parser: ArgumentParser) -> None:
    parser.set_defaults(run=run_propose)
    _add_buildings(parser)
    parser.add_argument("--boundary", metavar="FILE", help="the ground to divide (the ground around the buildings)")
    parser.add_argument("--barriers", metavar="FILE", help="lines that borders follow: roads, rivers, walls")
    parser.add_argument("--locked", metavar="FILE", help="districts that stay as they are")
    _add_balance(parser)
    parser.add_argument("--effort", type=_effort, default=1.0, metavar="X", help="search longer or shorter (1)")
    parser.add_argument(
        "--jobs", type=_jobs, default=cpu_count() or 1, metavar="N", help="processes for a large file (one a processor)"
    )
    _add_output(parser)
    _add_where(parser, "buildings")
    _add_json(parser)


def _add_rebalance(parser: ArgumentParser) -> None:
    parser.set_defaults(run=run_rebalance)
    parser.add_argument(
        "districts", metavar="DISTRICTS", help="as propose writes them; those with locked: true neither give nor take"
    )
    _add_buildings(parser)
    _add_balance(parser)
    _add_output(parser)
    _add_where(parser, "buildings")
    _add_json(parser)


def _add_route(parser: ArgumentParser) -> None:
    parser.set_defaults(run=run_route)
    parser.add_argument("stops", metavar="STOPS", help="points with building, entrance and floor where known")
    parser.add_argument("--start", type=_position, metavar="LON,LAT", help="where the walk begins (its best end)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the stops here in walking order")
    _add_json(parser)


def _add_buildings(parser: ArgumentParser) -> None:
    parser.add_argument(
        "buildings", metavar="BUILDINGS", help="polygons or points with households and, where known, entrances"
    )


def _add_balance(parser: ArgumentParser) -> None:
    parser.add_argument("--target", type=_whole, default=200, metavar="N", help="households of a district (200)")
    parser.add_argument(
        "--tolerance", type=_share, default=0.1, metavar="SHARE", help="how far off the target it may be (0.1)"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="the same seed gives the same bytes (0)")


def _add_check(parser: ArgumentParser) -> None:
    parser.set_defaults(run=run_check)
    parser.add_argument("districts", metavar="DISTRICTS", help="polygons with a name, and households where known")
    parser.add_argument("--boundary", metavar="FILE", help="the ground that the districts must cover")
    parser.add_argument("--points", metavar="FILE", help="points or buildings that must each be in one district")
    parser.add_argument("--target", type=_whole, default=200, metavar="N", help="households of a district (200)")
    parser.add_argument(
        "--size-tolerance", type=_share, default=0.25, metavar="SHARE", help="how far off the target it may be (0.25)"
    )
    parser.add_argument("--repair", metavar="FILE", help="do the offered repairs and write the districts here")
    _add_where(parser, "points")
    _add_json(parser)


def _add_shift(parser: ArgumentParser) -> None:
    parser.set_defaults(run=run_shift)
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--from", dest="source", required=True, choices=DATUMS)
    parser.add_argument("--to", required=True, choices=DATUMS)
    _add_output(parser)
    _add_json(parser)


def _add_output(parser: ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (standard output)")


def _add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="say figures as JSON; on standard error beside a result")


def _add_where(parser: ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--where",
        type=_pair,
        metavar="KEY=VALUE",
        help=f"of {what} and boundary, keep the features with this property",
    )


def _pair(text: str) -> Mapping[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return {key: value}


def _number(convert: Callable[[str], float], text: str, least: float, most: float) -> float:
    try:
        value = convert(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if not isfinite(value) or not least <= value <= most:
        raise ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
    return value


def _whole(text: str) -> int:
    return int(_number(int, text, 1, 1_000_000))


def _seed(text: str) -> int:
    return int(_number(int, text, 0, 2**32 - 1))


def _effort(text: str) -> float:
    return _number(float, text, 0.01, 100)


def _jobs(text: str) -> int:
    return int(_number(int, text, 1, 256))


def _share(text: str) -> float:
    return _number(float, text, 0.0, 1.0)


def _position(text: str) -> tuple[float, float]:
    parts = text.split(",")
    if len(parts) != 2:
        raise ArgumentTypeError(f"{text!r} is not LON,LAT")
    return _number(float, parts[0], -180, 180), _number(float, parts[1], -90, 90)
