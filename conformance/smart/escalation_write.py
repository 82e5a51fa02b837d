"""Escalation by writing: nothing gets into another patient's record, by whatever road, and nothing of it is changed.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Whatever a server should let through here is taken back in the end, as far as the practitioner's token allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from conformance.api import Api, keys_of, resource_of, said
from conformance.check import Checks, Skip, expect
from conformance.smart.clauses import SCOPES
from conformance.smart.context import SmartContext

checks = Checks("Escalation by writing")

WRITES = "launch/patient patient/*.cruds"
READS = "launch/patient patient/*.rs"
MARK = "conformance-probe"
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


def observation(patient: str, **members: Any) -> dict[str, Any]:
    """An Observation of a patient that says nothing."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:conformance", "code": MARK}], "text": MARK},
        "subject": {"reference": f"Patient/{patient}"},
        **members,
    }


@contextmanager
def unchanged(context: SmartContext) -> Iterator[None]:
    """What the other patient's record holds stays as it is meanwhile. Raises a Failure."""
    before = _record(context)
    yield
    after = _record(context)
    for key in sorted(set(after) - set(before)):
        context.as_practitioner().request("DELETE", key)
    expect(
        before == after,
        f"Another patient's record has changed: {sorted(set(before.items()) ^ set(after.items()))[:4]}.",
    )


def _record(context: SmartContext) -> dict[str, str]:
    other, api = context.configuration.other_patient, context.as_practitioner()
    found = [api.resource(f"Patient/{other}")]
    for type_name in ("Observation", "AllergyIntolerance", "Condition", "Appointment"):
        found += api.found(f"{type_name}?patient={other}&_count=200")
    return {f"{each['resourceType']}/{each['id']}": each.get("meta", {}).get("versionId", "") for each in found}


@contextmanager
def own_observation(context: SmartContext) -> Iterator[dict[str, Any]]:
    """An Observation of the patient's own that a check may change."""
    api = context.as_practitioner()
    made = resource_of(api.send("POST", "Observation", observation(context.configuration.own_patient)))
    try:
        yield made
    finally:
        api.request("DELETE", f"Observation/{made['id']}")


def expect_refused(response: httpx.Response, *statuses: int) -> None:
    """The answer has one of the statuses; 403 if none is given. Raises a Failure."""
    allowed = statuses or (403,)
    expect(response.status_code in allowed, f"{said(response)} and not {' or '.join(map(str, allowed))}.")


@checks("escalation_write_create", "A resource of another patient cannot be created.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(WRITES), context.configuration.other_patient
    with unchanged(context):
        expect_refused(api.send("POST", "Observation", observation(other)))
        expect_refused(api.send("PUT", "Observation/conformance-new", {**observation(other), "id": "conformance-new"}))
        absolute = {"reference": f"{context.configuration.base_url}/Patient/{other}"}
        expect_refused(api.send("POST", "Observation", observation(other, subject=absolute)))
        versioned = {"reference": f"Patient/{other}/_history/1"}
        expect_refused(api.send("POST", "Observation", observation(other, subject=versioned)))


@checks("escalation_write_both_compartments", "Nor one that is in both patients' records.", SCOPES)
def _(context: SmartContext) -> None:
    settings, api = context.configuration, context.as_patient(WRITES)
    own, other = f"Patient/{settings.own_patient}", f"Patient/{settings.other_patient}"
    # What decides is the patient's record that a resource ends up in, not whether one's own is among them.
    planted = [
        observation(settings.other_patient, performer=[{"reference": own}]),
        observation(settings.own_patient, performer=[{"reference": other}]),
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"reference": other},
            "recorder": {"reference": own},
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
            "code": {"text": MARK},
        },
        {
            "resourceType": "Appointment",
            "status": "proposed",
            "participant": [{"actor": {"reference": each}, "status": "needs-action"} for each in (own, other)],
        },
    ]
    with unchanged(context):
        for resource in planted:
            expect_refused(api.send("POST", resource["resourceType"], resource))


