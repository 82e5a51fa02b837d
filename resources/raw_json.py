"""JSON text ↔ Python values, keeping what JSON libraries lose: where each member stands, and how numbers are spelled.

https://hl7.org/fhir/R4/json.html

Text is parsed by the standard library's C scanner, driven here one member at a time, so that the place of every
top-level member is known without a second pass. Decimals become `decimal.Decimal`, which keeps `1.00` apart from `1`.
Refused, with line and column: malformed text, duplicate member names, `NaN` and `Infinity`, unpaired surrogates,
text that is not UTF-8, and nesting deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]  # part of the module, missing from its stub
from types import MappingProxyType
from typing import Any, NamedTuple

from resources.problem import Problem, problem, quoted

MAX_DEPTH = 100
_CONTAINERS = frozenset({dict, list})

_BLANKS = frozenset(" \t\n\r")
_SPACE = re.compile(r"[ \t\n\r]*")
_NAME_END = re.compile(r'"[ \t\n\r]*:')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Span(NamedTuple):
    """Where a member stands in the text: from its name's quote, its value's first character, to its value's end."""

    start: int
    value: int
    end: int


class _DuplicateName(ValueError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _DuplicateName(name)
            seen.add(name)
    return members


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


_scan = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant).scan_once  # type: ignore[attr-defined]
_scan_strictly = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant).scan_once  # type: ignore[attr-defined]


def decode_utf8(body: bytes) -> str:
    """The text of a request body. Raises a 400 `Problem` that names the byte where it stops being UTF-8."""
    try:
        return body.decode("utf-8-sig") if body.startswith(b"\xef\xbb\xbf") else body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise problem(
            400, "structure", f"The body is not UTF-8: byte {error.start + 1} ({body[error.start]:#04x}) is not valid."
        ) from None


Parser = Callable[[str, int], tuple[Any, int]]
"""(text, where a value begins) → the value and the index behind it."""


def parse_members(
    text: str, start: int = 0, inner: Mapping[str, Parser] = MappingProxyType({})
) -> tuple[dict[str, Any], dict[str, Span], int]:
    """Parse the JSON object that begins at `start`: its members, where each stands, and the index behind the object.

    inner: for members whose values are to be parsed in a way of their own.
    Raises a 400 `Problem` with line and column for text that is not a JSON object.
    """
    members: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    at = _skip(text, start)
    if text[at : at + 1] != "{":
        raise malformed(text, at, "A JSON object is expected, beginning with '{'")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        return members, spans, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise malformed(text, at, "A member name in double quotes is expected")
        name, value_at = parse_name(text, at)
        if name in members:
            raise malformed(text, at, f"The member {quoted(name)} stands twice in the same object")
        parse = inner.get(name) if inner else None
        value, end = _parsed(text, value_at, _scan) if parse is None else parse(text, value_at)
        members[name] = value
        spans[name] = Span(at, value_at, end)
        separator = text[end : end + 1]
        if separator != "," and separator != "}":
            end = _skip(text, end)
            separator = text[end : end + 1]
        if separator == "}":
            return members, spans, end + 1
        if separator != ",":
            raise malformed(text, end, "A ',' or '}' is expected")
        at = end + 1
        if text[at : at + 1] != '"':
            at = _skip(text, at)


def parse_items(text: str, start: int, item: Parser) -> tuple[list[Any], int]:
    """Parse the JSON array that begins at `start`, each item by `item`, and the index behind the array."""
    items: list[Any] = []
    at = _skip(text, start + 1)
    if text[at : at + 1] == "]":
        return items, at + 1
    while True:
        value, end = item(text, at)
        items.append(value)
        at = _skip(text, end)
        separator = text[at : at + 1]
        if separator == "]":
            return items, at + 1
        if separator != ",":
            raise malformed(text, at, "A ',' or ']' is expected")
        at = _skip(text, at + 1)


def parse_name(text: str, at: int) -> tuple[str, int]:
    """The member name whose quote stands at `at`, and where its value begins."""
    try:
        name, end = scanstring(text, at + 1, True)
    except json.JSONDecodeError as error:
        raise malformed(text, error.pos, error.msg) from None
    if text[end : end + 1] != ":":
        end = _skip(text, end)
        if text[end : end + 1] != ":":
            raise malformed(text, end, "A ':' is expected")
    end += 1
    return name, _skip(text, end) if text[end : end + 1] in _BLANKS else end


def parse_value(text: str, at: int) -> tuple[Any, int]:
    """Any JSON value that begins at `at`, and the index behind it. Duplicate names inside it are not noticed here."""
    return _parsed(text, at, _scan)


