"""The driver's errors, for those who must answer for them without knowing the driver."""

from __future__ import annotations

from pymongo.errors import ConfigurationError, ConnectionFailure, ExecutionTimeout, PyMongoError, WriteConcernError

DatabaseError = PyMongoError
"""Whatever the driver raises."""


def is_passing(error: PyMongoError) -> bool:
    """Whether the database is out of reach or too slow at the moment, so that a later try may succeed."""
    # A write that was done, but is not known to last, is worth a try as well.
    # A database that is just starting does not say yet that it has sessions, which the driver takes for its configuration.
    passing = (ConfigurationError, ConnectionFailure, ExecutionTimeout, WriteConcernError)
    return isinstance(error, passing) or error.timeout
