"""What access tokens stand for, remembered for a few seconds in one process.

A token that is revoked anywhere must be refused everywhere within five seconds, so nothing is remembered for longer than
three. Tokens that do not exist are not remembered: whoever makes them up must not fill the memory.
"""

from __future__ import annotations

from smart_auth.model import Access

KEPT_MS = 3_000
AT_MOST = 10_000


class AccessCache:
    """Access token → what it stands for. Its entries are dropped all at once when there are too many."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Access, int, int]] = {}

    def find(self, text: str, now: int) -> Access | None:
        """What was remembered less than three seconds ago and has not expired."""
        entry = self._entries.get(text)
        if entry is None:
            return None
        access, since, until = entry
        return access if since <= now < until else None

    def remember(self, text: str, access: Access, now: int) -> None:
        """Keep what the store said at a moment that had come when it was asked."""
        if len(self._entries) >= AT_MOST:
            self._entries = {}
        self._entries[text] = (access, now, min(now + KEPT_MS, access.expires_at))

    def forget(self) -> None:
        """Drop everything, because something was revoked."""
        self._entries = {}
