"""What an operator waits and pays for: memory, starting, and loading folders of records."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import orjson

from benchmarks.comparison import Values
from benchmarks.interactions import Workload
from benchmarks.load_tool import run
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.population import creating, sample_patients
from benchmarks.servers import ROOT, command, environ_for, free_port, ours, running
from benchmarks.stores import filled
from benchmarks.target import Target
from fhir_server.embedded_mongodb.data_dir import DataDir

SHARES = {"read": 70, "search": 14, "create": 8, "update": 6, "history": 1, "transaction": 1}
# One worker makes a server ready; another that still starts when it is told to stop does not hear that.
ALL_WORKERS_READY_SECONDS = 2
_SUMMARY = re.compile(r"([\d,]+) resources in ([\d.]+) s")


def measure_memory(folder: Path, plan: Plan) -> Values:
    """Resident memory of the worker processes and of MongoDB, at the start and after many mixed requests; and statuses."""
    data_dir = folder / "memory"
    with running(ours(data_dir)) as server:
        workload = Workload(server.target)
        workload.prepare()
        mongod = DataDir.at(data_dir).pid_in_db() or 0
        memory = {"at the start": _memory(server.process.pid, mongod)}
        statuses: dict[str, int] = {}
        stream = mixed_requests(server.target, workload.ids)
        while sum(statuses.values()) < plan.soak:
            for status, number in run(server.target, stream, CONNECTIONS, 2).statuses.items():
                statuses[str(status)] = statuses.get(str(status), 0) + number
        memory["after the requests"] = _memory(server.process.pid, mongod)
    return {"requests": sum(statuses.values()), "statuses": statuses, "shares": SHARES, "memory_mb": memory}


def mixed_requests(target: Target, ids: list[str], seed: int = 1) -> Iterator[bytes]:
    """An endless, seeded mix of requests in the shares above."""
    chance = random.Random(seed)
    patients = sample_patients()
    while True:
        (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
        key, patient = chance.choice(ids), chance.choice(patients)
        if kind == "read":
            yield target.request("GET", f"/Patient/{key}")
        elif kind == "search":
            letter = chance.choice("abcdefghijklmnopqrstuvwz")
            yield target.request("GET", f"/Patient?name={letter}&_count=20")
        elif kind == "create":
            yield target.request("POST", "/Patient", orjson.dumps(patient))
        elif kind == "update":
            changed = {**patient, "id": key, "active": chance.random() < 0.5}
            yield target.request("PUT", f"/Patient/{key}", orjson.dumps(changed))
        elif kind == "history":
            yield target.request("GET", f"/Patient/{key}/_history?_count=10")
        else:
            yield target.request("POST", "", creating(chance.sample(patients, 50)))


def _memory(server: int, mongod: int) -> Values:
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    workers = [child for child in map(int, children) if child != mongod]
    return {"workers": [resident_mb(worker) for worker in workers], "mongodb": resident_mb(mongod)}


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB; 0 if there is none."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS")), 0.0)


def measure_starts(folder: Path, stores: Path, plan: Plan) -> Values:
    """Data directory → seconds until `/readyz` says ok, of each start: a new one, one started before, and filled ones."""
    starts: Values = {}
    starts["new"] = [_seconds_until_ready(folder / f"start{number}") for number in range(plan.starts)]
    starts["empty, started before"] = [_seconds_until_ready(folder / "start0") for _ in range(plan.starts)]
    for patients in plan.sizes:
        data_dir = filled(patients, stores)
        starts[f"{patients:,} patients"] = [_seconds_until_ready(data_dir) for _ in range(plan.starts)]
    return {name: {"seconds": seconds, "median_seconds": median(seconds)} for name, seconds in starts.items()}


def _seconds_until_ready(data_dir: Path) -> float:
    server = ours(data_dir, FHIR_AUTH="on")
    try:
        seconds = server.wait()
        time.sleep(ALL_WORKERS_READY_SECONDS)
        return seconds
    finally:
        server.stop()


def measure_loads(folder: Path, plan: Plan) -> Values:
    """Folder of Synthea records → resources, seconds and resources a second; or why it was skipped."""
    synthea = Path(os.environ.get("FHIR_SHARED", ROOT.parent / "shared")) / "synthea"
    values: Values = {}
    for version in plan.loads:
        source = synthea / version
        if source.is_dir():
            values[version] = _load(source, folder / f"load-{version}")
        else:
            values[version] = {"skipped": f"there is no synthea/{version} in the folder that FHIR_SHARED names"}
    return values


def _load(source: Path, data_dir: Path) -> dict[str, float]:
    """Load a folder with `fhir-server load`; resources, seconds and resources a second, as it prints them."""
    done = subprocess.run(
        command("load", str(source), "--rejects", str(data_dir) + ".rejects"),
        env=environ_for(data_dir, free_port()),
        capture_output=True,
        text=True,
        check=True,
    )
    match = _SUMMARY.search(done.stdout)
    assert match is not None, done.stdout
    resources, seconds = int(match[1].replace(",", "")), float(match[2])
    return {"resources": resources, "seconds": seconds, "per_second": resources / seconds}
