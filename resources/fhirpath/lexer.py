"""Cuts the text of an expression into tokens.

http://hl7.org/fhirpath/N1/#lexical-elements
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import FhirPathSyntaxError

_DATE = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"

_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|//[^\r\n]*|/\*.*?\*/)
  | (?P<time>@T{_TIME})
  | (?P<datetime>@{_DATE}T(?:{_TIME}(?:Z|[+-]\d{{2}}:\d{{2}})?)?)
  | (?P<date>@{_DATE})
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<delimited>`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*")
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<special>\$[a-z]+)
  | (?P<symbol>!=|!~|<=|>=|[-+*/&|=~<>.,()\[\]{{}}%])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "f": "\f", "\\": "\\", "/": "/", "'": "'", '"': '"', "`": "`"}


class Token(NamedTuple):
    """kind: a group name of the token grammar or `end`; text: as written, unescaped for strings and delimited names."""

    kind: str
    text: str
    position: int


def tokens(expression: str) -> list[Token]:
    """The tokens of an expression, closed by one of kind `end`. Raises FhirPathSyntaxError."""
    found: list[Token] = []
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise FhirPathSyntaxError(f"Unexpected character {expression[position]!r}", expression, position)
        kind = str(match.lastgroup)
        text = match.group()
        if kind in ("string", "delimited"):
            text = _unescape(text[1:-1], expression, position)
        if kind != "space":
            if text == "/" and expression.startswith("/*", position):
                raise FhirPathSyntaxError("The comment is not closed", expression, position)
            found.append(Token(kind, text, position))
        position = match.end()
    found.append(Token("end", "", len(expression)))
    return found


def _unescape(text: str, expression: str, position: int) -> str:
    if "\\" not in text:
        return text

    def replacement(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPED:
            raise FhirPathSyntaxError(f"Unknown escape \\{escape}", expression, position)
        return _ESCAPED[escape]

    return _ESCAPE.sub(replacement, text)
