"""Transactions that a killed process has left open: MongoDB would keep what they hold locked for another minute.

https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/
"""

from __future__ import annotations

from typing import Any

from pymongo.errors import PyMongoError

from fhir_server.store.database import Database, app_name

# A transaction of ours does one thing after another. One that is ended although it was only slow is repeated.
INACTIVE_SECONDS = 5


def end_abandoned_transactions(database: Database) -> int:
    """End the transactions of this server's processes that do nothing any more; how many there were.

    Where the user of the database may not look at its operations, there are none to be seen.
    """
    pipeline: list[dict[str, Any]] = [
        {"$currentOp": {"idleSessions": True}},
        {
            "$match": {
                "type": "idleSession",
                "appName": app_name(database.mongo.name),
                "transaction.timeInactiveMicros": {"$gt": INACTIVE_SECONDS * 1_000_000},
            }
        },
        {"$project": {"lsid": 1}},
    ]
    try:
        sessions = [{"id": found["lsid"]["id"]} for found in database.client.admin.aggregate(pipeline)]
        if sessions:
            database.client.admin.command("killSessions", sessions)
    except PyMongoError:
        return 0
    return len(sessions)
