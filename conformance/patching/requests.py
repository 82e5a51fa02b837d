"""What surrounds a patch: media types, If-Match, conditions, Prefer."""

from __future__ import annotations

from conformance.answers import REFUSED, expect_status, instant, location_of, refused
from conformance.api import json_of, resource_of
from conformance.check import Checks, Skip, expect
from conformance.claims import DELETES
from conformance.clauses import CONCURRENCY, PATCH, PREFER
from conformance.conditions import condition_of, found_by
from conformance.patching.sending import (
    BY_JSON,
    LANGUAGE,
    PATCHES,
    expect_elements,
    send,
)
from conformance.rest.updating import created
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, sample, text_with_decimals
from conformance.statement import interaction

checks = Checks("Patch: requests")


@checks("patch.unknown_media_type", "A patch of an unknown media type is refused with 415.", PATCH, PATCHES)
def _(context: RestContext) -> None:
    made = created(context)
    answer = expect_status(send(context, f"Patient/{made['id']}", [], "text/plain"), 415)
    if "Accept-Patch" not in answer.headers:
        context.notes.append("The 415 has no Accept-Patch, which RFC 5789 advises.")
    expect(context.api.resource(f"Patient/{made['id']}") == made, "The resource was changed.")


@checks(
    "patch.if_match",
    "A patch with If-Match of the current version is done, and of an old one refused with 412.",
    CONCURRENCY,
    PATCHES,
    BY_JSON,
)
def _(context: RestContext) -> None:
    made = created(context)
    path, current = f"Patient/{made['id']}", f'W/"{made["meta"]["versionId"]}"'
    expect_status(send(context, path, LANGUAGE, If_Match=current), 200)
    stale = send(context, path, [{"op": "replace", "path": "/language", "value": "fr"}], If_Match=current)
    refused(stale, 412, 409)
    expect(context.api.resource(path).get("language") == "de", "The patch was made all the same.")


@checks(
    "patch.of_unknown",
    "A patch of what there never was is refused with 404, and creates nothing.",
    PATCH,
    PATCHES,
    BY_JSON,
)
def _(context: RestContext) -> None:
    path = f"Patient/{context.records.text('none-')}"
    refused(send(context, path, [{"op": "add", "path": "/active", "value": True}]), 404)
    expect_status(context.api.get(path), 404)


@checks(
    "patch.of_deleted",
    "A patch of what is deleted is refused.",
    PATCH,
    PATCHES,
    BY_JSON,
    DELETES,
)
def _(context: RestContext) -> None:
    path = f"Patient/{created(context)['id']}"
    expect_status(context.api.request("DELETE", path), 200, 202, 204)
    refused(send(context, path, LANGUAGE), 404, 410, 409, 412)
    expect_status(context.api.get(path), 410, 404)


@checks(
    "patch.versions_stay",
    "The version before a patch stays as it was.",
    PATCH,
    PATCHES,
    BY_JSON,
    interaction("vread", "Patient"),
)
def _(context: RestContext) -> None:
    made = created(context)
    path = f"Patient/{made['id']}"
    expect_status(send(context, path, LANGUAGE), 200)
    before = context.api.resource(f"{path}/_history/{made['meta']['versionId']}")
    expect(before == made, "The version before the patch is another one now.")


@checks("patch.conditional", "A conditional patch changes the one match.", f"{PATCH}", PATCHES, BY_JSON)
def _(context: RestContext) -> None:
    made = created(context)
    condition = condition_of(context, made)
    answer = send(context, f"Patient?{condition}", LANGUAGE)
    if answer.status_code in (404, 405, 501):
        raise Skip("Conditional patches are not served, which a CapabilityStatement of R4 cannot claim.")
    expect_status(answer, 200)
    expect_elements(context, made, {"language": "de"})


@checks(
    "patch.conditional_none_or_several",
    "A conditional patch without a match is refused with 404, with several with 412.",
    PATCH,
    PATCHES,
    BY_JSON,
)
def _(context: RestContext) -> None:
    resource = sample(context)
    condition = identifier_of(resource)
    none = send(context, f"Patient?{condition}", LANGUAGE)
    if none.status_code in (405, 501):
        raise Skip("Conditional patches are not served, which a CapabilityStatement of R4 cannot claim.")
    refused(none, 404, 412)
    for _ in range(2):
        context.records.create(resource)
    condition_of(context, resource, 2)
    refused(send(context, f"Patient?{condition}", LANGUAGE), 412)
    languages = {each.get("language") for each in found_by(context, resource)}
    expect(languages == {"en"}, "One of them was changed.")


@checks("patch.keeps_decimals", "What a patch does not touch keeps its precision.", PATCH, PATCHES, BY_JSON)
def _(context: RestContext) -> None:
    answer = context.records.post_text("Patient", text_with_decimals(context, "1.00"))
    path = f"Patient/{location_of(expect_status(answer, 201), 'Patient')[0]}"
    expect_status(send(context, path, LANGUAGE), 200)
    found = json_of(context.api.get(path), parse_float=str)
    value = found["extension"][0]["valueDecimal"]
    expect(value == "1.00", f"1.00 is {value} after a patch of something else.")


@checks(
    "patch.keeps_version_numbers",
    "A patch of versionId and lastUpdated is refused, or has no effect.",
    PATCH,
    PATCHES,
    BY_JSON,
)
def _(context: RestContext) -> None:
    made = created(context)
    operations = [
        {"op": "replace", "path": "/meta/versionId", "value": "77-of-client"},
        {"op": "replace", "path": "/meta/lastUpdated", "value": "1999-01-01T00:00:00Z"},
    ]
    expect_status(send(context, f"Patient/{made['id']}", [*operations, *LANGUAGE]), 200, *REFUSED)
    meta = context.api.resource(f"Patient/{made['id']}")["meta"]
    expect(meta["versionId"] != "77-of-client", "The client's versionId was taken.")
    expect(instant(meta["lastUpdated"]).year > 1999, "The client's lastUpdated was taken.")


@checks(
    "patch.prefer", "Prefer: return=minimal and return=representation are heeded in a patch.", PREFER, PATCHES, BY_JSON
)
def _(context: RestContext) -> None:
    path = f"Patient/{created(context)['id']}"
    whole = resource_of(expect_status(send(context, path, LANGUAGE, Prefer="return=representation"), 200))
    expect(whole.get("language") == "de", "The resource in the answer is not the patched one.")
    operations = [{"op": "replace", "path": "/language", "value": "fr"}]
    minimal = expect_status(send(context, path, operations, Prefer="return=minimal"), 200, 204)
    if minimal.content:
        context.notes.append("The answer has a body, though a minimal one was preferred.")
