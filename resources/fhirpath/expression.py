"""A compiled expression and its evaluations.

http://hl7.org/fhirpath/N1/ and https://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import DecimalException
from functools import lru_cache
from typing import Any

from .compiler import compile_syntax
from .errors import FhirPathError, FhirPathSyntaxError
from .functions import Compiled
from .nodes import Items, Node
from .parser import parse
from .quantity import Quantity
from .scope import Budget, CodesOf, Resolve, Run, Scope, items_of
from .temporal import Temporal
from .values import UCUM, system_type


class Expression:
    """An expression compiled by `compile`; it holds no data of an evaluation and may be shared between threads."""

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str, compiled: Compiled) -> None:
        self.text = text
        self._compiled = compiled

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(
        self,
        focus: Any,
        *,
        type_name: str | None = None,
        resource: Any = None,
        root_resource: Any = None,
        resolve: Resolve | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> list[Any]:
        """The result as plain values: JSON values, texts for dates and times, JSON Quantities for quantities.

        focus: a JSON value, a Node, or a list of them. type_name: the FHIR type of the focus; a resource tells its own.
        resource, root_resource: `%resource` (else the focus, where it is a resource) and `%rootResource` (else
        `%resource`). resolve: finds the resource of a reference text, or None. variables: further `%name`s; `now`, a
        datetime with time zone, sets the clock. Raises FhirPathError.
        """
        scope = _scope(focus, type_name, resource, root_resource, resolve, variables)
        return [plain for plain in map(_plain, self._run(scope)) if plain is not None]

    def nodes(
        self,
        focus: Any,
        *,
        type_name: str | None = None,
        resource: Any = None,
        root_resource: Any = None,
        resolve: Resolve | None = None,
        variables: Mapping[str, Any] | None = None,
        budget: Budget | None = None,
    ) -> list[Node]:
        """The result as Nodes, which know their type; computed values get a `System.` type.

        budget: shared with other evaluations; by default each has its own. Arguments: `evaluate`.
        """
        scope = _scope(focus, type_name, resource, root_resource, resolve, variables, budget=budget)
        return [
            item if item.__class__ is Node else Node(_plain(item), f"System.{system_type(item)}")
            for item in self._run(scope)
        ]

    def holds(
        self,
        focus: Any,
        *,
        type_name: str | None = None,
        resource: Any = None,
        root_resource: Any = None,
        resolve: Resolve | None = None,
        variables: Mapping[str, Any] | None = None,
        codes_of: CodesOf | None = None,
    ) -> bool:
        """The result as an invariant reads it: an empty one does not hold, a single non-boolean item does.

        codes_of: the value sets that memberOf() knows, instead of R4's own. Arguments: `evaluate`.
        """
        scope = _scope(focus, type_name, resource, root_resource, resolve, variables, codes_of)
        try:
            return bool(self._compiled.truth(scope, scope.this))
        except (RecursionError, DecimalException, OverflowError) as error:
            raise FhirPathError(f"{self.text[:200]} cannot be computed: {error}") from error

    def _run(self, scope: Scope) -> Items:
        try:
            return self._compiled.items(scope, scope.this)
        except (RecursionError, DecimalException, OverflowError) as error:
            raise FhirPathError(f"{self.text[:200]} cannot be computed: {error}") from error


def compile(expression: str) -> Expression:
    """The compiled form of an expression, remembered by its text. Raises FhirPathSyntaxError."""
    # A very long text comes from no definition; remembering many of them would only fill the memory.
    return _remembered(expression) if len(expression) <= _LONGEST_REMEMBERED else _compiled(expression)


def _compiled(expression: str) -> Expression:
    try:
        return Expression(expression, compile_syntax(parse(expression), expression))
    except RecursionError:
        raise FhirPathSyntaxError("The expression nests too deep", expression[:200], 0) from None


_LONGEST_REMEMBERED = 4000
_remembered = lru_cache(maxsize=4096)(_compiled)


def _scope(
    focus: Any,
    type_name: str | None,
    resource: Any,
    root_resource: Any,
    resolve: Resolve | None,
    variables: Mapping[str, Any] | None,
    codes_of: CodesOf | None = None,
    budget: Budget | None = None,
) -> Scope:
    this = items_of(focus, type_name)
    return Scope(this, Run(this, resource, root_resource, resolve, variables, codes_of, budget))


def _plain(item: Any) -> Any:
    if item.__class__ is Node:
        return item.value
    if item.__class__ is Temporal:
        return str(item)
    if item.__class__ is Quantity:
        if item.calendar:
            return {"value": item.value, "unit": item.unit}
        return {"value": item.value, "unit": item.unit, "system": UCUM, "code": item.unit}
    return item
