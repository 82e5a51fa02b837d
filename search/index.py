"""A resource → what it is indexed by. Only parameters that begin with a member the resource has are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resources.references import parse_literal
from search.catalogue import PathsByMember
from search.context import Context
from search.entry_text import LIVE
from search.index_values import IndexValues
from search.kinds import KINDS
from search.parameters import Parameter
from search.paths import CompiledPath


def index_values(tree: dict[str, Any], context: Context) -> IndexValues:
    """The index values of a valid resource."""
    type_name = tree["resourceType"]
    found = IndexValues(tree, context.catalogue, {LIVE})
    for parameter, path in _relevant_paths(tree, context.catalogue.paths_of(type_name)):
        index = KINDS[parameter.kind].index
        assert index is not None  # what needs none has no paths
        for value, value_type in path.select(tree):
            if path.target is None or _points_to(value, path.target):
                index(parameter, value, value_type, found, context)
    found.dates, found.numbers = _distinct(found.dates), _distinct(found.numbers)
    for contained in tree.get("contained", ()):
        found.contained[contained.get("id", "")] = index_values(contained, context)
    return found


def _distinct(ranges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(entry["c"], entry["lo"], entry["hi"]): entry for entry in ranges}.values())


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


def _relevant_paths(tree: dict[str, Any], by_member: PathsByMember) -> Iterator[tuple[Parameter, CompiledPath]]:
    yield from by_member.get(None, ())
    for member in tree:
        yield from by_member.get(member, ())
