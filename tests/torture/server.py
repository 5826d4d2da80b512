"""The program as it runs in an office, on a database and a port of its own, and its sudden deaths."""

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from types import TracebackType

from tests.keys import write_keys

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """gunicorn with two workers of four threads on `port`, from `with` on; `make` first, for the demonstration."""

    def __init__(self, folder: Path, url: str | None) -> None:
        """`folder` is for the instance and the log; without a `url` the database is a SQLite file in it."""
        self.instance = folder / "instance"
        self.url = url or f"sqlite:///{self.instance / 'fieldapp.db'}"
        self.log = folder / "gunicorn.log"
        self.port = free_port()
        self.environment = os.environ | {"INSTANCE_PATH": str(self.instance), "DATABASE_URL": self.url}
        self.kills = self.restarts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """The demonstration, sealed with keys that the check knows."""
        write_keys(self.instance)
        command = [f"{BIN}/flask", "--app", "wsgi", "start"]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._kill_all()

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError."""
        command = [f"{BIN}/gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
        command += ["--no-control-socket", "--bind", f"127.0.0.1:{self.port}", "wsgi:app"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        for _ in range(1200):
            if self._process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.1)
        raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The worker processes of this server, oldest first; Linux says whose children they are."""
        if self._process is None:
            return []
        own = self._process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        return sorted(int(pid) for pid in children)

    def kill_worker(self, chance: Random) -> None:
        """SIGKILL to one of the workers; nothing where none is there."""
        if workers := self.workers():
            os.kill(chance.choice(workers), signal.SIGKILL)
            self.kills += 1

    def lose_power(self) -> None:
        """SIGKILL to the server and its workers at once, and a new start."""
        self._kill_all()
        self.restarts += 1
        self.start()

    def _kill_all(self) -> None:
        assert self._process
        for pid in [self._process.pid, *self.workers()]:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
