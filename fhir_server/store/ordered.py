"""Documents of a type in a given total order, from any position on.

https://hl7.org/fhir/R4/search.html#sort

Missing values come last, whichever the direction. Where one sort value decides (it carries its resource's id, so no two are
alike) an index yields the order: first those with a value, then those without, by id. Several keys are sorted by MongoDB in
memory, of which it keeps no more than a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fhir_server.store.reader import Reader
from search.entry_text import Filter, all_of
from search.plan import OrderKey
from search.sort_values import SEPARATOR

MOST_SORTED = 1_001


def ordered(
    reader: Reader,
    type_name: str,
    filter_: Filter,
    order: Sequence[OrderKey],
    after: Sequence[Any] | None,
    fields: dict[str, int],
    limit: int | None,
    index: str | None = None,
) -> Iterator[dict[str, Any]]:
    """The documents that a filter selects, with the given fields and those of the order.

    order: its keys; none where any order will do. after: the position of a document (see `position_of`), behind which to
    begin. limit: at least so many are read, if there are; None for all. index: the one to use where the order is a single
    key; None where MongoDB is to choose.
    """
    wanted = {**fields, **{key.field: 1 for key in order if key.field != "_id"}}
    if len(order) < 2 or _is_by_time(order):
        yield from _by_index(reader, type_name, filter_, order, after, wanted, limit, index)
    elif order[0].is_optional and len(order) == 2 and order[0].is_descending == order[1].is_descending:
        yield from _by_sort_value(reader, type_name, filter_, order[0], after, wanted, limit)
    else:
        yield from _in_memory(reader, type_name, filter_, order, after, wanted)


def _is_by_time(order: Sequence[OrderKey]) -> bool:
    """Whether the index of changes has the order; it can be read in either direction, but only as a whole."""
    return order[0].field == "t" and len(order) == 2 and order[0].is_descending == order[1].is_descending


def is_read_in_order(order: Sequence[OrderKey]) -> bool:
    """Whether an index yields the order, so that the first matches are found without looking at all of them."""
    if len(order) == 1 or _is_by_time(order):
        return True
    return len(order) == 2 and order[0].is_indexed and order[0].is_descending == order[1].is_descending


def position_of(document: dict[str, Any], order: Sequence[OrderKey]) -> list[Any]:
    """Where a document stands in an order: the value of each key, None where it has none."""
    return [_value(document, key) for key in order]


def _value(document: dict[str, Any], key: OrderKey) -> Any:
    value: Any = document
    for part in key.field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _by_index(
    reader: Reader,
    type_name: str,
    filter_: Filter,
    order: Sequence[OrderKey],
    after: Sequence[Any] | None,
    fields: dict[str, int],
    limit: int | None,
    index: str | None,
) -> Iterator[dict[str, Any]]:
    sort = [(key.field, -1 if key.is_descending else 1) for key in order]
    if after is not None:
        filter_ = all_of([filter_, _behind(sort, after)])
    return reader.find(type_name, filter_, fields, sort, limit=limit, index=index)


def _behind(sort: list[tuple[str, int]], after: Sequence[Any]) -> Filter:
    """The filter for what stands behind a position in an order of keys that are never missing."""
    (field, direction), *rest = sort
    further = {field: {"$gt" if direction > 0 else "$lt": after[0]}}
    if not rest:
        return further
    return {"$or": [further, {field: after[0], **_behind(rest, after[1:])}]}


def _by_sort_value(
    reader: Reader,
    type_name: str,
    filter_: Filter,
    key: OrderKey,
    after: Sequence[Any] | None,
    fields: dict[str, int],
    limit: int | None,
) -> Iterator[dict[str, Any]]:
    direction = -1 if key.is_descending else 1
    if after is None or after[0] is not None:
        bound: Filter = {"$gt": "" if after is None else after[0]}
        if key.is_descending:
            bound = {"$gt": ""} if after is None else {"$lt": after[0]}
        present = all_of([filter_, {key.field: bound}])
        yield from reader.find(type_name, present, fields, [(key.field, direction)], limit=limit)
    missing: list[Filter] = [filter_, {key.field: {"$exists": False}}]
    if after is not None and after[0] is None:
        missing.append({"_id": {"$lt" if key.is_descending else "$gt": after[1]}})
    yield from reader.find(type_name, all_of(missing), fields, [("_id", direction)], limit=limit)


def _in_memory(
    reader: Reader,
    type_name: str,
    filter_: Filter,
    order: Sequence[OrderKey],
    after: Sequence[Any] | None,
    fields: dict[str, int],
) -> Iterator[dict[str, Any]]:
    """Sort by several keys: for each, first whether it is missing, then its value without the id behind it."""
    while True:
        found = list(_sorted_page(reader, type_name, filter_, order, after, fields))
        yield from found
        if len(found) < MOST_SORTED:
            return
        after = position_of(found[-1], order)


def _sorted_page(
    reader: Reader,
    type_name: str,
    filter_: Filter,
    order: Sequence[OrderKey],
    after: Sequence[Any] | None,
    fields: dict[str, int],
) -> Iterator[dict[str, Any]]:
    computed: dict[str, Any] = {}
    position: list[tuple[str, int, Any]] = []
    for number, key in enumerate(order):
        direction = -1 if key.is_descending else 1
        value, at = f"o{number}", None if after is None else after[number]
        if not key.is_optional:
            computed[value] = f"${key.field}"
            position.append((value, direction, at))
            continue
        missing = f"m{number}"
        computed[missing] = {"$cond": [{"$ifNull": [f"${key.field}", False]}, 0, 1]}
        computed[value] = {"$arrayElemAt": [{"$split": [{"$ifNull": [f"${key.field}", ""]}, SEPARATOR]}, 0]}
        position.append((missing, 1, 1 if at is None else 0))
        position.append((value, direction, "" if at is None else at.split(SEPARATOR)[0]))
    stages: list[dict[str, Any]] = [{"$match": filter_}, {"$set": computed}]
    if after is not None:
        stages.append({"$match": _behind([(v, d) for v, d, _ in position], [at for _, _, at in position])})
    # With the limit, MongoDB keeps no more than so many while it sorts.
    stages += [{"$sort": {value: direction for value, direction, _ in position}}, {"$limit": MOST_SORTED}]
    stages.append({"$project": fields})
    yield from reader.aggregate(type_name, stages)
