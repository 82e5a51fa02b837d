"""Escalation by searching: includes, chains, sorts, counts and histories reach no further than the token does.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Each check knows what is there to be found from a practitioner's token, and asks for it with a patient's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.api import Api, keys_of, resource_of, resources_of, said
from conformance.check import Checks, Skip, expect
from conformance.smart.clauses import SCOPES
from conformance.smart.context import SmartContext

checks = Checks("Escalation by searching")

EVERYTHING = "launch/patient patient/*.rs"
NARROW = "launch/patient patient/Observation.rs"
REFUSED = (400, 403)


def _other(context: SmartContext, type_name: str) -> dict[str, Any]:
    """A resource of another patient's. Raises Skip where there is none."""
    found = context.as_practitioner().found(f"{type_name}?patient={context.configuration.other_patient}&_count=5")
    if not found:
        raise Skip(f"The other patient has no {type_name}.")
    return found[0]


def _expect_own(context: SmartContext, api: Api, path: str, types: set[str] | None = None) -> list[dict[str, Any]]:
    """What a search finds, none of which is in another patient's record, or of a type that was not granted."""
    response = api.get(path)
    if response.status_code in REFUSED:
        return []
    found = resources_of(api, response)
    _expect_harmless(context, found, path, types)
    return found


def _expect_harmless(context: SmartContext, found: list[dict[str, Any]], path: str, types: set[str] | None) -> None:
    other = f"Patient/{context.configuration.other_patient}"
    own = f"Patient/{context.configuration.own_patient}"
    for resource in found:
        text = repr(resource)
        is_foreign = f"{resource['resourceType']}/{resource['id']}" == other or (other in text and own not in text)
        expect(not is_foreign, f"{path} brought {resource['resourceType']}/{resource['id']} of another patient.")
        expect(types is None or resource["resourceType"] in types, f"{path} brought a {resource['resourceType']}.")


