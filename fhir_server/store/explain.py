"""What MongoDB did for each read of a search: by which index, and how much it had to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_server.store.database import Database
from fhir_server.store.reader import Read


@dataclass(frozen=True, slots=True)
class Explained:
    """One read: stages of its plan from the outside in, names of the indexes, and what was looked at and returned."""

    read: Read
    stages: tuple[str, ...]
    indexes: tuple[str, ...]
    keys_examined: int
    documents_examined: int
    returned: int
    milliseconds: int


def explain(database: Database, read: Read, milliseconds: int) -> Explained:
    """Run a read again, and tell what it took. milliseconds: that it may take."""
    command = {"explain": {**read.command, "maxTimeMS": milliseconds}, "verbosity": "executionStats"}
    told = database.mongo.command(command)
    if "stages" in told:  # a pipeline, whose reading of the collection is the first stage
        told = told["stages"][0]["$cursor"]
    stats = told["executionStats"]
    plan = list(_stages(told["queryPlanner"]["winningPlan"]))
    return Explained(
        read,
        tuple(stage["stage"] for stage in plan if "stage" in stage),
        tuple(stage["indexName"] for stage in plan if "indexName" in stage),
        stats["totalKeysExamined"],
        stats["totalDocsExamined"],
        stats["nReturned"],
        stats["executionTimeMillis"],
    )


def _stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # What the newer engine runs is described by the plan that it was made from.
    plan = plan.get("queryPlan", plan)
    yield plan
    for below in [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", []):
        yield from _stages(below)
