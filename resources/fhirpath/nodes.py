"""Items that come from the data: a JSON value, its FHIR type and the sibling that holds a primitive's extensions.

https://hl7.org/fhir/R4/fhirpath.html and https://hl7.org/fhir/R4/json.html#primitive
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..definitions import is_a as definitions_is_a
from ..definitions import type_facts
from .errors import FhirPathError

Items = list[Any]
"""A collection: Nodes for what comes from the data, plain Python values for literals and results."""


TYPE_INFO = "System.TypeInfo"
"""The type of what `type()` gives."""


class Node:
    """One element of the data.

    value: dict for a complex element, str, int, bool or Decimal for a primitive, None for a primitive that has only
    extensions. type_name: the FHIR type (`Patient`, `code`, `Patient.contact`, `System.String` for computed values) or
    None where unknown. sibling: the JSON object of `_name`, with `id` and `extension` of a primitive.
    parent, member, position: the node that holds this one, the JSON name there and the index in its array (None
    outside arrays); all None for the node that an evaluation began with, and for computed values.
    """

    __slots__ = ("member", "parent", "position", "sibling", "type_name", "value")

    def __init__(
        self,
        value: Any,
        type_name: str | None,
        sibling: dict[str, Any] | None = None,
        parent: Node | None = None,
        member: str | None = None,
        position: int | None = None,
    ) -> None:
        self.value = value
        self.type_name = type_name
        self.sibling = sibling
        self.parent = parent
        self.member = member
        self.position = position

    @property
    def path(self) -> str:
        """The place below the node that the evaluation began with: `Patient.name[0].given[1]` (JSON member names)."""
        steps: list[str] = []
        node = self
        while node.parent is not None:
            steps.append(f"{node.member}" if node.position is None else f"{node.member}[{node.position}]")
            node = node.parent
        return ".".join([node.type_name or "$this", *reversed(steps)])

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.type_name!r})"


class Members:
    """How the elements of one type appear in JSON.

    plain: element name → (JSON name, `_` name or None, type) of elements without a choice of types.
    choice: element name → {JSON name: type}. json: JSON name (either form) → (JSON name, type).
    """

    __slots__ = ("choice", "json", "plain")

    def __init__(self) -> None:
        self.plain: dict[str, tuple[str, str | None, str]] = {}
        self.choice: dict[str, dict[str, tuple[str, str]]] = {}
        self.json: dict[str, tuple[str, str]] = {}


@cache
def members(type_name: str) -> Members | None:
    """The members of a type; None for a type that R4 does not know."""
    try:
        facts = type_facts(type_name)
    except KeyError:
        return None
    found = Members()
    for name, element in facts.elements.items():
        forms = {name: element.types[0]} if not element.is_choice else element.json_names()
        both: dict[str, tuple[str, str]] = {}
        for json_name, type_ in forms.items():
            both[json_name] = (json_name, type_)
            if is_primitive(type_):
                both["_" + json_name] = (json_name, type_)
        found.json.update(both)
        if element.is_choice:
            found.choice[name] = both
        else:
            type_ = element.types[0]
            found.plain[name] = (name, "_" + name if is_primitive(type_) else None, type_)
    return found


@cache
def is_primitive(type_name: str) -> bool:
    """Whether a FHIR type is primitive (an unknown one is not)."""
    try:
        return type_facts(type_name).kind == "primitive"
    except KeyError:
        return False


@cache
def is_a(type_name: str | None, ancestor: str) -> bool:
    """Whether a FHIR type is the other one or descends from it; False for unknown types."""
    if type_name is None:
        return False
    try:
        return definitions_is_a(type_name, ancestor)
    except KeyError:
        return False


def node_of(value: Any, type_name: str | None) -> Node:
    """The node of a JSON value of the given declared type; where that is some resource, the one it says it is."""
    if value.__class__ is dict and (type_name is None or is_a(type_name, "Resource")):
        stated = value.get("resourceType")
        if stated.__class__ is str:
            type_name = stated
    return Node(value, type_name)


def append_element(out: Items, node: Node, json_name: str, type_name: str) -> None:
    """Add the items of one element, primitive or not, found under its JSON name in `node`."""
    value = node.value
    sibling = value.get("_" + json_name) if is_primitive(type_name) else None
    _append(out, value.get(json_name), sibling, type_name, node, json_name)


def _append(out: Items, value: Any, sibling: Any, type_name: str, node: Node, json_name: str) -> None:
    if value.__class__ is list or sibling.__class__ is list:
        values = value if value.__class__ is list else []
        siblings = sibling if sibling.__class__ is list else []
        for i in range(max(len(values), len(siblings))):
            one = values[i] if i < len(values) else None
            other = siblings[i] if i < len(siblings) else None
            if one is not None or other is not None:
                out.append(Node(one, type_name, other, node, json_name, i))
    elif value is not None or sibling is not None:
        out.append(Node(value, type_name, sibling, node, json_name))


def append_member(out: Items, node: Node, name: str) -> None:
    """Add the items that the element `name` of `node` holds.

    Raises FhirPathError for a choice element under the name it has in JSON (`valueQuantity`).
    """
    value = node.value
    if value.__class__ is not dict:
        if node.sibling is not None and name in ("id", "extension"):
            append_untyped(out, node, node.sibling, name, "string" if name == "id" else "Extension")
        return
    known = members(node.type_name) if node.type_name is not None else None
    if known is None:
        append_untyped(out, node, value, name, "System.String" if node.type_name == TYPE_INFO else None)
        return
    plain = known.plain.get(name)
    if plain is not None:
        json_name, sibling_name, type_name = plain
        found = value.get(json_name)
        if sibling_name is not None:
            sibling = value.get(sibling_name)
            if sibling is not None:
                _append(out, found, sibling, type_name, node, json_name)
                return
        if found is None:
            return
        if type_name == "Resource":
            append_untyped(out, node, value, json_name, None)
        elif found.__class__ is list:
            for i, one in enumerate(found):
                if one is not None:
                    out.append(Node(one, type_name, None, node, json_name, i))
        else:
            out.append(Node(found, type_name, None, node, json_name))
        return
    choice = known.choice.get(name)
    if choice is not None:
        for key in value:
            if key in choice:
                append_element(out, node, *choice[key])
                return
    elif name in known.json and name[0] != "_":
        choice_name = next(one for one, forms in known.choice.items() if name in forms)
        raise FhirPathError(f"{name} is addressed as {choice_name} in FHIRPath")


def append_untyped(out: Items, node: Node, value: dict[str, Any], name: str, type_name: str | None) -> None:
    """Add the items of a member of `value`, the object (or sibling object) of `node`; resources tell their own type."""
    found = value.get(name)
    if found.__class__ is list:
        for i, one in enumerate(found):
            if one is not None:
                out.append(_placed(node_of(one, type_name), node, name, i))
    elif found is not None:
        out.append(_placed(node_of(found, type_name), node, name, None))


def _placed(node: Node, parent: Node, member: str, position: int | None) -> Node:
    node.parent = parent
    node.member = member
    node.position = position
    return node


def append_children(out: Items, node: Node) -> None:
    """Add all items one level below `node`, in the order of the JSON."""
    value = node.value
    if value.__class__ is not dict:
        if node.sibling is not None:
            append_untyped(out, node, node.sibling, "id", "string")
            append_untyped(out, node, node.sibling, "extension", "Extension")
        return
    known = members(node.type_name) if node.type_name is not None else None
    if known is None:
        for name in value:
            if name != "resourceType":
                append_untyped(out, node, value, name, None)
        return
    json = known.json
    for name in value:
        entry = json.get(name)
        if entry is None:
            continue
        json_name, type_name = entry
        if name != json_name and json_name in value:
            continue  # `_name` beside `name`: taken together at `name`
        if type_name == "Resource":
            append_untyped(out, node, value, name, None)
        else:
            append_element(out, node, json_name, type_name)
