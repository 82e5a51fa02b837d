"""One collection of the authorization server: made with its indexes, written to a majority."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

Json = dict[str, Any]
Documents = Collection[Json]
RandomText = Callable[[], str]

PURGE = "purge_at"
NAMESPACE_EXISTS = 48


def purge_index() -> IndexModel:
    """Lets MongoDB remove documents some time after their `purge_at`; never the only check of an expiry."""
    return IndexModel([(PURGE, ASCENDING)], name="purge", expireAfterSeconds=0)


def purge_at(milliseconds: int, days_later: int = 0) -> datetime:
    """The value of `purge_at` for a moment in milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) + timedelta(days=days_later)


def prepared(database: Database[Json], name: str, indexes: list[IndexModel]) -> Documents:
    """The collection, with its indexes. Writes are acknowledged once they are on the disk of a majority."""
    try:
        database.create_collection(name)
    except CollectionInvalid:
        pass  # it is there already
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:  # another process was quicker
            raise
    collection = database.get_collection(
        name, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("local")
    )
    if indexes:
        collection.create_indexes(indexes)
    return collection
