"""The operations of R4 that the server knows of: their levels and their parameters, as facts."""

from __future__ import annotations

from pathlib import Path

from definition_bundles import Json, resources_of

OPERATIONS = frozenset(
    {
        "CapabilityStatement-versions",
        "CodeSystem-lookup",
        "CodeSystem-validate-code",
        "Encounter-everything",
        "Patient-everything",
        "Patient-match",
        "Resource-meta",
        "Resource-meta-add",
        "Resource-meta-delete",
        "Resource-validate",
        "ValueSet-expand",
        "ValueSet-validate-code",
    }
)
LEVELS = ("system", "type", "instance")


def condensed_operations(folder: Path) -> dict[str, Json]:
    """Id of an OperationDefinition → its facts."""
    operations: dict[str, Json] = {}
    for operation in resources_of(folder, "profiles-resources", "OperationDefinition"):
        if operation["id"] in OPERATIONS:
            operations[operation["id"]] = {
                "url": operation["url"],
                "code": operation["code"],
                "resource": operation["resource"],
                "levels": [level for level in LEVELS if operation[level]],
                "parameters": [_parameter(each) for each in operation.get("parameter", [])],
            }
    return dict(sorted(operations.items()))


def _parameter(parameter: Json) -> Json:
    facts: Json = {member: parameter[member] for member in ("name", "use", "min", "max")}
    if "type" in parameter:
        facts["type"] = parameter["type"]
    if "part" in parameter:
        facts["part"] = [_parameter(each) for each in parameter["part"]]
    return facts
