"""What all tests share: the folder with the official material, which is no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the official FHIR material: FHIR_SHARED, else `../shared` beside the project."""
    folder = Path(os.environ.get("FHIR_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not folder.exists():
        pytest.skip(f"{folder} with the official FHIR material is absent (set FHIR_SHARED)")
    return folder
