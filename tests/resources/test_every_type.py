"""Every resource type: its shape compiles, refuses what it does not know, and accepts the least that it asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resources.definitions import Element, resource_types, type_facts, value_set_codes
from resources.document import parse_document
from resources.validation import validate

# What an invariant asks for beyond the required elements.
_INVARIANTS_ASK: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": {
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        }
    },
    "Appointment": {"status": "proposed", "participant": [{"status": "accepted", "actor": {"display": "x"}}]},
    "AppointmentResponse": {"actor": {"display": "x"}},
    "Bundle": {"type": "collection"},
    "CapabilityStatement": {"kind": "requirements", "description": "x", "rest": [{"mode": "server"}]},
    "Consent": {"policyRule": {"text": "x"}},
    "EventDefinition": {"trigger": [{"type": "named-event", "name": "x"}]},
    "ImmunizationRecommendation": {
        "recommendation": [
            {
                "vaccineCode": [{"text": "x"}],
                "forecastStatus": {"text": "x"},
            }
        ]
    },
    "InsurancePlan": {"name": "x"},
    "Linkage": {"item": [{"type": "source", "resource": {"display": str(n)}} for n in (1, 2)]},
    "Organization": {"name": "x"},
    "SearchParameter": {"type": "token", "expression": "Patient.active"},
    "StructureDefinition": {"type": "x", "abstract": True, "differential": {"element": [{"id": "x", "path": "x"}]}},
    "TerminologyCapabilities": {"kind": "requirements", "description": "x"},
}

_VALUES: dict[str, Any] = {
    "base64Binary": "QUJD",
    "boolean": True,
    "canonical": "http://example.org/x",
    "code": "x",
    "date": "2020-01-01",
    "dateTime": "2020-01-01T00:00:00Z",
    "decimal": 1.5,
    "id": "x",
    "instant": "2020-01-01T00:00:00Z",
    "integer": 1,
    "markdown": "x",
    "positiveInt": 1,
    "string": "x",
    "unsignedInt": 1,
    "uri": "http://example.org/x",
    "url": "http://example.org/x",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
}


def least(type_name: str) -> Any:
    """The least value of a type: its required elements only, or a text where it requires none."""
    facts = type_facts(type_name)
    if facts.kind == "primitive":
        return _VALUES[type_name]
    node: dict[str, Any] = {}
    for element in facts.elements.values():
        if element.min:
            json_name, name = next(iter(element.json_names().items()))
            value = bound(element, name)
            node[json_name] = [value] * element.min if element.is_list else value
    if not node and facts.kind != "resource":
        plain = {"text": "x", "value": 1.5, "display": "x", "description": "x", "url": "http://x", "start": "2020"}
        node = dict([next((name, value) for name, value in plain.items() if name in facts.elements)])
    return node


def bound(element: Element, type_name: str) -> Any:
    """The least value of an element: of its required value set where it has one."""
    systems = value_set_codes(element.binding[1]) if element.binding and element.binding[0] == "required" else None
    if type_name == "Resource":
        return {"resourceType": "Basic", "code": {"text": "x"}}
    if not systems:
        return least(type_name)
    system, codes = next(iter(systems.items()))
    code = min(codes)
    return code if type_name == "code" else {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize("name", sorted(resource_types()))
def test_a_type_accepts_the_least_instance_and_refuses_an_unknown_element(name: str) -> None:
    instance = {"resourceType": name, **least(name), **_INVARIANTS_ASK.get(name, {})}
    tree = parse_document(json.dumps(instance)).tree
    assert [issue for issue in validate(tree) if issue.is_error] == []

    tree["notAnElement"] = "x"
    (error,) = [issue for issue in validate(tree) if issue.is_error]
    assert (error.code, error.expression) == ("structure", name)
    assert "'notAnElement'" in error.text


@pytest.mark.parametrize("name", sorted(resource_types()))
def test_a_type_names_each_required_element_that_is_missing(name: str) -> None:
    missing = [e.name for e in type_facts(name).elements.values() if e.min]
    named = [issue.text for issue in validate({"resourceType": name, "language": "en"}) if issue.code == "required"]
    assert len(named) == len(missing)
    for element in missing:
        assert any(element in text for text in named), element
