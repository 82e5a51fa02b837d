"""Records that live for a while under a secret name: initial access tokens, sessions, launches, pending requests.

The name is random and its holder's proof, so only its hash is stored. One collection a kind.
"""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from smart_auth.store.collection import PURGE, Documents, Json, RandomText, purge_at, purge_index
from smart_auth.store.digests import digest_of

_OWN = ("_id", "expires_at", PURGE)


class ExpiringRecords:
    """Flat records, each under a secret text, gone once they have expired. Times are milliseconds since 1970."""

    def __init__(self, documents: Documents, random_text: RandomText) -> None:
        self._documents = documents
        self._random_text = random_text

    def issue(self, values: Json, expires_at: int) -> str:
        """Store a record under a new text of 256 random bits, which is returned and stored nowhere."""
        text = self._random_text()
        self.add(text, values, expires_at)
        return text

    def add(self, text: str, values: Json, expires_at: int) -> bool:
        """Store a record under a given text; False if there is one."""
        document = {**values, "_id": digest_of(text), "expires_at": expires_at, PURGE: purge_at(expires_at)}
        try:
            self._documents.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    def find(self, text: str, now: int) -> Json | None:
        """The record's values; None if there is none or it has expired."""
        return _values(self._documents.find_one(_live(text, now)))

    def take(self, text: str, now: int, expected: Json | None = None) -> Json | None:
        """Remove a record and return its values, atomically: of several who try one gets it.

        expected: what its values must be; where they are not, the record stays and the answer is None.
        """
        return _values(self._documents.find_one_and_delete({**(expected or {}), **_live(text, now)}))

    def update(self, text: str, values: Json, now: int, expires_at: int | None = None) -> bool:
        """Change some values, and the expiry if one is given; False if there is no such record."""
        changed: dict[str, Any] = dict(values)
        if expires_at is not None:
            changed.update({"expires_at": expires_at, PURGE: purge_at(expires_at)})
        return self._documents.update_one(_live(text, now), {"$set": changed}).matched_count == 1

    def remove(self, text: str) -> bool:
        """Remove a record; False if there was none."""
        return self._documents.delete_one({"_id": digest_of(text)}).deleted_count == 1

    def list(self, wanted: Json, now: int) -> list[Json]:
        """The values of all live records with these values, in the order of their expiry."""
        found = self._documents.find({**wanted, "expires_at": {"$gt": now}}).sort("expires_at", 1)
        return [values for document in found if (values := _values(document)) is not None]

    def remove_all(self, wanted: Json) -> int:
        """Remove all records with these values; how many."""
        return self._documents.delete_many(wanted).deleted_count


def expiring_indexes(*looked_up: str) -> list[IndexModel]:
    """The indexes of such a collection; looked_up: the members that `list` and `remove_all` are asked by."""
    return [purge_index(), *(IndexModel([(name, ASCENDING)], name=name) for name in looked_up)]


def _live(text: str, now: int) -> Json:
    return {"_id": digest_of(text), "expires_at": {"$gt": now}}


def _values(document: Json | None) -> Json | None:
    return None if document is None else {name: value for name, value in document.items() if name not in _OWN}
