"""Deleting resources."""

from __future__ import annotations

from conformance.answers import bundle_of, eventually, expect_status
from conformance.check import Checks, expect
from conformance.claims import DELETES, UPDATE_CREATES
from conformance.clauses import DELETE
from conformance.rest.updating import changed, created
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, of_each_type, sample
from conformance.statement import search_parameter

checks = Checks("REST: delete")
DONE = (200, 202, 204)


@of_each_type(checks, "rest.delete_takes_away", "A deleted {type} cannot be read any more.", DELETE, "delete", "read")
def _(context: RestContext, type_name: str) -> None:
    made = context.records.create(sample(context, type_name))
    path = f"{type_name}/{made['id']}"
    answer = expect_status(context.api.request("DELETE", path), *DONE)
    expect(answer.status_code != 204 or not answer.content, "The 204 has a body.")
    expect_status(context.api.get(path), 410, 404)


@checks("rest.delete_twice", "Deleting what is deleted is no error.", DELETE, DELETES)
def _(context: RestContext) -> None:
    path = f"Patient/{created(context)['id']}"
    for _ in range(2):
        expect_status(context.api.request("DELETE", path), *DONE)


@checks("rest.delete_unknown", "Deleting what there never was is no error of the server.", DELETE, DELETES)
def _(context: RestContext) -> None:
    answer = context.api.request("DELETE", f"Patient/{context.records.text('none-')}")
    expect_status(answer, *DONE, 404)


@checks(
    "rest.delete_hides_from_search",
    "What is deleted is not found by a search.",
    DELETE,
    DELETES,
    search_parameter("Patient", "identifier"),
)
def _(context: RestContext) -> None:
    made = created(context)
    query = f"Patient?{identifier_of(made)}"

    def found(number: int) -> None:
        entries = bundle_of(context.api.get(query), "searchset").get("entry", [])
        count = len([each for each in entries if each.get("search", {}).get("mode") != "outcome"])
        expect(count == number, f"The search finds {count}, where {number} was expected.")

    eventually(context, lambda: found(1))
    expect_status(context.api.request("DELETE", f"Patient/{made['id']}"), *DONE)
    eventually(context, lambda: found(0))


@checks("rest.delete_of_one_only", "A deletion takes away one resource, and no other.", DELETE, DELETES)
def _(context: RestContext) -> None:
    gone, stays = created(context), created(context)
    expect_status(context.api.request("DELETE", f"Patient/{gone['id']}"), *DONE)
    expect(context.api.resource(f"Patient/{stays['id']}") == stays, "Another resource was changed.")


@checks(
    "rest.delete_and_create_again",
    "Under the id of what was deleted, an update makes a resource again.",
    DELETE,
    DELETES,
    UPDATE_CREATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    for language in ("de", "fr"):
        expect_status(context.api.request("DELETE", path), *DONE)
        expect_status(context.records.put(changed(made, language=language)), 201, 200)
        expect(context.api.resource(path).get("language") == language, "What is read is not what was sent last.")
