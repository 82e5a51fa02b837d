"""Records of Synthea 2.7 in a server, and a brute-force search over them that shares nothing with the server's own.

Nine of the sixty patients, unless FHIR_TEST_ALL_RECORDS is set: loading all takes a minute.
"""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from fhir_server.app import create_app
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.database import Database, connected

Tree = dict[str, Any]
SINCE_EVER = datetime(1, 1, 2, tzinfo=UTC)
FOR_EVER = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass
class Records:
    """What is stored, as JSON objects, and a client to search it by."""

    database: Database
    client: FlaskClient
    trees: dict[str, dict[str, Tree]]

    def of(self, type_name: str) -> list[Tree]:
        """All resources of a type, by id."""
        return list(self.trees.get(type_name, {}).values())

    def ids(self, type_name: str, holds: Callable[[Tree], bool] = lambda tree: True) -> list[str]:
        """The ids of a type's resources for which something holds."""
        return [tree["id"] for tree in self.of(type_name) if holds(tree)]

    def target(self, reference: Any) -> Tree | None:
        """The stored resource that a Reference points to."""
        type_name, _, logical_id = (reference or {}).get("reference", "").partition("/")
        return self.trees.get(type_name, {}).get(logical_id)

    def get(self, url: str, status: int = 200) -> Tree:
        answer = self.client.get(url.replace("http://localhost:8080", "") if "://" in url[:8] else f"/fhir/{url}")
        assert answer.status_code == status, (url, answer.text[:2000])
        bundle: Tree = answer.get_json()
        return bundle

    def walk(self, url: str) -> list[Tree]:
        """The entries of all pages."""
        entries: list[Tree] = []
        following: str | None = url
        while following:
            bundle = self.get(following)
            entries += bundle.get("entry", [])
            following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
        return entries

    def found(self, url: str) -> list[str]:
        """The ids of the matches on all pages, in order."""
        entries = self.walk(url)
        return [entry["resource"]["id"] for entry in entries if entry["search"]["mode"] == "match"]


@pytest.fixture(scope="session")
def records(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    folder = tmp_path_factory.mktemp("records")
    files = sorted((shared / "synthea/v2.7").glob("*.json.bz2"), key=lambda path: path.stat().st_size)
    common = [path for path in files if path.name.startswith("0-")]
    patients = [path for path in files if path not in common]
    assert len(patients) == 60
    if not os.environ.get("FHIR_TEST_ALL_RECORDS"):
        patients = patients[4:40:4]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FHIR_")}
    subprocess.run(
        [sys.executable, "-m", "fhir_server.cli", "load", *map(str, [*common, *patients])],
        env={**kept, "FHIR_DATA_DIR": str(folder / "data"), "FHIR_WORKERS": "2"},
        cwd=folder,
        check=True,
        capture_output=True,
    )
    with (
        EmbeddedMongoDB.attach_or_start(folder / "data", cache_mb=256) as mongodb,
        connected(mongodb.uri, "fhir") as db,
    ):
        trees = {
            type_name: {
                document["_id"]: orjson.loads(document["raw"])
                for document in db.current(type_name).find().sort("_id", 1)
            }
            for type_name in db.stored_types()
        }
        services = services_for(Settings.from_environ({"FHIR_LOG_LEVEL": "critical"}), db)
        yield Records(db, create_app(services).test_client(), trees)


class BruteForce:
    """What the specification says of values, written down as plainly as can be. https://hl7.org/fhir/R4/search.html"""

    @staticmethod
    def values(tree: Any, path: str) -> list[Any]:
        """What stands at a path of JSON members, through lists."""
        found = [tree]
        for name in path.split("."):
            found = [value[name] for value in found if isinstance(value, dict) and name in value]
            found = [item for value in found for item in (value if isinstance(value, list) else [value])]
        return found

    @staticmethod
    def folded(text: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))

    @classmethod
    def has_text(cls, value: Any, wanted: str) -> bool:
        """A string, or any part of a HumanName or Address, that begins like this."""
        parts = value.values() if isinstance(value, dict) else [value]
        texts = [text for part in parts for text in (part if isinstance(part, list) else [part])]
        return any(cls.folded(text).startswith(cls.folded(wanted)) for text in texts if isinstance(text, str))

    @staticmethod
    def codes(value: Any) -> set[tuple[str | None, str]]:
        """(system, code) of a code, Coding, CodeableConcept or Identifier."""
        if isinstance(value, str):
            return {(None, value)}
        if "coding" in value:
            return {(coding.get("system"), coding["code"]) for coding in value["coding"]}
        return {(value.get("system"), value.get("code", value.get("value", "")))}

    @classmethod
    def has_code(cls, value: Any, wanted: str) -> bool:
        system, mark, code = wanted.rpartition("|")
        return any(c.lower() == code.lower() and (not mark or s == system) for s, c in cls.codes(value))

    @staticmethod
    def points_to(value: Any, wanted: str) -> bool:
        reference = value.get("reference", "")
        return reference == wanted or ("/" not in wanted and reference.endswith(f"/{wanted}"))

    @staticmethod
    def span(value: Any) -> tuple[datetime, datetime]:
        """The moment that a date, dateTime or Period begins, and the first one behind it."""
        if isinstance(value, dict):
            first = BruteForce.span(value["start"])[0] if "start" in value else SINCE_EVER
            return first, BruteForce.span(value["end"])[1] if "end" in value else FOR_EVER
        if len(value) == 4:
            return datetime(int(value), 1, 1, tzinfo=UTC), datetime(int(value) + 1, 1, 1, tzinfo=UTC)
        if len(value) == 7:
            year, month = int(value[:4]), int(value[5:])
            return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        first = datetime.fromisoformat(value if "T" in value else f"{value}T00:00:00+00:00")
        step = timedelta(days=1) if len(value) == 10 else timedelta(seconds=1)
        return first, first + (timedelta(milliseconds=1) if "." in value else step)

    @classmethod
    def has_date(cls, value: Any, wanted: str) -> bool:
        """By the intervals of R4: what a date covers by its precision, compared as a whole."""
        prefix, text = (wanted[:2], wanted[2:]) if wanted[:2].isalpha() else ("eq", wanted)
        (low, high), (first, behind) = cls.span(value), cls.span(text)
        is_within = first <= low and high <= behind
        return {
            "eq": is_within,
            "ne": not is_within,
            "gt": high > behind,
            "lt": low < first,
            "ge": high > behind or is_within,
            "le": low < first or is_within,
            "sa": low >= behind,
            "eb": high <= first,
        }[prefix]


@pytest.fixture(scope="session")
def brute_force() -> type[BruteForce]:
    return BruteForce
