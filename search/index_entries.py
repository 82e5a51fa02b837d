"""A resource → the index entries that it is stored with: the array `k` of short strings that searches select by."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from search.entry_text import LIVE
from search.kinds import reference, string, token, uri
from search.parameters import Parameter, parameters_of
from search.paths import CompiledPath

_ENTRIES = {"token": token.entries, "string": string.entries, "uri": uri.entries}


def index_entries(tree: dict[str, Any], base_url: str) -> list[str]:
    """The entries of a valid resource, sorted, each once.

    base_url: this server's own, `http://localhost:8080/fhir`, so that absolute references to itself become relative.
    """
    found = {LIVE}
    for parameter, path in _relevant_paths(tree):
        for value, type_name in path.select(tree):
            if parameter.kind == "reference":
                found.update(reference.entries(parameter, value, type_name, base_url, path.target))
            else:
                found.update(_ENTRIES[parameter.kind](parameter, value, type_name))
    return sorted(found)


def _relevant_paths(tree: dict[str, Any]) -> Iterator[tuple[Parameter, CompiledPath]]:
    by_first = _paths_by_first_element(tree["resourceType"])
    yield from by_first.get(None, ())
    for member in tree:
        yield from by_first.get(member, ())


@cache
def _paths_by_first_element(type_name: str) -> dict[str | None, list[tuple[Parameter, CompiledPath]]]:
    """JSON member → the paths that begin with it; under None those that must always be walked."""
    table: dict[str | None, list[tuple[Parameter, CompiledPath]]] = {}
    for parameter in parameters_of(type_name).values():
        for path in parameter.paths:
            for member in path.members or (None,):
                table.setdefault(member, []).append((parameter, path))
    return table
