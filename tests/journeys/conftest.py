"""Real servers for end-to-end tests: `fhir-server run` as a process of its own, on its embedded MongoDB, over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import httpx
import pytest

from resources.document import parse_document
from resources.validation import errors_of, validate

Result = TypeVar("Result")


class Together(Protocol):
    def __call__(self, task: Callable[[int], Result], clients: int) -> list[Result]: ...


STARTED_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 40

FHIR_JSON = "application/fhir+json"
# Larger answers would take longer to validate than to get.
VALIDATED_UP_TO = 300_000


class RunningServer:
    """A server process that this test started: its address, and the means to stop it or to kill it."""

    def __init__(self, data_dir: Path, workers: int = 2, settings: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.site}/fhir"
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FHIR_")},
            "FHIR_DATA_DIR": str(data_dir),
            "FHIR_PORT": str(self.port),
            "FHIR_BASE_URL": self.base_url,
            "FHIR_WORKERS": str(workers),
            **(settings or {}),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fhir_server.cli", "run"], env=self.environ, stdout=log, stderr=log
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.site}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[-3000:]}")

    def client(self) -> httpx.Client:
        """A client of the FHIR base, which up to fifty threads may share."""
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
        return httpx.Client(base_url=self.base_url, timeout=60, limits=limits, verify=False)  # noqa: S501 - no TLS here

    def stop(self) -> int:
        """Stop it as an operator would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOPPED_WITHIN_SECONDS)

    def kill(self) -> None:
        """End it without a chance to tidy up. Its workers end with it; its MongoDB stays."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(STOPPED_WITHIN_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that leave it as they found it, or use data of their own."""
    running = RunningServer(tmp_path_factory.mktemp("server") / "data")
    yield running
    running.stop()


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """A client of the shared server's FHIR base, which checks that every resource in an answer is a valid one."""
    with server.client() as client:
        client.event_hooks["response"].append(_check_answer)
        yield client


def _check_answer(response: httpx.Response) -> None:
    body = response.read()
    if body and len(body) < VALIDATED_UP_TO and response.headers.get("content-type", "").startswith(FHIR_JSON):
        issues = errors_of(validate(parse_document(body).tree))
        assert not issues, f"{response.request.method} {response.request.url}: {issues}\n{body[:2000]!r}"


@pytest.fixture
def together() -> Together:
    """Runs a task for the numbers from 0 in threads of their own that begin together; the results, in that order."""

    def run(task: Callable[[int], Result], clients: int) -> list[Result]:
        line = threading.Barrier(clients)

        def begin(number: int) -> Result:
            line.wait(60)
            return task(number)

        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(begin, range(clients)))

    return run


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts servers of a test's own, on the same data directory unless told otherwise, and stops them after it."""
    started: list[RunningServer] = []

    def start(data_dir: Path | None = None, workers: int = 2, **settings: str) -> RunningServer:
        server = RunningServer(data_dir or tmp_path / "data", workers, settings)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
    # A killed server's MongoDB lives on for the next one; a last start and stop takes it down.
    if started and started[-1].process.returncode == -signal.SIGKILL:
        RunningServer(started[-1].data_dir).stop()
