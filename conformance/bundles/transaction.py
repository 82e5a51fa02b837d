"""Transactions: every entry done, in the order that FHIR says."""

from __future__ import annotations

import base64
import json

from conformance.answers import expect_status
from conformance.bundles.posting import (
    creating,
    done,
    entry,
    expect_statuses,
    made_path,
    tagged,
)
from conformance.check import Checks, expect
from conformance.claims import TRANSACTIONS
from conformance.clauses import TRANSACTION, TRANSACTION_RESPONSE, TRANSACTION_RULES
from conformance.rest.updating import changed, created
from conformance.rest_context import RestContext
from conformance.statement import interaction, patch_format

checks = Checks("Bundles: transaction")


@checks("bundles.transaction_all", "A transaction does all of its entries.", TRANSACTION_RULES, TRANSACTIONS)
def _(context: RestContext) -> None:
    updated, gone = created(context), created(context)
    answered = done(
        context,
        "transaction",
        [
            creating(tagged(context)),
            entry("PUT", f"Patient/{updated['id']}", context.records.tagged(changed(updated, language="de"))),
            entry("DELETE", f"Patient/{gone['id']}"),
        ],
    )
    expect_statuses(answered, (201,), (200,), (200, 204))
    expect_status(context.api.get(made_path(answered[0])), 200)
    expect(context.api.resource(f"Patient/{updated['id']}").get("language") == "de", "The update was not made.")
    expect_status(context.api.get(f"Patient/{gone['id']}"), 410, 404)


@checks(
    "bundles.answers_in_order",
    "The answer to a transaction has its entries in the order of the request.",
    TRANSACTION_RESPONSE,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    read, gone = created(context), created(context)
    updated = created(context)
    answered = done(
        context,
        "transaction",
        [
            entry("GET", f"Patient/{read['id']}"),
            entry("PUT", f"Patient/{updated['id']}", context.records.tagged(changed(updated, language="de"))),
            creating(tagged(context)),
            entry("DELETE", f"Patient/{gone['id']}"),
        ],
    )
    expect_statuses(answered, (200,), (200,), (201,), (200, 204))
    expect(answered[0].get("resource", {}).get("id") == read["id"], "The first answer is not to the read.")


@checks(
    "bundles.reads_come_last",
    "Reads come after the writes: they show what the transaction wrote.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    body = context.records.tagged(changed(made, language="de"))
    answered = done(context, "transaction", [entry("GET", path), entry("PUT", path, body)])
    expect(answered[0].get("resource", {}).get("language") == "de", "The read shows the state before the update.")


@checks(
    "bundles.transaction_if_match",
    "An entry with ifMatch of the current version is done.",
    TRANSACTION_RULES,
    TRANSACTIONS,
)
def _(context: RestContext) -> None:
    made = created(context)
    body = context.records.tagged(changed(made, language="de"))
    current = f'W/"{made["meta"]["versionId"]}"'
    expect_statuses(
        done(context, "transaction", [entry("PUT", f"Patient/{made['id']}", body, ifMatch=current)]), (200,)
    )


@checks(
    "bundles.json_patch_in_transaction",
    "A JSON Patch in a transaction is a Binary, and is done.",
    TRANSACTION,
    TRANSACTIONS,
    interaction("patch", "Patient"),
    patch_format("application/json-patch+json"),
)
def _(context: RestContext) -> None:
    made = created(context)
    operations = [{"op": "replace", "path": "/language", "value": "de"}]
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    expect_statuses(done(context, "transaction", [entry("PATCH", f"Patient/{made['id']}", binary)]), (200,))
    expect(context.api.resource(f"Patient/{made['id']}").get("language") == "de", "The patch was not made.")


@checks(
    "bundles.fhirpath_patch_in_transaction",
    "A FHIRPath Patch in a transaction is a Parameters resource, and is done.",
    TRANSACTION,
    TRANSACTIONS,
    interaction("patch", "Patient"),
    patch_format("application/fhir+json"),
)
def _(context: RestContext) -> None:
    made = created(context)
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.language"},
        {"name": "value", "valueCode": "de"},
    ]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    expect_statuses(done(context, "transaction", [entry("PATCH", f"Patient/{made['id']}", patch)]), (200,))
    expect(context.api.resource(f"Patient/{made['id']}").get("language") == "de", "The patch was not made.")
