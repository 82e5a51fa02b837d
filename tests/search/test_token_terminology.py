"""What codes mean, in searches: `:in`, `:not-in`, `:below`, `:above`. https://hl7.org/fhir/R4/search.html#modifiers"""

from __future__ import annotations

import pytest

from resources.problem import Problem
from resources.terminology import DefinedTerminology, R4Definitions, held_definitions
from search.context import Context
from search.index import index_values
from search.match import matches
from search.plan import plan_search
from search.query_text import parse_pairs, parse_query

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
BASE_URL = "http://localhost:8080/fhir"

DISEASES = {
    "resourceType": "CodeSystem",
    "url": "urn:diseases",
    "status": "active",
    "content": "complete",
    "concept": [{"code": "diabetes", "concept": [{"code": "T1"}, {"code": "T2"}]}, {"code": "asthma"}],
}
METABOLIC = {
    "resourceType": "ValueSet",
    "id": "metabolic",
    "url": "urn:metabolic",
    "status": "active",
    "compose": {
        "include": [
            {"system": "urn:diseases", "filter": [{"property": "concept", "op": "is-a", "value": "diabetes"}]},
        ]
    },
}
UNTOLD = {
    "resourceType": "ValueSet",
    "url": "urn:untold",
    "status": "active",
    "compose": {"include": [{"system": "urn:unheard"}]},
}
# What a store knows by its address as well.
BY_ADDRESS = {**METABOLIC, "url": "ValueSet/metabolic"}
MANY = {
    "resourceType": "ValueSet",
    "url": "urn:many",
    "status": "active",
    "compose": {"include": [{"system": "urn:x", "concept": [{"code": str(n)} for n in range(10_001)]}]},
}
TERMINOLOGY = DefinedTerminology(held_definitions([DISEASES, METABOLIC, UNTOLD, BY_ADDRESS, MANY]), R4Definitions())
CONTEXT = Context(BASE_URL, terminology=TERMINOLOGY)


def is_found(resource, query):
    type_name = resource["resourceType"]
    selection = plan_search(type_name, parse_query(parse_pairs(query), type_name), CONTEXT)
    return matches(selection.filter, {"_id": "1", "t": 0, **index_values(resource, CONTEXT).fields("1")})


def refusal(type_name, query):
    with pytest.raises(Problem) as raised:
        plan_search(type_name, parse_query(parse_pairs(query), type_name), CONTEXT)
    assert raised.value.status == 400
    return raised.value.issues[0]


def condition(code, system="urn:diseases", status="relapse"):
    coding = {"coding": [{"system": system, "code": code}]} if system else {"coding": [{"code": code}]}
    return {
        "resourceType": "Condition",
        "code": coding,
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]},
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"clinical-status:below={CLINICAL}|active", True),
        (f"clinical-status:below={CLINICAL}|ACTIVE", True),
        (f"clinical-status:below={CLINICAL}|relapse", True),
        (f"clinical-status:below={CLINICAL}|recurrence", False),
        (f"clinical-status:below={CLINICAL}|inactive", False),
        (f"clinical-status:below={CLINICAL}|inactive,{CLINICAL}|active", True),
        (f"clinical-status={CLINICAL}|active", False),
        (f"clinical-status:above={CLINICAL}|relapse", True),
        (f"clinical-status:above={CLINICAL}|active", False),
        ("clinical-status:below=active", True),
        (f"_filter=clinical-status sb {CLINICAL}|active", True),
        (f"_filter=clinical-status ss {CLINICAL}|active", False),
        ("_filter=clinical-status in http://hl7.org/fhir/ValueSet/condition-clinical", True),
        ("_filter=clinical-status ni http://hl7.org/fhir/ValueSet/condition-clinical", False),
        ("clinical-status:below=inactive", False),
        ("clinical-status:above=relapse", True),
        ("clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical", True),
        ("clinical-status:not-in=http://hl7.org/fhir/ValueSet/condition-clinical", False),
        ("clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical|4.0.1", True),
        ("clinical-status:in=http://hl7.org/fhir/ValueSet/condition-ver-status", False),
    ],
)
def test_a_relapse_is_found_below_active(query, expected):
    assert is_found(condition("T1"), query) is expected


