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

from collections.abc import Callable
from functools import cache
from typing import Any

from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, any_of, beginning, cut_part, entry, equal_to, part, starting_with
from search.escaping import split_value, unescaped
from search.folding import folded
from search.index_values import IndexValues
from search.kinds.token_terminology import in_value_sets, related
from search.parameters import Parameter
from search.query import Criterion

Put = Callable[[str], object]
"""Takes an entry."""

Writer = Callable[[Any, Put], str | None]
"""Writes the entries of one value; the first code in it, by which it sorts."""

MODIFIERS = frozenset({"not", "text", "in", "not-in", "of-type", "below", "above"})
NEGATIONS = {"not": None, "not-in": "in"}

_EXACT_TYPES = frozenset({"Identifier", "id", "string", "uri", "canonical", "url", "oid", "uuid"})

# Of these R4 asks that a query name no system, not even the absence of one.
_WITHOUT_SYSTEM = frozenset({"ContactPoint", "boolean", "uri"})


@cache
def _comparable(parameter: Parameter) -> Callable[[str], str]:
    """How a parameter's values are compared: as they are, or in lower case."""
    return str if parameter.types & _EXACT_TYPES else str.lower


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the entries of one value."""
    write = writer(parameter, type_name)
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        first = write(value, into.entries.add)
        if first is not None:
            into.sort.setdefault(code, []).append(first.lower())

    return add


def writer(parameter: Parameter, type_name: str) -> Writer:
    """What writes the entries of values of one FHIR type."""
    match type_name:
        case "CodeableConcept" | "Coding":
            return _concept_writer(parameter)
        case "Identifier":
            return _identifier_writer(parameter)
        case _:
            return _text_writer(parameter, type_name)


def _concept_writer(parameter: Parameter) -> Writer:
    alone, with_text = f"{parameter.code}|", f"{parameter.code}:text|"
    comparable = _comparable(parameter)

    def write_words(text: Any, put: Put) -> None:
        if type(text) is str and (words := folded(text)):
            put(with_text + cut_part(words))

    def write(value: Any, put: Put) -> str | None:
        first: str | None = None
        codings = value.get("coding")
        if codings is None:
            codings = (value,) if "code" in value or "system" in value or "display" in value else ()
        for coding in codings:
            text, system = coding.get("code"), coding.get("system")
            if text is not None:
                first = text if first is None else first
                spelling = part(comparable(text))
                put(alone + spelling)
                put(f"{alone}{part(system) if system else ''}|{spelling}")
            elif system is not None:
                put(f"{alone}{part(system)}|")
            if "display" in coding:
                write_words(coding["display"], put)
        if "text" in value:
            write_words(value["text"], put)
        return first

    return write


def _identifier_writer(parameter: Parameter) -> Writer:
    code, alone, with_text = parameter.code, f"{parameter.code}|", f"{parameter.code}:text|"
    comparable = _comparable(parameter)

    def write(value: Any, put: Put) -> str | None:
        text, system, kind = value.get("value"), value.get("system") or "", value.get("type", {})
        if text is None:
            put(f"{alone}{part(system)}|")
        else:
            spelling = part(comparable(text))
            put(alone + spelling)
            put(f"{alone}{part(system)}|{spelling}")
        codings = kind.get("coding", ())
        for words in (kind.get("text"), *(coding.get("display") for coding in codings)):
            if type(words) is str and (words := folded(words)):
                put(with_text + cut_part(words))
        if text is not None:
            for coding in codings:
                named = coding.get("system", ""), coding.get("code", "").lower()
                put(entry(f"{code}:of-type", *named, comparable(text)))
        return None if text is None else str(text)

    return write


def _text_writer(parameter: Parameter, type_name: str) -> Writer:
    alone = f"{parameter.code}|"
    comparable = _comparable(parameter)
    # The system of a code is implied by its element, where one value set with one system says so. The "system" of a
    # contact point (phone, email) is no namespace, so a query may not name it.
    system = parameter.system if type_name == "code" else None if type_name in _WITHOUT_SYSTEM else ""
    with_system = None if system is None else f"{alone}{part(system)}|"

    def write(value: Any, put: Put) -> str | None:
        text = value.get("value") if type(value) is dict else value
        if type(text) is bool:
            text = "true" if text else "false"
        if type(text) is not str:
            return None
        spelling = part(comparable(text))
        put(alone + spelling)
        if with_system is not None:
            put(with_system + spelling)
        return text

    return write


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
