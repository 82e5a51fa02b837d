"""Operations: what answers each, by the name of its interaction.

https://hl7.org/fhir/R4/operations.html

What there is, and where, stands in `capability.operations`; each handler has a file of its own here.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from fhir_server.call import Answer, Call
from fhir_server.interactions.reindex import reindex
from fhir_server.operations.everything import everything
from fhir_server.operations.expand import expand
from fhir_server.operations.expunge import expunge
from fhir_server.operations.lookup import lookup
from fhir_server.operations.match import match
from fhir_server.operations.meta import meta, meta_add, meta_delete
from fhir_server.operations.validate import validate
from fhir_server.operations.validate_code import validate_code
from fhir_server.operations.versions import versions
from fhir_server.services import Services

Handler = Callable[[Call, Services], Answer]

OPERATIONS = MappingProxyType[str, Handler](
    {
        "everything": everything,
        "expand": expand,
        "expunge": expunge,
        "lookup": lookup,
        "match": match,
        "meta": meta,
        "meta_add": meta_add,
        "meta_delete": meta_delete,
        "reindex": reindex,
        "validate_code": validate_code,
        "versions": versions,
        "validate": validate,
    }
)
