"""What requests to the FHIR API did, taken down before they are answered.

With `FHIR_AUDIT=security` only what was denied is taken down, with `access` everything. What may change something is taken
down twice: before it begins, so that nothing changes of which nobody knows, and when it is done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlencode

from flask import g, request
from werkzeug.exceptions import HTTPException

from capability.operations import reading_operations
from fhir_server.audit.journal import Journal, JournalError, Segment
from fhir_server.audit.records import Deed, RequestRecord, Seen, Who, line_of
from fhir_server.call import Answer, Call
from fhir_server.gate import PUBLIC
from fhir_server.services import Clock, Services
from fhir_server.settings_table import AuditLevel
from resources.primitives import is_id
from resources.problem import Problem
from smart_auth.model import User

SEARCHES = frozenset({"search", "search_system"})
READS = SEARCHES | {"read", "vread", "history"} | reading_operations()
"""Interactions that change nothing; of all others it is taken down that they begin."""

WITHOUT_QUERY = frozenset({"read", "vread", "create", "update", "patch", "delete", "bundle"})
"""Interactions in the address of which nothing but the answer's format is asked for."""

# A query that goes on behind this is cut; no browser or proxy passes on an address of that length.
LONGEST_QUERY = 32_000
LONGEST_REASON = 500
HIDDEN = "It is outside of what this access allows; the answer was that there is none."

# Some clients send their token in the address, where it is not accepted.
_TOKEN = re.compile(r"(?i)(^|[&?])(access_token|refresh_token|client_secret)=[^&]*")


class RequestAudit:
    """Takes down what requests do. clock: milliseconds since 1970."""

    def __init__(self, journal: Journal, level: AuditLevel, clock: Clock) -> None:
        self.journal = journal
        self.takes_all = level == "access"
        self.clock = clock

    def take_search(
        self, user: User, type_name: str, pairs: Sequence[tuple[str, str]], found: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take down which resources a page showed its user. Raises a 503 `Problem` where that fails."""
        if self.takes_all:
            shown = tuple((type_name, str(tree["id"]), int(tree["meta"]["versionId"])) for tree in found)
            deed = Deed("search", 200, type_name, query=urlencode(pairs), shown=shown)
            who = Who(sub=user.sub, address=request.remote_addr)
            self.journal.append(line_of(RequestRecord(self.clock(), g.get("request_id"), who, (deed,))))


class Visit:
    """A request under way, as a `with` block around all that it does; call, services and answer are set as they come.

    audit: None where nothing is taken down. path: the parts of the address. Leaving the block raises a 503 `Problem` where
    what was done cannot be taken down.
    """

    __slots__ = ("_audit", "_begun", "_interaction", "_path", "answer", "call", "services")

    def __init__(self, audit: RequestAudit | None, interaction: str, path: Mapping[str, str]) -> None:
        self._audit = None if interaction in PUBLIC else audit
        self._interaction = interaction
        self._path = path
        self._begun: tuple[Segment, int] | None = None
        self.call: Call | None = None
        self.services: Services | None = None
        self.answer: Answer | None = None

    def __enter__(self) -> Visit:
        return self

    def begin(self) -> None:
        """To be called before the request may change anything. Raises a 503 `Problem` where that cannot be taken down."""
        audit = self._audit
        if audit is not None and audit.takes_all and self._interaction not in READS:
            deed = _deed(self._asked(), 0)
            self._begun = audit.journal.begin(lambda key: line_of(self._record(audit, (deed,), "begun", key)))

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        audit = self._audit
        if audit is None or isinstance(error, JournalError):
            return
        deeds = self._failed(error) if error is not None else self._done()
        if not audit.takes_all:
            deeds = tuple(deed for deed in deeds if deed.is_denial)
            if not deeds:
                return
        if self._begun is None:
            audit.journal.append(line_of(self._record(audit, deeds)))
            return
        segment, key = self._begun
        audit.journal.finish(segment, line_of(self._record(audit, deeds, "done", key)))

    def _record(
        self,
        audit: RequestAudit,
        deeds: tuple[Deed, ...],
        stage: Literal["begun", "done"] = "done",
        key: int | None = None,
    ) -> RequestRecord:
        address = request.environ.get("REMOTE_ADDR")
        access = self.services.access if self.services is not None else None
        if access is None:
            who = Who(address=address)
        else:
            who = Who(access.client_id, access.sub, access.grant_id, access.context.patient, address)
        return RequestRecord(audit.clock(), g.get("request_id"), who, deeds, stage, key)

    def _asked(self) -> Call:
        """The call, or as much of it as is known before there is one."""
        if self.call is not None:
            return self.call
        path = self._path
        query = request.query_string.decode(errors="replace")
        call = Call(
            self._interaction, request.method, path.get("type"), path.get("id"), path.get("version"), query=query
        )
        return call.in_compartment(path["compartment"]) if "compartment" in path else call

    def _failed(self, error: BaseException) -> tuple[Deed, ...]:
        if isinstance(error, Problem):
            return (_deed(self._asked(), error.status, error.issues[0].text, error.is_denial),)
        status = error.code or 500 if isinstance(error, HTTPException) else 500
        return (_deed(self._asked(), status),)

    def _done(self) -> tuple[Deed, ...]:
        answer = self.answer
        assert answer is not None  # whoever leaves without an error has answered
        if not answer.parts:
            return (_answered(self._asked(), answer),)
        return tuple(_answered(part.call, part) for part in answer.parts)


def _answered(call: Call | None, answer: Answer) -> Deed:
    reason = answer.issues[0].text if answer.status >= 400 and answer.issues else None
    return _deed(call, answer.status, reason, answer.is_denial, answer)


def _deed(
    call: Call | None, status: int, reason: str | None = None, is_denial: bool = False, answer: Answer | None = None
) -> Deed:
    if is_denial and status not in (401, 403):
        reason = HIDDEN
    elif reason is not None:
        reason = reason[:LONGEST_REASON]
    if call is None:
        return Deed(None, status, reason=reason, is_denial=is_denial)
    logical_id = call.id
    version: int | None = None
    shown: tuple[Seen, ...] = ()
    stored = None if answer is None else answer.version
    if stored is not None:
        logical_id, version = stored.id, stored.version
    elif logical_id is not None and not is_id(logical_id):
        logical_id = None  # the reason quotes it
    if answer is not None and answer.shown:
        shown = tuple((each.type, each.id.partition("#")[0], each.version) for each in answer.shown)
    query = None if call.interaction in WITHOUT_QUERY else _query(call)
    compartment = None if call.compartment is None else "/".join(call.compartment)
    return Deed(call.interaction, status, call.type, logical_id, version, compartment, query, reason, shown, is_denial)


def _query(call: Call) -> str:
    text = call.query
    if call.method == "POST" and call.interaction in SEARCHES:  # of others the body is a resource
        text = "&".join(part for part in (text, call.body[:LONGEST_QUERY].decode(errors="replace")) if part)
    return _TOKEN.sub(r"\1\2=", text[:LONGEST_QUERY])
