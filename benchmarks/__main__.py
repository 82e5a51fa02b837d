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
from benchmarks.operations import load_folder, seconds_until_ready
from benchmarks.soak import HOUR_OF_REQUESTS, resident_mb, soak
from fhir_server.demo_data import patient_records
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.serving import threads_for
from fhir_server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
CONNECTIONS = 16
READ_FROM = 200
SYSTEM = "urn:bench"


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
        "FHIR_AUTH": "off",
    }
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port)),
        *(
            "--workers",
            str(WORKERS),
            "--blocking-threads",
            str(threads_for(Settings.from_environ({}))),
            "--no-ws",
            target,
        ),
    ]
    process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(400):
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=1)
            break
        except OSError as error:
            if getattr(error, "code", None) == 404:
                break
            time.sleep(0.05)
    return Contender(name, port, process)


def sample_patients() -> list[bytes]:
    """Patients to create, without ids: about 1.5 kB each."""
    today = date(2026, 1, 1)
    patients = [
        next(record for record in patient_records(1, number, today, 1000) if record["resourceType"] == "Patient")
        for number in range(READ_FROM)
    ]
    return [orjson.dumps({k: v for k, v in patient.items() if k != "id"}) for patient in patients]


def created_ids(contender: Contender, patients: list[bytes]) -> list[str]:
    """Create each of the patients once; their ids."""
    ids: list[str] = []
    for body in patients:
        request = Request(
            f"http://{contender.host}/fhir/Patient", body, {"Content-Type": "application/fhir+json"}, method="POST"
        )
        with urlopen(request) as response:  # noqa: S310
            ids.append(json.load(response)["id"])
    return ids


def reads(contender: Contender, ids: list[str]) -> Iterator[bytes]:
    return itertools.cycle([http_request("GET", f"/fhir/Patient/{key}", contender.host) for key in ids])


def creates(contender: Contender, patients: list[bytes]) -> Iterator[bytes]:
    return itertools.cycle([http_request("POST", "/fhir/Patient", contender.host, body) for body in patients])


def searches(contender: Contender, ids: list[str]) -> Iterator[bytes]:
    """Searches by an identifier; the bare application has none, so it reads by id."""
    if contender.name == "bare":
        return reads(contender, ids)
    paths = [f"/fhir/Patient?identifier={SYSTEM}|{number}" for number in range(len(ids))]
    return itertools.cycle([http_request("GET", path, contender.host) for path in paths])


def identified(patients: list[bytes]) -> list[bytes]:
    """The same patients, each with an identifier that no other has."""
    trees = [orjson.loads(body) for body in patients]
    return [
        orjson.dumps({**tree, "identifier": [{"system": SYSTEM, "value": str(number)}]})
        for number, tree in enumerate(trees)
    ]


def compare(contenders: list[Contender], rounds: int, seconds: float) -> dict[str, dict[str, list[Result]]]:
    """Measurement → contender → the results of its rounds."""
    patients = sample_patients()
    ids = {contender.name: created_ids(contender, identified(patients)) for contender in contenders}
    results: dict[str, dict[str, list[Result]]] = {"read": {}, "identifier search": {}, "create": {}}
    for number in range(rounds + 1):
        for contender in contenders if number % 2 else reversed(contenders):
            for kind in results:
                requests = {
                    "read": reads(contender, ids[contender.name]),
                    "identifier search": searches(contender, ids[contender.name]),
                    "create": creates(contender, patients),
                }[kind]
                result = run("127.0.0.1", contender.port, requests, CONNECTIONS, seconds)
                expected = 201 if kind == "create" else 200
                assert set(result.statuses) == {expected}, result.statuses
                if number:  # the first round warms up
                    results[kind].setdefault(contender.name, []).append(result)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument(
        "--soak", type=int, default=HOUR_OF_REQUESTS, help="mixed requests before memory is read; 0 for none"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "latest.json")
    arguments = parser.parse_args()
    summary: dict[str, object] = {
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "workers": WORKERS,
        "connections": CONNECTIONS,
    }
    print(summary["machine"])
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as folder:
        side_by_side(Path(folder) / "compare", arguments, summary)
        operations(Path(folder) / "load", summary)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(summary, indent=2) + "\n")


def side_by_side(data_dir: Path, arguments: argparse.Namespace, summary: dict[str, object]) -> None:
    """Our server and the bare application in turn; then the soak of ours."""
    with EmbeddedMongoDB(data_dir) as mongodb:
        contenders = [
            start("bare", "benchmarks.bare_app:app", 18081, mongodb.uri),
            start("ours", "fhir_server.app:worker_app", 18082, mongodb.uri),
        ]
        ours = contenders[1]
        try:
            for kind, by_name in compare(contenders, arguments.rounds, arguments.seconds).items():
                summary[kind] = summarise(kind, by_name)
            if arguments.soak:
                patients = sample_patients()
                statuses = soak(ours.port, patients, created_ids(ours, patients), arguments.soak)
                memory = [round(size) for size in resident_mb(ours.process.pid)]
                summary["soak"] = {"statuses": statuses, "worker_memory_mb": memory}
                total = sum(statuses.values())
                print(f"soak     {total:,} mixed requests, statuses {statuses}: {memory} MB a worker process")
        finally:
            for contender in contenders:
                contender.process.terminate()
                contender.process.wait(30)


def summarise(kind: str, by_name: dict[str, list[Result]]) -> dict[str, object]:
    """Print a measurement and give it as JSON."""
    rates = {name: median(r.rate for r in of_name) for name, of_name in by_name.items()}
    ratios = [ours.rate / bare.rate for ours, bare in zip(by_name["ours"], by_name["bare"], strict=True)]
    latency = {name: median(r.median_ms for r in of_name) for name, of_name in by_name.items()}
    print(
        f"{kind:17} ours {rates['ours']:7,.0f}/s ({latency['ours']:.1f} ms)   bare {rates['bare']:7,.0f}/s "
        f"({latency['bare']:.1f} ms)   ratio {median(ratios):.2f}  (rounds: {', '.join(f'{r:.2f}' for r in ratios)})"
    )
    return {"requests_per_second": rates, "ratio": median(ratios), "ratios": ratios, "median_ms": latency}


def operations(data_dir: Path, summary: dict[str, object]) -> None:
    """Loading Synthea records, if they are at hand, and starting on what was loaded."""
    synthea = Path(os.environ.get("FHIR_SHARED", ROOT.parent / "shared")) / "synthea"
    for version in ("v2.4", "v2.7"):
        if not (synthea / version).is_dir():
            print(f"load     skipped: {synthea / version} is absent (set FHIR_SHARED)")
            continue
        loaded = load_folder(synthea / version, data_dir)
        summary[f"load {version}"] = loaded
        print(f"load     Synthea {version}: {loaded['resources']:,.0f} resources, {loaded['per_second']:,.0f}/s")
    seconds = [seconds_until_ready(data_dir) for _ in range(3)]
    summary["seconds_until_ready"] = seconds
    print(f"start    /readyz after {', '.join(f'{s:.2f}' for s in seconds)} s on that data directory")


if __name__ == "__main__":
    main()
