"""The expressions of search parameters as compiled paths: which values of a resource a parameter looks at.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression

Nearly all expressions are plain paths with at most a cast or a simple `where`, and are walked directly here; the rest is
left to the FHIRPath engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from resources import fhirpath
from resources.definitions import Element, TypeFacts, is_a, type_facts, value_set_codes

Found = tuple[Any, str]
"""A value and the name of its FHIR type."""

Path = Callable[[dict[str, Any]], Iterable[Found]]
"""A resource → the values that the path selects in it."""

# What may stand around or behind a path.
_CAST = re.compile(r"\((?P<path>.+) as (?P<type>\w+)\)|(?P<path2>.+)\.(?:as|ofType)\((?P<type2>\w+)\)")
_TARGET = re.compile(r"(?P<path>[\w.]+)\.where\(resolve\(\) is (?P<type>\w+)\)")
_STEP = re.compile(r"\.([a-z]\w*)(?:\.where\((\w+)\s*=\s*'([^'\\]*)'\))?")
OF_RESOURCE = "%resource."
_ROOT = re.compile(r"[A-Z]\w*")

_Condition = tuple[str, str] | None
"""The member that the value of a step must have, and what it must be; None for any value."""


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """One alternative of an expression for one resource type.

    members: the top-level JSON members that the path may begin with, so that a resource without them need not be walked;
    empty where they are not known.
    target: the resource type that a selected reference must point to, from `where(resolve() is Patient)`.
    types: the FHIR types of the selected values; empty where they are not known.
    element: the path in words, `onset`; None where it is not a plain one. repeats: whether it may select several values.
    begins_at_resource: rather than at the element of a composite that it is a component of.
    system: the code system that a selected `code` implies by its required binding, where that is a single one.
    """

    members: tuple[str, ...]
    select: Path
    target: str | None = None
    types: frozenset[str] = frozenset()
    system: str | None = None
    element: str | None = None
    repeats: bool = True
    begins_at_resource: bool = False


def compile_paths(expression: str, type_name: str) -> list[CompiledPath]:
    """The alternatives of an expression that apply to a resource type: `Patient.name | Practitioner.name`."""
    paths: list[CompiledPath] = []
    for alternative in _alternatives(expression):
        root = alternative.lstrip("(").split(".")[0].split(" ")[0]
        if root[:1].islower() and root.isalpha():  # `name | alias`, which leaves out what it begins at
            alternative, root = f"{type_name}.{alternative}", type_name
        if root == type_name or root in ("Resource", "DomainResource"):
            path = _compile(alternative, type_name)
            assert path is not None  # what is not plain is left to FHIRPath
            paths.append(path)
    return paths


def compile_component(expression: str, holder_type: str, resource_type: str) -> tuple[CompiledPath, ...]:
    """The alternatives of a composite's component, relative to the element that holds it: `value.as(Quantity)`.

    holder_type: of that element, `Observation` or `Observation.component`. Alternatives of types that it does not have are
    left out. `%resource.` begins at the resource, of resource_type, instead.
    """
    if expression.startswith(OF_RESOURCE):
        path = _compile(f"{resource_type}.{expression.removeprefix(OF_RESOURCE)}", resource_type, is_relative=True)
        return () if path is None else (replace(path, begins_at_resource=True),)
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
    path = text
    if match := _CAST.fullmatch(text):
        path, cast = match["path"] or match["path2"], match["type"] or match["type2"]
    elif match := _TARGET.fullmatch(text):
        path, target = match["path"], match["type"]
    plain = _plain(path)
    if plain is None:
        return None if is_relative else CompiledPath((), _by_fhirpath(text, type_name))
    names, conditions = plain
    if not names:
        whole = frozenset({type_name})
        return CompiledPath((), lambda resource: iter([(resource, type_name)]), types=whole, element="", repeats=False)
    steps = _steps(type_facts(type_name), names, cast)
    if not steps:
        return None if is_relative else CompiledPath((), _by_fhirpath(text, type_name))
    types = frozenset(_leaf_types(steps))
    system = _implied_system(type_facts(type_name), names) if types == {"code"} else None
    repeats = _repeats(type_facts(type_name), names)
    return CompiledPath(tuple(steps), _walk(steps, conditions), target, types, system, ".".join(names), repeats)


def _plain(path: str) -> tuple[list[str], tuple[_Condition, ...]] | None:
    """The names of a path's steps and the condition of each; None for what is more than a path with simple conditions."""
    root = _ROOT.match(path)
    if root is None:
        return None
    names: list[str] = []
    conditions: list[_Condition] = []
    at = root.end()
    while match := _STEP.match(path, at):
        names.append(match[1])
        conditions.append((match[2], match[3]) if match[2] else None)
        at = match.end()
    return (names, tuple(conditions)) if at == len(path) else None


