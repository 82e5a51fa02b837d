"""A query as a plan: MongoDB filters for one type each, and the joins between them. Plain values, no database.

https://hl7.org/fhir/R4/search.html

A `Selection` says which resources of one type are meant. What another type decides (chains, `_has`) is a `Join`, which holds
selections of its own; whoever runs the plan chooses from which side to go. `Order` says in which order matches come, always
a total one, so that a page can begin behind any match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resources.problem import Problem, problem, quoted
from search.catalogue import STANDARD, Catalogue
from search.context import Context
from search.entry_text import LIVE, Filter, all_of, entry, equal_to
from search.fence import filter_within
from search.kinds import KINDS
from search.query import And, Chain, Criterion, Has, Node, Not, Or, Query, SortKey
from search.query_text import RESULT_PARAMETERS, parse_pairs, parse_query
from search.sort_values import UNINDEXED, sort_field


@dataclass(frozen=True, slots=True)
class Join:
    """A condition that resources of other types decide.

    kind `chain`: a reference under `code` of the resource itself points to a match of one of the selections.
    kind `has`: a match of the (only) selection points to the resource by its reference `code`.
    """

    kind: Literal["chain", "has"]
    code: str
    selections: tuple[Selection, ...]


MOST_LOOKED_UP = 20_000
"""Keys that the conditions of one selection may look for; MongoDB takes no more than 16 MB of them."""

JOIN = "$join"
"""Stands in a filter for a `Join` that must be replaced by ids before MongoDB sees it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Resources of one type: those that a filter selects and that every join allows. The filter may hold joins below `$or`
    and `$nor`, under the name `$join`."""

    type: str
    filter: Filter
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One key of an order.

    field: of the stored document. is_total: no two resources share its value. is_optional: some may have none.
    """

    field: str
    is_descending: bool
    is_total: bool
    is_optional: bool

    @property
    def is_indexed(self) -> bool:
        """Whether an index is kept in its order."""
        return not self.field.startswith(UNINDEXED)


def plan_search(type_name: str, query: Query, context: Context) -> Selection:
    """The plan of a search within one type. Raises a 400 `Problem` for a value that its parameter cannot have."""
    return selection(type_name, query.parts, context)


def selection(type_name: str, nodes: Sequence[Node], context: Context) -> Selection:
    """The live resources of a type for which all nodes hold, of those that may be searched.

    Raises a 403 `Problem` where none of the type may be.
    """
    fence = filter_within(context.fence, type_name, "s")
    filters: list[Filter] = [fence] if fence else []
    joins: list[Join] = []
    _collect(type_name, nodes, context, filters, joins)
    if sum(map(_looked_up, filters)) > MOST_LOOKED_UP:
        raise problem(400, "too-costly", "The query asks for too many codes; name smaller value sets.")
    if not any(_keeps_deleted_out(filter_) for filter_ in filters):
        filters.append(equal_to(LIVE))
    return Selection(type_name, all_of(filters), tuple(joins))


def _collect(type_name: str, nodes: Sequence[Node], context: Context, filters: list[Filter], joins: list[Join]) -> None:
    """Add what the nodes ask for to the filters and joins."""
    for node in nodes:
        if isinstance(node, And):
            _collect(type_name, node.parts, context, filters, joins)
        elif isinstance(node, (Chain, Has)):
            joins.append(_join(node, context))
        else:
            filters.append(_filter(type_name, node, context))


def _looked_up(part: object) -> int:
    """How many keys a filter looks for, all told."""
    if isinstance(part, dict):
        return sum(len(below) if name == "$in" else _looked_up(below) for name, below in part.items())
    return sum(map(_looked_up, part)) if isinstance(part, list) else 0


def _keeps_deleted_out(filter_: Filter) -> bool:
    """Whether a filter selects by something that deleted resources do not have."""
    if "k" in filter_ or "d" in filter_ or "n" in filter_:
        return True
    if "$and" in filter_:
        return any(_keeps_deleted_out(part) for part in filter_["$and"])
    if "$or" in filter_:
        return all(_keeps_deleted_out(part) for part in filter_["$or"])
    return False


