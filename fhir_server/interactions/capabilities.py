"""capabilities: what this server can do.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version

import orjson

from capability.statement import capability_statement
from fhir_server.auth_settings import auth_settings
from fhir_server.call import Answer, Call
from fhir_server.services import Services
from search.catalogue import Catalogue
from smart_auth.settings import AuthSettings

_STARTED = datetime.now(UTC)


def capabilities(_: Call, services: Services) -> Answer:
    """The CapabilityStatement; it changes only when a search parameter is added."""
    return Answer(200, _statement(services.base_url, services.catalogue(), auth_settings(services.settings)))


@lru_cache(maxsize=4)
def _statement(base_url: str, catalogue: Catalogue, auth: AuthSettings | None) -> bytes:
    return orjson.dumps(capability_statement(base_url, version("fhir-server"), _STARTED, catalogue, auth))
