"""What the checks of the REST API look for in answers: statuses, versions, OperationOutcomes, Bundles; and waiting."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import httpx

from conformance.api import json_of, resource_of, said
from conformance.check import Failure, expect
from conformance.rest_context import RestContext

BETWEEN_SECONDS = 0.25
GONE = (404, 410)
REFUSED = (400, 404, 409, 412, 422)
"""What a server may answer to content that it does not accept, where FHIR does not name one status."""

SEVERITIES = frozenset({"fatal", "error", "warning", "information"})
ISSUE_CODES = frozenset(
    # https://hl7.org/fhir/R4/valueset-issue-type.html
    (
        *("invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired"),
        *("forbidden", "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found"),
        *("deleted", "too-long", "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient"),
        *("lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "informational"),
    )
)
_ETAG = re.compile(r'W/"([A-Za-z0-9\-.]{1,64})"')
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

Found = TypeVar("Found")


def expect_status(response: httpx.Response, *statuses: int) -> httpx.Response:
    """The response. Raises a Failure unless it has one of the statuses."""
    expected = " or ".join(map(str, statuses))
    expect(response.status_code in statuses, f"{said(response)}, where {expected} was expected: {response.text[:300]}")
    return response


def refused(response: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The OperationOutcome of a refusal with one of the statuses, which names at least one error. Raises a Failure."""
    outcome = outcome_of(expect_status(response, *statuses))
    severities = {issue.get("severity") for issue in outcome["issue"]}
    expect(severities & {"fatal", "error"}, f"{said(response)} with an OperationOutcome in which nothing is an error.")
    return outcome


def outcome_of(response: httpx.Response) -> dict[str, Any]:
    """The OperationOutcome of an answer in JSON. Raises a Failure where it is none, or no valid one."""
    try:
        outcome = json_of(response)
    except Failure:
        outcome = {}
    if outcome.get("resourceType") != "OperationOutcome":
        raise Failure(f"{said(response)} without an OperationOutcome: {response.text[:200]}")
    issues = outcome.get("issue")
    if not isinstance(issues, list) or not issues:
        raise Failure(f"{said(response)} with an OperationOutcome without an issue.")
    for issue in issues:
        expect(issue.get("severity") in SEVERITIES, f"An issue has the severity {issue.get('severity')!r}.")
        expect(
            issue.get("code") in ISSUE_CODES, f"An issue has the code {issue.get('code')!r}, which is no issue type."
        )
    return outcome


def version_of(response: httpx.Response) -> str:
    """The version that the ETag names. Raises a Failure where there is none in the form `W/"1"`."""
    header = response.headers.get("ETag", "")
    match = _ETAG.fullmatch(header)
    if match is None:
        raise Failure(f'{said(response)} with the ETag {header!r}, where one such as W/"1" was expected.')
    return match[1]


def location_of(response: httpx.Response, type_name: str) -> tuple[str, str]:
    """(id, version) that the Location names. Raises a Failure where there is none in the form `Type/id/_history/version`."""
    location = response.headers.get("Location", "")
    match = re.search(rf"(?:^|/){type_name}/([A-Za-z0-9\-.]{{1,64}})/_history/([A-Za-z0-9\-.]{{1,64}})$", location)
    if match is None:
        raise Failure(f"{said(response)} with the Location {location!r}, which names no id and version of {type_name}.")
    return match[1], match[2]


def instant(value: object) -> datetime:
    """A FHIR instant, such as that of `meta.lastUpdated`. Raises a Failure where it is none."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise Failure(f"{value!r} is no instant.")
    return datetime.fromisoformat(value)


def let_time_pass(resource: Mapping[str, Any]) -> None:
    """Wait until what is written next has another `meta.lastUpdated` than a resource, as finely as the server tells it."""
    fraction = "." in str(resource.get("meta", {}).get("lastUpdated", ""))
    time.sleep(0.02 if fraction else 1.1)


def bundle_of(response: httpx.Response, kind: str) -> dict[str, Any]:
    """The Bundle of a good answer, of a type such as `history`. Raises a Failure."""
    bundle = resource_of(response)
    expect(
        (bundle.get("resourceType"), bundle.get("type")) == ("Bundle", kind),
        f"{said(response)} with a {bundle.get('resourceType')} of the type {bundle.get('type')!r}, and not with a {kind}.",
    )
    return bundle


def eventually(context: RestContext, look: Callable[[], Found]) -> Found:
    """What `look` returns, asked again for some seconds as long as it raises a Failure. A wait is noted.

    For what a server may do later than it answers: its search index may lag behind. Raises the last Failure.
    """
    began = time.monotonic()
    while True:
        try:
            found = look()
        except Failure:
            if time.monotonic() - began > context.patience:
                raise
            time.sleep(BETWEEN_SECONDS)
            continue
        waited = time.monotonic() - began
        if waited > BETWEEN_SECONDS:
            context.notes.append(f"What was written could be found only after {waited:.1f} seconds.")
        return found
