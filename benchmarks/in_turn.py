"""Asking the stores in turn, one request at a time: latencies as the data grows, with what else the machine does on all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.stores import Store
from benchmarks.target import Client

WARM_UP = 5
Ask = tuple[str, str, bytes]  # method, path below the base, body


def connected(stack: ExitStack, stores: Sequence[Store]) -> dict[int, Client]:
    """Patients → a client of that store, which the stack closes."""
    return {store.patients: stack.enter_context(Client(store.target)) for store in stores}


def medians_in_turn(
    clients: dict[int, Client], asks: dict[int, Iterator[Ask]], times: int, statuses: tuple[int, ...] = (200,)
) -> dict[str, float]:
    """Patients → median milliseconds of the requests to that store, after a few that warm up.

    The sizes are text, as keys of JSON are. Raises UnexpectedStatus.
    """
    seconds: dict[int, list[float]] = {patients: [] for patients in clients}
    for number in range(times + WARM_UP):
        for patients, client in clients.items():
            answer = client.expect(statuses, *next(asks[patients]))
            if number >= WARM_UP:
                seconds[patients].append(answer.seconds)
    return {str(patients): median(of_store) * 1000 for patients, of_store in seconds.items()}
