"""Type specifiers: `is`, `as` and `ofType`.

http://hl7.org/fhirpath/N1/#types and https://hl7.org/fhir/R4/fhirpath.html#types
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .nodes import Node, is_a, is_primitive, members
from .values import system_type

SYSTEM_TYPES = frozenset(
    {"Any", "Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity"},
)

TypeTest = Callable[[Any], bool]


def type_test(specifier: str, *, exact_primitives: bool = False) -> TypeTest | None:
    """A test of one item against a type, or None for a type that does not exist.

    exact_primitives: a `code` is a `string`, but `as` and `ofType` do not turn it into one.
    """
    namespace, _, name = specifier.rpartition(".")
    if namespace == "System":
        return lambda item: _is_system(item, name)
    if namespace not in ("", "FHIR"):
        return None
    fhir = members(name) is not None
    if not fhir and (namespace == "FHIR" or name not in SYSTEM_TYPES):
        return None
    exact = exact_primitives and is_primitive(name)

    def test(item: Any) -> bool:
        if item.__class__ is Node:
            type_name = item.type_name
            if type_name == name:
                return True
            return not exact and is_a(type_name, name)
        return namespace == "" and name in SYSTEM_TYPES and _is_system(item, name)

    return test


def _is_system(item: Any, name: str) -> bool:
    if item.__class__ is Node:
        return bool(item.type_name == f"System.{name}")
    return name == "Any" or system_type(item) == name
