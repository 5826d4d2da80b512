"""Installs what pyproject.toml names into this environment: `python -m tests.setup.install [fieldapp|test|bench]`."""

import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def main(wanted: str) -> None:
    """Install the program's packages, or those its tests or its benchmark of districts need besides."""
    packages = PROJECT["dependencies"] if wanted == "fieldapp" else PROJECT["optional-dependencies"][wanted]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fieldapp")
