"""The JSON text of a resource → XML.

https://hl7.org/fhir/R4/xml.html

Elements come in the order of the definitions. A narrative is taken over as it is written, but for named entities, which XML
does not know by itself.
"""

from __future__ import annotations

import re
from functools import cache
from html.entities import html5
from typing import Any

from resources.definitions import Element, type_facts
from resources.exact_json import Scalar, parse_exact
from resources.problem import Problem, problem
from resources.xml.from_xml import FHIR

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_ESCAPED = re.compile(r'[&<>"\n\r\t]')
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")
_OF_XML = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
# What XML 1.0 cannot carry, not even as a reference. https://www.w3.org/TR/xml/#charsets
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def xml_from_json(text: str) -> str:
    """The XML document of a resource. text: of a valid resource. Raises a 406 `Problem` for what XML cannot carry."""
    if _NOT_IN_XML.search(text) or ("\\u00" in text and _NOT_IN_XML.search(_decoded(text))):
        raise _unfit("a control character")
    parts = [_DECLARATION]
    tree: Any = parse_exact(text)
    _write_resource(tree, parts, f' xmlns="{FHIR}"')
    return "".join(parts)


def _decoded(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)


def _write_resource(tree: dict[str, Any], parts: list[str], attributes: str = "") -> None:
    type_name = tree["resourceType"].value
    parts.append(f"<{type_name}{attributes}>")
    _write_members(tree, type_name, parts)
    parts.append(f"</{type_name}>")


def _write_members(
    tree: dict[str, Any], type_name: str, parts: list[str], skipped: frozenset[str] = frozenset()
) -> None:
    for name, element, element_type in _in_order(type_name):
        if name in skipped:
            continue
        value, sibling = tree.get(name), tree.get("_" + name)
        if value is None and sibling is None:
            continue
        if not element.is_list:
            _write_element(name, element_type, value, sibling, parts)
            continue
        values = value if isinstance(value, list) else []
        siblings = sibling if isinstance(sibling, list) else []
        for number in range(max(len(values), len(siblings))):
            one = values[number] if number < len(values) else None
            other = siblings[number] if number < len(siblings) else None
            _write_element(name, element_type, _given(one), _given(other), parts)


def _given(value: Any) -> Any:
    return None if isinstance(value, Scalar) and value.text == "null" else value


def _write_element(name: str, type_name: str, value: Any, sibling: Any, parts: list[str]) -> None:
    if type_name == "Resource":
        parts.append(f"<{name}>")
        _write_resource(value, parts)
        parts.append(f"</{name}>")
    elif type_name == "xhtml":
        parts.append(_narrative(value.value))
    elif type_facts(type_name).kind == "primitive":
        attributes = "" if value is None else f' value="{_escaped(_text(value))}"'
        _write_tag(name, "Element", sibling or {}, attributes, parts)
    else:
        _write_tag(name, type_name, value, "", parts)


def _write_tag(name: str, type_name: str, members: dict[str, Any], attributes: str, parts: list[str]) -> None:
    """An element with its children; `id`, and `url` of an extension, are attributes."""
    skipped = _ATTRIBUTES_OF_EXTENSION if type_name == "Extension" else _ATTRIBUTES
    stated = [f' {key}="{_escaped(members[key].value)}"' for key in ("id", "url") if key in skipped and key in members]
    parts.append(f"<{name}{''.join(stated)}{attributes}")
    if members.keys() <= skipped:
        parts.append("/>")
        return
    parts.append(">")
    _write_members(members, type_name, parts, skipped)
    parts.append(f"</{name}>")


_ATTRIBUTES = frozenset({"id"})
_ATTRIBUTES_OF_EXTENSION = frozenset({"id", "url"})


@cache
def _in_order(type_name: str) -> tuple[tuple[str, Element, str], ...]:
    elements = type_facts(type_name).elements.values()
    return tuple((name, element, of) for element in elements for name, of in element.json_names().items())


def _text(value: Scalar) -> str:
    return str(value.value) if value.text.startswith('"') else value.text


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], text)


def _narrative(text: str) -> str:
    # A parser of XML takes a bare carriage return for the end of a line.
    return _NAMED.sub(lambda match: match[0] if match[1] in _OF_XML else _reference(match[1]), text).replace(
        "\r", "&#13;"
    )


def _reference(name: str) -> str:
    if name not in html5:
        raise _unfit(f"the entity '&{name}'")
    return "".join(f"&#{ord(character)};" for character in html5[name])


def _unfit(what: str) -> Problem:
    return problem(406, "not-supported", f"The resource holds {what}, which XML cannot carry; ask for JSON.")
