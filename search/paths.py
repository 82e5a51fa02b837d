"""The expressions of search parameters as compiled paths: which values of a resource a parameter looks at.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression

Nearly all expressions are plain paths with at most a cast or a simple `where`, and are walked directly here; the rest is
left to the FHIRPath engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from resources import fhirpath
from resources.definitions import TypeFacts, is_a, type_facts, value_set_codes

Found = tuple[Any, str]
"""A value and the name of its FHIR type."""

Path = Callable[[dict[str, Any]], Iterator[Found]]
"""A resource → the values that the path selects in it."""

_CAST = re.compile(r"\((?P<path>[\w.]+) as (?P<type>\w+)\)|(?P<path2>[\w.]+)\.as\((?P<type2>\w+)\)")
_TARGET = re.compile(r"(?P<path>[\w.]+)\.where\(resolve\(\) is (?P<type>\w+)\)")
_EQUALS = re.compile(r"(?P<path>[\w.]+)\.where\((?P<member>\w+)='(?P<value>[^']*)'\)")
_PLAIN = re.compile(r"[A-Z]\w*(\.[a-z]\w*)*")


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """One alternative of an expression for one resource type.

    members: the top-level JSON members that the path may begin with, so that a resource without them need not be walked;
    empty where they are not known.
    target: the resource type that a selected reference must point to, from `where(resolve() is Patient)`.
    types: the FHIR types of the selected values; empty where they are not known.
    element: the path in words, `onset`; None where it is not a plain one. repeats: whether it may select several values.
    system: the code system that a selected `code` implies by its required binding, where that is a single one.
    """

    members: tuple[str, ...]
    select: Path
    target: str | None = None
    types: frozenset[str] = frozenset()
    system: str | None = None
    element: str | None = None
    repeats: bool = True


def compile_paths(expression: str, type_name: str) -> list[CompiledPath]:
    """The alternatives of an expression that apply to a resource type: `Patient.name | Practitioner.name`."""
    paths: list[CompiledPath] = []
    for alternative in _alternatives(expression):
        root = alternative.lstrip("(").split(".")[0].split(" ")[0]
        if root == type_name or root in ("Resource", "DomainResource"):
            path = _compile(alternative, type_name)
            assert path is not None  # what is not plain is left to FHIRPath
            paths.append(path)
    return paths


def compile_component(expression: str, holder_type: str) -> tuple[CompiledPath, ...]:
    """The alternatives of a composite's component, relative to the element that holds it: `value.as(Quantity)`.

    holder_type: of that element, `Observation` or `Observation.component`. Alternatives of types that it does not have are
    left out.
    """
    # FHIRPath knows the type by its FHIR name, which the published expressions miss here.
    expression = expression.replace("DateTime", "dateTime")
    return tuple(
        path
        for alternative in _alternatives(expression)
        if (path := _compile(f"Holder.{alternative}", holder_type, is_relative=True)) is not None
    )


def _alternatives(expression: str) -> list[str]:
    return [part.strip() for part in re.split(r"\|(?![^(]*\))", expression)]


def _compile(text: str, type_name: str, is_relative: bool = False) -> CompiledPath | None:
    cast: str | None = None
    target: str | None = None
    condition: tuple[str, str] | None = None
    path = text
    if match := _CAST.fullmatch(text):
        path, cast = match["path"] or match["path2"], match["type"] or match["type2"]
    elif match := _TARGET.fullmatch(text):
        path, target = match["path"], match["type"]
    elif match := _EQUALS.fullmatch(text):
        path, condition = match["path"], (match["member"], match["value"])
    if _PLAIN.fullmatch(path) is None:
        return None if is_relative else CompiledPath((), _by_fhirpath(text, type_name))
    names = path.split(".")[1:]
    if not names:
        whole = frozenset({type_name})
        return CompiledPath((), lambda resource: iter([(resource, type_name)]), types=whole, element="", repeats=False)
    steps = _steps(type_facts(type_name), names, cast)
    if not steps:
        return None if is_relative else CompiledPath((), _by_fhirpath(text, type_name))
    types = frozenset(_leaf_types(steps))
    system = _implied_system(type_facts(type_name), names) if types == {"code"} else None
    repeats = _repeats(type_facts(type_name), names)
    return CompiledPath(tuple(steps), _walk(steps, condition), target, types, system, ".".join(names), repeats)


# One step: for each JSON member that may carry the element, the type of its value and the step's continuation.
_Step = dict[str, tuple[str, "_Step | None"]]


def _steps(facts: TypeFacts, names: list[str], cast: str | None) -> _Step:
    element = facts.elements.get(names[0])
    if element is None:
        return {}
    step: _Step = {}
    for json_name, type_name in element.json_names().items():
        if len(names) > 1:
            below = _steps(type_facts(type_name), names[1:], cast)
            if below:
                step[json_name] = (type_name, below)
        elif cast is None or is_a(type_name, cast):
            step[json_name] = (type_name, None)
    return step


def _repeats(facts: TypeFacts, names: list[str]) -> bool:
    element = facts.elements[names[0]]
    if element.is_list or len(names) == 1:
        return element.is_list
    return any(_repeats(below, names[1:]) for below in map(type_facts, element.types) if names[1] in below.elements)


def _implied_system(facts: TypeFacts, names: list[str]) -> str | None:
    for name in names[:-1]:
        facts = type_facts(facts.elements[name].types[0])
    binding = facts.elements[names[-1]].binding
    systems = value_set_codes(binding[1]) if binding is not None and binding[0] == "required" else None
    return next(iter(systems)) if systems is not None and len(systems) == 1 else None


def _leaf_types(step: _Step) -> Iterator[str]:
    for type_name, below in step.values():
        if below is None:
            yield type_name
        else:
            yield from _leaf_types(below)


def _walk(step: _Step, condition: tuple[str, str] | None) -> Path:
    def select(node: dict[str, Any]) -> Iterator[Found]:
        for value, type_name in _descend(node, step):
            if condition is None or (isinstance(value, dict) and value.get(condition[0]) == condition[1]):
                yield value, type_name

    return select


def _descend(node: dict[str, Any], step: _Step) -> Iterator[Found]:
    for json_name, (type_name, below) in step.items():
        value = node.get(json_name)
        if value is None:
            continue
        for item in value if type(value) is list else (value,):
            if item is None:
                continue
            if below is None:
                yield item, type_name
            elif type(item) is dict:
                yield from _descend(item, below)


def _by_fhirpath(text: str, type_name: str) -> Path:
    expression = fhirpath.compile(text)

    def select(resource: dict[str, Any]) -> Iterator[Found]:
        for node in expression.nodes(resource, type_name=type_name, resource=resource, root_resource=resource):
            if node.value is not None:
                yield node.value, node.type_name or "boolean"

    return select
