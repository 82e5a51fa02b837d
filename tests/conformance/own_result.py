"""`make conformance`: the whole kit against our own server, with authorization, demo data and registered apps."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from conformance.command import main
from tests.conformance.conftest import registered
from tests.running_server import server_with_demo_data

PATIENTS = 6


def run(report: Path) -> int:
    """Start a server, tell the kit of its apps and people, and write the report; the kit's exit code."""
    with tempfile.TemporaryDirectory(prefix="fhir-kit-") as name, server_with_demo_data(Path(name), PATIENTS) as server:
        folder = Path(name)
        configuration = folder / "smart.json"
        configuration.write_text(json.dumps(registered(server, folder)))
        token = server.command("token", "--scope", "system/*.cruds").strip()
        return main([server.base_url, "--token", token, "--smart", str(configuration), "--report", str(report)])


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
