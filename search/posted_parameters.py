"""SearchParameter resources → search parameters that a server can use, and why it cannot use the others.

https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from resources import fhirpath
from resources.definitions import SearchParameterFacts, resource_types, search_parameter_facts
from resources.problem import Issue, quoted
from search.catalogue import types_of
from search.parameters import parameter_of, standard_parameters_of

STANDARD_URL = "http://hl7.org/fhir/SearchParameter/"
KINDS = frozenset({"token", "string", "date", "reference", "number", "quantity", "uri", "composite"})

# Part of index entries and of field names.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9\-.]{0,63}")
_BASES = resource_types() | {"Resource", "DomainResource"}


@dataclass(frozen=True, slots=True)
class Unused:
    """A posted search parameter that has no effect, and why, in a sentence."""

    id: str
    url: str
    reason: str


class _Unusable(Exception):
    """What a sentence says against a parameter."""


def faults_of(resource: dict[str, Any]) -> list[Issue]:
    """What makes a valid, active SearchParameter impossible to use, so that it is not stored: an expression that is none."""
    expression = resource.get("expression")
    if resource.get("status") != "active" or not isinstance(expression, str):
        return []
    try:
        fhirpath.compile(expression)
    except fhirpath.FhirPathError as fault:
        return [Issue("error", "invalid", f"This is no FHIRPath expression: {fault}.", "SearchParameter.expression")]
    return []


def chosen(resources: Iterable[dict[str, Any]]) -> tuple[list[SearchParameterFacts], list[Unused]]:
    """Which of the SearchParameters take effect. Of two that would serve the same code of a type, the first does."""
    facts: dict[str, SearchParameterFacts] = {}
    unused: list[Unused] = []
    taken: set[tuple[str, str]] = set()
    # Composites come last, since they are made of others.
    for resource in sorted(resources, key=lambda tree: (tree.get("type") == "composite", tree["id"])):
        url = str(resource.get("url", ""))
        try:
            found = _facts_of(resource, facts)
            usable = [name for name in types_of(found) if parameter_of(found, name, facts) is not None]
            if not usable:
                raise _Unusable("its expression selects nothing in the types that it is for")
            free = {(name, found.code) for name in usable if found.code not in standard_parameters_of(name)} - taken
            if not free:
                raise _Unusable(f"{', '.join(usable[:3])} can be searched by {quoted(found.code)} already")
        except _Unusable as reason:
            unused.append(Unused(resource["id"], url, str(reason)))
            continue
        taken |= free
        facts[found.id] = found
    return list(facts.values()), unused


def _facts_of(resource: dict[str, Any], known: dict[str, SearchParameterFacts]) -> SearchParameterFacts:
    if resource.get("status") != "active":
        raise _Unusable("its status is not active")
    code, kind = resource.get("code", ""), resource.get("type", "")
    if not _CODE.fullmatch(code):
        raise _Unusable(f"the code {quoted(code)} holds other characters than letters, digits, '-' and '.'")
    if kind not in KINDS:
        raise _Unusable(f"parameters of type {quoted(kind)} are not supported")
    if "expression" not in resource:
        raise _Unusable("it has no expression")
    if faults_of(resource):
        raise _Unusable("its expression is no FHIRPath")
    bases = tuple(resource.get("base", ()))
    if not bases or not set(bases) <= _BASES:
        raise _Unusable("it is for a type that R4 does not have")
    components = tuple(_component(part, known) for part in resource.get("component", ()))
    if kind == "composite" and not components:
        raise _Unusable("it is a composite without components")
    targets = tuple(resource.get("target", ())) or tuple(sorted(resource_types()))
    return SearchParameterFacts(
        resource["url"], code, kind, bases, resource["expression"], targets if kind == "reference" else (), components
    )


def _component(part: dict[str, Any], known: dict[str, SearchParameterFacts]) -> tuple[str, str]:
    url = part["definition"].partition("|")[0]
    standard = url.removeprefix(STANDARD_URL)
    if url in known:
        return url, part["expression"]
    if any(facts.id == standard for facts in search_parameter_facts()):
        return standard, part["expression"]
    raise _Unusable(f"its component {quoted(url)} is no search parameter that is known here")
