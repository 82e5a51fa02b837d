"""Which web pages may call from a browser: those of the origins that active clients registered.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smart_auth.store import STORE_FAULTS

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

KEPT_MS = 10_000
AT_MOST = 1_000
LONGEST_ORIGIN = 300


class OriginCache:
    """Origin → whether a client registered it, remembered for ten seconds in one process."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[bool, int]] = {}

    def is_registered(self, services: AuthServices, origin: str) -> bool:
        """Whether pages of this origin may call; `origin` is the header as it came."""
        if len(origin) > LONGEST_ORIGIN:
            return False
        now = services.clock()
        entry = self._entries.get(origin)
        if entry is not None and 0 <= now - entry[1] < KEPT_MS:
            return entry[0]
        try:
            answer = services.store.clients.has_origin(origin)
        except STORE_FAULTS:
            # The answer that says so shall reach the app all the same, if its origin is known.
            return entry is not None and entry[0]
        if len(self._entries) >= AT_MOST:
            self._entries = {}
        self._entries[origin] = (answer, now)
        return answer
