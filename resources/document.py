"""A resource as a document: the client's exact text, its parsed tree, and the splice of `id` and `meta` into the text.

https://hl7.org/fhir/R4/resource.html#Meta

What is stored and returned is what the client sent: key order, unicode escapes, `1.00`, everything, but for the `id`,
`meta.versionId` and `meta.lastUpdated` that the server owns, and raw line breaks, which are dropped so that NDJSON is
a plain join of stored documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from resources.definitions import resource_types
from resources.problem import problem, quoted
from resources.raw_json import Span, lexical_tree, parse_members, parse_object, without_line_breaks

SPLICED = ("resourceType", "id", "meta")
"""The top-level members at which the server's own text goes in; the places of the others are not kept."""

SERVER_OWNED_META = ("versionId", "_versionId", "lastUpdated", "_lastUpdated")


@dataclass(slots=True)
class Document:
    """One resource that a client sent.

    text: JSON text without raw line breaks; `spans` gives the places in it of those of the members `SPLICED` that it has.
    tree: the parsed members, decimals as `decimal.Decimal`. It follows `text`: whoever rewrites one rewrites both.
    """

    text: str
    tree: dict[str, Any]
    spans: dict[str, Span]

    @property
    def type(self) -> str:
        """The resource type, for example `Patient`."""
        return str(self.tree["resourceType"])

    @property
    def id(self) -> str | None:
        """The id that the client wrote, or None. Not checked here: it may be no valid id, or not even a string."""
        return self.tree.get("id")

    def stored(self, logical_id: str, version: int, last_updated: int) -> bytes:
        """The bytes to keep: the client's text with `id` and `meta` spliced in.

        last_updated: milliseconds since 1970 (UTC).
        """
        text, spans = self.text, self.spans
        anchor = spans["resourceType"].end
        identity = f'"id":"{logical_id}"'
        meta = f'"meta":{self._meta(version, last_updated)}'
        edits: list[tuple[int, int, str]] = []
        if "id" in spans:
            edits.append((spans["id"].start, spans["id"].end, identity))
        else:
            edits.append((anchor, anchor, "," + identity))
        if "meta" in spans:
            edits.append((spans["meta"].start, spans["meta"].end, meta))
        elif "id" in spans:
            edits.append((spans["id"].end, spans["id"].end, "," + meta))
        else:
            edits.append((anchor, anchor, "," + meta))
        edits.sort(key=lambda edit: edit[:2])  # stable: where both are inserted at one place, id comes first
        parts: list[str] = []
        at = 0
        for start, end, replacement in edits:
            parts += (text[at:start], replacement)
            at = end
        parts.append(text[at:])
        return "".join(parts).strip().encode()

    def _meta(self, version: int, last_updated: int) -> str:
        owned = f'{{"versionId":"{version}","lastUpdated":"{instant(last_updated)}"'
        place = self.spans.get("meta")
        if place is None or self.text[place.value] != "{":
            return owned + "}"
        _, spans, _ = parse_members(self.text, place.value)
        kept = (self.text[s.start : s.end] for name, s in spans.items() if name not in SERVER_OWNED_META)
        return ",".join([owned, *kept]) + "}"

    def says_the_same_as(self, stored: bytes, logical_id: str, version: int, last_updated: int) -> bool:
        """Whether storing this document over `stored` would change nothing but white space and server-owned members."""
        mine = self.stored(logical_id, version, last_updated)
        return mine == stored or lexical_tree(mine) == lexical_tree(stored)


def parse_document(body: bytes | str, expected_type: str | None = None) -> Document:
    """A request body as a document.

    expected_type: the type that the URL names, if any.
    Raises a 400 `Problem` for text that is not one JSON object, for a missing or unknown `resourceType`, and where it
    is not the expected one.
    """
    text, tree, spans = parse_object(body)
    check_resource_type(tree, expected_type)
    return document_in(text, tree, spans)


def document_in(text: str, tree: dict[str, Any], spans: dict[str, Span]) -> Document:
    """The document of a text that was parsed. spans: at least of the members `SPLICED`."""
    text, spans = without_line_breaks(text, {name: spans[name] for name in SPLICED if name in spans})
    return Document(text, tree, spans)


def check_resource_type(tree: dict[str, Any], expected_type: str | None, where: str | None = None) -> None:
    """Raise a 400 `Problem` unless `resourceType` names an R4 resource type, and the expected one where given."""
    name = tree.get("resourceType")
    expression = where or (expected_type or "Resource")
    if name is None:
        raise problem(400, "structure", "The member 'resourceType' is missing.", expression)
    if not isinstance(name, str) or name not in resource_types():
        raise problem(400, "structure", f"The resourceType {quoted(name)} is not an R4 resource type.", expression)
    if expected_type is not None and name != expected_type:
        raise problem(
            400, "invalid", f"The resourceType is {quoted(name)}, but the URL names '{expected_type}'.", expression
        )


def instant(milliseconds: int) -> str:
    """Milliseconds since 1970 as a FHIR instant in UTC: `2026-01-31T09:30:00.123Z`."""
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:03d}Z"
