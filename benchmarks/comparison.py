"""Comparing servers: measured in alternating rounds, so that what else the machine does falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks.load_tool import Result
from benchmarks.target import Target

Values = dict[str, Any]


def alternate(targets: Sequence[Target], rounds: int, measure: Callable[[Target], Result]) -> dict[str, list[Result]]:
    """Name → the results of its rounds; one more round comes first, to warm up."""
    results: dict[str, list[Result]] = {target.name: [] for target in targets}
    for number in range(rounds + 1):
        for target in targets if number % 2 else reversed(targets):
            result = measure(target)
            if number:
                results[target.name].append(result)
    return results


def summarise(results: dict[str, list[Result]], each: int = 1) -> Values:
    """The medians of the rounds, by name. each: how many resources a request stands for."""
    return {
        name: {
            "per_second": median(result.rate for result in rounds) * each,
            "median_ms": median(result.median_ms for result in rounds),
            "p99_ms": median(result.p99_ms for result in rounds),
        }
        for name, rounds in results.items()
    }


def ratios(results: dict[str, list[Result]], of: str, to: str) -> Values:
    """What one's rate is of the other's, in each round, and the median of these."""
    of_rounds = [mine.rate / other.rate for mine, other in zip(results[of], results[to], strict=True)]
    return {"ratio": median(of_rounds), "ratios": of_rounds}
