"""A search as values: what is asked of which parameter, across which references, and how the result is wanted.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Total = Literal["none", "estimate", "accurate"]
Contained = Literal["true", "false", "both"]
ContainedType = Literal["container", "contained"]
Summary = Literal["true", "text", "data", "count", "false"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One searched parameter: its code, a modifier or None, and the values of which any may match.

    The values are still escaped, as they stand in the query; see `escaping.split_value`.
    """

    code: str
    modifier: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A criterion on what a reference points to, `subject:Patient.name=smith`: target type → what must hold there."""

    code: str
    targets: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Has:
    """A criterion on what points here, `_has:Observation:patient:code=1234-5`.

    source: the type that points here; code: of its reference parameter; inner: what must hold for it.
    """

    source: str
    code: str
    inner: Node


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    inner: Node


Node = Criterion | Chain | Has | And | Or | Not


@dataclass(frozen=True, slots=True)
class SortKey:
    """One rule of `_sort`: a parameter's code, and whether the highest value comes first."""

    code: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class IncludeRule:
    """`_include` or `_revinclude`: from `source` along its reference parameter, to `target` (None: any type).

    `*` stands for any source or parameter. is_reverse: for `_revinclude`. iterates: applied to included resources as well.
    """

    source: str
    code: str
    target: str | None
    is_reverse: bool
    iterates: bool


@dataclass(slots=True)
class Query:
    """A parsed search.

    used: the parameters as (name, value) that were understood, in their order, for the self link. parts: what must all hold;
    empty for everything. count: matches a page. cursor: where the page begins. elements: top-level elements that are wanted,
    empty for all. explains: asked is how it is carried out, not what it finds. contained: whether to look for contained
    resources, for others, or for both; contained_type: what is answered for the contained ones. unknown: names of parameters
    that were left out because handling is lenient.
    """

    used: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Node] = field(default_factory=list)
    sort: tuple[SortKey, ...] = ()
    includes: list[IncludeRule] = field(default_factory=list)
    count: int = 50
    total: Total = "none"
    summary: Summary = "false"
    elements: frozenset[str] = frozenset()
    cursor: str | None = None
    explains: bool = False
    contained: Contained = "false"
    contained_type: ContainedType = "container"
    unknown: list[str] = field(default_factory=list)

    @property
    def wants_count_only(self) -> bool:
        return self.summary == "count" or self.count == 0
