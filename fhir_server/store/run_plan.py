"""Running a plan against MongoDB: matches in order, joins from whichever side is the smaller.

A join that few resources decide is turned into their ids and becomes part of the filter. One that many decide is checked the
other way round: matches of the rest are read in batches, in order, and each batch is asked which of its members the join
allows, until the page is full. Neither ever holds more than a batch, and what a search may read in all is limited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from fhir_server.store.database import ID_INDEX, SORT_INDEX, Database
from fhir_server.store.ordered import is_read_in_order, ordered, position_of
from fhir_server.store.reader import Read, Reader
from fhir_server.store.reads import FIELDS, stored_from
from resources.change import Stored
from resources.problem import problem
from search.contained import containing
from search.entry_text import Filter, all_of, any_of, entry, equal_to
from search.parameters import standard_parameters_of
from search.plan import JOIN, Join, OrderKey, Selection, reference_keys


@dataclass(frozen=True, slots=True)
class Limits:
    """What one search may cost, and where it changes from one way of joining to the other.

    few: up to so many resources, a join becomes a list of ids in the filter. many: a join below `or` or `not` has no other
    way, so more are borne there. batch: documents that are asked at once whether a join allows them. most_examined:
    documents that a search may read. milliseconds: that it may take.
    """

    few: int = 200
    many: int = 5_000
    batch: int = 200
    most_examined: int = 100_000
    milliseconds: int = 14_000  # below the driver's own limit, so that MongoDB is the one that gives up


DEFAULT_LIMITS = Limits()
NOTHING: Filter = {"k": {"$in": []}}
BY_ID = (OrderKey("_id", False, True, False),)


@dataclass(frozen=True, slots=True)
class Match:
    """A match, where it stands in the order, and its index entries where they were asked for."""

    stored: Stored
    position: list[Any]
    entries: Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """The matches of one page, and whether more follow."""

    matches: list[Match]
    has_more: bool


class Runner:
    """Runs the plans of one request, and counts what they read."""

    def __init__(self, database: Database, limits: Limits = DEFAULT_LIMITS, notes: list[Read] | None = None) -> None:
        self.reader = Reader(database, limits.milliseconds, notes)
        self._limits = limits
        self.examined = 0
        self._has_contained: dict[str, bool] = {}

    def page(
        self,
        selection: Selection,
        limit: int,
        order: Sequence[OrderKey] = BY_ID,
        after: Sequence[Any] | None = None,
        with_entries: bool = False,
        order_decides: bool = False,
    ) -> Page:
        """The matches from a position on, in order. Raises a 400 `Problem` (`too-costly`) where they cost too much.

        order_decides: whether the index of the sort values is the one to use, and no other needs to be tried.
        """
        fields = {**FIELDS, "k": 1} if with_entries else dict(FIELDS)
        index = SORT_INDEX if order_decides else None
        found = list(islice(self._stream(selection, order, after, fields, limit + 1, index), limit + 1))
        matches = [
            Match(stored_from(selection.type, document), position_of(document, order), document.get("k", ()))
            for document in found[:limit]
        ]
        return Page(matches, has_more=len(found) > limit)

    def ids(self, selection: Selection, limit: int) -> list[str]:
        """The logical ids of the first matches."""
        return [document["_id"] for document in islice(self._stream(selection, BY_ID, None, {"_id": 1}, limit), limit)]

    def count(self, selection: Selection) -> int:
        """The number of matches."""
        selection = self._with_few_joined(selection)
        if not selection.joins:
            stages: list[dict[str, Any]] = [{"$match": selection.filter}, {"$count": "n"}]
            return next((int(document["n"]) for document in self.reader.aggregate(selection.type, stages)), 0)
        return sum(1 for _ in self._stream(selection, BY_ID, None, {"_id": 1}, None))

    def _stream(
        self,
        selection: Selection,
        order: Sequence[OrderKey],
        after: Sequence[Any] | None,
        fields: dict[str, int],
        limit: int | None,
        index: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The matches in order. limit: so many at the least, if there are; None for all. index: the one to use, if any."""
        selection = self._with_few_joined(selection)
        if selection.joins:
            fields, order = {**fields, "k": 1}, order or BY_ID  # each batch goes on where the last one ended

        def read(after: Sequence[Any] | None, most: int | None) -> Iterator[dict[str, Any]]:
            found = ordered(self.reader, selection.type, selection.filter, order, after, fields, most, index)
            return self._counted(found)

        if not selection.joins:
            yield from read(after, limit)
            return
        whole = None if is_read_in_order(order) else read(after, None)  # sorted once, however many batches it takes
        asked = allowed = 0
        size = most = self._limits.batch
        if limit is not None and whole is None:
            size = min(most, limit)
        while batch := list(islice(whole or read(after, size), size)):
            asked += len(batch)
            is_last, after = len(batch) < size, position_of(batch[-1], order)
            for join in selection.joins:
                batch = self._allowed(selection.type, join, batch)
            allowed += len(batch)
            yield from batch
            if is_last:
                return
            if limit is not None:
                # As many more as will hold what is wanted, if the join goes on to allow as many of them.
                size = min(most, max(size, (limit - allowed) * asked // max(allowed, 1) + 1))

    def _counted(self, documents: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for document in documents:
            self.examined += 1
            if self.examined > self._limits.most_examined:
                raise too_costly(self._limits.most_examined)
            yield document

    def _with_few_joined(self, selection: Selection) -> Selection:
        """The selection with those joins that few resources decide turned into filters, and none left below `or`."""
        filters = [self._without_joins(selection.type, selection.filter)]
        left: list[Join] = []
        for join in selection.joins:
            as_filter = self._as_filter(selection.type, join, self._limits.few)
            if as_filter is None:
                left.append(join)
            else:
                filters.append(as_filter)
        return replace(selection, filter=all_of(filters), joins=tuple(left))

    def _without_joins(self, type_name: str, filter_: Filter) -> Filter:
        if JOIN in filter_:
            as_filter = self._as_filter(type_name, filter_[JOIN], self._limits.many)
            if as_filter is None:
                raise too_costly(self._limits.many)
            return as_filter
        return {
            name: [self._without_joins(type_name, part) for part in condition]
            if name in ("$and", "$or", "$nor")
            else condition
            for name, condition in filter_.items()
        }

    def _as_filter(self, type_name: str, join: Join, most: int) -> Filter | None:
        """The join as a filter on ids; None where more than `most` resources decide it."""
        names: set[str] = set()
        if join.kind == "has":
            source = join.selections[0]
            for number, document in enumerate(self._stream(source, (), None, {"_id": 1, "k": 1}, most + 1)):
                if number == most:
                    return None
                names.update(reference_keys(document["k"], join.code))
            return _named(type_name, names)
        number = 0
        for target in join.selections:
            for document in self._stream(target, (), None, _fields_of_names(target.type), most + 1):
                if number == most:
                    return None
                number += 1
                names.update(_names_of(target.type, document))
        by_name = equal_to(*(entry(join.code, name) for name in names)) if names else NOTHING
        contained = self._contained(type_name, join)
        return any_of([by_name, *contained]) if contained else by_name

    def _contained(self, type_name: str, join: Join) -> list[Filter]:
        """The filters for resources that point along a chain to a match which they contain themselves."""
        if type_name not in self._has_contained:
            self._has_contained[type_name] = self.reader.has_contained(type_name)
        if not self._has_contained[type_name]:
            return []
        return [
            containing(target.type, target.filter, join.code)
            for target in join.selections
            if not target.joins and JOIN not in repr(target.filter)
        ]

    def _allowed(self, type_name: str, join: Join, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of a batch that a join allows."""
        if not batch:
            return batch
        allowed: set[str] = set()
        if join.kind == "has":
            source = join.selections[0]
            names = {name for document in batch for name in _names_of(type_name, document)}
            pointing = equal_to(*(entry(join.code, name) for name in names))
            restricted = replace(source, filter=all_of([pointing, source.filter]))
            for document in self._stream(restricted, (), None, {"_id": 1, "k": 1}, None):
                allowed.update(reference_keys(document["k"], join.code))
            return [document for document in batch if not allowed.isdisjoint(_names_of(type_name, document))]
        targets = {document["_id"]: reference_keys(document["k"], join.code) for document in batch}
        names = {name for keys in targets.values() for name in keys}
        for target in join.selections:
            restricted = replace(target, filter=all_of([_named(target.type, names), target.filter]))
            fields = _fields_of_names(target.type)
            for document in self._stream(restricted, (), None, fields, None, _index_for(restricted)):
                allowed.update(_names_of(target.type, document))
        own: set[str] = set()
        for contained in self._contained(type_name, join):
            among = all_of([{"_id": {"$in": sorted(targets)}}, contained])
            own.update(document["_id"] for document in self.reader.find(type_name, among, {"_id": 1}, [("_id", 1)]))
        return [d for d in batch if d["_id"] in own or not allowed.isdisjoint(targets[d["_id"]])]


def _names_of(type_name: str, document: dict[str, Any]) -> list[str]:
    """What references call a resource: its type and id, and, in a canonical, its `url`."""
    return [f"{type_name}/{document['_id']}", *reference_keys(document.get("k", ()), "url")]


def _index_for(restricted: Selection) -> str | None:
    """The index of ids, where the filter names them first: there are few."""
    return ID_INDEX if "_id" in restricted.filter or "_id" in restricted.filter.get("$and", [{}])[0] else None


def _fields_of_names(type_name: str) -> dict[str, int]:
    """The fields that `_names_of` needs. An index alone yields the id, without a look at the document."""
    return {"_id": 1, "k": 1} if "url" in standard_parameters_of(type_name) else {"_id": 1}


def _named(type_name: str, names: Iterable[str]) -> Filter:
    """The filter for resources of a type that references name, in whichever way."""
    start = f"{type_name}/"
    by_id: Filter = {"_id": {"$in": sorted(name[len(start) :] for name in names if name.startswith(start))}}
    urls = [name for name in names if ":" in name]
    if not urls or "url" not in standard_parameters_of(type_name):
        return by_id
    return {"$or": [by_id, equal_to(*(entry("url", url) for url in urls))]}


def too_costly(most: int) -> Exception:
    return problem(
        400,
        "too-costly",
        f"This search would read more than {most:,} resources; add a parameter that selects fewer, a patient or a date.",
    )
