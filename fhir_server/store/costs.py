"""What a search would cost, asked before it runs: one that has to read too many resources is refused with a hint.

Most searches are known to be cheap at a glance: their type is small, or one of their conditions selects few. What is left,
conditions each of which selects many, is tried on as many resources as may be read: if they do not hold a page, the
search would have to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any

from fhir_server.store.ordered import is_read_in_order
from fhir_server.store.reader import Reader
from resources.problem import problem
from search.entry_text import LIVE, Filter
from search.plan import OrderKey, Selection

REMEMBERED_SECONDS = 30
MOST_REMEMBERED = 2_000


class Costs:
    """Keeps searches from reading more than so many resources; one per process.

    most: resources that a search may read; 0 for no limit. What it learns about sizes it remembers for half a minute.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._remembered: dict[tuple[str, str], tuple[float, bool]] = {}
        self._writing = Lock()

    def check_page(self, reader: Reader, selection: Selection, order: Sequence[OrderKey], count: int) -> None:
        """Raise a 400 `Problem` (`too-costly`) where the first page of a search would need too many resources to be read.

        What joins read is limited while they run, so only what MongoDB does by itself is looked at here.
        """
        is_alone = is_read_in_order(order) and len(list(_conditions(selection.filter))) < 2
        # What a single condition selects is read in order, and none of it in vain.
        if is_alone or self._is_cheap(reader, selection):
            return
        if not is_read_in_order(order) or not self._holds_page(reader, selection, order, count):
            raise self._too_costly()

    def check_count(self, reader: Reader, selection: Selection) -> None:
        """Raise a 400 `Problem` (`too-costly`) where counting the matches would need too many resources to be read."""
        conditions = list(_conditions(selection.filter))
        if len(conditions) > 1 and not self._is_cheap(reader, selection):
            raise self._too_costly()

    def _is_cheap(self, reader: Reader, selection: Selection) -> bool:
        if not self.most or selection.joins or not self._is_large(reader, selection.type):
            return True
        return any(
            self._selects_few(reader, selection.type, condition)
            for condition in _conditions(selection.filter)
            if _is_indexed(condition)
        )

    def _is_large(self, reader: Reader, type_name: str) -> bool:
        size = reader.database.current(type_name).estimated_document_count
        return self._known(type_name, "", lambda: size() > self.most)

    def _selects_few(self, reader: Reader, type_name: str, condition: Filter) -> bool:
        if "_id" in condition:
            return True
        if condition == {"k": LIVE}:
            return False

        def count() -> bool:
            stages: list[dict[str, Any]] = [{"$match": condition}, {"$limit": self.most + 1}, {"$count": "n"}]
            return all(found["n"] <= self.most for found in reader.aggregate(type_name, stages))

        return self._known(type_name, repr(condition), count)

    def _known(self, type_name: str, what: str, find_out: Callable[[], bool]) -> bool:
        now = time.monotonic()
        at, answer = self._remembered.get((type_name, what), (float("-inf"), False))
        if now - at > REMEMBERED_SECONDS:
            answer = find_out()
            with self._writing:
                if len(self._remembered) >= MOST_REMEMBERED:
                    self._remembered.clear()
                self._remembered[type_name, what] = (now, answer)
        return answer

    def _holds_page(self, reader: Reader, selection: Selection, order: Sequence[OrderKey], count: int) -> bool:
        """Whether as many resources as may be read, in the order of the search, hold a page of matches."""
        conditions = list(_conditions(selection.filter))
        first = (
            [condition for condition in conditions if order[0].field in condition]
            or [{key.field: {"$gt": ""}} for key in order[:1] if key.is_optional]
            or [condition for condition in conditions if _is_indexed(condition)]
        )
        stages: list[dict[str, Any]] = [
            {"$match": first[0] if first else {"k": LIVE}},
            {"$sort": {key.field: -1 if key.is_descending else 1 for key in order[:1]}},
            {"$limit": self.most},
            {"$match": selection.filter},
            {"$limit": count + 1},
            {"$count": "n"},
        ]

        def probe() -> bool:
            return any(found["n"] > count for found in reader.aggregate(selection.type, stages))

        return self._known(selection.type, repr((selection.filter, order, count)), probe)

    def _too_costly(self) -> Exception:
        return problem(
            400,
            "too-costly",
            f"This search would read more than {self.most:,} resources; add a parameter that selects fewer, such as a "
            "patient, an identifier or a date, or sort by less. An administrator can allow more with FHIR_MAX_EXAMINED.",
        )


def _conditions(filter_: Filter) -> Iterator[Filter]:
    """The conditions that must all hold, one by one."""
    for name, condition in filter_.items():
        if name == "$and":
            for part in condition:
                yield from _conditions(part)
        else:
            yield {name: condition}


def _is_indexed(condition: Filter) -> bool:
    """Whether an index leads to what a condition selects."""
    [(name, value)] = condition.items()
    if name == "$or":
        return all(any(map(_is_indexed, _conditions(part))) for part in value)
    return name in ("_id", "k", "d", "n", "t", "c") or name.startswith("s.")
