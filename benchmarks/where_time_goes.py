"""`python -m benchmarks.where_time_goes`: where the time of a read, a create, a search and an import goes, as tables.

Each path is run twice in this process on a MongoDB of its own: once as it is, for the processor time of Python and of
MongoDB, and once under Python's profiler, for the shares of the rooms of the code. The profiler makes calls dearer than
they are, so rooms of many small functions come out somewhat too large.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from flask import Flask

from benchmarks.bare_app import app as bare_app
from benchmarks.population import ENTRIES_A_TRANSACTION, sample_patients, transaction
from fhir_server.app import create_app
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.interactions.transaction import transaction as store
from fhir_server.services import Services, services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connect, prepare_guards
from resources.bundle import parse_bundle

ROOMS = (
    ("waiting for MongoDB", ("_socket.socket' objects",)),
    ("driver (pymongo, bson)", ("/pymongo/", "/bson/", "pymongo._", "bson._")),
    ("Flask and Werkzeug", ("/flask/", "/werkzeug/", "/blinker/")),
    ("JSON, and the bytes to store", ("resources/raw_json", "resources/document", "resources/bundle", "json")),
    ("links between entries", ("resources/rewriting", "interactions/links", "interactions/arrivals")),
    ("validation", ("resources/",)),
    ("index values", ("search/index", "search/kinds", "search/paths", "search/entry_text", "search/sort_values")),
    ("index values", ("search/folding", "search/ranges", "search/moments")),
    ("search plan", ("search/",)),
    ("store", ("fhir_server/store",)),
    ("the rest of the server", ("fhir_server/", "capability/", "smart_auth/")),
)
REST = "Python itself"


@dataclass(frozen=True)
class Route:
    """One way through the server. run: goes it once. resources: how many one run stands for. times: to run it."""

    name: str
    run: Callable[[int], object]
    resources: int
    times: int


def room_of(place: tuple[str, int, str]) -> str:
    """The room of a function, as the profiler names it."""
    text = f"{place[0]}:{place[2]}"
    return next((room for room, marks in ROOMS if any(mark in text for mark in marks)), REST)


def shares(statistics: dict[Any, Any]) -> dict[str, float]:
    """Room → its share of all the time. What is written in C counts for the room that calls it."""
    seconds: dict[str, float] = defaultdict(float)
    for place, (_, _, own, _, callers) in statistics.items():
        room = room_of(place)
        if room != REST or not callers:
            seconds[room] += own
            continue
        for caller, (_, _, own_there, _) in callers.items():
            seconds[room_of(caller)] += own_there
    total = sum(seconds.values())
    return {room: part / total for room, part in sorted(seconds.items(), key=lambda pair: -pair[1])}


def processor_seconds(pid: int) -> float:
    """What a process has used of the processors so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def caller(app: Flask) -> Callable[..., bytes]:
    """Calls an application as a server does, without a server."""

    def call(method: str, path: str, query: str = "", body: bytes = b"") -> bytes:
        environ: dict[str, Any] = {
            **{"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": ""},
            **{"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1"},
            **{"SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http"},
            **{"wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0)},
            **{"wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False},
            "HTTP_ACCEPT": "application/fhir+json",
        }
        if body:
            environ |= {"CONTENT_TYPE": "application/fhir+json", "CONTENT_LENGTH": str(len(body))}
        statuses: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            statuses.append(status)
            return bytes

        answer = b"".join(app.wsgi_app(environ, start_response))
        assert statuses[0][0] == "2", (statuses, answer[:300])
        return answer

    return call


def routes_of(call: Callable[..., bytes], bare: Callable[..., bytes], services: Services) -> Iterator[Route]:
    """The routes through the server, with what they need already stored."""
    patients = [orjson.dumps(patient) for patient in sample_patients()]
    number = len(patients)
    stored = [orjson.loads(call("POST", "/fhir/Patient", body=patient)) for patient in patients]
    bare_ids = [orjson.loads(bare("POST", "/fhir/Patient", body=patient))["id"] for patient in patients]
    yield Route("bare read", lambda n: bare("GET", f"/fhir/Patient/{bare_ids[n % number]}"), 1, 2_000)
    yield Route("read", lambda n: call("GET", f"/fhir/Patient/{stored[n % number]['id']}"), 1, 2_000)
    values = [patient["identifier"][0]["value"] for patient in stored]
    yield Route("search", lambda n: call("GET", "/fhir/Patient", f"identifier={values[n % number]}"), 1, 1_500)
    yield Route("bare create", lambda n: bare("POST", "/fhir/Patient", body=patients[n % number]), 1, 1_000)
    yield Route("create", lambda n: call("POST", "/fhir/Patient", body=patients[n % number]), 1, 1_000)
    bundles = [transaction(n) for n in range(10)]
    yield Route("import", lambda n: store(parse_bundle(bundles[n % 10]), services), ENTRIES_A_TRANSACTION, 40)


@contextmanager
def served() -> Iterator[tuple[Callable[..., bytes], Callable[..., bytes], Services, int]]:
    """Both applications on a MongoDB of their own, the services of ours, and the process of MongoDB."""
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as folder, EmbeddedMongoDB(Path(folder)) as mongodb:
        environ = {"FHIR_MONGODB_URI": mongodb.uri, "FHIR_LOG_LEVEL": "warning", "FHIR_AUTH": "off"}
        os.environ["FHIR_MONGODB_URI"] = mongodb.uri
        settings = Settings.from_environ(environ)
        database = connect(mongodb.uri, settings.database)
        prepare_guards(database)
        services = services_for(settings, database)
        yield caller(create_app(services)), caller(bare_app()), services, _pid_below(folder)
        database.close()


def _pid_below(folder: str) -> int:
    """The process of the MongoDB whose data lies in a folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = (entry / "cmdline").read_bytes().split(b"\0") if (entry / "cmdline").exists() else []
            if words and words[0].endswith(b"mongod") and any(folder.encode() in word for word in words):
                return int(entry.name)
    raise LookupError("MongoDB does not run")


def measured(path: Route, pid: int) -> tuple[float, float, dict[str, float]]:
    """Microseconds of Python's and of MongoDB's processor time for each resource, and the rooms' shares."""
    for number in range(path.times // 10):
        path.run(number)
    at_once, mongodb = time.process_time(), processor_seconds(pid)
    for number in range(path.times):
        path.run(number)
    each = 1e6 / (path.times * path.resources)
    python, mongodb = (time.process_time() - at_once) * each, (processor_seconds(pid) - mongodb) * each
    profile = cProfile.Profile()
    profile.enable()
    for number in range(path.times // 2):
        path.run(number)
    profile.disable()
    return python, mongodb, shares(pstats.Stats(profile).stats)  # type: ignore[attr-defined]  # missing from the stub


def table(rows: Iterable[tuple[str, float, float, dict[str, float]]]) -> str:
    """Markdown: a column for each path."""
    found = list(rows)
    rooms = dict.fromkeys(room for *_, parts in found for room in parts)
    lines = [
        "| | " + " | ".join(name for name, *_ in found) + " |",
        "| --- |" + " ---: |" * len(found),
        "| processor time of Python, µs | " + " | ".join(f"{python:.0f}" for _, python, _, _ in found) + " |",
        "| processor time of MongoDB, µs | " + " | ".join(f"{mongodb:.0f}" for _, _, mongodb, _ in found) + " |",
    ]
    for room in rooms:
        lines.append(f"| {room} | " + " | ".join(f"{parts.get(room, 0):.0%}" for *_, parts in found) + " |")
    return "\n".join(lines)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with served() as (call, bare, services, pid):
        print(table([(path.name, *measured(path, pid)) for path in routes_of(call, bare, services)]))


if __name__ == "__main__":
    main()
