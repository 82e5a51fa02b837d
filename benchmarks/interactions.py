"""Read, create, update, transaction and identifier search: our server beside the bare application, in alternating rounds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.comparison import Values, alternate, ratios, summarise
from benchmarks.load_tool import Result, run
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.population import (
    ENTRIES_A_TRANSACTION,
    SYSTEM,
    sample_patients,
    transaction,
    update_template,
    with_version,
)
from benchmarks.servers import BARE_TARGET, on_mongodb, running
from benchmarks.target import Client, Target
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.serving import WORKER_TARGET

TRANSACTION = "transaction import"
IDENTIFIER = "identifier search"
# Kind → the statuses that it may be answered with.
KINDS = {"read": (200,), "create": (201,), "update": (200,), TRANSACTION: (200,), IDENTIFIER: (200,)}
TRANSACTIONS = 20
# Each transaction writes much: fewer at a time, within what a server runs at once by default.
CONNECTIONS_FOR = {TRANSACTION: 4}


class Workload:
    """The requests to one server, once the patients that they are about are stored there."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._patients = sample_patients()
        self._bodies = [orjson.dumps(patient) for patient in self._patients]
        self._ids: list[str] = []
        self._transactions = [transaction(number) for number in range(TRANSACTIONS)]
        self._numbers = itertools.count(1)

    @property
    def ids(self) -> list[str]:
        return self._ids

    def prepare(self) -> None:
        """Create each of the patients once. Raises UnexpectedStatus."""
        with Client(self.target) as client:
            for body in self._bodies:
                self._ids.append(client.expect((201,), "POST", "/Patient", body).tree()["id"])

    def requests(self, kind: str) -> Iterator[bytes]:
        """Requests of a kind, for ever."""
        request = self.target.request
        if kind == "update":
            return self._updates()
        if kind == "create":
            # Under other identifiers, or the searches by an identifier would find more and more.
            own, other = f'"{SYSTEM}"'.encode(), f'"{SYSTEM}:created"'.encode()
            made = [request("POST", "/Patient", body.replace(own, other)) for body in self._bodies]
        elif kind == TRANSACTION:
            made = [request("POST", "", body) for body in self._transactions]
        elif kind == IDENTIFIER and self.target.name != "bare":
            made = [request("GET", f"/Patient?identifier={SYSTEM}%7C{number}") for number in range(len(self._ids))]
        else:  # the bare application has no search: it reads instead
            made = [request("GET", f"/Patient/{key}") for key in self._ids]
        return itertools.cycle(made)

    def _updates(self) -> Iterator[bytes]:
        templates = [
            self.target.request("PUT", f"/Patient/{key}", update_template(patient, key))
            for patient, key in zip(self._patients, self._ids, strict=True)
        ]
        for template in itertools.cycle(templates):
            yield with_version(template, next(self._numbers))

    def measure(self, kind: str, seconds: float, connections: int = CONNECTIONS) -> Result:
        """Load the server with requests of a kind. Raises UnexpectedStatus if it refuses any."""
        connections = CONNECTIONS_FOR.get(kind, connections)
        return run(self.target, self.requests(kind), connections, seconds).expect(*KINDS[kind])


@dataclass(frozen=True)
class SideBySide:
    """The bare application and our server on one MongoDB, and the workload of each by its name."""

    targets: Sequence[Target]
    workloads: dict[str, Workload]


@contextmanager
def side_by_side(data_dir: Path) -> Iterator[SideBySide]:
    """Both of them, with the patients stored that the requests are about."""
    with (
        EmbeddedMongoDB(data_dir) as mongodb,
        running(on_mongodb("bare", BARE_TARGET, data_dir, mongodb.uri)) as bare,
        running(on_mongodb("ours", WORKER_TARGET, data_dir, mongodb.uri)) as own,
    ):
        targets = [bare.target, own.target]
        workloads = {target.name: Workload(target) for target in targets}
        for workload in workloads.values():
            workload.prepare()
        yield SideBySide(targets, workloads)


def compare_interactions(both: SideBySide, plan: Plan) -> Values:
    """Kind → name → rate and latency, with the ratio of the rates."""
    return {
        kind: {
            "unit": "resources" if kind == TRANSACTION else "requests",
            **_compared(both, kind, plan.rounds, plan.seconds, CONNECTIONS),
        }
        for kind in KINDS
    }


def compare_clients(both: SideBySide, plan: Plan) -> Values:
    """Kind → number of connections → name → rate and latency, with the ratio of the rates."""
    rounds, seconds = min(plan.rounds, 3), plan.seconds / 2
    return {
        kind: {str(number): _compared(both, kind, rounds, seconds, number) for number in plan.clients}
        for kind in ("read", "create")
    }


def _compared(both: SideBySide, kind: str, rounds: int, seconds: float, connections: int) -> Values:
    def measure(target: Target) -> Result:
        return both.workloads[target.name].measure(kind, seconds, connections)

    results = alternate(both.targets, rounds, measure)
    each = ENTRIES_A_TRANSACTION if kind == TRANSACTION else 1
    return {"by_name": summarise(results, each), **ratios(results, "ours", "bare")}
