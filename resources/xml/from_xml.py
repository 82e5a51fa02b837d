"""XML → the JSON text of a resource.

https://hl7.org/fhir/R4/xml.html and https://hl7.org/fhir/R4/json.html

What the definitions do not know is refused here, because JSON could not carry it; whether values are legal, the validation
of the JSON tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from lxml import etree

from resources.definitions import Element, resource_types, type_facts
from resources.exact_json import Exact, Scalar, written
from resources.problem import problem, quoted
from resources.raw_json import MAX_DEPTH

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_NUMBERS = {
    "integer": re.compile(r"-?(0|[1-9][0-9]*)"),
    "positiveInt": re.compile(r"[1-9][0-9]*"),
    "unsignedInt": re.compile(r"0|[1-9][0-9]*"),
    "decimal": re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"),
}
NULL = Scalar("null")


def json_from_xml(body: bytes) -> str:
    """The JSON text of the resource that an XML document holds.

    Raises a 400 `Problem` for text that is no well-formed XML, has a document type (and so maybe entities), is nested too
    deep, or has elements and attributes that the definitions do not know.
    """
    root = _parsed(body)
    return written(_resource(root, root.tag.rpartition("}")[2], 0))


def _parsed(body: bytes) -> etree._Element:
    # No entity is resolved, nothing is loaded, and libxml2 keeps its own limits on depth and size.
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise problem(400, "structure", f"The body is no well-formed XML: {str(fault)[:200]}.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise problem(400, "structure", "The XML has a document type declaration, which FHIR does not allow.")
    return root


def _resource(node: etree._Element, at: str, depth: int) -> Exact:
    name = _name(node, at)
    if name not in resource_types():
        raise problem(400, "structure", f"The element {quoted(name)} is no R4 resource type.", at)
    found: dict[str, Any] = {"resourceType": _string(name)}
    _fill(found, node, name, at, depth)
    return found


def _fill(found: dict[str, Any], node: etree._Element, type_name: str, at: str, depth: int) -> None:
    """Add what an element holds to a JSON object: its attributes and its children."""
    if depth > MAX_DEPTH:
        raise problem(
            400, "structure", f"The XML is nested deeper than {MAX_DEPTH} levels, which is the most accepted."
        )
    _refuse_text(node, at)
    facts = type_facts(type_name)
    for attribute, value in node.attrib.items():
        if attribute == _SCHEMA_LOCATION:
            continue
        if attribute == "id" and facts.kind != "resource":
            found["id"] = _string(str(value))
        elif attribute == "url" and type_name == "Extension":
            found["url"] = _string(str(value))
        else:
            _refuse(at, f"The attribute {quoted(str(attribute))} is not known here.")
    members = _members(type_name)
    for child in _children(node, at):
        name = _name(child, at, XHTML if child.tag == f"{{{XHTML}}}div" else FHIR)
        if name not in members:
            _refuse(at, f"{type_name} has no element {quoted(name)}.")
        element, element_type = members[name]
        _add(found, name, element, *_value(child, element_type, f"{at}.{name}", depth + 1))


def _value(node: etree._Element, type_name: str, at: str, depth: int) -> tuple[Exact | None, Exact | None]:
    """The value of an element, and for a primitive with an id or extensions the object that holds them."""
    if type_name == "xhtml":
        return _string(etree.tostring(node, encoding="unicode", with_tail=False)), None
    if type_name == "Resource":
        inside = list(_children(node, at))
        if len(inside) != 1 or node.attrib:
            _refuse(at, "It must hold one resource and nothing else.")
        _refuse_text(node, at)
        return _resource(inside[0], at, depth), None
    if type_facts(type_name).kind != "primitive":
        found: dict[str, Any] = {}
        _fill(found, node, type_name, at, depth)
        return found, None
    return _primitive(node, type_name, at, depth)


def _primitive(node: etree._Element, type_name: str, at: str, depth: int) -> tuple[Exact | None, Exact | None]:
    text = node.get("value")
    if text is not None:
        del node.attrib["value"]
    sibling: dict[str, Any] = {}
    if node.attrib or len(node) or (node.text or "").strip():  # a comment makes no difference
        _fill(sibling, node, "Element", at, depth)
    return None if text is None else _scalar(str(text), type_name), sibling or None


def _scalar(text: str, type_name: str) -> Scalar:
    """A primitive's text as JSON has it; what is no legal number or boolean stays a string, for validation to refuse."""
    pattern = _NUMBERS.get(type_name)
    if (pattern is not None and pattern.fullmatch(text)) or (type_name == "boolean" and text in ("true", "false")):
        return Scalar(text)
    return _string(text)


def _add(found: dict[str, Any], name: str, element: Element, value: Exact | None, sibling: Exact | None) -> None:
    if not element.is_list:
        for key, given in ((name, value), ("_" + name, sibling)):
            if given is not None:
                if key in found:  # one too many: an array is what validation refuses
                    held = found[key]
                    found[key] = [*(held if isinstance(held, list) else [held]), given]
                else:
                    found[key] = given
        return
    values, siblings = found.get(name, []), found.get("_" + name, [])
    count = max(len(values), len(siblings))
    for key, items, given in ((name, values, value), ("_" + name, siblings, sibling)):
        if given is not None or items:
            found[key] = [*items, *[NULL] * (count - len(items)), NULL if given is None else given]


def _members(type_name: str) -> dict[str, tuple[Element, str]]:
    """XML name → the element, and the type of its value."""
    elements = type_facts(type_name).elements.values()
    return {name: (element, of) for element in elements for name, of in element.json_names().items()}


def _name(node: etree._Element, at: str, namespace: str = FHIR) -> str:
    found, _, name = str(node.tag).rpartition("}")
    if found != "{" + namespace:
        _refuse(at, f"The element {quoted(name)} is not in the namespace {namespace}.")
    return name


def _children(node: etree._Element, at: str) -> Iterator[etree._Element]:
    """The elements within another; comments and processing instructions say nothing."""
    for child in node:
        if isinstance(child.tag, str):
            yield child
        elif child.tag is etree.Entity:
            _refuse(at, "It holds an entity reference, which FHIR does not allow.")


def _refuse_text(node: etree._Element, at: str) -> None:
    if (node.text or "").strip() or any((child.tail or "").strip() for child in node):
        _refuse(at, "Text stands between its elements.")


def _refuse(at: str, text: str) -> NoReturn:
    raise problem(400, "structure", text, at)


def _string(text: str) -> Scalar:
    return Scalar(json.dumps(text, ensure_ascii=False))
