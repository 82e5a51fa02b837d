"""Where each file of the embedded MongoDB lies under FHIR_DATA_DIR, and the state file that outlives the server."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from fhir_server.embedded_mongodb.errors import DataDirUnusable, DiskFull

# WiredTiger preallocates three journal files of 100 MB each; below this the first start fails half-way.
MINIMUM_FREE_MB = 400
LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True)
class RunState:
    """What the next process must know to find a `mongod` that is already running.

    `port` is None when it listens on the unix socket only. `pid` and `started` together name one process for good:
    a pid alone is used again by the system.
    """

    port: int | None
    pid: int | None = None
    started: str | None = None


@dataclass(frozen=True)
class DataDir:
    """The data directory; `path` is absolute, so that it means the same in every process."""

    path: Path

    @classmethod
    def at(cls, path: Path | str) -> DataDir:
        return cls(Path(os.path.realpath(path)))

    @property
    def db(self) -> Path:
        return self.path / "db"

    @property
    def run(self) -> Path:
        """The private directory (0700) that holds the unix socket and is mongod's working directory."""
        return self.path / "run"

    @property
    def socket(self) -> Path:
        return self.run / "mongod.sock"

    @property
    def log(self) -> Path:
        return self.path / "mongod.log"

    @property
    def output(self) -> Path:
        """What mongod prints before its log is open: the loader's errors, above all."""
        return self.path / "mongod.out"

    @property
    def state_file(self) -> Path:
        return self.path / "mongod.json"

    @property
    def server_lock(self) -> Path:
        return self.path / "server.lock"

    @property
    def users_lock(self) -> Path:
        return self.path / "mongod.users"

    def prepare(self) -> None:
        """Create what is missing. Raises DataDirUnusable or DiskFull."""
        try:
            self.path.mkdir(parents=True, mode=0o700, exist_ok=True)  # it will hold patient records
            for part in (self.db, self.run):
                part.mkdir(mode=0o700, exist_ok=True)
                part.chmod(0o700)
            probe = self.run / f".write-test-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise DataDirUnusable(
                f"The data directory {self.path} cannot be used ({error.strerror or error}). "
                "Give this user write access to it, or set FHIR_DATA_DIR to another directory."
            ) from error

    def require_free_space(self) -> None:
        """Raises DiskFull when mongod could not even start."""
        free = shutil.disk_usage(self.path).free // 1_000_000
        if free < MINIMUM_FREE_MB:
            raise DiskFull(
                f"Only {free} MB are free on the disk of {self.path}, and MongoDB needs at least {MINIMUM_FREE_MB} MB "
                "to start. Free some space, or set FHIR_DATA_DIR to a directory on another disk."
            )

    def bound_log(self) -> None:
        """Keep one older log and begin a new one when the log has grown."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def read_state(self) -> RunState | None:
        """The remembered state, or None when there is none or it is damaged (then everything is found afresh)."""
        try:
            found = json.loads(self.state_file.read_text())
            return RunState(found["port"], found["pid"], found["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_state(self, state: RunState) -> None:
        """Replace the state file at once, so that a reader never sees half of it. Raises DataDirUnusable."""
        draft = self.state_file.with_suffix(f".{os.getpid()}.tmp")
        try:
            draft.write_text(json.dumps(asdict(state)))
            draft.replace(self.state_file)
        except OSError as error:
            raise DataDirUnusable(
                f"The file {self.state_file} cannot be written ({error.strerror or error}). Give this user write "
                "access to the data directory and free some space on its disk."
            ) from error

    def pid_in_db(self) -> int | None:
        """The pid mongod itself noted in its data files: known even if we died before we could note it."""
        try:
            return int((self.db / "mongod.lock").read_text().strip() or 0) or None
        except (OSError, ValueError):
            return None
