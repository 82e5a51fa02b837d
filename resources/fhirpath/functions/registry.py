"""The table of functions and how each takes its arguments.

http://hl7.org/fhirpath/N1/#functions
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ..nodes import Items
from ..scope import Scope
from ..values import truth

Evaluate = Callable[[Scope, Items], Items]
Truth = Callable[[Scope, Items], bool | None]
Form = Literal["plain", "lazy"]
_Run = TypeVar("_Run", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression as closures over (scope, focus).

    items: its collection. truth: the same read as a boolean, None where empty.
    path: the member names where it is a plain path from the focus. ascending: the operand of a leading minus, which
    `sort` reads as "descending".
    """

    items: Evaluate
    truth: Truth
    path: tuple[str, ...] | None = None
    ascending: Compiled | None = None


def of_items(items: Evaluate) -> Compiled:
    """Both forms from the collection."""
    return Compiled(items, lambda scope, focus: truth(items(scope, focus)))


def of_truth(holds: Truth) -> Compiled:
    """Both forms from the boolean."""

    def items(scope: Scope, focus: Items) -> Items:
        value = holds(scope, focus)
        return [] if value is None else [value]

    return Compiled(items, holds)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    plain: `run(scope, focus, *collections)`. lazy: `run(scope, focus, *Compiled)`, evaluating them as it sees fit.
    gives_truth: `run` gives True, False or None instead of a collection.
    """

    run: Callable[..., Any]
    least: int
    most: int
    form: Form
    gives_truth: bool


FUNCTIONS: dict[str, Function] = {}


def function(
    name: str, least: int = 0, most: int | None = None, *, form: Form = "plain", truth: bool = False
) -> Callable[[_Run], _Run]:
    """Register a function that takes `least` to `most` arguments (`least` exactly where `most` is left out)."""

    def register(run: _Run) -> _Run:
        FUNCTIONS[name] = Function(run, least, least if most is None else most, form, truth)
        return run

    return register