# One step: for each JSON member that may carry the element, the type of its value and the step's continuation.
_Step = dict[str, tuple[str, "_Step | None"]]


def _steps(facts: TypeFacts, names: list[str], cast: str | None) -> _Step:
    step: _Step = {}
    for json_name, type_name in _json_names(facts, names[0]).items():
        if len(names) > 1:
            below = _steps(type_facts(type_name), names[1:], cast)
            if below:
                step[json_name] = (type_name, below)
        elif cast is None or is_a(type_name, cast):
            step[json_name] = (type_name, None)
    return step


def _json_names(facts: TypeFacts, name: str) -> dict[str, str]:
    """JSON member → type of its value, for an element. Many expressions write `valueDateTime`, which is no FHIRPath."""
    if name in facts.elements:
        return facts.elements[name].json_names()
    named = (element.json_names() for element in facts.elements.values())
    return next(({name: found[name]} for found in named if name in found), {})


def _element(facts: TypeFacts, name: str) -> Element:
    return facts.elements.get(name) or next(e for e in facts.elements.values() if name in e.json_names())


def _repeats(facts: TypeFacts, names: list[str]) -> bool:
    element = _element(facts, names[0])
    if element.is_list or len(names) == 1:
        return element.is_list
    return any(_repeats(below, names[1:]) for below in map(type_facts, element.types) if _json_names(below, names[1]))


def _implied_system(facts: TypeFacts, names: list[str]) -> str | None:
    for name, following in pairwise(names):
        below = [each for each in map(type_facts, _element(facts, name).types) if _json_names(each, following)]
        if len(below) != 1:
            return None  # a choice of types that could each go on
        facts = below[0]
    binding = _element(facts, names[-1]).binding
    systems = value_set_codes(binding[1]) if binding is not None and binding[0] == "required" else None
    return next(iter(systems)) if systems is not None and len(systems) == 1 else None


def _leaf_types(step: _Step) -> Iterator[str]:
    for type_name, below in step.values():
        if below is None:
            yield type_name
        else:
            yield from _leaf_types(below)


def _walk(step: _Step, conditions: tuple[_Condition, ...]) -> Path:
    if any(conditions):
        return lambda node: _descend_where(node, step, conditions)
    if len(step) == 1:
        (json_name, (type_name, below)), *_ = step.items()
        if below is None:
            return lambda node: _values(node.get(json_name), type_name)

    def select(node: dict[str, Any]) -> list[Found]:
        found: list[Found] = []
        _descend(node, step, found)
        return found

    return select


def _values(value: Any, type_name: str) -> Iterable[Found]:
    if value is None:
        return ()
    if type(value) is list:
        return [(item, type_name) for item in value if item is not None]
    return ((value, type_name),)


def _descend(node: dict[str, Any], step: _Step, found: list[Found]) -> None:
    for json_name, (type_name, below) in step.items():
        value = node.get(json_name)
        if value is None:
            continue
        if below is None:
            found += _values(value, type_name)
            continue
        for item in value if type(value) is list else (value,):
            if type(item) is dict:
                _descend(item, below, found)


def _descend_where(node: dict[str, Any], step: _Step, conditions: tuple[_Condition, ...]) -> Iterator[Found]:
    """As `_descend`, by way of the values that satisfy the condition of their step."""
    condition, *rest = conditions
    for json_name, (type_name, below) in step.items():
        value = node.get(json_name)
        for item in value if type(value) is list else (value,):
            if item is None or not (
                condition is None or (type(item) is dict and item.get(condition[0]) == condition[1])
            ):
                continue
            if below is None:
                yield item, type_name
            elif type(item) is dict:
                yield from _descend_where(item, below, tuple(rest))


def _type_name(node: fhirpath.Node) -> str:
    """The FHIR type of a value; what was computed is a primitive of the same name, `System.Boolean`."""
    name = node.type_name or "boolean"
    computed = name.removeprefix("System.")
    return name if computed == name else computed[:1].lower() + computed[1:]


def _by_fhirpath(text: str, type_name: str) -> Path:
    expression = fhirpath.compile(text)

    def select(resource: dict[str, Any]) -> Iterator[Found]:
        try:
            nodes = expression.nodes(resource, type_name=type_name, resource=resource, root_resource=resource)
        except fhirpath.FhirPathError:
            return  # it does not apply to this resource, such as one with several values where it wants one
        for node in nodes:
            if node.value is not None:
                yield node.value, _type_name(node)

    return select
