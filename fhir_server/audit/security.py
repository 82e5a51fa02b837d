"""Events of the authorization server: logged, and taken down in the journal so that they outlive even a loss of power."""

from __future__ import annotations

from collections.abc import Callable

from flask import g, has_request_context, request

from fhir_server.audit.journal import Journal
from fhir_server.audit.records import SecurityRecord, Who, line_of
from fhir_server.request_log import log
from smart_auth.events import Audit, Event


def security_audit(journal: Journal, clock: Callable[[], int]) -> Audit:
    """What takes the events down. It raises a 503 `Problem` where that fails, so that nothing is done unnoticed.

    clock: milliseconds since 1970.
    """

    def take(event: Event) -> None:
        level = "info" if event.succeeded else "warning"
        log(level, "authorization", code=event.code, succeeded=event.succeeded, client=event.client_id)
        address, request_id = event.address, None
        if has_request_context():
            address, request_id = address or request.remote_addr, g.get("request_id")
        who = Who(event.client_id, event.sub, event.grant_id, event.patient, address)
        record = SecurityRecord(clock(), request_id, who, event.code, event.succeeded, event.reason)
        journal.append_durably(line_of(record))

    return take
