"""`$versions`: the versions of FHIR that the server speaks.

https://hl7.org/fhir/R4/capabilitystatement-operation-versions.html
"""

from __future__ import annotations

from fhir_server.call import Answer, Call
from fhir_server.operations.arguments import arguments_of
from fhir_server.services import Services
from resources.parameters import parameter, parameters_bytes

VERSION = "4.0"


def versions(call: Call, _: Services) -> Answer:
    """The only version, which is the default one."""
    arguments_of(call)
    return Answer(200, parameters_bytes([parameter(name, "code", VERSION) for name in ("version", "default")]))
