"""Escalation by Bundles and conditions: each entry, and each condition, is held to what the token allows.

https://hl7.org/fhir/R4/http.html#transaction and https://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api, resource_of, said
from conformance.check import Checks, expect
from conformance.smart.clauses import SCOPES
from conformance.smart.context import SmartContext
from conformance.smart.escalation_write import MARK, WRITES, expect_refused, observation, own_observation, unchanged

checks = Checks("Escalation by Bundles and conditions")

SEARCH_ONLY = "launch/patient patient/Observation.s"
CREATE_ONLY = "launch/patient patient/Observation.c"


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **request: str) -> dict[str, Any]:
    """An entry of a request Bundle."""
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return made if resource is None else {**made, "resource": resource}


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    """A request Bundle."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def statuses(api: Api, *entries: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of the answer to a batch. Raises a Failure."""
    answer = resource_of(api.send("POST", "", bundle("batch", *entries)))
    return list(answer.get("entry", []))


def _status(answered: dict[str, Any]) -> int:
    return int(str(answered["response"]["status"])[:3])


@checks("escalation_batch_read", "Entries that read see no more than a read would.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(WRITES), context.configuration.other_patient
    theirs = context.as_practitioner().found(f"Observation?patient={other}&_count=1")[0]
    answered = statuses(
        api,
        entry("GET", f"Patient/{other}"),
        entry("GET", f"Observation/{theirs['id']}"),
        entry("GET", f"Observation/{theirs['id']}/_history/1"),
        entry("GET", f"Observation?patient={other}"),
        entry("GET", f"Patient/{other}/Observation"),
        entry("GET", f"Patient?_id={other}&_revinclude=Observation:subject"),
    )
    for each in answered[:3]:
        expect(_status(each) == 404, f"An entry that reads another patient's resource was answered {_status(each)}.")
    for each in answered[3:]:
        found = each.get("resource", {}).get("entry", [])
        expect(_status(each) in (200, 403, 404) and not found, f"An entry that searches found {len(found)} resources.")


@checks("escalation_batch_write", "Entries that write write no more than a write would.", SCOPES)
def _(context: SmartContext) -> None:
    api, settings = context.as_patient(WRITES), context.configuration
    theirs = context.as_practitioner().found(f"Observation?patient={settings.other_patient}&_count=1")[0]
    with unchanged(context):
        answered = statuses(
            api,
            entry("POST", "Observation", observation(settings.other_patient)),
            entry("PUT", f"Observation/{theirs['id']}", {**observation(settings.own_patient), "id": theirs["id"]}),
            entry(
                "PUT", "Observation/conformance-new", {**observation(settings.other_patient), "id": "conformance-new"}
            ),
        )
        for each in answered:
            expect(_status(each) in (403, 404), f"An entry was answered {_status(each)}.")
        statuses(api, entry("DELETE", f"Observation/{theirs['id']}"))


@checks("escalation_transaction", "A transaction with one entry that is not allowed is refused as a whole.", SCOPES)
def _(context: SmartContext) -> None:
    api, settings = context.as_patient(WRITES), context.configuration
    good = entry("POST", "Observation", observation(settings.own_patient))
    theirs = context.as_practitioner().found(f"Observation?patient={settings.other_patient}&_count=1")[0]
    before = len(api.found(f"Observation?code=urn:conformance|{MARK}"))
    with unchanged(context):
        for bad in (
            entry("POST", "Observation", observation(settings.other_patient)),
            entry("PUT", f"Observation/{theirs['id']}", {**observation(settings.own_patient), "id": theirs["id"]}),
            entry("GET", f"Observation/{theirs['id']}"),
            entry("POST", "Practitioner", {"resourceType": "Practitioner"}),
        ):
            expect_refused(api.send("POST", "", bundle("transaction", good, bad)), 403, 404)
    after = len(api.found(f"Observation?code=urn:conformance|{MARK}"))
    expect(before == after, "An entry of a refused transaction was carried out.")


@checks("escalation_transaction_deletion", "A transaction does not tell a hidden resource from a missing one.", SCOPES)
def _(context: SmartContext) -> None:
    api, practitioner = context.as_patient(WRITES), context.as_practitioner()
    gone = resource_of(practitioner.send("POST", "Observation", observation(context.configuration.other_patient)))
    practitioner.request("DELETE", f"Observation/{gone['id']}")
    told = []
    for logical_id in (gone["id"], "no-such-resource"):
        answer = resource_of(api.send("POST", "", bundle("transaction", entry("DELETE", f"Observation/{logical_id}"))))
        told.append(answer["entry"][0]["response"])
    for each in told:
        each.pop("outcome", None)
    expect(told[0] == told[1], f"A deleted resource of another patient is answered {told[0]}, a missing one {told[1]}.")


@checks("escalation_links_between_entries", "Links within a transaction lead into no other record.", SCOPES)
def _(context: SmartContext) -> None:
    api, other = context.as_patient(WRITES), context.configuration.other_patient
    conditional = observation(other, subject={"reference": f"Patient?_id={other}"})
    with unchanged(context):
        for kind in ("transaction", "batch"):
            answer = api.send("POST", "", bundle(kind, entry("POST", "Observation", conditional)))
            if kind == "transaction":
                expect_refused(answer, 400, 403, 404, 412)
            else:
                expect(_status(resource_of(answer)["entry"][0]) in (400, 403, 404, 412), "The entry was carried out.")


@checks("escalation_conditional_create", "A condition finds only what may be seen.", SCOPES)
def _(context: SmartContext) -> None:
    api, settings = context.as_patient(WRITES), context.configuration
    theirs = context.as_practitioner().found(f"Observation?patient={settings.other_patient}&_count=1")[0]
    body = observation(settings.own_patient)
    for condition in (f"_id={theirs['id']}", f"subject=Patient/{settings.other_patient}&_id={theirs['id']}"):
        answer = api.send("POST", "Observation", body, If_None_Exist=condition)
        made = resource_of(answer)
        context.as_practitioner().request("DELETE", f"Observation/{made['id']}")
        expect(made["id"] != theirs["id"], "The condition found another patient's resource.")
        expect(answer.status_code == 201, f"{said(answer)}, which tells that the condition found something.")
    refused = context.as_patient(CREATE_ONLY).send("POST", "Observation", body, If_None_Exist="status=final")
    expect_refused(refused)


@checks("escalation_conditional_update", "A conditional update neither finds nor moves what it may not.", SCOPES)
def _(context: SmartContext) -> None:
    api, settings = context.as_patient(WRITES), context.configuration
    theirs = context.as_practitioner().found(f"Observation?patient={settings.other_patient}&_count=1")[0]
    with unchanged(context), own_observation(context) as made:
        expect_refused(api.send("PUT", f"Observation?_id={made['id']}", observation(settings.other_patient)))
        taken = api.send("PUT", f"Observation?_id={theirs['id']}", observation(settings.own_patient))
        if taken.status_code == 201:
            context.as_practitioner().request("DELETE", f"Observation/{taken.json()['id']}")
        expect(taken.status_code != 200, "It replaced another patient's resource.")
        named = {**observation(settings.own_patient), "id": theirs["id"]}
        expect_refused(api.send("PUT", f"Observation?_id={theirs['id']}", named), 400, 403, 404, 409, 412)
        expect_refused(
            context.as_patient(SEARCH_ONLY).send("PUT", "Observation?status=final", observation(settings.own_patient))
        )


@checks("escalation_conditional_delete", "A conditional delete deletes only what it may.", SCOPES)
def _(context: SmartContext) -> None:
    api, settings = context.as_patient(WRITES), context.configuration
    theirs = context.as_practitioner().found(f"Observation?patient={settings.other_patient}&_count=1")[0]
    with unchanged(context):
        hidden = api.request("DELETE", f"Observation?_id={theirs['id']}")
        missing = api.request("DELETE", "Observation?_id=no-such-resource")
        expect(hidden.status_code == missing.status_code, f"{said(hidden)}, and {said(missing)}.")
        expect_refused(context.as_patient(SEARCH_ONLY).request("DELETE", f"Observation?_id={theirs['id']}"))
    by_type = api.request("DELETE", "Practitioner?_id=no-such-resource")
    expect_refused(by_type)
