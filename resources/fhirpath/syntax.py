"""The syntax tree of a FHIRPath expression.

http://hl7.org/fhirpath/N1/#formal-specifications
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; `items` is the collection it stands for (empty for `{}`)."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A member name; `leads` where nothing stands to the left of it, so that it may also name the type of the focus."""

    name: str
    leads: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function call on the focus."""

    name: str
    arguments: tuple[Syntax, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Step:
    """`target.then`: `then` is a Name or a Call."""

    target: Syntax
    then: Syntax


@dataclass(frozen=True, slots=True)
class Index:
    """`target[index]`."""

    target: Syntax
    index: Syntax


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index` or `$total`; `name` is without the dollar."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """`%name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Polarity:
    """Unary plus or minus."""

    operator: str
    operand: Syntax


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operator between two expressions."""

    operator: str
    left: Syntax
    right: Syntax


@dataclass(frozen=True, slots=True)
class TypeOperation:
    """`operand is T` or `operand as T`; `specifier` may be qualified (`System.Boolean`)."""

    operator: str
    operand: Syntax
    specifier: str
    position: int


Syntax = Literal | Name | Call | Step | Index | Special | Constant | Polarity | Operation | TypeOperation
