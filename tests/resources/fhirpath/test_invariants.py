"""The invariants and search parameters of R4, over the official examples.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.definitions import search_parameter_facts, type_facts
from resources.fhirpath import CORRECTIONS, Node, compile, compile_invariant
from resources.fhirpath.nodes import append_member

Examples = dict[str, list[dict[str, Any]]]

_EXAMPLES_A_TYPE = 3
BDL_8 = "fullUrl.contains('/_history/').not()"
PER_1 = "start.hasValue().not() or end.hasValue().not() or (start <= end)"
EXT_1 = "extension.exists() != value.exists()"
REF_1 = next(text for text in CORRECTIONS if text.startswith("reference.startsWith"))
# The published examples that really violate an invariant of severity error.
_VIOLATED = {
    "sdf-4": "the logical models of the workflow patterns have no base",
    "txt-1": "a narrative without content",
    "txt-2": "a narrative without content",
}


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, set[str]]:
    """Expression → element paths of every constraint in the StructureDefinitions."""
    found: dict[str, set[str]] = {}
    for name in ("profiles-resources", "profiles-types"):
        with gzip.open(shared / f"fhir/r4/definitions/{name}.json.gz") as content:
            bundle = json.load(content)
        for entry in bundle["entry"]:
            for element in entry["resource"].get("snapshot", {}).get("element", ()):
                for constraint in element.get("constraint", ()):
                    if "expression" in constraint:
                        found.setdefault(constraint["expression"], set()).add(element["path"])
    return found


def _nodes(
    node: Node, facts: Any = None, root: Any = None, resource: Any = None
) -> Iterator[tuple[Node, Any, Any, Any]]:
    """Every node from `node` down, with the facts of its element, its resource and the root of that resource."""
    type_ = type_facts(str(node.type_name))
    if isinstance(node.value, dict) and "resourceType" in node.value:
        resource = node.value
        root = resource if facts is None or facts.name != "contained" else root
    yield node, facts, resource, root
    if isinstance(node.value, dict):
        for element in type_.elements.values():
            found: list[Any] = []
            append_member(found, node, element.name)
            for child in found:
                yield from _nodes(child, element, root, resource)


def _invariants(node: Node, element: Any) -> Iterator[Any]:
    yield from element.invariants if element is not None else ()
    name = node.type_name
    while name is not None:
        yield from type_facts(name).invariants
        name = type_facts(name).base


def test_every_published_invariant_compiles(published: dict[str, set[str]]) -> None:
    assert len(published) == 197
    for expression in published:
        compile(expression)
        compile_invariant(expression)


def test_every_correction_replaces_a_published_invariant(published: dict[str, set[str]]) -> None:
    assert CORRECTIONS.keys() <= published.keys()


def test_every_published_invariant_evaluates_on_examples(published: dict[str, set[str]], examples: Examples) -> None:
    by_path: dict[str, set[str]] = {}
    for expression, paths in published.items():
        for path in paths:
            by_path.setdefault(path, set()).add(expression)
    reached: set[str] = set()
    for resources in examples.values():
        for resource in resources[:_EXAMPLES_A_TYPE]:
            for node, _, inner, root in _nodes(Node(resource, resource["resourceType"])):
                for expression in by_path.get(str(node.type_name), ()):
                    compile(expression).holds(node, resource=inner, root_resource=root)
                    reached.add(expression)
    assert len(reached) > 150


def test_the_official_examples_keep_the_corrected_invariants(examples: Examples) -> None:
    violated: Counter[str] = Counter()
    for resources in examples.values():
        for root in resources:
            for node, element, resource, container in _nodes(Node(root, root["resourceType"])):
                for invariant in _invariants(node, element):
                    expression = compile_invariant(invariant.expression)
                    if invariant.severity == "error" and not expression.holds(
                        node, resource=resource, root_resource=container
                    ):
                        violated[invariant.key] += 1
    assert violated.keys() == _VIOLATED.keys()


def test_every_search_parameter_evaluates_on_examples(examples: Examples) -> None:
    for parameter in search_parameter_facts():
        if parameter.expression is None:
            continue
        expression = compile(parameter.expression)
        for base in parameter.base:
            for resource in examples.get(base, ())[:_EXAMPLES_A_TYPE]:
                expression.nodes(resource)


@pytest.mark.parametrize(
    ("published_text", "focus", "type_name", "holds"),
    [
        (BDL_8, {"resource": {"resourceType": "Patient"}}, "Bundle.entry", True),
        (BDL_8, {"fullUrl": "http://a/Patient/1/_history/2"}, "Bundle.entry", False),
        (PER_1, {"start": "2020", "end": "2020-05-01"}, "Period", True),
        (PER_1, {"start": "2020-06", "end": "2020-05-01"}, "Period", False),
        (REF_1, {"display": "somebody"}, "Reference", True),
        (REF_1, {"reference": "#missing"}, "Reference", False),
        (EXT_1, {"url": "http://a", "valueString": "x"}, "Extension", True),
        (EXT_1, {"url": "http://a"}, "Extension", False),
        (EXT_1, {"url": "http://a", "_valueString": {"extension": [{"url": "b"}]}}, "Extension", True),
        ("code.empty() or system.exists()", {"value": 1, "code": "kg"}, "Quantity", False),
    ],
)
def test_an_invariant_tells_good_data_from_bad(published_text: str, focus: Any, type_name: str, holds: bool) -> None:
    resource = {"resourceType": "Patient"}
    assert compile_invariant(published_text).holds(focus, type_name=type_name, resource=resource) is holds
