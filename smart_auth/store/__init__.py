"""The store of the authorization server: one module a collection, all named `oauth.…`; the only place with pymongo here.

Codes, tokens and secrets are stored as hashes. MongoDB removes what has expired about once a minute, so every read compares
the time itself.
"""

from __future__ import annotations

import secrets
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from smart_auth.store import assertion_ids, clients, codes, grants, signing_keys, tokens, users
from smart_auth.store.assertion_ids import AssertionIds
from smart_auth.store.clients import Clients
from smart_auth.store.codes import Codes
from smart_auth.store.collection import RandomText, prepared
from smart_auth.store.expiring import ExpiringRecords, expiring_indexes
from smart_auth.store.grants import Grants
from smart_auth.store.signing_keys import StoredKeys
from smart_auth.store.tokens import Tokens
from smart_auth.store.users import Users

__all__ = ["STORE_FAULTS", "AuthStore", "random_text"]

STORE_FAULTS: tuple[type[Exception], ...] = (PyMongoError,)
"""What the store raises when the database does not answer."""


def random_text() -> str:
    """256 random bits in 43 of the characters that no part of a URL or header needs to escape."""
    return secrets.token_urlsafe(32)


class AuthStore:
    """All that the authorization server stores, in one database.

    Making one makes the collections and indexes; again and again does no harm. Must be made in the process that uses it.
    Every method may raise one of `STORE_FAULTS`.
    """

    def __init__(self, database: Database[dict[str, Any]], random_text: RandomText = random_text) -> None:
        """random_text: makes a new secret of at least 256 random bits, of letters, digits, `-` and `_`."""
        self._database = database
        self._random_text = random_text
        code_documents = prepared(database, codes.NAME, codes.INDEXES)
        token_documents = prepared(database, tokens.NAME, tokens.INDEXES)
        self.clients = Clients(prepared(database, clients.NAME, clients.INDEXES))
        self.users = Users(prepared(database, users.NAME, users.INDEXES))
        self.grants = Grants(prepared(database, grants.NAME, grants.INDEXES), (code_documents, token_documents))
        self.codes = Codes(code_documents, random_text)
        self.tokens = Tokens(token_documents, grants.NAME, clients.NAME, users.NAME)
        self.assertion_ids = AssertionIds(prepared(database, assertion_ids.NAME, assertion_ids.INDEXES))
        self.signing_keys = StoredKeys(prepared(database, signing_keys.NAME, signing_keys.INDEXES))
        self.initial_access_tokens = self.records("initial_access_tokens")

    def records(self, kind: str, *looked_up: str) -> ExpiringRecords:
        """The records of a kind, in the collection `oauth.{kind}`.

        looked_up: the members, beside the secret text, that they are listed and removed by.
        """
        return ExpiringRecords(
            prepared(self._database, f"oauth.{kind}", expiring_indexes(*looked_up)), self._random_text
        )
