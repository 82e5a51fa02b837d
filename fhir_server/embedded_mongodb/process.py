"""One running mongod, ours by birth or adopted: is it alive, is it really that one, end it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

from fhir_server.embedded_mongodb.data_dir import DataDir


class MongodProcess:
    """A process named by pid and start time. `child` is given for one we started ourselves, which we must reap."""

    def __init__(self, pid: int, started: str | None, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self.started = started
        self._child = child

    @property
    def exit_code(self) -> int | None:
        """The exit code of a child that has ended, else None."""
        return self._child.returncode if self._child else None

    def alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self.started is not None and start_time(self.pid) == self.started

    def signal(self, which: signal.Signals) -> None:
        """Send a signal, but only while the pid still is this very process."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, which)

    def wait_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def end(self, patience: float) -> None:
        """Ask it to stop, wait, and only then kill it: what was acknowledged is in the journal either way."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a suspended process would never see the request
        if not self.wait_gone(patience):
            self.signal(signal.SIGKILL)
            self.wait_gone(10)


def start_time(pid: int) -> str | None:
    """A text that, with the pid, names one process for good; None when it has ended (a zombie has)."""
    if os.path.exists("/proc/self/stat"):
        try:
            # The second field is the program's name in parentheses and may itself hold spaces and parentheses.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"
    return _ps(pid, "lstart=") or None


def runs_on(pid: int, db: Path) -> bool:
    """Whether this pid is a mongod on exactly these data files."""
    try:
        words = [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
    except OSError:
        words = shlex.split(_ps(pid, "args=")) if not os.path.exists("/proc/self/stat") else []
    return any(Path(word).name == "mongod" for word in words) and str(db) in words


def find_running(data_dir: DataDir) -> MongodProcess | None:
    """The mongod that has the data files open, whoever started it and whether or not its owner still lives."""
    state = data_dir.read_state()
    remembered = state.pid if state else None
    for pid in (remembered, data_dir.pid_in_db()):
        started = start_time(pid) if pid else None
        if pid is None or started is None or not runs_on(pid, data_dir.db):
            continue
        if state is None or pid != remembered or started == state.started:
            return MongodProcess(pid, started)
    return None


def _ps(pid: int, column: str) -> str:
    """Where there is no /proc (macOS)."""
    answer = subprocess.run(  # noqa: S603 - fixed words and a number
        ["/bin/ps", "-ww", "-o", column, "-p", str(int(pid))], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
