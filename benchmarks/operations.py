"""What an operator waits for: loading a folder of records, and starting on an existing data directory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

_SUMMARY = re.compile(r"([\d,]+) resources in ([\d.]+) s")


def environ_for(data_dir: Path, port: int) -> dict[str, str]:
    """The environment of a server of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_")}
    return {**inherited, "FHIR_DATA_DIR": str(data_dir), "FHIR_PORT": str(port), "FHIR_LOG_LEVEL": "warning"}


def load_folder(folder: Path, data_dir: Path) -> dict[str, float]:
    """Load a folder with `fhir-server load`; resources, seconds and resources a second, as it prints them."""
    done = subprocess.run(
        [sys.executable, "-m", "fhir_server.cli", "load", str(folder)],
        env=environ_for(data_dir, 18083),
        capture_output=True,
        text=True,
        check=True,
    )
    match = _SUMMARY.search(done.stdout)
    assert match is not None, done.stdout
    resources, seconds = int(match[1].replace(",", "")), float(match[2])
    return {"resources": resources, "seconds": seconds, "per_second": resources / seconds}


def seconds_until_ready(data_dir: Path, port: int = 18084) -> float:
    """Start the server on a data directory; seconds until `/readyz` says ok."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "fhir_server.cli", "run"],
        env=environ_for(data_dir, port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - began < 60:
            try:
                with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                    return time.perf_counter() - began
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("the server did not get ready within 60 s")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
