"""One server for the faults that leave its disk and its network alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.load import Load
from tests.faults.site import SEED, Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("faults") / "data")
    yield made
    made.end()


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Load:
    """A load of the test's own, on resources of its own. FAULT_SEED takes other random numbers."""
    print(f"FAULT_SEED={SEED}")
    return Load(f"{SEED}/{request.node.name}")
