"""Token parameters: codes, codings, identifiers, contact points, booleans.

https://hl7.org/fhir/R4/search.html#token

Index entries, of which a query names exactly one:

    code|active                 the code alone, whatever its system
    code|http://loinc.org|8302-2
    code||8302-2                the code, said to have no system
    code:text|body height       its display or text, for `:text`
    code:of-type|SYSTEM|MR|1    an identifier with its type, for `:of-type`

Codes match without regard to case, as R4 asks; identifier values match exactly, because two identifiers that differ in
case are two identifiers, and conditional creates rest on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, any_of, beginning, entry, equal_to, starting_with
from search.escaping import split_value, unescaped
from search.folding import folded
from search.index_values import IndexValues
from search.kinds.token_terminology import in_value_sets, related
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS = frozenset({"not", "text", "in", "not-in", "of-type", "below", "above"})
NEGATIONS = {"not": None, "not-in": "in"}

_EXACT_TYPES = frozenset({"Identifier", "id", "string", "uri", "canonical", "url", "oid", "uuid"})

# Of these R4 asks that a query name no system, not even the absence of one.
_WITHOUT_SYSTEM = frozenset({"ContactPoint", "boolean", "uri"})


@cache
def _comparable(parameter: Parameter) -> Callable[[str], str]:
    """How a parameter's values are compared: as they are, or in lower case."""
    return str if parameter.types & _EXACT_TYPES else str.lower


def index(parameter: Parameter, value: Any, type_name: str, into: IndexValues, _: Context) -> None:
    """Add the entries of one value."""
    into.entries.update(entries(parameter, value, type_name))
    sort_text = next((text for _, text in pairs(value, type_name) if text is not None), None)
    if sort_text is not None:
        into.sort.setdefault(parameter.code, []).append(sort_text.lower())


def entries(parameter: Parameter, value: Any, type_name: str) -> Iterator[str]:
    """The index entries of one value."""
    code = parameter.code
    comparable = _comparable(parameter)
    for system, text in pairs(value, type_name):
        if text is None:
            yield entry(code, system or "", "")
            continue
        spelling = comparable(text)
        yield entry(code, spelling)
        if type_name == "code":
            # The system of a code is implied by its element, where one value set with one system says so.
            if parameter.system is not None:
                yield entry(code, parameter.system, spelling)
        elif type_name not in _WITHOUT_SYSTEM:
            yield entry(code, system or "", spelling)
    if type_name in ("CodeableConcept", "Coding", "Identifier"):
        yield from _texts(code, value, type_name)
    if type_name == "Identifier" and value.get("value") is not None:
        for coding in value.get("type", {}).get("coding", ()):
            yield entry(
                f"{code}:of-type", coding.get("system", ""), coding.get("code", "").lower(), comparable(value["value"])
            )


def pairs(value: Any, type_name: str) -> Iterator[tuple[str | None, str | None]]:
    """(system, code) of a value; either may be None."""
    if type_name == "CodeableConcept":
        for coding in value.get("coding", ()):
            if "code" in coding or "system" in coding:
                yield coding.get("system"), coding.get("code")
    elif type_name == "Coding":
        yield value.get("system"), value.get("code")
    elif type_name == "Identifier":
        yield value.get("system"), value.get("value")
    elif type_name == "ContactPoint":
        # The "system" of a contact point (phone, email) is no namespace, so a query may not name it.
        if "value" in value:
            yield None, value["value"]
    elif type(value) is bool:
        yield None, "true" if value else "false"
    elif type(value) is str:
        yield None, value


def _texts(code: str, value: dict[str, Any], type_name: str) -> Iterator[str]:
    concept = value.get("type", {}) if type_name == "Identifier" else value
    texts = [concept.get("text"), concept.get("display"), *(c.get("display") for c in concept.get("coding", ()))]
    for text in texts:
        if type(text) is str and (comparable := folded(text)):
            yield beginning(f"{code}:text", comparable)


def filter_for(parameter: Parameter, criterion: Criterion, context: Context) -> Filter:
    """The filter of a criterion: any of its values; for `:not` and `:not-in`, none of them."""
    code = parameter.code
    match criterion.modifier:
        case "not":
            return {"$nor": [_value_filter(parameter, text) for text in criterion.values]}
        case "text":
            return any_of([_with_text(code, text) for text in criterion.values])
        case "in":
            return in_value_sets(parameter, criterion.values, _comparable(parameter), context)
        case "not-in":
            return {"$nor": [in_value_sets(parameter, criterion.values, _comparable(parameter), context)]}
        case "below" | "above":
            is_below = criterion.modifier == "below"
            return related(parameter, criterion.values, is_below, _comparable(parameter), context)
        case "of-type":
            return any_of([_of_type(parameter, text) for text in criterion.values])
        case _:
            return any_of([_value_filter(parameter, text) for text in criterion.values])


def _with_text(code: str, text: str) -> Filter:
    comparable = folded(unescaped(text))
    if not comparable:
        raise problem(400, "value", f"A value of the search parameter '{code}:text' holds nothing to search for.")
    return starting_with(beginning(f"{code}:text", comparable))


def _value_filter(parameter: Parameter, text: str) -> Filter:
    keys = value_keys(parameter, text)
    return equal_to(*keys) if keys else starting_with(entry(parameter.code, split_value(text, "|")[0]) + "|")


def value_keys(parameter: Parameter, text: str) -> list[str]:
    """The entries that a value of a query names; empty for `system|`, which names a prefix."""
    code, comparable = parameter.code, _comparable(parameter)
    parts = split_value(text, "|", at_most=2)
    if len(parts) == 1:
        return [entry(code, comparable(parts[0]))]
    if not parts[0] and not parts[1]:
        raise problem(400, "value", f"The value {quoted(text)} of '{parameter.code}' has neither a system nor a code.")
    return [entry(code, parts[0], comparable(parts[1]))] if parts[1] else []


def _of_type(parameter: Parameter, text: str) -> Filter:
    parts = split_value(text, "|", at_most=3)
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise problem(
            400, "value", f"The value {quoted(text)} of '{parameter.code}:of-type' has not the form system|code|value."
        )
    return equal_to(entry(f"{parameter.code}:of-type", parts[0], parts[1].lower(), _comparable(parameter)(parts[2])))
