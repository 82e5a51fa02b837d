"""A pool of worker processes with a connection each, fed no faster than they work."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import TypeVar

from fhir_server.end_with_parent import end_with_parent
from fhir_server.garbage import collect_seldom
from fhir_server.services import Services, services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connect, prepare_guards

Task = TypeVar("Task")
Result = TypeVar("Result")

# Tasks waiting for each worker, so that none is idle while the next is read, and memory stays bounded.
WAITING_A_WORKER = 2

_services: Services | None = None


def worker_services() -> Services:
    """The services of this worker process."""
    assert _services is not None  # set by the initializer, before any task
    return _services


def run_on_all_cores(
    work: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    """Run `work` on each task in a process of its own, and yield (task, result) as they are done.

    FHIR_MONGODB_URI must be set in the environment. A task that raises ends the run with its exception.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        waiting: dict[Future[Result], Task] = {}
        try:
            for task in tasks:
                waiting[pool.submit(work, task)] = task
                if len(waiting) >= workers * (1 + WAITING_A_WORKER):
                    yield from _finished(waiting)
            while waiting:
                yield from _finished(waiting)
        finally:
            for future in waiting:
                future.cancel()


def _finished(waiting: dict[Future[Result], Task]) -> Iterator[tuple[Task, Result]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


def _start_worker() -> None:
    global _services
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    end_with_parent()
    settings = Settings.from_environ(os.environ)
    assert settings.mongodb_uri is not None
    database = connect(settings.mongodb_uri, settings.database)
    prepare_guards(database)
    _services = services_for(settings, database)
    collect_seldom()
