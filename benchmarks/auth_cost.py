"""`python -m benchmarks.auth_cost`: what authorization costs reads and searches, and what audits of every access do.

Servers on one MongoDB, with databases of their own: one without authorization, one with it that audits security events only,
and one that audits every access. They are asked in turn, in rounds that alternate which is first, so that what else the
machine does falls on all. Meanwhile the others stand still with all their processes, so that each bears its own costs.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from benchmarks.__main__ import CONNECTIONS, WORKERS, sample_patients
from benchmarks.load_tool import Result, http_request, run
from benchmarks.operations import environ_for
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.embedded_mongodb.data_dir import DataDir

CONTENDERS = {
    "off": {"FHIR_AUTH": "off"},
    "security": {"FHIR_AUTH": "on", "FHIR_AUDIT": "security"},
    "access": {"FHIR_AUTH": "on", "FHIR_AUDIT": "access"},
}
COMPARED = (("security", "off"), ("access", "security"), ("access", "off"))
KINDS = ("read", "search")
SEARCHES = ("/fhir/Patient?gender=female&_count=10", "/fhir/Patient?birthdate=ge1950&_count=10")
PORT = 18085
Measured = tuple[Result, float]


class Server:
    """A server under measurement, with a token for all of its records, and the ids of patients to read."""

    def __init__(self, name: str, port: int, folder: Path, uri: str, mongod: int) -> None:
        self.name, self.port, self._mongod = name, port, mongod
        self.environ = environ_for(folder / name, port) | {
            "FHIR_MONGODB_URI": uri,
            "FHIR_DATABASE": name,
            "FHIR_WORKERS": str(WORKERS),
            **CONTENDERS[name],
        }
        self.process = subprocess.Popen(
            self._command("run"),
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.authorization = ""
        self.patients = 0

    def prepare(self) -> None:
        """Wait until it answers, get a token and store what is read."""
        self._wait()
        token = subprocess.run(
            self._command("token", "--scope", "system/*.cruds"),
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        self.authorization = f"Bearer {token}"
        for number, body in enumerate(sample_patients()):
            named = body.replace(b"{", b'{"id":"%d",' % number, 1)
            self._send("PUT", f"/Patient/{number}", named)
        self.patients = number + 1

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "fhir_server.cli", *arguments]

    def _wait(self) -> None:
        for _ in range(600):
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("the server did not get ready within 30 s")

    def _send(self, method: str, path: str, body: bytes) -> None:
        headers = {"Authorization": self.authorization, "Content-Type": "application/fhir+json"}
        with urlopen(Request(f"http://127.0.0.1:{self.port}/fhir{path}", body, headers, method=method)):
            pass

    def requests(self, kind: str) -> Iterator[bytes]:
        """Requests of a kind, for ever: reads by id, or searches."""
        host = f"127.0.0.1:{self.port}"
        paths = [f"/fhir/Patient/{number}" for number in range(self.patients)] if kind == "read" else SEARCHES
        header = f"\r\nAuthorization: {self.authorization}\r\n\r\n".encode()
        return itertools.cycle(http_request("GET", path, host).removesuffix(b"\r\n\r\n") + header for path in paths)

    def measure(self, kind: str, seconds: float) -> Measured:
        """What a run measured, and the processor seconds of each request."""
        before = self.processor_seconds()
        result = run("127.0.0.1", self.port, self.requests(kind), CONNECTIONS, seconds)
        assert set(result.statuses) == {200}, result.statuses
        return result, (self.processor_seconds() - before) / len(result.latencies)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        os.killpg(self.process.pid, number)

    def processor_seconds(self) -> float:
        """The time that its processes, and MongoDB, have had so far."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = path.read_text()
            except OSError:
                continue  # it has ended
            fields = text.rpartition(")")[2].split()
            if int(fields[2]) == self.process.pid or int(path.parent.name) == self._mongod:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhir-auth-") as folder, EmbeddedMongoDB(Path(folder) / "m") as mongodb:
        servers: list[Server] = []
        mongod = DataDir.at(Path(folder) / "m").pid_in_db() or 0
        try:
            for number, name in enumerate(CONTENDERS):
                servers.append(Server(name, PORT + number, Path(folder), mongodb.uri, mongod))
                servers[-1].prepare()
            for server in servers:
                server.signal(signal.SIGSTOP)
            for kind in KINDS:
                report(kind, compare(servers, kind, arguments.rounds, arguments.seconds))
        finally:
            for server in servers:
                server.signal(signal.SIGCONT)
            # Until all threads run again: another than the first could take the signal to stop, and sleep on.
            time.sleep(0.5)
            for server in servers:
                server.stop()


def compare(servers: list[Server], kind: str, rounds: int, seconds: float) -> dict[str, list[Measured]]:
    """Contender → the results of its rounds."""
    results: dict[str, list[Measured]] = {server.name: [] for server in servers}
    for number in range(rounds + 1):
        for server in servers if number % 2 else reversed(servers):
            server.signal(signal.SIGCONT)
            result = server.measure(kind, seconds)
            server.signal(signal.SIGSTOP)
            if number:  # the first round warms up
                results[server.name].append(result)
    return results


def report(kind: str, results: dict[str, list[Measured]]) -> None:
    """Print the rates, and what is left of one contender's rate and processor time in another's."""
    for name, rounds in results.items():
        rate, latency, slowest, processor = (
            median(each)
            for each in zip(*((r.rate, r.median_ms, r.p99_ms, seconds * 1e6) for r, seconds in rounds), strict=True)
        )
        times = f"{latency:.2f} ms, p99 {slowest:.1f} ms, {processor:.0f} µs of processor time"
        print(f"{kind:7} {name:9} {rate:7,.0f}/s ({times})")
    for name, of in COMPARED:
        pairs = list(zip(results[name], results[of], strict=True))
        rates = [mine.rate / other.rate for (mine, _), (other, _) in pairs]
        costs = [other / mine for (_, mine), (_, other) in pairs]
        shown = ", ".join(f"{ratio:.2f}" for ratio in rates)
        print(f"{kind:7} {name} / {of}: rate {median(rates):.3f}, processor time {median(costs):.3f} (rates: {shown})")


if __name__ == "__main__":
    main()
