"""Faults of reading, of the CapabilityStatement and of histories."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import Answer, Ask, Real

faults = Faults()


def _is_history(ask: Ask) -> bool:
    return ask.method == "GET" and ask.parts[-1:] == ["_history"]


@faults("the current version for every version", "rest.vread_each_version_patient", "patch.versions_stay")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "GET" and "_history" in ask.parts[:-1]:
        return real(replace(ask, path="/".join(ask.parts[:2])))
    return real(ask)


@faults("If-None-Match that is ignored", "rest.read_if_none_match")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without("if-none-match") if ask.method == "GET" else ask)


@faults("If-Modified-Since that is ignored", "rest.read_if_modified_since")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without("if-modified-since"))


@faults("an ETag of another version", "rest.read_etag", "rest.read_current_patient")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.having(etag='W/"1"') if ask.method == "GET" and "etag" in answer.headers else answer


@faults("strong ETags without W/", "rest.read_etag", "rest.vread_etag")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.having(etag=answer.headers["etag"].removeprefix("W/")) if "etag" in answer.headers else answer


@faults("404 for what is deleted", "rest.read_deleted")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.of_status(404) if answer.status == 410 else answer


@faults("200 with nothing for an unknown id", "rest.read_unknown_patient", "rest.read_unknown_medication_request")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return Answer(200, answer.headers, b"{}") if ask.method == "GET" and answer.status == 404 else answer


@faults("a claimed type that is not served", "rest.metadata_every_searchable_type_is_found")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, path="Nothing") if ask.parts[:1] == ["Slot"] else ask)


@faults("another version of FHIR", "rest.metadata_fhir_version")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.saying({**answer.tree, "fhirVersion": "3.0.2"}) if ask.path == "metadata" else answer


@faults("a history with the oldest first", "history.every_version_once_patient", "history.meta_of_each")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_history(ask) and answer.bundle:
        return answer.saying({**answer.bundle, "entry": answer.bundle["entry"][::-1]})
    return answer


@faults("a history without deletions", "history.deletion_has_no_resource_patient", "history.of_type")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_history(ask) and answer.bundle:
        kept = [entry for entry in answer.bundle.get("entry", []) if "resource" in entry]
        return answer.saying({**answer.bundle, "entry": kept})
    return answer


@faults("a next page that begins with the last of the page before", "history.count_pages", "history.pages_of_type")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_history(ask) and answer.bundle and answer.bundle.get("entry"):
        entries, last = answer.bundle["entry"], real.memory.get("last")
        is_next = len(ask.parameters) > len(re.findall("_count|_since", ask.query))
        real.memory["last"] = entries[-1]
        return answer.saying({**answer.bundle, "entry": [last, *entries]}) if is_next and last else answer
    return answer


@faults("a history whose last page cannot be reached", "history.count_pages")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_history(ask) and answer.bundle and "_count" in ask.query:
        links = [link for link in answer.bundle.get("link", []) if link["relation"] != "next"]
        return answer.saying({**answer.bundle, "link": links})
    return answer


@faults("_since that is ignored", "history.since", "history.since_later")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("_since") if _is_history(ask) else ask)


@faults("an empty history of what there never was", "history.of_unknown")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_history(ask) and answer.status == 404:
        return answer.of_status(200).saying({"resourceType": "Bundle", "type": "history", "total": 0})
    return answer
