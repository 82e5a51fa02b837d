"""Regular expressions in linear time, so that no pattern can hang the server.

http://hl7.org/fhirpath/N1/#matchesregex-string-boolean

Python's `re` backtracks: `(a+)+b` takes exponential time. `search` therefore runs all alternatives side by side (a
non-deterministic automaton) and remembers the sets of states that it met. `replace` needs positions and groups, which
`re` has; it takes only patterns whose backtracking is bounded.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

from .errors import FhirPathError
from .regex import Anchor, Char, CharTest, Choice, Regex, Repeat, Sequence, parse_regex

_MOST_STATES = 5000
_MOST_REMEMBERED = 50_000
_MOST_WORK = 5_000_000
_REPLACED_TEXT = 20_000
_GROUP = re.compile(r"\$(\d)")

_States = frozenset[int]


@lru_cache(maxsize=256)
def pattern_of(text: str) -> Pattern:
    """The compiled form of a regular expression. Raises FhirPathError for what is not supported."""
    return Pattern(text)


class Pattern:
    """A regular expression; `.` matches line ends too."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = parse_regex(text)
        # Per state: characters → next state, and the free moves: (next state, None or whether only at the start/end).
        self.chars: list[tuple[CharTest, int] | None] = []
        self.free: list[list[tuple[int, bool | None]]] = []
        start = self._state()
        self.accepting = self._build(self.tree, start)
        self.first = self._closure({start}, at_start=True, at_end=False)
        self.restart = self._closure({start}, at_start=False, at_end=False)
        self.moves: dict[tuple[_States, str], _States] = {}
        self.remembered = 0

    def search(self, text: str) -> bool:
        """Whether the pattern matches some part of the text."""
        states = self.first
        moves = self.moves
        accepting = self.accepting
        work = 0
        for char in text:
            if accepting in states:
                return True
            after = moves.get((states, char))
            if after is None:
                work += len(states)
                if work > _MOST_WORK:
                    raise FhirPathError(f"The pattern {self.text[:80]!r} takes too long on this text")
                after = self._move(states, char)
            states = after
        return accepting in states or accepting in self._closure(set(states), at_start=not text, at_end=True)

    def replace(self, text: str, substitution: str) -> str:
        """The text with every match replaced; `$1` in the substitution stands for a group."""
        if not _is_bounded(self.tree) or len(text) > _REPLACED_TEXT:
            raise FhirPathError(f"The pattern {self.text!r} is too complex to replace with")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                compiled = re.compile(self.text, re.DOTALL | re.ASCII)
            return compiled.sub(_GROUP.sub(r"\\g<\1>", substitution.replace("\\", r"\\")), text)
        except (re.error, IndexError) as error:
            raise FhirPathError(f"The pattern {self.text!r} cannot replace with {substitution!r}: {error}") from error

    def _state(self) -> int:
        if len(self.chars) >= _MOST_STATES:
            raise FhirPathError(f"The pattern {self.text[:80]!r} is too large")
        self.chars.append(None)
        self.free.append([])
        return len(self.chars) - 1

    def _build(self, tree: Regex, start: int) -> int:
        """Add states for `tree` behind `start` and return the one where it has matched."""
        if isinstance(tree, Sequence):
            for part in tree.parts:
                start = self._build(part, start)
            return start
        end = self._state()
        if isinstance(tree, Char):
            entry = self._state()
            self.free[start].append((entry, None))
            self.chars[entry] = (tree.accepts, end)
        elif isinstance(tree, Anchor):
            self.free[start].append((end, tree.at_start))
        elif isinstance(tree, Choice):
            for part in tree.parts:
                entry = self._state()
                self.free[start].append((entry, None))
                self.free[self._build(part, entry)].append((end, None))
        else:
            self._build_repeat(tree, start, end)
        return end

    def _build_repeat(self, tree: Repeat, start: int, end: int) -> None:
        for _ in range(tree.least):
            start = self._build(tree.part, start)
        if tree.most is None:
            loop = self._state()
            self.free[start].append((loop, None))
            self.free[self._build(tree.part, loop)].append((loop, None))
            start = loop
        else:
            for _ in range(tree.most - tree.least):
                self.free[start].append((end, None))
                start = self._build(tree.part, start)
        self.free[start].append((end, None))

    def _closure(self, states: set[int], *, at_start: bool, at_end: bool) -> _States:
        waiting = list(states)
        while waiting:
            for state, anchor in self.free[waiting.pop()]:
                allowed = anchor is None or (at_start if anchor else at_end)
                if allowed and state not in states:
                    states.add(state)
                    waiting.append(state)
        return frozenset(states)

    def _move(self, states: _States, char: str) -> _States:
        after: set[int] = set()
        for state in states:
            move = self.chars[state]
            if move is not None and move[0](char):
                after.add(move[1])
        found = self._closure(after, at_start=False, at_end=False) | self.restart
        self.remembered += len(found)
        if self.remembered > _MOST_REMEMBERED:
            self.moves.clear()
            self.remembered = 0
        self.moves[states, char] = found
        return found


def _is_bounded(tree: Regex) -> bool:
    """Whether backtracking stays at most quadratic: one open repetition of a single character, few alternatives."""
    repeats, options = _freedom(tree)
    return repeats <= 1 and options <= 8


def _freedom(tree: Regex) -> tuple[int, int]:
    if isinstance(tree, Sequence | Choice):
        counts = [_freedom(part) for part in tree.parts]
        more = len(tree.parts) - 1 if isinstance(tree, Choice) else 0
        return sum(c[0] for c in counts), sum(c[1] for c in counts) + more
    if isinstance(tree, Repeat):
        repeats, options = _freedom(tree.part)
        if (repeats, options) != (0, 0) and tree.most != 1:
            return 99, 99
        return (repeats, options + 1) if tree.most == 1 else (repeats + (tree.least != tree.most), options)
    return 0, 0
