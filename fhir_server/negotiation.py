"""Content negotiation: which format a client wants and sends, and the headers that make a `Call`.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

import re
import zlib
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import IO

from werkzeug.http import parse_accept_header, parse_options_header
from werkzeug.wrappers import Request

from fhir_server.call import Call, Return
from fhir_server.entity_tags import entity_tags
from fhir_server.media_types import (
    FHIR_JSON,
    FHIR_XML,
    FORMATS,
    JSON_PATCH,
    PATCH_TYPES,
    R4_VERSIONS,
    XML_TYPES,
    Form,
    accepted_types,
)
from resources.patching import FhirPathPatch, JsonPatch
from resources.problem import problem, quoted
from resources.xml import json_from_xml
from search.moments import milliseconds
from search.query_text import condition_of

SEARCHES = frozenset({"search", "search_system"})
MOST_DISCARDED = 1 << 20

_PREFER = re.compile(r"(return|handling)\s*=\s*\"?(\w+)\"?")


def answer_type(request: Request) -> str:
    """The media type to answer with, from `_format` or else `Accept`. Raises a 406 `Problem` where there is none."""
    wanted = format_parameter(request)
    if wanted is not None:
        media_type, options = parse_options_header(wanted.lower())
        found = FORMATS.get(media_type)
        if found is None or options.get("fhirversion", "4.0") not in R4_VERSIONS:
            text = f"The format {quoted(wanted)} is not supported; use {FHIR_JSON} or {FHIR_XML}."
            raise problem(406, "not-supported", text)
        return found
    accept = request.environ.get("HTTP_ACCEPT")
    if not accept or accept == "*/*" or accept == FHIR_JSON:
        return FHIR_JSON
    ranges = sorted(parse_accept_header(accept), key=lambda pair: -pair[1])
    for name, quality in ranges:
        media_type, options = parse_options_header(name.lower())
        if quality <= 0 or options.get("fhirversion", "4.0") not in R4_VERSIONS:
            continue
        if media_type in FORMATS and not ("text/html" in accept and media_type in XML_TYPES):  # which browsers ask for
            return FORMATS[media_type]
        if media_type in ("*/*", "application/*", "text/*"):
            return FHIR_JSON
    text = f"None of the media types {quoted(accept)} is supported; use {FHIR_JSON} or {FHIR_XML}."
    raise problem(406, "not-supported", text)


def format_parameter(request: Request) -> str | None:
    return _argument(request, "_format")


def wants_pretty(request: Request) -> bool:
    """Whether the answer is to be indented, for a person to read."""
    return _argument(request, "_pretty") == "true"


def _argument(request: Request, name: str) -> str | None:
    if name not in request.environ.get("QUERY_STRING", ""):
        return None
    try:
        return request.args.get(name)
    except UnicodeDecodeError:
        return None  # raw bytes that are no UTF-8; whoever reads the query refuses them


def body_of(request: Request, most: int, form: Form) -> bytes:
    """The body of a request, decompressed; a resource in XML as JSON.

    most: bytes accepted, before and after decompression. form: what is expected.
    Raises a `Problem`: 415 for another format or coding, 413 for too much, 400 for broken compression.
    """
    # Read from the server itself, because Werkzeug cuts a body without a stated length at its own limit and says nothing.
    stream: IO[bytes] = request.environ["wsgi.input"]
    length = request.content_length
    body = b"" if length is not None and length > most else stream.read(most + 1 if length is None else length)
    if len(body) > most or (length is not None and length > most):
        _discard(stream, most)
        raise too_large(most)
    if length is not None and len(body) < length:  # the client has hung up; what came may yet look like a whole one
        raise problem(400, "incomplete", f"The body ended after {len(body):,} of {length:,} bytes.")
    if not body:
        return b""
    media_type = _content_type(request, form)
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("gzip", "x-gzip"):
        body = _unzipped(body, most)
    elif coding != "identity":
        raise problem(415, "not-supported", f"The content coding {quoted(coding)} is not supported; use gzip or none.")
    return json_from_xml(body).encode() if media_type in XML_TYPES else body


def _discard(stream: IO[bytes], most: int) -> None:
    """Read on, within reason: a connection with an unread body is closed, and the answer may be lost with it."""
    while most > 0 and (chunk := stream.read(min(most, 1 << 20))):
        most -= len(chunk)


def discard_body(request: Request) -> None:
    """Read a body of moderate size that nobody will look at, so that its connection can be used for the next request."""
    length = request.content_length
    if length and length <= MOST_DISCARDED:
        request.environ["wsgi.input"].read(length)


def too_large(most: int) -> Exception:
    return problem(413, "too-long", f"The body is larger than {most:,} bytes, which is the most accepted.")


def _content_type(request: Request, form: Form) -> str:
    header = request.headers.get("Content-Type", "")
    if not header and form == "resource":
        return FHIR_JSON
    media_type, options = parse_options_header(header.lower())
    accepted = accepted_types(form)
    if media_type not in accepted:
        text = f"The content type {quoted(header)} is not supported; use {' or '.join(sorted(accepted))}."
        headers = {"Accept-Patch": ", ".join(sorted(PATCH_TYPES))} if form == "patch" else None
        raise problem(415, "not-supported", text, headers=headers)
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise problem(
            415, "not-supported", f"The character set {quoted(options['charset'])} is not supported; use UTF-8."
        )
    if options.get("fhirversion", "4.0") not in R4_VERSIONS:
        raise problem(415, "not-supported", f"FHIR version {quoted(options['fhirversion'])} is not supported; use 4.0.")
    return media_type


def _unzipped(body: bytes, most: int) -> bytes:
    content = b""
    while body:  # one gzip file may hold several members, one behind the other
        reader = zlib.decompressobj(wbits=31)
        try:
            content += reader.decompress(body, most + 1 - len(content))
        except zlib.error:
            raise problem(400, "structure", "The body says it is gzip, but it cannot be decompressed.") from None
        if len(content) > most or reader.unconsumed_tail:
            raise too_large(most)
        if not reader.eof:
            raise problem(400, "structure", "The gzip body ends too early.")
        body = reader.unused_data
    return content


def call_from(request: Request, interaction: str, path: dict[str, str], max_body: int) -> Call:
    """The `Call` that an HTTP request asks for; `path` holds the parts of the address."""
    call = Call(
        interaction,
        request.method,
        path.get("type"),
        path.get("id"),
        path.get("version"),
        query=_query_of(request),
    )
    if "compartment" in path:
        call = call.in_compartment(path["compartment"])
    if request.method in ("POST", "PUT"):
        call.body = body_of(request, max_body, "form" if interaction in SEARCHES else "resource")
    elif request.method == "PATCH":
        body = body_of(request, max_body, "patch")
        if not body:
            raise problem(400, "required", "The request has no body; a patch is expected.")
        is_json_patch = parse_options_header(request.headers.get("Content-Type", "").lower())[0] == JSON_PATCH
        call.patch = JsonPatch.parse(body) if is_json_patch else FhirPathPatch.parse(body)
    headers = request.environ  # where they are looked up by name, and not one after the other
    if "HTTP_IF_MATCH" in headers:
        call.if_match = entity_tags(headers["HTTP_IF_MATCH"])
    if "HTTP_IF_NONE_MATCH" in headers:
        call.if_none_match = entity_tags(headers["HTTP_IF_NONE_MATCH"])
    if "HTTP_IF_NONE_EXIST" in headers:
        call.if_none_exist = condition_of(headers["HTTP_IF_NONE_EXIST"])
    if "HTTP_IF_MODIFIED_SINCE" in headers:
        call.if_modified_since = _http_date(headers["HTTP_IF_MODIFIED_SINCE"])
    if "HTTP_PREFER" in headers:
        call.prefer_return, call.lenient = _preferences(headers["HTTP_PREFER"])
    return call


def _query_of(request: Request) -> str:
    """The query as text; many clients send what is not ASCII as it is. Raises a 400 `Problem` where it is not UTF-8."""
    try:
        return request.query_string.decode()
    except UnicodeDecodeError:
        raise problem(400, "invalid", "The query is not UTF-8.") from None


def _preferences(header: str) -> tuple[Return | None, bool]:
    preferred = dict(_PREFER.findall(header))
    wanted = preferred.get("return")
    returned: Return | None = wanted if wanted in ("minimal", "representation", "OperationOutcome") else None
    return returned, preferred.get("handling") == "lenient"


def _http_date(text: str) -> int | None:
    """An HTTP date as milliseconds since 1970; one that cannot be read counts as absent, as HTTP asks."""
    try:
        moment = parsedate_to_datetime(text)
        return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):
        return None
