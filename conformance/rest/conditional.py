"""Interactions that depend on a search: create, update and delete where none, one or several match."""

from __future__ import annotations

import secrets
from typing import Any

import httpx

from conformance.answers import eventually, expect_status, location_of, refused
from conformance.check import Checks, Failure, expect
from conformance.claims import CONDITIONAL_CREATES, CONDITIONAL_DELETES, CONDITIONAL_UPDATES
from conformance.clauses import CONDITIONAL_CREATE, CONDITIONAL_DELETE, CONDITIONAL_UPDATE
from conformance.conditions import condition_of, found_by, made_twice
from conformance.rest.updating import changed
from conformance.rest_context import RestContext
from conformance.samples import TYPES, identifier_of, new_id, sample, snake_case
from conformance.statement import interaction, of_type

checks = Checks("REST: conditional")
DONE = (200, 202, 204)


def _put(context: RestContext, condition: str, resource: dict[str, Any], **headers: str) -> httpx.Response:
    answer = context.api.send(
        "PUT", f"{resource['resourceType']}?{condition}", context.records.tagged(resource), **headers
    )
    if answer.status_code == 201:
        context.records.note(f"{resource['resourceType']}/{location_of(answer, resource['resourceType'])[0]}")
    return answer


def _create_of(type_name: str) -> None:
    @checks(
        f"rest.conditional_create_once_{snake_case(type_name)}",
        f"If-None-Exist creates {type_name} where nothing matches, and nothing where one matches.",
        CONDITIONAL_CREATE,
        interaction("create", type_name),
        of_type(type_name, "conditionalCreate", True),
    )
    def _(context: RestContext) -> None:
        resource = sample(context, type_name)
        condition = identifier_of(resource)
        first = expect_status(context.records.post(resource, If_None_Exist=condition), 201)
        condition_of(context, resource)
        second = context.records.post(resource, If_None_Exist=condition)
        expect(second.status_code != 201, "A second one was created, though one matches.")
        expect_status(second, 200)
        if "Location" in second.headers:
            expect(location_of(second, type_name)[0] == location_of(first, type_name)[0], "Location names another one.")
        expect(len(found_by(context, resource)) == 1, "There is not one in the end.")


for _type_name in TYPES:
    _create_of(_type_name)


