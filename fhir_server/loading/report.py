"""What a person sees of a long run: progress with rate and time left, then counts per type; and the file of rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from fhir_server.loading.records import Outcome, Reject, Tally
from resources.problem import operation_outcome

OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "unchanged")


class Report:
    """Adds up what becomes of the records and shows it while it grows."""

    def __init__(self, console: Console, progress: Progress, total: float, what: str) -> None:
        self._console = console
        self._progress = progress
        self._task = progress.add_task(what, total=total, resources=0, rejected=0, rate=0)
        self.counts: Counter[tuple[str, Outcome]] = Counter()
        self.rejected = 0

    def add(self, share: float, tally: Tally) -> None:
        """Take in the result of one unit; share: of the total that the progress bar runs to."""
        self.counts.update(tally.counts)
        self.rejected += len(tally.rejects)
        resources = self.counts.total()
        elapsed = self._progress.tasks[0].elapsed or 0.001
        self._progress.update(
            self._task, advance=share, resources=resources, rejected=self.rejected, rate=resources / elapsed
        )

    def print_counts(self, rejects: Sequence[Reject]) -> None:
        """The closing table."""
        elapsed = self._progress.tasks[0].elapsed or 0.001
        table = Table(
            title=f"{self.counts.total():,} resources in {elapsed:.1f} s ({self.counts.total() / elapsed:,.0f}/s)"
        )
        table.add_column("Type")
        for outcome in OUTCOMES:
            table.add_column(outcome, justify="right")
        for type_name in sorted({name for name, _ in self.counts}):
            table.add_row(type_name, *(f"{self.counts[(type_name, outcome)]:,}" for outcome in OUTCOMES))
        self._console.print(table)
        self._console.print(f"{len(rejects):,} records rejected.")


@contextmanager
def reporting(console: Console, total: float, what: str) -> Iterator[Report]:
    """A report with a live progress bar for the length of a `with` block."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(
            "{task.fields[resources]:,} resources, {task.fields[rate]:,.0f}/s, {task.fields[rejected]:,} rejected"
        ),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=4) as progress:
        yield Report(console, progress, total, what)


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write each reject as a line: where it stood, its OperationOutcome, and the record itself.

    The file holds patient data, so only its owner may read it.
    """
    path.touch(mode=0o600)
    with path.open("wb") as file:
        for reject in rejects:
            head = {"source": reject.source, "outcome": operation_outcome(reject.issues)}
            text = reject.text.decode("utf-8", "replace")
            file.write(orjson.dumps({**head, "record": text}, option=orjson.OPT_APPEND_NEWLINE))
