"""Reading the official bundles of definitions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"


def read_bundle(folder: Path, name: str) -> Json:
    with gzip.open(folder / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        content: Json = json.load(file)
    return content


def resources_of(folder: Path, name: str, resource_type: str) -> Iterator[Json]:
    for entry in read_bundle(folder, name)["entry"]:
        if entry["resource"]["resourceType"] == resource_type:
            yield entry["resource"]


def extension_value(holder: Json, url: str, member: str) -> Any:
    return next((e[member] for e in holder.get("extension", []) if e["url"] == url), None)
