"""An authorization request that waits for its user, and how far it has got.

It is stored under a secret name, which is all that the browser carries from page to page. It lives for some minutes after
each step, and once it is finished it is gone, so that no form can be sent twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from smart_auth.model import LaunchContext
from smart_auth.people.authorize_request import AuthorizeRequest
from smart_auth.services import AuthServices
from smart_auth.store.grants import context_of

# However many steps somebody takes, and however slowly.
LONGEST_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Transaction:
    """A request on its way.

    launch: the context of an EHR launch, with the id of the session that it was made in. sub: of the user who took it up;
    nobody else goes on with it. patient, encounter: chosen ids; encounter is "" if the user chose none.
    """

    request: AuthorizeRequest
    created_at: int
    launch: LaunchContext | None = None
    launch_session: str | None = None
    sub: str | None = None
    patient: str | None = None
    encounter: str | None = None


class Transactions:
    """Requests that wait for their users."""

    def __init__(self, services: AuthServices) -> None:
        self._clock = services.clock
        self._step_ms = services.settings.transaction_seconds * 1000
        self._records = services.store.records("transactions")

    def begin(self, request: AuthorizeRequest, launch: LaunchContext | None, launch_session: str | None) -> str:
        """Store a request; the secret name of its transaction."""
        now = self._clock()
        transaction = Transaction(request, now, launch, launch_session)
        return self._records.issue(asdict(transaction), now + self._step_ms)

    def find(self, name: str | None) -> Transaction | None:
        """The transaction of that name; None if there is none, or it is over."""
        values = None if name is None else self._records.find(name, self._clock())
        return None if values is None else _transaction(values)

    def save(self, name: str, transaction: Transaction, **changed: str | None) -> bool:
        """Note what was decided, and give the user time for the next step; False if it is over."""
        now = self._clock()
        until = min(now + self._step_ms, transaction.created_at + LONGEST_MS)
        return self._records.update(name, dict(changed), now, until)

    def take(self, name: str) -> Transaction | None:
        """End a transaction: of several who try one gets it."""
        values = self._records.take(name, self._clock())
        return None if values is None else _transaction(values)


def _transaction(values: dict[str, Any]) -> Transaction:
    request = {name: values["request"][name] for name in _REQUEST_FIELDS}
    request["prompt"] = tuple(request["prompt"])
    request["not_offered"] = tuple((scope, reason) for scope, reason in request["not_offered"])
    rest: dict[str, Any] = {name: values.get(name) for name in _FIELDS if name not in ("request", "launch")}
    launch = values.get("launch")
    return Transaction(request=AuthorizeRequest(**request), launch=context_of(launch) if launch else None, **rest)


_FIELDS = tuple(field.name for field in fields(Transaction))
_REQUEST_FIELDS = tuple(field.name for field in fields(AuthorizeRequest))
