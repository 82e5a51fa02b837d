"""`$validate`. https://hl7.org/fhir/R4/resource-operation-validate.html"""

from __future__ import annotations

from typing import Any

import httpx

from conformance.answers import REFUSED, expect_status, outcome_of
from conformance.check import Checks, expect
from conformance.clauses import R4
from conformance.operations.calling import call, parameter
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, sample
from conformance.statement import operation

checks = Checks("Operations: validate")
CLAUSE = f"{R4}/resource-operation-validate.html"
VALIDATES = operation("validate", "Patient")
PROFILE = "http://hl7.org/fhir/StructureDefinition/Patient"


def _faults(answer: httpx.Response) -> list[str]:
    """What a validation found wrong. A server may answer a bad resource with 200 or with a refusal. Raises a Failure."""
    issues = outcome_of(expect_status(answer, 200, *REFUSED))["issue"]
    return [str(each) for each in issues if each["severity"] in ("fatal", "error")]


def _expect_good(answer: httpx.Response, words: str) -> None:
    expect_status(answer, 200)
    expect(not (faults := _faults(answer)), f"{words} is found wrong: {'; '.join(faults)[:300]}")


def _expect_bad(answer: httpx.Response, words: str) -> None:
    expect(_faults(answer), f"{words} is not found wrong.")


def _resource(resource: dict[str, Any]) -> dict[str, Any]:
    return parameter("resource", "resource", resource)


def _mode(code: str) -> dict[str, Any]:
    return parameter("mode", "valueCode", code)


@checks("operations.validate_good", "A good resource is validated without an error.", CLAUSE, VALIDATES)
def _(context: RestContext) -> None:
    _expect_good(context.api.send("POST", "Patient/$validate", sample(context)), "A good Patient")
    _expect_good(call(context, "Patient/$validate", _resource(sample(context))), "A good Patient in Parameters")


@checks("operations.validate_bad", "A resource with a wrong code or element is found wrong.", CLAUSE, VALIDATES)
def _(context: RestContext) -> None:
    for members in ({"gender": "woman"}, {"shoeSize": 42}, {"birthDate": "yesterday"}, {"active": "yes"}):
        bad = sample(context, **members)
        _expect_bad(context.api.send("POST", "Patient/$validate", bad), f"A Patient with {members}")
    _expect_bad(
        call(context, "Patient/$validate", _resource(sample(context, gender="woman"))), "A bad Patient in Parameters"
    )


@checks(
    "operations.validate_invariant",
    "A resource that breaks an invariant is found wrong.",
    f"{R4}/conformance-rules.html#constraints",
    VALIDATES,
)
def _(context: RestContext) -> None:
    bad = sample(context, contact=[{"gender": "male"}])
    _expect_bad(context.api.send("POST", "Patient/$validate", bad), "A contact without details (pat-1)")


@checks(
    "operations.validate_missing",
    "A resource that lacks what is mandatory is found wrong.",
    CLAUSE,
    operation("validate", "Observation"),
)
def _(context: RestContext) -> None:
    _expect_bad(context.api.send("POST", "Observation/$validate", sample(context, "Observation", code=None)), "No code")


@checks("operations.validate_stores_nothing", "What is validated is not stored.", CLAUSE, VALIDATES)
def _(context: RestContext) -> None:
    resource = context.records.tagged(sample(context))
    for mode in ("create", "update"):
        context.api.send("POST", f"Patient/$validate?mode={mode}", resource)
        call(context, "Patient/$validate", _resource(resource), _mode(mode))
    expect(not context.api.found(f"Patient?{identifier_of(resource)}"), "A validated Patient was stored.")


@checks(
    "operations.validate_create", "`mode=create` finds a good resource good, and a bad one wrong.", CLAUSE, VALIDATES
)
def _(context: RestContext) -> None:
    _expect_good(call(context, "Patient/$validate", _resource(sample(context)), _mode("create")), "A good Patient")
    bad = sample(context, gender="woman")
    _expect_bad(call(context, "Patient/$validate", _resource(bad), _mode("create")), "A bad Patient")


@checks(
    "operations.validate_update",
    "`mode=update` of a resource finds a good change good, and a bad one wrong.",
    CLAUSE,
    VALIDATES,
)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    path = f"Patient/{made['id']}/$validate"
    _expect_good(call(context, path, _resource({**made, "active": False}), _mode("update")), "A good change")
    _expect_bad(call(context, path, _resource({**made, "gender": "woman"}), _mode("update")), "A bad change")
    expect(context.api.resource(f"Patient/{made['id']}") == made, "The validated change was stored.")


@checks("operations.validate_delete", "`mode=delete` is answered, and deletes nothing.", CLAUSE, VALIDATES)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    outcome_of(expect_status(call(context, f"Patient/{made['id']}/$validate", _mode("delete")), 200, *REFUSED))
    expect_status(context.api.get(f"Patient/{made['id']}"), 200)


@checks("operations.validate_profile", "`profile` validates by a profile that the server has.", CLAUSE, VALIDATES)
def _(context: RestContext) -> None:
    by = parameter("profile", "valueUri", PROFILE)
    _expect_good(call(context, "Patient/$validate", _resource(sample(context)), by), "A good Patient")
    bad = sample(context, gender="woman")
    _expect_bad(call(context, "Patient/$validate", _resource(bad), by), "A bad Patient")


@checks(
    "operations.validate_unknown_profile",
    "A profile that the server does not have is not passed over in silence.",
    CLAUSE,
    VALIDATES,
)
def _(context: RestContext) -> None:
    by = parameter("profile", "valueUri", f"http://example.org/{context.records.text('profile')}")
    answer = call(context, "Patient/$validate", _resource(sample(context)), by)
    issues = outcome_of(expect_status(answer, 200, *REFUSED))["issue"]
    expect(any(each["severity"] != "information" for each in issues), "Nothing says that the profile is not known.")


@checks("operations.validate_other_type", "A resource of another type is found wrong.", CLAUSE, VALIDATES)
def _(context: RestContext) -> None:
    answer = context.api.send("POST", "Patient/$validate", sample(context, "Observation"))
    _expect_bad(answer, "An Observation sent to Patient/$validate")
