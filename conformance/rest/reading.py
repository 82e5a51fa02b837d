"""Reading resources: what is there, what is not, conditions, and parts."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from conformance.answers import expect_status, refused, version_of
from conformance.api import resource_of
from conformance.check import Checks, Skip, expect
from conformance.claims import READS_IF_MODIFIED, READS_IF_NONE_MATCH, UPDATE_CREATES, VERSIONED
from conformance.clauses import CONDITIONAL_READ, HTTP, READ, SEARCH, SUMMARY
from conformance.rest.versions import versions_of
from conformance.rest_context import RestContext
from conformance.samples import of_each_type, sample
from conformance.statement import interaction

checks = Checks("REST: read")
PATIENT = interaction("read", "Patient")


@of_each_type(
    checks,
    "rest.read_unknown",
    "Reading {type} under an unknown id answers 404 with an OperationOutcome.",
    READ,
    "read",
)
def _(context: RestContext, type_name: str) -> None:
    refused(context.api.get(f"{type_name}/{context.records.text('none-')}"), 404)


@checks("rest.read_etag", "A read has the version as its ETag.", READ, PATIENT, VERSIONED)
def _(context: RestContext) -> None:
    answer = context.api.get(versions_of(context, "Patient")["path"])
    expect(
        version_of(answer) == resource_of(answer)["meta"]["versionId"],
        "The ETag is another version than meta.versionId.",
    )


@checks(
    "rest.read_if_none_match",
    "If-None-Match with the current version answers 304 without a body, with another one 200.",
    CONDITIONAL_READ,
    READS_IF_NONE_MATCH,
)
def _(context: RestContext) -> None:
    made = versions_of(context, "Patient")
    newest, older = made["versions"][-1], made["versions"][0]
    answer = expect_status(context.api.get(made["path"], headers={"If-None-Match": f'W/"{newest}"'}), 304)
    expect(answer.content == b"", "The 304 has a body.")
    expect_status(context.api.get(made["path"], headers={"If-None-Match": f'W/"{older}"'}), 200)
    expect_status(context.api.get(made["path"], headers={"If-None-Match": f'W/"{older}", W/"{newest}"'}), 304)


@checks(
    "rest.read_if_modified_since",
    "If-Modified-Since answers 304 where nothing is newer, and else 200.",
    CONDITIONAL_READ,
    READS_IF_MODIFIED,
)
def _(context: RestContext) -> None:
    path = versions_of(context, "Patient")["path"]
    changed = parsedate_to_datetime(context.api.get(path).headers["Last-Modified"]).astimezone(UTC)
    since = {"If-Modified-Since": format_datetime(changed + timedelta(seconds=1), usegmt=True)}
    expect_status(context.api.get(path, headers=since), 304)
    before = {"If-Modified-Since": format_datetime(changed - timedelta(days=1), usegmt=True)}
    expect_status(context.api.get(path, headers=before), 200)


@checks("rest.read_head", "HEAD of a resource has the headers of a read and no body.", READ, PATIENT)
def _(context: RestContext) -> None:
    path = versions_of(context, "Patient")["path"]
    answer = context.api.request("HEAD", path)
    if answer.status_code in (404, 405, 501):
        raise Skip("HEAD, which a server need not have, is not served.")
    expect(expect_status(answer, 200).content == b"", "The answer to HEAD has a body.")
    expect(
        answer.headers.get("ETag") == context.api.get(path).headers.get("ETag"), "HEAD and GET have different ETags."
    )


@checks("rest.read_unknown_type", "Reading from a type that FHIR does not have answers 404.", f"{HTTP}#Status-Codes")
def _(context: RestContext) -> None:
    refused(context.api.get("Teapot/1"), 404, 400)


@checks("rest.types_know_case", "Names of types are case-sensitive.", f"{HTTP}#general", PATIENT)
def _(context: RestContext) -> None:
    path = versions_of(context, "Patient")["path"]
    expect_status(context.api.get(path.replace("Patient", "patient")), 404, 400)


@checks(
    "rest.ids_know_case",
    "Ids are case-sensitive.",
    f"{HTTP}#general",
    PATIENT,
    UPDATE_CREATES,
)
def _(context: RestContext) -> None:
    logical_id = context.records.text("case-")
    expect_status(context.records.put(sample(context, id=logical_id)), 201)
    expect_status(context.api.get(f"Patient/{logical_id.upper()}"), 404)


@checks(
    "rest.read_of_another_type",
    "An id of another type is not found.",
    READ,
    PATIENT,
    interaction("read", "Observation"),
)
def _(context: RestContext) -> None:
    path = versions_of(context, "Patient")["path"]
    expect_status(context.api.get(path.replace("Patient", "Observation")), 404)


@checks(
    "rest.read_summary", "A read with _summary=true has the summary, tagged SUBSETTED, or everything.", SUMMARY, PATIENT
)
def _(context: RestContext) -> None:
    made = context.shared(
        "rest.to_summarise", lambda it: it.records.create(sample(it, maritalStatus={"text": "single"}))
    )
    found = context.api.resource(f"Patient/{made['id']}?_summary=true")
    _expect_part(context, made, found, "_summary", ("identifier", "name", "birthDate"))


@checks(
    "rest.read_elements",
    "A read with _elements has the elements asked for, tagged SUBSETTED, or everything.",
    f"{SEARCH}#elements",
    PATIENT,
)
def _(context: RestContext) -> None:
    made = context.shared(
        "rest.to_summarise", lambda it: it.records.create(sample(it, maritalStatus={"text": "single"}))
    )
    found = context.api.resource(f"Patient/{made['id']}?_elements=birthDate")
    _expect_part(context, made, found, "_elements", ("birthDate",))


def _expect_part(
    context: RestContext, whole: dict[str, Any], found: dict[str, Any], parameter: str, wanted: tuple[str, ...]
) -> None:
    """That what was found is all of a resource, or a part of it that has what was wanted."""
    if found == whole:
        context.notes.append(f"{parameter} is ignored in a read, which a server may do.")
        return
    lost = [name for name in ("resourceType", "id", *wanted) if found.get(name) != whole[name]]
    expect(not lost, f"What is read with {parameter} lacks {', '.join(lost)}.")
    if "SUBSETTED" not in [each.get("code") for each in found.get("meta", {}).get("tag", [])]:
        context.notes.append("A part of a resource is not tagged SUBSETTED, which it should be.")
