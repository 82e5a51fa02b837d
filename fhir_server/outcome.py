"""Issues as the OperationOutcome that a client gets, and unexpected faults as a `Problem`.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

from fhir_server.request_log import log_fault
from fhir_server.store.faults import DatabaseError, is_passing
from resources.problem import Issue, Problem, operation_outcome, problem

# What no FHIR string may hold, though an issue may quote it. https://hl7.org/fhir/R4/datatypes.html#string
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def outcome_tree(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome as a JSON object that is valid whatever its issues quote."""
    return operation_outcome(
        Issue(i.severity, i.code, speakable(i.text), i.expression and speakable(i.expression)) for i in issues
    )


def outcome_bytes(issues: Iterable[Issue]) -> bytes:
    """An OperationOutcome as JSON text."""
    return orjson.dumps(outcome_tree(issues))


def speakable(text: str) -> str:
    """A text without what no FHIR string may hold."""
    return _UNSPEAKABLE.sub("\ufffd", text)


def unexpected(error: Exception) -> Problem:
    """The answer to an error that is none of ours, which is logged: 503 where the database is out of reach, else 500."""
    log_fault(error)
    if isinstance(error, DatabaseError) and is_passing(error):
        text = "The database cannot be reached at the moment; please try again."
        return problem(503, "transient", text, headers={"Retry-After": "5"})
    text = "The server met an unexpected fault; its log has the details under this answer's X-Request-Id."
    return Problem(500, [Issue("fatal", "exception", text)])
