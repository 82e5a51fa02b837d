"""`python -m benchmarks.search_shapes --patients 1000 16000`: the latency of many shapes of searches as the data grows.

For each size a store is filled with demo patients; then each shape is asked for, with other values each time, by one
client, and its median latency printed, with its growth from the first size to the last.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bson.min_key import MinKey
from pymongo import MongoClient

from benchmarks.__main__ import ROOT, Contender, start
from fhir_server.demo_data.names import CULTURES
from fhir_server.embedded_mongodb import EmbeddedMongoDB

PORT = 18085
FAMILIES = [
    name
    for culture in CULTURES[:4]
    for name in (each.partition("|")[0].partition("/")[0] for each in culture.family)
    if name.isascii() and name.isalpha()
]
# {n}: a patient's number; {day}, {month}, {year}: of the past; {family}: a name; {letter}: that names begin with.
SHAPES: dict[str, str] = {
    "identifier": "Patient?identifier=http://example.org/fhir/identifiers/mrn|MRN{n:07d}",
    "identifier without system": "Patient?identifier=MRN{n:07d}",
    "by id": "Patient?_id=demo-patient-{n:05d}",
    "name": "Patient?name={letter}&_count=20",
    "name and birthdate": "Patient?name={letter}&birthdate={year}-{month}-{day}",
    "family exact": "Patient?family:exact={family}&_count=20",
    "birthdate day": "Patient?birthdate={year}-{month}-{day}",
    "birthdate year": "Patient?birthdate={year}&_count=20",
    "women by birth year": "Patient?gender=female&birthdate={year}&_count=20",
    "birthdate range": "Patient?birthdate=ge{year}-01-01&birthdate=lt{year}-07-01&_count=20",
    "gender": "Patient?gender=male&_count=20",
    "gender not": "Patient?gender:not=male&_count=20",
    "patients sorted by birthdate": "Patient?_sort=-birthdate&_count=20",
    "patients sorted by family": "Patient?_sort=family&_count=20",
    "women sorted by birthdate": "Patient?gender=female&_sort=birthdate&_count=20",
    "latest changes": "Patient?_sort=-_lastUpdated&_count=20",
    "conditions of patient": "Condition?patient=demo-patient-{n:05d}",
    "observations of patient": "Observation?patient=demo-patient-{n:05d}&_count=50",
    "vital sign of patient": "Observation?patient=demo-patient-{n:05d}&code=http://loinc.org|8480-6",
    "latest observations of patient": "Observation?patient=demo-patient-{n:05d}&_sort=-date&_count=10",
    "observations by code": "Observation?code=http://loinc.org|8302-2&_count=20",
    "observations by code sorted": "Observation?code=http://loinc.org|8302-2&_sort=-date&_count=20",
    "encounters of a day": "Encounter?date=2025-{month}-{day}&_count=20",
    "encounters since, finished": "Encounter?status=finished&date=ge2025-{month}&_count=20",
    "encounters sorted by date": "Encounter?_sort=-date&_count=20",
    "appointments of patient": "Appointment?patient=demo-patient-{n:05d}&status=booked",
    "active prescriptions of patient": "MedicationRequest?patient=demo-patient-{n:05d}&status=active",
    "chain, few": "Encounter?subject:Patient.identifier=MRN{n:07d}",
    "chain, many": "Encounter?subject:Patient.gender=female&_count=20",
    "has, many": "Patient?_has:Condition:subject:clinical-status=active&_count=20",
    "has, with code": "Patient?_has:Observation:patient:code=4548-4&_count=20",
    "include": "MedicationRequest?status=active&_include=MedicationRequest:subject&_count=20",
    "revinclude": "Patient?_id=demo-patient-{n:05d}&_revinclude=Encounter:subject",
    "compartment": "Patient/demo-patient-{n:05d}/Observation?_count=20",
    "whole compartment": "Patient/demo-patient-{n:05d}/*?_count=50",
    "count of patient's": "Observation?patient=demo-patient-{n:05d}&_summary=count",
    "page of all": "Observation?_count=50",
}
# A hundredth to a tenth of everything, found by a beginning, a part or a threshold, for which no index is in the order of
# the page: all of a small store's matches are read, and of a large one's as many as hold a page. `:contains` alone reads all
# that there is of its parameter.
SHARES: dict[str, str] = {
    "family": "Patient?family={family}&_count=20",
    "family and gender": "Patient?family={family}&gender=female&_count=20",
    "chain by family": "Condition?subject:Patient.family={family}&_count=20",
    "family by its first letter, and gender": "Patient?family={letter}&gender=female&_count=20",
    "chain by the first letter of a name": "Condition?subject:Patient.family={letter}&_count=20",
    "observation value": "Observation?code=8302-2&value-quantity=gt190&_count=20",
    "blood pressure composite": "Observation?component-code-value-quantity=8480-6$gt150&_count=20",
    "name contains": "Patient?family:contains={letter}a&_count=20",
}


def paths(shape: str, patients: int, seed: int) -> Iterator[str]:
    """The addresses of a shape with other values each time; the same for the same seed."""
    chance = random.Random(f"{shape} {seed}")
    while True:
        yield "/fhir/" + shape.format(
            n=chance.randrange(5, patients),
            letter=chance.choice("abcdegjklmnorst"),
            family=chance.choice(FAMILIES),
            day=f"{chance.randint(1, 28):02d}",
            month=f"{chance.randint(1, 12):02d}",
            year=chance.randint(1940, 2015),
        )


def measure(contenders: dict[int, Contender], times: int) -> dict[int, dict[str, float]]:
    """Patients → shape → median milliseconds.

    The stores are asked in turn, so that what else the machine does falls on all.
    """
    connections = {patients: http.client.HTTPConnection(contender.host) for patients, contender in contenders.items()}
    found: dict[int, dict[str, float]] = {patients: {} for patients in contenders}
    for name, shape in (SHAPES | SHARES).items():
        asked = {patients: paths(shape, patients, 1) for patients in contenders}
        seconds: dict[int, list[float]] = {patients: [] for patients in contenders}
        for number in range(times + 5):
            for patients, connection in connections.items():
                path = next(asked[patients])
                began = time.perf_counter()
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
                if number >= 5:  # the first few warm up
                    seconds[patients].append(time.perf_counter() - began)
                assert response.status == 200, (path, body[:300])
        for patients in contenders:
            found[patients][name] = median(seconds[patients]) * 1000
    return found


@contextmanager
def store_of(patients: int, folder: Path) -> Iterator[EmbeddedMongoDB]:
    """A store with a demo population, kept in the folder for the next time."""
    data_dir = folder / str(patients)
    if not data_dir.exists():
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_")}
        environ = {**inherited, "FHIR_DATA_DIR": str(data_dir), "FHIR_DATABASE": "bench"}
        command = [
            sys.executable,
            "-m",
            "fhir_server.cli",
            "demo-data",
            "--patients",
            str(patients),
            "--today",
            "2026-01-01",
        ]
        subprocess.run(command, env=environ, cwd=ROOT, check=True)
    with EmbeddedMongoDB(data_dir) as mongodb:
        yield mongodb


@contextmanager
def served(mongodb: EmbeddedMongoDB, port: int) -> Iterator[Contender]:
    """Our server on a store."""
    contender = start("ours", "fhir_server.app:worker_app", port, mongodb.uri)
    try:
        yield contender
    finally:
        contender.process.terminate()
        contender.process.wait(30)


def warm(mongodb: EmbeddedMongoDB) -> None:
    """Read everything once, so that both stores are in memory and the disk is not what is measured."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb.uri)
    for name in client["bench"].list_collection_names():
        collection = client["bench"][name]
        assert collection.find_one({"v": -1}) is None
        for index in collection.index_information():
            first, _ = collection.index_information()[index]["key"][0]
            if "$" not in first:  # a wildcard index cannot be read as a whole
                collection.count_documents({first: {"$gt": MinKey()}}, hint=index)
    client.close()


