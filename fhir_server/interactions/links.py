"""The links between the entries of a transaction, and its conditional references: what each stands for in the end.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from fhir_server.services import Services
from fhir_server.store.run_plan import find_ids
from resources.bundle import Entry
from resources.problem import problem, quoted
from resources.references import parse_conditional, parse_literal
from resources.rewriting import Replace
from search.entry_text import LIVE
from search.index_entries import index_entries
from search.match import matches
from search.plan import Step, plan_condition


class Links:
    """What the links in a Bundle are to be replaced by.

    targets: each entry that is stored, with the `Type/id` that it is stored as.
    """

    def __init__(self, targets: Sequence[tuple[Entry, str]], services: Services) -> None:
        self._services = services
        self._targets = targets
        self._by_full_url = {entry.full_url: key for entry, key in targets if entry.full_url}
        self._conditional: dict[str, str] = {}
        self._indexed: dict[str, list[tuple[str, dict[str, Any]]]] | None = None

    def replacement_for(self, entry: Entry) -> Replace:
        """The replacement function for the resource of one entry; relative references count from its `fullUrl`."""
        base = _base_of(entry)

        def replace(text: str, is_reference: bool) -> str | None:
            key = self._by_full_url.get(text)
            if key is not None:
                return key
            literal = parse_literal(text) if is_reference or base else None
            if literal is not None:
                url = (base or "") + literal.key if literal.base is None else literal.base + literal.key
                key = self._by_full_url.get(url)
                # An unversioned link to what the Bundle carries; a version of another server means nothing here.
                return key if key is not None and literal.version is None else None
            if is_reference and "?" in text and (conditional := parse_conditional(text)):
                return self._resolved(text, *conditional)
            return None

        return replace

    def _resolved(self, text: str, type_name: str, query: str) -> str:
        known = self._conditional.get(text)
        if known is not None:
            return known
        step = plan_condition(type_name, query, self._services.base_url)
        found = [f"{type_name}/{logical_id}" for logical_id in find_ids(self._services.database, step)]
        if not found:
            found = self._matching_entries(step)
        if len(found) != 1:
            what = "Nothing matches" if not found else "More than one resource matches"
            raise problem(
                412, "not-found" if not found else "multiple-matches", f"{what} the reference {quoted(text)}."
            )
        self._conditional[text] = found[0]
        return found[0]

    def _matching_entries(self, step: Step) -> list[str]:
        """The resources of this very Bundle that a condition selects."""
        if self._indexed is None:
            self._indexed = defaultdict(list)
            for entry, key in self._targets:
                if entry.document is not None:
                    document = entry.document
                    indexed = {"_id": key.partition("/")[2], "k": _entries_of(document.tree, self._services.base_url)}
                    self._indexed[document.type].append((key, indexed))
        return [key for key, indexed in self._indexed.get(step.type, ()) if matches(step.filter, indexed)]


def _entries_of(tree: dict[str, Any], base_url: str) -> list[str]:
    try:
        return index_entries(tree, base_url)
    except (AttributeError, TypeError, ValueError):
        return [LIVE]  # not validated yet, and evidently malformed; validation will say so


def _base_of(entry: Entry) -> str | None:
    literal = parse_literal(entry.full_url) if entry.full_url else None
    return literal.base if literal is not None else None
