"""Parts of a resource: only some elements, marked as such. Every value that stays is spelled as it was.

https://hl7.org/fhir/R4/search.html#elements and #summary
"""

from __future__ import annotations

import json
from functools import cache

from resources.definitions import TypeFacts, type_facts
from resources.raw_json import parse_items, parse_members, parse_value

SUBSETTED = (
    '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED",'
    '"display":"Resource encoded in summary mode"}'
)
ALWAYS = frozenset({"resourceType", "id", "meta"})


def with_elements(raw: bytes, elements: frozenset[str]) -> bytes:
    """A stored resource with the given top-level elements, and those that must not be missing."""
    text = raw.decode()
    tree, spans, _ = parse_members(text)
    facts = type_facts(tree["resourceType"])
    required = {element.name for element in facts.elements.values() if element.min or element.is_modifier}
    wanted = {n for name in elements | required for n in _json_names(facts, name)} | ALWAYS
    return _joined(text, [(name, text[s.value : s.end]) for name, s in spans.items() if name.lstrip("_") in wanted])


def summary(raw: bytes) -> bytes:
    """A stored resource with the elements that its definition marks as summary, at every depth."""
    text = raw.decode()
    tree, _, _ = parse_members(text)
    name = tree["resourceType"]
    return _joined(text, _summary_members(text, 0, name) or [])


def text_only(raw: bytes) -> bytes:
    """A stored resource with its narrative and mandatory elements alone (`_summary=text`)."""
    return with_elements(raw, frozenset({"text"}))


def without_text(raw: bytes) -> bytes:
    """A stored resource without its narrative (`_summary=data`)."""
    text = raw.decode()
    _, spans, _ = parse_members(text)
    return _joined(text, [(name, text[s.value : s.end]) for name, s in spans.items() if name != "text"])


def _summary_members(text: str, at: int, type_name: str) -> list[tuple[str, str]]:
    members, spans, _ = parse_members(text, at)
    wanted = _summary_types(type_name)
    kept: list[tuple[str, str]] = []
    for name, span in spans.items():
        plain = name.lstrip("_")
        if plain in ALWAYS and type_facts(type_name).kind == "resource":
            kept.append((name, text[span.value : span.end]))
        elif plain in wanted:
            member_type = wanted[plain]
            if member_type is not None and name == plain and isinstance(members[name], (dict, list)):
                kept.append((name, _summary_value(text, span.value, member_type)))
            else:
                kept.append((name, text[span.value : span.end]))
    return kept


def _summary_value(text: str, at: int, type_name: str) -> str:
    if text[at] == "[":

        def item(text: str, at: int) -> tuple[str, int]:
            _, end = parse_value(text, at)
            return _summary_value(text, at, type_name) if text[at] == "{" else text[at:end], end

        items, _ = parse_items(text, at, item)
        return "[" + ",".join(items) + "]"
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in _summary_members(text, at, type_name)) + "}"


@cache
def _summary_types(type_name: str) -> dict[str, str | None]:
    """JSON member of the summary → the backbone type to look into, or None where its value stays whole."""
    return {
        json_name: member_type if type_facts(member_type).kind == "backbone" else None
        for element in type_facts(type_name).elements.values()
        if element.is_summary or element.is_modifier or element.min
        for json_name, member_type in element.json_names().items()
    }


def _json_names(facts: TypeFacts, name: str) -> list[str]:
    element = facts.elements.get(name)
    return [name] if element is None else list(element.json_names())


def _joined(text: str, members: list[tuple[str, str]]) -> bytes:
    """The members as an object whose meta says that it is not the whole."""
    parts: list[str] = []
    for name, value in members:
        parts.append(f"{json.dumps(name)}:{_tagged(value) if name == 'meta' else value}")
    return ("{" + ",".join(parts) + "}").encode()


def _tagged(meta: str) -> str:
    _, spans, _ = parse_members(meta)
    kept = [meta[s.start : s.end] for name, s in spans.items() if name != "tag"]
    tags = [SUBSETTED]
    if "tag" in spans:
        inside = meta[spans["tag"].value + 1 : spans["tag"].end - 1].strip()
        tags = [inside, SUBSETTED] if inside else tags
    return "{" + ",".join([*kept, f'"tag":[{",".join(tags)}]']) + "}"
