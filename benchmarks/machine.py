"""What a run was measured on: machine, versions, commit, and how busy the machine was."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.servers import ROOT
from fhir_server.embedded_mongodb import DataDir, PlatformFacts, find_mongod

PACKAGES = ("flask", "granian", "pymongo", "orjson")


def describe_machine(folder: Path, now: datetime) -> dict[str, str]:
    """Name → value; all text."""
    commit = _output("git", "rev-parse", "HEAD")
    is_changed = _output("git", "status", "--porcelain", "--untracked-files=no")
    return {
        "date": now.isoformat(timespec="minutes"),
        "commit": commit + (", with changes" if is_changed else "") if commit else "unknown",
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or "unknown",
        "cores": str(os.cpu_count()),
        "memory": f"{int(_field(Path('/proc/meminfo'), 'MemTotal').split()[0] or 0) / 2**20:.0f} GB",
        "system": platform.platform(),
        "python": platform.python_version(),
        "mongodb": mongodb_version(folder),
        **{name: version(name) for name in PACKAGES},
    }


def load_average() -> str:
    """Of the last 1, 5 and 15 minutes."""
    return ", ".join(f"{load:.2f}" for load in os.getloadavg())


def mongodb_version(folder: Path) -> str:
    """The version of the MongoDB that is started here."""
    mongod = find_mongod(PlatformFacts.of_this_machine(), DataDir.at(folder / "version"))
    match = re.search(r"v(\d+\.\d+\.\d+)", _output(str(mongod), "--version"))
    return match[1] if match else "unknown"


def _output(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
