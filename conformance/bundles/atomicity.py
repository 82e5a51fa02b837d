"""All or nothing: a transaction that cannot be done leaves no trace."""

from __future__ import annotations

import json
from typing import Any

from conformance.answers import REFUSED, expect_status, refused
from conformance.api import json_of
from conformance.bundles.posting import (
    creating,
    entry,
    expect_nothing_made,
    expect_statuses,
    made_path,
    post,
    tagged,
)
from conformance.check import Checks, expect
from conformance.claims import CONDITIONAL_CREATES, CONDITIONAL_UPDATES, TRANSACTIONS
from conformance.clauses import TRANSACTION_RESPONSE, TRANSACTION_RULES
from conformance.conditions import condition_of, made_twice
from conformance.rest.updating import changed, created
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, sample
from conformance.statement import interaction

checks = Checks("Bundles: all or nothing")


def _nothing(context: RestContext, *failing: dict[str, Any]) -> None:
    """That a transaction with entries that cannot be done leaves no trace of its other entries."""
    resource, there = tagged(context), created(context)
    gone = created(context)
    body = context.records.tagged(changed(there, language="de"))
    others = [
        creating(resource),
        entry("PUT", f"Patient/{there['id']}", body),
        entry("DELETE", f"Patient/{gone['id']}"),
    ]
    refused(post(context, "transaction", [*others, *failing]), *REFUSED)
    expect_nothing_made(context, resource)
    expect(context.api.resource(f"Patient/{there['id']}") == there, "An update of a refused transaction was made.")
    expect(context.api.resource(f"Patient/{gone['id']}") == gone, "A deletion of a refused transaction was made.")


@checks(
    "bundles.nothing_on_invalid_resource",
    "A transaction with an invalid resource changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    _nothing(context, creating(tagged(context, birthDate="yesterday")))


@checks(
    "bundles.nothing_on_failed_precondition",
    "A transaction with a failed ifMatch changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    made = created(context)
    expect_status(context.records.put(changed(made, language="de")), 200)
    body = context.records.tagged(changed(made, language="fr"))
    stale = f'W/"{made["meta"]["versionId"]}"'
    _nothing(context, entry("PUT", f"Patient/{made['id']}", body, ifMatch=stale))


@checks(
    "bundles.nothing_on_several_matches",
    "A transaction with a conditional update that several match changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    resource, condition = made_twice(context)
    _nothing(context, entry("PUT", f"Patient?{condition}", context.records.tagged({**resource, "language": "de"})))


@checks(
    "bundles.nothing_on_several_if_none_exist",
    "A transaction with an ifNoneExist that several match changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    resource, condition = made_twice(context)
    _nothing(context, creating(context.records.tagged(resource), ifNoneExist=condition))


@checks(
    "bundles.nothing_on_unresolved_condition",
    "A transaction with a conditional reference that nothing matches changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    interaction("create", "Observation"),
)
def _(context: RestContext) -> None:
    unknown = {"reference": f"Patient?{identifier_of(sample(context))}"}
    _nothing(context, creating(tagged(context, "Observation", subject=unknown)))


@checks(
    "bundles.nothing_on_missing_read",
    "A transaction that updates under a bad id changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    _nothing(context, entry("PUT", "Patient/not_an_id", tagged(context, id="not_an_id")))


@checks(
    "bundles.nothing_on_unknown_type",
    "A transaction with a type that FHIR does not have changes nothing.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    _nothing(context, entry("POST", "Teapot", {"resourceType": "Teapot"}))


@checks(
    "bundles.same_resource_twice",
    "A transaction that changes a resource twice is refused.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    bodies = [context.records.tagged(changed(made, language=language)) for language in ("de", "fr")]
    refused(post(context, "transaction", [entry("PUT", path, body) for body in bodies]), 400, 409, 412, 422)
    refused(post(context, "transaction", [entry("PUT", path, bodies[0]), entry("DELETE", path)]), 400, 409, 412, 422)
    expect(context.api.resource(path) == made, "It was changed.")


@checks(
    "bundles.deleted_counts_no_more",
    "What a transaction deletes does not stand for what its ifNoneExist asks for: it is made anew, or all is refused.",
    TRANSACTION_RULES,
    TRANSACTIONS,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    condition = condition_of(context, made)
    fresh = context.records.tagged(changed(made, id=None))
    path = f"Patient/{made['id']}"
    answer = post(context, "transaction", [creating(fresh, ifNoneExist=condition), entry("DELETE", path)])
    if answer.status_code == 200:
        answered = json_of(answer).get("entry", [])
        expect_statuses(answered, (201,), (200, 204))
        expect(made_path(answered[0]) != path, "It was not made anew.")
        return
    refused(answer, *REFUSED)
    expect(context.api.resource(path) == made, "It was deleted all the same.")


@checks(
    "bundles.transaction_names_the_fault",
    "The OperationOutcome of a refused transaction says which entry is wrong.",
    TRANSACTION_RESPONSE,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    entries = [creating(tagged(context)), creating(tagged(context, birthDate="yesterday"))]
    outcome = refused(post(context, "transaction", entries), *REFUSED)
    text = json.dumps(outcome)
    if not ("entry[1]" in text or "birthDate" in text):
        context.notes.append("The OperationOutcome names neither the entry nor the element.")
