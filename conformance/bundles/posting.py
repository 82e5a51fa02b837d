"""Sending Bundles, and reading what is answered to each entry."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from conformance.answers import bundle_of, expect_status
from conformance.api import json_of
from conformance.check import Failure, expect
from conformance.rest_context import RestContext
from conformance.samples import TYPES, identifier_of, sample


def entry(method: str, url: str, resource: Mapping[str, Any] | None = None, **members: str) -> dict[str, Any]:
    """An entry of a Bundle. members: `fullUrl`, and those of `request`, such as `ifMatch`."""
    full_url = members.pop("fullUrl", None)
    made: dict[str, Any] = {} if full_url is None else {"fullUrl": full_url}
    if resource is not None:
        made["resource"] = dict(resource)
    return {**made, "request": {"method": method, "url": url, **members}}


def urn() -> str:
    """A `fullUrl` of something that is not stored yet."""
    return f"urn:uuid:{uuid.uuid4()}"


def creating(resource: Mapping[str, Any], **members: str) -> dict[str, Any]:
    """An entry that creates a resource."""
    return entry("POST", str(resource["resourceType"]), resource, **members)


def tagged(context: RestContext, type_name: str = "Patient", **members: Any) -> dict[str, Any]:
    """A sample with the tag of the run."""
    return context.records.tagged(sample(context, type_name, **members))


def post(context: RestContext, kind: str, entries: Sequence[Mapping[str, Any]], **headers: str) -> httpx.Response:
    """The answer to a Bundle. What it made is taken away in the end."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if entries:
        bundle["entry"] = list(entries)
    answer = context.api.send("POST", "", bundle, **headers)
    if answer.status_code == 200:
        try:
            answered = json_of(answer).get("entry", [])
        except Failure:
            return answer
        for each in answered:
            location = str(each.get("response", {}).get("location", "")).split("/_history/")[0].split("/")
            if len(location) >= 2 and location[-2] in TYPES:
                context.records.note("/".join(location[-2:]))
    return answer


def done(context: RestContext, kind: str, entries: Sequence[Mapping[str, Any]], **headers: str) -> list[dict[str, Any]]:
    """The entries of the answer to a good Bundle, as many as were sent. Raises a Failure."""
    answer = bundle_of(expect_status(post(context, kind, entries, **headers), 200), f"{kind}-response")
    answered: list[dict[str, Any]] = answer.get("entry", [])
    expect(len(answered) == len(entries), f"{len(entries)} entries were answered with {len(answered)}.")
    return answered


def status_of(answered: Mapping[str, Any]) -> int:
    """The status of an entry. Raises a Failure where there is none."""
    text = str(answered.get("response", {}).get("status", ""))
    if not text[:3].isdigit():
        raise Failure(f"An entry is answered with the status {text!r}.")
    return int(text[:3])


def expect_statuses(answered: Sequence[Mapping[str, Any]], *expected: tuple[int, ...]) -> None:
    """Raise a Failure unless each entry has one of the statuses at its place."""
    found = [status_of(each) for each in answered]
    fits = len(found) == len(expected) and all(each in allowed for each, allowed in zip(found, expected, strict=True))
    expect(
        fits,
        f"The entries are answered {found}, where {[' or '.join(map(str, each)) for each in expected]} was expected.",
    )


def made_path(answered: Mapping[str, Any], type_name: str = "Patient") -> str:
    """`Type/id` of what an entry made. Raises a Failure where its location does not tell."""
    location = str(answered.get("response", {}).get("location", ""))
    parts = location.split("/_history/")[0].split("/")
    if len(parts) < 2 or parts[-2] != type_name:
        raise Failure(f"The location of an entry that made a {type_name} is {location!r}.")
    return "/".join(parts[-2:])


def expect_nothing_made(context: RestContext, *resources: dict[str, Any]) -> None:
    """Raise a Failure where a search finds one of the samples."""
    for resource in resources:
        found = context.api.found(f"{resource['resourceType']}?{identifier_of(resource)}")
        for each in found:
            context.records.note(f"{each.get('resourceType')}/{each.get('id')}")
        expect(not found, f"A {resource['resourceType']} of a refused Bundle is there.")
