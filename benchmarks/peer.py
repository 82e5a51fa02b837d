"""The same requests to our server and to another FHIR server, one at a time and in turn, and reads under load.

Both get the same demo population first. What the other server refuses is shown with its status; what was stored there is
deleted in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

import orjson

from benchmarks.comparison import Values, alternate, ratios, summarise
from benchmarks.load_tool import run
from benchmarks.peer_records import Records
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.population import SYSTEM, population, sample_patients, transaction, update_template, with_version
from benchmarks.search_shapes import SHAPES, paths
from benchmarks.servers import ours, running
from benchmarks.target import Answer, Client, Target

WARM_UP = 2
PATIENTS = 20
Send = Callable[[], Answer]


def compare_with_peer(folder: Path, plan: Plan, peer: Target) -> Values:
    """Request → name → median milliseconds or the status of a refusal; the population, and what is left of it."""
    with ExitStack() as stack:
        own = stack.enter_context(running(ours(folder / "peer"))).target
        targets = [own, peer]
        records = {target.name: Records(stack.enter_context(Client(target))) for target in targets}
        cleaned: Values = {}
        try:
            stored = {
                name: of_name.store_population(population(plan.peer_patients)) for name, of_name in records.items()
            }
            requests = _interactions(records, plan.times) | _searches(records, plan)
            under_load = _reads_under_load(targets, records, plan)
        finally:
            cleaned.update(records[peer.name].delete())
        return {"population": stored, "requests": requests, "reads_under_load": under_load, "deleted": cleaned}


def _interactions(records: dict[str, Records], times: int) -> Values:
    patients = sample_patients(PATIENTS)
    bodies = [orjson.dumps(patient) for patient in patients]
    transactions = [transaction(number) for number in range(5)]
    values: Values = {
        "create": _medians({name: _cycle(of_name.create, bodies) for name, of_name in records.items()}, 201, times)
    }
    keys = {
        name: [reference for reference in of_name.stored if reference.startswith("Patient/")][-PATIENTS:]
        for name, of_name in records.items()
    }
    reads = {name: _gets(of_name, itertools.cycle(_addresses(keys[name]))) for name, of_name in records.items()}
    updates = {name: _updates(of_name, keys[name]) for name, of_name in records.items()}
    imports = {name: _cycle(of_name.transact, transactions) for name, of_name in records.items()}
    by_identifier = [f"/Patient?identifier={SYSTEM}%7C{number}" for number in range(PATIENTS)]
    searches = {name: _gets(of_name, itertools.cycle(by_identifier)) for name, of_name in records.items()}
    return {
        "read": _medians(reads, 200, times),
        **values,
        "update": _medians(updates, 200, times),
        "transaction of 50": _medians(imports, 200, max(times // 4, 2)),
        "search by an identifier": _medians(searches, 200, times),
    }


def _searches(records: dict[str, Records], plan: Plan) -> Values:
    return {
        name: _medians(
            {each: _gets(of_name, paths(shape, plan.peer_patients)) for each, of_name in records.items()},
            200,
            max(plan.times // 2, 3),
        )
        for name, shape in SHAPES.items()
    }


def _addresses(keys: list[str]) -> list[str]:
    """What is read; where nothing could be created, the status of a read of nothing is shown."""
    return [f"/{key}" for key in keys] or ["/Patient/none"]


def _cycle(send: Callable[[bytes], Answer], bodies: list[bytes]) -> Iterator[Send]:
    return (partial(send, body) for body in itertools.cycle(bodies))


def _gets(records: Records, addresses: Iterator[str]) -> Iterator[Send]:
    return (partial(records.ask, "GET", address) for address in addresses)


def _updates(records: Records, keys: list[str]) -> Iterator[Send]:
    patients = sample_patients(PATIENTS)
    changed = itertools.cycle(zip(keys or ["Patient/none"], patients, strict=False))
    for number, (key, patient) in enumerate(changed, 1):
        body = with_version(update_template(patient, key.partition("/")[2]), number)
        yield partial(records.ask, "PUT", f"/{key}", body)


def _medians(sends: dict[str, Iterator[Send]], expected: int, times: int) -> Values:
    """Name → median milliseconds and entries found of so many requests in turn; or the first status that is a refusal."""
    seconds: dict[str, list[float]] = {name: [] for name in sends}
    entries = dict.fromkeys(sends, 0)
    refused: dict[str, int] = {}
    for number in range(times + WARM_UP):
        for name, of_name in sends.items() if number % 2 else reversed(sends.items()):
            if name in refused:
                continue
            answer = next(of_name)()
            if answer.status != expected:
                refused[name] = answer.status
            elif number >= WARM_UP:
                seconds[name].append(answer.seconds)
                entries[name] += len(answer.tree().get("entry", ()))
    return {
        name: {"refused": refused[name]}
        if name in refused
        else {"median_ms": median(of_name) * 1000, "entries": entries[name]}
        for name, of_name in seconds.items()
    }


def _reads_under_load(targets: list[Target], records: dict[str, Records], plan: Plan) -> Values:
    """Rates of reads; or why there are none."""
    for target in targets:
        addresses = _addresses([each for each in records[target.name].stored if each.startswith("Patient/")])
        status = records[target.name].ask("GET", addresses[0]).status
        if status != 200:
            return {"refused": {target.name: status}}
    requests = {
        target.name: itertools.cycle(
            [
                target.request("GET", f"/{reference}")
                for reference in records[target.name].stored
                if reference.startswith("Patient/")
            ][-200:]
        )
        for target in targets
    }
    try:
        results = alternate(
            targets, plan.rounds, lambda target: run(target, requests[target.name], CONNECTIONS, plan.seconds)
        )
    except OSError as error:
        return {"refused": {targets[1].name: f"{error}"}}
    statuses = {name: sorted({s for result in rounds for s in result.statuses}) for name, rounds in results.items()}
    if any(not result.latencies for rounds in results.values() for result in rounds):
        return {"refused": {name: f"statuses {each}" for name, each in statuses.items()}}
    return {"by_name": summarise(results), "statuses": statuses, **ratios(results, targets[0].name, targets[1].name)}
