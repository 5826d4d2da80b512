"""`python -m geo route` and `python -m geo shift`."""

import sys
from argparse import Namespace

import numpy as np
import shapely

from geo import files, words
from geo.datum import shift_shape
from geo.shapes import DEPTHS
from geo.walking import walk


def run_route(arguments: Namespace) -> int:
    """Say in which order to walk to the stops, and how far it is; write them in this order where asked."""
    found, stops = files.stops(arguments.stops)
    way = walk(stops, arguments.start)
    figures = {"stops": len(stops), "metres": round(way.metres, 1), "order": [number + 1 for number in way.order]}
    if arguments.output:
        files.save_features(arguments.output, [found[n] for n in way.order], [found[n].shape for n in way.order])
    out = files.beside(arguments.output)
    if arguments.json:
        files.print_json(figures, out)
    else:
        for number in way.order:
            print(words.stop(number + 1, stops[number]), file=out)
        print(f"{way.metres:.0f} m", file=out)
    return files.FINE


def run_shift(arguments: Namespace) -> int:
    """Write a file's features with every position in another datum, to 1e-7 degrees."""
    found = files.features(arguments.file, tuple(DEPTHS), keep_invalid=True).features
    shapes = shift_shape(np.array([feature.shape for feature in found], dtype=object), arguments.source, arguments.to)
    files.save_features(arguments.output, found, shapes)
    out = files.beside(arguments.output or "-")
    figures = {"features": len(found), "positions": int(shapely.get_num_coordinates(shapes).sum())}
    if arguments.json:
        files.print_json(figures, out)
    elif out is sys.stdout:
        print(f"{figures['features']} features, {figures['positions']} positions", file=out)
    return files.FINE
