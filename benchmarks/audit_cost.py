"""`python -m benchmarks.audit_cost`: what it costs a read to be audited.

Two servers on one MongoDB, with databases of their own: one audits every access, the other security events only. They are
read from in turn, in rounds that alternate which is first, so that what else the machine does falls on both. Meanwhile the
other one stands still with all its processes, so that each bears the cost of its own AuditEvents. Beside the rates it
prints the processor time a read, of the server and MongoDB together, which others on the machine disturb less.
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

LEVELS = ("security", "access")
PORT = 18085


class Server:
    """A server under measurement, with a token for all of its records, and the ids of patients to read."""

    def __init__(self, level: str, port: int, folder: Path, uri: str, mongod: int) -> None:
        self.level, self.port, self._mongod = level, port, mongod
        self.environ = environ_for(folder / level, port) | {
            "FHIR_MONGODB_URI": uri,
            "FHIR_DATABASE": level,
            "FHIR_AUTH": "on",
            "FHIR_AUDIT": level,
            "FHIR_WORKERS": str(WORKERS),
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

    def requests(self) -> Iterator[bytes]:
        host = f"127.0.0.1:{self.port}"
        header = f"\r\nAuthorization: {self.authorization}\r\n\r\n".encode()
        return itertools.cycle(
            http_request("GET", f"/fhir/Patient/{number}", host).removesuffix(b"\r\n\r\n") + header
            for number in range(self.patients)
        )

    def measure(self, seconds: float) -> tuple[Result, float]:
        """What a run measured, and the processor seconds of each read."""
        before = self.processor_seconds()
        result = run("127.0.0.1", self.port, self.requests(), CONNECTIONS, seconds)
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

    def journal_bytes(self) -> int:
        return sum(path.stat().st_size for path in (Path(self.environ["FHIR_DATA_DIR"]) / "audit").glob("*.journal"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhir-audit-") as folder, EmbeddedMongoDB(Path(folder) / "m") as mongodb:
        servers: list[Server] = []
        mongod = DataDir.at(Path(folder) / "m").pid_in_db() or 0
        try:
            for number, level in enumerate(LEVELS):
                servers.append(Server(level, PORT + number, Path(folder), mongodb.uri, mongod))
                servers[-1].prepare()
            report(compare(servers, arguments.rounds, arguments.seconds))
            print(f"journal  {servers[-1].journal_bytes():,} bytes")
        finally:
            for server in servers:
                server.signal(signal.SIGCONT)
                server.stop()


def compare(servers: list[Server], rounds: int, seconds: float) -> dict[str, list[tuple[Result, float]]]:
    """Level → the results of its rounds, with the processor seconds a read."""
    results: dict[str, list[tuple[Result, float]]] = {level: [] for level in LEVELS}
    for server in servers:
        server.signal(signal.SIGSTOP)
    for number in range(rounds + 1):
        for server in servers if number % 2 else reversed(servers):
            server.signal(signal.SIGCONT)
            result = server.measure(seconds)
            server.signal(signal.SIGSTOP)
            if number:  # the first round warms up
                results[server.level].append(result)
    return results


def report(results: dict[str, list[tuple[Result, float]]]) -> None:
    """Print the rates, and what is left of a rate when every access is audited."""
    for level, rounds in results.items():
        rate, latency, slowest, processor = (
            median(each)
            for each in zip(*((r.rate, r.median_ms, r.p99_ms, seconds * 1e6) for r, seconds in rounds), strict=True)
        )
        times = f"{latency:.2f} ms, p99 {slowest:.1f} ms, {processor:.0f} µs of processor time"
        print(f"{level:8} {rate:7,.0f} reads/s ({times})")
    base, access = (results[level] for level in LEVELS)
    rates = [mine.rate / other.rate for (other, _), (mine, _) in zip(base, access, strict=True)]
    costs = [other / mine for (_, other), (_, mine) in zip(base, access, strict=True)]
    for name, ratios in (("rates", rates), ("time", costs)):
        print(f"{name:8} ratio {median(ratios):.3f}  (rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")


if __name__ == "__main__":
    main()
