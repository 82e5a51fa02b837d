"""A resource → what it is indexed by. Only parameters that begin with a member the resource has are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from resources.references import parse_literal
from search.context import Context
from search.entry_text import LIVE
from search.index_values import IndexValues
from search.kinds import KINDS
from search.parameters import Parameter, parameters_of
from search.paths import CompiledPath


def index_values(tree: dict[str, Any], context: Context) -> IndexValues:
    """The index values of a valid resource."""
    found = IndexValues(tree["resourceType"], {LIVE})
    for parameter, path in _relevant_paths(tree):
        index = KINDS[parameter.kind].index
        assert index is not None  # what needs none has no paths
        for value, type_name in path.select(tree):
            if path.target is None or _points_to(value, path.target):
                index(parameter, value, type_name, found, context)
    found.dates, found.numbers = _distinct(found.dates), _distinct(found.numbers)
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


def _relevant_paths(tree: dict[str, Any]) -> Iterator[tuple[Parameter, CompiledPath]]:
    by_first = _paths_by_first_member(tree["resourceType"])
    yield from by_first.get(None, ())
    for member in tree:
        yield from by_first.get(member, ())


@cache
def _paths_by_first_member(type_name: str) -> dict[str | None, list[tuple[Parameter, CompiledPath]]]:
    """JSON member → the paths that begin with it; under None those that must always be walked."""
    table: dict[str | None, list[tuple[Parameter, CompiledPath]]] = {}
    for parameter in parameters_of(type_name).values():
        for path in parameter.paths:
            for member in path.members or (None,):
                table.setdefault(member, []).append((parameter, path))
    return table
