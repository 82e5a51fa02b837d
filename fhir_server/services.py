"""What the interactions work with, handed to them rather than reached for: settings, store, clock, new ids."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from threading import BoundedSemaphore

from fhir_server.prepare_write import Rules
from fhir_server.profile_checking import claims_check
from fhir_server.settings import Settings
from fhir_server.store.costs import Costs
from fhir_server.store.database import Database
from fhir_server.store.held_profiles import HeldProfiles
from fhir_server.store.held_terminology import HeldTerminology
from fhir_server.store.run_plan import DEFAULT_LIMITS, Limits
from fhir_server.store.search_catalogue import SharedCatalogue
from fhir_server.store.secrets import shared_secret
from resources.profiles import Profiles
from resources.terminology import Terminology
from search.catalogue import Catalogue
from search.context import Context
from search.fence import NO_FENCE, Fence
from smart_auth.model import Access

WAITING_BUNDLES = 4
FULL_QUEUE_SECONDS = 1.0

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


class Turnstile:
    """Lets so many through at once, and so many more wait for their turn.

    Those who wait hold a thread each, so whoever finds the queue full is turned away soon: a few threads must be left for
    requests that take no time.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._running = BoundedSemaphore(at_once)
        self._waiting = BoundedSemaphore(waiting)

    def acquire(self, timeout: float) -> bool:
        """Whether the caller may go on, which it must tell by `release` when it is done. timeout: seconds to wait."""
        if self._running.acquire(blocking=False):
            return True
        if not self._waiting.acquire(timeout=min(timeout, FULL_QUEUE_SECONDS)):
            return False
        try:
            return self._running.acquire(timeout=timeout)
        finally:
            self._waiting.release()

    def release(self) -> None:
        self._running.release()


@dataclass(slots=True)
class Services:
    """One per process.

    bundles: bounds how many Bundles are processed at once. cursor_key: signs cursors; fetched when it is first needed, so
    that the server starts before its database does. catalogue: the search parameters that there are at the moment.
    terminology: the value sets and code systems that are known; profiles: the StructureDefinitions. costs: keeps searches
    from reading too much. fence: what the request at hand may do; may_administer: whether it may do what only administrators
    may; access: what its token stands for, None where authorization is off.
    """

    settings: Settings
    database: Database
    clock: Clock
    new_id: Callable[[], str]
    bundles: Turnstile
    cursor_key: Callable[[], bytes]
    catalogue: Callable[[], Catalogue]
    terminology: Terminology
    profiles: Profiles
    costs: Costs
    fence: Fence = NO_FENCE
    may_administer: bool = True
    access: Access | None = None

    @property
    def limits(self) -> Limits:
        """What one search may cost while it runs."""
        return replace(DEFAULT_LIMITS, most_examined=self.settings.max_examined or sys.maxsize)

    @property
    def rules(self) -> Rules:
        """What writes are checked against besides the definitions."""
        claims = claims_check(self.settings.profiles, self.profiles)
        return Rules(warn_only=self.settings.warn_only, claims=claims)

    @property
    def base_url(self) -> str:
        """The FHIR base, without a closing slash."""
        return self.settings.base_url

    def context(self) -> Context:
        """What extraction and filters depend on."""
        return Context(self.base_url, self.clock(), self.catalogue(), self.fence, self.terminology)

    def within(self, database: Database) -> Services:
        """The same services on the view of the database that a transaction works with."""
        return replace(self, database=database)


def services_for(settings: Settings, database: Database) -> Services:
    """The services of a running server."""
    bundles = Turnstile(settings.max_concurrent_bundles, WAITING_BUNDLES)
    cursor_key = cache(lambda: shared_secret(database, "cursor"))
    terminology = HeldTerminology(database)
    return Services(
        settings,
        database,
        system_clock,
        new_id,
        bundles,
        cursor_key,
        SharedCatalogue(database).current,
        terminology,
        HeldProfiles(terminology),
        Costs(settings.max_examined),
    )
