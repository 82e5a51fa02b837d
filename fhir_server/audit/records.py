"""What the journal holds: one record a request, or an event of the authorization server, each as a line of JSON.

No token and no secret is ever part of a record. The query of a search is; it tells about patients, so whoever may not read
AuditEvents must not read the journal either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import orjson

# The values here have no slots, because orjson writes those that have none four times as fast.

Seen = tuple[str, str, int]
"""A version of a resource: its type, logical id and version."""

Stage = Literal["begun", "done"]


@dataclass(frozen=True)
class Who:
    """Who made a request: client_id, the user's sub, the grant, the patient of the launch context, the network address.

    All but the address are None where nobody could be told from the request.
    """

    client: str | None = None
    sub: str | None = None
    grant: str | None = None
    patient: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Deed:
    """One interaction: a request, or an entry of a Bundle.

    interaction: as in the table of interactions, or None where a Bundle's entry named none. status: of the answer; 0 while
    there is none. type, id, version: of the resource that it was about. compartment: `Patient/1` where a search was within
    one. query: of a search. reason: why it failed. shown: what the answer held, besides the resource itself.
    is_denial: whether it was refused to whoever asked, even if the answer did not say so.
    """

    interaction: str | None
    status: int = 0
    type: str | None = None
    id: str | None = None
    version: int | None = None
    compartment: str | None = None
    query: str | None = None
    reason: str | None = None
    shown: tuple[Seen, ...] = ()
    is_denial: bool = False


@dataclass(frozen=True)
class RequestRecord:
    """A request to the FHIR API, or one that a page made for its visitor.

    at: milliseconds since 1970. request: its id. stage: `begun` before something is changed, and then `done` with the same
    key. Several deeds are the entries of a Bundle.
    """

    at: int
    request: str | None
    who: Who
    deeds: tuple[Deed, ...]
    stage: Stage = "done"
    key: int | None = None


@dataclass(frozen=True)
class SecurityRecord:
    """An event of the authorization server; `smart_auth.events.Event` tells what the members mean."""

    at: int
    request: str | None
    who: Who
    code: str
    succeeded: bool
    reason: str | None = None


Record = RequestRecord | SecurityRecord


def line_of(record: Record) -> bytes:
    """A record as a line, which holds no other line break."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def record_of(line: bytes) -> Record:
    """The record of a line. Raises ValueError, KeyError or TypeError for a line that holds none."""
    members: dict[str, Any] = orjson.loads(line)
    members["who"] = Who(**members["who"])
    if "code" in members:
        return SecurityRecord(**members)
    members["deeds"] = tuple(_deed(deed) for deed in members["deeds"])
    return RequestRecord(**members)


def _deed(members: dict[str, Any]) -> Deed:
    members["shown"] = tuple((type_name, own_id, version) for type_name, own_id, version in members["shown"])
    return Deed(**members)
