"""Calling operations, and reading what they answer. https://hl7.org/fhir/R4/operations.html#executing"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from conformance.answers import expect_status
from conformance.api import resource_of, said
from conformance.check import expect
from conformance.clauses import R4
from conformance.rest_context import RestContext

OPERATIONS = f"{R4}/operations.html"
EXECUTING = f"{OPERATIONS}#executing"


def parameters(*each: Mapping[str, Any]) -> dict[str, Any]:
    """A Parameters resource."""
    return {"resourceType": "Parameters", **({"parameter": [dict(one) for one in each]} if each else {})}


def parameter(name: str, member: str, value: object) -> dict[str, Any]:
    """One parameter: `parameter("mode", "valueCode", "create")`; member is `resource` for a resource."""
    return {"name": name, member: value}


def call(context: RestContext, path: str, *each: Mapping[str, Any], **headers: str) -> httpx.Response:
    """The answer to an operation that is posted with parameters."""
    return context.api.send("POST", path, parameters(*each), **headers)


def answered(response: httpx.Response, type_name: str) -> dict[str, Any]:
    """The resource of a good answer, of a type. Raises a Failure."""
    resource = resource_of(expect_status(response, 200))
    expect(
        resource.get("resourceType") == type_name,
        f"{said(response)} with a {resource.get('resourceType')}, where a {type_name} was expected.",
    )
    return resource


def value_of(tree: Mapping[str, Any], name: str) -> Any:
    """The value of a parameter of a Parameters resource; None where there is none."""
    for each in tree.get("parameter", []):
        if each.get("name") == name:
            return next((value for member, value in each.items() if member.startswith("value")), each.get("resource"))
    return None


def meta_of(response: httpx.Response) -> dict[str, Any]:
    """The Meta that a `$meta` operation returns. Raises a Failure."""
    meta = value_of(answered(response, "Parameters"), "return")
    expect(isinstance(meta, dict), f"{said(response)} without a Meta in the parameter return.")
    return dict(meta)


def codes(meta: Mapping[str, Any], member: str = "tag") -> set[str]:
    """The codes of the tags, or of the labels, of a Meta."""
    return {str(each.get("code")) for each in meta.get(member, [])}
