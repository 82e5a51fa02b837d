"""The search parameters of each resource type, ready to extract index entries and to build filters.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from resources.definitions import is_a, search_parameter_facts
from search.paths import CompiledPath, compile_paths

SERVED_KINDS = frozenset({"token", "string", "reference", "uri"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one resource type.

    code: as written in a query, `birthdate`; kind: its search type, `token`, `string`, ...
    paths: where its values stand; empty for what the store keeps beside the resource (`_id`, `_lastUpdated`).
    targets: for a reference, the resource types that it may point to.
    """

    code: str
    kind: str
    paths: tuple[CompiledPath, ...]
    targets: tuple[str, ...] = ()

    @property
    def types(self) -> frozenset[str]:
        """The FHIR types of the values that the parameter looks at, as far as they are known."""
        return frozenset().union(*(path.types for path in self.paths))


@cache
def parameters_of(type_name: str) -> Mapping[str, Parameter]:
    """Code → parameter of a resource type, all that the server can search by, in the order of their codes."""
    found = {
        "_id": Parameter("_id", "id", ()),
        "_lastUpdated": Parameter("_lastUpdated", "lastUpdated", ()),
    }
    for facts in search_parameter_facts():
        if facts.code in found or facts.expression is None or facts.type not in SERVED_KINDS:
            continue
        if not any(is_a(type_name, base) for base in facts.base):
            continue
        paths = tuple(compile_paths(facts.expression, type_name))
        if paths:
            found[facts.code] = Parameter(facts.code, facts.type, paths, facts.targets)
    return MappingProxyType(dict(sorted(found.items())))
