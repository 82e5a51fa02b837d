"""The shape of a resource: members, cardinality, types, choices, empty values. Compiled once a type from the definitions.

https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/conformance-rules.html#cardinality

A type compiles to a `Shape`, a table from JSON member name to a closure that checks the member's value. Checking walks
the parsed tree once and collects every issue; the place of an issue is kept as a linked tuple and written out as
FHIRPath only when there is an issue to report.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from resources.bindings import required_binding_check
from resources.definitions import Element, TypeFacts, is_a, resource_types, type_facts
from resources.invariants import InvariantCheck, element_invariants, type_invariants
from resources.narrative import narrative_faults
from resources.primitives import CHECKS, Check
from resources.problem import quoted
from resources.references import reference_fault
from resources.visit import Place, Visit

_NOT_AN_ARRAY = "A single value is expected here, not an array."

Member = Callable[[Any, dict[str, Any], Place, Visit], None]
"""Checks one member: (its value, the object that holds it, the object's place, the visit)."""


class Shape:
    """What an object of one complex type may look like. `check` reports all that is wrong with one."""

    __slots__ = (
        *("_choices", "_facts", "_invariants", "_is_resource", "_members", "_needs_children"),
        *("_required", "_required_choices"),
    )

    def __init__(self, facts: TypeFacts) -> None:
        self._facts = facts
        self._members: dict[str, Member] = {}
        self._choices: dict[str, Element] = {}
        self._required: list[tuple[str, str, int]] = []
        self._required_choices: list[Element] = []
        self._is_resource = facts.kind == "resource"
        # The sibling of a primitive value (`_birthDate`) is an Element of its own only here: the value stands elsewhere.
        self._needs_children = not self._is_resource and facts.name != "Element"
        self._invariants: list[InvariantCheck] = type_invariants(facts.name)

    def compile(self, compiler: _Compiler) -> None:
        """Fill the tables. Apart from the constructor, because types contain each other."""
        for element in self._facts.elements.values():
            if element.min and element.is_choice:
                self._required_choices.append(element)
            elif element.min:
                self._required.append((element.name, "_" + element.name, element.min))
            for json_name, type_name in element.json_names().items():
                self._members[json_name] = _member(element, type_name, compiler)
                if (
                    type_facts(type_name).kind == "primitive"
                    and type_name != "xhtml"
                    and not self._is_attribute(element)
                ):
                    self._members["_" + json_name] = _primitive_extension(element, json_name, compiler.shape("Element"))
                if element.is_choice:
                    self._choices[json_name] = element
                    self._choices["_" + json_name] = element

    def _is_attribute(self, element: Element) -> bool:
        # What is an attribute in XML has no id and no extensions: these two have the definitions' type System.String.
        return element.name == "id" or (element.name == "url" and self._facts.name == "Extension")

    def check(self, node: Any, place: Place, visit: Visit) -> None:
        """Report to `visit` all that is wrong with `node`, which stands at `place`."""
        if type(node) is not dict:
            visit.error(place, "structure", f"A JSON object is expected here, not {_kind(node)}.")
            return
        members = self._members
        for name, value in node.items():
            member = members.get(name)
            if member is not None:
                member(value, node, place, visit)
            elif name != "resourceType" or not self._is_resource:
                visit.error(place, "structure", f"The member {quoted(name)} is not known in {self._facts.name}.")
        if not node or (self._needs_children and len(node) == 1 and "id" in node):
            visit.error(place, "invariant", "The object has neither a value nor children (ele-1).")
        if self._choices:
            self._check_choices(node, place, visit)
        for name, beside, least in self._required:
            if name not in node and beside not in node:
                text = f"The element '{name}' is missing; {self._facts.name} needs at least {least}."
                visit.error(place, "required", text)
        for invariant in self._invariants:
            invariant(node, place, visit)

    def _check_choices(self, node: dict[str, Any], place: Place, visit: Visit) -> None:
        chosen: dict[str, str] = {}
        for name in node:
            element = self._choices.get(name)
            if element is not None:
                plain = name.lstrip("_")
                other = chosen.setdefault(element.name, plain)
                if other != plain:
                    visit.error(
                        (place, element.name, -1), "structure", f"Only one of '{other}' and '{plain}' may be present."
                    )
        for element in self._required_choices:
            if element.name not in chosen:
                names = ", ".join(element.json_names())
                visit.error(place, "required", f"One of {names} is missing in {self._facts.name}.")


def shape_of(type_name: str) -> Shape:
    """The compiled shape of a complex type, resource type or backbone path; compiled on first use."""
    shape = _shapes.get(type_name)
    if shape is None:
        with _compiling:
            compiler = _Compiler()
            shape = compiler.shape(type_name)
            compiler.run()
            _shapes.update(compiler.shapes)
    return shape


class _Compiler:
    """Compiles a shape with all those it refers to. They are published together, when the last one is complete."""

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}
        self._pending: list[Shape] = []

    def shape(self, type_name: str) -> Shape:
        shape = _shapes.get(type_name) or self.shapes.get(type_name)
        if shape is None:
            shape = self.shapes[type_name] = Shape(type_facts(type_name))
            self._pending.append(shape)
        return shape

    def run(self) -> None:
        for shape in self._pending:  # grows while it runs
            shape.compile(self)


