"""The official R4 examples, as they are published."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def example_texts(shared: Path) -> dict[str, bytes]:
    """Name (`Patient-example`) → JSON text of each official R4 example."""
    with zipfile.ZipFile(shared / "fhir/r4/examples/json.zip") as archive:
        return {Path(name).stem: archive.read(name) for name in archive.namelist() if name.endswith(".json")}
