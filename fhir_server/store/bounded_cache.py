"""A cache that holds what was used last, up to a total weight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """For the threads of one process. What alone weighs more than the limit is not kept at all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        with self._lock:
            self._drop(key)
            if weight > self._limit:
                return
            self._held[key] = (value, weight)
            self._weight += weight
            while self._weight > self._limit:
                self._drop(next(iter(self._held)))

    def drop(self, key: Key) -> None:
        with self._lock:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        if key in self._held:
            self._weight -= self._held.pop(key)[1]
