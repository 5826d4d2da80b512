"""The running program as a test may handle it: started, stopped, replaced by a newer one, on the same port and data."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """Gunicorn on an instance folder with the demonstration, as `make run` starts it."""

    def __init__(self, instance: Path, root: Path = ROOT) -> None:
        self.instance, self.root, self.port = instance, root, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.flask("start")

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What it is told: its own folder, SQLite."""
        told = os.environ | {"INSTANCE_PATH": str(self.instance)}
        told.pop("DATABASE_URL", None)
        return told

    def flask(self, *command: str) -> str:
        """Run one of its commands."""
        line = [BIN / "flask", "--app", "wsgi", *command]
        done = subprocess.run(line, cwd=self.root, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout

    def start(self) -> None:
        """Serve, and wait until it answers."""
        options = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket", "--graceful-timeout", "2"]
        line = [BIN / "gunicorn", *options, "--bind", f"127.0.0.1:{self.port}", "wsgi:app"]
        self.process = subprocess.Popen(line, cwd=self.root, env=self.environment, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError("the server ended before it answered")
            if self._is_healthy():
                return
            time.sleep(0.1)
        raise RuntimeError("the server did not answer in 20 seconds")

    def _is_healthy(self) -> bool:
        try:
            with urlopen(f"{self.address}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (HTTPError, URLError, OSError):
            return False

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process:
            self.process.terminate()
            self.process.wait(15)
            self.process = None

    def kill(self) -> None:
        """Let it die at once with all its workers, as when the power goes."""
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        """End it and serve anew."""
        self.stop()
        self.start()

    def deploy(self, folder: Path, changes: dict[str, tuple[str, str]]) -> None:
        """Serve a newer version from now on: a copy of the program with texts of its files replaced, built anew."""
        self.stop()
        shutil.copytree(ROOT / "fieldapp", folder / "fieldapp")
        shutil.copytree(ROOT / "geo", folder / "geo")
        shutil.copy(ROOT / "wsgi.py", folder)
        shutil.copy(ROOT / "package.json", folder)
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        for name, (old, new) in changes.items():
            path = folder / name
            text = path.read_text()
            assert old in text, name
            path.write_text(text.replace(old, new))
        subprocess.run([BIN / "python", "-m", "tests.setup.frontend", str(folder)], cwd=ROOT, check=True)
        self.root = folder
        self.start()
