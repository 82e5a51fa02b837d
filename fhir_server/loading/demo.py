"""Storing the demo population: generated in the worker processes, a few patients at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import orjson

from fhir_server.demo_data import organization_records, patient_records
from fhir_server.loading.load import OnProgress
from fhir_server.loading.pool import run_on_all_cores, worker_services
from fhir_server.loading.records import Reject, Tally, store_records

PATIENTS_A_TASK = 10
RECORDS_A_TRANSACTION = 250


@dataclass(frozen=True, slots=True)
class DemoTask:
    """Patients from the first to before the last of a population; none, for its organizations."""

    seed: int
    today: date
    patients: int
    first: int
    behind: int

    def records(self) -> list[dict[str, object]]:
        if self.first == self.behind:
            return organization_records(self.seed, self.today, self.patients)
        return [
            record
            for number in range(self.first, self.behind)
            for record in patient_records(self.seed, number, self.today, self.patients)
        ]


def load_demo_data(patients: int, seed: int, today: date, workers: int, on_progress: OnProgress) -> list[Reject]:
    """Store a demo population; the rejects, of which there should be none. Progress is counted in patients."""
    rejects: list[Reject] = []
    for task, tally in run_on_all_cores(_store, _tasks(patients, seed, today), workers):
        rejects += tally.rejects
        on_progress(task.behind - task.first, tally)
    return rejects


def _tasks(patients: int, seed: int, today: date) -> Iterator[DemoTask]:
    yield DemoTask(seed, today, patients, 0, 0)
    for first in range(0, patients, PATIENTS_A_TASK):
        yield DemoTask(seed, today, patients, first, min(first + PATIENTS_A_TASK, patients))


def _store(task: DemoTask) -> Tally:
    texts = [(f"{record['resourceType']}/{record['id']}", orjson.dumps(record)) for record in task.records()]
    whole = Tally()
    for start in range(0, len(texts), RECORDS_A_TRANSACTION):
        part = store_records(texts[start : start + RECORDS_A_TRANSACTION], worker_services())
        whole.counts.update(part.counts)
        whole.rejects += part.rejects
    return whole
