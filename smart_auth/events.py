"""What happens in the authorization server, as values for the audit: who did what, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

EventCode = Literal[
    "sign-in",
    "sign-out",
    "consent",
    "token-issue",
    "token-refresh",
    "token-revoke",
    "replay",
    "client-change",
    "denied",
]


@dataclass(frozen=True, slots=True)
class Event:
    """One event. reason: a sentence without secrets and without patient data, for those that failed."""

    code: EventCode
    succeeded: bool
    client_id: str | None = None
    sub: str | None = None
    grant_id: str | None = None
    patient: str | None = None
    reason: str | None = None
    address: str | None = None


Audit = Callable[[Event], None]
"""Takes an event down; returns at once."""
