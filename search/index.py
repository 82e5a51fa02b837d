"""A resource → what it is indexed by. Only parameters that begin with a member the resource has are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from resources.references import parse_literal
from search.catalogue import Catalogue
from search.context import Context
from search.entry_text import LIVE
from search.index_values import IndexValues
from search.kinds import KINDS, Add
from search.parameters import Parameter
from search.paths import CompiledPath

Extract = Callable[[dict[str, Any], IndexValues, Context], None]
"""Adds what one path of a parameter selects in a resource."""


def index_values(tree: dict[str, Any], context: Context) -> IndexValues:
    """The index values of a valid resource."""
    by_member = _extractors(tree["resourceType"], context.catalogue)
    found = IndexValues(tree, context.catalogue, {LIVE})
    for extract in by_member.get(None, ()):
        extract(tree, found, context)
    for member in tree:
        for extract in by_member.get(member, ()):
            extract(tree, found, context)
    if len(found.dates) > 1:
        found.dates = _distinct(found.dates)
    if len(found.numbers) > 1:
        found.numbers = _distinct(found.numbers)
    for contained in tree.get("contained", ()):
        found.contained[contained.get("id", "")] = index_values(contained, context)
    return found


def _distinct(ranges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(entry["c"], entry["lo"], entry["hi"]): entry for entry in ranges}.values())


def _extractors(type_name: str, catalogue: Catalogue) -> dict[str | None, list[Extract]]:
    """Member of a resource → what is to be extracted where it is there; under None what always is."""
    made: dict[str | None, list[Extract]] | None = catalogue.extractors.get(type_name)
    if made is None:
        made = {
            member: [_extractor(parameter, path) for parameter, path in paths]
            for member, paths in catalogue.paths_of(type_name).items()
        }
        catalogue.extractors[type_name] = made
    return made


def _extractor(parameter: Parameter, path: CompiledPath) -> Extract:
    index = KINDS[parameter.kind].index
    assert index is not None  # what needs none has no paths
    select, target = path.select, path.target
    adders: dict[str, Add] = {type_name: index(parameter, type_name) for type_name in path.types}

    def extract(tree: dict[str, Any], into: IndexValues, context: Context) -> None:
        for value, type_name in select(tree):
            if target is None or _points_to(value, target):
                add = adders.get(type_name)
                if add is None:  # a path that only the FHIRPath engine knows the types of
                    add = adders[type_name] = index(parameter, type_name)
                add(value, into, context)

    return extract


def _points_to(value: Any, target: str) -> bool:
    """Whether a Reference is to a resource of the type that the parameter's path names."""
    if type(value) is not dict:
        return False
    text = value.get("reference")
    literal = parse_literal(text) if type(text) is str else None
    if literal is not None:
        return literal.type == target
    # Known by its identifier only, or by a text that does not tell: then the type may be stated beside it.
    return bool(value.get("type") == target)
