"""The checker itself: orders that are possible, orders that are not, and a comparison with trying all of them."""

from __future__ import annotations

from itertools import permutations
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.linearizability import Sight, Span, Version, faults_of


def version(number: int, start: float, end: float, content: str | None = "") -> Version:
    return Version(number, f"c{number}" if content == "" else content, Span(start, end))


def saw(number: int, start: float, end: float, content: str | None = "") -> Sight:
    seen = (None if number == 0 else f"c{number}") if content == "" else content
    return Sight(Span(start, end), frozenset({number}), seen, f"a read at {start}")


TWO = [version(1, 0, 1), version(2, 10, 20)]
DELETED = [version(1, 0, 1), version(2, 2, 3, None)]


@pytest.mark.parametrize(
    ("history", "sights"),
    [
        ([], []),
        ([], [saw(0, 0, 1)]),
        (TWO, [saw(0, 0, 0.5), saw(1, 2, 3), saw(2, 21, 22)]),
        (TWO, [saw(1, 11, 12), saw(2, 13, 14)]),  # while the write is under way, first the old one, then the new one
        (TWO, [saw(2, 11, 12), saw(1, 10.5, 19)]),  # two reads at once may see it in any order
        ([version(1, 0, inf)], [saw(0, 5, 6), saw(1, 7, 8)]),  # a write without an answer may happen late
        ([version(1, 0, inf)], [saw(0, 5, 6)]),
        (DELETED, [saw(1, 1, 2), saw(2, 4, 5, None)]),
        (DELETED, [Sight(Span(4, 5), frozenset({0, 2}), None, "a search")]),
        ([*DELETED, version(3, 6, 7)], [Sight(Span(6, 7), frozenset({0, 2}), None, "a search"), saw(3, 6.5, 6.8)]),
    ],
)
def test_a_possible_order_is_accepted(history: list[Version], sights: list[Sight]) -> None:
    assert faults_of(history, sights) == []


@pytest.mark.parametrize(
    ("history", "sights", "fault"),
    [
        (TWO, [saw(1, 21, 22)], "after version 2 had been current"),  # stale
        (TWO, [saw(2, 11, 12), saw(1, 13, 14)], "after version 2 had been current"),  # backwards
        (TWO, [saw(2, 5, 9)], "before the write of version 2 had begun"),  # seen before it was written
        (TWO, [saw(0, 2, 3)], "after version 1 had been current"),  # forgotten
        (TWO, [saw(3, 30, 31)], "version 3, which the history has not"),  # lost
        (TWO, [saw(1, 2, 3, "other")], "holds another"),
        ([version(1, 0, 1), version(3, 2, 3)], [], "a gap"),
        ([version(1, 0, 1), version(1, 2, 3)], [], "a repeat"),
        (
            [version(1, 10, 11), version(2, 0, 1)],
            [],
            "before the write of version 1 had begun",
        ),  # written in another order
        (DELETED, [saw(1, 4, 5)], "after version 2 had been current"),  # a deleted resource came back
        (DELETED, [saw(2, 4, 5, "c1")], "holds another"),
        (DELETED, [Sight(Span(1.2, 1.8), frozenset({0, 2}), None, "a search")], "before the write of version 2"),
        ([version(1, 5, inf)], [saw(1, 1, 2)], "before the write of version 1 had begun"),
    ],
)
def test_an_impossible_order_is_refused_with_the_reason(
    history: list[Version], sights: list[Sight], fault: str
) -> None:
    (found,) = faults_of(history, sights)
    assert fault in found


MOMENTS = st.integers(0, 12)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = draw(MOMENTS)
    # Halves, so that nothing ends at the very moment at which something else begins.
    return Span(start, inf if draw(st.integers(0, 7)) == 0 else start + draw(st.integers(0, 6)) + 0.5)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Version], list[Sight]]:
    contents = draw(st.lists(st.booleans(), max_size=3))
    history = [
        Version(number, f"c{number}" if is_there else None, draw(spans()))
        for number, is_there in enumerate(contents, 1)
    ]
    absent = [0, *(each.number for each in history if each.content is None)]
    sights = []
    for _ in range(draw(st.integers(0, 4))):
        number = draw(st.integers(0, len(history)))
        content = history[number - 1].content if number else None
        numbers = frozenset(absent if content is None and draw(st.booleans()) else [number])
        span = draw(spans().filter(lambda span: span.end < inf))
        sights.append(Sight(span, numbers, content, "a read"))
    return history, sights


def is_possible(history: list[Version], sights: list[Sight]) -> bool:
    """By trying every order of everything. A write that was never answered may come at any time after it began."""
    events: list[Version | Sight] = [*history, *sights]

    def span(event: Version | Sight) -> Span:
        return event.writer if isinstance(event, Version) else event.span

    for order in permutations(events):
        if any(span(b).end < span(a).start for i, a in enumerate(order) for b in order[i + 1 :]):
            continue
        current, fits = 0, True
        for event in order:
            if isinstance(event, Version):
                fits = fits and event.number == current + 1
                current = event.number
            else:
                fits = fits and current in event.versions
        if fits:
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(stories())
def test_the_checker_agrees_with_trying_every_order(story: tuple[list[Version], list[Sight]]) -> None:
    history, sights = story
    assert (faults_of(history, sights) == []) is is_possible(history, sights)
