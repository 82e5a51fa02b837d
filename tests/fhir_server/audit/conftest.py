"""What the tests of the audit share: records of all kinds, and a journal of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_server.audit.journal import Journal
from fhir_server.audit.records import Deed, RequestRecord, Who

AT = 1_767_225_600_123
WHO = Who("app-1", "sub-1", "grant-1", None, "192.0.2.7")


def request_record(*deeds: Deed, who: Who = WHO, at: int = AT, request: str | None = "request-1") -> RequestRecord:
    return RequestRecord(at, request, who, deeds or (Deed("read", 200, "Patient", "one", 3),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def new_name() -> Callable[[], str]:
    """Names in their order."""
    numbers = itertools.count(1)
    return lambda: f"journal-{next(numbers):04}"


@pytest.fixture
def journal(folder: Path, new_name: Callable[[], str]) -> Journal:
    return Journal(folder, new_name)
