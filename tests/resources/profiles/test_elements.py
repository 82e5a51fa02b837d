"""What a profile may demand of one element.

https://hl7.org/fhir/R4/elementdefinition.html
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from resources.profiles import check_profiles
from tests.resources.profiles.definitions import URL, element, found, issues, profile
from tests.resources.profiles.material import Json, profiles_of

PATIENT: Json = {"resourceType": "Patient"}


def observation(**members: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **members}


def test_an_element_is_needed_so_often_and_no_more() -> None:
    named = profile("p", "Patient", element("Patient.name", min=1, max="2"))
    assert found(PATIENT, named) == [("required", "Patient")]
    assert found({**PATIENT, "name": [{"family": "a"}]}, named) == []
    assert found({**PATIENT, "name": [{"family": "a"}] * 3}, named) == [("structure", "Patient.name[2]")]


def test_an_element_that_is_ruled_out_is_refused_where_it_stands() -> None:
    plain = profile("p", "Patient", element("Patient.photo", max="0"))
    assert found({**PATIENT, "photo": [{"title": "x"}]}, plain) == [("structure", "Patient.photo[0]")]


def test_a_child_is_needed_only_where_its_parent_is() -> None:
    named = profile("p", "Patient", element("Patient.name.family", min=1))
    assert found(PATIENT, named) == []
    assert found({**PATIENT, "name": [{"family": "a"}, {"text": "b"}]}, named) == [("required", "Patient.name[1]")]


def test_an_extension_of_a_primitive_counts_as_its_presence() -> None:
    born = profile("p", "Patient", element("Patient.birthDate", min=1))
    unknown = {"extension": [{"url": "http://example.org/reason", "valueCode": "unknown"}]}
    assert found({**PATIENT, "_birthDate": unknown}, born) == []


def test_a_fixed_value_must_be_just_that_and_a_pattern_at_least_that() -> None:
    coding = {"system": "http://loinc.org", "code": "1-1"}
    fixed = profile("f", "Observation", element("Observation.code", fixedCodeableConcept={"coding": [coding]}))
    pattern = profile("p", "Observation", element("Observation.code", patternCodeableConcept={"coding": [coding]}))
    exact = observation(code={"coding": [coding]})
    more = observation(code={"coding": [{"system": "urn:x", "code": "y"}, {**coding, "display": "x"}], "text": "x"})
    other = observation(code={"coding": [{**coding, "code": "1-2"}]})
    refused = [("value", "Observation.code")]
    assert [found(tree, fixed) for tree in (exact, more, other)] == [[], refused, refused]
    assert [found(tree, pattern) for tree in (exact, more, other)] == [[], [], refused]


def test_true_is_not_one() -> None:
    active = profile("p", "Patient", element("Patient.active", fixedBoolean=True))
    assert found({**PATIENT, "active": True}, active) == []
    assert found({**PATIENT, "active": False}, active) == [("value", "Patient.active")]


@pytest.mark.parametrize(
    ("limit", "good", "bad"),
    [
        ({"maxLength": 3}, {"valueString": "abc"}, {"valueString": "abcd"}),
        ({"minValueInteger": 1}, {"valueInteger": 1}, {"valueInteger": 0}),
        ({"maxValueDate": "2020-06-01"}, {"valueDateTime": "2020-05-31"}, {"valueDateTime": "2020-06-02"}),
        (
            {"minValueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "kg"}},
            {"valueQuantity": {"value": 1001, "system": "http://unitsofmeasure.org", "code": "g"}},
            {"valueQuantity": {"value": Decimal("999.5"), "system": "http://unitsofmeasure.org", "code": "g"}},
        ),
    ],
)
def test_values_keep_within_limits(limit: Json, good: Json, bad: Json) -> None:
    limited = profile("p", "Observation", element("Observation.value[x]", **limit))
    assert found(observation(**good), limited) == []
    assert found(observation(**bad), limited) == [("value", "Observation.value")]


def test_a_choice_has_one_of_the_types_of_the_profile() -> None:
    typed = profile(
        "p", "Observation", element("Observation.value[x]", type=[{"code": "Quantity"}, {"code": "string"}])
    )
    assert found(observation(valueString="x"), typed) == []
    assert found(observation(valueInteger=1), typed) == [("structure", "Observation.value")]


def test_a_reference_points_to_a_type_of_the_profile() -> None:
    other = profile("other", "Patient")
    targets = [{"code": "Reference", "targetProfile": [URL + "other"]}]
    about = profile("p", "Observation", element("Observation.subject", type=targets))
    assert found(observation(subject={"reference": "Patient/1"}), about, other) == []
    assert found(observation(subject={"display": "somebody"}), about, other) == []
    wrong = [("value", "Observation.subject")]
    for reference in ({"reference": "Group/1"}, {"reference": "http://x.org/fhir/Group/1"}, {"type": "Group"}):
        assert found(observation(subject={"display": "x", **reference}), about, other) == wrong


def test_a_target_that_is_at_hand_must_follow_the_profile() -> None:
    named = profile("named", "Patient", element("Patient.name", min=1))
    targets = [{"code": "Reference", "targetProfile": [URL + "named"]}]
    about = profile("p", "Observation", element("Observation.subject", type=targets))
    patient = {"resourceType": "Patient", "id": "a", "name": [{"family": "x"}]}
    tree = observation(contained=[patient], subject={"reference": "#a"})
    assert found(tree, about, named) == []
    del patient["name"]
    assert found(tree, about, named) == [("value", "Observation.subject")]


def test_patients_that_link_to_each_other_are_checked_once() -> None:
    to_itself = [{"code": "Reference", "targetProfile": [URL + "p"]}]
    linked = profile("p", "Patient", element("Patient.name", min=1), element("Patient.link.other", type=to_itself))
    link = {"type": "seealso"}
    first = {"resourceType": "Patient", "id": "a", "link": [{**link, "other": {"reference": "Patient/b"}}]}
    second = {"resourceType": "Patient", "id": "b", "link": [{**link, "other": {"reference": "Patient/a"}}]}
    entries = [{"fullUrl": f"http://x.org/Patient/{one['id']}", "resource": one} for one in (first, second)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    claims = {"meta": {"profile": [URL + "p"]}}
    for one in (first, second):
        one.update(claims, name=[{"family": "x"}])
    assert check_profiles(bundle, profiles_of([linked])) == []
    del second["name"]
    faults = {issue.expression for issue in check_profiles(bundle, profiles_of([linked]))}
    assert {"Bundle.entry[1].resource", "Bundle.entry[0].resource.link[0].other"} <= faults


def test_a_binding_refuses_or_warns_by_its_strength() -> None:
    tree = observation(valueCodeableConcept={"coding": [{"system": "http://example.org", "code": "holiday"}]})
    for strength, expected in (("required", ["error"]), ("extensible", ["warning"]), ("preferred", [])):
        binding = {"strength": strength, "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week"}
        bound = profile("p", "Observation", element("Observation.value[x]", binding=binding))
        told = issues(tree, bound)
        assert [issue.severity for issue in told] == expected
        assert {(issue.code, issue.expression) for issue in told} <= {("code-invalid", "Observation.value")}


def test_a_required_binding_wants_a_coding_and_an_extensible_one_takes_a_text() -> None:
    for strength, expected in (("required", [("code-invalid", "Observation.value")]), ("extensible", [])):
        binding = {"strength": strength, "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week"}
        bound = profile("p", "Observation", element("Observation.value[x]", binding=binding))
        assert found(observation(valueCodeableConcept={"text": "monday"}), bound) == expected


def test_a_value_set_that_nobody_holds_is_told_of_and_refuses_nothing() -> None:
    binding = {"strength": "required", "valueSet": "http://example.org/ValueSet/unknown"}
    bound = profile("p", "Observation", element("Observation.value[x]", binding=binding))
    told = issues(observation(valueCodeableConcept={"text": "x", "coding": [{"code": "y"}]}), bound)
    assert [(issue.severity, issue.code) for issue in told] == [("warning", "not-found")]


def test_invariants_of_a_profile_are_run_with_their_severity() -> None:
    rules = [
        {"key": "p-1", "severity": "error", "human": "x", "expression": "family.exists() or text.exists()"},
        {"key": "p-2", "severity": "warning", "human": "x", "expression": "given.exists()"},
        {"key": "p-3", "severity": "error", "human": "x", "expression": "no such expression"},
    ]
    ruled = profile("p", "Patient", element("Patient.name", constraint=rules))
    told = issues({**PATIENT, "name": [{"use": "usual"}]}, ruled)
    assert [(issue.severity, issue.code, issue.expression) for issue in told] == [
        ("error", "invariant", "Patient.name[0]"),
        ("warning", "invariant", "Patient.name[0]"),
        ("warning", "not-supported", "Patient.name[0]"),
    ]