@checks("escalation_write_move", "A resource of one's own cannot be moved into another patient's record.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(WRITES), context.configuration.other_patient
    with unchanged(context), own_observation(context) as made:
        expect_refused(api.send("PUT", f"Observation/{made['id']}", {**observation(other), "id": made["id"]}))
        both = observation(context.configuration.own_patient, performer=[{"reference": f"Patient/{other}"}])
        expect_refused(api.send("PUT", f"Observation/{made['id']}", {**both, "id": made["id"]}))
        still = api.resource(f"Observation/{made['id']}")
        expect(still["meta"]["versionId"] == made["meta"]["versionId"], "The resource has changed all the same.")


@checks("escalation_write_take_over", "Another patient's resource can be neither replaced nor deleted.", SCOPES)
def _(context: SmartContext) -> None:
    api, own = context.as_patient(WRITES), context.configuration.own_patient
    theirs = context.as_practitioner().found(f"Observation?patient={context.configuration.other_patient}&_count=1")[0]
    with unchanged(context):
        path = f"Observation/{theirs['id']}"
        expect_refused(api.send("PUT", path, {**observation(own), "id": theirs["id"]}), 403, 404)
        hidden, missing = api.request("DELETE", path), api.request("DELETE", "Observation/no-such-resource")
        expect(hidden.status_code == missing.status_code, f"{said(hidden)}, and {said(missing)}.")
        expect(hidden.headers.get("etag") == missing.headers.get("etag"), "The ETag tells that there is something.")
        other = context.as_practitioner().resource(f"Patient/{context.configuration.other_patient}")
        expect_refused(api.send("PUT", f"Patient/{other['id']}", {**other, "active": False}), 403, 404)


@checks("escalation_write_patch", "A patch neither reaches nor moves what may not be written.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(WRITES), context.configuration.other_patient
    theirs = context.as_practitioner().found(f"Observation?patient={other}&_count=1")[0]
    note = {"op": "add", "path": "/language", "value": "en"}
    move = {"op": "replace", "path": "/subject", "value": {"reference": f"Patient/{other}"}}
    with unchanged(context), own_observation(context) as made:
        path = f"Observation/{made['id']}"
        if _patched(api, path, note).status_code in (405, 415, 501):
            raise Skip("The server takes no JSON Patch.")
        expect_refused(_patched(api, path, move))
        hidden, missing = _patched(api, f"Observation/{theirs['id']}", note), _patched(api, "Observation/none", note)
        expect(hidden.status_code == missing.status_code == 404, f"{said(hidden)}, and {said(missing)}.")
        expect_refused(_patched(context.as_patient(READS), path, note))
        answer = _patched(context.as_patient("launch/patient patient/Observation.u"), path, note)
        expect(answer.status_code == 200 and MARK not in answer.text, f"{said(answer)} with what may not be read.")


def _patched(api: Api, path: str, step: dict[str, Any]) -> httpx.Response:
    headers = {"Content-Type": "application/json-patch+json"}
    return api.request("PATCH", path, content=json.dumps([step]), headers=headers)


@checks("escalation_write_new_patient", "A patient can make no other patients, by create or by update.", SCOPES)
def _(context: SmartContext) -> None:
    settings, api = context.configuration, context.as_patient(WRITES)
    linked = {
        "resourceType": "Patient",
        "link": [{"other": {"reference": f"Patient/{settings.own_patient}"}, "type": "seealso"}],
    }
    made = [
        api.send("POST", "Patient", linked),
        api.send("PUT", "Patient/conformance-new", {**linked, "id": "conformance-new"}),
        api.send("PUT", "Patient?_id=conformance-new", {**linked, "id": "conformance-new"}),
    ]
    for answer in made:
        if answer.status_code in (200, 201):
            context.as_practitioner().request("DELETE", f"Patient/{answer.json()['id']}")
    for answer in made:
        expect_refused(answer)


@checks("escalation_write_read_only", "What may be read is not thereby writable.", SCOPES)
def _(context: SmartContext) -> None:
    api, own = context.as_patient(READS), context.configuration.own_patient
    with own_observation(context) as made:
        path = f"Observation/{made['id']}"
        expect_refused(api.send("POST", "Observation", observation(own)))
        expect_refused(api.send("PUT", path, {**observation(own), "id": made["id"]}))
        expect_refused(api.request("DELETE", path))
        expect_refused(api.send("PUT", f"Observation?_id={made['id']}", observation(own)))
        expect_refused(api.request("DELETE", f"Observation?_id={made['id']}"))
        expect(api.get(path).status_code == 200, "The resource is gone.")


@checks("escalation_write_directory", "The directory that everybody may read is not writable for patients.", SCOPES)
def _(context: SmartContext) -> None:
    api = context.as_patient(WRITES)
    for type_name in ("Practitioner", "Organization", "Location"):
        found = context.as_practitioner().found(f"{type_name}?_count=1")
        expect_refused(api.send("POST", type_name, {"resourceType": type_name, "name": MARK}), 403, 422)
        if found:
            expect_refused(api.send("PUT", f"{type_name}/{found[0]['id']}", found[0]))
            expect_refused(api.request("DELETE", f"{type_name}/{found[0]['id']}"))


@checks("escalation_constraint_on_writes", "What a category limits is limited for writes, before and after.", SCOPES)
def _(context: SmartContext) -> None:
    system, own = "http://terminology.hl7.org/CodeSystem/observation-category", context.configuration.own_patient
    api = context.as_patient(f"launch/patient patient/Observation.cruds?category={system}|laboratory")

    def of(code: str) -> dict[str, Any]:
        return observation(own, category=[{"coding": [{"system": system, "code": code}]}])

    expect_refused(api.send("POST", "Observation", of("vital-signs")))
    made = resource_of(api.send("POST", "Observation", of("laboratory")))
    path = f"Observation/{made['id']}"
    try:
        expect_refused(api.send("PUT", path, {**of("vital-signs"), "id": made["id"]}))
        as_practitioner: Api = context.as_practitioner()
        resource_of(as_practitioner.send("PUT", path, {**of("vital-signs"), "id": made["id"]}))
        expect_refused(api.send("PUT", path, {**of("laboratory"), "id": made["id"]}), 403, 404)
        api.request("DELETE", path)
        expect(path in keys_of([as_practitioner.resource(path)]), "What is outside of the category was deleted.")
    finally:
        context.as_practitioner().request("DELETE", path)
