"""What the interactions work with, handed to them rather than reached for: settings, store, clock, new ids."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import BoundedSemaphore

from fhir_server.settings import Settings
from fhir_server.store.database import Database

Clock = Callable[[], int]
"""The current moment in milliseconds since 1970."""


def system_clock() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A logical id: a UUID of version 7, whose beginning is the time, so that what is created together is kept together.

    https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
    """
    bits = (system_clock() << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(slots=True)
class Services:
    """One per process. `bundles` bounds how many Bundles are processed at once."""

    settings: Settings
    database: Database
    clock: Clock
    new_id: Callable[[], str]
    bundles: BoundedSemaphore

    @property
    def base_url(self) -> str:
        """The FHIR base, without a closing slash."""
        return self.settings.base_url

    def within(self, database: Database) -> Services:
        """The same services on the view of the database that a transaction works with."""
        return replace(self, database=database)


def services_for(settings: Settings, database: Database) -> Services:
    """The services of a running server."""
    return Services(settings, database, system_clock, new_id, BoundedSemaphore(settings.max_concurrent_bundles))
