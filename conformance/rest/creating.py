"""Creating resources: what the answer says, and that the content is kept as it was sent."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from conformance.answers import expect_status, instant, location_of, outcome_of, version_of
from conformance.api import json_of, resource_of
from conformance.check import Checks, Failure, expect
from conformance.clauses import CREATE, DATATYPES, JSON, PREFER, REFERENCES, RESOURCE, RFC_9110
from conformance.rest_context import RestContext
from conformance.samples import EXTENSION, new_id, of_each_type, sample, text_with_decimals
from conformance.statement import interaction

checks = Checks("REST: create")
PATIENT = interaction("create", "Patient")
NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Anna <b>Kit</b>, born in 1970 &amp; well</p></div>'
RICH: dict[str, Any] = {
    "text": {"status": "generated", "div": NARRATIVE},
    "contained": [{"resourceType": "Organization", "id": "one", "name": "Contained Organization"}],
    "extension": [
        {"url": f"{EXTENSION}-z", "valueString": "first"},
        {"url": f"{EXTENSION}-a", "valueInteger": 2},
        {"url": f"{EXTENSION}-m", "valueString": "third"},
    ],
    "name": [
        {"use": "official", "family": "Zoë-Łukasz 王小明 😀", "given": ["Zita", "Anna", "Bea"]},
        {"use": "nickname", "text": 'A\tname with a tab and "quotes"'},
    ],
    "_birthDate": {"extension": [{"url": f"{EXTENSION}-time", "valueDateTime": "1970-01-31T14:35:45-05:00"}]},
    "managingOrganization": {"reference": "#one"},
}
DECIMALS = ("1.00", "0.010", "-1.50", "123456789.123456789")


@of_each_type(
    checks,
    "rest.create_answers_201",
    "Creating {type} answers 201 with a Location that names id and version.",
    CREATE,
    "create",
)
def _(context: RestContext, type_name: str) -> None:
    answer = expect_status(context.records.post(sample(context, type_name)), 201)
    location_of(answer, type_name)
    for name in ("ETag", "Last-Modified"):
        if name not in answer.headers:
            context.notes.append(f"The answer has no {name}, which it should have.")


@of_each_type(
    checks,
    "rest.create_can_be_read",
    "A created {type} can be read, with id, version and time in it.",
    CREATE,
    "create",
    "read",
)
def _(context: RestContext, type_name: str) -> None:
    sent = sample(context, type_name)
    logical_id, version = location_of(context.records.post(sent), type_name)
    found = context.api.resource(f"{type_name}/{logical_id}")
    expect(
        found.get("id") == logical_id, f"The id of what is read is {found.get('id')!r}, where {logical_id} was created."
    )
    meta = found.get("meta", {})
    expect(
        meta.get("versionId") == version, f"meta.versionId is {meta.get('versionId')!r}, where Location says {version}."
    )
    instant(meta.get("lastUpdated"))
    lost = [name for name in sent if name not in found]
    expect(not lost, f"Elements were lost: {', '.join(lost)}.")


@checks(
    "rest.create_etag_is_the_version", "The ETag of a create is the version that its Location names.", CREATE, PATIENT
)
def _(context: RestContext) -> None:
    answer = expect_status(context.records.post(sample(context)), 201)
    if "ETag" not in answer.headers:
        context.notes.append("There is no ETag, which should be there.")
        return
    expect(
        version_of(answer) == location_of(answer, "Patient")[1], "The ETag is another version than that of Location."
    )


@checks("rest.create_ignores_id", "The id in the body of a create is ignored.", CREATE, PATIENT)
def _(context: RestContext) -> None:
    wished = new_id(context)
    answer = context.records.post(sample(context, id=wished))
    if answer.status_code == 400:
        context.notes.append("A create with an id in its body is refused, where the id should be ignored.")
        return
    logical_id, _version = location_of(expect_status(answer, 201), "Patient")
    expect(logical_id != wished, "The resource was created under the id that the body named.")


@checks(
    "rest.create_ignores_version", "A client's versionId and lastUpdated are replaced by the server's.", CREATE, PATIENT
)
def _(context: RestContext) -> None:
    meta = {"versionId": "77-of-client", "lastUpdated": "1999-01-01T00:00:00Z"}
    made = context.records.create(sample(context, meta=meta))
    expect(made["meta"].get("versionId") != "77-of-client", "The client's versionId was kept.")
    expect(instant(made["meta"].get("lastUpdated")).year > 1999, "The client's lastUpdated was kept.")


@checks("rest.create_makes_new_ones", "The same create twice makes two resources.", CREATE, PATIENT)
def _(context: RestContext) -> None:
    resource = sample(context)
    ids = {context.records.create(resource)["id"] for _ in range(2)}
    expect(len(ids) == 2, "Both creates were answered with the same id.")


@checks(
    "rest.create_last_modified_is_last_updated",
    "Last-Modified of a create is meta.lastUpdated to the second.",
    f"{RFC_9110}#section-8.8.2",
    PATIENT,
)
def _(context: RestContext) -> None:
    answer = expect_status(context.records.post(sample(context)), 201)
    logical_id, _version = location_of(answer, "Patient")
    _same_moment(context, answer, context.api.resource(f"Patient/{logical_id}"))


def _same_moment(context: RestContext, answer: httpx.Response, resource: dict[str, Any]) -> None:
    if "Last-Modified" not in answer.headers:
        context.notes.append("There is no Last-Modified, which should be there.")
        return
    said = parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp()
    there = instant(resource["meta"].get("lastUpdated")).timestamp()
    expect(
        abs(said - there) <= 1,
        f"Last-Modified is {answer.headers['Last-Modified']}, lastUpdated {resource['meta'].get('lastUpdated')}.",
    )


@checks("rest.create_return_minimal", "Prefer: return=minimal is answered 201 with a Location.", PREFER, PATIENT)
def _(context: RestContext) -> None:
    answer = expect_status(context.records.post(sample(context), Prefer="return=minimal"), 201)
    location_of(answer, "Patient")
    if answer.content:
        context.notes.append("The answer has a body, though a minimal one was preferred.")


@checks(
    "rest.create_return_representation", "Prefer: return=representation is answered with the resource.", PREFER, PATIENT
)
def _(context: RestContext) -> None:
    sent = sample(context)
    made = resource_of(expect_status(context.records.post(sent, Prefer="return=representation"), 201))
    expect(made.get("identifier") == sent["identifier"], "The resource in the answer is not the one that was sent.")
    expect(made.get("meta", {}).get("versionId"), "The resource in the answer has no meta.versionId.")


@checks(
    "rest.create_return_outcome",
    "Prefer: return=OperationOutcome is answered with an OperationOutcome.",
    PREFER,
    PATIENT,
)
def _(context: RestContext) -> None:
    answer = expect_status(context.records.post(sample(context), Prefer="return=OperationOutcome"), 201)
    location_of(answer, "Patient")
    try:
        outcome_of(answer)
    except Failure:
        context.notes.append("The answer has no OperationOutcome, though one was preferred.")


def _rich(context: RestContext) -> dict[str, Any]:
    """The Patient with something of everything, as it is read again."""

    def make(it: RestContext) -> str:
        return str(it.records.create(sample(it, **RICH))["id"])

    return context.api.resource(f"Patient/{context.shared('rest.rich_patient', make)}")


def _kept(context: RestContext, *names: str) -> None:
    found = _rich(context)
    for name in names:
        expect(
            found.get(name) == RICH[name],
            f"{name} was sent as {json.dumps(RICH[name])[:200]}, and read as {json.dumps(found.get(name))[:200]}.",
        )


@checks("rest.keeps_extension_order", "Extensions are kept, in their order.", f"{JSON}#repeat", PATIENT)
def _(context: RestContext) -> None:
    _kept(context, "extension")


@checks("rest.keeps_primitive_extensions", "Extensions of primitive values are kept.", f"{JSON}#primitive", PATIENT)
def _(context: RestContext) -> None:
    _kept(context, "_birthDate")


@checks(
    "rest.keeps_unicode_and_order",
    "Repeated elements keep their order, and texts every character.",
    f"{DATATYPES}#string",
    PATIENT,
)
def _(context: RestContext) -> None:
    _kept(context, "name")


@checks(
    "rest.keeps_contained", "Contained resources and references to them are kept.", f"{REFERENCES}#contained", PATIENT
)
def _(context: RestContext) -> None:
    _kept(context, "contained", "managingOrganization")


@checks("rest.keeps_narrative", "The narrative is kept.", f"{RESOURCE.replace('resource', 'narrative')}", PATIENT)
def _(context: RestContext) -> None:
    _kept(context, "text")


@checks("rest.keeps_decimals", "Decimals keep their precision: 1.00 is not 1.0.", f"{DATATYPES}#decimal", PATIENT)
def _(context: RestContext) -> None:
    answer = context.records.post_text("Patient", text_with_decimals(context, *DECIMALS))
    logical_id, _version = location_of(expect_status(answer, 201), "Patient")
    read = expect_status(context.api.get(f"Patient/{logical_id}"), 200)
    found = json_of(read, parse_float=str, parse_int=str)
    values = [str(each.get("valueDecimal")) for each in found.get("extension", [])]
    expect(values == list(DECIMALS), f"Sent were {', '.join(DECIMALS)}; read are {', '.join(values)}.")


@checks(
    "rest.create_keeps_labels", "Tags, security labels and profiles of a create are kept.", f"{RESOURCE}#Meta", PATIENT
)
def _(context: RestContext) -> None:
    security = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    tag = {"system": "urn:conformance-kit:tag", "code": "create"}
    found = context.records.create(sample(context, meta={"tag": [tag], "security": [security]}))
    expect(tag in found["meta"].get("tag", []), "The tag was lost.")
    expect(security in found["meta"].get("security", []), "The security label was lost.")