_shapes: dict[str, Shape] = {}
_compiling = Lock()


def _member(element: Element, type_name: str, compiler: _Compiler) -> Member:
    name = element.name
    if type_name in CHECKS and not element.is_list and not element_invariants(element, type_name):
        return _single_primitive(name, CHECKS[type_name], required_binding_check(element, type_name))
    item = _item_check(element, type_name, compiler)
    if not element.is_list:

        def single(value: Any, _node: dict[str, Any], place: Place, visit: Visit) -> None:
            if type(value) is list:
                visit.error((place, name, -1), "structure", _NOT_AN_ARRAY)
            else:
                item(value, (place, name, -1), visit)

        return single

    is_primitive = type_facts(type_name).kind == "primitive"
    least, most = element.min, element.max

    def repeated(values: Any, node: dict[str, Any], place: Place, visit: Visit) -> None:
        if type(values) is not list:
            visit.error((place, name, -1), "structure", f"An array is expected here, not {_kind(values)}.")
            return
        if not values:
            visit.error(
                (place, name, -1), "structure", "The array is empty; an element without values must be left out."
            )
        elif len(values) < least or (most is not None and len(values) > most):
            limit = f"{least} to {'any number' if most is None else most}"
            visit.error((place, name, -1), "structure", f"There are {len(values)} values where {limit} are expected.")
        for index, value in enumerate(values):
            if value is None and is_primitive and _stands_for_extension(node, name, index):
                continue
            item(value, (place, name, index), visit)

    return repeated


def _single_primitive(name: str, check: Check, binding: Check | None) -> Member:
    """The check of a primitive element that does not repeat, which most members are: a call less for each."""

    def single(value: Any, _node: dict[str, Any], place: Place, visit: Visit) -> None:
        fault = check(value)
        if fault is not None:
            if type(value) is list:
                fault_code, fault = "structure", _NOT_AN_ARRAY
            else:
                fault_code = "value"
            visit.error((place, name, -1), fault_code, fault)
        elif binding is not None and (fault := binding(value)) is not None:
            visit.error((place, name, -1), "code-invalid", fault)

    return single