@checks(
    "rest.conditional_create_several",
    "If-None-Exist with several matches is refused with 412.",
    CONDITIONAL_CREATE,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    resource, condition = made_twice(context)
    refused(context.records.post(resource, If_None_Exist=condition), 412)
    expect(len(found_by(context, resource)) == 2, "One was created all the same.")


@checks(
    "rest.conditional_create_changes_nothing",
    "A create that finds a match leaves it as it is.",
    CONDITIONAL_CREATE,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    condition = condition_of(context, made)
    expect_status(context.records.post(changed(made, id=None, language="de"), If_None_Exist=condition), 200)
    expect(context.api.resource(f"Patient/{made['id']}") == made, "The match was changed.")


@checks(
    "rest.conditional_create_unknown_parameter",
    "If-None-Exist with an unknown parameter is refused.",
    CONDITIONAL_CREATE,
    CONDITIONAL_CREATES,
)
def _(context: RestContext) -> None:
    answer = context.records.post(sample(context), If_None_Exist="no-such-parameter=1")
    refused(answer, 400, 412, 422)


@checks(
    "rest.conditional_update_creates",
    "A conditional update that nothing matches creates.",
    CONDITIONAL_UPDATE,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    resource = sample(context)
    answer = expect_status(_put(context, identifier_of(resource), resource), 201)
    logical_id, _version = location_of(answer, "Patient")
    found = context.api.resource(f"Patient/{logical_id}")
    expect(found.get("identifier") == resource["identifier"], "What was created is not what was sent.")


@checks(
    "rest.conditional_update_creates_under_id",
    "A conditional update that nothing matches takes the id of its body, or refuses it.",
    CONDITIONAL_UPDATE,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    resource = sample(context, id=new_id(context))
    answer = _put(context, identifier_of(resource), resource)
    if answer.status_code in (400, 404, 405, 409, 422):
        context.notes.append("An id in the body is refused, though nothing has it.")
        return
    expect(location_of(expect_status(answer, 201), "Patient")[0] == resource["id"], "It was created under another id.")


@checks(
    "rest.conditional_update_updates",
    "A conditional update with one match updates that one.",
    CONDITIONAL_UPDATE,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    condition = condition_of(context, made)
    expect_status(_put(context, condition, changed(made, id=None, language="de")), 200)
    found = context.api.resource(f"Patient/{made['id']}")
    expect(found.get("language") == "de", "The match was not updated.")
    expect(len(found_by(context, made)) == 1, "There is not one in the end.")


@checks(
    "rest.conditional_update_other_id",
    "A conditional update whose body has another id than the match is refused with 400.",
    CONDITIONAL_UPDATE,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    condition = condition_of(context, made)
    refused(_put(context, condition, changed(made, id=new_id(context))), 400, 409, 412, 422)
    expect(context.api.resource(f"Patient/{made['id']}") == made, "The match was changed.")


@checks(
    "rest.conditional_update_several",
    "A conditional update with several matches is refused with 412.",
    CONDITIONAL_UPDATE,
    CONDITIONAL_UPDATES,
)
def _(context: RestContext) -> None:
    resource, condition = made_twice(context)
    refused(_put(context, condition, {**resource, "language": "de"}), 412)
    languages = {each.get("language") for each in found_by(context, resource)}
    expect(languages == {"en"}, "One of them was updated.")


@checks(
    "rest.conditional_delete_one",
    "A conditional delete with one match deletes that one.",
    CONDITIONAL_DELETE,
    CONDITIONAL_DELETES,
)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    condition = condition_of(context, made)
    expect_status(context.api.request("DELETE", f"Patient?{condition}"), *DONE)
    expect_status(context.api.get(f"Patient/{made['id']}"), 410, 404)


@checks(
    "rest.conditional_delete_none",
    "A conditional delete that nothing matches deletes nothing.",
    CONDITIONAL_DELETE,
    CONDITIONAL_DELETES,
)
def _(context: RestContext) -> None:
    condition = identifier_of(sample(context))
    expect_status(context.api.request("DELETE", f"Patient?{condition}"), *DONE, 404)


@checks(
    "rest.conditional_delete_several",
    "A conditional delete with several matches is refused with 412, or deletes all where that is claimed.",
    CONDITIONAL_DELETE,
    CONDITIONAL_DELETES,
)
def _(context: RestContext) -> None:
    resource, condition = made_twice(context)
    answer = context.api.request("DELETE", f"Patient?{condition}")
    if of_type("Patient", "conditionalDelete", "multiple").holds(context.statement):
        expect_status(answer, *DONE)

        def gone() -> None:
            expect(not found_by(context, resource), "Some are left.")

        eventually(context, gone)
        return
    refused(answer, 412)
    expect(len(found_by(context, resource)) == 2, "Some were deleted all the same.")


@checks(
    "rest.conditional_delete_unknown_parameter",
    "A conditional delete by an unknown parameter deletes nothing.",
    CONDITIONAL_DELETE,
    CONDITIONAL_DELETES,
)
def _(context: RestContext) -> None:
    # With an _id that only one resource has, so that a server that ignores the other parameter deletes that one alone.
    made = context.records.create(sample(context))
    answer = context.api.request("DELETE", f"Patient?_id={made['id']}&no-such-parameter={secrets.token_hex(4)}")
    if expect_status(answer, 400, 404, 412, 422, *DONE).status_code in DONE:
        raise Failure("An unknown parameter was ignored, and what the rest matches was deleted.")
    expect_status(context.api.get(f"Patient/{made['id']}"), 200)
