"""Reads regular expressions: the part of PCRE without look-around, back-references and flags.

http://hl7.org/fhirpath/N1/#matchesregex-string-boolean
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import FhirPathError

CharTest = Callable[[str], bool]
_DEEPEST = 40
_LONGEST = 4000
_MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Char:
    """One character that the test accepts."""

    accepts: CharTest


@dataclass(frozen=True, slots=True)
class Anchor:
    """`^` or `$`: the start or the end of the whole text."""

    at_start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the parts."""

    parts: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The part, `least` to `most` times; `most` None for no limit."""

    part: Regex
    least: int
    most: int | None


Regex = Char | Anchor | Sequence | Choice | Repeat

_CLASSES: dict[str, CharTest] = {
    "d": lambda c: "0" <= c <= "9",
    "w": lambda c: c == "_" or (c.isascii() and c.isalnum()),
    "s": lambda c: c in " \t\n\r\f\v",
}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}


def parse_regex(pattern: str) -> Regex:
    """The syntax tree of a pattern. Raises FhirPathError for what this engine does not take."""
    if len(pattern) > _LONGEST:
        raise FhirPathError(f"The pattern is longer than {_LONGEST} characters")
    reader = _Reader(pattern)
    tree = reader.choice(0)
    if reader.at < len(pattern):
        raise reader.error("Unexpected )")
    return tree


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def error(self, message: str) -> FhirPathError:
        return FhirPathError(f"{message} at position {self.at} of the pattern {self.pattern!r}")

    def peek(self) -> str:
        return self.pattern[self.at] if self.at < len(self.pattern) else ""

    def next(self) -> str:
        char = self.peek()
        if not char:
            raise self.error("The pattern ends too early")
        self.at += 1
        return char

    def choice(self, depth: int) -> Regex:
        if depth > _DEEPEST:
            raise self.error("Groups nest too deep")
        parts = [self.sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence(depth))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self, depth: int) -> Regex:
        parts: list[Regex] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom(depth)))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self, part: Regex) -> Regex:
        while True:
            bounds = self.bounds()
            if bounds is None:
                return part
            if self.peek() and self.peek() in "?+":
                self.at += 1  # lazy or possessive: the same texts match
            part = Repeat(part, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        char = self.peek()
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if char in simple:
            self.at += 1
            return simple[char]
        if char != "{":
            return None
        end = self.pattern.find("}", self.at)
        least, comma, most = self.pattern[self.at + 1 : end].partition(",")
        if end < 0 or not least.isdecimal() or (most and not most.isdecimal()):
            return None
        self.at = end + 1
        low = int(least)
        high = low if not comma else int(most) if most else None
        if max(low, high or 0) > _MOST_COUNTED or (high is not None and high < low):
            raise self.error("The repetition is out of range")
        return low, high

    def atom(self, depth: int) -> Regex:
        char = self.next()
        if char == "(":
            if self.peek() == "?":
                if not self.pattern.startswith("?:", self.at):
                    raise self.error("Only plain and (?:) groups are supported")
                self.at += 2
            tree = self.choice(depth + 1)
            if self.next() != ")":
                raise self.error("Expected )")
            return tree
        if char == ".":
            return Char(lambda _c: True)
        if char in "^$":
            return Anchor(char == "^")
        if char == "[":
            return Char(self.char_class())
        if char == "\\":
            return Char(self.escape())
        if char in "*+?":
            raise self.error("Nothing to repeat")
        return Char(char.__eq__)

    def escape(self) -> CharTest:
        char = self.next()
        if char.lower() in _CLASSES:
            test = _CLASSES[char.lower()]
            return test if char.islower() else lambda c: not test(c)
        return self.escaped_char(char).__eq__

    def escaped_char(self, char: str) -> str:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in "ux":
            size = 4 if char == "u" else 2
            digits = self.pattern[self.at : self.at + size]
            self.at += size
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise self.error(f"Expected {size} hexadecimal digits") from None
        if char.isalnum():
            raise self.error(f"\\{char} is not supported")
        return char

    def char_class(self) -> CharTest:
        negated = self.peek() == "^"
        self.at += negated
        tests: list[CharTest] = []
        singles: set[str] = set()
        first = True
        while first or self.peek() != "]":
            first = False
            char = self.next()
            if char == "\\":
                escaped = self.next()
                if escaped.lower() in _CLASSES:
                    self.at -= 1
                    tests.append(self.escape())
                    continue
                char = self.escaped_char(escaped)
            if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                last = self.next()
                if last == "\\":
                    last = self.escaped_char(self.next())
                tests.append(_between(char, last))
            else:
                singles.add(char)
        self.at += 1
        members = frozenset(singles)
        return lambda c: (c in members or any(test(c) for test in tests)) != negated


def _between(low: str, high: str) -> CharTest:
    return lambda c: low <= c <= high
