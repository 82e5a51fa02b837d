"""`fhir-server demo-data`: an invented population that the server itself takes without a murmur, once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.store.database import connected

_REFERENCE = re.compile(r'"reference":"([A-Za-z]+)/([^"]+)"')


def test_a_demo_population_is_stored_once_and_every_reference_in_it_leads_somewhere(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_")}
    environ = {**kept, "FHIR_DATA_DIR": str(tmp_path / "data"), "FHIR_WORKERS": "2"}
    command = [
        sys.executable,
        "-m",
        "fhir_server.cli",
        "demo-data",
        "--patients",
        "12",
        "--seed",
        "3",
        "--today",
        "2026-03-01",
    ]
    for _ in range(2):
        done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "0 records rejected." in done.stdout
    with (
        EmbeddedMongoDB(tmp_path / "data", cache_mb=256) as mongodb,
        connected(mongodb.uri, "fhir") as database,
    ):
        types = database.stored_types()
        assert all(database.history(name).count_documents({}) == 0 for name in types)
        stored = {
            (name, document["_id"]): document["raw"].decode()
            for name in types
            for document in database.current(name).find({}, {"raw": 1})
        }
    assert sum(name == "Patient" for name, _ in stored) == 12
    assert {"Appointment", "Encounter", "MedicationRequest", "Practitioner", "Slot"} <= set(types)
    references = {(found[1], found[2]) for text in stored.values() for found in _REFERENCE.finditer(text)}
    assert references
    assert references <= set(stored)
    assert all(json.loads(text)["meta"]["versionId"] == "1" for text in stored.values())
