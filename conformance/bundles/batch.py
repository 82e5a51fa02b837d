"""Batches: each entry on its own; and what is asked of every Bundle that is posted."""

from __future__ import annotations

from conformance.answers import expect_status, refused
from conformance.api import json_of
from conformance.bundles.posting import creating, done, entry, expect_statuses, made_path, post, tagged
from conformance.check import Checks, expect
from conformance.claims import BATCHES, READS_IF_NONE_MATCH
from conformance.clauses import BATCH_RULES, PREFER, TRANSACTION, TRANSACTION_RESPONSE
from conformance.rest.updating import changed, created
from conformance.rest_context import RestContext
from conformance.samples import TYPES, identifier_of
from conformance.statement import interaction

checks = Checks("Bundles: batch")


@checks("bundles.batch_each_on_its_own", "A fault in one entry of a batch harms no other.", BATCH_RULES, BATCHES)
def _(context: RestContext) -> None:
    good, bad, last = tagged(context), tagged(context, birthDate="yesterday"), tagged(context)
    answered = done(context, "batch", [creating(good), creating(bad), creating(last)])
    expect_statuses(answered, (201,), (400, 422), (201,))
    for each in (answered[0], answered[2]):
        expect_status(context.api.get(made_path(each)), 200)


@checks(
    "bundles.batch_outcome_of_failure",
    "An entry of a batch that failed has an OperationOutcome.",
    TRANSACTION_RESPONSE,
    BATCHES,
)
def _(context: RestContext) -> None:
    answered = done(context, "batch", [entry("GET", f"Patient/{context.records.text('none-')}")])
    expect_statuses(answered, (404,))
    outcome = answered[0].get("response", {}).get("outcome") or answered[0].get("resource") or {}
    if outcome.get("resourceType") != "OperationOutcome":
        context.notes.append("A failed entry has no OperationOutcome, which it should have.")


@checks(
    "bundles.batch_every_interaction",
    "A batch creates, updates, reads and deletes, with a status for each.",
    BATCH_RULES,
    BATCHES,
)
def _(context: RestContext) -> None:
    updated, read, gone = (created(context) for _ in range(3))
    answered = done(
        context,
        "batch",
        [
            creating(tagged(context)),
            entry("PUT", f"Patient/{updated['id']}", context.records.tagged(changed(updated, language="de"))),
            entry("GET", f"Patient/{read['id']}"),
            entry("DELETE", f"Patient/{gone['id']}"),
        ],
    )
    expect_statuses(answered, (201,), (200,), (200,), (200, 204))
    expect(answered[2].get("resource", {}).get("id") == read["id"], "The entry of the read has not what was asked for.")
    expect(context.api.resource(f"Patient/{updated['id']}").get("language") == "de", "The update was not made.")
    expect_status(context.api.get(f"Patient/{gone['id']}"), 410, 404)


@checks(
    "bundles.batch_order_of_answers",
    "The answer to a batch has its entries in the order of the request.",
    TRANSACTION_RESPONSE,
    BATCHES,
)
def _(context: RestContext) -> None:
    people = [created(context) for _ in range(4)]
    answered = done(context, "batch", [entry("GET", f"Patient/{each['id']}") for each in reversed(people)])
    ids = [each.get("resource", {}).get("id") for each in answered]
    expect(ids == [each["id"] for each in reversed(people)], "The answers are in another order than the requests.")


@checks(
    "bundles.batch_if_match",
    "If-Match of an entry is heeded: an old version is refused with 412.",
    BATCH_RULES,
    BATCHES,
)
def _(context: RestContext) -> None:
    made = created(context)
    path, body = f"Patient/{made['id']}", context.records.tagged(changed(made, language="de"))
    expect_status(context.records.put(changed(made, language="fr")), 200)
    stale = f'W/"{made["meta"]["versionId"]}"'
    expect_statuses(done(context, "batch", [entry("PUT", path, body, ifMatch=stale)]), (412, 409))
    expect(context.api.resource(path).get("language") == "fr", "The update was made all the same.")


@checks(
    "bundles.batch_if_none_match",
    "ifNoneMatch of a read that has the version is answered 304.",
    TRANSACTION,
    BATCHES,
    READS_IF_NONE_MATCH,
)
def _(context: RestContext) -> None:
    made = created(context)
    known = f'W/"{made["meta"]["versionId"]}"'
    answered = done(context, "batch", [entry("GET", f"Patient/{made['id']}", ifNoneMatch=known)])
    expect_statuses(answered, (304,))
    expect("resource" not in answered[0], "The resource is there, though the client has it.")


@checks(
    "bundles.batch_response_headers",
    "Each answer to a write has location, etag and lastModified.",
    TRANSACTION_RESPONSE,
    BATCHES,
)
def _(context: RestContext) -> None:
    answered = done(context, "batch", [creating(tagged(context))])
    path = made_path(answered[0])
    response = answered[0]["response"]
    version = context.api.resource(path)["meta"]["versionId"]
    expect("etag" not in response or response["etag"] == f'W/"{version}"', f"The etag is {response.get('etag')!r}.")
    for name in ("etag", "lastModified"):
        if name not in response:
            context.notes.append(f"The answer to an entry has no {name}, which it should have.")


@checks(
    "bundles.batch_every_type",
    "A batch takes resources of every type.",
    BATCH_RULES,
    BATCHES,
    *(interaction("create", name) for name in TYPES),
)
def _(context: RestContext) -> None:
    answered = done(context, "batch", [creating(tagged(context, name)) for name in TYPES])
    for each, name in zip(answered, TYPES, strict=True):
        expect_status(context.api.get(made_path(each, name)), 200)


@checks(
    "bundles.batch_return_representation",
    "Prefer: return=representation gives the resources that a batch made.",
    PREFER,
    BATCHES,
)
def _(context: RestContext) -> None:
    resource = tagged(context)
    answered = done(context, "batch", [creating(resource)], Prefer="return=representation")
    found = answered[0].get("resource")
    if found is None:
        context.notes.append("The answer has no resources, though they were preferred.")
        return
    expect(found.get("identifier") == resource["identifier"], "The resource in the answer is another one.")


@checks("bundles.batch_unknown_method", "An entry without a method that FHIR knows is refused.", BATCH_RULES, BATCHES)
def _(context: RestContext) -> None:
    answer = post(context, "batch", [entry("FETCH", "Patient/1")])
    if answer.status_code == 200:
        expect_statuses(json_of(answer).get("entry", []), (400, 405, 422, 501))
        return
    refused(answer, 400, 422)


@checks(
    "bundles.batch_type_mismatch",
    "An entry whose resource is of another type than its url is refused.",
    BATCH_RULES,
    BATCHES,
)
def _(context: RestContext) -> None:
    resource = tagged(context)
    answered = done(context, "batch", [entry("POST", "Observation", resource)])
    expect_statuses(answered, (400, 422))
    expect(not context.api.found(f"Patient?{identifier_of(resource)}"), "It was created all the same.")


@checks(
    "bundles.wrong_bundle_type",
    "A Bundle of a type that is not processed, such as a searchset, is refused.",
    TRANSACTION,
    BATCHES,
)
def _(context: RestContext) -> None:
    for kind in ("searchset", "history", "batch-response"):
        refused(post(context, kind, []), 400, 422)


@checks("bundles.no_bundle", "What is no Bundle is refused at the base address.", TRANSACTION, BATCHES)
def _(context: RestContext) -> None:
    refused(context.api.send("POST", "", tagged(context)), 400, 404, 405, 422)