@checks("escalation_read", "Another patient's resources look as if they were not there.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(EVERYTHING), _other(context, "Observation")
    for path in (f"Observation/{other['id']}", f"Patient/{context.configuration.other_patient}"):
        for rest in ("", "/_history", "/_history/1"):
            hidden, missing = api.get(path + rest), api.get(f"{path.split('/')[0]}/no-such-resource{rest}")
            expect(
                hidden.status_code == missing.status_code == 404, f"{said(hidden)}, and a missing one {said(missing)}."
            )


@checks("escalation_search", "Searching for another patient finds nothing, by whatever parameter.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(EVERYTHING), context.configuration.other_patient
    own = api.found(f"Observation?patient={context.configuration.own_patient}")
    expect(own, "Not even an Observation of the patient's own is found, so nothing can be said.")
    for path in (
        f"Observation?patient={other}",
        f"Observation?subject=Patient/{other}",
        f"Observation?subject=Patient/{other},Patient/{context.configuration.own_patient}",
        f"Observation?patient:not={context.configuration.own_patient}",
        f"Patient?_id={other}",
        f"Patient/{other}/Observation",
        f"Patient/{other}/*",
        f"?_type=Observation,Patient,Encounter&_id={_other(context, 'Observation')['id']}",
    ):
        _expect_own(context, api, path)


@checks("escalation_include", "_include brings no types that were not granted.", SCOPES)
def _(context: SmartContext) -> None:
    api = context.as_patient(NARROW)
    for include in ("Observation:subject", "Observation:encounter", "Observation:performer", "*", "Observation:*"):
        for name in ("_include", "_include:iterate"):
            _expect_own(context, api, f"Observation?{name}={include}&_count=20", {"Observation"})


@checks("escalation_revinclude", "_revinclude brings neither other types nor other patients' resources.", SCOPES)
def _(context: SmartContext) -> None:
    own = context.configuration.own_patient
    patient_only = context.as_patient("launch/patient patient/Patient.rs")
    for rule in ("Observation:subject", "Condition:patient", "Encounter:subject", "Provenance:target"):
        _expect_own(context, patient_only, f"Patient?_id={own}&_revinclude={rule}", {"Patient"})
    everything = context.as_patient(EVERYTHING)
    # What the directory holds is shared, and what points to it is not.
    for path in (
        "Practitioner?_revinclude=Encounter:participant&_count=20",
        "Practitioner?_revinclude=Encounter:participant&_revinclude:iterate=Observation:encounter&_count=10",
        "Organization?_revinclude=Encounter:service-provider&_count=20",
    ):
        _expect_own(context, everything, path)


@checks("escalation_chain", "Chains tell nothing of types that were not granted, nor of other patients.", SCOPES)
def _(context: SmartContext) -> None:
    narrow = context.as_patient(NARROW)
    for path in (
        "Observation?subject:Patient.gender=female",
        "Observation?patient.birthdate=ge1900",
        "Observation?encounter.status=finished",
    ):
        answer = narrow.get(path)
        expect(answer.status_code in REFUSED, f"{said(answer)}, though the scope says nothing of what the chain asks.")
    other = context.as_practitioner().resource(f"Patient/{context.configuration.other_patient}")
    everything = context.as_patient(EVERYTHING)
    for name in other.get("name", [])[:1]:
        family = name.get("family", "")
        expect(
            not keys_of(everything.found(f"Observation?patient.family:exact={family}&patient={other['id']}")),
            "A chain found something.",
        )


@checks("escalation_has", "_has tells nothing of types that were not granted, nor of other patients.", SCOPES)
def _(context: SmartContext) -> None:
    patient_only = context.as_patient("launch/patient patient/Patient.rs")
    answer = patient_only.get("Patient?_has:Observation:subject:status=final")
    expect(answer.status_code in REFUSED, f"{said(answer)}, though the scope says nothing of Observation.")
    _same_answer(
        context,
        lambda mark: f"Practitioner?_has:Encounter:practitioner:_id={mark}",
        _other(context, "Encounter")["id"],
    )


def _same_answer(context: SmartContext, path: Callable[[str], str], hidden: str) -> None:
    """A search that names a hidden resource finds what one that names no resource finds."""
    api = context.as_patient(EVERYTHING)
    about, nothing = keys_of(api.found(path(hidden))), keys_of(api.found(path("no-such-resource")))
    expect(about == nothing, f"{path('...')} tells a hidden resource from a missing one.")


@checks("escalation_sort", "_sort orders by nothing that was not granted.", SCOPES)
def _(context: SmartContext) -> None:
    narrow = context.as_patient(NARROW)
    for order in ("patient", "-subject", "patient.birthdate", "subject:Patient.name", "-_id", "date"):
        _expect_own(context, narrow, f"Observation?_sort={order}&_count=20", {"Observation"})


@checks("escalation_total", "Totals and counts count only what may be seen.", SCOPES)
def _(context: SmartContext) -> None:
    api = context.as_patient(EVERYTHING)
    for type_name in ("Patient", "Observation", "Condition"):
        own = len(api.found(f"{type_name}?_count=200"))
        for ask in ("_summary=count", "_total=accurate&_count=1", "_count=0"):
            total = resource_of(api.get(f"{type_name}?{ask}")).get("total")
            expect(total == own, f"{type_name}?{ask} says {total} where {own} may be seen.")
    other = context.configuration.other_patient
    told = resource_of(api.get(f"Observation?patient={other}&_summary=count")).get("total")
    expect(told == 0, f"There are said to be {told} Observations of another patient.")
    narrow = context.as_patient(NARROW).get("Condition?_summary=count")
    expect(narrow.status_code == 403, f"{said(narrow)}, though the scope says nothing of Condition.")


@checks("escalation_history", "Histories show no versions that may not be seen.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(NARROW), _other(context, "Observation")
    for path in ("Observation/_history?_count=200", "_history?_count=200"):
        _expect_own(context, api, path, {"Observation"})
    refused = api.get("Condition/_history")
    expect(refused.status_code == 403, f"{said(refused)}, though the scope says nothing of Condition.")
    hidden = api.get(f"Observation/{other['id']}/_history")
    expect(hidden.status_code == 404, f"{said(hidden)}.")


@checks("escalation_summary_and_elements", "Cutting answers down does not open more of them.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(NARROW), context.configuration.other_patient
    for ask in ("_summary=true", "_summary=text", "_elements=subject", "_contained=both", "_summary=data"):
        _expect_own(context, api, f"Observation?{ask}&_count=20", {"Observation"})
        found = _expect_own(context, api, f"Observation?patient={other}&{ask}", {"Observation"})
        expect(not found, f"With {ask} something of another patient is found.")


@checks("escalation_pages", "A page of another token's search shows nothing but one's own.", SCOPES)
def _(context: SmartContext) -> None:
    bundle = resource_of(context.as_practitioner().get("Observation?_count=2"))
    following = [link["url"] for link in bundle.get("link", []) if link.get("relation") == "next"]
    if not following:
        raise Skip("There is no second page of Observations.")
    _expect_own(context, context.as_patient(NARROW), following[0], {"Observation"})


@checks("escalation_letters", "The right to read is not the right to search, nor the other way round.", SCOPES)
def _(context: SmartContext) -> None:
    own = context.configuration.own_patient
    reads, searches = (
        context.as_patient("launch/patient patient/Patient.r"),
        context.as_patient("launch/patient patient/Patient.s"),
    )
    for api, path, status in (
        (reads, f"Patient/{own}", 200),
        (reads, f"Patient?_id={own}", 403),
        (reads, "Patient/_history", 403),
        (searches, f"Patient?_id={own}", 200),
        (searches, f"Patient/{own}", 403),
        (searches, f"Patient/{own}/_history/1", 403),
    ):
        answer = api.get(path)
        expect(answer.status_code == status, f"{said(answer)} and not {status}.")
