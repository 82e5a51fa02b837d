"""From a mongod that listens to a primary that takes transactions: initiate once, wait, correct the member's name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from fhir_server.embedded_mongodb.address import Address
from fhir_server.embedded_mongodb.launch import REPLICA_SET

NOT_YET_INITIALIZED = 94


def wait_until_primary(address: Address, going_on: Callable[[], bool], may_configure: bool = True) -> bool:
    """True once the node takes writes; False when `going_on` says so first.

    `going_on` is asked between any two steps (has the process ended, is the time over, are we stopping) and may raise.
    With `may_configure` the replica set is initiated on the first start; a process that only shares the MongoDB leaves
    that to the owner. Whoever answers must have our data files open: on a TCP port it might be a stranger.
    """
    while going_on():
        if address.accepts() and _is_ready(address, may_configure):
            return True
        time.sleep(0.01)
    return False


def answers(address: Address) -> bool:
    """Whether the mongod of this data directory answers at this address now."""
    return address.accepts() and _is_ready(address, may_configure=False)


def _is_ready(address: Address, may_configure: bool) -> bool:
    # A client per attempt: one that connected before the set was initiated says "Sessions are not supported" for ever.
    try:
        with _client(address) as client:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return _has_our_files(client, address)
            if may_configure and not hello.get("secondary") and _has_our_files(client, address):
                _configure(client, address)
    except PyMongoError:
        pass  # still starting, or ending, or another attempt has just initiated it: `going_on` decides
    return False


def _client(address: Address) -> MongoClient[dict[str, Any]]:
    return MongoClient(address.uri, serverSelectionTimeoutMS=2000, connectTimeoutMS=2000, socketTimeoutMS=5000)


def _has_our_files(client: MongoClient[dict[str, Any]], address: Address) -> bool:
    options = client.admin.command("getCmdLineOpts")["parsed"]
    return bool(options.get("storage", {}).get("dbPath") == str(address.data_dir.db))


def _configure(client: MongoClient[dict[str, Any]], address: Address) -> None:
    """Initiate the set on the first start; rename its member when the data files come from elsewhere."""
    member = {"_id": 0, "host": address.member}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        first = {"_id": REPLICA_SET, "members": [member], "writeConcernMajorityJournalDefault": True}
        client.admin.command("replSetInitiate", first)
        return
    if [each["host"] for each in config["members"]] != [address.member]:
        config = config | {"members": [member], "version": config["version"] + 1}
        client.admin.command("replSetReconfig", config, force=True)
