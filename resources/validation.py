"""Validation of a resource against the base definitions of R4: all that is wrong with it, at once.

https://hl7.org/fhir/R4/validation.html
"""

from __future__ import annotations

from typing import Any

from resources.problem import Issue
from resources.shape import shape_of
from resources.visit import Visit


def validate(tree: dict[str, Any], at: str | None = None) -> list[Issue]:
    """All issues of a resource, errors and warnings, each with the FHIRPath of its element.

    tree: the resource as parsed by `resources.raw_json`; its `resourceType` must be known (see `parse_document`).
    at: FHIRPath of the resource where it is part of another, `Bundle.entry[2].resource`; by default its own type.
    """
    visit = Visit(tree, tree)
    name = tree["resourceType"]
    shape_of(name).check(tree, (None, at or name, -1), visit)
    if visit.unevaluated and not errors_of(visit.issues):
        return visit.issues + visit.unevaluated
    return visit.issues


def errors_of(issues: list[Issue]) -> list[Issue]:
    """Those of the issues for which a write is refused."""
    return [issue for issue in issues if issue.is_error]