def _item_check(element: Element, type_name: str, compiler: _Compiler) -> Callable[[Any, Place, Visit], None]:
    """The check of one value of an element: its type, then its binding, its targets and the element's invariants."""
    invariants = element_invariants(element, type_name)
    binding = required_binding_check(element, type_name)
    if type_name == "Resource":
        return _resource_check
    if type_name == "xhtml":
        return _xhtml_check
    if type_facts(type_name).kind == "primitive":
        return _primitive_check(CHECKS[type_name], binding, invariants)
    shape = compiler.shape(type_name)
    targets = element.targets if type_name == "Reference" else None

    def complex_check(value: Any, place: Place, visit: Visit) -> None:
        faults_before = len(visit.issues)
        shape.check(value, place, visit)
        if len(visit.issues) != faults_before or type(value) is not dict:
            return  # what follows may rely on the shape
        if targets is not None:
            fault = reference_fault(value, targets, visit.contained)
            if fault is not None:
                visit.error(place, "value", fault)
        if binding is not None:
            fault = binding(value)
            if fault is not None:
                visit.error(place, "code-invalid", fault)
        for invariant in invariants:
            invariant(value, place, visit)

    return complex_check


def _primitive_check(
    check: Check, binding: Check | None, invariants: list[InvariantCheck]
) -> Callable[[Any, Place, Visit], None]:
    def primitive(value: Any, place: Place, visit: Visit) -> None:
        fault = check(value)
        if fault is not None:
            visit.error(place, "value", fault)
            return
        if binding is not None:
            fault = binding(value)
            if fault is not None:
                visit.error(place, "code-invalid", fault)
        for invariant in invariants:
            invariant(value, place, visit)

    return primitive


def _primitive_extension(element: Element, json_name: str, shape: Shape) -> Member:
    """The check of `_birthDate` and its like, the id and extensions of a primitive value.

    https://hl7.org/fhir/R4/json.html#primitive
    """
    name = element.name
    nothing = "The element has neither a value nor extensions (ele-1)."

    def single(value: Any, node: dict[str, Any], place: Place, visit: Visit) -> None:
        if json_name not in node and type(value) is dict and value and "extension" not in value:
            visit.error((place, name, -1), "invariant", nothing)
        shape.check(value, (place, name, -1), visit)

    def repeated(values: Any, node: dict[str, Any], place: Place, visit: Visit) -> None:
        if type(values) is not list:
            visit.error((place, name, -1), "structure", f"'_{json_name}' must be an array, as '{json_name}' is.")
            return
        if not values:
            visit.error((place, name, -1), "structure", f"The array '_{json_name}' is empty; it must be left out.")
        siblings = node.get(json_name)
        if type(siblings) is not list:
            siblings = None
        elif len(siblings) != len(values):
            visit.error((place, name, -1), "structure", f"'_{json_name}' must have as many entries as '{json_name}'.")
        for index, value in enumerate(values):
            if value is None:
                if siblings is None:  # else the null stands beside a value, or beside a null that is refused there
                    visit.error((place, name, index), "invariant", nothing)
                continue
            has_value = siblings is not None and index < len(siblings) and siblings[index] is not None
            if not has_value and type(value) is dict and value and "extension" not in value:
                visit.error((place, name, index), "invariant", nothing)
            shape.check(value, (place, name, index), visit)

    return repeated if element.is_list else single


def _stands_for_extension(node: dict[str, Any], name: str, index: int) -> bool:
    extensions = node.get("_" + name)
    return type(extensions) is list and index < len(extensions) and type(extensions[index]) is dict


def _resource_check(value: Any, place: Place, visit: Visit) -> None:
    if type(value) is not dict:
        visit.error(place, "structure", f"A resource is expected here, not {_kind(value)}.")
        return
    name = value.get("resourceType")
    if type(name) is not str or name not in resource_types():
        shown = "missing" if name is None else f"{quoted(name)}, which is not an R4 resource type"
        visit.error(place, "structure", f"The resourceType is {shown}.")
        return
    shape = shape_of(name)
    inner = visit.inside(value, is_contained=place[1] == "contained")
    shape.check(value, place, inner)
    if place[1] == "contained" and is_a(name, "DomainResource") and not value.get("id"):
        visit.error(place, "required", "A contained resource needs an id.")


def _xhtml_check(value: Any, place: Place, visit: Visit) -> None:
    if type(value) is not str:
        visit.error(place, "value", f"A JSON string of XHTML is expected here, not {_kind(value)}.")
        return
    for fault in narrative_faults(value):
        visit.error(place, "structure", fault)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
