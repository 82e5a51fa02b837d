"""What a transaction brings: its new contents, found by conditions before they are stored.

https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from resources.document import Document
from search.entry_text import LIVE
from search.index_entries import index_entries
from search.match import matches
from search.plan import Step


class Arrivals:
    """The resources that the entries of a Bundle are about to store, indexed when first asked for.

    contents: each resource with the `Type/id` that it will have.
    """

    def __init__(self, contents: Iterable[tuple[str, Document]], base_url: str) -> None:
        self._contents = contents
        self._base_url = base_url
        self._by_type: dict[str, list[tuple[str, dict[str, Any]]]] | None = None
        self._by_entry: dict[tuple[str, str], list[str]] = defaultdict(list)

    def select(self, step: Step) -> list[str]:
        """The `Type/id` of those that a condition selects."""
        if self._by_type is None:
            self._by_type = self._indexed()
        plain = step.filter.get("k") if len(step.filter) == 1 else None
        if isinstance(plain, str):
            return self._by_entry.get((step.type, plain), [])
        return [key for key, document in self._by_type.get(step.type, ()) if matches(step.filter, document)]

    def _indexed(self) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        by_type: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for key, document in self._contents:
            entries = _entries_of(document.tree, self._base_url)
            by_type[document.type].append((key, {"_id": key.partition("/")[2], "k": entries}))
            for entry in entries:
                self._by_entry[document.type, entry].append(key)
        return by_type


def _entries_of(tree: dict[str, Any], base_url: str) -> list[str]:
    try:
        return index_entries(tree, base_url)
    except (AttributeError, TypeError, ValueError):
        return [LIVE]  # not validated yet, and evidently malformed; validation will say so
