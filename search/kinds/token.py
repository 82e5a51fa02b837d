"""Token parameters: codes, codings, identifiers, contact points, booleans.

https://hl7.org/fhir/R4/search.html#token

Index entries, of which a query names exactly one:

    code|active                 the code alone, whatever its system
    code|http://loinc.org|8302-2
    code||8302-2                the code, said to have no system

Codes match without regard to case, as R4 asks; identifier values match exactly, because two identifiers that differ in
case are two identifiers, and conditional creates rest on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from resources.problem import problem, quoted
from search.entry_text import Filter, any_of, entry, equal_to, starting_with
from search.parameters import Parameter
from search.query_text import Criterion, split_value

_EXACT_TYPES = frozenset({"Identifier", "id", "string", "uri", "canonical", "url", "oid", "uuid"})


class _Code:
    """A parameter's code, with how its values are compared."""

    __slots__ = ("comparable", "parameter")

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter.code
        is_exact = bool(parameter.types & _EXACT_TYPES)
        self.comparable: Callable[[str], str] = str if is_exact else str.lower


@cache
def _code(parameter: Parameter) -> _Code:
    return _Code(parameter)


def entries(parameter: Parameter, value: Any, type_name: str) -> Iterator[str]:
    """The index entries of one value of the parameter."""
    code = _code(parameter)
    if type_name == "CodeableConcept":
        for coding in value.get("coding", ()):
            yield from _pair(code, coding.get("system"), coding.get("code"))
    elif type_name == "Coding":
        yield from _pair(code, value.get("system"), value.get("code"))
    elif type_name == "Identifier":
        yield from _pair(code, value.get("system"), value.get("value"))
    elif type_name == "ContactPoint":
        # The "system" of a contact point (phone, email) is no namespace, so a query may not name it.
        yield from _pair(code, None, value.get("value"))
    elif type(value) is bool:
        yield entry(parameter.code, "true" if value else "false")
    elif type(value) is str:
        yield from _pair(code, None, value)


def _pair(code: _Code, system: str | None, value: str | None) -> Iterator[str]:
    if value is not None:
        spelling = code.comparable(value)
        yield entry(code.parameter, spelling)
        yield entry(code.parameter, system or "", spelling)
    elif system is not None:
        yield entry(code.parameter, system, "")


def filter_for(parameter: Parameter, criterion: Criterion, _base_url: str) -> Filter:
    """The filter of a criterion: any of its values."""
    code = _code(parameter)
    return any_of([_filter(code, value) for value in criterion.values])


def _filter(code: _Code, text: str) -> Filter:
    parts = split_value(text, "|", at_most=2)
    if len(parts) == 1:
        return equal_to(entry(code.parameter, code.comparable(parts[0])))
    system, value = parts
    if not system and not value:
        raise problem(400, "value", f"The value {quoted(text)} of '{code.parameter}' has neither a system nor a code.")
    if value:
        return equal_to(entry(code.parameter, system, code.comparable(value)))
    return starting_with(entry(code.parameter, system) + "|")
