"""Stores filled with demo populations of several sizes, kept for the next run where a folder for them is named."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson.min_key import MinKey
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.population import SEED, TODAY
from benchmarks.servers import DATABASE, ROOT, command, environ_for, free_port, on_mongodb, running
from benchmarks.target import Target
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.serving import WORKER_TARGET

HISTORY = ".history"
# All that a demo population consists of has such an id; what measurements add has others.
OF_POPULATION = "^demo-"


@dataclass(frozen=True)
class Store:
    """A filled store that our server serves: how many patients it has, and what its index takes."""

    patients: int
    target: Target
    index: dict[str, float]


def filled(patients: int, folder: Path) -> Path:
    """The data directory with a population of so many patients; made now if the folder has none."""
    data_dir = folder / str(patients)
    if not data_dir.exists():
        options = ["--patients", str(patients), "--seed", str(SEED), "--today", f"{TODAY}"]
        environ = environ_for(data_dir, free_port())
        subprocess.run(command("demo-data", *options), env=environ, cwd=ROOT, check=True, capture_output=True)
    return data_dir


@contextmanager
def served(sizes: Sequence[int], folder: Path) -> Iterator[list[Store]]:
    """Our server on a store of each size, all at once; what is added to the stores is removed in the end."""
    with ExitStack() as stack:
        stores = []
        for patients in sizes:
            data_dir = filled(patients, folder)
            mongodb = stack.enter_context(EmbeddedMongoDB(data_dir))
            client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(mongodb.uri))
            stack.callback(_remove_what_was_added, client[DATABASE])
            _warm(client[DATABASE])
            server = on_mongodb(f"{patients}", WORKER_TARGET, data_dir, mongodb.uri)
            target = stack.enter_context(running(server)).target
            stores.append(Store(patients, target, _index_sizes(client[DATABASE])))
        yield stores


def _types(database: Database[dict[str, Any]]) -> list[str]:
    """The resource types that the store has."""
    return [n.removesuffix(HISTORY) for n in database.list_collection_names() if n.endswith(HISTORY)]


def _remove_what_was_added(database: Database[dict[str, Any]]) -> None:
    for name in _types(database):
        database[name].delete_many({"_id": {"$not": {"$regex": OF_POPULATION}}})
        database[name + HISTORY].delete_many({"_id.i": {"$not": {"$regex": OF_POPULATION}}})


def _warm(database: Database[dict[str, Any]]) -> None:
    """Read everything once, so that all stores are in memory and the disk is not what is measured."""
    for name in database.list_collection_names():
        collection = database[name]
        assert collection.find_one({"v": -1}) is None
        for index, description in collection.index_information().items():
            first, _ = description["key"][0]
            if "$" not in first:  # a wildcard index cannot be read as a whole
                collection.count_documents({first: {"$gt": MinKey()}}, hint=index)


def _index_sizes(database: Database[dict[str, Any]]) -> dict[str, float]:
    """Resources, and the index entries and index bytes of each."""
    resources = size = entries = 0
    for name in _types(database):
        collection = database[name]
        number = collection.estimated_document_count()
        if not number:
            continue
        resources += number
        size += database.command("collStats", name)["totalIndexSize"]
        sample = [len(document.get("k", ())) for document in collection.find({}, {"k": 1}).limit(200)]
        entries += sum(sample) * number // len(sample)
    return {
        "resources": resources,
        "entries_per_resource": round(entries / resources, 1),
        "index_bytes_per_resource": round(size / resources),
    }
