"""Wrong resources: refused, and the OperationOutcome says where."""

from __future__ import annotations

import json
from typing import Any

from conformance.answers import refused
from conformance.check import Checks, expect
from conformance.clauses import JSON, OUTCOME, R4, RESOURCE
from conformance.errors.cases import CASES, Wrong, text_of
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.statement import interaction

checks = Checks("Errors: content")
INVALID = (400, 422)


def refused_alone(context: RestContext, text: str, *statuses: int, type_name: str = "Patient") -> dict[str, Any]:
    """The OperationOutcome of the refusal of a wrong resource, by a server that takes a right one. Raises a Failure."""
    context.shared(f"errors.right.{type_name}", lambda it: it.records.create(sample(it, type_name)))
    return refused(context.records.post_text(type_name, text), *(statuses or INVALID))


def _content_check(wrong: Wrong) -> None:
    @checks(
        f"errors.{wrong.name}",
        f"A {wrong.type_name} {wrong.words} is refused with 400 or 422, and the place is named.",
        wrong.clause,
        interaction("create", wrong.type_name),
    )
    def _(context: RestContext) -> None:
        outcome = refused_alone(context, text_of(context, wrong), type_name=wrong.type_name)
        if wrong.element not in json.dumps(outcome):
            context.notes.append(f"The OperationOutcome says nowhere that it is about {wrong.element}.")


for _wrong in CASES:
    _content_check(_wrong)


@checks("errors.duplicate_key", "JSON that has a key twice is refused.", f"{JSON}", interaction("create", "Patient"))
def _(context: RestContext) -> None:
    body = json.dumps(context.records.tagged(sample(context)))
    refused_alone(context, f'{body[:-1]}, "birthDate": "1980-01-01"}}')


@checks("errors.no_resource_type", "JSON without resourceType is refused.", f"{JSON}", interaction("create", "Patient"))
def _(context: RestContext) -> None:
    refused_alone(context, '{"active": true}')


@checks(
    "errors.unknown_resource_type",
    "A resource of a type that FHIR does not have is refused.",
    RESOURCE,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    refused_alone(context, '{"resourceType": "Teapot"}')


@checks(
    "errors.other_resource_type",
    "A resource of another type than its address is refused.",
    f"{R4}/http.html#create",
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    refused_alone(context, json.dumps(sample(context, "Observation")))


@checks("errors.no_object", "JSON that is no object is refused.", JSON, interaction("create", "Patient"))
def _(context: RestContext) -> None:
    for body in ("[]", "7", '"Patient"', "null", "true"):
        refused_alone(context, body)


@checks(
    "errors.deep_nesting",
    "JSON of a thousand levels is refused, and no error of the server.",
    JSON,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    body = '{"resourceType":"Patient","extension":' + '[{"url":"x","extension":' * 1000 + "[]" + "}]" * 1000 + "}"
    refused_alone(context, body, 400, 413, 422)


@checks(
    "errors.expression",
    "The issue about a wrong value names its element as `expression`.",
    f"{OUTCOME}#OperationOutcome.issue.expression",
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    outcome = refused_alone(context, json.dumps(sample(context, gender="woman")))
    places = [place for issue in outcome["issue"] for place in issue.get("expression", issue.get("location", []))]
    if not places:
        context.notes.append("The OperationOutcome has no expression, which it should have.")
        return
    expect(any("gender" in place for place in places), f"The expressions are {', '.join(places)}; wrong is gender.")


@checks(
    "errors.all_faults_at_once", "Several faults of a resource are all told.", OUTCOME, interaction("create", "Patient")
)
def _(context: RestContext) -> None:
    body = json.dumps(sample(context, gender="woman", birthDate="yesterday"))
    text = json.dumps(refused_alone(context, body))
    if not ("gender" in text and "birthDate" in text):
        context.notes.append("Only one of two faults is told.")


@checks(
    "errors.invariant",
    "A resource that breaks a rule of its type is refused, or accepted with a note.",
    f"{R4}/patient.html#invs",
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    answer = context.records.post(sample(context, contact=[{"gender": "female"}]))
    if answer.status_code == 201:
        context.notes.append("A contact without any detail, against pat-1, is accepted.")
        return
    refused(answer, *INVALID)
