"""From an `Answer`, or whatever went wrong, to an HTTP response.

https://hl7.org/fhir/R4/http.html#Status-Codes

The one place where errors of all kinds, ours, HTTP's or the driver's, leave as an OperationOutcome.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from fhir_server.application import FhirResponse
from fhir_server.call import Answer
from fhir_server.media_types import FHIR_JSON, XML_TYPES
from fhir_server.negotiation import answer_type, discard_body, wants_pretty
from fhir_server.outcome import outcome_bytes, unexpected
from resources.definitions import resource_types
from resources.pretty import pretty
from resources.problem import Issue, Problem, quoted
from resources.xml import xml_from_json

# Below this, compressing costs more than it saves.
COMPRESS_FROM = 1400
NOSNIFF = ("X-Content-Type-Options", "nosniff")
# What a request is refused with before its body is looked at.
BEFORE_THE_BODY = frozenset({401, 403, 404, 405, 406})
ISSUE_CODES = {
    400: "invalid",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
}


def respond(answer: Answer, media_type: str, base_url: str) -> Response:
    """The response to a call that was answered."""
    headers: dict[str, str] = dict(answer.headers)
    version = answer.version
    if version is not None:
        headers["ETag"] = f'W/"{version.version}"'
        headers["Last-Modified"] = _http_date(version.last_updated // 1000)
        if answer.is_created:
            headers["Location"] = f"{base_url}/{version.type}/{version.id}/_history/{version.version}"
    content = answer.content
    if content is None and answer.issues:
        content = outcome_bytes(answer.issues)
    return _response(answer.status, content, media_type, headers)


def outcome(
    status: int, issues: Sequence[Issue], headers: Mapping[str, str] | None = None, media_type: str | None = None
) -> Response:
    """An OperationOutcome as a response."""
    return _response(status, outcome_bytes(issues), media_type or _error_type(), headers or {})


def _error_type() -> str:
    """An error is told in JSON even to a client that accepts none, because silence would help nobody."""
    try:
        return answer_type(request)
    except Problem:
        return FHIR_JSON


def _response(status: int, content: bytes | None, media_type: str, headers: Mapping[str, str]) -> Response:
    if content is None:
        complete = Headers([*headers.items(), NOSNIFF])
        if status not in (204, 304):
            complete.add("Content-Length", "0")
        response = FhirResponse(status=status, headers=complete)
        del response.headers["Content-Type"]
        return response
    if media_type in XML_TYPES:
        content = xml_from_json(content.decode()).encode()
    elif wants_pretty(request):
        content = pretty(content)
    # The headers are put together first, because each one set on a response is a walk through all of them.
    complete = Headers(
        [
            *headers.items(),
            ("Content-Type", media_type + "; charset=utf-8"),
            ("Vary", "Accept, Accept-Encoding"),
            # A browser would else answer from its cache: what has changed since, and what a token no longer opens.
            ("Cache-Control", "no-store"),
            NOSNIFF,
        ]
    )
    if len(content) >= COMPRESS_FROM and _takes_gzip():
        content = gzip.compress(content, compresslevel=1, mtime=0)
        complete.add("Content-Encoding", "gzip")
    complete.add("Content-Length", str(len(content)))
    return FhirResponse([content], status, complete)


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _takes_gzip() -> bool:
    return "gzip" in request.environ.get("HTTP_ACCEPT_ENCODING", "") and request.accept_encodings["gzip"] > 0


def register_error_handlers(app: Flask) -> None:
    """Let every error, ours, HTTP's or the driver's, leave as an OperationOutcome with the right status."""

    @app.errorhandler(Problem)
    def _problem(error: Problem) -> Response:
        if error.status in BEFORE_THE_BODY:
            discard_body(request)
        return outcome(error.status, error.issues, error.headers)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        if status in BEFORE_THE_BODY:
            discard_body(request)
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After", "Location")}
        if status == 308 and "Location" in headers:
            return Response(status=308, headers=headers)
        text = {
            404: _nothing_here(request.path),
            405: f"The method {request.method} is not supported at this address.",
        }.get(status, error.description or error.name)
        return outcome(status, [Issue("error", ISSUE_CODES.get(status, "processing"), text)], headers)

    @app.errorhandler(Exception)
    def _anything(error: Exception) -> Response:
        return _problem(unexpected(error))


def _nothing_here(path: str) -> str:
    """What to say of an address without a route; the likeliest reason is a misspelt resource type."""
    parts = path.strip("/").split("/")
    if len(parts) > 1 and parts[0] == "fhir" and parts[1][:1].isalpha() and parts[1] not in resource_types():
        return f"There is nothing at this address; {quoted(parts[1])} is not an R4 resource type."
    return "There is nothing at this address."
