"""Reads of one search: each within the time that the search has left, and noted down where its cost is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.errors import ExecutionTimeout

from fhir_server.store.database import Database
from resources.problem import problem
from search.entry_text import LIVE, Filter

# Documents that are fetched together where all are wanted.
ALL_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Read:
    """One read as it was made: the resource type, and the command as MongoDB's `explain` takes it."""

    type: str
    command: dict[str, Any]


class Reader:
    """Reads the collections of current versions.

    milliseconds: that all reads together may take. notes: where each read is noted, if anywhere.
    """

    def __init__(self, database: Database, milliseconds: int, notes: list[Read] | None = None) -> None:
        self.database = database
        self._deadline = time.monotonic() + milliseconds / 1000
        self._notes = notes

    def time_left(self) -> int:
        """The milliseconds that remain, at least one. Raises a 400 `Problem` (`too-costly`) where none do."""
        left = int((self._deadline - time.monotonic()) * 1000)
        if left <= 0:
            raise out_of_time()
        return left

    def find(
        self,
        type_name: str,
        filter_: Filter,
        fields: dict[str, int],
        sort: Sequence[tuple[str, int]],
        *,
        limit: int | None = None,
        index: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Documents of a type. sort: field and direction; empty where any order will do.

        limit: None for all. index: the name of the one to use; None where MongoDB is to choose.
        """
        if self._notes is not None:
            command = {
                "find": type_name,
                "filter": filter_,
                "projection": fields,
                **({"sort": dict(sort)} if sort else {}),
                **({"hint": index} if index else {}),
            }
            self._notes.append(Read(type_name, {**command, **({"limit": limit} if limit else {})}))
        return _within_time(
            lambda: iter(
                self.database.current(type_name).find(
                    filter_,
                    fields,
                    sort=list(sort) or None,
                    hint=index,
                    session=self.database.session,
                    limit=limit or 0,
                    batch_size=limit or ALL_AT_ONCE,
                    max_time_ms=self.time_left(),
                )
            )
        )

    def has_contained(self, type_name: str) -> bool:
        """Whether any resource of a type contains others."""
        found = self.database.current(type_name).find_one(
            {"c.k": LIVE}, {"_id": 1}, session=self.database.session, max_time_ms=self.time_left()
        )
        return found is not None

    def aggregate(self, type_name: str, stages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """What a pipeline over the documents of a type yields."""
        if self._notes is not None:
            self._notes.append(Read(type_name, {"aggregate": type_name, "pipeline": stages, "cursor": {}}))
        return _within_time(
            lambda: self.database.current(type_name).aggregate(
                stages, session=self.database.session, maxTimeMS=self.time_left()
            )
        )


def _within_time(documents: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    try:
        yield from documents()
    except ExecutionTimeout:
        raise out_of_time() from None


def out_of_time() -> Exception:
    """What to say of a search that takes too long."""
    return problem(
        400,
        "too-costly",
        "This search takes longer than it may; add a parameter that selects fewer, a patient or a date, or sort by less.",
    )
