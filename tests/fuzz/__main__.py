"""The long run: tens of thousands of requests, seeded; what fails is kept so that it can be repeated.

python -m tests.fuzz --requests 50000 --seed 4001     all kinds
python -m tests.fuzz --repeat build/fuzz/17.json      one request that failed
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz.application import Answer, Application, Request, application, fault_of
from tests.fuzz.described import probe_described
from tests.fuzz.kinds import KINDS, FaultFound, Session, pick

SAVED_AT_MOST = 200


class Run:
    """Counts what was sent and answered, and keeps what failed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self._folder = seed, folder
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.faults = 0
        self.kind = ""

    def watch(self, _: Request, answer: Answer) -> None:
        self.sent[self.kind] += 1
        self.statuses[self.kind, answer.status] += 1

    def keep(self, fault: str, request: Request | None = None) -> None:
        self.faults += 1
        print(f"FAULT {self.faults} (seed {self.seed}, after {self.sent.total()} requests): {fault[:3000]}", flush=True)
        if request is not None and self.faults <= SAVED_AT_MOST:
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = {"fault": fault, "seed": self.seed, "request": request.to_json()}
            (self._folder / f"{self.seed}-{self.faults}.json").write_text(json.dumps(kept, indent=1))

    def summary(self, seconds: float) -> str:
        lines = [f"{self.sent.total():,} requests in {seconds:,.0f} s, seed {self.seed}, {self.faults} faults"]
        for kind, number in self.sent.most_common():
            each = {status: n for (of, status), n in sorted(self.statuses.items()) if of == kind}
            lines.append(f"  {kind:16} {number:7,}  " + "  ".join(f"{status}: {n:,}" for status, n in each.items()))
        return "\n".join(lines)


def fuzz(app: Application, run: Run, requests: int) -> None:
    """Send so many requests of all kinds, a new sequence of random numbers for each step."""
    described = requests // 6
    run.kind = "described"
    for fault in probe_described(app, run.watch, described, run.seed):
        run.keep(fault)
    step = 0
    while run.sent.total() < requests:
        chance = random.Random(f"{run.seed}/{step}")
        run.kind = pick(chance)
        try:
            KINDS[run.kind][1](Session(app, chance, run.watch))
        except FaultFound as fault:
            run.keep(f"step {step}, {run.kind}: {fault}", fault.request)
        except Exception:
            run.keep(f"step {step}, {run.kind}: {traceback.format_exc()}")
        for line in app.faults_in_log():
            run.keep(f"step {step}, {run.kind}: in the log: {line}")
        step += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="where failing requests are kept")
    parser.add_argument("--repeat", type=Path, help="a request that was kept, to send it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder, application(Path(folder)) as app:
        if options.repeat is not None:
            request = Request.from_json(json.loads(options.repeat.read_text())["request"])
            answer = app.send(request)
            print(request.shown(), answer.status, answer.content.decode(errors="replace"), sep="\n")
            return int(fault_of(request, answer) is not None)
        run = Run(options.seed, options.keep)
        print(f"seed {run.seed}", flush=True)
        began = time.monotonic()
        fuzz(app, run, options.requests)
        print(run.summary(time.monotonic() - began))
    return int(run.faults > 0)


if __name__ == "__main__":
    sys.exit(main())
