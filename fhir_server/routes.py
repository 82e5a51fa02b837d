"""The routes below the FHIR base, built from the table of interactions.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

from flask import Flask, Request, Response, request
from werkzeug.routing import BaseConverter

from capability.interactions_table import INTERACTIONS, Interaction
from fhir_server.audit.requests import RequestAudit, Visit
from fhir_server.call import Answer, Call
from fhir_server.dispatch import HANDLERS
from fhir_server.gate import admit, check
from fhir_server.interactions.bundle import bundle
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.reindex import reindex_progress
from fhir_server.negotiation import answer_type, call_from
from fhir_server.reply import respond
from fhir_server.services import Services
from resources.definitions import resource_types
from search.kinds.reference import COMPARTMENTS
from smart_auth.services import AuthServices

BASE = "/fhir"
ALL_HANDLERS: dict[str, Callable[[Call, Services], Answer]] = {
    **HANDLERS,
    "bundle": bundle,
    "capabilities": capabilities,
    "reindex_progress": reindex_progress,
}


class TypeConverter(BaseConverter):
    """The name of an R4 resource type; anything else is not routed."""

    # Every name, and not a check afterwards: Werkzeug looks at methods first, and would answer 405 for an unknown type.
    regex = f"(?:{'|'.join(sorted(resource_types()))})"
    part_isolating = True


class CompartmentConverter(BaseConverter):
    """The name of a type that has a compartment."""

    regex = f"(?:{'|'.join(COMPARTMENTS)})"
    part_isolating = True


class IdConverter(BaseConverter):
    """One part of an address that may be an id; whether it is a legal one, the interaction tells in its answer.

    Operations begin with `$` and what FHIR reserves with `_`, so neither is taken for an id.
    """

    regex = r"[^/$_][^/]*"
    part_isolating = True


# Part of a path in the table → how it is matched.
CONVERTERS = {"type": "type", "compartment": "compartment", "id": "part", "version": "part"}


def register_routes(
    app: Flask, services: Services, auth: AuthServices | None = None, audit: RequestAudit | None = None
) -> None:
    """Add a rule for every row of the table. auth: None where requests need no token; audit: None where none is kept."""
    app.url_map.converters.update(type=TypeConverter, compartment=CompartmentConverter, part=IdConverter)
    by_path: dict[str, dict[str, Interaction]] = defaultdict(dict)
    for row in INTERACTIONS:
        by_path[row.path][row.method] = row
    for path, rows in by_path.items():
        rule = re.sub(r"\{(\w+)\}", lambda match: f"<{CONVERTERS[match[1]]}:{match[1]}>", path)
        for method, row in rows.items():
            app.add_url_rule(
                BASE + rule.rstrip("/"),
                endpoint=endpoint_of(row),
                view_func=_view(row, services, auth, audit),
                methods=[method],
                strict_slashes=False,
                defaults={} if row.type is None else {"type": row.type},
            )


def endpoint_of(row: Interaction) -> str:
    """Flask's name for the route of a row; rows that share an address and a method share the route."""
    return f"{row.name} {row.method} {row.path}"


def _view(
    row: Interaction, services: Services, auth: AuthServices | None, audit: RequestAudit | None
) -> Callable[..., Response]:
    handler = ALL_HANDLERS[row.name]
    max_body = services.settings.max_body_mb * 1024 * 1024

    def view(**path: str) -> Response:
        received: Request = request._get_current_object()  # type: ignore[attr-defined]  # each look through the proxy costs
        media_type = answer_type(received)
        with Visit(audit, row.name, path) as visit:
            visit.services = admitted = admit(received, row.name, services, auth)
            visit.call = call = call_from(received, row.name, path, max_body)
            check(call, admitted)
            visit.begin()
            visit.answer = answer = handler(call, admitted)
        return respond(answer, media_type, services.base_url)

    return view
