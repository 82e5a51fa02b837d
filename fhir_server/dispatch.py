"""From a `Call` to the interaction that answers it, and from an address to the call.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from capability.interactions_table import INTERACTIONS, Interaction
from fhir_server.call import Answer, Call
from fhir_server.gate import check
from fhir_server.interactions.history import history
from fhir_server.interactions.patch import conditional_patch, patch
from fhir_server.interactions.read import read, vread
from fhir_server.interactions.search import search
from fhir_server.interactions.search_across import search_system
from fhir_server.interactions.write import conditional_delete, conditional_update, create, delete, update
from fhir_server.operations import OPERATIONS
from fhir_server.services import Services
from resources.definitions import resource_types
from resources.problem import problem, quoted
from search.kinds.reference import COMPARTMENTS

Handler = Callable[[Call, Services], Answer]

HANDLERS: dict[str, Handler] = {
    "conditional_delete": conditional_delete,
    "conditional_update": conditional_update,
    "create": create,
    "delete": delete,
    "conditional_patch": conditional_patch,
    "history": history,
    "patch": patch,
    "read": read,
    "search": search,
    "search_system": search_system,
    "update": update,
    "vread": vread,
    **OPERATIONS,
}


def _pattern(row: Interaction) -> re.Pattern[str]:
    """As in the routes: what begins with `$` or `_` is no id."""
    literal = row.path.replace("*", r"\*").replace("$", r"\$")
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/$_][^/]*)", literal))


# A Bundle within a Bundle, or the CapabilityStatement as an entry, serve no purpose.
_PATTERNS = [(_pattern(row), row) for row in INTERACTIONS if row.name in HANDLERS]


def perform(call: Call, services: Services) -> Answer:
    """Answer a call. Raises `Problem` for whatever cannot be answered as asked."""
    check(call, services)
    return HANDLERS[call.interaction](call, services)


def call_for(method: str, url: str, base_url: str) -> Call:
    """The call that a method and a URL below the FHIR base ask for, as in `Bundle.entry.request`.

    Raises a `Problem`: 404 for an unknown type or address, 405 for a method that the address does not know.
    """
    path, _, query = url.removeprefix(base_url).partition("?")
    path = "/" + unquote(path).strip("/")
    verb = "GET" if method == "HEAD" else method
    allowed: set[str] = set()
    for pattern, row in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        parts = match.groupdict()
        if "type" in parts and parts["type"] not in resource_types():
            continue
        compartment = parts.pop("compartment", None)
        if compartment is not None and compartment not in COMPARTMENTS:
            continue
        allowed.add(row.method)
        if row.method == verb:
            type_name = parts.get("type", row.type)
            call = Call(row.name, method, type_name, parts.get("id"), parts.get("version"), query=query)
            return call if compartment is None else call.in_compartment(compartment)
    if allowed:
        text = f"The method {quoted(method)} is not supported at {quoted(url)}; supported are {', '.join(sorted(allowed))}."
        raise problem(405, "not-supported", text)
    raise problem(404, "not-found", f"There is nothing at {quoted(url)}.")
