"""What the endpoints work with, handed to them rather than reached for: settings, store, clock, audit, randomness."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from smart_auth.clients.origins import OriginCache
from smart_auth.clients.remote_keys import RemoteKeys
from smart_auth.events import Audit
from smart_auth.keys import SigningKeys
from smart_auth.settings import AuthSettings
from smart_auth.store import AuthStore, random_text
from smart_auth.tokens.access_cache import AccessCache


def system_clock() -> int:
    """The current moment in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class AuthServices:
    """All that an endpoint needs; one a process, shared by its threads.

    clock: milliseconds since 1970. audit: takes events down. random_text: a new secret or id of 256 random bits.
    is_session_live: whether a user's session still lives, asked when a client refreshes an online grant.
    access_cache, origin_cache, signing_keys and remote_keys remember for seconds or minutes what is costly to find out.
    """

    settings: AuthSettings
    store: AuthStore
    audit: Audit
    clock: Callable[[], int] = system_clock
    random_text: Callable[[], str] = random_text
    is_session_live: Callable[[str], bool] = lambda session: True
    access_cache: AccessCache = field(default_factory=AccessCache)
    origin_cache: OriginCache = field(default_factory=OriginCache)
    remote_keys: RemoteKeys = field(default_factory=RemoteKeys)
    signing_keys: SigningKeys = field(default_factory=SigningKeys)
