"""`python -m geo`, see `geo.cli`."""

import sys
from io import TextIOWrapper

from geo.cli import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no Chinese shows it all the same
    sys.exit(main())
