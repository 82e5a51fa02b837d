"""The MongoDB database: its collections, their indexes, and sessions.

Two collections a resource type, made when the type is first written, so that an empty server starts at once:

    Patient            the current version of each resource, and the mark of each deleted one
        _id  logical id           t  lastUpdated, milliseconds since 1970      m  verb that made this version
        v    version              raw  the JSON bytes; absent once deleted     e  whether it existed before this version
        k    index entries (see `search.entry_text`)       d, n  ranges of dates and numbers (see `search.ranges`)
        s, x sort values (see `search.sort_values`)            c  contained resources (see `search.contained`)
        g    generation of the catalogue it was indexed by
    Patient.history    every version that was replaced: _id {i: id, v: version}, t, m, e, raw, u (replaced at)

`guards` holds one document for each condition that a conditional request rests on (see `transaction`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from pymongo import ASCENDING, IndexModel, MongoClient, timeout
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database as MongoDatabase
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from fhir_server.store.group_commit import GroupCommit

Json = dict[str, Any]

HISTORY_SUFFIX = ".history"
GUARDS = "guards"
# A guard only has to outlive the requests that race for it.
GUARD_SECONDS = 3600
# How long to look for a primary: a replica set elects one, and the embedded one starts again, within this.
SELECTION_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_MS = 5_000
# One operation with all its retries. A database that hangs must not take the server's threads with it.
OPERATION_TIMEOUT_MS = 15_000
PROBE_SECONDS = 1.0

SORT_INDEX, ID_INDEX, ENTRY_INDEX = "sort", "_id_", "entries"
_CURRENT_INDEXES = [
    IndexModel([("k", ASCENDING), ("_id", ASCENDING)], name=ENTRY_INDEX),
    IndexModel([("t", ASCENDING), ("_id", ASCENDING)], name="changes"),
    IndexModel([("d.c", ASCENDING), ("d.lo", ASCENDING), ("d.hi", ASCENDING)], name="dates", sparse=True),
    IndexModel([("n.c", ASCENDING), ("n.lo", ASCENDING), ("n.hi", ASCENDING)], name="numbers", sparse=True),
    IndexModel([("s.$**", ASCENDING)], name=SORT_INDEX),
    IndexModel([("c.k", ASCENDING), ("_id", ASCENDING)], name="contained", sparse=True),
]
_HISTORY_INDEXES = [IndexModel([("t", ASCENDING), ("_id", ASCENDING)], name="changes")]


@dataclass(slots=True)
class Database:
    """A connection, shared by the threads of one process; `session` is set on the view that a transaction works with.

    arriving: resource type → what commits its new resources.
    """

    client: MongoClient[Json]
    mongo: MongoDatabase[Json]
    session: ClientSession | None = None
    _ready: set[str] = field(default_factory=set)
    _preparing: Lock = field(default_factory=Lock)
    _collections: dict[str, Collection[Json]] = field(default_factory=dict)
    arriving: dict[str, GroupCommit[Json]] = field(default_factory=dict)

    def current(self, type_name: str) -> Collection[Json]:
        return self._collection(type_name)

    def history(self, type_name: str) -> Collection[Json]:
        return self._collection(type_name + HISTORY_SUFFIX)

    def _collection(self, name: str) -> Collection[Json]:
        # Kept, because the driver makes one anew each time that it is asked. Names are those of types, so they are few.
        collection = self._collections.get(name)
        if collection is None:
            collection = self._collections[name] = self.mongo[name]
        return collection

    @property
    def guards(self) -> Collection[Json]:
        return self.mongo[GUARDS]

    def within(self, session: ClientSession) -> Database:
        """The same database, every read and write of which belongs to the session's transaction."""
        return Database(self.client, self.mongo, session, self._ready, self._preparing, self._collections)

    def prepare(self, type_names: set[str]) -> None:
        """Make the collections and indexes of types before they are first written; again and again does no harm.

        A transaction that creates a collection would conflict with every other one that does.
        """
        missing = type_names - self._ready
        if not missing:
            return
        with self._preparing:
            for name in sorted(missing - self._ready):
                _create(self.mongo, name, _CURRENT_INDEXES)
                _create(self.mongo, name + HISTORY_SUFFIX, _HISTORY_INDEXES)
                self._ready.add(name)

    def stored_types(self) -> list[str]:
        """The resource types that have ever been written, in alphabetical order."""
        names = self.mongo.list_collection_names()  # not in the session: MongoDB lists nothing within a transaction
        return sorted(n.removesuffix(HISTORY_SUFFIX) for n in names if n.endswith(HISTORY_SUFFIX))

    def is_reachable(self) -> bool:
        """Whether the database answers and takes writes, within a second or so."""
        try:
            with timeout(PROBE_SECONDS):
                hello = self.client.admin.command("hello")
        except PyMongoError:
            return False
        return bool(hello.get("isWritablePrimary"))

    def close(self) -> None:
        self.client.close()


def app_name(database_name: str) -> str:
    """What the connections to a database call themselves, to tell them from those of other servers to other databases."""
    return f"fhir-server {database_name}"


def connect(uri: str, name: str) -> Database:
    """Connect to a replica set or sharded cluster.

    Must be called in the process that uses the connection: a client does not survive a fork. An acknowledged write is on
    the disk of a majority; a read sees the writes that were acknowledged before it, and none that a crash could take back.
    """
    client: MongoClient[Json] = MongoClient(
        uri,
        appname=app_name(name),
        serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
        connectTimeoutMS=CONNECT_TIMEOUT_MS,
        socketTimeoutMS=OPERATION_TIMEOUT_MS,
        maxPoolSize=100,
    )
    database = Database(
        client,
        client.get_database(name, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")),
    )
    return database


def prepare_guards(database: Database) -> None:
    """Make the collection of guards, whose documents MongoDB removes by itself."""
    _create(database.mongo, GUARDS, [IndexModel([("at", ASCENDING)], name="age", expireAfterSeconds=GUARD_SECONDS)])


def _create(mongo: MongoDatabase[Json], name: str, indexes: list[IndexModel]) -> None:
    try:
        mongo.create_collection(name)
    except CollectionInvalid:
        pass  # it is there already
    except OperationFailure as error:
        if error.code != 48:  # NamespaceExists: another process was quicker
            raise
    mongo[name].create_indexes(indexes)


@contextmanager
def connected(uri: str, name: str) -> Iterator[Database]:
    """A connection for the length of a `with` block."""
    database = connect(uri, name)
    try:
        yield database
    finally:
        database.close()
