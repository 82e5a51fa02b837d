"""One parameter of a query → what it asks: a criterion, a chain, or a reverse chain, each checked against the definitions.

https://hl7.org/fhir/R4/search.html#chaining and #has
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from resources.definitions import resource_types
from resources.problem import Problem, problem, quoted
from search import filter_text
from search.catalogue import STANDARD, Catalogue
from search.escaping import split_escaped
from search.kinds import KINDS
from search.parameters import Parameter
from search.query import And, Chain, Criterion, Has, Node, Not, Or

MAX_VALUES = 500
MAX_CHAIN = 8
HAS = "_has"

# Steps that a chain may branch out into, over all the types that its references may point to.
MAX_BRANCHES = 300

Sized = tuple["Node", int]
"""A meaning, and the number of steps in it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one parameter goes by.

    known: (rest of its name, type) → what that means there, or why it means nothing.
    """

    catalogue: Catalogue
    known: dict[tuple[str, str], Sized | Problem] = field(default_factory=dict)


# What an operator of _filter is as a modifier or prefix, for texts and for what is ordered.
_TEXT_MODIFIERS = {"eq": "exact", "co": "contains", "sw": None}
_CODE_MODIFIERS = {"in": "in", "ni": "not-in", "ss": "above", "sb": "below"}
_PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})


def parse_criterion(name: str, value: str, type_name: str, catalogue: Catalogue = STANDARD) -> Node:
    """The meaning of `name=value` for a type.

    Raises a 400 `Problem` (`not-supported`) that names what is not known, or (`value`) what cannot be read.
    """
    if name.count(".") + name.count(HAS) > MAX_CHAIN:
        raise problem(400, "too-costly", f"{quoted(name)} is too long; chains may be {MAX_CHAIN} parameters long.")
    return _parse(name, value, type_name, Reading(catalogue))[0]


def _parse(name: str, value: str, type_name: str, reading: Reading) -> Sized:
    """As `parse_criterion`; what the rest of a chain means for a type is worked out once, by whichever way it is reached."""
    found = reading.known.get((name, type_name))
    if found is None:
        try:
            found = _parse_anew(name, value, type_name, reading)
        except Problem as fault:
            found = fault
        reading.known[name, type_name] = found
    if isinstance(found, Problem):
        raise found
    return found


def _parse_anew(name: str, value: str, type_name: str, reading: Reading) -> Sized:
    if name.startswith(f"{HAS}:"):
        return _has(name, value, type_name, reading)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    if code == "_list":
        if name != code:
            raise problem(400, "not-supported", f"{quoted(name)} is not supported; '_list' takes ids alone.")
        return _in_list(value), 1
    parameter = reading.catalogue.parameters_of(type_name).get(code)
    if parameter is None:
        hint = " Words are not indexed for it; FHIR_TEXT_SEARCH says what is." if code in ("_text", "_content") else ""
        raise problem(400, "not-supported", f"The search parameter {quoted(name)} is not known for {type_name}.{hint}")
    if dot:
        return _chain(parameter, modifier, rest, value, type_name, reading)
    _check_modifier(parameter, modifier, name)
    if not value:
        raise problem(400, "value", f"The search parameter '{code}' has no value.")
    values = tuple(part for part in split_escaped(value, ",") if part)
    if not values:
        raise problem(400, "value", f"There is no value in {quoted(value)} of '{name}'.")
    if len(values) > MAX_VALUES:
        raise problem(400, "too-costly", f"The parameter {quoted(name)} has more than {MAX_VALUES} values.")
    if modifier == "missing" and value not in ("true", "false"):
        raise problem(400, "value", f"The value {quoted(value)} of '{name}' is neither true nor false.")
    return Criterion(code, modifier or None, values), 1


def _check_modifier(parameter: Parameter, modifier: str, name: str) -> None:
    kind = KINDS[parameter.kind]
    if not modifier or modifier in kind.modifiers:
        return
    if modifier == "missing" and kind.field is not None:
        return
    if parameter.kind == "reference" and modifier in resource_types():
        if modifier in parameter.targets:
            return
        raise problem(400, "not-supported", f"The parameter '{parameter.code}' never points to {modifier}.")
    raise problem(
        400, "not-supported", f"The modifier of {quoted(name)} is not supported for {parameter.kind} parameters."
    )


def _chain(parameter: Parameter, target: str, rest: str, value: str, type_name: str, reading: Reading) -> Sized:
    if parameter.kind != "reference":
        raise problem(
            400, "not-supported", f"The parameter '{parameter.code}' of {type_name} is no reference to chain along."
        )
    if target and target not in parameter.targets:
        raise problem(
            400, "not-supported", f"The parameter '{parameter.code}' of {type_name} never points to {quoted(target)}."
        )
    targets: dict[str, Node] = {}
    size = 1
    fault: Problem | None = None
    for candidate in [target] if target else parameter.targets:
        try:
            targets[candidate], below = _parse(rest, value, candidate, reading)
            size += below
        except Problem as unknown:
            # Of the types that a reference may point to, those that know the rest of the chain count.
            fault = unknown
    if not targets:
        raise fault or problem(
            400, "not-supported", f"The parameter '{parameter.code}' points to nothing that can be chained."
        )
    if size > MAX_BRANCHES:
        text = (
            f"'{parameter.code}.{rest[:80]}' branches out into too many types; name them, as in subject:Patient.name."
        )
        raise problem(400, "too-costly", text)
    return Chain(parameter.code, targets), size


def _has(name: str, value: str, type_name: str, reading: Reading) -> Sized:
    parts = name.split(":", 3)
    if len(parts) < 4 or parts[1] not in resource_types():
        raise problem(400, "not-supported", f"{quoted(name)} has not the form _has:Type:reference:parameter.")
    _, source, code, rest = parts
    parameter = reading.catalogue.parameters_of(source).get(code)
    if parameter is None or parameter.kind != "reference" or type_name not in parameter.targets:
        raise problem(400, "not-supported", f"{quoted(code)} is no parameter by which {source} refers to {type_name}.")
    inner, size = _parse(rest, value, source, reading)
    return Has(source, code, inner), size + 1


def _in_list(value: str) -> Node:
    ids = tuple(part for part in split_escaped(value, ",") if part)
    if not ids:
        raise problem(400, "value", "The search parameter '_list' has no value.")
    return Has("List", "item", Criterion("_id", None, ids))


def parse_filter_node(text: str, type_name: str, catalogue: Catalogue = STANDARD) -> Node:
    """The meaning of a `_filter` for a type. https://hl7.org/fhir/R4/search_filter.html"""
    return _from_filter(filter_text.parse_filter(text), type_name, catalogue)


