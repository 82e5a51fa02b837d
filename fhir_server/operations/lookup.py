"""`$lookup`: what is known of a code.

https://hl7.org/fhir/R4/codesystem-operation-lookup.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_server.call import Answer, Call
from fhir_server.operations.arguments import arguments_of
from fhir_server.operations.terminology_request import codings_of, held_system
from fhir_server.services import Services
from resources.parameters import group, parameter, parameters_bytes
from resources.problem import problem, quoted
from resources.terminology import CodeSystem, Concept

# What the hierarchy says, in the words of https://hl7.org/fhir/R4/codesystem-concept-properties.html
_STATED = frozenset({"parent", "child", "inactive", "notSelectable"})


def lookup(call: Call, services: Services) -> Answer:
    """Display and properties of a code as Parameters. Raises a 404 `Problem` where the system or the code is not known."""
    arguments = arguments_of(call)
    coding = codings_of(arguments, arguments.one("system"), arguments.one("version"))[0]
    if coding.system is None:
        raise problem(400, "required", "The parameter 'system' is missing; a code means something in its system only.")
    system = held_system(coding.system, coding.version, services)
    concept = system.find(coding.code)
    if concept is None:
        text = f"The code {quoted(coding.code)} is not in the code system {quoted(system.url)}."
        raise problem(404, "not-found", text)
    wanted = {name for text in arguments.all("property") for name in text.split(",")}
    found = [parameter("name", "string", system.name or system.url)]
    if system.version is not None:
        found.append(parameter("version", "string", system.version))
    found.append(parameter("display", "string", concept.display))
    found += [
        group("property", [parameter("code", "code", name), parameter("value", kind, value)])
        for name, kind, value in _properties(concept, system)
        if not wanted or name in wanted
    ]
    return Answer(200, parameters_bytes(found))


def _properties(concept: Concept, system: CodeSystem) -> Iterator[tuple[str, str, Any]]:
    """Code, type and value of each property."""
    for parent in concept.parents:
        yield "parent", "code", parent
    for child in system.children.get(concept.code, ()):
        yield "child", "code", child
    yield "inactive", "boolean", concept.is_inactive
    if concept.is_abstract:
        yield "notSelectable", "boolean", True
    for name, text in concept.properties:
        if name not in _STATED and text:
            yield name, "string", text