def test_what_is_above_a_code_is_what_subsumes_it():
    assert is_found(condition("x", status="active"), f"clinical-status:above={CLINICAL}|relapse")
    assert not is_found(condition("x", status="recurrence"), f"clinical-status:above={CLINICAL}|relapse")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"class:below={ACT_CODE}|IMP", True),
        (f"class:below={ACT_CODE}|_ActEncounterCode", True),
        (f"class:below={ACT_CODE}|AMB", False),
        (f"class:above={ACT_CODE}|ACUTE", True),
        ("class:below=IMP", True),
        ("class:in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", True),
        ("class:in=http://terminology.hl7.org/ValueSet/v3-ActMood", False),
        ("status:below=finished", True),
        ("status:below=http://hl7.org/fhir/encounter-status|finished", True),
        ("status:below=planned", False),
        ("status:in=http://hl7.org/fhir/ValueSet/encounter-status", True),
    ],
)
def test_an_acute_encounter_is_below_an_inpatient_one(query, expected):
    encounter = {"resourceType": "Encounter", "status": "finished", "class": {"system": ACT_CODE, "code": "ACUTE"}}
    assert is_found(encounter, query) is expected


@pytest.mark.parametrize("name", ["urn:metabolic", "ValueSet/metabolic", f"{BASE_URL}/ValueSet/metabolic"])
def test_a_held_value_set_is_named_by_its_url_or_by_its_address(name):
    assert is_found(condition("T2"), f"code:in={name}")
    assert not is_found(condition("T2"), f"code:not-in={name}")
    assert not is_found(condition("asthma"), f"code:in={name}")
    assert is_found(condition("asthma"), f"code:not-in={name}")
    assert not is_found(condition("T2", "urn:other"), f"code:in={name}")
    assert is_found({"resourceType": "Condition"}, f"code:not-in={name}")
    assert is_found(condition("T2"), f"code:in=http://hl7.org/fhir/ValueSet/administrative-gender,{name}")


def test_a_code_alone_is_itself_in_any_system_and_what_it_subsumes_in_those_that_are_held():
    assert is_found(condition("T1"), "code:below=diabetes")
    assert is_found(condition("diabetes", "urn:other"), "code:below=diabetes")
    assert not is_found(condition("T1", "urn:other"), "code:below=diabetes")
    assert not is_found(condition("T1", None), "code:below=diabetes")


def test_a_value_set_of_codes_of_another_system_has_none_of_an_element_that_implies_its_own():
    others = {
        "resourceType": "ValueSet",
        "url": "urn:others",
        "status": "active",
        "compose": {"include": [{"system": "urn:x", "concept": [{"code": "male"}]}]},
    }
    context = Context(BASE_URL, terminology=DefinedTerminology(held_definitions([others])))
    selection = plan_search("Patient", parse_query([("gender:in", "urn:others")], "Patient"), context)
    patient = index_values({"resourceType": "Patient", "gender": "male"}, context).fields("1")
    assert not matches(selection.filter, {"_id": "1", "t": 0, **patient})


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ("code:below=urn:unheard|1", "not-found", "'urn:unheard'"),
        ("code:above=urn:diseases|flu", "code-invalid", "'flu'"),
        ("code:below=no-such-code", "value", "'no-such-code'"),
        ("code:below=http://snomed.info/sct|73211009", "not-found", "'http://snomed.info/sct'"),
        ("code:below=urn:diseases|", "value", "'urn:diseases|'"),
        ("code:below=|T1", "value", "'|T1'"),
        ("code:in=urn:nothing", "not-found", "'urn:nothing'"),
        ("code:in=ValueSet/nothing", "not-found", "'ValueSet/nothing'"),
        ("code:not-in=urn:untold", "not-found", "'urn:unheard'"),
        ("code:in=http://hl7.org/fhir/ValueSet/condition-code", "not-found", "'http://snomed.info/sct'"),
        ("code:in=urn:many", "too-costly", "10,000"),
    ],
)
def test_what_is_not_known_is_refused_by_name(query, code, named):
    issue = refusal("Condition", query)
    assert issue.code == code
    assert named in issue.text
    assert "'code'" in issue.text


def test_a_code_whose_element_implies_no_single_system_needs_one():
    issue = refusal("ConceptMap", "source-code:below=active")
    assert "needs a system" in issue.text


def test_a_context_knows_the_terminology_of_r4_unless_it_is_given_another():
    terminology = Context(BASE_URL).terminology
    assert terminology.value_set("http://hl7.org/fhir/ValueSet/administrative-gender") is not None
    assert terminology.value_set("urn:metabolic") is None
