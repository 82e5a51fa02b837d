"""Rewriting references inside a resource's text, byte by byte, so that nothing else about it changes.

https://hl7.org/fhir/R4/http.html#trules ("the server SHALL replace all matching links in the bundle")

A walk over the parsed tree, led by the definitions, finds which strings may be replaced: `Reference.reference`, elements
of type uri and url, and links in narrative, of which only the address itself is replaced. The n-th string
value of the tree is the n-th string value of the text, which tells where to put the new one.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from resources.definitions import resource_types, type_facts
from resources.document import Document
from resources.raw_json import Span

Replace = Callable[[str, bool], str | None]
"""(text, whether it stands in a Reference) → what to put in its place, or None to leave it. May raise a `Problem`."""

Cut = tuple[int, int, str]
"""From, to, and what to put there instead."""

Replaced = tuple[int, int, str, str]
"""A cut in a string, and the whole string."""

_STRING = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")([ \t]*:)?')
_LINK = re.compile(r"""<(?:a|img)\b[^>]*?\b(?:href|src)\s*=\s*("[^"]*"|'[^']*')""")
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)
# The specification names oid and uuid too, but neither can hold the address of a resource, so the result would be invalid.
_URI_TYPES = frozenset({"uri", "url"})


def rewrite(document: Document, replace: Replace) -> Document:
    """The document with its links replaced. The tree is changed in place; the text is a new one."""
    if not _may_hold_links(document.text):
        return document
    walk = _Walk(replace)
    walk.object(document.tree, document.type)
    if not walk.cuts:
        return document
    return _replaced_everywhere(document, walk.cuts) or _replaced_in_places(document, walk.cuts)


def _replaced_everywhere(document: Document, all_cuts: Mapping[int, Sequence[Replaced]]) -> Document | None:
    """The document with whole strings replaced wherever they stand; None where that would not do.

    It does where each old string stands in the text as often as it is to be replaced, as it nearly always is.
    """
    numbers: Counter[tuple[str, str]] = Counter()
    for cuts in all_cuts.values():
        for start, end, new, old in cuts:
            if start != 0 or end != len(old):
                return None
            numbers[json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False)] += 1
    text = document.text
    if "\\u" in text or "\\/" in text:
        return None  # then a string may be spelled in other ways than one, and the numbers say nothing
    olds = {old for old, _ in numbers}
    if len(olds) != len(numbers) or any(new in olds for _, new in numbers):
        return None
    if any(text.count(old) != number for (old, _), number in numbers.items()):
        return None
    spans = {
        name: Span(*(place + sum(text.count(o, 0, place) * (len(n) - len(o)) for o, n in numbers) for place in span))
        for name, span in document.spans.items()
    }
    for old, new in numbers:
        text = text.replace(old, new)
    return Document(text, document.tree, spans)


def _replaced_in_places(document: Document, all_cuts: Mapping[int, Sequence[Replaced]]) -> Document:
    """The document with its strings replaced by their numbers in the text."""
    edits: list[Cut] = []
    ordinal = 0
    for match in _STRING.finditer(document.text):
        if match[2] is not None:
            continue  # a member's name
        if cuts := all_cuts.get(ordinal):
            places = _places(match[1])
            edits += [
                (
                    match.start(1) + places[start],
                    match.start(1) + places[end],
                    json.dumps(new, ensure_ascii=False)[1:-1],
                )
                for start, end, new, _ in cuts
            ]
        ordinal += 1
    return Document(_edited(document.text, edits), document.tree, _moved(document.spans, edits))


def _places(token: str) -> Sequence[int]:
    """Where each character of a JSON string begins in its spelling, and where the last one ends."""
    if "\\" not in token:
        return range(1, len(token))
    return [1 + character.start() for character in _CHARACTER.finditer(token[1:-1])] + [len(token) - 1]


def _may_hold_links(text: str) -> bool:
    return '"reference"' in text or "urn:" in text or "http" in text or "\\" in text


class _Walk:
    """Visits every string value in the order of the text and notes what to replace in which."""

    def __init__(self, replace: Replace) -> None:
        self._replace = replace
        self._ordinal = 0
        self.cuts: dict[int, list[Replaced]] = {}

    def object(self, node: dict[str, Any], type_name: str | None) -> None:
        if type_name == "Resource":
            stated = node.get("resourceType")
            type_name = stated if isinstance(stated, str) and stated in resource_types() else None
        elif type_name == "Reference.reference":
            type_name = None  # an object where a string belongs; validation comes later and refuses it
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
        cuts: list[Cut] = []
        if type_name == "xhtml":
            if "<a" in value or "<img" in value:
                cuts = self._links(value)
        elif type_name == "Reference.reference" or type_name in _URI_TYPES:
            new = self._replace(value, type_name == "Reference.reference")
            if new is not None and new != value:
                cuts = [(0, len(value), new)]
        if not cuts:
            return value
        self.cuts[ordinal] = [(*cut, value) for cut in cuts]
        return _edited(value, cuts)

    def _links(self, narrative: str) -> list[Cut]:
        cuts: list[Cut] = []
        for match in _LINK.finditer(narrative):
            new = self._replace(html.unescape(match[1][1:-1]), False)
            if new is not None:
                cuts.append((match.start(1) + 1, match.end(1) - 1, html.escape(new)))
        return cuts


@cache
def _member_types(type_name: str) -> dict[str, str]:
    """JSON member → type, for members that are links or may have links below them."""
    types: dict[str, str] = {}
    for element in type_facts(type_name).elements.values():
        for json_name, member_type in element.json_names().items():
            if type_name == "Reference" and json_name == "reference":
                types[json_name] = "Reference.reference"
            elif member_type in _URI_TYPES or member_type == "xhtml" or type_facts(member_type).kind != "primitive":
                types[json_name] = member_type
            else:
                types["_" + json_name] = "Element"
    if type_name == "Extension":
        del types["url"]  # names the extension, and is never a link to an entry
    return types


def _edited(text: str, edits: list[Cut]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _moved(spans: dict[str, Span], edits: list[Cut]) -> dict[str, Span]:
    """The places of the members after the edits, each of which lies inside the value of one member."""
    ends = [end for _, end, _ in edits]
    shifts = [0]
    for start, end, new in edits:
        shifts.append(shifts[-1] + len(new) - (end - start))
    return {name: Span(*(place + shifts[bisect_right(ends, place)] for place in span)) for name, span in spans.items()}
