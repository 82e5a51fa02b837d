"""Preconditions: updates and deletions of a version that the client names."""

from __future__ import annotations

from typing import Any

import httpx

from conformance.answers import expect_status, refused
from conformance.check import Checks, expect
from conformance.claims import DELETES, UPDATE_CREATES, UPDATES, VERSIONED
from conformance.clauses import (
    CONCURRENCY,
    RFC_9110,
)
from conformance.rest.updating import changed, created
from conformance.rest_context import RestContext
from conformance.samples import new_id, of_each_type, sample

checks = Checks("Concurrency: preconditions")


def put(context: RestContext, resource: dict[str, Any], version: str | None = None, **members: Any) -> httpx.Response:
    """The answer to an update. version: of If-Match, None for none. members: in place of those of the resource."""
    headers = {} if version is None else {"If_Match": f'W/"{version}"'}
    return context.records.put(changed(resource, **members), **headers)


def _stale(context: RestContext, answer: httpx.Response) -> None:
    refused(answer, 412, 409)
    if answer.status_code == 409:
        context.notes.append("A wrong version is answered 409, where FHIR names 412.")


@of_each_type(
    checks,
    "concurrency.if_match_current",
    "An update of {type} with If-Match of the current version is done.",
    CONCURRENCY,
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    made = context.records.create(sample(context, type_name))
    expect_status(put(context, made, made["meta"]["versionId"], language="de"), 200)


@of_each_type(
    checks,
    "concurrency.if_match_stale",
    "An update of {type} with If-Match of an old version is refused with 412, and changes nothing.",
    CONCURRENCY,
    "update",
)
def _(context: RestContext, type_name: str) -> None:
    made = context.records.create(sample(context, type_name))
    expect_status(put(context, made, language="de"), 200)
    _stale(context, put(context, made, made["meta"]["versionId"], language="fr"))
    found = context.api.resource(f"{type_name}/{made['id']}")
    expect(found.get("language") == "de", "The update was made all the same.")


@checks(
    "concurrency.if_match_never_was",
    "If-Match of a version that there never was is refused with 412.",
    CONCURRENCY,
    UPDATES,
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = created(context)
    _stale(context, put(context, made, "987654", language="de"))


@checks(
    "concurrency.if_match_strong",
    "If-Match in the strong form is understood, or refused.",
    f"{RFC_9110}#section-13.1.1",
    UPDATES,
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = created(context)
    answer = context.records.put(changed(made, language="de"), If_Match=f'"{made["meta"]["versionId"]}"')
    expect_status(answer, 200, 400, 412)
    if answer.status_code != 200:
        context.notes.append("If-Match is taken in the weak form only.")


@checks(
    "concurrency.if_match_any", "If-Match: * updates what there is.", f"{RFC_9110}#section-13.1.1", UPDATES, VERSIONED
)
def _(context: RestContext) -> None:
    made = created(context)
    answer = context.records.put(changed(made, language="de"), If_Match="*")
    if answer.status_code in (400, 412):
        context.notes.append("If-Match: * is not understood.")
        return
    expect_status(answer, 200)


@checks(
    "concurrency.if_match_on_nothing",
    "If-Match on what there never was creates nothing.",
    CONCURRENCY,
    UPDATES,
    VERSIONED,
)
def _(context: RestContext) -> None:
    resource = sample(context, id=new_id(context))
    refused(context.records.put(resource, If_Match='W/"1"'), 412, 404, 405, 409, 400)
    expect_status(context.api.get(f"Patient/{resource['id']}"), 404)


@checks(
    "concurrency.if_match_on_deleted",
    "If-Match of the version before a deletion brings nothing back.",
    CONCURRENCY,
    UPDATES,
    VERSIONED,
    DELETES,
)
def _(context: RestContext) -> None:
    made = created(context)
    expect_status(context.api.request("DELETE", f"Patient/{made['id']}"), 200, 202, 204)
    refused(put(context, made, made["meta"]["versionId"], language="de"), 412, 404, 409, 410)
    expect_status(context.api.get(f"Patient/{made['id']}"), 410, 404)


@checks(
    "concurrency.if_match_of_delete",
    "A deletion with If-Match of an old version is refused, or the header is not taken.",
    CONCURRENCY,
    DELETES,
    VERSIONED,
)
def _(context: RestContext) -> None:
    made = created(context)
    expect_status(put(context, made, language="de"), 200)
    path, stale = f"Patient/{made['id']}", {"If-Match": f'W/"{made["meta"]["versionId"]}"'}
    answer = context.api.request("DELETE", path, headers=stale)
    if answer.status_code in (200, 202, 204):
        context.notes.append("A deletion does not look at If-Match.")
        return
    _stale(context, answer)
    expect_status(context.api.get(path), 200)


@checks(
    "concurrency.if_none_match_star",
    "A PUT with If-None-Match: * overwrites nothing, or the header is not taken.",
    f"{RFC_9110}#section-13.1.2",
    UPDATES,
    UPDATE_CREATES,
)
def _(context: RestContext) -> None:
    made = created(context)
    answer = context.records.put(changed(made, language="de"), If_None_Match="*")
    if answer.status_code == 200 and context.api.resource(f"Patient/{made['id']}").get("language") == "de":
        context.notes.append("An update does not look at If-None-Match: *.")
        return
    expect_status(answer, 412, 409, 304)
