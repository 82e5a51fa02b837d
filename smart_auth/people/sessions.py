"""Sessions of signed-in users: each known to its browser by a secret cookie, of which only the hash is stored.

https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html

A session has two names. The secret changes whenever somebody signs in, so that one planted in a browser beforehand is worth
nothing. The id is no secret, stays while the same user signs in again, and is what online grants end with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from smart_auth.model import User
from smart_auth.services import AuthServices
from smart_auth.store import AuthStore
from smart_auth.store.expiring import ExpiringRecords

IDLE_MS = 30 * 60 * 1000
# How stale `seen_at` may be: a write a minute is enough to measure half an hour.
SEEN_MS = 60 * 1000


@dataclass(frozen=True, slots=True)
class Session:
    """A user's stay. auth_time: when the password was last checked; ends_at: the latest end, however busy the user is."""

    id: str
    sub: str
    auth_time: int
    seen_at: int
    ends_at: int


def session_records(store: AuthStore) -> ExpiringRecords:
    """Where sessions are stored: under their secret, listed by their user and their id."""
    return store.records("sessions", "sub", "id")


def session_check(store: AuthStore, clock: Callable[[], int]) -> Callable[[str], bool]:
    """Tells of the id of a session whether its user is still signed in, for `AuthServices.is_session_live`.

    A session that is idle lives on: whoever works in an app leaves our pages alone for hours.
    """
    records = session_records(store)
    return lambda session_id: bool(records.list({"id": session_id}, clock()))


class Sessions:
    """The sessions in the store. Times are milliseconds since 1970."""

    def __init__(self, services: AuthServices) -> None:
        self._services = services
        self._records = session_records(services.store)

    def begin(self, user: User, previous: str | None) -> tuple[str, Session]:
        """A session for a user whose password was just checked: its secret and itself.

        previous: the secret that the browser had; it is worth nothing from now on. If it was the same user's, the id stays;
        if it was another's, that user has left, and their online grants end.
        """
        now = self._services.clock()
        left = self._take(previous, now)
        if left is not None and left.sub != user.sub:
            self._services.store.grants.revoke_of_session(left.id, now)
            left = None
        session = Session(
            id=left.id if left else self._services.random_text(),
            sub=user.sub,
            auth_time=now,
            seen_at=now,
            ends_at=now + self._services.settings.online_seconds * 1000,
        )
        return self._records.issue(asdict(session), session.ends_at), session

    def find(self, secret: str | None) -> Session | None:
        """The session of a secret that is neither over nor idle for too long; finding it counts as use."""
        if secret is None:
            return None
        now = self._services.clock()
        values = self._records.find(secret, now)
        if values is None:
            return None
        session = Session(**values)
        if now - session.seen_at > IDLE_MS:
            return None
        if now - session.seen_at > SEEN_MS:
            self._records.update(secret, {"seen_at": now}, now)
            session = replace(session, seen_at=now)
        return session

    def end(self, secret: str | None) -> Session | None:
        """End a session and the grants that live no longer than it; the session, or None if there was none."""
        now = self._services.clock()
        session = self._take(secret, now)
        if session is not None:
            self._services.store.grants.revoke_of_session(session.id, now)
        return session

    def end_all_of(self, sub: str) -> int:
        """End all sessions of a user, and the grants that live no longer than them; how many sessions."""
        now = self._services.clock()
        for values in self._records.list({"sub": sub}, now):
            self._services.store.grants.revoke_of_session(values["id"], now)
        return self._records.remove_all({"sub": sub})

    def count_others(self, session: Session) -> int:
        """In how many other browsers the same user is signed in, idle ones included."""
        live = self._records.list({"sub": session.sub}, self._services.clock())
        return sum(1 for values in live if values["id"] != session.id)

    def end_others(self, session: Session) -> None:
        """End all other sessions of the same user, and the grants that live no longer than them."""
        now = self._services.clock()
        for values in self._records.list({"sub": session.sub}, now):
            if values["id"] != session.id:
                self._services.store.grants.revoke_of_session(values["id"], now)
                self._records.remove_all({"sub": session.sub, "id": values["id"]})

    def _take(self, secret: str | None, now: int) -> Session | None:
        values = None if secret is None else self._records.take(secret, now)
        return None if values is None else Session(**values)
