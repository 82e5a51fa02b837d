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


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file that shares something among them in one worker, which so prepares it once."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None:
            fixtures = item._fixtureinfo.name2fixturedefs.values()
            if any(definition.scope == "module" for definitions in fixtures for definition in definitions):
                item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
