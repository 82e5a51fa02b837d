"""Regular expressions that strangers wrote: read here, and run only where their cost is known beforehand.

https://hl7.org/fhir/R4/valueset-filter-operator.html (`regex`)

Python's engine tries one way to match after another, and some expressions (`(a+)+b`) have more ways than there is time for.
So what is accepted is the part of the language of which the ways can be counted: characters, classes, alternatives, groups,
and repetitions of a single character or class. An expression matches a value as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LONGEST_PATTERN = 200
MOST_REPETITIONS = 200
DEEPEST_GROUP = 10
# What one filter may cost in all: about a second.
MOST_STEPS = 20_000_000

_CLASSES = frozenset({r"\d", r"\D", r"\w", r"\W", r"\s", r"\S"})
_QUANTIFIER = re.compile(r"[*+?]|\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")

Ways = Callable[[int], int]
"""The length of a value → in how many ways an expression may be tried on it, at most."""


class UnsafePatternError(ValueError):
    """The expression is not one that can be run safely; the text of the error says why."""


@dataclass(frozen=True, slots=True)
class SafePattern:
    """An expression that was understood."""

    _compiled: re.Pattern[str]
    _ways: Ways

    def steps(self, values: Iterable[str]) -> int:
        """What it costs, at most, to match it against values."""
        return sum(self._ways(len(value)) * (len(value) + 1) for value in values)

    def matches(self, value: str) -> bool:
        return self._compiled.fullmatch(value) is not None


def safe_pattern(text: str) -> SafePattern:
    """An expression that is ready to run. Raises `UnsafePatternError` with the reason."""
    if len(text) > LONGEST_PATTERN:
        raise UnsafePatternError(f"it is longer than {LONGEST_PATTERN} characters")
    reader = _Reader(text.removeprefix("^"))
    source, ways = reader.alternatives(0)
    if reader.rest:
        raise UnsafePatternError(f"there is nothing that '{reader.rest[0]}' could close")
    return SafePattern(re.compile(source, re.DOTALL), ways)


class _Reader:
    """Reads an expression and writes it anew, so that nothing reaches Python's engine that was not understood."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def alternatives(self, depth: int) -> tuple[str, Ways]:
        """a|b|c: any of its branches may be tried."""
        if depth > DEEPEST_GROUP:
            raise UnsafePatternError(f"its groups are nested deeper than {DEEPEST_GROUP}")
        branches = [self._sequence(depth)]
        while self._take("|"):
            branches.append(self._sequence(depth))
        all_ways = [ways for _, ways in branches]
        return "|".join(source for source, _ in branches), lambda length: sum(ways(length) for ways in all_ways)

    def _sequence(self, depth: int) -> tuple[str, Ways]:
        source, factors = "", []
        while self.rest and self.rest[0] not in "|)":
            if self.rest == "$":
                self.rest = ""
                break
            part, ways = self._repeated(depth)
            source += part
            factors.append(ways)
        return source, lambda length: _product(ways(length) for ways in factors)

    def _repeated(self, depth: int) -> tuple[str, Ways]:
        is_group = self._take("(")
        source, ways = self._group(depth) if is_group else (self._atom(), _one)
        quantifier = _QUANTIFIER.match(self.rest)
        if quantifier is None:
            return source, ways
        self.rest = self.rest[quantifier.end() :]
        if self.rest[:1] in ("*", "+", "?", "{"):
            raise UnsafePatternError(f"'{quantifier[0]}' is repeated itself")
        if is_group and quantifier[0] != "?":
            raise UnsafePatternError("a group is repeated, which may take for ever")
        fewest, has_range, most = int(quantifier[1] or 0), quantifier[2], int(quantifier[3] or 0)
        if max(fewest, most) > MOST_REPETITIONS:
            raise UnsafePatternError(f"'{quantifier[0]}' repeats more than {MOST_REPETITIONS} times")
        if has_range and quantifier[3] and most < fewest:
            raise UnsafePatternError(f"'{quantifier[0]}' ends before it begins")
        is_fixed = bool(quantifier[1]) and not has_range
        if quantifier[0] == "?":
            return f"{source}?", lambda length: ways(length) + 1
        return source + quantifier[0], _one if is_fixed else lambda length: length + 1

    def _group(self, depth: int) -> tuple[str, Ways]:
        if self.rest.startswith("?") and not self._take("?:"):
            raise UnsafePatternError("a group begins with '(?', of which only '(?:' is understood")
        source, ways = self.alternatives(depth + 1)
        if not self._take(")"):
            raise UnsafePatternError("a group is not closed")
        return f"(?:{source})", ways

    def _atom(self) -> str:
        character, self.rest = self.rest[0], self.rest[1:]
        if character == ".":
            return "."
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character in "*+?{}^$]":
            raise UnsafePatternError(f"'{character}' stands where it means nothing")
        return re.escape(character)

    def _class(self) -> str:
        source = "[^" if self._take("^") else "["
        is_empty = True
        while is_empty or not self._take("]"):  # a "]" right at the beginning stands for itself
            low, is_empty = self._member(), False
            if len(self.rest) > 1 and self.rest[0] == "-" and self.rest[1] != "]":
                self.rest = self.rest[1:]
                high = self._member()
                if low in _CLASSES or high in _CLASSES or low[-1] > high[-1]:
                    raise UnsafePatternError(f"'{low}-{high}' is no range of characters")
                low = f"{low}-{high}"
            source += low
        return f"{source}]"

    def _member(self) -> str:
        if not self.rest:
            raise UnsafePatternError("a class of characters is not closed")
        character, self.rest = self.rest[0], self.rest[1:]
        if character == "[":
            raise UnsafePatternError("a class of characters holds another")
        return self._escape() if character == "\\" else _escaped(character)

    def _escape(self) -> str:
        character, self.rest = self.rest[:1], self.rest[1:]
        if f"\\{character}" in _CLASSES:
            return f"\\{character}"
        if not character or character.isalnum():
            raise UnsafePatternError(f"'\\{character}' is not understood")
        return _escaped(character)

    def _take(self, text: str) -> bool:
        if not self.rest.startswith(text):
            return False
        self.rest = self.rest[len(text) :]
        return True


def _one(_length: int) -> int:
    return 1


def _product(numbers: Iterable[int]) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result


def _escaped(character: str) -> str:
    """A character that stands for itself, inside a class too."""
    return character if character.isalnum() else f"\\{character}"
