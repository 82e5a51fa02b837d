"""An entry of a request Bundle as a `Call`.

https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import replace
from datetime import datetime

from fhir_server.call import Answer, Call
from fhir_server.dispatch import call_for
from fhir_server.entity_tags import entity_tags
from fhir_server.media_types import JSON_PATCH
from fhir_server.operations import OPERATIONS
from resources.bundle import Entry
from resources.patching import FhirPathPatch, JsonPatch
from resources.problem import problem
from search.moments import milliseconds
from search.query_text import condition_of

WITH_RESOURCE = frozenset({"create", "update", "conditional_update"})
WITH_PATCH = frozenset({"patch", "conditional_patch"})


def entry_call(entry: Entry, base_url: str) -> Call:
    """The call that an entry asks for. Raises a `Problem` where it has no request, a wrong address or a wrong resource."""
    if entry.fault is not None:
        raise entry.fault
    if not entry.method or not entry.url:
        raise problem(400, "required", "The entry has no request with a method and a URL.", f"{entry.place}.request")
    call = call_for(entry.method, entry.url, base_url)
    request = entry.request
    if call.interaction in WITH_RESOURCE:
        if entry.document is None:
            raise problem(400, "required", f"A {entry.method} needs a resource.", f"{entry.place}.resource")
        if entry.document.type != call.type:
            text = f"The resourceType is '{entry.document.type}', but the URL of the request names '{call.type}'."
            raise problem(400, "invalid", text, f"{entry.place}.resource")
        call.document = entry.document
    elif call.interaction in WITH_PATCH:
        call.patch = _patch_of(entry)
    elif call.interaction in OPERATIONS and call.method == "POST":
        call.document = entry.document
    if "ifMatch" in request:
        call.if_match = entity_tags(request["ifMatch"])
    if "ifNoneMatch" in request:
        call.if_none_match = entity_tags(request["ifNoneMatch"])
    if "ifModifiedSince" in request:
        call.if_modified_since = _moment(request["ifModifiedSince"])
    if "ifNoneExist" in request:
        call.if_none_exist = condition_of(request["ifNoneExist"])
    return call


def _patch_of(entry: Entry) -> JsonPatch | FhirPathPatch:
    """The patch that an entry carries: a JSON Patch in a Binary, or the Parameters of a FHIRPath Patch."""
    place = f"{entry.place}.resource"
    if entry.document is not None and entry.document.type == "Parameters":
        return FhirPathPatch.parse(entry.document.text.encode())
    tree = entry.document.tree if entry.document is not None and entry.document.type == "Binary" else {}
    if tree.get("contentType") != JSON_PATCH or not isinstance(tree.get("data"), str):
        text = f"A PATCH needs Parameters, or a Binary with data and the contentType {JSON_PATCH}."
        raise problem(400, "required", text, place)
    try:
        return JsonPatch.parse(b64decode(tree["data"], validate=True))
    except binascii.Error:
        raise problem(400, "value", "The data of the Binary is no base64.", f"{place}.data") from None


def without_content(answer: Answer) -> Answer:
    """The answer to an entry with HEAD, which is that to GET but for the resource."""
    return replace(answer, content=None)


def _moment(instant: str) -> int | None:
    """`ifModifiedSince` is an instant, which validation has checked; None for the few that Python cannot hold."""
    try:
        return milliseconds(datetime.fromisoformat(instant))
    except ValueError:
        return None
