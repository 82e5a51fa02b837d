"""The links between the entries of a transaction, and its conditional references: what each stands for in the end.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from fhir_server.interactions.arrivals import Arrivals
from fhir_server.services import Services
from fhir_server.store.run_plan import Runner
from resources.bundle import Entry
from resources.problem import problem, quoted
from resources.references import parse_conditional, parse_literal
from resources.rewriting import Replace
from search.entry_text import all_of
from search.plan import Selection, plan_condition


class Links:
    """What the links in a transaction are to be replaced by.

    targets: full URL → `Type/id` that the entry's resource is stored as. written: `Type/id` of all that the entries write
    or delete. arrivals: what they store.

    A conditional reference means what matches once the transaction is done: what is stored and stays as it is, and what
    the transaction stores. Raises a 412 `Problem` where that is not exactly one resource, and a 400 for a `urn:uuid` that
    is no entry's full URL: it could never be resolved later.
    """

    def __init__(
        self, targets: dict[str, str], written: Collection[str], arrivals: Arrivals, services: Services
    ) -> None:
        self._services = services
        self._by_full_url = targets
        self._written = written
        self._arrivals = arrivals
        self._conditional: dict[str, str] = {}

    def replacement_for(self, entry: Entry) -> Replace:
        """The replacement function for the resource of one entry; relative references count from its `fullUrl`."""
        return partial(self.replacement, base=_base_of(entry))

    def replacement(self, text: str, is_reference: bool, base: str | None) -> str | None:
        """What to put in place of a link, or None to leave it. base: of relative references, None where there is none."""
        key = self._by_full_url.get(text)
        if key is not None:
            return key
        literal = parse_literal(text) if is_reference or base else None
        if literal is not None:
            url = (base or "") + literal.key if literal.base is None else literal.base + literal.key
            # A link to what the Bundle carries; a version that it has on another server means nothing here.
            return self._by_full_url.get(url) if literal.version is None else None
        if not is_reference:
            return None
        if text.startswith(("urn:uuid:", "urn:oid:")):
            raise problem(400, "invalid", f"The reference {quoted(text)} is the full URL of no entry of this Bundle.")
        if "?" in text and (conditional := parse_conditional(text)):
            return self._resolved(text, *conditional)
        return None

    def _resolved(self, text: str, type_name: str, query: str) -> str:
        known = self._conditional.get(text)
        if known is not None:
            return known
        selection = plan_condition(type_name, query, self._services.context())
        found = {*self._staying(selection), *self._arrivals.select(selection)}
        if len(found) != 1:
            what = "Nothing matches" if not found else "More than one resource matches"
            raise problem(
                412, "not-found" if not found else "multiple-matches", f"{what} the reference {quoted(text)}."
            )
        key = self._conditional[text] = found.pop()
        return key

    def _staying(self, selection: Selection) -> list[str]:
        """The `Type/id` of stored resources that a condition selects and the transaction does not touch."""
        found = [f"{selection.type}/{logical_id}" for logical_id in Runner(self._services.database).ids(selection, 2)]
        if not any(key in self._written for key in found):
            return found
        written = [key.partition("/")[2] for key in self._written if key.startswith(selection.type + "/")]
        others = replace(selection, filter=all_of([selection.filter, {"_id": {"$nin": written}}]))
        return [f"{selection.type}/{logical_id}" for logical_id in Runner(self._services.database).ids(others, 2)]


def batch_replacement(full_urls: Collection[str], services: Services) -> Replace:
    """The replacement function for a batch: conditional references become what they match in the store.

    full_urls: of the entries. They must not refer to each other, so a Reference to one of them by its `urn:uuid` is refused,
    with 400: it could not be resolved later. https://hl7.org/fhir/R4/http.html#brules
    """
    links = Links({}, (), Arrivals((), services.context()), services)

    def replacement(text: str, is_reference: bool) -> str | None:
        if not is_reference or not text.startswith("urn:"):
            return links.replacement(text, is_reference, None)
        if text in full_urls:
            what = "names another entry, which a transaction allows and a batch does not"
            raise problem(400, "invalid", f"The reference {quoted(text)} {what}.")
        return None

    return replacement


def _base_of(entry: Entry) -> str | None:
    literal = parse_literal(entry.full_url) if entry.full_url else None
    return literal.base if literal is not None else None
