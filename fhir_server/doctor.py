"""`fhir-server doctor`: what on this machine keeps the server from running, and what to do about it.

Nothing is changed and nothing is started, but for asking `mongod` its version and MongoDB for an answer.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fhir_server.embedded_mongodb import (
    DataDir,
    EmbeddedMongoDBError,
    PlatformFacts,
    ServerLock,
    find_mongod,
)
from fhir_server.embedded_mongodb.address import remembered_address
from fhir_server.embedded_mongodb.data_dir import MINIMUM_FREE_MB
from fhir_server.embedded_mongodb.launch import PACKAGES
from fhir_server.embedded_mongodb.process import find_running
from fhir_server.settings import Settings, SettingsError

Level = Literal["ok", "warning", "error"]
COMFORTABLE_FREE_MB = 5_000
COMFORTABLE_MEMORY_MB = 1_000
OLDEST_PYTHON = (3, 11)
OLDEST_MONGODB = (4, 4)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found and, unless it is well, what to do."""

    level: Level
    subject: str
    found: str
    advice: str = ""


def examine(environ: Mapping[str, str], facts: PlatformFacts | None = None) -> list[Finding]:
    """Look at everything the server needs under these environment variables; never raises."""
    findings = [_python(), *_machine()]
    try:
        settings = Settings.from_environ(environ)
    except SettingsError as error:
        return [*findings, *(Finding("error", "Settings", problem) for problem in error.problems)]
    findings.append(Finding("ok", "Settings", f"They are valid; the FHIR base is {settings.base_url}."))
    data_dir = DataDir.at(settings.data_dir)
    findings.append(_disk(data_dir))
    owner = _owner(data_dir)
    if settings.mongodb_uri:
        findings.append(_mongodb(settings.mongodb_uri))
    else:
        findings += _bundled(facts or PlatformFacts.of_this_machine(), data_dir)
        findings += _embedded(data_dir, owner)
    findings.append(_port(settings, owner))
    return findings


def exit_code(findings: list[Finding]) -> int:
    """1 when something keeps the server from running, else 0."""
    return int(any(finding.level == "error" for finding in findings))


def render(findings: list[Finding], console: Console | None = None) -> int:
    """Print the findings in plain words and return the exit code for the command."""
    console = console or Console()
    marks = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "error": "[red]error[/]"}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        # Text, not str: paths may hold square brackets, which rich would take for its own marks.
        sentences = Text(" ".join(part for part in (finding.found, finding.advice) if part))
        table.add_row(marks[finding.level], finding.subject, sentences)
    console.print(table)
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if errors:
        console.print(f"\nThe server cannot run yet: {errors} thing(s) above must be put right first.")
    elif warnings:
        console.print("\nThe server can run; read the warnings above.")
    else:
        console.print("\nEverything is in order.")
    return exit_code(findings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info) < OLDEST_PYTHON:
        return Finding("error", "Python", f"This is Python {version}.", "Install Python 3.11 or later.")
    return Finding("ok", "Python", f"This is Python {version}.")


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    found = f"{cores} core(s) and {memory} MB of memory."
    if memory < COMFORTABLE_MEMORY_MB:
        yield Finding(
            "warning", "Machine", found, "Give it at least 1 GB, or the server may be ended for want of memory."
        )
    else:
        yield Finding("ok", "Machine", found)


def _disk(data_dir: DataDir) -> Finding:
    # The directory itself may not exist yet: then the nearest folder above it decides.
    place = next(each for each in (data_dir.path, *data_dir.path.parents) if os.path.exists(each))
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        advice = "Give this user write access to it, or set FHIR_DATA_DIR to another directory."
        return Finding("error", "Data directory", f"{data_dir.path} cannot be written.", advice)
    free = shutil.disk_usage(place).free // 1_000_000
    found = f"{data_dir.path} can be written; {free} MB are free."
    if free < MINIMUM_FREE_MB:
        return Finding(
            "error", "Data directory", found, f"MongoDB needs {MINIMUM_FREE_MB} MB to start: free some space."
        )
    if free < COMFORTABLE_FREE_MB:
        return Finding("warning", "Data directory", found, "Free some space before you load many records.")
    return Finding("ok", "Data directory", found)


def _owner(data_dir: DataDir) -> int | None:
    try:
        return ServerLock(data_dir).holder()
    except OSError:
        return None


