"""Reference parameters: which resource an element points to.

https://hl7.org/fhir/R4/search.html#reference

Index entries: `subject|Patient/1`; a reference to another server keeps its whole URL. A version in a reference is left out,
because a query for the resource means all its versions. `subject:identifier|system|value` serves `:identifier`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from resources.definitions import compartment_parameters
from resources.problem import problem, quoted
from resources.references import Literal, parse_literal
from search.context import Context
from search.entry_text import Filter, any_of, entry, equal_to, part, starting_with
from search.escaping import split_value, unescaped
from search.index_values import IndexValues, compartment_entry
from search.parameters import Parameter
from search.query import Criterion

# Besides these, the name of a resource type is a modifier.
MODIFIERS = frozenset({"identifier"})
# An id without a type stands for one of each type that the parameter may point to.
MOST_NAMED = 2_000
COMPARTMENTS = ("Patient", "Practitioner", "Encounter", "RelatedPerson", "Device")


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds one Reference, or a canonical or uri that names a resource."""
    code = parameter.code

    def add(value: Any, into: IndexValues, context: Context) -> None:
        if type(value) is dict and type(identifier := value.get("identifier")) is dict and "value" in identifier:
            into.entries.add(entry(f"{code}:identifier", identifier["value"]))
            into.entries.add(entry(f"{code}:identifier", identifier.get("system", ""), identifier["value"]))
        text = value.get("reference") if type(value) is dict else value
        if type(text) is str and text.startswith("#"):
            into.local.setdefault(text[1:], set()).add(code)
        for key in keys(value, type_name, context):
            into.entries.add(f"{code}|{part(key)}")
            into.sort.setdefault(code, []).append(key)
            target, _, logical_id = key.partition("/")
            if target in COMPARTMENTS and code in compartment_parameters(target).get(into.type, ()):
                into.entries.add(compartment_entry(target, logical_id))

    return add


def keys(value: Any, type_name: str, context: Context) -> list[str]:
    """What a value points to: `Patient/1`, or a URL; a canonical both with its version and without."""
    text = value.get("reference") if type(value) is dict else value
    if type(text) is not str or text.startswith("#"):
        return []
    literal = parse_literal(text)
    if literal is not None:
        return [_key(literal, context.base_url)]
    if type_name == "canonical" and "|" in text:
        return [text, *keys(text.split("|", 1)[0], type_name, context)]
    return [text]


def _key(literal: Literal, base_url: str) -> str:
    if literal.base is None or literal.base.rstrip("/") == base_url:
        return literal.key
    return literal.base + literal.key


def filter_for(parameter: Parameter, criterion: Criterion, context: Context) -> Filter:
    """The filter of a criterion: `Patient/1`, `1` (of any type that the parameter allows) or a URL.

    With a type as modifier (`subject:Patient=1`) the id is of that type; with `:identifier` the value is a token.
    """
    if criterion.modifier == "identifier":
        return any_of([_identifier(parameter.code, text) for text in criterion.values])
    named = [key for text in criterion.values for key in value_keys(parameter, text, criterion.modifier, context)]
    if len(named) > MOST_NAMED:
        text = f"The ids of '{parameter.code}' may be of too many types; name it, as in {parameter.code}:Patient=1."
        raise problem(400, "too-costly", text)
    return equal_to(*named)


def value_keys(parameter: Parameter, text: str, of_type: str | None, context: Context) -> list[str]:
    """The entries that a value of a query names. Raises a 400 `Problem` where it names another type than the modifier."""
    text = unescaped(text)
    literal = parse_literal(text)
    if literal is not None:
        if of_type is not None and literal.type != of_type:
            raise problem(400, "value", f"The value {quoted(text)} of '{parameter.code}:{of_type}' is no {of_type}.")
        return [entry(parameter.code, _key(literal, context.base_url))]
    if "/" in text or ":" in text:
        return [entry(parameter.code, text)]
    return [entry(parameter.code, f"{name}/{text}") for name in ([of_type] if of_type else parameter.targets)]


def _identifier(code: str, text: str) -> Filter:
    parts = split_value(text, "|", at_most=2)
    if len(parts) == 2 and not parts[1]:
        return starting_with(entry(f"{code}:identifier", parts[0]) + "|")
    return equal_to(entry(f"{code}:identifier", *parts))
