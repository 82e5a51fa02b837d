"""Transactions: all or nothing, repeated while others get in the way, and given up with a 503 before a client would.

https://www.mongodb.com/docs/manual/core/transactions/

Looking for a resource and then creating it is not safe by itself under snapshot isolation: two transactions may both look
before either writes. So both first write the same guard document, named after the condition; one of them then conflicts,
and when it is repeated it sees what the other has created.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from fhir_server.store.abandoned import end_abandoned_transactions
from fhir_server.store.commit import ConflictError
from fhir_server.store.database import Database
from fhir_server.store.faults import is_passing
from resources.problem import problem

Result = TypeVar("Result")

GIVE_UP_AFTER_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 0.25
# Whoever is in the way for longer may be the transaction of a process that is no more.
SUSPICIOUS_AFTER_SECONDS = 1.0


def transact(database: Database, work: Callable[[Database], Result]) -> Result:
    """Run `work` in a transaction and return what it returns.

    work: gets the view of the database that belongs to the transaction. It may be called several times, so it must not
    change anything else. What it raises aborts the transaction and is raised again, but for `ConflictError` and for
    MongoDB's transient errors, after which it is called anew. Raises a 503 `Problem` when that goes on for too long, and
    the driver's error where the database is out of reach.
    """
    deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
    look_at = time.monotonic() + SUSPICIOUS_AFTER_SECONDS
    pause = 0.002
    while True:
        try:
            with (
                database.client.start_session() as session,
                session.start_transaction(
                    read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
                ),
            ):
                return work(database.within(session))
        except (ConflictError, DuplicateKeyError):
            pass
        except BulkWriteError as error:
            if not _is_transient(error) and not _is_duplicate(error):
                raise
        except PyMongoError as error:
            # What has timed out was waited for long enough, even though MongoDB would allow another attempt.
            if not _is_transient(error) or error.timeout or (is_passing(error) and time.monotonic() > deadline):
                raise
        if time.monotonic() > deadline:
            raise problem(
                503,
                "lock-error",
                "Too many requests change the same resources at once; nothing was stored, please try again.",
                headers={"Retry-After": "2"},
            )
        if time.monotonic() > look_at:
            end_abandoned_transactions(database)
            look_at = time.monotonic() + SUSPICIOUS_AFTER_SECONDS
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # spreads the contenders, no secret
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def touch_guards(database: Database, conditions: Iterable[str]) -> None:
    """Make every other transaction that rests on one of the conditions conflict with this one."""
    now = datetime.now(UTC)
    writes = [
        UpdateOne({"_id": condition}, {"$set": {"at": now}, "$inc": {"n": 1}}, upsert=True)
        for condition in sorted(set(conditions))
    ]
    if writes:
        database.guards.bulk_write(writes, ordered=True, session=database.session)


def _is_transient(error: PyMongoError) -> bool:
    return error.has_error_label("TransientTransactionError")


def _is_duplicate(error: BulkWriteError) -> bool:
    return any(fault.get("code") == 11000 for fault in error.details.get("writeErrors", ()))
