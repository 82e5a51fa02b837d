"""The server that faults are done to, and its processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from fhir_server.embedded_mongodb.data_dir import DataDir
from tests.running_server import RunningServer

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
SEED = os.environ.get("FAULT_SEED", "1")


class Site:
    """A server on a data directory, started again where a test has killed it."""

    def __init__(self, data_dir: Path, settings: dict[str, str] | None = None) -> None:
        self._settings = settings
        self.server = RunningServer(data_dir, settings=settings)

    def restart(self) -> None:
        """Start a killed server again, on the same data and at another port."""
        self.server = RunningServer(self.server.data_dir, settings=self._settings)

    @property
    def mongod(self) -> int | None:
        """The pid of the server's MongoDB; None while it is being started."""
        state = DataDir.at(self.server.data_dir).read_state()
        return state.pid if state else None

    @property
    def workers(self) -> set[int]:
        return {pid for pid in children_of(self.server.process.pid) if pid != self.mongod}

    def status_of(self, page: str) -> int:
        """The status of `/healthz` or `/readyz`; 0 where nobody answers."""
        try:
            return httpx.get(f"{self.server.site}/{page}", timeout=30).status_code
        except httpx.TransportError:
            return 0

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.status_of("readyz") == 200)

    def end(self) -> None:
        """Stop the server and its MongoDB, also where a test has left them killed or stopped."""
        if self.server.process.poll() is not None:
            self.restart()
        self.server.stop()


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until something holds; fails when that takes far too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def children_of(pid: int) -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] not in "ZX":
            found.add(int(status.parent.name))
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill(pid: int | None, how: signal.Signals = signal.SIGKILL) -> None:
    assert pid is not None
    os.kill(pid, how)
