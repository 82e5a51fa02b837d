"""Results as a table of plain text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from conformance.check import Outcome, Result

WIDTH = 120
MARKS = {"pass": "pass", "fail": "FAIL", "skip": "skip", "error": "ERROR"}


def print_results(results: Iterable[Result], out: TextIO) -> list[Result]:
    """Print each result as it comes, and a summary in the end; the results."""
    done: list[Result] = []
    group = reason = None
    for result in results:
        if result.check.group != group:
            group = result.check.group
            print(f"\n{group}", file=out)
        print(f"  {MARKS[result.outcome]:5}  {result.check.id}", file=out)
        if result.outcome == "skip" and result.reason == reason:
            pass  # said of the one before
        elif result.outcome != "pass":
            _below(f"{result.check.sentence} {result.reason} See {result.check.clause}", out)
        for note in result.notes:
            _below(f"Note: {note}", out)
        out.flush()
        reason = result.reason if result.outcome == "skip" else None
        done.append(result)
    print(f"\n{summary(done)}", file=out)
    return done


def summary(results: Sequence[Result]) -> str:
    """How many checks had which outcome."""
    counts = Counter(result.outcome for result in results)
    words: dict[Outcome, str] = {"pass": "passed", "fail": "failed", "error": "broke", "skip": "skipped"}
    return f"{len(results)} checks: " + ", ".join(
        f"{counts[name]} {word}" for name, word in words.items() if counts[name]
    )


def _below(text: str, out: TextIO) -> None:
    print(textwrap.fill(text, WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9), file=out)
