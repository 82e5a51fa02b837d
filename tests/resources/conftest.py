"""The official R4 examples as they are published, and what validation finds."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resources.document import parse_document
from resources.validation import errors_of, validate


@pytest.fixture(scope="session")
def example_texts(shared: Path) -> dict[str, bytes]:
    """Name (`Patient-example`) → JSON text of each official R4 example."""
    with zipfile.ZipFile(shared / "fhir/r4/examples/json.zip") as archive:
        return {Path(name).stem: archive.read(name) for name in archive.namelist() if name.endswith(".json")}


@pytest.fixture(scope="session")
def found() -> Callable[[str, dict[str, Any]], list[tuple[str, str | None]]]:
    """(resource type, members) → code and place of each error; the place without the type, `.` for the resource."""

    def errors(resource_type: str, members: dict[str, Any]) -> list[tuple[str, str | None]]:
        tree = parse_document(json.dumps({"resourceType": resource_type, **members})).tree
        return [(i.code, (i.expression or "").partition(".")[2] or ".") for i in errors_of(validate(tree))]

    return errors
