"""What `/openapi.json` describes, tried by schemathesis: each operation, by requests that fit it and by some that do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation, BaseSchema

from tests.fuzz.application import Answer, Application, Request, fault_of
from tests.fuzz.kinds import FaultFound, Watch

# JSON Schema cannot say what FHIR asks of a resource or of a query, so what fits the document may yet be refused, and
# operations pass over bodies that they have no use for.
NOT_ASKED = ("positive_data_acceptance", "negative_data_rejection")
# The client for WSGI does not unpack.
PLAIN = {"Accept-Encoding": "identity"}

Call = Callable[[Case], Response]


def described_by(application: Application) -> BaseSchema:
    """The document of an application in this process."""
    with application.logging():
        return schemathesis.openapi.from_wsgi("/openapi.json", application.flask)


def probe_described(application: Application, watch: Watch, requests: int, number: int) -> Iterator[FaultFound]:
    """Send about so many requests to all operations; what was wrong with the answers. number: of the random sequence."""

    def call(case: Case) -> Response:
        with application.logging():
            return case.call(headers=PLAIN)

    yield from probe(described_by(application), call, watch, requests, number)


def probe(schema: BaseSchema, call: Call, watch: Watch, requests: int, number: int) -> Iterator[FaultFound]:
    """The same, with any way to call."""
    operations = [found.ok() for found in schema.get_all_operations()]
    each = max(requests // (2 * len(operations)), 1)
    for operation in operations:
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            yield from _probe_operation(operation, mode, call, watch, each, number)


def _probe_operation(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, call: Call, watch: Watch, times: int, number: int
) -> list[FaultFound]:
    faults: dict[str, FaultFound] = {}

    @seed(number)
    @settings(
        max_examples=times,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        response = call(case)
        request, answer = _as_sent(response)
        watch(request, answer)
        fault = fault_of(request, answer) or _broken_promise(case, response)
        if fault is not None:
            faults.setdefault(re.sub(r"\d+", "", fault)[:80], FaultFound(request, answer, fault))

    with suppress(Unsatisfiable):  # where a request has nothing that could be wrong
        send()
    return list(faults.values())


def _broken_promise(case: Case, response: Response) -> str | None:
    """How an answer differs from what the document says."""
    try:
        case.validate_response(response, excluded_checks=[CHECKS.get_one(name) for name in NOT_ASKED])
    except FailureGroup as failures:
        return "; ".join(f"{type(each).__name__}: {each}" for each in failures.exceptions)[:1000]
    return None


def _as_sent(response: Response) -> tuple[Request, Answer]:
    sent = response.request
    parts = urlsplit(sent.url or "")
    body = sent.body if isinstance(sent.body, bytes) else str(sent.body or "").encode()
    headers = {name: ", ".join(values) for name, values in response.headers.items()}
    request = Request(sent.method or "", parts.path, parts.query, dict(sent.headers), body)
    answer = Answer(response.status_code, {name.title(): value for name, value in headers.items()}, response.content)
    return request, answer
