"""`python -m benchmarks`: start what is needed, measure our server and the bare application in turn, print and save.

Both run the same way: Granian, the same number of workers and threads, the same MongoDB, the same load tool. They are
measured in alternating rounds, so that what else the machine does falls on both; the medians of the rounds are compared.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

import orjson

from benchmarks.load_tool import Result, http_request, run
from fhir_server.demo_data import patient_records
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.serving import THREADS_PER_WORKER

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
CONNECTIONS = 16
READ_FROM = 200


@dataclass
class Contender:
    """A server under measurement: its name, port and process."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


def start(name: str, target: str, port: int, uri: str) -> Contender:
    """Start a server and wait until it answers."""
    environ = {
        **os.environ,
        "FHIR_MONGODB_URI": uri,
        "FHIR_PORT": str(port),
        "FHIR_BASE_URL": f"http://127.0.0.1:{port}/fhir",
        "FHIR_DATABASE": "bench",
        "FHIR_LOG_LEVEL": "warning",
    }
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port)),
        *("--workers", str(WORKERS), "--blocking-threads", str(THREADS_PER_WORKER), "--no-ws", target),
    ]
    process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(400):
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=1)  # noqa: S310
            break
        except OSError as error:
            if getattr(error, "code", None) == 404:
                break
            time.sleep(0.05)
    return Contender(name, port, process)


def sample_patients() -> list[bytes]:
    """Patients to create, without ids: about 1.5 kB each."""
    today = date(2026, 1, 1)
    found = (patient_records(1, n, today, 1000)[0] for n in range(READ_FROM))
    patients = [next(r for r in [record] if r["resourceType"] == "Patient") for record in found]
    return [orjson.dumps({k: v for k, v in patient.items() if k != "id"}) for patient in patients]


def created_ids(contender: Contender, patients: list[bytes]) -> list[str]:
    """Create each of the patients once; their ids."""
    ids: list[str] = []
    for body in patients:
        request = Request(  # noqa: S310
            f"http://{contender.host}/fhir/Patient", body, {"Content-Type": "application/fhir+json"}, method="POST"
        )
        with urlopen(request) as response:  # noqa: S310
            ids.append(json.load(response)["id"])
    return ids


def reads(contender: Contender, ids: list[str]) -> Iterator[bytes]:
    return itertools.cycle([http_request("GET", f"/fhir/Patient/{key}", contender.host) for key in ids])


def creates(contender: Contender, patients: list[bytes]) -> Iterator[bytes]:
    return itertools.cycle([http_request("POST", "/fhir/Patient", contender.host, body) for body in patients])


def compare(contenders: list[Contender], rounds: int, seconds: float) -> dict[str, dict[str, list[Result]]]:
    """Measurement → contender → the results of its rounds."""
    patients = sample_patients()
    ids = {contender.name: created_ids(contender, patients) for contender in contenders}
    results: dict[str, dict[str, list[Result]]] = {"read": {}, "create": {}}
    for number in range(rounds + 1):
        for contender in contenders if number % 2 else reversed(contenders):
            for kind in results:
                requests = (
                    reads(contender, ids[contender.name]) if kind == "read" else creates(contender, patients)
                )
                result = run("127.0.0.1", contender.port, requests, CONNECTIONS, seconds)
                expected = 200 if kind == "read" else 201
                assert set(result.statuses) == {expected}, result.statuses
                if number:  # the first round warms up
                    results[kind].setdefault(contender.name, []).append(result)
    return results


def resident_mb(process: subprocess.Popen[bytes]) -> list[float]:
    """Resident memory of the workers of a server, in MB."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    sizes = []
    for child in children:
        for line in Path(f"/proc/{child}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                sizes.append(int(line.split()[1]) / 1024)
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "latest.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as folder, EmbeddedMongoDB(Path(folder)) as mongodb:
        contenders = [
            start("bare", "benchmarks.bare_app:app", 18081, mongodb.uri),
            start("ours", "fhir_server.app:worker_app", 18082, mongodb.uri),
        ]
        try:
            results = compare(contenders, arguments.rounds, arguments.seconds)
            memory = resident_mb(contenders[1].process)
        finally:
            for contender in contenders:
                contender.process.terminate()
                contender.process.wait(30)
    summary: dict[str, object] = {
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "workers": WORKERS,
        "connections": CONNECTIONS,
        "worker_memory_mb": [round(size) for size in memory],
    }
    print(summary["machine"])
    for kind, by_name in results.items():
        rates = {name: median(r.rate for r in of_name) for name, of_name in by_name.items()}
        ratios = [ours.rate / bare.rate for ours, bare in zip(by_name["ours"], by_name["bare"], strict=True)]
        latency = {name: median(r.median_ms for r in of_name) for name, of_name in by_name.items()}
        summary[kind] = {"requests_per_second": rates, "ratio": median(ratios), "median_ms": latency}
        print(
            f"{kind:8} ours {rates['ours']:7,.0f}/s ({latency['ours']:.1f} ms)   bare {rates['bare']:7,.0f}/s "
            f"({latency['bare']:.1f} ms)   ratio {median(ratios):.2f}  (rounds: {', '.join(f'{r:.2f}' for r in ratios)})"
        )
    print(f"memory   {', '.join(f'{size:.0f} MB' for size in memory)} a worker process")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
