"""Bundles as requests: the envelope, checked, and the entries with the exact text of each resource.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from resources.document import SPLICED, Document, check_resource_type, document_in
from resources.problem import Issue, Problem, problem, quoted
from resources.raw_json import Span, parse_items, parse_members, parse_object, parse_value
from resources.validation import errors_of, validate

# The order in which a server must process the entries. https://hl7.org/fhir/R4/http.html#trules
VERB_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}


@dataclass(slots=True)
class Entry:
    """One entry of a request Bundle.

    index: its place in the Bundle. method and url: from `request`; empty where the Bundle is no request.
    request: the whole `request` member. document: the resource, or None. fault: what is wrong with this entry alone, where
    the others can go on without it.
    """

    index: int
    full_url: str | None
    method: str
    url: str
    request: dict[str, Any]
    document: Document | None
    fault: Problem | None = None

    @property
    def place(self) -> str:
        """FHIRPath of the entry, for issues."""
        return f"Bundle.entry[{self.index}]"


@dataclass(frozen=True, slots=True)
class Bundle:
    type: str
    entries: list[Entry]


def parse_bundle(body: bytes | str, types: Collection[str] | None = None) -> Bundle:
    """A Bundle with its entries. The resources in them are parsed but not validated.

    types: those expected; None for any. Raises a 400 `Problem` for text that is no Bundle, or whose envelope breaks the
    rules for its type, with every fault. In a batch, a resource of no known type is the fault of its entry alone.
    """
    documents: dict[int, Document] = {}  # id() of the parsed tree → the document it belongs to

    def parse_resource(text: str, at: int) -> tuple[Any, int]:
        if text[at : at + 1] != "{":
            return parse_value(text, at)
        tree, spans, end = parse_members(text, at)
        moved = {name: Span(*(place - at for place in spans[name])) for name in SPLICED if name in spans}
        documents[id(tree)] = document_in(text[at:end], tree, moved)
        return tree, end

    def parse_entry(text: str, at: int) -> tuple[Any, int]:
        if text[at : at + 1] != "{":
            return parse_value(text, at)
        entry, _, end = parse_members(text, at, {"resource": parse_resource})
        return entry, end

    def parse_entries(text: str, at: int) -> tuple[Any, int]:
        return parse_items(text, at, parse_entry) if text[at : at + 1] == "[" else parse_value(text, at)

    _, tree, _ = parse_object(body, {"entry": parse_entries})
    check_resource_type(tree, "Bundle")
    if types is not None and isinstance(tree.get("type"), str) and tree["type"] not in types:
        text = f"The Bundle's type is {quoted(tree['type'])}; expected is {' or '.join(repr(name) for name in types)}."
        raise problem(400, "value", text, "Bundle.type")
    _check_envelope(tree)
    entries: list[Entry] = []
    for index, entry in enumerate(tree.get("entry", ())):
        resource = entry.get("resource")
        fault: Problem | None = None
        if resource is not None:
            try:
                check_resource_type(resource, None, f"Bundle.entry[{index}].resource")
            except Problem as found:
                if tree["type"] != "batch":
                    raise
                fault = found
        request = entry.get("request", {})
        entries.append(
            Entry(
                index,
                entry.get("fullUrl"),
                request.get("method", ""),
                request.get("url", ""),
                request,
                documents[id(resource)] if resource is not None and fault is None else None,
                fault,
            )
        )
    return Bundle(tree["type"], entries)


def _check_envelope(tree: dict[str, Any]) -> None:
    """Validate all but the resources, which are validated one by one when their references are resolved."""
    entries = tree.get("entry")
    envelope = tree
    if isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict) and "resource" in entry and not isinstance(entry["resource"], dict):
                raise problem(400, "structure", "A resource is expected here.", f"Bundle.entry[{index}].resource")
        envelope = {
            **tree,
            "entry": [{**entry, "resource": _STAND_IN} if "resource" in entry else entry for entry in entries]
            if all(isinstance(entry, dict) for entry in entries)
            else entries,
        }
    if tree.get("type") in ("batch", "transaction") and isinstance(entries, list):
        lacking = [n for n, entry in enumerate(entries) if isinstance(entry, dict) and "request" not in entry]
        if lacking:
            text = "The entry has no request, so what to do with it is not said."
            raise Problem(400, [Issue("error", "required", text, f"Bundle.entry[{n}]") for n in lacking])
    issues = errors_of(validate(envelope))
    if issues:
        raise Problem(400, issues)


# Stands for a resource when only the envelope is validated: the smallest valid one.
_STAND_IN = {"resourceType": "Basic", "id": "-", "code": {"text": "-"}}


def in_verb_order(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order of processing: deletes, creates, updates, reads; otherwise as they stand."""
    return sorted(entries, key=lambda entry: VERB_ORDER.get(entry.method, 0))


def check_no_duplicates(targets: Iterable[tuple[str, Entry]], kept: Iterable[tuple[str, Entry]] = ()) -> None:
    """Raise a 400 `Problem` where two entries of a transaction write the same resource.

    targets: `Patient/1` → entry, for each entry that writes. kept: the same for conditional creates that found their
    resource: several may find the same one, but none that another entry changes under it.
    """
    first: dict[str, Entry] = {}
    issues: list[Issue] = []
    for key, entry in targets:
        other = first.setdefault(key, entry)
        if other is not entry:
            text = f"{other.place} and {entry.place} both write {quoted(key)}; a transaction may write a resource once."
            issues.append(Issue("error", "duplicate", text, entry.place))
    for key, entry in kept:
        if writer := first.get(key):
            text = f"The condition of {entry.place} finds {quoted(key)}, which {writer.place} writes."
            issues.append(Issue("error", "duplicate", text, entry.place))
    if issues:
        raise Problem(400, issues)
