"""`python -m benchmarks`: start what is needed, measure each part, and write a report with tables, values and plots.

Our server and the bare application run side by side, and are measured in alternating rounds; see docs/performance.md.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

import orjson

from benchmarks.authorization import measure_authorization
from benchmarks.by_size import measure_histories, measure_interactions, measure_paging, measure_searches
from benchmarks.comparison import Values
from benchmarks.interactions import compare_clients, compare_interactions, side_by_side
from benchmarks.machine import describe_machine, load_average
from benchmarks.operations import measure_loads, measure_memory, measure_starts
from benchmarks.peer import compare_with_peer
from benchmarks.plan import HOUR_OF_REQUESTS, Plan
from benchmarks.plots import plots_of
from benchmarks.report import SECTIONS, report
from benchmarks.servers import ROOT
from benchmarks.stores import served
from benchmarks.target import Client, Target

Ready = TypeVar("Ready")
Parts = Mapping[str, Callable[[Ready, Plan], Values]]
SIDE_BY_SIDE = {"interactions": compare_interactions, "clients": compare_clients}
BY_SIZE = {  # what adds to the stores comes last
    "search": measure_searches,
    "paging": measure_paging,
    "sizes": measure_interactions,
    "history": measure_histories,
}


class Run:
    """The parts that were measured so far, and what went wrong."""

    def __init__(self, chosen: Sequence[str]) -> None:
        self.parts: Values = {}
        self._chosen = chosen

    def wants(self, *names: str) -> bool:
        return bool(set(names) & set(self._chosen))

    def measure(self, name: str, part: Callable[[], Values]) -> None:
        """Measure a part if it was chosen, with one line of progress. What goes wrong is kept, and the others go on."""
        if not self.wants(name):
            return
        print(f"{name:14}", end="", flush=True)
        began = time.monotonic()
        try:
            self.parts[name] = part()
            print(f"{time.monotonic() - began:6.0f} s", flush=True)
        except Exception as error:  # whatever it was, minutes of other measurements must not be lost
            self._fail(name, error)

    def measure_on(self, opening: AbstractContextManager[Ready], parts: Parts[Ready], plan: Plan) -> None:
        """Measure those of some parts that were chosen, on what they share."""
        if not self.wants(*parts):
            return
        print(f"{'preparing':14}", end="", flush=True)
        began = time.monotonic()
        try:
            with opening as ready:
                print(f"{time.monotonic() - began:6.0f} s", flush=True)
                for name, part in parts.items():
                    self.measure(name, partial(part, ready, plan))
        except Exception as error:
            for name in parts:
                if self.wants(name) and name not in self.parts:
                    self._fail(name, error)

    def _fail(self, name: str, error: Exception) -> None:
        self.parts[name] = {"failed": f"{type(error).__name__}: {error}"}
        print(f"{name} failed: {self.parts[name]['failed']}", *getattr(error, "__notes__", ()), sep="\n", flush=True)

    @property
    def failed(self) -> list[str]:
        return [name for name, values in self.parts.items() if "failed" in values]


def main() -> None:
    """Read the arguments, measure and write; the exit code is 1 if a part failed."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    peer = _reached(arguments.peer, arguments.peer_token) if arguments.peer else None
    chosen = arguments.only or [name for name in SECTIONS if name != "peer"]
    run = Run([*chosen, *(["peer"] if peer else [])])
    plan = _plan(arguments)
    now = datetime.now().astimezone()
    output = arguments.output or ROOT / "benchmarks" / "results" / f"{now.date()}"
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as name:
        folder = Path(name)
        machine = describe_machine(folder, now) | {"load average at the start": load_average()}
        _measure(run, plan, folder, arguments.stores or folder / "stores", peer)
        machine["load average at the end"] = load_average()
    write({"machine": machine, "plan": asdict(plan), "parts": run.parts}, output)
    print(f"The report is {output / 'report.md'}.")
    if run.failed:
        sys.exit(f"Failed: {', '.join(run.failed)}.")


def _reached(url: str, token: str) -> Target:
    """The other FHIR server, if it answers at all: this is known before anything is measured."""
    try:
        peer = Target.at("peer", url, token)
        with Client(peer) as client:
            client.ask("GET", "/metadata")
    except (ValueError, OSError, HTTPException) as error:
        sys.exit(f"The peer cannot be measured: {error}")
    return peer


def _measure(run: Run, plan: Plan, folder: Path, stores: Path, peer: Target | None) -> None:
    stores.mkdir(parents=True, exist_ok=True)
    run.measure_on(side_by_side(folder / "compare"), SIDE_BY_SIDE, plan)
    run.measure_on(served(plan.sizes, stores), BY_SIZE, plan)
    run.measure("authorization", lambda: measure_authorization(folder / "authorization", plan))
    run.measure("memory", lambda: measure_memory(folder, plan))
    run.measure("startup", lambda: measure_starts(folder, stores, plan))
    run.measure("loading", lambda: measure_loads(folder, plan))
    if peer is not None:
        run.measure("peer", lambda: compare_with_peer(folder, plan, peer))


def write(values: Values, output: Path) -> None:
    """Write report.md, report.json and the plots into a folder."""
    output.mkdir(parents=True, exist_ok=True)
    measured = {name: part for name, part in values["parts"].items() if "failed" not in part}
    (output / "report.json").write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2))
    (output / "report.md").write_text(report(values))
    for name, drawn in plots_of(measured).items():
        (output / name).write_bytes(drawn)


def _plan(arguments: argparse.Namespace) -> Plan:
    plan = Plan().quick() if arguments.quick else Plan()
    given = {
        name: getattr(arguments, name) for name in ("rounds", "seconds", "sizes", "times", "soak", "peer_patients")
    }
    if given["sizes"]:
        given["sizes"] = tuple(sorted(given["sizes"]))
    return replace(plan, **{name: value for name, value in given.items() if value is not None})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), metavar="PART", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="whether everything works; the figures mean little")
    parser.add_argument("--rounds", type=int, help="of each comparison")
    parser.add_argument("--seconds", type=float, help="of each measurement in a round")
    parser.add_argument("--sizes", type=int, nargs="+", help="patients of the stores, such as 1000 16000 64000")
    parser.add_argument("--times", type=int, help="requests of each kind that one client sends")
    parser.add_argument(
        "--soak", type=int, help=f"mixed requests before memory is read; {HOUR_OF_REQUESTS} for an hour's"
    )
    parser.add_argument("--stores", type=Path, help="where filled stores are kept for the next run; by default nowhere")
    parser.add_argument(
        "--peer", metavar="URL", help="the http:// address of another FHIR server to send the same requests"
    )
    parser.add_argument("--peer-token", default="", metavar="T", help="the access token that it wants")
    parser.add_argument("--peer-patients", type=int, metavar="N", help="how many demo patients it is sent")
    parser.add_argument("--output", type=Path, help="the folder of the report; by default benchmarks/results/<date>")
    arguments = parser.parse_args()
    if "peer" in (arguments.only or ()) and not arguments.peer:
        parser.error("--only peer needs --peer URL.")
    return arguments


if __name__ == "__main__":
    main()
