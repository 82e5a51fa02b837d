"""The application that hostile requests are sent to: in this process, on a MongoDB of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.fuzz.application import Application, application

SEED = int(os.environ.get("FUZZ_SEED", "4001"))


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("fuzz")) as application_:
        yield application_
        assert application_.faults_in_log() == []


@pytest.fixture
def number() -> int:
    """The number that a run's random sequences begin with; FUZZ_SEED takes another."""
    return SEED