def _bundled(facts: PlatformFacts, data_dir: DataDir) -> Iterator[Finding]:
    """The mongod that would be run, and whether it runs here."""
    # find_mongod sets a missing run bit; that is left to the server's start.
    only_bundled = shutil.which("mongod", path=facts.search_path) is None and facts.bundled is not None
    dormant = facts.bundled if only_bundled and facts.bundled and not os.access(facts.bundled, os.X_OK) else None
    try:
        binary = dormant or find_mongod(facts, data_dir)
    except EmbeddedMongoDBError as error:
        yield Finding("error", "mongod", str(error))
        return
    missing = _missing_libraries(binary)
    for library in missing:
        package = PACKAGES.get(library)
        advice = f"Run `apt-get install {package}`." if package else "Install the package that holds it."
        yield Finding("error", "Libraries", f"mongod needs {library}, which is not installed.", advice)
    if missing:
        return
    yield Finding("ok", "Libraries", "libcurl, OpenSSL and the others mongod needs are installed.")
    if dormant:
        yield Finding("ok", "mongod", f"{binary}; its run bit is missing and is set at the first start.")
        return
    try:
        answer = subprocess.run(  # noqa: S603 - the mongod we would start ourselves
            [str(binary), "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        yield Finding("error", "mongod", f"{binary} cannot be run ({failure}).", "Install MongoDB again.")
        return
    found = re.search(r"db version v([0-9.]+)", answer.stdout)
    if not found:
        said = (answer.stderr or answer.stdout).strip()[:300] or f"exit code {answer.returncode}"
        yield Finding("error", "mongod", f"{binary} does not tell its version: {said}.", "Install MongoDB again.")
        return
    yield _version(found[1], f"{binary} is MongoDB {found[1]}.", "mongod")


def _missing_libraries(binary: Path) -> list[str]:
    ldd = shutil.which("ldd")
    if ldd is None:
        return []
    try:
        answer = subprocess.run(  # noqa: S603
            [ldd, str(binary)], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return re.findall(r"^\s*(\S+) => not found", answer.stdout, re.MULTILINE)


def _embedded(data_dir: DataDir, owner: int | None) -> Iterator[Finding]:
    """Whether the embedded MongoDB runs now, and for whom."""
    running, state = find_running(data_dir), data_dir.read_state()
    if owner is not None:
        yield Finding("ok", "Server", f"A server runs on this data directory (process {owner or 'unknown'}).")
    else:
        yield Finding("ok", "Server", "No server runs on this data directory.")
    if running is not None and state is not None:
        yield _mongodb(remembered_address(data_dir, state.port).uri)
        if owner is None:
            found = f"mongod (process {running.pid}) outlived its server."
            yield Finding("warning", "Server", found, "The next start takes it over; nothing needs to be done.")
    elif owner is not None:
        found = "The server runs, but its MongoDB does not."
        yield Finding("warning", "MongoDB", found, f"It may be starting; otherwise read the end of {data_dir.log}.")


def _mongodb(uri: str) -> Finding:
    """Whether the MongoDB answers and can do transactions. The address is not shown: it may hold a password."""
    client: MongoClient[dict[str, Any]]
    try:
        with MongoClient(uri, serverSelectionTimeoutMS=3000, connectTimeoutMS=3000) as client:
            hello = client.admin.command("hello")
            version = str(client.server_info()["version"])
    except (PyMongoError, ValueError) as error:
        said = re.sub(r"//[^@/\s]*@", "//", str(error)).split(", Timeout:")[0][:300]
        advice = "Check that it runs, that this machine may reach it, and FHIR_MONGODB_URI."
        return Finding("error", "MongoDB", f"It cannot be reached: {said}.", advice)
    if not hello.get("setName") and hello.get("msg") != "isdbgrid":
        return Finding(
            "error",
            "MongoDB",
            f"Version {version} answers, but it is a standalone server, on which transactions do not work.",
            "Start it with --replSet and run rs.initiate() once, or use a sharded cluster.",
        )
    kind = f"replica set {hello['setName']}" if hello.get("setName") else "sharded cluster"
    return _version(version, f"MongoDB {version} answers ({kind}).", "MongoDB")


def _version(version: str, found: str, subject: str) -> Finding:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_MONGODB:
        return Finding("error", subject, found, "Use MongoDB 4.4 or later.")
    return Finding("ok", subject, found)


def _port(settings: Settings, owner: int | None) -> Finding:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE and owner is not None:
                return Finding("ok", "Port", f"{settings.port} is in use, presumably by the server that runs.")
            found = f"{settings.host}:{settings.port} cannot be bound ({error.strerror})."
            return Finding("error", "Port", found, "Stop what uses it, or set FHIR_PORT to another port.")
    return Finding("ok", "Port", f"{settings.host}:{settings.port} is free.")
