"""`_explain=true`: instead of its matches, how a search is carried out. For administrators."""

from __future__ import annotations

from typing import Any

import orjson

from fhir_server.call import Answer
from fhir_server.store.explain import Explained, explain
from fhir_server.store.reader import Read, Reader


def explained(reads: list[Read], reader: Reader, matches: int, most: int) -> Answer:
    """The reads of a search as Parameters: for each its command, its plan, its indexes, and how much it looked at.

    matches: on the page. most: resources that a search may read.
    """
    steps = [explain(reader.database, read, reader.time_left()) for read in reads]
    parameters: list[dict[str, Any]] = [
        {"name": "matches", "valueInteger": matches},
        {"name": "documentsExamined", "valueInteger": sum(step.documents_examined for step in steps)},
        {"name": "mostExamined", "valueInteger": most},
        *({"name": "step", "part": _parts(step)} for step in steps),
    ]
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": parameters}))


def _parts(step: Explained) -> list[dict[str, Any]]:
    return [
        {"name": "type", "valueCode": step.read.type},
        {"name": "command", "valueString": orjson.dumps(step.read.command, default=str).decode()},
        {"name": "plan", "valueString": " < ".join(step.stages)},
        *({"name": "index", "valueString": name} for name in step.indexes),
        {"name": "keysExamined", "valueInteger": step.keys_examined},
        {"name": "documentsExamined", "valueInteger": step.documents_examined},
        {"name": "returned", "valueInteger": step.returned},
        {"name": "milliseconds", "valueInteger": step.milliseconds},
    ]
