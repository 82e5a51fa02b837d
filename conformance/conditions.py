"""Conditions that find samples: searches by their identifiers, awaited where a server's search index lags behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.answers import eventually
from conformance.check import expect
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, sample


def found_by(context: RestContext, resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a search by the identifier of a sample finds at the moment."""
    return context.api.found(f"{resource['resourceType']}?{identifier_of(resource)}")


def condition_of(context: RestContext, resource: Mapping[str, Any], number: int = 1) -> str:
    """The condition for a sample, once a search by it finds so many. Raises a Failure where it does not in time."""
    condition = identifier_of(resource)

    def look() -> None:
        found = len(found_by(context, resource))
        expect(found == number, f"A search by {condition} finds {found}, where {number} was expected.")

    eventually(context, look)
    return condition


def made_twice(context: RestContext) -> tuple[dict[str, Any], str]:
    """A Patient that two resources have the identifier of, and the condition for them."""
    resource = sample(context)
    for _ in range(2):
        context.records.create(resource)
    return resource, condition_of(context, resource, 2)
