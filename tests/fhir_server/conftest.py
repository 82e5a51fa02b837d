"""The store for tests of the shell: a real MongoDB, and an empty database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.store.database import Database, connected, prepare_guards

NAME = "test"


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongoDB]:
    with EmbeddedMongoDB(tmp_path_factory.mktemp("shell") / "data", cache_mb=256) as running:
        yield running


@pytest.fixture
def database(mongodb: EmbeddedMongoDB) -> Iterator[Database]:
    """An empty database."""
    with connected(mongodb.uri, NAME) as database:
        database.client.drop_database(NAME)
        prepare_guards(database)
        yield database
