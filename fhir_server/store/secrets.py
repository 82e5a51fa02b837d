"""Secrets that all processes of a server share, made once and kept in the database."""

from __future__ import annotations

import secrets

from pymongo import ReturnDocument

from fhir_server.store.database import Database

SECRETS = "secrets"


def shared_secret(database: Database, name: str) -> bytes:
    """The secret of a name; the first process that asks makes it."""
    document = database.mongo[SECRETS].find_one_and_update(
        {"_id": name},
        {"$setOnInsert": {"key": secrets.token_bytes(32)}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert document is not None  # an upsert leaves one
    key: bytes = document["key"]
    return key
