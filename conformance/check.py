"""A check: one thing that a server must do, and the function that finds out. Checks and results are plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from conformance.http_log import Exchange
from conformance.statement import Claim

Outcome = Literal["pass", "fail", "skip", "error"]
"""error: the check itself broke, so nothing is known of the server."""


class Failure(Exception):
    """What the server did wrong, as a sentence."""


class Skip(Exception):
    """Why a check does not apply to this server or cannot be made with this configuration, as a sentence."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    id: unique, and stable from run to run. group: what it is reported under. sentence: what holds where it passes. clause:
    the address of what asks for it. run: takes the context that its group works with; raises Failure or Skip.
    claims: what the server's CapabilityStatement must say for the check to apply, all of them. None for what
    every server must do.
    """

    id: str
    group: str
    sentence: str
    clause: str
    run: Callable[[Any], None]
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found.

    reason: why it failed or was skipped; empty for a pass. notes: what is allowed but not advised. exchanges: the requests
    that it made, with secrets masked. seconds: how long it took. could_claim: the server did it, though its
    CapabilityStatement does not say so; the outcome is a skip.
    """

    check: Check
    outcome: Outcome
    reason: str = ""
    notes: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    seconds: float = 0.0
    could_claim: bool = False


@dataclass(slots=True)
class Checks:
    """The checks of a group, in the order in which they were added by `@checks(id, sentence, clause, claim, ...)`."""

    group: str
    all: list[Check] = field(default_factory=list)

    def __call__(
        self, id: str, sentence: str, clause: str, *claims: Claim
    ) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        """A decorator that makes a check of a function."""

        def add(run: Callable[[Any], None]) -> Callable[[Any], None]:
            self.all.append(Check(id, self.group, sentence, clause, run, claims))
            return run

        return add

    def __iter__(self) -> Iterator[Check]:
        return iter(self.all)


def expect(condition: object, sentence: str) -> None:
    """Raise a Failure with the sentence unless the condition holds."""
    if not condition:
        raise Failure(sentence)


def fail(sentence: str) -> NoReturn:
    """Raise a Failure."""
    raise Failure(sentence)
