"""JSON as a tree that can be changed and written again, in which what was not changed keeps its spelling.

Objects and arrays are dicts and lists; every other value is a `Scalar`, which holds its own text: `1.00`, `1e2` and
`"\\u00e9"` come out as they went in. White space between tokens is not kept.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from resources.raw_json import MAX_DEPTH, malformed, too_deep

LONGEST_NUMBER = 1_000  # Python reads no more than some thousands of digits
_TOKEN = re.compile(
    r"[ \t\n\r]*(?:(?P<mark>[{}\[\]:,])"
    r'|(?P<scalar>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))'
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number, boolean or null by its JSON text."""

    text: str

    @property
    def value(self) -> Any:
        """The value as Python has it; decimals as `decimal.Decimal`."""
        return json.loads(self.text, parse_float=Decimal)


Exact = dict[str, Any] | list[Any] | Scalar
"""A value of an exact tree; the members of dicts and lists are of the same kind."""


def parse_exact(text: str) -> Exact:
    """JSON text → its exact tree. Raises a 400 `Problem` for what is malformed, nested too deep, or names a member twice."""
    value, end = _value(text, 0, 0)
    if text[end:].strip(" \t\n\r"):
        raise malformed(text, end, "Nothing may follow the value")
    return value


def exact(value: Any) -> Exact:
    """The exact tree of a plain value."""
    if isinstance(value, dict):
        return {name: exact(below) for name, below in value.items()}
    if isinstance(value, list):
        return [exact(below) for below in value]
    return Scalar(str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False))


def plain(tree: Exact) -> Any:
    """An exact tree as plain values; decimals as `decimal.Decimal`."""
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, dict):
        return {name: plain(below) for name, below in tree.items()}
    return [plain(below) for below in tree]


def written(tree: Exact) -> str:
    """The JSON text of an exact tree."""
    parts: list[str] = []
    _write(tree, parts)
    return "".join(parts)


def _write(tree: Exact, parts: list[str]) -> None:
    if isinstance(tree, Scalar):
        parts.append(tree.text)
    elif isinstance(tree, dict):
        mark = "{"
        for name, below in tree.items():
            parts.append(f"{mark}{json.dumps(name, ensure_ascii=False)}:")
            _write(below, parts)
            mark = ","
        parts.append("}" if tree else "{}")
    else:
        mark = "["
        for below in tree:
            parts.append(mark)
            _write(below, parts)
            mark = ","
        parts.append("]" if tree else "[]")


def _value(text: str, at: int, depth: int) -> tuple[Exact, int]:
    if depth > MAX_DEPTH:
        raise too_deep()
    match = _TOKEN.match(text, at)
    if match is None or match["mark"] not in (None, "{", "["):
        raise malformed(text, at, "A JSON value is expected")
    if match["scalar"] is not None:
        if match["scalar"][0] != '"' and len(match["scalar"]) > LONGEST_NUMBER:
            raise malformed(text, at, f"A number has more than {LONGEST_NUMBER} characters")
        return Scalar(match["scalar"]), match.end()
    return _object(text, match.end(), depth) if match["mark"] == "{" else _array(text, match.end(), depth)


def _object(text: str, at: int, depth: int) -> tuple[Exact, int]:
    found: dict[str, Any] = {}
    match = _expected(text, at, "A member name or '}' is expected")
    if match["mark"] == "}":
        return found, match.end()
    while True:
        if match["scalar"] is None or match["scalar"][0] != '"':
            raise malformed(text, match.start(), "A member name in double quotes is expected")
        name = json.loads(match["scalar"])
        if name in found:
            raise malformed(text, match.start(), "A member stands twice in the same object")
        colon = _expected(text, match.end(), "A ':' is expected")
        if colon["mark"] != ":":
            raise malformed(text, match.end(), "A ':' is expected")
        found[name], at = _value(text, colon.end(), depth + 1)
        match = _expected(text, at, "A ',' or '}' is expected")
        if match["mark"] == "}":
            return found, match.end()
        if match["mark"] != ",":
            raise malformed(text, at, "A ',' or '}' is expected")
        match = _expected(text, match.end(), "A member name is expected")


def _array(text: str, at: int, depth: int) -> tuple[Exact, int]:
    found: list[Any] = []
    match = _expected(text, at, "A value or ']' is expected")
    if match["mark"] == "]":
        return found, match.end()
    while True:
        value, at = _value(text, at, depth + 1)
        found.append(value)
        match = _expected(text, at, "A ',' or ']' is expected")
        if match["mark"] == "]":
            return found, match.end()
        if match["mark"] != ",":
            raise malformed(text, at, "A ',' or ']' is expected")
        at = match.end()


def _expected(text: str, at: int, what: str) -> re.Match[str]:
    match = _TOKEN.match(text, at)
    if match is None:
        raise malformed(text, at, what)
    return match
