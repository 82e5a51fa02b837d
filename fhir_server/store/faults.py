"""The driver's errors, for those who must answer for them without knowing the driver."""

from __future__ import annotations

from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

DatabaseError = PyMongoError
"""Whatever the driver raises."""


def is_passing(error: PyMongoError) -> bool:
    """Whether the database is out of reach or too slow at the moment, so that a later try may succeed."""
    return isinstance(error, (ConnectionFailure, ExecutionTimeout, WTimeoutError)) or error.timeout
