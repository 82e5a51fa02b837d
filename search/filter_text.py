"""The language of `_filter`: `name co "smi" and (birthdate ge 1990 or not (gender eq female))`.

https://hl7.org/fhir/R4/search_filter.html

Text → a tree of `Comparison`, `And`, `Or` and `Not`. What a comparison means is left to the plan, which knows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from resources.problem import Problem, problem, quoted

OPERATORS = frozenset(
    ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re")
)
MAX_DEPTH = 20
MAX_TOKENS = 500

_TOKEN = re.compile(r'\s*(?:(?P<paren>[()])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()"\[\]]+)|(?P<bracket>[\[\]]))')


@dataclass(frozen=True, slots=True)
class Comparison:
    """path: parameter codes joined by dots, a chain where more than one. value: unescaped, None for none."""

    path: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Not:
    inner: Node


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


Node = Comparison | Not | And | Or


def parse_filter(text: str) -> Node:
    """Raises a 400 `Problem` that says where the text stops making sense."""
    reader = _Reader(text)
    node = reader.alternatives(0)
    reader.expect_end()
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or len(self._tokens) == MAX_TOKENS:
                raise self._fault(at)
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind], match.start(kind)))
            at = match.end()
        self._next = 0

    def alternatives(self, depth: int) -> Node:
        """a or b or c; binds more loosely than `and`."""
        parts = [self.conjunction(depth)]
        while self._take_word("or"):
            parts.append(self.conjunction(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self, depth: int) -> Node:
        parts = [self.term(depth)]
        while self._take_word("and"):
            parts.append(self.term(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def term(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise problem(400, "too-costly", f"The _filter is nested deeper than {MAX_DEPTH} levels.")
        if self._take_word("not"):
            return Not(self._parenthesised(depth))
        if self._peek() == ("paren", "("):
            return self._parenthesised(depth)
        path = self._word("a parameter")
        operator = self._word("an operator")
        if operator not in OPERATORS:
            raise problem(400, "invalid", f"{quoted(operator)} is not an operator of _filter.")
        kind, value, _ = self._current("a value")
        if kind not in ("word", "text"):
            raise self._fault(self._position())
        self._next += 1
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        return Comparison(path, operator, value)

    def expect_end(self) -> None:
        if self._next != len(self._tokens):
            raise self._fault(self._position())

    def _parenthesised(self, depth: int) -> Node:
        if self._peek() != ("paren", "("):
            raise self._fault(self._position())
        self._next += 1
        node = self.alternatives(depth + 1)
        if self._peek() != ("paren", ")"):
            raise self._fault(self._position())
        self._next += 1
        return node

    def _word(self, what: str) -> str:
        kind, text, _ = self._current(what)
        if kind != "word":
            raise self._fault(self._position())
        self._next += 1
        return text

    def _take_word(self, word: str) -> bool:
        if self._peek() == ("word", word):
            self._next += 1
            return True
        return False

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._next][:2] if self._next < len(self._tokens) else None

    def _current(self, what: str) -> tuple[str, str, int]:
        if self._next == len(self._tokens):
            raise problem(400, "invalid", f"The _filter ends where {what} is expected.")
        return self._tokens[self._next]

    def _position(self) -> int:
        return self._tokens[self._next][2] if self._next < len(self._tokens) else len(self._text)

    def _fault(self, at: int) -> Problem:
        rest = self._text[at:] or "the end"
        return problem(400, "invalid", f"The _filter cannot be understood from character {at + 1} on: {quoted(rest)}.")
