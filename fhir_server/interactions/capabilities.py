"""capabilities: what this server can do.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version

import orjson

from capability.statement import capability_statement
from fhir_server.call import Answer, Call
from fhir_server.services import Services

_STARTED = datetime.now(UTC)


def capabilities(_: Call, services: Services) -> Answer:
    """The CapabilityStatement; it never changes while the server runs."""
    return Answer(200, _statement(services.base_url))


@cache
def _statement(base_url: str) -> bytes:
    return orjson.dumps(capability_statement(base_url, version("fhir-server"), _STARTED))
