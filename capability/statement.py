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
from capability.operations import operations_at
from resources.definitions import resource_types
from search.catalogue import Catalogue
from search.parameters import standard_parameters_of
from smart_auth.settings import AuthSettings

STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
NEARLY_ANY = 100
SEARCH_TYPES = {"id": "token", "lastUpdated": "date", "text": "string", "phonetic": "string"}


def capability_statement(
    base_url: str, version: str, started: datetime, catalogue: Catalogue, auth: AuthSettings | None = None
) -> dict[str, Any]:
    """The CapabilityStatement as a JSON object.

    base_url: of the FHIR API. version: of the software. started: since when this server answers as it does; with zone.
    catalogue: the search parameters that it has. auth: the addresses of the authorization server; None without one.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": started.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "fhir-server", "version": version},
        "implementation": {"description": "FHIR R4 interoperability server", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [
            {
                "mode": "server",
                "security": _security(auth),
                "resource": [_resource(name, catalogue, base_url) for name in sorted(resource_types())],
                "interaction": [{"code": row.code} for row in INTERACTIONS if row.level == "system" and row.code],
                "operation": _operations(None, base_url),
            }
        ],
    }


def _security(auth: AuthSettings | None) -> dict[str, Any]:
    """`rest.security`. https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-fhir-capabilitystatement"""
    if auth is None:
        text = "Authorization is switched off; the server answers on its own machine only."
        return {"cors": True, "description": text}
    addresses = {
        "authorize": auth.authorization_endpoint,
        "token": auth.token_endpoint,
        "introspect": auth.introspection_endpoint,
        "revoke": auth.revocation_endpoint,
        "manage": auth.management_endpoint,
        **({"register": auth.registration_endpoint} if auth.allow_registration else {}),
    }
    return {
        "extension": [
            {"url": OAUTH_URIS, "extension": [{"url": name, "valueUri": url} for name, url in addresses.items()]}
        ],
        "cors": True,
        "service": [
            {
                "coding": [{"system": SECURITY_SERVICE, "code": "SMART-on-FHIR", "display": "SMART-on-FHIR"}],
                "text": "OAuth 2.0 as SMART App Launch profiles it",
            }
        ],
        "description": f"See {auth.fhir_base}/.well-known/smart-configuration.",
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


def _operations(type_name: str | None, base_url: str) -> list[dict[str, str]]:
    return [{"name": each.name, "definition": each.url(base_url)} for each in operations_at(type_name)]


def _resource(type_name: str, catalogue: Catalogue, base_url: str) -> dict[str, Any]:
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
        "operation": _operations(type_name, base_url),
    }
