"""Memory after an hour's worth of load: many mixed requests, and what the workers have grown to."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import orjson

from benchmarks.load_tool import http_request, run

HOUR_OF_REQUESTS = 360_000  # a busy clinic: 100 requests a second
CONNECTIONS = 16
SHARES = {"read": 70, "search": 14, "create": 8, "update": 6, "history": 1, "transaction": 1}


def mixed_requests(host: str, patients: list[bytes], ids: list[str], seed: int = 1) -> Iterator[bytes]:
    """An endless, seeded mix of requests in the shares above."""
    chance = random.Random(seed)
    kinds = random.Random(seed).choices(list(SHARES), list(SHARES.values()), k=5_000)
    for kind in itertools.cycle(kinds):
        key, patient = chance.choice(ids), chance.choice(patients)
        if kind == "read":
            yield http_request("GET", f"/fhir/Patient/{key}", host)
        elif kind == "search":
            letter = chance.choice("abcdefghijklmnopqrstuvwz")
            yield http_request("GET", f"/fhir/Patient?name={letter}&_count=20", host)
        elif kind == "create":
            yield http_request("POST", "/fhir/Patient", host, patient)
        elif kind == "update":
            changed = {**orjson.loads(patient), "id": key, "active": chance.random() < 0.5}
            yield http_request("PUT", f"/fhir/Patient/{key}", host, orjson.dumps(changed))
        elif kind == "history":
            yield http_request("GET", f"/fhir/Patient/{key}/_history?_count=10", host)
        else:
            yield http_request("POST", "/fhir", host, _transaction(chance.sample(patients, 50)))


def _transaction(patients: list[bytes]) -> bytes:
    entries = [
        {"resource": orjson.Fragment(patient), "request": {"method": "POST", "url": "Patient"}} for patient in patients
    ]
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def soak(port: int, patients: list[bytes], ids: list[str], requests: int) -> dict[int, int]:
    """Send so many mixed requests; status → how often it came."""
    host = f"127.0.0.1:{port}"
    statuses: dict[int, int] = {}
    stream = mixed_requests(host, patients, ids)
    while sum(statuses.values()) < requests:
        for status, number in run("127.0.0.1", port, stream, CONNECTIONS, 10).statuses.items():
            statuses[status] = statuses.get(status, 0) + number
    return statuses


def resident_mb(pid: int) -> list[float]:
    """Resident memory of the child processes of a server, in MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(line.split()[1]) / 1024
        for child in children
        for line in Path(f"/proc/{child}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    ]
