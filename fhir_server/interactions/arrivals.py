"""What a transaction brings: its new contents, found by conditions before they are stored.

https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from resources.document import Document
from search.context import Context
from search.entry_text import LIVE
from search.index import index_values
from search.match import matches
from search.plan import Selection


class Arrivals:
    """The resources that the entries of a Bundle are about to store; those of a type are indexed when first asked for.

    contents: each resource with the `Type/id` that it will have.
    """

    def __init__(self, contents: Iterable[tuple[str, Document]], context: Context) -> None:
        self._context = context
        self._contents: dict[str, list[tuple[str, Document]]] = defaultdict(list)
        for key, document in contents:
            self._contents[document.type].append((key, document))
        self._indexed: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._by_entry: dict[tuple[str, str], list[str]] = defaultdict(list)

    def select(self, selection: Selection) -> list[str]:
        """The `Type/id` of those that a condition selects. One that other resources decide selects none of them."""
        if selection.joins or selection.type not in self._contents:
            return []
        if selection.type not in self._indexed:
            self._indexed[selection.type] = self._index(selection.type)
        plain = selection.filter.get("k") if len(selection.filter) == 1 else None
        if isinstance(plain, str):
            return self._by_entry.get((selection.type, plain), [])
        return [key for key, document in self._indexed[selection.type] if matches(selection.filter, document)]

    def _index(self, type_name: str) -> list[tuple[str, dict[str, Any]]]:
        indexed: list[tuple[str, dict[str, Any]]] = []
        for key, document in self._contents[type_name]:
            logical_id = key.partition("/")[2]
            fields = _fields_of(document.tree, logical_id, self._context)
            indexed.append((key, {"_id": logical_id, **fields}))
            for entry in fields["k"]:
                self._by_entry[type_name, entry].append(key)
        return indexed


def _fields_of(tree: dict[str, Any], logical_id: str, context: Context) -> dict[str, Any]:
    try:
        return index_values(tree, context).fields(logical_id)
    except (AttributeError, TypeError, ValueError):
        return {"k": [LIVE]}  # not validated yet, and evidently malformed; validation will say so
