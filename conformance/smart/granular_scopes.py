"""Scopes for categories: searches and reads give what matches a granted constraint, and nothing else.

https://hl7.org/fhir/us/core/scopes.html and
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from conformance.api import Api, keys_of, resource_of, resources_of
from conformance.check import Checks, Skip, expect
from conformance.smart.clauses import GRANULAR, US_CORE_SCOPES, WELL_KNOWN
from conformance.smart.context import SmartContext
from conformance.smart.launch import IDENTITY, Wanted, member

checks = Checks("US Core: granular scopes")

HL7 = "http://terminology.hl7.org/CodeSystem"
US_CORE = "http://hl7.org/fhir/us/core/CodeSystem"
GROUPS = {
    "granular_scopes_1": (
        ("Condition", f"{HL7}/condition-category", "encounter-diagnosis"),
        ("Condition", f"{US_CORE}/condition-category", "health-concern"),
        ("Observation", f"{HL7}/observation-category", "laboratory"),
        ("Observation", f"{HL7}/observation-category", "social-history"),
    ),
    "granular_scopes_2": (
        ("Condition", f"{HL7}/condition-category", "problem-list-item"),
        ("Observation", f"{HL7}/observation-category", "vital-signs"),
        ("Observation", f"{HL7}/observation-category", "survey"),
        ("Observation", f"{US_CORE}/us-core-category", "sdoh"),
    ),
}
TYPES = ("Condition", "Observation")
WHOLE = Wanted(
    app="public", scope=f"{IDENTITY} launch/patient patient/Condition.rs patient/Observation.rs patient/Patient.rs"
)
SCOPE = re.compile(r"(patient|user|system|\*)/([a-zA-Z*]+)\.([cruds]+)(\?\w+=[^\s&]+(&\w+=[^\s&]+)*)?")

Category = tuple[str, str, str]


@checks("us_core_scopes_supported", "scopes_supported and introspection_endpoint are there.", WELL_KNOWN)
def _(context: SmartContext) -> None:
    document = context.discovered()
    scopes = document.get("scopes_supported")
    expect(isinstance(scopes, list) and scopes, "scopes_supported is not an array with something in it.")
    expect(any(SCOPE.fullmatch(scope) for scope in scopes or ()), "No scope is one of SMART 2 for resources.")
    member(document, "introspection_endpoint")


def wanted_of(categories: Iterable[Category]) -> Wanted:
    """The launch that asks for these categories."""
    scopes = [f"patient/{type_name}.rs?category={system}|{code}" for type_name, system, code in categories]
    return Wanted(app="public", scope=" ".join([IDENTITY, "launch/patient", "patient/Patient.rs", *scopes]))


def _is_within(resource: dict[str, Any], categories: Iterable[Category]) -> bool:
    codings = {
        (coding.get("system"), coding.get("code"))
        for category in resource.get("category", [])
        for coding in category.get("coding", [])
    }
    return any(
        resource["resourceType"] == type_name and (system, code) in codings for type_name, system, code in categories
    )


def _searches(resources: list[dict[str, Any]], type_name: str, patient: str) -> list[dict[str, str]]:
    """The searches that US Core asks for, with values that occur."""
    found = [{"patient": patient}]
    of_type = [resource for resource in resources if resource["resourceType"] == type_name]
    for category in sorted({_token(c) for r in of_type for each in r.get("category", []) for c in each["coding"]}):
        found.append({"patient": patient, "category": category})
    for code in sorted({_token(c) for r in of_type for c in r.get("code", {}).get("coding", [])})[:3]:
        found.append({"patient": patient, "code": code})
    if type_name == "Condition":
        found.append({"patient": patient, "clinical-status": "active"})
        for day in sorted({r["onsetDateTime"][:10] for r in of_type if "onsetDateTime" in r})[:2]:
            found.append({"patient": patient, "onset-date": f"ge{day}"})
    else:
        found.append({"patient": patient, "status": "final", "_count": "5"})
        for day in sorted({r["effectiveDateTime"][:10] for r in of_type if "effectiveDateTime" in r})[:2]:
            found.append({"patient": patient, "category": "vital-signs", "date": f"ge{day}"})
    return found


def _token(coding: dict[str, Any]) -> str:
    return f"{coding.get('system', '')}|{coding.get('code', '')}"


def _expected(whole: Api, type_name: str, parameters: dict[str, str], categories: Iterable[Category]) -> set[str]:
    found = whole.found_by_post(type_name, parameters)
    return keys_of([resource for resource in found if _is_within(resource, categories)])


def _add(name: str, categories: tuple[Category, ...]) -> None:
    wanted = wanted_of(categories)

    @checks(
        f"us_core_{name}_granted", "The scopes are returned as they were asked for, and no wider ones.", US_CORE_SCOPES
    )
    def _(context: SmartContext) -> None:
        scopes = context.launched(wanted).scopes
        for asked in wanted.scope.split():
            expect(asked in scopes, f"{asked} is not granted.")
        for scope in scopes:
            is_wide = re.fullmatch(r"(patient|user)/(\*|Condition|Observation)\.[^?]*", scope)
            expect(not is_wide, f"{scope} is granted, which is wider than what was asked for.")

    for method in ("get", "post"):

        @checks(
            f"us_core_{name}_search_{method}",
            f"Searches by {method.upper()} find what matches a granted category, and nothing else.",
            GRANULAR,
        )
        def _(context: SmartContext, method: str = method) -> None:
            whole, api = context.as_patient(WHOLE.scope), context.as_patient(wanted.scope)
            patient, some = context.configuration.own_patient, 0
            for type_name in TYPES:
                for parameters in _searches(whole.found(f"{type_name}?patient={patient}"), type_name, patient):
                    expected = _expected(whole, type_name, parameters, categories)
                    if method == "post":
                        found = api.found_by_post(type_name, parameters)
                    else:
                        found = resources_by_get(api, type_name, parameters)
                    some += len(expected)
                    expect(
                        keys_of(found) == expected,
                        f"{type_name} by {parameters} found {sorted(keys_of(found) ^ expected)[:5]} too many or too few.",
                    )
            if not some:
                raise Skip("The patient has no Condition or Observation of these categories.")

    @checks(f"us_core_{name}_read", "What matches can be read, and nothing else.", GRANULAR)
    def _(context: SmartContext) -> None:
        whole, api = context.as_patient(WHOLE.scope), context.as_patient(wanted.scope)
        for type_name in TYPES:
            resources = whole.found(f"{type_name}?patient={context.configuration.own_patient}")
            inside = [each for each in resources if _is_within(each, categories)]
            outside = [each for each in resources if not _is_within(each, categories)]
            for resource in inside[:3]:
                resource_of(api.get(f"{type_name}/{resource['id']}"))
            for resource in outside[:3]:
                for path in ("", "/_history", "/_history/1"):
                    answer = api.get(f"{type_name}/{resource['id']}{path}")
                    expect(
                        answer.status_code != 200, f"Reading {type_name} outside of the scope{path} was answered 200."
                    )
                    if answer.content:
                        told = answer.json().get("resourceType")
                        expect(told == "OperationOutcome", f"The body of the refusal is a {told}.")


def resources_by_get(api: Api, type_name: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """All that a search by GET finds."""
    return resources_of(api, api.get(type_name, params=parameters))


for _name, _categories in GROUPS.items():
    _add(_name, _categories)
