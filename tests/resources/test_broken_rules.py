"""Invariants and the rules that stand in the text of the definitions: each is broken once.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from resources import validation
from resources.definitions import Element, Invariant
from resources.document import parse_document
from resources.invariants import element_invariants
from resources.validation import errors_of, validate
from resources.visit import Place, Visit

JsonObject = dict[str, Any]
Errors = list[tuple[str, str | None]]
Find = Callable[[str, JsonObject], Errors]

CODE = {"text": "x"}
OBSERVATION: JsonObject = {"status": "final", "code": CODE}

INVARIANTS: list[tuple[str, str, JsonObject, str]] = [
    ("pat-1", "Patient", {"contact": [{"gender": "male"}]}, "contact[0]"),
    ("per-1", "Patient", {"name": [{"text": "x", "period": {"start": "2020", "end": "2019"}}]}, "name[0].period"),
    (
        "per-1",
        "Patient",
        {"name": [{"text": "x", "period": {"start": "2020-01-01T12:00:00Z", "end": "2020-01-01T12:00:00+02:00"}}]},
        "name[0].period",
    ),
    ("cpt-2", "Patient", {"telecom": [{"value": "1"}]}, "telecom[0]"),
    ("att-1", "Patient", {"photo": [{"data": "QUJD"}]}, "photo[0]"),
    ("obs-6", "Observation", {**OBSERVATION, "valueString": "x", "dataAbsentReason": CODE}, "."),
    (
        "obs-7",
        "Observation",
        {
            "status": "final",
            "code": {"coding": [{"system": "http://x", "code": "1"}]},
            "valueString": "x",
            "component": [{"code": {"coding": [{"system": "http://x", "code": "1"}]}, "valueString": "y"}],
        },
        ".",
    ),
    ("obs-3", "Observation", {**OBSERVATION, "referenceRange": [{"type": CODE}]}, "referenceRange[0]"),
    ("qty-3", "Observation", {**OBSERVATION, "valueQuantity": {"value": 1, "code": "kg"}}, "value"),
    (
        "rng-2",
        "Observation",
        {**OBSERVATION, "valueRange": {"low": {"value": 2}, "high": {"value": 1}}},
        "value",
    ),
    ("rat-1", "Observation", {**OBSERVATION, "valueRatio": {"numerator": {"value": 2}}}, "value"),
    (
        "sqty-1",
        "Observation",
        {**OBSERVATION, "referenceRange": [{"low": {"value": 2, "comparator": "<"}}]},
        "referenceRange[0].low",
    ),
    ("con-4", "Condition", {"subject": {"display": "x"}, "abatementString": "x", "clinicalStatus": None}, "."),
    ("bdl-1", "Bundle", {"type": "collection", "total": 1}, "."),
    (
        "bdl-7",
        "Bundle",
        {"type": "collection", "entry": [{"fullUrl": "http://x", "resource": {"resourceType": "Patient"}}] * 2},
        ".",
    ),
    ("bdl-3", "Bundle", {"type": "transaction", "entry": [{"resource": {"resourceType": "Patient"}}]}, "."),
    (
        "que-12",
        "Questionnaire",
        {
            "status": "draft",
            "item": [
                {
                    "linkId": "1",
                    "type": "boolean",
                    "enableWhen": [{"question": "2", "operator": "=", "answerBoolean": True}] * 2,
                },
                {"linkId": "2", "type": "boolean"},
            ],
        },
        "item[0]",
    ),
    (
        "tim-9",
        "ServiceRequest",
        {
            "status": "active",
            "intent": "order",
            "subject": {"display": "x"},
            "occurrenceTiming": {"repeat": {"offset": 1, "when": ["C"]}},
        },
        "occurrence.repeat",
    ),
    (
        "sdf-4",
        "StructureDefinition",
        {"url": "http://x", "name": "X", "status": "draft", "kind": "resource", "abstract": False, "type": "Patient"},
        ".",
    ),
]


@pytest.mark.parametrize(("key", "resource_type", "members", "place"), INVARIANTS)
def test_a_broken_invariant_is_named_at_its_element(
    key: str, resource_type: str, members: JsonObject, place: str
) -> None:
    members = {name: value for name, value in members.items() if value is not None}
    tree = parse_document(json.dumps({"resourceType": resource_type, **members})).tree
    full = resource_type if place == "." else f"{resource_type}.{place}"
    broken = [issue.expression for issue in errors_of(validate(tree)) if key in issue.text]
    assert broken == [full]


CONSISTENCY: list[tuple[str, JsonObject, str]] = [
    ("Patient", {"photo": [{"contentType": "text/plain", "data": "QUJD", "size": 4}]}, "photo[0]"),
    (
        "Bundle",
        {"type": "collection", "entry": [{"fullUrl": "Patient/1", "resource": {"resourceType": "Patient"}}]},
        "entry[0]",
    ),
    (
        "Bundle",
        {
            "type": "searchset",
            "entry": [{"resource": {"resourceType": "Patient", "id": "a"}, "search": {"mode": "outcome"}}],
        },
        "entry[0]",
    ),
    ("Bundle", {"type": "searchset", "entry": [{"resource": {"resourceType": "Patient"}}]}, "."),
    ("Bundle", {"type": "searchset", "link": [{"relation": "next", "url": "http://x"}] * 2}, "."),
    (
        "SearchParameter",
        {
            "url": "http://x",
            "name": "x",
            "status": "draft",
            "description": "x",
            "code": "x",
            "base": ["Patient"],
            "type": "composite",
            "component": [{"definition": "http://x", "expression": "x"}],
        },
        ".",
    ),
    (
        "SearchParameter",
        {
            "url": "http://x",
            "name": "x",
            "status": "draft",
            "description": "x",
            "code": "x",
            "base": ["Patient"],
            "type": "token",
            "expression": "x",
            "derivedFrom": "http://hl7.org/fhir/SearchParameter/Organization-name",
        },
        ".",
    ),
    ("ValueSet", {"status": "draft", "compose": {"include": [{"system": "#x"}]}}, "compose.include[0]"),
    (
        "CodeSystem",
        {"status": "draft", "content": "complete", "property": [{"code": "p", "type": "string"}] * 2},
        ".",
    ),
    (
        "CodeSystem",
        {
            "status": "draft",
            "content": "complete",
            "property": [{"code": "p", "type": "string"}],
            "concept": [{"code": "a", "concept": [{"code": "b", "property": [{"code": "p", "valueInteger": 1}]}]}],
        },
        ".",
    ),
    (
        "Bundle",
        {
            "type": "document",
            "identifier": {"system": "http://x", "value": "1"},
            "timestamp": "2020-01-01T00:00:00Z",
            "entry": [
                {
                    "fullUrl": "http://x/Composition/1",
                    "resource": {
                        "resourceType": "Composition",
                        "id": "1",
                        "status": "final",
                        "type": CODE,
                        "date": "2020",
                        "title": "x",
                        "author": [{"reference": "Practitioner/gone"}],
                    },
                }
            ],
        },
        ".",
    ),
]


@pytest.mark.parametrize(("resource_type", "members", "place"), CONSISTENCY)
def test_members_that_contradict_each_other_are_refused(
    found: Find, resource_type: str, members: JsonObject, place: str
) -> None:
    assert found(resource_type, members) == [("invariant", place)]


class Unevaluable:
    """A shape whose only rule cannot be evaluated, in a resource within the resource."""

    def __init__(self, has_other_error: bool) -> None:
        self.has_other_error = has_other_error

    def check(self, node: JsonObject, place: Place, visit: Visit) -> None:
        element = Element("x", ("Patient",), invariants=(Invariant("x-1", "error", "('a' | 'b') + 'c'"),))
        (rule,) = element_invariants(element, "Patient")
        rule(node, place, visit.inside(node, is_contained=False))
        if self.has_other_error:
            visit.error(place, "value", "Something else is wrong.")


@pytest.mark.parametrize(("has_other_error", "code"), [(False, "invariant"), (True, "value")])
def test_a_rule_that_cannot_be_evaluated_is_an_error_where_no_other_error_explains_it(
    monkeypatch: pytest.MonkeyPatch, has_other_error: bool, code: str
) -> None:
    monkeypatch.setattr(validation, "shape_of", lambda _: Unevaluable(has_other_error))
    (issue,) = validate({"resourceType": "Patient"})
    assert (issue.severity, issue.code, issue.expression) == ("error", code, "Patient")
    assert ("x-1 cannot be evaluated" in issue.text) is not has_other_error
