"""The MongoDB that all tests of the authorization server share, each part with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.embedded_mongodb import EmbeddedMongoDB


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoClient[dict[str, Any]]]:
    with EmbeddedMongoDB.attach_or_start(tmp_path_factory.mktemp("mongodb"), cache_mb=256) as running:
        client: MongoClient[dict[str, Any]] = MongoClient(running.uri)
        yield client
        client.close()
