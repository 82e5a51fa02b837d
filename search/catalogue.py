"""The search parameters that a server knows: R4's own, and those that were added to it at run time.

A parameter that was added is indexed from then on, but can be searched by only once all that was stored before is indexed
by it, too; until then a search would miss what it should find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from resources.definitions import SearchParameterFacts, is_a, resource_types
from search.parameters import Parameter, parameter_of, standard_parameters_of
from search.paths import CompiledPath

FIRST_GENERATION = 1

PathsByMember = Mapping[str | None, Sequence[tuple[Parameter, CompiledPath]]]
"""JSON member → the parameters' paths that begin with it; under None those that must always be walked."""


@dataclass(frozen=True, slots=True)
class Added:
    """A search parameter added at run time. is_ready: whether everything stored is indexed by it."""

    facts: SearchParameterFacts
    is_ready: bool


class Catalogue:
    """What can be searched by, for each resource type.

    added: parameters beside the standard ones; one whose code a type has already changes nothing there.
    generations: resource type → the number of its present set of indexed parameters, if it is not the first. What is stored
    carries the number that it was indexed under. `extractors` belongs to `search.index`, which keeps there what it made of
    the paths of each type.
    """

    def __init__(self, added: Sequence[Added] = (), generations: Mapping[str, int] | None = None) -> None:
        self._generations = generations or {}
        self._added: dict[str, dict[str, tuple[Parameter, bool]]] = {}
        facts = {item.facts.id: item.facts for item in added}
        for item in added:
            for type_name in types_of(item.facts):
                parameter = parameter_of(item.facts, type_name, facts)
                of_type = self._added.setdefault(type_name, {})
                if parameter is not None and parameter.code not in {**standard_parameters_of(type_name), **of_type}:
                    of_type[parameter.code] = (parameter, item.is_ready)
        self._searched: dict[str, Mapping[str, Parameter]] = {}
        self._indexed: dict[str, Mapping[str, Parameter]] = {}
        self._paths: dict[str, PathsByMember] = {}
        self.extractors: dict[str, Any] = {}

    def parameters_of(self, type_name: str) -> Mapping[str, Parameter]:
        """Code → parameter of a resource type: all that can be searched by, in the order of their codes."""
        if type_name not in self._added:
            return standard_parameters_of(type_name)
        if type_name not in self._searched:
            ready = {code: parameter for code, (parameter, is_ready) in self._added[type_name].items() if is_ready}
            self._searched[type_name] = MappingProxyType(
                dict(sorted({**standard_parameters_of(type_name), **ready}.items()))
            )
        return self._searched[type_name]

    def indexed_parameters_of(self, type_name: str) -> Mapping[str, Parameter]:
        """Code → parameter of a resource type: all that it is indexed by."""
        if type_name not in self._added:
            return standard_parameters_of(type_name)
        if type_name not in self._indexed:
            added = {code: parameter for code, (parameter, _) in self._added[type_name].items()}
            self._indexed[type_name] = MappingProxyType({**standard_parameters_of(type_name), **added})
        return self._indexed[type_name]

    def paths_of(self, type_name: str) -> PathsByMember:
        """The paths that a resource of a type is indexed along."""
        if type_name not in self._paths:
            table: dict[str | None, list[tuple[Parameter, CompiledPath]]] = {}
            for parameter in self.indexed_parameters_of(type_name).values():
                for path in parameter.paths:
                    for member in path.members or (None,):
                        table.setdefault(member, []).append((parameter, path))
            self._paths[type_name] = table
        return self._paths[type_name]

    def generation_of(self, type_name: str) -> int:
        """The number of the present set of parameters that a type is indexed by."""
        return self._generations.get(type_name, FIRST_GENERATION)


TextSearch = Literal["off", "narrative", "content"]
"""Whether words are indexed: of narratives only, or of whole resources as well."""


def text_parameters(text_search: TextSearch) -> list[SearchParameterFacts]:
    """`_text` and `_content`, as far as words are indexed for them.

    https://hl7.org/fhir/R4/search.html#content
    """
    text = SearchParameterFacts("_text", "_text", "text", ("DomainResource",), "DomainResource.text.div", (), ())
    content = SearchParameterFacts("_content", "_content", "text", ("Resource",), "Resource", (), ())
    return {"off": [], "narrative": [text], "content": [text, content]}[text_search]


def types_of(facts: SearchParameterFacts) -> list[str]:
    """The resource types that a search parameter applies to, in alphabetical order."""
    return sorted(name for name in resource_types() if any(is_a(name, base) for base in facts.base))


STANDARD = Catalogue()
"""The catalogue of a server to which nothing was added."""
