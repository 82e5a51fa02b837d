"""Loading files: the units of all sources go through the pool; what could not be resolved yet is tried again at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fhir_server.loading.pool import run_on_all_cores, worker_services
from fhir_server.loading.records import Reject, Tally, store_records
from fhir_server.loading.sources import UNREADABLE, Source, Unit, open_packed, units_of
from resources.problem import Issue

OnProgress = Callable[[float, Tally], None]
"""Told after each unit: the bytes of the disk that it stood for, and what became of its records."""


def load(sources: Sequence[Source], workers: int, on_progress: OnProgress) -> list[Reject]:
    """Load files on all cores; the rejects.

    The order of files does not matter: a record that refers to another by a condition which nothing satisfies yet is
    tried again after everything else, as long as that brings any of them in.
    """
    rejects: list[Reject] = []
    retry: list[Reject] = []

    def take(share: float, tally: Tally) -> None:
        for reject in tally.rejects:
            (retry if reject.may_succeed_later else rejects).append(reject)
        on_progress(share, tally)

    for unit, tally in run_on_all_cores(_load_unit, _units(sources, rejects, on_progress), workers):
        take(unit.share, tally)
    while retry:
        again, retry = retry, []
        for _, tally in run_on_all_cores(_load_again, again, workers):
            take(0.0, tally)
        if len(retry) == len(again):
            break
    return rejects + retry


def _units(sources: Sequence[Source], rejects: list[Reject], on_progress: OnProgress) -> Iterator[Unit]:
    for source in sources:
        try:
            yield from units_of(source)
        except UNREADABLE as error:
            rejects.append(_unreadable(source.path.name, error))
            on_progress(0.0, Tally(rejects=rejects[-1:]))


def _unreadable(name: str, error: Exception) -> Reject:
    return Reject(name, b"", [Issue("fatal", "incomplete", f"The file cannot be read to its end: {error}")])


def _load_unit(unit: Unit) -> Tally:
    if unit.lines is not None:
        return store_records([(f"{unit.path.name}:{line}", text) for line, text in unit.lines], worker_services())
    try:
        with open_packed(unit.path) as file:
            text = file.read()
    except UNREADABLE as error:
        return Tally(rejects=[_unreadable(unit.path.name, error)])
    return store_records([(unit.path.name, text)], worker_services())


def _load_again(reject: Reject) -> Tally:
    return store_records([(reject.source, reject.text)], worker_services())
