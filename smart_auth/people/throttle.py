"""How many attempts to sign in are let through, across all processes.

https://pages.nist.gov/800-63-4/sp800-63b.html#throttle

Each attempt takes a slot that is free again after a while; where all are taken, the attempt is refused before the password
is looked at. Three things have slots. A name from one address has few. A name has more, and loses one only for attempts that
its address was still allowed: so guesses from many places are bounded, yet nobody at one place can lock somebody else out.
An address has most, because many people may share it.
"""

from __future__ import annotations

from dataclasses import dataclass

from smart_auth.services import AuthServices
from smart_auth.store.digests import digest_of
from smart_auth.store.expiring import ExpiringRecords

WINDOW_MS = 15 * 60 * 1000
OF_NAME_AT_ADDRESS = 10
OF_NAME = 50
OF_ADDRESS = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was let through, with the slots that it took."""

    pair: str
    slots: tuple[str, ...]


class Throttle:
    """Attempts to sign in. Neither names nor addresses are stored, only their hashes."""

    def __init__(self, services: AuthServices) -> None:
        self._clock = services.clock
        self._records: ExpiringRecords = services.store.records("attempts", "key")

    def begin(self, name: str, address: str) -> Attempt | None:
        """Take a slot of each kind; None if the attempt must be refused. name: folded."""
        pair = digest_of(f"pair:{len(address)}:{address}:{name}")
        kinds = (
            (pair, OF_NAME_AT_ADDRESS),
            (digest_of(f"address:{address}"), OF_ADDRESS),
            (digest_of(f"name:{name}"), OF_NAME),
        )
        slots: list[str] = []
        for key, limit in kinds:
            slot = self._slot(key, limit)
            if slot is None:
                for taken in slots:
                    self._records.remove(taken)
                return None
            slots.append(slot)
        return Attempt(pair, tuple(slots))

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right: the attempt does not count, nor do the mistypings before it."""
        self._records.remove_all({"key": attempt.pair})
        for slot in attempt.slots:
            self._records.remove(slot)

    def _slot(self, key: str, limit: int) -> str | None:
        # Adding succeeds once a name, so two attempts never share a slot, whichever processes they arrive in.
        now = self._clock()
        taken = {values["number"] for values in self._records.list({"key": key}, now)}
        for number in range(limit):
            name = f"{key}:{number}"
            if number not in taken and self._records.add(name, {"key": key, "number": number}, now + WINDOW_MS):
                return name
        return None
