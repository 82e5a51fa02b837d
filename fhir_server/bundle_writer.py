"""Bundles as bytes, joined from resources as they are stored: nothing is decoded and encoded again.

https://hl7.org/fhir/R4/bundle.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from fhir_server.call import Answer, BundleType
from fhir_server.outcome import outcome_bytes, outcome_tree
from resources.change import Stored
from resources.document import instant
from resources.problem import Issue


class Link(NamedTuple):
    relation: str
    url: str


def searchset(
    matches: Sequence[Stored],
    included: Sequence[Stored],
    links: Sequence[Link],
    total: int | None,
    issues: Sequence[Issue],
    base_url: str,
) -> bytes:
    """A searchset Bundle: matches, then what they bring along; `issues` go into an OperationOutcome entry of their own."""
    entries = [
        _join(_member("fullUrl", f"{base_url}/{s.type}/{s.id}"), b'"resource":' + (s.raw or b"{}"), mode)
        for group, mode in ((matches, _MATCH), (included, _INCLUDE))
        for s in group
    ]
    if issues:
        entries.append(_join(b'"resource":' + outcome_bytes(issues), _OUTCOME))
    return _bundle("searchset", entries, links, total)


def graded_searchset(entries: Sequence[tuple[Stored, dict[str, Any]]], links: Sequence[Link], base_url: str) -> bytes:
    """A searchset Bundle of matches, each with its own `search` member: its score and what else is said of it."""
    parts = [
        _join(
            _member("fullUrl", f"{base_url}/{stored.type}/{stored.id}"),
            b'"resource":' + (stored.raw or b"{}"),
            _member("search", search),
        )
        for stored, search in entries
    ]
    return _bundle("searchset", parts, links, len(parts))


def history_bundle(versions: Sequence[Stored], links: Sequence[Link], total: int | None, base_url: str) -> bytes:
    """A history Bundle: each version with the request that made it."""
    entries: list[bytes] = []
    for version in versions:
        request_url = version.type if version.method == "POST" else f"{version.type}/{version.id}"
        response = {
            "status": _status(204 if version.is_deleted else 200 if version.was_there else 201),
            "etag": f'W/"{version.version}"',
            "lastModified": instant(version.last_updated),
        }
        parts = [_member("fullUrl", f"{base_url}/{version.type}/{version.id}")]
        if version.raw is not None:
            parts.append(b'"resource":' + version.raw)
        parts.append(_member("request", {"method": version.method, "url": request_url}))
        parts.append(_member("response", response))
        entries.append(_join(*parts))
    return _bundle("history", entries, links, total)


def response_bundle(bundle_type: BundleType, answers: Iterable[Answer], base_url: str) -> bytes:
    """The Bundle that answers a batch or transaction: an entry for each entry of the request, in its order.

    An entry with a resource has its full URL, unless an earlier one has the same resource in the same version: bdl-7 says
    that no two may.
    """
    told: set[tuple[str, str, int]] = set()
    return _bundle(bundle_type, [_response_entry(answer, base_url, told) for answer in answers], (), None)


def _response_entry(answer: Answer, base_url: str, told: set[tuple[str, str, int]]) -> bytes:
    response: dict[str, Any] = {"status": _status(answer.status)}
    version = answer.version
    parts: list[bytes] = []
    if version is not None:
        identity = version.type, version.id, version.version
        if answer.content is not None and identity not in told:
            told.add(identity)
            parts.append(_member("fullUrl", f"{base_url}/{version.type}/{version.id}"))
        if answer.is_write:
            response["location"] = f"{base_url}/{version.type}/{version.id}/_history/{version.version}"
        response["etag"] = f'W/"{version.version}"'
        response["lastModified"] = instant(version.last_updated)
    if answer.content is not None:
        parts.append(b'"resource":' + answer.content)
    if answer.issues:
        response["outcome"] = outcome_tree(answer.issues)
    parts.append(_member("response", response))
    return _join(*parts)


def _bundle(bundle_type: BundleType, entries: Sequence[bytes], links: Sequence[Link], total: int | None) -> bytes:
    parts = [b'"resourceType":"Bundle"', _member("type", bundle_type)]
    if total is not None:
        parts.append(_member("total", total))
    if links:
        parts.append(_member("link", [link._asdict() for link in links]))
    if entries:
        parts.append(b'"entry":[' + b",".join(entries) + b"]")
    return _join(*parts)


def _join(*members: bytes) -> bytes:
    return b"{" + b",".join(members) + b"}"


def _member(name: str, value: Any) -> bytes:
    return b'"' + name.encode() + b'":' + orjson.dumps(value)


def _status(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


_MATCH = _member("search", {"mode": "match"})
_INCLUDE = _member("search", {"mode": "include"})
_OUTCOME = _member("search", {"mode": "outcome"})
