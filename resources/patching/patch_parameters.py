"""The operations of a FHIRPath Patch as its Parameters resource states them, and the values that they bring.

https://hl7.org/fhir/R4/fhirpatch.html#concept
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from resources.definitions import Element, type_facts
from resources.exact_json import Exact, Scalar, plain
from resources.problem import Problem, problem, quoted

TYPES = {
    "add": ("name", "value"),
    "insert": ("value", "index"),
    "delete": (),
    "replace": ("value",),
    "move": ("source", "destination"),
}
MOST_OPERATIONS = 1_000
MOST_NESTED = 20


@dataclass(frozen=True, slots=True)
class Value:
    """A value in the form in which its element holds it. sibling: the object of `_name`; None without one."""

    json_name: str
    value: Exact | None
    sibling: Exact | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A value as a part states it. part: the part, an exact tree."""

    part: dict[str, Any]

    def formed(self, element: Element, name: str, operation: Operation, depth: int = 0) -> Value:
        """The value as an element holds it. Raises a 422 `Problem` where the element cannot have one of this type."""
        found = [key for key in self.part if key.lstrip("_").startswith("value")]
        if found:
            type_name = found[0].lstrip("_").removeprefix("value")
            json_name = name + type_name if element.is_choice else name
            if json_name not in element.json_names():
                operation.fail(f"{quoted(name)} cannot be of the type {quoted(type_name)}")
            return Value(json_name, self.part.get(f"value{type_name}"), self.part.get(f"_value{type_name}"))
        if "resource" in self.part:
            return Value(name, self.part["resource"])
        parts = self.part.get("part")
        if not isinstance(parts, list) or element.is_choice or depth == MOST_NESTED:
            operation.fail(f"the value of {quoted(name)} is missing")
        return Value(name, _object(parts, element.types[0], operation, depth))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. number: its place in the patch, from 0. name: of the element to add. index, source, destination: places
    in a list, from 0."""

    number: int
    type: str
    path: str
    name: str | None = None
    value: Given | None = None
    index: int | None = None
    source: int | None = None
    destination: int | None = None

    def fail(self, why: str) -> NoReturn:
        """Raise the 422 `Problem` that says why this operation cannot be done."""
        raise problem(
            422,
            "processing",
            f"Operation {self.number} ('{self.type}') of the FHIRPath Patch cannot be done: {why}.",
            f"Parameters.parameter[{self.number}]",
        )


def operations_of(tree: Exact) -> tuple[Operation, ...]:
    """The operations of a Parameters resource. Raises a 400 `Problem` that names the one that cannot be read."""
    if not isinstance(tree, dict) or plain(tree.get("resourceType", Scalar("null"))) != "Parameters":
        raise problem(400, "structure", "A FHIRPath Patch is a Parameters resource.")
    parameters = tree.get("parameter", [])
    if not isinstance(parameters, list):
        raise problem(400, "structure", "It is no array.", "Parameters.parameter")
    if len(parameters) > MOST_OPERATIONS:
        raise problem(400, "too-costly", f"A FHIRPath Patch may have {MOST_OPERATIONS:,} operations at most.")
    return tuple(_operation(number, each) for number, each in enumerate(parameters))


def _operation(number: int, parameter: Any) -> Operation:
    if not isinstance(parameter, dict) or _text(parameter.get("name")) != "operation":
        raise _malformed(number, "a parameter is not named 'operation'")
    parts: dict[str, dict[str, Any]] = {}
    for part in parameter.get("part", []) if isinstance(parameter.get("part", []), list) else ():
        name = _text(part.get("name")) if isinstance(part, dict) else None
        if name is None or name in parts:
            raise _malformed(number, "its parts are not objects with names of their own")
        parts[name] = part
    type_name, path = _text(_value(parts, "type")), _text(_value(parts, "path"))
    if type_name not in TYPES:
        raise _malformed(number, f"its type is not one of {', '.join(TYPES)}")
    if path is None:
        raise _malformed(number, "its path is missing")
    for name in TYPES[type_name]:
        if name not in parts:
            raise _malformed(number, f"the part '{name}' of '{type_name}' is missing")
    return Operation(
        number,
        type_name,
        path,
        _text(_value(parts, "name")),
        Given(parts["value"]) if "value" in parts else None,
        *(_index(parts, name, number) for name in ("index", "source", "destination")),
    )


def _value(parts: dict[str, dict[str, Any]], name: str) -> Any:
    part = parts.get(name, {})
    return next((value for key, value in part.items() if key.startswith("value")), None)


def _text(value: Any) -> str | None:
    found = value.value if isinstance(value, Scalar) else None
    return found if isinstance(found, str) else None


def _index(parts: dict[str, dict[str, Any]], name: str, number: int) -> int | None:
    if name not in parts:
        return None
    value = _value(parts, name)
    found = value.value if isinstance(value, Scalar) else None
    if type(found) is not int or found < 0:
        raise _malformed(number, f"the part '{name}' is no whole number from 0 on")
    return found


def _object(parts: list[Any], type_name: str, operation: Operation, depth: int) -> dict[str, Any]:
    """The object that the parts of an anonymous value make up."""
    elements = type_facts(type_name).elements
    found: dict[str, Any] = {}
    for part in parts:
        name = _text(part.get("name")) if isinstance(part, dict) else None
        element = elements.get(name or "")
        if element is None:
            operation.fail(f"{type_name} has no element {quoted(name)}")
        value = Given(part).formed(element, element.name, operation, depth + 1)
        for key, given in ((value.json_name, value.value), ("_" + value.json_name, value.sibling)):
            if given is not None and element.is_list:
                found.setdefault(key, []).append(given)
            elif given is not None:
                found[key] = given
    return found


def _malformed(number: int, why: str) -> Problem:
    text = f"Operation {number} of the FHIRPath Patch cannot be read: {why}."
    return problem(400, "structure", text, f"Parameters.parameter[{number}]")
