"""The CapabilityStatement, made from the table of interactions and the search parameters that are really served.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from capability.interactions_table import INTERACTIONS
from resources.definitions import resource_types
from search.catalogue import Catalogue
from search.parameters import standard_parameters_of

STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
NEARLY_ANY = 100
SEARCH_TYPES = {"id": "token", "lastUpdated": "date", "text": "string", "phonetic": "string"}


def capability_statement(base_url: str, version: str, started: datetime, catalogue: Catalogue) -> dict[str, Any]:
    """The CapabilityStatement as a JSON object.

    base_url: of the FHIR API. version: of the software. started: since when this server answers as it does; with zone.
    catalogue: the search parameters that it has.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": started.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "fhir-server", "version": version},
        "implementation": {"description": "FHIR R4 interoperability server", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": True,
                    "description": "This server has no authorization yet and therefore answers on loopback only.",
                },
                "resource": [_resource(name, catalogue) for name in sorted(resource_types())],
                "interaction": [{"code": row.code} for row in INTERACTIONS if row.level == "system" and row.code],
            }
        ],
    }


@cache
def _referring() -> Mapping[str, Sequence[str]]:
    """Type → the `Type:parameter` pairs that name it as a target. Those that may refer to nearly anything are left out, as
    they would be the same hundreds for every type; they are served all the same."""
    found: dict[str, list[str]] = defaultdict(list)
    for source in sorted(resource_types()):
        for parameter in standard_parameters_of(source).values():
            if parameter.kind == "reference" and len(parameter.targets) < NEARLY_ANY:
                for target in parameter.targets:
                    found[target].append(f"{source}:{parameter.code}")
    return found


def _reverse_includes(type_name: str) -> list[str]:
    return [*_referring().get(type_name, ()), "Provenance:target"]


def _resource(type_name: str, catalogue: Catalogue) -> dict[str, Any]:
    served = {row.name for row in INTERACTIONS}
    return {
        "type": type_name,
        "profile": STRUCTURE + type_name,
        "interaction": [{"code": row.code} for row in INTERACTIONS if row.level != "system" and row.code],
        "versioning": "versioned-update",
        "readHistory": "vread" in served,
        "updateCreate": "update" in served,
        "conditionalCreate": "create" in served,
        "conditionalRead": "full-support",
        "conditionalUpdate": "conditional_update" in served,
        "conditionalDelete": "single" if "conditional_delete" in served else "not-supported",
        "referencePolicy": ["literal", "local"],
        "searchInclude": [
            "*",
            *(f"{type_name}:{p.code}" for p in catalogue.parameters_of(type_name).values() if p.kind == "reference"),
        ],
        "searchRevInclude": _reverse_includes(type_name),
        "searchParam": [
            {"name": parameter.code, "type": SEARCH_TYPES.get(parameter.kind, parameter.kind)}
            for parameter in catalogue.parameters_of(type_name).values()
        ],
    }
