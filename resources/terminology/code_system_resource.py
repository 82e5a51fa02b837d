"""A CodeSystem resource → the value that questions are asked of.

https://hl7.org/fhir/R4/codesystem.html and, for the properties that every system may have,
https://hl7.org/fhir/R4/codesystem-concept-properties.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resources.terminology.code_system import CodeSystem, Concept

Json = Mapping[str, Any]

CONCEPT_PROPERTY = "http://hl7.org/fhir/concept-properties#"
PARENTS = frozenset({"parent", "subsumedBy"})
# Older names that systems use without saying what they stand for.
_ROLES = {"abstract": "notSelectable"}
_INACTIVE = frozenset({"inactive", "retired"})


def code_system_of(resource: Json) -> CodeSystem:
    """The facts of a valid CodeSystem resource.

    A code that stands in it twice has the parents of both places. The hierarchy may be nested, or stated by the properties
    `parent`, `subsumedBy` and `child`, or by properties whose URI says that they are one of these.
    """
    roles = {
        one["code"]: one["uri"].removeprefix(CONCEPT_PROPERTY)
        for one in resource.get("property", ())
        if one.get("uri", "").startswith(CONCEPT_PROPERTY)
    }
    displays: dict[str, str] = {}
    parents: dict[str, list[str]] = {}
    properties: dict[str, list[tuple[str, str]]] = {}
    for concept, parent in _every(resource.get("concept", ())):
        code = concept["code"]
        displays[code] = concept.get("display") or displays.get(code) or code
        above = parents.setdefault(code, [])
        if parent is not None:
            above.append(parent)
        for one in concept.get("property", ()):
            name, text = one["code"], _text(one)
            role = roles.get(name, _ROLES.get(name, name))
            if role in PARENTS:
                above.append(text)
            elif role == "child":
                parents.setdefault(text, []).append(code)
            else:
                properties.setdefault(code, []).append((name, text))
                if role != name:
                    properties[code].append((role, text))
    return CodeSystem(
        url=resource.get("url", ""),
        version=resource.get("version"),
        name=resource.get("name"),
        status=resource.get("status", ""),
        content=resource.get("content", ""),
        case_sensitive=resource.get("caseSensitive"),
        hierarchy_meaning=resource.get("hierarchyMeaning"),
        concepts={
            code: concept_of(code, display, parents[code], properties.get(code, ()))
            for code, display in displays.items()
        },
        property_codes=frozenset({*(one["code"] for one in resource.get("property", ())), *roles.values()}),
        filter_codes=frozenset(one["code"] for one in resource.get("filter", ())),
        last_updated=resource.get("meta", {}).get("lastUpdated", ""),
    )


def concept_of(code: str, display: str, parents: Sequence[str], properties: Sequence[tuple[str, str]]) -> Concept:
    """A concept; whether it is abstract or inactive is read from its properties `notSelectable`, `inactive` and `status`."""
    held = dict(properties)
    return Concept(
        code,
        display,
        tuple(dict.fromkeys(parents)),
        held.get("notSelectable") == "true",
        held.get("inactive") == "true" or held.get("status") in _INACTIVE,
        tuple(properties),
    )


def _every(concepts: Sequence[Json]) -> Iterator[tuple[Json, str | None]]:
    """Every concept with the code that it is nested in; without recursion, however deep."""
    waiting: list[tuple[Json, str | None]] = [(concept, None) for concept in reversed(concepts)]
    while waiting:
        concept, parent = waiting.pop()
        yield concept, parent
        waiting += [(inner, concept["code"]) for inner in reversed(concept.get("concept", ()))]


def _text(property_: Json) -> str:
    """The value of a property as the text that filters compare: `true`, `12`, a code, `system|code` of a Coding."""
    value = next((value for name, value in property_.items() if name.startswith("value")), "")
    if isinstance(value, Mapping):
        return f"{value.get('system', '')}|{value.get('code', '')}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
