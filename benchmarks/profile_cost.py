"""`python -m benchmarks.profile_cost US-CORE.zip`: what it costs to check a Patient against its profile.

Two servers on one MongoDB, with databases of their own, both with the package loaded: one checks what meta.profile claims
on every write (FHIR_PROFILES=enforce), the other does not. The package's example Patient is created on each in turn, in
rounds that alternate which is first; then it is validated, one request at a time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from benchmarks.__main__ import CONNECTIONS, WORKERS
from benchmarks.load_tool import Result, http_request, run
from benchmarks.operations import environ_for
from fhir_server.embedded_mongodb import EmbeddedMongoDB

MODES = ("off", "enforce")
PORT = 18087
EXAMPLE = "package/example/Patient-example.json"


class Server:
    """A server under measurement that holds the package."""

    def __init__(self, mode: str, port: int, folder: Path, uri: str) -> None:
        self.port = port
        self._environ = environ_for(folder / mode, port) | {
            "FHIR_MONGODB_URI": uri,
            "FHIR_DATABASE": mode,
            "FHIR_AUTH": "off",
            "FHIR_PROFILES": mode,
            "FHIR_WORKERS": str(WORKERS),
        }
        self._command("load", str(folder / "package"), stdout=subprocess.DEVNULL, cwd=folder).wait()
        self._process = self._command("run", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("the server did not get ready within 30 s")

    def _command(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "fhir_server.cli", *arguments], env=self._environ, **options)

    def measure(self, path: str, body: bytes, expected: int, connections: int, seconds: float) -> Result:
        """POST a body again and again."""
        request = http_request("POST", path, f"127.0.0.1:{self.port}", body)
        result = run("127.0.0.1", self.port, itertools.repeat(request), connections, seconds)
        assert set(result.statuses) == {expected}, result.statuses
        return result

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="a zip of the package hl7.fhir.us.core")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhir-profiles-") as name, EmbeddedMongoDB(Path(name) / "m") as mongodb:
        folder = Path(name)
        with zipfile.ZipFile(arguments.package) as content:
            content.extractall(folder)
        patient = json.loads((folder / EXAMPLE).read_bytes())
        del patient["id"]
        body = json.dumps(patient, separators=(",", ":")).encode()
        servers: list[Server] = []
        try:
            for number, mode in enumerate(MODES):
                servers.append(Server(mode, PORT + number, folder, mongodb.uri))
            report_creates(servers, body, arguments.rounds, arguments.seconds)
            validated = servers[0].measure("/fhir/Patient/$validate", body, 200, 1, arguments.seconds)
            print(f"$validate  {validated.median_ms:.2f} ms, p99 {validated.p99_ms:.1f} ms, one at a time")
        finally:
            for server in servers:
                server.stop()


def report_creates(servers: list[Server], body: bytes, rounds: int, seconds: float) -> None:
    """Print the rate of creates of each server, and what is left of it where profiles are enforced."""
    rates: list[list[float]] = [[], []]
    for number in range(rounds + 1):
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            result = servers[which].measure("/fhir/Patient", body, 201, CONNECTIONS, seconds)
            if number:  # the first round warms up
                rates[which].append(result.rate)
    for mode, measured in zip(MODES, rates, strict=True):
        print(f"{mode:10} {median(measured):7,.0f} creates/s")
    ratios = [enforced / off for off, enforced in zip(*rates, strict=True)]
    print(f"ratio      {median(ratios):.3f}  (rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")


if __name__ == "__main__":
    main()