def _filter(type_name: str, node: Node, context: Context) -> Filter:
    if isinstance(node, Criterion):
        return _criterion_filter(type_name, node, context)
    if isinstance(node, Not):
        return {"$nor": [_filter(type_name, node.inner, context)]}
    if isinstance(node, And):
        return all_of([_filter(type_name, part, context) for part in node.parts])
    if isinstance(node, Or):
        return {"$or": [_filter(type_name, part, context) for part in node.parts]}
    return {JOIN: _join(node, context)}


def _criterion_filter(type_name: str, criterion: Criterion, context: Context) -> Filter:
    parameter = context.catalogue.parameters_of(type_name)[criterion.code]
    kind = KINDS[parameter.kind]
    if criterion.modifier == "missing":
        has_any = _has_any(criterion.code, kind.field or "k")
        return has_any if criterion.values == ("false",) else {"$nor": [has_any]}
    return kind.filter(parameter, criterion, context)


def _has_any(code: str, field: str) -> Filter:
    """The filter for resources with any value of a parameter: an entry, or a range, whose code it is."""
    if field != "k":
        return {field: {"$elemMatch": {"c": _beginning_with(entry(code, ""))}}}
    # A reference known by its identifier, or a concept with nothing but text, has entries of these kinds only.
    return {"$or": [{"k": {"$elemMatch": _beginning_with(start)}} for start in (entry(code, ""), f"{code}:")]}


def _beginning_with(start: str) -> Filter:
    return {"$gte": start, "$lt": start[:-1] + chr(ord(start[-1]) + 1)}


def _join(node: Chain | Has, context: Context) -> Join:
    if isinstance(node, Has):
        return Join("has", node.code, (selection(node.source, [node.inner], context),))
    found: list[Selection] = []
    refusal: Problem | None = None
    for name, inner in sorted(node.targets.items()):
        try:
            found.append(selection(name, [inner], context))
        except Problem as refused:
            # Of the types that a reference may point to, those that may be searched count.
            if refused.status != 403:
                raise
            refusal = refused
    if refusal is not None and not found:
        raise refusal
    return Join("chain", node.code, tuple(found))


def plan_order(type_name: str, sort: Sequence[SortKey], catalogue: Catalogue = STANDARD) -> tuple[OrderKey, ...]:
    """The keys of the order that a query asks for; by logical id where it asks for none, and always in the end."""
    keys: list[OrderKey] = []
    for sort_key in sort:
        parameter = catalogue.parameters_of(type_name)[sort_key.code]
        kind = parameter.kind
        if kind == "id":
            keys.append(OrderKey("_id", sort_key.is_descending, True, False))
            return tuple(keys)
        if kind == "lastUpdated":
            keys.append(OrderKey("t", sort_key.is_descending, False, False))
        else:
            keys.append(OrderKey(sort_field(parameter, sort_key.is_descending), sort_key.is_descending, True, True))
    # Ties of a single key are broken in its own direction, so that one index serves both directions.
    return (*keys, OrderKey("_id", len(keys) == 1 and keys[0].is_descending, True, False))


def plan_condition(type_name: str, query_string: str, context: Context) -> Selection:
    """The plan of a conditional request's criteria.

    https://hl7.org/fhir/R4/http.html#ccreate
    Raises a 400 `Problem` for unknown parameters, whatever handling the client prefers, for those that only say what the
    answer looks like, and for no criteria at all: otherwise a slip would make the condition true for every resource.
    """
    pairs = parse_pairs(query_string)
    for name, _ in pairs:
        if name.partition(":")[0] in RESULT_PARAMETERS:
            raise problem(400, "not-supported", f"The parameter {quoted(name)} has no meaning in a condition.")
    query = parse_query(pairs, type_name, catalogue=context.catalogue)
    if not query.parts:
        raise problem(400, "invalid", f"The condition {quoted(query_string)} has no search parameter.")
    return selection(type_name, query.parts, context)


def reference_keys(entries: Sequence[str], code: str) -> list[str]:
    """What the index entries of a resource say that it refers to by a parameter: `Patient/1`, ..."""
    start = entry(code, "")
    return [e[len(start) :] for e in entries if e.startswith(start)]