def _from_filter(node: filter_text.Node, type_name: str, catalogue: Catalogue) -> Node:
    if isinstance(node, filter_text.Not):
        return Not(_from_filter(node.inner, type_name, catalogue))
    if isinstance(node, filter_text.And):
        return And(tuple(_from_filter(part, type_name, catalogue) for part in node.parts))
    if isinstance(node, filter_text.Or):
        return Or(tuple(_from_filter(part, type_name, catalogue) for part in node.parts))
    return _from_comparison(node, type_name, catalogue)


def _from_comparison(comparison: filter_text.Comparison, type_name: str, catalogue: Catalogue) -> Node:
    operator, value = comparison.operator, comparison.value
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")
    if comparison.path.count(".") > MAX_CHAIN:
        raise problem(400, "too-costly", f"The path {quoted(comparison.path)} of _filter is too long.")
    kind = _kind_at(comparison.path, type_name, catalogue)
    if operator == "pr":
        if value not in ("true", "false"):
            raise problem(400, "value", f"{quoted(value)} behind 'pr' of _filter is neither true nor false.")
        return parse_criterion(
            f"{comparison.path}:missing", "false" if value == "true" else "true", type_name, catalogue
        )
    if kind == "string" and operator in _TEXT_MODIFIERS:
        modifier = _TEXT_MODIFIERS[operator]
        return parse_criterion(
            f"{comparison.path}:{modifier}" if modifier else comparison.path, escaped, type_name, catalogue
        )
    if kind in ("date", "number", "quantity", "lastUpdated") and operator in _PREFIXES:
        return parse_criterion(comparison.path, operator + escaped, type_name, catalogue)
    if kind in ("token", "uri") and operator in _CODE_MODIFIERS:
        return parse_criterion(f"{comparison.path}:{_CODE_MODIFIERS[operator]}", escaped, type_name, catalogue)
    if kind == "date" and operator == "po":
        # Two spans overlap where neither lies wholly on one side of the other.
        beside = tuple(parse_criterion(comparison.path, side + escaped, type_name, catalogue) for side in ("sa", "eb"))
        dated = parse_criterion(f"{comparison.path}:missing", "false", type_name, catalogue)
        return And((Not(Or(beside)), dated))
    if operator == "eq" or (operator == "re" and kind == "reference"):
        return parse_criterion(comparison.path, escaped, type_name, catalogue)
    if operator == "ne":
        return Not(parse_criterion(comparison.path, escaped, type_name, catalogue))
    raise problem(
        400, "not-supported", f"The operator '{operator}' of _filter does not fit '{comparison.path}' ({kind})."
    )


@lru_cache(maxsize=1024)
def _kind_at(path: str, type_name: str, catalogue: Catalogue) -> str | None:
    """The kind of the last parameter of a path, as far as the first type that knows it tells."""
    head, _, rest = path.partition(".")
    code, _, target = head.partition(":")
    parameter = catalogue.parameters_of(type_name).get(code)
    if parameter is None or not rest:
        return parameter.kind if parameter else None
    for candidate in [target] if target else parameter.targets:
        found = _kind_at(rest, candidate, catalogue) if candidate in resource_types() else None
        if found is not None:
            return found
    return None