def index_sizes(mongodb: EmbeddedMongoDB) -> dict[str, Any]:
    """Resources, index keys and index bytes a resource."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb.uri)
    database = client["bench"]
    resources = size = entries = 0
    for name in database.list_collection_names():
        if name.endswith(".history"):
            current = database[name.removesuffix(".history")]
            number = current.estimated_document_count()
            resources += number
            size += database.command("collStats", current.name)["totalIndexSize"]
            entries += (
                sum(len(d.get("k", ())) for d in current.find({}, {"k": 1}).limit(200))
                * number
                // max(1, min(number, 200))
            )
    client.close()
    return {
        "resources": resources,
        "entries_per_resource": round(entries / resources, 1),
        "index_bytes_per_resource": round(size / resources),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, nargs="+", default=[1000, 16000])
    parser.add_argument("--times", type=int, default=40, help="requests of each shape")
    parser.add_argument("--stores", type=Path, default=None, help="where filled stores are kept; by default nowhere")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "search.json")
    arguments = parser.parse_args()
    sizes: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as temporary:
        folder = arguments.stores or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            contenders: dict[int, Contender] = {}
            for number, patients in enumerate(arguments.patients):
                mongodb = stack.enter_context(store_of(patients, folder))
                sizes[patients] = index_sizes(mongodb)
                warm(mongodb)
                contenders[patients] = stack.enter_context(served(mongodb, PORT + number))
            results = measure(contenders, arguments.times)
    first, last = arguments.patients[0], arguments.patients[-1]
    print(f"{'shape':34}" + "".join(f"{f'{n:,}':>12}" for n in arguments.patients) + "      growth")
    for name in SHAPES | SHARES:
        if name == next(iter(SHARES)):
            print("shares of everything, which grow up to the cost of a full page:")
        row = "".join(f"{results[n][name]:9.1f} ms" for n in arguments.patients)
        print(f"{name:34}{row}{results[last][name] / results[first][name]:11.2f}")
    for patients, size in sizes.items():
        print(f"{patients:,} patients: {size}")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"median_ms": results, "sizes": sizes}, indent=2) + "\n")


if __name__ == "__main__":
    main()
