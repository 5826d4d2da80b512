"""Starting a process that computes a plan, and asking whether it is still there."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

from flask import current_app

from fieldapp import clock, db
from fieldapp.planning import computing, rules
from fieldapp.planning.models import Plan

PROGRAM = Path(__file__).parents[2] / "wsgi.py"


def compute(plan_id: UUID) -> None:
    """Compute a plan: in a process of its own that outlives the request, or here where so configured."""
    if not current_app.config["PLAN_IN_BACKGROUND"]:
        computing.compute(db.session(), plan_id, clock.now, None)
        return
    process = subprocess.Popen(  # noqa: S603 - our own program; the plan's key is a UUID
        [sys.executable, "-m", "flask", "--app", str(PROGRAM), "plan", "compute", str(plan_id)],
        env=os.environ | _configuration(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Whoever started a process is told of its end, or it stays as a dead entry for as long as this program runs.
    threading.Thread(target=process.wait, daemon=True).start()


def _configuration() -> dict[str, str]:
    """What this program was configured with, for the other to be the same; in its environment, which only we read."""
    told = {name: str(current_app.config[name] or "") for name in ("DATABASE_URL", "SECRET_KEY", "PUBLIC_ORIGIN")}
    return told | {"INSTANCE_PATH": current_app.instance_path}


def this_process() -> tuple[int, str]:
    """Which process this is, and on which machine."""
    return os.getpid(), socket.gethostname()


def is_dead(plan: Plan) -> bool:
    """Whether nobody computes a plan that is to be computed: its process is gone, or was silent for too long."""
    if plan.state != "computing":
        return False
    if rules.is_dead(plan.alive_at, clock.now()):
        return True
    if plan.pid is None or plan.host != socket.gethostname():
        return False
    try:
        os.kill(plan.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
