"""Group commit: what several threads store at the same moment goes to the database together.

A statement costs the database and the driver far more than a document in it does. So while one statement is under way,
what other threads bring is collected, and goes together in the next; a thread that is alone waits for nobody. Each
learns of its own document only, once it is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")

MOST_TOGETHER = 50


class _Waiting(Generic[Item]):
    """An item and the thread that brought it. The thread wakes up when the item is done, or to lead."""

    __slots__ = ("fault", "is_done", "item", "wake")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.fault: BaseException | None = None
        self.is_done = False
        self.wake = Lock()
        self.wake.acquire()


class GroupCommit(Generic[Item]):
    """Commits items, those of several threads together.

    commit: commits items; index of an item → what it failed with, for those that failed by themselves. What it raises is the
    fault of all of them.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Mapping[int, BaseException]]) -> None:
        self._commit = commit
        self._lock = Lock()
        self._waiting: deque[_Waiting[Item]] = deque()
        self._has_leader = False

    def add(self, item: Item) -> None:
        """Commit an item, and return when that is done. Raises what it failed with."""
        own = _Waiting(item)
        with self._lock:
            self._waiting.append(own)
            must_wait, self._has_leader = self._has_leader, True
        if must_wait:
            own.wake.acquire()  # until it is done, or its thread is the next to lead
        if not own.is_done:
            self._lead()
        if own.fault is not None:
            raise own.fault

    def _lead(self) -> None:
        """Commit what waits, the leader's own item with it, and leave the lead to the first of those that came since."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        try:
            faults = self._commit([each.item for each in group])
        except BaseException as fault:
            faults = dict.fromkeys(range(len(group)), fault)
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._has_leader = following is not None
        for number, each in enumerate(group):
            each.fault, each.is_done = faults.get(number), True
            each.wake.release()
        if following is not None:
            following.wake.release()