def _parsed(text: str, at: int, scan: Parser) -> tuple[Any, int]:
    try:
        value, end = scan(text, at)
    except StopIteration as stop:
        raise malformed(text, stop.value, "A JSON value is expected") from None
    except json.JSONDecodeError as error:
        raise malformed(text, error.pos, error.msg) from None
    except _DuplicateName as error:
        raise malformed(
            text, _duplicate_at(text, at, error.name), f"The member {quoted(error.name)} stands twice in one object"
        ) from None
    except RecursionError:
        raise too_deep() from None
    except (ValueError, ArithmeticError) as error:
        # Python's own limits on numbers, or NaN and its like.
        raise malformed(text, at, f"A value within this member cannot be read: {str(error)[:100]}") from None
    return value, end


def parse_object(
    body: bytes | str, inner: Mapping[str, Parser] = MappingProxyType({})
) -> tuple[str, dict[str, Any], dict[str, Span]]:
    """A whole body as one JSON object: its text, its members and their places. Raises a 400 `Problem`.

    inner: as for `parse_members`; what it yields must be plain JSON values, so that nesting and names can be checked.
    """
    text = body if isinstance(body, str) else decode_utf8(body)
    members, spans, end = parse_members(text, 0, inner)
    end = _skip(text, end)
    if end != len(text):
        raise malformed(text, end, "Nothing may follow the end of the object")
    check_nesting(text, members)
    if _SURROGATE.search(text):
        check_unicode(members)
    return text, members, spans


def check_nesting(text: str, tree: Any) -> None:
    """Raise a 400 `Problem` where `tree`, parsed from `text`, is nested too deep or lost a duplicate member name.

    A parser without hooks keeps the last of two equal names, in half the time of one that looks. So the names are
    counted in the text instead: strings may add to that count (`\\":` inside a string looks like the end of a name) but
    nothing takes from it, so an equal count proves that no name was lost, and an unequal one is looked into.
    """
    names = 0
    level = [tree]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                names += len(node)
                children = node.values()
            else:
                children = node
            below += [child for child in children if type(child) in _CONTAINERS]
        level = below
        if not level:
            break
    else:
        raise too_deep()
    if len(_NAME_END.findall(text)) != names:
        _parsed(text, _skip(text, 0), _scan_strictly)


def check_unicode(tree: Any) -> None:
    """Raise a 400 `Problem` where an escape such as `\\ud800` stands without its other half: no UTF-8 can carry it."""
    try:
        json.dumps(tree, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise problem(
            400, "structure", "The text holds an unpaired UTF-16 surrogate escape (\\ud800 to \\udfff)."
        ) from None


def too_deep() -> Problem:
    return problem(400, "structure", f"The JSON is nested deeper than {MAX_DEPTH} levels, which is the most accepted.")


def malformed(text: str, at: int, what: str) -> Problem:
    """A 400 `Problem` that names line and column."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return problem(400, "structure", f"The JSON is malformed at line {line}, column {column}: {what.rstrip('.')}.")


def without_line_breaks(text: str, spans: dict[str, Span]) -> tuple[str, dict[str, Span]]:
    """Drop raw line breaks, which in valid JSON stand only between tokens, and move the places accordingly."""
    if "\n" not in text and "\r" not in text:
        return text, spans

    has_returns = "\r" in text

    def moved(at: int) -> int:
        return at - text.count("\n", 0, at) - (text.count("\r", 0, at) if has_returns else 0)

    places = {name: Span(moved(s.start), moved(s.value), moved(s.end)) for name, s in spans.items()}
    return text.replace("\r", "").replace("\n", ""), places


def lexical_tree(text: str | bytes) -> Any:
    """The value of a JSON text with numbers by their spelling: `1.0` and `1.00` differ, white space does not count."""
    return json.loads(text, parse_float=lambda spelling: ("number", spelling))


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _duplicate_at(text: str, start: int, name: str) -> int:
    """Where the second of two equal names of one object stands: the slow path, once a fault is known."""
    strings = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}]')
    stack: list[set[str]] = []
    for token in strings.finditer(text, start):
        if token[0] == "{":
            stack.append(set())
        elif token[0] == "}":
            if stack:
                stack.pop()
        elif stack and text[_skip(text, token.end()) : _skip(text, token.end()) + 1] == ":":
            decoded = json.loads(token[0])
            if decoded == name and decoded in stack[-1]:
                return token.start()
            stack[-1].add(decoded)
    return start
