"""Group commit: each item is committed once, with others where there are any, and its thread learns what became of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhir_server.store.group_commit import MOST_TOGETHER, GroupCommit

ENDS_WITHIN_SECONDS = 30


class Slow:
    """A commit that waits until it may go on, and notes what came together. faulty: items that fail by themselves."""

    def __init__(self, faulty: Sequence[int] = ()) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)
        self.faulty = faulty

    def __call__(self, items: Sequence[int]) -> dict[int, BaseException]:
        self.groups.append(list(items))
        self.begun.release()
        assert self.may_end.acquire(timeout=ENDS_WITHIN_SECONDS)
        if -1 in items:
            raise OSError("all of them")
        return {number: ValueError(item) for number, item in enumerate(items) if item in self.faulty}


def waiting_in(group: GroupCommit[int], number: int) -> None:
    """Wait until so many items wait for the next statement."""
    until = threading.Event()
    for _ in range(ENDS_WITHIN_SECONDS * 1000):
        if len(group._waiting) == number:  # what else would tell that a thread has come as far as to wait?
            return
        until.wait(0.001)
    raise AssertionError("they did not come")


def brought(commit: Slow, first: int, others: Sequence[int]) -> dict[int, BaseException | None]:
    """Bring the first item, and all others while it is under way; item → what its thread learned."""
    group = GroupCommit(commit)
    with ThreadPoolExecutor(len(others) + 1) as pool:
        futures = {first: pool.submit(group.add, first)}
        assert commit.begun.acquire(timeout=ENDS_WITHIN_SECONDS)
        futures |= {item: pool.submit(group.add, item) for item in others}
        waiting_in(group, len(others))
        commit.may_end.release(len(others) + 1)
        return {item: future.exception(ENDS_WITHIN_SECONDS) for item, future in futures.items()}


def test_an_item_that_is_alone_waits_for_nobody():
    groups: list[list[int]] = []
    group = GroupCommit[int](lambda items: groups.append(list(items)) or {})
    for item in range(3):
        group.add(item)
    assert groups == [[0], [1], [2]]


def test_what_comes_while_a_statement_is_under_way_goes_together_in_the_next():
    commit = Slow()
    assert set(brought(commit, 0, range(1, 8)).values()) == {None}
    assert commit.groups[0] == [0]
    assert [sorted(group) for group in commit.groups[1:]] == [list(range(1, 8))]


def test_only_so_many_go_together():
    commit = Slow()
    assert set(brought(commit, 0, range(1, MOST_TOGETHER + 11)).values()) == {None}
    assert [len(group) for group in commit.groups] == [1, MOST_TOGETHER, 10]


def test_each_thread_learns_of_its_own_item_only():
    learned = brought(Slow(faulty=(2, 5)), 0, range(1, 8))
    assert {item for item, fault in learned.items() if fault is not None} == {2, 5}
    assert learned[5].args == (5,)


def test_what_fails_as_a_whole_fails_for_all_of_a_group_and_for_no_other():
    learned = brought(Slow(), 0, (1, -1, 3))
    assert [type(learned[item]) for item in (0, 1, -1, 3)] == [type(None), OSError, OSError, OSError]


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_nothing_is_lost_or_committed_twice_however_many_threads_there_are(threads):
    committed: list[int] = []
    group = GroupCommit[int](lambda items: committed.extend(items) or {})
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(group.add, range(3_000), timeout=ENDS_WITHIN_SECONDS))
    assert sorted(committed) == list(range(3_000))
    assert not group._has_leader
