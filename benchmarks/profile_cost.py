"""`python -m benchmarks.profile_cost US-CORE.zip`: what it costs to check a Patient against its profile.

Two servers on one MongoDB, with databases of their own, both with the package loaded: one checks what meta.profile claims
on every write (FHIR_PROFILES=enforce), the other does not. The package's example Patient is created on each in turn, in
alternating rounds; then it is validated, one request at a time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.comparison import alternate, ratios, summarise
from benchmarks.load_tool import Result, run
from benchmarks.plan import CONNECTIONS
from benchmarks.servers import command, ours, running
from benchmarks.target import Target
from fhir_server.embedded_mongodb import EmbeddedMongoDB

MODES = ("off", "enforce")
EXAMPLE = "package/example/Patient-example.json"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="a zip of the package hl7.fhir.us.core")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fhir-profiles-")))
        mongodb = stack.enter_context(EmbeddedMongoDB(folder / "m"))
        with zipfile.ZipFile(arguments.package) as content:
            content.extractall(folder)
        patient = json.loads((folder / EXAMPLE).read_bytes())
        del patient["id"]
        body = json.dumps(patient, separators=(",", ":")).encode()
        targets = []
        for mode in MODES:
            settings = {"FHIR_MONGODB_URI": mongodb.uri, "FHIR_DATABASE": mode, "FHIR_PROFILES": mode}
            server = stack.enter_context(running(ours(folder / mode, mode, **settings)))
            loading = command("load", str(folder / "package"), "--rejects", str(folder / "rejects"))
            # Some of what a package holds is no resource that can be stored; the profiles are.
            subprocess.run(loading, env=server.environ, stdout=subprocess.DEVNULL, check=False)
            targets.append(server.target)
        _report_creates(targets, body, arguments.rounds, arguments.seconds)
        request = targets[0].request("POST", "/Patient/$validate", body)
        validated = run(targets[0], itertools.repeat(request), 1, arguments.seconds).expect(200)
        print(f"$validate  {validated.median_ms:.2f} ms, p99 {validated.p99_ms:.1f} ms, one at a time")


def _report_creates(targets: list[Target], body: bytes, rounds: int, seconds: float) -> None:
    """Print the rate of creates of each server, and what is left of it where profiles are enforced."""

    def measure(target: Target) -> Result:
        request = target.request("POST", "/Patient", body)
        return run(target, itertools.repeat(request), CONNECTIONS, seconds).expect(201)

    results = alternate(targets, rounds, measure)
    for name, values in summarise(results).items():
        print(f"{name:10} {values['per_second']:7,.0f} creates/s")
    compared = ratios(results, "enforce", "off")
    print(f"ratio      {compared['ratio']:.3f}  (rounds: {', '.join(f'{each:.2f}' for each in compared['ratios'])})")


if __name__ == "__main__":
    main()
