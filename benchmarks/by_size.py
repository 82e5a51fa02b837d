"""What is measured on stores of several sizes: interactions, searches, paging depth and histories."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median
from urllib.parse import urlsplit

import orjson

from benchmarks.comparison import Values
from benchmarks.in_turn import Ask, connected, medians_in_turn
from benchmarks.plan import Plan
from benchmarks.population import sample_patients, transaction, update_template, with_version
from benchmarks.search_shapes import SHAPES, paths
from benchmarks.stores import Store
from benchmarks.target import Client

WALKS = {"page of all": "/Observation?_count=20", "sorted by date": "/Encounter?_sort=-date&_count=5"}
HISTORY_PAGE = "_history?_count=50"


def measure_interactions(stores: Sequence[Store], plan: Plan) -> Values:
    """Kind → patients → median milliseconds, of one client."""
    patients = sample_patients(20)
    keys = [f"bench-size-{number}" for number in range(len(patients))]
    updates = [update_template(patient, key) for patient, key in zip(patients, keys, strict=True)]
    numbers = itertools.count(1)

    def changing() -> Iterator[Ask]:
        for key, update in itertools.cycle(zip(keys, updates, strict=True)):
            yield "PUT", f"/Patient/{key}", with_version(update, next(numbers))

    created = [("POST", "/Patient", orjson.dumps(patient)) for patient in patients]
    imported = [("POST", "", transaction(number)) for number in range(10)]
    with ExitStack() as stack:
        clients = connected(stack, stores)
        reads = {size: _gets(paths("Patient/demo-patient-{n:05d}", size)) for size in clients}
        return {
            "read": medians_in_turn(clients, reads, plan.times),
            "create": medians_in_turn(
                clients, {size: itertools.cycle(created) for size in clients}, plan.times, (201,)
            ),
            # The first of each creates what the others change; they are among those that warm up, or few.
            "update": medians_in_turn(clients, {size: changing() for size in clients}, plan.times, (200, 201)),
            "transaction of 50": medians_in_turn(
                clients, {size: itertools.cycle(imported) for size in clients}, plan.times
            ),
        }


def measure_searches(stores: Sequence[Store], plan: Plan) -> Values:
    """Shape → patients → median milliseconds, of one client; and what the index takes."""
    with ExitStack() as stack:
        clients = connected(stack, stores)
        return {
            "median_ms": {
                name: medians_in_turn(clients, {size: _gets(paths(shape, size)) for size in clients}, plan.times)
                for name, shape in SHAPES.items()
            },
            "index": {str(store.patients): store.index for store in stores},
        }


def _gets(addresses: Iterator[str]) -> Iterator[Ask]:
    return (("GET", address, b"") for address in addresses)


def measure_paging(stores: Sequence[Store], plan: Plan) -> Values:
    """Walk → patients → depth → median milliseconds of the pages there, reached by `next` links alone."""
    values: Values = {name: {str(store.patients): {} for store in stores} for name in WALKS}
    with ExitStack() as stack:
        clients = connected(stack, stores)
        for name, start in WALKS.items():
            walks: dict[int, list[list[float]]] = {size: [] for size in clients}
            for _ in range(plan.walks):
                for size, client in clients.items():
                    walks[size].append(_walk(client, start, max(plan.depths) + 2))
            for size, of_size in walks.items():
                values[name][str(size)] = at_depths(of_size, plan.depths)
    return values


def _walk(client: Client, path: str, pages: int) -> list[float]:
    """The seconds of each page, up to the last one."""
    client.expect((200,), "GET", path)  # warms up
    seconds: list[float] = []
    while path and len(seconds) < pages:
        answer = client.expect((200,), "GET", path)
        seconds.append(answer.seconds)
        links = {link["relation"]: link["url"] for link in answer.tree().get("link", ())}
        following = urlsplit(links.get("next", ""))
        path = f"{following.path}?{following.query}".removeprefix(client.target.base) if "next" in links else ""
    return seconds


def at_depths(walks: list[list[float]], depths: Sequence[int]) -> dict[str, float]:
    """Depth → median milliseconds of that page and the next two, of all walks; the first page stands alone."""
    found = {}
    for depth in depths:
        last = depth if depth == 1 else depth + 2
        seconds = [each for walk in walks for each in walk[depth - 1 : last]]
        if seconds:
            found[str(depth)] = median(seconds) * 1000
    return found


def measure_histories(stores: Sequence[Store], plan: Plan) -> Values:
    """Kind → patients → median milliseconds of the first page of a history."""
    template = update_template(sample_patients(1)[0], "{}")
    with ExitStack() as stack:
        clients = connected(stack, stores)
        for versions in plan.versions:
            key = f"bench-history-{versions}"
            body = template.replace(b'"{}"', b'"%s"' % key.encode())
            for number in range(1, versions + 1):
                for client in clients.values():
                    client.expect((200, 201), "PUT", f"/Patient/{key}", with_version(body, number))
        kinds = {
            f"instance, {number:,} version{'s' if number > 1 else ''}": f"/Patient/bench-history-{number}/"
            for number in plan.versions
        }
        kinds |= {"type": "/Patient/", "system": "/"}
        return {
            kind: medians_in_turn(
                clients, {size: itertools.repeat(("GET", path + HISTORY_PAGE, b"")) for size in clients}, plan.times
            )
            for kind, path in kinds.items()
        }
