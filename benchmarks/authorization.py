"""What authorization costs reads and searches, and what audits of every access do.

Servers on one MongoDB, with databases of their own: one without authorization, one with it that audits security events only,
and one that audits every access. They are asked in turn, in alternating rounds. Meanwhile the others stand still with all
their processes, so that each bears its own costs.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import orjson

from benchmarks.comparison import Values, alternate, ratios, summarise
from benchmarks.load_tool import Result, run
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.population import sample_patients
from benchmarks.servers import Server, command, ours, running
from benchmarks.target import Client, Target
from fhir_server.embedded_mongodb import EmbeddedMongoDB

CONTENDERS = {
    "without": {"FHIR_AUTH": "off"},
    "with, security events audited": {"FHIR_AUTH": "on", "FHIR_AUDIT": "security"},
    "with, every access audited": {"FHIR_AUTH": "on", "FHIR_AUDIT": "access"},
}
SEARCHES = ("/Patient?gender=female&_count=10", "/Patient?birthdate=ge1950&_count=10")
READS = 100


def measure_authorization(folder: Path, plan: Plan) -> Values:
    """Kind → contender → rate, latency, processor time of a request, and the ratios to the one without."""
    with ExitStack() as stack:
        mongodb = stack.enter_context(EmbeddedMongoDB(folder / "m"))
        servers: dict[str, Server] = {}
        targets = []
        for number, (name, settings) in enumerate(CONTENDERS.items()):
            shared = {"FHIR_MONGODB_URI": mongodb.uri, "FHIR_DATABASE": f"auth{number}"}
            server = stack.enter_context(running(ours(folder / f"{number}", name, **shared, **settings)))
            servers[name] = server
            targets.append(_with_records(server))
        with _standing_still(servers.values()):
            return {kind: _compare(kind, servers, targets, mongodb.pid or 0, plan) for kind in ("read", "search")}


def _with_records(server: Server) -> Target:
    """The server as a target with a token for all of its records, once it has what is read."""
    done = subprocess.run(
        command("token", "--scope", "system/*.cruds"), env=server.environ, capture_output=True, text=True, check=True
    )
    target = replace(server.target, token=done.stdout.strip())
    with Client(target) as client:
        for number, patient in enumerate(sample_patients(READS)):
            client.expect((201,), "PUT", f"/Patient/{number}", orjson.dumps({**patient, "id": str(number)}))
    return target


@contextmanager
def _standing_still(servers: Collection[Server]) -> Iterator[None]:
    """All of the servers' processes stand still, but where one is told to go on."""
    for server in servers:
        os.killpg(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for server in servers:
            os.killpg(server.process.pid, signal.SIGCONT)
        # Until all threads run again: another than the first could take the signal to stop, and sleep on.
        time.sleep(0.5)


def _compare(kind: str, servers: dict[str, Server], targets: Sequence[Target], mongod: int, plan: Plan) -> Values:
    used: dict[str, list[float]] = {name: [] for name in servers}

    def measure(target: Target) -> Result:
        group = servers[target.name].process.pid
        os.killpg(group, signal.SIGCONT)
        before = processor_seconds(group, mongod)
        addresses = [f"/Patient/{number}" for number in range(READS)] if kind == "read" else SEARCHES
        requests = itertools.cycle([target.request("GET", address) for address in addresses])
        result = run(target, requests, CONNECTIONS, plan.seconds * 2 / 3).expect(200)
        used[target.name].append((processor_seconds(group, mongod) - before) / len(result.latencies))
        os.killpg(group, signal.SIGSTOP)
        return result

    results = alternate(targets, plan.rounds, measure)
    by_name = summarise(results)
    without = next(iter(CONTENDERS))
    for name, values in by_name.items():
        values["processor_us"] = median(used[name][1:]) * 1e6  # the first round warmed up
        values |= ratios(results, name, without)
    return {"by_name": by_name}


def processor_seconds(group: int, mongod: int) -> float:
    """The processor time that a group of processes, and MongoDB, have had so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue  # it has ended
        fields = text.rpartition(")")[2].split()
        if int(fields[2]) == group or int(path.parent.name) == mongod:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
