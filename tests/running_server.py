"""Real servers for tests: `fhir-server run` as a process of its own, on its embedded MongoDB, reached over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx

STARTED_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 40


class RunningServer:
    """A server process that this test started: its address, and the means to stop it or to kill it."""

    def __init__(
        self, data_dir: Path, workers: int = 2, settings: dict[str, str] | None = None, options: tuple[str, ...] = ()
    ) -> None:
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
            "FHIR_AUTH": "off",
            **(settings or {}),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fhir_server.cli", "run", *options], env=self.environ, stdout=log, stderr=log
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTED_WITHIN_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            # Not with httpx, which would load the system's certificates for each look.
            connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            except (HTTPException, OSError):
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[-3000:]}")

    def client(self) -> httpx.Client:
        """A client of the FHIR base, which up to fifty threads may share."""
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
        return httpx.Client(base_url=self.base_url, timeout=60, limits=limits, verify=False)  # noqa: S501 - no TLS here

    def command(self, *arguments: str) -> str:
        """What a command of `fhir-server` prints, run beside the server on the same store."""
        command = [sys.executable, "-m", "fhir_server.cli", *arguments]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"fhir-server {' '.join(arguments[:2])}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

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


@contextmanager
def server_with_demo_data(folder: Path, patients: int) -> Iterator[RunningServer]:
    """A server that asks for tokens, with some demo patients; stopped in the end."""
    server = RunningServer(folder / "data", settings={"FHIR_AUTH": "on"})
    try:
        server.command("demo-data", "--patients", str(patients))
        yield server
    finally:
        server.stop()
