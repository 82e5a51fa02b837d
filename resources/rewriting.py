"""Rewriting references inside a resource's text, byte by byte, so that nothing else about it changes.

https://hl7.org/fhir/R4/http.html#trules ("the server SHALL replace all matching links in the bundle")

A walk over the parsed tree, led by the definitions, finds which strings may be replaced: `Reference.reference`, elements
of type uri, url, oid and uuid, and links in narrative. The n-th string value of the tree is the n-th string value of the
text, which tells where to put the new one.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from typing import Any

from resources.definitions import resource_types, type_facts
from resources.document import Document
from resources.raw_json import Span

Replace = Callable[[str, bool], str | None]
"""(text, whether it stands in a Reference) → what to put in its place, or None to leave it. May raise a `Problem`."""

_STRING = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")([ \t]*:)?')
_LINK = re.compile(r"""(<(?:a|img)\b[^>]*?\b(?:href|src)\s*=\s*)("[^"]*"|'[^']*')""")
_URI_TYPES = frozenset({"uri", "url", "oid", "uuid"})


def rewrite(document: Document, replace: Replace) -> Document:
    """The document with its links replaced. The tree is changed in place; the text is a new one."""
    if not _may_hold_links(document.text):
        return document
    walk = _Walk(replace)
    walk.object(document.tree, document.type)
    if not walk.replaced:
        return document
    edits: list[tuple[int, int, str]] = []
    ordinal = 0
    for match in _STRING.finditer(document.text):
        if match[2] is not None:
            continue  # a member's name
        new = walk.replaced.get(ordinal)
        if new is not None:
            edits.append((match.start(1), match.end(1), json.dumps(new, ensure_ascii=False)))
        ordinal += 1
    return Document(_edited(document.text, edits), document.tree, _moved(document.spans, edits))


def _may_hold_links(text: str) -> bool:
    return '"reference"' in text or "urn:" in text or "http" in text or "\\" in text


class _Walk:
    """Visits every string value in the order of the text and notes which ones to replace."""

    def __init__(self, replace: Replace) -> None:
        self._replace = replace
        self._ordinal = 0
        self.replaced: dict[int, str] = {}

    def object(self, node: dict[str, Any], type_name: str | None) -> None:
        if type_name == "Resource":
            stated = node.get("resourceType")
            type_name = stated if isinstance(stated, str) and stated in resource_types() else None
        types = _member_types(type_name) if type_name is not None else {}
        for name, value in node.items():
            kind = type(value)
            if kind is str:
                node[name] = self._string(value, types.get(name))
            elif kind is dict:
                self.object(value, types.get(name))
            elif kind is list:
                self._array(value, types.get(name))

    def _array(self, values: list[Any], type_name: str | None) -> None:
        for index, value in enumerate(values):
            kind = type(value)
            if kind is str:
                values[index] = self._string(value, type_name)
            elif kind is dict:
                self.object(value, type_name)
            elif kind is list:
                self._array(value, None)

    def _string(self, value: str, type_name: str | None) -> str:
        ordinal = self._ordinal
        self._ordinal += 1
        if type_name is None:
            return value
        if type_name == "xhtml":
            new = _LINK.sub(self._link, value) if "<a" in value or "<img" in value else value
        else:
            new = self._replace(value, type_name == "Reference.reference") or value
        if new != value:
            self.replaced[ordinal] = new
        return new

    def _link(self, match: re.Match[str]) -> str:
        quote = match[2][0]
        new = self._replace(html.unescape(match[2][1:-1]), False)
        return match[0] if new is None else f"{match[1]}{quote}{html.escape(new)}{quote}"


@cache
def _member_types(type_name: str) -> dict[str, str]:
    """JSON member → type, for members that are links or may have links below them."""
    types: dict[str, str] = {}
    for element in type_facts(type_name).elements.values():
        for json_name, member_type in element.json_names().items():
            if type_name == "Reference" and json_name == "reference":
                types[json_name] = "Reference.reference"
            elif member_type in _URI_TYPES or member_type == "xhtml":
                types[json_name] = member_type
            elif type_facts(member_type).kind != "primitive":
                types[json_name] = member_type
            else:
                types["_" + json_name] = "Element"
    if type_name == "Extension":
        del types["url"]  # names the extension, and is never a link to an entry
    return types


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _moved(spans: dict[str, Span], edits: list[tuple[int, int, str]]) -> dict[str, Span]:
    """The places of the members after the edits, each of which lies inside the value of one member."""
    ends = [end for _, end, _ in edits]
    shifts = [0]
    for start, end, new in edits:
        shifts.append(shifts[-1] + len(new) - (end - start))
    return {name: Span(*(place + shifts[bisect_right(ends, place)] for place in span)) for name, span in spans.items()}
