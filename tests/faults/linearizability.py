"""Whether what clients saw of one resource is a possible order: linearizability, proved or refuted in n log n.

https://cs.brown.edu/~mph/HerlihyW90/p463-herlihy.pdf

The server numbers the versions of a resource, so the order of writes is known: it is that of the history. What is left to
find is a moment for each version, after its write began and before that was answered, such that every read has a moment of
its own, between its question and its answer, in which it saw the version that was current then.

Moments are found by letting a version stay current as long as any answer allows. That is never worse: a write may only
become possible with time, and whatever still waits for the current version is answered while it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

NEVER = 0
"""The version of a resource that was not written yet."""


@dataclass(frozen=True)
class Span:
    """From a client's question to its answer, in seconds; `end` is infinite where the answer never came."""

    start: float
    end: float = inf


@dataclass(frozen=True)
class Version:
    """One entry of the final history. content: what it holds, None for a deletion. writer: when it was written, about.

    is_answered: whether the client that wrote it was told of it.
    """

    number: int
    content: str | None
    writer: Span


@dataclass(frozen=True)
class Sight:
    """What one answer says about the resource: any of these versions was current at some moment within the span.

    content: what the answer held of it; None where it held nothing. what: for messages.
    """

    span: Span
    versions: frozenset[int]
    content: str | None
    what: str


def faults_of(history: Sequence[Version], sights: Sequence[Sight]) -> list[str]:
    """Why the sights fit no order, in sentences; empty where they fit one.

    history: oldest first, as the server tells it after all is over.
    """
    numbers = [version.number for version in history]
    if numbers != list(range(1, len(history) + 1)):
        return [f"The versions {numbers} have a gap, a repeat, or are out of order."]
    contents = {NEVER: None, **{version.number: version.content for version in history}}
    faults = []
    for sight in sights:
        if lost := sight.versions - contents.keys():
            faults.append(f"{sight.what} told of version {min(lost)}, which the history has not.")
        elif any(contents[number] != sight.content for number in sight.versions):
            faults.append(f"{sight.what} told of {sight.content!r}, but version {min(sight.versions)} holds another.")
    return faults or _order(history, sights)


def _order(history: Sequence[Version], sights: Sequence[Sight]) -> list[str]:
    """Walk through time; at each answer, move on to the next version that allows it, and no further."""
    beginnings = sorted(sights, key=lambda sight: sight.span.start)
    # What ends first must be allowed first. A write that was answered must have happened by then.
    ends: list[tuple[float, Sight | Version]] = [(sight.span.end, sight) for sight in sights]
    ends += [(version.writer.end, version) for version in history]
    ends.sort(key=lambda pair: pair[0])
    current, begun = NEVER, 0
    waiting: set[int] = set()  # indexes into `beginnings`
    allowed: set[int] = set()  # ids of the sights that were

    def allow() -> None:
        for index in [index for index in waiting if current in beginnings[index].versions]:
            waiting.discard(index)
            allowed.add(id(beginnings[index]))

    for now, event in ends:
        if now == inf:
            break
        while begun < len(beginnings) and beginnings[begun].span.start <= now:
            # It begins before this answer, and sees the version that is current until something forces another.
            waiting.add(begun)
            begun += 1
            allow()
        if isinstance(event, Version):
            target = max(event.number, current)
            what = f"The write of version {event.number}"
        else:
            if id(event) in allowed:
                continue
            later = [number for number in event.versions if number > current]
            if not later:
                return [f"{event.what} told of version {max(event.versions)} after version {current} had been current."]
            target, what = min(later), event.what
        while current < target:
            if history[current].writer.start > now:
                return [f"{what} was answered before the write of version {current + 1} had begun."]
            current += 1
            allow()
    return []
