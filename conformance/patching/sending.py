"""Sending patches, and what must have become of the resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from conformance.check import expect
from conformance.rest_context import RestContext
from conformance.statement import interaction, patch_format

JSON_PATCH, FHIR_JSON, FHIR_XML = "application/json-patch+json", "application/fhir+json", "application/fhir+xml"
XML_PATCH = "application/xml-patch+xml"
PATCHES = interaction("patch", "Patient")
BY_JSON, BY_FHIRPATH = patch_format(JSON_PATCH), patch_format(FHIR_JSON)
NAMES: list[dict[str, Any]] = [{"family": "Kit", "given": ["Anna", "Bea"]}, {"use": "nickname", "text": "Annie"}]
Operation = dict[str, Any]
LANGUAGE: list[Operation] = [{"op": "replace", "path": "/language", "value": "de"}]


def send(context: RestContext, path: str, body: object, media_type: str = JSON_PATCH, **headers: str) -> httpx.Response:
    """The answer to a patch. body: JSON, or a text."""
    content = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return context.api.request("PATCH", path, content=content.encode(), headers={"Content-Type": media_type, **named})


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    """An operation of a FHIRPath Patch. parts: such as `name`, `index`, or `valueCode` for the part `value`."""
    made: list[dict[str, Any]] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if name.startswith("value"):
            made.append({"name": "value", name: value})
        else:
            made.append({"name": name, "valueString" if isinstance(value, str) else "valueInteger": value})
    return {"name": "operation", "part": made}


def fhirpath_patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """The Parameters of a FHIRPath Patch."""
    return {"resourceType": "Parameters", "parameter": list(operations)}


def expect_elements(context: RestContext, made: dict[str, Any], expected: Mapping[str, Any]) -> None:
    """Raise a Failure unless a patched resource has these elements, and else what it had. None: no such element."""
    found = context.api.resource(f"Patient/{made['id']}")
    for name, value in expected.items():
        expect(found.get(name) == value, f"{name} is {found.get(name)!r}, where {value!r} was expected.")
    others = [name for name in made if name not in {*expected, "meta"} and found.get(name) != made[name]]
    expect(not others, f"The patch changed {', '.join(others)} as well.")
    expect(found["meta"].get("versionId") != made["meta"].get("versionId"), "There is no new version.")
