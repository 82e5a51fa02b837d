"""Updating resources: new versions, ids that must agree, labels that are kept, and creation under a chosen id."""

from __future__ import annotations

from typing import Any

from conformance.answers import expect_status, instant, let_time_pass, location_of, refused, version_of
from conformance.api import resource_of
from conformance.check import Checks, Skip, expect
from conformance.claims import DELETES, UPDATE_CREATES, UPDATES
from conformance.clauses import HTTP, PREFER, RESOURCE, UPDATE, UPSERT
from conformance.rest_context import RestContext
from conformance.samples import new_id, of_each_type, sample
from conformance.statement import of_type

checks = Checks("REST: update")


def created(context: RestContext, **members: Any) -> dict[str, Any]:
    """A new Patient, as the server has it."""
    return context.records.create(sample(context, **members))


def changed(resource: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The resource with other members, without its meta."""
    merged = {**resource, **members}
    return {name: value for name, value in merged.items() if name != "meta" and value is not None}


@of_each_type(
    checks,
    "rest.update_makes_version",
    "An update of {type} answers 200, and leaves a new version with the new content.",
    UPDATE,
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    made = context.records.create(sample(context, type_name))
    answer = expect_status(context.records.put(changed(made, language="de")), 200)
    found = context.api.resource(f"{type_name}/{made['id']}")
    expect(
        found.get("language") == "de", f"After the update language is {found.get('language')!r}, where 'de' was sent."
    )
    before, after = made["meta"].get("versionId"), found["meta"].get("versionId")
    expect(before != after, f"The version is {after!r} before and after the update.")
    if "ETag" in answer.headers:
        expect(version_of(answer) == after, f"The ETag of the update is not its version {after}.")
    else:
        context.notes.append("The answer has no ETag, which it should have.")


@checks("rest.update_moves_last_updated", "An update moves meta.lastUpdated on.", f"{RESOURCE}#Meta", UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    let_time_pass(made)
    expect_status(context.records.put(changed(made, language="de")), 200)
    after = context.api.resource(f"Patient/{made['id']}")
    expect(
        instant(after["meta"].get("lastUpdated")) >= instant(made["meta"].get("lastUpdated"))
        and after["meta"]["lastUpdated"] != made["meta"]["lastUpdated"],
        f"lastUpdated was {made['meta']['lastUpdated']} and is {after['meta']['lastUpdated']}.",
    )


@checks("rest.update_replaces_everything", "An update takes away the elements that it does not have.", UPDATE, UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    expect_status(context.records.put(changed(made, birthDate=None, name=None)), 200)
    found = context.api.resource(f"Patient/{made['id']}")
    left = [name for name in ("birthDate", "name") if name in found]
    expect(not left, f"Still there: {', '.join(left)}.")


@checks(
    "rest.update_ignores_client_version", "An update's versionId and lastUpdated are the server's.", UPDATE, UPDATES
)
def _(context: RestContext) -> None:
    made = created(context)
    meta = {"versionId": "77-of-client", "lastUpdated": "1999-01-01T00:00:00Z"}
    expect_status(context.records.put({**changed(made, language="de"), "meta": meta}), 200)
    found = context.api.resource(f"Patient/{made['id']}")["meta"]
    expect(found.get("versionId") != "77-of-client", "The client's versionId was kept.")
    expect(instant(found.get("lastUpdated")).year > 1999, "The client's lastUpdated was kept.")


@checks(
    "rest.update_id_mismatch",
    "An update whose body has another id than its address is refused with 400.",
    UPDATE,
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    refused(context.api.send("PUT", f"Patient/{made['id']}", changed(made, id=new_id(context))), 400)


@checks("rest.update_id_missing", "An update whose body has no id is refused with 400.", UPDATE, UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    refused(context.api.send("PUT", f"Patient/{made['id']}", changed(made, id=None, language="de")), 400)
    expect(
        context.api.resource(f"Patient/{made['id']}")["meta"]["versionId"] == made["meta"]["versionId"],
        "It was updated.",
    )


@checks(
    "rest.update_type_mismatch",
    "An update whose body is of another type than its address is refused with 400.",
    UPDATE,
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    body = {"resourceType": "Basic", "id": made["id"], "code": {"text": "No Patient"}}
    refused(context.api.send("PUT", f"Patient/{made['id']}", body), 400, 422)


@checks("rest.update_invalid_changes_nothing", "A refused update changes nothing.", UPDATE, UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    refused(context.api.send("PUT", f"Patient/{made['id']}", changed(made, birthDate="yesterday")), 400, 422)
    after = context.api.resource(f"Patient/{made['id']}")
    expect(after == made, "The resource is not what it was before the refused update.")


TAG = {"system": "urn:conformance-kit:tag", "code": "label"}
SECURITY = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


@checks(
    "rest.update_adds_tags",
    "Tags and security labels that an update sends are there after it.",
    f"{RESOURCE}#tag-updates",
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    labels = {"tag": [TAG], "security": [SECURITY]}
    expect_status(context.records.put({**changed(made, language="de"), "meta": labels}), 200)
    found = context.api.resource(f"Patient/{made['id']}")["meta"]
    expect(TAG in found.get("tag", []), "The tag is not there.")
    expect(SECURITY in found.get("security", []), "The security label is not there.")


@checks(
    "rest.update_without_tags",
    "An update that sends no security labels is done, and most servers keep those that are there.",
    f"{RESOURCE}#tag-updates",
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context, meta={"security": [SECURITY]})
    expect_status(context.records.put(changed(made, language="de")), 200)
    if SECURITY not in context.api.resource(f"Patient/{made['id']}")["meta"].get("security", []):
        context.notes.append(
            "An update without security labels takes those away that are there; servers mostly keep them."
        )


@checks("rest.update_without_change", "An update that changes nothing is answered 200.", UPDATE, UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    expect_status(context.records.put(changed(made)), 200)
    after = context.api.resource(f"Patient/{made['id']}")
    expect(changed(after) == changed(made), "The content changed.")


@of_each_type(
    checks,
    "rest.update_as_create",
    "An update of {type} under a new id is kept as claimed: 201, or refused with 404 or 405.",
    UPSERT,
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    logical_id = new_id(context)
    answer = context.records.put(sample(context, type_name, id=logical_id))
    if not of_type(type_name, "updateCreate", True).holds(context.statement):
        expect_status(answer, 201, 400, 403, 404, 405, 409, 422)
        if answer.status_code == 201:
            context.notes.append(f"The server could claim updateCreate of {type_name}.")
        return
    expect_status(answer, 201)
    expect(location_of(answer, type_name)[0] == logical_id, "The Location names another id.")
    expect(context.api.resource(f"{type_name}/{logical_id}").get("id") == logical_id, "It has another id.")


@checks(
    "rest.update_brings_back",
    "An update of a deleted resource brings it back, as a newer version.",
    UPSERT,
    UPDATE_CREATES,
    DELETES,
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    expect_status(context.api.request("DELETE", path), 200, 202, 204)
    expect_status(context.records.put(changed(made, language="de")), 201, 200)
    found = context.api.resource(path)
    expect(found.get("language") == "de", "What is read is not what was brought back.")
    expect(
        found["meta"].get("versionId") != made["meta"].get("versionId"), "It has the version number that it had before."
    )


@checks("rest.update_bad_id", "An update to an id that FHIR does not allow is refused.", f"{HTTP}#general", UPDATES)
def _(context: RestContext) -> None:
    for bad in ("with_underscore", "x" * 65):
        answer = context.api.send("PUT", f"Patient/{bad}", context.records.tagged(sample(context, id=bad)))
        if answer.status_code in (200, 201):
            context.records.note(f"Patient/{bad}")
        refused(answer, 400, 404, 405, 422)


@checks(
    "rest.update_return_minimal",
    "Prefer: return=minimal of an update is answered 200 or 204 without the resource.",
    PREFER,
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    answer = expect_status(context.records.put(changed(made, language="de"), Prefer="return=minimal"), 200, 204)
    if answer.content:
        context.notes.append("The answer has a body, though a minimal one was preferred.")


@checks(
    "rest.update_return_representation",
    "Prefer: return=representation of an update is answered with the new version.",
    PREFER,
    UPDATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    answer = expect_status(context.records.put(changed(made, language="de"), Prefer="return=representation"), 200)
    found = resource_of(answer)
    expect(found.get("language") == "de", "The resource in the answer is not the one that was sent.")
    expect(found["meta"].get("versionId") != made["meta"].get("versionId"), "It has the old version number.")


@checks("rest.update_needs_body", "An update without a body is refused with 400.", UPDATE, UPDATES)
def _(context: RestContext) -> None:
    made = created(context)
    answer = context.api.request("PUT", f"Patient/{made['id']}", headers={"Content-Type": "application/fhir+json"})
    if answer.status_code == 411:
        raise Skip("The server asks for the length of a body.")
    refused(answer, 400, 415, 422)
