"""Real servers for end-to-end tests: `fhir-server run` as a process of its own, on its embedded MongoDB, over HTTP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import httpx
import pytest

from resources.document import parse_document
from resources.validation import errors_of, validate
from tests.running_server import RunningServer

__all__ = ["RunningServer", "Together"]

Result = TypeVar("Result")


class Together(Protocol):
    def __call__(self, task: Callable[[int], Result], clients: int) -> list[Result]: ...


FHIR_JSON = "application/fhir+json"
# Larger answers would take longer to validate than to get.
VALIDATED_UP_TO = 300_000


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
