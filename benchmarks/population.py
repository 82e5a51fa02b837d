"""What the benchmarks send: patients, transactions of related resources, and whole populations as Bundles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

import orjson

from fhir_server.demo_data import organization_records, patient_records

SEED = 1
TODAY = date(2026, 1, 1)
POPULATION = 1000
PATIENTS = 200
SYSTEM = "urn:bench"
VERSION_DIGITS = 9
_NO_VERSION = b'"' + b"0" * VERSION_DIGITS + b'"'
ENTRIES_A_TRANSACTION = 50
Resource = dict[str, Any]


def sample_patients(number: int = PATIENTS) -> list[Resource]:
    """Patients without ids, about 1.5 kB each; each has an identifier that no other has."""
    records = (
        next(record for record in patient_records(SEED, each, TODAY, POPULATION) if record["resourceType"] == "Patient")
        for each in range(number)
    )
    return [
        {name: value for name, value in patient.items() if name != "id"}
        | {"identifier": [{"system": SYSTEM, "value": str(each)}]}
        for each, patient in enumerate(records)
    ]


def update_template(patient: Resource, key: str) -> bytes:
    """The body of an update, which `with_version` makes another one each time."""
    versioned = [*patient["identifier"], {"system": f"{SYSTEM}:version", "value": "0" * VERSION_DIGITS}]
    return orjson.dumps({**patient, "id": key, "identifier": versioned})


def with_version(template: bytes, number: int) -> bytes:
    """The update whose content differs from all others' by a number."""
    return template.replace(_NO_VERSION, b'"%0*d"' % (VERSION_DIGITS, number), 1)


def bundle(kind: str, entries: list[Resource]) -> bytes:
    return orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": entries})


def transaction(number: int, entries: int = ENTRIES_A_TRANSACTION) -> bytes:
    """A transaction that creates the records of a few patients; they refer to each other by their fullUrl."""
    patients = range(number * 7 % 900, POPULATION)
    stream = (record for each in patients for record in patient_records(SEED, each, TODAY, POPULATION))
    records = list(islice(stream, entries))
    links = {f"{r['resourceType']}/{r['id']}": f"urn:uuid:{UUID(int=at + 1)}" for at, r in enumerate(records)}
    return bundle(
        "transaction",
        [
            {
                "fullUrl": links[f"{record['resourceType']}/{record['id']}"],
                "resource": _relinked({name: value for name, value in record.items() if name != "id"}, links),
                "request": {"method": "POST", "url": record["resourceType"]},
            }
            for record in records
        ],
    )


def _relinked(value: Any, links: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: links.get(each, each) if name == "reference" else _relinked(each, links)
            for name, each in value.items()
        }
    return [_relinked(each, links) for each in value] if isinstance(value, list) else value


def population(patients: int) -> Iterator[Resource]:
    """All records of a demo population, each after those that it refers to."""
    yield from organization_records(SEED, TODAY, patients)
    for number in range(patients):
        yield from patient_records(SEED, number, TODAY, patients)


def batches(records: Iterator[Resource], size: int) -> Iterator[list[Resource]]:
    """The records, so many at a time."""
    while batch := list(islice(records, size)):
        yield batch


def creating(records: list[Resource]) -> bytes:
    """A transaction that creates records, each by itself."""
    return bundle(
        "transaction",
        [{"resource": record, "request": {"method": "POST", "url": record["resourceType"]}} for record in records],
    )


def storing(records: list[Resource]) -> bytes:
    """A transaction that stores records under their own ids."""
    return bundle(
        "transaction",
        [
            {"resource": record, "request": {"method": "PUT", "url": f"{record['resourceType']}/{record['id']}"}}
            for record in records
        ],
    )
